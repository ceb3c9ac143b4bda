//! Virtual time, and seeded noise on it.
//!
//! Knows nothing of what takes the time.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

/// A virtual clock in seconds from zero; clones are the same clock, so several devices can share one.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<f64>>);

impl Clock {
    /// The time now, in seconds.
    pub fn now(&self) -> f64 {
        *self.0.lock()
    }

    /// Lets time pass, as for work of the host; negative or undefined spans are taken as zero.
    pub fn advance(&self, seconds: f64) {
        *self.0.lock() += seconds.max(0.0);
    }

    /// Waits for a moment; one that has passed is no wait.
    pub fn advance_to(&self, moment: f64) {
        let mut now = self.0.lock();
        *now = now.max(moment);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({} s)", self.now())
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014), a hash of `x`.
pub(crate) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Multiplicative noise: log-normal, the same for the same seed.
pub(crate) struct Noise {
    deviation: f64,
    state: u64,
}

impl Noise {
    pub(crate) fn new(deviation: f64, seed: u64) -> Self {
        Self { deviation, state: mix(seed) }
    }

    /// The next factor; 1 where there is no deviation.
    pub(crate) fn factor(&mut self) -> f64 {
        // Twelve uniform numbers sum up to a variance of one: normal enough.
        let normal: f64 = (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0;
        (self.deviation * normal).exp()
    }

    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(1);
        (mix(self.state) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_one_clock_that_never_goes_back() {
        let clock = Clock::default();
        let other = clock.clone();
        clock.advance(2.0);
        other.advance_to(1.0);
        other.advance(-1.0);
        other.advance(f64::NAN);
        assert_eq!(other.now(), 2.0);
        other.advance_to(3.5);
        assert_eq!(clock.now(), 3.5);
    }

    #[test]
    fn noise_has_its_deviation_around_one_and_repeats() {
        let logs = |seed| -> Vec<f64> {
            let mut noise = Noise::new(0.1, seed);
            (0..10_000).map(|_| noise.factor().ln()).collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let values = logs(1);
        let deviation = mean(&values.iter().map(|v| v * v).collect::<Vec<_>>()).sqrt();
        assert!(mean(&values).abs() < 0.005, "{}", mean(&values));
        assert!((deviation - 0.1).abs() < 0.005, "{deviation}");
        assert_eq!(logs(1), values);
        assert_ne!(logs(2), values);
        assert_eq!(Noise::new(0.0, 1).factor(), 1.0);
    }
}
