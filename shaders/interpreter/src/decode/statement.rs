//! Statements: control flow as nested steps, everything else as one step each.
//!
//! Values live as long as the block that computes them.

use super::function::FunctionDecoder;
use super::pointer::operands;
use crate::column::Function;
use crate::fault::Unsupported;
use crate::step::{Address, Atomic, Case, Exits, Slot, Space, Step};
use crate::subgroup;
use naga::{AtomicFunction, Barrier, Block, Expression, Handle, Span, Statement, SwitchValue, TypeInner};

impl<'a> FunctionDecoder<'_, 'a> {
    /// A block; its values are gone afterwards.
    pub(super) fn block(&mut self, block: &'a Block) -> Result<Vec<Step>, Unsupported> {
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
            Statement::If { condition, ref accept, ref reject } => {
                let condition = self.slot(condition)?;
                let (accept, reject) = (self.block(accept)?, self.block(reject)?);
                steps.push(Step::If { condition, accept, reject });
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
                    decoded.push(Case { value, body, fall_through: case.fall_through });
                }
                let exits = self.exits;
                self.exits.returns |= outside.returns;
                self.exits.continues |= outside.continues;
                steps.push(Step::Switch { selector, cases: decoded, exits });
            }
            Statement::Loop { ref body, ref continuing, break_if } => {
                let outside = std::mem::take(&mut self.exits);
                let top = self.top;
                // The continuing block and the condition see the values of the body.
                let (body, continuing) = (self.open_block(body)?, self.open_block(continuing)?);
                let break_if = break_if.map(|condition| self.slot(condition)).transpose()?;
                self.top = top;
                let exits = self.exits;
                self.exits = Exits { returns: exits.returns | outside.returns, ..outside };
                steps.push(Step::Loop { body, continuing, break_if, exits });
            }
            Statement::Break => steps.push(Step::Break),
            Statement::Continue => {
                self.exits.continues = true;
                steps.push(Step::Continue);
            }
            Statement::Return { value } => {
                self.exits.returns = true;
                if let (Some(value), Some(result)) = (value, self.returns) {
                    let address = Address { space: Space::Columns, fixed: result.start, varying: None };
                    let (value, leaves) = (self.slot(value)?, self.shape(value)?.leaves);
                    steps.push(Step::Store { address, value, leaves, atomic: false });
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
                steps.push(Step::Store { address, value, leaves, atomic });
            }
            Statement::Atomic { pointer, ref fun, value, result } => {
                self.atomic(pointer, fun, value, result, steps)?;
            }
            Statement::WorkGroupUniformLoad { pointer, result } => {
                let atomic = matches!(self.pointee(pointer)?, TypeInner::Atomic(_));
                let address = self.address(pointer)?;
                let leaves = self.shape(result)?.leaves;
                let out = self.result(result)?;
                steps.push(Step::UniformLoad { out, address, leaves, atomic, span });
            }
            Statement::Call { function, ref arguments, result } => {
                let mut slots = Vec::new();
                for &argument in arguments {
                    slots.push(self.argument(argument, steps)?);
                }
                let out = result.map(|result| self.result(result)).transpose()?;
                steps.push(Step::Call { function: function.index(), arguments: slots, out });
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
            Statement::SubgroupGather { mode, argument, result } => {
                let (function, index) = subgroup::gather(mode, self.scalar(argument)?);
                let index = index.map(|index| self.slot(index)).transpose()?.unwrap_or_default();
                let argument = self.slot(argument)?;
                self.subgroup(function, result, [argument, index], steps)?;
            }
            Statement::SubgroupCollectiveOperation { op, collective_op, argument, result } => {
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
            return Err(
                self.unsupported("a pointer to workgroup memory or a binding as an argument", argument)
            );
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
            AtomicFunction::Exchange { compare: Some(compare) } => {
                Atomic::CompareExchange(self.slot(compare)?)
            }
        };
        let address = self.address(pointer)?;
        let leaf = self.shape(value)?.leaves[0];
        let value = self.slot(value)?;
        let out = result.map(|result| self.result(result)).transpose()?;
        steps.push(Step::Atomic { out, address, value, leaf, function });
        Ok(())
    }

    fn subgroup(
        &mut self,
        function: Function,
        result: Handle<Expression>,
        [a, b]: [Slot; 2],
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let out = self.result(result)?;
        steps.push(Step::Map { function, out, operands: operands([a, b]), dims: [0; 3] });
        Ok(())
    }
}
