//! What is known of one kernel's times on one device: a time for any size, and how sure it is.
//!
//! Sizes that were measured have the median of their latest samples; the others come from a curve over all of them.
//! When the device changes its speed, everything older is scaled, and measured anew. Knows neither the kernel nor the
//! device.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::Moment;
use crate::curve::Curve;
use crate::drift::{Deviation, Shift, Watch};
use crate::fit::{POINTS, Point};
use crate::prediction::{Prediction, Source};
use crate::sample::{Kind, Refused, SECONDS, Sample, checked_size};
use crate::size::{ESTABLISHED, Size};

/// Sizes kept per series.
pub(crate) const SIZES: usize = POINTS;
/// The latest measured sizes are never the least useful ones.
const SPARED: usize = 3;
/// The noise that is expected before any was seen, with the weight of so many samples.
const USUAL_NOISE: (f64, f64) = (0.1, 2.0);
/// How many standard deviations a rescaled time is surely off by.
const RESCALED_DOUBT: f64 = 0.15;
/// A first launch takes up to so many times what the later ones take, four times of five.
const FIRST_DOUBT: f64 = 3.0;
/// Expectations for unmeasured sizes are compared with what happens only between sizes this near: farther away, the
/// kernel may be slower than its law, not the device.
const NEAR: f64 = 1.5;
/// They must rest on so many sizes.
const ENOUGH_SIZES: usize = 3;
/// A median of normal samples is less certain than their mean by so much.
const MEDIAN_COST: f64 = 1.25;

/// What an observation changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Learnt {
    /// One more sample is known.
    Sample,
    /// The device has changed its speed: what was known at all sizes was scaled.
    Shift {
        /// By what times became longer; below one, the device became faster.
        factor: f64,
    },
}

/// What is known of one kernel's times on one device.
#[derive(Debug, Default)]
pub struct Series {
    /// In order of size, none empty.
    pub(crate) sizes: Vec<Size>,
    /// Samples from before, other than rescaled ones, are of another speed.
    pub(crate) since: Moment,
    /// When it was last measured.
    pub(crate) last: Moment,
    /// It was measured in this process.
    met: bool,
    noise: f64,
    watch: Watch,
    curve: OnceLock<Curve>,
    /// The curve was asked for since it was last fitted.
    asked: AtomicBool,
}

impl Clone for Series {
    fn clone(&self) -> Self {
        Self {
            sizes: self.sizes.clone(),
            watch: self.watch.clone(),
            curve: self.curve.clone(),
            asked: AtomicBool::new(false),
            ..*self
        }
    }
}

impl Series {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing was measured yet.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// When it was last measured.
    pub fn last(&self) -> Moment {
        self.last
    }

    /// When the device's speed was last seen to change.
    pub fn shifted(&self) -> Option<Moment> {
        (self.since > Moment::START).then_some(self.since)
    }

