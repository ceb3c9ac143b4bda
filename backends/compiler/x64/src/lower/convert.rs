//! Conversions between kinds.
//!
//! Knows what the machine's own conversions leave to be put right: ranges, NaN, and what AVX2 lacks.

use iced_x86::Code;
use regalloc2::VReg;
use smallvec::smallvec;
use warpweft_vector::ir::{Compare, Convert, Kind, Op, Type, Value, Width};

use super::vector::floats;
use super::{Lower, Parts, Selected};
use crate::opcodes::V;
use crate::program::{Action, Cc, INT, Length, Rm, VEC, View};

impl<'f> Lower<'f> {
    pub(super) fn convert(&mut self, convert: Convert, a: Value, ty: Type) -> Selected<Parts> {
        if ty.is_scalar() {
            return Ok(smallvec![self.convert_scalar(convert, a, ty)?]);
        }
        let from = self.ty(a);
        match (from.kind.size(), ty.kind.size()) {
            (4, 8) => self.convert_up(convert, a, ty),
            (8, 4) => self.convert_down(convert, a, ty),
            _ => self.convert_same(convert, a, ty),
        }
    }

    // --- vectors ---------------------------------------------------------------------------------------------------

    fn convert_up(&mut self, convert: Convert, a: Value, ty: Type) -> Selected<Parts> {
        let shape = self.shape(ty);
        let (to, from) = (shape.length.view(), shape.length.half().view());
        (0..shape.parts)
            .map(|part| {
                let half = self.half_for(a, ty, part)?;
                let v = match convert {
                    Convert::SignExtend => V::Pmovsxdq,
                    Convert::ZeroExtend => V::Pmovzxdq,
                    Convert::Widen => V::Cvtps2pd,
                    Convert::FromSigned => V::Cvtdq2pd,
                    Convert::FromUnsigned if self.wide() => V::Cvtudq2pd,
                    Convert::ToSigned if self.wide() => {
                        let ordered = self.compare_half(Compare::Eq, shape.length, half, half.into())?;
                        let limit = self.every(0x5f00_0000, 4, shape.length.half(), true);
                        let above = self.compare_half(Compare::Ge, shape.length, half, limit)?;
                        let number = self.masked_convert(V::Cvttps2qq, shape.length, to, half, from, ordered);
                        return Ok(self.put_largest(number, above, 8, shape.length));
                    }
                    Convert::ToUnsigned if self.wide() => {
                        let zero = self.zero();
                        let positive = self.compare_half(Compare::Gt, shape.length, half, zero.into())?;
                        return Ok(self.masked_convert(
                            V::Cvttps2uqq,
                            shape.length,
                            to,
                            half,
                            from,
                            positive,
                        ));
                    }
                    _ => return self.refuse(format!("{convert:?} to {:?}", ty.kind)),
                };
                Ok(self.v2_views(v, shape.length, to, half, from))
            })
            .collect()
    }

    fn compare_half(&mut self, compare: Compare, length: Length, a: VReg, b: Rm) -> Selected<VReg> {
        self.compare_to_mask(compare, Kind::F32, length.half(), a, b)
    }

    fn convert_down(&mut self, convert: Convert, a: Value, ty: Type) -> Selected<Parts> {
        let from = self.shape(self.ty(a));
        let parts = self.regs(a)?;
        if convert == Convert::Truncate && !self.wide() {
            return Ok(self.narrow_lanes(&parts, ty.lanes.into()));
        }
        let (to, length) = (from.length.half().view(), from.length);
        let mut halves = Parts::new();
        for part in parts {
            let half = match convert {
                Convert::Truncate => self.v2_views(V::Pmovqd, length, to, part, length.view()),
                Convert::Narrow => self.v2_views(V::Cvtpd2ps, length, to, part, length.view()),
                Convert::FromSigned if self.wide() => {
                    self.v2_views(V::Cvtqq2ps, length, to, part, length.view())
                }
                Convert::FromUnsigned if self.wide() => {
                    self.v2_views(V::Cvtuqq2ps, length, to, part, length.view())
                }
                Convert::ToSigned if self.wide() => self.doubles_to_signed(length, part)?,
                Convert::ToUnsigned if self.wide() => self.doubles_to_unsigned(length, part)?,
                _ => return self.refuse(format!("{convert:?} to {:?}", ty.kind)),
            };
            halves.push(half);
        }
        Ok(self.join_halves(halves, ty))
    }

