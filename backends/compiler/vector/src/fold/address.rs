//! Addresses, so that arithmetic on them becomes part of the access.
//!
//! `base + index * scale + offset` is computed in 64 bits and wraps, so all of this is exact.

use super::constants::uniform;
use crate::Builder;
use crate::ir::*;

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

/// The same place, with as much of its arithmetic in the access as fits.
pub(super) fn access(b: &Builder, mut at: Access) -> Access {
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
