//! Identities of arithmetic, bit by bit exact.
//!
//! The operands have been put in order before: a constant is the second.

use super::constants::uniform;
use super::division;
use crate::Builder;
use crate::ir::*;

/// All bits of a kind.
fn ones(kind: Kind) -> u64 {
    match kind {
        Kind::Bool => 1,
        Kind::I32 | Kind::F32 => u32::MAX.into(),
        Kind::I64 | Kind::F64 => u64::MAX,
    }
}

/// The operand of a value that is defined by that operation.
#[inline]
fn under(b: &Builder, op: Unary, value: Value) -> Option<Value> {
    match b.definition(value) {
        Some(&Op::Unary(found, x)) if found == op => Some(x),
        _ => None,
    }
}

/// `x` and `c` of a value defined as `x op c` with `c` the same constant in all lanes.
fn with_constant(b: &Builder, op: Binary, value: Value) -> Option<(Value, u64)> {
    match b.definition(value) {
        Some(&Op::Binary(found, x, y)) if found == op => Some((x, uniform(b, y)?)),
        _ => None,
    }
}

pub(super) fn unary(b: &mut Builder, ty: Type, op: Unary, x: Value) -> Option<Value> {
    match op {
        Unary::Neg => under(b, Unary::Neg, x),
        Unary::Not => under(b, Unary::Not, x),
        Unary::Abs if ty.kind.is_float() => {
            if let Some(inner) = under(b, Unary::Neg, x) {
                return Some(b.abs(inner));
            }
            under(b, Unary::Abs, x).map(|_| x)
        }
        _ => None,
    }
}

pub(super) fn binary(b: &mut Builder, ty: Type, op: Binary, x: Value, y: Value) -> Option<Value> {
    if ty.kind.is_float() {
        return float(b, ty, op, x, y);
    }
    if x == y {
        match op {
            Binary::Sub | Binary::Xor => return Some(b.constant(ty, 0)),
            Binary::And | Binary::Or | Binary::MinS | Binary::MaxS | Binary::MinU | Binary::MaxU => {
                return Some(x);
            }
            _ => {}
        }
    }
    if matches!(op, Binary::And | Binary::Or | Binary::Xor)
        && (under(b, Unary::Not, x) == Some(y) || under(b, Unary::Not, y) == Some(x))
    {
        return Some(b.constant(ty, if op == Binary::And { 0 } else { ones(ty.kind) }));
    }
    if let Binary::And | Binary::Or = op
        && let Some(value) = absorbed(b, ty, op, x, y).or_else(|| absorbed(b, ty, op, y, x))
    {
        return Some(value);
    }
    match (op, uniform(b, y)) {
        (_, Some(c)) => integer(b, ty, op, x, c),
        (Binary::Sub, None) if uniform(b, x) == Some(0) => Some(b.neg(y)),
        (Binary::Sub, None) => match with_constant(b, Binary::Add, x) {
            Some((inner, c)) if inner == y => Some(b.constant(ty, c)),
            _ => under(b, Unary::Neg, y).map(|y| b.add(x, y)),
        },
        (Binary::Add, None) => under(b, Unary::Neg, y).map(|y| b.sub(x, y)),
        (Binary::Shl | Binary::ShrU | Binary::ShrS, None) if uniform(b, x) == Some(0) => Some(x),
        _ => None,
    }
}

/// `x & (x & z)`, `x & (x | z)`, `!z & (x & z)`, and the same with `|`: what masks of nested branches come to.
fn absorbed(b: &mut Builder, ty: Type, op: Binary, x: Value, y: Value) -> Option<Value> {
    let &Op::Binary(inner @ (Binary::And | Binary::Or), p, q) = b.definition(y)? else { return None };
    if p == x || q == x {
        return Some(if inner == op { y } else { x });
    }
    let negated = under(b, Unary::Not, x)?;
    let none = inner == op && (p == negated || q == negated);
    none.then(|| b.constant(ty, if op == Binary::And { 0 } else { ones(ty.kind) }))
}

