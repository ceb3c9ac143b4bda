//! Expressions: each becomes a step that computes it, or an alias of columns that already hold it.
//!
//! Knows the types of operands and which column function serves them; pointers are `pointer`'s business.

use super::function::FunctionDecoder;
use super::pointer::operands;
use crate::column::Function;
use crate::fault::Unsupported;
use crate::shape::{self, Shape, scalar, width};
use crate::step::{Address, Slot, Space, Step};
use crate::{linear, math, operator, pack};
use naga::{
    BinaryOperator, Expression, Handle, MathFunction, RelationalFunction, ScalarKind, TypeInner, VectorSize,
};
use warpweft_module::Scalar;

/// Scalars in a value of a numeric type.
fn components(inner: &TypeInner) -> u32 {
    match *inner {
        TypeInner::Vector { size, .. } => size as u32,
        TypeInner::Matrix { columns, rows, .. } => columns as u32 * rows as u32,
        _ => 1,
    }
}

impl FunctionDecoder<'_, '_> {
    /// Evaluates an expression where its `Emit` stands.
    pub(super) fn expression(
        &mut self,
        handle: Handle<Expression>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        if self.slots.contains_key(&handle) && self.is_constant(handle) {
            return Ok(());
        }
        let function = self.function;
        match function.expressions[handle] {
            Expression::Compose { ref components, .. } => {
                let out = self.result(handle)?;
                let mut first = 0;
                for &component in components {
                    let from = self.slot(component)?;
                    steps.push(Step::Copy { out: out.part(first, from.columns), from });
                    first += from.columns;
                }
            }
            Expression::Splat { size, value } => {
                let from = self.slot(value)?;
                let out = self.splat(from, size as u32, handle, steps)?;
                self.slots.insert(handle, out);
            }
            Expression::Swizzle { size, vector, pattern } => {
                self.swizzle(handle, size, vector, pattern, steps)?
            }
            Expression::Access { base, index } => {
                if self.inner(base).pointer_space().is_some() {
                    let address = self.access_varying(handle, base, index, steps)?;
                    self.addresses.insert(handle, address);
                } else {
                    self.element_of(handle, base, index, steps)?;
                }
            }
            Expression::AccessIndex { base, index } => {
                if self.inner(base).pointer_space().is_some() {
                    let address = self.access_fixed(handle, base, index, steps)?;
                    self.addresses.insert(handle, address);
                } else {
                    let part = self.part_of(handle, base, index)?;
                    self.slots.insert(handle, part);
                }
            }
            Expression::Load { pointer } => {
                let atomic = matches!(self.pointee(pointer)?, TypeInner::Atomic(_));
                let address = self.address(pointer)?;
                let Shape { columns, leaves } = self.shape(handle)?;
                if let Address { space: Space::Columns, fixed, varying: None } = address {
                    let variable = Slot { start: fixed, columns };
                    if self.lasting.contains(&handle) {
                        self.slots.insert(handle, variable);
                    } else {
                        let out = self.result(handle)?;
                        steps.push(Step::Copy { out, from: variable });
                    }
                } else {
                    let out = self.result(handle)?;
                    steps.push(Step::Load { out, address, leaves, atomic });
                }
            }
            Expression::ArrayLength(pointer) => {
                let address = self.address(pointer)?;
                let pointee = self.pointee(pointer)?;
                let (Space::Binding(binding), Some(elements)) =
                    (address.space, shape::elements(self.decoder.module, &pointee))
                else {
                    return Err(self.unsupported("the length of something that is no binding", handle));
                };
                let out = self.result(handle)?;
                steps.push(Step::ArrayLength { out, binding, offset: address.fixed, stride: elements.bytes });
            }
            Expression::Unary { op, expr } => {
                let function = operator::unary(op, self.scalar(expr)?);
                let operand = self.slot(expr)?;
                self.map(handle, function, operands([operand]), [0; 3], steps)?;
            }
            Expression::Binary { op, left, right } => self.binary(handle, op, left, right, steps)?,
            Expression::Select { condition, accept, reject } => {
                let count = components(self.inner(handle));
                let function = operator::select(self.scalar(handle)?.size());
                let condition = self.widened(condition, count, steps)?;
                let operands = operands([self.slot(accept)?, self.slot(reject)?, condition]);
                self.map(handle, Some(function), operands, [0; 3], steps)?;
            }
            Expression::Relational { fun, argument } => {
                let function = match fun {
                    RelationalFunction::All => Some(math::join(true)),
                    RelationalFunction::Any => Some(math::join(false)),
                    RelationalFunction::IsNan => math::classify(false, self.scalar(argument)?),
                    RelationalFunction::IsInf => math::classify(true, self.scalar(argument)?),
                };
                let argument = self.slot(argument)?;
                self.map(handle, function, operands([argument]), [0; 3], steps)?;
            }
            Expression::Math { fun, arg, arg1, arg2, arg3 } => {
                let arguments: Vec<_> = [Some(arg), arg1, arg2, arg3].into_iter().flatten().collect();
                self.math(handle, fun, &arguments, steps)?;
            }
            Expression::As { expr, kind, convert } => self.cast(handle, expr, kind, convert, steps)?,
            // Literals and the like have their place; results are made by the statement that has them.
            ref other => {
                if !self.slots.contains_key(&handle) && !self.addresses.contains_key(&handle) {
                    let text = format!("{other:?}");
                    let name = text.split([' ', '(', '{']).next().unwrap_or_default();
                    return Err(self.unsupported(format!("the expression {name}"), handle));
                }
            }
        }
        Ok(())
    }

