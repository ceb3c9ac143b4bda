//! Time limits of work that is running.
//!
//! Knows nothing of what runs: whoever runs it asks often enough.

use std::time::{Duration, Instant};

/// When work has to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    /// The limit that set it.
    pub(crate) limit: Duration,
}

impl Deadline {
    /// The end of work that starts now; none when there is no limit or it lies beyond what the clock can say.
    pub(crate) fn after(limit: Option<Duration>) -> Option<Self> {
        let limit = limit?;
        Some(Self { at: Instant::now().checked_add(limit)?, limit })
    }

    /// When that is.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }

    /// It is over.
    pub(crate) fn has_passed(&self) -> bool {
        Instant::now() >= self.at
    }
}
