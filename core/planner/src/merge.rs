//! Joins what two processes have seen of the same kernel and device. Knows nothing of files.

use crate::series::Series;
use crate::size::{Size, median};

impl Series {
    /// Adds what another has seen of the same kernel and device. Whether anything was new.
    ///
    /// Samples are joined by time. Where the two disagree on when the device last changed its speed, the later is right:
    /// what the other measured before it is forgotten, or scaled at sizes that only the other has measured.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        let mut changed = other.since > self.since;
        let mut others = other.sizes.clone();
        if changed {
            // What they say is right, and ours is joined to it.
            std::mem::swap(&mut self.sizes, &mut others);
            self.since = other.since;
        }
        if changed || self.since > other.since {
            let factor = common_factor(&self.sizes, &others);
            for theirs in &mut others {
                let newer = theirs.last() >= self.since;
                if newer || self.sizes.iter().any(|s| s.size == theirs.size) {
                    theirs.retain(|s| s.at >= self.since);
                } else {
                    theirs.rescale(factor);
                }
            }
        }
        for theirs in others.iter().filter(|s| !s.is_empty()) {
            let ours = self.size_mut(theirs.size);
            for sample in theirs.samples() {
                changed |= ours.add(*sample);
            }
        }
        self.last = self.last.max(other.last);
        if changed {
            self.renew();
        }
        changed
    }
}

/// By what times at the sizes that both know became longer: the median; one when they know none in common.
fn common_factor(now: &[Size], before: &[Size]) -> f64 {
    let ratio = |b: &Size| Some(now.iter().find(|n| n.size == b.size)?.level / b.level);
    let mut ratios: Vec<f64> = before.iter().filter_map(ratio).collect();
    if ratios.is_empty() { 1.0 } else { median(&mut ratios) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Learnt, Moment};

    fn observe(series: &mut Series, size: f64, seconds: f64, micros: std::ops::Range<u64>) -> Option<f64> {
        let mut shift = None;
        for at in micros {
            // No two are equal, and all are within a part in a thousand.
            let seconds = seconds * (1.0 + 1e-6 * at as f64);
            match series.observe(size, seconds, Moment::from_micros(at)).unwrap() {
                Learnt::Sample => {}
                Learnt::Shift { factor } => shift = Some(factor),
            }
        }
        shift
    }

    fn seconds(series: &Series, size: f64) -> f64 {
        series.predict(size).unwrap().seconds
    }

    #[test]
    fn samples_are_joined_once() {
        let (mut a, mut b) = (Series::new(), Series::new());
        observe(&mut a, 10.0, 1.0, 100..103);
        observe(&mut b, 10.0, 1.0, 103..106);
        observe(&mut b, 20.0, 2.0, 200..203);
        assert!(a.merge(&b));
        let counts: Vec<_> = a.sizes().map(|s| (s.size, s.samples)).collect();
        assert_eq!(counts, [(10.0, 4), (20.0, 3)]);
        assert!(!a.merge(&b), "nothing is new any more");
        assert!(b.merge(&a));
        assert_eq!(a.sizes, b.sizes);
    }

    #[test]
    fn who_saw_the_later_change_of_speed_is_right() {
        let mut before = Series::new();
        observe(&mut before, 10.0, 1.0, 0..8);
        observe(&mut before, 40.0, 4.0, 10..18);
        let mut saw = before.clone();
        let shift = observe(&mut saw, 10.0, 3.0, 100..105).unwrap();
        assert!((shift - 3.0).abs() < 0.01);
        // The other goes on for a while with a third size.
        let mut slept = before.clone();
        observe(&mut slept, 80.0, 8.0, 50..54);
        let (mut left, mut right) = (saw.clone(), slept.clone());
        assert!(left.merge(&slept) && right.merge(&saw));
        for joined in [&left, &right] {
            assert!((seconds(joined, 10.0) - 3.0).abs() < 0.01);
            assert!((seconds(joined, 40.0) - 12.0).abs() < 0.05);
            assert!((seconds(joined, 80.0) - 24.0).abs() < 0.1, "{}", seconds(joined, 80.0));
        }
        assert!(!left.merge(&slept), "the old samples stay forgotten");
    }

    #[test]
    fn the_same_change_of_speed_seen_twice_counts_once() {
        let mut a = Series::new();
        observe(&mut a, 10.0, 1.0, 0..8);
        observe(&mut a, 40.0, 4.0, 10..18);
        let mut b = a.clone();
        assert!(observe(&mut a, 10.0, 3.0, 100..105).is_some());
        assert!(observe(&mut b, 10.0, 3.0, 103..110).is_some());
        a.merge(&b);
        assert!((seconds(&a, 10.0) - 3.0).abs() < 0.01);
        assert!((seconds(&a, 40.0) - 12.0).abs() < 0.05);
    }

    /// Of two processes that take turns, saving now and then, on a device that changes its speed.
    #[test]
    fn joining_again_changes_nothing_and_both_ways_agree() {
        for seed in 0..300u64 {
            // A congruential generator is random enough to choose by.
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut below = |n: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % n
            };
            let mut both = [Series::new(), Series::new()];
            for at in 0..80 {
                let size = 10.0 * (1 + below(6)) as f64;
                let speed = [1.0, 3.0, 1.0][at as usize / 27];
                let who = below(2) as usize;
                observe(&mut both[who], size, speed * size, 100 * at..100 * at + 1);
                if below(15) == 0 {
                    let other = both[1 - who].clone();
                    both[who].merge(&other);
                }
            }
            let [a, b] = both;
            let (mut left, mut right) = (a.clone(), b.clone());
            left.merge(&b);
            right.merge(&a);
            for joined in [&left, &right] {
                for other in [&a, &b] {
                    let mut again = joined.clone();
                    assert!(!again.merge(other), "seed {seed}");
                    assert_eq!(again.sizes, joined.sizes, "seed {seed}");
                }
            }
            assert_eq!(left.since, right.since, "seed {seed}");
            let sizes = |s: &Series| s.sizes.iter().map(|s| s.size).collect::<Vec<_>>();
            assert_eq!(sizes(&left), sizes(&right), "seed {seed}");
            for size in sizes(&left) {
                let ratio = seconds(&left, size) / seconds(&right, size);
                assert!((0.99..1.01).contains(&ratio), "seed {seed}, size {size}: {ratio}");
            }
        }
    }
}
