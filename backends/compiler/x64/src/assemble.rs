//! Where everything lies: the frame, the order of blocks, the lengths of jumps, constants behind the code.
//!
//! Cold blocks come last, blocks that only go elsewhere vanish, jumps are short where they reach, loops start at
//! multiples of 32. Knows nothing of what instructions compute.

use iced_x86::{Code, Instruction, OpKind, Register};
use regalloc2::{Edit, Inst as InstIndex, Output, ProgPoint, RegClass};
use warpweft_vector::ir::Mark;
use warpweft_vector::{CallForm, CallSite, MachineCode};

use crate::allocate::KEPT;
use crate::encode::{Bytes, Encoded, Slots, register};
use crate::program::{Action, Cc, Condition, Length, Program, View};

/// The largest frame: the stack belongs to the caller.
const LARGEST_FRAME: u32 = 256 << 10;
/// What the system adds to a stack at a time, when it is touched.
const PAGE: u32 = 4096;

/// A stretch of bytes, or what stands between two.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// Bytes that were encoded.
    Bytes { from: u32, to: u32 },
    /// A jump to a block: always, or by a condition code.
    Jump { cc: Option<Cc>, block: u32, long: bool },
    /// Space up to a multiple of 32.
    Align,
}

/// How the frame is laid out.
#[derive(Debug)]
struct Frame {
    kept: Vec<usize>,
    /// Bytes below the saved registers.
    size: u32,
    /// Where the caller's stack pointer lies, if the frame is aligned to more than the stack is.
    old: Option<u32>,
    align: u32,
    slots: Slots,
}

/// Puts an allocated program together.
///
/// # Errors
/// When something does not fit, or cannot be encoded; in words.
pub(crate) fn assemble(program: &Program, output: &Output) -> Result<MachineCode, String> {
    let frame = frame(program, output)?;
    let order = Order::new(program, output);
    let mut bytes = Bytes::new(program.insts.len() * 8 + output.edits.len() * 10 + 64)?;
    let mut pieces = vec![];
    let mut marks: Vec<(u32, Mark)> = vec![];
    let mut starts = vec![u32::MAX; program.blocks.len()];
    let mut open = 0;
    prologue(&mut bytes, &frame)?;
    for (place, &block) in order.blocks.iter().enumerate() {
        close(&mut pieces, &mut open, bytes.length());
        let information = &program.blocks[block];
        if information.header && !information.cold {
            pieces.push(Piece::Align);
        }
        starts[block] = pieces.len() as u32;
        let next = order.blocks.get(place + 1).copied();
        let range = program.range(block);
        let mut edits = edits_from(output, range.start);
        for index in range {
            let inst = &program.insts[index];
            let point = InstIndex::new(index);
            apply(&mut bytes, output, &mut edits, ProgPoint::before(point), &frame)?;
            if marks.last().is_none_or(|&(_, mark)| mark != program.marks[index]) {
                marks.push((bytes.length(), program.marks[index]));
            }
            match inst.action {
                Action::Return => epilogue(&mut bytes, &frame, program)?,
                Action::Jump => {
                    close(&mut pieces, &mut open, bytes.length());
                    let to = order.target(program.successors(block)[0].index());
                    jump(&mut pieces, None, to, next);
                }
                Action::Branch(condition) => {
                    close(&mut pieces, &mut open, bytes.length());
                    let [then, otherwise] =
                        [0, 1].map(|which| order.target(program.successors(block)[which].index()));
                    branch(&mut pieces, condition, then, otherwise, next);
                }
                _ => bytes.inst(program, inst, output.inst_allocs(point))?,
            }
            apply(&mut bytes, output, &mut edits, ProgPoint::after(point), &frame)?;
        }
    }
    close(&mut pieces, &mut open, bytes.length());
    let encoded = bytes.finish();
    let offsets = relax(&mut pieces, &starts);
    let mut code = link(program, &pieces, &starts, &offsets, &encoded, marks)?;
    code.stack = frame.stack();
    Ok(code)
}

fn close(pieces: &mut Vec<Piece>, open: &mut u32, length: u32) {
    if length > *open {
        pieces.push(Piece::Bytes { from: *open, to: length });
        *open = length;
    }
}

// --- order -----------------------------------------------------------------------------------------------------------

