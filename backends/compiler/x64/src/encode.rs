//! Allocated instructions to bytes: one instruction at a time, by iced-x86.
//!
//! Knows forms of instructions: VEX where it can be, which is shorter; EVEX for masks, broadcasts, 512 bits and the
//! upper sixteen registers. Where code lies is decided in `assemble.rs`.

mod stream;

use iced_x86::{Code, Encoder, Instruction, OpKind, Register};
use regalloc2::{Allocation, PReg, RegClass};

use crate::opcodes::V;
use crate::pool::Constant;
use crate::program::{Action, Base, Inst, Length, Memory, NONE, Program, Swap, View};
use crate::spill::vector_move;

/// A constant's place in code, to be filled in once its address is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fixup {
    /// Where the 32 bits lie.
    pub(crate) at: u32,
    /// Where the instruction ends, which they count from.
    pub(crate) end: u32,
    pub(crate) constant: Constant,
}

/// Bytes of instructions, and what is to be filled in; offsets ascend.
pub(crate) struct Encoded {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fixups: Vec<Fixup>,
    /// Where the distance of each call lies, and which function it calls.
    pub(crate) calls: Vec<(u32, u32)>,
}

/// Bytes of instructions, in the order in which they were encoded.
pub(crate) struct Bytes {
    encoder: Encoder,
    length: u32,
    pub(crate) fixups: Vec<Fixup>,
    /// Where the distance of each call lies, and which function it calls.
    pub(crate) calls: Vec<(u32, u32)>,
}

/// Where spilt values lie relative to the stack pointer, and how wide vectors are there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub(crate) first: u32,
    pub(crate) length: Length,
}

const AX: usize = 0;

impl Bytes {
    pub(crate) fn new(capacity: usize) -> Result<Self, String> {
        let encoder = Encoder::try_with_capacity(64, capacity).map_err(|error| error.to_string())?;
        Ok(Self { encoder, length: 0, fixups: vec![], calls: vec![] })
    }

    pub(crate) fn length(&self) -> u32 {
        self.length
    }

    pub(crate) fn finish(mut self) -> Encoded {
        Encoded { bytes: self.encoder.take_buffer(), fixups: self.fixups, calls: self.calls }
    }

    pub(crate) fn put(&mut self, instruction: &Instruction) -> Result<(), String> {
        let size = self
            .encoder
            .encode(instruction, 0)
            .map_err(|error| format!("{error} in {:?}", instruction.code()))?;
        self.length += size as u32;
        #[cfg(debug_assertions)]
        self.reread(instruction, size)?;
        Ok(())
    }

    /// Debug builds read every instruction back: what was encoded is what was meant.
    #[cfg(debug_assertions)]
    fn reread(&mut self, meant: &Instruction, size: usize) -> Result<(), String> {
        let buffer = self.encoder.take_buffer();
        let read = iced_x86::Decoder::new(64, &buffer[buffer.len() - size..], iced_x86::DecoderOptions::NONE)
            .decode();
        self.encoder.set_buffer(buffer);
        let operand = |instruction: &Instruction, place: u32| match instruction.op_kind(place) {
            OpKind::Register => (OpKind::Register, instruction.op_register(place), 0),
            OpKind::Memory => (OpKind::Memory, Register::None, 0),
            kind => (kind, Register::None, instruction.immediate(place)),
        };
        let memory = |instruction: &Instruction| {
            let relative = instruction.memory_base() == Register::RIP;
            let displacement = if relative { 0 } else { instruction.memory_displacement64() };
            (
                instruction.memory_base(),
                instruction.memory_index(),
                if instruction.memory_index() == Register::None {
                    1
                } else {
                    instruction.memory_index_scale()
                },
                displacement,
                instruction.is_broadcast(),
            )
        };
        let same = read.code() == meant.code()
            && (0..meant.op_count()).all(|place| operand(&read, place) == operand(meant, place))
            && memory(&read) == memory(meant)
            && read.op_mask() == meant.op_mask()
            && read.zeroing_masking() == meant.zeroing_masking()
            && read.has_lock_prefix() == meant.has_lock_prefix();
        if same { Ok(()) } else { Err(format!("`{meant:?}` was encoded as `{read:?}`")) }
    }

    /// A byte as it is.
    fn raw(&mut self, byte: u8) {
        self.encoder.write_u8(byte);
        self.length += 1;
    }

    /// Bytes as they are.
    fn bytes(&mut self, bytes: &[u8]) {
        let mut buffer = self.encoder.take_buffer();
        buffer.extend_from_slice(bytes);
        self.encoder.set_buffer(buffer);
        self.length += bytes.len() as u32;
    }

