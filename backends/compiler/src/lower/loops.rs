//! Loops: what they carry from round to round, and how lanes leave them.
//!
//! A loop whose lanes all leave together is a loop of the machine. Where lanes leave at different rounds, the loop
//! carries the mask of those that are still in it, and what the others wait with; it ends when the mask is empty.

use super::Gang;
use super::rows::Version;
use super::state::{End, Exec, Target};
use warpweft_ssa::ir::{self as ssa, Place, Statement};
use warpweft_vector::ir::{Hint, Inst, Label, Type, Value};

/// Rounds up to which a loop cannot hold up a launch that is to be stopped.
const SHORT: u64 = 256;

impl Gang<'_> {
    pub(super) fn loop_(
        &mut self,
        label: ssa::Label,
        params: &[(ssa::Value, ssa::Value)],
        body: &[Statement],
    ) -> End {
        let facts = self.flow.label(label).clone();
        let carried = self.carried_out(&facts.leaves);
        let vector = self.b.label();
        let left = facts.divergent.then(|| self.b.label());
        // What the first round starts with.
        let mut start: Vec<Value> = params.iter().map(|&(param, init)| self.formed(init, param)).collect();
        start.extend(self.carried(&carried));
        if facts.divergent {
            start.push(self.exec_mask());
        }
        let nonempty = matches!(self.state.exec, Exec::All | Exec::Some { nonempty: true, .. });
        let before = self.state.clone();
        if left.is_some() {
            self.b.open();
        }
        let parameters: Vec<(Value, Value)> = start
            .iter()
            .map(|&init| {
                let ty = self.b.ty(init);
                (self.b.value(ty), init)
            })
            .collect();
        let target = Target {
            label,
            vector: Some(vector),
            results: params.iter().map(|&(param, _)| param).collect(),
            accumulators: vec![],
            waiting: None,
            carried: carried.clone(),
            carries_exec: facts.divergent,
            left,
        };
        self.targets.push(target.clone());
        self.b.open();
        let mut inside = parameters.iter().map(|&(param, _)| param);
        for &(param, _) in params {
            if let Some(value) = inside.next() {
                self.set(param, value);
            }
        }
        for &register in &carried {
            self.state.registers[register].value = inside.next();
        }
        if let (true, Some(mask)) = (facts.divergent, inside.next()) {
            self.state.exec = Exec::Some { mask, nonempty };
        }
        let asked = self.known.version == Some((label, Version::Asked));
        if !asked && !self.is_short(label, params, body) {
            self.poll();
        }
        let depth = std::mem::take(&mut self.masked_depth);
        let end = self.list(body);
        self.masked_depth = depth;
        match end {
            End::Gone => {}
            End::Left | End::Yield(_) => self.leave_loop(&target),
        }
        let list = self.b.close();
        self.targets.pop();
        self.b.push(Inst::Loop { label: vector, params: parameters, body: list });
        self.state = before;
        let Some(left) = left else {
            return End::Gone;
        };
        let outer = self.b.close();
        let types: Vec<Type> = carried.iter().map(|&register| self.state.registers[register].ty).collect();
        let values: Vec<Value> = types.iter().map(|&ty| self.b.value(ty)).collect();
        self.b.push(Inst::Block { label: left, body: outer, results: values.clone() });
        for (&register, value) in carried.iter().zip(values) {
            self.state.registers[register].value = Some(value);
        }
        self.state.exec = Exec::None;
        End::Left
    }

    /// No lane is left in the loop.
    fn leave_loop(&mut self, target: &Target) {
        let Some(left) = target.left else {
            self.fail(
                "internal: a loop that lanes leave alone was taken for one that they leave together",
                ssa::Mark(0),
            );
            self.b.yields(&[]);
            return;
        };
        let arguments = self.carried(&target.carried);
        self.b.branch(left, &arguments);
    }

    /// The active lanes start the next round.
    pub(super) fn next_round(&mut self, target: &Target, arguments: &[ssa::Value]) -> End {
        let mut values: Vec<Value> = arguments
            .iter()
            .zip(&target.results)
            .map(|(&argument, &param)| self.formed(argument, param))
            .collect();
        values.extend(self.carried(&target.carried));
        if target.carries_exec {
            values.push(self.exec_mask());
        }
        let Some(vector) = target.vector else { return End::Left };
        match self.state.exec {
            Exec::Some { mask, nonempty: false } if target.left.is_some() => {
                let some = self.any(mask);
                self.b.open();
                self.b.branch(vector, &values);
                let then = self.b.close();
                self.b.open();
                self.leave_loop(target);
                let otherwise = self.b.close();
                self.b.branch_on(some, then, otherwise, &[], Hint::None);
            }
            Exec::None => self.leave_loop(target),
            _ => self.b.branch(vector, &values),
        }
        End::Gone
    }

    /// Where to go when no lane is active, if the innermost thing that lanes can wait for is a loop's end.
    pub(super) fn loop_to_leave(&self) -> Option<(Label, Vec<super::Register>)> {
        if self.masked_depth > 0 {
            return None;
        }
        for target in self.targets.iter().rev() {
            if let Some(left) = target.left {
                return Some((left, target.carried.clone()));
            }
            if self.is_loop(target.label) || self.flow.label(target.label).divergent {
                return None;
            }
        }
        None
    }

    pub(super) fn is_loop(&self, label: ssa::Label) -> bool {
        self.loops[label.0 as usize]
    }

    /// It counts to a small constant, and contains no loop.
    pub(super) fn is_short(
        &self,
        label: ssa::Label,
        params: &[(ssa::Value, ssa::Value)],
        body: &[Statement],
    ) -> bool {
        !contains_loop(body) && self.rounds(label, params, body).is_some_and(|rounds| rounds <= SHORT)
    }
}

pub(super) fn contains_loop(list: &[Statement]) -> bool {
    list.iter().any(|statement| match statement {
        Statement::Loop { .. } => true,
        Statement::If { then, otherwise, .. } => contains_loop(then) || contains_loop(otherwise),
        Statement::Block { body, .. } => contains_loop(body),
        _ => false,
    })
}

/// Calls `f` with every place that a list reads or writes, and whether a loop of it does.
pub(crate) fn places<'a>(
    function: &'a ssa::Function,
    list: &'a [Statement],
    inside: bool,
    f: &mut dyn FnMut(&'a Place, bool),
) {
    for statement in list {
        match statement {
            Statement::Let(value) => match &function.definition(*value).op {
                ssa::Op::Load { place, .. }
                | ssa::Op::Atomic(_, place, _)
                | ssa::Op::CompareExchange(place, ..) => f(place, inside),
                _ => {}
            },
            Statement::Store { place, .. } => f(place, inside),
            Statement::If { then, otherwise, .. } => {
                places(function, then, inside, f);
                places(function, otherwise, inside, f);
            }
            Statement::Block { body, .. } => places(function, body, inside, f),
            Statement::Loop { body, .. } => places(function, body, true, f),
            _ => {}
        }
    }
}
