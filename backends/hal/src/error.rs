//! What can go wrong on a device that the runtime could not foresee.

use std::time::Duration;

/// A failure of a device or of the work that it was given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// An allocation did not fit.
    #[error("{device}: out of memory: {requested} bytes were asked for{}", free.map(|n| format!(", about {n} are free")).unwrap_or_default())]
    OutOfMemory {
        /// The device.
        device: String,
        /// Bytes asked for.
        requested: u64,
        /// Bytes thought to be free, where the device can tell.
        free: Option<u64>,
    },
    /// The device is gone: nothing that was on it can be read, and it takes no more work.
    #[error("{device}: the device was lost: {reason}")]
    Lost {
        /// The device.
        device: String,
        /// What the driver said.
        reason: String,
    },
    /// Work did not end within its time; the device is taken as lost where its work cannot be stopped.
    #[error(
        "{device}: the work did not end within {limit:?}; give it a longer time limit or less work per launch"
    )]
    Timeout {
        /// The device.
        device: String,
        /// The limit.
        limit: Duration,
    },
    /// The device refuses the kernel.
    #[error("{device}: cannot compile `{kernel}`: {reason}")]
    Compile {
        /// The device.
        device: String,
        /// The entry point.
        kernel: String,
        /// What the device's compiler said.
        reason: String,
    },
    /// The kernel itself failed while it ran (a divergent barrier, a panic in native code, …).
    #[error("{device}: `{kernel}` failed: {reason}")]
    Execution {
        /// The device.
        device: String,
        /// The entry point.
        kernel: String,
        /// What happened, with the place in the WGSL where it is known.
        reason: String,
    },
    /// A limit of the device would be exceeded.
    #[error("{device}: {what} is {value}, the device allows {limit}")]
    Limit {
        /// The device.
        device: String,
        /// What exceeds.
        what: String,
        /// Its value.
        value: u64,
        /// The limit.
        limit: u64,
    },
    /// A device was asked to be what it cannot be.
    #[error("{device}: {reason}")]
    Setting {
        /// The device.
        device: String,
        /// Which setting, and what it can be.
        reason: String,
    },
    /// The driver or the runtime broke the contract: a bug worth a report.
    #[error("{device}: internal error: {reason}")]
    Internal {
        /// The device.
        device: String,
        /// What was seen.
        reason: String,
    },
}

impl Error {
    /// The device takes no more work after this error.
    pub fn is_loss(&self) -> bool {
        matches!(self, Error::Lost { .. })
    }
}
