//! All lanes of a vector as one scalar: the upper half with the lower, until one lane is left.
//!
//! Knows the tree that the IR prescribes; what combines two lanes is in `vector.rs`.

use iced_x86::Code;
use regalloc2::VReg;
use warpweft_vector::ir::{Binary, Kind, Value};

use super::integer::Alu;
use super::vector::Form;
use super::{Lower, Selected};
use crate::opcodes::V;
use crate::program::{Cc, Condition, Length, Rm, View};

impl<'f> Lower<'f> {
    pub(super) fn reduce(&mut self, op: Binary, vector: Value) -> Selected<VReg> {
        let ty = self.ty(vector);
        if ty.is_scalar() {
            return self.reg(vector, 0);
        }
        if ty.kind == Kind::Bool {
            return self.reduce_mask(op, vector);
        }
        let shape = self.shape(ty);
        let mut parts = self.regs(vector)?;
        let mut form = Form { kind: ty.kind, length: shape.length, scalar: false };
        while parts.len() > 1 {
            let (lower, upper) = parts.split_at(parts.len() / 2);
            parts = lower
                .iter()
                .zip(upper)
                .map(|(&low, &high)| self.combine(op, form, low, Rm::Reg(high)))
                .collect::<Selected<_>>()?;
        }
        let mut value = parts[0];
        let mut lanes = shape.lanes;
        while form.length > Length::X {
            let high = self.upper_half(value, form.length);
            form.length = form.length.half();
            value = self.combine(op, form, value, Rm::Reg(high))?;
            lanes /= 2;
        }
        while lanes > 1 {
            // The upper half of what is left, moved down.
            let high = match (ty.kind.size(), lanes) {
                (4, 2) => self.v2i(V::PshufD, Length::X, value, 0b01),
                _ => self.v2i(V::PshufD, Length::X, value, 0b1110),
            };
            value = self.combine(op, form, value, Rm::Reg(high))?;
            lanes /= 2;
        }
        Ok(self.extract_lane(value, ty.kind, Length::X, 0))
    }

    fn reduce_mask(&mut self, op: Binary, vector: Value) -> Selected<VReg> {
        let bits = self.bits(vector)?;
        let lanes = u32::from(self.ty(vector).lanes);
        let register = self.int();
        match op {
            Binary::Xor => {
                self.code(Code::Popcnt_r64_rm64).def(register, View::G64).uses(bits, View::G64).finish();
                Ok(self.with_number(Alu::And, Kind::I32, register, 1))
            }
            Binary::Or => {
                self.code(Code::Test_rm64_r64).uses(bits, View::G64).uses(bits, View::G64).finish();
                Ok(self.flag(Condition::One(Cc::NotEqual)))
            }
            Binary::And => {
                let all = self.number(if lanes == 64 { u64::MAX } else { (1 << lanes) - 1 }, Kind::I64);
                self.code(Code::Cmp_r64_rm64).uses(bits, View::G64).uses(all, View::G64).finish();
                Ok(self.flag(Condition::One(Cc::Equal)))
            }
            _ => self.refuse(format!("{op:?} of truth")),
        }
    }
}