    fn put_constant(&mut self, instruction: &Instruction, constant: Constant) -> Result<(), String> {
        let start = self.length;
        self.put(instruction)?;
        let offset = self.encoder.get_constant_offsets().displacement_offset() as u32;
        self.fixups.push(Fixup { at: start + offset, end: self.length, constant });
        Ok(())
    }

    // --- instructions ----------------------------------------------------------------------------------------------

    /// One instruction of a program.
    pub(crate) fn inst(
        &mut self,
        program: &Program,
        inst: &Inst,
        allocs: &[Allocation],
    ) -> Result<(), String> {
        match inst.action {
            Action::Entry | Action::Jump | Action::Branch(_) | Action::Return => Ok(()),
            Action::Code(code) => self.encode(program, inst, code, allocs),
            Action::Vector(v, length) => {
                let code = vector_code(program, inst, v, length, allocs)?;
                self.encode(program, inst, code, allocs)
            }
            Action::Sum { wide } => self.sum(wide, allocs),
            Action::Stream { length, pieces } => {
                self.stream(&program.memories[inst.memory as usize], length, pieces, allocs)
            }
            Action::Swap { swap, wide } => self.swap(program, inst, swap, wide, allocs),
            Action::Call(function) => {
                self.raw(0xe8);
                self.calls.push((self.length, function));
                (0..4).for_each(|_| self.raw(0));
                Ok(())
            }
        }
    }

    fn encode(
        &mut self,
        program: &Program,
        inst: &Inst,
        code: Code,
        allocs: &[Allocation],
    ) -> Result<(), String> {
        let mut instruction = Instruction::default();
        instruction.set_code(code);
        let mut constant = None;
        for (place, arg) in inst.args.iter().enumerate() {
            let place = place as u32;
            match arg.view {
                View::None => break,
                View::Memory => {
                    instruction.set_op_kind(place, OpKind::Memory);
                    let memory = &program.memories[inst.memory as usize];
                    constant = address(&mut instruction, memory, allocs)?;
                }
                View::I8 => {
                    instruction.set_op_kind(place, OpKind::Immediate8);
                    instruction.set_immediate8(inst.immediate as u8);
                }
                View::I8to32 => {
                    instruction.set_op_kind(place, OpKind::Immediate8to32);
                    instruction.set_immediate8to32(inst.immediate as i32);
                }
                View::I8to64 => {
                    instruction.set_op_kind(place, OpKind::Immediate8to64);
                    instruction.set_immediate8to64(inst.immediate);
                }
                View::I32 => {
                    instruction.set_op_kind(place, OpKind::Immediate32);
                    instruction.set_immediate32(inst.immediate as u32);
                }
                View::I32to64 => {
                    instruction.set_op_kind(place, OpKind::Immediate32to64);
                    instruction.set_immediate32to64(inst.immediate);
                }
                View::I64 => {
                    instruction.set_op_kind(place, OpKind::Immediate64);
                    instruction.set_immediate64(inst.immediate as u64);
                }
                view => {
                    let number = number(allocs, arg.operand)?;
                    instruction.set_op_register(place, register(view, number));
                }
            }
        }
        if inst.mask != NONE {
            instruction.set_op_mask(register(View::K, number(allocs, inst.mask)?));
            instruction.set_zeroing_masking(inst.zeroing);
        }
        instruction.set_has_lock_prefix(inst.lock);
        match constant {
            Some(constant) => self.put_constant(&instruction, constant),
            None => self.put(&instruction),
        }
    }

    fn sum(&mut self, wide: bool, allocs: &[Allocation]) -> Result<(), String> {
        let (to, a, b) = (number(allocs, 0)?, number(allocs, 1)?, number(allocs, 2)?);
        let view = if wide { View::G64 } else { View::G32 };
        if to == a || to == b {
            let other = if to == a { b } else { a };
            return self.two(if wide { Code::Add_r64_rm64 } else { Code::Add_r32_rm32 }, view, to, other);
        }
        let mut instruction = Instruction::default();
        instruction.set_code(if wide { Code::Lea_r64_m } else { Code::Lea_r32_m });
        instruction.set_op0_register(register(view, to));
        instruction.set_op1_kind(OpKind::Memory);
        instruction.set_memory_base(register(View::G64, a));
        instruction.set_memory_index(register(View::G64, b));
        instruction.set_memory_index_scale(1);
        self.put(&instruction)
    }

    /// `op a, b`
    pub(crate) fn two(&mut self, code: Code, view: View, a: usize, b: usize) -> Result<(), String> {
        let mut instruction = Instruction::default();
        instruction.set_code(code);
        instruction.set_op0_register(register(view, a));
        instruction.set_op1_register(register(view, b));
        self.put(&instruction)
    }

