//! Machine instructions over virtual registers: what selection gives to register allocation, and that to encoding.
//!
//! A [`Program`] is a control flow graph with block parameters. Knows how instructions name their registers, memory and
//! numbers; neither what they compute nor how they look as bytes.

use iced_x86::Code;
use regalloc2::{
    Block, Function, Inst as InstIndex, InstRange, Operand, OperandConstraint, OperandKind, OperandPos, PReg,
    PRegSet, RegClass, VReg,
};
use warpweft_vector::ir::Mark;

use crate::opcodes::V;
use crate::pool::{Constant, Pool};

/// General registers.
pub(crate) const INT: RegClass = RegClass::Int;
/// Vector registers, which also hold scalar floats.
pub(crate) const VEC: RegClass = RegClass::Float;
/// Mask registers k1 to k7.
pub(crate) const MASK: RegClass = RegClass::Vector;

/// The width of a vector operation: 128, 256 or 512 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    X,
    Y,
    Z,
}

impl Length {
    pub(crate) fn bytes(self) -> u32 {
        16 << self as u32
    }

    /// The narrowest that holds so many bytes.
    pub(crate) fn of(bytes: u32) -> Self {
        match bytes {
            0..=16 => Length::X,
            17..=32 => Length::Y,
            _ => Length::Z,
        }
    }

    /// Half as wide; never below 128 bits.
    pub(crate) fn half(self) -> Self {
        match self {
            Length::X | Length::Y => Length::X,
            Length::Z => Length::Y,
        }
    }

    pub(crate) fn view(self) -> View {
        match self {
            Length::X => View::X,
            Length::Y => View::Y,
            Length::Z => View::Z,
        }
    }
}

/// How an instruction sees an operand: what part of a register, memory, or a number of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    None,
    G8,
    G16,
    G32,
    G64,
    K,
    X,
    Y,
    Z,
    Memory,
    I8,
    I8to32,
    I8to64,
    I32,
    I32to64,
    I64,
}

/// One explicit operand of an instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arg {
    pub(crate) view: View,
    /// Which of the instruction's allocations, for registers.
    pub(crate) operand: u8,
}

const NO_ARG: Arg = Arg { view: View::None, operand: 0 };
/// No mask, no memory, no index.
pub(crate) const NONE: u8 = u8::MAX;

/// Condition codes, numbered as in opcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cc {
    Below = 2,
    AboveEqual = 3,
    Equal = 4,
    NotEqual = 5,
    BelowEqual = 6,
    Above = 7,
    Parity = 10,
    NoParity = 11,
    Less = 12,
    GreaterEqual = 13,
    LessEqual = 14,
    Greater = 15,
}

impl Cc {
    const ALL: [Cc; 12] = [
        Cc::Below,
        Cc::AboveEqual,
        Cc::Equal,
        Cc::NotEqual,
        Cc::BelowEqual,
        Cc::Above,
        Cc::Parity,
        Cc::NoParity,
        Cc::Less,
        Cc::GreaterEqual,
        Cc::LessEqual,
        Cc::Greater,
    ];

    /// The opposite: codes come in pairs that differ in the lowest bit.
    pub(crate) fn not(self) -> Self {
        let wanted = self as u8 ^ 1;
        Self::ALL.into_iter().find(|&cc| cc as u8 == wanted).unwrap_or(self)
    }
}

/// What the flags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    One(Cc),
    /// Ordered and equal.
    EqualOrdered,
    /// Different or unordered.
    NotEqualUnordered,
}

impl Condition {
    pub(crate) fn not(self) -> Self {
        match self {
            Condition::One(cc) => Condition::One(cc.not()),
            Condition::EqualOrdered => Condition::NotEqualUnordered,
            Condition::NotEqualUnordered => Condition::EqualOrdered,
        }
    }
}

/// A read-modify-write step that takes a compare-and-swap loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swap {
    And,
    Or,
    Xor,
    MinS,
    MaxS,
    MinU,
    MaxU,
    FloatAdd,
    FloatSub,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// That instruction.
    Code(Code),
    /// One of a family, by width and by what its operands need.
    Vector(V, Length),
    /// `a + b` of 32 or 64 bits into a third register: `add` where one of them is it, else `lea`.
    Sum {
        wide: bool,
    },
    /// The program's arguments appear.
    Entry,
    Return,
    /// To the block's successor.
    Jump,
    /// To the first successor where the condition holds, else to the second.
    Branch(Condition),
    /// Operands: what was there (in rax), a temporary, for floats a vector temporary, the value, then memory's.
    Swap {
        swap: Swap,
        wide: bool,
    },
}