    /// AVX-512: F64 to signed I32, half as long.
    fn doubles_to_signed(&mut self, length: Length, a: VReg) -> Selected<VReg> {
        let ordered = self.compare_to_mask(Compare::Eq, Kind::F64, length, a, a.into())?;
        let limit = self.every(2147483648f64.to_bits(), 8, length, true);
        let above = self.compare_to_mask(Compare::Ge, Kind::F64, length, a, limit)?;
        let number =
            self.masked_convert(V::Cvttpd2dq, length, length.half().view(), a, length.view(), ordered);
        Ok(self.put_largest(number, above, 4, length.half()))
    }

    /// AVX-512: F64 to unsigned I32, half as long. What is too large becomes all ones, which is the largest.
    fn doubles_to_unsigned(&mut self, length: Length, a: VReg) -> Selected<VReg> {
        let zero = self.zero();
        let positive = self.compare_to_mask(Compare::Gt, Kind::F64, length, a, zero.into())?;
        Ok(self.masked_convert(V::Cvttpd2udq, length, length.half().view(), a, length.view(), positive))
    }

    /// A conversion where a mask holds, zeros elsewhere.
    fn masked_convert(&mut self, v: V, length: Length, to: View, a: VReg, from: View, mask: VReg) -> VReg {
        let register = self.vec();
        self.p.build(Action::Vector(v, length)).def(register, to).uses(a, from).masked(mask, true).finish();
        register
    }

    /// The largest signed integer where a mask holds.
    fn put_largest(&mut self, a: VReg, mask: VReg, size: usize, length: Length) -> VReg {
        let register = self.vec();
        let v = if size == 8 { V::BlendmPd } else { V::BlendmPs };
        let largest =
            self.every(if size == 8 { i64::MAX as u64 } else { i32::MAX as u64 }, size, length, true);
        let view = length.view();
        self.p
            .build(Action::Vector(v, length))
            .def(register, view)
            .uses(a, view)
            .rm(largest, view)
            .masked(mask, false)
            .finish();
        register
    }

