//! Scalar integers, in general registers.
//!
//! Knows which instruction does what; comparisons are in `mask.rs`, addresses in `value.rs`.

use iced_x86::Code;
use regalloc2::VReg;
use warpweft_vector::ir::{Binary, Kind, Op, Type, Unary, Value};

use super::integer::{Alu, alu, alu_byte, alu_number};
use super::{Lower, Selected, int_view};
use crate::program::{Cc, INT, Rm, View};

const RAX: usize = 0;
const RDX: usize = 2;

impl<'f> Lower<'f> {
    pub(super) fn scalar(&mut self, op: &Op, ty: Type) -> Selected<VReg> {
        match *op {
            Op::Unary(op, a) => self.scalar_unary(op, a, ty.kind),
            Op::Binary(op, a, b) => self.scalar_binary(op, a, b, ty.kind),
            _ => self.refuse(format!("{op:?} of integers")),
        }
    }

    fn scalar_unary(&mut self, op: Unary, a: Value, kind: Kind) -> Selected<VReg> {
        let wide = kind == Kind::I64;
        let view = int_view(kind);
        let pick = |narrow: Code, long: Code| if wide { long } else { narrow };
        let count = match op {
            Unary::CountOnes => Some(pick(Code::Popcnt_r32_rm32, Code::Popcnt_r64_rm64)),
            Unary::LeadingZeros => Some(pick(Code::Lzcnt_r32_rm32, Code::Lzcnt_r64_rm64)),
            Unary::TrailingZeros => Some(pick(Code::Tzcnt_r32_rm32, Code::Tzcnt_r64_rm64)),
            _ => None,
        };
        if let Some(code) = count {
            let a = self.int_rm(a)?;
            let register = self.int();
            self.code(code).def(register, view).rm(a, view).finish();
            return Ok(register);
        }
        let a = self.reg(a, 0)?;
        match op {
            Unary::Neg | Unary::Not => {
                let code = match op {
                    Unary::Neg => pick(Code::Neg_rm32, Code::Neg_rm64),
                    _ => pick(Code::Not_rm32, Code::Not_rm64),
                };
                let register = self.int();
                self.code(code).tied(register, a, view).finish();
                Ok(register)
            }
            Unary::Abs => {
                // The negation, or the number itself where that is negative.
                let negative = self.int();
                self.code(pick(Code::Neg_rm32, Code::Neg_rm64)).tied(negative, a, view).finish();
                // `neg` compares with zero the wrong way round: less means that the number was positive, or the least.
                Ok(self.move_if(Cc::Less, kind, negative, a))
            }
            _ => self.refuse(format!("{op:?} of integers")),
        }
    }

    /// `condition ? then : otherwise`, by the flags.
    pub(super) fn move_if(&mut self, cc: Cc, kind: Kind, otherwise: VReg, then: impl Into<Rm>) -> VReg {
        let first = if kind == Kind::I64 { Code::Cmovo_r64_rm64 } else { Code::Cmovo_r32_rm32 };
        let code = Code::try_from(first as usize + 3 * cc as usize).unwrap_or(Code::INVALID);
        let register = self.int();
        self.code(code).tied(register, otherwise, int_view(kind)).rm(then, int_view(kind)).finish();
        register
    }

