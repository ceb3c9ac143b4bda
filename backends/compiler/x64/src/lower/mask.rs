//! Truth: comparisons, conditions of branches, masks and what they choose.
//!
//! A scalar `Bool` is 0 or 1 in a general register, or flags where its user can take them. Knows nothing of memory.

use iced_x86::Code;
use regalloc2::VReg;
use warpweft_vector::ir::{Binary, Compare, Kind, Op, Type, Unary, Value};

use super::integer::{Alu, alu, alu_byte, alu_number};
use super::vector::{floats, lanes};
use super::{Lower, Selected, int_view};
use crate::opcodes::V;
use crate::program::{Action, Cc, Condition, INT, Length, MASK, Rm, View};

impl<'f> Lower<'f> {
    // --- flags -----------------------------------------------------------------------------------------------------

    /// Computes flags last of all, and says which condition stands for a scalar `Bool`.
    pub(super) fn condition(&mut self, value: Value) -> Selected<Condition> {
        match self.waiting(value) {
            Some(Op::Unary(Unary::Not, inner)) => Ok(self.condition(*inner)?.not()),
            Some(op @ (Op::Compare(..) | Op::Any(_) | Op::All(_))) => self.condition_of(op),
            _ => {
                let register = self.reg(value, 0)?;
                self.code(Code::Test_rm32_r32).uses(register, View::G32).uses(register, View::G32).finish();
                Ok(Condition::One(Cc::NotEqual))
            }
        }
    }

    fn condition_of(&mut self, op: &Op) -> Selected<Condition> {
        match *op {
            Op::Any(mask) => self.any(mask),
            Op::All(mask) => self.all(mask),
            Op::Compare(compare, a, b) if self.ty(a).kind.is_float() => self.compare_floats(compare, a, b),
            Op::Compare(compare, a, b) => self.compare_integers(compare, a, b),
            _ => self.refuse("a condition that is none"),
        }
    }

    /// A condition as 0 or 1.
    pub(super) fn condition_bit(&mut self, op: &Op) -> Selected<VReg> {
        let condition = self.condition_of(op)?;
        Ok(self.flag(condition))
    }

    pub(super) fn flag(&mut self, condition: Condition) -> VReg {
        let set = |lower: &mut Self, cc: Cc| {
            let byte = lower.int();
            let code = Code::try_from(Code::Seto_rm8 as usize + cc as usize).unwrap_or(Code::INVALID);
            lower.code(code).def(byte, View::G8).finish();
            byte
        };
        let join = |lower: &mut Self, which: Alu, cc: Cc, parity: Cc| {
            let (a, b) = (set(lower, cc), set(lower, parity));
            let both = lower.int();
            lower.code(alu(which, false)).tied(both, a, View::G32).uses(b, View::G32).finish();
            both
        };
        let byte = match condition {
            Condition::One(cc) => set(self, cc),
            Condition::EqualOrdered => join(self, Alu::And, Cc::Equal, Cc::NoParity),
            Condition::NotEqualUnordered => join(self, Alu::Or, Cc::NotEqual, Cc::Parity),
        };
        let register = self.int();
        self.code(Code::Movzx_r32_rm8).def(register, View::G32).uses(byte, View::G8).finish();
        register
    }