/// What a memory operand is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// One of the instruction's allocations.
    Operand(u8),
    /// A constant behind the code.
    Pool(Constant),
    /// The frame's scratch area.
    Frame,
}

/// A memory operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) base: Base,
    /// One of the instruction's allocations, or [`NONE`].
    pub(crate) index: u8,
    /// How the index is seen: a general register, or a vector of indices.
    pub(crate) index_view: View,
    pub(crate) scale: u8,
    pub(crate) displacement: i32,
    pub(crate) broadcast: bool,
}

/// Where a memory operand lies, before it belongs to an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) base: Place,
    pub(crate) index: Option<(VReg, View)>,
    pub(crate) scale: u8,
    pub(crate) displacement: i32,
    /// One element, in every lane (AVX-512).
    pub(crate) broadcast: bool,
}

/// What an [`Address`] is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Register(VReg),
    Pool(Constant),
    Frame,
}

impl Address {
    pub(crate) fn pool(constant: Constant, broadcast: bool) -> Self {
        Self { base: Place::Pool(constant), index: None, scale: 1, displacement: 0, broadcast }
    }

    pub(crate) fn frame(displacement: i32) -> Self {
        Self { base: Place::Frame, index: None, scale: 1, displacement, broadcast: false }
    }

    /// So many bytes further on. The caller has seen to it that the sum fits.
    pub(crate) fn plus(self, bytes: u32) -> Self {
        Self { displacement: self.displacement + bytes as i32, ..self }
    }
}

/// A register or memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rm {
    Reg(VReg),
    Mem(Address),
}

impl From<VReg> for Rm {
    fn from(register: VReg) -> Self {
        Rm::Reg(register)
    }
}

/// One machine instruction, or one short fixed sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inst {
    pub(crate) action: Action,
    pub(crate) args: [Arg; 4],
    /// The mask's allocation, or [`NONE`].
    pub(crate) mask: u8,
    /// Lanes outside the mask become zero.
    pub(crate) zeroing: bool,
    pub(crate) lock: bool,
    /// Index into [`Program::memories`]; `u32::MAX` where there is none.
    pub(crate) memory: u32,
    pub(crate) immediate: i64,
    first: u32,
    pub(crate) count: u8,
}

/// A stretch of instructions that is entered at its first and left at its last.
#[derive(Clone, Debug)]
pub(crate) struct BasicBlock {
    first: u32,
    end: u32,
    params: Vec<VReg>,
    succs: Vec<Block>,
    preds: Vec<Block>,
    /// The arguments for the only successor.
    arguments: Vec<VReg>,
    /// It belongs out of the way.
    pub(crate) cold: bool,
    /// It starts a loop.
    pub(crate) header: bool,
}

/// A block that code may go to before it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target(u32);

#[derive(Clone, Debug, Default)]
struct Pending {
    params: Vec<VReg>,
    block: Option<Block>,
    reached: bool,
}

/// A function as machine instructions.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) insts: Vec<Inst>,
    pub(crate) marks: Vec<Mark>,
    operands: Vec<Operand>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) blocks: Vec<BasicBlock>,
    pub(crate) pool: Pool,
    /// Bytes of the frame's scratch area.
    pub(crate) scratch: u32,
    /// The widest vector operation.
    pub(crate) widest: Option<Length>,
    vregs: u32,
    targets: Vec<Pending>,
    open: bool,
    mark: Mark,
    /// Instructions that belong in front of those at their places.
    inserted: Vec<(u32, Inst, Mark)>,
    inserting: Option<u32>,
}

impl Program {
    // --- registers and blocks --------------------------------------------------------------------------------------

    pub(crate) fn register(&mut self, class: RegClass) -> VReg {
        self.vregs += 1;
        VReg::new(self.vregs as usize - 1, class)
    }

    /// Where the instructions that follow come from.
    pub(crate) fn set_mark(&mut self, mark: Mark) {
        self.mark = mark;
    }

    /// A block to go to, with parameters.
    pub(crate) fn target(&mut self, params: Vec<VReg>) -> Target {
        self.targets.push(Pending { params, block: None, reached: false });
        Target(self.targets.len() as u32 - 1)
    }

