//! Pointers: where they lead, as far as that is known, and the indices that are not.
//!
//! Knows places, not what is read or written there (see `memory`).

use super::Builder;
use super::effects::pointee;
use super::frame::Known;
use super::types::{Rules, Ty};
use crate::ir::{Binary, Compare, Index, Limit, Place, Root, Value};
use crate::unsupported::Unsupported;
use naga::{Expression, Handle};
use warpweft_module::Scalar;

/// Where something lies.
#[derive(Clone, Debug)]
pub(super) struct Pointer {
    /// What lies there.
    pub ty: Ty,
    pub at: At,
}

/// The place of a pointer.
#[derive(Clone, Debug)]
pub(super) enum At {
    /// In slots, or partly in slots: from that leaf on, which `byte` bytes precede.
    Local { local: u32, leaf: u32, byte: u32, picks: Vec<Pick> },
    /// In memory.
    Memory { root: Root, rules: Rules, offset: u32, indices: Vec<Index> },
}

/// An index into a vector or matrix in slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    /// A `u32`.
    pub index: Value,
    /// How many elements there are.
    pub count: u32,
    /// Leaves from one to the next.
    pub stride: u32,
}

impl<'a> Builder<'a> {
    /// The pointer that an expression is.
    pub(super) fn pointer(&mut self, handle: Handle<Expression>) -> Result<Pointer, Unsupported> {
        if let Known::Pointer(pointer) = self.frame.known[handle.index()] {
            return Ok(self.pointers[pointer as usize].clone());
        }
        let function = self.frame.function;
        match function.expressions[handle] {
            Expression::LocalVariable(variable) => {
                Ok(self.local_pointer(self.frame.locals[variable.index()]))
            }
            Expression::GlobalVariable(variable) => match self.globals.get(&variable) {
                Some(pointer) => Ok(pointer.clone()),
                None => Err(self.unsupported("a pointer to something that is no memory")),
            },
            Expression::FunctionArgument(n) => match self.frame.arguments.get(n as usize) {
                Some(&Known::Pointer(pointer)) => Ok(self.pointers[pointer as usize].clone()),
                _ => Err(self.unsupported("a pointer that is not made of variables and indices")),
            },
            _ => Err(self.unsupported("a pointer that is not made of variables and indices")),
        }
    }

    /// The expression is a pointer.
    pub(super) fn is_pointer(&self, handle: Handle<Expression>) -> bool {
        let inner = self.frame.info[handle].ty.inner_with(&self.module.types);
        inner.pointer_space().is_some() && pointee(&self.types, inner).is_some()
    }

    /// As memory where all of it is.
    pub(super) fn settled(&self, pointer: Pointer) -> Pointer {
        let At::Local { local, leaf, byte, ref picks } = pointer.at else { return pointer };
        if !picks.is_empty() {
            return pointer;
        }
        let local = &self.locals[local as usize];
        let leaves = self.types.leaves(pointer.ty);
        match local.stored(leaf) {
            Some(part) if u64::from(leaf - part.first) + leaves <= u64::from(part.count) => {
                let at = At::Memory {
                    root: Root::Variable(part.variable),
                    rules: Rules::Variable,
                    offset: byte - part.byte,
                    indices: Vec::new(),
                };
                Pointer { ty: pointer.ty, at }
            }
            _ => pointer,
        }
    }

    /// Member or element `n` behind a pointer.
    pub(super) fn child(&mut self, base: &Pointer, n: u32) -> Result<Pointer, Unsupported> {
        match base.at {
            At::Memory { root, rules, offset, ref indices } => {
                let elements = self.types.elements(base.ty, rules);
                if let Some(elements) = elements
                    && elements.count.is_none()
                {
                    let value = self.u32(n);
                    return Ok(self.indexed(base, value, elements.ty, elements.bytes, None));
                }
                let Some(child) = self.types.child(base.ty, n, rules) else {
                    return Err(self.unsupported("an index beyond the value"));
                };
                let Some(offset) = offset.checked_add(child.byte) else {
                    return Err(self.unsupported("an offset beyond 4 GiB"));
                };
                Ok(Pointer { ty: child.ty, at: At::Memory { root, rules, offset, indices: indices.clone() } })
            }
            At::Local { local, leaf, byte, ref picks } => {
                let Some(child) = self.types.child(base.ty, n, Rules::Variable) else {
                    return Err(self.unsupported("an index beyond the value"));
                };
                let (leaf, byte) = (leaf + child.leaf, byte + child.byte);
                let at = At::Local { local, leaf, byte, picks: picks.clone() };
                Ok(self.settled(Pointer { ty: child.ty, at }))
            }
        }
    }

