//! Lanes moved between scalars and vectors, and within vectors.
//!
//! Knows where lanes lie in parts; nothing of what they mean.

use iced_x86::Code;
use regalloc2::VReg;
use smallvec::smallvec;
use warpweft_vector::ir::{Kind, Op, Type, Value};

use super::integer::Alu;
use super::vector::lanes;
use super::{Lower, Parts, Selected};
use crate::opcodes::V;
use crate::program::{Action, Address, Length, Place, Rm, View};

impl<'f> Lower<'f> {
    /// The upper half of a register of that length (Y or Z), as the lower half of another.
    pub(super) fn upper_half(&mut self, register: VReg, length: Length) -> VReg {
        let half = self.vec();
        let v = if length == Length::Z { V::ExtractHalf } else { V::Extract128 };
        let action = Action::Vector(v, length);
        self.p.build(action).def(half, length.half().view()).uses(register, length.view()).byte(1).finish();
        half
    }

    /// Two halves as one register of that length (Y or Z).
    pub(super) fn join(&mut self, low: VReg, high: VReg, length: Length) -> VReg {
        let both = self.vec();
        let (view, half) = (length.view(), length.half().view());
        let action = Action::Vector(V::InsertHalf, length);
        self.p.build(action).def(both, view).uses(low, view).uses(high, half).byte(1).finish();
        both
    }

    /// What a vector of narrow lanes holds for part `part` of one of lanes twice as wide: in the low half.
    pub(super) fn half_for(&mut self, narrow: Value, wide: Type, part: usize) -> Selected<VReg> {
        let (from, to) = (self.shape(self.ty(narrow)), self.shape(wide));
        if from.parts == to.parts {
            return self.reg(narrow, part);
        }
        let register = self.reg(narrow, part / 2)?;
        Ok(if part.is_multiple_of(2) { register } else { self.upper_half(register, from.length) })
    }

    /// Halves for each part of a type with twice as many bytes, as parts of the narrow type.
    pub(super) fn join_halves(&mut self, halves: Parts, ty: Type) -> Parts {
        let shape = self.shape(ty);
        if shape.parts == halves.len() {
            return halves;
        }
        halves
            .chunks(2)
            .map(|pair| match *pair {
                [low, high] => self.join(low, high, shape.length),
                _ => pair[0],
            })
            .collect()
    }

    /// AVX2: 64-bit lanes to their low 32 bits.
    pub(super) fn narrow_lanes(&mut self, parts: &[VReg], lanes: u32) -> Parts {
        if lanes == 2 {
            return parts.iter().map(|&part| self.v2i(V::PshufD, Length::X, part, 0x08)).collect();
        }
        if lanes == 4 {
            return parts
                .iter()
                .map(|&part| {
                    let high = self.upper_half(part, Length::Y);
                    self.v3i(V::ShufPs, Length::X, part, high, 0x88)
                })
                .collect();
        }
        parts
            .chunks(2)
            .map(|pair| match *pair {
                [low, high] => {
                    let mixed = self.v3i(V::ShufPs, Length::Y, low, high, 0x88);
                    self.v2i(V::PermQI, Length::Y, mixed, 0xd8)
                }
                _ => pair[0],
            })
            .collect()
    }

    // --- splat -----------------------------------------------------------------------------------------------------

    pub(super) fn splat(&mut self, scalar: Value, ty: Type) -> Selected<Parts> {
        let shape = self.shape(ty);
        let view = shape.length.view();
        let long = ty.kind.size() == 8;
        let register = if ty.is_scalar() {
            self.reg(scalar, 0)?
        } else if ty.kind == Kind::Bool {
            let bit = self.reg(scalar, 0)?;
            let negative = self.int();
            self.code(Code::Neg_rm32).tied(negative, bit, View::G32).finish();
            if self.wide() {
                let mask = self.k();
                self.code(Code::VEX_Kmovd_kr_r32).def(mask, View::K).uses(negative, View::G32).finish();
                mask
            } else {
                self.splat_integer(negative, false, shape.length)
            }
        } else if let Some(Op::Load(access)) = self.waiting(scalar)
            && access.width == warpweft_vector::ir::Width::Full
        {
            let address = self.address(access, 8)?;
            let v = if long { V::BroadcastSd } else { V::BroadcastSs };
            self.v2_views(v, shape.length, view, Rm::Mem(address), View::X)
        } else if ty.kind.is_float() {
            let one = self.reg(scalar, 0)?;
            let v = if long { V::BroadcastSdX } else { V::BroadcastSsX };
            self.v2_views(v, shape.length, view, one, View::X)
        } else {
            let one = self.reg(scalar, 0)?;
            self.splat_integer(one, long, shape.length)
        };
        // One register serves for every part.
        Ok(smallvec![register; shape.parts])
    }

