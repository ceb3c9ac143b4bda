//! Integer division by a constant: shifts for powers of two, else a multiplication by the reciprocal.
//!
//! Granlund and Montgomery, "Division by invariant integers using multiplication" (PLDI 1994). Vectors of 64-bit
//! integers are left alone, powers of two apart: no machine has the upper half of their products.

use crate::Builder;
use crate::ir::*;

/// `x op c`, for `c` not 0.
pub(super) fn by_constant(b: &mut Builder, ty: Type, op: Binary, x: Value, c: u64) -> Option<Value> {
    let quotient = match op {
        Binary::DivU | Binary::RemU => unsigned(b, ty, x, c)?,
        Binary::DivS | Binary::RemS => signed(b, ty, x, c)?,
        _ => return None,
    };
    if matches!(op, Binary::DivU | Binary::DivS) {
        return Some(quotient);
    }
    let divisor = b.constant(ty, c);
    let whole = b.mul(quotient, divisor);
    Some(b.sub(x, whole))
}

fn multiplies(ty: Type) -> bool {
    ty.is_scalar() || ty.kind == Kind::I32
}

fn shift(b: &mut Builder, ty: Type, op: Binary, x: Value, by: u32) -> Value {
    let by = b.constant(ty, by.into());
    b.binary(op, x, by)
}

fn unsigned(b: &mut Builder, ty: Type, x: Value, d: u64) -> Option<Value> {
    let width = ty.kind.size() * 8;
    let floor = d.checked_ilog2()?;
    if d.is_power_of_two() {
        return Some(shift(b, ty, Binary::ShrU, x, floor));
    }
    if !multiplies(ty) {
        return None;
    }
    // The reciprocal, rounded up; good where it is not too much.
    let power = 1u128 << (width + floor);
    let factor = power / u128::from(d) + 1;
    if factor * u128::from(d) - power <= 1 << floor {
        let factor = b.constant(ty, factor as u64);
        let high = b.binary(Binary::MulHigh, x, factor);
        return Some(shift(b, ty, Binary::ShrU, high, floor));
    }
    // One more bit, which does not fit: its product is added, without a carry.
    let factor = ((1u128 << width) * ((2u128 << floor) - u128::from(d))) / u128::from(d) + 1;
    let factor = b.constant(ty, factor as u64);
    let high = b.binary(Binary::MulHigh, x, factor);
    let rest = b.sub(x, high);
    let rest = shift(b, ty, Binary::ShrU, rest, 1);
    let sum = b.add(high, rest);
    Some(shift(b, ty, Binary::ShrU, sum, floor))
}

fn signed(b: &mut Builder, ty: Type, x: Value, c: u64) -> Option<Value> {
    let width = ty.kind.size() * 8;
    let divisor = if width == 32 { i64::from(c as i32) } else { c as i64 };
    let d = divisor.unsigned_abs();
    let floor = d.checked_ilog2()?;
    if !d.is_power_of_two() && !multiplies(ty) {
        return None;
    }
    let quotient = if d == 1 {
        x
    } else {
        let sign = shift(b, ty, Binary::ShrS, x, width - 1);
        if d.is_power_of_two() {
            // Towards zero: negative numbers are rounded up.
            let up = shift(b, ty, Binary::ShrU, sign, width - floor);
            let sum = b.add(x, up);
            shift(b, ty, Binary::ShrS, sum, floor)
        } else {
            // The reciprocal has its highest bit set: as a signed factor it is negative, which `x` makes up for.
            let factor = (1u128 << (width + floor)) / u128::from(d) + 1;
            let factor = b.constant(ty, factor as u64);
            let high = b.binary(Binary::MulHigh, x, factor);
            let correction = b.and(sign, factor);
            let high = b.sub(high, correction);
            let high = shift(b, ty, Binary::ShrS, high, floor);
            b.sub(high, sign)
        }
    };
    Some(if divisor < 0 { b.neg(quotient) } else { quotient })
}
