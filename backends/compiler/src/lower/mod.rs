//! From SSA to the vector IR: one gang of invocations at a time.
//!
//! [`Gang`] walks structured SSA and builds vector IR. Every SSA value has one form: a scalar where all active lanes
//! agree or are evenly apart (then it is lane 0's), else a vector. Lanes that part are masked; where they meet again,
//! only what lives on is blended. What the code around a gang looks like (workgroups, rows, regions) is the business of
//! [`frame`]; what a machine can do is nobody's here.

mod ahead;
mod arithmetic;
mod atomics;
mod blocks;
mod call;
mod control;
mod convert;
mod counted;
mod crossing;
mod everywhere;
mod flow;
mod frame;
mod fresh;
mod gangs;
mod hoist;
mod ids;
mod inside;
mod load;
mod loops;
mod memory;
mod needs;
mod place;
mod region;
mod rest;
mod rounds;
mod rows;
mod slopes;
mod state;
mod steps;
mod store;
mod subgroups;
mod workgroup;

pub(crate) use frame::{asks_for_subgroups, ganging, lower, meets};
pub(crate) use loops::places;

use flow::Flow;
use ids::Ids;
use memory::Memory;
use state::{End, Exec, Held, Register, State, Target};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Statement};
use warpweft_ssa::ranges::Ranges;
use warpweft_ssa::uniformity::{Shape, Uniformity};
use warpweft_vector::Builder;
use warpweft_vector::ir::{Inst, Kind, Label, Mark, Op, Type, Value};

use crate::options::NotCompiled;

/// One gang being lowered.
pub(crate) struct Gang<'a> {
    pub(crate) ssa: &'a ssa::Function,
    pub(crate) shapes: &'a Uniformity,
    pub(crate) flow: &'a Flow,
    pub(crate) b: Builder,
    /// The form of each SSA value that has been lowered.
    values: Vec<Option<Value>>,
    state: State,
    targets: Vec<Target>,
    pub(crate) memory: Memory,
    pub(crate) ids: Ids,
    /// Where to go when the launch was cancelled.
    quit: Label,
    /// Where lanes go that return together: the end of the gang's code.
    end: Option<Label>,
    /// What this version of the code knows.
    known: rows::Known,
    /// How values go along a row.
    slopes: slopes::Slopes,
    /// Indices that are in bounds, and conditions that are decided, whatever the data.
    ranges: &'a Ranges,
    /// Values that something uses.
    used: Vec<bool>,
    /// Bits of an estimated inverse root that may be refined; `None` where roots are as the interpreter has them.
    pub(crate) estimate: Option<u32>,
    /// Where values are, in kernels that are run workgroup by workgroup.
    regions: Option<steps::Regions>,
    /// The number of the region at hand, and what it got from others: any other value of theirs is not there.
    region: (u32, Vec<ssa::Value>),
    /// What the region at hand copies at its end.
    outgoing: Vec<ssa::Value>,
    /// Where regions leave values for the workgroup's own code.
    exports: Value,
    /// The memory of the gang at hand.
    frame: Value,
    /// Which labels are loops.
    loops: Vec<bool>,
    /// Divergent arms around the code at hand, inside of the innermost loop.
    masked_depth: usize,
    /// The lanes of the rest's gangs, where the rest of a row can be a function of its own; and whether it is called.
    rest: Option<u16>,
    calls_rest: bool,
    failure: Option<NotCompiled>,
}

/// How a scalar type is held.
pub(crate) fn kind(ty: Scalar) -> Kind {
    match ty {
        Scalar::Bool => Kind::Bool,
        Scalar::I16 | Scalar::U16 | Scalar::I32 | Scalar::U32 => Kind::I32,
        Scalar::I64 | Scalar::U64 => Kind::I64,
        Scalar::F16 | Scalar::F32 => Kind::F32,
        Scalar::F64 => Kind::F64,
    }
}

impl<'a> Gang<'a> {
    // --- values --------------------------------------------------------------------------------------------------

    /// All active lanes agree on it, or are evenly apart: it is held as a scalar.
    pub(crate) fn is_scalar(&self, value: ssa::Value) -> bool {
        self.b.lanes() == 1 || !matches!(self.shapes.shape(value), Shape::Varying)
    }

    /// All active lanes agree on it.
    pub(crate) fn is_uniform(&self, value: ssa::Value) -> bool {
        self.b.lanes() == 1 || !matches!(self.shapes.shape(value), Shape::Varying | Shape::Affine(_))
    }

    /// How far apart lanes are.
    pub(crate) fn step(&self, value: ssa::Value) -> Option<i64> {
        match self.shapes.shape(value) {
            Shape::Affine(step) if self.b.lanes() > 1 => Some(step),
            _ => None,
        }
    }

