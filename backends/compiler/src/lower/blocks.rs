//! `Block`, `Branch` and `Return`: where lanes wait, and how the machine leaves.
//!
//! Lanes that leave for a label wait there: what they bring is kept in registers, and blended when the label is reached.
//! Lanes that all leave at once jump. Knows nothing of what parted them.

use super::state::{End, Exec, Register, Target};
use super::{Gang, Passage};
use warpweft_ssa::ir::{self as ssa, Statement};
use warpweft_vector::ir::{Inst, Label, Type, Value};

impl Gang<'_> {
    pub(super) fn block(&mut self, label: ssa::Label, body: &[Statement], results: &[ssa::Value]) -> Passage {
        let facts = self.flow.label(label).clone();
        let before = self.state.exec;
        let accumulators: Vec<_> = if facts.divergent {
            results.iter().map(|&r| self.register(self.form(r))).collect()
        } else {
            vec![]
        };
        let waiting = (facts.divergent && facts.loses_lanes()).then(|| self.register(self.mask_type()));
        let mut carried = self.carried_out(&facts.leaves);
        carried.extend(accumulators.iter().copied().chain(waiting));
        let carries_exec = !facts.divergent && facts.loses_lanes();
        let vector = facts.real.then(|| self.b.label());
        let target = Target {
            label,
            vector,
            results: results.to_vec(),
            accumulators,
            waiting,
            carried,
            carries_exec,
            left: None,
        };
        self.targets.push(target.clone());
        match vector {
            None => {
                let end = self.list(body);
                self.targets.pop();
                self.arrive(&target, end, before)
            }
            Some(vector) => {
                self.b.open();
                let end = self.list(body);
                if end != End::Gone {
                    // The end of the body is one more jump to the label.
                    match &end {
                        End::Yield(values) => self.leave(&target, values),
                        _ => self.state.exec = Exec::None,
                    }
                    let values = match end {
                        End::Yield(values) => values,
                        _ => vec![],
                    };
                    let arguments = self.jump_arguments(&target, &values);
                    self.b.yields(&arguments);
                }
                let list = self.b.close();
                self.targets.pop();
                self.landed(&target, vector, list, before)
            }
        }
    }

    /// Goes on behind a block without jumps.
    fn arrive(&mut self, target: &Target, end: End, before: Exec) -> Passage {
        match end {
            End::Gone => Passage::Gone,
            End::Yield(values) if !self.waits(target) => {
                self.rename(&target.results.clone(), &values);
                Passage::Open
            }
            End::Yield(values) => {
                self.leave(target, &values);
                self.collect(target, before)
            }
            End::Left => {
                self.state.exec = Exec::None;
                if self.waits(target) { self.collect(target, before) } else { Passage::Left }
            }
        }
    }

    /// Lanes wait at the label.
    fn waits(&self, target: &Target) -> bool {
        self.flow.label(target.label).divergent
    }

    /// All lanes that waited go on, with what they brought.
    fn collect(&mut self, target: &Target, before: Exec) -> Passage {
        for (&result, &register) in target.results.iter().zip(&target.accumulators) {
            let value = self.held(register);
            self.set(result, value);
        }
        self.state.exec = match target.waiting {
            None => before,
            Some(register) => Exec::Some { mask: self.held(register), nonempty: false },
        };
        Passage::Open
    }

    /// Goes on behind a block that was jumped out of.
    fn landed(&mut self, target: &Target, vector: Label, body: Vec<Inst>, before: Exec) -> Passage {
        let mut types: Vec<Type> = vec![];
        if !self.waits(target) {
            types.extend(target.results.iter().map(|&result| self.form(result)));
        }
        types.extend(target.carried.iter().map(|&register| self.state.registers[register].ty));
        if target.carries_exec {
            types.push(self.mask_type());
        }
        let values: Vec<Value> = types.iter().map(|&ty| self.b.value(ty)).collect();
        self.b.push(Inst::Block { label: vector, body, results: values.clone() });
        let mut values = values.into_iter();
        if !self.waits(target) {
            for &result in &target.results {
                if let Some(value) = values.next() {
                    self.set(result, value);
                }
            }
        }
        for &register in &target.carried {
            self.state.registers[register].value = values.next();
        }
        if self.waits(target) {
            return self.collect(target, before);
        }
        self.state.exec = match values.next() {
            Some(mask) if target.carries_exec => Exec::Some { mask, nonempty: false },
            _ => before,
        };
        Passage::Open
    }

    // --- leaving -------------------------------------------------------------------------------------------------

    pub(super) fn branch(
        &mut self,
        statement: &Statement,
        label: ssa::Label,
        arguments: &[ssa::Value],
    ) -> End {
        let Some(target) = self.targets.iter().rev().find(|target| target.label == label).cloned() else {
            self.fail("internal: a branch to a label that does not enclose it", ssa::Mark::default());
            return End::Left;
        };
        if target.left.is_some() || self.is_loop(label) {
            return self.next_round(&target, arguments);
        }
        let vector = target.vector.filter(|_| !self.flow.is_masked(statement));
        let Some(vector) = vector else {
            self.leave(&target, arguments);
            self.state.exec = Exec::None;
            return End::Left;
        };
        // What the jump brings is known where it lands; here the machine is gone.
        let before = self.state.registers.clone();
        self.leave(&target, arguments);
        let values = self.jump_arguments(&target, arguments);
        self.b.branch(vector, &values);
        self.state.registers = before;
        End::Gone
    }

    /// The active lanes begin to wait at a label, where lanes do.
    fn leave(&mut self, target: &Target, arguments: &[ssa::Value]) {
        if !self.waits(target) || self.state.exec == Exec::None {
            return;
        }
        for ((&register, &result), &argument) in
            target.accumulators.iter().zip(&target.results).zip(arguments)
        {
            let value = self.formed(argument, result);
            let value = match (self.state.registers[register].value, self.state.exec) {
                (Some(held), Exec::Some { mask, .. }) if !self.is_scalar(result) || self.b.lanes() == 1 => {
                    self.b.select(mask, value, held)
                }
                // What is one number for all lanes is nobody's where none has come so far.
                (Some(held), Exec::Some { mask, nonempty: false }) => {
                    let some = self.any(mask);
                    self.b.select(some, value, held)
                }
                _ => value,
            };
            self.state.registers[register].value = Some(value);
        }
        if let Some(register) = target.waiting {
            let mask = self.exec_mask();
            let waiting = match self.state.registers[register].value {
                Some(held) => self.b.or(held, mask),
                None => mask,
            };
            self.state.registers[register].value = Some(waiting);
        }
    }

    /// What a jump to a label brings.
    fn jump_arguments(&mut self, target: &Target, arguments: &[ssa::Value]) -> Vec<Value> {
        let mut values = vec![];
        if !self.waits(target) {
            for (at, &result) in target.results.iter().enumerate() {
                values.push(match arguments.get(at) {
                    Some(&argument) => self.formed(argument, result),
                    None => {
                        let ty = self.form(result);
                        self.zero(ty)
                    }
                });
            }
        }
        values.extend(self.carried(&target.carried));
        if target.carries_exec {
            values.push(self.exec_mask());
        }
        values
    }

    /// The registers that a jump takes along.
    pub(super) fn carried(&mut self, registers: &[Register]) -> Vec<Value> {
        registers.iter().map(|&register| self.held(register)).collect()
    }

    /// The registers of labels further out at which lanes from inside wait.
    pub(super) fn carried_out(&self, leaves: &[ssa::Label]) -> Vec<Register> {
        let mut registers: Vec<Register> = self
            .targets
            .iter()
            .filter(|target| leaves.contains(&target.label))
            .flat_map(|target| target.accumulators.iter().copied().chain(target.waiting))
            .collect();
        registers.dedup();
        registers
    }

    pub(super) fn return_(&mut self, statement: &Statement) -> End {
        match self.end {
            Some(end) if !self.flow.is_masked(statement) => {
                if self.regions.is_some() {
                    let none = self.mask_of(Exec::None);
                    self.b.branch(end, &[none]);
                } else {
                    self.b.branch(end, &[]);
                }
                End::Gone
            }
            _ => {
                self.state.exec = Exec::None;
                End::Left
            }
        }
    }
}
