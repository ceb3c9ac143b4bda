//! Integer products from narrower ones.

use super::Rewriting;
use crate::ir::*;

/// The low and the high half of 64-bit integers.
pub(super) fn halves(r: &mut Rewriting<'_>, a: Value) -> (Value, Value) {
    let high = r.shifted(Binary::ShrU, a, 32);
    (r.convert(Convert::Truncate, a, Kind::I32), r.convert(Convert::Truncate, high, Kind::I32))
}

/// 64-bit products from products of their 32-bit halves.
pub(super) fn low_64(r: &mut Rewriting<'_>, a: Value, b: Value) -> Value {
    let ((a_low, a_high), (b_low, b_high)) = (halves(r, a), halves(r, b));
    let (low, carry) = (r.mul(a_low, b_low), r.binary(Binary::MulHigh, a_low, b_low));
    let (left, right) = (r.mul(a_high, b_low), r.mul(a_low, b_high));
    let cross = r.add(left, right);
    let high = r.add(carry, cross);
    let (low, high) =
        (r.convert(Convert::ZeroExtend, low, Kind::I64), r.convert(Convert::ZeroExtend, high, Kind::I64));
    let high = r.shifted(Binary::Shl, high, 32);
    r.or(low, high)
}

/// The upper halves of products.
pub(super) fn high(r: &mut Rewriting<'_>, a: Value, b: Value) -> Value {
    let ty = r.ty(a);
    let wide = ty.with(Kind::I64);
    if !r.has(&Op::Binary(Binary::Mul, a, b), wide, wide) {
        return match ty.kind {
            Kind::I64 => r.assemble(|r, lane| {
                let (a, b) = (r.extract(a, lane), r.extract(b, lane));
                r.binary(Binary::MulHigh, a, b)
            }),
            _ => high_by_parts(r, a, b, 16),
        };
    }
    if ty.kind == Kind::I64 {
        return high_by_parts(r, a, b, 32);
    }
    let (a, b) = (r.convert(Convert::ZeroExtend, a, Kind::I64), r.convert(Convert::ZeroExtend, b, Kind::I64));
    let product = r.mul(a, b);
    let high = r.shifted(Binary::ShrU, product, 32);
    r.convert(Convert::Truncate, high, Kind::I32)
}

/// From the four products of halves of `part` bits, none of which overflows.
fn high_by_parts(r: &mut Rewriting<'_>, a: Value, b: Value, part: u32) -> Value {
    let mask = r.int(a, (1 << part) - 1);
    let (a_low, b_low) = (r.and(a, mask), r.and(b, mask));
    let (a_high, b_high) = (r.shifted(Binary::ShrU, a, part), r.shifted(Binary::ShrU, b, part));
    let lowest = r.mul(a_low, b_low);
    let carry = r.shifted(Binary::ShrU, lowest, part);
    let left = r.mul(a_high, b_low);
    let left = r.add(left, carry);
    let left_low = r.and(left, mask);
    let right = r.mul(a_low, b_high);
    let right = r.add(right, left_low);
    let highest = r.mul(a_high, b_high);
    let left_high = r.shifted(Binary::ShrU, left, part);
    let right_high = r.shifted(Binary::ShrU, right, part);
    let high = r.add(highest, left_high);
    r.add(high, right_high)
}
