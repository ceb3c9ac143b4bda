//! `Fma` from products and sums.
//!
//! `F32`: always exact. `F64`: exact where neither the product nor what is lost in it leaves the range of normal
//! numbers (the product between 2⁻⁹⁰⁰ and 2¹⁰⁰⁰, both factors below 2⁹⁹⁰, the addend below 2¹⁰²⁰); elsewhere product and
//! sum are rounded apart.

use super::Rewriting;
use crate::ir::*;

pub(super) fn multiply_add(r: &mut Rewriting<'_>, a: Value, b: Value, c: Value) -> Value {
    if r.ty(a).kind == Kind::F32 {
        // The product is exact in `F64`. Rounding the sum to odd keeps `Narrow` from seeing a tie that there is not.
        let [a, b, c] = [a, b, c].map(|value| r.convert(Convert::Widen, value, Kind::F64));
        let product = r.mul(a, b);
        let sum = sum_to_odd(r, product, c);
        return r.convert(Convert::Narrow, sum, Kind::F32);
    }
    // Boldo, Melquiond: Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd (2008).
    let product = r.mul(a, b);
    let rest = product_rest(r, a, b, product);
    let (tail, tail_rest) = two_sum(r, c, rest);
    let (head, head_rest) = two_sum(r, product, tail);
    let rests = sum_to_odd(r, tail_rest, head_rest);
    let exact = r.add(head, rests);
    let plain = r.add(product, c);
    let safe = in_range(r, a, b, c, product);
    r.select(safe, exact, plain)
}

/// The sum, and exactly what it lost (Knuth).
fn two_sum(r: &mut Rewriting<'_>, a: Value, b: Value) -> (Value, Value) {
    let sum = r.add(a, b);
    let b_part = r.sub(sum, a);
    let a_part = r.sub(sum, b_part);
    let (a_rest, b_rest) = (r.sub(a, a_part), r.sub(b, b_part));
    (sum, r.add(a_rest, b_rest))
}

/// The sum in `F64`, of its two neighbours the one with an odd last bit where it is not exact.
fn sum_to_odd(r: &mut Rewriting<'_>, a: Value, b: Value) -> Value {
    let (sum, rest) = two_sum(r, a, b);
    let zero = r.float(rest, 0.0);
    // Both are false of NaN, which the rest is where the sum is not finite.
    let (above, below) = (r.gt(rest, zero), r.lt(rest, zero));
    let inexact = r.or(above, below);
    let bits = r.cast(sum, Kind::I64);
    let (one, minus_one) = (r.int(bits, 1), r.int(bits, -1));
    let last = r.and(bits, one);
    let even = r.ne(last, one);
    let moves = r.and(inexact, even);
    let negative = r.lt(sum, zero);
    let outwards = r.xor(above, negative);
    let step = r.select(outwards, one, minus_one);
    let moved = r.add(bits, step);
    let bits = r.select(moves, moved, bits);
    r.cast(bits, Kind::F64)
}

/// What a product in `F64` lost, exactly (Dekker, with Veltkamp's splitting).
fn product_rest(r: &mut Rewriting<'_>, a: Value, b: Value, product: Value) -> Value {
    let ((a_high, a_low), (b_high, b_low)) = (split(r, a), split(r, b));
    let highs = r.mul(a_high, b_high);
    let rest = r.sub(highs, product);
    let (left, right) = (r.mul(a_high, b_low), r.mul(a_low, b_high));
    let rest = r.add(rest, left);
    let rest = r.add(rest, right);
    let lows = r.mul(a_low, b_low);
    r.add(rest, lows)
}

/// A number as the sum of two of 26 bits.
fn split(r: &mut Rewriting<'_>, a: Value) -> (Value, Value) {
    let factor = r.float(a, 134_217_729.0);
    let large = r.mul(a, factor);
    let rest = r.sub(large, a);
    let high = r.sub(large, rest);
    (high, r.sub(a, high))
}

fn in_range(r: &mut Rewriting<'_>, a: Value, b: Value, c: Value, product: Value) -> Value {
    let below = |r: &mut Rewriting<'_>, a: Value, exponent: i32| {
        let limit = r.float(a, 2f64.powi(exponent));
        let magnitude = r.unary(Unary::Abs, a);
        r.lt(magnitude, limit)
    };
    let (a, b, c) = (below(r, a, 990), below(r, b, 990), below(r, c, 1020));
    let small = below(r, product, -900);
    let large_enough = r.unary(Unary::Not, small);
    let product = below(r, product, 1000);
    let (factors, product) = (r.and(a, b), r.and(product, large_enough));
    let both = r.and(factors, product);
    r.and(both, c)
}
