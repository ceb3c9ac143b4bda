//! Comparisons: of scalars as flags and conditions of branches, of vectors as masks.
//!
//! A scalar `Bool` is 0 or 1 in a general register, or flags where its user can take them. Knows nothing of memory.

use iced_x86::Code;
use regalloc2::VReg;
use warpweft_vector::ir::{Binary, Compare, Hint, Kind, Op, Unary, Value};

use super::integer::{Alu, alu, alu_byte, alu_number};
use super::vector::{floats, lanes};
use super::{Lower, Parts, Selected, int_view};
use crate::opcodes::V;
use crate::program::{Action, Cc, Condition, Length, Rm, Target, View};

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

    /// Ends the block: to one of two others, as a condition says. Where the answer is expected, each part of a conjunction
    /// is asked by itself: jumps that are foreseen cost less than putting answers together.
    pub(super) fn branch_on(
        &mut self,
        condition: Value,
        hint: Hint,
        yes: Target,
        no: Target,
        cold: bool,
    ) -> Selected<()> {
        let (Some(&Op::Binary(Binary::And, a, b)), true) = (self.waiting(condition), hint != Hint::None)
        else {
            let condition = self.condition(condition)?;
            self.p.branch(condition, yes, no);
            return Ok(());
        };
        let cold_no = cold || hint == Hint::Likely;
        let both = self.p.target(vec![]);
        for (part, holds) in [(a, both), (b, yes)] {
            let fails = self.p.target(vec![]);
            self.branch_on(part, hint, holds, fails, cold)?;
            self.p.start(fails, cold_no, false);
            self.p.jump(no, vec![]);
            if holds == both {
                self.p.start(both, cold, false);
            }
        }
        Ok(())
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
            Some(0) if !matches!(self.waiting(a), Some(Op::AtomicLoad(_))) => {
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

    // --- vectors ---------------------------------------------------------------------------------------------------

    pub(super) fn compare_vectors(&mut self, compare: Compare, a: Value, b: Value) -> Selected<Parts> {
        let ty = self.ty(a);
        let shape = self.shape(ty);
        let broadcast = self.broadcasts(ty);
        let (compare, a, b) = if self.prefers_memory(a) && !self.prefers_memory(b) {
            (turned(compare), b, a)
        } else {
            (compare, a, b)
        };
        let mut parts = Parts::new();
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
        if ty.kind.size() == 8 {
            self.compared = parts.to_vec();
        }
        Ok(self.join_masks(parts, ty.kind.size(), ty.lanes.into()))
    }

    /// A waiting comparison of lanes of 32 bits, which come in the same parts as masks.
    pub(super) fn compares_words(&self, value: Value) -> bool {
        matches!(self.waiting(value), Some(Op::Compare(_, x, _)) if self.ty(*x).kind.size() == 4)
    }

    /// AVX-512: a comparison, where masks hold already.
    pub(super) fn compare_within(
        &mut self,
        compare: Compare,
        a: Value,
        b: Value,
        within: Parts,
    ) -> Selected<Parts> {
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

    pub(super) fn compare_masked(
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
