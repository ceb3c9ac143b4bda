//! What crosses barriers, in memory: values of gangs in their contexts, and which of their lanes still run.
//!
//! Knows where slots are, not what is put there or why.

use super::Gang;
use super::state::Exec;
use super::workgroup::Workgroup;
use warpweft_ssa::ir as ssa;
use warpweft_vector::ir::{Access, Binary, Compare, Convert, Effect, Hint, Kind, Op, Type, Value, Width};

impl Gang<'_> {
    pub(super) fn living_slot(&self) -> Option<u32> {
        self.regions.as_ref().and_then(|regions| regions.living)
    }

    /// A place in the gang's context.
    pub(super) fn context(&self, slot: u32) -> Access {
        Access {
            base: self.frame,
            index: None,
            scale: 1,
            offset: slot as i32,
            space: self.memory.context_space,
            width: Width::Full,
            always: false,
        }
    }

    /// Every invocation that exists lives at first.
    pub(super) fn start_living(&mut self, scope: &mut Workgroup) {
        let Some(slot) = self.living_slot() else { return };
        let before = (self.ids.lanes, self.memory.private);
        let (start, end) = (self.b.i64(0), self.b.i64(scope.gangs.into()));
        self.up_to(start, end, 1, false, |gang, number| {
            gang.place_gang(scope, number);
            let exec = gang.existing(scope, number);
            let mask = gang.mask_of(exec);
            let bits = gang.b.define(Type::scalar(Kind::I64), Op::Bits(mask));
            let access = gang.context(slot);
            gang.b.act(Effect::Store(access, bits));
        });
        (self.ids.lanes, self.memory.private) = before;
    }

    /// Ends the workgroup where all of its invocations have returned: nobody is left to compute what the workgroup's own
    /// code decides by, and loops would never end.
    pub(super) fn end_where_nobody_lives(&mut self, scope: &Workgroup) {
        let Some(slot) = self.living_slot() else { return };
        let start = self.b.i64(0);
        let all = self.b.i64(scope.gangs.into());
        let found = self.b.i64(u64::from(scope.gangs) + 1);
        let frame = self.frame;
        let behind = self.repeated(start, |gang, number| {
            let size = gang.b.i64(scope.frame_bytes);
            let offset = gang.b.binary(Binary::Mul, number, size);
            gang.frame = gang.b.add(scope.frames, offset);
            let access = gang.context(slot);
            let lanes = gang.b.define(Type::scalar(Kind::I64), Op::Load(access));
            let (zero, one) = (gang.b.i64(0), gang.b.i64(1));
            let lives = gang.b.ne(lanes, zero);
            let next = gang.b.add(number, one);
            let next = gang.b.select(lives, found, next);
            (next, gang.b.lt_u(next, all))
        });
        self.frame = frame;
        let nobody = self.b.eq(behind, all);
        self.b.open();
        self.b.branch(scope.end, &[]);
        let then = self.b.close();
        self.b.open();
        self.b.yields(&[]);
        let otherwise = self.b.close();
        self.b.branch_on(nobody, then, otherwise, &[], Hint::Unlikely);
    }

    /// The lanes of a gang that still run.
    pub(super) fn living(&mut self, scope: &Workgroup, number: Value) -> Exec {
        let Some(slot) = self.living_slot() else {
            return self.existing(scope, number);
        };
        let access = self.context(slot);
        let bits = self.b.define(Type::scalar(Kind::I64), Op::Load(access));
        let ty = self.mask_type();
        let mask = self.b.define(ty, Op::Mask(bits));
        Exec::Some { mask, nonempty: false }
    }

    /// The lanes of a gang that the workgroup has, and that the grid's extents let take effect.
    pub(super) fn existing(&mut self, scope: &Workgroup, number: Value) -> Exec {
        let mut mask = None;
        if scope.rest != 0 {
            let lanes = u32::from(self.b.lanes());
            let invocations: u32 = self.ids.size.iter().product();
            let number = self.b.convert(Convert::Truncate, number, Kind::I32);
            let width = self.b.i32(lanes);
            let first = self.b.binary(Binary::Mul, number, width);
            let all = self.b.i32(invocations);
            let left = self.b.sub(all, first);
            let left = self.b.splat(left);
            let numbers = self.steps(Kind::I32, 1);
            mask = Some(self.b.lt_u(numbers, left));
        }
        if let Some(over) = scope.over {
            for axis in 0..3u8 {
                let id = self.builtin(ssa::Builtin::GlobalId(axis), false);
                let limit = self.b.splat(over[usize::from(axis)]);
                let inside = self.b.compare(Compare::LtU, id, limit);
                mask = Some(match mask {
                    Some(mask) => self.b.and(mask, inside),
                    None => inside,
                });
            }
        }
        match mask {
            Some(mask) => Exec::Some { mask, nonempty: false },
            None => Exec::All,
        }
    }

    /// A value of another region: computed again, or from its slot.
    pub(super) fn bring(&mut self, value: ssa::Value) {
        let slot = self.regions.as_ref().and_then(|regions| regions.slot(value));
        let Some(slot) = slot else {
            let exec = std::mem::replace(&mut self.state.exec, Exec::All);
            self.let_(value);
            self.state.exec = exec;
            return;
        };
        let form = self.form(value);
        let access = self.context(slot);
        let loaded = match (form.kind, form.is_scalar()) {
            (Kind::Bool, true) => {
                let number = self.b.define(Type::scalar(Kind::I32), Op::Load(access));
                let zero = self.b.i32(0);
                self.b.ne(number, zero)
            }
            (Kind::Bool, false) => {
                let bits = self.b.define(Type::scalar(Kind::I64), Op::Load(access));
                self.b.define(form, Op::Mask(bits))
            }
            _ => self.b.define(form, Op::Load(access)),
        };
        self.values[value.0 as usize] = Some(loaded);
    }

    /// Keeps a value for other regions.
    pub(super) fn save(&mut self, value: ssa::Value, form: Value) {
        if let Some(at) = self.regions.as_ref().and_then(|regions| regions.export(value)) {
            let access = Access { offset: at as i32, ..self.exports_place() };
            let stored = if self.b.ty(form).kind == Kind::Bool {
                let (one, zero) = (self.b.i32(1), self.b.i32(0));
                self.b.select(form, one, zero)
            } else {
                form
            };
            self.b.act(Effect::Store(access, stored));
        }
        let Some(slot) = self.regions.as_ref().and_then(|regions| regions.slot(value)) else { return };
        let access = self.context(slot);
        let ty = self.b.ty(form);
        let stored = match (ty.kind, ty.is_scalar()) {
            (Kind::Bool, true) => {
                let (one, zero) = (self.b.i32(1), self.b.i32(0));
                self.b.select(form, one, zero)
            }
            (Kind::Bool, false) => self.b.define(Type::scalar(Kind::I64), Op::Bits(form)),
            _ => form,
        };
        self.b.act(Effect::Store(access, stored));
    }
}
