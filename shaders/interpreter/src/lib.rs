//! What WGSL means: the reference interpreter of naga IR, and the law for everything that compiles kernels.
//!
//! A [`Program`] is a kernel prepared for execution; [`Program::run_workgroup`] runs one workgroup of a [`Launch`] on
//! the calling thread, all invocations in lockstep. Arithmetic follows the WGSL specification; where that leaves a
//! choice: reads out of bounds give zero, writes and atomics out of bounds are dropped, loads and stores of all
//! invocations happen statement by statement, and atomics in ascending order of invocations.
//!
//! Lockstep gives an invocation no progress of its own: one that spins until a later step of another invocation of the
//! same workgroup spins for ever (WGSL promises nothing else), until the launch is cancelled. Waiting for an earlier
//! workgroup works if the caller starts workgroups in ascending order.
//!
//! Knows nothing of threads, devices or buffers: who runs which workgroup, and whose words a binding sees, is up to
//! the caller.
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use warpweft_interpreter::{Grid, Launch, Memory, Program, Scratch};
//! use warpweft_module::{Module, Source};
//!
//! let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
//!             @compute @workgroup_size(4)
//!             fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] += id.x; }";
//! let kernel = Module::new(&[Source::new("count.wgsl", wgsl)], &[])?.kernel(None, &[])?;
//! let program = Program::new(&kernel)?;
//!
//! let words: Vec<AtomicU32> = (0..6).map(|_| AtomicU32::new(10)).collect();
//! let launch = Launch {
//!     bindings: &[Memory::new(&words, 24)],
//!     grid: Grid { workgroups: [2, 1, 1], over: None },
//!     subgroup_size: 4,
//!     cancelled: &|| false,
//! };
//! let mut scratch = Scratch::default();
//! for workgroup in 0..2 {
//!     program.run_workgroup(&launch, workgroup, &mut scratch)?;
//! }
//! let after: Vec<u32> = words.iter().map(|word| word.load(Ordering::Relaxed)).collect();
//! assert_eq!(after, [10, 11, 12, 13, 14, 15]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bits;
mod column;
mod decode;
mod fault;
mod lane;
mod linear;
mod mask;
mod math;
mod memory;
mod operator;
mod pack;
mod program;
mod run;
mod shape;
mod step;
mod subgroup;

pub use fault::{Fault, Unsupported};
pub use memory::Memory;
pub use program::{Grid, Launch, MOST_BINDING_BYTES, Program, Scratch};
