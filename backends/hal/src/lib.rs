//! The contract between the runtime and the devices: plain data, one trait, no device.
//!
//! **Who is responsible for what**
//!
//! * The *runtime* (layer 4) validates: names, types, sizes, aliasing, limits and features are checked before a
//!   command is made; conflicting accesses are ordered before they are submitted.
//! * A *device* executes lists of [`Command`]s in the order of submission and reports what nobody could foresee as
//!   an [`Error`]. It never panics on a command list that the runtime may make, and never unwinds.
//! * Work is data: a list of commands names memories by id and byte range. So a fake device is small, and traces,
//!   replays and fault injection need no cooperation.
//!
//! This crate knows no device, no buffer and no planner.

mod command;
mod device;
mod error;
mod host;
mod info;
mod native;
mod pages;

pub use command::{Argument, Command, Dispatch, Grid, Memory, Region, Submission};
pub use device::{
    Completion, Device, Fence, KernelId, Loaded, MemoryId, Path, Program, Submitted, Timing, TimingSource,
};
pub use error::Error;
pub use host::HostBlock;
pub use info::{DeviceInfo, DeviceKind, Limits, Obstacle, cautions, obstacles};
pub use native::{Native, NativeArguments};
pub use pages::HUGE_PAGE;
