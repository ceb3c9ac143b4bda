//! One workgroup in lockstep: every step is executed for all active lanes before the next.
//!
//! Divergent control flow is masks. Both sides of a branch run, each for its lanes; a loop runs until no lane is left
//! in it; lanes that return, break or continue are taken out of the mask until control flow meets them again. Barriers
//! thereby need no scheduling: it is enough to look whether everyone is there.

mod address;
mod atomic;
mod barrier;
mod builtin;
mod control;
mod load;
mod store;

use crate::column::{Args, Function};
use crate::fault::Fault;
use crate::mask::{Mask, Masks};
use crate::program::{Launch, Program};
use crate::step::{Initial, Routine, Slot, Step};
use std::ops::Range;

/// A workgroup on its way.
pub(crate) struct Run<'a> {
    pub program: &'a Program,
    pub launch: &'a Launch<'a>,
    /// `workgroup_id`.
    pub workgroup: [u32; 3],
    /// Entries of a column.
    pub height: usize,
    pub columns: &'a mut [u32],
    /// Workgroup memory.
    pub words: &'a mut [u32],
    pub masks: &'a mut Masks,
    /// `local_invocation_id` of each lane.
    pub local_ids: &'a [[u32; 3]],
    /// Rounds of loops and calls since the launch was last asked whether it was cancelled.
    pub turns: u32,
}

impl<'a> Run<'a> {
    /// Runs the entry point.
    pub(crate) fn run(mut self) -> Result<(), Fault> {
        let mut mask = self.masks.take();
        self.overhang(&mut mask);
        if mask.is_empty() {
            return Ok(());
        }
        self.masks.taking_part.copy_from(&mask);
        let program = self.program;
        for &(slot, builtin) in &program.builtins {
            self.fill_builtin(slot, builtin);
        }
        self.initialise(&program.privates);
        self.function(&program.entry, &mut mask)?;
        self.masks.give(mask);
        Ok(())
    }

    /// A slot's entries.
    fn range(&self, slot: Slot) -> Range<usize> {
        slot.start as usize * self.height..slot.end() as usize * self.height
    }

    fn column(&self, slot: Slot) -> &[u32] {
        &self.columns[self.range(slot)]
    }

    fn copy(&mut self, out: Slot, from: Slot) {
        let (out, from) = (self.range(out).start, self.range(from));
        self.columns.copy_within(from, out);
    }

    fn initialise(&mut self, variables: &[Initial]) {
        for &Initial { variable, value } in variables {
            match value {
                Some(value) => self.copy(variable, value),
                None => {
                    let range = self.range(variable);
                    self.columns[range].fill(0);
                }
            }
        }
    }

    /// Runs a function whose arguments are in place; the mask is used up.
    fn function(&mut self, routine: &'a Routine, mask: &mut Mask) -> Result<(), Fault> {
        self.initialise(&routine.variables);
        let mut returned = self.masks.take();
        returned.clear(self.height);
        self.masks.returned.push(returned);
        self.block(&routine.body, mask)?;
        if let Some(returned) = self.masks.returned.pop() {
            self.masks.give(returned);
        }
        Ok(())
    }

    /// Runs a block; afterwards the mask holds the lanes that reached its end.
    fn block(&mut self, steps: &'a [Step], mask: &mut Mask) -> Result<(), Fault> {
        for step in steps {
            if mask.is_empty() {
                return Ok(());
            }
            // Blocks within blocks recurse through here: the frame of `step` is not among those that pile up.
            match *step {
                Step::If { condition, ref accept, ref reject } => {
                    self.branch(condition, accept, reject, mask)?;
                }
                Step::Switch { selector, ref cases, exits } => self.switch(selector, cases, exits, mask)?,
                Step::Loop { ref body, ref continuing, break_if, exits } => {
                    self.repeat(body, continuing, break_if, exits, mask)?;
                }
                Step::Call { function, ref arguments, out } => self.call(function, arguments, out, mask)?,
                _ => self.step(step, mask)?,
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn map(&mut self, function: Function, out: Slot, operands: &[Slot; 4], dims: [u8; 3], mask: &Mask) {
        let height = self.height;
        let (lower, upper) = self.columns.split_at_mut(out.start as usize * height);
        let column = |slot: Slot| &lower[slot.start as usize * height..][..slot.columns as usize * height];
        let [a, b, c, d] = *operands;
        let args = Args {
            operands: [column(a), column(b), column(c), column(d)],
            mask: mask.lanes(),
            full: mask.active() == self.program.lanes,
            dims,
            subgroup_size: self.launch.subgroup_size as usize,
        };
        function(&mut upper[..out.columns as usize * height], &args);
    }

    /// Runs a step that holds no others.
    // PERF: runs between every two columns, so whatever is long or rare is kept out of line.
    fn step(&mut self, step: &Step, mask: &mut Mask) -> Result<(), Fault> {
        match *step {
            Step::Map { function, out, ref operands, dims } => self.map(function, out, operands, dims, mask),
            Step::Copy { out, from } => self.copy(out, from),
            Step::Element { out, base, index, count, ref leaves } => {
                self.element(out, base, index, count, leaves, mask);
            }
            Step::ElementAddress { out, base, index, signed, limit, stride } => {
                self.element_address(out, base, index, signed, limit, stride);
            }
            Step::Pointer { out, address } => self.pointer(out, address),
            Step::ArrayLength { out, binding, offset, stride } => {
                let length = self.array_length(binding, offset, stride);
                let range = self.range(out);
                self.columns[range].fill(length);
            }
            Step::Load { out, address, ref leaves, atomic } => self.load(out, address, leaves, atomic, mask),
            Step::Store { address, value, ref leaves, atomic } => {
                self.store(address, value, leaves, atomic, mask);
            }
            Step::Atomic { out, address, value, leaf, function } => {
                self.atomic(out, address, value, leaf, function, mask);
            }
            Step::Break => mask.clear(self.height),
            Step::Continue => {
                if let Some(continued) = self.masks.continued.last_mut() {
                    continued.add(mask);
                }
                mask.clear(self.height);
            }
            Step::Return => {
                if let Some(returned) = self.masks.returned.last_mut() {
                    returned.add(mask);
                }
                mask.clear(self.height);
            }
            Step::Barrier { span } => self.barrier(span, mask)?,
            Step::SubgroupBarrier { span } => self.subgroup_barrier(span, mask)?,
            Step::UniformLoad { out, address, ref leaves, atomic, span } => {
                self.barrier(span, mask)?;
                self.check_uniform(address, span, mask)?;
                self.load(out, address, leaves, atomic, mask);
            }
            // `block` has them.
            Step::If { .. } | Step::Switch { .. } | Step::Loop { .. } | Step::Call { .. } => {}
        }
        Ok(())
    }

    fn entry_name(&self) -> String {
        self.program.kernel.interface().entry.clone()
    }
}
