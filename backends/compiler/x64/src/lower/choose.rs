//! Choices: `condition ? a : b` in every class of registers.
//!
//! An operation that waits for its choice becomes one instruction with it, on AVX-512. Knows nothing of memory.

use iced_x86::Code;
use regalloc2::VReg;
use smallvec::smallvec;
use warpweft_vector::ir::{Kind, Type, Value};

use super::{Lower, Parts, Selected};
use crate::opcodes::V;
use crate::program::{Action, Cc, Condition, INT, Length, MASK, Rm, View};

impl<'f> Lower<'f> {
    pub(super) fn choose(&mut self, ty: Type, condition: Value, a: Value, b: Value) -> Selected<Parts> {
        let shape = self.shape(ty);
        if shape.class == INT {
            let then = self.reg(a, 0)?;
            let otherwise = self.reg(b, 0)?;
            let flags = self.condition(condition)?;
            return Ok(smallvec![match flags {
                Condition::One(cc) => self.move_if(cc, ty.kind, otherwise, then),
                Condition::NotEqualUnordered => {
                    let first = self.move_if(Cc::NotEqual, ty.kind, otherwise, then);
                    self.move_if(Cc::Parity, ty.kind, first, then)
                }
                Condition::EqualOrdered => {
                    let first = self.move_if(Cc::NotEqual, ty.kind, then, otherwise);
                    self.move_if(Cc::Parity, ty.kind, first, otherwise)
                }
            }]);
        }
        if shape.class == MASK {
            let (c, a, b) = (self.regs(condition)?, self.regs(a)?, self.regs(b)?);
            return Ok((0..shape.parts)
                .map(|part| {
                    let yes = self.k3(Code::VEX_Kandw_kr_kr_kr, c[part], a[part]);
                    let no = self.k3(Code::VEX_Kandnw_kr_kr_kr, c[part], b[part]);
                    self.k3(Code::VEX_Korw_kr_kr_kr, yes, no)
                })
                .collect());
        }
        if ty.is_scalar() {
            return Ok(smallvec![self.choose_scalar(ty, condition, a, b)?]);
        }
        let size = ty.kind.size();
        if self.wide()
            && ty.kind != Kind::Bool
            && let Some(op) = self.waiting(a)
            && self.merges(op, ty)
            && let Some(parts) = self.merged(op, ty, condition, b)?
        {
            return Ok(parts);
        }
        let zero = |lower: &Self, value: Value| ty.kind != Kind::Bool && lower.bits_of(value) == Some(0);
        (0..shape.parts)
            .map(|part| {
                let mask = self.mask_for(condition, size, part)?;
                let view = shape.length.view();
                if self.wide() {
                    let register = self.vec();
                    if zero(self, b) {
                        let a = self.rm(a, part, false)?;
                        let v = if size == 8 { V::MovuPd } else { V::MovuPs };
                        let action = Action::Vector(v, shape.length);
                        self.p.build(action).def(register, view).rm(a, view).masked(mask, true).finish();
                        return Ok(register);
                    }
                    let b = self.reg(b, part)?;
                    let a = self.rm(a, part, true)?;
                    let v = if size == 8 { V::BlendmPd } else { V::BlendmPs };
                    let action = Action::Vector(v, shape.length);
                    self.p
                        .build(action)
                        .def(register, view)
                        .uses(b, view)
                        .rm(a, view)
                        .masked(mask, false)
                        .finish();
                    return Ok(register);
                }
                if zero(self, b) {
                    let a = self.rm(a, part, false)?;
                    return Ok(self.v3(V::AndPs, shape.length, mask, a));
                }
                if zero(self, a) {
                    let b = self.rm(b, part, false)?;
                    return Ok(self.v3(V::AndnPs, shape.length, mask, b));
                }
                let b = self.reg(b, part)?;
                let a = self.rm(a, part, false)?;
                Ok(self.blend(size, shape.length, mask, a, b))
            })
            .collect()
    }

    /// AVX2: `mask ? a : b`.
    pub(super) fn blend(&mut self, size: u32, length: Length, mask: VReg, a: Rm, b: VReg) -> VReg {
        let register = self.vec();
        let view = length.view();
        let v = if size == 8 { V::BlendvPd } else { V::BlendvPs };
        let action = Action::Vector(v, length);
        self.p.build(action).def(register, view).uses(b, view).rm(a, view).uses(mask, view).finish();
        register
    }

    /// Of scalar floats.
    fn choose_scalar(&mut self, ty: Type, condition: Value, a: Value, b: Value) -> Selected<VReg> {
        let double = ty.kind == Kind::F64;
        // A comparison of floats of the same size gives the mask directly.
        if let Some((compare, x, y)) = self.waiting_compare(condition)
            && self.ty(x).kind.is_float()
            && (self.wide() || self.ty(x).kind == ty.kind)
        {
            let kind = self.ty(x).kind;
            let (x, y) = (self.reg(x, 0)?, self.reg(y, 0)?);
            let (a, b) = (self.reg(a, 0)?, self.reg(b, 0)?);
            if self.wide() {
                let mask = self.compare_to_mask(compare, kind, Length::X, x, y.into())?;
                return Ok(self.blend_masked(double, mask, a, b));
            }
            let mask = self.compare_lanes(compare, kind, Length::X, x, y.into())?;
            return Ok(self.blend(ty.kind.size(), Length::X, mask, a.into(), b));
        }
        let bit = self.reg(condition, 0)?;
        let (a, b) = (self.reg(a, 0)?, self.reg(b, 0)?);
        if self.wide() {
            let mask = self.k();
            self.code(Code::VEX_Kmovw_kr_r32).def(mask, View::K).uses(bit, View::G32).finish();
            return Ok(self.blend_masked(double, mask, a, b));
        }
        let negative = self.int();
        let view = if double { View::G64 } else { View::G32 };
        // The bit is 0 or 1 in 64 bits: what makes it clears the upper half.
        let code = if double { Code::Neg_rm64 } else { Code::Neg_rm32 };
        self.code(code).tied(negative, bit, view).finish();
        let v = if double { V::MovQToX } else { V::MovDToX };
        let mask = self.v2_views(v, Length::X, View::X, negative, view);
        Ok(self.blend(ty.kind.size(), Length::X, mask, a.into(), b))
    }

    fn blend_masked(&mut self, double: bool, mask: VReg, a: VReg, b: VReg) -> VReg {
        let register = self.vec();
        let v = if double { V::BlendmPd } else { V::BlendmPs };
        let action = Action::Vector(v, Length::X);
        self.p
            .build(action)
            .def(register, View::X)
            .uses(b, View::X)
            .uses(a, View::X)
            .masked(mask, false)
            .finish();
        register
    }
}
