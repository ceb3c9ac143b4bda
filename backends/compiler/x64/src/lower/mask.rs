//! Masks: tested as a whole, as numbers, by lanes of either size, combined.
//!
//! Knows where the lanes of a mask lie; comparisons and choices have files of their own.

use iced_x86::Code;
use regalloc2::VReg;
use smallvec::smallvec;
use warpweft_vector::ir::{Binary, Kind, Op, Type, Unary, Value};

use super::integer::{Alu, alu};
use super::{Lower, Parts, Selected};
use crate::opcodes::V;
use crate::program::{Action, Cc, Condition, INT, Length, MASK, Rm, View};

impl<'f> Lower<'f> {
    // --- masks as a whole ------------------------------------------------------------------------------------------

    /// Lanes of a mask that mean something, as the low bits of a number; where they fill what is tested: `None`.
    fn partial(&self, lanes: u32) -> Option<i32> {
        let full = if self.wide() { lanes >= 8 } else { lanes >= 4 };
        (!full).then_some((1 << lanes) - 1)
    }

    /// Parts joined by an operation, so that few are left.
    fn fold_mask(&mut self, code: Code, v: V, length: Length, mut parts: Parts, left: usize) -> Parts {
        while parts.len() > left.max(1) {
            let mut joined = Parts::new();
            for pair in parts.chunks(2) {
                joined.push(match *pair {
                    [a, b] if self.wide() => self.k3(code, a, b),
                    [a, b] => self.v3(v, length, a, b),
                    _ => pair[0],
                });
            }
            parts = joined;
        }
        parts
    }

    pub(super) fn k3(&mut self, code: Code, a: VReg, b: VReg) -> VReg {
        let register = self.k();
        self.code(code).def(register, View::K).uses(a, View::K).uses(b, View::K).finish();
        register
    }

    pub(super) fn any(&mut self, mask: Value) -> Selected<Condition> {
        let shape = self.shape(self.ty(mask));
        if self.ty(mask).is_scalar() {
            return self.truth(mask);
        }
        let parts = self.regs(mask)?;
        if self.wide() && self.partial(shape.lanes).is_none() {
            // The test itself joins two.
            let parts = self.fold_mask(Code::VEX_Korw_kr_kr_kr, V::PorD, shape.length, parts, 2);
            let code = if shape.lanes == 8 { Code::VEX_Kortestb_kr_kr } else { Code::VEX_Kortestw_kr_kr };
            let second = parts[parts.len() - 1];
            self.code(code).uses(parts[0], View::K).uses(second, View::K).finish();
            return Ok(Condition::One(Cc::NotEqual));
        }
        let parts = self.fold_mask(Code::VEX_Korw_kr_kr_kr, V::PorD, shape.length, parts, 1);
        let bits = self.low_bits(parts[0], shape.length);
        match self.partial(shape.lanes) {
            Some(low) => {
                let low = i64::from(low);
                self.code(Code::Test_rm32_imm32).uses(bits, View::G32).immediate(low, View::I32).finish();
            }
            None => self.code(Code::Test_rm32_r32).uses(bits, View::G32).uses(bits, View::G32).finish(),
        }
        Ok(Condition::One(Cc::NotEqual))
    }

    pub(super) fn all(&mut self, mask: Value) -> Selected<Condition> {
        let shape = self.shape(self.ty(mask));
        if self.ty(mask).is_scalar() {
            return self.truth(mask);
        }
        let parts = self.regs(mask)?;
        let parts = self.fold_mask(Code::VEX_Kandw_kr_kr_kr, V::PandD, shape.length, parts, 1);
        if self.wide() && self.partial(shape.lanes).is_none() {
            let code = if shape.lanes == 8 { Code::VEX_Kortestb_kr_kr } else { Code::VEX_Kortestw_kr_kr };
            self.code(code).uses(parts[0], View::K).uses(parts[0], View::K).finish();
            // Carry: all ones.
            return Ok(Condition::One(Cc::Below));
        }
        let mut bits = self.low_bits(parts[0], shape.length);
        if let Some(low) = self.partial(shape.lanes) {
            bits = self.with_number(Alu::And, Kind::I32, bits, low);
        }
        let wanted = (1i64 << shape.lanes) - 1;
        self.code(Code::Cmp_rm32_imm32).uses(bits, View::G32).immediate(wanted, View::I32).finish();
        Ok(Condition::One(Cc::Equal))
    }