    fn convert_same(&mut self, convert: Convert, a: Value, ty: Type) -> Selected<Parts> {
        let shape = self.shape(ty);
        let length = shape.length;
        let view = length.view();
        if convert == Convert::Bitcast {
            return self.regs(a);
        }
        // Halves come straight from memory.
        if convert == Convert::FromHalf
            && let Some(Op::Load(access)) = self.waiting(a)
            && access.width == Width::Half
            && shape.lanes > 2
        {
            let bytes = length.bytes() / 2;
            let address = self.address(access, bytes * shape.parts as u32)?;
            return Ok((0..shape.parts)
                .map(|part| {
                    let place = Rm::Mem(address.plus(bytes * part as u32));
                    self.v2_views(V::Cvtph2ps, length, view, place, length.half().view())
                })
                .collect());
        }
        let broadcast = self.broadcasts(ty);
        (0..shape.parts)
            .map(|part| {
                Ok(match (convert, ty.kind) {
                    (Convert::FromSigned, Kind::F32) => {
                        let a = self.rm(a, part, broadcast)?;
                        self.v2(V::Cvtdq2ps, length, a)
                    }
                    (Convert::FromUnsigned, Kind::F32) if self.wide() => {
                        let a = self.rm(a, part, broadcast)?;
                        self.v2(V::Cvtudq2ps, length, a)
                    }
                    (Convert::FromSigned, Kind::F64) if self.wide() => {
                        let a = self.reg(a, part)?;
                        self.v2(V::Cvtqq2pd, length, a)
                    }
                    (Convert::FromUnsigned, Kind::F64) if self.wide() => {
                        let a = self.reg(a, part)?;
                        self.v2(V::Cvtuqq2pd, length, a)
                    }
                    (Convert::ToSigned, Kind::I32 | Kind::I64) => {
                        let a = self.reg(a, part)?;
                        self.signed_of(ty.kind, length, a)?
                    }
                    (Convert::ToUnsigned, Kind::I32 | Kind::I64) => {
                        let a = self.reg(a, part)?;
                        self.unsigned_of(ty.kind, length, a)?
                    }
                    (Convert::FromHalf, _) => {
                        let a = self.reg(a, part)?;
                        let packed = self.pack_halves(a, length);
                        self.v2_views(V::Cvtph2ps, length, view, packed, length.half().view())
                    }
                    (Convert::ToHalf, _) => {
                        let a = self.reg(a, part)?;
                        let half = length.half().view();
                        let packed = self.vec();
                        let action = Action::Vector(V::Cvtps2ph, length);
                        self.p.build(action).def(packed, half).uses(a, view).byte(0).finish();
                        self.v2_views(V::Pmovzxwd, length, view, packed, half)
                    }
                    _ => return self.refuse(format!("{convert:?} to {:?}", ty.kind)),
                })
            })
            .collect()
    }

    /// The low 16 bits of each 32-bit lane, side by side.
    pub(super) fn pack_halves(&mut self, a: VReg, length: Length) -> VReg {
        if self.wide() {
            return self.v2_views(V::Pmovdw, length, length.half().view(), a, length.view());
        }
        let mut order = [0x80u8; 16];
        for (place, byte) in [0, 1, 4, 5, 8, 9, 12, 13].into_iter().enumerate() {
            order[place] = byte;
        }
        let order = order.repeat(length.bytes() as usize / 16);
        let order = crate::program::Address::pool(self.p.pool.constant(&order), false);
        let packed = self.v3(V::PshufB, length, a, Rm::Mem(order));
        if length == Length::Y { self.v2i(V::PermQI, Length::Y, packed, 0x08) } else { packed }
    }

    /// Floats to signed integers of the same size.
    fn signed_of(&mut self, kind: Kind, length: Length, a: VReg) -> Selected<VReg> {
        let long = kind == Kind::I64;
        let float = if long { Kind::F64 } else { Kind::F32 };
        let limit = if long { 9223372036854775808f64.to_bits() } else { u64::from(2147483648f32.to_bits()) };
        let limit = self.every(limit, float.size() as usize, length, true);
        if self.wide() {
            let ordered = self.compare_to_mask(Compare::Eq, float, length, a, a.into())?;
            let above = self.compare_to_mask(Compare::Ge, float, length, a, limit)?;
            let v = if long { V::Cvttpd2qq } else { V::Cvttps2dq };
            let number = self.masked_convert(v, length, length.view(), a, length.view(), ordered);
            return Ok(self.put_largest(number, above, float.size() as usize, length));
        }
        if long {
            return self.refuse("floats to vectors of 64-bit integers");
        }
        // What is too large becomes 0x8000_0000: flipped, it is the largest.
        let number = self.v2(V::Cvttps2dq, length, a);
        let above = self.compare_lanes(Compare::Ge, float, length, a, limit)?;
        let clamped = self.v3(V::PxorD, length, number, above);
        let ordered = self.compare_lanes(Compare::Eq, float, length, a, a.into())?;
        Ok(self.v3(V::PandD, length, clamped, ordered))
    }

