//! Out of bounds: reads give zero, writes and atomics are dropped.
//!
//! A function is built anew, expression by expression in evaluation order. A scalar or vector is loaded from a
//! clamped place and replaced by zero where the guard does not hold; everything else (stores, atomics, whole arrays
//! and structures) happens under an `if`. Indices that cannot leave their range cost nothing.
//! Knows nothing of grids: the entry point's prelude is built before this begins.

use std::collections::HashMap;

use naga::{
    AddressSpace, AtomicFunction, BinaryOperator, Block, Expression, Function, GatherMode, Handle, Module, Statement,
    Type, TypeInner, valid::FunctionInfo,
};

use super::builder::Builder;
use super::places::{Checked, Length, Place, Step, inner, unsigned};
use super::ranges::Ranges;

/// Why a function cannot be rewritten.
pub(super) type Refusal = String;

/// A function being rebuilt.
pub(super) struct Rebuild<'a, 'b> {
    pub(super) b: &'a mut Builder<'b>,
    module: &'a Module,
    old: &'a Function,
    info: &'a FunctionInfo,
    ranges: Ranges<'a>,
    /// Old expressions by their new counterparts.
    map: HashMap<Handle<Expression>, Handle<Expression>>,
    places: HashMap<Handle<Expression>, Place>,
}

impl<'a, 'b> Rebuild<'a, 'b> {
    /// Declares the old function's variables; `arguments` are what replaces its arguments.
    pub(super) fn new(
        b: &'a mut Builder<'b>,
        module: &'a Module,
        old: &'a Function,
        info: &'a FunctionInfo,
        workgroup_size: Option<[u32; 3]>,
        arguments: &[Handle<Expression>],
    ) -> Self {
        let ranges = Ranges { module, function: old, info, workgroup_size };
        let mut new = Self { b, module, old, info, ranges, map: HashMap::new(), places: HashMap::new() };
        for (handle, expression) in old.expressions.iter() {
            if let Expression::FunctionArgument(argument) = *expression {
                new.map.insert(handle, arguments[argument as usize]);
            }
        }
        let mut locals = HashMap::new();
        for (handle, local) in old.local_variables.iter() {
            let init = local.init.map(|init| new.get(init));
            let local = naga::LocalVariable { init, ..local.clone() };
            locals.insert(handle, new.b.locals.append(local, old.local_variables.get_span(handle)));
        }
        for (handle, expression) in old.expressions.iter() {
            if let Expression::LocalVariable(local) = *expression {
                let pointer = new.b.fixed(Expression::LocalVariable(locals[&local]));
                new.map.insert(handle, pointer);
            }
        }
        new
    }

    /// The new counterpart of an old expression.
    fn get(&mut self, old: Handle<Expression>) -> Handle<Expression> {
        if let Some(new) = self.map.get(&old) {
            return *new;
        }
        // Not covered by an `Emit`: fixed, or part of a variable's constant initialiser.
        let mut expression = self.old.expressions[old].clone();
        let new = if expression.needs_pre_emit() {
            self.b.fixed(expression)
        } else {
            operands(&mut expression, |operand| self.get(operand));
            self.b.bare(expression)
        };
        self.map.insert(old, new);
        new
    }

    fn place(&mut self, old: Handle<Expression>) -> Place {
        match self.places.get(&old) {
            Some(place) => place.clone(),
            None => Place::root(self.get(old)),
        }
    }

