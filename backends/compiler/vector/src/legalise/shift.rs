//! Vector shifts by amounts that differ by lane.

use super::Rewriting;
use crate::ir::*;

/// One step for each bit of the amount. A signed shift whose unsigned sibling the machine has is that of the
/// complement where the number is negative.
pub(super) fn by_lane(r: &mut Rewriting<'_>, op: Binary, a: Value, amount: Value) -> Value {
    let ty = r.ty(a);
    if op == Binary::ShrS && r.has(&Op::Binary(Binary::ShrU, a, amount), ty, ty) {
        let sign = r.shifted(Binary::ShrS, a, 8 * ty.kind.size() - 1);
        let flipped = r.xor(a, sign);
        let shifted = r.binary(Binary::ShrU, flipped, amount);
        return r.xor(shifted, sign);
    }
    let steps = (8 * ty.kind.size()).ilog2();
    let zero = r.int(a, 0);
    let mut result = a;
    for step in 0..steps {
        let bit = r.int(a, 1 << step);
        let set = r.and(amount, bit);
        let set = r.ne(set, zero);
        let shifted = r.shifted(op, result, 1 << step);
        result = r.select(set, shifted, result);
    }
    result
}
