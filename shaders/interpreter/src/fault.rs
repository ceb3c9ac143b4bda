//! What can go wrong: kernels that the interpreter does not run, and launches that stop.
//!
//! Out-of-bounds accesses and races are no faults: reads give zero, writes are dropped.

use std::fmt;
use warpweft_module::Location;

/// A kernel uses something that the interpreter does not execute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}the CPU cannot run {what}", At(location))]
pub struct Unsupported {
    /// What it uses.
    pub what: String,
    /// Where.
    pub location: Option<Location>,
}

/// Why a workgroup was not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Some invocations reached a barrier while others, which have not returned from the kernel, were elsewhere.
    #[error(
        "{}workgroup {}: {reached} of {running} running invocations of kernel `{kernel}` reached this barrier; all \
         must (move it out of the non-uniform branch or loop)",
        At(location),
        Triple(workgroup)
    )]
    DivergentBarrier {
        /// Where the barrier stands.
        location: Option<Location>,
        /// The kernel's entry point.
        kernel: String,
        /// `workgroup_id`.
        workgroup: [u32; 3],
        /// Invocations that are there.
        reached: usize,
        /// Invocations that have not returned.
        running: usize,
    },
    /// `workgroupUniformLoad` with a pointer that differs between invocations.
    #[error(
        "{}workgroup {}: invocations of kernel `{kernel}` pass different pointers to workgroupUniformLoad; it needs \
         the same one from all",
        At(location),
        Triple(workgroup)
    )]
    NonUniformLoad {
        /// Where the call stands.
        location: Option<Location>,
        /// The kernel's entry point.
        kernel: String,
        /// `workgroup_id`.
        workgroup: [u32; 3],
    },
    /// The launch was cancelled.
    #[error("kernel `{kernel}` was cancelled in workgroup {}", Triple(workgroup))]
    Cancelled {
        /// The kernel's entry point.
        kernel: String,
        /// `workgroup_id`.
        workgroup: [u32; 3],
    },
    /// The launch gives another number of bindings than the kernel has.
    #[error("kernel `{kernel}` has {expected} bindings and the launch gives {given}")]
    Bindings {
        /// The kernel's entry point.
        kernel: String,
        /// How many the kernel has.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// A binding is longer than addresses reach.
    #[error(
        "kernel `{kernel}`: binding `{binding}` has {bytes} bytes; the CPU addresses {} of one binding (bind a part \
         of it)",
        crate::MOST_BINDING_BYTES
    )]
    BindingTooLarge {
        /// The kernel's entry point.
        kernel: String,
        /// The binding's name.
        binding: String,
        /// Its length.
        bytes: u64,
    },
    /// The subgroup size is no power of two from 1 to 128.
    #[error("a subgroup size of {0}; it must be a power of two from 1 to 128")]
    SubgroupSize(u32),
    /// The workgroup's number lies outside the grid.
    #[error("workgroup {linear} of a grid of {} workgroups", Triple(workgroups))]
    OutsideGrid {
        /// The workgroup's number.
        linear: u64,
        /// The grid.
        workgroups: [u32; 3],
    },
}

struct At<'a>(&'a Option<Location>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(location) => write!(f, "{location}: "),
            None => Ok(()),
        }
    }
}

struct Triple<'a>(&'a [u32; 3]);

impl fmt::Display for Triple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.0;
        write!(f, "({x}, {y}, {z})")
    }
}
