//! IEEE binary16, in integer arithmetic.

use super::Rewriting;
use crate::ir::*;

/// The low 16 bits to `F32`.
pub(super) fn widen(r: &mut Rewriting<'_>, a: Value) -> Value {
    let (sign, others) = (r.int(a, 0x8000), r.int(a, 0x7fff));
    let sign = r.and(a, sign);
    let sign = r.shifted(Binary::Shl, sign, 16);
    let magnitude = r.and(a, others);
    let shifted = r.shifted(Binary::Shl, magnitude, 13);
    // Exponents are 112 apart; as a product, denormal halves come right.
    let float = r.cast(shifted, Kind::F32);
    let scale = r.float(float, 2f64.powi(112));
    let scaled = r.mul(float, scale);
    let scaled = r.cast(scaled, Kind::I32);
    let (largest, infinity) = (r.int(a, 0x7bff), r.int(a, 0x7f80_0000));
    let special = r.gt_s(magnitude, largest);
    let infinite = r.or(shifted, infinity);
    let bits = r.select(special, infinite, scaled);
    // NaN becomes quiet.
    let (infinity, quiet) = (r.int(a, 0x7c00), r.int(a, 0x40_0000));
    let nan = r.gt_s(magnitude, infinity);
    let quieted = r.or(bits, quiet);
    let bits = r.select(nan, quieted, bits);
    let bits = r.or(bits, sign);
    r.cast(bits, Kind::F32)
}

/// `F32` to the nearest half, ties to even.
pub(super) fn narrow(r: &mut Rewriting<'_>, a: Value) -> Value {
    let bits = r.cast(a, Kind::I32);
    let (sign, others) = (r.int(bits, 0x8000), r.int(bits, 0x7fff_ffff));
    let upper = r.shifted(Binary::ShrU, bits, 16);
    let sign = r.and(upper, sign);
    let magnitude = r.and(bits, others);
    // Normal halves: the last 13 bits are rounded off, and a carry into the exponent is right.
    let one = r.int(bits, 1);
    let last = r.shifted(Binary::ShrU, magnitude, 13);
    let last = r.and(last, one);
    let rounding = r.int(bits, 0xfff - (112 << 23));
    let rounded = r.add(magnitude, rounding);
    let rounded = r.add(rounded, last);
    let rounded = r.shifted(Binary::ShrU, rounded, 13);
    let infinity = r.int(bits, 0x7c00);
    let first_infinite = r.int(bits, 0x477f_f000);
    let overflows = r.compare(Compare::GeS, magnitude, first_infinite);
    let rounded = r.select(overflows, infinity, rounded);
    // Denormal halves: the sum with 1/2 has their last bit as its own, and rounds there.
    let half = r.float(a, 0.5);
    let small = r.cast(magnitude, Kind::F32);
    let small = r.add(small, half);
    let small = r.cast(small, Kind::I32);
    let half = r.int(bits, 0x3f00_0000);
    let small = r.sub(small, half);
    let first_normal = r.int(bits, 0x3880_0000);
    let denormal = r.lt_s(magnitude, first_normal);
    let rounded = r.select(denormal, small, rounded);
    // NaN: quiet, with the upper bits of its payload.
    let infinite = r.int(bits, 0x7f80_0000);
    let nan = r.gt_s(magnitude, infinite);
    let payload = r.int(bits, 0x3ff);
    let shifted = r.shifted(Binary::ShrU, bits, 13);
    let payload = r.and(shifted, payload);
    let quiet = r.int(bits, 0x7e00);
    let quiet = r.or(payload, quiet);
    let rounded = r.select(nan, quiet, rounded);
    r.or(rounded, sign)
}
