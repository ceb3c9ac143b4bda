//! Kernels whose invocations meet: one workgroup at a time, each region for all of its gangs.
//!
//! Also for kernels with workgroup memory or subgroup operations and no barrier: these are one region.

use std::mem::offset_of;

use super::Gang;
use super::ids::Position;
use super::state::Exec;
use super::steps::Step;
use crate::arguments::Arguments;
use warpweft_ssa::ir as ssa;
use warpweft_vector::ir::{Access, Binary, Convert, Effect, Hint, Inst, Kind, Label, Op, Type, Value, Width};

/// What the emission of one workgroup knows.
pub(super) struct Workgroup {
    /// Blocks and loops of the workgroup's own code, and their counterparts.
    pub(super) labels: Vec<(ssa::Label, Label)>,
    /// Behind the workgroup's last step.
    pub(super) end: Label,
    pub(super) gangs: u32,
    /// The private memory of the first gang, and how much each has.
    pub(super) frames: Value,
    pub(super) frame_bytes: u64,
    /// Invocations beyond the last whole gang.
    pub(super) rest: u32,
    /// The grid's extents, where invocations beyond them take no effect.
    pub(super) over: Option<[Value; 3]>,
    pub(super) workgroup: [Value; 3],
    /// The regions that do so little of the whole that one version of them is enough, by number.
    pub(super) small: Vec<u32>,
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
        for at in 0..self.ssa.variables.len() as u32 {
            let variable = self.memory.variable(at);
            if variable.holder == super::memory::Holder::Workgroup {
                self.b.fleeting(variable.space);
            }
        }
        let small = self.small_regions(steps);
        // Invocations beyond the grid write nothing.
        let filled = if barriers { super::fresh::filled_at_once(self.ssa) } else { vec![] };
        self.while_below(begin, end, |gang, current| {
            gang.poll();
            let (rest, wx) = gang.quotient(current, grid[0]);
            let (wz, wy) = gang.quotient(rest, grid[1]);
            let workgroup = [wx, wy, wz].map(|w| gang.b.convert(Convert::Truncate, w, Kind::I32));
            gang.ids.workgroup = Some(workgroup);
            gang.clear_workgroup_memory(&filled);
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
                small,
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

    /// WGSL's workgroup memory starts as zeros; some of it is filled before anybody could see them.
    fn clear_workgroup_memory(&mut self, filled: &[bool]) {
        let bytes = self.memory.layout.workgroup;
        for at in 0..self.ssa.variables.len() as u32 {
            let variable = self.memory.variable(at);
            let size = u64::from(self.ssa.variables[at as usize].size);
            let is_filled = filled.get(at as usize).copied().unwrap_or(false);
            if variable.holder != super::memory::Holder::Workgroup || bytes == 0 || is_filled {
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
    pub(super) fn place_gang(&mut self, scope: &Workgroup, gang: Value) {
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
    pub(super) fn steps_of(&mut self, steps: &[Step<'_>], scope: &mut Workgroup) -> Ending {
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
                        let ending = self.ended(ending, &shared, scope);
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
                    let ending = self.steps_of(body, scope);
                    self.ended(ending, &shared, scope);
                    let list = self.b.close();
                    scope.labels.pop();
                    let values: Vec<Value> = shared.iter().map(|&r| self.b.value(self.form(r))).collect();
                    self.b.push(Inst::Block { label: vector, body: list, results: values.clone() });
                    shared.iter().zip(values).for_each(|(&result, value)| self.set(result, value));
                }
                Step::Loop { label, params, body } if self.written_out(*label, params, body, scope) => {
                    return Ending::Gone;
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

    /// Ends a list that gives those values, where its steps have not: one that should give some, and does not say which,
    /// is never gone through to its end, for every invocation returns before.
    fn ended(&mut self, ending: Ending, results: &[ssa::Value], scope: &Workgroup) -> Ending {
        match ending {
            Ending::Open if results.is_empty() => self.b.yields(&[]),
            Ending::Open => {
                self.b.branch(scope.end, &[]);
                return Ending::Gone;
            }
            _ => {}
        }
        ending
    }

    /// Those values that the whole workgroup shares.
    pub(super) fn common(&self, values: &[ssa::Value]) -> Vec<ssa::Value> {
        values.iter().copied().filter(|&value| self.home(value) == 0).collect()
    }

    /// A value as the workgroup's own code has it.
    pub(super) fn common_value(&mut self, value: ssa::Value) -> Value {
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
    pub(super) fn exports_place(&self) -> Access {
        Access { base: self.exports, ..self.context(0) }
    }

    pub(super) fn home(&self, value: ssa::Value) -> u32 {
        self.regions.as_ref().map_or(0, |regions| regions.home(value))
    }
}

/// Somebody may return in a list.
pub(super) fn contains_return(list: &[ssa::Statement]) -> bool {
    list.iter().any(|statement| match statement {
        ssa::Statement::Return => true,
        ssa::Statement::If { then, otherwise, .. } => contains_return(then) || contains_return(otherwise),
        ssa::Statement::Block { body, .. } | ssa::Statement::Loop { body, .. } => contains_return(body),
        _ => false,
    })
}

/// How a list of steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Without an instruction that ends the list.
    Open,
    Yielded,
    Gone,
}
