//! Conditions of a whole gang: whether all of its lanes agree with what is wanted, as one scalar.
//!
//! For what a row cannot answer at once. Knows nothing of why it is asked.

use super::Gang;
use super::inside::{mirrored, negated};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Compare as SsaCompare, Op as SsaOp};
use warpweft_vector::ir::{Compare, Kind, Op, Type, Value};

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
        use SsaCompare as C;
        let ty = self.ssa.ty(a);
        let signed = match ty {
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
        let step = self.step(lanes)?;
        self.lower_ahead(lanes);
        self.lower_ahead(limit);
        let first = self.scalar(lanes);
        let limit = self.scalar(limit);
        let reach = (i64::from(self.b.lanes()) - 1).checked_mul(step)?;
        i32::try_from(reach).ok()?;
        let reach_value = self.b.i32(reach as u32);
        let last = self.b.add(first, reach_value);
        let (low, high) = if step > 0 { (first, last) } else { (last, first) };
        let (less, less_equal) =
            if signed { (Compare::LtS, Compare::LeS) } else { (Compare::LtU, Compare::LeU) };
        // From end to end without running over.
        let sound = self.b.compare(less_equal, low, high);
        let test = match op {
            C::Less => self.b.compare(less, high, limit),
            C::LessEqual => self.b.compare(less_equal, high, limit),
            C::Greater => self.b.compare(less, limit, low),
            C::GreaterEqual => self.b.compare(less_equal, limit, low),
            C::NotEqual => {
                let below = self.b.compare(less, high, limit);
                let above = self.b.compare(less, limit, low);
                self.b.or(below, above)
            }
            C::Equal => return None,
        };
        Some(self.b.and(sound, test))
    }
}