/// Which blocks there are, one after the other.
struct Order {
    blocks: Vec<usize>,
    targets: Vec<u32>,
}

impl Order {
    fn new(program: &Program, output: &Output) -> Self {
        let count = program.blocks.len();
        let empty: Vec<bool> = (0..count)
            .map(|block| {
                let range = program.range(block);
                let end = ProgPoint::after(InstIndex::new(range.start));
                range.len() == 1
                    && program.insts[range.start].action == Action::Jump
                    && output.edits[edits_from(output, range.start)]
                        .iter()
                        .take_while(|(point, _)| *point <= end)
                        .all(|(_, Edit::Move { from, to })| from == to)
            })
            .collect();
        // A chain of blocks without content may be a circle: after some steps it is followed no further.
        let targets: Vec<u32> = (0..count)
            .map(|block| {
                let mut target = block;
                for _ in 0..32 {
                    if !empty[target] {
                        break;
                    }
                    target = program.successors(target)[0].index();
                }
                target as u32
            })
            .collect();
        let mut keep: Vec<bool> = empty.iter().map(|empty| !empty).collect();
        for &target in &targets {
            keep[target as usize] = true;
        }
        keep[0] = true;
        let kept = |cold: bool| {
            let keep = &keep;
            (0..count).filter(move |&block| keep[block] && (program.blocks[block].cold && block != 0) == cold)
        };
        Self { blocks: kept(false).chain(kept(true)).collect(), targets }
    }

    /// Where a jump to a block ends up.
    fn target(&self, block: usize) -> usize {
        self.targets[block] as usize
    }
}

fn jump(pieces: &mut Vec<Piece>, cc: Option<Cc>, to: usize, next: Option<usize>) {
    if cc.is_some() || next != Some(to) {
        pieces.push(Piece::Jump { cc, block: to as u32, long: false });
    }
}

fn branch(pieces: &mut Vec<Piece>, condition: Condition, then: usize, otherwise: usize, next: Option<usize>) {
    if then == otherwise {
        return jump(pieces, None, then, next);
    }
    match condition {
        Condition::One(cc) if next == Some(then) => jump(pieces, Some(cc.not()), otherwise, next),
        Condition::One(cc) => {
            jump(pieces, Some(cc), then, next);
            jump(pieces, None, otherwise, next);
        }
        Condition::EqualOrdered => {
            jump(pieces, Some(Cc::NotEqual), otherwise, next);
            jump(pieces, Some(Cc::Parity), otherwise, next);
            jump(pieces, None, then, next);
        }
        Condition::NotEqualUnordered => {
            jump(pieces, Some(Cc::NotEqual), then, next);
            jump(pieces, Some(Cc::Parity), then, next);
            jump(pieces, None, otherwise, next);
        }
    }
}

// --- moves -----------------------------------------------------------------------------------------------------------

/// The allocator's moves from an instruction on.
fn edits_from(output: &Output, inst: usize) -> std::ops::Range<usize> {
    let first = ProgPoint::before(InstIndex::new(inst));
    output.edits.partition_point(|&(point, _)| point < first)..output.edits.len()
}

fn apply(
    bytes: &mut Bytes,
    output: &Output,
    edits: &mut std::ops::Range<usize>,
    point: ProgPoint,
    frame: &Frame,
) -> Result<(), String> {
    while let Some((at, Edit::Move { from, to })) = output.edits.get(edits.start)
        && *at <= point
    {
        bytes.transfer(*from, *to, frame.slots)?;
        edits.start += 1;
    }
    Ok(())
}

// --- frame -----------------------------------------------------------------------------------------------------------

