//! What an index can be at most, where that is plain to see.
//!
//! A bound says: the value is not negative and below this. It spares a guard, so it may be missing but never wrong.
//! Knows nothing of memory: arithmetic on single values only.

use naga::proc::TypeResolution;
use naga::{
    BinaryOperator, Binding, BuiltIn, Expression, Function, Handle, Literal, MathFunction, Module,
    ScalarKind, TypeInner, valid::FunctionInfo,
};

/// How deep an expression is looked into: enough for index arithmetic, and linear in time.
const DEPTH: u32 = 6;

/// The surroundings of an expression.
pub(super) struct Ranges<'a> {
    pub(super) module: &'a Module,
    pub(super) function: &'a Function,
    pub(super) info: &'a FunctionInfo,
    /// The workgroup size, in an entry point.
    pub(super) workgroup_size: Option<[u32; 3]>,
}

impl Ranges<'_> {
    /// The value of a plain constant.
    pub(super) fn constant(&self, expression: Handle<Expression>) -> Option<i64> {
        let literal = match self.function.expressions[expression] {
            Expression::Literal(literal) => literal,
            Expression::Constant(constant) => {
                match self.module.global_expressions[self.module.constants[constant].init] {
                    Expression::Literal(literal) => literal,
                    Expression::ZeroValue(_) => return Some(0),
                    _ => return None,
                }
            }
            Expression::ZeroValue(ty) => {
                return matches!(self.module.types[ty].inner, TypeInner::Scalar(_)).then_some(0);
            }
            _ => return None,
        };
        match literal {
            Literal::U32(n) => Some(n.into()),
            Literal::I32(n) => Some(n.into()),
            Literal::I64(n) => Some(n),
            Literal::U64(n) => n.try_into().ok(),
            Literal::U16(n) => Some(n.into()),
            Literal::I16(n) => Some(n.into()),
            _ => None,
        }
    }

    /// The value is not negative and below this.
    pub(super) fn below(&self, expression: Handle<Expression>) -> Option<u64> {
        self.look(expression, DEPTH)
    }

    /// The kind of a 32-bit integer scalar.
    fn kind(&self, expression: Handle<Expression>) -> Option<ScalarKind> {
        let inner = match &self.info[expression].ty {
            TypeResolution::Handle(ty) => &self.module.types[*ty].inner,
            TypeResolution::Value(inner) => inner,
        };
        match inner {
            TypeInner::Scalar(s) if s.width == 4 && matches!(s.kind, ScalarKind::Uint | ScalarKind::Sint) => {
                Some(s.kind)
            }
            _ => None,
        }
    }

    fn look(&self, expression: Handle<Expression>, depth: u32) -> Option<u64> {
        if let Some(value) = self.constant(expression) {
            return u64::try_from(value).ok()?.checked_add(1);
        }
        let depth = depth.checked_sub(1)?;
        let kind = self.kind(expression)?;
        // What the type alone says.
        let whole = (kind == ScalarKind::Uint).then_some(1u64 << 32);
        let limit = if kind == ScalarKind::Uint { 1u64 << 32 } else { 1 << 31 };
        let found = match self.function.expressions[expression] {
            Expression::Binary { op, left, right } => {
                let constant = self.constant(right).and_then(|n| u64::try_from(n).ok());
                match op {
                    BinaryOperator::And => match (self.look(left, depth), self.look(right, depth)) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    },
                    BinaryOperator::Modulo => {
                        let left = self.look(left, depth).or(whole)?;
                        constant.filter(|&n| n > 0).map(|n| n.min(left))
                    }
                    BinaryOperator::Divide => {
                        let left = self.look(left, depth).or(whole)?;
                        constant.filter(|&n| n > 0).map(|n| (left - 1) / n + 1)
                    }
                    BinaryOperator::ShiftRight => {
                        let left = self.look(left, depth).or(whole)?;
                        constant.filter(|&n| n < 32).map(|n| ((left - 1) >> n) + 1)
                    }
                    BinaryOperator::Add => Some(self.look(left, depth)? + self.look(right, depth)? - 1),
                    BinaryOperator::Multiply => {
                        Some((self.look(left, depth)? - 1) * (self.look(right, depth)? - 1) + 1)
                    }
                    _ => None,
                }
            }
            Expression::Math { fun: MathFunction::Min, arg, arg1: Some(other), .. } => {
                let a = self.look(arg, depth).or(whole)?;
                let b = self.look(other, depth).or(whole)?;
                Some(a.min(b))
            }
            Expression::Select { accept, reject, .. } => {
                Some(self.look(accept, depth)?.max(self.look(reject, depth)?))
            }
            Expression::As { expr, kind: ScalarKind::Uint | ScalarKind::Sint, convert: None | Some(4) } => {
                self.kind(expr)?;
                self.look(expr, depth)
            }
            Expression::AccessIndex { base, index } => self.component(base, index),
            Expression::FunctionArgument(argument) => {
                let binding = self.function.arguments[argument as usize].binding.as_ref();
                self.builtin(binding, None)
            }
            _ => None,
        };
        found.filter(|&n| n <= limit).or(whole)
    }

    /// A component of a built-in input, directly or as a member of a structure.
    fn component(&self, base: Handle<Expression>, index: u32) -> Option<u64> {
        match self.function.expressions[base] {
            Expression::FunctionArgument(argument) => {
                let argument = &self.function.arguments[argument as usize];
                match &self.module.types[argument.ty].inner {
                    TypeInner::Struct { members, .. } => {
                        self.builtin(members[index as usize].binding.as_ref(), None)
                    }
                    _ => self.builtin(argument.binding.as_ref(), Some(index)),
                }
            }
            Expression::AccessIndex { base, index: member } => {
                let Expression::FunctionArgument(argument) = self.function.expressions[base] else {
                    return None;
                };
                let ty = self.function.arguments[argument as usize].ty;
                match &self.module.types[ty].inner {
                    TypeInner::Struct { members, .. } => {
                        self.builtin(members[member as usize].binding.as_ref(), Some(index))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn builtin(&self, binding: Option<&Binding>, axis: Option<u32>) -> Option<u64> {
        let size = self.workgroup_size?;
        match (binding?, axis) {
            (Binding::BuiltIn(BuiltIn::LocalInvocationIndex), None) => {
                Some(size.iter().map(|&n| u64::from(n)).product())
            }
            (Binding::BuiltIn(BuiltIn::LocalInvocationId), Some(axis)) => Some(size[axis as usize].into()),
            _ => None,
        }
    }
}
