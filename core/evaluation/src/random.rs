//! Random numbers that are functions of what they are for: the same seed and the same purpose give the same number,
//! whoever asks and in whatever order, so that every policy meets the same luck.
//!
//! Does not know what the numbers mean. Not for cryptography.

/// A source of numbers, each named by a path of integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    seed: u64,
}

impl Draws {
    /// The source that belongs to a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0x5741_5250_5745_4654) }
    }

    /// The source of one purpose within this one.
    pub fn of(self, purpose: u64) -> Self {
        Self { seed: mix(self.seed ^ mix(purpose.wrapping_add(0x9E37_79B9_7F4A_7C15))) }
    }

    /// A whole number.
    pub fn number(self) -> u64 {
        self.seed
    }

    /// A number in `0..1`.
    pub fn unit(self) -> f64 {
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A whole number below `bound`; 0 where that is 0.
    pub fn below(self, bound: usize) -> usize {
        // Bounds are small: the bias is far below what any figure could show.
        if bound == 0 { 0 } else { (self.seed % bound as u64) as usize }
    }

    /// A number between two positive ones, uniform in its logarithm.
    pub fn log_uniform(self, low: f64, high: f64) -> f64 {
        (low.ln() + self.unit() * (high.ln() - low.ln())).exp()
    }

    /// A factor with median 1 whose logarithm is normal with this standard deviation.
    pub fn lognormal(self, spread: f64) -> f64 {
        if spread == 0.0 {
            return 1.0;
        }
        // Box and Muller; the first number is never 0.
        let radius = (-2.0 * (1.0 - self.of(1).unit()).ln()).sqrt();
        (spread * radius * (std::f64::consts::TAU * self.of(2).unit()).cos()).exp()
    }

    /// Brings items into random order (Fisher and Yates).
    pub fn shuffle<T>(self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.of(last as u64).below(last + 1));
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lognormal_factors_have_the_spread_that_was_asked_for() {
        let logs: Vec<f64> = (0..20_000).map(|i| Draws::new(7).of(i).lognormal(0.05).ln()).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let variance = logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / logs.len() as f64;
        assert!(mean.abs() < 0.002, "{mean}");
        assert!((variance.sqrt() - 0.05).abs() < 0.001, "{}", variance.sqrt());
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_reaches_every_place() {
        let mut reached = [[0; 4]; 4];
        for seed in 0..2000 {
            let mut items = [0, 1, 2, 3];
            Draws::new(seed).shuffle(&mut items);
            let mut sorted = items;
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
            items.iter().enumerate().for_each(|(place, item)| reached[place][*item] += 1);
        }
        assert!(reached.iter().flatten().all(|count| (400..600).contains(count)), "{reached:?}");
    }
}