    /// The measured sizes, in order.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = Known> + '_ {
        self.sizes.iter().map(|s| Known {
            size: s.size,
            seconds: s.level,
            samples: s.samples().len(),
            rescaled: s.kind() == Kind::Rescaled,
            last: s.last(),
        })
    }

    /// The fitted law: seconds = a·size^b + c, as (a, b, c); `None` when nothing was measured.
    pub fn law(&self) -> Option<(f64, f64, f64)> {
        self.curve().map(Curve::law)
    }

    /// Learns that a launch of this size took so many seconds.
    ///
    /// The first observation of a series in a process counts only until there are others: first launches compile, touch
    /// fresh pages and fill caches. `at` may repeat or go backwards: what is observed later counts as later.
    ///
    /// # Errors
    /// When the size or the time cannot be: nothing is learnt then.
    pub fn observe(&mut self, size: f64, seconds: f64, at: Moment) -> Result<Learnt, Refused> {
        let size = checked_size(size)?;
        let kind = if self.met { Kind::Steady } else { Kind::First };
        let at = if at > self.last { at } else { self.last.next() };
        let sample = Sample::new(at, seconds, kind)?;
        let deviation = self.deviation(size, &sample);
        self.met = true;
        self.last = at;
        self.size_mut(size).add(sample);
        let shift = deviation.and_then(|d| self.watch.see(d));
        if let Some(shift) = shift {
            self.shift(shift);
        }
        self.limit_sizes();
        self.settle();
        if std::mem::take(self.asked.get_mut()) {
            // Who asks will ask again, and should not have to wait then.
            self.curve();
        }
        Ok(match shift {
            Some(Shift { factor, .. }) => Learnt::Shift { factor },
            None => Learnt::Sample,
        })
    }

    /// The time that a launch of this size should take; `None` when nothing was measured, or no launch has this size.
    ///
    /// Allocates nothing. The first prediction for an unmeasured size fits a curve; observations renew it as long as it is
    /// asked for.
    pub fn predict(&self, size: f64) -> Option<Prediction> {
        let size = checked_size(size).ok()?;
        match self.position(size) {
            Ok(at) => {
                let known = &self.sizes[at];
                let measured = self.measured(known);
                if known.kind() == Kind::First && self.is_steady() {
                    // Only slow first launches were seen here, but the others know better: it takes no longer than this.
                    return self.fitted(known.ln).map(|f| match f.seconds < measured.seconds {
                        true => Prediction { high: f.high.max(measured.seconds), ..f },
                        false => measured,
                    });
                }
                Some(measured)
            }
            Err(_) => self.fitted(size.ln()),
        }
    }

    fn position(&self, size: f64) -> Result<usize, usize> {
        self.sizes.binary_search_by(|s| s.size.total_cmp(&size))
    }

    /// The size, made where it is not known.
    pub(crate) fn size_mut(&mut self, size: f64) -> &mut Size {
        let at = self.position(size).unwrap_or_else(|at| {
            self.sizes.insert(at, Size::new(size));
            at
        });
        &mut self.sizes[at]
    }

    /// The standard deviation of a measured level's logarithm.
    fn sigma(&self, known: &Size) -> f64 {
        let n = known.samples().len() as f64;
        // Few samples may all be off, and their scatter was not seen well.
        let sigma = self.noise * MEDIAN_COST / n.sqrt() * (1.0 + 0.5 / n);
        if known.kind() == Kind::Steady { sigma } else { sigma.hypot(RESCALED_DOUBT) }
    }

    fn measured(&self, known: &Size) -> Prediction {
        let samples = known.samples().len();
        let source = if known.kind() == Kind::Rescaled { Source::Rescaled } else { Source::Measured };
        let prediction = Prediction::new(known.level, self.sigma(known), self.noise, source, samples);
        match known.kind() {
            Kind::First => Prediction { low: prediction.low / FIRST_DOUBT, ..prediction },
            _ => prediction,
        }
    }

    /// Some size has more than a first launch.
    fn is_steady(&self) -> bool {
        self.sizes.iter().any(|s| s.kind() != Kind::First)
    }

    fn fitted(&self, x: f64) -> Option<Prediction> {
        let curve = self.curve()?;
        self.asked.store(true, Ordering::Relaxed);
        let estimate = curve.at(x);
        let source = match curve.count() {
            1 => Source::Scaled,
            sizes => Source::Fitted { exponent: curve.law().1, sizes },
        };
        let samples = self.sizes.iter().map(|s| s.samples().len()).sum();
        let seconds = estimate.seconds.clamp(*SECONDS.start(), *SECONDS.end());
        Some(Prediction::new(seconds, estimate.sigma, self.noise, source, samples))
    }

    /// The curve over all sizes that are worth it.
    ///
    /// Those of which only a first launch is known, or only what may be the first at another speed, count when there are
    /// too few others.
    fn curve(&self) -> Option<&Curve> {
        if self.sizes.is_empty() {
            return None;
        }
        Some(self.curve.get_or_init(|| {
            let steady = |s: &&Size| s.kind() != Kind::First;
            let certain = |s: &&Size| steady(s) && !s.samples().iter().all(|s| self.watch.suspects(s.at));
            if self.sizes.iter().filter(certain).count() >= ENOUGH_SIZES {
                self.curve_over(self.sizes.iter().filter(certain))
            } else if self.is_steady() {
                self.curve_over(self.sizes.iter().filter(steady))
            } else {
                self.curve_over(self.sizes.iter())
            }
        }))
    }

    fn curve_over<'a>(&self, sizes: impl Iterator<Item = &'a Size>) -> Curve {
        let mut points = [Point::default(); POINTS];
        let mut count = 0;
        for known in sizes {
            let fact = known.samples().len() >= ESTABLISHED;
            points[count] = Point { x: known.ln, seconds: known.level, sigma: self.sigma(known), fact };
            count += 1;
        }
        Curve::through(&points[..count])
    }

    /// How a sample compares to what was expected of it, where that is worth comparing.
    fn deviation(&self, size: f64, sample: &Sample) -> Option<Deviation> {
        if sample.kind == Kind::First {
            return None;
        }
        let known = self.position(size).ok().map(|at| &self.sizes[at]);
        let (expected, sigma) = known
            .and_then(|k| self.expected_of(k))
            .or_else(|| self.expected_at(size.ln(), known.is_some()))?;
        Some(Deviation { at: sample.at, ln_ratio: (sample.seconds / expected).ln(), sigma })
    }

    /// What a measured size leads to expect of a launch, and how surely; `None` when too little is known of it.
    fn expected_of(&self, known: &Size) -> Option<(f64, f64)> {
        let established = |s: &Sample| s.kind != Kind::First && !self.watch.suspects(s.at);
        let (level, count) = known.level_of(established)?;
        let doubt = if known.kind() == Kind::Rescaled { RESCALED_DOUBT } else { 0.0 };
        let sigma = self.noise * (1.0 + 1.5 / count as f64).sqrt() + doubt;
        (count >= 2 || doubt > 0.0).then_some((level, sigma))
    }

    /// What other sizes lead to expect.
    fn expected_at(&self, x: f64, measured: bool) -> Option<(f64, f64)> {
        let curve = self.curve().filter(|c| c.count() >= ENOUGH_SIZES)?;
        let estimate = curve.at(x);
        (measured || estimate.distance <= NEAR).then(|| (estimate.seconds, estimate.sigma.hypot(self.noise)))
    }

    /// Forgets what was measured at another speed; at sizes without newer samples, scales it.
    fn shift(&mut self, shift: Shift) {
        self.since = shift.since;
        for known in &mut self.sizes {
            if known.last() >= shift.since {
                known.retain(|s| s.at >= shift.since);
            } else {
                known.rescale(shift.factor);
            }
        }
    }

    /// Drops the least useful sizes while there are too many: few samples, close to others, not of the latest.
    fn limit_sizes(&mut self) {
        while self.sizes.len() > SIZES {
            let mut latest = [Moment::START; SPARED];
            for known in &self.sizes {
                if known.last() > latest[0] {
                    latest[0] = known.last();
                    latest.sort_unstable();
                }
            }
            let end = self.sizes.len() - 1;
            let worth = |i: usize| {
                let x = self.sizes[i].ln;
                let below = if i > 0 { x - self.sizes[i - 1].ln } else { self.sizes[1].ln - x };
                let above = if i < end { self.sizes[i + 1].ln - x } else { x - self.sizes[end - 1].ln };
                (below + above) * self.sizes[i].samples().len() as f64
            };
            let old = |i: &usize| self.sizes[*i].last() < latest[0];
            let least = (0..=end).filter(old).min_by(|a, b| worth(*a).total_cmp(&worth(*b)));
            self.sizes.remove(least.unwrap_or(0));
        }
    }

    /// Computes what follows from the samples.
    fn settle(&mut self) {
        self.curve.take();
        let (usual, weight) = USUAL_NOISE;
        let (mut sum, mut total) = (usual * weight, weight);
        for known in &self.sizes {
            // However wild one size is: noise beyond this says nothing.
            let (scatter, freedom) = known.scatter(|s| !self.watch.suspects(s.at));
            sum += freedom * scatter.min(0.7);
            total += freedom;
        }
        // What rests on little may be too small.
        self.noise = sum / total * (1.0 + 0.5 / total);
    }
}

