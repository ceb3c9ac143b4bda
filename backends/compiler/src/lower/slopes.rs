//! How values go along a row of invocations: by how much each grows from one x to the next.
//!
//! Knows ids and arithmetic; what the answer is good for is said in [`inside`](super::inside).

use warpweft_module::Scalar;
use warpweft_ssa::ir::{Binary, Builtin, Function, Op, Unary, Value};

/// For each value, what it grows by along x.
#[derive(Debug, Default)]
pub(crate) struct Slopes(Vec<Option<i64>>);

impl Slopes {
    /// Looks at every value of a kernel. Operands that have later numbers are taken for anything.
    pub(crate) fn new(function: &Function) -> Slopes {
        let mut slopes = Slopes(Vec::with_capacity(function.values.len()));
        for definition in &function.values {
            let slope = slopes.of_operation(function, definition.ty, &definition.op);
            slopes.0.push(slope.filter(|slope| slope.unsigned_abs() < 1 << 31));
        }
        slopes
    }

    /// `Some(0)`: it is the same all along a row. `Some(c)`, only of 32-bit integers: modulo 2³², at `x` it is what it is
    /// at `x₀` plus `c · (x - x₀)`. `None`: neither is known.
    pub(crate) fn of(&self, value: Value) -> Option<i64> {
        self.0.get(value.0 as usize).copied().flatten()
    }

    fn of_operation(&self, function: &Function, ty: Scalar, op: &Op) -> Option<i64> {
        let mut level = true;
        op.operands(|operand| level = level && self.of(operand) == Some(0));
        let integer = matches!(ty, Scalar::I32 | Scalar::U32);
        match op {
            Op::Constant(_) | Op::Length { .. } => Some(0),
            Op::Builtin(Builtin::GlobalId(0)) => Some(1),
            Op::Builtin(
                Builtin::GlobalId(_)
                | Builtin::NumWorkgroups(_)
                | Builtin::LocalId(1 | 2)
                | Builtin::WorkgroupId(1 | 2),
            ) => Some(0),
            Op::Builtin(_) | Op::Parameter => None,
            // What a binding that nobody writes holds in one place.
            Op::Load { place, .. } => match place.root {
                warpweft_ssa::ir::Root::Binding(binding) => {
                    (level && !function.bindings[binding as usize].written).then_some(0)
                }
                warpweft_ssa::ir::Root::Variable(_) => None,
            },
            _ if !op.is_pure() => None,
            _ if level => Some(0),
            _ if !integer => None,
            Op::Binary(Binary::Add, a, b) => self.of(*a)?.checked_add(self.of(*b)?),
            Op::Binary(Binary::Subtract, a, b) => self.of(*a)?.checked_sub(self.of(*b)?),
            Op::Binary(Binary::Multiply, a, b) => match (function.constant(*a), function.constant(*b)) {
                (_, Some(factor)) => self.of(*a)?.checked_mul(i64::from(factor as u32 as i32)),
                (Some(factor), _) => self.of(*b)?.checked_mul(i64::from(factor as u32 as i32)),
                _ => None,
            },
            Op::Binary(Binary::ShiftLeft, a, b) => {
                self.of(*a)?.checked_mul(1 << (function.constant(*b)? & 31))
            }
            Op::Unary(Unary::Negate, a) => self.of(*a)?.checked_neg(),
            Op::Bitcast(a) if matches!(function.ty(*a), Scalar::I32 | Scalar::U32) => self.of(*a),
            _ => None,
        }
    }
}
