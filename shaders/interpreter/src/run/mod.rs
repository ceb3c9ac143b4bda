//! One workgroup in lockstep: every step is executed for all active lanes before the next.
//!
//! Divergent control flow is masks. Both sides of a branch run, each for its lanes; a loop runs until no lane is left
//! in it; lanes that return, break or continue are taken out of the mask until control flow meets them again. Barriers
//! thereby need no scheduling: it is enough to look whether everyone is there.

mod address;
mod atomic;
mod load;
mod store;

use crate::column::Args;
use crate::fault::Fault;
use crate::mask::Mask;
use crate::program::{Launch, Program};
use crate::step::{Case, Exits, Initial, Routine, Slot, Step};
use naga::{BuiltIn, Span};
use std::ops::Range;

/// After so many rounds of loops the launch is asked whether it was cancelled.
const ROUNDS_BETWEEN_POLLS: u32 = 256;

/// A workgroup on its way.
pub(crate) struct Run<'a> {
    program: &'a Program,
    launch: &'a Launch<'a>,
    /// `workgroup_id`.
    workgroup: [u32; 3],
    /// Entries of a column.
    height: usize,
    columns: &'a mut [u32],
    /// Workgroup memory.
    words: &'a mut [u32],
    /// Masks that nobody uses now.
    masks: &'a mut Vec<Mask>,
    /// Lanes that take part: those that overhang the grid's `over` never do.
    taking_part: Mask,
    /// Lanes that have returned, one mask per active function; the entry point's are done for good.
    returned: Vec<Mask>,
    /// Lanes on their way to the continuing block, one mask per active loop.
    continued: Vec<Mask>,
    rounds: u32,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        program: &'a Program,
        launch: &'a Launch<'a>,
        workgroup: [u32; 3],
        columns: &'a mut [u32],
        words: &'a mut [u32],
        masks: &'a mut Vec<Mask>,
    ) -> Self {
        let height = program.height();
        Run {
            program,
            launch,
            workgroup,
            height,
            columns,
            words,
            masks,
            taking_part: Mask::default(),
            returned: Vec::new(),
            continued: Vec::new(),
            rounds: 0,
        }
    }

    /// Runs the entry point.
    pub(crate) fn run(mut self) -> Result<(), Fault> {
        let mut mask = self.take_mask();
        self.overhang(&mut mask);
        if mask.is_empty() {
            return Ok(());
        }
        self.taking_part.copy_from(&mask);
        let program = self.program;
        for &(slot, builtin) in &program.builtins {
            self.fill_builtin(slot, builtin);
        }
        self.initialise(&program.privates);
        self.function(&program.entry, &mut mask)?;
        self.masks.push(mask);
        Ok(())
    }

    /// `global_invocation_id` of a lane.
    fn global_id(&self, lane: usize) -> [u32; 3] {
        let size = self.program.workgroup_size;
        let local = self.local_id(lane);
        std::array::from_fn(|axis| {
            self.workgroup[axis]
                .wrapping_mul(size[axis])
                .wrapping_add(local[axis])
        })
    }

    fn local_id(&self, lane: usize) -> [u32; 3] {
        let [x, y, _] = self.program.workgroup_size;
        let lane = lane as u32;
        [lane % x, lane / x % y, lane / (x * y)]
    }

    /// The lanes that lie within the grid's `over`.
    fn overhang(&self, mask: &mut Mask) {
        let (lanes, size) = (self.program.lanes, self.program.workgroup_size);
        let Some(over) = self.launch.grid.over else {
            return mask.set(self.height, |lane| lane < lanes);
        };
        let end = |axis: usize| (u64::from(self.workgroup[axis]) + 1) * u64::from(size[axis]);
        if (0..3).all(|axis| end(axis) <= u64::from(over[axis])) {
            return mask.set(self.height, |lane| lane < lanes);
        }
        mask.set(self.height, |lane| {
            let local = self.local_id(lane.min(lanes - 1));
            let inside = |axis: usize| {
                let start = u64::from(self.workgroup[axis]) * u64::from(size[axis]);
                start + u64::from(local[axis]) < u64::from(over[axis])
            };
            lane < lanes && (0..3).all(inside)
        });
    }

    fn fill_builtin(&mut self, slot: Slot, builtin: BuiltIn) {
        let subgroup = self.launch.subgroup_size as usize;
        let (lanes, workgroup) = (self.program.lanes, self.workgroup);
        let uniform = |value: [u32; 3]| move |_: usize| value;
        match builtin {
            BuiltIn::GlobalInvocationId => {
                // PERF: most launches are rows along x, whose ids count up; 20 % of saxpy.
                let [x, y, z] = self.program.workgroup_size;
                if y == 1 && z == 1 {
                    let start = workgroup[0].wrapping_mul(x);
                    self.fill(slot, |lane| {
                        [start.wrapping_add(lane as u32), workgroup[1], workgroup[2]]
                    });
                } else {
                    let ids: Vec<[u32; 3]> = (0..self.height).map(|lane| self.global_id(lane)).collect();
                    self.fill(slot, |lane| ids[lane]);
                }
            }
            BuiltIn::LocalInvocationId => {
                let [x, y, _] = self.program.workgroup_size;
                self.fill(slot, |lane| {
                    let lane = lane as u32;
                    [lane % x, lane / x % y, lane / (x * y)]
                });
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

    fn take_mask(&mut self) -> Mask {
        self.masks.pop().unwrap_or_default()
    }

    fn give_mask(&mut self, mask: Mask) {
        self.masks.push(mask);
    }

    /// Runs a function whose arguments are in place; the mask is used up.
    fn function(&mut self, routine: &'a Routine, mask: &mut Mask) -> Result<(), Fault> {
        self.initialise(&routine.variables);
        let mut returned = self.take_mask();
        returned.clear(self.height);
        self.returned.push(returned);
        self.block(&routine.body, mask)?;
        if let Some(returned) = self.returned.pop() {
            self.give_mask(returned);
        }
        Ok(())
    }

    /// Runs a block; afterwards the mask holds the lanes that reached its end.
    fn block(&mut self, steps: &'a [Step], mask: &mut Mask) -> Result<(), Fault> {
        for step in steps {
            if mask.is_empty() {
                return Ok(());
            }
            self.step(step, mask)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &'a Step, mask: &mut Mask) -> Result<(), Fault> {
        match *step {
            Step::Map {
                function,
                out,
                operands,
                dims,
            } => {
                let (lower, upper) = self.columns.split_at_mut(out.start as usize * self.height);
                let height = self.height;
                let column = |slot: Slot| &lower[slot.start as usize * height..slot.end() as usize * height];
                let args = Args {
                    operands: operands.map(column),
                    mask: mask.lanes(),
                    full: mask.active() == self.program.lanes,
                    dims,
                    subgroup_size: self.launch.subgroup_size as usize,
                };
                function(&mut upper[..out.columns as usize * height], &args);
            }
            Step::Copy { out, from } => self.copy(out, from),
            Step::Element {
                out,
                base,
                index,
                count,
                ref leaves,
            } => {
                self.element(out, base, index, count, leaves, mask);
            }
            Step::ElementAddress {
                out,
                base,
                index,
                signed,
                limit,
                stride,
            } => {
                self.element_address(out, base, index, signed, limit, stride);
            }
            Step::Pointer { out, address } => self.pointer(out, address),
            Step::ArrayLength {
                out,
                binding,
                offset,
                stride,
            } => {
                let length = self.array_length(binding, offset, stride);
                let range = self.range(out);
                self.columns[range].fill(length);
            }
            Step::Load {
                out,
                address,
                ref leaves,
                atomic,
            } => self.load(out, address, leaves, atomic, mask),
            Step::Store {
                address,
                value,
                ref leaves,
                atomic,
            } => {
                self.store(address, value, leaves, atomic, mask);
            }
            Step::Atomic {
                out,
                address,
                value,
                leaf,
                function,
            } => {
                self.atomic(out, address, value, leaf, function, mask);
            }
            Step::If {
                condition,
                ref accept,
                ref reject,
            } => self.branch(condition, accept, reject, mask)?,
            Step::Switch {
                selector,
                ref cases,
                exits,
            } => self.switch(selector, cases, exits, mask)?,
            Step::Loop {
                ref body,
                ref continuing,
                break_if,
                exits,
            } => {
                self.repeat(body, continuing, break_if, exits, mask)?;
            }
            Step::Break => mask.clear(self.height),
            Step::Continue => {
                if let Some(continued) = self.continued.last_mut() {
                    continued.add(mask);
                }
                mask.clear(self.height);
            }
            Step::Return => {
                if let Some(returned) = self.returned.last_mut() {
                    returned.add(mask);
                }
                mask.clear(self.height);
            }
            Step::Call {
                function,
                ref arguments,
                out,
            } => self.call(function, arguments, out, mask)?,
            Step::Barrier { span } => self.barrier(span, mask)?,
            Step::SubgroupBarrier { span } => self.subgroup_barrier(span, mask)?,
            Step::UniformLoad {
                out,
                address,
                ref leaves,
                atomic,
                span,
            } => {
                self.barrier(span, mask)?;
                if !self.uniform(address, mask) {
                    return Err(Fault::NonUniformLoad {
                        location: self.program.kernel.locate(span),
                        kernel: self.entry_name(),
                        workgroup: self.workgroup,
                    });
                }
                self.load(out, address, leaves, atomic, mask);
            }
        }
        Ok(())
    }

    fn branch(
        &mut self,
        condition: Slot,
        accept: &'a [Step],
        reject: &'a [Step],
        mask: &mut Mask,
    ) -> Result<(), Fault> {
        let mut accepted = self.take_mask();
        accepted.set_where(mask, self.column(condition));
        if accepted.active() == mask.active() {
            self.give_mask(accepted);
            return self.block(accept, mask);
        }
        if accepted.is_empty() {
            self.give_mask(accepted);
            return self.block(reject, mask);
        }
        // The rest of the mask are the rejected.
        mask.remove(&accepted);
        self.block(accept, &mut accepted)?;
        self.block(reject, mask)?;
        mask.add(&accepted);
        self.give_mask(accepted);
        Ok(())
    }

    fn switch(
        &mut self,
        selector: Slot,
        cases: &'a [Case],
        exits: Exits,
        mask: &mut Mask,
    ) -> Result<(), Fault> {
        let (mut chosen, mut default, mut current) = (self.take_mask(), self.take_mask(), self.take_mask());
        default.copy_from(mask);
        for value in cases.iter().filter_map(|case| case.value) {
            chosen.set_equal(mask, self.column(selector), value);
            default.remove(&chosen);
        }
        current.clear(self.height);
        for case in cases {
            // Lanes that fell through from the case before are still in `current`.
            match case.value {
                Some(value) => chosen.set_equal(mask, self.column(selector), value),
                None => chosen.copy_from(&default),
            }
            current.add(&chosen);
            self.block(&case.body, &mut current)?;
            if !case.fall_through {
                current.clear(self.height);
            }
        }
        // Everyone meets here but those who went further out.
        self.remove_gone(exits, mask);
        [chosen, default, current]
            .into_iter()
            .for_each(|mask| self.give_mask(mask));
        Ok(())
    }

    /// Takes out the lanes that have left a statement for somewhere else than its end.
    fn remove_gone(&self, exits: Exits, mask: &mut Mask) {
        if exits.returns
            && let Some(returned) = self.returned.last()
        {
            mask.remove(returned);
        }
        if exits.continues
            && let Some(continued) = self.continued.last()
        {
            mask.remove(continued);
        }
    }

    fn repeat(
        &mut self,
        body: &'a [Step],
        continuing: &'a [Step],
        break_if: Option<Slot>,
        exits: Exits,
        mask: &mut Mask,
    ) -> Result<(), Fault> {
        let mut inside = self.take_mask();
        inside.copy_from(mask);
        let mut continued = self.take_mask();
        continued.clear(self.height);
        self.continued.push(continued);
        while !inside.is_empty() {
            self.block(body, &mut inside)?;
            if exits.continues
                && let Some(continued) = self.continued.last_mut()
            {
                inside.add(continued);
                continued.clear(self.height);
            }
            self.block(continuing, &mut inside)?;
            if let Some(condition) = break_if
                && !inside.is_empty()
            {
                inside.remove_where(self.column(condition));
            }
            self.poll()?;
        }
        if let Some(continued) = self.continued.pop() {
            self.give_mask(continued);
        }
        self.give_mask(inside);
        self.remove_gone(
            Exits {
                continues: false,
                ..exits
            },
            mask,
        );
        Ok(())
    }

    fn poll(&mut self) -> Result<(), Fault> {
        self.rounds += 1;
        if self.rounds >= ROUNDS_BETWEEN_POLLS {
            self.rounds = 0;
            if (self.launch.cancelled)() {
                return Err(Fault::Cancelled {
                    kernel: self.entry_name(),
                    workgroup: self.workgroup,
                });
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        function: usize,
        arguments: &[Slot],
        out: Option<Slot>,
        mask: &Mask,
    ) -> Result<(), Fault> {
        let program = self.program;
        let routine = &program.routines[function];
        for (&out, &from) in routine.arguments.iter().zip(arguments) {
            self.copy(out, from);
        }
        let mut inside = self.take_mask();
        inside.copy_from(mask);
        self.function(routine, &mut inside)?;
        self.give_mask(inside);
        if let (Some(out), Some(result)) = (out, routine.result) {
            self.copy(out, result);
        }
        Ok(())
    }

    fn entry_name(&self) -> String {
        self.program.kernel.interface().entry.clone()
    }

    /// Lanes that the entry point has not let go.
    fn running(&mut self) -> Mask {
        let mut running = self.take_mask();
        running.copy_from(&self.taking_part);
        if let Some(done) = self.returned.first() {
            running.remove(done);
        }
        running
    }

    fn barrier(&mut self, span: Span, mask: &Mask) -> Result<(), Fault> {
        if mask.active() == self.program.lanes {
            return Ok(());
        }
        let running = self.running();
        let count = running.active();
        self.give_mask(running);
        // The mask is always a part of the running lanes.
        if mask.active() == count {
            Ok(())
        } else {
            Err(self.divergent(span, mask.active(), count))
        }
    }

    fn subgroup_barrier(&mut self, span: Span, mask: &Mask) -> Result<(), Fault> {
        let size = self.launch.subgroup_size as usize;
        let running = self.running();
        for (here, all) in mask.lanes().chunks(size).zip(running.lanes().chunks(size)) {
            let count = |lanes: &[u32]| lanes.iter().filter(|&&lane| lane != 0).count();
            let (reached, running) = (count(here), count(all));
            if reached != 0 && reached != running {
                return Err(self.divergent(span, reached, running));
            }
        }
        self.give_mask(running);
        Ok(())
    }

    fn divergent(&self, span: Span, reached: usize, running: usize) -> Fault {
        Fault::DivergentBarrier {
            location: self.program.kernel.locate(span),
            kernel: self.entry_name(),
            workgroup: self.workgroup,
            reached,
            running,
        }
    }
}
