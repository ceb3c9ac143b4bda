//! Floats to integers: towards zero, clamped, NaN to 0.

use super::Rewriting;
use crate::ir::*;

const TWO_31: f64 = 2_147_483_648.0;
const TWO_32: f64 = 4_294_967_296.0;
const TWO_63: f64 = 9_223_372_036_854_775_808.0;
/// 1.5 · 2⁵²: adding it to an integer of up to 51 bits leaves that, in two's complement, in the last bits.
const OFFSET: f64 = 6_755_399_441_055_744.0;

/// The low 32 bits of integers in `F64`, each smaller than 2⁵¹.
pub(super) fn low_bits(r: &mut Rewriting<'_>, a: Value) -> Value {
    let bits = low_bits_64(r, a);
    r.convert(Convert::Truncate, bits, Kind::I32)
}

/// The same, with garbage above the lower half.
fn low_bits_64(r: &mut Rewriting<'_>, a: Value) -> Value {
    let offset = r.float(a, OFFSET);
    let sum = r.add(a, offset);
    r.cast(sum, Kind::I64)
}

fn widen(r: &mut Rewriting<'_>, a: Value) -> Value {
    if r.ty(a).kind == Kind::F64 { a } else { r.convert(Convert::Widen, a, Kind::F64) }
}

pub(super) fn signed(r: &mut Rewriting<'_>, a: Value, kind: Kind) -> Value {
    let a = widen(r, a);
    let number = r.eq(a, a);
    let zero = r.float(a, 0.0);
    let a = r.select(number, a, zero);
    if kind == Kind::I32 {
        let (least, most) = (r.float(a, -TWO_31), r.float(a, TWO_31 - 1.0));
        let a = r.binary(Binary::Max, a, least);
        let a = r.binary(Binary::Min, a, most);
        let a = r.unary(Unary::Trunc, a);
        return low_bits(r, a);
    }
    let truncated = r.unary(Unary::Trunc, a);
    let bits = from_halves(r, truncated);
    let (limit, least) = (r.float(a, TWO_63), r.float(a, -TWO_63));
    let (above, below) = (r.compare(Compare::Ge, a, limit), r.lt(a, least));
    let (most, least) = (r.int(bits, i64::MAX), r.int(bits, i64::MIN));
    let bits = r.select(above, most, bits);
    r.select(below, least, bits)
}

pub(super) fn unsigned(r: &mut Rewriting<'_>, a: Value, kind: Kind) -> Value {
    let integers = r.ty(a).with(kind);
    if r.has(&Op::Convert(Convert::ToSigned, a), integers, r.ty(a)) {
        return unsigned_from_signed(r, a, kind);
    }
    let a = widen(r, a);
    // Takes zero for NaN as well.
    let zero = r.float(a, 0.0);
    let a = r.binary(Binary::Max, a, zero);
    if kind == Kind::I32 {
        let most = r.float(a, TWO_32 - 1.0);
        let a = r.binary(Binary::Min, a, most);
        let a = r.unary(Unary::Trunc, a);
        return low_bits(r, a);
    }
    let truncated = r.unary(Unary::Trunc, a);
    let bits = from_halves(r, truncated);
    let limit = r.float(a, 2.0 * TWO_63);
    let above = r.compare(Compare::Ge, a, limit);
    let most = r.int(bits, -1);
    r.select(above, most, bits)
}

/// Numbers from 2³¹ (2⁶³) on are converted less that, exactly, and get it back as the sign bit.
fn unsigned_from_signed(r: &mut Rewriting<'_>, a: Value, kind: Kind) -> Value {
    let (limit, sign) = if kind == Kind::I32 { (TWO_31, 1 << 31) } else { (TWO_63, 1 << 63) };
    let limit = r.float(a, limit);
    let upper = r.compare(Compare::Ge, a, limit);
    let less = r.sub(a, limit);
    let a = r.select(upper, less, a);
    let bits = r.convert(Convert::ToSigned, a, kind);
    let zero = r.int(bits, 0);
    let bits = r.binary(Binary::MaxS, bits, zero);
    let sign = r.constant(r.ty(bits), sign);
    let offset = r.select(upper, sign, zero);
    r.xor(bits, offset)
}

/// Integers in `F64` to 64 bits, by halves; garbage where they are too large.
fn from_halves(r: &mut Rewriting<'_>, a: Value) -> Value {
    let inverse = r.float(a, 1.0 / TWO_32);
    let scale = r.float(a, TWO_32);
    let high = r.mul(a, inverse);
    let high = r.unary(Unary::Floor, high);
    let whole = r.mul(high, scale);
    let low = r.sub(a, whole);
    let (low, high) = (low_bits_64(r, low), low_bits_64(r, high));
    let high = r.shifted(Binary::Shl, high, 32);
    let mask = r.int(low, 0xffff_ffff);
    let low = r.and(low, mask);
    r.or(low, high)
}
