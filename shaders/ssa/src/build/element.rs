//! Parts of values: members, elements that an index chooses, and constants.
//!
//! A small value's element is a chain of selects; a large one is put in memory first. Knows no operators.

use super::frame::Known;
use super::memory::Access;
use super::pointer::Pointer;
use super::types::{Rules, Ty};
use super::{Builder, MOST_LEAVES, Parts};
use crate::arithmetic;
use crate::ir::{Compare, Value};
use crate::unsupported::Unsupported;
use naga::{Arena, Expression, Handle, Literal};
use warpweft_module::Scalar;

/// Arrays of more scalars are not chosen from by selects.
const MOST_SELECTS: u64 = 16;

/// Values of more scalars are refused, here as by the interpreter.
const MOST_CONSTANTS: u64 = 1 << 20;

impl<'a> Builder<'a> {
    /// What an expression is, as far as it has been evaluated.
    pub(super) fn resolved(&self, handle: Handle<Expression>) -> Known {
        match self.frame.function.expressions[handle] {
            Expression::FunctionArgument(n) => {
                self.frame.arguments.get(n as usize).copied().unwrap_or(Known::No)
            }
            _ => self.frame.known[handle.index()],
        }
    }

    /// The parts of an expression's value.
    pub(super) fn parts(&mut self, handle: Handle<Expression>) -> Result<Parts, Unsupported> {
        match self.resolved(handle) {
            Known::Parts { first, count } => {
                Ok(Parts::from_slice(&self.pool[first as usize..(first + count) as usize]))
            }
            Known::Stored(pointer) => {
                let pointer = self.pointers[pointer as usize].clone();
                self.load_parts(&pointer, Access::Plain)
            }
            Known::Pointer(_) => Err(self.unsupported("a pointer in place of a value")),
            Known::No => {
                let mut parts = Parts::new();
                let function = self.frame.function;
                self.append_constant(&function.expressions, handle, &mut parts)?;
                self.set(handle, &parts);
                Ok(parts)
            }
        }
    }

    /// An expression's value, which is a scalar.
    pub(super) fn scalar(&mut self, handle: Handle<Expression>) -> Result<Value, Unsupported> {
        let parts = self.parts(handle)?;
        match parts[..] {
            [value] => Ok(value),
            _ => Err(self.unsupported("a composite in place of a scalar")),
        }
    }

    /// The type of an expression's value.
    pub(super) fn value_type(&self, handle: Handle<Expression>) -> Result<Ty, Unsupported> {
        let resolution = &self.frame.info[handle].ty;
        let ty = match resolution.handle() {
            Some(handle) => self.types.of(handle),
            None => self.types.plain(resolution.inner_with(&self.module.types)),
        };
        ty.ok_or_else(|| {
            let inner = resolution.inner_with(&self.module.types);
            self.unsupported(format!("a value of type {inner:?}"))
        })
    }

    /// Appends the parts of a constant expression.
    pub(super) fn append_constant(
        &mut self,
        arena: &Arena<Expression>,
        handle: Handle<Expression>,
        parts: &mut Parts,
    ) -> Result<(), Unsupported> {
        match arena[handle] {
            Expression::Literal(literal) => {
                let (ty, bits) = match literal {
                    Literal::Bool(v) => (Scalar::Bool, u64::from(v)),
                    Literal::I16(v) => (Scalar::I16, u64::from(v as u16)),
                    Literal::U16(v) => (Scalar::U16, u64::from(v)),
                    Literal::I32(v) => (Scalar::I32, u64::from(v as u32)),
                    Literal::U32(v) => (Scalar::U32, u64::from(v)),
                    Literal::I64(v) => (Scalar::I64, v as u64),
                    Literal::U64(v) => (Scalar::U64, v),
                    Literal::F16(v) => (Scalar::F16, u64::from(v.to_bits())),
                    Literal::F32(v) => (Scalar::F32, u64::from(v.to_bits())),
                    Literal::F64(v) => (Scalar::F64, v.to_bits()),
                    Literal::AbstractInt(_) | Literal::AbstractFloat(_) => {
                        return Err(self.unsupported(format!("the literal {literal:?}")));
                    }
                };
                let value = self.constant(ty, bits);
                parts.push(value);
            }
            Expression::ZeroValue(ty) => {
                let Some(ty) = self.types.of(ty) else {
                    return Err(self.unsupported("a zero of a type that is no value"));
                };
                if self.types.leaves(ty) > MOST_CONSTANTS {
                    return Err(self.unsupported(format!("a value of {} scalars", self.types.leaves(ty))));
                }
                let mut leaves = Vec::new();
                self.types.flatten(ty, Rules::Variable, 0, &mut leaves);
                for (_, ty) in leaves {
                    let zero = self.zero(ty);
                    parts.push(zero);
                }
            }
            Expression::Constant(constant) => {
                let module = self.module;
                self.append_constant(&module.global_expressions, module.constants[constant].init, parts)?;
            }
            Expression::Compose { ref components, .. } => {
                for &component in components {
                    self.append_constant(arena, component, parts)?;
                }
            }
            Expression::Splat { size, value } => {
                let mut one = Parts::new();
                self.append_constant(arena, value, &mut one)?;
                (0..size as usize).for_each(|_| parts.extend_from_slice(&one));
            }
            ref other => {
                let text = format!("{other:?}");
                let name = text.split([' ', '(', '{']).next().unwrap_or_default();
                return Err(self.unsupported(format!("the expression {name}")));
            }
        }
        Ok(())
    }