    fn scalar_binary(&mut self, op: Binary, a: Value, b: Value, kind: Kind) -> Selected<VReg> {
        let wide = kind == Kind::I64;
        let view = int_view(kind);
        match op {
            Binary::Add | Binary::Sub | Binary::And | Binary::Or | Binary::Xor => {
                let commutes = op != Binary::Sub;
                let swap = commutes
                    && (self.small(a).is_some() || (self.prefers_memory(a) && self.small(b).is_none()));
                let (a, b) = if swap { (b, a) } else { (a, b) };
                self.add_like(op, a, b, kind)
            }
            Binary::Mul => {
                let (a, b) = if self.small(a).is_some() { (b, a) } else { (a, b) };
                if let Some(number) = self.small(b) {
                    return self.multiply_by(a, number, kind);
                }
                let (a, b) = if self.prefers_memory(a) { (b, a) } else { (a, b) };
                let a = self.reg(a, 0)?;
                let b = self.int_rm(b)?;
                let register = self.int();
                let code = if wide { Code::Imul_r64_rm64 } else { Code::Imul_r32_rm32 };
                self.code(code).tied(register, a, view).rm(b, view).finish();
                Ok(register)
            }
            Binary::MulHigh => {
                let a = self.reg(a, 0)?;
                let b = self.int_rm(b)?;
                let (low, high) = (self.int(), self.int());
                let code = if wide { Code::VEX_Mulx_r64_r64_rm64 } else { Code::VEX_Mulx_r32_r32_rm32 };
                self.code(code).def(high, view).def(low, view).rm(b, view).fixed_use(a, RDX).finish();
                Ok(high)
            }
            Binary::DivS | Binary::RemS | Binary::DivU | Binary::RemU => self.divide(op, a, b, kind),
            Binary::Shl | Binary::ShrS | Binary::ShrU => {
                if let Some(number) = self.small(b) {
                    let number = (number as u32 % (kind.size() * 8)) as u8;
                    let code = match (op, wide) {
                        (Binary::Shl, false) => Code::Shl_rm32_imm8,
                        (Binary::Shl, true) => Code::Shl_rm64_imm8,
                        (Binary::ShrS, false) => Code::Sar_rm32_imm8,
                        (Binary::ShrS, true) => Code::Sar_rm64_imm8,
                        (_, false) => Code::Shr_rm32_imm8,
                        (_, true) => Code::Shr_rm64_imm8,
                    };
                    let a = self.reg(a, 0)?;
                    let register = self.int();
                    self.code(code).tied(register, a, view).byte(number).finish();
                    return Ok(register);
                }
                let code = match (op, wide) {
                    (Binary::Shl, false) => Code::VEX_Shlx_r32_rm32_r32,
                    (Binary::Shl, true) => Code::VEX_Shlx_r64_rm64_r64,
                    (Binary::ShrS, false) => Code::VEX_Sarx_r32_rm32_r32,
                    (Binary::ShrS, true) => Code::VEX_Sarx_r64_rm64_r64,
                    (_, false) => Code::VEX_Shrx_r32_rm32_r32,
                    (_, true) => Code::VEX_Shrx_r64_rm64_r64,
                };
                let a = self.int_rm(a)?;
                let b = self.reg(b, 0)?;
                let register = self.int();
                self.code(code).def(register, view).rm(a, view).uses(b, view).finish();
                Ok(register)
            }
            Binary::MinS | Binary::MaxS | Binary::MinU | Binary::MaxU => {
                let a = self.reg(a, 0)?;
                let b = self.reg(b, 0)?;
                self.code(alu(Alu::Cmp, wide)).uses(a, view).uses(b, view).finish();
                let cc = match op {
                    Binary::MinS => Cc::Greater,
                    Binary::MaxS => Cc::Less,
                    Binary::MinU => Cc::Above,
                    _ => Cc::Below,
                };
                Ok(self.move_if(cc, kind, a, b))
            }
            _ => self.refuse(format!("{op:?} of integers")),
        }
    }

    fn add_like(&mut self, op: Binary, a: Value, b: Value, kind: Kind) -> Selected<VReg> {
        let wide = kind == Kind::I64;
        let view = int_view(kind);
        let which = match op {
            Binary::Add => Alu::Add,
            Binary::Sub => Alu::Sub,
            Binary::And => Alu::And,
            Binary::Or => Alu::Or,
            _ => Alu::Xor,
        };
        // and(not a, b)
        if op == Binary::And {
            let found = match (self.waiting_unary(a, Unary::Not), self.waiting_unary(b, Unary::Not)) {
                (Some(inner), _) => Some((inner, b)),
                (None, Some(inner)) => Some((inner, a)),
                _ => None,
            };
            if let Some((inner, other)) = found {
                let inner = self.reg(inner, 0)?;
                let other = self.int_rm(other)?;
                let register = self.int();
                let code = if wide { Code::VEX_Andn_r64_r64_rm64 } else { Code::VEX_Andn_r32_r32_rm32 };
                self.code(code).def(register, view).uses(inner, view).rm(other, view).finish();
                return Ok(register);
            }
        }
        if let Some(number) = self.small(b) {
            let dies = self.dies(a);
            let a = self.reg(a, 0)?;
            return Ok(match (which, number.checked_neg()) {
                // An address calculation spares the copy.
                (Alu::Add, _) if !dies => self.offset(a, number, wide),
                (Alu::Sub, Some(negative)) if !dies => self.offset(a, negative, wide),
                _ => self.with_number(which, kind, a, number),
            });
        }
        if op == Binary::Add && !self.prefers_memory(b) {
            let (a, b) = (self.reg(a, 0)?, self.reg(b, 0)?);
            return Ok(self.sum(a, b, wide));
        }
        let (a, b) = if op != Binary::Sub && self.dies(b) && !self.dies(a) && !self.prefers_memory(b) {
            (b, a)
        } else {
            (a, b)
        };
        let a = self.reg(a, 0)?;
        let b = self.int_rm(b)?;
        let register = self.int();
        self.code(alu(which, wide)).tied(register, a, view).rm(b, view).finish();
        Ok(register)
    }

