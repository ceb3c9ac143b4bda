//! Statements of a function being rebuilt: what writes happens under its guard, everything else stays.
//!
//! Knows nothing of how an index is checked.

use naga::{
    AddressSpace, AtomicFunction, Block, Expression, Function, GatherMode, Handle, Literal, Statement,
    TypeInner,
};

use super::bounds::{Rebuild, Refusal};

impl Rebuild<'_, '_> {
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
            Statement::Break
            | Statement::Continue
            | Statement::ControlBarrier(_)
            | Statement::MemoryBarrier(_) => {
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

    fn call(
        &mut self,
        function: Handle<Function>,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) {
        let flagged = self.flagged.parameters(Some(function));
        let flags: Vec<_> =
            flagged.iter().map(|&parameter| self.place(arguments[parameter as usize]).guard).collect();
        let mut copies = Vec::new();
        let mut arguments: Vec<_> = arguments
            .iter()
            .map(|&old| {
                let place = self.place(old);
                if place.is_whole() {
                    return place.raw;
                }
                // A part of a variable: the callee gets a copy, which goes back where there is an element to take
                // it; a flag tells the callee whether there is. WGSL forbids that the callee reaches the part by another name. (naga 30's SPIR-V writer
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
        for flag in flags {
            arguments.push(flag.unwrap_or_else(|| self.b.fixed(Expression::Literal(Literal::Bool(true)))));
        }
        let result = result.map(|old| self.result(old));
        self.b.push(Statement::Call { function, arguments, result });
        for (guard, pointer, copy) in copies {
            self.guarded(guard, |b| {
                let value = b.load(copy);
                b.store(pointer, value);
            });
        }
    }
}
