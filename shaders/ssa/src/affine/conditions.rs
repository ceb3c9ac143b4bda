//! What a condition says about who is here.
//!
//! Knows comparisons of 32-bit integers, and how naga writes `&&` and `||`; anything else may or may not hold.

use super::form::Form;
use super::space::Piece;
use super::values::{State, is_integer};
use crate::ir::{Binary, Compare, Op, Unary, Value};
use warpweft_module::Scalar;

/// How deep conditions are looked into.
const DEPTH: u32 = 24;
/// How many conditions are looked into for one answer: both sides of a choice hang on what chooses.
const MOST: u32 = 300;
/// More pieces than this are taken back together.
pub(super) const PIECES: usize = 48;
/// Beyond any difference of 32-bit integers.
const FAR: i128 = 1 << 80;

impl State<'_> {
    /// Those of the pieces for which a condition holds, or does not.
    pub(super) fn assume(&mut self, pieces: &[Piece], condition: Value, truth: bool) -> Vec<Piece> {
        self.asked = 0;
        let found = self.assumed(pieces, condition, truth, 0);
        if found.len() <= PIECES { found } else { perhaps(pieces) }
    }

    /// Whether a condition is the same for all who are here.
    pub(crate) fn decide(&mut self, condition: Value, pieces: &[Piece]) -> Option<bool> {
        if pieces.is_empty() {
            return None;
        }
        // Of floats nothing is known.
        if let Op::Compare(_, a, _) = self.function.definition(condition).op
            && !is_integer(self.function.ty(a))
        {
            return None;
        }
        self.asked = 0;
        if self.assumed(pieces, condition, true, 0).is_empty() {
            return Some(false);
        }
        self.assumed(pieces, condition, false, 0).is_empty().then_some(true)
    }

    fn assumed(&mut self, pieces: &[Piece], condition: Value, truth: bool, depth: u32) -> Vec<Piece> {
        if pieces.is_empty() {
            return Vec::new();
        }
        self.asked += 1;
        if depth > DEPTH || self.asked > MOST || pieces.len() > PIECES {
            return perhaps(pieces);
        }
        let function = self.function;
        match function.definition(condition).op {
            Op::Constant(bits) => {
                if (bits != 0) == truth {
                    pieces.to_vec()
                } else {
                    Vec::new()
                }
            }
            Op::Unary(Unary::Not, a) => self.assumed(pieces, a, !truth, depth + 1),
            Op::Compare(compare, a, b) if is_integer(function.ty(a)) => {
                self.compared(pieces, compare, a, b, truth)
            }
            // Those for whom the first decides, and the rest for whom the second does: nobody twice.
            Op::Binary(operator @ (Binary::And | Binary::Or), a, b) => {
                let decided = operator == Binary::Or;
                let rest = self.assumed(pieces, a, !decided, depth + 1);
                let mut found = self.assumed(&rest, b, truth, depth + 1);
                if truth == decided {
                    found.extend(self.assumed(pieces, a, decided, depth + 1));
                }
                found
            }
            Op::Select(c, a, b) => self.chosen(pieces, c, a, b, truth, depth),
            Op::Parameter => match self.choices[condition.0 as usize] {
                Some((c, a, b)) => self.chosen(pieces, c, a, b, truth, depth),
                None => perhaps(pieces),
            },
            _ => perhaps(pieces),
        }
    }

    fn chosen(
        &mut self,
        pieces: &[Piece],
        c: Value,
        a: Value,
        b: Value,
        truth: bool,
        depth: u32,
    ) -> Vec<Piece> {
        if a == b {
            return self.assumed(pieces, a, truth, depth + 1);
        }
        let mut found = Vec::new();
        for (side, chooses) in [(a, true), (b, false)] {
            // `&&` and `||` have a constant on one side: nobody is asked who would come to nothing.
            if self.function.constant(side).is_some_and(|bits| (bits != 0) != truth) {
                continue;
            }
            let here = self.assumed(pieces, c, chooses, depth + 1);
            found.extend(self.assumed(&here, side, truth, depth + 1));
        }
        found
    }

    fn compared(
        &mut self,
        pieces: &[Piece],
        compare: Compare,
        a: Value,
        b: Value,
        truth: bool,
    ) -> Vec<Piece> {
        let signed = self.function.ty(a) == Scalar::I32;
        let (x, y) = (self.form(a), self.form(b));
        let mut found = Vec::new();
        for piece in pieces {
            let here = std::slice::from_ref(piece);
            let difference: Option<Form> = if x == y {
                Some(Form::constant(0))
            } else {
                let x = self.space.resolve(here, &x, signed);
                x.zip(self.space.resolve(here, &y, signed)).map(|(x, y)| x.plus(&y, -1))
            };
            let Some(difference) = difference else {
                found.extend(perhaps(here));
                continue;
            };
            let below = (-FAR, -1);
            let above = (1, FAR);
            let parts: &[(i128, i128)] = match (compare, truth) {
                (Compare::Equal, true) | (Compare::NotEqual, false) => &[(0, 0)],
                (Compare::Equal, false) | (Compare::NotEqual, true) => &[below, above],
                (Compare::Less, true) | (Compare::GreaterEqual, false) => &[below],
                (Compare::Less, false) | (Compare::GreaterEqual, true) => &[(0, FAR)],
                (Compare::Greater, true) | (Compare::LessEqual, false) => &[above],
                (Compare::Greater, false) | (Compare::LessEqual, true) => &[(-FAR, 0)],
            };
            let part = |&(lo, hi): &(i128, i128)| self.space.cut_source(piece, &difference, lo, hi);
            found.extend(parts.iter().filter_map(part));
        }
        found
    }
}

/// Nobody knows who of these comes.
pub(super) fn perhaps(pieces: &[Piece]) -> Vec<Piece> {
    let maybe = |piece: &Piece| Piece { exact: false, share: piece.share / 2.0, ..piece.clone() };
    pieces.iter().map(maybe).collect()
}
