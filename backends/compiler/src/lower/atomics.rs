//! Atomic steps: one lane at a time, unless lanes can be combined first.
//!
//! On bindings they are atomic towards every thread; workgroup memory has one thread only.

use super::Gang;
use super::place::{Location, stored};
use super::state::Exec;
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Atomic, Place, Root};
use warpweft_vector::ir::{
    Access, AtomicOp, Binary, Convert, Effect, Hint, Inst, Kind, Op, Scattered, Type, Unary, Value,
};

/// Lanes whose steps are written out.
const MOST_UNROLLED: u16 = 16;

/// What one lane does to its place.
type Step<'f> = &'f mut dyn FnMut(&mut Gang<'_>, Access, Value) -> Value;

impl Gang<'_> {
    pub(super) fn atomic(
        &mut self,
        result: ssa::Value,
        op: Atomic,
        place: &Place,
        operand: ssa::Value,
    ) -> Value {
        let ty = place.ty;
        let shared = matches!(place.root, Root::Binding(_));
        let used = self.used[result.0 as usize];
        if self.b.lanes() > 1
            && !used
            && let Some(combine) = combination(op, ty)
            && let (location, checks) = self.location(place)
            && let Location::Single(access) = location.for_stores()
        {
            let total = self.combined(operand, op, combine, ty);
            let mut condition = self.all_hold(&checks);
            if let Exec::Some { mask, nonempty: false } = self.state.exec {
                let some = self.any(mask);
                condition = Some(condition.map_or(some, |holds| self.b.and(holds, some)));
            }
            self.when(condition, |gang| {
                gang.atomic_step(op, ty, shared, access, total);
            });
            let form = self.form(result);
            return self.zero(form);
        }
        let operands = [operand];
        self.lane_by_lane(result, place, &operands, &mut |gang, access, lane| {
            let operand = gang.of_lane(operand, lane);
            gang.atomic_step(op, ty, shared, access, operand)
        })
    }

    pub(super) fn compare_exchange(
        &mut self,
        result: ssa::Value,
        place: &Place,
        comparand: ssa::Value,
        value: ssa::Value,
    ) -> Value {
        let shared = matches!(place.root, Root::Binding(_));
        let ty = Type::scalar(stored(place.ty).0);
        self.lane_by_lane(result, place, &[comparand, value], &mut |gang, access, lane| {
            let comparand = gang.of_lane(comparand, lane);
            let value = gang.of_lane(value, lane);
            if shared {
                return gang.b.define(ty, Op::CompareExchange(access, comparand, value));
            }
            let old = gang.b.define(ty, Op::Load(access));
            let same = gang.b.eq(old, comparand);
            let new = gang.b.select(same, value, old);
            gang.b.act(Effect::Store(access, new));
            old
        })
    }

    /// One step on one place, by one lane.
    fn atomic_step(&mut self, op: Atomic, ty: Scalar, shared: bool, access: Access, operand: Value) -> Value {
        let kind = Type::scalar(stored(ty).0);
        if shared {
            return self.b.define(kind, Op::Atomic(atomic_op(op, ty), access, operand));
        }
        let old = self.b.define(kind, Op::Load(access));
        let new = match plain(op, ty) {
            Some(binary) => self.b.binary(binary, old, operand),
            None => operand,
        };
        self.b.act(Effect::Store(access, new));
        old
    }

    /// The active lanes' operands as one.
    fn combined(&mut self, operand: ssa::Value, op: Atomic, combine: Binary, ty: Scalar) -> Value {
        let vector = self.vector(operand);
        let vector = match self.state.exec {
            Exec::Some { mask, .. } => {
                let identity = self.b.bits_like(vector, identity(op, ty));
                self.b.select(mask, vector, identity)
            }
            _ => vector,
        };
        let scalar = Type::scalar(self.b.ty(vector).kind);
        self.b.define(scalar, Op::Reduce(combine, vector))
    }

    /// A value in one lane.
    fn of_lane(&mut self, value: ssa::Value, lane: Value) -> Value {
        if self.is_uniform(value) {
            return self.scalar(value);
        }
        let vector = self.vector(value);
        self.extract_at(vector, lane)
    }

    /// Runs a step for every active lane that is in bounds, in ascending order; gives what each found.
    fn lane_by_lane(
        &mut self,
        result: ssa::Value,
        place: &Place,
        operands: &[ssa::Value],
        step: Step<'_>,
    ) -> Value {
        let form = self.form(result);
        if self.b.lanes() == 1 {
            return self.one_lane(place, form, step);
        }
        // Outside of the loop: vectors that lanes are taken from.
        for &operand in operands {
            self.vector(operand);
        }
        let (scattered, checks) = self.spread(place);
        let keep = self.used[result.0 as usize];
        if self.state.exec == Exec::All && checks.is_empty() && !keep && self.b.lanes() <= MOST_UNROLLED {
            return self.lanes_in_turn(form, scattered, step);
        }
        let mask = self.lanes_in_bounds(&checks);
        let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(mask));
        let raw = self.b.vector(form.kind);
        let nothing = self.zero(raw);
        let (done, next_lane) = (self.b.label(), self.b.label());
        let rest = self.b.value(Type::scalar(Kind::I64));
        let mut params = vec![(rest, bits)];
        let found = keep.then(|| self.b.value(raw));
        params.extend(found.map(|found| (found, nothing)));
        self.b.open();
        self.b.open();
        // No lane is left.
        let zero = self.b.i64(0);
        let empty = self.b.eq(rest, zero);
        self.b.open();
        self.b.branch(done, &found.into_iter().collect::<Vec<_>>());
        let then = self.b.close();
        self.b.open();
        self.b.yields(&[]);
        let otherwise = self.b.close();
        self.b.branch_on(empty, then, otherwise, &[], Hint::None);
        // The lowest lane.
        let lane = self.b.unary(Unary::TrailingZeros, rest);
        let lane = self.b.convert(Convert::Truncate, lane, Kind::I32);
        let access = self.lane_access(scattered, lane);
        let old = step(self, access, lane);
        let mut next = vec![];
        if let Some(found) = found {
            let lanes = self.steps(Kind::I32, 1);
            let this = self.b.splat(lane);
            let is_this = self.b.eq(lanes, this);
            let old = self.b.splat(old);
            next.push(self.b.select(is_this, old, found));
        }
        let one = self.b.i64(1);
        let less = self.b.sub(rest, one);
        next.insert(0, self.b.and(rest, less));
        self.b.branch(next_lane, &next);
        let body = self.b.close();
        self.b.push(Inst::Loop { label: next_lane, params, body });
        let list = self.b.close();
        let results: Vec<Value> = found.iter().map(|_| self.b.value(raw)).collect();
        self.b.push(Inst::Block { label: done, body: list, results: results.clone() });
        match results.first() {
            Some(&found) => self.loaded(place.ty, found),
            None => nothing,
        }
    }

    /// The same without a loop, where all lanes take part and nobody wants what they found: places go through memory,
    /// from where each lane's is one load.
    fn lanes_in_turn(&mut self, form: Type, scattered: Scattered, step: Step<'_>) -> Value {
        let places = self.memory.lane_places(&mut self.b);
        self.b.act(Effect::Store(places, scattered.index));
        for lane in 0..self.b.lanes() {
            let access = Access { offset: places.offset + 4 * i32::from(lane), ..places };
            let index = self.b.define(Type::scalar(Kind::I32), Op::Load(access));
            let access = self.access_at(scattered, index);
            let lane = self.b.i32(lane.into());
            step(self, access, lane);
        }
        self.zero(form)
    }

    /// The step of a gang of one.
    fn one_lane(&mut self, place: &Place, form: Type, step: Step<'_>) -> Value {
        let (location, checks) = self.location(place);
        let Location::Single(access) = location.for_stores() else {
            return self.zero(form);
        };
        let lane = self.b.i32(0);
        match self.all_hold(&checks) {
            None => step(self, access, lane),
            Some(holds) => {
                self.b.open();
                let old = step(self, access, lane);
                self.b.yields(&[old]);
                let then = self.b.close();
                self.b.open();
                let none = self.zero(form);
                self.b.yields(&[none]);
                let otherwise = self.b.close();
                self.b.branch_on(holds, then, otherwise, &[form], Hint::Likely)[0]
            }
        }
    }

    /// One lane of scattered places.
    fn lane_access(&mut self, scattered: Scattered, lane: Value) -> Access {
        let index = self.extract_at(scattered.index, lane);
        self.access_at(scattered, index)
    }

    fn access_at(&mut self, scattered: Scattered, index: Value) -> Access {
        let index = self.b.convert(Convert::SignExtend, index, Kind::I64);
        Access {
            base: scattered.base,
            index: Some(index),
            scale: scattered.scale,
            offset: scattered.offset,
            space: scattered.space,
            width: scattered.width,
            always: false,
        }
    }
}

