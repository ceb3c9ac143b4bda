//! How values go along a row of invocations: by how much each grows from one place to the next.
//!
//! Knows ids and arithmetic; what the answer is good for is said in [`inside`](super::inside).

use warpweft_module::Scalar;
use warpweft_ssa::ir::{Binary, Builtin, Function, Op, Unary, Value};

/// For each value, what it grows by from one place of a row to the next.
#[derive(Debug, Default)]
pub(crate) struct Slopes(Vec<Option<i64>>);

/// What a row is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Along<'a> {
    /// Invocations side by side along x.
    X,
    /// The gangs of a workgroup, of so many lanes each; 0 in `home` marks what the whole workgroup shares.
    Gangs { lanes: u32, home: &'a [u32] },
}

impl Slopes {
    /// Looks at every value of a kernel. Operands that have later numbers are taken for anything.
    pub(crate) fn new(function: &Function, along: Along<'_>) -> Slopes {
        let mut slopes = Slopes(Vec::with_capacity(function.values.len()));
        for (at, definition) in function.values.iter().enumerate() {
            let slope = match along {
                Along::Gangs { home, .. } if home[at] == 0 => Some(0),
                _ => slopes.of_operation(function, along, definition.ty, &definition.op),
            };
            slopes.0.push(slope.filter(|slope| slope.unsigned_abs() < 1 << 31));
        }
        slopes
    }

    /// `Some(0)`: it is the same all along a row. `Some(c)`, only of 32-bit integers: modulo 2³², at a place `x` it is what
    /// it is at `x₀` plus `c · (x - x₀)`. `None`: neither is known. Of a gang, the first lane counts.
    pub(crate) fn of(&self, value: Value) -> Option<i64> {
        self.0.get(value.0 as usize).copied().flatten()
    }

    fn of_operation(&self, function: &Function, along: Along<'_>, ty: Scalar, op: &Op) -> Option<i64> {
        let mut level = true;
        op.operands(|operand| level = level && self.of(operand) == Some(0));
        let integer = matches!(ty, Scalar::I32 | Scalar::U32);
        match op {
            Op::Constant(_) | Op::Length { .. } => Some(0),
            Op::Builtin(builtin) => of_builtin(function.workgroup_size, along, *builtin),
            Op::Parameter => None,
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

fn of_builtin([sx, sy, sz]: [u32; 3], along: Along<'_>, builtin: Builtin) -> Option<i64> {
    use Builtin as B;
    match (along, builtin) {
        (_, B::NumWorkgroups(_)) => Some(0),
        (Along::X, B::GlobalId(0)) => Some(1),
        (Along::X, B::GlobalId(_) | B::LocalId(1 | 2) | B::WorkgroupId(1 | 2)) => Some(0),
        (Along::X, _) => None,
        (Along::Gangs { .. }, B::WorkgroupId(_)) => Some(0),
        (Along::Gangs { lanes, .. }, B::LocalIndex) => Some(lanes.into()),
        (Along::Gangs { lanes, .. }, B::LocalId(axis) | B::GlobalId(axis)) => match axis {
            // One line of invocations.
            0 if sy == 1 && sz == 1 => Some(lanes.into()),
            _ if sy == 1 && sz == 1 => Some(0),
            // A line for each gang.
            0 if sx == lanes => Some(0),
            1 if sx == lanes && sz == 1 => Some(1),
            2 if sz == 1 => Some(0),
            _ => None,
        },
        (Along::Gangs { .. }, _) => None,
    }
}