    /// Whether some block goes there.
    pub(crate) fn reached(&self, target: Target) -> bool {
        self.targets[target.0 as usize].reached
    }

    /// Starts that block; the last one must have ended.
    pub(crate) fn start(&mut self, target: Target, cold: bool, header: bool) {
        debug_assert!(!self.open, "the last block ended");
        let block = Block::new(self.blocks.len());
        let pending = &mut self.targets[target.0 as usize];
        pending.block = Some(block);
        let params = std::mem::take(&mut pending.params);
        let first = self.insts.len() as u32;
        self.blocks.push(BasicBlock {
            first,
            end: first,
            params,
            succs: vec![],
            preds: vec![],
            arguments: vec![],
            cold,
            header,
        });
        self.open = true;
    }

    fn end(&mut self, action: Action, targets: &[Target], arguments: Vec<VReg>) {
        self.build(action).finish();
        let end = self.insts.len() as u32;
        for target in targets {
            self.targets[target.0 as usize].reached = true;
        }
        if let Some(block) = self.blocks.last_mut() {
            block.end = end;
            // Targets for now; `complete` makes them blocks.
            block.succs = targets.iter().map(|target| Block::new(target.0 as usize)).collect();
            block.arguments = arguments;
        }
        self.open = false;
    }

    /// Ends the block: on to another with arguments.
    pub(crate) fn jump(&mut self, target: Target, arguments: Vec<VReg>) {
        self.end(Action::Jump, &[target], arguments);
    }

    /// Ends the block: one of two others, which have no parameters.
    pub(crate) fn branch(&mut self, condition: Condition, then: Target, otherwise: Target) {
        self.end(Action::Branch(condition), &[then, otherwise], vec![]);
    }

    /// Ends the block and the function.
    pub(crate) fn ret(&mut self) {
        self.end(Action::Return, &[], vec![]);
    }

    /// Where instructions go that are built from now on: in front of the one at a place, or to the end of the block.
    pub(crate) fn insert_at(&mut self, place: Option<u32>) {
        self.inserting = place;
    }

    /// Whether instructions go to some earlier place.
    pub(crate) fn inserting(&self) -> bool {
        self.inserting.is_some()
    }

    /// Puts inserted instructions where they belong.
    fn merge(&mut self) {
        if self.inserted.is_empty() {
            return;
        }
        let mut inserted = std::mem::take(&mut self.inserted);
        inserted.sort_by_key(|&(place, ..)| place);
        for block in &mut self.blocks {
            let before = |place: u32| inserted.partition_point(|&(at, ..)| at < place) as u32;
            block.first += before(block.first);
            block.end += before(block.end);
        }
        let (old, old_marks) = (std::mem::take(&mut self.insts), std::mem::take(&mut self.marks));
        self.insts.reserve_exact(old.len() + inserted.len());
        self.marks.reserve_exact(old.len() + inserted.len());
        let mut inserted = inserted.into_iter().peekable();
        for (place, (inst, mark)) in old.into_iter().zip(old_marks).enumerate() {
            while let Some((_, inst, mark)) = inserted.next_if(|&(at, ..)| at <= place as u32) {
                self.insts.push(inst);
                self.marks.push(mark);
            }
            self.insts.push(inst);
            self.marks.push(mark);
        }
    }

    /// Turns targets into blocks; nothing may be added afterwards.
    pub(crate) fn complete(&mut self) {
        self.merge();
        for index in 0..self.blocks.len() {
            for place in 0..self.blocks[index].succs.len() {
                let target = self.blocks[index].succs[place].index();
                let block = self.targets[target].block.expect("every block that is reached was started");
                self.blocks[index].succs[place] = block;
                self.blocks[block.index()].preds.push(Block::new(index));
            }
        }
    }

    /// The class of each virtual register, and from which instruction to which it is needed, loops left aside.
    pub(crate) fn live_ranges(&self) -> Vec<(RegClass, u32, u32)> {
        let mut ranges = vec![(INT, u32::MAX, 0); self.vregs as usize];
        let mut see = |register: VReg, at: u32| {
            let range = &mut ranges[register.vreg()];
            *range = (register.class(), range.1.min(at), range.2.max(at));
        };
        for block in &self.blocks {
            block.params.iter().for_each(|&param| see(param, block.first));
            block.arguments.iter().for_each(|&argument| see(argument, block.end - 1));
        }
        for (at, inst) in self.insts.iter().enumerate() {
            let operands = &self.operands[inst.first as usize..inst.first as usize + inst.count as usize];
            operands.iter().for_each(|operand| see(operand.vreg(), at as u32));
        }
        ranges.retain(|&(_, from, _)| from != u32::MAX);
        ranges
    }

