//! Kernels whose invocations meet: one workgroup at a time, each region for all of its gangs.
//!
//! Also for kernels with workgroup memory or subgroup operations and no barrier: these are one region.

use std::mem::offset_of;

use super::Gang;
use super::ids::Position;
use super::inside::Inside;
use super::region::{Region, Step};
use super::rows::{Known, MOST_DOUBLED};
use super::state::{End, Exec};
use crate::arguments::Arguments;
use warpweft_ssa::ir as ssa;
use warpweft_vector::ir::{
    Access, Binary, Compare, Convert, Effect, Hint, Inst, Kind, Label, Op, Type, Value, Width,
};

/// What the emission of one workgroup knows.
pub(super) struct Workgroup {
    /// Blocks and loops of the workgroup's own code, and their counterparts.
    labels: Vec<(ssa::Label, Label)>,
    /// Behind the workgroup's last step.
    end: Label,
    gangs: u32,
    /// The private memory of the first gang, and how much each has.
    frames: Value,
    frame_bytes: u64,
    /// Invocations beyond the last whole gang.
    rest: u32,
    /// The grid's extents, where invocations beyond them take no effect.
    over: Option<[Value; 3]>,
    workgroup: [Value; 3],
}

impl Gang<'_> {
    /// The whole kernel: every workgroup from `begin` to `end`.
    pub(super) fn workgroups(&mut self, begin: Value, end: Value, steps: &[Step<'_>], barriers: bool) -> u64 {
        let grid = self.ids.workgroups.map(|n| self.b.convert(Convert::ZeroExtend, n, Kind::I64));
        let over = (!barriers).then(|| {
            [0, 1, 2]
                .map(|axis| self.memory.argument(&mut self.b, offset_of!(Arguments<'_>, over) + 4 * axis))
        });
        let [sx, sy, sz] = self.ids.size;
        let invocations = sx * sy * sz;
        let lanes = u32::from(self.b.lanes());
        let gangs = invocations.div_ceil(lanes);
        let context = self.regions.as_ref().map_or(0, |regions| u64::from(regions.context));
        let frame_bytes = (context + self.memory.layout.private).next_multiple_of(64);
        let frames = self.memory.private;
        let all_frames = frame_bytes * u64::from(gangs);
        let far = self.b.i64(all_frames);
        self.exports = self.b.add(frames, far);
        self.while_below(begin, end, |gang, current| {
            gang.poll();
            let wx = gang.b.binary(Binary::RemU, current, grid[0]);
            let rest = gang.b.binary(Binary::DivU, current, grid[0]);
            let wy = gang.b.binary(Binary::RemU, rest, grid[1]);
            let wz = gang.b.binary(Binary::DivU, rest, grid[1]);
            let workgroup = [wx, wy, wz].map(|w| gang.b.convert(Convert::Truncate, w, Kind::I32));
            gang.ids.workgroup = Some(workgroup);
            gang.clear_workgroup_memory();
            let end = gang.b.label();
            let mut scope = Workgroup {
                labels: vec![],
                end,
                gangs,
                frames,
                frame_bytes,
                rest: invocations % lanes,
                over,
                workgroup,
            };
            gang.b.open();
            gang.first_gang(&scope);
            gang.start_living(&mut scope);
            if gang.steps_of(steps, &mut scope) == Ending::Open {
                gang.b.yields(&[]);
            }
            let list = gang.b.close();
            gang.b.push(Inst::Block { label: end, body: list, results: vec![] });
            let one = gang.b.i64(1);
            gang.b.add(current, one)
        });
        all_frames + self.regions.as_ref().map_or(0, |regions| regions.export_bytes())
    }

    /// WGSL's workgroup memory starts as zeros.
    fn clear_workgroup_memory(&mut self) {
        let bytes = self.memory.layout.workgroup;
        for at in 0..self.ssa.variables.len() as u32 {
            let variable = self.memory.variable(at);
            let size = u64::from(self.ssa.variables[at as usize].size);
            if variable.holder != super::memory::Holder::Workgroup || bytes == 0 {
                continue;
            }
            let start = self.b.i64(variable.offset);
            let base = self.b.add(self.memory.workgroup, start);
            let lanes = u64::from(self.b.lanes());
            let access = |offset: u64, index: Option<Value>| Access {
                base,
                index,
                scale: 1,
                offset: offset as i32,
                space: variable.space,
                width: Width::Full,
                always: false,
            };
            let whole = size / (4 * lanes) * (4 * lanes);
            if whole > 0 {
                let (zero, end) = (self.b.i64(0), self.b.i64(whole));
                self.up_to(zero, end, 4 * lanes, false, |gang, index| {
                    let ty = gang.b.vector(Kind::I32);
                    let zeros = gang.b.constant(ty, 0);
                    gang.b.act(Effect::Store(access(0, Some(index)), zeros));
                });
            }
            for offset in (whole..size).step_by(4) {
                let zero = self.b.i32(0);
                self.b.act(Effect::Store(access(offset, None), zero));
            }
        }
    }

    /// Ids for the workgroup's own code, which asks for nothing that a gang has.
    fn first_gang(&mut self, scope: &Workgroup) {
        let zero = self.b.i64(0);
        self.place_gang(scope, zero);
    }

    /// The ids and the memory of a gang.
    fn place_gang(&mut self, scope: &Workgroup, gang: Value) {
        let lanes = u32::from(self.b.lanes());
        let [sx, sy, sz] = self.ids.size;
        let number = self.b.convert(Convert::Truncate, gang, Kind::I32);
        let width = self.b.i32(lanes);
        let first = self.b.binary(Binary::Mul, number, width);
        let line = sy == 1 && sz == 1;
        self.ids.lanes = if line || sx % lanes == 0 {
            let zero = self.b.i32(0);
            let local = if line {
                [first, zero, zero]
            } else {
                let x = self.remaining(first, sx);
                let row = self.divided(first, sx);
                let y = self.remaining(row, sy);
                let z = self.divided(row, sy);
                [x, y, z]
            };
            let mut global = local;
            for axis in 0..3 {
                let size = self.b.i32(self.ids.size[axis]);
                let start = self.b.binary(Binary::Mul, scope.workgroup[axis], size);
                global[axis] = self.b.add(start, local[axis]);
            }
            Position::Row { global, local: Some(local) }
        } else {
            Position::Index { first }
        };
        let context = self.regions.as_ref().map_or(0, |regions| u64::from(regions.context));
        let size = self.b.i64(scope.frame_bytes);
        let offset = self.b.binary(Binary::Mul, gang, size);
        let frame = self.b.add(scope.frames, offset);
        let context = self.b.i64(context);
        self.memory.private = self.b.add(frame, context);
        self.frame = frame;
    }

    // --- steps -----------------------------------------------------------------------------------------------------

    /// Emits steps; whether their list still wants an end.
    fn steps_of(&mut self, steps: &[Step<'_>], scope: &mut Workgroup) -> Ending {
        for step in steps {
            self.state.exec = Exec::All;
            match step {
                Step::Shared(value) => {
                    self.known.shared = self.flow.returns;
                    self.let_(*value);
                    self.known.shared = false;
                }
                Step::Region(region) => {
                    self.region(region, scope);
                    if contains_return(region.list) {
                        self.end_where_nobody_lives(scope);
                    }
                }
                Step::If { condition, then, otherwise, results } => {
                    let condition = self.common_value(*condition);
                    let shared = self.common(results);
                    let mut lists = [then, otherwise].map(|steps| {
                        self.b.open();
                        let ending = self.steps_of(steps, scope);
                        if ending == Ending::Open {
                            self.b.yields(&[]);
                        }
                        (self.b.close(), ending)
                    });
                    let arrives = lists.iter().any(|(_, ending)| *ending != Ending::Gone);
                    let [then, otherwise] = lists.each_mut().map(|(list, _)| std::mem::take(list));
                    let types: Vec<Type> =
                        if arrives { shared.iter().map(|&r| self.form(r)).collect() } else { vec![] };
                    let values = self.b.branch_on(condition, then, otherwise, &types, Hint::None);
                    shared.iter().zip(values).for_each(|(&result, value)| self.set(result, value));
                    if !arrives {
                        return Ending::Gone;
                    }
                }
                Step::Block { label, body, results } => {
                    let vector = self.b.label();
                    let shared = self.common(results);
                    scope.labels.push((*label, vector));
                    self.b.open();
                    if self.steps_of(body, scope) == Ending::Open {
                        self.b.yields(&[]);
                    }
                    let list = self.b.close();
                    scope.labels.pop();
                    let values: Vec<Value> = shared.iter().map(|&r| self.b.value(self.form(r))).collect();
                    self.b.push(Inst::Block { label: vector, body: list, results: values.clone() });
                    shared.iter().zip(values).for_each(|(&result, value)| self.set(result, value));
                }
                Step::Loop { label, params, body } => {
                    let vector = self.b.label();
                    let mut starts = vec![];
                    for &(param, init) in params.iter() {
                        if self.home(param) == 0 {
                            starts.push((param, self.common_value(init)));
                        }
                    }
                    let params: Vec<(Value, Value)> =
                        starts.iter().map(|&(_, init)| (self.b.value(self.b.ty(init)), init)).collect();
                    starts.iter().zip(&params).for_each(|(&(name, _), &(param, _))| self.set(name, param));
                    scope.labels.push((*label, vector));
                    self.b.open();
                    self.poll();
                    if self.steps_of(body, scope) != Ending::Gone {
                        self.fail("internal: a loop's body that ends", ssa::Mark::default());
                    }
                    let list = self.b.close();
                    scope.labels.pop();
                    self.b.push(Inst::Loop { label: vector, params, body: list });
                    return Ending::Gone;
                }
                Step::Branch { label, arguments } => {
                    let values: Vec<Value> =
                        arguments.iter().map(|&value| self.common_value(value)).collect();
                    match scope.labels.iter().rev().find(|(name, _)| name == label) {
                        Some(&(_, vector)) => self.b.branch(vector, &values),
                        None => self.fail("internal: a branch to a label outside", ssa::Mark::default()),
                    }
                    return Ending::Gone;
                }
                Step::Yield(arguments) => {
                    let values: Vec<Value> =
                        arguments.iter().map(|&value| self.common_value(value)).collect();
                    self.b.yields(&values);
                    return Ending::Yielded;
                }
                Step::Return => {
                    self.b.branch(scope.end, &[]);
                    return Ending::Gone;
                }
            }
        }
        Ending::Open
    }

    /// Those values that the whole workgroup shares.
    fn common(&self, values: &[ssa::Value]) -> Vec<ssa::Value> {
        values.iter().copied().filter(|&value| self.home(value) == 0).collect()
    }

    /// A value as the workgroup's own code has it.
    fn common_value(&mut self, value: ssa::Value) -> Value {
        let Some(at) = self.regions.as_ref().and_then(|regions| regions.export(value)) else {
            return self.scalar(value);
        };
        let form = self.form(value);
        let access = Access { offset: at as i32, ..self.exports_place() };
        if form.kind != Kind::Bool {
            return self.b.define(form, Op::Load(access));
        }
        let number = self.b.define(Type::scalar(Kind::I32), Op::Load(access));
        let zero = self.b.i32(0);
        self.b.ne(number, zero)
    }

    /// Where regions leave values for the workgroup's own code.
    fn exports_place(&self) -> Access {
        Access { base: self.exports, ..self.context(0) }
    }

    pub(super) fn home(&self, value: ssa::Value) -> u32 {
        self.regions.as_ref().map_or(0, |regions| regions.home(value))
    }

    // --- regions ---------------------------------------------------------------------------------------------------

    /// Runs a region for every gang.
    fn region(&mut self, region: &Region<'_>, scope: &mut Workgroup) {
        let (start, end) = (self.b.i64(0), self.b.i64(scope.gangs.into()));
        let end = match self.reach(region) {
            Some(reach) => self.b.min_u(reach, end),
            None => end,
        };
        let before = (self.ids.lanes, self.memory.private);
        if scope.gangs == 1 {
            self.gang_region(region, scope, start);
        } else {
            match self.inside_region(region, scope, start, end) {
                None => {
                    self.up_to(start, end, 1, false, |gang, number| gang.gang_region(region, scope, number))
                }
                Some(inside) => self.stretches_of_gangs(region, scope, [start, end], inside),
            }
        }
        (self.ids.lanes, self.memory.private) = before;
    }

    /// The gangs whose lanes all exist and go the same way through a region; `None` where that saves nothing.
    fn inside_region(
        &mut self,
        region: &Region<'_>,
        scope: &Workgroup,
        start: Value,
        end: Value,
    ) -> Option<Inside> {
        if self.b.lanes() == 1
            || self.living_slot().is_some()
            || scope.over.is_some()
            || self.ssa.values.len() > MOST_DOUBLED
        {
            return None;
        }
        self.place_gang(scope, start);
        let whole = self.b.i64(u64::from(scope.gangs) - u64::from(scope.rest != 0));
        let end = self.b.min_u(end, whole);
        let inside = self.inside(region.list, start, end, true);
        (!inside.is_plain()).then_some(inside)
    }

    /// Stretches of gangs on the inside of a region without tests, and other gangs around them.
    fn stretches_of_gangs(
        &mut self,
        region: &Region<'_>,
        scope: &Workgroup,
        [start, end]: [Value; 2],
        inside: Inside,
    ) {
        let Inside { low, high, decided, proven, lines, .. } = inside;
        self.while_below(start, end, |gang, number| {
            let begun = gang.b.compare(Compare::GeU, number, low);
            let left = gang.b.lt_u(number, high);
            let inside = gang.b.and(begun, left);
            gang.b.open();
            gang.known = Known { decided, proven, lines: Some((number, lines)), ..Known::default() };
            let next = gang.repeated(number, |gang, number| {
                if let Some((place, _)) = &mut gang.known.lines {
                    *place = number;
                }
                gang.place_gang(scope, number);
                gang.state.registers.clear();
                gang.state.exec = Exec::All;
                gang.region_code(region);
                let one = gang.b.i64(1);
                let next = gang.b.add(number, one);
                (next, gang.b.lt_u(next, high))
            });
            gang.known = Known::default();
            gang.b.yields(&[next]);
            let then = gang.b.close();
            gang.b.open();
            gang.rarely(|gang| gang.gang_region(region, scope, number));
            let one = gang.b.i64(1);
            let next = gang.b.add(number, one);
            gang.b.yields(&[next]);
            let otherwise = gang.b.close();
            gang.b.branch_on(inside, then, otherwise, &[Type::scalar(Kind::I64)], Hint::Likely)[0]
        });
    }

    /// How many gangs have anything to do in a region that is for the first invocations of the workgroup alone: for
    /// those whose local index is below a number that all share.
    fn reach(&mut self, region: &Region<'_>) -> Option<Value> {
        let [_, 1, 1] = self.ids.size else { return None };
        if region.block.is_some() || !region.copies.is_empty() {
            return None;
        }
        let (last, before) = region.list.split_last()?;
        let pure = |statement: &ssa::Statement| match statement {
            ssa::Statement::Let(value) => self.ssa.definition(*value).op.is_pure(),
            _ => false,
        };
        let ssa::Statement::If { condition, otherwise, results, .. } = last else { return None };
        let nothing = matches!(otherwise[..], [ssa::Statement::Yield { .. }]) && results.is_empty();
        if !nothing || !before.iter().all(pure) {
            return None;
        }
        // Nothing that is defined here may be used elsewhere: gangs that are left out would not have it.
        let kept = |statement: &ssa::Statement| match statement {
            ssa::Statement::Let(value) => {
                self.regions.as_ref().is_some_and(|r| r.slot(*value).is_some() || r.export(*value).is_some())
            }
            _ => true,
        };
        if before.iter().any(kept) {
            return None;
        }
        let ssa::Op::Compare(ssa::Compare::Less, index, limit) = self.ssa.definition(*condition).op else {
            return None;
        };
        let is_index = matches!(
            self.ssa.definition(index).op,
            ssa::Op::Builtin(ssa::Builtin::LocalIndex | ssa::Builtin::LocalId(0))
        );
        let shared = self.ssa.constant(limit).is_some() || self.home(limit) == 0;
        if !is_index || !shared {
            return None;
        }
        let limit = self.scalar(limit);
        let limit = self.b.convert(Convert::ZeroExtend, limit, Kind::I64);
        let lanes = self.b.i64(u64::from(self.b.lanes()) - 1);
        let limit = self.b.add(limit, lanes);
        let lanes = u32::from(self.b.lanes());
        Some(self.divided(limit, lanes))
    }

    fn gang_region(&mut self, region: &Region<'_>, scope: &Workgroup, number: Value) {
        self.place_gang(scope, number);
        self.state.registers.clear();
        self.state.exec = self.living(scope, number);
        let Exec::Some { mask, .. } = self.state.exec else {
            return self.region_code(region);
        };
        // A gang without lanes has nothing to do.
        let some = self.any(mask);
        self.state.exec = Exec::Some { mask, nonempty: true };
        self.when(Some(some), |gang| gang.region_code(region));
    }

    fn region_code(&mut self, region: &Region<'_>) {
        for &value in &region.needs {
            self.bring(value);
        }
        let before = self.exec_mask();
        let end = self.b.label();
        self.end = Some(end);
        self.b.open();
        self.outgoing = region.copies.iter().map(|&(_, from)| from).collect();
        let ended = match region.block {
            Some((label, results)) => self.block(label, region.list, results).into(),
            None => self.list(region.list),
        };
        if ended != End::Gone {
            let mask = match ended {
                End::Left => self.mask_of(Exec::None),
                _ => self.exec_mask(),
            };
            // Where no lane arrives, there may be nothing to copy, and nobody reads it.
            if !region.copies.is_empty() && ended != End::Left {
                let values: Vec<Value> =
                    region.copies.iter().map(|&(to, from)| self.formed(from, to)).collect();
                for (&(to, _), value) in region.copies.iter().zip(values) {
                    self.save(to, value);
                }
            }
            self.b.yields(&[mask]);
        }
        let list = self.b.close();
        let ty = self.mask_type();
        let after = self.b.value(ty);
        self.b.push(Inst::Block { label: end, body: list, results: vec![after] });
        self.end = None;
        if let Some(slot) = self.living_slot()
            && self.flow.returns
            && after != before
        {
            let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(after));
            let access = self.context(slot);
            self.b.act(Effect::Store(access, bits));
        }
    }

    // --- what crosses barriers -------------------------------------------------------------------------------------

    fn living_slot(&self) -> Option<u32> {
        self.regions.as_ref().and_then(|regions| regions.living)
    }

    /// A place in the gang's context.
    fn context(&self, slot: u32) -> Access {
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
    fn start_living(&mut self, scope: &mut Workgroup) {
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
    fn end_where_nobody_lives(&mut self, scope: &Workgroup) {
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
    fn living(&mut self, scope: &Workgroup, number: Value) -> Exec {
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
    fn existing(&mut self, scope: &Workgroup, number: Value) -> Exec {
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
    fn bring(&mut self, value: ssa::Value) {
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

/// Somebody may return in a list.
fn contains_return(list: &[ssa::Statement]) -> bool {
    list.iter().any(|statement| match statement {
        ssa::Statement::Return => true,
        ssa::Statement::If { then, otherwise, .. } => contains_return(then) || contains_return(otherwise),
        ssa::Statement::Block { body, .. } | ssa::Statement::Loop { body, .. } => contains_return(body),
        _ => false,
    })
}

/// How a list of steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Without an instruction that ends the list.
    Open,
    Yielded,
    Gone,
}
