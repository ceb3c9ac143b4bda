//! Instructions under construction: operands in the order in which they are written.
//!
//! Knows which constraint each kind of operand puts on register allocation.

use regalloc2::{Operand, OperandConstraint, OperandKind, OperandPos, PReg, VReg};

use super::{Address, Arg, Base, Inst, MASK, Memory, NONE, Place, Program, Rm, View};

/// An instruction under construction.
pub(crate) struct Build<'p> {
    pub(super) program: &'p mut Program,
    pub(super) inst: Inst,
    pub(super) args: usize,
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
            Place::Kept => Base::Kept,
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
