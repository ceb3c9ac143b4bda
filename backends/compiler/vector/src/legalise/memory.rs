//! Masked and scattered accesses: one scalar access per lane whose mask holds.

use super::Rewriting;
use crate::ir::*;

/// Consecutive elements where the mask holds: a plain load where that is everywhere.
pub(super) fn load_masked(r: &mut Rewriting<'_>, access: Access, mask: Value, ty: Type) -> Value {
    let zero = r.constant(ty, 0);
    let plain = Op::Load(Access { always: false, ..access });
    if ty.is_scalar() {
        let then = r.arm(|r| vec![r.op(ty, plain)]);
        let otherwise = r.arm(|_| vec![zero]);
        return r.branch(mask, then, otherwise, Some(ty), Hint::None).unwrap_or(zero);
    }
    let all = r.op(Type::scalar(Kind::Bool), Op::All(mask));
    let then = r.arm(|r| vec![r.op(ty, plain)]);
    let otherwise = r.arm(|r| {
        let mut result = zero;
        for lane in 0..ty.lanes {
            result = load_lane(r, mask, lane, result, |r| consecutive(r, access, lane, ty.kind));
        }
        vec![result]
    });
    r.branch(all, then, otherwise, Some(ty), Hint::Likely).unwrap_or(zero)
}

pub(super) fn gather(r: &mut Rewriting<'_>, scattered: Scattered, mask: Value, ty: Type) -> Value {
    let mut result = r.constant(ty, 0);
    for lane in 0..ty.lanes {
        result = load_lane(r, mask, lane, result, |r| place(r, scattered, lane));
    }
    result
}

/// Elements that lie apart: a gather.
pub(super) fn load_strided(r: &mut Rewriting<'_>, access: Access, stride: u8, ty: Type) -> Value {
    let (scattered, mask) = apart(r, access, stride, ty);
    r.op(ty, Op::Gather(scattered, mask))
}

/// Every lane's place, and the mask of all lanes.
fn apart(r: &mut Rewriting<'_>, access: Access, stride: u8, ty: Type) -> (Scattered, Value) {
    let mut base = access.base;
    if let Some(index) = access.index {
        let index = match access.scale {
            1 => index,
            scale => r.shifted(Binary::Shl, index, scale.trailing_zeros()),
        };
        base = r.add(base, index);
    }
    let places = (0..ty.lanes).map(|lane| u64::from(lane) * u64::from(stride));
    let index = r.lane_constants(Kind::I32, places);
    let scale = ty.kind.size() as u8;
    let Access { offset, space, width, .. } = access;
    let mask = r.constant(ty.with(Kind::Bool), 1);
    (Scattered { base, index, scale, offset, space, width }, mask)
}

/// An effect that the machine lacks; one that has no other words stays.
pub(super) fn effect(r: &mut Rewriting<'_>, effect: Effect) {
    match effect {
        Effect::StoreMasked(access, value, mask) if r.ty(value).is_scalar() => {
            let then = r.arm(|r| {
                r.act(Effect::Store(access, value));
                vec![]
            });
            let otherwise = r.arm(|_| vec![]);
            r.branch(mask, then, otherwise, None, Hint::None);
        }
        Effect::StoreMasked(access, value, mask) => {
            let all = r.op(Type::scalar(Kind::Bool), Op::All(mask));
            let then = r.arm(|r| {
                r.act(Effect::Store(access, value));
                vec![]
            });
            let kind = r.ty(value).kind;
            let otherwise = r.arm(|r| {
                for lane in 0..r.ty(value).lanes {
                    store_lane(r, mask, lane, value, |r| consecutive(r, access, lane, kind));
                }
                vec![]
            });
            r.branch(all, then, otherwise, None, Hint::Likely);
        }
        Effect::StoreStrided(access, stride, value) => {
            let ty = r.ty(value);
            // Quicker than a scatter, even where there is one.
            for lane in 0..ty.lanes {
                let scalar = r.extract(value, lane);
                let access = consecutive(r, access, lane * u16::from(stride), ty.kind);
                r.act(Effect::Store(access, scalar));
            }
        }
        Effect::Scatter(scattered, value, mask) => {
            for lane in 0..r.ty(value).lanes {
                store_lane(r, mask, lane, value, |r| place(r, scattered, lane));
            }
        }
        Effect::Store(..) | Effect::AtomicStore(..) | Effect::Call(..) => r.act(effect),
    }
}

/// `vector` with what lies at the place in one lane, where the mask holds there.
fn load_lane(
    r: &mut Rewriting<'_>,
    mask: Value,
    lane: u16,
    vector: Value,
    place: impl FnOnce(&mut Rewriting<'_>) -> Access,
) -> Value {
    let ty = r.ty(vector);
    let active = r.extract(mask, lane);
    let then = r.arm(|r| {
        let access = place(r);
        let loaded = r.op(Type::scalar(ty.kind), Op::Load(access));
        vec![r.insert(vector, lane, loaded)]
    });
    let otherwise = r.arm(|_| vec![vector]);
    r.branch(active, then, otherwise, Some(ty), Hint::None).unwrap_or(vector)
}

fn store_lane(
    r: &mut Rewriting<'_>,
    mask: Value,
    lane: u16,
    vector: Value,
    place: impl FnOnce(&mut Rewriting<'_>) -> Access,
) {
    let active = r.extract(mask, lane);
    let then = r.arm(|r| {
        let access = place(r);
        let scalar = r.extract(vector, lane);
        r.act(Effect::Store(access, scalar));
        vec![]
    });
    let otherwise = r.arm(|_| vec![]);
    r.branch(active, then, otherwise, None, Hint::None);
}

/// The place of one lane's element among consecutive ones of that kind.
fn consecutive(r: &mut Rewriting<'_>, access: Access, lane: u16, kind: Kind) -> Access {
    let size = match access.width {
        Width::Full => kind.size(),
        Width::Half => 2,
    };
    let further = i32::from(lane) * size as i32;
    match access.offset.checked_add(further) {
        Some(offset) => Access { offset, always: false, ..access },
        None => {
            let further = r.int(access.base, further.into());
            let base = r.add(access.base, further);
            Access { base, always: false, ..access }
        }
    }
}

fn place(r: &mut Rewriting<'_>, scattered: Scattered, lane: u16) -> Access {
    let Scattered { base, index, scale, offset, space, width } = scattered;
    let index = r.extract(index, lane);
    let index = r.convert(Convert::SignExtend, index, Kind::I64);
    Access { base, index: Some(index), scale, offset, space, width, always: false }
}
