//! Policies to compare with: constant ones, clairvoyant ones, the static model alone, and the planner's first version.
//!
//! Each is written from its rule; none shares code with the planner that it stands for.

use std::collections::HashMap;

use crate::policy::{Candidate, Decision, Measurement, Policy, Request};

/// What a clairvoyant policy sees of launches to come.
pub trait Foresight {
    /// The device of every launch on the best way through all of them.
    fn optimum(&self) -> Vec<usize>;
    /// The best single device for each kernel: one entry per launch.
    fn best_static(&self) -> Vec<usize>;
}

/// Makes a policy, fresh, for launches to come; only clairvoyant baselines look at those.
pub type Make = Box<dyn Fn(&dyn Foresight) -> Box<dyn Policy>>;

/// A policy in a comparison: its name, and how to begin with it.
pub struct Contestant {
    /// Its name.
    pub name: String,
    /// Makes it.
    pub make: Make,
}

impl Contestant {
    /// A policy that is not clairvoyant.
    pub fn new<P: Policy + 'static>(name: &str, make: impl Fn() -> P + 'static) -> Self {
        Self { name: name.into(), make: Box::new(move |_| Box::new(make())) }
    }

    /// All baselines: always CPU, always the first GPU, the static model, one and ten samples per device, a fixed slice of 5 %,
    /// the planner's first version, the best single device per kernel, the oracle.
    pub fn baselines() -> Vec<Self> {
        let clairvoyant = |name: &str, devices: fn(&dyn Foresight) -> Vec<usize>| Self {
            name: name.into(),
            make: Box::new(move |foresight| Box::new(Prescribed::new(devices(foresight)))),
        };
        vec![
            Self::new("always CPU", || Prescribed::always(0)),
            Self::new("always first GPU", || Prescribed::always(1)),
            Self::new("static model only", || StaticModel),
            Self::new("ten samples per device", || Sampling::new(10)),
            Self::new("one run per device", || Sampling::new(1)),
            Self::new("a 5 % slice per device", || FixedSlice::new(0.05)),
            Self::new("planner v1", Nearest::default),
            clairvoyant("best static per kernel", |foresight| foresight.best_static()),
            clairvoyant("oracle", |foresight| foresight.optimum()),
        ]
    }
}

/// Runs every launch where it was told beforehand; after the last it stays.
#[derive(Clone, Debug)]
pub struct Prescribed {
    devices: Vec<usize>,
    next: usize,
}

impl Prescribed {
    /// Given devices, one per launch.
    pub fn new(devices: Vec<usize>) -> Self {
        Self { devices, next: 0 }
    }

    /// One device for all launches.
    pub fn always(device: usize) -> Self {
        Self::new(vec![device])
    }
}

impl Policy for Prescribed {
    fn decide(&mut self, _: &Request<'_>) -> Decision {
        let device = self.devices.get(self.next).or(self.devices.last()).copied().unwrap_or(0);
        self.next += 1;
        Decision::Run { device }
    }

    fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
}

/// The device with the least of a quantity; the first of equals.
pub(crate) fn least(
    candidates: &[Candidate],
    mut seconds: impl FnMut(usize, &Candidate) -> f64,
) -> Option<usize> {
    let timed = candidates.iter().enumerate().map(|(device, c)| (device, seconds(device, c)));
    timed.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(device, _)| device)
}

/// Believes the static model and never learns.
#[derive(Clone, Copy, Debug, Default)]
pub struct StaticModel;

impl Policy for StaticModel {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        let device = least(request.candidates, |_, c| c.transfer + c.launch + c.execution);
        Decision::Run { device: device.unwrap_or(0) }
    }

    fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
}

/// The middle one of some samples (the upper of two); 0 of none.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Sizes with their last few figures each, oldest first.
pub(crate) type Series = Vec<(u64, Vec<f64>)>;

/// Adds a figure to a size's, of which the last few are kept.
pub(crate) fn note(series: &mut Series, size: u64, figure: f64, kept: usize) {
    let at = series.iter().position(|(known, _)| *known == size).unwrap_or_else(|| {
        series.push((size, Vec::with_capacity(kept)));
        series.len() - 1
    });
    let figures = &mut series[at].1;
    if figures.len() == kept {
        figures.remove(0);
    }
    figures.push(figure);
}

