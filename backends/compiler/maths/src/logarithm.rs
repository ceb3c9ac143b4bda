//! `log`, `log2`, and what others need of them.
//!
//! `x = 2ᵏ · (1 + f)` with `√½ ≤ 1 + f < √2`, so that `log x = k · ln 2 + log(1 + f)`.

use crate::coefficients::*;
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// ln x.
///
/// # Panics
/// When `x` is not a float.
pub fn log(b: &mut Builder, x: Value) -> Value {
    if !is_f32(b, x) {
        let (k, f) = split(b, x);
        let zero = b.like(x, 0.0);
        let result = log_64(b, k, f, zero);
        return special(b, x, result);
    }
    unless_special(b, x, |b, (k, f)| {
        let square = b.mul(f, f);
        let cube = b.mul(square, f);
        let p = polynomial(b, f, &LOG_32);
        let tail = b.mul(cube, p);
        let tail = fma_by(b, k, LN2_32[1], tail);
        let tail = fma_by(b, square, -0.5, tail);
        let sum = b.add(f, tail);
        fma_by(b, k, LN2_32[0], sum)
    })
}

/// log2 x.
///
/// # Panics
/// When `x` is not a float.
pub fn log2(b: &mut Builder, x: Value) -> Value {
    if !is_f32(b, x) {
        let (k, f) = split(b, x);
        let result = log2_64(b, k, f);
        return special(b, x, result);
    }
    unless_special(b, x, |b, (k, f)| {
        let p = polynomial(b, f, &LOG2_32);
        let low = b.like(f, LOG2_E_32[1]);
        let inner = b.fma(f, p, low);
        let tail = b.mul(f, inner);
        let fraction = fma_by(b, f, LOG2_E_32[0], tail);
        b.add(k, fraction)
    })
}

/// A logarithm of `F32` by k and f; where some x is not a positive, finite, normal number, which is rare, k and f come
/// another way and the result is looked at again.
fn unless_special(
    b: &mut Builder,
    x: Value,
    logarithm: impl Fn(&mut Builder, (Value, Value)) -> Value,
) -> Value {
    let bits = to_bits(b, x);
    let (k, f) = split_bits(b, true, bits);
    let k = small_to_float(b, k);
    let (least, numbers) = (b.bits_like(bits, 0x0080_0000), b.bits_like(bits, 0x7f00_0000));
    let beyond = b.sub(bits, least);
    let rare = b.compare(Compare::GeU, beyond, numbers);
    // Both ways agree where nothing is rare.
    let parts = where_any(b, rare, &[k, f], |b| {
        let (k, f) = split(b, x);
        vec![k, f]
    });
    let result = logarithm(b, (parts[0], parts[1]));
    where_any(b, rare, &[result], |b| vec![special(b, x, result)])[0]
}

/// k as an integer, and f, for positive, finite, normal numbers with these bits.
fn split_bits(b: &mut Builder, narrow: bool, bits: Value) -> (Value, Value) {
    let shift = if narrow { 23 } else { 52 };
    let root = b.bits_like(bits, if narrow { 0x3f35_04f3 } else { 0x3fe6_a09e_667f_3bcd });
    let distance = b.sub(bits, root);
    let k = shifted(b, Binary::ShrS, distance, shift);
    let exponent = shifted(b, Binary::Shl, k, shift);
    let mantissa = b.sub(bits, exponent);
    let mantissa = from_bits(b, mantissa);
    (k, add_to(b, mantissa, -1.0))
}

/// k and f, for positive numbers.
fn split(b: &mut Builder, x: Value) -> (Value, Value) {
    let narrow = is_f32(b, x);
    let (least, scale) = if narrow { (2f64.powi(-126), 24) } else { (2f64.powi(-1022), 54) };
    let denormal = below(b, x, least);
    let scaled = mul_by(b, x, 2f64.powi(scale));
    let x = b.select(denormal, scaled, x);
    let bits = to_bits(b, x);
    let (offset, zero) = (b.like(bits, scale.into()), b.like(bits, 0.0));
    let offset = b.select(denormal, offset, zero);
    let (k, f) = split_bits(b, narrow, bits);
    let k = b.sub(k, offset);
    (small_to_float(b, k), f)
}

