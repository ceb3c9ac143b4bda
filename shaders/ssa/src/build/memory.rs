//! Reading and writing behind pointers: scalars one by one, or, where there are many, in loops.
//!
//! Slots are read and written at once; memory by loads and stores. Knows pointers, not expressions' operations.

use super::draft::Node;
use super::pointer::{At, Pick, Pointer};
use super::types::{Rules, Ty};
use super::{Builder, MOST_LEAVES, Parts};
use crate::ir::{Binary, Compare, Op, Root, Value};
use crate::unsupported::Unsupported;
use naga::{Expression, Handle};
use warpweft_module::Scalar;

use super::frame::Known;

/// How memory is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Access {
    Plain,
    /// `workgroupUniformLoad`.
    Uniform,
}

/// What is done to a child, and to the other composite's.
type ForChild<'a, 'f> =
    dyn FnMut(&mut Builder<'a>, &Pointer, Option<&Pointer>) -> Result<(), Unsupported> + 'f;

impl<'a> Builder<'a> {
    /// The parts of what lies behind a pointer.
    pub(super) fn load_parts(&mut self, from: &Pointer, access: Access) -> Result<Parts, Unsupported> {
        let mut parts = Parts::new();
        self.append_load(from, access, &mut parts)?;
        Ok(parts)
    }

    fn append_load(&mut self, from: &Pointer, access: Access, parts: &mut Parts) -> Result<(), Unsupported> {
        match from.at {
            At::Memory { root, rules, offset, ref indices } => {
                let atomic = matches!(from.ty, Ty::Atomic(_));
                let mut leaves = Vec::new();
                self.types.flatten(from.ty, rules, offset, &mut leaves);
                for (offset, ty) in leaves {
                    self.step()?;
                    let place = Self::place(root, offset, indices, ty);
                    parts.push(if atomic || access == Access::Uniform {
                        self.define(ty, Op::Load { place, atomic, uniform: access == Access::Uniform })
                    } else {
                        self.load(place)
                    });
                }
            }
            At::Local { local, leaf, ref picks, .. } if !picks.is_empty() => {
                let local = &self.locals[local as usize];
                for part in 0..self.types.leaves(from.ty) as u32 {
                    let first = local.slot(leaf + part);
                    parts.push(Value(first as u32));
                }
                let (picks, start) = (picks.clone(), parts.len() - self.types.leaves(from.ty) as usize);
                for part in &mut parts[start..] {
                    *part = self.picked(part.0 as usize, &picks);
                }
            }
            At::Local { local, leaf, .. } => {
                let whole = &self.locals[local as usize];
                if whole.stored.is_empty() {
                    let first = whole.slot(leaf);
                    parts.extend_from_slice(&self.slots[first..first + self.types.leaves(from.ty) as usize]);
                } else if self.types.leaves(from.ty) == 1 && self.types.children(from.ty) == Some(0) {
                    parts.push(self.slots[whole.slot(leaf)]);
                } else {
                    for n in 0..self.types.children(from.ty).unwrap_or(0) {
                        let child = self.child(from, n)?;
                        self.append_load(&child, access, parts)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The slot that indices choose, counted from a first one; zero outside.
    fn picked(&mut self, first: usize, picks: &[Pick]) -> Value {
        let Some((pick, rest)) = picks.split_first() else {
            return self.slots[first];
        };
        let last = self.picked(first + (pick.count - 1) as usize * pick.stride as usize, rest);
        let mut value = self.zero(self.ty(last));
        for n in (0..pick.count).rev() {
            let candidate = if n == pick.count - 1 {
                last
            } else {
                self.picked(first + n as usize * pick.stride as usize, rest)
            };
            let n = self.u32(n);
            let chosen = self.compare(Compare::Equal, pick.index, n);
            value = self.select(chosen, candidate, value);
        }
        value
    }

    /// Writes the slot that indices choose where `here` holds.
    fn write_picked(&mut self, first: usize, picks: &[Pick], value: Value, here: Value) {
        let Some((pick, rest)) = picks.split_first() else {
            self.slots[first] = self.select(here, value, self.slots[first]);
            return;
        };
        for n in 0..pick.count {
            let number = self.u32(n);
            let chosen = self.compare(Compare::Equal, pick.index, number);
            let here = self.binary(Binary::And, here, chosen);
            self.write_picked(first + n as usize * pick.stride as usize, rest, value, here);
        }
    }

    /// Writes parts behind a pointer.
    pub(super) fn store_parts(&mut self, to: &Pointer, parts: &[Value]) -> Result<(), Unsupported> {
        let mut rest = parts;
        self.write(to, &mut rest)
    }

    fn write(&mut self, to: &Pointer, parts: &mut &[Value]) -> Result<(), Unsupported> {
        let leaves = self.types.leaves(to.ty) as usize;
        match to.at {
            At::Memory { root, rules, offset, ref indices } => {
                let atomic = matches!(to.ty, Ty::Atomic(_));
                let mut places = Vec::new();
                self.types.flatten(to.ty, rules, offset, &mut places);
                for (offset, ty) in places {
                    self.step()?;
                    let value = self.next(parts)?;
                    let place = Self::place(root, offset, indices, ty);
                    self.list.push(Node::Store { place, value, atomic, mark: self.mark });
                }
            }
            At::Local { local, leaf, ref picks, .. } if !picks.is_empty() => {
                let first = self.locals[local as usize].slot(leaf);
                let here = self.bool(true);
                for n in 0..leaves {
                    let value = self.next(parts)?;
                    self.write_picked(first + n, picks, value, here);
                }
            }
            At::Local { local, leaf, .. } => {
                let whole = &self.locals[local as usize];
                if whole.stored.is_empty() || self.types.children(to.ty) == Some(0) {
                    let first = whole.slot(leaf);
                    for n in 0..leaves {
                        self.slots[first + n] = self.next(parts)?;
                    }
                } else {
                    for n in 0..self.types.children(to.ty).unwrap_or(0) {
                        let child = self.child(to, n)?;
                        self.write(&child, parts)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn next(&self, parts: &mut &[Value]) -> Result<Value, Unsupported> {
        match parts.split_first() {
            Some((&first, rest)) => {
                *parts = rest;
                Ok(first)
            }
            None => Err(self.unsupported("a value with too few parts")),
        }
    }

    /// Writes an expression's value behind a pointer.
    pub(super) fn store_expression(
        &mut self,
        to: &Pointer,
        value: Handle<Expression>,
    ) -> Result<(), Unsupported> {
        match self.resolved(value) {
            Known::Stored(from) => {
                let from = self.pointers[from as usize].clone();
                self.copy(&from, to, Access::Plain)
            }
            Known::No if matches!(self.frame.function.expressions[value], Expression::ZeroValue(_)) => {
                self.store_zeros(to)
            }
            _ => {
                let parts = self.parts(value)?;
                self.store_parts(to, &parts)
            }
        }
    }

    /// Writes zeros behind a pointer.
    pub(super) fn store_zeros(&mut self, to: &Pointer) -> Result<(), Unsupported> {
        let leaves = self.types.leaves(to.ty);
        let memory = matches!(to.at, At::Memory { .. });
        if memory && leaves > MOST_LEAVES {
            return self.children(to, None, &mut |this, to, _| this.store_zeros(to));
        }
        if leaves > MOST_LEAVES && self.types.children(to.ty) != Some(0) {
            for n in 0..self.types.children(to.ty).unwrap_or(0) {
                let child = self.child(to, n)?;
                self.store_zeros(&child)?;
            }
            return Ok(());
        }
        let mut scalars = Vec::new();
        self.types.flatten(to.ty, Rules::Variable, 0, &mut scalars);
        let zeros: Parts = scalars.into_iter().map(|(_, ty)| self.zero(ty)).collect();
        self.store_parts(to, &zeros)
    }

    /// Copies what lies behind one pointer to where another leads; they do not overlap.
    pub(super) fn copy(&mut self, from: &Pointer, to: &Pointer, access: Access) -> Result<(), Unsupported> {
        if self.types.leaves(from.ty) <= MOST_LEAVES {
            let parts = self.load_parts(from, access)?;
            return self.store_parts(to, &parts);
        }
        self.children(to, Some(from), &mut |this, to, from| match from {
            Some(from) => this.copy(from, to, access),
            None => Ok(()),
        })
    }

    /// Does something to every child of a large composite, or of two of them: in a loop where it is an array in memory.
    fn children(
        &mut self,
        to: &Pointer,
        from: Option<&Pointer>,
        f: &mut ForChild<'a, '_>,
    ) -> Result<(), Unsupported> {
        let count = self.types.children(to.ty).unwrap_or(0);
        let in_memory = |pointer: &Pointer| matches!(pointer.at, At::Memory { .. });
        let array = self.types.elements(to.ty, Rules::Variable).is_some();
        if array && count > 4 && in_memory(to) && from.is_none_or(in_memory) {
            return self.count_to(count, &mut |this, index| {
                let to = this.element(to, index)?;
                let from = from.map(|from| this.element(from, index)).transpose()?;
                f(this, &to, from.as_ref())
            });
        }
        for n in 0..count {
            let to = self.child(to, n)?;
            let from = from.map(|from| self.child(from, n)).transpose()?;
            f(self, &to, from.as_ref())?;
        }
        Ok(())
    }

    /// A loop over the numbers below `count`, whose body changes no slots.
    fn count_to(
        &mut self,
        count: u32,
        body: &mut dyn FnMut(&mut Self, Value) -> Result<(), Unsupported>,
    ) -> Result<(), Unsupported> {
        let (exit, head) = (self.label(), self.label());
        let outside = self.take_list();
        self.values.open_scope();
        let (enter, again, leave) = (self.edge(), self.edge(), self.edge());
        let n = self.new_value(Scalar::U32, Op::Parameter);
        body(self, n)?;
        let (one, end) = (self.u32(1), self.u32(count));
        let next = self.binary(Binary::Add, n, one);
        let condition = self.compare(Compare::Less, next, end);
        let zero = self.u32(0);
        self.edges[enter.0 as usize].push(zero);
        self.edges[again.0 as usize].push(next);
        let no_join = self.join(Vec::new(), Vec::new());
        self.list.push(Node::If {
            condition,
            then: vec![Node::Branch { label: head, edge: again }],
            otherwise: vec![Node::Branch { label: exit, edge: leave }],
            join: no_join,
            mark: self.mark,
        });
        self.values.close_scope();
        let inside = std::mem::replace(&mut self.list, outside);
        let join = self.join(vec![n], vec![enter, again]);
        let around = Node::Loop { label: head, body: inside, join, mark: self.mark };
        let join = self.join(Vec::new(), vec![leave]);
        self.list.push(Node::Block { label: exit, body: vec![around], join });
        Ok(())
    }

    /// New memory for a value of that type.
    pub(super) fn temporary(&mut self, name: &str, ty: Ty) -> Result<Pointer, Unsupported> {
        let variable = self.variable(name, self.types.size(ty), false)?;
        let root = Root::Variable(variable);
        Ok(Pointer { ty, at: At::Memory { root, rules: Rules::Variable, offset: 0, indices: Vec::new() } })
    }
}
