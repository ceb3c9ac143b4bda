//! `exp`, `exp2`, and what hyperbolic functions need of them.
//!
//! `exp(x) = 2ⁿ · exp(r)`, where n is the integer nearest to `x / ln 2` and r the rest, subtracted in two parts.

use crate::coefficients::*;
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// Adding and subtracting it rounds to an integer.
const TO_INTEGER_32: f64 = 12_582_912.0;
const TO_INTEGER_64: f64 = 6_755_399_441_055_744.0;

/// eˣ.
///
/// # Panics
/// When `x` is not a float.
pub fn exp(b: &mut Builder, x: Value) -> Value {
    let parts = reduce(b, x);
    let fraction = add_to(b, parts.less_one, 1.0);
    b.scale(fraction, parts.power)
}

/// eˣ/2, which is finite somewhat longer than eˣ.
pub(crate) fn half_exp(b: &mut Builder, x: Value) -> Value {
    let parts = reduce(b, x);
    let half = b.like(x, 0.5);
    let fraction = b.fma(parts.less_one, half, half);
    b.scale(fraction, parts.power)
}

struct Parts {
    /// exp(r) - 1
    less_one: Value,
    /// n
    power: Value,
}

fn reduce(b: &mut Builder, x: Value) -> Parts {
    let narrow = is_f32(b, x);
    let (low, high, offset, log2_e) = if narrow {
        (-104.5, 90.0, TO_INTEGER_32, LOG2_E_32[0])
    } else {
        (-746.0, 710.5, TO_INTEGER_64, LOG2_E_64[0])
    };
    let x = clamp(b, x, low, high);
    let offset = b.like(x, offset);
    let sum = fma_by(b, x, log2_e, offset);
    let n = b.sub(sum, offset);
    let (ln2, coefficients) = if narrow { (&LN2_32, &EXP_32[..]) } else { (&LN2_64, &EXP_64[..]) };
    let exact = fma_by(b, n, -ln2[0], x);
    let r = fma_by(b, n, -ln2[1], exact);
    let p = polynomial(b, r, coefficients);
    let square = b.mul(r, r);
    let less_one = b.fma(square, p, r);
    Parts { less_one, power: n }
}

/// 2ˣ.
///
/// # Panics
/// When `x` is not a float.
pub fn exp2(b: &mut Builder, x: Value) -> Value {
    let (low, high, offset) =
        if is_f32(b, x) { (-150.5, 129.0, TO_INTEGER_32) } else { (-1076.0, 1025.0, TO_INTEGER_64) };
    let coefficients = if is_f32(b, x) { &EXP2_32[..] } else { &EXP2_64[..] };
    let x = clamp(b, x, low, high);
    let offset = b.like(x, offset);
    let sum = b.add(x, offset);
    let n = b.sub(sum, offset);
    let r = b.sub(x, n);
    let p = polynomial(b, r, coefficients);
    let one = b.like(x, 1.0);
    let fraction = b.fma(r, p, one);
    b.scale(fraction, n)
}

/// 2ˣ⁺ᵗ for `F64`, where t is small beside x: the lower half of an exponent in two parts.
pub(crate) fn exp2_of_sum(b: &mut Builder, x: Value, tail: Value) -> Value {
    let x = clamp(b, x, -1076.0, 1025.0);
    let offset = b.like(x, TO_INTEGER_64);
    let sum = b.add(x, offset);
    let n = b.sub(sum, offset);
    let r = b.sub(x, n);
    let r = b.add(r, tail);
    let p = polynomial(b, r, &EXP2_64);
    let one = b.like(x, 1.0);
    let fraction = b.fma(r, p, one);
    b.scale(fraction, n)
}

/// 2ˣ for `F64` with no more digits than an `F32` result asks for. Beyond what `F32` holds the result is 2^±200.
pub(crate) fn wide_exp2(b: &mut Builder, x: Value) -> Value {
    let x = clamp(b, x, -200.0, 200.0);
    let offset = b.like(x, TO_INTEGER_64 + 1023.0);
    let sum = b.add(x, offset);
    let n = b.sub(sum, offset);
    let power = to_bits(b, sum);
    let r = b.sub(x, n);
    let p = polynomial(b, r, &EXP2_WIDE);
    let one = b.like(x, 1.0);
    let fraction = b.fma(r, p, one);
    let power = shifted(b, Binary::Shl, power, 52);
    let power = from_bits(b, power);
    b.mul(fraction, power)
}
