//! `pow`.

use crate::exponential::{exp2_of_sum, wide_exp2};
use crate::logarithm::{log2_in_two, wide_log2};
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// x to the power of y: `2^(y · log2 |x|)`, with the special cases of C's `pow` (IEEE 754-2019, 9.2.1).
///
/// # Panics
/// When the operands are not floats of one type.
pub fn pow(b: &mut Builder, x: Value, y: Value) -> Value {
    let size = b.abs(x);
    let (one, zero, nan) = (b.like(x, 1.0), b.like(x, 0.0), b.like(x, f64::NAN));
    let magnitude = if is_f32(b, x) {
        let (wide, exponent) =
            (b.convert(Convert::Widen, size, Kind::F64), b.convert(Convert::Widen, y, Kind::F64));
        let log = wide_log2(b, wide);
        let product = b.mul(exponent, log);
        let power = wide_exp2(b, product);
        b.convert(Convert::Narrow, power, Kind::F32)
    } else {
        power_64(b, size, y)
    };
    // A number of size 1 is so to any power, anything to the power of 0 is 1; 1 even where y is NaN.
    let y_size = b.abs(y);
    let (y_zero, x_one) = (b.eq(y, zero), b.eq(x, one));
    let (size_one, y_infinite) = (b.eq(size, one), equals(b, y_size, f64::INFINITY));
    let stays = b.and(size_one, y_infinite);
    let unit = b.or(y_zero, x_one);
    let unit = b.or(unit, stays);
    let magnitude = b.select(unit, one, magnitude);
    // Negative numbers: odd powers are negative, those that are not integers are not numbers.
    let whole = b.unary(Unary::Trunc, y);
    let integer = b.eq(whole, y);
    let half = mul_by(b, y, 0.5);
    let whole_half = b.unary(Unary::Trunc, half);
    let not_even = b.ne(whole_half, half);
    let odd = b.and(integer, not_even);
    let sign = sign(b, x);
    let none = b.bits_like(sign, 0);
    let sign = b.select(odd, sign, none);
    let result = flip(b, magnitude, sign);
    let lowest = b.like(x, f64::NEG_INFINITY);
    let (negative, finite) = (b.lt(x, zero), b.gt(x, lowest));
    let negative = b.and(negative, finite);
    let broken = b.not(integer);
    let undefined = b.and(negative, broken);
    b.select(undefined, nan, result)
}

/// The logarithm, and its product with y, in two parts each.
fn power_64(b: &mut Builder, size: Value, y: Value) -> Value {
    let (high, low) = log2_in_two(b, size);
    let product = b.mul(y, high);
    let negated = b.neg(product);
    let rest = b.fma(y, high, negated);
    let rest = b.fma(y, low, rest);
    // Where the product is beyond all exponents, its rest is none.
    let far = b.abs(product);
    let near = below(b, far, 1100.0);
    let zero = b.like(size, 0.0);
    let rest = b.select(near, rest, zero);
    let result = exp2_of_sum(b, product, rest);
    // 0, infinity and NaN: their powers only depend on the sign of y.
    let infinity = b.like(size, f64::INFINITY);
    let (is_zero, is_finite) = (b.eq(size, zero), b.lt(size, infinity));
    let falling = b.lt(y, zero);
    let (of_zero, of_infinity) = (b.select(falling, infinity, zero), b.select(falling, zero, infinity));
    let result = b.select(is_zero, of_zero, result);
    let special = b.not(is_finite);
    let result = b.select(special, of_infinity, result);
    let (x_number, y_number) = (b.eq(size, size), b.eq(y, y));
    let numbers = b.and(x_number, y_number);
    let nan = b.like(size, f64::NAN);
    b.select(numbers, result, nan)
}
