//! Kernels as structured SSA, and what can be known about them.
//!
//! Knows nothing of lanes, threads or machines: the planner and the compiler share what is found here.

mod affine;
pub mod arithmetic;
pub mod barriers;
mod build;
pub mod cost;
pub mod footprint;
pub mod ir;
pub mod orders;
mod print;
pub mod ranges;
pub mod uniformity;
mod unsupported;
mod verify;

pub use build::Limits;
pub use unsupported::Unsupported;
pub use verify::verify;
