//! The latest samples at one size, and the time that they stand for. Knows nothing of other sizes.

use crate::Moment;
use crate::sample::{Kind, Sample};

/// Samples kept per size.
pub(crate) const SAMPLES: usize = 7;
/// So many samples make a fact: those from before a change of speed are no longer needed.
pub(crate) const ESTABLISHED: usize = 3;
/// The larger of two samples is disbelieved beyond this ratio: what disturbs a launch makes it slower.
const DISTURBED: f64 = 1.5;

/// The latest samples at one size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) size: f64,
    /// The size's logarithm.
    pub(crate) ln: f64,
    /// In order of time.
    samples: Vec<Sample>,
    /// The time that the samples stand for.
    pub(crate) level: f64,
}

impl Size {
    pub(crate) fn new(size: f64) -> Self {
        Self { size, ln: size.ln(), samples: Vec::with_capacity(SAMPLES + 1), level: 0.0 }
    }

    /// Adds a sample, unless it is there.
    pub(crate) fn add(&mut self, sample: Sample) -> bool {
        let at = self.samples.partition_point(|s| (s.at, s.seconds) < (sample.at, sample.seconds));
        if self.samples.get(at).is_some_and(|s| s.is(&sample)) {
            return false;
        }
        self.samples.insert(at, sample);
        self.settle();
        self.samples.iter().any(|s| s.is(&sample))
    }

    /// Keeps only what the predicate wants.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Sample) -> bool) {
        self.samples.retain(keep);
        self.settle();
    }

    /// Becomes one sample: what the samples stood for, times a factor.
    pub(crate) fn rescale(&mut self, factor: f64) {
        if let Some(last) = self.samples.last().copied() {
            let level = Sample { seconds: self.level, ..last };
            self.samples.clear();
            self.samples.push(level.rescaled(factor));
            self.settle();
        }
    }

    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// When it was last measured.
    pub(crate) fn last(&self) -> Moment {
        self.samples.last().map_or(Moment::START, |s| s.at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// What the level rests on: the kind of the best sample.
    pub(crate) fn kind(&self) -> Kind {
        let has = |kind| self.samples.iter().any(|s| s.kind == kind);
        match () {
            () if has(Kind::Steady) => Kind::Steady,
            () if has(Kind::Rescaled) => Kind::Rescaled,
            () => Kind::First,
        }
    }

    /// The level of the samples that the predicate wants and their number; `None` when it wants none.
    pub(crate) fn level_of(&self, mut wanted: impl FnMut(&Sample) -> bool) -> Option<(f64, usize)> {
        let mut seconds = [0.0; SAMPLES];
        let mut count = 0;
        for sample in self.samples.iter().filter(|s| wanted(s)) {
            seconds[count] = sample.seconds;
            count += 1;
        }
        (count > 0).then(|| (typical(&mut seconds[..count]), count))
    }

    /// Drops what was superseded and computes the level anew.
    fn settle(&mut self) {
        let steady = self.samples.iter().filter(|s| s.kind == Kind::Steady).count();
        let better = steady > 0 || self.samples.iter().any(|s| s.kind == Kind::Rescaled);
        self.samples.retain(|s| match s.kind {
            Kind::Steady => true,
            Kind::Rescaled => steady < ESTABLISHED,
            Kind::First => !better,
        });
        if let Some(surplus) = self.samples.len().checked_sub(SAMPLES) {
            self.samples.drain(..surplus);
        }
        self.level = self.level_of(|_| true).map_or(0.0, |(level, _)| level);
    }

    /// The scatter of the steady samples that the predicate wants, and what it rests on.
    ///
    /// The former estimates the standard deviation of the times' logarithms; the latter is one less than the number of
    /// samples, or nothing.
    pub(crate) fn scatter(&self, wanted: impl Fn(&Sample) -> bool) -> (f64, f64) {
        /// Median absolute deviations of few normal samples are too small by so much (Croux and Rousseeuw, 1992).
        const FEW: [f64; SAMPLES + 1] = [1.0, 1.0, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140];
        const NORMAL: f64 = 1.4826;
        let mut deviations = [0.0; SAMPLES];
        let mut count = 0;
        let wanted = |s: &&Sample| s.kind == Kind::Steady && wanted(s);
        for sample in self.samples.iter().filter(wanted) {
            deviations[count] = (sample.seconds / self.level).ln().abs();
            count += 1;
        }
        let deviations = &mut deviations[..count];
        match deviations {
            [] | [_] => (0.0, 0.0),
            // The level is that of one of them: the other was disturbed.
            [a, b] if a.max(*b) > DISTURBED.ln() => (0.0, 0.0),
            _ => (median(deviations) * NORMAL * FEW[count], count as f64 - 1.0),
        }
    }
}

/// The time that samples stand for.
fn typical(seconds: &mut [f64]) -> f64 {
    match seconds {
        [a, b] if a.max(*b) > DISTURBED * a.min(*b) => a.min(*b),
        _ => median(seconds),
    }
}

/// The median of at least one number; the mean of the middle two of an even number.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { 0.5 * (values[middle - 1] + values[middle]) }
}
