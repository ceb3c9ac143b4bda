//! What Warpweft's CPU paths are measured against, and how: rivals, limits of the machine, sessions, tables.
//!
//! `benches/cpu.rs` puts these together. Nothing here knows how kernels are compiled; a device is driven through the
//! runtime as any user would.

#[cfg(target_arch = "x86_64")]
pub mod by_hand;
pub mod compile;
pub mod device;
pub mod findings;
pub mod idiomatic;
pub mod lanes;
pub mod limits;
pub mod long_kernel;
#[cfg(feature = "opencl")]
pub mod opencl;
pub mod pages;
pub mod rival;
pub mod session;
pub mod spread;
pub mod table;
