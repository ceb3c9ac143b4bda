//! Addresses, so that arithmetic on them becomes part of the access.
//!
//! `base + index * scale + offset` is computed in 64 bits and wraps, so all of this is exact; but for the sign extension
//! of a sum, which is taken for the sum of extensions, as accesses promise.

use super::constants::uniform;
use crate::Builder;
use crate::ir::*;

/// Constants beyond this, either way, stay in an index.
const FAR: i64 = 1 << 30;

/// `x` and `c` where a value is `x + c`.
fn sum(b: &Builder, value: Value) -> Option<(Value, i64)> {
    match b.definition(value) {
        Some(&Op::Binary(Binary::Add, x, y)) => Some((x, uniform(b, y)? as i64)),
        _ => None,
    }
}

fn moved(offset: i32, by: i64, scale: u8) -> Option<i32> {
    i32::try_from(by.checked_mul(scale.into())?.checked_add(offset.into())?).ok()
}

/// The sign extension of `x`, and `c`, where an index of elements of that size is the sign extension of `x + c`.
fn extended(b: &mut Builder, index: Value, scale: u8) -> Option<(Value, i64)> {
    let Some(&Op::Convert(Convert::SignExtend, narrow)) = b.definition(index) else { return None };
    let constant = |b: &Builder, value| {
        let c = i64::from(uniform(b, value)? as i32);
        (c >= if scale >= 4 { 1 - FAR } else { 0 } && c < FAR).then_some(c)
    };
    let &Op::Binary(Binary::Add, x, y) = b.definition(narrow)? else { return None };
    if let Some(c) = constant(b, y) {
        return Some((b.convert(Convert::SignExtend, x, Kind::I64), c));
    }
    // One of the two is such a sum itself.
    for (one, other) in [(x, y), (y, x)] {
        if let Some(&Op::Binary(Binary::Add, inner, y)) = b.definition(one)
            && let Some(c) = constant(b, y)
        {
            let sum = b.add(inner, other);
            return Some((b.convert(Convert::SignExtend, sum, Kind::I64), c));
        }
    }
    None
}

/// The same place, with as much of its arithmetic in the access as fits.
pub(super) fn access(b: &mut Builder, mut at: Access) -> Access {
    loop {
        if let Some((base, by)) = sum(b, at.base)
            && let Some(offset) = moved(at.offset, by, 1)
        {
            at = Access { base, offset, ..at };
            continue;
        }
        let Some(index) = at.index else {
            at.scale = 1;
            let Some(&Op::Binary(Binary::Add, base, index)) = b.definition(at.base) else { return at };
            // What is scaled is the index.
            let scaled = matches!(b.definition(base), Some(Op::Binary(Binary::Shl, ..)));
            let (base, index) = if scaled { (index, base) } else { (base, index) };
            at = Access { base, index: Some(index), ..at };
            continue;
        };
        if let Some(constant) = uniform(b, index)
            && let Some(offset) = moved(at.offset, constant as i64, at.scale)
        {
            at = Access { index: None, scale: 1, offset, ..at };
            continue;
        }
        if let Some((inner, by)) = sum(b, index)
            && let Some(offset) = moved(at.offset, by, at.scale)
        {
            at = Access { index: Some(inner), offset, ..at };
            continue;
        }
        if let Some((inner, by)) = extended(b, index, at.scale)
            && let Some(offset) = moved(at.offset, by, at.scale)
        {
            at = Access { index: Some(inner), offset, ..at };
            continue;
        }
        if let Some(&Op::Binary(Binary::Shl, inner, by)) = b.definition(index)
            && let Some(by @ 0..=3) = uniform(b, by)
            && let Some(scale @ 1..=8) = at.scale.checked_mul(1 << by)
        {
            at = Access { index: Some(inner), scale, ..at };
            continue;
        }
        return at;
    }
}

/// The same places, with constants of the base in the offset.
pub(super) fn scattered(b: &Builder, mut at: Scattered) -> Scattered {
    while let Some((base, by)) = sum(b, at.base)
        && let Some(offset) = moved(at.offset, by, 1)
    {
        at = Scattered { base, offset, ..at };
    }
    at
}