    /// Loads, computes, and tries to store until nobody came between.
    fn swap(
        &mut self,
        program: &Program,
        inst: &Inst,
        swap: Swap,
        wide: bool,
        allocs: &[Allocation],
    ) -> Result<(), String> {
        let pick = |narrow: Code, long: Code| if wide { long } else { narrow };
        let view = if wide { View::G64 } else { View::G32 };
        let memory = &program.memories[inst.memory as usize];
        let next = number(allocs, 1)?;
        let float = matches!(swap, Swap::FloatAdd | Swap::FloatSub);
        let value = number(allocs, if float { 3 } else { 2 })?;
        let mut load = Instruction::default();
        load.set_code(pick(Code::Mov_r32_rm32, Code::Mov_r64_rm64));
        load.set_op0_register(register(view, AX));
        load.set_op1_kind(OpKind::Memory);
        address(&mut load, memory, allocs)?;
        self.put(&load)?;
        let again = self.length;
        if !float {
            self.two(pick(Code::Mov_r32_rm32, Code::Mov_r64_rm64), view, next, AX)?;
        }
        let mut choose = |narrow: Code, long: Code| {
            self.two(pick(Code::Cmp_r32_rm32, Code::Cmp_r64_rm64), view, next, value)?;
            self.two(pick(narrow, long), view, next, value)
        };
        match swap {
            Swap::And => self.two(pick(Code::And_r32_rm32, Code::And_r64_rm64), view, next, value)?,
            Swap::Or => self.two(pick(Code::Or_r32_rm32, Code::Or_r64_rm64), view, next, value)?,
            Swap::Xor => self.two(pick(Code::Xor_r32_rm32, Code::Xor_r64_rm64), view, next, value)?,
            Swap::MinS => choose(Code::Cmovg_r32_rm32, Code::Cmovg_r64_rm64)?,
            Swap::MaxS => choose(Code::Cmovl_r32_rm32, Code::Cmovl_r64_rm64)?,
            Swap::MinU => choose(Code::Cmova_r32_rm32, Code::Cmova_r64_rm64)?,
            Swap::MaxU => choose(Code::Cmovb_r32_rm32, Code::Cmovb_r64_rm64)?,
            Swap::FloatAdd | Swap::FloatSub => {
                let sum = number(allocs, 2)?;
                self.mixed(if wide { V::MovQToX } else { V::MovDToX }, View::X, sum, view, AX)?;
                let v = match (swap, wide) {
                    (Swap::FloatAdd, false) => V::AddSs,
                    (Swap::FloatAdd, true) => V::AddSd,
                    (_, false) => V::SubSs,
                    (_, true) => V::SubSd,
                };
                let mut add = Instruction::default();
                add.set_code(form(v, Length::X, sum >= 16 || value >= 16)?);
                add.set_op0_register(register(View::X, sum));
                add.set_op1_register(register(View::X, sum));
                add.set_op2_register(register(View::X, value));
                self.put(&add)?;
                self.mixed(if wide { V::MovQFromX } else { V::MovDFromX }, view, next, View::X, sum)?;
            }
        }
        let mut exchange = Instruction::default();
        exchange.set_code(pick(Code::Cmpxchg_rm32_r32, Code::Cmpxchg_rm64_r64));
        exchange.set_op0_kind(OpKind::Memory);
        address(&mut exchange, memory, allocs)?;
        exchange.set_op1_register(register(view, next));
        exchange.set_has_lock_prefix(true);
        self.put(&exchange)?;
        // jne again
        let back = again as i64 - (i64::from(self.length) + 2);
        self.raw(0x75);
        self.raw(back as i8 as u8);
        Ok(())
    }

    fn mixed(&mut self, v: V, to: View, a: usize, from: View, b: usize) -> Result<(), String> {
        let mut instruction = Instruction::default();
        let vector = if to == View::X { a } else { b };
        instruction.set_code(form(v, Length::X, vector >= 16)?);
        instruction.set_op0_register(register(to, a));
        instruction.set_op1_register(register(from, b));
        self.put(&instruction)
    }

    // --- moves -----------------------------------------------------------------------------------------------------

    /// A move that the allocator asks for.
    pub(crate) fn transfer(&mut self, from: Allocation, to: Allocation, slots: Slots) -> Result<(), String> {
        if from == to {
            return Ok(());
        }
        match (from.as_reg(), to.as_reg()) {
            (Some(from), Some(to)) => {
                let (a, b) = (to.hw_enc(), from.hw_enc());
                match to.class() {
                    RegClass::Int => self.two(Code::Mov_r64_rm64, View::G64, a, b),
                    RegClass::Vector => self.two(Code::VEX_Kmovq_kr_km64, View::K, a, b),
                    RegClass::Float => {
                        let code = form(V::MovaPs, slots.length, a >= 16 || b >= 16)?;
                        self.two(code, slots.length.view(), a, b)
                    }
                }
            }
            (Some(from), None) => self.spill(from, to, slots, true),
            (None, Some(to)) => self.spill(to, from, slots, false),
            (None, None) => Err("a move from memory to memory".into()),
        }
    }

