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

/// Simplifies an operation whose result has type `ty`: to a value that is there already, or else in place. May add
/// instructions to the builder's innermost list.
pub(crate) fn fold(b: &mut Builder, ty: Type, op: &mut Op) -> Option<Value> {
    if let Some(value) = constants::fold(b, ty, op) {
        return Some(value);
    }
    let simpler = match op {
        Op::Unary(op, x) => arithmetic::unary(b, ty, *op, *x),
        Op::Binary(op, x, y) => {
            if commutes(*op) && before(b, *y, *x) {
                std::mem::swap(x, y);
            }
            arithmetic::binary(b, ty, *op, *x, *y)
        }
        Op::Fma(x, y, z) => {
            if before(b, *y, *x) {
                std::mem::swap(x, y);
            }
            arithmetic::fma(b, ty, *x, *y, *z)
        }
        Op::Convert(op, x) => arithmetic::convert(b, ty, *op, *x),
        Op::Compare(op, x, y) => {
            if is_constant(b, *x) {
                std::mem::swap(x, y);
                *op = swapped(*op);
            }
            choice::compare(b, ty, *op, *x, *y)
        }
        Op::Select(c, x, y) => choice::select(b, ty, *c, *x, *y),
        Op::Shuffle(x, y, from) => choice::shuffle(b, ty, *x, *y, from),
        Op::Load(at)
        | Op::LoadStrided(at, _)
        | Op::Atomic(_, at, _)
        | Op::CompareExchange(at, ..)
        | Op::AtomicLoad(at) => {
            *at = address::access(b, *at);
            return None;
        }
        Op::LoadMasked(at, mask) => {
            *at = address::access(b, *at);
            match constants::mask(b, *mask) {
                Some(true) => *op = Op::Load(*at),
                Some(false) => return Some(b.constant(ty, 0)),
                None => {}
            }
            return None;
        }
        Op::Gather(at, mask) => {
            *at = address::scattered(b, *at);
            return (constants::mask(b, *mask) == Some(false)).then(|| b.constant(ty, 0));
        }
        _ => choice::lanes(b, ty, op),
    };
    simpler.or_else(|| scalarised(b, ty, op))
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
        Effect::Call(..) => effect,
    })
}

/// An operation on splats, as the splat of an operation on scalars.
fn scalarised(b: &mut Builder, ty: Type, op: &Op) -> Option<Value> {
    if ty.is_scalar() {
        return None;
    }
    let even = |x: Value| matches!(b.definition(x), Some(Op::Splat(_) | Op::Const(_)));
    let all = match *op {
        Op::Unary(_, x) | Op::Convert(_, x) => even(x),
        Op::Binary(_, x, y) | Op::Compare(_, x, y) => even(x) && even(y),
        Op::Fma(x, y, z) | Op::Select(x, y, z) => even(x) && even(y) && even(z),
        _ => false,
    };
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

#[inline]
fn is_constant(b: &Builder, x: Value) -> bool {
    matches!(b.definition(x), Some(Op::Const(_) | Op::Lanes(_)))
}

/// The order of operands that commute: what is not constant first, then what was defined first.
fn before(b: &Builder, x: Value, y: Value) -> bool {
    match (is_constant(b, x), is_constant(b, y)) {
        (false, true) => true,
        (true, false) => false,
        _ => x < y,
    }
}
