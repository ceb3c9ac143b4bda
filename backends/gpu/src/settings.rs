//! What a user may choose about a device. Knows nothing of how it is done.

use std::time::Duration;

/// Choices about a device.
///
/// ```
/// use std::time::Duration;
/// let settings = warpweft_gpu::Settings { time_limit: Duration::from_secs(5), ..Default::default() };
/// assert_eq!(settings.memory, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The longest that one submission may run; then the device is taken as lost. A submission's own limit goes
    /// before. Default: 60 seconds.
    pub time_limit: Duration,
    /// Bytes that allocations may take together; beyond that they fail as out of memory. `None` (the default)
    /// leaves it to the driver.
    pub memory: Option<u64>,
    /// Bytes of freed memory that are kept for reuse. Default: 1 GiB.
    pub pool: u64,
    /// Whether kernels are timed by the device's own clock where it has one (see [`Timestamps`]).
    pub timestamps: Timestamps,
}

/// Which submissions are timed by the device's own clock, besides those that ask for it
/// ([`timed`](warpweft_hal::Submission::timed)).
///
/// A timed submission costs two timestamps per dispatch, a pass for each, and a small download (about 50 µs more on
/// lavapipe, see `benches/overhead.rs`); the others are timed by the host's clock, from submission to completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    /// None.
    Never,
    /// Of each kernel its first submissions, and then every so many. At least 1.
    Sampled(u32),
    /// All.
    Always,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_limit: Duration::from_secs(60),
            memory: None,
            pool: 1 << 30,
            timestamps: Timestamps::Sampled(64),
        }
    }
}
