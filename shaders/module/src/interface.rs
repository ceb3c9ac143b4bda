//! What a kernel shows to the outside: bindings, workgroup size, overrides, needs.
//!
//! Knows nothing of devices or of the data that will be bound.

use crate::types::{Scalar, Type};

bitflags::bitflags! {
    /// Abilities beyond core WebGPU that a kernel needs or a device has.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Features: u32 {
        /// 16-bit floats.
        const F16 = 1 << 0;
        /// 64-bit floats.
        const F64 = 1 << 1;
        /// 64-bit integers.
        const I64 = 1 << 2;
        /// 16-bit integers.
        const I16 = 1 << 3;
        /// Subgroup operations.
        const SUBGROUPS = 1 << 4;
        /// Subgroup barriers.
        const SUBGROUP_BARRIER = 1 << 5;
        /// Every atomic operation on 64-bit integers.
        const ATOMIC_I64 = 1 << 6;
        /// `atomicMin` and `atomicMax` on 64-bit integers, result unused.
        const ATOMIC_I64_MIN_MAX = 1 << 7;
        /// Atomic operations on 32-bit floats.
        const ATOMIC_F32 = 1 << 8;
    }
}

/// Where a binding lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Space {
    /// `var<uniform>`.
    Uniform,
    /// `var<storage>`.
    Storage,
}

/// What a kernel does to a binding: the declared access and the access that its code can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// Declared `read_write`.
    pub writable: bool,
    /// Some reachable code reads it (atomics read).
    pub reads: bool,
    /// Some reachable code writes it (atomics write).
    pub writes: bool,
}

/// One resource binding that the kernel uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The name of the WGSL variable.
    pub name: String,
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// Address space.
    pub space: Space,
    /// Declared and real access.
    pub access: Access,
    /// The type of the variable.
    pub ty: Type,
    /// The smallest number of bytes that may be bound.
    pub min_size: u64,
}

/// A pipeline-overridable constant.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Its name, or its `@id` in decimal where it has no name.
    pub name: String,
    /// `@id`, where given.
    pub id: Option<u16>,
    /// Its type.
    pub scalar: Scalar,
    /// Whether the source gives it an initial value.
    pub has_default: bool,
}

/// A rough static cost, per invocation: what a planner knows before it has measured anything.
///
/// Both sides of a branch on data count by half; of a branch on position and uniforms alone, as guards are, the
/// dearer side counts. A transcendental function counts as 8 operations.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Cost {
    /// Arithmetic operations (components counted; loops whose trip count is not plain count as 16 trips).
    pub operations: f64,
    /// Bytes read from storage.
    pub bytes_read: f64,
    /// Bytes written to storage.
    pub bytes_written: f64,
    /// All loop trip counts were plain constants.
    pub exact: bool,
}

/// The outside of one specialised kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// The entry point's name.
    pub entry: String,
    /// Invocations of one workgroup along x, y, z.
    pub workgroup_size: [u32; 3],
    /// The bindings that the entry point uses, ordered by (group, binding).
    pub bindings: Vec<Binding>,
    /// The module's overrides, in source order.
    pub overrides: Vec<Override>,
    /// Abilities that a device must have to run it.
    pub features: Features,
    /// Bytes of workgroup memory.
    pub workgroup_memory: u32,
    /// Bytes of the variables of one invocation, those of all functions together.
    pub private_memory: u32,
    /// It has a loop.
    pub loops: bool,
    /// It executes a barrier (`workgroupUniformLoad` is one).
    pub barriers: bool,
    /// It executes an atomic operation on storage.
    pub storage_atomics: bool,
    /// Along how many axes of the grid it looks (1 to 3): the highest axis of an id that it uses, or of its workgroup
    /// size that is above one. `None` where it uses an id as a whole, and so cannot be told.
    pub axes: Option<u32>,
    /// It reads `num_workgroups`.
    pub num_workgroups: bool,
    /// A rough static cost.
    pub cost: Cost,
}

impl Interface {
    /// The position in [`bindings`](Self::bindings) of the binding of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.bindings.iter().position(|b| b.name == name)
    }

    /// Invocations in one workgroup.
    pub fn workgroup_invocations(&self) -> u64 {
        self.workgroup_size.iter().map(|&n| u64::from(n)).product()
    }
}
