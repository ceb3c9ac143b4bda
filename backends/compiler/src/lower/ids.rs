//! What an invocation is given: its ids, from what the code around the gang knows.

use super::Gang;
use warpweft_ssa::ir::Builtin;
use warpweft_vector::ir::{Binary, Kind, Value};

/// The ids of a gang, as scalars (`I32`); of evenly spaced lanes, the first lane's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) workgroups: [Value; 3],
    /// Where they are the gang's: else they follow from `global`.
    pub(crate) workgroup: Option<[Value; 3]>,
    pub(crate) lanes: Position,
    pub(crate) size: [u32; 3],
}

/// Where the lanes of a gang are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Position {
    /// Consecutive along x: the first lane's global id; its local id, where lanes stay in one workgroup.
    Row { global: [Value; 3], local: Option<[Value; 3]> },
    /// Consecutive in a workgroup: the first lane's local index. The ids are worked out lane by lane.
    Index { first: Value },
}

impl Gang<'_> {
    /// A builtin, in the form that its shape wants.
    pub(super) fn builtin(&mut self, builtin: Builtin, scalar: bool) -> Value {
        let width = u32::from(self.b.lanes());
        let [sx, sy, sz] = self.ids.size;
        let invocations = sx * sy * sz;
        match builtin {
            Builtin::NumWorkgroups(axis) => self.shaped(self.ids.workgroups[usize::from(axis)], 0, scalar),
            Builtin::SubgroupSize => self.plain(width, scalar),
            Builtin::NumSubgroups => self.plain(invocations.div_ceil(width), scalar),
            Builtin::WorkgroupId(axis) => self.workgroup_id(axis, scalar),
            Builtin::GlobalId(axis) => self.global_id(axis, scalar),
            Builtin::LocalId(axis) => self.local_id(axis, scalar),
            Builtin::LocalIndex => self.local_index(scalar),
            Builtin::SubgroupInvocationId => {
                let zero = self.b.i32(0);
                self.shaped(zero, 1, scalar)
            }
            Builtin::SubgroupId => {
                let index = self.first_index();
                let id = self.divided(index, width);
                self.shaped(id, 0, scalar)
            }
        }
    }

    fn plain(&mut self, number: u32, scalar: bool) -> Value {
        let value = self.b.i32(number);
        self.shaped(value, 0, scalar)
    }

    /// The first lane's value in the form that is wanted.
    fn shaped(&mut self, first: Value, step: i64, scalar: bool) -> Value {
        if scalar || self.b.lanes() == 1 {
            return first;
        }
        let vector = self.b.splat(first);
        if step == 0 {
            return vector;
        }
        let steps = self.steps(Kind::I32, step);
        self.b.add(vector, steps)
    }

    /// Unsigned division by a constant.
    pub(super) fn divided(&mut self, value: Value, by: u32) -> Value {
        if by.is_power_of_two() {
            let amount = self.b.like(value, f64::from(by.trailing_zeros()));
            return self.b.shr_u(value, amount);
        }
        let by = self.b.like(value, f64::from(by));
        self.b.binary(Binary::DivU, value, by)
    }

    /// The remainder of unsigned division by a constant.
    pub(super) fn remaining(&mut self, value: Value, by: u32) -> Value {
        if by.is_power_of_two() {
            let mask = self.b.like(value, f64::from(by - 1));
            return self.b.and(value, mask);
        }
        let by = self.b.like(value, f64::from(by));
        self.b.binary(Binary::RemU, value, by)
    }

    fn global_id(&mut self, axis: u8, scalar: bool) -> Value {
        let at = usize::from(axis);
        match self.ids.lanes {
            Position::Row { global, .. } => self.shaped(global[at], i64::from(axis == 0), scalar),
            Position::Index { .. } => {
                let local = self.local_id(axis, scalar);
                let workgroup = self.workgroup_id(axis, scalar);
                let size = self.b.like(workgroup, f64::from(self.ids.size[at]));
                let start = self.b.binary(Binary::Mul, workgroup, size);
                self.b.add(start, local)
            }
        }
    }

    fn workgroup_id(&mut self, axis: u8, scalar: bool) -> Value {
        let at = usize::from(axis);
        if let Some(workgroup) = self.ids.workgroup {
            return self.shaped(workgroup[at], 0, scalar);
        }
        let global = self.global_id(axis, scalar);
        self.divided(global, self.ids.size[at])
    }

    fn local_id(&mut self, axis: u8, scalar: bool) -> Value {
        let at = usize::from(axis);
        match self.ids.lanes {
            Position::Row { local: Some(local), .. } => self.shaped(local[at], i64::from(axis == 0), scalar),
            Position::Row { local: None, .. } => {
                let global = self.global_id(axis, scalar);
                self.remaining(global, self.ids.size[at])
            }
            Position::Index { first } => {
                let index = self.shaped(first, 1, scalar);
                let [sx, sy, _] = self.ids.size;
                match axis {
                    0 => self.remaining(index, sx),
                    1 => {
                        let row = self.divided(index, sx);
                        self.remaining(row, sy)
                    }
                    _ => self.divided(index, sx * sy),
                }
            }
        }
    }

    fn local_index(&mut self, scalar: bool) -> Value {
        match self.ids.lanes {
            Position::Index { first } => self.shaped(first, 1, scalar),
            Position::Row { local: Some(_), .. } => {
                let first = self.first_index();
                self.shaped(first, 1, scalar)
            }
            Position::Row { local: None, .. } => {
                let [x, y, z] = [0, 1, 2].map(|axis| self.local_id(axis, scalar));
                self.linear([x, y, z])
            }
        }
    }

    /// The local index of local ids.
    fn linear(&mut self, [x, y, z]: [Value; 3]) -> Value {
        let [sx, sy, _] = self.ids.size;
        let depth = self.b.like(z, f64::from(sy));
        let z = self.b.binary(Binary::Mul, z, depth);
        let y = self.b.add(z, y);
        let width = self.b.like(y, f64::from(sx));
        let y = self.b.binary(Binary::Mul, y, width);
        self.b.add(y, x)
    }

    /// The local index of the first lane.
    fn first_index(&mut self) -> Value {
        match self.ids.lanes {
            Position::Index { first } => first,
            Position::Row { local: Some(local), .. } => self.linear(local),
            Position::Row { local: None, global } => {
                let sizes = self.ids.size;
                let local = [0, 1, 2].map(|axis| self.remaining(global[axis], sizes[axis]));
                self.linear(local)
            }
        }
    }
}
