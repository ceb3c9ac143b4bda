//! Comparisons, selections, masks, and what moves between lanes.
//!
//! The operands have been put in order before: a constant is the second of a comparison.

use super::constants::{mask, uniform};
use crate::Builder;
use crate::ir::*;

pub(super) fn compare(b: &mut Builder, ty: Type, op: Compare, x: Value, y: Value) -> Option<Value> {
    use Compare::*;
    let kind = b.ty(x).kind;
    if kind.is_float() {
        return None;
    }
    if x == y {
        return Some(b.constant(ty, matches!(op, Eq | LeS | GeS | LeU | GeU).into()));
    }
    let most = if kind == Kind::I64 { u64::MAX } else { u32::MAX.into() };
    match (op, uniform(b, y)?) {
        (LtU, 0) => Some(b.constant(ty, 0)),
        (GeU, 0) => Some(b.constant(ty, 1)),
        (GtU, 0) => Some(b.ne(x, y)),
        (LeU, 0) => Some(b.eq(x, y)),
        (LtU, 1) => {
            let zero = b.bits_like(x, 0);
            Some(b.eq(x, zero))
        }
        (GeU, 1) => {
            let zero = b.bits_like(x, 0);
            Some(b.ne(x, zero))
        }
        (GtU, c) if c == most => Some(b.constant(ty, 0)),
        (LeU, c) if c == most => Some(b.constant(ty, 1)),
        _ => None,
    }
}

pub(super) fn select(b: &mut Builder, ty: Type, c: Value, x: Value, y: Value) -> Option<Value> {
    if x == y {
        return Some(x);
    }
    match mask(b, c) {
        Some(true) => return Some(x),
        Some(false) => return Some(y),
        None => {}
    }
    if let Some(&Op::Unary(Unary::Not, c)) = b.definition(c) {
        return Some(b.select(c, y, x));
    }
    if let Some(&Op::Select(d, inner, _)) = b.definition(x)
        && d == c
    {
        return Some(b.select(c, inner, y));
    }
    if let Some(&Op::Select(d, _, inner)) = b.definition(y)
        && d == c
    {
        return Some(b.select(c, x, inner));
    }
    if ty.kind != Kind::Bool {
        return None;
    }
    match (mask(b, x), mask(b, y)) {
        (Some(true), Some(false)) => Some(c),
        (Some(false), Some(true)) => Some(b.not(c)),
        (Some(true), _) => Some(b.or(c, y)),
        (_, Some(false)) => Some(b.and(c, x)),
        (Some(false), _) => {
            let not = b.not(c);
            Some(b.and(not, y))
        }
        (_, Some(true)) => {
            let not = b.not(c);
            Some(b.or(not, x))
        }
        _ if c == x => Some(b.or(c, y)),
        _ if c == y => Some(b.and(c, x)),
        _ => None,
    }
}

pub(super) fn lanes(b: &mut Builder, ty: Type, op: &Op) -> Option<Value> {
    match *op {
        Op::Extract(x, lane) => match *b.definition(x)? {
            Op::Splat(scalar) => Some(scalar),
            Op::Mask(bits) => {
                let bit = b.i64(1 << lane);
                let bit = b.and(bits, bit);
                let zero = b.i64(0);
                Some(b.ne(bit, zero))
            }
            _ => None,
        },
        Op::ExtractAt(x, at) => {
            if let Some(&Op::Splat(scalar)) = b.definition(x) {
                return Some(scalar);
            }
            let lane = uniform(b, at)?;
            let inside = lane < u64::from(b.ty(x).lanes);
            inside.then(|| b.define(ty, Op::Extract(x, lane as u16)))
        }
        Op::Any(x) | Op::All(x) => {
            if b.ty(x).is_scalar() {
                return Some(x);
            }
            match *b.definition(x)? {
                Op::Splat(scalar) => Some(scalar),
                Op::Unary(Unary::Not, mask) => {
                    let other = if matches!(op, Op::Any(_)) { Op::All(mask) } else { Op::Any(mask) };
                    let other = b.define(ty, other);
                    Some(b.not(other))
                }
                _ => None,
            }
        }
        Op::Permute(x, from) => {
            if let Some(Op::Splat(_)) = b.definition(x) {
                return Some(x);
            }
            match b.definition(from)? {
                Op::Lanes(lanes) => lanes.iter().zip(0..).all(|(&lane, at)| lane == at).then_some(x),
                &Op::Const(lane) if lane < ty.lanes.into() => {
                    let scalar = b.define(Type::scalar(ty.kind), Op::Extract(x, lane as u16));
                    Some(b.splat(scalar))
                }
                _ => None,
            }
        }
        Op::Reduce(op, x) => {
            use Binary::*;
            let &Op::Splat(scalar) = b.definition(x)? else { return None };
            matches!(op, And | Or | MinS | MaxS | MinU | MaxU | Min | Max).then_some(scalar)
        }
        _ => None,
    }
}

pub(super) fn shuffle(b: &mut Builder, ty: Type, x: Value, y: Value, from: &[u8]) -> Option<Value> {
    let lanes = ty.lanes as u8;
    let identity = |start: u8| from.iter().zip(start..).all(|(&lane, at)| lane == at);
    if identity(0) {
        return Some(x);
    }
    if identity(lanes) {
        return Some(y);
    }
    let (first, second) = (from.iter().any(|&lane| lane < lanes), from.iter().any(|&lane| lane >= lanes));
    // What is not taken from is not used.
    match (first, second) {
        _ if x == y && second => {
            let from = from.iter().map(|&lane| lane % lanes).collect();
            Some(b.define(ty, Op::Shuffle(x, x, from)))
        }
        (true, false) if x != y => Some(b.define(ty, Op::Shuffle(x, x, from.into()))),
        (false, true) => {
            let from = from.iter().map(|&lane| lane - lanes).collect();
            Some(b.define(ty, Op::Shuffle(y, y, from)))
        }
        _ => match b.definition(x) {
            Some(Op::Splat(_) | Op::Const(_)) if x == y => Some(x),
            _ => None,
        },
    }
}
