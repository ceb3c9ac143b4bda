//! Conditions of a whole gang: whether all of its lanes agree with what is wanted, as one scalar.
//!
//! For what a row cannot answer at once. Knows nothing of why it is asked.

use super::Gang;
use super::inside::{mirrored, negated};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Compare as SsaCompare, Op as SsaOp};
use warpweft_vector::ir::{Convert, Kind, Op, Type, Value};

impl Gang<'_> {
    /// Whether a condition has one value in all lanes of a complete gang, as a scalar `Bool`; `None` where that cannot be
    /// asked here.
    pub(super) fn everywhere(&mut self, condition: ssa::Value, wanted: bool) -> Option<Value> {
        if !self.is_ahead(condition, 40) {
            return None;
        }
        if self.is_uniform(condition) {
            self.lower_ahead(condition);
            let value = self.scalar(condition);
            return Some(if wanted { value } else { self.b.not(value) });
        }
        let ssa = self.ssa;
        match ssa.definition(condition).op {
            SsaOp::Unary(ssa::Unary::Not, inner) => return self.everywhere(inner, !wanted),
            SsaOp::Binary(ssa::Binary::And, a, b) if wanted => {
                let (a, b) = (self.everywhere(a, true)?, self.everywhere(b, true)?);
                return Some(self.b.and(a, b));
            }
            SsaOp::Binary(ssa::Binary::Or, a, b) if !wanted => {
                let (a, b) = (self.everywhere(a, false)?, self.everywhere(b, false)?);
                return Some(self.b.and(a, b));
            }
            SsaOp::Compare(op, a, b) => {
                if let Some(test) = self.everywhere_compared(op, a, b, wanted) {
                    return Some(test);
                }
            }
            _ => {}
        }
        self.lower_ahead(condition);
        let vector = self.vector(condition);
        if wanted {
            return Some(self.b.define(Type::scalar(Kind::Bool), Op::All(vector)));
        }
        let any = self.any(vector);
        Some(self.b.not(any))
    }

    /// The same for evenly spaced integers against a uniform one: the ends decide.
    fn everywhere_compared(
        &mut self,
        op: SsaCompare,
        a: ssa::Value,
        b: ssa::Value,
        wanted: bool,
    ) -> Option<Value> {
        let signed = match self.ssa.ty(a) {
            Scalar::I32 => true,
            Scalar::U32 => false,
            _ => return None,
        };
        let op = if wanted { op } else { negated(op) };
        let (lanes, limit, op) = match (self.step(a), self.step(b)) {
            (Some(_), None) if self.is_uniform(b) => (a, b, op),
            (None, Some(_)) if self.is_uniform(a) => (b, a, mirrored(op)),
            _ => return None,
        };
        if matches!(op, SsaCompare::Equal | SsaCompare::NotEqual) {
            return None;
        }
        self.lower_ahead(lanes);
        self.lower_ahead(limit);
        let (first, limit) = (self.scalar(lanes), self.scalar(limit));
        let first = self.b.convert(Convert::SignExtend, first, Kind::I64);
        let span = self.span(op, limit, signed);
        let span = self.span_of_first(span, self.reach_of(lanes));
        Some(self.lies(first, span))
    }
}
