//! Coherent buffers: logical arrays whose bytes are where they are needed.
//!
//! `handle` is what a user holds; `store` is the content behind it: which location holds a valid copy of which words,
//! and which tasks touch them; `transfer` brings missing words; `snapshot` is a read, and `outside` makes reads and
//! writes; `intervals`, `copies` and `accesses` are the sets that all of it is made of. Nothing here knows a kernel or
//! the planner.

mod accesses;
mod copies;
mod handle;
mod intervals;
mod outside;
mod snapshot;
mod store;
mod transfer;

pub use handle::{AnyBuffer, Bindable, Buffer, View};
pub use snapshot::Snapshot;

pub(crate) use handle::{Handle, Part, block_of, check_shape};
pub(crate) use snapshot::PendingSnapshot;
pub(crate) use store::{DeviceMemory, Store, StoreKey};
pub(crate) use transfer::{Blocked, Mover};
