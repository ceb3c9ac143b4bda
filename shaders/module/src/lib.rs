//! Reads WGSL: joins sources, parses, validates, explains what is wrong, reflects, specialises.
//!
//! A [`Module`] is WGSL that was accepted; a [`Kernel`] is one of its compute entry points with every override
//! fixed: what devices compile and interpreters run. This crate knows nothing of devices, memory or launches.
//! naga's types are reachable only through [`Kernel::naga`], for the crates that execute or translate WGSL.

mod interface;
mod types;

pub use interface::{Access, Binding, Cost, Features, Interface, Override, Space};
pub use types::{Member, Scalar, Type};
