//! Points in time, as callers give them. Knows no clock.

use std::time::{Duration, SystemTime};

use serde::Serialize;

/// A point in time: microseconds since the Unix epoch, or since the start of a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The earliest moment.
    pub const START: Self = Self(0);
    /// The latest moment that is believed, in the year 2286: later ones come from broken clocks and broken files.
    pub const LATEST: Self = Self(10_000_000_000_000_000);

    /// So many microseconds after the epoch, at most [`LATEST`](Self::LATEST).
    pub fn from_micros(micros: u64) -> Self {
        Self(micros).min(Self::LATEST)
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> u64 {
        self.0
    }

    /// The time since an earlier moment; zero since a later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The next moment that can be told apart.
    pub(crate) fn next(self) -> Self {
        Self::from_micros(self.0 + 1)
    }
}

impl From<SystemTime> for Moment {
    /// Times before 1970 become the epoch.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        Self::UNIX_EPOCH + Duration::from_micros(moment.0)
    }
}
