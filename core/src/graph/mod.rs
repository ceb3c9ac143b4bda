//! Work in flight: events, tasks, and the couriers that carry what cannot be submitted yet.
//!
//! **Why nothing deadlocks.** Tasks are created one at a time under the ledger's lock, and a task waits only for
//! tasks created before it: by its dependencies, and by its place in its device's queue. The earliest unfinished
//! task therefore never waits, and nobody waits for anything while holding the ledger's lock.

mod courier;
mod dependencies;
mod event;
mod task;

pub(crate) use courier::Courier;
pub(crate) use dependencies::Dependencies;
pub(crate) use event::{Event, Work};
pub(crate) use task::Task;
