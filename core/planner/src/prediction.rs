//! What is predicted, how sure it is, and what it rests on. Knows nothing of how it came about.

use std::fmt;

use serde::Serialize;

/// Four of five normal errors are smaller than so many standard deviations.
pub(crate) const FOUR_OF_FIVE: f64 = 1.2816;

/// The predicted time of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// Seconds that such a launch typically takes: half of them take less.
    pub seconds: f64,
    /// With [`high`](Self::high), where the typical time lies in four cases of five, in seconds.
    pub low: f64,
    /// See [`low`](Self::low).
    pub high: f64,
    /// How much single launches scatter: the standard deviation of the times' logarithms (0.05 is about 5 %).
    pub noise: f64,
    /// What the prediction rests on.
    pub source: Source,
    /// How many samples it rests on.
    pub samples: usize,
}

/// What a prediction rests on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Measured at this very size.
    Measured,
    /// Measured at this very size before the device changed its speed, and scaled by that change.
    Rescaled,
    /// Fitted over several measured sizes.
    Fitted {
        /// The power of the size that the time grows with.
        exponent: f64,
        /// The number of sizes.
        sizes: usize,
    },
    /// Scaled from the only measured size.
    Scaled,
}

impl Prediction {
    /// A prediction whose logarithm has the standard deviation `sigma`.
    pub(crate) fn new(seconds: f64, sigma: f64, noise: f64, source: Source, samples: usize) -> Self {
        // Beyond this nothing is known anyway, and the bounds stay finite.
        let width = (FOUR_OF_FIVE * sigma).min(20.0).exp();
        Self { seconds, low: seconds / width, high: seconds * width, noise, source, samples }
    }

    /// Where the measured time of the next launch lies in four cases of five, in seconds.
    ///
    /// Wider than `low..high`, which tells where the middle of many launches lies.
    pub fn next_launch(&self) -> (f64, f64) {
        let wider = |bound: f64| {
            let typical = (bound / self.seconds).ln() / FOUR_OF_FIVE;
            (FOUR_OF_FIVE * typical.hypot(self.noise)).exp()
        };
        (self.seconds / wider(self.low), self.seconds * wider(self.high))
    }

    /// Whether either could be the smaller one, as far as is known.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Measured => write!(f, "measured"),
            Self::Rescaled => write!(f, "measured before the device changed its speed"),
            Self::Fitted { exponent, sizes } => {
                write!(f, "fitted over {sizes} sizes, exponent {exponent:.2}")
            }
            Self::Scaled => write!(f, "scaled from another size"),
        }
    }
}