    /// Floats to unsigned integers of the same size.
    fn unsigned_of(&mut self, kind: Kind, length: Length, a: VReg) -> Selected<VReg> {
        let long = kind == Kind::I64;
        let float = if long { Kind::F64 } else { Kind::F32 };
        let zero = self.zero();
        if self.wide() {
            // What is too large becomes all ones, which is the largest.
            let positive = self.compare_to_mask(Compare::Gt, float, length, a, zero.into())?;
            let v = if long { V::Cvttpd2uqq } else { V::Cvttps2udq };
            return Ok(self.masked_convert(v, length, length.view(), a, length.view(), positive));
        }
        if long {
            return self.refuse("floats to vectors of 64-bit integers");
        }
        let a = self.v3(V::MaxPs, length, a, zero);
        let half = self.every(2147483648f32.to_bits().into(), 4, length, false);
        let low = self.v2(V::Cvttps2dq, length, a);
        let rest = self.v3(V::SubPs, length, a, half);
        let high = self.v2(V::Cvttps2dq, length, rest);
        // The sign of `low` says that it overflowed.
        let over = self.v2i(V::PsraD, length, low, 31);
        let high = self.v3(V::PandD, length, high, over);
        let number = self.v3(V::PorD, length, low, high);
        let limit = self.every(4294967296f32.to_bits().into(), 4, length, false);
        let above = self.compare_lanes(Compare::Ge, float, length, a, limit)?;
        Ok(self.v3(V::PorD, length, number, above))
    }

    // --- scalars ---------------------------------------------------------------------------------------------------

    fn convert_scalar(&mut self, convert: Convert, a: Value, ty: Type) -> Selected<VReg> {
        let from = self.ty(a).kind;
        let to = ty.kind;
        match convert {
            Convert::SignExtend => {
                let a = self.int_rm(a)?;
                let register = self.int();
                self.code(Code::Movsxd_r64_rm32).def(register, View::G64).rm(a, View::G32).finish();
                Ok(register)
            }
            // Above the 32 bits of an integer there are zeros.
            Convert::ZeroExtend => self.reg(a, 0),
            Convert::Truncate => {
                let a = self.reg(a, 0)?;
                let register = self.int();
                self.code(Code::Mov_r32_rm32).def(register, View::G32).uses(a, View::G32).finish();
                Ok(register)
            }
            Convert::Bitcast => {
                let (source, target) = (self.shape(Type::scalar(from)).class, self.shape(ty).class);
                let a = self.reg(a, 0)?;
                let view = if to.size() == 8 { View::G64 } else { View::G32 };
                let long = to.size() == 8;
                if source == target {
                    return Ok(a);
                }
                if target == VEC {
                    let v = if long { V::MovQToX } else { V::MovDToX };
                    return Ok(self.v2_views(v, Length::X, View::X, a, view));
                }
                let register = self.p.register(INT);
                let v = if long { V::MovQFromX } else { V::MovDFromX };
                self.p.build(Action::Vector(v, Length::X)).def(register, view).uses(a, View::X).finish();
                Ok(register)
            }
            Convert::Widen => {
                let a = self.reg(a, 0)?;
                Ok(self.v3(V::Cvtss2sd, Length::X, a, a))
            }
            Convert::Narrow => {
                let a = self.reg(a, 0)?;
                Ok(self.v3(V::Cvtsd2ss, Length::X, a, a))
            }
            Convert::FromHalf => {
                let a = self.reg(a, 0)?;
                let a = self.v2_views(V::MovDToX, Length::X, View::X, a, View::G32);
                Ok(self.v2_views(V::Cvtph2ps, Length::X, View::X, a, View::X))
            }
            Convert::ToHalf => {
                let a = self.reg(a, 0)?;
                let packed = self.vec();
                let action = Action::Vector(V::Cvtps2ph, Length::X);
                self.p.build(action).def(packed, View::X).uses(a, View::X).byte(0).finish();
                let bits = self.extract_lane(packed, Kind::I32, Length::X, 0);
                let register = self.int();
                self.code(Code::Movzx_r32_rm16).def(register, View::G32).uses(bits, View::G16).finish();
                Ok(register)
            }
            Convert::FromSigned => {
                let a = self.reg(a, 0)?;
                let (v, view) = match (from, to) {
                    (Kind::I32, Kind::F32) => (V::Cvtsi2Ss32, View::G32),
                    (Kind::I32, _) => (V::Cvtsi2Sd32, View::G32),
                    (_, Kind::F32) => (V::Cvtsi2Ss64, View::G64),
                    _ => (V::Cvtsi2Sd64, View::G64),
                };
                Ok(self.integer_to_float(v, a, view))
            }
            Convert::FromUnsigned => self.unsigned_to_float(a, from, to),
            Convert::ToSigned | Convert::ToUnsigned => self.integer_of(convert, a, from, to),
        }
    }