/// `x op c`, of integers and masks.
fn integer(b: &mut Builder, ty: Type, op: Binary, x: Value, c: u64) -> Option<Value> {
    let kind = ty.kind;
    let all = ones(kind);
    let width = u64::from(kind.size()) * 8;
    let power = c.is_power_of_two().then(|| u64::from(c.trailing_zeros()));
    let (least, most) = (1u64 << width.saturating_sub(1), all >> 1);
    match op {
        Binary::Add if c == 0 => Some(x),
        Binary::Add => {
            let (inner, d) = with_constant(b, Binary::Add, x)?;
            let sum = b.constant(ty, c.wrapping_add(d) & all);
            Some(b.add(inner, sum))
        }
        Binary::Sub => {
            let negative = b.constant(ty, c.wrapping_neg() & all);
            Some(b.add(x, negative))
        }
        Binary::Mul => match (c, power) {
            (0, _) => Some(b.constant(ty, 0)),
            (_, Some(power)) => shifted(b, ty, Binary::Shl, x, power),
            _ if c == all => Some(b.neg(x)),
            _ => {
                let (inner, d) = with_constant(b, Binary::Mul, x)?;
                let product = b.constant(ty, c.wrapping_mul(d) & all);
                Some(b.mul(inner, product))
            }
        },
        Binary::MulHigh => match (c, power) {
            (0 | 1, _) => Some(b.constant(ty, 0)),
            (_, Some(power)) => shifted(b, ty, Binary::ShrU, x, width - power),
            _ => None,
        },
        Binary::RemU if power.is_some() => {
            let low = b.constant(ty, c - 1);
            Some(b.and(x, low))
        }
        Binary::DivU | Binary::RemU | Binary::DivS | Binary::RemS => division::by_constant(b, ty, op, x, c),
        Binary::And if c == 0 => Some(b.constant(ty, 0)),
        Binary::And | Binary::Or if c == if op == Binary::And { all } else { 0 } => Some(x),
        Binary::Or if c == all => Some(b.constant(ty, all)),
        Binary::And | Binary::Or => {
            let (inner, d) = with_constant(b, op, x)?;
            let both = b.constant(ty, if op == Binary::And { c & d } else { c | d });
            Some(b.binary(op, inner, both))
        }
        Binary::Xor if c == 0 => Some(x),
        Binary::Xor if c == all => Some(b.not(x)),
        Binary::Xor => {
            let (inner, d) = with_constant(b, Binary::Xor, x)?;
            let both = b.constant(ty, c ^ d);
            Some(b.xor(inner, both))
        }
        Binary::Shl | Binary::ShrU | Binary::ShrS if c == 0 => Some(x),
        Binary::Shl | Binary::ShrU if c < width => {
            let (inner, d) = with_constant(b, op, x)?;
            match d {
                _ if d >= width => None,
                _ if c + d >= width => Some(b.constant(ty, 0)),
                _ => shifted(b, ty, op, inner, c + d),
            }
        }
        Binary::MinU if c == 0 => Some(b.constant(ty, 0)),
        Binary::MinU if c == all => Some(x),
        Binary::MaxU if c == 0 => Some(x),
        Binary::MaxU if c == all => Some(b.constant(ty, all)),
        Binary::MinS if c == least => Some(b.constant(ty, least)),
        Binary::MinS if c == most => Some(x),
        Binary::MaxS if c == least => Some(x),
        Binary::MaxS if c == most => Some(b.constant(ty, most)),
        _ => None,
    }
}

fn shifted(b: &mut Builder, ty: Type, op: Binary, x: Value, by: u64) -> Option<Value> {
    let by = b.constant(ty, by);
    Some(b.binary(op, x, by))
}

fn float(b: &mut Builder, ty: Type, op: Binary, x: Value, y: Value) -> Option<Value> {
    let number = |bits: u64| {
        if ty.kind == Kind::F32 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
    };
    let constant = uniform(b, y).map(number);
    match (op, constant) {
        (Binary::Add, Some(c)) if c == 0.0 && c.is_sign_negative() => Some(x),
        (Binary::Sub, Some(c)) if c == 0.0 && c.is_sign_positive() => Some(x),
        (Binary::Mul | Binary::Div, Some(1.0)) => Some(x),
        (Binary::Mul | Binary::Div, Some(-1.0)) => Some(b.neg(x)),
        // The reciprocal of a power of two is exact, and so rounding happens once either way.
        (Binary::Div, Some(c)) => {
            let bits = c.to_bits();
            let exponent = (bits >> 52 & 0x7ff) as i64 - 1023;
            let most = if ty.kind == Kind::F32 { 126 } else { 1022 };
            if bits << 12 != 0 || exponent.abs() > most {
                return None;
            }
            let inverse = b.like(x, 1.0 / c);
            Some(b.mul(x, inverse))
        }
        (Binary::Min | Binary::Max, _) if x == y => Some(x),
        (Binary::Add, None) => match (under(b, Unary::Neg, y), under(b, Unary::Neg, x)) {
            (Some(y), _) => Some(b.sub(x, y)),
            (None, Some(x)) => Some(b.sub(y, x)),
            (None, None) => None,
        },
        (Binary::Sub, None) => under(b, Unary::Neg, y).map(|y| b.add(x, y)),
        (Binary::Mul | Binary::Div, None) => {
            let (x, y) = (under(b, Unary::Neg, x)?, under(b, Unary::Neg, y)?);
            Some(b.binary(op, x, y))
        }
        _ => None,
    }
}

pub(super) fn fma(b: &mut Builder, ty: Type, x: Value, y: Value, z: Value) -> Option<Value> {
    let (one, minus_one, minus_zero) = match ty.kind {
        Kind::F32 => (1f32.to_bits().into(), (-1f32).to_bits().into(), (-0f32).to_bits().into()),
        _ => (1f64.to_bits(), (-1f64).to_bits(), (-0f64).to_bits()),
    };
    match uniform(b, y) {
        Some(c) if c == one => return Some(b.add(x, z)),
        Some(c) if c == minus_one => return Some(b.sub(z, x)),
        _ => {}
    }
    (uniform(b, z) == Some(minus_zero)).then(|| b.mul(x, y))
}

pub(super) fn convert(b: &mut Builder, ty: Type, op: Convert, x: Value) -> Option<Value> {
    if op == Convert::Bitcast && b.ty(x).kind == ty.kind {
        return Some(x);
    }
    let &Op::Convert(inner, y) = b.definition(x)? else { return None };
    match (op, inner) {
        (Convert::Truncate, Convert::SignExtend | Convert::ZeroExtend) => Some(y),
        (Convert::Narrow, Convert::Widen) => Some(y),
        (Convert::Bitcast, Convert::Bitcast) => Some(b.bitcast(y, ty.kind)),
        _ => None,
    }
}
