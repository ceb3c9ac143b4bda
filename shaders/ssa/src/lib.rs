//! Kernels as structured SSA, and what can be known about them.
//!
//! Knows nothing of lanes, threads or machines: the planner and the compiler share what is found here.

pub mod ir;
pub mod uniformity;
