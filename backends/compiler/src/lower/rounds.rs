//! Loops around barriers whose rounds are known: few, counted by constants, and most of them for a gang or two.
//!
//! A tree of sums halves the invocations that take part from round to round. Written out one after the other, its last
//! rounds are straight code for one gang, and what one round stores the next finds in registers. A loop is first gone
//! through with constants alone; it is written out if that says all there is to say.

use std::collections::HashMap;

use super::Gang;
use super::steps::{Region, Step};
use super::workgroup::{Ending, Workgroup, contains_return};
use warpweft_ssa::arithmetic;
use warpweft_ssa::ir::{self as ssa, Label, Op, Value};

/// So many rounds are written out at most.
const MOST_ROUNDS: usize = 16;

/// So many statements, of regions and of what all gangs share, all rounds together.
const MOST_STATEMENTS: usize = 256;

/// Shared values that are constants in the round at hand.
type Known = HashMap<Value, u64>;

/// Where control flow goes at the end of a list of steps.
enum Way {
    On,
    /// To the end of the arm or block, with those results.
    Out(Vec<Value>),
    /// Into the next round, with those parameters.
    Again(Vec<Value>),
    /// Out of the loop.
    Left,
}

/// What going through a loop has found.
#[derive(Default)]
struct Found {
    regions: usize,
    /// Regions for one gang.
    lone: usize,
    /// Those that constants do not say, of all regions and between them.
    statements: usize,
}