    fn splat_integer(&mut self, one: VReg, long: bool, length: Length) -> VReg {
        let from = if long { View::G64 } else { View::G32 };
        if self.wide() {
            let v = if long { V::PbroadcastGQ } else { V::PbroadcastGD };
            return self.v2_views(v, length, length.view(), one, from);
        }
        let one = self.v2_views(if long { V::MovQToX } else { V::MovDToX }, Length::X, View::X, one, from);
        self.v2_views(if long { V::PbroadcastQ } else { V::PbroadcastD }, length, length.view(), one, View::X)
    }

    // --- extract ---------------------------------------------------------------------------------------------------

    pub(super) fn extract(&mut self, vector: Value, lane: u32) -> Selected<VReg> {
        let ty = self.ty(vector);
        let shape = self.shape(ty);
        if lane >= ty.lanes.into() {
            return self.refuse("a lane beyond the last");
        }
        if ty.is_scalar() {
            return self.reg(vector, 0);
        }
        let part = self.reg(vector, (lane / shape.lanes) as usize)?;
        let lane = lane % shape.lanes;
        if ty.kind == Kind::Bool && self.wide() {
            let bits = self.int();
            self.code(Code::VEX_Kmovw_r32_kr).def(bits, View::G32).uses(part, View::K).finish();
            return Ok(self.bit(bits, lane));
        }
        if ty.kind == Kind::Bool {
            let bits = self.int();
            let action = Action::Vector(V::MovmskPs, shape.length);
            self.p.build(action).def(bits, View::G32).uses(part, shape.length.view()).finish();
            return Ok(self.bit(bits, lane));
        }
        Ok(self.extract_lane(part, ty.kind, shape.length, lane))
    }

    fn bit(&mut self, bits: VReg, lane: u32) -> VReg {
        let low = if lane == 0 {
            bits
        } else {
            let shifted = self.int();
            self.code(Code::Shr_rm32_imm8).tied(shifted, bits, View::G32).byte(lane as u8).finish();
            shifted
        };
        self.with_number(Alu::And, Kind::I32, low, 1)
    }

    /// A lane of one register, as a scalar.
    pub(super) fn extract_lane(&mut self, part: VReg, kind: Kind, length: Length, lane: u32) -> VReg {
        let each = 16 / kind.size();
        let quarter = lane / each;
        let low = if quarter == 0 {
            part
        } else {
            let piece = self.vec();
            let action = Action::Vector(V::Extract128, length);
            self.p.build(action).def(piece, View::X).uses(part, length.view()).byte(quarter as u8).finish();
            piece
        };
        let lane = lane % each;
        if kind.is_float() {
            return match (kind, lane) {
                (_, 0) => low,
                (Kind::F32, _) => self.v2i(V::PermilPsI, Length::X, low, lane as u8),
                _ => self.v2i(V::PermilPdI, Length::X, low, 1),
            };
        }
        let register = self.int();
        let long = kind.size() == 8;
        let view = if long { View::G64 } else { View::G32 };
        if lane == 0 {
            let v = if long { V::MovQFromX } else { V::MovDFromX };
            self.p.build(Action::Vector(v, Length::X)).def(register, view).uses(low, View::X).finish();
        } else {
            let v = if long { V::PextrQ } else { V::PextrD };
            let action = Action::Vector(v, Length::X);
            self.p.build(action).def(register, view).uses(low, View::X).byte(lane as u8).finish();
        }
        register
    }

