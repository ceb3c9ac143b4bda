//! The codes of integer instructions that come in many forms.
//!
//! Knows names only.

use iced_x86::Code;

/// Instructions with the same forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Cmp,
}

/// Register, register or memory.
pub(super) fn alu(which: Alu, wide: bool) -> Code {
    match (which, wide) {
        (Alu::Add, false) => Code::Add_r32_rm32,
        (Alu::Add, true) => Code::Add_r64_rm64,
        (Alu::Sub, false) => Code::Sub_r32_rm32,
        (Alu::Sub, true) => Code::Sub_r64_rm64,
        (Alu::And, false) => Code::And_r32_rm32,
        (Alu::And, true) => Code::And_r64_rm64,
        (Alu::Or, false) => Code::Or_r32_rm32,
        (Alu::Or, true) => Code::Or_r64_rm64,
        (Alu::Xor, false) => Code::Xor_r32_rm32,
        (Alu::Xor, true) => Code::Xor_r64_rm64,
        (Alu::Cmp, false) => Code::Cmp_r32_rm32,
        (Alu::Cmp, true) => Code::Cmp_r64_rm64,
    }
}

/// Register or memory, number of 8 bits.
pub(super) fn alu_byte(which: Alu, wide: bool) -> Code {
    match (which, wide) {
        (Alu::Add, false) => Code::Add_rm32_imm8,
        (Alu::Add, true) => Code::Add_rm64_imm8,
        (Alu::Sub, false) => Code::Sub_rm32_imm8,
        (Alu::Sub, true) => Code::Sub_rm64_imm8,
        (Alu::And, false) => Code::And_rm32_imm8,
        (Alu::And, true) => Code::And_rm64_imm8,
        (Alu::Or, false) => Code::Or_rm32_imm8,
        (Alu::Or, true) => Code::Or_rm64_imm8,
        (Alu::Xor, false) => Code::Xor_rm32_imm8,
        (Alu::Xor, true) => Code::Xor_rm64_imm8,
        (Alu::Cmp, false) => Code::Cmp_rm32_imm8,
        (Alu::Cmp, true) => Code::Cmp_rm64_imm8,
    }
}

/// Register or memory, number of 32 bits.
pub(super) fn alu_number(which: Alu, wide: bool) -> Code {
    match (which, wide) {
        (Alu::Add, false) => Code::Add_rm32_imm32,
        (Alu::Add, true) => Code::Add_rm64_imm32,
        (Alu::Sub, false) => Code::Sub_rm32_imm32,
        (Alu::Sub, true) => Code::Sub_rm64_imm32,
        (Alu::And, false) => Code::And_rm32_imm32,
        (Alu::And, true) => Code::And_rm64_imm32,
        (Alu::Or, false) => Code::Or_rm32_imm32,
        (Alu::Or, true) => Code::Or_rm64_imm32,
        (Alu::Xor, false) => Code::Xor_rm32_imm32,
        (Alu::Xor, true) => Code::Xor_rm64_imm32,
        (Alu::Cmp, false) => Code::Cmp_rm32_imm32,
        (Alu::Cmp, true) => Code::Cmp_rm64_imm32,
    }
}
