//! `If`: where lanes part and meet.
//!
//! A uniform condition is a branch of the machine. A divergent one masks: each arm runs for its lanes, behind a test for
//! whether there are any where that pays. Lanes that wait at labels are in [`blocks`](super::blocks).

use super::state::{End, Exec, State};
use super::{Gang, Passage};
use warpweft_ssa::ir::{self as ssa, Op as SsaOp, Statement};
use warpweft_vector::ir::{Hint, Inst, Type, Value};

/// Operations up to which an arm is run without asking whether any lane wants it.
const CHEAP: u32 = 10;

/// An arm that was lowered on its own.
pub(super) struct Arm {
    list: Vec<Inst>,
    end: End,
    /// The forms of what it yields.
    values: Vec<Value>,
    state: State,
}

impl Gang<'_> {
    pub(super) fn either(
        &mut self,
        condition: ssa::Value,
        then: &[Statement],
        otherwise: &[Statement],
        results: &[ssa::Value],
    ) -> Passage {
        if let Some(known) = self.known_condition(condition) {
            let list = if known { then } else { otherwise };
            return match self.list(list) {
                End::Yield(values) => {
                    self.rename(results, &values);
                    Passage::Open
                }
                End::Left => Passage::Left,
                End::Gone => Passage::Gone,
            };
        }
        if self.is_uniform(condition) {
            self.together(condition, then, otherwise, results)
        } else {
            self.alone(condition, then, otherwise, results)
        }
    }

    /// A condition that is constant, or was decided for this version of the code.
    pub(super) fn known_condition(&self, condition: ssa::Value) -> Option<bool> {
        match self.ssa.definition(condition).op {
            SsaOp::Constant(bits) => Some(bits != 0),
            _ => {
                let here =
                    self.known.decided.iter().find(|(value, _)| *value == condition).map(|&(_, known)| known);
                here.or_else(|| self.ranges.decided(condition))
            }
        }
    }

    /// Results that are other values under a new name.
    pub(super) fn rename(&mut self, results: &[ssa::Value], values: &[ssa::Value]) {
        for (&result, &value) in results.iter().zip(values) {
            let form = self.formed(value, result);
            self.set(result, form);
        }
    }

    /// Lowers an arm; what it yields takes the form of the results.
    ///
    /// `yields` stands for the end of a list that has none of its own.
    pub(super) fn arm(
        &mut self,
        exec: Exec,
        list: &[Statement],
        results: &[ssa::Value],
        yields: Option<&[ssa::Value]>,
    ) -> Arm {
        let ((end, values), list, state) = self.apart(|gang| {
            gang.state.exec = exec;
            let end = gang.list(list);
            let values = match &end {
                End::Yield(values) => {
                    let values = yields.unwrap_or(values);
                    values.iter().zip(results).map(|(&value, &like)| gang.formed(value, like)).collect()
                }
                End::Left | End::Gone => vec![],
            };
            if end == End::Left {
                gang.state.exec = Exec::None;
            }
            (end, values)
        });
        Arm { list, end, values, state }
    }

    /// All active lanes take the same arm.
    fn together(
        &mut self,
        condition: ssa::Value,
        then: &[Statement],
        otherwise: &[Statement],
        results: &[ssa::Value],
    ) -> Passage {
        let condition = self.scalar(condition);
        let exec = self.state.exec;
        let left = self.arm(exec, then, results, None);
        let right = self.arm(exec, otherwise, results, None);
        self.join(condition, [left, right], results, Hint::None)
    }

    /// Ends two arms that exclude each other, and goes on with what comes out of them.
    pub(super) fn join(
        &mut self,
        condition: Value,
        arms: [Arm; 2],
        results: &[ssa::Value],
        hint: Hint,
    ) -> Passage {
        let arrives = |arm: &Arm| arm.end != End::Gone;
        if !arms.iter().any(arrives) {
            let [then, otherwise] = arms.map(|arm| arm.list);
            self.b.branch_on(condition, then, otherwise, &[], hint);
            return Passage::Gone;
        }
        let yields = arms.iter().any(|arm| matches!(arm.end, End::Yield(_)));
        let mut types: Vec<Type> = vec![];
        let mut columns: [Vec<Value>; 2] = [vec![], vec![]];
        if yields {
            for (at, &result) in results.iter().enumerate() {
                let ty = self.form(result);
                types.push(ty);
                let nothing = self.zero(ty);
                for (column, arm) in columns.iter_mut().zip(&arms) {
                    column.push(arm.values.get(at).copied().unwrap_or(nothing));
                }
            }
        }
        // Registers that an arm changed.
        let mut changed = vec![];
        for register in 0..self.state.registers.len() {
            let before = self.state.registers[register].value;
            let after: Vec<Option<Value>> = arms
                .iter()
                .map(|arm| if arrives(arm) { arm.state.registers[register].value } else { before })
                .collect();
            if after.iter().all(|&value| value == before) {
                continue;
            }
            let ty = self.state.registers[register].ty;
            let nothing = self.zero(ty);
            types.push(ty);
            changed.push(register);
            for (column, value) in columns.iter_mut().zip(after) {
                column.push(value.unwrap_or(nothing));
            }
        }
        // The active lanes.
        let execs: Vec<Exec> = arms.iter().filter(|arm| arrives(arm)).map(|arm| arm.state.exec).collect();
        // A mask that is older than the arms is the same everywhere; any other is a result.
        let older = !matches!(execs[0], Exec::Some { .. }) || same_lanes(execs[0], self.state.exec);
        let same = older && execs.iter().all(|exec| same_lanes(*exec, execs[0]));
        let merged = if same {
            let nonempty = execs.iter().all(|exec| is_nonempty(*exec));
            match execs[0] {
                Exec::Some { mask, .. } => Some(Exec::Some { mask, nonempty }),
                other => Some(other),
            }
        } else {
            types.push(self.mask_type());
            for (column, arm) in columns.iter_mut().zip(&arms) {
                let mask = self.mask_of(arm.state.exec);
                column.push(mask);
            }
            None
        };
        let nonempty = execs.iter().all(|exec| is_nonempty(*exec));
        let [then, otherwise] = {
            let [left, right] = columns;
            let mut lists = arms.map(|arm| (arm.list, arm.end));
            for ((list, end), column) in lists.iter_mut().zip([left, right]) {
                if *end != End::Gone {
                    list.push(Inst::Yield { arguments: column });
                }
            }
            lists.map(|(list, _)| list)
        };
        let values = self.b.branch_on(condition, then, otherwise, &types, hint);
        let mut values = values.into_iter();
        if yields {
            for &result in results {
                if let Some(value) = values.next() {
                    self.set(result, value);
                }
            }
        }
        for register in changed {
            self.state.registers[register].value = values.next();
        }
        self.state.exec = match merged {
            Some(exec) => exec,
            None => match values.next() {
                Some(mask) => Exec::Some { mask, nonempty },
                None => Exec::None,
            },
        };
        if yields { Passage::Open } else { Passage::Left }
    }

    /// Each arm for its lanes.
    fn alone(
        &mut self,
        condition: ssa::Value,
        then: &[Statement],
        otherwise: &[Statement],
        results: &[ssa::Value],
    ) -> Passage {
        let before = self.state.exec;
        let condition = self.vector(condition);
        let chosen = self.active(condition);
        // Without those that were chosen, not those where the condition does not hold: it is asked once, under the mask.
        let not = self.b.not(chosen);
        let rest = self.active(not);
        let lanes = |mask| Exec::Some { mask, nonempty: false };
        // The arm that starts the next round of a loop ends the list, so it comes last.
        let back = |list: &[Statement]| match list.last() {
            Some(Statement::Branch { label, .. }) => self.is_loop(*label),
            _ => false,
        };
        let swapped = back(then);
        let mut order = [(then, lanes(chosen)), (otherwise, lanes(rest))];
        if swapped {
            order.swap(0, 1);
        }
        let last_is_back = back(order[1].0);
        self.masked_depth += 1;
        let (first, first_exec) = self.masked_arm(order[0].1, order[0].0, results, false);
        let (second, second_exec) = self.masked_arm(order[1].1, order[1].0, results, last_is_back);
        self.masked_depth -= 1;
        if second == Ended::Gone {
            return Passage::Gone;
        }
        // Neither arm lost a lane: who was here is here.
        let intact = [(&first, first_exec, order[0].1), (&second, second_exec, order[1].1)]
            .iter()
            .all(|(end, exec, given)| matches!(end, Ended::Values(_)) && same_lanes(*exec, *given));
        self.state.exec = if intact {
            before
        } else {
            match (first_exec, second_exec) {
                (Exec::None, exec) | (exec, Exec::None) => exec,
                (a, b) => {
                    let (a, b) = (self.mask_of(a), self.mask_of(b));
                    Exec::Some { mask: self.b.or(a, b), nonempty: false }
                }
            }
        };
        let (then, otherwise) = if swapped { (second, first) } else { (first, second) };
        match (then, otherwise) {
            (Ended::Values(a), Ended::Values(b)) => {
                for ((&result, a), b) in results.iter().zip(a).zip(b) {
                    let value = if self.b.ty(a) == self.b.ty(condition).with(self.b.ty(a).kind) {
                        self.b.select(condition, a, b)
                    } else if a == b {
                        a
                    } else {
                        // Both arms give the same value, unless one did not run.
                        let some = self.any(chosen);
                        self.b.select(some, a, b)
                    };
                    self.set(result, value);
                }
                Passage::Open
            }
            (Ended::Values(values), _) | (_, Ended::Values(values)) => {
                for (&result, value) in results.iter().zip(values) {
                    self.set(result, value);
                }
                Passage::Open
            }
            _ => Passage::Left,
        }
    }

    /// Lowers an arm for the lanes of a mask, in place or behind a test whether there are any.
    fn masked_arm(
        &mut self,
        exec: Exec,
        list: &[Statement],
        results: &[ssa::Value],
        back: bool,
    ) -> (Ended, Exec) {
        if back || !self.is_worth_a_test(list) {
            self.state.exec = exec;
            let end = self.list(list);
            return match end {
                End::Yield(values) => {
                    let values =
                        values.iter().zip(results).map(|(&value, &like)| self.formed(value, like)).collect();
                    (Ended::Values(values), self.state.exec)
                }
                End::Left => {
                    self.state.exec = Exec::None;
                    (Ended::Left, Exec::None)
                }
                End::Gone => (Ended::Gone, Exec::None),
            };
        }
        let mask = self.mask_of(exec);
        let some = self.any(mask);
        match self.if_any(some, mask, list, results, None) {
            Passage::Open => {
                let values = results.iter().filter_map(|r| self.values[r.0 as usize]).collect();
                (Ended::Values(values), self.state.exec)
            }
            Passage::Left | Passage::Gone => (Ended::Left, Exec::None),
        }
    }

    /// Lowers a list behind a test whether a mask has any lane; its results are anything where not.
    fn if_any(
        &mut self,
        some: Value,
        mask: Value,
        list: &[Statement],
        results: &[ssa::Value],
        yields: Option<&[ssa::Value]>,
    ) -> Passage {
        let unknown = Exec::Some { mask, nonempty: false };
        self.state.exec = unknown;
        let mut arm = self.arm(Exec::Some { mask, nonempty: true }, list, results, yields);
        let yields = matches!(arm.end, End::Yield(_));
        if same_lanes(arm.state.exec, unknown) {
            arm.state.exec = unknown;
        }
        let mut state = self.state.clone();
        state.exec = if yields { unknown } else { Exec::None };
        let (end, values) = if yields {
            let types: Vec<Type> = results.iter().map(|&result| self.form(result)).collect();
            (End::Yield(vec![]), types.into_iter().map(|ty| self.zero(ty)).collect())
        } else {
            (End::Left, vec![])
        };
        let nothing = Arm { list: vec![], end, values, state };
        self.join(some, [arm, nothing], results, Hint::None)
    }

    /// Whether it pays to ask if any lane takes an arm.
    fn is_worth_a_test(&self, list: &[Statement]) -> bool {
        self.price(list) > CHEAP
    }

    pub(super) fn price(&self, list: &[Statement]) -> u32 {
        let mut price = 0u32;
        for statement in list {
            price += match statement {
                Statement::Let(value) => match self.ssa.definition(*value).op {
                    SsaOp::Constant(_) => 0,
                    SsaOp::Load { .. } => 5,
                    SsaOp::Math(..) | SsaOp::Atan2(..) | SsaOp::Pow(..) => 11,
                    SsaOp::Binary(ssa::Binary::Divide | ssa::Binary::Modulo, ..) => 6,
                    SsaOp::Atomic(..) | SsaOp::CompareExchange(..) => 20,
                    _ => 1,
                },
                Statement::Store { .. } => 5,
                Statement::If { then, otherwise, .. } => 2 + self.price(then) + self.price(otherwise),
                Statement::Block { body, .. } => self.price(body),
                Statement::Loop { .. } | Statement::Call { .. } => 100,
                Statement::Barrier { .. }
                | Statement::Branch { .. }
                | Statement::Yield { .. }
                | Statement::Return => 0,
            };
            if price > 1000 {
                break;
            }
        }
        price
    }

    /// Behind a statement from which lanes may not have come back: what is left of the list runs only if some did.
    ///
    /// `Some` when the rest has been lowered here.
    pub(super) fn after(&mut self, rest: &[Statement]) -> Option<End> {
        let Exec::Some { mask, nonempty: false } = self.state.exec else {
            return None;
        };
        if let [.., Statement::Branch { label, .. }] = rest
            && rest.len() == 1
            && self.is_loop(*label)
        {
            return None;
        }
        if !self.is_worth_a_test(rest) && !self.jumps(rest) {
            return None;
        }
        let some = self.any(mask);
        if let Some(left) = self.loop_to_leave() {
            let (label, carried) = left;
            self.b.open();
            self.b.yields(&[]);
            let then = self.b.close();
            self.b.open();
            let arguments = self.carried(&carried);
            self.b.branch(label, &arguments);
            let otherwise = self.b.close();
            self.b.branch_on(some, then, otherwise, &[], Hint::None);
            self.state.exec = Exec::Some { mask, nonempty: true };
            return None;
        }
        // In a list of its own; what it defines and yields comes through.
        let yields = match rest.last() {
            Some(Statement::Yield { arguments }) => arguments.clone(),
            Some(Statement::Branch { .. } | Statement::Return | Statement::Loop { .. }) => vec![],
            // A region's list has no end of its own.
            _ => self.outgoing.clone(),
        };
        let fresh: Vec<ssa::Value> = yields.iter().copied().filter(|&value| defines(rest, value)).collect();
        Some(match self.if_any(some, mask, rest, &fresh, Some(&fresh)) {
            Passage::Open => End::Yield(yields),
            Passage::Left => End::Left,
            Passage::Gone => End::Gone,
        })
    }

    /// The rest contains a jump, or acts on the machine as a whole: it must not happen without lanes.
    fn jumps(&self, list: &[Statement]) -> bool {
        list.iter().any(|statement| match statement {
            Statement::Branch { .. } | Statement::Return => !self.flow.is_masked(statement),
            Statement::Loop { .. } => true,
            Statement::If { then, otherwise, .. } => self.jumps(then) || self.jumps(otherwise),
            Statement::Block { body, .. } => self.jumps(body),
            _ => false,
        })
    }
}

/// How an arm under a mask ended.
#[derive(PartialEq)]
enum Ended {
    Values(Vec<Value>),
    Left,
    Gone,
}

/// The same lanes are active.
fn same_lanes(a: Exec, b: Exec) -> bool {
    match (a, b) {
        (Exec::Some { mask: a, .. }, Exec::Some { mask: b, .. }) => a == b,
        (a, b) => a == b,
    }
}

fn is_nonempty(exec: Exec) -> bool {
    matches!(exec, Exec::All | Exec::Some { nonempty: true, .. })
}

/// A list defines a value, where its own end can see it.
fn defines(list: &[Statement], value: ssa::Value) -> bool {
    list.iter().any(|statement| match statement {
        Statement::Let(defined) => *defined == value,
        Statement::If { results, .. } | Statement::Block { results, .. } => results.contains(&value),
        _ => false,
    })
}
