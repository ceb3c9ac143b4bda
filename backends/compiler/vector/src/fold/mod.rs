//! Simpler words for an operation, found while it is built: constants, algebraic identities, addresses.
//!
//! Everything here is exact to the bit (NaNs' payloads apart): `x + 0.0` stays, because of `-0.0`. An operation on
//! nothing but splats of scalars becomes a splat of the scalar operation. Operations that have no result for these
//! constants (a division by zero, a shift too far) stay as they are, and so do estimates, whose bits are the machine's.
//!
//! Looks at the definitions of the operands, one or two steps back, and at nothing that follows.

mod address;
mod arithmetic;
mod choice;
mod constants;
mod division;

use crate::Builder;
use crate::ir::*;

/// What an operation is, once simplified.
pub(crate) enum Folded {
    /// A value that is there already.
    Is(Value),
    /// An operation on its own.
    Op(Op),
}

/// Simplifies an operation whose result has type `ty`; may add instructions to the builder's innermost list.
pub(crate) fn fold(b: &mut Builder, ty: Type, op: Op) -> Folded {
    if let Some(value) = constants::fold(b, ty, &op) {
        return Folded::Is(value);
    }
    let op = match op {
        Op::Binary(op, x, y) if commutes(op) && before(b, y, x) => Op::Binary(op, y, x),
        Op::Compare(op, x, y) if is_constant(b, x) => Op::Compare(swapped(op), y, x),
        Op::Fma(x, y, z) if before(b, y, x) => Op::Fma(y, x, z),
        Op::Load(at) => return Folded::Op(Op::Load(address::access(b, at))),
        Op::LoadMasked(at, mask) => {
            let at = address::access(b, at);
            return match constants::mask(b, mask) {
                Some(true) => fold(b, ty, Op::Load(at)),
                Some(false) => Folded::Is(b.constant(ty, 0)),
                None => Folded::Op(Op::LoadMasked(at, mask)),
            };
        }
        Op::LoadStrided(at, stride) => {
            return Folded::Op(Op::LoadStrided(address::access(b, at), stride));
        }
        Op::Gather(at, mask) => {
            let at = address::scattered(b, at);
            return match constants::mask(b, mask) {
                Some(false) => Folded::Is(b.constant(ty, 0)),
                _ => Folded::Op(Op::Gather(at, mask)),
            };
        }
        Op::Atomic(op, at, x) => return Folded::Op(Op::Atomic(op, address::access(b, at), x)),
        Op::CompareExchange(at, x, y) => {
            return Folded::Op(Op::CompareExchange(address::access(b, at), x, y));
        }
        Op::AtomicLoad(at) => return Folded::Op(Op::AtomicLoad(address::access(b, at))),
        op => op,
    };
    let simpler = match &op {
        Op::Unary(op, x) => arithmetic::unary(b, ty, *op, *x),
        Op::Binary(op, x, y) => arithmetic::binary(b, ty, *op, *x, *y),
        Op::Fma(x, y, z) => arithmetic::fma(b, ty, *x, *y, *z),
        Op::Convert(op, x) => arithmetic::convert(b, ty, *op, *x),
        Op::Compare(op, x, y) => choice::compare(b, ty, *op, *x, *y),
        Op::Select(c, x, y) => choice::select(b, ty, *c, *x, *y),
        Op::Shuffle(x, y, from) => choice::shuffle(b, ty, *x, *y, from),
        _ => choice::lanes(b, ty, &op),
    };
    if let Some(value) = simpler {
        return Folded::Is(value);
    }
    match scalarised(b, ty, &op) {
        Some(value) => Folded::Is(value),
        None => Folded::Op(op),
    }
}

/// Simplifies an effect; `None` where nothing is left of it.
pub(crate) fn fold_effect(b: &mut Builder, effect: Effect) -> Option<Effect> {
    Some(match effect {
        Effect::Store(at, x) => Effect::Store(address::access(b, at), x),
        Effect::AtomicStore(at, x) => Effect::AtomicStore(address::access(b, at), x),
        Effect::StoreMasked(at, x, mask) => match constants::mask(b, mask) {
            Some(true) => Effect::Store(address::access(b, at), x),
            Some(false) => return None,
            None => Effect::StoreMasked(address::access(b, at), x, mask),
        },
        Effect::StoreStrided(at, stride, x) => Effect::StoreStrided(address::access(b, at), stride, x),
        Effect::Scatter(at, x, mask) => match constants::mask(b, mask) {
            Some(false) => return None,
            _ => Effect::Scatter(address::scattered(b, at), x, mask),
        },
    })
}

/// An operation on splats, as the splat of an operation on scalars.
fn scalarised(b: &mut Builder, ty: Type, op: &Op) -> Option<Value> {
    let lane_wise = matches!(
        op,
        Op::Unary(..) | Op::Binary(..) | Op::Fma(..) | Op::Compare(..) | Op::Select(..) | Op::Convert(..)
    );
    if ty.is_scalar() || !lane_wise {
        return None;
    }
    let mut all = true;
    op.operands(|x| all &= matches!(b.definition(x), Some(Op::Splat(_) | Op::Const(_))));
    if !all {
        return None;
    }
    let scalar = op.clone().map(|x| match b.definition(x) {
        Some(&Op::Splat(scalar)) => scalar,
        Some(&Op::Const(bits)) => b.constant(Type::scalar(b.ty(x).kind), bits),
        _ => x,
    });
    let scalar = b.define(Type::scalar(ty.kind), scalar);
    Some(b.splat(scalar))
}

/// The operands may be exchanged.
pub(crate) fn commutes(op: Binary) -> bool {
    use Binary::*;
    matches!(op, Add | Mul | MulHigh | And | Or | Xor | MinS | MaxS | MinU | MaxU)
}

/// The comparison with its operands exchanged.
fn swapped(op: Compare) -> Compare {
    use Compare::*;
    match op {
        Eq | Ne => op,
        Lt => Gt,
        Le => Ge,
        Gt => Lt,
        Ge => Le,
        LtS => GtS,
        LeS => GeS,
        GtS => LtS,
        GeS => LeS,
        LtU => GtU,
        LeU => GeU,
        GtU => LtU,
        GeU => LeU,
    }
}

fn is_constant(b: &Builder, x: Value) -> bool {
    matches!(b.definition(x), Some(Op::Const(_) | Op::Lanes(_)))
}

/// The order of operands that commute: what is not constant first, then what was defined first.
fn before(b: &Builder, x: Value, y: Value) -> bool {
    (is_constant(b, x), x) < (is_constant(b, y), y)
}
