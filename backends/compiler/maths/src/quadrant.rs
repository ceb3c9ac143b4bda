//! Angles, not negative, modulo π/2.
//!
//! Up to a limit by subtracting multiples of π/2 in parts (Cody and Waite), with fused multiply-adds. Beyond, which is
//! expected to be rare, by the digits of 1/(2π) or 2/π that matter (Payne and Hanek).

use crate::coefficients::*;
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

const TO_INTEGER_32: f64 = 12_582_912.0;
const TO_INTEGER_64: f64 = 6_755_399_441_055_744.0;

/// `x - n · π/2`
#[derive(Clone, Copy)]
pub(crate) struct Reduced {
    /// Not much above π/4 in size.
    pub(crate) rest: Value,
    /// What is left of it, `F64` only.
    pub(crate) low: Option<Value>,
    /// n modulo 4 in the low bits of an integer.
    pub(crate) quadrant: Value,
}

pub(crate) fn reduce(b: &mut Builder, x: Value) -> Reduced {
    if is_f32(b, x) { reduce_32(b, x) } else { reduce_64(b, x) }
}

/// Up to 2¹⁷: `n · c₁` with 24 + 17 bits is subtracted exactly; the other parts leave one rounding each.
fn reduce_32(b: &mut Builder, x: Value) -> Reduced {
    let offset = b.like(x, TO_INTEGER_32);
    let sum = fma_by(b, x, std::f64::consts::FRAC_2_PI, offset);
    let n = b.sub(sum, offset);
    let mut rest = x;
    for part in HALF_PI_32 {
        rest = fma_by(b, n, -part, rest);
    }
    let quadrant = to_bits(b, sum);
    let large = above(b, x, 131_072.0);
    let results = rarely(b, large, &[rest, quadrant], |b| {
        let (rest, quadrant) = large_32(b, x);
        vec![rest, quadrant]
    });
    Reduced { rest: results[0], low: None, quadrant: results[1] }
}

/// x has 24 digits, so its product with 29 digits of 1/(2π) is exact in `F64`, and so is that modulo 1. Products of the
/// first digits are integers, those of the last ones too small to matter, and what is between adds up without loss:
/// where the sum cancels, it is exact.
fn large_32(b: &mut Builder, x: Value) -> (Value, Value) {
    let x = b.convert(Convert::Widen, x, Kind::F64);
    let mut turns = vec![];
    for part in TURN_29 {
        let product = mul_by(b, x, part);
        let whole = b.unary(Unary::Nearest, product);
        turns.push(b.sub(product, whole));
    }
    let mut about = turns[0];
    for &turn in &turns[1..] {
        about = b.add(about, turn);
    }
    let offset = b.like(x, TO_INTEGER_64);
    let four = b.like(x, 4.0);
    let sum = b.fma(about, four, offset);
    let quarters = b.sub(sum, offset);
    let mut rest = fma_by(b, quarters, -0.25, turns[0]);
    for &turn in &turns[1..] {
        rest = b.add(rest, turn);
    }
    let rest = mul_by(b, rest, std::f64::consts::TAU);
    let bits = to_bits(b, sum);
    (b.convert(Convert::Narrow, rest, Kind::F32), b.convert(Convert::Truncate, bits, Kind::I32))
}

/// Up to 2³⁰, with what rounding loses.
fn reduce_64(b: &mut Builder, x: Value) -> Reduced {
    let offset = b.like(x, TO_INTEGER_64);
    let sum = fma_by(b, x, std::f64::consts::FRAC_2_PI, offset);
    let n = b.sub(sum, offset);
    // Exact: all bits of the difference are worth between 2⁻⁵³ and 1.
    let first = fma_by(b, n, -HALF_PI_64[0], x);
    // The second product in two parts, its difference with what it loses.
    let product = mul_by(b, n, -HALF_PI_64[1]);
    let negated = b.neg(product);
    let product_rest = fma_by(b, n, -HALF_PI_64[1], negated);
    let (second, lost) = two_sum(b, first, product);
    let low = b.add(lost, product_rest);
    let low = fma_by(b, n, -HALF_PI_64[2], low);
    let rest = b.add(second, low);
    let back = b.sub(second, rest);
    let low = b.add(back, low);
    let quadrant = to_bits(b, sum);
    let large = above(b, x, 1_073_741_824.0);
    let results = rarely(b, large, &[rest, low, quadrant], |b| large_64(b, x, large));
    Reduced { rest: results[0], low: Some(results[1]), quadrant: results[2] }
}

