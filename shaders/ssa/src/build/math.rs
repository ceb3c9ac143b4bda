//! WGSL's builtin functions on numbers: which formula serves which, and the component-wise ones.
//!
//! Formulas are the interpreter's, operation by operation. Vectors and matrices as wholes are `linear`'s business.

use super::types::Ty;
use super::{Builder, Parts};
use crate::arithmetic::{is_float, is_integer, is_signed};
use crate::ir::{Binary, Compare, Math, Unary, Value};
use crate::unsupported::Unsupported;
use naga::{Expression, Handle, MathFunction};

impl<'a> Builder<'a> {
    /// A call of a builtin function.
    pub(super) fn math(
        &mut self,
        handle: Handle<Expression>,
        fun: MathFunction,
        arguments: [Option<Handle<Expression>>; 4],
    ) -> Result<(), Unsupported> {
        let mut operands: [Parts; 4] = Default::default();
        for (operand, argument) in operands.iter_mut().zip(arguments) {
            if let Some(argument) = argument {
                *operand = self.parts(argument)?;
            }
        }
        let shape = match arguments[0] {
            Some(first) => self.value_type(first)?,
            None => return Err(self.unsupported("a function without arguments")),
        };
        let whole = match self.packing(fun, &operands) {
            None => self.geometry(fun, shape, &operands),
            packed => packed,
        };
        if let Some(parts) = whole {
            self.set(handle, &parts);
            return Ok(());
        }
        let count = operands[0].len();
        let [a, b, c, d] = operands.map(|operand| self.widened(operand, count));
        let at = |list: &Parts, n: usize| list.get(n).copied();
        let mut parts = Parts::new();
        match fun {
            // The first results of all components, then the second ones.
            MathFunction::Modf | MathFunction::Frexp => {
                let pairs: Vec<[Value; 2]> = a
                    .iter()
                    .map(|&a| if fun == MathFunction::Modf { self.modf(a) } else { self.frexp(a) })
                    .collect();
                parts.extend(pairs.iter().map(|pair| pair[0]));
                let second = self.second_type(handle)?;
                for pair in pairs {
                    parts.push(if fun == MathFunction::Modf {
                        pair[1]
                    } else {
                        self.convert(second, pair[1])
                    });
                }
            }
            _ => {
                for n in 0..count {
                    let Some(part) = self.componentwise(fun, a[n], [at(&b, n), at(&c, n), at(&d, n)]) else {
                        return Err(self.unsupported(format!("{fun:?} of {}", self.ty(a[n]))));
                    };
                    parts.push(part);
                }
            }
        }
        self.set(handle, &parts);
        Ok(())
    }

    /// The scalar type of the second member of a result.
    fn second_type(&self, handle: Handle<Expression>) -> Result<warpweft_module::Scalar, Unsupported> {
        let ty: Ty = self.value_type(handle)?;
        self.types
            .child(ty, 1, super::types::Rules::Variable)
            .and_then(|child| child.ty.scalar())
            .ok_or_else(|| self.unsupported("a result without a second member"))
    }

    /// One component of a component-wise function.
    fn componentwise(&mut self, fun: MathFunction, a: Value, rest: [Option<Value>; 3]) -> Option<Value> {
        use MathFunction as M;
        let ty = self.ty(a);
        let [b, c, _] = rest;
        let value = match fun {
            M::Abs => self.unary(Unary::Abs, a),
            M::Sign => self.sign(a),
            M::Min => self.binary(Binary::Min, a, b?),
            M::Max => self.binary(Binary::Max, a, b?),
            M::Clamp => {
                let low = self.binary(Binary::Max, a, b?);
                self.binary(Binary::Min, low, c?)
            }
            _ if is_integer(ty) => return self.bits(fun, a, rest),
            _ if !is_float(ty) => return None,
            M::Saturate => self.saturated(a),
            M::Ceil => self.unary(Unary::Ceil, a),
            M::Floor => self.unary(Unary::Floor, a),
            M::Round => self.unary(Unary::Round, a),
            M::Trunc => self.unary(Unary::Trunc, a),
            M::Sqrt => self.unary(Unary::Sqrt, a),
            M::Fract => {
                let floor = self.unary(Unary::Floor, a);
                self.binary(Binary::Subtract, a, floor)
            }
            M::Ldexp => self.ldexp(a, b?),
            M::QuantizeToF16 => self.quantize(a),
            M::Radians => {
                let factor = self.like(a, std::f64::consts::PI / 180.0);
                self.binary(Binary::Multiply, a, factor)
            }
            M::Degrees => {
                let factor = self.like(a, 180.0 / std::f64::consts::PI);
                self.binary(Binary::Multiply, a, factor)
            }
            M::Fma => self.fma(a, b?, c?),
            M::Mix => {
                let (b, t) = (b?, c?);
                let one = self.like(a, 1.0);
                let rest = self.binary(Binary::Subtract, one, t);
                let (left, right) =
                    (self.binary(Binary::Multiply, a, rest), self.binary(Binary::Multiply, b, t));
                self.binary(Binary::Add, left, right)
            }
            M::Step => {
                let reached = self.compare(Compare::LessEqual, a, b?);
                let (one, zero) = (self.like(a, 1.0), self.like(a, 0.0));
                self.select(reached, one, zero)
            }
            M::SmoothStep => {
                let (low, high, x) = (a, b?, c?);
                let (along, all) =
                    (self.binary(Binary::Subtract, x, low), self.binary(Binary::Subtract, high, low));
                let t = self.binary(Binary::Divide, along, all);
                let t = self.saturated(t);
                let (three, two) = (self.like(a, 3.0), self.like(a, 2.0));
                let square = self.binary(Binary::Multiply, t, t);
                let twice = self.binary(Binary::Multiply, two, t);
                let rest = self.binary(Binary::Subtract, three, twice);
                self.binary(Binary::Multiply, square, rest)
            }
            M::Pow => self.pow(a, b?),
            M::Atan2 => self.atan2(a, b?),
            _ => {
                let op = elementary(fun)?;
                self.elementary(op, a)
            }
        };
        Some(value)
    }

    fn saturated(&mut self, a: Value) -> Value {
        let (zero, one) = (self.like(a, 0.0), self.like(a, 1.0));
        let low = self.binary(Binary::Max, a, zero);
        self.binary(Binary::Min, low, one)
    }

    fn sign(&mut self, a: Value) -> Value {
        let ty = self.ty(a);
        let (zero, one) = (self.number(ty, 0), self.number(ty, 1));
        let above = self.compare(Compare::Greater, a, zero);
        let mut rest = zero;
        if is_float(ty) || is_signed(ty) {
            let (below, minus_one) = (self.compare(Compare::Less, a, zero), self.number(ty, -1));
            rest = self.select(below, minus_one, zero);
        }
        self.select(above, one, rest)
    }
}

fn elementary(fun: MathFunction) -> Option<Math> {
    use MathFunction as M;
    Some(match fun {
        M::Cos => Math::Cos,
        M::Cosh => Math::Cosh,
        M::Sin => Math::Sin,
        M::Sinh => Math::Sinh,
        M::Tan => Math::Tan,
        M::Tanh => Math::Tanh,
        M::Acos => Math::Acos,
        M::Asin => Math::Asin,
        M::Atan => Math::Atan,
        M::Asinh => Math::Asinh,
        M::Acosh => Math::Acosh,
        M::Atanh => Math::Atanh,
        M::Exp => Math::Exp,
        M::Exp2 => Math::Exp2,
        M::Log => Math::Log,
        M::Log2 => Math::Log2,
        M::InverseSqrt => Math::InverseSqrt,
        _ => return None,
    })
}
