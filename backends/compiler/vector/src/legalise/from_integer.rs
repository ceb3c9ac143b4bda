//! Integers to floats, rounded once.

use super::{Rewriting, multiply};
use crate::ir::*;

const TWO_32: f64 = 4_294_967_296.0;
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// `None` for 32 bits, which every machine has.
pub(super) fn signed(r: &mut Rewriting<'_>, a: Value, kind: Kind) -> Option<Value> {
    if r.ty(a).kind != Kind::I64 {
        return None;
    }
    if kind == Kind::F64 {
        let (low, high) = multiply::halves(r, a);
        let high = r.convert(Convert::FromSigned, high, Kind::F64);
        return Some(join(r, low, high));
    }
    let limit = 1 << 53;
    let (least, most) = (r.int(a, -limit), r.int(a, limit));
    let (below, above) = (r.lt_s(a, least), r.gt_s(a, most));
    let large = r.or(below, above);
    let odd = odd(r, a, large);
    let wide = r.convert(Convert::FromSigned, odd, Kind::F64);
    Some(r.convert(Convert::Narrow, wide, Kind::F32))
}

pub(super) fn unsigned(r: &mut Rewriting<'_>, a: Value, kind: Kind) -> Value {
    match (r.ty(a).kind, kind) {
        (Kind::I64, Kind::F64) => {
            let (low, high) = multiply::halves(r, a);
            let high = r.convert(Convert::FromUnsigned, high, Kind::F64);
            join(r, low, high)
        }
        (Kind::I64, _) => {
            let upper = r.shifted(Binary::ShrU, a, 53);
            let zero = r.int(a, 0);
            let large = r.ne(upper, zero);
            let odd = odd(r, a, large);
            let wide = r.convert(Convert::FromUnsigned, odd, Kind::F64);
            r.convert(Convert::Narrow, wide, Kind::F32)
        }
        (_, Kind::F64) => {
            // 2⁵² with the number as its last bits.
            let bits = r.convert(Convert::ZeroExtend, a, Kind::I64);
            let exponent = r.int(bits, TWO_52.to_bits() as i64);
            let bits = r.or(bits, exponent);
            let sum = r.cast(bits, Kind::F64);
            let offset = r.float(sum, TWO_52);
            r.sub(sum, offset)
        }
        _ => {
            // Both halves are exact, and so is the upper one's product: the sum is rounded once.
            let mask = r.int(a, 0xffff);
            let (low, high) = (r.and(a, mask), r.shifted(Binary::ShrU, a, 16));
            let low = r.convert(Convert::FromSigned, low, Kind::F32);
            let high = r.convert(Convert::FromSigned, high, Kind::F32);
            let scale = r.float(high, 65_536.0);
            let high = r.mul(high, scale);
            r.add(high, low)
        }
    }
}

/// `high · 2³² + low`: both exact, so rounded once.
fn join(r: &mut Rewriting<'_>, low: Value, high: Value) -> Value {
    let low = r.convert(Convert::FromUnsigned, low, Kind::F64);
    let scale = r.float(high, TWO_32);
    let high = r.mul(high, scale);
    r.add(high, low)
}

/// Where `large` holds (53 bits or more), without the last 11 bits, but with an odd last bit where any of them was set:
/// then `F64` holds it exactly, and rounding that to `F32` sees on which side of a tie it was.
fn odd(r: &mut Rewriting<'_>, a: Value, large: Value) -> Value {
    let (last, others) = (r.int(a, 0x7ff), r.int(a, !0x7ff));
    let dropped = r.and(a, last);
    let carried = r.add(dropped, last);
    let carried = r.or(a, carried);
    let kept = r.and(carried, others);
    r.select(large, kept, a)
}
