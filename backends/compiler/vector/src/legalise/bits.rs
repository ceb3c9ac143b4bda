//! Counts of bits.

use super::Rewriting;
use crate::ir::*;

/// Sums of neighbours in fields of 2, 4, 8, … bits (Warren, Hacker's Delight, 5-1).
pub(super) fn count_ones(r: &mut Rewriting<'_>, a: Value) -> Value {
    let mask = |r: &mut Rewriting<'_>, byte: u64| r.int(a, (byte * 0x0101_0101_0101_0101) as i64);
    let (m55, m33, m0f) = (mask(r, 0x55), mask(r, 0x33), mask(r, 0x0f));
    let half = r.shifted(Binary::ShrU, a, 1);
    let half = r.and(half, m55);
    let pairs = r.sub(a, half);
    let high = r.shifted(Binary::ShrU, pairs, 2);
    let (high, low) = (r.and(high, m33), r.and(pairs, m33));
    let nibbles = r.add(high, low);
    let high = r.shifted(Binary::ShrU, nibbles, 4);
    let bytes = r.add(nibbles, high);
    let mut sum = r.and(bytes, m0f);
    let bits = 8 * r.ty(a).kind.size();
    let mut shift = 8;
    while shift < bits {
        let high = r.shifted(Binary::ShrU, sum, shift);
        sum = r.add(sum, high);
        shift *= 2;
    }
    let low = r.int(a, 0x7f);
    r.and(sum, low)
}

/// The exponent of the number as a float. Rounding must not reach the next power of two: the bit below each set one
/// is cleared first.
pub(super) fn leading_zeros(r: &mut Rewriting<'_>, a: Value) -> Value {
    if r.ty(a).kind == Kind::I64 {
        let high = r.shifted(Binary::ShrU, a, 32);
        let high = r.convert(Convert::Truncate, high, Kind::I32);
        let low = r.convert(Convert::Truncate, a, Kind::I32);
        let (high, low) = (r.unary(Unary::LeadingZeros, high), r.unary(Unary::LeadingZeros, low));
        let all = r.int(high, 32);
        let empty = r.eq(high, all);
        let both = r.add(low, all);
        let count = r.select(empty, both, high);
        return r.convert(Convert::ZeroExtend, count, Kind::I64);
    }
    let below = r.shifted(Binary::ShrU, a, 1);
    let below = r.unary(Unary::Not, below);
    let sparse = r.and(a, below);
    let float = r.convert(Convert::FromSigned, sparse, Kind::F32);
    let float = r.cast(float, Kind::I32);
    let exponent = r.shifted(Binary::ShrU, float, 23);
    // A zero has exponent 0, a number with its top bit set is negative: 9 more bits.
    let top = r.int(a, 158);
    let count = r.sub(top, exponent);
    let (most, least) = (r.int(a, 32), r.int(a, 0));
    let count = r.binary(Binary::MinS, count, most);
    r.binary(Binary::MaxS, count, least)
}

/// The ones below the lowest set bit, or where that is set.
pub(super) fn trailing_zeros(r: &mut Rewriting<'_>, a: Value) -> Value {
    let ty = r.ty(a);
    if !r.has(&Op::Unary(Unary::CountOnes, a), ty, ty) && r.has(&Op::Unary(Unary::LeadingZeros, a), ty, ty) {
        let bits = i64::from(8 * ty.kind.size());
        let zero = r.int(a, 0);
        let negated = r.sub(zero, a);
        let lowest = r.and(a, negated);
        let above = r.unary(Unary::LeadingZeros, lowest);
        let (last, all) = (r.int(a, bits - 1), r.int(a, bits));
        let count = r.sub(last, above);
        let none = r.eq(a, zero);
        return r.select(none, all, count);
    }
    let one = r.int(a, 1);
    let less = r.sub(a, one);
    let others = r.unary(Unary::Not, a);
    let below = r.and(less, others);
    r.unary(Unary::CountOnes, below)
}
