//! What memory holds where vectors were stored, lane by lane: for loads that lie otherwise than the stores.
//!
//! A processor hands on what was just stored only where a load lies within one store, and the store had no mask; else the
//! load waits until the store has reached the cache. So a load whose every lane comes from one or two vectors that were
//! stored takes the lanes from them. What was only loaded is no source: loading twice costs less than moving lanes.
//!
//! Places are compared where base and index are the same values; any other store to the space may have changed them.

use crate::Builder;
use crate::ir::*;

/// So many vectors of each space are remembered, the last ones.
const MOST: usize = 16;

/// So many entries are looked at, the last ones.
const REACH: usize = 2 * MOST;

/// The vectors that were stored and are visible.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Newer ones later. Those of one space and version do not overlap.
    entries: Vec<Content>,
}

/// A vector that lies in memory.
#[derive(Clone, Copy, Debug)]
struct Content {
    /// Its first lane.
    at: Access,
    value: Value,
    ty: Type,
    /// Of the space, as long as which it lies there.
    version: u32,
}

impl Content {
    fn bytes(&self) -> std::ops::Range<i64> {
        let start = i64::from(self.at.offset);
        start..start + i64::from(self.ty.lanes) * i64::from(self.ty.kind.size())
    }
}

impl Contents {
    /// Where to go [back](Self::back) to.
    pub(super) fn here(&self) -> usize {
        self.entries.len()
    }

    /// Forgets the values that a list defined.
    pub(super) fn back(&mut self, here: usize) {
        self.entries.truncate(here);
    }

    /// A value is stored, where the mask holds, if there is one; its space had the first version and gets the second.
    pub(super) fn store(
        &mut self,
        b: &mut Builder,
        (at, value, mask): (Access, Value, Option<Value>),
        [before, version]: [u32; 2],
    ) {
        let ty = b.ty(value);
        let new = Content { at, value, ty, version };
        let mut merged = mask.is_none().then_some(new);
        let from = self.entries.len().saturating_sub(REACH);
        let known = |old: &&Content| old.version == before && same_place(&old.at, &at);
        let mut kept: Vec<Content> = self.entries[from..].iter().filter(known).copied().collect();
        kept.retain_mut(|old| {
            old.version = version;
            let (old_bytes, bytes) = (old.bytes(), new.bytes());
            if old_bytes.end <= bytes.start || bytes.end <= old_bytes.start {
                return true;
            }
            if let Some(mask) = mask
                && old_bytes == bytes
                && old.ty == ty
            {
                merged = Some(Content { value: chosen(b, mask, value, old.value), ..new });
            }
            false
        });
        let first = kept.len().saturating_sub(MOST - 1);
        self.entries.extend(kept.drain(first..));
        if !ty.is_scalar() {
            self.entries.extend(merged);
        }
    }

    /// What a load gives of a space that has that version, if all of it was stored.
    pub(super) fn load(&self, b: &mut Builder, op: &Op, ty: Type, version: u32) -> Option<Value> {
        let (at, mask) = match *op {
            Op::Load(at) => (at, None),
            Op::LoadMasked(at, mask) => (at, Some(mask)),
            _ => return None,
        };
        let from = self.entries.len().saturating_sub(REACH);
        let known =
            |old: &&Content| old.version == version && old.ty.kind == ty.kind && same_place(&old.at, &at);
        if at.width != Width::Full || !self.entries[from..].iter().any(|old| known(&old)) {
            return None;
        }
        let asked = |lane: usize| match mask {
            None => Some(true),
            Some(mask) => match b.definition(mask)? {
                Op::Lanes(bits) => Some(bits[lane] != 0),
                _ => None,
            },
        };
        let size = i64::from(ty.kind.size());
        let mut sources: Vec<Value> = vec![];
        let mut lanes: Vec<Option<(usize, u8)>> = vec![];
        for lane in 0..usize::from(ty.lanes) {
            if !asked(lane)? {
                lanes.push(None);
                continue;
            }
            let byte = i64::from(at.offset) + lane as i64 * size;
            let old = self.entries[from..].iter().filter(known).find(|old| old.bytes().contains(&byte))?;
            let within = byte - old.bytes().start;
            if within % size != 0 {
                return None;
            }
            let source = sources.iter().position(|&source| source == old.value).unwrap_or_else(|| {
                sources.push(old.value);
                sources.len() - 1
            });
            lanes.push(Some((source, (within / size) as u8)));
        }
        if ty.is_scalar() {
            let (_, lane) = lanes[0]?;
            return Some(b.define(ty, Op::Extract(sources[0], lane.into())));
        }
        // Lanes that are not asked for are zero.
        let (first, second) = match (&sources[..], lanes.contains(&None)) {
            (&[first], false) => (first, first),
            (&[first], true) => (first, b.constant(ty, 0)),
            (&[first, second], false) => (first, second),
            _ => return None,
        };
        let width = ty.lanes as u8;
        let numbers = lanes.into_iter().zip(width..).map(|(lane, zero)| match lane {
            Some((source, lane)) => lane + source as u8 * width,
            None => zero,
        });
        Some(b.define(ty, Op::Shuffle(first, second, numbers.collect())))
    }
}

/// The one value where the mask holds, the other elsewhere.
fn chosen(b: &mut Builder, mask: Value, value: Value, other: Value) -> Value {
    let ty = b.ty(value);
    let Some(Op::Lanes(bits)) = b.definition(mask) else { return b.select(mask, value, other) };
    // Registers that are wholly the one or the other then need no instruction.
    let numbers =
        bits.iter().zip(0..).map(|(&bit, lane)| if bit != 0 { lane } else { lane + ty.lanes as u8 });
    let numbers = numbers.collect();
    b.define(ty, Op::Shuffle(value, other, numbers))
}

/// Whether two accesses are told apart by their offsets.
fn same_place(a: &Access, b: &Access) -> bool {
    (a.space, a.base, a.index, a.scale) == (b.space, b.base, b.index, b.scale)
}
