//! Measured times of earlier launches: per kernel, device and path, a few samples at each of a few sizes.

use std::collections::HashMap;

use parking_lot::Mutex;
use warpweft_hal::Path;

/// Samples kept per size; the median of them is the estimate.
const SAMPLES: usize = 9;
/// Sizes kept per kernel and device.
const SIZES: usize = 16;

/// What one series of samples belongs to: the kernel's hash, the device's number, the path.
pub(crate) type SeriesKey = ([u8; 32], usize, Path);

/// All series of a runtime.
#[derive(Default)]
pub(crate) struct History {
    series: Mutex<HashMap<SeriesKey, Vec<Size>>>,
}

/// Samples at one number of invocations.
struct Size {
    invocations: u64,
    seconds: Vec<f64>,
    next: usize,
}

/// An estimate from measured times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) seconds: f64,
    pub(crate) samples: usize,
    /// The samples are of another size.
    pub(crate) scaled: bool,
}

impl History {
    /// Adds a measured time.
    pub(crate) fn record(&self, key: SeriesKey, invocations: u64, seconds: f64) {
        let mut series = self.series.lock();
        let sizes = series.entry(key).or_default();
        let at = sizes.iter().position(|s| s.invocations == invocations).unwrap_or_else(|| {
            if sizes.len() == SIZES {
                sizes.remove(0);
            }
            sizes.push(Size { invocations, seconds: Vec::with_capacity(SAMPLES), next: 0 });
            sizes.len() - 1
        });
        let size = &mut sizes[at];
        if size.seconds.len() < SAMPLES {
            size.seconds.push(seconds);
        } else {
            size.seconds[size.next] = seconds;
            size.next = (size.next + 1) % SAMPLES;
        }
    }

    /// The time that so many invocations should take; `None` when nothing was measured.
    pub(crate) fn estimate(&self, key: &SeriesKey, invocations: u64) -> Option<Estimate> {
        let series = self.series.lock();
        let sizes = series.get(key)?;
        let distance = |s: &&Size| ((s.invocations.max(1) as f64) / (invocations.max(1) as f64)).ln().abs();
        let nearest = sizes.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        let ratio = invocations.max(1) as f64 / nearest.invocations.max(1) as f64;
        Some(Estimate {
            seconds: median(&nearest.seconds) * ratio,
            samples: nearest.seconds.len(),
            scaled: nearest.invocations != invocations,
        })
    }
}

fn median(samples: &[f64]) -> f64 {
    let mut sorted = [0.0; SAMPLES];
    let sorted = &mut sorted[..samples.len()];
    sorted.copy_from_slice(samples);
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: SeriesKey = ([0; 32], 0, Path::Interpreter);

    #[test]
    fn the_median_forgives_outliers_and_follows_drift() {
        let history = History::default();
        assert_eq!(history.estimate(&KEY, 100), None);
        for seconds in [1.0, 1.0, 50.0] {
            history.record(KEY, 100, seconds);
        }
        assert_eq!(history.estimate(&KEY, 100), Some(Estimate { seconds: 1.0, samples: 3, scaled: false }));
        for _ in 0..SAMPLES {
            history.record(KEY, 100, 3.0);
        }
        assert_eq!(history.estimate(&KEY, 100).unwrap().seconds, 3.0);
    }

    #[test]
    fn another_size_is_scaled_from_the_nearest() {
        let history = History::default();
        history.record(KEY, 100, 1.0);
        history.record(KEY, 10_000, 50.0);
        let estimate = history.estimate(&KEY, 20_000).unwrap();
        assert_eq!(estimate, Estimate { seconds: 100.0, samples: 1, scaled: true });
        assert_eq!(history.estimate(&([1; 32], 0, Path::Native), 100), None);
    }
}
