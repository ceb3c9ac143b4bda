//! From the facts of operands to the fact of a result: builtins, arithmetic, loads.
//!
//! Knows nothing of control flow.

use super::shapes::{Fact, Ganging, Level, Shape};
use crate::ir::{Binary, Builtin, Compare, Definition, Function, Lane, Op, Place, Root, Scan, Unary, Value};
use crate::ranges::Ranges;
use warpweft_module::Scalar;

/// What the facts are computed from.
pub(super) struct Transfer<'a> {
    pub(super) function: &'a Function,
    pub(super) ganging: Ganging,
    /// Believes that memory which may change, and what other lanes hold, is the same for everyone: what still varies
    /// does so whatever the data.
    pub(super) trusting: bool,
    /// Conditions that are always the same.
    pub(super) ranges: Option<&'a Ranges>,
}

impl Transfer<'_> {
    /// How far a choice by this condition keeps invocations together.
    pub(super) fn choice(&self, condition: Value, fact: Fact) -> Level {
        match self.ranges.and_then(|ranges| ranges.decided(condition)) {
            Some(_) => Level::Launch,
            None => fact.choice(),
        }
    }

    /// The fact of what an operation gives, parameters apart.
    pub(super) fn of(&self, definition: &Definition, facts: &[Fact], varying_variables: &[bool]) -> Fact {
        let fact = |value: Value| facts[value.0 as usize];
        let integer = matches!(definition.ty, Scalar::U32 | Scalar::I32);
        let mut known = true;
        definition.op.operands(|value| known &= fact(value).known());
        if !known {
            return Fact::NONE;
        }
        if self.trusting && self.is_data(&definition.op) {
            return Fact::new(Shape::Launch);
        }
        let found = match &definition.op {
            Op::Constant(bits) => {
                Fact::aligned(Shape::Launch, if integer { (*bits as u32).trailing_zeros() } else { 0 })
            }
            Op::Parameter => Fact::NONE,
            Op::Builtin(builtin) => self.builtin(*builtin),
            Op::Length { .. } => Fact::new(Shape::Launch),
            Op::Load { place, uniform, .. } => self.load(place, *uniform, facts, varying_variables),
            Op::Atomic(..) | Op::CompareExchange(..) => Fact::VARYING,
            Op::Ballot(..) | Op::Collective(_, Scan::Reduce, _) => Fact::new(Shape::Gang),
            Op::Collective(..) => Fact::VARYING,
            Op::Gather(Lane::BroadcastFirst, ..) => Fact::new(Shape::Gang),
            Op::Gather(Lane::Broadcast, _, Some(index)) => {
                Fact::level(fact(*index).choice().max(Level::Gang))
            }
            Op::Gather(..) => Fact::VARYING,
            Op::Unary(Unary::Negate, a) if integer => self.linear(fact(*a), -1, fact(*a).zeros),
            // Not is -1 - x.
            Op::Unary(Unary::Not, a) if integer => self.linear(fact(*a), -1, 0),
            Op::Convert(a) | Op::Bitcast(a)
                if integer && matches!(self.function.ty(*a), Scalar::U32 | Scalar::I32) =>
            {
                fact(*a)
            }
            Op::Binary(operator, a, b) if integer => self.binary(definition.ty, *operator, *a, *b, facts),
            Op::Compare(compare, a, b) => self.compare(*compare, *a, *b, facts),
            Op::Select(condition, a, b) if a == b || fact(*condition).choice() < Level::Divergent => {
                fact(*a).join(fact(*b), if a == b { Level::Launch } else { fact(*condition).choice() })
            }
            op => self.plain(op, facts),
        };
        if self.ganging.lanes() <= 1 { found.single_lane() } else { found }
    }

    /// It looks at memory that may change, or at other lanes.
    fn is_data(&self, op: &Op) -> bool {
        match op {
            Op::Load { place: Place { root: Root::Binding(binding), .. }, .. } => {
                self.function.bindings[*binding as usize].written
            }
            op => !op.is_pure(),
        }
    }

    /// As uniform as all operands, with no structure between lanes.
    fn plain(&self, op: &Op, facts: &[Fact]) -> Fact {
        let mut level = Level::Launch;
        op.operands(|value| level = level.max(facts[value.0 as usize].choice()));
        Fact::level(level)
    }

    fn linear(&self, a: Fact, factor: i64, zeros: u8) -> Fact {
        match a.step() {
            None => Fact::VARYING,
            Some(0) => Fact { zeros, ..a },
            Some(step) => Fact::affine(step.wrapping_mul(factor), zeros),
        }
    }

    fn binary(&self, ty: Scalar, operator: Binary, left: Value, right: Value, facts: &[Fact]) -> Fact {
        let swap = operator == Binary::And && self.function.constant(left).is_some();
        let (left, right) = if swap { (right, left) } else { (left, right) };
        let (a, b) = (facts[left.0 as usize], facts[right.0 as usize]);
        let constant = |value: Value| self.function.constant(value).map(|bits| bits as u32);
        let uniform = Fact::level(a.choice().max(b.choice()));
        let (Some(step_a), Some(step_b)) = (a.step(), b.step()) else { return Fact::VARYING };
        match operator {
            Binary::Add | Binary::Subtract => {
                let zeros = a.zeros.min(b.zeros);
                if step_a == 0 && step_b == 0 {
                    return Fact { zeros, ..uniform };
                }
                Fact::affine(if operator == Binary::Add { step_a + step_b } else { step_a - step_b }, zeros)
            }
            Binary::Multiply => {
                let zeros = (a.zeros + b.zeros).min(32);
                match (step_a, step_b, constant(left), constant(right)) {
                    (0, 0, ..) => Fact { zeros, ..uniform },
                    (step, 0, _, Some(factor)) | (0, step, Some(factor), _) => {
                        Fact::affine(step.wrapping_mul(i64::from(factor)), zeros)
                    }
                    _ => Fact::VARYING,
                }
            }
            Binary::ShiftLeft => match constant(right).map(|amount| amount & 31) {
                Some(amount) => {
                    let zeros = (u32::from(a.zeros) + amount).min(32) as u8;
                    if step_a == 0 {
                        Fact { zeros, ..uniform }
                    } else {
                        Fact::affine(step_a << amount, zeros)
                    }
                }
                None if step_a == 0 && step_b == 0 => uniform,
                None => Fact::VARYING,
            },
            _ if step_a == 0 && step_b == 0 => {
                let zeros = if operator == Binary::And { a.zeros.max(b.zeros) } else { 0 };
                Fact { zeros, ..uniform }
            }
            // The lanes of an aligned gang fill a part of a block of `span` values, so that whatever treats all of a
            // block alike treats the lanes alike, and what looks at the place in the block is affine as before.
            Binary::Divide | Binary::Modulo | Binary::ShiftRight | Binary::And if step_b == 0 => {
                let (Some(span), Some(amount)) = (self.span(a), constant(right)) else {
                    return Fact::VARYING;
                };
                // Negative numbers are divided towards zero, which is not by blocks.
                let unsigned = ty == Scalar::U32;
                match operator {
                    Binary::Divide if unsigned && amount != 0 && amount % span == 0 => Fact::new(Shape::Gang),
                    Binary::Modulo if unsigned && amount != 0 && amount % span == 0 => Fact::affine(
                        step_a,
                        if amount.is_power_of_two() { a.zeros } else { span.trailing_zeros() as u8 },
                    ),
                    Binary::ShiftRight if 1u64 << (amount & 31) >= u64::from(span) => Fact::new(Shape::Gang),
                    Binary::And if amount.trailing_ones() >= span.trailing_zeros() => {
                        Fact::affine(step_a, a.zeros)
                    }
                    Binary::And if amount.trailing_zeros() >= span.trailing_zeros() => {
                        Fact::aligned(Shape::Gang, amount.trailing_zeros())
                    }
                    _ => Fact::VARYING,
                }
            }
            _ => Fact::VARYING,
        }
    }

    /// The size, a power of two below 2³², of the block of numbers that begins with lane 0's and holds every lane's, where
    /// lane 0's is a multiple of that size.
    fn span(&self, a: Fact) -> Option<u32> {
        let step = u32::try_from(a.step()?).ok()?;
        let span = step
            .checked_mul(self.ganging.lanes().checked_next_power_of_two()?)?
            .checked_next_power_of_two()?;
        (step != 0 && u32::from(a.zeros) >= span.trailing_zeros()).then_some(span)
    }

    fn compare(&self, compare: Compare, left: Value, right: Value, facts: &[Fact]) -> Fact {
        let (a, b) = (facts[left.0 as usize], facts[right.0 as usize]);
        let uniform = Fact::level(a.choice().max(b.choice()));
        let (Some(step_a), Some(step_b)) = (a.step(), b.step()) else { return Fact::VARYING };
        if step_a == 0 && step_b == 0 {
            return uniform;
        }
        // Against a border of blocks, a whole block lies on one side.
        let block = |affine: Fact, border: Fact| {
            border.step() == Some(0)
                && self.span(affine).is_some_and(|span| u32::from(border.zeros) >= span.trailing_zeros())
        };
        let together = match compare {
            Compare::Equal | Compare::NotEqual => step_a == step_b,
            Compare::Less | Compare::GreaterEqual => block(a, b),
            Compare::Greater | Compare::LessEqual => block(b, a),
        };
        if together { Fact::new(Shape::Gang) } else { Fact::VARYING }
    }

    fn load(&self, place: &Place, uniform: bool, facts: &[Fact], varying_variables: &[bool]) -> Fact {
        if uniform {
            return Fact::new(Shape::Workgroup);
        }
        let index =
            place.indices.iter().map(|i| facts[i.value.0 as usize].choice()).max().unwrap_or(Level::Launch);
        match place.root {
            Root::Binding(binding) if !self.function.bindings[binding as usize].written => Fact::level(index),
            Root::Variable(variable)
                if !self.function.variables[variable as usize].workgroup
                    && varying_variables[variable as usize] =>
            {
                Fact::VARYING
            }
            // One load serves the gang; another gang may see something else there.
            _ => Fact::level(index.max(Level::Gang)),
        }
    }

    /// What the lanes of a gang have of a builtin.
    fn builtin(&self, builtin: Builtin) -> Fact {
        let size = self.function.workgroup_size;
        let lanes = self.ganging.lanes().max(1);
        let gang_zeros = if lanes.is_power_of_two() { lanes.trailing_zeros() } else { 0 };
        let lane = |zeros: u32| Fact::aligned(Shape::Affine(1), zeros);
        let launch = Fact::new(Shape::Launch);
        let gang = Fact::new(Shape::Gang);
        let zero = Fact::aligned(Shape::Launch, 32);
        match builtin {
            Builtin::NumWorkgroups(_) | Builtin::SubgroupSize | Builtin::NumSubgroups => return launch,
            Builtin::LocalId(axis) if size[usize::from(axis)] == 1 => return zero,
            Builtin::LocalIndex if size == [1; 3] => return zero,
            _ => {}
        }
        match self.ganging {
            Ganging::Rows { aligned: true, .. } => match builtin {
                Builtin::GlobalId(0) | Builtin::LocalId(0) | Builtin::LocalIndex => lane(gang_zeros),
                Builtin::SubgroupInvocationId => lane(32),
                _ => gang,
            },
            Ganging::Rows { aligned: false, .. } => match builtin {
                Builtin::GlobalId(0) => lane(0),
                Builtin::WorkgroupId(0) if size[0] == 1 => lane(0),
                Builtin::WorkgroupId(0) | Builtin::LocalId(0) => Fact::VARYING,
                Builtin::LocalIndex if size[0] == 1 => gang,
                Builtin::LocalIndex | Builtin::SubgroupInvocationId | Builtin::SubgroupId => Fact::VARYING,
                _ => gang,
            },
            Ganging::Workgroup { .. } => {
                // The axis along which local indices are consecutive, and whether there is another.
                let first = size.iter().position(|&n| n > 1).unwrap_or(0);
                let row = size.iter().filter(|&&n| n > 1).count() <= 1;
                let whole = size[first].is_multiple_of(lanes);
                match builtin {
                    Builtin::WorkgroupId(_) => Fact::new(Shape::Workgroup),
                    Builtin::GlobalId(axis) if size[usize::from(axis)] == 1 => Fact::new(Shape::Workgroup),
                    Builtin::LocalIndex => lane(gang_zeros),
                    Builtin::SubgroupInvocationId => lane(32),
                    Builtin::SubgroupId => gang,
                    Builtin::LocalId(axis) if usize::from(axis) == first && (row || whole) => {
                        lane(gang_zeros)
                    }
                    Builtin::GlobalId(axis) if usize::from(axis) == first && (row || whole) => {
                        lane(gang_zeros.min(size[first].trailing_zeros()))
                    }
                    Builtin::LocalId(_) | Builtin::GlobalId(_) if whole => gang,
                    _ => Fact::VARYING,
                }
            }
        }
    }
}
