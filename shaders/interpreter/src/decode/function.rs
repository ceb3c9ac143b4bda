//! One function: its frame, and its statements as steps.
//!
//! A frame holds arguments, result, variables, and then values like a stack: those of a block go when it ends.

use super::{Builtins, Decoder, Which};
use crate::fault::Unsupported;
use crate::shape::{self, Shape};
use crate::step::{Address, Atomic, Case, Exits, Initial, Routine, Slot, Space, Step};
use crate::subgroup;
use naga::valid::FunctionInfo;
use naga::{
    AtomicFunction, Barrier, Binding, Block, EntryPoint, Expression, Function, Handle, LocalVariable, Span,
    Statement, SwitchValue, TypeInner,
};
use std::collections::HashMap;
use warpweft_module::Scalar;

/// A function being decoded.
pub(super) struct FunctionDecoder<'d, 'a> {
    pub decoder: &'d mut Decoder<'a>,
    pub function: &'a Function,
    info: &'a FunctionInfo,
    /// Where the values of expressions are.
    pub slots: HashMap<Handle<Expression>, Slot>,
    /// What pointers are.
    pub addresses: HashMap<Handle<Expression>, Address>,
    /// Where the function's result goes.
    returns: Option<Slot>,
    /// The first free column, and the highest there was.
    top: u32,
    highest: u32,
    exits: Exits,
}

impl<'a> Decoder<'a> {
    /// The entry point's routine and what its arguments are filled with.
    pub(super) fn entry(
        &mut self,
        entry: &'a EntryPoint,
        frame: u32,
    ) -> Result<(Routine, Builtins), Unsupported> {
        let routine = self.routine(None, &entry.function, frame)?;
        let mut builtins = Vec::new();
        for (argument, &slot) in entry.function.arguments.iter().zip(&routine.arguments) {
            match (&argument.binding, &self.module.types[argument.ty].inner) {
                (Some(Binding::BuiltIn(builtin)), _) => builtins.push((slot, *builtin)),
                (None, TypeInner::Struct { members, .. }) => {
                    let mut first = 0;
                    for member in members {
                        let columns = self
                            .shape(&self.module.types[member.ty].inner, Span::UNDEFINED)?
                            .columns;
                        let Some(Binding::BuiltIn(builtin)) = member.binding else {
                            return Err(self.unsupported("an input that is not built in", Span::UNDEFINED));
                        };
                        builtins.push((slot.part(first, columns), builtin));
                        first += columns;
                    }
                }
                _ => return Err(self.unsupported("an input that is not built in", Span::UNDEFINED)),
            }
        }
        Ok((routine, builtins))
    }

    /// A function's routine, its frame starting at that column.
    pub(super) fn routine(
        &mut self,
        which: Which,
        function: &'a Function,
        frame: u32,
    ) -> Result<Routine, Unsupported> {
        let info = match which {
            Some(handle) => &self.info[handle],
            None => self.info.get_entry_point(0),
        };
        let mut this = FunctionDecoder {
            decoder: self,
            function,
            info,
            slots: HashMap::new(),
            addresses: HashMap::new(),
            returns: None,
            top: frame,
            highest: frame,
            exits: Exits::default(),
        };
        let arguments = this.arguments()?;
        let result = match &function.result {
            Some(result) => {
                let shape = this.type_shape(result.ty)?;
                Some(this.push(shape.columns, Span::UNDEFINED)?)
            }
            None => None,
        };
        this.returns = result;
        let (variables, places) = this.variables(which)?;
        this.before_anything_runs(which, &arguments, &places)?;
        let body = this.block(&function.body)?;

        let end = this.highest;
        self.columns = self.columns.max(end);
        let mut callees = Vec::new();
        called(&function.body, &mut callees);
        for callee in callees {
            let start = self.frames.entry(callee).or_insert(end);
            *start = end.max(*start);
        }
        Ok(Routine {
            arguments,
            result,
            variables,
            body,
        })
    }
}

