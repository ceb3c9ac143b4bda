//! Integer division of vectors.

use super::{Rewriting, to_integer};
use crate::ir::*;

/// `DivS`, `DivU`, `RemS` or `RemU`.
///
/// 32 bits through `F64`, which is exact: the quotient's distance to the next integer is 0 or at least `1/|b|`, and the
/// quotient is below `2³²/|b|`, where neighbouring numbers of `F64` lie `2⁻²⁰/|b|` apart; so rounding never reaches an
/// integer that the true quotient does not. 64 bits lane by lane: every lane has a divisor that it may be divided by.
pub(super) fn divide(r: &mut Rewriting<'_>, op: &Op, ty: Type) -> Value {
    let &Op::Binary(which, a, b) = op else { unreachable!("only called for divisions") };
    if ty.kind == Kind::I64 {
        return r.assemble(|r, lane| {
            let (a, b) = (r.extract(a, lane), r.extract(b, lane));
            r.binary(which, a, b)
        });
    }
    let from = match which {
        Binary::DivS | Binary::RemS => Convert::FromSigned,
        _ => Convert::FromUnsigned,
    };
    let (wide_a, wide_b) = (r.convert(from, a, Kind::F64), r.convert(from, b, Kind::F64));
    let quotient = r.div(wide_a, wide_b);
    let quotient = r.unary(Unary::Trunc, quotient);
    let quotient = to_integer::low_bits(r, quotient);
    if matches!(which, Binary::DivS | Binary::DivU) {
        return quotient;
    }
    let product = r.mul(quotient, b);
    r.sub(a, product)
}
