//! The time over all sizes: a law, bent to pass where sizes were measured, and damped beyond them.
//!
//! Between measured sizes, what the law misses at the two neighbours is interpolated. Beyond the outermost size, the
//! exponent goes from the law's to that of the nearest sizes, and doubt grows with the distance. Knows nothing of
//! samples.

use crate::fit::{Grown, Law, POINTS, Point};
use crate::size::median;

/// Distances (in logarithms of the size) beyond which the nearest sizes count more than all of them.
const REACH: f64 = 2.0;
/// Sizes next to the border whose exponent is continued beyond it.
const NEAREST: usize = 4;
/// What is believed of a law's error before it was seen, with the weight of so many sizes.
const USUAL_ERROR: (f64, f64) = (0.05, 2.0);
/// Doubt per distance beyond what was measured: caches end, occupancy saturates.
const BEYOND: f64 = 0.06;
/// Doubt per distance when a single size is scaled.
const SCALED: f64 = 0.35;
/// A size that lies off the law by so many of the law's errors is believed only so far.
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
    /// The law's error at sizes that were not measured.
    error: f64,
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
        let mut sizes = [0.0; POINTS];
        for (i, point) in given.iter().enumerate() {
            residuals[i] = (point.seconds / law.seconds(point.x)).ln();
            sizes[i] = residuals[i].abs();
        }
        let (usual, weight) = USUAL_ERROR;
        // Three numbers were fitted: so many sizes say nothing of the law's error.
        let freedom = count.saturating_sub(2) as f64;
        let seen = if count > 0 { 1.4826 * median(&mut sizes[..count]) } else { 0.0 };
        let error = ((usual * usual * weight + seen * seen * freedom) / (weight + freedom)).sqrt();
        for (residual, point) in residuals[..count].iter_mut().zip(given) {
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
        Self { law, count, points, residuals, error, border }
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
        let gap = (x - p.x).min(q.x - x);
        let measured = (p.sigma * (1.0 - t)).hypot(q.sigma * t);
        let sigma = measured.hypot(self.error * (0.5 + gap).min(1.0));
        Estimate { seconds: self.law.seconds(x) * residual.exp(), sigma, distance: (x - p.x).max(q.x - x) }
    }

    fn beyond(&self, i: usize, border: f64, distance: f64, direction: f64) -> Estimate {
        let edge = &self.points[i];
        let damped = border - self.law.b;
        let b = self.law.b + damped * (1.0 - (-distance / REACH).exp());
        let grown = (self.law.ln_a + self.law.b * edge.x + direction * b * distance).exp();
        let seconds = (grown + self.law.c) * self.residuals[i].exp();
        // What grows is only a part of the time, and only that part is doubtful.
        let part = grown / (grown + self.law.c);
        let doubt = if self.count == 1 { SCALED } else { BEYOND + self.law.sigma_b + 0.5 * damped.abs() };
        let sigma = edge.sigma.hypot(self.error).hypot(doubt * distance * part);
        Estimate { seconds, sigma, distance: f64::INFINITY }
    }
}