/// What combines operands before they reach memory; only where the order of rounding cannot matter.
fn combination(op: Atomic, ty: Scalar) -> Option<Binary> {
    if stored(ty).0.is_float() {
        return None;
    }
    match op {
        // a - x - y is a - (x + y).
        Atomic::Add | Atomic::Subtract => Some(Binary::Add),
        Atomic::Exchange => None,
        _ => plain(op, ty),
    }
}

/// The operand that changes nothing.
fn identity(op: Atomic, ty: Scalar) -> u64 {
    let signed = matches!(ty, Scalar::I32 | Scalar::I64);
    let wide = ty.size() == 8;
    let ones = if wide { u64::MAX } else { u64::from(u32::MAX) };
    match op {
        Atomic::And => ones,
        Atomic::Min if signed => ones >> 1,
        Atomic::Min => ones,
        Atomic::Max if signed => (ones >> 1) + 1,
        _ => 0,
    }
}

/// The step without its atomicity; `None` is an exchange.
fn plain(op: Atomic, ty: Scalar) -> Option<Binary> {
    let signed = matches!(ty, Scalar::I32 | Scalar::I64);
    let float = stored(ty).0.is_float();
    Some(match op {
        Atomic::Add => Binary::Add,
        Atomic::Subtract => Binary::Sub,
        Atomic::And => Binary::And,
        Atomic::Or => Binary::Or,
        Atomic::Xor => Binary::Xor,
        Atomic::Min if float => Binary::Min,
        Atomic::Min if signed => Binary::MinS,
        Atomic::Min => Binary::MinU,
        Atomic::Max if float => Binary::Max,
        Atomic::Max if signed => Binary::MaxS,
        Atomic::Max => Binary::MaxU,
        Atomic::Exchange => return None,
    })
}

fn atomic_op(op: Atomic, ty: Scalar) -> AtomicOp {
    let signed = matches!(ty, Scalar::I32 | Scalar::I64);
    match op {
        Atomic::Add => AtomicOp::Add,
        Atomic::Subtract => AtomicOp::Sub,
        Atomic::And => AtomicOp::And,
        Atomic::Or => AtomicOp::Or,
        Atomic::Xor => AtomicOp::Xor,
        Atomic::Min if signed => AtomicOp::MinS,
        Atomic::Min => AtomicOp::MinU,
        Atomic::Max if signed => AtomicOp::MaxS,
        Atomic::Max => AtomicOp::MaxU,
        Atomic::Exchange => AtomicOp::Exchange,
    }
}
