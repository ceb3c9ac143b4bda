//! Machine instructions over virtual registers: what selection gives to register allocation, and that to encoding.
//!
//! A [`Program`] is a control flow graph with block parameters. Knows how instructions name their registers, memory and
//! numbers; neither what they compute nor how they look as bytes.

use regalloc2::{Block, Function, Inst as InstIndex, InstRange, Operand, PRegSet, RegClass, VReg};
use warpweft_vector::ir::Mark;

use crate::pool::Pool;

mod build;
mod instruction;

pub(crate) use build::Build;
pub(crate) use instruction::*;

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
    /// Bytes that the frame keeps behind it, in numbers of 8 bytes.
    pub(crate) kept: u32,
    /// The widest vector operation.
    pub(crate) widest: Option<Length>,
    /// Registers that hold something else behind a call.
    pub(crate) lost: PRegSet,
    /// It calls other functions.
    pub(crate) calls: bool,
    vregs: u32,
    targets: Vec<Pending>,
    open: bool,
    mark: Mark,
    /// Instructions that belong in front of those at their places.
    inserted: Vec<(u32, Inst, Mark)>,
    inserting: Option<u32>,
}

impl Program {
    /// A program for about so many values: tables that grow are copied again and again.
    pub(crate) fn with_room(values: usize) -> Self {
        Self {
            insts: Vec::with_capacity(values + values / 2),
            marks: Vec::with_capacity(values + values / 2),
            operands: Vec::with_capacity(4 * values),
            memories: Vec::with_capacity(values / 2),
            ..Self::default()
        }
    }

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

    /// Whether some block goes there, or it has parameters.
    pub(crate) fn awaited(&self, target: Target) -> bool {
        let pending = &self.targets[target.0 as usize];
        pending.reached || !pending.params.is_empty()
    }

    /// Whether the block stands already: who goes there goes back.
    pub(crate) fn is_started(&self, target: Target) -> bool {
        self.targets[target.0 as usize].block.is_some()
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
        self.scratch = self.scratch.next_multiple_of(8);
        for memory in self.memories.iter_mut().filter(|memory| memory.base == Base::Kept) {
            memory.displacement += self.scratch as i32;
        }
        self.scratch += self.kept;
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
        match action {
            Action::Vector(_, length) | Action::Stream { length, .. } => {
                self.widest = self.widest.max(Some(length))
            }
            Action::Call(_) => self.calls = true,
            _ => {}
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

    fn inst_clobbers(&self, inst: InstIndex) -> PRegSet {
        match self.insts[inst.index()].action {
            Action::Call(_) => self.lost,
            _ => PRegSet::empty(),
        }
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
