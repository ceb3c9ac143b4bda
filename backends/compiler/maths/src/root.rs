//! `inverse_sqrt` and division.

use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// 1/√x. `strict`: rounded twice, as `1 / sqrt(x)` is; else `F32` within 2 ULP from the machine's estimate.
///
/// # Panics
/// When `x` is not a float.
pub fn inverse_sqrt(b: &mut Builder, x: Value, strict: bool) -> Value {
    if strict || !is_f32(b, x) {
        return plain(b, x);
    }
    // One step of third order. With e the estimate and d = 1 - x·e²: e·(1 + d/2 + 3d²/8).
    let e = b.unary(Unary::InverseSqrtEstimate, x);
    let product = b.mul(x, e);
    let negated = b.neg(product);
    let one = b.like(x, 1.0);
    let d = b.fma(negated, e, one);
    let half = b.like(x, 0.5);
    let factor = fma_by(b, d, 0.375, half);
    let step = b.mul(e, d);
    let result = b.fma(step, factor, e);
    // Zero, denormal and negative numbers, infinity and NaN.
    let bits = to_bits(b, x);
    let (least, most) = (b.bits_like(bits, 0x0080_0000), b.bits_like(bits, 0x7f7f_ffff));
    let (small, large) = (b.lt_s(bits, least), b.lt_s(most, bits));
    let special = b.or(small, large);
    rarely(b, special, &[result], |b| vec![plain(b, x)])[0]
}

fn plain(b: &mut Builder, x: Value) -> Value {
    let root = b.unary(Unary::Sqrt, x);
    let one = b.like(x, 1.0);
    b.div(one, root)
}

/// x / y, correctly rounded.
///
/// WGSL allows 2.5 ULP; where hardware divides, an estimate with its corrections has not been shown to be faster.
///
/// # Panics
/// When the operands are not floats of one type.
pub fn divide(b: &mut Builder, x: Value, y: Value, precise: bool) -> Value {
    let _ = precise;
    b.div(x, y)
}
