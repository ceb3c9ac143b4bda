//! Loops: what counts their rounds, what ends them, and who leaves them.
//!
//! Looks at the text of a loop before it is walked. Knows nothing of pieces.

use crate::ir::{Binary, Label, Op, Statement, Value};

use super::values::State;

/// What a walk needs to know of a loop beforehand.
pub(super) struct Survey<'a> {
    /// What each jump back brings.
    pub(super) again: Vec<&'a [Value]>,
    /// The `If` that alone decides whether the round goes on, where there is one.
    pub(super) governor: Option<Governor<'a>>,
}

/// The `If` through which a loop is left.
#[derive(Clone, Copy)]
pub(super) struct Governor<'a> {
    pub(super) statement: &'a Statement,
    pub(super) condition: Value,
    /// What the condition is when the round goes on.
    pub(super) stays: bool,
    /// There is no other way out, and nothing was written before it.
    pub(super) alone: bool,
}

/// Surveys a loop's body.
pub(super) fn survey<'a>(label: Label, body: &'a [Statement]) -> Survey<'a> {
    let mut again = Vec::new();
    jumps_back(label, body, &mut again);
    let mut clean = true;
    let mut inside = Vec::new();
    let found = governor(body, &mut inside, &mut clean);
    let exits = exits(body, &mut vec![label]);
    let governor = found.map(|found| Governor { alone: clean && exits == 1, ..found });
    Survey { again, governor }
}

fn jumps_back<'a>(label: Label, list: &'a [Statement], found: &mut Vec<&'a [Value]>) {
    for statement in list {
        match statement {
            Statement::Branch { label: target, arguments } if *target == label => found.push(arguments),
            Statement::If { then, otherwise, .. } => {
                jumps_back(label, then, found);
                jumps_back(label, otherwise, found);
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => jumps_back(label, body, found),
            _ => {}
        }
    }
}

/// How often a list is left for something that is not `inside`.
fn exits(list: &[Statement], inside: &mut Vec<Label>) -> usize {
    let within = |label: Label, body: &[Statement], inside: &mut Vec<Label>| {
        inside.push(label);
        let found = exits(body, inside);
        inside.pop();
        found
    };
    let of = |statement: &Statement, inside: &mut Vec<Label>| match statement {
        Statement::Branch { label, .. } => usize::from(!inside.contains(label)),
        Statement::Return => 1,
        Statement::If { then, otherwise, .. } => exits(then, inside) + exits(otherwise, inside),
        Statement::Block { label, body, .. } | Statement::Loop { label, body, .. } => {
            within(*label, body, inside)
        }
        _ => 0,
    };
    list.iter().map(|statement| of(statement, inside)).sum()
}

/// The first `If` that leaves, where everybody comes to it.
fn governor<'a>(list: &'a [Statement], inside: &mut Vec<Label>, clean: &mut bool) -> Option<Governor<'a>> {
    for statement in list {
        match statement {
            Statement::Let(_) | Statement::Barrier { .. } => {}
            Statement::Store { .. } | Statement::Call { .. } => *clean = false,
            Statement::If { condition, then, otherwise, .. } => {
                let leaves = |arm: &[Statement]| match arm {
                    [rest @ .., Statement::Branch { label, .. }] => {
                        !inside.contains(label) && rest.iter().all(|s| matches!(s, Statement::Let(_)))
                    }
                    [rest @ .., Statement::Return] => rest.iter().all(|s| matches!(s, Statement::Let(_))),
                    _ => false,
                };
                let out = (leaves(then), leaves(otherwise));
                let others = (exits(then, &mut Vec::new()), exits(otherwise, &mut Vec::new()));
                return match (out, others) {
                    ((true, _), (_, 0)) => {
                        Some(Governor { statement, condition: *condition, stays: false, alone: true })
                    }
                    ((_, true), (0, _)) => {
                        Some(Governor { statement, condition: *condition, stays: true, alone: true })
                    }
                    (_, (0, 0)) => {
                        *clean = false;
                        continue;
                    }
                    _ => None,
                };
            }
            Statement::Block { label, body, .. } => {
                inside.push(*label);
                let found = governor(body, inside, clean);
                inside.pop();
                let quiet = exits(body, &mut vec![*label]) == 0;
                if found.is_some() || !quiet {
                    return found;
                }
                *clean = false;
            }
            _ => return None,
        }
    }
    None
}

impl State<'_> {
    /// By how much a parameter grows in every round, where that is a number.
    pub(super) fn step(&mut self, param: Value, index: usize, again: &[&[Value]]) -> Option<i128> {
        let mut found = None;
        for arguments in again {
            let next = *arguments.get(index)?;
            let step = if next == param {
                0
            } else {
                match self.function.definition(next).op {
                    Op::Binary(Binary::Add, a, b) if a == param => self.constant(b, 0)?,
                    Op::Binary(Binary::Add, a, b) if b == param => self.constant(a, 0)?,
                    Op::Binary(Binary::Subtract, a, b) if a == param => -self.constant(b, 0)?,
                    _ => return None,
                }
            };
            if found.is_some_and(|known| known != step) {
                return None;
            }
            found = Some(step);
        }
        found
    }
}
