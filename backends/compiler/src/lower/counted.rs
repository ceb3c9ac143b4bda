//! Loops that count: what their counter stays below, and what goes along with it.
//!
//! A counter is a parameter that grows by a constant and is compared with a limit at the head of each round. Knows
//! nothing of what is done with it.

use super::Gang;
use super::inside::{mirrored, negated};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Binary, Compare, Op, Statement, Value};

/// A counting loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) counter: Value,
    /// What it starts with.
    pub(super) start: Value,
    /// What it grows by: at least 1.
    pub(super) step: u32,
    /// What it stays below where rounds go on, or up to.
    pub(super) limit: Value,
    pub(super) inclusive: bool,
}

/// The head of a loop's body: the condition under which rounds go on.
pub(super) struct Head<'a> {
    pub(super) op: Compare,
    pub(super) a: Value,
    pub(super) b: Value,
    /// What the test asks.
    pub(super) condition: Value,
    /// No lane goes on behind the test but by the condition: whoever leaves there takes the machine along.
    pub(super) jumps: bool,
    /// What comes before the test, or where it ends the loop.
    pub(super) early: Vec<&'a [Statement]>,
    /// What comes behind the test where the round goes on.
    pub(super) behind: Vec<&'a [Statement]>,
}

impl Gang<'_> {
    /// What a loop counts, if it does.
    pub(super) fn count<'s>(
        &self,
        label: ssa::Label,
        params: &[(Value, Value)],
        body: &'s [Statement],
    ) -> Option<(Count, Head<'s>)> {
        let head = self.head(body, &mut vec![label])?;
        let param = |value: Value| params.iter().position(|&(param, _)| param == value);
        let (at, limit, op) = match (param(head.a), param(head.b)) {
            (Some(at), None) => (at, head.b, head.op),
            (None, Some(at)) => (at, head.a, mirrored(head.op)),
            _ => return None,
        };
        let inclusive = match op {
            Compare::Less => false,
            Compare::LessEqual => true,
            _ => return None,
        };
        let (counter, start) = params[at];
        if !matches!(self.ssa.ty(counter), Scalar::I32 | Scalar::U32) || branches_to(label, body) != 1 {
            return None;
        }
        let next = back_edge(label, body)?.get(at).copied()?;
        let Op::Binary(Binary::Add, a, b) = self.ssa.definition(next).op else { return None };
        let step = match (a == counter, b == counter) {
            (true, false) => self.ssa.constant(b)?,
            (false, true) => self.ssa.constant(a)?,
            _ => return None,
        } as u32;
        (1..1 << 16).contains(&step).then_some((Count { counter, start, step, limit, inclusive }, head))
    }

    /// The test that stands at the head of a loop, and leaves it for what is not `within`.
    fn head<'s>(&self, body: &'s [Statement], within: &mut Vec<ssa::Label>) -> Option<Head<'s>> {
        for (at, statement) in body.iter().enumerate() {
            match statement {
                Statement::Let(_) => {}
                Statement::Block { label, body: inner, .. } => {
                    within.push(*label);
                    let mut head = self.head(inner, within)?;
                    head.early.push(&body[..at]);
                    head.behind.push(&body[at + 1..]);
                    return Some(head);
                }
                Statement::If { condition, then, otherwise, .. } => {
                    let (leaving, out, arm) = match (leaves(then, within), leaves(otherwise, within)) {
                        (true, false) => (true, then, otherwise),
                        (false, true) => (false, otherwise, then),
                        _ => return None,
                    };
                    let mut compared = *condition;
                    let mut negative = leaving;
                    while let Op::Unary(ssa::Unary::Not, inner) = self.ssa.definition(compared).op {
                        compared = inner;
                        negative = !negative;
                    }
                    let Op::Compare(op, a, b) = self.ssa.definition(compared).op else { return None };
                    let op = if negative { negated(op) } else { op };
                    let (early, behind) = (vec![&body[..at], &out[..]], vec![&arm[..], &body[at + 1..]]);
                    let jumps = out.last().is_some_and(|last| !self.flow.is_masked(last));
                    return Some(Head { op, a, b, condition: *condition, jumps, early, behind });
                }
                _ => return None,
            }
        }
        None
    }

    /// How often a counting loop runs at most, where that is plain from constants.
    pub(super) fn rounds(
        &self,
        label: ssa::Label,
        params: &[(Value, Value)],
        body: &[Statement],
    ) -> Option<u64> {
        let (count, _) = self.count(label, params, body)?;
        let (start, limit) = (self.ssa.constant(count.start)?, self.ssa.constant(count.limit)?);
        let (start, limit) = (start as u32, u64::from(limit as u32) + u64::from(count.inclusive));
        let small = start < 1 << 30 && limit < 1 << 30;
        small.then(|| limit.saturating_sub(start.into()).div_ceil(count.step.into()))
    }
}

/// An arm that ends the loop: it does not only skip the rest of a round, or begin the next.
fn leaves(list: &[Statement], within: &[ssa::Label]) -> bool {
    match list.last() {
        Some(Statement::Branch { label, .. }) => !within.contains(label),
        last => matches!(last, Some(Statement::Return)),
    }
}

/// What the branch to the loop brings.
fn back_edge(label: ssa::Label, body: &[Statement]) -> Option<&[Value]> {
    body.iter().rev().find_map(|statement| match statement {
        Statement::Branch { label: to, arguments } if *to == label => Some(&arguments[..]),
        Statement::If { then, otherwise, .. } => {
            back_edge(label, then).or_else(|| back_edge(label, otherwise))
        }
        _ => None,
    })
}

fn branches_to(label: ssa::Label, list: &[Statement]) -> usize {
    let in_statement = |statement: &Statement| match statement {
        Statement::Branch { label: to, .. } => usize::from(*to == label),
        Statement::If { then, otherwise, .. } => branches_to(label, then) + branches_to(label, otherwise),
        Statement::Block { body, .. } | Statement::Loop { body, .. } => branches_to(label, body),
        _ => 0,
    };
    list.iter().map(in_statement).sum()
}