    /// Member or element `n` of a value.
    pub(super) fn value_child(
        &mut self,
        handle: Handle<Expression>,
        base: Handle<Expression>,
        n: u32,
    ) -> Result<(), Unsupported> {
        if let Known::Stored(pointer) = self.resolved(base) {
            let pointer = self.pointers[pointer as usize].clone();
            let child = self.child(&pointer, n)?;
            return self.set_from_memory(handle, child);
        }
        let ty = self.value_type(base)?;
        let Some(child) = self.types.child(ty, n, Rules::Variable) else {
            return Err(self.unsupported("an index beyond the value"));
        };
        let (start, count) = (child.leaf, self.types.leaves(child.ty) as u32);
        if let Known::No = self.resolved(base) {
            self.parts(base)?;
        }
        match self.resolved(base) {
            // A run of the same parts.
            Known::Parts { first, count: all } if start + count <= all => {
                self.frame.known[handle.index()] = Known::Parts { first: first + start, count };
                Ok(())
            }
            _ => Err(self.unsupported("an index beyond the value")),
        }
    }

    /// The element of a value that an index chooses.
    pub(super) fn value_element(
        &mut self,
        handle: Handle<Expression>,
        base: Handle<Expression>,
        index: Handle<Expression>,
    ) -> Result<(), Unsupported> {
        let index = self.index(index)?;
        let ty = self.value_type(base)?;
        let Some(elements) = self.types.elements(ty, Rules::Variable) else {
            return Err(self.unsupported("an index into a value without elements"));
        };
        let count = elements.count.unwrap_or(0);
        if let Known::Stored(pointer) = self.resolved(base) {
            let pointer = self.pointers[pointer as usize].clone();
            let element = self.element(&pointer, index)?;
            return self.set_from_memory(handle, element);
        }
        if self.known(index).is_none()
            && matches!(ty, Ty::Composite(_))
            && self.types.leaves(ty) > MOST_SELECTS
        {
            let table = self.table(base, ty)?;
            let element = self.element(&table, index)?;
            return self.set_from_memory(handle, element);
        }
        let parts = self.parts(base)?;
        let mut chosen = Parts::new();
        for part in 0..elements.leaves as usize {
            let candidate = |n: u32| parts[n as usize * elements.leaves as usize + part];
            let zero = self.zero(self.ty(candidate(0)));
            let mut value = zero;
            for n in (0..count).rev() {
                let number = self.u32(n);
                let here = self.compare(Compare::Equal, index, number);
                value = self.select(here, candidate(n), value);
            }
            chosen.push(value);
        }
        self.set(handle, &chosen);
        Ok(())
    }

    /// Remembers what lies at a place that nobody writes: at once, or where it lies.
    fn set_from_memory(&mut self, handle: Handle<Expression>, from: Pointer) -> Result<(), Unsupported> {
        if self.types.leaves(from.ty) > MOST_LEAVES {
            self.set_stored(handle, from);
            return Ok(());
        }
        let parts = self.load_parts(&from, Access::Plain)?;
        self.set(handle, &parts);
        Ok(())
    }

    /// An array value in memory: constants once, at the start of the kernel.
    fn table(&mut self, base: Handle<Expression>, ty: Ty) -> Result<Pointer, Unsupported> {
        let (key, name) = match self.frame.function.expressions[base] {
            Expression::Constant(constant) => {
                let name = self.module.constants[constant].name.as_deref();
                ((usize::MAX - 1, constant.index()), name.unwrap_or("table"))
            }
            _ => ((self.frame.index, base.index()), "table"),
        };
        if let Some(&pointer) = self.tables.get(&key) {
            return Ok(self.pointers[pointer as usize].clone());
        }
        let parts = self.parts(base)?;
        let pointer = self.temporary(name, ty)?;
        if parts.iter().any(|&part| self.known(part).is_none()) {
            self.store_parts(&pointer, &parts)?;
            return Ok(pointer);
        }
        let here = self.take_list();
        self.store_parts(&pointer, &parts)?;
        let stores = std::mem::replace(&mut self.list, here);
        self.prologue.extend(stores);
        self.pointers.push(pointer.clone());
        self.tables.insert(key, self.pointers.len() as u32 - 1);
        Ok(pointer)
    }

    /// A composite from its components.
    pub(super) fn compose(
        &mut self,
        handle: Handle<Expression>,
        components: &[Handle<Expression>],
    ) -> Result<(), Unsupported> {
        let ty = self.value_type(handle)?;
        if self.types.leaves(ty) > MOST_LEAVES {
            let pointer = self.temporary("composite", ty)?;
            for (n, &component) in components.iter().enumerate() {
                let child = self.child(&pointer, n as u32)?;
                self.store_expression(&child, component)?;
            }
            self.set_stored(handle, pointer);
            return Ok(());
        }
        let mut parts = Parts::new();
        for &component in components {
            parts.extend(self.parts(component)?);
        }
        self.set(handle, &parts);
        Ok(())
    }

    /// A copy of what lies behind a pointer, as it is now.
    pub(super) fn load_expression(
        &mut self,
        handle: Handle<Expression>,
        from: &Pointer,
        access: Access,
    ) -> Result<(), Unsupported> {
        if self.types.leaves(from.ty) > MOST_LEAVES {
            let copy = self.temporary("copy", from.ty)?;
            self.copy(from, &copy, access)?;
            self.set_stored(handle, copy);
            return Ok(());
        }
        let parts = self.load_parts(from, access)?;
        self.set(handle, &parts);
        Ok(())
    }

    /// Parts of the same count: a scalar is repeated.
    pub(super) fn widened(&self, parts: Parts, count: usize) -> Parts {
        if parts.len() == 1 && count > 1 { Parts::from_elem(parts[0], count) } else { parts }
    }

    /// A float constant like another value's type.
    pub(super) fn like(&mut self, value: Value, number: f64) -> Value {
        let ty = self.ty(value);
        self.constant(ty, arithmetic::float(ty, number))
    }
}