    /// The type of a value's form.
    pub(crate) fn form(&self, value: ssa::Value) -> Type {
        let kind = kind(self.ssa.ty(value));
        if self.is_scalar(value) { Type::scalar(kind) } else { self.b.vector(kind) }
    }

    /// A value's form.
    pub(crate) fn primary(&mut self, value: ssa::Value) -> Value {
        if let Some(constant) = self.ssa.constant(value) {
            return self.constant(self.ssa.ty(value), constant);
        }
        match self.values[value.0 as usize] {
            Some(form) => form,
            None => {
                self.fail(format!("internal: {value:?} is used before it is lowered"), ssa::Mark::default());
                let ty = self.form(value);
                self.b.constant(ty, 0)
            }
        }
    }

    /// A constant, as a scalar.
    pub(crate) fn constant(&mut self, ty: Scalar, bits: u64) -> Value {
        let bits = match ty {
            Scalar::F16 => u64::from(half_to_f32(bits as u16)),
            Scalar::I16 => u64::from(bits as u16 as i16 as i32 as u32),
            _ => bits,
        };
        self.b.constant(Type::scalar(kind(ty)), bits)
    }

    /// A uniform value as a scalar; of evenly spaced lanes, the first.
    pub(crate) fn scalar(&mut self, value: ssa::Value) -> Value {
        let form = self.primary(value);
        debug_assert!(
            self.b.ty(form).is_scalar(),
            "{value:?} differs between lanes: {:?}",
            self.ssa.definition(value)
        );
        form
    }

    /// Any value as a vector.
    pub(crate) fn vector(&mut self, value: ssa::Value) -> Value {
        let form = self.primary(value);
        if !self.b.ty(form).is_scalar() || self.b.lanes() == 1 {
            return form;
        }
        let vector = self.b.splat(form);
        match self.step(value) {
            None => vector,
            Some(step) => {
                let steps = self.steps(self.b.ty(form).kind, step);
                self.b.add(vector, steps)
            }
        }
    }

    /// The vector 0, step, 2·step, ….
    pub(crate) fn steps(&mut self, kind: Kind, step: i64) -> Value {
        let wide = kind == Kind::I64;
        let bits: Vec<u64> = (0..i64::from(self.b.lanes()))
            .map(|lane| {
                let n = lane.wrapping_mul(step);
                if wide { n as u64 } else { u64::from(n as u32) }
            })
            .collect();
        self.b.lane_constants(kind, &bits)
    }

    /// A value in the form of another, which it becomes.
    pub(crate) fn formed(&mut self, value: ssa::Value, like: ssa::Value) -> Value {
        if self.is_scalar(like) { self.scalar(value) } else { self.vector(value) }
    }

    /// Says what form a value has from here on.
    pub(crate) fn set(&mut self, value: ssa::Value, form: Value) {
        debug_assert_eq!(self.b.ty(form), self.form(value), "the form of {value:?}");
        self.values[value.0 as usize] = Some(form);
        self.save(value, form);
    }

    /// The kernel cannot be compiled; the first reason counts.
    pub(crate) fn fail(&mut self, what: impl Into<String>, mark: ssa::Mark) {
        if self.failure.is_none() {
            let location = self.ssa.location(mark).cloned();
            self.failure = Some(NotCompiled { what: what.into(), location });
        }
    }

    /// Zero, in any type.
    pub(crate) fn zero(&mut self, ty: Type) -> Value {
        self.b.constant(ty, 0)
    }

    // --- masks ---------------------------------------------------------------------------------------------------

    fn mask_type(&self) -> Type {
        self.b.vector(Kind::Bool)
    }

    /// The active lanes as a mask.
    pub(crate) fn exec_mask(&mut self) -> Value {
        self.mask_of(self.state.exec)
    }

    pub(crate) fn mask_of(&mut self, exec: Exec) -> Value {
        let ty = self.mask_type();
        match exec {
            Exec::All => self.b.constant(ty, 1),
            Exec::Some { mask, .. } => mask,
            Exec::None => self.b.constant(ty, 0),
        }
    }

    /// A mask, but only in active lanes.
    pub(crate) fn active(&mut self, mask: Value) -> Value {
        match self.state.exec {
            Exec::All => mask,
            Exec::Some { mask: exec, .. } => self.b.and(exec, mask),
            Exec::None => self.mask_of(Exec::None),
        }
    }

    // --- lists ---------------------------------------------------------------------------------------------------