/// The planner's first version: the median of the last nine times at the nearest size, scaled in proportion; where a device
/// has none, the static model. It takes the device that is done first, by transfer, latency and execution.
///
/// Compilation is not predicted, and a launch that compiled counts only on devices in the host's memory.
#[derive(Clone, Debug, Default)]
pub struct Nearest {
    series: HashMap<(usize, usize), Series>,
}

impl Nearest {
    const SAMPLES: usize = 9;
    const SIZES: usize = 16;

    fn estimate(&self, kernel: usize, device: usize, size: u64) -> Option<f64> {
        let distance = |at: u64| (at.max(1) as f64 / size.max(1) as f64).ln().abs();
        let sizes = self.series.get(&(kernel, device))?;
        let (at, seconds) = sizes.iter().min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))?;
        Some(median(seconds) * size.max(1) as f64 / (*at).max(1) as f64)
    }
}

impl Policy for Nearest {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        let device = least(request.candidates, |device, c| {
            let learned = self.estimate(request.kernel, device, request.size);
            c.transfer + c.launch + learned.unwrap_or(c.execution)
        });
        Decision::Run { device: device.unwrap_or(0) }
    }

    fn measured(&mut self, request: &Request<'_>, measurement: &Measurement) {
        // Device 0 stands for those in the host's memory: it is the only one whose compiler is not the driver's.
        if measurement.compile > 0.0 && measurement.device != 0 {
            return;
        }
        let sizes = self.series.entry((request.kernel, measurement.device)).or_default();
        if sizes.len() == Self::SIZES && !sizes.iter().any(|(size, _)| *size == request.size) {
            sizes.remove(0);
        }
        note(sizes, request.size, measurement.execution, Self::SAMPLES);
    }
}

/// Runs each device a given number of times per kernel and size, in turn, and keeps the one with the best median for ever.
#[derive(Clone, Debug)]
pub struct Sampling {
    samples: usize,
    measured: HashMap<(usize, u64, usize), Vec<f64>>,
}

impl Sampling {
    /// So many samples per device.
    pub fn new(samples: usize) -> Self {
        Self { samples, measured: HashMap::new() }
    }

    fn taken(&self, request: &Request<'_>, device: usize) -> &[f64] {
        self.measured.get(&(request.kernel, request.size, device)).map_or(&[], Vec::as_slice)
    }
}

impl Policy for Sampling {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        let devices = 0..request.candidates.len();
        let lacking = devices.min_by_key(|device| self.taken(request, *device).len());
        let device = match lacking {
            Some(device) if self.taken(request, device).len() < self.samples => Some(device),
            _ => least(request.candidates, |device, c| {
                c.transfer + c.launch + median(self.taken(request, device))
            }),
        };
        Decision::Run { device: device.unwrap_or(0) }
    }

    fn measured(&mut self, request: &Request<'_>, measurement: &Measurement) {
        let key = (request.kernel, request.size, measurement.device);
        let samples = self.measured.entry(key).or_default();
        if samples.len() < self.samples {
            samples.push(measurement.execution);
        }
    }
}

/// Runs a fixed share of the first launch on each device and the rest on the fastest; samples once what cannot be sliced.
///
/// A slice is taken at its share's worth: small slices on wide devices mislead it.
#[derive(Clone, Debug)]
pub struct FixedSlice {
    share: f64,
    sampling: Sampling,
}

impl FixedSlice {
    /// Slices of this share of the launch.
    pub fn new(share: f64) -> Self {
        Self { share, sampling: Sampling::new(1) }
    }
}

impl Policy for FixedSlice {
    fn decide(&mut self, request: &Request<'_>) -> Decision {
        let decision = self.sampling.decide(request);
        let items = (self.share * request.items as f64) as u64;
        match decision {
            Decision::Run { device }
                if request.sliceable
                    && self.sampling.taken(request, device).is_empty()
                    && (1..request.remaining).contains(&items) =>
            {
                Decision::Slice { device, items }
            }
            _ => decision,
        }
    }

    fn measured(&mut self, request: &Request<'_>, measurement: &Measurement) {
        let whole = measurement.execution * request.items as f64 / measurement.items.max(1) as f64;
        self.sampling.measured(request, &Measurement { execution: whole, ..*measurement });
    }
}