impl<'a> FunctionDecoder<'_, 'a> {
    pub(super) fn unsupported(&self, what: impl Into<String>, at: Handle<Expression>) -> Unsupported {
        self.decoder.unsupported(what, self.span(at))
    }

    pub(super) fn span(&self, at: Handle<Expression>) -> Span {
        self.function.expressions.get_span(at)
    }

    /// The type of an expression.
    pub(super) fn inner(&self, handle: Handle<Expression>) -> &'a TypeInner {
        let info: &'a FunctionInfo = self.info;
        info[handle].ty.inner_with(&self.decoder.module.types)
    }

    /// The scalar type that an expression's value is made of.
    pub(super) fn scalar(&self, handle: Handle<Expression>) -> Result<Scalar, Unsupported> {
        let inner = self.inner(handle);
        inner
            .scalar()
            .and_then(shape::scalar)
            .ok_or_else(|| self.unsupported(format!("arithmetic on {inner:?}"), handle))
    }

    /// The shape of an expression's value.
    pub(super) fn shape(&self, handle: Handle<Expression>) -> Result<Shape, Unsupported> {
        self.decoder.shape(self.inner(handle), self.span(handle))
    }

    fn type_shape(&self, ty: Handle<naga::Type>) -> Result<Shape, Unsupported> {
        self.decoder
            .shape(&self.decoder.module.types[ty].inner, Span::UNDEFINED)
    }

    /// New columns on top of the frame.
    pub(super) fn push(&mut self, columns: u32, span: Span) -> Result<Slot, Unsupported> {
        let start = self.top;
        self.top = start
            .checked_add(columns)
            .filter(|&end| u64::from(end) * 4 <= super::MOST_BYTES)
            .ok_or_else(|| {
                self.decoder
                    .unsupported("values beyond the interpreter's memory", span)
            })?;
        self.highest = self.highest.max(self.top);
        Ok(Slot { start, columns })
    }

    /// New columns for an expression's value.
    pub(super) fn result(&mut self, handle: Handle<Expression>) -> Result<Slot, Unsupported> {
        let columns = self.shape(handle)?.columns;
        let slot = self.push(columns, self.span(handle))?;
        self.slots.insert(handle, slot);
        Ok(slot)
    }

    /// Where an expression's value is.
    pub(super) fn slot(&self, handle: Handle<Expression>) -> Result<Slot, Unsupported> {
        self.slots
            .get(&handle)
            .copied()
            .ok_or_else(|| self.unsupported("an expression used before its evaluation", handle))
    }

    /// Pointers as arguments take one column: an address in columns.
    fn arguments(&mut self) -> Result<Vec<Slot>, Unsupported> {
        let mut slots = Vec::new();
        for argument in &self.function.arguments {
            let pointer = self.decoder.module.types[argument.ty]
                .inner
                .pointer_space()
                .is_some();
            let columns = if pointer {
                1
            } else {
                self.type_shape(argument.ty)?.columns
            };
            slots.push(self.push(columns, Span::UNDEFINED)?);
        }
        Ok(slots)
    }

    /// Places for the local variables, and what they start with.
    fn variables(
        &mut self,
        which: Which,
    ) -> Result<(Vec<Initial>, HashMap<Handle<LocalVariable>, Slot>), Unsupported> {
        let (mut initials, mut places) = (Vec::new(), HashMap::new());
        for (handle, variable) in self.function.local_variables.iter() {
            let shape = self.type_shape(variable.ty)?;
            let slot = self.push(shape.columns, self.function.local_variables.get_span(handle))?;
            let value = match variable.init {
                Some(init) => match self.decoder.known.get(&(which, init)) {
                    Some(&value) => Some(value),
                    None => return Err(self.unsupported("an initial value that is no constant", init)),
                },
                None => None,
            };
            initials.push(Initial {
                variable: slot,
                value,
            });
            places.insert(handle, slot);
        }
        Ok((initials, places))
    }

    /// Places for the expressions that no statement emits.
    fn before_anything_runs(
        &mut self,
        which: Which,
        arguments: &[Slot],
        variables: &HashMap<Handle<LocalVariable>, Slot>,
    ) -> Result<(), Unsupported> {
        let function = self.function;
        for (handle, expression) in function.expressions.iter() {
            if let Some(&slot) = self.decoder.known.get(&(which, handle)) {
                self.slots.insert(handle, slot);
                continue;
            }
            match *expression {
                Expression::FunctionArgument(n) => {
                    let slot = arguments[n as usize];
                    self.slots.insert(handle, slot);
                    if self.inner(handle).pointer_space().is_some() {
                        let address = Address {
                            space: Space::Columns,
                            fixed: 0,
                            varying: Some(slot),
                        };
                        self.addresses.insert(handle, address);
                    }
                }
                Expression::LocalVariable(variable) => {
                    let fixed = variables[&variable].start;
                    self.addresses.insert(
                        handle,
                        Address {
                            space: Space::Columns,
                            fixed,
                            varying: None,
                        },
                    );
                }
                Expression::GlobalVariable(variable) => {
                    if let Some(&address) = self.decoder.globals.get(&variable) {
                        self.addresses.insert(handle, address);
                    }
                }
                Expression::Override(_) => {
                    return Err(self.unsupported("an override without a value", handle));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A block; its values are gone afterwards.
    fn block(&mut self, block: &'a Block) -> Result<Vec<Step>, Unsupported> {
        let top = self.top;
        let steps = self.open_block(block)?;
        self.top = top;
        Ok(steps)
    }

    /// A block whose values stay.
    fn open_block(&mut self, block: &'a Block) -> Result<Vec<Step>, Unsupported> {
        let mut steps = Vec::new();
        for (statement, &span) in block.span_iter() {
            self.statement(statement, span, &mut steps)?;
        }
        Ok(steps)
    }

    fn statement(
        &mut self,
        statement: &'a Statement,
        span: Span,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        match *statement {
            Statement::Emit(ref range) => {
                for handle in range.clone() {
                    self.expression(handle, steps)?;
                }
            }
            Statement::Block(ref block) => {
                let inner = self.block(block)?;
                steps.extend(inner);
            }
            Statement::If {
                condition,
                ref accept,
                ref reject,
            } => {
                let condition = self.slot(condition)?;
                let (accept, reject) = (self.block(accept)?, self.block(reject)?);
                steps.push(Step::If {
                    condition,
                    accept,
                    reject,
                });
            }
            Statement::Switch { selector, ref cases } => {
                let outside = std::mem::take(&mut self.exits);
                let selector = self.slot(selector)?;
                let mut decoded = Vec::new();
                for case in cases {
                    let value = match case.value {
                        SwitchValue::I32(value) => Some(value as u32),
                        SwitchValue::U32(value) => Some(value),
                        SwitchValue::Default => None,
                    };
                    let body = self.block(&case.body)?;
                    decoded.push(Case {
                        value,
                        body,
                        fall_through: case.fall_through,
                    });
                }
                let exits = self.exits;
                self.exits.returns |= outside.returns;
                self.exits.continues |= outside.continues;
                steps.push(Step::Switch {
                    selector,
                    cases: decoded,
                    exits,
                });
            }
            Statement::Loop {
                ref body,
                ref continuing,
                break_if,
            } => {
                let outside = std::mem::take(&mut self.exits);
                let top = self.top;
                // The continuing block and the condition see the values of the body.
                let (body, continuing) = (self.open_block(body)?, self.open_block(continuing)?);
                let break_if = break_if.map(|condition| self.slot(condition)).transpose()?;
                self.top = top;
                let exits = self.exits;
                self.exits = Exits {
                    returns: exits.returns | outside.returns,
                    ..outside
                };
                steps.push(Step::Loop {
                    body,
                    continuing,
                    break_if,
                    exits,
                });
            }
            Statement::Break => steps.push(Step::Break),
            Statement::Continue => {
                self.exits.continues = true;
                steps.push(Step::Continue);
            }
            Statement::Return { value } => {
                self.exits.returns = true;
                if let (Some(value), Some(result)) = (value, self.returns) {
                    let address = Address {
                        space: Space::Columns,
                        fixed: result.start,
                        varying: None,
                    };
                    let (value, leaves) = (self.slot(value)?, self.shape(value)?.leaves);
                    steps.push(Step::Store {
                        address,
                        value,
                        leaves,
                        atomic: false,
                    });
                }
                steps.push(Step::Return);
            }
            Statement::ControlBarrier(flags) => steps.push(if flags.contains(Barrier::SUB_GROUP) {
                Step::SubgroupBarrier { span }
            } else {
                Step::Barrier { span }
            }),
            // In lockstep every access of a statement is done before the next one.
            Statement::MemoryBarrier(_) => {}
            Statement::Store { pointer, value } => {
                let atomic = matches!(self.pointee(pointer)?, TypeInner::Atomic(_));
                let address = self.address(pointer)?;
                let (value, leaves) = (self.slot(value)?, self.shape(value)?.leaves);
                steps.push(Step::Store {
                    address,
                    value,
                    leaves,
                    atomic,
                });
            }
            Statement::Atomic {
                pointer,
                ref fun,
                value,
                result,
            } => {
                self.atomic(pointer, fun, value, result, steps)?;
            }
            Statement::WorkGroupUniformLoad { pointer, result } => {
                let atomic = matches!(self.pointee(pointer)?, TypeInner::Atomic(_));
                let address = self.address(pointer)?;
                let leaves = self.shape(result)?.leaves;
                let out = self.result(result)?;
                steps.push(Step::UniformLoad {
                    out,
                    address,
                    leaves,
                    atomic,
                    span,
                });
            }
            Statement::Call {
                function,
                ref arguments,
                result,
            } => {
                let mut slots = Vec::new();
                for &argument in arguments {
                    slots.push(self.argument(argument, steps)?);
                }
                let out = result.map(|result| self.result(result)).transpose()?;
                steps.push(Step::Call {
                    function: function.index(),
                    arguments: slots,
                    out,
                });
            }
            Statement::SubgroupBallot { result, predicate } => {
                let operands = predicate.map(|p| self.slot(p)).transpose()?.unwrap_or_default();
                self.subgroup(
                    subgroup::ballot(predicate.is_some()),
                    result,
                    [operands, Slot::default()],
                    steps,
                )?;
            }
            Statement::SubgroupGather {
                mode,
                argument,
                result,
            } => {
                let (function, index) = subgroup::gather(mode, self.scalar(argument)?);
                let index = index
                    .map(|index| self.slot(index))
                    .transpose()?
                    .unwrap_or_default();
                let argument = self.slot(argument)?;
                self.subgroup(function, result, [argument, index], steps)?;
            }
            Statement::SubgroupCollectiveOperation {
                op,
                collective_op,
                argument,
                result,
            } => {
                let scalar = self.scalar(argument)?;
                let Some(function) = subgroup::collective(op, collective_op, scalar) else {
                    let what = format!("the subgroup operation {collective_op:?} {op:?} on {scalar}");
                    return Err(self.decoder.unsupported(what, span));
                };
                let argument = self.slot(argument)?;
                self.subgroup(function, result, [argument, Slot::default()], steps)?;
            }
            Statement::Kill
            | Statement::ImageStore { .. }
            | Statement::ImageAtomic { .. }
            | Statement::RayQuery { .. }
            | Statement::RayPipelineFunction(_)
            | Statement::CooperativeStore { .. } => {
                let text = format!("{statement:?}");
                let name = text.split([' ', '(', '{']).next().unwrap_or_default();
                return Err(self.decoder.unsupported(format!("the statement {name}"), span));
            }
        }
        Ok(())
    }

    /// An argument's value; a pointer becomes an address in columns.
    fn argument(&mut self, argument: Handle<Expression>, steps: &mut Vec<Step>) -> Result<Slot, Unsupported> {
        if self.inner(argument).pointer_space().is_none() {
            return self.slot(argument);
        }
        let address = self.address(argument)?;
        if address.space != Space::Columns {
            return Err(self.unsupported(
                "a pointer to workgroup memory or a binding as an argument",
                argument,
            ));
        }
        let out = self.push(1, self.span(argument))?;
        steps.push(Step::Pointer { out, address });
        Ok(out)
    }

    fn atomic(
        &mut self,
        pointer: Handle<Expression>,
        fun: &AtomicFunction,
        value: Handle<Expression>,
        result: Option<Handle<Expression>>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let function = match *fun {
            AtomicFunction::Add => Atomic::Add,
            AtomicFunction::Subtract => Atomic::Subtract,
            AtomicFunction::And => Atomic::And,
            AtomicFunction::ExclusiveOr => Atomic::ExclusiveOr,
            AtomicFunction::InclusiveOr => Atomic::InclusiveOr,
            AtomicFunction::Min => Atomic::Min,
            AtomicFunction::Max => Atomic::Max,
            AtomicFunction::Exchange { compare: None } => Atomic::Exchange,
            AtomicFunction::Exchange {
                compare: Some(compare),
            } => Atomic::CompareExchange(self.slot(compare)?),
        };
        let address = self.address(pointer)?;
        let leaf = self.shape(value)?.leaves[0];
        let value = self.slot(value)?;
        let out = result.map(|result| self.result(result)).transpose()?;
        steps.push(Step::Atomic {
            out,
            address,
            value,
            leaf,
            function,
        });
        Ok(())
    }

    fn subgroup(
        &mut self,
        function: crate::column::Function,
        result: Handle<Expression>,
        [a, b]: [Slot; 2],
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let out = self.result(result)?;
        steps.push(Step::Map {
            function,
            out,
            operands: super::pointer::operands([a, b]),
            dims: [0; 3],
        });
        Ok(())
    }
}

/// The functions that a block calls.
fn called(block: &Block, found: &mut Vec<Handle<Function>>) {
    for statement in block.iter() {
        match statement {
            Statement::Call { function, .. } => found.push(*function),
            Statement::Block(block) => called(block, found),
            Statement::If { accept, reject, .. } => {
                called(accept, found);
                called(reject, found);
            }
            Statement::Switch { cases, .. } => cases.iter().for_each(|case| called(&case.body, found)),
            Statement::Loop { body, continuing, .. } => {
                called(body, found);
                called(continuing, found);
            }
            _ => {}
        }
    }
}
