//! Integer comparisons, minima and maxima, magnitudes: from signed comparisons and `Select`.

use super::Rewriting;
use crate::ir::*;

/// The comparison that a minimum or maximum makes to take its left operand.
pub(super) fn of_extremum(op: Binary) -> Option<Compare> {
    Some(match op {
        Binary::MinS => Compare::LtS,
        Binary::MaxS => Compare::GtS,
        Binary::MinU => Compare::LtU,
        Binary::MaxU => Compare::GtU,
        Binary::Min => Compare::Lt,
        Binary::Max => Compare::Gt,
        _ => return None,
    })
}

/// The signed comparison like an unsigned one.
pub(super) fn signed(op: Compare) -> Option<Compare> {
    Some(match op {
        Compare::LtU => Compare::LtS,
        Compare::LeU => Compare::LeS,
        Compare::GtU => Compare::GtS,
        Compare::GeU => Compare::GeS,
        _ => return None,
    })
}

pub(super) fn extremum(r: &mut Rewriting<'_>, op: Binary, a: Value, b: Value) -> Value {
    let compare = of_extremum(op).unwrap_or(Compare::LtS);
    let takes = r.compare(compare, a, b);
    r.select(takes, a, b)
}

/// Flipping the sign bits keeps the order and makes it a signed one.
pub(super) fn unsigned(r: &mut Rewriting<'_>, op: Compare, a: Value, b: Value) -> Value {
    let sign = 1 << (8 * r.ty(a).kind.size() - 1);
    let flip = r.constant(r.ty(a), sign);
    let (a, b) = (r.xor(a, flip), r.xor(b, flip));
    r.compare(signed(op).unwrap_or(op), a, b)
}

pub(super) fn negate(r: &mut Rewriting<'_>, a: Value) -> Value {
    let zero = r.int(a, 0);
    r.sub(zero, a)
}

pub(super) fn absolute(r: &mut Rewriting<'_>, a: Value) -> Value {
    let negated = negate(r, a);
    let zero = r.int(a, 0);
    let negative = r.lt_s(a, zero);
    r.select(negative, negated, a)
}
