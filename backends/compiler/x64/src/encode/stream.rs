//! Stores past the caches, which the machine takes at aligned places only.
//!
//! A whole vector where the place is aligned to it; where that is wanted, pieces of 16 bytes where it is aligned to those,
//! as whatever an allocator hands out is; an ordinary store elsewhere. Pieces meet again before they reach memory. Knows
//! not whether it pays to go past the caches.

use iced_x86::{Code, Instruction, OpKind};
use regalloc2::Allocation;

use super::{Bytes, address, form, number, register};
use crate::opcodes::V;
use crate::program::{Length, Memory, View};

/// Bytes of the smallest vector.
const PIECE: u32 = 16;

/// The operands of the sequence, by their place among its allocations.
const BASE: u8 = 0;
const VECTOR: u8 = 1;
/// Where it may go in pieces.
const TEMPORARY: u8 = 2;

/// Opcodes of short jumps.
const JUMP: u8 = 0xeb;
const JUMP_IF_NOT_ZERO: u8 = 0x75;

impl Bytes {
    /// The sequence; of which kind the place is, the memory's base tells.
    pub(super) fn stream(
        &mut self,
        memory: &Memory,
        length: Length,
        in_pieces: bool,
        allocs: &[Allocation],
    ) -> Result<(), String> {
        let vector = number(allocs, VECTOR)?;
        self.test_base(length.bytes(), allocs)?;
        let unaligned = self.forward(JUMP_IF_NOT_ZERO);
        self.store_to(V::MovntPsStore, length, vector, memory, 0, allocs)?;
        let whole = self.forward(JUMP);
        self.land(unaligned)?;
        if in_pieces {
            let temporary = number(allocs, TEMPORARY)?;
            self.test_base(PIECE, allocs)?;
            let usual = self.forward(JUMP_IF_NOT_ZERO);
            self.store_to(V::MovntPsStore, Length::X, vector, memory, 0, allocs)?;
            for piece in 1..length.bytes() / PIECE {
                self.extract(length, temporary, vector, piece as u8)?;
                self.store_to(V::MovntPsStore, Length::X, temporary, memory, piece * PIECE, allocs)?;
            }
            let pieces = self.forward(JUMP);
            self.land(usual)?;
            self.store_to(V::MovuPsStore, length, vector, memory, 0, allocs)?;
            self.land(pieces)?;
        } else {
            self.store_to(V::MovuPsStore, length, vector, memory, 0, allocs)?;
        }
        self.land(whole)
    }

    /// Whether the base is a multiple of that.
    fn test_base(&mut self, bytes: u32, allocs: &[Allocation]) -> Result<(), String> {
        let mut test = Instruction::default();
        test.set_code(Code::Test_rm8_imm8);
        test.set_op0_register(register(View::G8, number(allocs, BASE)?));
        test.set_op1_kind(OpKind::Immediate8);
        test.set_immediate8(bytes as u8 - 1);
        self.put(&test)
    }

    fn store_to(
        &mut self,
        v: V,
        length: Length,
        vector: usize,
        memory: &Memory,
        further: u32,
        allocs: &[Allocation],
    ) -> Result<(), String> {
        let memory = Memory { displacement: memory.displacement + further as i32, ..*memory };
        let mut store = Instruction::default();
        store.set_code(form(v, length, vector >= 16)?);
        store.set_op0_kind(OpKind::Memory);
        address(&mut store, &memory, allocs)?;
        store.set_op1_register(register(length.view(), vector));
        self.put(&store)
    }

    /// One piece of a vector that is wider.
    fn extract(&mut self, length: Length, to: usize, vector: usize, piece: u8) -> Result<(), String> {
        let mut extract = Instruction::default();
        extract.set_code(form(V::Extract128, length, to >= 16 || vector >= 16)?);
        extract.set_op0_register(register(View::X, to));
        extract.set_op1_register(register(length.view(), vector));
        extract.set_op2_kind(OpKind::Immediate8);
        extract.set_immediate8(piece);
        self.put(&extract)
    }

    /// A short jump forward, with that opcode; where it lands is said later.
    fn forward(&mut self, opcode: u8) -> u32 {
        self.raw(opcode);
        self.raw(0);
        self.length
    }

    /// A short jump lands here.
    fn land(&mut self, jump: u32) -> Result<(), String> {
        let far = i8::try_from(self.length - jump).map_err(|_| "a short jump is too long".to_string())?;
        let mut buffer = self.encoder.take_buffer();
        buffer[jump as usize - 1] = far as u8;
        self.encoder.set_buffer(buffer);
        Ok(())
    }
}
