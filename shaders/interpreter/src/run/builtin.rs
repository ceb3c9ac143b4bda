//! Who an invocation is: built-in inputs, and whether it lies within the grid at all.

use super::Run;
use crate::mask::Mask;
use crate::step::Slot;
use naga::BuiltIn;

impl Run<'_> {
    /// The lanes that lie within the grid's `over`.
    pub(super) fn overhang(&self, mask: &mut Mask) {
        let (lanes, size) = (self.program.lanes, self.program.workgroup_size);
        let Some(over) = self.launch.grid.over else {
            return mask.set(self.height, |lane| lane < lanes);
        };
        let end = |axis: usize| (u64::from(self.workgroup[axis]) + 1) * u64::from(size[axis]);
        if (0..3).all(|axis| end(axis) <= u64::from(over[axis])) {
            return mask.set(self.height, |lane| lane < lanes);
        }
        mask.set(self.height, |lane| {
            let local = self.local_ids[lane];
            let inside = |axis: usize| {
                let start = u64::from(self.workgroup[axis]) * u64::from(size[axis]);
                start + u64::from(local[axis]) < u64::from(over[axis])
            };
            lane < lanes && (0..3).all(inside)
        });
    }

    pub(super) fn fill_builtin(&mut self, slot: Slot, builtin: BuiltIn) {
        let subgroup = self.launch.subgroup_size as usize;
        let (lanes, workgroup) = (self.program.lanes, self.workgroup);
        let uniform = |value: [u32; 3]| move |_: usize| value;
        match builtin {
            BuiltIn::GlobalInvocationId => {
                let size = self.program.workgroup_size;
                let start: [u32; 3] = std::array::from_fn(|axis| workgroup[axis].wrapping_mul(size[axis]));
                let local_ids = self.local_ids;
                self.fill(slot, |lane| {
                    std::array::from_fn(|axis| start[axis].wrapping_add(local_ids[lane][axis]))
                });
            }
            BuiltIn::LocalInvocationId => {
                let local_ids = self.local_ids;
                self.fill(slot, |lane| local_ids[lane]);
            }
            BuiltIn::LocalInvocationIndex => self.fill(slot, |lane| [lane as u32, 0, 0]),
            BuiltIn::WorkGroupId => self.fill(slot, uniform(workgroup)),
            BuiltIn::WorkGroupSize => self.fill(slot, uniform(self.program.workgroup_size)),
            BuiltIn::NumWorkGroups => self.fill(slot, uniform(self.launch.grid.workgroups)),
            BuiltIn::NumSubgroups => self.fill(slot, uniform([lanes.div_ceil(subgroup) as u32; 3])),
            BuiltIn::SubgroupId => self.fill(slot, |lane| [(lane / subgroup) as u32; 3]),
            BuiltIn::SubgroupSize => self.fill(slot, uniform([subgroup as u32; 3])),
            BuiltIn::SubgroupInvocationId => self.fill(slot, |lane| [(lane % subgroup) as u32; 3]),
            // No other is an input of a compute kernel.
            _ => self.fill(slot, uniform([0; 3])),
        }
    }

    /// Writes component `c` of `value(lane)` to column `c`.
    fn fill(&mut self, slot: Slot, value: impl Fn(usize) -> [u32; 3]) {
        let (range, height) = (self.range(slot), self.height);
        for (c, column) in self.columns[range].chunks_exact_mut(height).enumerate() {
            for (lane, out) in column.iter_mut().enumerate() {
                *out = value(lane)[c];
            }
        }
    }
}
