//! Reads WGSL: joins sources, parses, validates, explains what is wrong, reflects, specialises.
//!
//! A [`Module`] is WGSL that was accepted; a [`Kernel`] is one of its compute entry points with every override
//! fixed: what devices compile and interpreters run. This crate knows nothing of devices, memory or launches.
//! naga's types are reachable only through [`Kernel::naga`], for the crates that execute or translate WGSL.

mod axes;
mod constants;
mod cost;
mod dump;
mod error;
mod explain;
mod extent;
mod guards;
mod half;
mod interface;
mod kernel;
mod layout;
mod lines;
mod module;
mod needs;
mod prune;
mod quirks;
mod reflect;
mod refuse;
mod scan;
mod shelter;
mod source;
mod trips;
mod types;
mod walk;
mod wording;

pub use error::{Diagnostic, ModuleError};
pub use interface::{Access, Binding, Cost, Features, Interface, Override, Space};
pub use kernel::{Hash, Kernel};
pub use module::Module;
pub use source::{Location, Source};
pub use types::{Member, Scalar, Type};
