//! What a launch really takes: the static model times a hidden factor, plus latency, and with noise where it is measured.
//!
//! Does not know policies, and no policy but a clairvoyant one may see it.
//!
//! The hidden factor belongs to a kernel on a device: log-uniform within `model_error` either way, bent a little over
//! sizes, and never further from the static model than `model_error` in all. Links, launch latencies and compile times are
//! as calibration says: it can measure them without knowing the kernel.

use crate::machine::Machine;
use crate::random::Draws;
use crate::roofline;
use crate::suite::Kernel;

/// How unlike the model reality is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reality {
    /// The static model is wrong by up to this factor, either way.
    pub model_error: f64,
    /// How far a kernel's exponent of time over size may be from the model's.
    pub bend: f64,
    /// Standard deviation of the logarithm of measured times.
    pub noise: f64,
    /// The share of measurements that come out `spike` times too long.
    pub spikes: f64,
    /// How long those are.
    pub spike: f64,
}

impl Default for Reality {
    /// Wrong by up to 3 times, exponents by up to 0.05, 5 % noise, no spikes.
    fn default() -> Self {
        Self { model_error: 3.0, bend: 0.05, noise: 0.05, spikes: 0.0, spike: 10.0 }
    }
}

impl Reality {
    /// The static model is right and clocks are perfect.
    pub fn exact() -> Self {
        Self { model_error: 1.0, bend: 0.0, noise: 0.0, ..Self::default() }
    }

    /// One measurement in twenty is ten times too long.
    pub fn spiky() -> Self {
        Self { spikes: 0.05, ..Self::default() }
    }
}

/// A device slows down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Which.
    pub device: usize,
    /// Its execution takes so many times longer.
    pub factor: f64,
    /// From this launch of the sequence on.
    pub from: usize,
}

/// The hidden reality of a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    machine: Machine,
    draws: Draws,
    reality: Reality,
    drift: Option<Drift>,
}

impl Truth {
    /// The reality of a machine that belongs to a seed.
    pub fn new(machine: Machine, seed: u64, reality: Reality, drift: Option<Drift>) -> Self {
        Self { machine, draws: Draws::new(seed), reality, drift }
    }

    /// The machine, which everybody may know.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// How many times longer than the static model says a kernel executes at a size on a device; `number` is the kernel's.
    pub fn factor(&self, number: usize, kernel: &Kernel, size: u64, device: usize) -> f64 {
        let draw = self.draws.of(1).of(number as u64).of(device as u64);
        let error = self.reality.model_error;
        let bend = self.reality.bend * (2.0 * draw.of(1).unit() - 1.0);
        let along = (size.max(1) as f64 / kernel.sizes[1] as f64).powf(bend);
        (draw.of(0).log_uniform(1.0 / error, error) * along).clamp(1.0 / error, error)
    }

    /// Typical seconds that `items` of a launch execute on a device, latency excluded.
    ///
    /// `launch` is the launch's place in the sequence.
    pub fn execution(
        &self,
        number: usize,
        kernel: &Kernel,
        size: u64,
        device: usize,
        items: u64,
        launch: usize,
    ) -> f64 {
        let described = &self.machine.devices[device];
        let slowed = self.drift.filter(|d| d.device == device && launch >= d.from).map_or(1.0, |d| d.factor);
        let busy = roofline::full_rate(described, kernel, size);
        slowed * self.factor(number, kernel, size, device) * roofline::part(busy, described.fill, items, size)
    }

    /// How many times longer than typical a measurement comes out.
    ///
    /// It depends on the place in the sequence and not on who asks: every policy meets the same luck.
    pub fn noise(
        &self,
        launch: usize,
        piece: usize,
        device: usize,
        what: Measured,
        extra_spread: f64,
    ) -> f64 {
        let of = self.draws.of(2).of(launch as u64).of(piece as u64).of(device as u64).of(what as u64);
        let spread = self.reality.noise.hypot(extra_spread);
        let spike = of.of(1).unit() < self.reality.spikes;
        of.of(0).lognormal(spread) * if spike { self.reality.spike } else { 1.0 }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    /// The execution of a launch or slice.
    Execution,
    /// The moves before it.
    Transfer,
    /// The compilation before it.
    Compilation,
    /// The moves after it.
    Delivery,
}