    fn truth(&mut self, scalar: Value) -> Selected<Condition> {
        self.condition(scalar)
    }

    /// The bits of one part; those beyond its lanes mean nothing.
    fn low_bits(&mut self, part: VReg, length: Length) -> VReg {
        let register = self.int();
        if self.wide() {
            self.code(Code::VEX_Kmovw_r32_kr).def(register, View::G32).uses(part, View::K).finish();
        } else {
            let action = Action::Vector(V::MovmskPs, length);
            self.p.build(action).def(register, View::G32).uses(part, length.view()).finish();
        }
        register
    }

    pub(super) fn bits(&mut self, mask: Value) -> Selected<VReg> {
        let ty = self.ty(mask);
        if ty.is_scalar() {
            let bit = self.reg(mask, 0)?;
            let register = self.int();
            self.code(Code::Mov_r32_rm32).def(register, View::G32).uses(bit, View::G32).finish();
            return Ok(register);
        }
        let shape = self.shape(ty);
        let parts = self.regs(mask)?;
        let mut all = None;
        for part in parts.into_iter().rev() {
            let mut bits = self.low_bits(part, shape.length);
            if let Some(low) = self.partial(shape.lanes) {
                bits = self.with_number(Alu::And, Kind::I32, bits, low);
            } else if self.wide() && shape.lanes == 8 {
                bits = self.with_number(Alu::And, Kind::I32, bits, 0xff);
            }
            all = Some(match all {
                None => bits,
                Some(upper) => {
                    let shifted = self.int();
                    let lanes = shape.lanes as u8;
                    self.code(Code::Shl_rm64_imm8).tied(shifted, upper, View::G64).byte(lanes).finish();
                    let both = self.int();
                    self.code(alu(Alu::Or, true))
                        .tied(both, shifted, View::G64)
                        .uses(bits, View::G64)
                        .finish();
                    both
                }
            });
        }
        match all {
            Some(bits) => Ok(bits),
            None => self.refuse("a mask of no lanes"),
        }
    }

    pub(super) fn mask_of(&mut self, bits: Value, ty: Type) -> Selected<Parts> {
        let shape = self.shape(ty);
        let bits = self.reg(bits, 0)?;
        if ty.is_scalar() {
            return Ok(smallvec![self.with_number(Alu::And, Kind::I32, bits, 1)]);
        }
        (0..shape.parts)
            .map(|part| {
                let shift = part as u32 * shape.lanes;
                let bits = if shift == 0 {
                    bits
                } else {
                    let shifted = self.int();
                    self.code(Code::Shr_rm64_imm8).tied(shifted, bits, View::G64).byte(shift as u8).finish();
                    shifted
                };
                if self.wide() {
                    let register = self.k();
                    self.code(Code::VEX_Kmovw_kr_r32).def(register, View::K).uses(bits, View::G32).finish();
                    return Ok(register);
                }
                // Each lane looks at its own bit.
                let one = self.v2_views(V::MovDToX, Length::X, View::X, bits, View::G32);
                let every = self.v2_views(V::PbroadcastD, shape.length, shape.length.view(), one, View::X);
                let own: Vec<u8> =
                    (0..shape.length.bytes() / 4).flat_map(|lane| (1u32 << lane).to_le_bytes()).collect();
                let own = crate::program::Address::pool(self.p.pool.constant(&own), false);
                let own = self.v2(V::MovuPs, shape.length, Rm::Mem(own));
                let found = self.v3(V::PandD, shape.length, every, own);
                Ok(self.v3(V::PcmpeqD, shape.length, found, own))
            })
            .collect()
    }

    // --- masks by lanes --------------------------------------------------------------------------------------------

