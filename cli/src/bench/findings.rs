//! What a bench found, as plain data: the schema of `bench --json`.
//!
//! Knows statistics and rates; nothing of how times were taken. All times are in seconds.

use serde::Serialize;

use super::rig::{LOCATIONS, Location};
use crate::devices::DeviceRecord;

/// Everything that a bench found.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// The version of this schema.
    pub(crate) version: u32,
    /// The version of the tool.
    pub(crate) warpweft: &'static str,
    pub(crate) seed: u64,
    pub(crate) budget_seconds: f64,
    pub(crate) elapsed_seconds: f64,
    /// Ended by Ctrl-C: what was measured until then counts.
    pub(crate) interrupted: bool,
    /// The devices, as in `devices --json`.
    pub(crate) devices: Vec<DeviceRecord>,
    /// What was measured, and checked.
    pub(crate) results: Vec<Finding>,
    /// What came out wrong or failed; no time of it counts.
    pub(crate) failed: Vec<Missing>,
    /// What was not tried, and why.
    pub(crate) skipped: Vec<Missing>,
    /// From which size on a GPU is faster than the CPU; empty without a GPU. Software devices are no GPUs.
    pub(crate) crossovers: Vec<Crossover>,
}

/// A kernel at a size on a device.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) kernel: &'static str,
    /// What an element is: `element`, `point`, `body`, `pixel`.
    pub(crate) element: &'static str,
    pub(crate) size: u64,
    /// The device's number in `devices`.
    pub(crate) device: usize,
    /// What `--on` calls it.
    pub(crate) placement: String,
    /// `cpu`, `gpu` or `software`.
    pub(crate) kind: &'static str,
    /// `interpreter`, `compiled`, `native` or `wgpu`.
    pub(crate) path: &'static str,
    /// Flops of one launch, by the convention in the kernel's file.
    pub(crate) flops: f64,
    /// Compulsory bytes of one launch, by the same.
    pub(crate) bytes: f64,
    /// The kernel counts in flops; else in bytes.
    pub(crate) counts_flops: bool,
    /// Compilation, before the first launch.
    pub(crate) compile_seconds: f64,
    /// The first launch from the call to the end: compilation and upload included.
    pub(crate) first_seconds: f64,
    /// The clock of the resident times: `device`, `host` or `round trip`. The others are by the host's clock.
    pub(crate) clock: &'static str,
    pub(crate) resident: Times,
    pub(crate) upload: Times,
    pub(crate) round_trip: Times,
}

/// Times of repeated runs, and the rates at their median.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Times {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) lower_quartile: f64,
    pub(crate) upper_quartile: f64,
    pub(crate) samples: usize,
    pub(crate) gbytes_per_second: f64,
    pub(crate) gflops_per_second: f64,
}

/// What there is no time of.
#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    pub(crate) kernel: &'static str,
    pub(crate) size: u64,
    pub(crate) placement: String,
    pub(crate) reason: String,
}

/// From which measured size on a GPU is faster than the CPU, at that one and all larger ones.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Crossover {
    pub(crate) kernel: &'static str,
    pub(crate) placement: String,
    /// `resident`, `upload` or `round_trip`.
    pub(crate) location: &'static str,
    /// `None`: at no measured size.
    pub(crate) size: Option<u64>,
}

