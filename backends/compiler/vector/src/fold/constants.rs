//! Operations on constants.
//!
//! Knows no algebra: all operands are constants, or nothing happens.

use crate::Builder;
use crate::ir::*;
use crate::semantics;

/// The bits of a constant in one lane.
fn lane(b: &Builder, value: Value, lane: usize) -> Option<u64> {
    match b.definition(value)? {
        Op::Const(bits) => Some(*bits),
        Op::Lanes(bits) => bits.get(lane).copied(),
        _ => None,
    }
}

/// The bits of a value that is the same constant in all its lanes.
#[inline]
pub(super) fn uniform(b: &Builder, value: Value) -> Option<u64> {
    match b.definition(value)? {
        Op::Const(bits) => Some(*bits),
        _ => None,
    }
}

/// What a mask is where all its lanes are known to agree.
pub(super) fn mask(b: &Builder, mask: Value) -> Option<bool> {
    uniform(b, mask).map(|bit| bit != 0)
}

/// The value of an operation on constants.
pub(super) fn fold(b: &mut Builder, ty: Type, op: &Op) -> Option<Value> {
    // Most operations are not; what follows need not be looked at for them.
    if let Op::Unary(_, x) | Op::Binary(_, _, x) | Op::Fma(_, x, _) | Op::Compare(_, _, x) | Op::Convert(_, x) =
        op
        && !super::is_constant(b, *x)
    {
        return None;
    }
    match op {
        Op::Lanes(bits) => {
            let first = *bits.first()?;
            bits.iter().all(|&bits| bits == first).then(|| b.constant(ty, first))
        }
        Op::Splat(x) => uniform(b, *x).map(|bits| b.constant(ty, bits)),
        Op::Extract(x, at) => lane(b, *x, usize::from(*at)).map(|bits| b.constant(ty, bits)),
        Op::Unary(Unary::InverseSqrtEstimate | Unary::InverseEstimate, _) => None,
        Op::Unary(op, x) => {
            let op = semantics::unary(*op, ty.kind)?;
            each(b, ty, [*x], |[x]| Some(op(x)))
        }
        Op::Binary(op, x, y) => {
            let run = semantics::binary(*op, ty.kind)?;
            each(b, ty, [*x, *y], |[x, y]| semantics::defined(*op, ty.kind, x, y).then(|| run(x, y)))
        }
        Op::Fma(x, y, z) => {
            let op = semantics::fma(ty.kind)?;
            each(b, ty, [*x, *y, *z], |[x, y, z]| Some(op(x, y, z)))
        }
        Op::Compare(op, x, y) => {
            let op = semantics::compare(*op, b.ty(*x).kind)?;
            each(b, ty, [*x, *y], |[x, y]| Some(op(x, y).into()))
        }
        Op::Select(c, x, y) => each(b, ty, [*c, *x, *y], |[c, x, y]| Some(if c != 0 { x } else { y })),
        Op::Convert(op, x) => {
            let op = semantics::convert(*op, b.ty(*x).kind, ty.kind)?;
            each(b, ty, [*x], |[x]| Some(op(x)))
        }
        Op::Any(x) => {
            let any = lanes(b, *x)?.iter().any(|&bit| bit != 0);
            Some(b.constant(ty, any.into()))
        }
        Op::All(x) => {
            let all = lanes(b, *x)?.iter().all(|&bit| bit != 0);
            Some(b.constant(ty, all.into()))
        }
        Op::Bits(x) => {
            let bits = lanes(b, *x)?.iter().rev().fold(0, |all, bit| all << 1 | bit);
            Some(b.constant(ty, bits))
        }
        Op::Mask(x) => {
            let bits = uniform(b, *x)?;
            Some(constant(b, ty, (0..ty.lanes).map(|lane| bits >> lane & 1).collect()))
        }
        Op::Permute(x, from) => {
            let (x, from) = (lanes(b, *x)?, lanes(b, *from)?);
            let taken: Option<Vec<u64>> =
                from.iter().map(|&lane| x.get(usize::try_from(lane).ok()?).copied()).collect();
            Some(constant(b, ty, taken?))
        }
        Op::Shuffle(x, y, from) => {
            let both = [lanes(b, *x)?, lanes(b, *y)?].concat();
            let taken: Option<Vec<u64>> =
                from.iter().map(|&lane| both.get(usize::from(lane)).copied()).collect();
            Some(constant(b, ty, taken?))
        }
        Op::Reduce(op, x) => {
            let join = semantics::binary(*op, ty.kind)?;
            let mut lanes = lanes(b, *x)?;
            while lanes.len() > 1 {
                let high = lanes.split_off(lanes.len() / 2);
                lanes.iter_mut().zip(high).for_each(|(low, high)| *low = join(*low, high));
            }
            Some(b.constant(ty, *lanes.first()?))
        }
        _ => None,
    }
}

/// The bits of a constant in all its lanes.
fn lanes(b: &Builder, value: Value) -> Option<Vec<u64>> {
    (0..usize::from(b.ty(value).lanes)).map(|at| lane(b, value, at)).collect()
}

fn constant(b: &mut Builder, ty: Type, bits: Vec<u64>) -> Value {
    match bits.as_slice() {
        [one] => b.constant(ty, *one),
        _ => b.define(ty, Op::Lanes(bits.into())),
    }
}

fn each<const N: usize>(
    b: &mut Builder,
    ty: Type,
    operands: [Value; N],
    op: impl Fn([u64; N]) -> Option<u64>,
) -> Option<Value> {
    let mut first = [0; N];
    let mut same = true;
    for (bits, value) in first.iter_mut().zip(operands) {
        match b.definition(value)? {
            Op::Const(constant) => *bits = *constant,
            Op::Lanes(_) => same = false,
            _ => return None,
        }
    }
    if same {
        let bits = op(first)?;
        return Some(b.constant(ty, bits));
    }
    let mut results = Vec::with_capacity(ty.lanes.into());
    for at in 0..usize::from(ty.lanes) {
        let mut bits = [0; N];
        for (bits, value) in bits.iter_mut().zip(operands) {
            *bits = lane(b, value, at)?;
        }
        results.push(op(bits)?);
    }
    Some(constant(b, ty, results))
}
