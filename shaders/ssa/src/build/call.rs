//! Functions: the entry point's inputs, and calls, whose bodies stand where they are called unless there are too many.

use super::effects::Effects;
use super::frame::{Frame, Known, Returns};
use super::types::Rules;
use super::{Builder, MOST_LEAVES};
use crate::ir::{Builtin, Value};
use crate::unsupported::Unsupported;
use naga::{Binding, BuiltIn, EntryPoint, Expression, Function, Handle, TypeInner};
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    /// The whole kernel.
    pub(super) fn entry(&mut self, entry: &'a EntryPoint, effects: &Effects) -> Result<(), Unsupported> {
        self.make_globals(effects)?;
        for argument in &entry.function.arguments {
            let mut parts = Vec::new();
            match (&argument.binding, &self.module.types[argument.ty].inner) {
                (Some(Binding::BuiltIn(builtin)), _) => self.input(*builtin, entry, &mut parts)?,
                (None, TypeInner::Struct { members, .. }) => {
                    for member in members {
                        let Some(Binding::BuiltIn(builtin)) = member.binding else {
                            return Err(self.unsupported("an input that is not built in"));
                        };
                        self.input(builtin, entry, &mut parts)?;
                    }
                }
                _ => return Err(self.unsupported("an input that is not built in")),
            }
            let first = self.pool.len() as u32;
            self.pool.extend_from_slice(&parts);
            self.frame.arguments.push(Known::Parts { first, count: parts.len() as u32 });
        }
        self.make_locals(effects)?;
        self.block(&entry.function.body)?;
        Ok(())
    }

    /// The parts of a built-in input.
    fn input(
        &mut self,
        builtin: BuiltIn,
        entry: &EntryPoint,
        parts: &mut Vec<Value>,
    ) -> Result<(), Unsupported> {
        let vector: fn(u8) -> Builtin = match builtin {
            BuiltIn::GlobalInvocationId => Builtin::GlobalId,
            BuiltIn::LocalInvocationId => Builtin::LocalId,
            BuiltIn::WorkGroupId => Builtin::WorkgroupId,
            BuiltIn::NumWorkGroups => Builtin::NumWorkgroups,
            BuiltIn::WorkGroupSize => {
                for size in entry.workgroup_size {
                    let size = self.u32(size);
                    parts.push(size);
                }
                return Ok(());
            }
            BuiltIn::LocalInvocationIndex => |_| Builtin::LocalIndex,
            BuiltIn::NumSubgroups => |_| Builtin::NumSubgroups,
            BuiltIn::SubgroupId => |_| Builtin::SubgroupId,
            BuiltIn::SubgroupSize => |_| Builtin::SubgroupSize,
            BuiltIn::SubgroupInvocationId => |_| Builtin::SubgroupInvocationId,
            other => return Err(self.unsupported(format!("the input {other:?}"))),
        };
        let axes = if matches!(vector(0), Builtin::GlobalId(_) | Builtin::LocalId(_))
            || matches!(vector(0), Builtin::WorkgroupId(_) | Builtin::NumWorkgroups(_))
        {
            3
        } else {
            1
        };
        for axis in 0..axes {
            // Along an axis of one invocation or less there is nothing to choose.
            let alone =
                matches!(vector(axis), Builtin::LocalId(axis) if entry.workgroup_size[axis as usize] == 1);
            let value = if alone { self.zero(Scalar::U32) } else { self.builtin(vector(axis)) };
            parts.push(value);
        }
        Ok(())
    }

    /// A call: as a rule, the function's code comes here.
    pub(super) fn call(
        &mut self,
        handle: Handle<Function>,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) -> Result<(), Unsupported> {
        if self.outlined.get(handle.index()).is_some_and(|&outlined| outlined) {
            return self.call_outside(handle, arguments, result);
        }
        let function = &self.module.functions[handle];
        let (slots, locals, mark) = (self.slots.len(), self.locals.len(), self.mark);
        let frame = self.prepare(handle, function, arguments)?;
        let caller = std::mem::replace(&mut self.frame, frame);
        self.calls += 1;
        self.open_function(handle, function)?;
        self.block(&function.body)?;
        self.close_block();
        self.calls -= 1;
        let callee = std::mem::replace(&mut self.frame, caller);
        self.mark = mark;
        if let Some(result) = result {
            match callee.returns {
                Returns::Slots { first, count, .. } => {
                    let parts = self.slots[first as usize..(first + count) as usize].to_vec();
                    self.set(result, &parts);
                }
                Returns::Stored { pointer, .. } => {
                    self.frame.known[result.index()] = Known::Stored(pointer);
                }
                Returns::Kernel | Returns::Caller { .. } => {}
            }
        }
        self.forget(slots, locals);
        Ok(())
    }

    /// The callee's frame, with its arguments.
    #[inline(never)]
    fn prepare(
        &mut self,
        handle: Handle<Function>,
        function: &'a Function,
        arguments: &[Handle<Expression>],
    ) -> Result<Frame<'a>, Unsupported> {
        let mut frame = Frame::new(function, &self.info[handle], handle.index());
        frame.outermost_call = Some(self.frame.outermost_call.unwrap_or(self.mark));
        for &argument in arguments {
            let known = if self.is_pointer(argument) {
                let pointer = self.pointer(argument)?;
                self.pointers.push(pointer);
                Known::Pointer(self.pointers.len() as u32 - 1)
            } else {
                if self.resolved(argument) == Known::No {
                    self.parts(argument)?;
                }
                self.resolved(argument)
            };
            frame.arguments.push(known);
        }
        Ok(frame)
    }

    /// A place for the result, the block that `return` leaves, and the callee's variables.
    #[inline(never)]
    fn open_function(&mut self, handle: Handle<Function>, function: &'a Function) -> Result<(), Unsupported> {
        let result = match &function.result {
            Some(result) => match self.types.of(result.ty) {
                Some(ty) => Some(ty),
                None => return Err(self.unsupported("a result of a type that is no value")),
            },
            None => None,
        };
        let first = self.slots.len() as u32;
        self.frame.returns = match result {
            Some(ty) if self.types.leaves(ty) > MOST_LEAVES => {
                let pointer = self.temporary("result", ty)?;
                self.pointers.push(pointer);
                let pointer = self.pointers.len() as u32 - 1;
                Returns::Stored { target: self.open_block(Vec::new()), pointer }
            }
            Some(ty) => {
                let mut leaves = Vec::new();
                self.types.flatten(ty, Rules::Variable, 0, &mut leaves);
                let count = leaves.len() as u32;
                for (_, ty) in leaves {
                    let zero = self.zero(ty);
                    self.slots.push(zero);
                }
                Returns::Slots { target: self.open_block(Vec::new()), first, count }
            }
            None => Returns::Slots { target: self.open_block(Vec::new()), first, count: 0 },
        };
        let effects = self.effects.of_function(handle).clone();
        self.make_locals(&effects)
    }
}