    fn compare_integers(&mut self, compare: Compare, a: Value, b: Value) -> Selected<Condition> {
        let kind = self.ty(a).kind;
        let wide = kind == Kind::I64;
        let view = int_view(kind);
        let (compare, a, b) = if self.small(a).is_some() && self.small(b).is_none() {
            (turned(compare), b, a)
        } else {
            (compare, a, b)
        };
        let cc = match compare {
            Compare::Eq => Cc::Equal,
            Compare::Ne => Cc::NotEqual,
            Compare::LtS => Cc::Less,
            Compare::LeS => Cc::LessEqual,
            Compare::GtS => Cc::Greater,
            Compare::GeS => Cc::GreaterEqual,
            Compare::LtU => Cc::Below,
            Compare::LeU => Cc::BelowEqual,
            Compare::GtU => Cc::Above,
            Compare::GeU => Cc::AboveEqual,
            _ => return self.refuse(format!("{compare:?} of integers")),
        };
        match self.small(b) {
            Some(0) => {
                let a = self.reg(a, 0)?;
                let code = if wide { Code::Test_rm64_r64 } else { Code::Test_rm32_r32 };
                self.code(code).uses(a, view).uses(a, view).finish();
            }
            Some(number) => {
                let a = self.int_rm(a)?;
                let (code, of) = match (i8::try_from(number).is_ok(), wide) {
                    (true, false) => (alu_byte(Alu::Cmp, false), View::I8to32),
                    (true, true) => (alu_byte(Alu::Cmp, true), View::I8to64),
                    (false, false) => (alu_number(Alu::Cmp, false), View::I32),
                    (false, true) => (alu_number(Alu::Cmp, true), View::I32to64),
                };
                self.code(code).rm(a, view).immediate(number.into(), of).finish();
            }
            None => {
                let a = self.reg(a, 0)?;
                let b = self.int_rm(b)?;
                self.code(alu(Alu::Cmp, wide)).uses(a, view).rm(b, view).finish();
            }
        }
        Ok(Condition::One(cc))
    }

    fn compare_floats(&mut self, compare: Compare, a: Value, b: Value) -> Selected<Condition> {
        // "Above" is false where one is NaN, "below" is not: less becomes greater.
        let (a, b, condition) = match compare {
            Compare::Lt => (b, a, Condition::One(Cc::Above)),
            Compare::Le => (b, a, Condition::One(Cc::AboveEqual)),
            Compare::Gt => (a, b, Condition::One(Cc::Above)),
            Compare::Ge => (a, b, Condition::One(Cc::AboveEqual)),
            Compare::Eq => (a, b, Condition::EqualOrdered),
            Compare::Ne => (a, b, Condition::NotEqualUnordered),
            _ => return self.refuse(format!("{compare:?} of floats")),
        };
        let v = if self.ty(a).kind == Kind::F32 { V::UcomiSs } else { V::UcomiSd };
        let a = self.reg(a, 0)?;
        let b = self.rm(b, 0, false)?;
        self.p.build(Action::Vector(v, Length::X)).uses(a, View::X).rm(b, View::X).finish();
        Ok(condition)
    }

    // --- masks as a whole ------------------------------------------------------------------------------------------

    /// Lanes of a mask that mean something, as the low bits of a number; where they fill what is tested: `None`.
    fn partial(&self, lanes: u32) -> Option<i32> {
        let full = if self.wide() { lanes >= 8 } else { lanes >= 4 };
        (!full).then_some((1 << lanes) - 1)
    }

