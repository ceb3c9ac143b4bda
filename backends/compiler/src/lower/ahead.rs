//! What can be computed ahead of its place: in front of a gang's code, of a row, of a loop.
//!
//! That is what follows from ids, uniforms, constants and lengths, without reading memory that the kernel writes.

use super::Gang;
use warpweft_ssa::ir::{self as ssa, Op as SsaOp, Place};

/// Operations that one value is computed from ahead of its place, at most; what is used twice counts twice, since it is
/// looked at, and emitted, for each use.
pub(super) const MOST_OPERATIONS: u32 = 100;

impl Gang<'_> {
    /// It can be computed in front of the code: it reads constant memory at most, and costs little.
    pub(super) fn is_plain(&self, value: ssa::Value) -> bool {
        match &self.ssa.definition(value).op {
            SsaOp::Load { place, .. } => self.is_constant_place(place),
            SsaOp::Math(..) | SsaOp::Pow(..) | SsaOp::Atan2(..) => false,
            op => op.is_pure(),
        }
    }

    pub(super) fn is_constant_place(&self, place: &Place) -> bool {
        match place.root {
            ssa::Root::Binding(binding) => {
                let binding = &self.ssa.bindings[binding as usize];
                place.indices.is_empty()
                    && !binding.written
                    && u64::from(place.offset) + u64::from(place.ty.size()) <= binding.min_size
            }
            ssa::Root::Variable(_) => false,
        }
    }

    /// A value can be computed in front of the code, from what is there: ids, uniforms, lengths.
    pub(super) fn is_ahead(&self, value: ssa::Value, depth: u32) -> bool {
        self.is_ahead_within(value, false, depth, &mut { MOST_OPERATIONS })
    }

    /// The same, and neither it nor what it is made of differs from lane to lane but evenly.
    pub(super) fn follows(&self, value: ssa::Value, depth: u32) -> bool {
        self.is_ahead_within(value, true, depth, &mut { MOST_OPERATIONS })
    }

    fn is_ahead_within(&self, value: ssa::Value, scalar: bool, depth: u32, left: &mut u32) -> bool {
        if self.is_there(value) {
            return true;
        }
        if scalar && !self.is_scalar(value) {
            return false;
        }
        let op = &self.ssa.definition(value).op;
        if matches!(op, SsaOp::Builtin(_) | SsaOp::Length { .. }) {
            return true;
        }
        if depth == 0 || *left == 0 || matches!(op, SsaOp::Parameter) || !self.is_plain(value) {
            return false;
        }
        *left -= 1;
        let mut all = true;
        op.operands(|operand| all = all && self.is_ahead_within(operand, scalar, depth - 1, left));
        all
    }

    /// Lowers a value here, ahead of its place, with what it needs.
    pub(super) fn lower_ahead(&mut self, value: ssa::Value) {
        if self.is_there(value) {
            return;
        }
        let definition = self.ssa.definition(value);
        let mut operands = vec![];
        definition.op.operands(|operand| operands.push(operand));
        for operand in operands {
            self.lower_ahead(operand);
        }
        self.mark(definition.mark);
        let form = self.operation(value, definition);
        // Nobody else's: what crosses barriers is kept when its place comes.
        self.values[value.0 as usize] = Some(form);
    }

    /// It needs no lowering: a constant, or what the workgroup's own code has computed.
    fn is_there(&self, value: ssa::Value) -> bool {
        self.ssa.constant(value).is_some() || (self.regions.is_some() && self.home(value) == 0)
    }
}