/// A small integer as a float of its size. (64-bit integers have no plain conversion on many machines.)
pub(crate) fn small_to_float(b: &mut Builder, k: Value) -> Value {
    if b.ty(k).kind == Kind::I32 {
        return b.convert(Convert::FromSigned, k, Kind::F32);
    }
    let k = b.convert(Convert::Truncate, k, Kind::I32);
    b.convert(Convert::FromSigned, k, Kind::F64)
}

/// `result` where x is positive and finite.
fn special(b: &mut Builder, x: Value, result: Value) -> Value {
    let infinity = b.like(x, f64::INFINITY);
    let finite = b.lt(x, infinity);
    // Infinity and NaN are their own logarithms.
    let result = b.select(finite, result, x);
    let negative = below(b, x, 0.0);
    let nan = b.like(x, f64::NAN);
    let result = b.select(negative, nan, result);
    let zero = equals(b, x, 0.0);
    let pole = b.like(x, f64::NEG_INFINITY);
    b.select(zero, pole, result)
}

/// `k · ln 2 + log(1 + f) + c` for `F64`, with c small beside f or f zero.
fn log_64(b: &mut Builder, k: Value, f: Value, c: Value) -> Value {
    // log(1 + f) = 2s + s·z·p(z) = f - (f²/2 - s·(f²/2 + z·p(z)))
    let (s, half_square, inner) = quotient(b, f);
    let product = b.mul(s, inner);
    let low = fma_by(b, k, LN2_64[1], c);
    let low = b.add(product, low);
    let low = b.sub(half_square, low);
    let low = b.sub(low, f);
    let k = mul_by(b, k, LN2_64[0]);
    b.sub(k, low)
}

/// `s = f/(2 + f)`, `f²/2`, and `f²/2 + z·p(z)` with `z = s²`.
fn quotient(b: &mut Builder, f: Value) -> (Value, Value, Value) {
    let divisor = add_to(b, f, 2.0);
    let s = b.div(f, divisor);
    let z = b.mul(s, s);
    let p = polynomial(b, z, &LOG_64);
    let half = mul_by(b, f, 0.5);
    let half_square = b.mul(half, f);
    let inner = b.fma(z, p, half_square);
    (s, half_square, inner)
}

fn log2_64(b: &mut Builder, k: Value, f: Value) -> Value {
    // log(1 + f) as the sum of a rounded number and a small rest.
    let (s, half_square, inner) = quotient(b, f);
    let half = mul_by(b, f, -0.5);
    let square_rest = b.fma(half, f, half_square);
    let high = b.sub(f, half_square);
    let low = b.sub(f, high);
    let low = b.sub(low, half_square);
    let low = b.add(low, square_rest);
    let low = b.fma(s, inner, low);
    let log2_e = b.like(f, LOG2_E_64[0]);
    let product = b.mul(high, log2_e);
    let negated = b.neg(product);
    let rest = b.fma(high, log2_e, negated);
    let rest = fma_by(b, high, LOG2_E_64[1], rest);
    let rest = b.fma(low, log2_e, rest);
    let sum = b.add(k, product);
    let lost = b.sub(k, sum);
    let lost = b.add(lost, product);
    let rest = b.add(rest, lost);
    b.add(sum, rest)
}

/// ln(1 + x) for `F64` from -1 on, accurate near 0.
pub(crate) fn log_1p(b: &mut Builder, x: Value) -> Value {
    let u = add_to(b, x, 1.0);
    // What the sum lost, whichever of the two is larger.
    let part = add_to(b, u, -1.0);
    let x_lost = b.sub(x, part);
    let one_part = b.sub(u, part);
    let one_lost = sub_from(b, 1.0, one_part);
    let lost = b.add(x_lost, one_lost);
    let c = b.div(lost, u);
    let (k, f) = split(b, u);
    let result = log_64(b, k, f, c);
    special(b, u, result)
}

/// ln x for positive `F64` in the normal range, with no more digits than an `F32` result asks for.
pub(crate) fn wide_log(b: &mut Builder, x: Value) -> Value {
    let (k, f) = wide_split(b, x);
    let p = polynomial(b, f, &LOG_WIDE);
    let square = b.mul(f, f);
    let fraction = b.fma(square, p, f);
    fma_by(b, k, LN2_DOUBLE_64[0], fraction)
}

