//! Fits a law, seconds = a·n^b + c, to a few measured sizes so that single wrong ones do not matter.
//!
//! For a given offset c, the exponent is the weighted median of the slopes between pairs of sizes in logarithms (Theil
//! and Sen; of many sizes, only pairs that lie far apart), and the factor the weighted median of what remains. The offset is searched: it must explain the
//! times clearly better than none. Knows nothing of samples, and nothing of times between the sizes.

/// Sizes that are fitted at most.
pub(crate) const POINTS: usize = 12;
const PAIRS: usize = POINTS * (POINTS - 1) / 2;

/// Of more sizes than this, only pairs are looked at that half of the sizes lie between: the others say little.
const ALL_PAIRS: usize = 5;

/// Exponents that launches can have.
const EXPONENTS: std::ops::RangeInclusive<f64> = 0.0..=3.0;
/// What is believed of the exponent before anything was measured: work is proportional to the size, more or less.
const USUAL_EXPONENT: f64 = 1.0;
const USUAL_EXPONENT_SIGMA: f64 = 0.5;
/// Laws are not exact: even perfectly measured times lie off by so much (in logarithms).
const MISFIT: f64 = 0.02;
/// A size that lies off by more than so many standard deviations counts as one that lies off by so many.
const HOPELESS: f64 = 4.0;
/// What an offset must gain, in standard deviations summed over the sizes.
const OFFSET_GAIN: f64 = 2.8;
/// Offsets tried first, in parts of the shortest time.
const OFFSETS: [f64; 9] = [0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 1.0, 1.03, 1.06];
/// Where the time exceeds the offset by less than this part, it says nothing of what grows.
const VISIBLE: f64 = 0.1;

/// The standard deviation of two together; without the care for extremes that makes `hypot` slow.
fn both(a: f64, b: f64) -> f64 {
    (a * a + b * b).sqrt()
}

/// What was measured at one size.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Point {
    /// The logarithm of the size.
    pub(crate) x: f64,
    pub(crate) seconds: f64,
    /// The standard deviation of the logarithm of `seconds`.
    pub(crate) sigma: f64,
    /// Measured often enough to be a fact, however far it lies off any law.
    pub(crate) fact: bool,
}

/// seconds = exp(ln_a + b·x) + c, with x the logarithm of the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Law {
    pub(crate) ln_a: f64,
    pub(crate) b: f64,
    pub(crate) c: f64,
    /// The standard deviation of `b`.
    pub(crate) sigma_b: f64,
}

impl Law {
    pub(crate) fn seconds(&self, x: f64) -> f64 {
        (self.ln_a + self.b * x).exp() + self.c
    }

    /// Fits one to [`POINTS`] sizes. One size alone gets the usual exponent.
    pub(crate) fn fit(points: &[Point]) -> Self {
        let mut best = Grown::above(points, 0.0).law();
        if points.len() >= 3 {
            let shortest = points.iter().map(|p| p.seconds).fold(f64::INFINITY, f64::min);
            let mut least = misfit(points, &best) - OFFSET_GAIN;
            let mut chosen = None;
            let mut attempt = |part: f64, chosen: &mut Option<f64>| {
                let grown = Grown::above(points, part * shortest);
                if grown.count >= 2 {
                    let law = grown.law();
                    let loss = misfit(points, &law);
                    if loss < least {
                        (least, best, *chosen) = (loss, law, Some(part));
                    }
                }
            };
            for part in OFFSETS {
                attempt(part, &mut chosen);
            }
            if let Some(part) = chosen {
                let mut step = if part < 0.85 { 0.1 } else { 0.02 };
                for _ in 0..3 {
                    let middle = chosen.unwrap_or(part);
                    attempt(middle - step, &mut chosen);
                    attempt(middle + step, &mut chosen);
                    step *= 0.5;
                }
            }
        }
        best
    }
}

/// How badly a law explains the sizes, in standard deviations.
fn misfit(points: &[Point], law: &Law) -> f64 {
    let off = |p: &Point| ((p.seconds / law.seconds(p.x)).ln().abs() / both(p.sigma, MISFIT)).min(HOPELESS);
    points.iter().map(off).sum()
}

/// What exceeds an offset visibly, in logarithms.
pub(crate) struct Grown {
    c: f64,
    count: usize,
    x: [f64; POINTS],
    y: [f64; POINTS],
    sigma: [f64; POINTS],
}

impl Grown {
    pub(crate) fn above(points: &[Point], c: f64) -> Self {
        let mut grown = Self { c, count: 0, x: [0.0; POINTS], y: [0.0; POINTS], sigma: [0.0; POINTS] };
        for point in points {
            let part = (point.seconds - c) / point.seconds;
            if part >= VISIBLE {
                let i = grown.count;
                grown.x[i] = point.x;
                grown.y[i] = (point.seconds - c).ln();
                grown.sigma[i] = both(point.sigma, MISFIT) / part;
                grown.count += 1;
            }
        }
        grown
    }

