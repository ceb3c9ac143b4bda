//! One measured time, what it is worth, and which times are refused. Knows nothing of the other samples.

use crate::Moment;

/// Seconds that a launch can take: below, the timer was broken; above, the machine slept for months.
pub(crate) const SECONDS: std::ops::RangeInclusive<f64> = 1e-10..=1e7;
/// Sizes that a launch can have, whatever they count.
pub(crate) const SIZES: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

/// Why an observation was refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The size is not a number from 1e-30 to 1e30.
    #[error("a launch cannot have the size {0}: sizes are from 1e-30 to 1e30")]
    Size(f64),
    /// The time is not a number of seconds from 1e-10 to 1e7.
    #[error("a launch cannot take {0} seconds: times are from 1e-10 to 1e7 seconds")]
    Seconds(f64),
    /// The place was numbered by another history.
    #[error("the place is not one of this history: each numbers its own")]
    Place,
}

/// The size, when a launch can have it.
pub(crate) fn checked_size(size: f64) -> Result<f64, Refused> {
    if SIZES.contains(&size) { Ok(size) } else { Err(Refused::Size(size)) }
}

/// What a sample is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As good as any.
    Steady,
    /// The first of its series in a process, slowed perhaps by compilation, page faults and cold caches: counts only
    /// where there is no other.
    First,
    /// Measured before the device changed its speed, and scaled by that change: counts until it was measured anew.
    Rescaled,
}

/// One measured time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) at: Moment,
    /// Of single precision, as it is kept on disk: what was read back is the same sample.
    pub(crate) seconds: f64,
    pub(crate) kind: Kind,
}

impl Sample {
    pub(crate) fn new(at: Moment, seconds: f64, kind: Kind) -> Result<Self, Refused> {
        if !SECONDS.contains(&seconds) {
            return Err(Refused::Seconds(seconds));
        }
        Ok(Self { at, seconds: f64::from(seconds as f32), kind })
    }

    /// The same sample, perhaps valued otherwise.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.at == other.at && self.seconds == other.seconds
    }

    /// As it would have been after a change of speed. A first launch remains one.
    pub(crate) fn rescaled(&self, factor: f64) -> Self {
        let seconds = (self.seconds * factor).clamp(*SECONDS.start(), *SECONDS.end());
        let kind = if self.kind == Kind::First { Kind::First } else { Kind::Rescaled };
        Self { at: self.at, seconds: f64::from(seconds as f32), kind }
    }
}
