//! A device with a virtual clock, a given roofline and link, and faults on demand.
//!
//! A [`Fake`] is the contract of `warpweft-hal` in its smallest form, and its strictest reader: what the runtime may
//! not do is answered with [`Error::Internal`](warpweft_hal::Error::Internal) that names the breach. It has memory
//! of its own, real bytes, so results are right or visibly wrong; what was never written holds garbage, and reads of
//! it are recorded. Time is virtual and everything is deterministic: equal calls give equal logs.
//! It knows no buffer and no planner, and measures nothing.
//!
//! ```
//! use warpweft_fake::{Fake, Link, Spec};
//! use warpweft_hal::{Command, Device, HostBlock, Region, Submission};
//! use std::sync::Arc;
//!
//! let link = Link::Separate { latency: 1e-6, up: 1e9, down: 1e9 };
//! let fake = Fake::new(Spec { name: "slow link".into(), link, ..Spec::default() });
//! let host = Arc::new(HostBlock::zeroed(4000).unwrap());
//! let memory = fake.allocate(4000)?;
//! let upload = Command::Upload { from: Region::host(&host, 0..4000), to: Region::device(memory, 0..4000) };
//! // SAFETY: nothing else touches the block.
//! fake.submit(unsafe { Submission::new(vec![upload]) })?;
//! assert_eq!(fake.counters().uploaded_bytes, 4000);
//! assert!((fake.clock().now() - 5e-6).abs() < 1e-12);
//! # Ok::<(), warpweft_hal::Error>(())
//! ```
//!
//! | file | what |
//! |---|---|
//! | `spec.rs` | what the device pretends to be |
//! | `device.rs` | [`Fake`]: the contract of a device, submissions and fences |
//! | `execute.rs` | what commands do, and how long that takes |
//! | `check.rs` | the contract as checks |
//! | `memory.rs` | allocations, their bytes, and which words were ever written |
//! | `kernels.rs` | loaded kernels, and how they run for real |
//! | `faults.rs` | what is to go wrong, and when |
//! | `log.rs` | what was done, as data |
//! | `clock.rs` | virtual time and seeded noise |

mod check;
mod clock;
mod device;
mod execute;
mod faults;
mod kernels;
mod log;
mod memory;
mod spec;

pub use clock::Clock;
pub use device::Fake;
pub use log::{Counters, Entry, Event, Place, Reader, UndefinedRead};
pub use spec::{CostModel, Link, Spec, Work};