    fn integer_to_float(&mut self, v: V, a: VReg, view: View) -> VReg {
        // The rest of the register comes from zeros: nothing to wait for.
        let zero = self.zero();
        let register = self.vec();
        self.p
            .build(Action::Vector(v, Length::X))
            .def(register, View::X)
            .uses(zero, View::X)
            .uses(a, view)
            .finish();
        register
    }

    fn unsigned_to_float(&mut self, a: Value, from: Kind, to: Kind) -> Selected<VReg> {
        let a = self.reg(a, 0)?;
        if self.wide() {
            let (v, view) = match (from, to) {
                (Kind::I32, Kind::F32) => (V::Cvtusi2Ss32, View::G32),
                (Kind::I32, _) => (V::Cvtusi2Sd32, View::G32),
                (_, Kind::F32) => (V::Cvtusi2Ss64, View::G64),
                _ => (V::Cvtusi2Sd64, View::G64),
            };
            return Ok(self.integer_to_float(v, a, view));
        }
        if from == Kind::I32 {
            let v = if to == Kind::F32 { V::Cvtsi2Ss64 } else { V::Cvtsi2Sd64 };
            return Ok(self.integer_to_float(v, a, View::G64));
        }
        // Half of it, its last bit kept so that rounding is the same; doubled where the number has its top bit.
        let half = self.int();
        self.code(Code::Shr_rm64_imm8).tied(half, a, View::G64).byte(1).finish();
        let low = self.with_number(super::integer::Alu::And, Kind::I32, a, 1);
        let half_odd = self.int();
        let or = super::integer::alu(super::integer::Alu::Or, true);
        self.code(or).tied(half_odd, half, View::G64).uses(low, View::G64).finish();
        self.code(Code::Test_rm64_r64).uses(a, View::G64).uses(a, View::G64).finish();
        let chosen = self.move_if(Cc::Less, Kind::I64, a, half_odd);
        let v = if to == Kind::F32 { V::Cvtsi2Ss64 } else { V::Cvtsi2Sd64 };
        let number = self.integer_to_float(v, chosen, View::G64);
        let v = floats!(true, to, AddPs, AddPd, AddSs, AddSd);
        let doubled = self.v3(v, Length::X, number, number);
        let sign = self.int();
        self.code(Code::Sar_rm64_imm8).tied(sign, a, View::G64).byte(63).finish();
        let mask = self.v2_views(V::MovQToX, Length::X, View::X, sign, View::G64);
        Ok(self.blend(to.size(), Length::X, mask, doubled.into(), number))
    }