    /// Parts joined by an operation, so that few are left.
    fn fold_mask(
        &mut self,
        code: Code,
        v: V,
        length: Length,
        mut parts: Vec<VReg>,
        left: usize,
    ) -> Vec<VReg> {
        while parts.len() > left.max(1) {
            let mut joined = vec![];
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

    fn k3(&mut self, code: Code, a: VReg, b: VReg) -> VReg {
        let register = self.k();
        self.code(code).def(register, View::K).uses(a, View::K).uses(b, View::K).finish();
        register
    }

    fn any(&mut self, mask: Value) -> Selected<Condition> {
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

    fn all(&mut self, mask: Value) -> Selected<Condition> {
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

    pub(super) fn mask_of(&mut self, bits: Value, ty: Type) -> Selected<Vec<VReg>> {
        let shape = self.shape(ty);
        let bits = self.reg(bits, 0)?;
        if ty.is_scalar() {
            return Ok(vec![self.with_number(Alu::And, Kind::I32, bits, 1)]);
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
        let lanes = u32::from(self.ty(mask).lanes);
        if self.wide() {
            let register = self.reg(mask, part / 2)?;
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
        let register = self.reg(mask, part / 2)?;
        let half = if part.is_multiple_of(2) { register } else { self.upper_half(register, Length::Y) };
        Ok(self.v2_views(V::Pmovsxdq, length, length.view(), half, View::X))
    }

    /// Masks by parts of lanes of that size, as masks by parts of 32-bit lanes.
    pub(super) fn join_masks(&mut self, parts: Vec<VReg>, size: u32, lanes: u32) -> Vec<VReg> {
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

    pub(super) fn compare_vectors(&mut self, compare: Compare, a: Value, b: Value) -> Selected<Vec<VReg>> {
        let ty = self.ty(a);
        let shape = self.shape(ty);
        let broadcast = self.broadcasts(ty);
        let (compare, a, b) = if self.prefers_memory(a) && !self.prefers_memory(b) {
            (turned(compare), b, a)
        } else {
            (compare, a, b)
        };
        let mut parts = vec![];
        for part in 0..shape.parts {
            let a = self.reg(a, part)?;
            let b = self.rm(b, part, broadcast)?;
            let mask = if self.wide() {
                self.compare_to_mask(compare, ty.kind, shape.length, a, b)?
            } else {
                self.compare_lanes(compare, ty.kind, shape.length, a, b)?
            };
            parts.push(mask);
        }
        Ok(self.join_masks(parts, ty.kind.size(), ty.lanes.into()))
    }

    /// A waiting comparison of lanes of 32 bits, which come in the same parts as masks.
    fn compares_words(&self, value: Value) -> bool {
        matches!(self.waiting(value), Some(Op::Compare(_, x, _)) if self.ty(*x).kind.size() == 4)
    }

    /// AVX-512: a comparison, where masks hold already.
    fn compare_within(
        &mut self,
        compare: Compare,
        a: Value,
        b: Value,
        within: Vec<VReg>,
    ) -> Selected<Vec<VReg>> {
        let ty = self.ty(a);
        let (compare, a, b) = if self.prefers_memory(a) && !self.prefers_memory(b) {
            (turned(compare), b, a)
        } else {
            (compare, a, b)
        };
        let length = self.shape(ty).length;
        within
            .into_iter()
            .enumerate()
            .map(|(part, mask)| {
                let a = self.reg(a, part)?;
                let b = self.rm(b, part, true)?;
                self.compare_masked(compare, ty.kind, length, a, b, Some(mask))
            })
            .collect()
    }

    /// AVX-512: one bit for each lane.
    pub(super) fn compare_to_mask(
        &mut self,
        compare: Compare,
        kind: Kind,
        length: Length,
        a: VReg,
        b: Rm,
    ) -> Selected<VReg> {
        self.compare_masked(compare, kind, length, a, b, None)
    }

    fn compare_masked(
        &mut self,
        compare: Compare,
        kind: Kind,
        length: Length,
        a: VReg,
        b: Rm,
        within: Option<VReg>,
    ) -> Selected<VReg> {
        let (v, predicate) = if kind.is_float() {
            let Some(predicate) = float_predicate(compare) else {
                return self.refuse(format!("{compare:?} of floats"));
            };
            (floats!(false, kind, KcmpPs, KcmpPd, KcmpPs, KcmpPd), predicate)
        } else {
            let (unsigned, predicate) = match compare {
                Compare::Eq => (false, 0),
                Compare::Ne => (false, 4),
                Compare::LtS => (false, 1),
                Compare::LeS => (false, 2),
                Compare::GeS => (false, 5),
                Compare::GtS => (false, 6),
                Compare::LtU => (true, 1),
                Compare::LeU => (true, 2),
                Compare::GeU => (true, 5),
                Compare::GtU => (true, 6),
                _ => return self.refuse(format!("{compare:?} of integers")),
            };
            (if unsigned { lanes!(kind, KcmpuD, KcmpuQ) } else { lanes!(kind, KcmpD, KcmpQ) }, predicate)
        };
        let register = self.k();
        let view = length.view();
        let action = Action::Vector(v, length);
        let compared = self.p.build(action).def(register, View::K).uses(a, view).rm(b, view).byte(predicate);
        match within {
            Some(mask) => compared.masked(mask, false).finish(),
            None => compared.finish(),
        }
        Ok(register)
    }

    /// AVX2: all ones or zeros for each lane, as wide as it.
    pub(super) fn compare_lanes(
        &mut self,
        compare: Compare,
        kind: Kind,
        length: Length,
        a: VReg,
        b: Rm,
    ) -> Selected<VReg> {
        if kind.is_float() {
            let Some(predicate) = float_predicate(compare) else {
                return self.refuse(format!("{compare:?} of floats"));
            };
            return Ok(self.v3i(floats!(false, kind, CmpPs, CmpPd, CmpPs, CmpPd), length, a, b, predicate));
        }
        let equal = lanes!(kind, PcmpeqD, PcmpeqQ);
        let greater = lanes!(kind, PcmpgtD, PcmpgtQ);
        let b = match b {
            Rm::Reg(register) => register,
            Rm::Mem(_) if matches!(compare, Compare::Eq | Compare::GtS) => {
                let v = if compare == Compare::Eq { equal } else { greater };
                return Ok(self.v3(v, length, a, b));
            }
            Rm::Mem(_) => self.v2(V::MovuPs, length, b),
        };
        let (result, complement) = match compare {
            Compare::Eq => (self.v3(equal, length, a, b), false),
            Compare::Ne => (self.v3(equal, length, a, b), true),
            Compare::GtS => (self.v3(greater, length, a, b), false),
            Compare::LtS => (self.v3(greater, length, b, a), false),
            Compare::LeS => (self.v3(greater, length, a, b), true),
            Compare::GeS => (self.v3(greater, length, b, a), true),
            Compare::LeU | Compare::GtU | Compare::GeU | Compare::LtU if kind.size() == 4 => {
                // a <= b: the lesser of them is a
                let v = if matches!(compare, Compare::LeU | Compare::GtU) { V::PminuD } else { V::PmaxuD };
                let chosen = self.v3(v, length, a, b);
                (self.v3(V::PcmpeqD, length, chosen, a), matches!(compare, Compare::GtU | Compare::LtU))
            }
            Compare::LeU | Compare::GtU | Compare::GeU | Compare::LtU => {
                let sign = self.every(1 << 63, 8, length, false);
                let (a, b) = (self.v3(V::PxorQ, length, a, sign), self.v3(V::PxorQ, length, b, sign));
                let (a, b) = if matches!(compare, Compare::GtU | Compare::LeU) { (a, b) } else { (b, a) };
                (self.v3(greater, length, a, b), matches!(compare, Compare::LeU | Compare::GeU))
            }
            _ => return self.refuse(format!("{compare:?} of integers")),
        };
        if !complement {
            return Ok(result);
        }
        let ones = self.ones(length);
        Ok(self.v3(V::PxorD, length, result, ones))
    }

    /// Operations on `Bool`s.
    pub(super) fn logic(&mut self, op: &Op, ty: Type) -> Selected<Vec<VReg>> {
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

    // --- choice ----------------------------------------------------------------------------------------------------

    pub(super) fn choose(&mut self, ty: Type, condition: Value, a: Value, b: Value) -> Selected<Vec<VReg>> {
        let shape = self.shape(ty);
        if shape.class == INT {
            let then = self.reg(a, 0)?;
            let otherwise = self.reg(b, 0)?;
            let flags = self.condition(condition)?;
            return Ok(vec![match flags {
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
            return Ok(vec![self.choose_scalar(ty, condition, a, b)?]);
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

/// The comparison with its operands exchanged.
fn turned(compare: Compare) -> Compare {
    match compare {
        Compare::Eq | Compare::Ne => compare,
        Compare::Lt => Compare::Gt,
        Compare::Le => Compare::Ge,
        Compare::Gt => Compare::Lt,
        Compare::Ge => Compare::Le,
        Compare::LtS => Compare::GtS,
        Compare::LeS => Compare::GeS,
        Compare::GtS => Compare::LtS,
        Compare::GeS => Compare::LeS,
        Compare::LtU => Compare::GtU,
        Compare::LeU => Compare::GeU,
        Compare::GtU => Compare::LtU,
        Compare::GeU => Compare::LeU,
    }
}

/// False where one is NaN, but for "different"; without an exception.
fn float_predicate(compare: Compare) -> Option<u8> {
    Some(match compare {
        Compare::Eq => 0x00,
        Compare::Ne => 0x04,
        Compare::Lt => 0x11,
        Compare::Le => 0x12,
        Compare::Ge => 0x1d,
        Compare::Gt => 0x1e,
        _ => return None,
    })
}