    /// `a op number`
    pub(super) fn with_number(&mut self, which: Alu, kind: Kind, a: VReg, number: i32) -> VReg {
        let wide = kind == Kind::I64;
        let register = self.int();
        if let Ok(byte) = i8::try_from(number) {
            let of = if wide { View::I8to64 } else { View::I8to32 };
            self.code(alu_byte(which, wide))
                .tied(register, a, int_view(kind))
                .immediate(byte.into(), of)
                .finish();
        } else {
            let of = if wide { View::I32to64 } else { View::I32 };
            self.code(alu_number(which, wide))
                .tied(register, a, int_view(kind))
                .immediate(number.into(), of)
                .finish();
        }
        register
    }

    /// `a + number`, elsewhere.
    fn offset(&mut self, a: VReg, number: i32, wide: bool) -> VReg {
        let register = self.int();
        let address = crate::program::Address {
            base: crate::program::Place::Register(a),
            index: None,
            scale: 1,
            displacement: number,
            broadcast: false,
        };
        let code = if wide { Code::Lea_r64_m } else { Code::Lea_r32_m };
        let view = if wide { View::G64 } else { View::G32 };
        self.code(code).def(register, view).memory(&address).finish();
        register
    }

    fn multiply_by(&mut self, a: Value, number: i32, kind: Kind) -> Selected<VReg> {
        let wide = kind == Kind::I64;
        let view = int_view(kind);
        if number > 0 && number.count_ones() == 1 {
            let a = self.reg(a, 0)?;
            let register = self.int();
            let code = if wide { Code::Shl_rm64_imm8 } else { Code::Shl_rm32_imm8 };
            self.code(code).tied(register, a, view).byte(number.trailing_zeros() as u8).finish();
            return Ok(register);
        }
        let a = self.int_rm(a)?;
        let register = self.int();
        let (code, of) = match (i8::try_from(number).is_ok(), wide) {
            (true, false) => (Code::Imul_r32_rm32_imm8, View::I8to32),
            (true, true) => (Code::Imul_r64_rm64_imm8, View::I8to64),
            (false, false) => (Code::Imul_r32_rm32_imm32, View::I32),
            (false, true) => (Code::Imul_r64_rm64_imm32, View::I32to64),
        };
        self.code(code).def(register, view).rm(a, view).immediate(number.into(), of).finish();
        Ok(register)
    }

    fn divide(&mut self, op: Binary, a: Value, b: Value, kind: Kind) -> Selected<VReg> {
        let wide = kind == Kind::I64;
        let view = int_view(kind);
        let signed = matches!(op, Binary::DivS | Binary::RemS);
        let a = self.reg(a, 0)?;
        let b = self.reg(b, 0)?;
        let upper = self.int();
        if signed {
            let code = if wide { Code::Cqo } else { Code::Cdq };
            self.code(code).fixed_use(a, RAX).fixed_def(upper, RDX).finish();
        } else {
            let zero = Code::Xor_r32_rm32;
            self.code(zero).def(upper, View::G32).again(View::G32).finish();
        }
        let (quotient, rest) = (self.p.register(INT), self.p.register(INT));
        let code = match (signed, wide) {
            (true, false) => Code::Idiv_rm32,
            (true, true) => Code::Idiv_rm64,
            (false, false) => Code::Div_rm32,
            (false, true) => Code::Div_rm64,
        };
        self.code(code)
            .uses(b, view)
            .fixed_use(a, RAX)
            .fixed_use(upper, RDX)
            .fixed_def(quotient, RAX)
            .fixed_def(rest, RDX)
            .finish();
        Ok(if matches!(op, Binary::DivS | Binary::DivU) { quotient } else { rest })
    }
}