impl Gang<'_> {
    /// Writes a loop out, if its rounds are known and it is worth it; whether it was.
    pub(super) fn written_out(
        &mut self,
        label: Label,
        params: &[(Value, Value)],
        body: &[Step<'_>],
        scope: &mut Workgroup,
    ) -> bool {
        let shared: Vec<_> = params.iter().copied().filter(|&(param, _)| self.home(param) == 0).collect();
        let names: Vec<Value> = shared.iter().map(|&(param, _)| param).collect();
        let start: Known =
            shared.iter().filter_map(|&(param, init)| Some((param, self.ssa.constant(init)?))).collect();
        if !self.is_worth_it(label, &names, start.clone(), body, scope.gangs) {
            return false;
        }
        let mut values: Vec<_> = shared.iter().map(|&(_, init)| self.common_value(init)).collect();
        let mut known = start;
        loop {
            names.iter().zip(values).for_each(|(&name, value)| self.set(name, value));
            match self.round(label, body, &mut known, scope) {
                Way::Again(next) => {
                    values = next.iter().map(|&value| self.common_value(value)).collect();
                    known = passed_on(&names, &next, |value| self.constant_of(value, &known));
                }
                _ => return true,
            }
        }
    }

    /// Goes through all rounds with constants alone.
    fn is_worth_it(
        &self,
        label: Label,
        names: &[Value],
        mut known: Known,
        body: &[Step<'_>],
        gangs: u32,
    ) -> bool {
        let mut found = Found::default();
        for _ in 0..MOST_ROUNDS {
            match self.look(label, body, &mut known, gangs, &mut found) {
                Some(Way::Again(next)) => {
                    known = passed_on(names, &next, |value| self.constant_of(value, &known));
                }
                Some(Way::Left) => {
                    return found.statements <= MOST_STATEMENTS && found.regions <= 2 * found.lone;
                }
                _ => return false,
            }
        }
        false
    }

    fn look(
        &self,
        label: Label,
        steps: &[Step<'_>],
        known: &mut Known,
        gangs: u32,
        found: &mut Found,
    ) -> Option<Way> {
        for step in steps {
            match step {
                Step::Shared(value) => {
                    self.evaluate(*value, known);
                    found.statements += usize::from(!known.contains_key(value));
                }
                Step::Region(region) => {
                    let gangs = self.gangs_of(region, gangs, known);
                    found.regions += 1;
                    found.lone += usize::from(gangs <= 1);
                    found.statements += count(region.list);
                    if contains_return(region.list) {
                        return None;
                    }
                }
                Step::If { condition, then, otherwise, results } => {
                    let holds = self.constant_of(*condition, known)? != 0;
                    match self.look(label, if holds { then } else { otherwise }, known, gangs, found)? {
                        Way::On => {}
                        Way::Out(values) => self.pass(results, &values, known),
                        left => return Some(left),
                    }
                }
                Step::Block { .. } | Step::Loop { .. } => return None,
                Step::Branch { label: to, arguments } if *to == label => {
                    return Some(Way::Again(arguments.clone()));
                }
                Step::Branch { .. } | Step::Return => return Some(Way::Left),
                Step::Yield(values) => return Some(Way::Out(values.clone())),
            }
        }
        Some(Way::On)
    }

    /// Emits a round, of which [`look`](Self::look) has said where it goes.
    fn round(&mut self, label: Label, steps: &[Step<'_>], known: &mut Known, scope: &mut Workgroup) -> Way {
        for step in steps {
            match step {
                Step::Shared(value) => {
                    self.evaluate(*value, known);
                    if let Some(&bits) = known.get(value) {
                        let constant = self.constant(self.ssa.ty(*value), bits);
                        self.set(*value, constant);
                        continue;
                    }
                }
                Step::If { condition, then, otherwise, results } => {
                    let holds = self.constant_of(*condition, known).is_some_and(|bits| bits != 0);
                    match self.round(label, if holds { then } else { otherwise }, known, scope) {
                        Way::On => {}
                        Way::Out(values) => {
                            self.pass(results, &values, known);
                            let shared = self.common(results);
                            let values: Vec<_> =
                                values.iter().map(|&value| self.common_value(value)).collect();
                            shared.iter().zip(values).for_each(|(&result, value)| self.set(result, value));
                        }
                        left => return left,
                    }
                    continue;
                }
                Step::Branch { label: to, arguments } if *to == label => {
                    return Way::Again(arguments.clone());
                }
                Step::Yield(values) => return Way::Out(values.clone()),
                _ => {}
            }
            if self.steps_of(std::slice::from_ref(step), scope) == Ending::Gone {
                return Way::Left;
            }
        }
        Way::On
    }

    /// Results that are shared are what was yielded.
    fn pass(&self, results: &[Value], values: &[Value], known: &mut Known) {
        for (result, &value) in self.common(results).into_iter().zip(values) {
            match self.constant_of(value, known) {
                Some(bits) => known.insert(result, bits),
                None => known.remove(&result),
            };
        }
    }

    fn constant_of(&self, value: Value, known: &Known) -> Option<u64> {
        self.ssa.constant(value).or_else(|| known.get(&value).copied())
    }

    /// Notes what a value is, where constants say it.
    fn evaluate(&self, value: Value, known: &mut Known) {
        let definition = self.ssa.definition(value);
        let of = |value: Value| self.constant_of(value, known);
        let bits = match definition.op {
            Op::Unary(op, a) => of(a).and_then(|a| arithmetic::unary(op, definition.ty, a)),
            Op::Binary(op, a, b) => {
                of(a).zip(of(b)).and_then(|(a, b)| arithmetic::binary(op, definition.ty, a, b))
            }
            Op::Compare(op, a, b) => {
                of(a).zip(of(b)).map(|(x, y)| arithmetic::compare(op, self.ssa.ty(a), x, y).into())
            }
            Op::Select(condition, a, b) => of(condition).and_then(|holds| of(if holds != 0 { a } else { b })),
            Op::Bitcast(a) => of(a),
            _ => None,
        };
        match bits {
            Some(bits) => known.insert(value, bits),
            None => known.remove(&value),
        };
    }

    /// How many gangs have anything to do in a region.
    fn gangs_of(&self, region: &Region<'_>, gangs: u32, known: &Known) -> u32 {
        match self.first_of(region) {
            Some((true, _)) => 1,
            Some((false, limit)) => self
                .constant_of(limit, known)
                .map_or(gangs, |limit| (limit as u32).div_ceil(self.b.lanes().into()).min(gangs)),
            None => gangs,
        }
    }
}

/// The parameters of the next round that are constants.
fn passed_on(names: &[Value], next: &[Value], of: impl Fn(Value) -> Option<u64>) -> Known {
    names.iter().zip(next).filter_map(|(&name, &value)| Some((name, of(value)?))).collect()
}

/// The statements of a list and of those in it.
pub(super) fn count(list: &[ssa::Statement]) -> usize {
    let inside = |statement: &ssa::Statement| match statement {
        ssa::Statement::If { then, otherwise, .. } => count(then) + count(otherwise),
        ssa::Statement::Block { body, .. } | ssa::Statement::Loop { body, .. } => count(body),
        _ => 0,
    };
    list.iter().map(|statement| 1 + inside(statement)).sum()
}
