//! Short forms for what all functions are made of.
//!
//! Knows no function.

use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// Whether a value is `F32`, the other being `F64`.
///
/// # Panics
/// When it is neither.
pub(crate) fn is_f32(b: &Builder, x: Value) -> bool {
    let kind = b.ty(x).kind;
    assert!(kind.is_float(), "elementary functions take floats, not {kind:?}");
    kind == Kind::F32
}

/// A polynomial, lowest coefficient first: the even and the odd ones are summed beside each other.
pub(crate) fn polynomial(b: &mut Builder, x: Value, coefficients: &[f64]) -> Value {
    if coefficients.len() < 5 {
        return horner(b, x, coefficients.iter().copied());
    }
    let square = b.mul(x, x);
    let even = horner(b, square, coefficients.iter().copied().step_by(2));
    let odd = horner(b, square, coefficients.iter().copied().skip(1).step_by(2));
    b.fma(odd, x, even)
}

fn horner(b: &mut Builder, x: Value, coefficients: impl DoubleEndedIterator<Item = f64>) -> Value {
    let mut highest_first = coefficients.rev();
    let mut sum = b.like(x, highest_first.next().unwrap_or(0.0));
    for coefficient in highest_first {
        let coefficient = b.like(x, coefficient);
        sum = b.fma(sum, x, coefficient);
    }
    sum
}

/// `a * number + c`, rounded once.
pub(crate) fn fma_by(b: &mut Builder, a: Value, number: f64, c: Value) -> Value {
    let number = b.like(a, number);
    b.fma(a, number, c)
}

pub(crate) fn mul_by(b: &mut Builder, a: Value, number: f64) -> Value {
    let number = b.like(a, number);
    b.mul(a, number)
}

pub(crate) fn add_to(b: &mut Builder, a: Value, number: f64) -> Value {
    let number = b.like(a, number);
    b.add(a, number)
}

/// `number - a`
pub(crate) fn sub_from(b: &mut Builder, number: f64, a: Value) -> Value {
    let number = b.like(a, number);
    b.sub(number, a)
}

pub(crate) fn below(b: &mut Builder, a: Value, number: f64) -> Value {
    let number = b.like(a, number);
    b.lt(a, number)
}

pub(crate) fn above(b: &mut Builder, a: Value, number: f64) -> Value {
    let number = b.like(a, number);
    b.gt(a, number)
}

pub(crate) fn equals(b: &mut Builder, a: Value, number: f64) -> Value {
    let number = b.like(a, number);
    b.eq(a, number)
}

/// Between two numbers; NaN stays.
pub(crate) fn clamp(b: &mut Builder, x: Value, low: f64, high: f64) -> Value {
    let (low, high) = (b.like(x, low), b.like(x, high));
    let x = b.max(low, x);
    b.min(high, x)
}

/// A float's bits as integers of its size.
pub(crate) fn to_bits(b: &mut Builder, x: Value) -> Value {
    let kind = if is_f32(b, x) { Kind::I32 } else { Kind::I64 };
    b.bitcast(x, kind)
}

/// The float with these bits.
pub(crate) fn from_bits(b: &mut Builder, bits: Value) -> Value {
    let kind = if b.ty(bits).kind == Kind::I32 { Kind::F32 } else { Kind::F64 };
    b.bitcast(bits, kind)
}

/// The sign bit of `x`, all others zero, as integers.
pub(crate) fn sign(b: &mut Builder, x: Value) -> Value {
    let bits = to_bits(b, x);
    let mask = sign_mask(b, bits);
    b.and(bits, mask)
}

fn sign_mask(b: &mut Builder, bits: Value) -> Value {
    let mask = if b.ty(bits).kind == Kind::I32 { 1 << 31 } else { 1 << 63 };
    b.bits_like(bits, mask)
}

/// `x` with its sign bit flipped where `sign` has it.
pub(crate) fn flip(b: &mut Builder, x: Value, sign: Value) -> Value {
    let bits = to_bits(b, x);
    let bits = b.xor(bits, sign);
    from_bits(b, bits)
}

/// `x` with the sign of another; it must not be negative.
pub(crate) fn with_sign_of(b: &mut Builder, x: Value, other: Value) -> Value {
    let sign = sign(b, other);
    let bits = to_bits(b, x);
    let bits = b.or(bits, sign);
    from_bits(b, bits)
}

/// Shifted by a known number of bits.
pub(crate) fn shifted(b: &mut Builder, op: Binary, a: Value, bits: u32) -> Value {
    let bits = b.like(a, bits.into());
    b.binary(op, a, bits)
}

/// Whether the integer has a certain bit.
pub(crate) fn has_bit(b: &mut Builder, a: Value, bit: u64) -> Value {
    let bit = b.bits_like(a, bit);
    let zero = b.bits_like(a, 0);
    let masked = b.and(a, bit);
    b.ne(masked, zero)
}

/// The lanes where `rare` holds from `then`, which is expected not to run at all; the others as they are. What `then`
/// gives must agree with `usual` in number and types.
pub(crate) fn rarely(
    b: &mut Builder,
    rare: Value,
    usual: &[Value],
    then: impl FnOnce(&mut Builder) -> Vec<Value>,
) -> Vec<Value> {
    where_any(b, rare, usual, |b| {
        let mut results = then(b);
        for (result, &usual) in results.iter_mut().zip(usual) {
            *result = b.select(rare, *result, usual);
        }
        results
    })
}

/// What `then` gives if `rare` holds in some lane, which is not expected; else `usual`. In number and types they must
/// agree, and also in value where `rare` does not hold.
pub(crate) fn where_any(
    b: &mut Builder,
    rare: Value,
    usual: &[Value],
    then: impl FnOnce(&mut Builder) -> Vec<Value>,
) -> Vec<Value> {
    let any = b.define(Type::scalar(Kind::Bool), Op::Any(rare));
    b.open();
    let results = then(b);
    b.yields(&results);
    let then = b.close();
    b.open();
    b.yields(usual);
    let otherwise = b.close();
    let types: Vec<Type> = usual.iter().map(|&value| b.ty(value)).collect();
    b.branch_on(any, then, otherwise, &types, Hint::Unlikely)
}