fn frame(program: &Program, output: &Output) -> Result<Frame, String> {
    let mut used = [false; 16];
    let mut vectors = false;
    let mut see = |allocation: regalloc2::Allocation| {
        if let Some(register) = allocation.as_reg() {
            vectors |= register.class() == RegClass::Float;
            if register.class() == RegClass::Int {
                used[register.hw_enc()] = true;
            }
        }
    };
    output.allocs.iter().for_each(|&allocation| see(allocation));
    for (_, Edit::Move { from, to }) in &output.edits {
        see(*from);
        see(*to);
    }
    let kept: Vec<usize> = KEPT.into_iter().filter(|&number| used[number]).collect();
    let length = program.widest.unwrap_or(Length::X);
    let align = if vectors { length.bytes() } else { 8 };
    let first = program.scratch.next_multiple_of(align);
    let content = first as u64 + output.num_spillslots as u64 * 8;
    if content > LARGEST_FRAME.into() {
        return Err("too many values at once: they do not fit on the stack".into());
    }
    let content = content as u32;
    let slots = Slots { first, length };
    if content == 0 && !program.calls {
        return Ok(Frame { kept, size: 0, old: None, align, slots });
    }
    if align > 16 {
        let size = (content + 8).next_multiple_of(align);
        return Ok(Frame { kept, size, old: Some(content), align, slots });
    }
    // Behind the return address and what is kept, the stack must come back to a multiple of 16.
    let above = 8 + kept.len() as u32 * 8;
    let size = (content + above).next_multiple_of(16) - above;
    Ok(Frame { kept, size, old: None, align, slots })
}

impl Frame {
    /// Bytes between the caller's stack pointer and the lowest that this one takes.
    fn stack(&self) -> u32 {
        8 + self.kept.len() as u32 * 8 + self.size + if self.old.is_some() { self.align } else { 0 }
    }
}

fn stack(code: Code, number: i64) -> Instruction {
    let mut instruction = Instruction::default();
    instruction.set_code(code);
    instruction.set_op0_register(Register::RSP);
    instruction.set_op1_kind(OpKind::Immediate32to64);
    instruction.set_immediate32to64(number);
    instruction
}

fn one(code: Code, number: usize) -> Instruction {
    let mut instruction = Instruction::default();
    instruction.set_code(code);
    instruction.set_op0_register(register(View::G64, number));
    instruction
}

const AX: usize = 0;
const SP: usize = 4;

fn prologue(bytes: &mut Bytes, frame: &Frame) -> Result<(), String> {
    for &number in &frame.kept {
        bytes.put(&one(Code::Push_r64, number))?;
    }
    if frame.size == 0 {
        return Ok(());
    }
    if frame.old.is_some() {
        // rax holds nothing yet.
        bytes.two(Code::Mov_r64_rm64, View::G64, AX, SP)?;
    }
    // A stack grows page by page: none may be skipped.
    for page in 1..=frame.size / PAGE {
        let mut probe = Instruction::default();
        probe.set_code(Code::Or_rm32_imm8);
        probe.set_op0_kind(OpKind::Memory);
        probe.set_memory_base(Register::RSP);
        probe.set_memory_displacement64((-i64::from(page * PAGE)) as u64);
        probe.set_memory_displ_size(8);
        probe.set_op1_kind(OpKind::Immediate8to32);
        bytes.put(&probe)?;
    }
    bytes.put(&stack(Code::Sub_rm64_imm32, frame.size.into()))?;
    if let Some(old) = frame.old {
        bytes.put(&stack(Code::And_rm64_imm32, -i64::from(frame.align)))?;
        bytes.put(&saved(Code::Mov_rm64_r64, old, true))?;
    }
    Ok(())
}

fn saved(code: Code, place: u32, store: bool) -> Instruction {
    let mut instruction = Instruction::default();
    instruction.set_code(code);
    let (memory, number) = if store { (0, 1) } else { (1, 0) };
    instruction.set_op_kind(memory, OpKind::Memory);
    instruction.set_memory_base(Register::RSP);
    instruction.set_memory_displacement64(place.into());
    instruction.set_memory_displ_size(8);
    instruction.set_op_register(number, register(View::G64, if store { AX } else { SP }));
    instruction
}

fn epilogue(bytes: &mut Bytes, frame: &Frame, program: &Program) -> Result<(), String> {
    if program.widest > Some(Length::X) {
        let mut instruction = Instruction::default();
        instruction.set_code(Code::VEX_Vzeroupper);
        bytes.put(&instruction)?;
    }
    match frame.old {
        Some(old) => bytes.put(&saved(Code::Mov_r64_rm64, old, false))?,
        None if frame.size > 0 => bytes.put(&stack(Code::Add_rm64_imm32, frame.size.into()))?,
        None => {}
    }
    for &number in frame.kept.iter().rev() {
        bytes.put(&one(Code::Pop_r64, number))?;
    }
    let mut instruction = Instruction::default();
    instruction.set_code(Code::Retnq);
    bytes.put(&instruction)
}