impl Times {
    /// The statistics of at least one time.
    pub(crate) fn new(mut seconds: Vec<f64>, flops: f64, bytes: f64) -> Option<Self> {
        seconds.sort_by(f64::total_cmp);
        let (&min, &max) = (seconds.first()?, seconds.last()?);
        // Between the two nearest times, as numpy does it.
        let quantile = |q: f64| {
            let at = q * (seconds.len() - 1) as f64;
            let (below, above) = (seconds[at.floor() as usize], seconds[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        let median = quantile(0.5);
        // Clocks tick: no rate is infinite.
        let rate = |amount: f64| amount / median.max(1e-9) / 1e9;
        Some(Self {
            median,
            min,
            max,
            lower_quartile: quantile(0.25),
            upper_quartile: quantile(0.75),
            samples: seconds.len(),
            gbytes_per_second: rate(bytes),
            gflops_per_second: rate(flops),
        })
    }
}

impl Finding {
    pub(crate) fn at(&self, location: Location) -> &Times {
        match location {
            Location::Resident => &self.resident,
            Location::Upload => &self.upload,
            Location::RoundTrip => &self.round_trip,
        }
    }
}

/// The crossover sizes of every GPU, by kernel and location.
pub(crate) fn crossovers(results: &[Finding]) -> Vec<Crossover> {
    let mut pairs: Vec<(&'static str, &str)> = Vec::new();
    for gpu in results.iter().filter(|f| f.kind == "gpu") {
        if !pairs.contains(&(gpu.kernel, &gpu.placement)) {
            pairs.push((gpu.kernel, &gpu.placement));
        }
    }
    let mut found = Vec::new();
    for (kernel, placement) in pairs {
        let of = |f: &&Finding, wanted: &str| f.kernel == kernel && f.placement == wanted;
        for location in LOCATIONS {
            let mut faster: Vec<(u64, bool)> = results
                .iter()
                .filter(|f| of(f, placement))
                .filter_map(|gpu| {
                    let cpu = results.iter().find(|f| of(f, "cpu") && f.size == gpu.size)?;
                    Some((gpu.size, gpu.at(location).median < cpu.at(location).median))
                })
                .collect();
            if faster.is_empty() {
                continue;
            }
            faster.sort_unstable();
            let size = faster.iter().rev().take_while(|(_, faster)| *faster).last().map(|(size, _)| *size);
            found.push(Crossover {
                kernel,
                placement: placement.to_string(),
                location: location.name(),
                size,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_by_hand() {
        let times = Times::new(vec![4.0, 1.0, 2.0, 3.0], 5e9, 1e10).unwrap();
        assert_eq!((times.median, times.min, times.max, times.samples), (2.5, 1.0, 4.0, 4));
        assert_eq!((times.lower_quartile, times.upper_quartile), (1.75, 3.25));
        assert_eq!((times.gbytes_per_second, times.gflops_per_second), (4.0, 2.0));
        assert_eq!(Times::new(vec![], 1.0, 1.0), None);
    }

    fn finding(kind: &'static str, placement: &str, size: u64, seconds: f64) -> Finding {
        let times = Times::new(vec![seconds], 1.0, 1.0).unwrap();
        Finding {
            kernel: "triad",
            element: "element",
            size,
            device: 0,
            placement: placement.into(),
            kind,
            path: "wgpu",
            flops: 1.0,
            bytes: 1.0,
            counts_flops: false,
            compile_seconds: 0.0,
            first_seconds: 0.0,
            clock: "device",
            resident: times.clone(),
            upload: Times { median: 10.0 * seconds, ..times.clone() },
            round_trip: Times { median: 100.0 * seconds, ..times },
        }
    }

    #[test]
    fn the_crossover_holds_from_there_on() {
        let mut results = Vec::new();
        // Faster at 1, slower at 2, faster at 4 and 8: from 4 on.
        for (size, cpu, gpu) in [(1, 1.0, 0.5), (2, 1.0, 2.0), (4, 1.0, 0.9), (8, 1.0, 0.1)] {
            results.push(finding("cpu", "cpu", size, cpu));
            results.push(finding("gpu", "gpu:0", size, gpu));
            results.push(finding("software", "software:0", size, 0.01));
        }
        let found = crossovers(&results);
        assert_eq!(found.len(), 3, "software devices are compared with nothing");
        assert!(found.iter().all(|c| c.size == Some(4) && c.placement == "gpu:0"), "{found:?}");
        results.push(finding("cpu", "cpu", 16, 1.0));
        results.push(finding("gpu", "gpu:0", 16, 3.0));
        assert!(crossovers(&results).iter().all(|c| c.size.is_none()));
    }
}