    /// The mask for part `part` of a value of lanes of that size: k bits from 0 on, or lanes as wide as the value's.
    pub(super) fn mask_for(&mut self, mask: Value, size: u32, part: usize) -> Selected<VReg> {
        if size < 8 {
            return self.reg(mask, part);
        }
        // What waits is selected first; a comparison of such lanes has left what is wanted here.
        let register = self.reg(mask, part / 2)?;
        let long = self.long_masks[mask.0 as usize];
        if long != u32::MAX {
            return Ok(self.registers[long as usize + part]);
        }
        let lanes = u32::from(self.ty(mask).lanes);
        if self.wide() {
            if part.is_multiple_of(2) {
                return Ok(register);
            }
            let upper = self.k();
            self.code(Code::VEX_Kshiftrw_kr_kr_imm8)
                .def(upper, View::K)
                .uses(register, View::K)
                .byte(8)
                .finish();
            return Ok(upper);
        }
        let length = Length::of((lanes * 8).min(32));
        let half = if part.is_multiple_of(2) { register } else { self.upper_half(register, Length::Y) };
        Ok(self.v2_views(V::Pmovsxdq, length, length.view(), half, View::X))
    }

    /// Masks by parts of lanes of that size, as masks by parts of 32-bit lanes.
    pub(super) fn join_masks(&mut self, parts: Parts, size: u32, lanes: u32) -> Parts {
        if size < 8 {
            return parts;
        }
        if self.wide() {
            return parts
                .chunks(2)
                .map(|pair| match *pair {
                    [low, high] => self.k3(Code::VEX_Kunpckbw_kr_kr_kr, high, low),
                    _ => pair[0],
                })
                .collect();
        }
        self.narrow_lanes(&parts, lanes)
    }

    /// Operations on `Bool`s.
    pub(super) fn logic(&mut self, op: &Op, ty: Type) -> Selected<Parts> {
        let shape = self.shape(ty);
        match *op {
            Op::Unary(Unary::Not, a) => {
                let parts = self.regs(a)?;
                Ok(parts
                    .into_iter()
                    .map(|a| match shape.class {
                        INT => self.with_number(Alu::Xor, Kind::I32, a, 1),
                        MASK => {
                            let register = self.k();
                            self.code(Code::VEX_Knotw_kr_kr).def(register, View::K).uses(a, View::K).finish();
                            register
                        }
                        _ => {
                            let ones = self.ones(shape.length);
                            self.v3(V::PxorD, shape.length, a, ones)
                        }
                    })
                    .collect())
            }
            Op::Binary(op @ (Binary::And | Binary::Or | Binary::Xor), a, b) => {
                // and(not a, b) is one instruction.
                let not_a = self.waiting_unary(a, Unary::Not);
                let not_b = self.waiting_unary(b, Unary::Not);
                let (a, b, complement) = match (op, not_a, not_b) {
                    (Binary::And, Some(inner), _) if shape.class != INT => (inner, b, true),
                    (Binary::And, None, Some(inner)) if shape.class != INT => (inner, a, true),
                    _ => (a, b, false),
                };
                if op == Binary::And && shape.class == MASK && !complement {
                    let (first, second) = if self.compares_words(a) { (b, a) } else { (a, b) };
                    if let Some(Op::Compare(compare, x, y)) = self.waiting(second)
                        && self.compares_words(second)
                    {
                        let within = self.regs(first)?;
                        return self.compare_within(*compare, *x, *y, within);
                    }
                }
                let (a, b) = (self.regs(a)?, self.regs(b)?);
                Ok(a.into_iter()
                    .zip(b)
                    .map(|(a, b)| match shape.class {
                        INT => {
                            let which = match op {
                                Binary::And => Alu::And,
                                Binary::Or => Alu::Or,
                                _ => Alu::Xor,
                            };
                            let register = self.int();
                            self.code(alu(which, false))
                                .tied(register, a, View::G32)
                                .uses(b, View::G32)
                                .finish();
                            register
                        }
                        MASK => {
                            let code = match (op, complement) {
                                (_, true) => Code::VEX_Kandnw_kr_kr_kr,
                                (Binary::And, _) => Code::VEX_Kandw_kr_kr_kr,
                                (Binary::Or, _) => Code::VEX_Korw_kr_kr_kr,
                                _ => Code::VEX_Kxorw_kr_kr_kr,
                            };
                            self.k3(code, a, b)
                        }
                        _ => {
                            let v = match (op, complement) {
                                (_, true) => V::PandnD,
                                (Binary::And, _) => V::PandD,
                                (Binary::Or, _) => V::PorD,
                                _ => V::PxorD,
                            };
                            self.v3(v, shape.length, a, b)
                        }
                    })
                    .collect())
            }
            _ => self.refuse(format!("{op:?} of truth")),
        }
    }
}
