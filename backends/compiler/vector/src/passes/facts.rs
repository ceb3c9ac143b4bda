//! What is known of conditions and masks inside the arms of an `If`, and behind one that did not come back.
//!
//! In the arm where `any(m)` does not hold, `m` is false in all lanes; where `all(m)` holds, it is true in all. Knows
//! only which definitions imply each other, nothing of control flow.

use crate::Builder;
use crate::ir::*;

/// How many steps back a fact is followed through definitions.
const MOST_STEPS: u32 = 6;

/// Facts about values of kind `Bool`: all lanes are that.
#[derive(Debug, Default)]
pub(super) struct Facts {
    by_value: Vec<Option<bool>>,
    log: Vec<Value>,
}

impl Facts {
    /// Where to go [back](Self::back) to.
    pub(super) fn here(&self) -> usize {
        self.log.len()
    }

    /// Forgets what was learnt since.
    pub(super) fn back(&mut self, here: usize) {
        for value in self.log.drain(here..) {
            self.by_value[value.0 as usize] = None;
        }
    }

    /// What all lanes of a value are, if that is known.
    pub(super) fn of(&self, value: Value) -> Option<bool> {
        if self.log.is_empty() {
            return None;
        }
        *self.by_value.get(value.0 as usize)?
    }

    /// From here on, all lanes of a value are that, and so are those that it implies.
    pub(super) fn learn(&mut self, b: &Builder, value: Value, holds: bool) {
        self.learn_within(b, value, holds, MOST_STEPS);
    }

    fn learn_within(&mut self, b: &Builder, value: Value, holds: bool, steps: u32) {
        let index = value.0 as usize;
        if self.by_value.len() <= index {
            self.by_value.resize(index + 1, None);
        }
        if steps == 0 || self.by_value[index].is_some() {
            return;
        }
        self.by_value[index] = Some(holds);
        self.log.push(value);
        match b.definition(value) {
            Some(&Op::Unary(Unary::Not, x)) => self.learn_within(b, x, !holds, steps - 1),
            Some(&(Op::Binary(Binary::And, x, y) | Op::Binary(Binary::Or, x, y)))
                if holds == matches!(b.definition(value), Some(Op::Binary(Binary::And, ..))) =>
            {
                self.learn_within(b, x, holds, steps - 1);
                self.learn_within(b, y, holds, steps - 1);
            }
            Some(&Op::Splat(x)) => self.learn_within(b, x, holds, steps - 1),
            Some(&Op::Any(x)) if !holds => self.learn_within(b, x, false, steps - 1),
            Some(&Op::All(x)) if holds => self.learn_within(b, x, true, steps - 1),
            _ => {}
        }
    }
}
