//! `inverse_sqrt` and division.

use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// Bits that a machine's estimates must be good for, at least.
const LEAST_BITS: u32 = 12;

/// Bits that one step of second order makes good enough.
const SECOND_ORDER: u32 = 14;

/// 1/√x. `F32`, from a machine's estimate: within 2 ULP. `estimate`: how many bits of it are good, 12 or more; `None`:
/// rounded twice instead, as `1 / sqrt(x)` is.
///
/// # Panics
/// When `x` is not a float.
pub fn inverse_sqrt(b: &mut Builder, x: Value, estimate: Option<u32>) -> Value {
    let narrow = is_f32(b, x);
    let Some(bits) = estimate.filter(|&bits| narrow && bits >= LEAST_BITS) else {
        return plain(b, x);
    };
    // With e the estimate and d = 1 - x·e²: e·(1 + d/2 + 3d²/8).
    let e = b.unary(Unary::InverseSqrtEstimate, x);
    let product = b.mul(x, e);
    let negated = b.neg(product);
    let one = b.like(x, 1.0);
    let d = b.fma(negated, e, one);
    let result = if bits >= SECOND_ORDER {
        let half = mul_by(b, e, 0.5);
        b.fma(half, d, e)
    } else {
        let half = b.like(x, 0.5);
        let factor = fma_by(b, d, 0.375, half);
        let step = b.mul(e, d);
        b.fma(step, factor, e)
    };
    // An estimate may be anything for zero, denormal and negative numbers, infinity and NaN. Where d is small it is right.
    let size = b.abs(d);
    let usual = below(b, size, 2f64.powi(2 - LEAST_BITS as i32));
    let special = b.not(usual);
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