    /// Lowers a list, to its end.
    pub(crate) fn list(&mut self, list: &[Statement]) -> End {
        for (at, statement) in list.iter().enumerate() {
            let ends = matches!(
                statement,
                Statement::Loop { .. }
                    | Statement::Branch { .. }
                    | Statement::Return
                    | Statement::Yield { .. }
            );
            let end = self.one(statement);
            if ends || end != End::Yield(vec![]) {
                return end;
            }
            if matches!(statement, Statement::If { .. } | Statement::Block { .. })
                && let Some(end) = self.after(&list[at + 1..])
            {
                return end;
            }
        }
        End::Yield(vec![])
    }

    /// Lowers one statement; where control goes on behind it, that is a `Yield` of nothing.
    pub(crate) fn one(&mut self, statement: &Statement) -> End {
        match statement {
            // The workgroup's own code has done it.
            Statement::Let(value) if self.regions.is_some() && self.home(*value) == 0 => {}
            Statement::Let(value) => self.let_(*value),
            Statement::Store { place, value, atomic, mark } => {
                self.mark(*mark);
                self.store(place, *value, *atomic);
            }
            Statement::Barrier { kind: ssa::Barrier::Subgroup, .. } => {}
            // Nobody has to wait here in the order in which gangs run the region.
            Statement::Barrier { .. } if self.regions.as_ref().is_some_and(|r| r.passes(statement)) => {}
            Statement::Barrier { mark, .. } => {
                self.fail("a barrier where not all invocations of a workgroup come together", *mark);
            }
            Statement::Call { function, mark } => {
                self.mark(*mark);
                self.call(*function);
            }
            Statement::If { condition, then, otherwise, results, mark } => {
                self.mark(*mark);
                return self.either(*condition, then, otherwise, results).into();
            }
            Statement::Block { label, body, results } => return self.block(*label, body, results).into(),
            Statement::Loop { mark, .. } => {
                self.mark(*mark);
                return self.loop_with_tests_in_front(statement);
            }
            Statement::Branch { label, arguments } => return self.branch(statement, *label, arguments),
            Statement::Return => return self.return_(statement),
            Statement::Yield { arguments } => return End::Yield(arguments.clone()),
        }
        End::Yield(vec![])
    }

    pub(crate) fn mark(&mut self, mark: ssa::Mark) {
        self.b.set_mark(Mark(mark.0));
    }

    /// Computes a value.
    pub(crate) fn let_(&mut self, value: ssa::Value) {
        let ssa = self.ssa;
        let definition = ssa.definition(value);
        if matches!(definition.op, ssa::Op::Constant(_)) {
            return;
        }
        self.mark(definition.mark);
        let form = self.operation(value, definition);
        self.set(value, form);
    }

    // --- registers -----------------------------------------------------------------------------------------------

    fn register(&mut self, ty: Type) -> Register {
        self.state.registers.push(Held { ty, value: None });
        self.state.registers.len() - 1
    }

    /// What a register holds, as something that exists.
    fn held(&mut self, register: Register) -> Value {
        let held = self.state.registers[register];
        match held.value {
            Some(value) => value,
            None => self.zero(held.ty),
        }
    }

    /// A list that is emitted on its own: `f` lowers into it, from a copy of the state at hand.
    fn apart<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> (T, Vec<Inst>, State) {
        let before = self.state.clone();
        self.b.open();
        let out = f(self);
        let list = self.b.close();
        let after = std::mem::replace(&mut self.state, before);
        (out, list, after)
    }

    /// Leaves the launch when it was cancelled.
    pub(crate) fn poll(&mut self) {
        let cancelled = self.memory.cancelled(&mut self.b);
        self.b.open();
        self.b.branch(self.quit, &[]);
        let then = self.b.close();
        self.b.open();
        self.b.yields(&[]);
        let otherwise = self.b.close();
        self.b.branch_on(cancelled, then, otherwise, &[], warpweft_vector::ir::Hint::Unlikely);
    }

    /// The lanes of an `Exec`, as a question for the machine.
    fn any(&mut self, mask: Value) -> Value {
        self.b.define(Type::scalar(Kind::Bool), Op::Any(mask))
    }
}

/// The bits of a gang's lanes.
fn mask_bits(lanes: u16) -> u64 {
    u64::MAX >> (64 - u32::from(lanes.clamp(1, 64)))
}

/// How control passes a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// On to the next.
    Open,
    /// No lane goes on.
    Left,
    /// The machine does not go on.
    Gone,
}

impl From<Passage> for End {
    fn from(passage: Passage) -> End {
        match passage {
            Passage::Open => End::Yield(vec![]),
            Passage::Left => End::Left,
            Passage::Gone => End::Gone,
        }
    }
}

/// The bits of a binary16 number as binary32.
fn half_to_f32(half: u16) -> u32 {
    half::f16::from_bits(half).to_f32().to_bits()
}
