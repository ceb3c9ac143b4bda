//! Control flow as masks: branches, switches, loops, calls.
//!
//! Lanes that leave a statement for elsewhere are not in the mask that comes out of it.

use super::Run;
use crate::fault::Fault;
use crate::mask::Mask;
use crate::step::{Case, Exits, Slot, Step};

/// After so many rounds of loops and calls the launch is asked whether it was cancelled.
const TURNS_BETWEEN_POLLS: u32 = 256;

impl<'a> Run<'a> {
    #[inline(never)]
    pub(super) fn branch(
        &mut self,
        condition: Slot,
        accept: &'a [Step],
        reject: &'a [Step],
        mask: &mut Mask,
    ) -> Result<(), Fault> {
        let mut accepted = self.masks.take();
        accepted.set_where(mask, self.column(condition));
        if accepted.active() == mask.active() {
            self.masks.give(accepted);
            return self.block(accept, mask);
        }
        if accepted.is_empty() {
            self.masks.give(accepted);
            return self.block(reject, mask);
        }
        // The rest of the mask are the rejected.
        mask.remove(&accepted);
        self.block(accept, &mut accepted)?;
        self.block(reject, mask)?;
        mask.add(&accepted);
        self.masks.give(accepted);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn switch(
        &mut self,
        selector: Slot,
        cases: &'a [Case],
        exits: Exits,
        mask: &mut Mask,
    ) -> Result<(), Fault> {
        let (mut chosen, mut default, mut current) =
            (self.masks.take(), self.masks.take(), self.masks.take());
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
        [chosen, default, current].into_iter().for_each(|mask| self.masks.give(mask));
        Ok(())
    }

    /// Takes out the lanes that have left a statement for somewhere else than its end.
    fn remove_gone(&self, exits: Exits, mask: &mut Mask) {
        if exits.returns
            && let Some(returned) = self.masks.returned.last()
        {
            mask.remove(returned);
        }
        if exits.continues
            && let Some(continued) = self.masks.continued.last()
        {
            mask.remove(continued);
        }
    }

    #[inline(never)]
    pub(super) fn repeat(
        &mut self,
        body: &'a [Step],
        continuing: &'a [Step],
        break_if: Option<Slot>,
        exits: Exits,
        mask: &mut Mask,
    ) -> Result<(), Fault> {
        let mut inside = self.masks.take();
        inside.copy_from(mask);
        let mut continued = self.masks.take();
        continued.clear(self.height);
        self.masks.continued.push(continued);
        while !inside.is_empty() {
            self.block(body, &mut inside)?;
            if exits.continues
                && let Some(continued) = self.masks.continued.last_mut()
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
        if let Some(continued) = self.masks.continued.pop() {
            self.masks.give(continued);
        }
        self.masks.give(inside);
        self.remove_gone(Exits { continues: false, ..exits }, mask);
        Ok(())
    }

    fn poll(&mut self) -> Result<(), Fault> {
        self.turns += 1;
        if self.turns >= TURNS_BETWEEN_POLLS {
            self.turns = 0;
            if (self.launch.cancelled)() {
                return Err(Fault::Cancelled { kernel: self.entry_name(), workgroup: self.workgroup });
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn call(
        &mut self,
        function: usize,
        arguments: &[Slot],
        out: Option<Slot>,
        mask: &Mask,
    ) -> Result<(), Fault> {
        // Without any loop, functions that call each other twice run practically for ever.
        self.poll()?;
        let program = self.program;
        let routine = &program.routines[function];
        for (&out, &from) in routine.arguments.iter().zip(arguments) {
            self.copy(out, from);
        }
        let mut inside = self.masks.take();
        inside.copy_from(mask);
        self.function(routine, &mut inside)?;
        self.masks.give(inside);
        if let (Some(out), Some(result)) = (out, routine.result) {
            self.copy(out, result);
        }
        Ok(())
    }
}
