//! `asinh`, `acosh`, `atanh`.
//!
//! `F32` goes through `F64`, where the logarithms' cancellation costs nothing that is seen in the result.

use crate::coefficients::LN2_DOUBLE_64;
use crate::logarithm::{log, log_1p, wide_log};
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// asinh x.
///
/// # Panics
/// When `x` is not a float.
pub fn asinh(b: &mut Builder, x: Value) -> Value {
    let result = if is_f32(b, x) {
        let wide = b.convert(Convert::Widen, x, Kind::F64);
        let size = b.abs(wide);
        let one = b.like(wide, 1.0);
        let square = b.fma(wide, wide, one);
        let root = b.unary(Unary::Sqrt, square);
        let sum = b.add(size, root);
        let result = wide_log(b, sum);
        let result = keep_special(b, size, result);
        let result = b.convert(Convert::Narrow, result, Kind::F32);
        let size = b.abs(x);
        near_zero(b, size, -1.0 / 6.0, result)
    } else {
        let size = b.abs(x);
        let square = b.mul(size, size);
        let one = b.like(x, 1.0);
        let sum = b.add(square, one);
        let root = b.unary(Unary::Sqrt, sum);
        let divisor = b.add(root, one);
        let quotient = b.div(square, divisor);
        let argument = b.add(size, quotient);
        large_or(b, size, argument)
    };
    with_sign_of(b, result, x)
}

/// acosh x; NaN below 1.
///
/// # Panics
/// When `x` is not a float.
pub fn acosh(b: &mut Builder, x: Value) -> Value {
    if is_f32(b, x) {
        let wide = b.convert(Convert::Widen, x, Kind::F64);
        let minus_one = b.like(wide, -1.0);
        let square = b.fma(wide, wide, minus_one);
        let root = b.unary(Unary::Sqrt, square);
        let sum = b.add(wide, root);
        let result = wide_log(b, sum);
        let result = keep_special(b, wide, result);
        let outside = below(b, wide, 1.0);
        let nan = b.like(wide, f64::NAN);
        let result = b.select(outside, nan, result);
        return b.convert(Convert::Narrow, result, Kind::F32);
    }
    let less = add_to(b, x, -1.0);
    let two = b.like(x, 2.0);
    let sum = b.add(less, two);
    let product = b.mul(less, sum);
    let root = b.unary(Unary::Sqrt, product);
    let argument = b.add(less, root);
    let result = large_or(b, x, argument);
    let outside = below(b, x, 1.0);
    let nan = b.like(x, f64::NAN);
    b.select(outside, nan, result)
}

/// atanh x; NaN outside of [-1, 1].
///
/// # Panics
/// When `x` is not a float.
pub fn atanh(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let result = if is_f32(b, x) {
        let wide = b.convert(Convert::Widen, size, Kind::F64);
        let above = add_to(b, wide, 1.0);
        let below_one = sub_from(b, 1.0, wide);
        let quotient = b.div(above, below_one);
        let result = wide_log(b, quotient);
        let result = mul_by(b, result, 0.5);
        let result = b.convert(Convert::Narrow, result, Kind::F32);
        near_zero(b, size, 1.0 / 3.0, result)
    } else {
        let rest = sub_from(b, 1.0, size);
        let doubled = b.add(size, size);
        let quotient = b.div(doubled, rest);
        let result = log_1p(b, quotient);
        mul_by(b, result, 0.5)
    };
    let inside = below(b, size, 1.0);
    let (infinity, nan) = (b.like(x, f64::INFINITY), b.like(x, f64::NAN));
    let one = equals(b, size, 1.0);
    let outside = b.select(one, infinity, nan);
    let result = b.select(inside, result, outside);
    with_sign_of(b, result, x)
}

/// Below 2⁻¹², `x + c·x³`, since the logarithm of 1 + x knows too little of x there.
fn near_zero(b: &mut Builder, size: Value, coefficient: f64, result: Value) -> Value {
    let small = below(b, size, 2f64.powi(-12));
    let square = b.mul(size, size);
    let cube = b.mul(square, size);
    let near = fma_by(b, cube, coefficient, size);
    b.select(small, near, result)
}

/// Infinity and NaN where the argument is.
fn keep_special(b: &mut Builder, argument: Value, result: Value) -> Value {
    let infinity = b.like(argument, f64::INFINITY);
    let finite = b.lt(argument, infinity);
    b.select(finite, result, argument)
}

/// ln(1 + argument), or ln 2 + ln x where x is so large that nothing else matters (and its square overflows).
fn large_or(b: &mut Builder, x: Value, argument: Value) -> Value {
    let result = log_1p(b, argument);
    let large = above(b, x, 2f64.powi(500));
    let far = log(b, x);
    let far = add_to(b, far, LN2_DOUBLE_64[0]);
    b.select(large, far, result)
}