// --- linking ---------------------------------------------------------------------------------------------------------

fn size(piece: Piece, offset: u32) -> u32 {
    match piece {
        Piece::Bytes { from, to } => to - from,
        Piece::Jump { long: false, .. } => 2,
        Piece::Jump { cc: None, .. } => 5,
        Piece::Jump { .. } => 6,
        Piece::Align => offset.next_multiple_of(32) - offset,
    }
}

/// Makes jumps long until all reach; gives the offset of each piece, and the end.
fn relax(pieces: &mut [Piece], starts: &[u32]) -> Vec<u32> {
    let mut offsets = vec![0; pieces.len() + 1];
    loop {
        for (place, &piece) in pieces.iter().enumerate() {
            offsets[place + 1] = offsets[place] + size(piece, offsets[place]);
        }
        let mut grown = false;
        for (place, piece) in pieces.iter_mut().enumerate() {
            if let Piece::Jump { block, long: long @ false, .. } = piece {
                let distance =
                    i64::from(offsets[starts[*block as usize] as usize]) - i64::from(offsets[place + 1]);
                if i8::try_from(distance).is_err() {
                    *long = true;
                    grown = true;
                }
            }
        }
        if !grown {
            return offsets;
        }
    }
}

/// Idle instructions of 1 to 9 bytes, as both makers of processors recommend them.
const IDLE: [&[u8]; 9] = [
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

fn link(
    program: &Program,
    pieces: &[Piece],
    starts: &[u32],
    offsets: &[u32],
    encoded: &Encoded,
    mut marks: Vec<(u32, Mark)>,
) -> Result<MachineCode, String> {
    let code = offsets[pieces.len()];
    let pool_at = code.next_multiple_of(64);
    let (constants, pool) = program.pool.place();
    let mut bytes = Vec::with_capacity(pool_at as usize + pool.len());
    let (mut next_fixup, mut next_mark, mut next_call) = (0, 0, 0);
    let mut calls = Vec::with_capacity(encoded.calls.len());
    for (place, &piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Bytes { from, to } => {
                let offset = offsets[place];
                bytes.extend_from_slice(&encoded.bytes[from as usize..to as usize]);
                while let Some(fixup) = encoded.fixups.get(next_fixup)
                    && fixup.at < to
                {
                    let target = pool_at + constants[fixup.constant.index()];
                    let distance = i64::from(target) - i64::from(fixup.end - from + offset);
                    let distance = i32::try_from(distance).map_err(|_| "code of more than 2 GiB")?;
                    let at = (fixup.at - from + offset) as usize;
                    bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
                    next_fixup += 1;
                }
                while let Some(&(at, function)) = encoded.calls.get(next_call)
                    && at < to
                {
                    calls.push(CallSite { at: at - from + offset, function, form: CallForm::Distance });
                    next_call += 1;
                }
                while let Some(mark) = marks.get_mut(next_mark)
                    && mark.0 < to
                {
                    mark.0 = mark.0 - from + offset;
                    next_mark += 1;
                }
            }
            Piece::Jump { cc, block, long } => {
                let to = i64::from(offsets[starts[block as usize] as usize]) - i64::from(offsets[place + 1]);
                let near = i32::try_from(to).map_err(|_| "code of more than 2 GiB")?;
                match (cc, long) {
                    (None, false) => bytes.extend([0xeb, to as u8]),
                    (Some(cc), false) => bytes.extend([0x70 | cc as u8, to as u8]),
                    (None, true) => bytes.push(0xe9),
                    (Some(cc), true) => bytes.extend([0x0f, 0x80 | cc as u8]),
                }
                if long {
                    bytes.extend(near.to_le_bytes());
                }
            }
            Piece::Align => {
                let mut left = (offsets[place + 1] - offsets[place]) as usize;
                while left > 0 {
                    let step = left.min(IDLE.len());
                    bytes.extend_from_slice(IDLE[step - 1]);
                    left -= step;
                }
            }
        }
    }
    // Marks of what vanished (jumps at the very end).
    marks.truncate(next_mark);
    if !pool.is_empty() {
        bytes.resize(pool_at as usize, 0xcc);
        bytes.extend_from_slice(&pool);
    }
    Ok(MachineCode { bytes, code: code as usize, marks, calls, stack: 0 })
}