    fn integer_of(&mut self, convert: Convert, a: Value, from: Kind, to: Kind) -> Selected<VReg> {
        let signed = convert == Convert::ToSigned;
        let a = self.reg(a, 0)?;
        let long = to == Kind::I64;
        // F32 to 64 bits goes by way of F64, exactly.
        let a = if from == Kind::F32 && long { self.v3(V::Cvtss2sd, Length::X, a, a) } else { a };
        let same_size = (from == Kind::F32) != long;
        if same_size || long {
            if !long || self.wide() {
                let number = if signed {
                    self.signed_of(to, Length::X, a)?
                } else {
                    self.unsigned_of(to, Length::X, a)?
                };
                return Ok(self.extract_lane(number, to, Length::X, 0));
            }
            return self.long_of(signed, a);
        }
        if self.wide() {
            let number = if signed {
                self.doubles_to_signed(Length::X, a)?
            } else {
                self.doubles_to_unsigned(Length::X, a)?
            };
            return Ok(self.extract_lane(number, to, Length::X, 0));
        }
        // F64 to 32 bits: clamp where that is exact, then truncate.
        let (low, high) = if signed { (-2147483648f64, 2147483647f64) } else { (0f64, 4294967295f64) };
        let a = if signed {
            let ordered = self.v3i(V::CmpPd, Length::X, a, a, 0);
            self.v3(V::AndPd, Length::X, a, ordered)
        } else {
            a
        };
        let low = self.every_reg(low.to_bits(), 8, Length::X);
        let a = self.v3(V::MaxSd, Length::X, a, low);
        let high = self.every(high.to_bits(), 8, Length::X, false);
        let a = self.v3(V::MinSd, Length::X, a, high);
        let register = self.int();
        let action = Action::Vector(V::CvttSd2si64, Length::X);
        self.p.build(action).def(register, View::G64).uses(a, View::X).finish();
        if !signed {
            return Ok(register);
        }
        // A negative number's upper half is not zero.
        let low = self.int();
        self.code(Code::Mov_r32_rm32).def(low, View::G32).uses(register, View::G32).finish();
        Ok(low)
    }

    /// AVX2: F64 to 64 bits.
    fn long_of(&mut self, signed: bool, a: VReg) -> Selected<VReg> {
        let truncate = |lower: &mut Self, a: VReg| {
            let register = lower.int();
            let action = Action::Vector(V::CvttSd2si64, Length::X);
            lower.p.build(action).def(register, View::G64).uses(a, View::X).finish();
            register
        };
        let mask = |lower: &mut Self, compare: Compare, a: VReg, limit: u64| {
            let limit = lower.every(limit, 8, Length::X, false);
            let mask = lower.compare_lanes(compare, Kind::F64, Length::X, a, limit)?;
            Ok(lower.extract_lane(mask, Kind::I64, Length::X, 0))
        };
        let logic = |lower: &mut Self, code: Code, a: VReg, b: VReg| {
            let register = lower.int();
            lower.code(code).tied(register, a, View::G64).uses(b, View::G64).finish();
            register
        };
        if signed {
            let number = truncate(self, a);
            let above: VReg = mask(self, Compare::Ge, a, 9223372036854775808f64.to_bits())?;
            let clamped = logic(self, Code::Xor_r64_rm64, number, above);
            let ordered = self.compare_lanes(Compare::Eq, Kind::F64, Length::X, a, a.into())?;
            let ordered = self.extract_lane(ordered, Kind::I64, Length::X, 0);
            return Ok(logic(self, Code::And_r64_rm64, clamped, ordered));
        }
        let zero = self.zero();
        let a = self.v3(V::MaxSd, Length::X, a, zero);
        let low = truncate(self, a);
        let half = self.every(9223372036854775808f64.to_bits(), 8, Length::X, false);
        let rest = self.v3(V::SubSd, Length::X, a, half);
        let high = truncate(self, rest);
        let over = self.int();
        self.code(Code::Sar_rm64_imm8).tied(over, low, View::G64).byte(63).finish();
        let high = logic(self, Code::And_r64_rm64, high, over);
        let number = logic(self, Code::Or_r64_rm64, low, high);
        let above: VReg = mask(self, Compare::Ge, a, 18446744073709551616f64.to_bits())?;
        Ok(logic(self, Code::Or_r64_rm64, number, above))
    }
}