    /// The instructions of a block.
    pub(crate) fn range(&self, block: usize) -> std::ops::Range<usize> {
        self.blocks[block].first as usize..self.blocks[block].end as usize
    }

    /// Where a block goes.
    pub(crate) fn successors(&self, block: usize) -> &[Block] {
        &self.blocks[block].succs
    }

    // --- instructions ----------------------------------------------------------------------------------------------

    /// Starts an instruction; its explicit operands follow in the order in which they are written.
    pub(crate) fn build(&mut self, action: Action) -> Build<'_> {
        if let Action::Vector(_, length) = action {
            self.widest = self.widest.max(Some(length));
        }
        let inst = Inst {
            action,
            args: [NO_ARG; 4],
            mask: NONE,
            zeroing: false,
            lock: false,
            memory: u32::MAX,
            immediate: 0,
            first: self.operands.len() as u32,
            count: 0,
        };
        Build { program: self, inst, args: 0 }
    }
}

/// An instruction under construction.
pub(crate) struct Build<'p> {
    program: &'p mut Program,
    inst: Inst,
    args: usize,
}

impl Build<'_> {
    fn operand(&mut self, operand: Operand) -> u8 {
        self.program.operands.push(operand);
        self.inst.count += 1;
        self.inst.count - 1
    }

    fn arg(&mut self, view: View, operand: u8) {
        self.inst.args[self.args] = Arg { view, operand };
        self.args += 1;
    }

    /// A register that is written after everything was read.
    pub(crate) fn def(mut self, register: VReg, view: View) -> Self {
        let operand = self.operand(Operand::reg_def(register));
        self.arg(view, operand);
        self
    }

    /// The first operand once more, read without regard to what it holds.
    pub(crate) fn again(mut self, view: View) -> Self {
        self.arg(view, 0);
        self
    }

    /// A register that starts with the value of another and ends with a new one.
    pub(crate) fn tied(mut self, register: VReg, source: VReg, view: View) -> Self {
        let source = self.operand(Operand::reg_use(source));
        let operand = self.operand(Operand::reg_reuse_def(register, source as usize));
        self.arg(view, operand);
        self
    }

    /// A register that is read.
    pub(crate) fn uses(mut self, register: VReg, view: View) -> Self {
        let operand = self.operand(Operand::reg_use(register));
        self.arg(view, operand);
        self
    }

    /// A register that is read and must differ from those written; not an explicit operand.
    pub(crate) fn hidden_late(mut self, register: VReg) -> Self {
        self.operand(Operand::reg_use_at_end(register));
        self
    }

    /// A register that is written while others are still read.
    pub(crate) fn hidden_temp(mut self, register: VReg) -> Self {
        self.operand(Operand::reg_temp(register));
        self
    }

    /// A particular register that is read, implicitly.
    pub(crate) fn fixed_use(mut self, register: VReg, fixed: usize) -> Self {
        self.operand(Operand::reg_fixed_use(register, PReg::new(fixed, register.class())));
        self
    }

    /// A particular register that is written, implicitly.
    pub(crate) fn fixed_def(mut self, register: VReg, fixed: usize) -> Self {
        self.operand(Operand::reg_fixed_def(register, PReg::new(fixed, register.class())));
        self
    }

    /// A particular register that is written before everything was read, implicitly.
    pub(crate) fn fixed_early_def(mut self, register: VReg, fixed: usize) -> Self {
        let fixed = OperandConstraint::FixedReg(PReg::new(fixed, register.class()));
        self.operand(Operand::new(register, fixed, OperandKind::Def, OperandPos::Early));
        self
    }

    /// Memory.
    pub(crate) fn memory(self, address: &Address) -> Self {
        self.memory_at(address, false)
    }

    /// Memory whose registers must differ from those written.
    pub(crate) fn late_memory(self, address: &Address) -> Self {
        self.memory_at(address, true)
    }

    fn memory_at(mut self, address: &Address, late: bool) -> Self {
        let operand: fn(VReg) -> Operand = if late { Operand::reg_use_at_end } else { Operand::reg_use };
        let base = match address.base {
            Place::Register(register) => Base::Operand(self.operand(operand(register))),
            Place::Pool(constant) => Base::Pool(constant),
            Place::Frame => Base::Frame,
        };
        let (index, index_view) = match address.index {
            Some((register, view @ (View::X | View::Y | View::Z))) => {
                // A gather's index must not be its result.
                (self.operand(Operand::reg_use_at_end(register)), view)
            }
            Some((register, view)) => (self.operand(operand(register)), view),
            None => (NONE, View::None),
        };
        let memory = Memory {
            base,
            index,
            index_view,
            scale: address.scale,
            displacement: address.displacement,
            broadcast: address.broadcast,
        };
        self.inst.memory = self.program.memories.len() as u32;
        self.program.memories.push(memory);
        self.arg(View::Memory, 0);
        self
    }

    /// A register of that view, or memory.
    pub(crate) fn rm(self, rm: impl Into<Rm>, view: View) -> Self {
        match rm.into() {
            Rm::Reg(register) => self.uses(register, view),
            Rm::Mem(address) => self.memory(&address),
        }
    }

    /// A number.
    pub(crate) fn immediate(mut self, number: i64, view: View) -> Self {
        self.inst.immediate = number;
        self.arg(view, 0);
        self
    }

    /// A number of 8 bits.
    pub(crate) fn byte(self, number: u8) -> Self {
        self.immediate(number.into(), View::I8)
    }

    /// Only lanes in the mask are written; the others become zero, or stay.
    pub(crate) fn masked(mut self, mask: VReg, zeroing: bool) -> Self {
        self.inst.mask = self.operand(Operand::reg_use(mask));
        self.inst.zeroing = zeroing;
        self
    }

    /// Only lanes in the mask are touched, and the mask is used up.
    pub(crate) fn consuming(mut self, mask: VReg) -> Self {
        let source = self.operand(Operand::reg_use(mask));
        let dead = self.program.register(MASK);
        self.inst.mask = self.operand(Operand::reg_reuse_def(dead, source as usize));
        self
    }

    /// As one atomic step.
    pub(crate) fn lock(mut self) -> Self {
        self.inst.lock = true;
        self
    }

    /// Adds the instruction to the block.
    pub(crate) fn finish(self) {
        let mark = self.program.mark;
        if let Some(place) = self.program.inserting {
            self.program.inserted.push((place, self.inst, mark));
        } else {
            self.program.insts.push(self.inst);
            self.program.marks.push(mark);
        }
    }
}

