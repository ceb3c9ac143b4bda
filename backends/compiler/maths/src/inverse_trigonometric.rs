//! `asin`, `acos`, `atan`, `atan2`.

use crate::coefficients::*;
use crate::words::*;
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

/// π/2 as a number and what that lacks.
fn half_pi(b: &Builder, x: Value) -> [f64; 2] {
    if is_f32(b, x) { [HALF_PI_32[0], HALF_PI_32[1]] } else { [HALF_PI_64[0], HALF_PI_64[1]] }
}

/// asin |x| up to ½; above, asin √((1 - |x|)/2), which is (π/2 - asin |x|)/2: as a number and what is to be added to it;
/// and where it is above.
fn arc(b: &mut Builder, x: Value) -> (Value, Value, Value) {
    let size = b.abs(x);
    let large = above(b, size, 0.5);
    let complement = sub_from(b, 1.0, size);
    let half = mul_by(b, complement, 0.5);
    let square = b.mul(x, x);
    let z = b.select(large, half, square);
    let root = b.unary(Unary::Sqrt, half);
    let s = b.select(large, root, size);
    let p = if is_f32(b, x) { polynomial(b, z, &ASIN_32) } else { polynomial(b, z, &ASIN_64) };
    let cube = b.mul(s, z);
    (s, b.mul(cube, p), large)
}

/// asin x; NaN outside of [-1, 1].
///
/// # Panics
/// When `x` is not a float.
pub fn asin(b: &mut Builder, x: Value) -> Value {
    let [high, low] = half_pi(b, x);
    let (arc, rest, large) = arc(b, x);
    let small = b.add(arc, rest);
    // About π/4, so that the difference in the middle is small and rounds little.
    let quarter = b.like(x, -high / 2.0);
    let distance = fma_by(b, arc, 2.0, quarter);
    let distance = add_to(b, distance, -low);
    let distance = fma_by(b, rest, 2.0, distance);
    let complement = sub_from(b, high / 2.0, distance);
    let result = b.select(large, complement, small);
    let sign = sign(b, x);
    flip(b, result, sign)
}

/// acos x; NaN outside of [-1, 1].
///
/// # Panics
/// When `x` is not a float.
pub fn acos(b: &mut Builder, x: Value) -> Value {
    let [high, low] = half_pi(b, x);
    let (arc, rest, large) = arc(b, x);
    let arc = b.add(arc, rest);
    let sign = sign(b, x);
    let signed = flip(b, arc, sign);
    let difference = add_to(b, signed, -low);
    let small = sub_from(b, high, difference);
    let doubled = b.add(arc, arc);
    let supplement = add_to(b, doubled, -2.0 * low);
    let supplement = sub_from(b, 2.0 * high, supplement);
    let negative = below(b, x, 0.0);
    let result = b.select(negative, supplement, doubled);
    b.select(large, result, small)
}

/// atan x.
///
/// # Panics
/// When `x` is not a float.
pub fn atan(b: &mut Builder, x: Value) -> Value {
    let size = b.abs(x);
    let [high, low] = half_pi(b, x);
    let result = if is_f32(b, x) {
        let inverse = above(b, size, 1.0);
        let reciprocal = reciprocal(b, size);
        let t = b.select(inverse, reciprocal, size);
        let arc = short_arc(b, t);
        let complement = add_to(b, arc, -low);
        let complement = sub_from(b, high, complement);
        b.select(inverse, complement, arc)
    } else {
        // Up to √2 - 1; to √2 + 1 about π/4; beyond about π/2.
        let (middle, upper) = (above(b, size, SQRT_2_LESS_1), above(b, size, SQRT_2_LESS_1 + 2.0));
        let (less, more) = (add_to(b, size, -1.0), add_to(b, size, 1.0));
        let (minus_one, one, zero) = (b.like(x, -1.0), b.like(x, 1.0), b.like(x, 0.0));
        let numerator = b.select(middle, less, size);
        let numerator = b.select(upper, minus_one, numerator);
        let divisor = b.select(middle, more, one);
        let divisor = b.select(upper, size, divisor);
        let t = b.div(numerator, divisor);
        let arc = short_arc(b, t);
        let base = |b: &mut Builder, half: f64| {
            let (quarter, half) = (b.like(x, half / 2.0), b.like(x, half));
            let base = b.select(middle, quarter, zero);
            b.select(upper, half, base)
        };
        let (high, low) = (base(b, high), base(b, low));
        let arc = b.add(arc, low);
        b.add(high, arc)
    };
    with_sign_of(b, result, x)
}

const SQRT_2_LESS_1: f64 = std::f64::consts::SQRT_2 - 1.0;

fn reciprocal(b: &mut Builder, x: Value) -> Value {
    let one = b.like(x, 1.0);
    b.div(one, x)
}

/// atan t: of `F32` up to 1, of `F64` up to √2 - 1.
fn short_arc(b: &mut Builder, t: Value) -> Value {
    let z = b.mul(t, t);
    let p = if is_f32(b, t) { polynomial(b, z, &ATAN_32) } else { polynomial(b, z, &ATAN_64) };
    let cube = b.mul(z, t);
    b.fma(cube, p, t)
}

/// The angle of the point (x, y), with the signs of zeros as IEEE 754 has them.
///
/// # Panics
/// When the operands are not floats of one type.
pub fn atan2(b: &mut Builder, y: Value, x: Value) -> Value {
    let [high, low] = half_pi(b, x);
    let (width, height) = (b.abs(x), b.abs(y));
    let steep = b.gt(height, width);
    let (most, least) = (b.select(steep, height, width), b.select(steep, width, height));
    let t = b.div(least, most);
    // 0/0 is 0 here, and infinity by infinity 1.
    let (zero, one) = (b.like(x, 0.0), b.like(x, 1.0));
    let origin = b.eq(most, zero);
    let t = b.select(origin, zero, t);
    let infinite = equals(b, least, f64::INFINITY);
    let t = b.select(infinite, one, t);
    let arc = if is_f32(b, x) {
        short_arc(b, t)
    } else {
        let middle = above(b, t, SQRT_2_LESS_1);
        let (less, more) = (add_to(b, t, -1.0), add_to(b, t, 1.0));
        let (numerator, divisor) = (b.select(middle, less, t), b.select(middle, more, one));
        let t = b.div(numerator, divisor);
        let arc = short_arc(b, t);
        let (quarter, quarter_low) = (b.like(x, high / 2.0), b.like(x, low / 2.0));
        let (quarter, quarter_low) = (b.select(middle, quarter, zero), b.select(middle, quarter_low, zero));
        let arc = b.add(arc, quarter_low);
        b.add(quarter, arc)
    };
    // From the nearest half axis: 0, π/2 or π, and the arc towards it or away.
    let bits = to_bits(b, x);
    let nothing = b.like(bits, 0.0);
    let left = b.lt_s(bits, nothing);
    let base = |b: &mut Builder, half: f64| {
        let (half, whole) = (b.like(x, half), b.like(x, 2.0 * half));
        let flat = b.select(left, whole, zero);
        b.select(steep, half, flat)
    };
    let (high, low) = (base(b, high), base(b, low));
    let towards = b.xor(steep, left);
    let negated = b.neg(arc);
    let arc = b.select(towards, negated, arc);
    let sum = b.add(arc, low);
    let result = b.add(high, sum);
    let result = with_sign_of(b, result, y);
    let (x_number, y_number) = (b.eq(x, x), b.eq(y, y));
    let numbers = b.and(x_number, y_number);
    let nan = b.like(x, f64::NAN);
    b.select(numbers, result, nan)
}