    fn is_constant(&self, handle: Handle<Expression>) -> bool {
        self.slots.get(&handle).is_some_and(|slot| slot.end() <= self.decoder.constants.columns)
    }

    /// A step that computes the expression by a column function.
    fn map(
        &mut self,
        handle: Handle<Expression>,
        function: Option<Function>,
        operands: [Slot; 4],
        dims: [u8; 3],
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let Some(function) = function else {
            let what = format!("the operation {:?}", self.function.expressions[handle]);
            return Err(self.unsupported(what, handle));
        };
        let out = self.result(handle)?;
        steps.push(Step::Map { function, out, operands, dims });
        Ok(())
    }

    fn splat(
        &mut self,
        from: Slot,
        count: u32,
        at: Handle<Expression>,
        steps: &mut Vec<Step>,
    ) -> Result<Slot, Unsupported> {
        let out = self.push(from.columns * count, self.span(at))?;
        for n in 0..count {
            steps.push(Step::Copy { out: out.part(n * from.columns, from.columns), from });
        }
        Ok(out)
    }

    /// An operand with that many components: a scalar is repeated.
    fn widened(
        &mut self,
        operand: Handle<Expression>,
        count: u32,
        steps: &mut Vec<Step>,
    ) -> Result<Slot, Unsupported> {
        let slot = self.slot(operand)?;
        if components(self.inner(operand)) == count {
            Ok(slot)
        } else {
            self.splat(slot, count, operand, steps)
        }
    }

    fn swizzle(
        &mut self,
        handle: Handle<Expression>,
        size: VectorSize,
        vector: Handle<Expression>,
        pattern: [naga::SwizzleComponent; 4],
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let from = self.slot(vector)?;
        let width = width(self.scalar(vector)?);
        let pattern: Vec<u32> = pattern[..size as usize].iter().map(|&c| c as u32).collect();
        if pattern.windows(2).all(|pair| pair[1] == pair[0] + 1) {
            self.slots.insert(handle, from.part(pattern[0] * width, pattern.len() as u32 * width));
            return Ok(());
        }
        let out = self.result(handle)?;
        for (n, &component) in pattern.iter().enumerate() {
            let from = from.part(component * width, width);
            steps.push(Step::Copy { out: out.part(n as u32 * width, width), from });
        }
        Ok(())
    }

