//! Scientific kernels, written once in WGSL, run where they finish first: on a GPU or on the CPU.
//!
//! A [`Runtime`] finds the devices. A [`Kernel`] is a WGSL compute entry point; its bindings are bound by name to
//! [`Buffer`]s, whose bytes are wherever they are needed. For every launch a planner predicts when each device would
//! be done, missing bytes included, and chooses; the [`Report`] says where the launch ran and why.
//!
//! ```
//! use warpweft::prelude::*;
//!
//! fn main() -> warpweft::Result<()> {
//!     let rt = Runtime::new()?;
//!     let saxpy = rt.kernel(
//!         "@group(0) @binding(0) var<storage, read> x: array<f32>;
//!          @group(0) @binding(1) var<storage, read_write> y: array<f32>;
//!          @group(0) @binding(2) var<uniform> a: f32;
//!          @compute @workgroup_size(64) fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
//!              y[id.x] = a * x[id.x] + y[id.x];
//!          }",
//!     )?;
//!     let x = rt.buffer(vec![1.0f32; 1000])?;
//!     let y = rt.buffer(vec![2.0f32; 1000])?;
//!     let report = saxpy.launch().bind("x", &x).bind("y", &y).set("a", 3.0f32).run()?;
//!     println!("{report}");
//!     assert_eq!(y.read()?[999], 5.0);
//!     Ok(())
//! }
//! ```

mod buffer;
mod builder;
mod calibrate;
mod devices;
#[cfg(feature = "gpu")]
mod discover;
mod element;
mod error;
mod graph;
mod kernel;
mod launch;
mod ledger;
mod placement;
mod planner;
mod runtime;
mod stats;

pub use buffer::{AnyBuffer, Bindable, Buffer, Snapshot, View};
pub use builder::Builder;
pub use element::ElementType;
pub use error::{Error, Result};
pub use kernel::{Kernel, Module, ModuleBuilder};
pub use launch::{Flow, Launch, Launcher, Prepared, Report, Settable, Steps, StepsReport};
pub use placement::Placement;
pub use planner::{Calibration, Candidate, Exclusion, LinkRates, Plan, Prediction, Rates, Source, Verdict};
pub use runtime::Runtime;
pub use stats::{LinkStats, Stats};

#[cfg(feature = "cpu")]
pub use warpweft_cpu::{CpuPath, Generator};

/// The contract of devices, for those who bring their own.
pub use warpweft_hal as hal;
pub use warpweft_hal::{DeviceInfo, DeviceKind, Grid, NativeArguments, Path, Timing, TimingSource};
pub use warpweft_module::{Interface, Scalar};

/// What nearly every program needs.
pub mod prelude {
    pub use crate::{Buffer, Flow, Kernel, NativeArguments, Placement, Report, Runtime, Scalar};
}

/// The README's samples, compiled and run with the other doc-tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
