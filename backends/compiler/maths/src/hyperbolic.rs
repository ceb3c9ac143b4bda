//! `sinh`, `cosh`, `tanh`.

use crate::coefficients::*;
use crate::exponential::{half_exp, half_exp_less_one};
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// sinh x.
///
/// # Panics
/// When `x` is not a float.
pub fn sinh(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let result = if is_f32(b, x) {
        let small = below(b, size, 1.0);
        let e = half_exp(b, size);
        let quarter = b.like(x, 0.25);
        let inverse = b.div(quarter, e);
        let large = b.sub(e, inverse);
        let near = odd(b, size, &SINH_32);
        b.select(small, near, large)
    } else {
        // With h = (eˣ - 1)/2: h + h/(2h + 1).
        let h = half_exp_less_one(b, size);
        let doubled = b.add(h, h);
        let divisor = add_to(b, doubled, 1.0);
        let quotient = b.div(h, divisor);
        let sum = b.add(h, quotient);
        let large = above(b, size, 40.0);
        b.select(large, h, sum)
    };
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
    let result = if is_f32(b, x) {
        let small = below(b, size, 0.625);
        let doubled = b.add(size, size);
        let e = half_exp(b, doubled);
        // 1 - 2/(e²ˣ + 1), with half of that power.
        let divisor = add_to(b, e, 0.5);
        let one = b.like(x, 1.0);
        let quotient = b.div(one, divisor);
        let large = b.sub(one, quotient);
        let near = odd(b, size, &TANH_32);
        b.select(small, near, large)
    } else {
        // With h = (e²ˣ - 1)/2: h/(h + 1).
        let size = clamp(b, size, 0.0, 22.0);
        let doubled = b.add(size, size);
        let h = half_exp_less_one(b, doubled);
        let divisor = add_to(b, h, 1.0);
        b.div(h, divisor)
    };
    with_sign_of(b, result, x)
}
