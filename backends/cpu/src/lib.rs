//! The CPU as a device: workgroups over rayon, in the memory of the host.
//!
//! A kernel runs by its hand-written implementation where it has one, else by the reference interpreter. Little work
//! runs on the calling thread alone; more is shared with the device's own pool, in which the caller takes part.
//! This crate knows no buffer, no planner and no other device; nothing is ever moved, because the device's memory
//! *is* host memory.
//!
//! | file | what |
//! |---|---|
//! | `device.rs` | [`Cpu`]: the contract of a device, command by command |
//! | `check.rs` | refuses commands that break the contract |
//! | `kernels.rs` | loaded kernels, each prepared once |
//! | `interpreted.rs` | a dispatch through the interpreter |
//! | `native.rs` | a dispatch through a hand-written implementation |
//! | `transfer.rs` | copies and fills |
//! | `crew.rs` | a range of items shared among threads |
//! | `deadline.rs` | time limits |
//! | `info.rs` | what this processor is |

mod check;
mod crew;
mod deadline;
mod device;
mod info;
mod interpreted;
mod kernels;
mod native;
mod transfer;

pub use device::{Cpu, Settings};
