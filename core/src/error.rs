//! What can go wrong for a user of Warpweft, in words that say what, where and how to mend it.

use std::sync::Arc;

use warpweft_module::ModuleError;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure; its text is one paragraph for the person at the keyboard.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The WGSL was refused, or a constant, alias or entry point does not fit it.
    #[error(transparent)]
    Module(#[from] Arc<ModuleError>),
    /// A binding or value does not fit the kernel.
    #[error("kernel `{kernel}`: {reason}")]
    Binding {
        /// The entry point.
        kernel: String,
        /// What does not fit, naming the binding, what was given and what is needed.
        reason: String,
    },
    /// A barrier of the kernel is not reached by every invocation of a workgroup, whatever the data.
    #[error("kernel `{kernel}`: {reason}")]
    Barrier {
        /// The entry point.
        kernel: String,
        /// Which barrier, which condition keeps invocations away, and how to mend it, with source lines.
        reason: String,
    },
    /// The grid does not fit the kernel.
    #[error("kernel `{kernel}`: {reason}")]
    Grid {
        /// The entry point.
        kernel: String,
        /// What does not fit.
        reason: String,
    },
    /// No device can, or may, take the launch.
    #[error("{0}")]
    Placement(String),
    /// A buffer was used in a way that it does not allow.
    #[error("{0}")]
    Buffer(String),
    /// Host memory ran out.
    #[error("out of host memory: {bytes} bytes were asked for")]
    HostMemory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// A device failed.
    #[error(transparent)]
    Device(#[from] warpweft_hal::Error),
    /// The data was to be written by a launch that failed.
    #[error(
        "the data was to be written by a launch of `{kernel}` that failed: {source}. Write the data anew, or give it up \
         with write_discard, to use the buffer again"
    )]
    Poisoned {
        /// The entry point of the launch that failed.
        kernel: String,
        /// Why it failed.
        source: Arc<Error>,
    },
    /// A callback of the user stopped the work.
    #[error("stopped by the callback: {0}")]
    Callback(String),
    /// A file of the runtime's own (calibration) could not be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl From<ModuleError> for Error {
    fn from(error: ModuleError) -> Self {
        Error::Module(Arc::new(error))
    }
}

impl From<std::io::Error> for Error {
    /// So that callbacks may use `?` on files.
    fn from(error: std::io::Error) -> Self {
        Error::callback(error)
    }
}

impl Error {
    /// An error of a callback of [`Steps::every`](crate::Steps::every), from anything that can be shown.
    pub fn callback(reason: impl std::fmt::Display) -> Self {
        Error::Callback(reason.to_string())
    }
}