    fn spill(&mut self, register_: PReg, slot: Allocation, slots: Slots, store: bool) -> Result<(), String> {
        let Some(slot) = slot.as_stack() else { return Err("a move to nowhere".into()) };
        let displacement = (slots.first + slot.index() as u32 * 8) as i32;
        let number = register_.hw_enc();
        let (code, view) = match (register_.class(), store) {
            (RegClass::Int, true) => (Code::Mov_rm64_r64, View::G64),
            (RegClass::Int, false) => (Code::Mov_r64_rm64, View::G64),
            (RegClass::Vector, true) => (Code::VEX_Kmovq_m64_kr, View::K),
            (RegClass::Vector, false) => (Code::VEX_Kmovq_kr_km64, View::K),
            (RegClass::Float, _) => {
                let short = vector_move(number, slots.length, displacement, store);
                self.bytes(short.as_slice());
                return Ok(());
            }
        };
        let mut instruction = Instruction::default();
        instruction.set_code(code);
        let (register_place, memory_place) = if store { (1, 0) } else { (0, 1) };
        instruction.set_op_register(register_place, register(view, number));
        instruction.set_op_kind(memory_place, OpKind::Memory);
        instruction.set_memory_base(Register::RSP);
        displace(&mut instruction, displacement);
        self.put(&instruction)
    }
}

/// The form of a family's instruction that can name these operands.
fn vector_code(
    program: &Program,
    inst: &Inst,
    v: V,
    length: Length,
    allocs: &[Allocation],
) -> Result<Code, String> {
    let upper = allocs
        .iter()
        .filter_map(|alloc| alloc.as_reg())
        .any(|register| register.class() == RegClass::Float && register.hw_enc() >= 16);
    let broadcast = inst.memory != u32::MAX && program.memories[inst.memory as usize].broadcast;
    form(v, length, upper || broadcast || inst.mask != NONE)
}

fn form(v: V, length: Length, extended: bool) -> Result<Code, String> {
    let codes = v.codes();
    let vex = match length {
        Length::Z => Code::INVALID,
        _ => codes[length as usize],
    };
    let evex = codes[2 + length as usize];
    let code = if extended || vex == Code::INVALID { evex } else { vex };
    if code == Code::INVALID {
        return Err(format!("no {v:?} of length {length:?}, extended: {extended}"));
    }
    Ok(code)
}

fn number(allocs: &[Allocation], operand: u8) -> Result<usize, String> {
    allocs
        .get(operand as usize)
        .and_then(|alloc| alloc.as_reg())
        .map(PReg::hw_enc)
        .ok_or_else(|| "an operand without a register".into())
}

/// A register's name.
pub(crate) fn register(view: View, number: usize) -> Register {
    let number = number as u32;
    match view {
        View::G8 => match number {
            0..=3 => Register::AL + number,
            // Not AH to BH: these need a prefix.
            4..=7 => Register::SPL + (number - 4),
            _ => Register::R8L + (number - 8),
        },
        View::G16 => Register::AX + number,
        View::G32 => Register::EAX + number,
        View::G64 => Register::RAX + number,
        View::K => Register::K0 + number,
        View::X => Register::XMM0 + number,
        View::Y => Register::YMM0 + number,
        View::Z => Register::ZMM0 + number,
        _ => Register::None,
    }
}

fn displace(instruction: &mut Instruction, displacement: i32) {
    instruction.set_memory_displacement64(displacement as i64 as u64);
    instruction.set_memory_displ_size(u32::from(displacement != 0));
}

/// Fills in a memory operand; a constant's address comes later.
fn address(
    instruction: &mut Instruction,
    memory: &Memory,
    allocs: &[Allocation],
) -> Result<Option<Constant>, String> {
    instruction.set_is_broadcast(memory.broadcast);
    if memory.index != NONE {
        instruction.set_memory_index(register(memory.index_view, number(allocs, memory.index)?));
        instruction.set_memory_index_scale(memory.scale.into());
    }
    match memory.base {
        Base::Operand(operand) => instruction.set_memory_base(register(View::G64, number(allocs, operand)?)),
        // What is kept has its place there by now.
        Base::Frame | Base::Kept => instruction.set_memory_base(Register::RSP),
        Base::Pool(constant) => {
            instruction.set_memory_base(Register::RIP);
            // Any address: it is filled in later.
            instruction.set_memory_displacement64(0x1000);
            instruction.set_memory_displ_size(8);
            return Ok(Some(constant));
        }
    }
    displace(instruction, memory.displacement);
    Ok(None)
}
