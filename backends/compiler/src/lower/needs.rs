//! What crosses barriers: which values a region needs from others, and how it gets them.
//!
//! A value that is cheap is computed again; any other has a slot in the gang's context. Knows nothing of code.

use super::steps::{Regions, Step};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Function, Op, Statement, Value};
use warpweft_ssa::uniformity::{Shape, Uniformity};

/// How deep the operands of what is computed again may nest.
pub(super) const CHEAP_DEPTH: u32 = 6;

/// Finds what each region needs from elsewhere.
pub(super) struct Needs<'a, 'r> {
    pub(super) function: &'a Function,
    pub(super) shapes: &'a Uniformity,
    pub(super) regions: &'r mut Regions,
    pub(super) lanes: u16,
}

impl<'a> Needs<'a, '_> {
    /// Fills in what the regions need, and gives slots to what crosses barriers.
    pub(super) fn steps(&mut self, steps: &mut [Step<'a>]) {
        for step in steps {
            match step {
                Step::Region(region) => {
                    let mut needs = vec![];
                    let mut used = vec![];
                    for statement in region.list {
                        uses(self.function, statement, &mut |value| used.push(value));
                    }
                    used.into_iter().for_each(|value| self.used(region.number, value, &mut needs));
                    for &(to, from) in &region.copies {
                        self.used(region.number, from, &mut needs);
                        self.slot(to);
                    }
                    region.needs = needs;
                }
                Step::If { then, otherwise, .. } => {
                    self.steps(then);
                    self.steps(otherwise);
                }
                Step::Block { body, .. } | Step::Loop { body, .. } => self.steps(body),
                Step::Shared(_) | Step::Branch { .. } | Step::Yield(_) | Step::Return => {}
            }
        }
    }

    fn used(&mut self, region: u32, value: Value, needs: &mut Vec<Value>) {
        if self.function.constant(value).is_some() || needs.contains(&value) {
            return;
        }
        let home = self.regions.home[value.0 as usize];
        if home == 0 || home == region {
            return;
        }
        let shared = |value: Value| self.regions.home[value.0 as usize] == 0;
        if is_cheap(self.function, &shared, value, CHEAP_DEPTH) {
            let mut operands = vec![];
            self.function.definition(value).op.operands(|operand| operands.push(operand));
            operands.into_iter().for_each(|operand| self.used(region, operand, needs));
        } else {
            self.slot(value);
        }
        needs.push(value);
    }

    fn slot(&mut self, value: Value) {
        if self.regions.slots.contains_key(&value) {
            return;
        }
        let scalar = self.lanes == 1 || !matches!(self.shapes.shape(value), Shape::Varying);
        let bytes = match (self.function.ty(value), scalar) {
            (Scalar::Bool, _) => 8,
            (ty, true) => ty.size().max(4),
            (ty, false) => ty.size().max(4) * u32::from(self.lanes),
        };
        let at = self.regions.context.next_multiple_of(bytes.min(64));
        self.regions.slots.insert(value, at);
        self.regions.context = at + bytes;
    }
}

/// It is sooner computed again than loaded, where what the workgroup shares is at hand.
pub(super) fn is_cheap(
    function: &Function,
    shared: &dyn Fn(Value) -> bool,
    value: Value,
    depth: u32,
) -> bool {
    let definition = function.definition(value);
    let cheap = match definition.op {
        Op::Constant(_) | Op::Builtin(_) => return true,
        Op::Unary(ssa::Unary::Negate | ssa::Unary::Not, _)
        | Op::Compare(..)
        | Op::Bitcast(_)
        | Op::Length { .. }
        | Op::Select(..) => true,
        Op::Binary(op, ..) => {
            let float = matches!(definition.ty, Scalar::F16 | Scalar::F32 | Scalar::F64);
            !float && !matches!(op, ssa::Binary::Divide | ssa::Binary::Modulo)
        }
        _ => false,
    };
    if shared(value) {
        return true;
    }
    if !cheap || depth == 0 {
        return false;
    }
    let mut all = true;
    definition.op.operands(|operand| all = all && is_cheap(function, shared, operand, depth - 1));
    all
}

/// Tells of every value that a statement asks for.
pub(super) fn uses(function: &Function, statement: &Statement, put: &mut dyn FnMut(Value)) {
    match statement {
        Statement::Let(value) => function.definition(*value).op.operands(put),
        Statement::Store { place, value, .. } => {
            place.indices.iter().for_each(|index| put(index.value));
            put(*value);
        }
        Statement::If { condition, then, otherwise, .. } => {
            put(*condition);
            then.iter().chain(otherwise).for_each(|statement| uses(function, statement, put));
        }
        Statement::Block { body, .. } => body.iter().for_each(|statement| uses(function, statement, put)),
        Statement::Loop { params, body, .. } => {
            params.iter().for_each(|&(_, init)| put(init));
            body.iter().for_each(|statement| uses(function, statement, put));
        }
        Statement::Branch { arguments, .. } | Statement::Yield { arguments } => {
            arguments.iter().for_each(|&argument| put(argument));
        }
        Statement::Barrier { .. } | Statement::Call { .. } | Statement::Return => {}
    }
}
