//! The vector IR of Warpweft's CPU compiler: kernels as programs over lanes.
//!
//! Knows neither WGSL nor any machine: what comes in was lowered from SSA, what goes out is for a code generator.

pub mod ir;
pub mod legalise;

mod builder;
mod machine;

pub use builder::Builder;
pub use machine::{Machine, MachineCode, Refusal};