    pub(super) fn extract_at(&mut self, vector: Value, lane: Value) -> Selected<VReg> {
        let ty = self.ty(vector);
        if ty.is_scalar() {
            return self.reg(vector, 0);
        }
        if let Some(number) = self.small(lane) {
            // Any lane does where there is none of that number.
            return self.extract(vector, number as u32 % u32::from(ty.lanes));
        }
        if ty.kind == Kind::Bool {
            let bits = self.bits(vector)?;
            let lane = self.reg(lane, 0)?;
            let shifted = self.int();
            self.code(Code::VEX_Shrx_r64_rm64_r64)
                .def(shifted, View::G64)
                .uses(bits, View::G64)
                .uses(lane, View::G64)
                .finish();
            return Ok(self.with_number(Alu::And, Kind::I32, shifted, 1));
        }
        let shape = self.shape(ty);
        if shape.parts == 1 && ty.kind.size() == 4 {
            let lane = self.reg(lane, 0)?;
            let lane = self.v2_views(V::MovDToX, Length::X, View::X, lane, View::G32);
            let part = self.reg(vector, 0)?;
            let found = if shape.length == Length::X {
                self.v3(V::PermilPs, Length::X, part, lane)
            } else {
                self.v3(V::PermPs, shape.length, lane, part)
            };
            return Ok(self.extract_lane(found, ty.kind, Length::X, 0));
        }
        // Through memory: written whole, read where the lane is.
        let parts = self.regs(vector)?;
        let bytes = shape.length.bytes();
        self.p.scratch = self.p.scratch.max(bytes * shape.parts as u32);
        for (part, register) in parts.into_iter().enumerate() {
            let place = Address::frame((part as u32 * bytes) as i32);
            let action = Action::Vector(V::MovuPsStore, shape.length);
            self.p.build(action).memory(&place).uses(register, shape.length.view()).finish();
        }
        let lane = self.reg(lane, 0)?;
        let inside = self.with_number(Alu::And, Kind::I32, lane, i32::from(ty.lanes) - 1);
        let size = ty.kind.size() as u8;
        let place = Address {
            base: Place::Frame,
            index: Some((inside, View::G64)),
            scale: size,
            displacement: 0,
            broadcast: false,
        };
        Ok(self.load_scalar(&place, ty.kind))
    }

    /// A scalar from memory.
    pub(super) fn load_scalar(&mut self, place: &Address, kind: Kind) -> VReg {
        match kind {
            Kind::F32 => self.v2(V::MovSsLoad, Length::X, Rm::Mem(*place)),
            Kind::F64 => self.v2(V::MovSdLoad, Length::X, Rm::Mem(*place)),
            _ => {
                let register = self.int();
                let (code, view) = match kind {
                    Kind::I64 => (Code::Mov_r64_rm64, View::G64),
                    _ => (Code::Mov_r32_rm32, View::G32),
                };
                self.code(code).def(register, view).memory(place).finish();
                register
            }
        }
    }

    // --- permute ---------------------------------------------------------------------------------------------------

    pub(super) fn permute(&mut self, vector: Value, from: Value) -> Selected<Parts> {
        let ty = self.ty(vector);
        let shape = self.shape(ty);
        let long = ty.kind.size() == 8;
        if ty.is_scalar() {
            return self.regs(vector);
        }
        if ty.kind == Kind::Bool
            || (long && !self.wide())
            || shape.parts > 2
            || (shape.parts == 2 && !self.wide())
        {
            return self.refuse("a permutation of these lanes");
        }
        let parts = self.regs(vector)?;
        let mut result = Parts::new();
        for part in 0..shape.parts {
            let lanes = if long {
                let half = self.half_for(from, ty.with(Kind::I64), part)?;
                self.v2_views(
                    V::Pmovzxdq,
                    shape.length,
                    shape.length.view(),
                    half,
                    shape.length.half().view(),
                )
            } else {
                self.reg(from, part)?
            };
            result.push(match (shape.parts, shape.length) {
                (1, Length::X) if !long => self.v3(V::PermilPs, Length::X, parts[0], lanes),
                (1, Length::Y | Length::Z) => {
                    self.v3(lanes!(ty.kind, PermD, PermQ), shape.length, lanes, parts[0])
                }
                _ => {
                    // Both tables at once; the lanes become the result.
                    let upper = parts[parts.len() - 1];
                    let register = self.vec();
                    let view = shape.length.view();
                    let action = Action::Vector(lanes!(ty.kind, Permi2D, Permi2Q), shape.length);
                    self.p
                        .build(action)
                        .tied(register, lanes, view)
                        .uses(parts[0], view)
                        .uses(upper, view)
                        .finish();
                    register
                }
            });
        }
        Ok(result)
    }
}
