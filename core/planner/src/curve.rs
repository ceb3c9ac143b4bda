//! The time over all sizes: a law, bent to pass where sizes were measured, and damped beyond them.
//!
//! Between measured sizes, what the law misses at the two neighbours is interpolated. Beyond the outermost size, the
//! exponent goes from the law's to that of the nearest sizes, and doubt grows with the distance. Knows nothing of
//! samples.

use crate::fit::{Grown, Law, POINTS, Point};
use crate::prediction::FOUR_OF_FIVE;

/// Distances (in logarithms of the size) beyond which the nearest sizes count more than all of them.
const REACH: f64 = 2.0;
/// Sizes next to the border whose exponent is continued beyond it.
const NEAREST: usize = 4;
/// What is believed of a law's error, from one size to the next, before it was seen, with the weight of so many sizes.
const USUAL_ERROR: (f64, f64) = (0.07, 2.0);
/// The usual distance from one size to the next, and the least that is believed to make a difference.
const USUAL_PACE: f64 = 0.7;
const LEAST_PACE: f64 = 0.1;
/// The part of a step by which even the nearest sizes differ.
const ROUGH: f64 = 0.5;
/// Doubt per distance above what was measured: caches end, occupancy saturates.
const ABOVE: f64 = 0.06;
/// Doubt per distance below: what a launch costs at least was not seen.
const BELOW: f64 = 0.15;
/// Doubt per distance when a single size is scaled.
const SCALED: f64 = 0.35;
/// A hardly measured size that lies off the law by so many of the law's errors is believed only so far.
const STRANGE: f64 = 3.0;

/// The time over all sizes.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    law: Law,
    count: usize,
    /// In order of size.
    points: [Point; POINTS],
    /// By what the law misses each point, in logarithms.
    residuals: [f64; POINTS],
    /// By what the law's error changes from one size to the next.
    step: f64,
    /// The mean distance from one size to the next.
    pace: f64,
    /// The doubt per distance beyond the outermost size that the law's exponent leaves.
    steepness: f64,
    /// The exponents that hold far below and far above.
    border: [f64; 2],
}

/// A time from a curve, and the standard deviation of its logarithm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) seconds: f64,
    pub(crate) sigma: f64,
    /// The distance to the farther one of the two neighbours, in logarithms; infinite where there is only one.
    pub(crate) distance: f64,
}

impl Curve {
    /// Through at least one and at most [`POINTS`] points in order of size.
    pub(crate) fn through(given: &[Point]) -> Self {
        let count = given.len();
        let law = Law::fit(given);
        let mut points = [Point::default(); POINTS];
        points[..count].copy_from_slice(given);
        let mut residuals = [0.0; POINTS];
        for (residual, point) in residuals.iter_mut().zip(given) {
            *residual = (point.seconds / law.seconds(point.x)).ln();
        }
        let residuals_seen = &residuals[..count];
        let error = spread(residuals_seen.iter().copied(), count.saturating_sub(2));
        let step = spread(residuals_seen.windows(2).map(|r| r[1] - r[0]), count.saturating_sub(2));
        let pace = match given {
            [first, .., last] => ((last.x - first.x) / (count - 1) as f64).max(LEAST_PACE),
            _ => USUAL_PACE,
        };
        // An exponent is less certain than its points when they do not lie on any law.
        let certain = given.iter().map(|p| p.sigma).sum::<f64>() / count.max(1) as f64 + 0.02;
        let steepness = law.sigma_b * (error / certain).max(1.0);
        for (residual, point) in residuals.iter_mut().zip(given).filter(|(_, point)| !point.fact) {
            let limit = STRANGE * error.hypot(point.sigma.min(0.1));
            *residual = residual.clamp(-limit, limit);
        }
        let near = NEAREST.min(count);
        let exponent = |nearest: &[Point]| {
            let (b, sigma) = Grown::above(nearest, law.c).exponent();
            // Few sizes say less than all of them.
            let trust = 1.0 / (1.0 + (sigma / 0.1).powi(2));
            law.b + trust * (b - law.b)
        };
        let border = match count {
            0..4 => [law.b; 2],
            _ => [exponent(&given[..near]), exponent(&given[count - near..])],
        };
        Self { law, count, points, residuals, step, pace, steepness, border }
    }

    /// The number of sizes.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The factor, exponent and offset.
    pub(crate) fn law(&self) -> (f64, f64, f64) {
        (self.law.ln_a.exp(), self.law.b, self.law.c)
    }

    /// The time at a size, given by its logarithm.
    pub(crate) fn at(&self, x: f64) -> Estimate {
        let points = &self.points[..self.count];
        let next = points.partition_point(|p| p.x < x);
        match (next.checked_sub(1), points.get(next)) {
            (Some(previous), Some(_)) => self.between(previous, x),
            (Some(last), None) => self.beyond(last, self.border[1], x - points[last].x, 1.0),
            (None, _) => self.beyond(0, self.border[0], points[0].x - x, -1.0),
        }
    }

    fn between(&self, i: usize, x: f64) -> Estimate {
        let (p, q) = (&self.points[i], &self.points[i + 1]);
        let t = (x - p.x) / (q.x - p.x);
        let residual = self.residuals[i] * (1.0 - t) + self.residuals[i + 1] * t;
        let measured = (p.sigma * (1.0 - t)).hypot(q.sigma * t);
        // A random walk whose both ends are known, and what no walk explains.
        let bridge = ((q.x - p.x) / self.pace * t * (1.0 - t)).sqrt();
        let sigma = measured.hypot(self.step * (ROUGH + bridge));
        Estimate { seconds: self.law.seconds(x) * residual.exp(), sigma, distance: (x - p.x).max(q.x - x) }
    }

    fn beyond(&self, i: usize, border: f64, distance: f64, direction: f64) -> Estimate {
        let edge = &self.points[i];
        let damped = border - self.law.b;
        let b = self.law.b + damped * (1.0 - (-distance / REACH).exp());
        let grown = (self.law.ln_a + self.law.b * edge.x + direction * b * distance).exp();
        let seconds = (grown + self.law.c) * self.residuals[i].exp();
        // What grows is only a part of the time, and mostly that part is doubtful.
        let part = (grown / (grown + self.law.c)).max(0.5);
        let unseen = if direction > 0.0 { ABOVE } else { BELOW };
        let doubt = if self.count == 1 { SCALED } else { unseen + self.steepness + 0.5 * damped.abs() };
        let walk = ROUGH + (distance / self.pace).sqrt();
        let sigma = edge.sigma.hypot(self.step * walk).hypot(doubt * distance * part);
        Estimate { seconds, sigma, distance: f64::INFINITY }
    }
}

/// The standard deviation that four of five values do not exceed by much; what is usual counts as well.
fn spread(values: impl Iterator<Item = f64>, freedom: usize) -> f64 {
    let mut sorted = [0.0; POINTS];
    let mut count = 0;
    for value in values {
        sorted[count] = value.abs();
        count += 1;
    }
    let sorted = &mut sorted[..count];
    sorted.sort_unstable_by(f64::total_cmp);
    let seen = match count {
        0 => 0.0,
        _ => sorted[(4 * count / 5).min(count - 1)] / FOUR_OF_FIVE,
    };
    let (usual, weight) = USUAL_ERROR;
    let freedom = freedom as f64;
    ((usual * usual * weight + seen * seen * freedom) / (weight + freedom)).sqrt()
}
