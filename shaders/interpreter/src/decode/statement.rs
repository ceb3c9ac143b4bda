//! Statements that hold no others: one step each, after those of their operands.
//!
//! Knows nothing of blocks; those are `flow`'s business.

use super::function::FunctionDecoder;
use super::pointer::operands;
use crate::column::Function;
use crate::fault::Unsupported;
use crate::step::{Address, Atomic, Slot, Space, Step};
use crate::subgroup;
use naga::{AtomicFunction, Barrier, Expression, Handle, Span, Statement, TypeInner};

impl FunctionDecoder<'_, '_> {
    pub(super) fn statement(
        &mut self,
        statement: &Statement,
        span: Span,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        match *statement {
            Statement::Emit(ref range) => {
                for handle in range.clone() {
                    self.expression(handle, steps)?;
                }
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
            // Control flow is `flow`'s business.
            Statement::Block(_)
            | Statement::If { .. }
            | Statement::Switch { .. }
            | Statement::Loop { .. } => {}
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