/// The sum, and what it lost.
fn two_sum(b: &mut Builder, a: Value, c: Value) -> (Value, Value) {
    let sum = b.add(a, c);
    let c_part = b.sub(sum, a);
    let a_part = b.sub(sum, c_part);
    let (a_lost, c_lost) = (b.sub(a, a_part), b.sub(c, c_part));
    (sum, b.add(a_lost, c_lost))
}

/// One lane after the other, in integers.
fn large_64(b: &mut Builder, x: Value, large: Value) -> Vec<Value> {
    let lanes = b.ty(x).lanes;
    if lanes == 1 {
        return digits_64(b, x);
    }
    let zero = b.like(x, 0.0);
    let bits = to_bits(b, x);
    let none = b.like(bits, 0.0);
    let numbers: Vec<u64> = (0..u64::from(lanes)).collect();
    let numbers = b.lane_constants(Kind::I32, &numbers);
    let mask = b.define(Type::scalar(Kind::I64), Op::Bits(large));
    let scalar = Type::scalar(Kind::I64);
    let types = [b.ty(x), b.ty(x), b.ty(bits)];
    let results: Vec<Value> = types.iter().map(|&ty| b.value(ty)).collect();
    let (end, again) = (b.label(), b.label());
    let left = b.value(scalar);
    let sums: Vec<Value> = types.iter().map(|&ty| b.value(ty)).collect();
    // For each bit of the mask: the rest of that lane is put into the vectors.
    b.open();
    b.open();
    let lane = b.unary(Unary::TrailingZeros, left);
    let lane = b.convert(Convert::Truncate, lane, Kind::I32);
    let number = b.define(Type::scalar(Kind::F64), Op::ExtractAt(x, lane));
    let parts = digits_64(b, number);
    let lane = b.splat(lane);
    let here = b.eq(numbers, lane);
    let mut arguments = vec![];
    let one = b.i64(1);
    let less = b.sub(left, one);
    let next = b.and(left, less);
    arguments.push(next);
    for (part, &sum) in parts.into_iter().zip(&sums) {
        let part = b.splat(part);
        arguments.push(b.select(here, part, sum));
    }
    let nothing = b.i64(0);
    let more = b.ne(next, nothing);
    b.open();
    b.branch(again, &arguments);
    let then = b.close();
    b.open();
    b.branch(end, &arguments[1..]);
    let otherwise = b.close();
    b.branch_on(more, then, otherwise, &[], Hint::None);
    let body = b.close();
    let params = vec![(left, mask), (sums[0], zero), (sums[1], zero), (sums[2], none)];
    b.push(Inst::Loop { label: again, params, body });
    let block = b.close();
    b.push(Inst::Block { label: end, body: block, results: results.clone() });
    results
}

