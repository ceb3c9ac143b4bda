//! Notices that a device changed its speed: the latest few times agree with each other and not with what is known.
//!
//! Knows ratios of measured to expected times only, not where the expectation comes from.

use crate::Moment;
use crate::size::median;

/// Launches that are looked back on.
const WINDOW: usize = 5;
/// The latest so many must all agree, ...
const AT_ONCE: usize = 3;
/// ... or so many of the window.
const OF_WINDOW: usize = 4;
/// Ratios this close to one (in logarithms) are no change, however quiet the device: medians follow those by themselves.
const UNREMARKABLE: f64 = 0.3;
/// Deviations beyond so many standard deviations are remarkable ...
const REMARKABLE: f64 = 2.6;
/// ... and those by more than a factor of 2.2, however noisy the device.
const STRIKING: f64 = 0.8;
/// Remarkable ratios agree when they differ by no more than this, or by so many standard deviations.
const AGREEMENT: (f64, f64) = (0.35, 4.0);

/// A launch, compared to what was expected of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deviation {
    pub(crate) at: Moment,
    /// The logarithm of measured over expected time.
    pub(crate) ln_ratio: f64,
    /// The standard deviation that was expected of it.
    pub(crate) sigma: f64,
}

impl Deviation {
    fn is_remarkable(&self) -> bool {
        self.ln_ratio.abs() > (REMARKABLE * self.sigma).clamp(UNREMARKABLE, STRIKING)
    }
}

/// A change of the device's speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shift {
    /// When the first launch at the new speed was seen.
    pub(crate) since: Moment,
    /// By what times became longer.
    pub(crate) factor: f64,
}

/// Looks back on the latest launches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// The latest come last.
    recent: Vec<Deviation>,
}

impl Watch {
    /// Whether the launch at this moment was remarkable, and may yet prove to be the first at another speed.
    pub(crate) fn suspects(&self, at: Moment) -> bool {
        self.recent.iter().any(|d| d.at == at && d.is_remarkable())
    }

    /// Looks at one more launch.
    pub(crate) fn see(&mut self, deviation: Deviation) -> Option<Shift> {
        if self.recent.len() == WINDOW {
            self.recent.remove(0);
        }
        self.recent.push(deviation);
        let at_once =
            self.recent.len().checked_sub(AT_ONCE).and_then(|from| agreed(&self.recent[from..], AT_ONCE));
        let shift = at_once.or_else(|| agreed(&self.recent, OF_WINDOW));
        if shift.is_some() {
            self.recent.clear();
        }
        shift
    }
}

/// What at least so many remarkable launches agree on.
fn agreed(launches: &[Deviation], enough: usize) -> Option<Shift> {
    for slower in [true, false] {
        let mut ratios = [0.0; WINDOW];
        let (mut count, mut sigma) = (0, 0.0f64);
        let mut since = None;
        for launch in launches.iter().filter(|d| d.is_remarkable() && (d.ln_ratio > 0.0) == slower) {
            ratios[count] = launch.ln_ratio;
            count += 1;
            sigma = sigma.max(launch.sigma);
            since.get_or_insert(launch.at);
        }
        let ratios = &mut ratios[..count];
        if let (Some(since), true) = (since, count >= enough) {
            let middle = median(ratios);
            let (least, most) = (ratios[0], ratios[count - 1]);
            if most - least <= AGREEMENT.0.max(AGREEMENT.1 * sigma) {
                return Some(Shift { since, factor: middle.exp() });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(ratios: &[f64]) -> Option<Shift> {
        let mut watch = Watch::default();
        let mut shift = None;
        for (i, ratio) in ratios.iter().enumerate() {
            assert_eq!(shift, None, "noticed before launch {i}");
            let at = Moment::from_micros(i as u64);
            shift = watch.see(Deviation { at, ln_ratio: ratio.ln(), sigma: 0.05 });
        }
        shift
    }

    #[test]
    fn three_that_agree_are_a_change() {
        let shift = watch(&[1.0, 1.02, 3.0, 3.1, 2.9]).unwrap();
        assert_eq!(shift.since, Moment::from_micros(2));
        assert!((shift.factor - 3.0).abs() < 1e-9);
        let faster = watch(&[1.0, 0.33, 0.3, 0.31]).unwrap();
        assert!((faster.factor - 0.31).abs() < 1e-9);
    }

    #[test]
    fn four_of_five_are_a_change() {
        assert!(watch(&[3.0, 3.0, 1.0, 3.0, 3.0]).is_some());
        assert_eq!(watch(&[3.0, 3.0, 1.0, 3.0, 1.0, 3.0]), None);
    }

    #[test]
    fn spikes_noise_and_disagreement_are_none() {
        assert_eq!(watch(&[10.0, 1.0, 10.0, 1.0, 1.0, 10.0, 10.0]), None);
        assert_eq!(watch(&[1.2, 1.2, 0.8, 1.25, 1.25, 1.25, 1.25]), None);
        assert_eq!(watch(&[2.0, 5.0, 20.0]), None);
        assert_eq!(watch(&[3.0, 0.3, 3.0, 0.3, 3.0]), None);
    }
}
