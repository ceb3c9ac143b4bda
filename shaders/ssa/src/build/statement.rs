//! Statements that hold no others.
//!
//! Knows nothing of blocks; those are `flow`'s business.

use super::Builder;
use super::draft::Node;
use super::frame::Returns;
use super::memory::Access;
use super::pointer::{At, Pointer};
use super::types::Ty;
use crate::ir::{Atomic, Barrier, Binary, Compare, Op, Place, Value};
use crate::unsupported::Unsupported;
use naga::{AtomicFunction, Expression, Handle, Statement};
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    #[inline(never)]
    pub(super) fn statement(&mut self, statement: &'a Statement) -> Result<(), Unsupported> {
        match *statement {
            Statement::Emit(ref range) => {
                for handle in range.clone() {
                    self.expression(handle)?;
                }
            }
            Statement::Break => {
                let target = self.frame.breaks.last().copied();
                self.leave_to(target)?;
            }
            Statement::Continue => {
                let target = self.frame.continues.last().copied();
                self.leave_to(target)?;
            }
            Statement::Return { value } => self.return_value(value)?,
            Statement::ControlBarrier(flags) => {
                let kind = if flags.contains(naga::Barrier::SUB_GROUP) {
                    Barrier::Subgroup
                } else if flags.contains(naga::Barrier::WORK_GROUP) {
                    Barrier::Workgroup
                } else {
                    Barrier::Storage
                };
                self.barrier(kind);
            }
            // Orders memory only, which every statement does.
            Statement::MemoryBarrier(_) => {}
            Statement::Store { pointer, value } => {
                let pointer = self.pointer(pointer)?;
                self.store_expression(&pointer, value)?;
            }
            Statement::Atomic { pointer, ref fun, value, result } => {
                self.atomic(pointer, fun, value, result)?;
            }
            Statement::WorkGroupUniformLoad { pointer, result } => {
                let pointer = self.pointer(pointer)?;
                self.barrier(Barrier::Workgroup);
                self.load_expression(result, &pointer, Access::Uniform)?;
                self.barrier(Barrier::Workgroup);
            }
            Statement::SubgroupBallot { result, predicate } => self.ballot(result, predicate)?,
            Statement::SubgroupGather { mode, argument, result } => self.gather(mode, argument, result)?,
            Statement::SubgroupCollectiveOperation { op, collective_op, argument, result } => {
                self.collective(op, collective_op, argument, result)?;
            }
            // `flow` has them.
            Statement::Block(_)
            | Statement::If { .. }
            | Statement::Switch { .. }
            | Statement::Loop { .. }
            | Statement::Call { .. } => {}
            Statement::Kill
            | Statement::ImageStore { .. }
            | Statement::ImageAtomic { .. }
            | Statement::RayQuery { .. }
            | Statement::RayPipelineFunction(_)
            | Statement::CooperativeStore { .. } => {
                let text = format!("{statement:?}");
                let name = text.split([' ', '(', '{']).next().unwrap_or_default();
                return Err(self.unsupported(format!("the statement {name}")));
            }
        }
        Ok(())
    }

    fn barrier(&mut self, kind: Barrier) {
        self.list.push(Node::Barrier { kind, mark: self.mark });
    }

    fn leave_to(&mut self, target: Option<usize>) -> Result<(), Unsupported> {
        match target {
            Some(target) => {
                self.branch_to(target);
                Ok(())
            }
            None => Err(self.unsupported("a `break` or `continue` outside of loops")),
        }
    }

    fn return_value(&mut self, value: Option<Handle<Expression>>) -> Result<(), Unsupported> {
        match self.frame.returns {
            Returns::Kernel => {
                self.list.push(Node::Return);
                self.live = false;
            }
            Returns::Caller { pointer } => {
                if let (Some(value), Some(pointer)) = (value, pointer) {
                    let pointer = self.pointers[pointer as usize].clone();
                    self.store_expression(&pointer, value)?;
                }
                self.list.push(Node::Return);
                self.live = false;
            }
            Returns::Slots { target, first, count } => {
                if let Some(value) = value {
                    let parts = self.parts(value)?;
                    if parts.len() != count as usize {
                        return Err(self.unsupported("a result of another type"));
                    }
                    self.slots[first as usize..(first + count) as usize].copy_from_slice(&parts);
                }
                self.branch_to(target);
            }
            Returns::Stored { target, pointer } => {
                if let Some(value) = value {
                    let pointer = self.pointers[pointer as usize].clone();
                    self.store_expression(&pointer, value)?;
                }
                self.branch_to(target);
            }
        }
        Ok(())
    }

    fn atomic(
        &mut self,
        pointer: Handle<Expression>,
        fun: &AtomicFunction,
        value: Handle<Expression>,
        result: Option<Handle<Expression>>,
    ) -> Result<(), Unsupported> {
        let pointer = self.pointer(pointer)?;
        let place = self.atomic_place(&pointer)?;
        let ty = place.ty;
        let value = self.scalar(value)?;
        let parts: Vec<Value> = match *fun {
            AtomicFunction::Exchange { compare: Some(compare) } => {
                let compare = self.scalar(compare)?;
                let inside = self.in_bounds(&place);
                let old = self.define(ty, Op::CompareExchange(place, compare, value));
                let bits = match ty {
                    Scalar::F32 => Scalar::U32,
                    Scalar::F64 => Scalar::U64,
                    other => other,
                };
                let (left, right) = (self.bitcast(bits, old), self.bitcast(bits, compare));
                let same = self.compare(Compare::Equal, left, right);
                vec![old, self.binary(Binary::And, same, inside)]
            }
            ref other => {
                let op = match other {
                    AtomicFunction::Add => Atomic::Add,
                    AtomicFunction::Subtract => Atomic::Subtract,
                    AtomicFunction::And => Atomic::And,
                    AtomicFunction::ExclusiveOr => Atomic::Xor,
                    AtomicFunction::InclusiveOr => Atomic::Or,
                    AtomicFunction::Min => Atomic::Min,
                    AtomicFunction::Max => Atomic::Max,
                    AtomicFunction::Exchange { .. } => Atomic::Exchange,
                };
                vec![self.define(ty, Op::Atomic(op, place, value))]
            }
        };
        if let Some(result) = result {
            self.set(result, &parts);
        }
        Ok(())
    }

    fn atomic_place(&self, pointer: &Pointer) -> Result<Place, Unsupported> {
        match (&pointer.at, pointer.ty) {
            (&At::Memory { root, offset, ref indices, .. }, Ty::Atomic(ty) | Ty::Scalar(ty)) => {
                Ok(Self::place(root, offset, indices, ty))
            }
            _ => Err(self.unsupported("an atomic operation on something that is no atomic")),
        }
    }
}