    /// A member or element of a value, which has its columns already.
    fn part_of(
        &self,
        handle: Handle<Expression>,
        base: Handle<Expression>,
        index: u32,
    ) -> Result<Slot, Unsupported> {
        let whole = self.slot(base)?;
        let module = self.decoder.module;
        let columns = self.shape(handle)?.columns;
        let first = match shape::member(module, self.inner(base), index) {
            Some((first, _)) => Some(first),
            None => shape::elements(module, self.inner(base)).map(|elements| elements.columns * index),
        };
        match first {
            Some(first) if first + columns <= whole.columns => Ok(whole.part(first, columns)),
            _ => Err(self.unsupported("an index beyond the value", handle)),
        }
    }

    fn element_of(
        &mut self,
        handle: Handle<Expression>,
        base: Handle<Expression>,
        index: Handle<Expression>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let elements = shape::elements(self.decoder.module, self.inner(base));
        let Some(count) = elements.and_then(|elements| elements.count) else {
            return Err(self.unsupported("indexing into a value without elements", handle));
        };
        let (index, _) = self.index(index, steps)?;
        let base = self.slot(base)?;
        let leaves = self.shape(handle)?.leaves;
        let out = self.result(handle)?;
        steps.push(Step::Element { out, base, index, count, leaves });
        Ok(())
    }

    fn binary(
        &mut self,
        handle: Handle<Expression>,
        op: BinaryOperator,
        left: Handle<Expression>,
        right: Handle<Expression>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        use TypeInner::{Matrix, Vector};
        let scalar = self.scalar(left)?;
        // Rows of the result, terms of each sum.
        let product = match (op, self.inner(left), self.inner(right)) {
            (BinaryOperator::Multiply, &Matrix { columns, rows, .. }, &(Vector { .. } | Matrix { .. })) => {
                Some((rows as u8, columns as u8))
            }
            (BinaryOperator::Multiply, &Vector { size, .. }, &Matrix { .. }) => Some((1, size as u8)),
            _ => None,
        };
        if let Some((rows, terms)) = product {
            let operands = operands([self.slot(left)?, self.slot(right)?]);
            return self.map(handle, linear::product(scalar), operands, [rows, terms, 0], steps);
        }
        let count = components(self.inner(left)).max(components(self.inner(right)));
        let operands = operands([self.widened(left, count, steps)?, self.widened(right, count, steps)?]);
        self.map(handle, operator::binary(op, scalar), operands, [0; 3], steps)
    }

    fn math(
        &mut self,
        handle: Handle<Expression>,
        fun: MathFunction,
        arguments: &[Handle<Expression>],
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let first = self.inner(arguments[0]);
        let scalar = self.scalar(arguments[0])?;
        let dims = match (fun, first) {
            (MathFunction::Dot, _) => [1, components(first) as u8, 1],
            (_, &TypeInner::Matrix { columns, rows, .. }) => [rows as u8, columns as u8, 0],
            _ => [0; 3],
        };
        let whole = pack::function(fun).or_else(|| linear::function(fun, scalar));
        let count = components(first);
        let mut list = [Slot::default(); 4];
        for (slot, &argument) in list.iter_mut().zip(arguments) {
            *slot = match whole {
                Some(_) => self.slot(argument)?,
                None => self.widened(argument, count, steps)?,
            };
        }
        self.map(handle, whole.or_else(|| math::componentwise(fun, scalar)), list, dims, steps)
    }

    fn cast(
        &mut self,
        handle: Handle<Expression>,
        expr: Handle<Expression>,
        kind: ScalarKind,
        convert: Option<u8>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Unsupported> {
        let from = self.scalar(expr)?;
        let slot = self.slot(expr)?;
        let to = convert.map(|width| scalar(naga::Scalar { kind, width }));
        let function = match to {
            Some(Some(to)) => operator::convert(from, to),
            // Columns hold bits.
            None if self.shape(handle)?.columns == slot.columns && !matches!(from, Scalar::Bool) => None,
            _ => return Err(self.unsupported(format!("the conversion from {from} to {kind:?}"), handle)),
        };
        match function {
            Some(function) => self.map(handle, Some(function), operands([slot]), [0; 3], steps),
            None => {
                self.slots.insert(handle, slot);
                Ok(())
            }
        }
    }
}