/// log2 x, as [`wide_log`], with 0 and infinity right.
pub(crate) fn wide_log2(b: &mut Builder, x: Value) -> Value {
    let (k, f) = wide_split(b, x);
    let p = polynomial(b, f, &LOG_WIDE);
    let square = b.mul(f, f);
    let fraction = b.fma(square, p, f);
    let result = fma_by(b, fraction, LOG2_E_64[0], k);
    special(b, x, result)
}

fn wide_split(b: &mut Builder, x: Value) -> (Value, Value) {
    let bits = to_bits(b, x);
    let root = b.bits_like(bits, 0x3fe6_a09e_667f_3bcd);
    let distance = b.sub(bits, root);
    // The upper halves are enough to tell the exponent.
    let k = shifted(b, Binary::ShrU, distance, 32);
    let k = b.convert(Convert::Truncate, k, Kind::I32);
    let k = shifted(b, Binary::ShrS, k, 20);
    let mask = b.bits_like(bits, 0xfff << 52);
    let exponent = b.and(distance, mask);
    let mantissa = b.sub(bits, exponent);
    let mantissa = from_bits(b, mantissa);
    let f = add_to(b, mantissa, -1.0);
    (b.convert(Convert::FromSigned, k, Kind::F64), f)
}

/// log2 of a positive normal `F64` as a sum of two, with some 68 digits. (For `pow`.)
pub(crate) fn log2_in_two(b: &mut Builder, x: Value) -> (Value, Value) {
    let (k, f) = split(b, x);
    // s = f / (2 + f) in two parts: the division's rest is exact.
    let divisor = add_to(b, f, 2.0);
    let back = add_to(b, divisor, -2.0);
    let divisor_low = b.sub(f, back);
    let s = b.div(f, divisor);
    let negated = b.neg(s);
    let rest = b.fma(negated, divisor, f);
    let rest = b.fma(negated, divisor_low, rest);
    let s_low = b.div(rest, divisor);
    // 2s + ⅔s³ + s³·z·p(z), where the first two terms are kept in two parts.
    let z = b.mul(s, s);
    let negated = b.neg(z);
    let z_low = b.fma(s, s, negated);
    let doubled = b.add(s, s);
    let z_low = b.fma(doubled, s_low, z_low);
    let p = polynomial(b, z, &LOG_TAIL_64);
    let p = b.mul(z, p);
    // c = ⅔ + z·p(z)
    let third = b.like(x, THIRDS_64[0]);
    let c = b.add(third, p);
    let c_low = b.sub(third, c);
    let c_low = b.add(c_low, p);
    let c_low = add_to(b, c_low, THIRDS_64[1]);
    // m = z·c
    let m = b.mul(z, c);
    let negated = b.neg(m);
    let m_low = b.fma(z, c, negated);
    let m_low = b.fma(z, c_low, m_low);
    let m_low = b.fma(z_low, c, m_low);
    // g = 2 + m, log = s·g
    let g = add_to(b, m, 2.0);
    let back = add_to(b, g, -2.0);
    let g_low = b.sub(m, back);
    let g_low = b.add(g_low, m_low);
    let h = b.mul(s, g);
    let negated = b.neg(h);
    let h_low = b.fma(s, g, negated);
    let h_low = b.fma(s, g_low, h_low);
    let h_low = b.fma(s_low, g, h_low);
    // Times log2 e, plus k.
    let log2_e = b.like(x, LOG2_E_64[0]);
    let y = b.mul(h, log2_e);
    let negated = b.neg(y);
    let y_low = b.fma(h, log2_e, negated);
    let y_low = fma_by(b, h, LOG2_E_64[1], y_low);
    let y_low = b.fma(h_low, log2_e, y_low);
    let high = b.add(k, y);
    let lost = b.sub(k, high);
    let lost = b.add(lost, y);
    let low = b.add(lost, y_low);
    let sum = b.add(high, low);
    let lost = b.sub(high, sum);
    (sum, b.add(lost, low))
}