    /// The element behind a pointer that an index (`u32`) chooses.
    pub(super) fn element(&mut self, base: &Pointer, index: Value) -> Result<Pointer, Unsupported> {
        let rules = match base.at {
            At::Memory { rules, .. } => rules,
            At::Local { .. } => Rules::Variable,
        };
        let Some(elements) = self.types.elements(base.ty, rules) else {
            return Err(self.unsupported("an index into something without elements"));
        };
        if let (Some(n), Some(count)) = (self.known(index), elements.count)
            && n < u64::from(count)
        {
            return self.child(base, n as u32);
        }
        match base.at {
            At::Memory { .. } => Ok(self.indexed(base, index, elements.ty, elements.bytes, elements.count)),
            At::Local { local, leaf, byte, ref picks } => {
                let Some(count) = elements.count else {
                    return Err(self.unsupported("a runtime-sized array outside of bindings"));
                };
                let mut picks = picks.clone();
                picks.push(Pick { index, count, stride: elements.leaves });
                Ok(Pointer { ty: elements.ty, at: At::Local { local, leaf, byte, picks } })
            }
        }
    }

    /// A pointer into memory with one more index.
    fn indexed(&self, base: &Pointer, value: Value, ty: Ty, stride: u32, count: Option<u32>) -> Pointer {
        let mut at = base.at.clone();
        if let At::Memory { offset, ref mut indices, .. } = at {
            // Only structs lie between a binding's start and its runtime-sized array, so the offset is all there is.
            let limit = count.map_or(Limit::Runtime { offset }, Limit::Fixed);
            indices.push(Index { value, stride, limit });
        }
        Pointer { ty, at }
    }

    /// An index expression as a `u32`; what no array has, where it does not fit.
    pub(super) fn index(&mut self, handle: Handle<Expression>) -> Result<Value, Unsupported> {
        let value = self.scalar(handle)?;
        Ok(match self.ty(value) {
            Scalar::I64 | Scalar::U64 => {
                let wide = self.bitcast(Scalar::U64, value);
                let end = self.constant(Scalar::U64, 1 << 32);
                let fits = self.compare(Compare::Less, wide, end);
                let (narrow, beyond) = (self.convert(Scalar::U32, wide), self.u32(u32::MAX));
                self.select(fits, narrow, beyond)
            }
            Scalar::I16 => {
                let wide = self.convert(Scalar::I32, value);
                self.bitcast(Scalar::U32, wide)
            }
            _ => self.convert(Scalar::U32, value),
        })
    }

    /// The place of a scalar in memory, `byte` bytes behind the pointer.
    pub(super) fn place(root: Root, offset: u32, indices: &[Index], ty: Scalar) -> Place {
        Place { root, offset, indices: indices.into(), ty }
    }

    /// Every index of a place is below its limit.
    pub(super) fn in_bounds(&mut self, place: &Place) -> Value {
        let mut inside = self.bool(true);
        for index in &place.indices {
            let limit = match (index.limit, place.root) {
                (Limit::Fixed(count), _) => self.u32(count),
                (Limit::Runtime { offset }, Root::Binding(binding)) => {
                    self.length(binding, offset, index.stride)
                }
                (Limit::Runtime { .. }, Root::Variable(_)) => self.u32(0),
            };
            let below = self.compare(Compare::Less, index.value, limit);
            inside = self.binary(Binary::And, inside, below);
        }
        inside
    }
}

impl Pointer {
    /// The values that it depends on.
    pub(super) fn values(&self) -> impl Iterator<Item = Value> + '_ {
        let (picks, indices) = match &self.at {
            At::Local { picks, .. } => (&picks[..], &[][..]),
            At::Memory { indices, .. } => (&[][..], &indices[..]),
        };
        picks.iter().map(|pick| pick.index).chain(indices.iter().map(|index| index.value))
    }

    /// The same with other values.
    pub(super) fn with_values(&self, values: &[Value]) -> Pointer {
        let mut pointer = self.clone();
        match &mut pointer.at {
            At::Local { picks, .. } => {
                picks.iter_mut().zip(values).for_each(|(pick, &value)| pick.index = value);
            }
            At::Memory { indices, .. } => {
                indices.iter_mut().zip(values).for_each(|(index, &value)| index.value = value);
            }
        }
        pointer
    }
}
