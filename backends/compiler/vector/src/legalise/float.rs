//! Floats: signs, rounding to integers, estimates.

use super::Rewriting;
use crate::ir::*;

/// The integer kind of a float's size, and its sign bit.
fn pattern(r: &Rewriting<'_>, a: Value) -> (Kind, u64) {
    if r.ty(a).kind == Kind::F32 { (Kind::I32, 1 << 31) } else { (Kind::I64, 1 << 63) }
}

pub(super) fn negate(r: &mut Rewriting<'_>, a: Value) -> Value {
    let (kind, sign) = pattern(r, a);
    let bits = r.cast(a, kind);
    let sign = r.constant(r.ty(bits), sign);
    let bits = r.xor(bits, sign);
    r.cast(bits, r.ty(a).kind)
}

pub(super) fn absolute(r: &mut Rewriting<'_>, a: Value) -> Value {
    let (kind, sign) = pattern(r, a);
    let bits = r.cast(a, kind);
    let others = r.constant(r.ty(bits), !sign);
    let bits = r.and(bits, others);
    r.cast(bits, r.ty(a).kind)
}

/// `magnitude` must not be negative.
fn with_sign_of(r: &mut Rewriting<'_>, magnitude: Value, a: Value) -> Value {
    let (kind, sign) = pattern(r, a);
    let sign = r.constant(r.ty(a).with(kind), sign);
    let (bits, magnitude) = (r.cast(a, kind), r.cast(magnitude, kind));
    let bits = r.and(bits, sign);
    let bits = r.or(bits, magnitude);
    r.cast(bits, r.ty(a).kind)
}

/// From this number on, all floats are integers.
fn integers_from(r: &mut Rewriting<'_>, a: Value) -> Value {
    let first = if r.ty(a).kind == Kind::F32 { 8_388_608.0 } else { 4_503_599_627_370_496.0 };
    r.float(a, first)
}

/// The magnitude of `a`, and that to the nearest integer: adding a number with no room for fractions rounds.
fn rounded(r: &mut Rewriting<'_>, a: Value) -> (Value, Value) {
    let first = integers_from(r, a);
    let magnitude = r.unary(Unary::Abs, a);
    let sum = r.add(magnitude, first);
    (magnitude, r.sub(sum, first))
}

/// `rounded` with the sign of `a`; where `a` has no fraction, or is NaN, `a`.
fn finish(r: &mut Rewriting<'_>, a: Value, magnitude: Value, rounded: Value) -> Value {
    let first = integers_from(r, a);
    let fraction = r.lt(magnitude, first);
    let rounded = with_sign_of(r, rounded, a);
    r.select(fraction, rounded, a)
}

pub(super) fn nearest(r: &mut Rewriting<'_>, a: Value) -> Value {
    let (magnitude, rounded) = rounded(r, a);
    finish(r, a, magnitude, rounded)
}

pub(super) fn trunc(r: &mut Rewriting<'_>, a: Value) -> Value {
    let (magnitude, rounded) = rounded(r, a);
    let one = r.float(a, 1.0);
    let less = r.sub(rounded, one);
    let above = r.gt(rounded, magnitude);
    let rounded = r.select(above, less, rounded);
    finish(r, a, magnitude, rounded)
}

pub(super) fn floor(r: &mut Rewriting<'_>, a: Value) -> Value {
    let truncated = r.unary(Unary::Trunc, a);
    let one = r.float(a, 1.0);
    let less = r.sub(truncated, one);
    let above = r.gt(truncated, a);
    r.select(above, less, truncated)
}

/// `-floor(-a)` has the right zeros, too.
pub(super) fn ceil(r: &mut Rewriting<'_>, a: Value) -> Value {
    let negated = r.unary(Unary::Neg, a);
    let floor = r.unary(Unary::Floor, negated);
    r.unary(Unary::Neg, floor)
}

pub(super) fn inverse_sqrt(r: &mut Rewriting<'_>, a: Value) -> Value {
    let root = r.unary(Unary::Sqrt, a);
    inverse(r, root)
}

pub(super) fn inverse(r: &mut Rewriting<'_>, a: Value) -> Value {
    let one = r.float(a, 1.0);
    r.div(one, a)
}

/// In two steps, since results may be denormal and the power of two too large: the first is exact.
pub(super) fn scale(r: &mut Rewriting<'_>, a: Value, n: Value) -> Value {
    let (kind, _) = pattern(r, a);
    // The sum's last bits are n plus twice the exponent's bias; those above drop out, for below them are zeros.
    let (offset, mantissa) =
        if kind == Kind::I32 { (12_582_912.0 + 254.0, 23) } else { (6_755_399_441_055_744.0 + 2046.0, 52) };
    let offset = r.float(a, offset);
    let sum = r.add(n, offset);
    let power = r.cast(sum, kind);
    let half = r.shifted(Binary::ShrU, power, 1);
    let rest = r.sub(power, half);
    [half, rest].into_iter().fold(a, |product, part| {
        let part = r.shifted(Binary::Shl, part, mantissa);
        let part = r.cast(part, r.ty(a).kind);
        r.mul(product, part)
    })
}
