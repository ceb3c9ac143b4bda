//! What a session found, as plain data: the schema of `cpu.json`. All times are in seconds.
//!
//! Knows statistics; nothing of how times were taken.

use serde::Serialize;

/// Everything that a session found.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// The version of this schema.
    pub version: u32,
    /// The processor and the devices, in words.
    pub machine: Vec<String>,
    /// Threads of everybody.
    pub threads: usize,
    /// The vector width in bits that the compiler was allowed for the Rust rivals.
    pub native_bits: u32,
    /// Smaller sizes, for a first look: not to be recorded.
    pub quick: bool,
    /// What the machine can do at most.
    pub limits: Vec<Bound>,
    /// What was measured, and checked.
    pub kernels: Vec<Row>,
    /// What compiling took.
    pub compile: Vec<Compilation>,
}

/// A limit of the machine.
#[derive(Debug, Serialize)]
pub struct Bound {
    /// What it is a limit of.
    pub name: &'static str,
    /// `GB/s` or `GFLOP/s`.
    pub unit: &'static str,
    /// The rates, before and after everything else.
    pub rates: Vec<f64>,
    /// The best of them.
    pub best: f64,
}

/// A kernel at a size.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The problem's name.
    pub kernel: &'static str,
    /// Its size.
    pub size: String,
    /// Flops of a run.
    pub flops: f64,
    /// Compulsory bytes of a run.
    pub bytes: f64,
    /// Arithmetic bounds it; else memory does.
    pub counts_flops: bool,
    /// The part of the rate of fused multiply-adds that its mix of operations allows.
    pub mix: f64,
    /// The Rust rival computes the same by another algorithm: outside the ratios.
    pub other_algorithm: bool,
    /// Those who were right, and their times.
    pub times: Vec<Entry>,
    /// Those who were not, or could not, and why.
    pub missing: Vec<Missing>,
}

/// A rival's times.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// Whose.
    pub rival: String,
    /// The times.
    #[serde(flatten)]
    pub times: Times,
    /// The median of each turn, in their order: those of the same number belong to the same round.
    pub turns: Vec<f64>,
}

/// A rival without times.
#[derive(Debug, Serialize)]
pub struct Missing {
    /// Whose.
    pub rival: String,
    /// Why.
    pub reason: String,
    /// It gave a wrong result, or failed; otherwise it was not there.
    pub failed: bool,
}

/// Times of repeated runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Times {
    /// The median.
    pub median: f64,
    /// The shortest.
    pub min: f64,
    /// A quarter is shorter.
    pub lower_quartile: f64,
    /// A quarter is longer.
    pub upper_quartile: f64,
    /// How many.
    pub samples: usize,
}

/// What compiling an entry point took; medians of several compilations.
#[derive(Debug, Serialize)]
pub struct Compilation {
    /// The problem, or the generated kernel.
    pub kernel: String,
    /// Lines of WGSL.
    pub lines: usize,
    /// naga alone: parsing and validation.
    pub naga: f64,
    /// Reading beyond naga: joining, checks, reflection, specialisation.
    pub reading: f64,
    /// The device's share: path, and from the module to what runs; `None` where it is not compiled.
    pub code: Vec<(&'static str, Option<f64>)>,
}

impl Times {
    /// The statistics of at least one time.
    pub fn new(mut seconds: Vec<f64>) -> Option<Self> {
        seconds.sort_by(f64::total_cmp);
        let min = *seconds.first()?;
        // Between the two nearest times, as numpy does it.
        let quantile = |q: f64| {
            let at = q * (seconds.len() - 1) as f64;
            let (below, above) = (seconds[at.floor() as usize], seconds[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        Some(Self {
            median: quantile(0.5),
            min,
            lower_quartile: quantile(0.25),
            upper_quartile: quantile(0.75),
            samples: seconds.len(),
        })
    }

    /// Half the distance between the quartiles, as a part of the median.
    pub fn spread(&self) -> f64 {
        (self.upper_quartile - self.lower_quartile) / 2.0 / self.median.max(1e-9)
    }
}

impl Row {
    /// The median of a rival.
    pub fn median(&self, rival: &str) -> Option<f64> {
        self.entry(rival).map(|entry| entry.times.median)
    }

    fn entry(&self, rival: &str) -> Option<&Entry> {
        self.times.iter().find(|entry| entry.rival == rival)
    }

    /// How often one's time is the other's: the median over the rounds that both took part in.
    ///
    /// A machine that slows down for some rounds slows both, and moves medians of times, but not this.
    pub fn ratio(&self, rival: &str, other: &str) -> Option<f64> {
        let turns = self.entry(rival)?.turns.iter().zip(&self.entry(other)?.turns);
        Some(Times::new(turns.map(|(one, other)| one / other).collect())?.median)
    }
}

/// The geometric mean of ratios; `None` without any.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (logarithms / ratios.len() as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_compared_one_by_one() {
        let entry = |rival: &str, turns: &[f64]| Entry {
            rival: rival.into(),
            times: Times::new(turns.to_vec()).unwrap(),
            turns: turns.to_vec(),
        };
        // Slow rounds in the middle, and one more of the first rival's.
        let times = vec![entry("a", &[2.0, 6.0, 6.0, 2.0, 9.0]), entry("b", &[1.0, 4.0, 2.0, 1.0])];
        let row = Row {
            kernel: "k",
            size: String::new(),
            flops: 0.0,
            bytes: 0.0,
            counts_flops: false,
            mix: 1.0,
            other_algorithm: false,
            times,
            missing: vec![],
        };
        assert_eq!(row.ratio("a", "b"), Some(2.0));
        assert_eq!((row.ratio("a", "c"), row.median("a")), (None, Some(6.0)));
    }

    #[test]
    fn statistics_by_hand() {
        let times = Times::new(vec![4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((times.median, times.min, times.samples), (2.5, 1.0, 4));
        assert_eq!((times.lower_quartile, times.upper_quartile), (1.75, 3.25));
        assert_eq!(times.spread(), 0.3);
        assert_eq!(Times::new(vec![]), None);
        assert!((geometric_mean(&[1.0, 4.0, 16.0]).unwrap() - 4.0).abs() < 1e-12);
        assert_eq!(geometric_mean(&[]), None);
    }
}
