//! Lanes that meet other lanes: by extraction, one after the other.

use super::Rewriting;
use crate::ir::*;

/// The lane that a scalar says.
pub(super) fn extract_at(r: &mut Rewriting<'_>, a: Value, lane: Value) -> Value {
    let mut result = r.extract(a, 0);
    for i in 1..r.ty(a).lanes {
        let candidate = r.extract(a, i);
        let number = r.int(lane, i.into());
        let here = r.eq(lane, number);
        result = r.select(here, candidate, result);
    }
    result
}

pub(super) fn permute(r: &mut Rewriting<'_>, a: Value, from: Value) -> Value {
    let first = r.extract(a, 0);
    let mut result = r.splat(first);
    for i in 1..r.ty(a).lanes {
        let scalar = r.extract(a, i);
        let candidate = r.splat(scalar);
        let number = r.int(from, i.into());
        let here = r.eq(from, number);
        result = r.select(here, candidate, result);
    }
    result
}

/// Lanes of two vectors, by number.
pub(super) fn shuffle(r: &mut Rewriting<'_>, a: Value, b: Value, from: &[u8]) -> Value {
    let lanes = r.ty(a).lanes;
    r.assemble(|r, lane| {
        let from = u16::from(from[usize::from(lane)]);
        if from < lanes { r.extract(a, from) } else { r.extract(b, from - lanes) }
    })
}

/// A mask's lanes as the bits of a scalar.
pub(super) fn bits(r: &mut Rewriting<'_>, mask: Value) -> Value {
    let lanes = r.ty(mask).lanes;
    let kind = if lanes <= 32 { Kind::I32 } else { Kind::I64 };
    let each = r.lane_constants(kind, (0..lanes).map(|i| 1 << i));
    let none = r.int(each, 0);
    let each = r.select(mask, each, none);
    let all = r.op(Type::scalar(kind), Op::Reduce(Binary::Or, each));
    if kind == Kind::I64 { all } else { r.convert(Convert::ZeroExtend, all, Kind::I64) }
}

/// The mask whose lanes are the bits of a scalar.
pub(super) fn mask(r: &mut Rewriting<'_>, bits: Value, ty: Type) -> Value {
    let bits = if ty.lanes <= 32 { r.convert(Convert::Truncate, bits, Kind::I32) } else { bits };
    let kind = r.ty(bits).kind;
    let each = r.lane_constants(kind, (0..ty.lanes).map(|i| 1 << i));
    let splat = r.splat(bits);
    let set = r.and(splat, each);
    let none = r.int(set, 0);
    r.ne(set, none)
}

/// Upper half with lower, until one lane is left: with permutations where the machine has them, else on scalars.
pub(super) fn reduce(r: &mut Rewriting<'_>, op: Binary, a: Value) -> Value {
    let ty = r.ty(a);
    if r.has(&Op::Permute(a, a), ty, ty) && r.has(&Op::Binary(op, a, a), ty, ty) {
        let mut vector = a;
        let mut half = ty.lanes / 2;
        while half > 0 {
            let from = r.lane_constants(Kind::I32, (0..ty.lanes).map(|i| u64::from((i + half) % ty.lanes)));
            let upper = r.op(ty, Op::Permute(vector, from));
            vector = r.binary(op, vector, upper);
            half /= 2;
        }
        return r.extract(vector, 0);
    }
    let mut scalars: Vec<Value> = (0..ty.lanes).map(|lane| r.extract(a, lane)).collect();
    while scalars.len() > 1 {
        let upper = scalars.split_off(scalars.len() / 2);
        for (lower, upper) in scalars.iter_mut().zip(upper) {
            *lower = r.binary(op, *lower, upper);
        }
    }
    scalars[0]
}