/// Rest, low part and quadrant of one number from 2³⁰ on; NaN for infinity.
///
/// The number is `m · 2ᵉ` with a 53-bit integer m. Of 2/π only the digits worth from 2^(1-e) down matter, since the
/// others make multiples of four quadrants: three words of 64, times m, modulo 2⁶⁴ quarters.
fn digits_64(b: &mut Builder, x: Value) -> Vec<Value> {
    let bits = to_bits(b, x);
    let exponent = shifted(b, Binary::ShrU, bits, 52);
    let mask = b.i64(0x7ff);
    let exponent = b.and(exponent, mask);
    let mask = b.i64((1 << 52) - 1);
    let fraction = b.and(bits, mask);
    let hidden = b.i64(1 << 52);
    let m = b.or(fraction, hidden);
    // The first digit that matters is the one after 2^(2-e): e is exponent - 1075, and at least -22.
    let offset = b.i64(1075 + 2 - 64);
    let first = b.sub(exponent, offset);
    // Digits start one word earlier than those of 2/π, so that `first` is not negative.
    let word = shifted(b, Binary::ShrU, first, 6);
    let mut window: Vec<Value> = vec![b.i64(0)];
    window.extend(TWO_OVER_PI.iter().map(|&bits| b.i64(bits)));
    for step in [16usize, 8, 4, 2, 1] {
        let further = has_bit(b, word, step as u64);
        let nothing = window[0];
        // Four words are left in the end.
        let keep = 4 + step - 1;
        window = (0..keep)
            .map(|i| {
                let (near, far) = (window.get(i).copied(), window.get(i + step).copied());
                match (near, far) {
                    (Some(near), Some(far)) => b.select(further, far, near),
                    (Some(near), None) => near,
                    (None, _) => nothing,
                }
            })
            .collect();
    }
    let mask = b.i64(63);
    let shift = b.and(first, mask);
    let opposite = b.sub(mask, shift);
    let words: Vec<Value> = (0..3)
        .map(|i| {
            let high = b.shl(window[i], shift);
            // Two steps: by 64 there is no shift.
            let low = shifted(b, Binary::ShrU, window[i + 1], 1);
            let low = b.shr_u(low, opposite);
            b.or(high, low)
        })
        .collect();
    // m · words, modulo 2¹⁹²: of the last product the upper half is enough.
    let low = b.binary(Binary::MulHigh, m, words[2]);
    let middle_low = b.mul(m, words[1]);
    let middle_high = b.binary(Binary::MulHigh, m, words[1]);
    let high = b.mul(m, words[0]);
    let middle = b.add(middle_low, low);
    let carry = b.lt_u(middle, low);
    let (one, nothing) = (b.i64(1), b.i64(0));
    let carry = b.select(carry, one, nothing);
    let high = b.add(high, middle_high);
    let high = b.add(high, carry);
    // Two bits of quadrant, the rest of it as a fraction, rounded to the nearest quadrant.
    let quadrant = shifted(b, Binary::ShrU, high, 62);
    let fraction = shifted(b, Binary::Shl, high, 2);
    let upper = shifted(b, Binary::ShrU, middle, 62);
    let fraction = b.or(fraction, upper);
    let rest = shifted(b, Binary::Shl, middle, 2);
    let round = shifted(b, Binary::ShrU, fraction, 63);
    let quadrant = b.add(quadrant, round);
    let negative = b.ne(round, nothing);
    // A fraction above a half is one less: its complement, with the sign.
    let flip_bits = b.sub(nothing, round);
    let fraction = b.xor(fraction, flip_bits);
    let rest = b.xor(rest, flip_bits);
    // Normalised, so that 128 bits have no leading zeros. (The first word is never zero: x is no multiple of π/2.)
    let zeros = b.unary(Unary::LeadingZeros, fraction);
    let zeros = b.min_u(zeros, mask);
    let opposite = b.sub(mask, zeros);
    let fraction = b.shl(fraction, zeros);
    let below = shifted(b, Binary::ShrU, rest, 1);
    let below = b.shr_u(below, opposite);
    let fraction = b.or(fraction, below);
    let rest = b.shl(rest, zeros);
    // 53 bits, then 53 more, as floats: a number in [½, 1) times 2^-zeros.
    let top = shifted(b, Binary::ShrU, fraction, 11);
    let next = shifted(b, Binary::Shl, fraction, 53);
    let next = shifted(b, Binary::ShrU, next, 11);
    let more = shifted(b, Binary::ShrU, rest, 22);
    let next = b.or(next, more);
    let top = b.convert(Convert::FromSigned, top, Kind::F64);
    let next = b.convert(Convert::FromSigned, next, Kind::F64);
    let top = mul_by(b, top, 2f64.powi(-53));
    let next = mul_by(b, next, 2f64.powi(-106));
    // Times π/2, in two parts, times 2^-zeros.
    let bias = b.i64(1023);
    let power = b.sub(bias, zeros);
    let power = shifted(b, Binary::Shl, power, 52);
    let power = from_bits(b, power);
    let half_pi = b.like(top, HALF_PI_64[0]);
    let product = b.mul(top, half_pi);
    let negated = b.neg(product);
    let lost = b.fma(top, half_pi, negated);
    let lost = fma_by(b, top, HALF_PI_64[1], lost);
    let lost = b.fma(next, half_pi, lost);
    let high = b.add(product, lost);
    let back = b.sub(product, high);
    let low = b.add(back, lost);
    let (high, low) = (b.mul(high, power), b.mul(low, power));
    // Rounded up, it is negative; infinity becomes NaN.
    let minus = b.like(high, -1.0);
    let plus = b.like(high, 1.0);
    let factor = b.select(negative, minus, plus);
    let nan = b.sub(x, x);
    let factor = b.add(factor, nan);
    vec![b.mul(high, factor), b.mul(low, factor), quadrant]
}
