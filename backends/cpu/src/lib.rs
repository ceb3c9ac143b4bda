//! The CPU as a device: workgroups over rayon, in the memory of the host.
//!
//! A kernel runs by its hand-written implementation where it has one, else compiled to machine code, and by the reference
//! interpreter where that cannot be, or was asked for. Little work
//! runs on the calling thread alone; more is shared with the device's own pool, in which the caller takes part.
//! This crate knows no buffer, no planner and no other device; nothing is ever moved, because the device's memory
//! *is* host memory.
//!
//! | file | what |
//! |---|---|
//! | `device.rs` | [`Cpu`]: the contract of a device, command by command |
//! | `check.rs` | refuses commands that break the contract |
//! | `kernels.rs` | loaded kernels, each prepared once |
//! | `path.rs` | which way of running kernels is wanted |
//! | `code.rs` | machine code, compiled once per process |
//! | `streaming.rs` | whether what a launch writes should go past the caches |
//! | `compiled.rs` | a dispatch through compiled code |
//! | `memory.rs` | what a thread needs to run compiled code |
//! | `watchdog.rs` | stops compiled code when its time is over |
//! | `interpreted.rs` | a dispatch through the interpreter |
//! | `native.rs` | a dispatch through a hand-written implementation |
//! | `transfer.rs` | copies and fills |
//! | `crew.rs` | a range of items shared among threads |
//! | `deadline.rs` | time limits |
//! | `info.rs` | what this processor is |

#[cfg(test)]
mod allocations;
mod check;
mod code;
mod compiled;
mod crew;
mod deadline;
mod device;
mod info;
mod interpreted;
mod kernels;
mod memory;
mod native;
mod path;
mod streaming;
mod transfer;
mod watchdog;

pub use device::{Cpu, Settings};
pub use path::CpuPath;
pub use warpweft_compiler::Generator;
