//! `sinh`, `cosh`, `tanh`.

use crate::coefficients::*;
use crate::exponential::half_exp;
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// sinh x.
///
/// # Panics
/// When `x` is not a float.
pub fn sinh(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let small = below(b, size, 1.0);
    let e = half_exp(b, size);
    let quarter = b.like(x, 0.25);
    let inverse = b.div(quarter, e);
    let large = b.sub(e, inverse);
    let near = if is_f32(b, x) { odd(b, size, &SINH_32) } else { odd(b, size, &SINH_64) };
    let result = b.select(small, near, large);
    with_sign_of(b, result, x)
}

/// x + x³·p(x²)
fn odd(b: &mut Builder, x: Value, coefficients: &[f64]) -> Value {
    let z = b.mul(x, x);
    let p = polynomial(b, z, coefficients);
    let cube = b.mul(z, x);
    b.fma(cube, p, x)
}

/// cosh x.
///
/// # Panics
/// When `x` is not a float.
pub fn cosh(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let e = half_exp(b, size);
    let quarter = b.like(x, 0.25);
    let inverse = b.div(quarter, e);
    b.add(e, inverse)
}

/// tanh x.
///
/// # Panics
/// When `x` is not a float.
pub fn tanh(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let small = below(b, size, 0.625);
    let doubled = b.add(size, size);
    let e = half_exp(b, doubled);
    // 1 - 2/(e²ˣ + 1), with half of that power.
    let divisor = add_to(b, e, 0.5);
    let one = b.like(x, 1.0);
    let quotient = b.div(one, divisor);
    let large = b.sub(one, quotient);
    let near = if is_f32(b, x) { odd(b, size, &TANH_32) } else { odd(b, size, &TANH_64) };
    let result = b.select(small, near, large);
    with_sign_of(b, result, x)
}