    fn type_of(&self, old: Handle<Expression>) -> &'a TypeInner {
        inner(&self.info[old].ty, &self.module.types)
    }

    fn type_handle(&mut self, old: Handle<Expression>) -> Handle<Type> {
        match self.info[old].ty.handle() {
            Some(ty) => ty,
            None => {
                let inner = self.type_of(old).clone();
                self.b.ty(inner)
            }
        }
    }

    /// A block of statements, in the builder's current block.
    pub(super) fn statements(&mut self, block: &Block) -> Result<(), Refusal> {
        for (statement, span) in block.span_iter() {
            self.b.span = *span;
            self.statement(statement)?;
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<Block, Refusal> {
        let outer = self.b.open();
        let result = self.statements(block);
        let inner = self.b.close(outer);
        result.map(|()| inner)
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Refusal> {
        match statement {
            Statement::Emit(range) => {
                for old in range.clone() {
                    self.b.span = self.old.expressions.get_span(old);
                    let new = self.expression(old)?;
                    self.map.insert(old, new);
                }
            }
            Statement::Block(block) => {
                let block = self.block(block)?;
                self.b.push(Statement::Block(block));
            }
            Statement::If { condition, accept, reject } => {
                let condition = self.get(*condition);
                let accept = self.block(accept)?;
                let reject = self.block(reject)?;
                self.b.push(Statement::If { condition, accept, reject });
            }
            Statement::Switch { selector, cases } => {
                let selector = self.get(*selector);
                let mut new = Vec::with_capacity(cases.len());
                for case in cases {
                    let body = self.block(&case.body)?;
                    new.push(naga::SwitchCase { value: case.value, body, fall_through: case.fall_through });
                }
                self.b.push(Statement::Switch { selector, cases: new });
            }
            Statement::Loop { body, continuing, break_if } => {
                let body = self.block(body)?;
                let outer = self.b.open();
                let result = self.statements(continuing);
                let break_if = break_if.map(|condition| self.get(condition));
                let continuing = self.b.close(outer);
                result?;
                self.b.push(Statement::Loop { body, continuing, break_if });
            }
            Statement::Return { value } => {
                let value = value.map(|value| self.get(value));
                self.b.push(Statement::Return { value });
            }
            Statement::Break | Statement::Continue | Statement::ControlBarrier(_) | Statement::MemoryBarrier(_) => {
                self.b.push(statement.clone());
            }
            Statement::Store { pointer, value } => {
                let place = self.place(*pointer);
                let value = self.get(*value);
                self.guarded(place.guard, |b| b.store(place.raw, value));
            }
            Statement::Atomic { pointer, fun, value, result } => self.atomic(*pointer, *fun, *value, *result),
            Statement::WorkGroupUniformLoad { pointer, result } => self.uniform_load(*pointer, *result),
            Statement::Call { function, arguments, result } => self.call(*function, arguments, *result),
            Statement::SubgroupBallot { result, predicate } => {
                let predicate = predicate.map(|p| self.get(p));
                let result = self.result(*result);
                self.b.push(Statement::SubgroupBallot { result, predicate });
            }
            Statement::SubgroupGather { mode, argument, result } => {
                let mode = match *mode {
                    GatherMode::Broadcast(h) => GatherMode::Broadcast(self.get(h)),
                    GatherMode::Shuffle(h) => GatherMode::Shuffle(self.get(h)),
                    GatherMode::ShuffleDown(h) => GatherMode::ShuffleDown(self.get(h)),
                    GatherMode::ShuffleUp(h) => GatherMode::ShuffleUp(self.get(h)),
                    GatherMode::ShuffleXor(h) => GatherMode::ShuffleXor(self.get(h)),
                    GatherMode::QuadBroadcast(h) => GatherMode::QuadBroadcast(self.get(h)),
                    mode @ (GatherMode::BroadcastFirst | GatherMode::QuadSwap(_)) => mode,
                };
                let argument = self.get(*argument);
                let result = self.result(*result);
                self.b.push(Statement::SubgroupGather { mode, argument, result });
            }
            Statement::SubgroupCollectiveOperation { op, collective_op, argument, result } => {
                let (op, collective_op) = (*op, *collective_op);
                let argument = self.get(*argument);
                let result = self.result(*result);
                self.b.push(Statement::SubgroupCollectiveOperation { op, collective_op, argument, result });
            }
            other => {
                let name = format!("{other:?}");
                let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                return Err(format!("the statement `{name}` is not part of WGSL's compute kernels"));
            }
        }
        Ok(())
    }

    /// The expression that a statement fills.
    fn result(&mut self, old: Handle<Expression>) -> Handle<Expression> {
        let new = self.b.bare(self.old.expressions[old].clone());
        self.map.insert(old, new);
        new
    }

    /// Runs `body` where the guard holds.
    fn guarded(&mut self, guard: Option<Handle<Expression>>, body: impl FnOnce(&mut Builder<'b>)) {
        match guard {
            None => body(self.b),
            Some(guard) => {
                let outer = self.b.open();
                body(self.b);
                let accept = self.b.close(outer);
                self.b.push(Statement::If { condition: guard, accept, reject: Block::new() });
            }
        }
    }

    /// A value that `body` computes where the guard holds, and zero elsewhere.
    fn guarded_value(
        &mut self,
        guard: Handle<Expression>,
        ty: Handle<Type>,
        body: impl FnOnce(&mut Builder<'b>) -> Handle<Expression>,
    ) -> Handle<Expression> {
        let variable = self.b.variable("guarded", ty);
        let zero = self.b.zero(ty);
        self.b.store(variable, zero);
        self.guarded(Some(guard), |b| {
            let value = body(b);
            b.store(variable, value);
        });
        self.b.load(variable)
    }

    fn atomic(
        &mut self,
        pointer: Handle<Expression>,
        fun: AtomicFunction,
        value: Handle<Expression>,
        result: Option<Handle<Expression>>,
    ) {
        let place = self.place(pointer);
        let value = self.get(value);
        let fun = match fun {
            AtomicFunction::Exchange { compare: Some(compare) } => {
                AtomicFunction::Exchange { compare: Some(self.get(compare)) }
            }
            other => other,
        };
        let pointer = place.raw;
        match (place.guard, result) {
            (guard, None) => {
                self.guarded(guard, |b| b.push(Statement::Atomic { pointer, fun, value, result: None }));
            }
            (None, Some(old)) => {
                let result = Some(self.result(old));
                self.b.push(Statement::Atomic { pointer, fun, value, result });
            }
            (Some(guard), Some(old)) => {
                let ty = self.type_handle(old);
                let expression = self.old.expressions[old].clone();
                let new = self.guarded_value(guard, ty, |b| {
                    let result = b.bare(expression);
                    b.push(Statement::Atomic { pointer, fun, value, result: Some(result) });
                    result
                });
                self.map.insert(old, new);
            }
        }
    }

    /// The load is a barrier: every invocation executes it, with a clamped pointer.
    fn uniform_load(&mut self, pointer: Handle<Expression>, old: Handle<Expression>) {
        let place = self.place(pointer);
        let pointer = place.clamped(self.b);
        let result = self.result(old);
        self.b.push(Statement::WorkGroupUniformLoad { pointer, result });
        if let Some(guard) = place.guard {
            let ty = self.type_handle(old);
            let new = self.zero_unless(guard, ty, result);
            self.map.insert(old, new);
        }
    }

    /// The value where the guard holds, and zero elsewhere.
    fn zero_unless(
        &mut self,
        guard: Handle<Expression>,
        ty: Handle<Type>,
        value: Handle<Expression>,
    ) -> Handle<Expression> {
        if selectable(&self.b.types[ty].inner) {
            let zero = self.b.zero(ty);
            self.b.emit(Expression::Select { condition: guard, accept: value, reject: zero })
        } else {
            self.guarded_value(guard, ty, |_| value)
        }
    }

    fn call(
        &mut self,
        function: Handle<Function>,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) {
        let mut copies = Vec::new();
        let arguments = arguments
            .iter()
            .map(|&old| {
                let place = self.place(old);
                if place.is_whole() {
                    return place.raw;
                }
                // A part of a variable: the callee gets a copy, which goes back where there is an element to take
                // it. WGSL forbids that the callee reaches the part by another name. (naga 30's SPIR-V writer
                // panics on a part that is passed as it is, guarded or not.)
                let (ty, space) = match *self.type_of(old) {
                    TypeInner::Pointer { base, space } => (base, space),
                    TypeInner::ValuePointer { size: Some(size), scalar, space } => {
                        (self.b.ty(TypeInner::Vector { size, scalar }), space)
                    }
                    TypeInner::ValuePointer { size: None, scalar, space } => {
                        (self.b.ty(TypeInner::Scalar(scalar)), space)
                    }
                    _ => return place.raw,
                };
                // A variable of the same address space: it is part of the parameter's type. No function calls
                // itself, so one private variable per call is enough.
                let copy = match space {
                    AddressSpace::Private => self.b.private("argument", ty),
                    _ => self.b.variable("argument", ty),
                };
                if place.guard.is_some() {
                    let zero = self.b.zero(ty);
                    self.b.store(copy, zero);
                }
                self.guarded(place.guard, |b| {
                    let value = b.load(place.raw);
                    b.store(copy, value);
                });
                copies.push((place.guard, place.raw, copy));
                copy
            })
            .collect();
        let result = result.map(|old| self.result(old));
        self.b.push(Statement::Call { function, arguments, result });
        for (guard, pointer, copy) in copies {
            self.guarded(guard, |b| {
                let value = b.load(copy);
                b.store(pointer, value);
            });
        }
    }

    /// An expression that is evaluated here.
    fn expression(&mut self, old: Handle<Expression>) -> Result<Handle<Expression>, Refusal> {
        let expression = &self.old.expressions[old];
        match *expression {
            Expression::Access { base, index } => {
                let length = Length::of(self.type_of(base), &self.module.types)
                    .ok_or("it indexes something that is no array, vector or matrix")?;
                if is_pointer(self.type_of(base)) {
                    let place = self.place(base);
                    let (step, guard) = self.index(place.raw, index, length);
                    return Ok(self.point(old, place, step, guard));
                }
                let base = self.get(base);
                let (step, guard) = self.index(base, index, length);
                let index = match step {
                    Step::Checked(Checked { index, last }) => self.b.min(index, last),
                    Step::Index(index) => index,
                    Step::Member(index) => return Ok(self.b.member(base, index)),
                };
                let value = self.b.emit(Expression::Access { base, index });
                Ok(match guard {
                    None => value,
                    Some(guard) => {
                        let ty = self.type_handle(old);
                        self.zero_unless(guard, ty, value)
                    }
                })
            }
            Expression::AccessIndex { base, index } if is_pointer(self.type_of(base)) => {
                let place = self.place(base);
                let (step, guard) = match Length::of(self.type_of(base), &self.module.types) {
                    Some(length @ Length::Runtime) if index > 0 => {
                        let index = self.b.literal(index);
                        let (checked, guard) = self.check(place.raw, index, length);
                        (Step::Checked(checked), Some(guard))
                    }
                    _ => (Step::Member(index), None),
                };
                Ok(self.point(old, place, step, guard))
            }
            Expression::Load { pointer } => {
                let place = self.place(pointer);
                let Some(guard) = place.guard else { return Ok(self.b.load(place.raw)) };
                let ty = self.type_handle(old);
                if selectable(self.type_of(old)) {
                    let pointer = place.clamped(self.b);
                    let value = self.b.load(pointer);
                    Ok(self.zero_unless(guard, ty, value))
                } else {
                    Ok(self.guarded_value(guard, ty, |b| b.load(place.raw)))
                }
            }
            _ => {
                let mut expression = expression.clone();
                if !operands(&mut expression, |operand| self.get(operand)) {
                    return Err("it uses textures, ray queries or cooperative matrices".into());
                }
                Ok(self.b.emit(expression))
            }
        }
    }

    fn point(
        &mut self,
        old: Handle<Expression>,
        place: Place,
        step: Step,
        guard: Option<Handle<Expression>>,
    ) -> Handle<Expression> {
        let place = place.step(self.b, step, guard);
        let raw = place.raw;
        self.places.insert(old, place);
        raw
    }

    /// A dynamic index into `base`: the step, and what must hold.
    fn index(
        &mut self,
        base: Handle<Expression>,
        old: Handle<Expression>,
        length: Length,
    ) -> (Step, Option<Handle<Expression>>) {
        let below = self.ranges.below(old);
        let least = match length {
            Length::Fixed(n) => n,
            Length::Runtime => 1,
        };
        if below.is_some_and(|n| n <= least.into()) {
            return (Step::Index(self.get(old)), None);
        }
        let scalar = match *self.type_of(old) {
            TypeInner::Scalar(scalar) => scalar,
            _ => naga::Scalar::U32,
        };
        let index = self.get(old);
        let index = unsigned(self.b, index, scalar);
        let (checked, guard) = self.check(base, index, length);
        (Step::Checked(checked), Some(guard))
    }

    fn check(
        &mut self,
        base: Handle<Expression>,
        index: Handle<Expression>,
        length: Length,
    ) -> (Checked, Handle<Expression>) {
        let (length, last) = match length {
            Length::Fixed(n) => (self.b.literal(n), self.b.literal(n - 1)),
            Length::Runtime => {
                let length = self.b.emit(Expression::ArrayLength(base));
                let one = self.b.literal(1);
                (length, self.b.binary(BinaryOperator::Subtract, length, one))
            }
        };
        let guard = self.b.binary(BinaryOperator::Less, index, length);
        (Checked { index, last }, guard)
    }
}

fn is_pointer(inner: &TypeInner) -> bool {
    matches!(inner, TypeInner::Pointer { space, .. } | TypeInner::ValuePointer { space, .. } if *space != AddressSpace::Handle)
}

/// `select` takes it.
fn selectable(inner: &TypeInner) -> bool {
    matches!(inner, TypeInner::Scalar(_) | TypeInner::Vector { .. })
}

/// Replaces an expression's operands; `false` when it is none of a compute kernel's.
fn operands(
    expression: &mut Expression,
    mut new: impl FnMut(Handle<Expression>) -> Handle<Expression>,
) -> bool {
    let mut set = |operand: &mut Handle<Expression>| *operand = new(*operand);
    match expression {
        Expression::Literal(_)
        | Expression::Constant(_)
        | Expression::Override(_)
        | Expression::ZeroValue(_)
        | Expression::FunctionArgument(_)
        | Expression::GlobalVariable(_)
        | Expression::LocalVariable(_)
        | Expression::CallResult(_)
        | Expression::AtomicResult { .. }
        | Expression::WorkGroupUniformLoadResult { .. }
        | Expression::SubgroupBallotResult
        | Expression::SubgroupOperationResult { .. } => {}
        Expression::Compose { components, .. } => components.iter_mut().for_each(set),
        Expression::Access { base, index } => {
            set(base);
            set(index);
        }
        Expression::AccessIndex { base, .. } => set(base),
        Expression::Splat { value, .. } => set(value),
        Expression::Swizzle { vector, .. } => set(vector),
        Expression::Load { pointer } => set(pointer),
        Expression::Unary { expr, .. } | Expression::As { expr, .. } => set(expr),
        Expression::Binary { left, right, .. } => {
            set(left);
            set(right);
        }
        Expression::Select { condition, accept, reject } => {
            set(condition);
            set(accept);
            set(reject);
        }
        Expression::Derivative { expr, .. } => set(expr),
        Expression::Relational { argument, .. } => set(argument),
        Expression::Math { arg, arg1, arg2, arg3, .. } => {
            set(arg);
            for argument in [arg1, arg2, arg3].into_iter().flatten() {
                set(argument);
            }
        }
        Expression::ArrayLength(base) => set(base),
        _ => return false,
    }
    true
}
