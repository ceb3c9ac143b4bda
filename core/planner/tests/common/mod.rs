//! Kernels that take made-up times, with seeded noise.
#![allow(dead_code, reason = "each test binary uses a part")]

use warpweft_planner::{Learnt, Moment, Series};

/// Random numbers (SplitMix64), the same for the same seed everywhere.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// From 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A factor whose logarithm has this standard deviation.
    pub(crate) fn noise(&mut self, sigma: f64) -> f64 {
        (sigma * self.normal()).exp()
    }
}

/// A series, told the times of a device with noise, a second apart.
pub(crate) struct Device {
    pub(crate) series: Series,
    pub(crate) random: Random,
    pub(crate) noise: f64,
    pub(crate) now: u64,
}

impl Device {
    pub(crate) fn new(seed: u64, noise: f64) -> Self {
        Self { series: Series::new(), random: Random::new(seed), noise, now: 0 }
    }

    /// A launch that typically takes so long. By what the device's speed was seen to change.
    pub(crate) fn launch(&mut self, size: f64, typical: f64) -> Option<f64> {
        self.now += 1_000_000;
        let seconds = typical * self.random.noise(self.noise);
        match self.series.observe(size, seconds, Moment::from_micros(self.now)).unwrap() {
            Learnt::Sample => None,
            Learnt::Shift { factor } => Some(factor),
        }
    }

    /// Predicted over true time.
    pub(crate) fn error(&self, size: f64, typical: f64) -> f64 {
        self.series.predict(size).unwrap().seconds / typical
    }
}
