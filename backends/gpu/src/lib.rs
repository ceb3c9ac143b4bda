//! GPUs as devices, through wgpu: real hardware, and graphics APIs executed on the CPU.
//!
//! [`devices`] finds what is there; [`Found::open`] gives a [`Gpu`], which is a [`Device`](warpweft_hal::Device).
//! Inside: `adapter` (finding), `kernels` and `rewrite` (loading), `memory`, `staging` and `values` (bytes),
//! `encode`, `physical`, `binds` and `fill` (lists), `flight` and `stamps` (completion and times), `fault` (whatever
//! goes wrong), `probe` (what drivers do wrong in silence). No wgpu type leaves this crate, unless the feature `interop` lets a user hand in a device.
//! It knows nothing of buffers that move, of planning, or of other devices.

mod adapter;
mod binds;
mod device;
mod encode;
mod fault;
mod fill;
mod flight;
mod kernels;
mod memory;
mod physical;
mod probe;
mod rewrite;
mod settings;
mod staging;
mod stamps;
mod values;

pub use adapter::{Found, devices};
pub use device::Gpu;
pub use settings::{Settings, Timestamps};
#[cfg(feature = "interop")]
pub use wgpu;
