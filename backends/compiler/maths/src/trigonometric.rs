//! `sin`, `cos`, `tan`.
//!
//! `|x| = n · π/2 + r`; the functions of r are polynomials, and n modulo 4 says which of them, with which sign, it is.

use crate::coefficients::*;
use crate::quadrant::{self, Reduced};
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// sin x, of all finite numbers.
///
/// # Panics
/// When `x` is not a float.
pub fn sin(b: &mut Builder, x: Value) -> Value {
    sin_cos(b, x).0
}

/// cos x, of all finite numbers.
///
/// # Panics
/// When `x` is not a float.
pub fn cos(b: &mut Builder, x: Value) -> Value {
    sin_cos(b, x).1
}

/// sin x and cos x, for little more than one of them. (What is not used is for dead code elimination.)
///
/// # Panics
/// When `x` is not a float.
pub fn sin_cos(b: &mut Builder, x: Value) -> (Value, Value) {
    let size = b.abs(x);
    let reduced = quadrant::reduce(b, size);
    let (s, c) = kernels(b, reduced);
    let odd = has_bit(b, reduced.quadrant, 1);
    let one = b.like(reduced.quadrant, 1.0);
    let next = b.add(reduced.quadrant, one);
    let (sin, cos) = (b.select(odd, c, s), b.select(odd, s, c));
    let sin_sign = second_bit_as_sign(b, reduced.quadrant);
    let x_sign = sign(b, x);
    let sin_sign = b.xor(sin_sign, x_sign);
    let cos_sign = second_bit_as_sign(b, next);
    (flip(b, sin, sin_sign), flip(b, cos, cos_sign))
}

/// tan x, of all finite numbers.
///
/// # Panics
/// When `x` is not a float.
pub fn tan(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let reduced = quadrant::reduce(b, size);
    let (s, c) = kernels(b, reduced);
    let odd = has_bit(b, reduced.quadrant, 1);
    let negated = b.neg(c);
    let (above, below) = (b.select(odd, negated, s), b.select(odd, s, c));
    let quotient = b.div(above, below);
    let sign = sign(b, x);
    flip(b, quotient, sign)
}

fn second_bit_as_sign(b: &mut Builder, quadrant: Value) -> Value {
    let two = b.like(quadrant, 2.0);
    let bit = b.and(quadrant, two);
    let shift = if b.ty(quadrant).kind == Kind::I32 { 30 } else { 62 };
    shifted(b, Binary::Shl, bit, shift)
}

/// sin r and cos r.
fn kernels(b: &mut Builder, reduced: Reduced) -> (Value, Value) {
    let r = reduced.rest;
    let (sin, cos) = if is_f32(b, r) { (&SIN_32[..], &COS_32[..]) } else { (&SIN_64[..], &COS_64[..]) };
    let z = b.mul(r, r);
    let p = polynomial(b, z, sin);
    let cube = b.mul(z, r);
    let s = match reduced.low {
        None => b.fma(cube, p, r),
        Some(low) => {
            // sin(r + l) = sin r + l·cos r
            let half = mul_by(b, z, -0.5);
            let low = b.fma(half, low, low);
            let tail = b.fma(cube, p, low);
            b.add(r, tail)
        }
    };
    let p = polynomial(b, z, cos);
    let square = b.mul(z, z);
    let one = b.like(r, 1.0);
    let c = match reduced.low {
        None => {
            let main = fma_by(b, z, -0.5, one);
            b.fma(square, p, main)
        }
        Some(low) => {
            // cos(r + l) = cos r - l·r; what 1 - z/2 lost is added again.
            let half = mul_by(b, z, 0.5);
            let main = b.sub(one, half);
            let lost = b.sub(one, main);
            let lost = b.sub(lost, half);
            let negated = b.neg(r);
            let tail = b.fma(negated, low, lost);
            let tail = b.fma(square, p, tail);
            b.add(main, tail)
        }
    };
    (s, c)
}