    /// The exponent and its standard deviation.
    pub(crate) fn exponent(&self) -> (f64, f64) {
        let mut slopes = [(0.0, 0.0); PAIRS];
        let mut pairs = 0;
        let (mut weight, mut weighted_x, mut weighted_xx) = (0.0, 0.0, 0.0);
        let apart = if self.count > ALL_PAIRS { self.count / 2 } else { 1 };
        for i in 0..self.count {
            let w = 1.0 / (self.sigma[i] * self.sigma[i]);
            weight += w;
            weighted_x += w * self.x[i];
            weighted_xx += w * self.x[i] * self.x[i];
            for j in 0..(i + 1).saturating_sub(apart) {
                let dx = self.x[i] - self.x[j];
                if dx.abs() > 1e-9 {
                    let slope = (self.y[i] - self.y[j]) / dx;
                    slopes[pairs] = (slope, dx.abs() / both(self.sigma[i], self.sigma[j]));
                    pairs += 1;
                }
            }
        }
        if pairs == 0 {
            return (USUAL_EXPONENT, USUAL_EXPONENT_SIGMA);
        }
        let slope = weighted_median(&mut slopes[..pairs]).clamp(*EXPONENTS.start(), *EXPONENTS.end());
        // What the sizes say of the exponent, as a precision, next to what is usual.
        let said = (weighted_xx - weighted_x * weighted_x / weight).max(0.0);
        let usual = 1.0 / (USUAL_EXPONENT_SIGMA * USUAL_EXPONENT_SIGMA);
        let b = (slope * said + USUAL_EXPONENT * usual) / (said + usual);
        (b, (said + usual).sqrt().recip())
    }

    fn law(&self) -> Law {
        let (b, sigma_b) = self.exponent();
        let mut rest = [(0.0, 0.0); POINTS];
        for (i, rest) in rest[..self.count].iter_mut().enumerate() {
            *rest = (self.y[i] - b * self.x[i], 1.0 / self.sigma[i]);
        }
        Law { ln_a: weighted_median(&mut rest[..self.count]), b, c: self.c, sigma_b }
    }
}

/// The value that half of the weight lies below, between the two next to it.
fn weighted_median(values: &mut [(f64, f64)]) -> f64 {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * values.iter().map(|v| v.1).sum::<f64>();
    let mut below = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for &(value, weight) in values.iter() {
        let centre = below + 0.5 * weight;
        if centre >= half {
            return match last {
                Some((v, c)) => v + (value - v) * (half - c) / (centre - c),
                None => value,
            };
        }
        last = Some((value, centre));
        below += weight;
    }
    last.map_or(f64::NAN, |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(law: impl Fn(f64) -> f64) -> Vec<Point> {
        let point = |k: i32| {
            let size = 4f64.powi(k);
            Point { x: size.ln(), seconds: law(size), sigma: 0.03, fact: true }
        };
        (3..11).map(point).collect()
    }

    #[test]
    fn exact_laws_are_found() {
        for (a, b, c) in
            [(1e-9, 1.0, 0.0), (1e-6, 0.5, 0.0), (1e-9, 1.5, 1e-4), (1e-12, 2.0, 1e-5), (1e-8, 1.0, 1e-3)]
        {
            let law = Law::fit(&points(|n| a * n.powf(b) + c));
            assert!((law.b - b).abs() < 0.03, "a {a}, b {b}, c {c}: {law:?}");
            let far = 4f64.powi(12);
            let error = (law.seconds(far.ln()) / (a * far.powf(b) + c)).ln();
            assert!(error.abs() < 0.1, "a {a}, b {b}, c {c}: {law:?} is off by {error}");
        }
    }

    #[test]
    fn two_wrong_sizes_of_eight_do_not_matter() {
        let mut points = points(|n| 1e-9 * n.powf(1.5));
        points[2].seconds *= 10.0;
        points[5].seconds *= 4.0;
        let law = Law::fit(&points);
        assert!((law.b - 1.5).abs() < 0.05, "{law:?}");
    }

    #[test]
    fn falling_times_become_constant_ones() {
        let law = Law::fit(&points(|n| 1.0 / n));
        assert!((0.0..0.05).contains(&law.b), "{law:?}");
    }

    #[test]
    fn one_size_and_equal_sizes_have_the_usual_exponent() {
        let one = Point { x: 5.0, seconds: 0.1, sigma: 0.1, fact: false };
        for points in [&[one][..], &[one, one, one]] {
            let law = Law::fit(points);
            assert_eq!(law.b, 1.0);
            assert!((law.seconds(5.0) - 0.1).abs() < 1e-12);
        }
    }

    #[test]
    fn medians_are_weighted() {
        assert_eq!(weighted_median(&mut [(3.0, 1.0), (1.0, 1.0), (2.0, 1.0)]), 2.0);
        assert_eq!(weighted_median(&mut [(1.0, 1.0), (2.0, 1.0)]), 1.5);
        assert!(weighted_median(&mut [(1.0, 10.0), (2.0, 1.0), (3.0, 1.0)]) < 1.2);
    }
}
