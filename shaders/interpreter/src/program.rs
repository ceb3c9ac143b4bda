//! The public face: a prepared kernel, what a launch consists of, and running one workgroup of it.
//!
//! Knows no threads: callers run workgroups from as many as they like, one [`Scratch`] each.

use crate::decode::{self, Builtins, Constant};
use crate::fault::{Fault, Unsupported};
use crate::mask::Masks;
use crate::memory::Memory;
use crate::run::Run;
use crate::step::{Initial, Routine};
use warpweft_module::Kernel;

/// Bindings beyond this many bytes cannot be addressed.
pub const MOST_BINDING_BYTES: u64 = u32::MAX as u64 - 3;

/// A kernel prepared for execution.
pub struct Program {
    /// Tells whose constants a scratch holds.
    pub(crate) id: u64,
    pub(crate) kernel: Kernel,
    pub(crate) workgroup_size: [u32; 3],
    /// Invocations of a workgroup.
    pub(crate) lanes: usize,
    /// Columns in all.
    pub(crate) columns: usize,
    pub(crate) constants: Vec<Constant>,
    pub(crate) privates: Vec<Initial>,
    pub(crate) workgroup_words: usize,
    pub(crate) builtins: Builtins,
    pub(crate) entry: Routine,
    /// By the index of naga's function.
    pub(crate) routines: Vec<Routine>,
}

/// The workgroups of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Workgroups along x, y, z: `num_workgroups`.
    pub workgroups: [u32; 3],
    /// Invocations whose `global_invocation_id` is not below this take no effect.
    pub over: Option<[u32; 3]>,
}

/// Everything that the workgroups of one launch share.
pub struct Launch<'a> {
    /// In the order of the kernel's `interface().bindings`.
    pub bindings: &'a [Memory<'a>],
    /// The workgroups.
    pub grid: Grid,
    /// Invocations of a subgroup: a power of two from 1 to 128.
    pub subgroup_size: u32,
    /// Asked now and then, from loops and calls, whether to give up.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// What a thread needs to run workgroups: their columns and workgroup memory. Serves any program; running the same one
/// again is cheapest.
#[derive(Default)]
pub struct Scratch {
    program: u64,
    /// `u64` for the alignment of 64-bit columns.
    columns: Vec<u64>,
    workgroup: Vec<u32>,
    masks: Masks,
    /// `local_invocation_id` of each lane.
    local_ids: Vec<[u32; 3]>,
}

impl Program {
    /// Prepares a kernel.
    ///
    /// # Errors
    ///
    /// Names what the interpreter does not execute: images, ray queries, values and variables of enormous size.
    pub fn new(kernel: &Kernel) -> Result<Program, Unsupported> {
        decode::decode(kernel)
    }

    /// The kernel that was prepared.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs one workgroup to its end; `linear` counts the grid's workgroups, x fastest.
    ///
    /// # Errors
    ///
    /// See [`Fault`]. What the workgroup wrote before stays written.
    pub fn run_workgroup(
        &self,
        launch: &Launch<'_>,
        linear: u64,
        scratch: &mut Scratch,
    ) -> Result<(), Fault> {
        let workgroup = self.check(launch, linear)?;
        scratch.prepare(self);
        let columns = &mut bytemuck::cast_slice_mut(&mut scratch.columns)[..self.columns * self.height()];
        scratch.masks.reset();
        Run {
            program: self,
            launch,
            workgroup,
            height: self.height(),
            columns,
            words: &mut scratch.workgroup,
            masks: &mut scratch.masks,
            local_ids: &scratch.local_ids,
            turns: 0,
        }
        .run()
    }

    /// Entries of a column: the lanes, rounded up so that vectors and 64-bit entries come out even.
    pub(crate) fn height(&self) -> usize {
        self.lanes.next_multiple_of(8)
    }

    /// The launch fits the kernel; gives `workgroup_id`.
    fn check(&self, launch: &Launch<'_>, linear: u64) -> Result<[u32; 3], Fault> {
        let interface = self.kernel.interface();
        if launch.bindings.len() != interface.bindings.len() {
            return Err(Fault::Bindings {
                kernel: interface.entry.clone(),
                expected: interface.bindings.len(),
                given: launch.bindings.len(),
            });
        }
        for (binding, memory) in interface.bindings.iter().zip(launch.bindings) {
            if memory.bytes() > MOST_BINDING_BYTES {
                return Err(Fault::BindingTooLarge {
                    kernel: interface.entry.clone(),
                    binding: binding.name.clone(),
                    bytes: memory.bytes(),
                });
            }
        }
        if !launch.subgroup_size.is_power_of_two() || launch.subgroup_size > 128 {
            return Err(Fault::SubgroupSize(launch.subgroup_size));
        }
        let workgroups = launch.grid.workgroups;
        let [x, y, z] = workgroups.map(u64::from);
        let all = u128::from(x) * u128::from(y) * u128::from(z);
        if u128::from(linear) >= all {
            return Err(Fault::OutsideGrid { linear, workgroups });
        }
        Ok([linear % x, linear / x % y, linear / x / y].map(|n| n as u32))
    }
}

impl Scratch {
    /// Makes room, and fills the constants where another program ran before.
    fn prepare(&mut self, program: &Program) {
        self.workgroup.clear();
        self.workgroup.resize(program.workgroup_words, 0);
        if self.program == program.id {
            return;
        }
        let height = program.height();
        let needed = (program.columns * height).div_ceil(2);
        if self.columns.len() < needed {
            self.columns.resize(needed, 0);
        }
        let columns: &mut [u32] = bytemuck::cast_slice_mut(&mut self.columns);
        for constant in &program.constants {
            let start = constant.column as usize * height;
            if constant.value.wide {
                let words: &mut [u64] = bytemuck::cast_slice_mut(&mut columns[start..start + 2 * height]);
                words.fill(constant.value.bits);
            } else {
                columns[start..start + height].fill(constant.value.bits as u32);
            }
        }
        let [x, y, _] = program.workgroup_size;
        self.local_ids.clear();
        self.local_ids.extend((0..height as u32).map(|lane| [lane % x, lane / x % y, lane / x / y]));
        self.program = program.id;
    }
}