/// What is known of one measured size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Known {
    /// The size.
    pub size: f64,
    /// Seconds that it typically takes.
    pub seconds: f64,
    /// Samples that this rests on.
    pub samples: usize,
    /// It was measured before the device changed its speed, and scaled by that change.
    pub rescaled: bool,
    /// When it was last measured.
    pub last: Moment,
}

/// For keeping.
impl Series {
    pub(crate) fn from_parts(since: Moment, sizes: Vec<Size>) -> Self {
        let last = sizes.iter().map(Size::last).max().unwrap_or_default();
        let mut series = Self { sizes, since, last, ..Self::default() };
        series.sizes.sort_by(|a, b| a.size.total_cmp(&b.size));
        series.renew();
        series
    }

    /// Restores the bounds after samples were changed other than by observation.
    pub(crate) fn renew(&mut self) {
        self.sizes.retain(|s| !s.is_empty());
        self.limit_sizes();
        self.watch = Watch::default();
        self.settle();
    }

    /// Forgets what was measured up to a moment. Whether anything was.
    pub(crate) fn forget(&mut self, until: Moment) -> bool {
        let count = |sizes: &[Size]| sizes.iter().map(|s| s.samples().len()).sum::<usize>();
        let before = count(&self.sizes);
        for known in &mut self.sizes {
            known.retain(|s| s.at > until);
        }
        let forgot = count(&self.sizes) < before;
        if forgot {
            self.renew();
        }
        forgot
    }
}
