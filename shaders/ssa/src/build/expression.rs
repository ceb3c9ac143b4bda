//! Expressions: operators and the rest, component by component. Builtin functions are `math`'s business.

use super::memory::Access;
use super::types::Ty;
use super::{Builder, Parts};
use crate::ir::{Binary, Compare, Unary, Value};
use crate::unsupported::Unsupported;
use naga::{BinaryOperator, Expression, Handle, RelationalFunction, ScalarKind, UnaryOperator};
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    /// Evaluates an expression where its `Emit` stands.
    #[inline(never)]
    pub(super) fn expression(&mut self, handle: Handle<Expression>) -> Result<(), Unsupported> {
        let function = self.frame.function;
        self.at(function.expressions.get_span(handle));
        self.step()?;
        match function.expressions[handle] {
            Expression::Compose { ref components, .. } => self.compose(handle, components)?,
            Expression::Splat { size, value } => {
                let parts = self.parts(value)?;
                let whole: Parts = (0..size as usize).flat_map(|_| parts.iter().copied()).collect();
                self.set(handle, &whole);
            }
            Expression::Swizzle { size, vector, pattern } => {
                let parts = self.parts(vector)?;
                let chosen: Parts = pattern[..size as usize].iter().map(|&c| parts[c as usize]).collect();
                self.set(handle, &chosen);
            }
            Expression::Access { base, index } if self.is_pointer(base) => {
                let base = self.pointer(base)?;
                let index = self.index(index)?;
                let pointer = self.element(&base, index)?;
                self.set_pointer(handle, pointer);
            }
            Expression::Access { base, index } => self.value_element(handle, base, index)?,
            Expression::AccessIndex { base, index } if self.is_pointer(base) => {
                let base = self.pointer(base)?;
                let pointer = self.child(&base, index)?;
                self.set_pointer(handle, pointer);
            }
            Expression::AccessIndex { base, index } => self.value_child(handle, base, index)?,
            Expression::Load { pointer } => {
                let pointer = self.pointer(pointer)?;
                self.load_expression(handle, &pointer, Access::Plain)?;
            }
            Expression::ArrayLength(pointer) => self.array_length(handle, pointer)?,
            Expression::Unary { op, expr } => {
                let op = match op {
                    UnaryOperator::Negate => Unary::Negate,
                    UnaryOperator::LogicalNot | UnaryOperator::BitwiseNot => Unary::Not,
                };
                let parts = self.parts(expr)?;
                let parts: Parts = parts.into_iter().map(|part| self.unary(op, part)).collect();
                self.set(handle, &parts);
            }
            Expression::Binary { op, left, right } => {
                let parts = self.binary_operator(op, left, right)?;
                self.set(handle, &parts);
            }
            Expression::Select { condition, accept, reject } => {
                let (accept, reject) = (self.parts(accept)?, self.parts(reject)?);
                let condition = self.parts(condition)?;
                let condition = self.widened(condition, accept.len());
                let parts: Parts =
                    (0..accept.len()).map(|n| self.select(condition[n], accept[n], reject[n])).collect();
                self.set(handle, &parts);
            }
            Expression::Relational { fun, argument } => {
                let argument = self.parts(argument)?;
                let parts = self.relational(fun, argument);
                self.set(handle, &parts);
            }
            Expression::Math { fun, arg, arg1, arg2, arg3 } => {
                self.math(handle, fun, [Some(arg), arg1, arg2, arg3])?;
            }
            Expression::As { expr, kind, convert } => {
                let parts = self.parts(expr)?;
                let parts = self.cast(handle, parts, kind, convert)?;
                self.set(handle, &parts);
            }
            // Literals and the like are evaluated where they are used.
            Expression::Literal(_) | Expression::Constant(_) | Expression::ZeroValue(_) => {}
            ref other => {
                let text = format!("{other:?}");
                let name = text.split([' ', '(', '{']).next().unwrap_or_default();
                return Err(self.unsupported(format!("the expression {name}")));
            }
        }
        Ok(())
    }

    fn array_length(
        &mut self,
        handle: Handle<Expression>,
        pointer: Handle<Expression>,
    ) -> Result<(), Unsupported> {
        use super::pointer::At;
        use crate::ir::Root;
        let pointer = self.pointer(pointer)?;
        let At::Memory { root: Root::Binding(binding), rules, offset, .. } = pointer.at else {
            return Err(self.unsupported("the length of something that is no binding"));
        };
        let Some(elements) = self.types.elements(pointer.ty, rules) else {
            return Err(self.unsupported("the length of something without elements"));
        };
        let length = self.length(binding, offset, elements.bytes);
        self.set(handle, &[length]);
        Ok(())
    }

    fn binary_operator(
        &mut self,
        op: BinaryOperator,
        left: Handle<Expression>,
        right: Handle<Expression>,
    ) -> Result<Parts, Unsupported> {
        let types = (self.value_type(left)?, self.value_type(right)?);
        let (a, b) = (self.parts(left)?, self.parts(right)?);
        if op == BinaryOperator::Multiply {
            match types {
                (Ty::Matrix(columns, rows, _), Ty::Vector(..) | Ty::Matrix(..)) => {
                    return Ok(self.product(&a, &b, rows as usize, columns as usize));
                }
                (Ty::Vector(size, _), Ty::Matrix(..)) => {
                    return Ok(self.product(&a, &b, 1, size as usize));
                }
                _ => {}
            }
        }
        let count = a.len().max(b.len());
        let (a, b) = (self.widened(a, count), self.widened(b, count));
        Ok((0..count).map(|n| self.operator(op, a[n], b[n])).collect())
    }

    /// An operator on scalars.
    fn operator(&mut self, op: BinaryOperator, a: Value, b: Value) -> Value {
        use BinaryOperator as B;
        let op = match op {
            B::Add => Binary::Add,
            B::Subtract => Binary::Subtract,
            B::Multiply => Binary::Multiply,
            B::Divide => Binary::Divide,
            B::Modulo => Binary::Modulo,
            B::And | B::LogicalAnd => Binary::And,
            B::InclusiveOr | B::LogicalOr => Binary::Or,
            B::ExclusiveOr => Binary::Xor,
            B::ShiftLeft => Binary::ShiftLeft,
            B::ShiftRight => Binary::ShiftRight,
            B::Equal => return self.compare(Compare::Equal, a, b),
            B::NotEqual => return self.compare(Compare::NotEqual, a, b),
            B::Less => return self.compare(Compare::Less, a, b),
            B::LessEqual => return self.compare(Compare::LessEqual, a, b),
            B::Greater => return self.compare(Compare::Greater, a, b),
            B::GreaterEqual => return self.compare(Compare::GreaterEqual, a, b),
        };
        self.binary(op, a, b)
    }

    fn relational(&mut self, fun: RelationalFunction, parts: Parts) -> Parts {
        let join = |op| {
            let (&first, rest) = parts.split_first()?;
            Some((op, first, rest))
        };
        let joined = match fun {
            RelationalFunction::All => join(Binary::And),
            RelationalFunction::Any => join(Binary::Or),
            RelationalFunction::IsNan => {
                return parts.iter().map(|&part| self.compare(Compare::NotEqual, part, part)).collect();
            }
            RelationalFunction::IsInf => {
                return parts.iter().map(|&part| self.is_infinite(part)).collect();
            }
        };
        joined
            .map(|(op, first, rest)| rest.iter().fold(first, |all, &part| self.binary(op, all, part)))
            .into_iter()
            .collect()
    }

    pub(super) fn is_infinite(&mut self, value: Value) -> Value {
        let size = self.unary(Unary::Abs, value);
        let infinity = self.like(value, f64::INFINITY);
        self.compare(Compare::Equal, size, infinity)
    }

    fn cast(
        &mut self,
        handle: Handle<Expression>,
        parts: Parts,
        kind: ScalarKind,
        convert: Option<u8>,
    ) -> Result<Parts, Unsupported> {
        let from = parts.first().map_or(Scalar::Bool, |&part| self.ty(part));
        let Some(to) = self.value_type(handle)?.scalar() else {
            return Err(self.unsupported(format!("the conversion from {from} to {kind:?}")));
        };
        if convert.is_some() {
            return Ok(parts.into_iter().map(|part| self.convert(to, part)).collect());
        }
        let count = self.types.leaves(self.value_type(handle)?) as usize;
        if from == Scalar::Bool && to != Scalar::Bool || from.size() != to.size() || count != parts.len() {
            return Err(self.unsupported(format!("the conversion of bits from {from} to {kind:?}")));
        }
        Ok(parts.into_iter().map(|part| self.bitcast(to, part)).collect())
    }
}