impl Function for Program {
    fn num_insts(&self) -> usize {
        self.insts.len()
    }

    fn num_blocks(&self) -> usize {
        self.blocks.len()
    }

    fn entry_block(&self) -> Block {
        Block::new(0)
    }

    fn block_insns(&self, block: Block) -> InstRange {
        let block = &self.blocks[block.index()];
        InstRange::new(InstIndex::new(block.first as usize), InstIndex::new(block.end as usize))
    }

    fn block_succs(&self, block: Block) -> &[Block] {
        &self.blocks[block.index()].succs
    }

    fn block_preds(&self, block: Block) -> &[Block] {
        &self.blocks[block.index()].preds
    }

    fn block_params(&self, block: Block) -> &[VReg] {
        &self.blocks[block.index()].params
    }

    fn is_ret(&self, inst: InstIndex) -> bool {
        self.insts[inst.index()].action == Action::Return
    }

    fn is_branch(&self, inst: InstIndex) -> bool {
        matches!(self.insts[inst.index()].action, Action::Jump | Action::Branch(_))
    }

    fn branch_blockparams(&self, block: Block, _: InstIndex, _: usize) -> &[VReg] {
        &self.blocks[block.index()].arguments
    }

    fn inst_operands(&self, inst: InstIndex) -> &[Operand] {
        let inst = &self.insts[inst.index()];
        &self.operands[inst.first as usize..inst.first as usize + inst.count as usize]
    }

    fn inst_clobbers(&self, _: InstIndex) -> PRegSet {
        PRegSet::empty()
    }

    fn num_vregs(&self) -> usize {
        self.vregs as usize
    }

    fn spillslot_size(&self, class: RegClass) -> usize {
        // In units of 8 bytes; vectors are as wide as the program's widest.
        match class {
            RegClass::Int | RegClass::Vector => 1,
            RegClass::Float => self.widest.map_or(2, |length| length.bytes() as usize / 8),
        }
    }
}
