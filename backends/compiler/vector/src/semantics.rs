//! What each operation does to the bits of one lane: the one table that evaluator, folding and verifier share.
//!
//! An operation that has no entry for a kind does not exist for it. Knows no values, no lanes and no memory; that a
//! divisor is not zero is the caller's to see to.

use crate::ir::{AtomicOp, Binary, Compare, Convert, Kind, Unary};
use half::f16;

type One = fn(u64) -> u64;
type Two = fn(u64, u64) -> u64;
type Three = fn(u64, u64, u64) -> u64;
type Test = fn(u64, u64) -> bool;

fn w(x: u32) -> u64 {
    x.into()
}

fn f(x: u64) -> f32 {
    f32::from_bits(x as u32)
}

fn d(x: u64) -> f64 {
    f64::from_bits(x)
}

fn fb(x: f32) -> u64 {
    x.to_bits().into()
}

fn db(x: f64) -> u64 {
    x.to_bits()
}

/// Cuts a value to 12 significant bits, as machines' estimates are.
fn estimate(exact: f64) -> u64 {
    let rounded = f64::from_bits((exact.to_bits() + (1 << 40)) & !((1 << 41) - 1));
    fb(rounded as f32)
}

/// What an operation gives that may give anything: no number a program would be right with by chance.
fn anything(a: u64, b: u64) -> u64 {
    (a ^ b.rotate_left(7)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// `op` on lanes of `kind`.
pub(crate) fn unary(op: Unary, kind: Kind) -> Option<One> {
    use Kind::*;
    use Unary::*;
    Some(match (op, kind) {
        (Neg, I32) => |a| w((a as u32).wrapping_neg()),
        (Neg, I64) => |a| a.wrapping_neg(),
        (Neg, F32) => |a| a ^ 1 << 31,
        (Neg, F64) => |a| a ^ 1 << 63,
        (Not, Bool) => |a| a ^ 1,
        (Not, I32) => |a| w(!(a as u32)),
        (Not, I64) => |a| !a,
        (Abs, I32) => |a| w((a as i32).wrapping_abs() as u32),
        (Abs, I64) => |a| (a as i64).wrapping_abs() as u64,
        (Abs, F32) => |a| a & !(1 << 31),
        (Abs, F64) => |a| a & !(1 << 63),
        (Sqrt, F32) => |a| fb(f(a).sqrt()),
        (Sqrt, F64) => |a| db(d(a).sqrt()),
        (Floor, F32) => |a| fb(f(a).floor()),
        (Floor, F64) => |a| db(d(a).floor()),
        (Ceil, F32) => |a| fb(f(a).ceil()),
        (Ceil, F64) => |a| db(d(a).ceil()),
        (Trunc, F32) => |a| fb(f(a).trunc()),
        (Trunc, F64) => |a| db(d(a).trunc()),
        (Nearest, F32) => |a| fb(f(a).round_ties_even()),
        (Nearest, F64) => |a| db(d(a).round_ties_even()),
        (CountOnes, I32) => |a| w((a as u32).count_ones()),
        (CountOnes, I64) => |a| w(a.count_ones()),
        (LeadingZeros, I32) => |a| w((a as u32).leading_zeros()),
        (LeadingZeros, I64) => |a| w(a.leading_zeros()),
        (TrailingZeros, I32) => |a| w((a as u32).trailing_zeros()),
        (TrailingZeros, I64) => |a| w(a.trailing_zeros()),
        (InverseSqrtEstimate, F32) => |a| estimate(1.0 / f64::from(f(a)).sqrt()),
        (InverseEstimate, F32) => |a| estimate(1.0 / f64::from(f(a))),
        _ => return None,
    })
}

/// `op` on lanes of `kind`; divisions give 0 where they have no result.
pub(crate) fn binary(op: Binary, kind: Kind) -> Option<Two> {
    use Binary::*;
    use Kind::*;
    Some(match (op, kind) {
        (Add, I32) => |a, b| w((a as u32).wrapping_add(b as u32)),
        (Add, I64) => |a, b| a.wrapping_add(b),
        (Add, F32) => |a, b| fb(f(a) + f(b)),
        (Add, F64) => |a, b| db(d(a) + d(b)),
        (Sub, I32) => |a, b| w((a as u32).wrapping_sub(b as u32)),
        (Sub, I64) => |a, b| a.wrapping_sub(b),
        (Sub, F32) => |a, b| fb(f(a) - f(b)),
        (Sub, F64) => |a, b| db(d(a) - d(b)),
        (Mul, I32) => |a, b| w((a as u32).wrapping_mul(b as u32)),
        (Mul, I64) => |a, b| a.wrapping_mul(b),
        (Mul, F32) => |a, b| fb(f(a) * f(b)),
        (Mul, F64) => |a, b| db(d(a) * d(b)),
        (MulHigh, I32) => |a, b| ((a & 0xffff_ffff) * (b & 0xffff_ffff)) >> 32,
        (MulHigh, I64) => |a, b| ((u128::from(a) * u128::from(b)) >> 64) as u64,
        (Div, F32) => |a, b| fb(f(a) / f(b)),
        (Div, F64) => |a, b| db(d(a) / d(b)),
        (DivS, I32) => |a, b| w((a as i32).checked_div(b as i32).unwrap_or(0) as u32),
        (DivS, I64) => |a, b| (a as i64).checked_div(b as i64).unwrap_or(0) as u64,
        (DivU, I32) => |a, b| w((a as u32).checked_div(b as u32).unwrap_or(0)),
        (DivU, I64) => |a, b| a.checked_div(b).unwrap_or(0),
        (RemS, I32) => |a, b| w((a as i32).checked_rem(b as i32).unwrap_or(0) as u32),
        (RemS, I64) => |a, b| (a as i64).checked_rem(b as i64).unwrap_or(0) as u64,
        (RemU, I32) => |a, b| w((a as u32).checked_rem(b as u32).unwrap_or(0)),
        (RemU, I64) => |a, b| a.checked_rem(b).unwrap_or(0),
        (And, Bool | I32 | I64) => |a, b| a & b,
        (Or, Bool | I32 | I64) => |a, b| a | b,
        (Xor, Bool | I32 | I64) => |a, b| a ^ b,
        (Shl, I32) => |a, b| w((a as u32).checked_shl(b as u32).unwrap_or_else(|| anything(a, b) as u32)),
        (Shl, I64) => |a, b| if b < 64 { a << b } else { anything(a, b) },
        (ShrS, I32) => {
            |a, b| w((a as i32).checked_shr(b as u32).unwrap_or_else(|| anything(a, b) as i32) as u32)
        }
        (ShrS, I64) => |a, b| if b < 64 { ((a as i64) >> b) as u64 } else { anything(a, b) },
        (ShrU, I32) => |a, b| w((a as u32).checked_shr(b as u32).unwrap_or_else(|| anything(a, b) as u32)),
        (ShrU, I64) => |a, b| if b < 64 { a >> b } else { anything(a, b) },
        (MinS, I32) => |a, b| w((a as i32).min(b as i32) as u32),
        (MinS, I64) => |a, b| (a as i64).min(b as i64) as u64,
        (MaxS, I32) => |a, b| w((a as i32).max(b as i32) as u32),
        (MaxS, I64) => |a, b| (a as i64).max(b as i64) as u64,
        (MinU, I32 | I64) => |a, b| a.min(b),
        (MaxU, I32 | I64) => |a, b| a.max(b),
        (Min, F32) => |a, b| if f(a) < f(b) { a } else { b },
        (Min, F64) => |a, b| if d(a) < d(b) { a } else { b },
        (Max, F32) => |a, b| if f(a) > f(b) { a } else { b },
        (Max, F64) => |a, b| if d(a) > d(b) { a } else { b },
        (Scale, F32) => |a, b| match scales(f(a).into(), f(b).into(), 250.0) {
            Some((low, high)) => fb((f64::from(f(a)) * low * high) as f32),
            None if f(a).is_nan() => a,
            None => w(anything(a, b) as u32),
        },
        (Scale, F64) => |a, b| match scales(d(a), d(b), 2000.0) {
            Some((low, high)) => db(d(a) * low * high),
            None if d(a).is_nan() => a,
            None => anything(a, b),
        },
        _ => return None,
    })
}

/// 2ᵇ as a product, where `a` and `b` are such that [`Binary::Scale`] has one result: then the first of two products is
/// exact.
fn scales(a: f64, b: f64, most: f64) -> Option<(f64, f64)> {
    let good = (0.25..=4.0).contains(&a.abs()) && b.abs() <= most && b.fract() == 0.0;
    let half = (b * 0.5).floor();
    good.then(|| (2f64.powi(half as i32), 2f64.powi((b - half) as i32)))
}

/// Whether a division has a result: its divisor is not zero and it does not overflow. True of all other operations.
pub(crate) fn divides(op: Binary, kind: Kind, a: u64, b: u64) -> bool {
    match (op, kind) {
        (Binary::DivU | Binary::RemU, _) => b != 0,
        (Binary::DivS | Binary::RemS, Kind::I64) => (a as i64).checked_div(b as i64).is_some(),
        (Binary::DivS | Binary::RemS, _) => (a as i32).checked_div(b as i32).is_some(),
        _ => true,
    }
}

/// Whether the operation has one defined result: not so for shifts by the width or more, impossible
/// divisions, and scales beyond the range.
pub(crate) fn defined(op: Binary, kind: Kind, a: u64, b: u64) -> bool {
    match op {
        Binary::Shl | Binary::ShrS | Binary::ShrU => b < u64::from(kind.size() * 8),
        Binary::Scale if kind == Kind::F32 => scales(f(a).into(), f(b).into(), 250.0).is_some(),
        Binary::Scale => scales(d(a), d(b), 2000.0).is_some(),
        _ => divides(op, kind, a, b),
    }
}

/// It may join lanes in [`Op::Reduce`](crate::ir::Op::Reduce).
pub(crate) fn reduces(op: Binary) -> bool {
    use Binary::*;
    matches!(op, Add | Mul | And | Or | Xor | MinS | MaxS | MinU | MaxU | Min | Max)
}

/// `a * b + c`, rounded once.
pub(crate) fn fma(kind: Kind) -> Option<Three> {
    match kind {
        Kind::F32 => Some(|a, b, c| fb(f(a).mul_add(f(b), f(c)))),
        Kind::F64 => Some(|a, b, c| db(d(a).mul_add(d(b), d(c)))),
        _ => None,
    }
}

/// `op` of lanes of `kind`.
pub(crate) fn compare(op: Compare, kind: Kind) -> Option<Test> {
    use Compare::*;
    use Kind::*;
    Some(match (op, kind) {
        (Eq, I32 | I64) => |a, b| a == b,
        (Eq, F32) => |a, b| f(a) == f(b),
        (Eq, F64) => |a, b| d(a) == d(b),
        (Ne, I32 | I64) => |a, b| a != b,
        (Ne, F32) => |a, b| f(a) != f(b),
        (Ne, F64) => |a, b| d(a) != d(b),
        (Lt, F32) => |a, b| f(a) < f(b),
        (Lt, F64) => |a, b| d(a) < d(b),
        (Le, F32) => |a, b| f(a) <= f(b),
        (Le, F64) => |a, b| d(a) <= d(b),
        (Gt, F32) => |a, b| f(a) > f(b),
        (Gt, F64) => |a, b| d(a) > d(b),
        (Ge, F32) => |a, b| f(a) >= f(b),
        (Ge, F64) => |a, b| d(a) >= d(b),
        (LtS, I32) => |a, b| (a as i32) < (b as i32),
        (LtS, I64) => |a, b| (a as i64) < (b as i64),
        (LeS, I32) => |a, b| (a as i32) <= (b as i32),
        (LeS, I64) => |a, b| (a as i64) <= (b as i64),
        (GtS, I32) => |a, b| (a as i32) > (b as i32),
        (GtS, I64) => |a, b| (a as i64) > (b as i64),
        (GeS, I32) => |a, b| (a as i32) >= (b as i32),
        (GeS, I64) => |a, b| (a as i64) >= (b as i64),
        (LtU, I32 | I64) => |a, b| a < b,
        (LeU, I32 | I64) => |a, b| a <= b,
        (GtU, I32 | I64) => |a, b| a > b,
        (GeU, I32 | I64) => |a, b| a >= b,
        _ => return None,
    })
}

/// `op` from lanes of one kind to another.
pub(crate) fn convert(op: Convert, from: Kind, to: Kind) -> Option<One> {
    use Convert::*;
    use Kind::*;
    Some(match (op, from, to) {
        (SignExtend, I32, I64) => |a| i64::from(a as i32) as u64,
        (ZeroExtend, I32, I64) => |a| a,
        (Truncate, I64, I32) => |a| w(a as u32),
        (FromSigned, I32, F32) => |a| fb(a as i32 as f32),
        (FromSigned, I32, F64) => |a| db(f64::from(a as i32)),
        (FromSigned, I64, F32) => |a| fb(a as i64 as f32),
        (FromSigned, I64, F64) => |a| db(a as i64 as f64),
        (FromUnsigned, I32, F32) => |a| fb(a as u32 as f32),
        (FromUnsigned, I32, F64) => |a| db(f64::from(a as u32)),
        (FromUnsigned, I64, F32) => |a| fb(a as f32),
        (FromUnsigned, I64, F64) => |a| db(a as f64),
        (ToSigned, F32, I32) => |a| w(f(a) as i32 as u32),
        (ToSigned, F64, I32) => |a| w(d(a) as i32 as u32),
        (ToSigned, F32, I64) => |a| f(a) as i64 as u64,
        (ToSigned, F64, I64) => |a| d(a) as i64 as u64,
        (ToUnsigned, F32, I32) => |a| w(f(a) as u32),
        (ToUnsigned, F64, I32) => |a| w(d(a) as u32),
        (ToUnsigned, F32, I64) => |a| f(a) as u64,
        (ToUnsigned, F64, I64) => |a| d(a) as u64,
        (Widen, F32, F64) => |a| db(f64::from(f(a))),
        (Narrow, F64, F32) => |a| fb(d(a) as f32),
        (FromHalf, I32, F32) => |a| fb(f16::from_bits(a as u16).to_f32()),
        (ToHalf, F32, I32) => |a| u64::from(f16::from_f32(f(a)).to_bits()),
        (Bitcast, I32, F32) | (Bitcast, F32, I32) | (Bitcast, I64, F64) | (Bitcast, F64, I64) => |a| a,
        (Bitcast, _, _) if from == to => |a| a,
        _ => return None,
    })
}

/// What an atomic step leaves in memory, from what was there and its operand.
pub(crate) fn atomic(op: AtomicOp, kind: Kind) -> Option<Two> {
    let same = match op {
        AtomicOp::Exchange => return (kind != Kind::Bool).then_some(|_, b| b),
        AtomicOp::Add => Binary::Add,
        AtomicOp::Sub => Binary::Sub,
        AtomicOp::And => Binary::And,
        AtomicOp::Or => Binary::Or,
        AtomicOp::Xor => Binary::Xor,
        AtomicOp::MinS => Binary::MinS,
        AtomicOp::MaxS => Binary::MaxS,
        AtomicOp::MinU => Binary::MinU,
        AtomicOp::MaxU => Binary::MaxU,
    };
    binary(same, kind).filter(|_| kind != Kind::Bool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_within_the_contract_and_not_exact() {
        let one = unary(Unary::InverseSqrtEstimate, Kind::F32).expect("exists");
        let mut worst = 0.0f64;
        for i in 1..100_000u32 {
            let x = i as f32 * 0.01;
            let exact = 1.0 / f64::from(x).sqrt();
            worst = worst.max(((f64::from(f(one(fb(x)))) - exact) / exact).abs());
        }
        assert!(worst < 1.5 / 4096.0 && worst > 1e-5, "{worst}");
    }

    #[test]
    fn conversions_clamp_and_halves_round_to_even() {
        let signed = convert(Convert::ToSigned, Kind::F32, Kind::I32).expect("exists");
        assert_eq!(signed(fb(f32::NAN)), 0);
        assert_eq!(signed(fb(3e9)), 0x7fff_ffff);
        let half = convert(Convert::ToHalf, Kind::F32, Kind::I32).expect("exists");
        assert_eq!(half(fb(1.0 + 1.0 / 2048.0)), 0x3c00);
        assert_eq!(half(fb(65520.0)), 0x7c00);
    }

    #[test]
    fn minima_give_the_second_of_equals_and_of_nan() {
        let min = binary(Binary::Min, Kind::F32).expect("exists");
        assert_eq!(min(fb(0.0), fb(-0.0)), fb(-0.0));
        assert_eq!(min(fb(f32::NAN), fb(1.0)), fb(1.0));
        assert!(f(min(fb(1.0), fb(f32::NAN))).is_nan());
    }
}
