//! WGSL's builtin functions on the bits of integers, one component at a time.

use super::Builder;
use crate::arithmetic::is_signed;
use crate::ir::{Binary, Compare, Unary, Value};
use naga::MathFunction;
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    /// A bit builtin of an integer; `None` where it is no such function.
    pub(super) fn bits(&mut self, fun: MathFunction, a: Value, rest: [Option<Value>; 3]) -> Option<Value> {
        use MathFunction as M;
        let [b, c, d] = rest;
        Some(match fun {
            M::CountTrailingZeros => self.unary(Unary::TrailingZeros, a),
            M::CountLeadingZeros => self.unary(Unary::LeadingZeros, a),
            M::CountOneBits => self.unary(Unary::CountOnes, a),
            M::ReverseBits => self.unary(Unary::ReverseBits, a),
            M::FirstTrailingBit => {
                let ty = self.ty(a);
                let (zero, none) = (self.number(ty, 0), self.number(ty, -1));
                let empty = self.compare(Compare::Equal, a, zero);
                let place = self.unary(Unary::TrailingZeros, a);
                self.select(empty, none, place)
            }
            M::FirstLeadingBit => self.first_leading_bit(a),
            M::ExtractBits => self.extract(a, b?, c?),
            M::InsertBits => self.insert(a, b?, c?, d?),
            _ => return None,
        })
    }

    /// The place of the highest bit that differs from the sign; all ones where there is none.
    fn first_leading_bit(&mut self, a: Value) -> Value {
        let ty = self.ty(a);
        let (zero, none) = (self.number(ty, 0), self.number(ty, -1));
        let mut value = a;
        if is_signed(ty) {
            let (negative, flipped) = (self.compare(Compare::Less, a, zero), self.unary(Unary::Not, a));
            value = self.select(negative, flipped, a);
        }
        let empty = self.compare(Compare::Equal, value, zero);
        let last = self.number(ty, i64::from(ty.size()) * 8 - 1);
        let above = self.unary(Unary::LeadingZeros, value);
        let place = self.binary(Binary::Subtract, last, above);
        self.select(empty, none, place)
    }

    /// Offset and count of a bit field, cut to the width.
    fn field(&mut self, ty: Scalar, offset: Value, count: Value) -> (Value, Value) {
        let width = self.u32(ty.size() * 8);
        let offset = self.binary(Binary::Min, offset, width);
        let left = self.binary(Binary::Subtract, width, offset);
        (offset, self.binary(Binary::Min, count, left))
    }

    fn extract(&mut self, value: Value, offset: Value, count: Value) -> Value {
        let ty = self.ty(value);
        let (offset, count) = self.field(ty, offset, count);
        let (width, none, zero) = (self.u32(ty.size() * 8), self.u32(0), self.number(ty, 0));
        let empty = self.compare(Compare::Equal, count, none);
        let cut = self.binary(Binary::Subtract, width, count);
        let above = self.binary(Binary::Subtract, cut, offset);
        let high = self.binary(Binary::ShiftLeft, value, above);
        let field = self.binary(Binary::ShiftRight, high, cut);
        self.select(empty, zero, field)
    }

    fn insert(&mut self, value: Value, new: Value, offset: Value, count: Value) -> Value {
        let ty = self.ty(value);
        let (offset, count) = self.field(ty, offset, count);
        let (width, none, zero) = (self.u32(ty.size() * 8), self.u32(0), self.number(ty, 0));
        let empty = self.compare(Compare::Equal, count, none);
        let full = self.compare(Compare::Equal, count, width);
        // The field's ones: those of a full word without the ones above it.
        let ones = self.number(ty, -1);
        let above = self.binary(Binary::ShiftLeft, ones, count);
        let above = self.select(full, zero, above);
        let field = self.unary(Unary::Not, above);
        let mask = self.binary(Binary::ShiftLeft, field, offset);
        let outside = self.unary(Unary::Not, mask);
        let kept = self.binary(Binary::And, value, outside);
        let moved = self.binary(Binary::ShiftLeft, new, offset);
        let put = self.binary(Binary::And, moved, mask);
        let whole = self.binary(Binary::Or, kept, put);
        self.select(empty, value, whole)
    }
}
