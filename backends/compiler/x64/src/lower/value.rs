//! Values as operands: in registers, as memory, as numbers in instructions, as addresses.
//!
//! Knows where a value is and when it must come into a register; not what for.

use iced_x86::Code;
use regalloc2::VReg;
use smallvec::smallvec;
use warpweft_vector::ir::{Access, Binary, Compare, Kind, Op, Type, Unary, Value, Width};

use super::{Lower, Made, Parts, Selected, State, int_view};
use crate::opcodes::V;
use crate::program::{Action, Address, INT, Length, MASK, Place, Rm, VEC, View};

/// For so many instructions a constant is kept that was made for one of them.
const NEAR: usize = 16;

impl<'f> Lower<'f> {
    /// The operation that gives a value, where it is one.
    pub(super) fn op(&self, value: Value) -> Option<&'f Op> {
        self.ops[value.0 as usize]
    }

    /// The operation of a value that waits for its user.
    pub(super) fn waiting(&self, value: Value) -> Option<&'f Op> {
        match self.states[value.0 as usize] {
            State::Waiting => self.op(value),
            _ => None,
        }
    }

    /// The same bits in every lane of a constant.
    pub(super) fn bits_of(&self, value: Value) -> Option<u64> {
        match self.op(value) {
            Some(Op::Const(bits)) => Some(*bits),
            Some(Op::Splat(scalar)) => match self.op(*scalar) {
                Some(Op::Const(bits)) => Some(*bits),
                _ => None,
            },
            _ => None,
        }
    }

    /// A mask that holds in every lane.
    pub(super) fn all_true(&self, mask: Value) -> bool {
        match self.op(mask) {
            Some(Op::Lanes(lanes)) => lanes.iter().all(|&lane| lane != 0),
            _ => self.bits_of(mask).is_some_and(|bits| bits != 0),
        }
    }

    /// What a mask is in all lanes of a part of vectors of that type, where that is known and the same.
    pub(super) fn part_of_mask(&self, mask: Value, ty: Type, part: usize) -> Option<bool> {
        let Some(Op::Lanes(lanes)) = self.op(mask) else { return None };
        let shape = self.shape(ty);
        let held = part_of(lanes, part, shape.lanes).iter().filter(|&&lane| lane != 0).count();
        [0, shape.lanes as usize].contains(&held).then_some(held > 0)
    }

    /// All parts of a value, in registers.
    pub(super) fn regs(&mut self, value: Value) -> Selected<Parts> {
        let parts = self.shape(self.ty(value)).parts;
        (0..parts).map(|part| self.reg(value, part)).collect()
    }

    /// A part of a value, in a register.
    pub(super) fn reg(&mut self, value: Value, part: usize) -> Selected<VReg> {
        let index = value.0 as usize;
        if self.states[index] == State::Waiting {
            if let Some(register) = self.remade(value) {
                return Ok(register);
            }
            match self.op(value) {
                Some(op) => self.select(value, op)?,
                None => return self.refuse("a value without an operation"),
            }
        }
        match self.states[index] {
            State::Ready(first) => match self.kept(value) {
                Some(place) => Ok(self.near(value, |lower| lower.load_scalar(&place, Kind::I64))),
                None => Ok(self.registers[first as usize + part]),
            },
            _ => self.refuse("a value that is used before it is defined"),
        }
    }

    /// A part of a value, in a register or in memory. `broadcast`: the instruction can read one element of the value's
    /// size and use it in every lane.
    pub(super) fn rm(&mut self, value: Value, part: usize, broadcast: bool) -> Selected<Rm> {
        let ty = self.ty(value);
        let shape = self.shape(ty);
        let full = ty.is_scalar() || u32::from(ty.lanes) * ty.kind.size() >= 16;
        if shape.class == VEC && ty.kind != Kind::Bool {
            if let Some(bits) = self.bits_of(value)
                && bits != 0
                && self.states[value.0 as usize] == State::Waiting
            {
                return Ok(Rm::Mem(self.pooled(bits, ty, broadcast)));
            }
            match self.waiting(value) {
                Some(Op::Load(access)) if access.width == Width::Full && full => {
                    let bytes = shape.length.bytes() * shape.parts as u32;
                    let address = self.address(access, bytes)?;
                    if part == 0 {
                        self.ask_ahead(access, &address, bytes);
                    }
                    return Ok(Rm::Mem(address.plus(shape.length.bytes() * part as u32)));
                }
                Some(Op::Splat(scalar)) if broadcast && self.wide() => {
                    if let Some(Op::Load(access)) = self.waiting(*scalar)
                        && access.width == Width::Full
                        && part == 0
                        && shape.parts == 1
                    {
                        let address = self.address(access, 8)?;
                        return Ok(Rm::Mem(Address { broadcast: true, ..address }));
                    }
                }
                Some(Op::Lanes(lanes)) => {
                    let lanes = part_of(lanes, part, shape.lanes);
                    let bytes = lane_bytes(lanes, ty.kind, shape.length);
                    return Ok(Rm::Mem(Address::pool(self.p.pool.constant(&bytes), false)));
                }
                _ => {}
            }
        }
        Ok(Rm::Reg(self.reg(value, part)?))
    }

    /// A constant in memory, for every lane of that type.
    pub(super) fn pooled(&mut self, bits: u64, ty: Type, broadcast: bool) -> Address {
        let size = ty.kind.size() as usize;
        let shape = self.shape(ty);
        if ty.is_scalar() {
            return Address::pool(self.p.pool.constant(&bits.to_le_bytes()[..size]), false);
        }
        if broadcast && self.wide() {
            return Address::pool(self.p.pool.constant(&bits.to_le_bytes()[..size]), true);
        }
        let bytes = bits.to_le_bytes()[..size].repeat(shape.length.bytes() as usize / size);
        Address::pool(self.p.pool.constant(&bytes), false)
    }

    /// Bits of `size` bytes in every lane of a vector of that length, as the last operand of an instruction.
    pub(super) fn every(&mut self, bits: u64, size: usize, length: Length, broadcast: bool) -> Rm {
        let bytes = &bits.to_le_bytes()[..size];
        if broadcast && self.wide() {
            return Rm::Mem(Address::pool(self.p.pool.constant(bytes), true));
        }
        let bytes = bytes.repeat(length.bytes() as usize / size);
        Rm::Mem(Address::pool(self.p.pool.constant(&bytes), false))
    }

    /// The same in a register.
    pub(super) fn every_reg(&mut self, bits: u64, size: usize, length: Length) -> VReg {
        match self.every(bits, size, length, false) {
            Rm::Reg(register) => register,
            rm => self.v2(V::MovuPs, length, rm),
        }
    }

    // --- constants -------------------------------------------------------------------------------------------------

    /// A constant in a register from here on, unless it is one that keeps a register: the first few vectors that are not
    /// zero do, since inside loops they cost nothing. Others would live as long and be spilt: they are cheaper to make.
    fn remade(&mut self, value: Value) -> Option<VReg> {
        let bits = self.bits_of(value)?;
        let shape = self.shape(self.ty(value));
        if shape.class == MASK {
            return None;
        }
        if shape.class == VEC && bits != 0 {
            let most = if self.wide() { 8 } else { 4 };
            if self.held < most {
                self.held += 1;
                return None;
            }
        }
        Some(self.near(value, |lower| lower.same(bits, lower.ty(value))))
    }

    /// The register into which a value came a few instructions before, or comes now.
    fn near(&mut self, value: Value, make: impl FnOnce(&mut Self) -> VReg) -> VReg {
        let (block, inst) = (self.p.blocks.len(), self.p.insts.len());
        let near = self
            .made
            .iter()
            .flatten()
            .find(|made| made.value == value && made.block == block && inst - made.inst < NEAR);
        if let Some(made) = near {
            return made.register;
        }
        let register = make(self);
        self.made.rotate_right(1);
        self.made[0] = Some(Made { value, register, block, inst });
        register
    }

    /// A constant in a register that nobody else uses.
    pub(super) fn fresh(&mut self, value: Value) -> Option<VReg> {
        let bits = self.bits_of(value)?;
        Some(self.same(bits, self.ty(value)))
    }

    /// Puts a constant into registers, where it is defined: whoever comes later finds it there.
    pub(super) fn constant(&mut self, value: Value) -> Selected<Parts> {
        let place = self.places[value.0 as usize];
        self.p.insert_at(Some(place));
        let parts = self.constant_here(value);
        self.p.insert_at(None);
        parts
    }

    fn constant_here(&mut self, value: Value) -> Selected<Parts> {
        let ty = self.ty(value);
        let shape = self.shape(ty);
        if let Some(bits) = self.bits_of(value) {
            return Ok(smallvec![self.same(bits, ty); shape.parts]);
        }
        match self.op(value) {
            Some(Op::Lanes(lanes)) => {
                let mut parts = Parts::new();
                for part in 0..shape.parts {
                    let lanes = part_of(lanes, part, shape.lanes);
                    if shape.class == MASK {
                        let bits = lanes.iter().rev().fold(0, |bits, &lane| bits << 1 | u64::from(lane != 0));
                        let number = self.number(bits, Kind::I32);
                        let register = self.k();
                        self.code(Code::VEX_Kmovw_kr_r32)
                            .def(register, View::K)
                            .uses(number, View::G32)
                            .finish();
                        parts.push(register);
                    } else {
                        let bytes = lane_bytes(lanes, ty.kind, shape.length);
                        let address = Rm::Mem(Address::pool(self.p.pool.constant(&bytes), false));
                        parts.push(self.v2(V::MovuPs, shape.length, address));
                    }
                }
                Ok(parts)
            }
            _ => self.refuse("a constant that is none"),
        }
    }

    /// The same bits in every lane, in a register that serves for each part.
    fn same(&mut self, bits: u64, ty: Type) -> VReg {
        let shape = self.shape(ty);
        if shape.class == INT {
            return self.number(bits, ty.kind);
        }
        if shape.class == MASK {
            let register = self.k();
            let code = if bits == 0 { Code::VEX_Kxorw_kr_kr_kr } else { Code::VEX_Kxnorw_kr_kr_kr };
            self.mask_constant(code, register);
            return register;
        }
        if bits == 0 {
            return self.zero();
        }
        if ty.kind == Kind::Bool || (!ty.is_scalar() && all_ones(bits, ty.kind)) {
            return self.ones(shape.length);
        }
        let size = ty.kind.size() as usize;
        let one = Rm::Mem(Address::pool(self.p.pool.constant(&bits.to_le_bytes()[..size]), false));
        let load = match (ty.is_scalar(), size) {
            (true, 4) => V::MovSsLoad,
            (true, _) => V::MovSdLoad,
            (false, 4) => V::BroadcastSs,
            (false, _) => V::BroadcastSd,
        };
        self.v2(load, shape.length, one)
    }

    fn mask_constant(&mut self, code: Code, register: VReg) {
        // Whatever the operands hold, the result is all zeros or all ones.
        self.code(code).def(register, View::K).again(View::K).again(View::K).finish();
    }

    /// All mask bits set.
    pub(super) fn true_mask(&mut self) -> VReg {
        let register = self.k();
        self.mask_constant(Code::VEX_Kxnorw_kr_kr_kr, register);
        register
    }

    /// A number in a general register.
    pub(super) fn number(&mut self, bits: u64, kind: Kind) -> VReg {
        let register = self.int();
        let bits = if kind == Kind::I64 { bits } else { bits & 0xffff_ffff };
        if bits == 0 && self.p.inserting() {
            // Where constants are defined nobody waits for flags.
            self.code(Code::Xor_r32_rm32).def(register, View::G32).again(View::G32).finish();
        } else if bits <= u32::MAX.into() {
            let number = i64::from(bits as u32 as i32);
            self.code(Code::Mov_r32_imm32).def(register, View::G32).immediate(number, View::I32).finish();
        } else {
            self.code(Code::Mov_r64_imm64)
                .def(register, View::G64)
                .immediate(bits as i64, View::I64)
                .finish();
        }
        register
    }

    /// A vector of zeros.
    pub(super) fn zero(&mut self) -> VReg {
        let register = self.vec();
        let action = Action::Vector(V::XorPs, Length::X);
        self.p.build(action).def(register, View::X).again(View::X).again(View::X).finish();
        register
    }

    /// A vector of ones.
    pub(super) fn ones(&mut self, length: Length) -> VReg {
        let register = self.vec();
        let view = length.view();
        if self.wide() {
            let action = Action::Vector(V::PternlogD, length);
            self.p.build(action).def(register, view).again(view).again(view).byte(0xff).finish();
        } else {
            let action = Action::Vector(V::PcmpeqD, length);
            self.p.build(action).def(register, view).again(view).again(view).finish();
        }
        register
    }

    /// A scalar integer that an instruction can take as a sign-extended number of 32 bits.
    pub(super) fn small(&self, value: Value) -> Option<i32> {
        let Some(Op::Const(bits)) = self.op(value) else { return None };
        match self.ty(value).kind {
            Kind::I64 => i32::try_from(*bits as i64).ok(),
            _ => Some(*bits as i32),
        }
    }

    /// A scalar integer, in a register or in memory.
    pub(super) fn int_rm(&mut self, value: Value) -> Selected<Rm> {
        if let Some(Op::Load(access) | Op::AtomicLoad(access)) = self.waiting(value)
            && access.width == Width::Full
        {
            return Ok(Rm::Mem(self.address(access, 8)?));
        }
        if let Some(place) = self.kept(value) {
            return Ok(Rm::Mem(place));
        }
        Ok(Rm::Reg(self.reg(value, 0)?))
    }

    // --- addresses -------------------------------------------------------------------------------------------------

    /// A memory operand for an access to so many bytes. Sums that wait for it become part of it.
    pub(super) fn address(&mut self, access: &Access, bytes: u32) -> Selected<Address> {
        let mut base = access.base;
        let mut index = access.index.map(|index| (index, access.scale));
        let mut displacement = i64::from(access.offset);
        // Room for the parts behind the first.
        let fits = |displacement: i64| {
            i32::try_from(displacement + i64::from(bytes)).is_ok() && displacement >= i64::from(i32::MIN)
        };
        // A few steps: each takes one sum apart.
        for _ in 0..4 {
            let Some(Op::Binary(Binary::Add, a, b)) = self.waiting(base) else { break };
            if let Some(number) = self.small(*b)
                && fits(displacement + i64::from(number))
            {
                displacement += i64::from(number);
                base = *a;
            } else if index.is_none() {
                base = *a;
                index = Some((*b, 1));
            } else {
                break;
            }
        }
        for _ in 0..4 {
            let Some((value, scale)) = index else { break };
            match self.waiting(value) {
                Some(Op::Binary(Binary::Add, a, b)) => match self.small(*b) {
                    Some(number) if fits(displacement + i64::from(number) * i64::from(scale)) => {
                        displacement += i64::from(number) * i64::from(scale);
                        index = Some((*a, scale));
                    }
                    _ => break,
                },
                Some(Op::Binary(Binary::Shl, a, b)) => match self.small(*b) {
                    Some(shift @ 0..=3) if u32::from(scale) << shift <= 8 => {
                        index = Some((*a, scale << shift))
                    }
                    _ => break,
                },
                _ => break,
            }
        }
        if !fits(displacement) {
            let register = self.reg(base, 0)?;
            let far = self.number(displacement as u64, Kind::I64);
            let sum = self.sum(register, far, true);
            let index = self.address_index(index)?;
            return Ok(self.at_register(sum, index, 0));
        }
        let base = self.reg(base, 0)?;
        let index = self.address_index(index)?;
        Ok(self.at_register(base, index, displacement as i32))
    }

    fn address_index(&mut self, index: Option<(Value, u8)>) -> Selected<Option<(VReg, u8)>> {
        match index {
            Some((value, scale)) => Ok(Some((self.reg(value, 0)?, scale))),
            None => Ok(None),
        }
    }

    fn at_register(&self, base: VReg, index: Option<(VReg, u8)>, displacement: i32) -> Address {
        Address {
            base: Place::Register(base),
            index: index.map(|(index, _)| (index, View::G64)),
            scale: index.map_or(1, |(_, scale)| scale),
            displacement,
            broadcast: false,
        }
    }

    /// The sum of two general registers.
    pub(super) fn sum(&mut self, a: VReg, b: VReg, wide: bool) -> VReg {
        let register = self.int();
        let view = int_view(if wide { Kind::I64 } else { Kind::I32 });
        self.p.build(Action::Sum { wide }).def(register, view).uses(a, view).uses(b, view).finish();
        register
    }

    // --- vector instructions ---------------------------------------------------------------------------------------

    /// `op dst, a`
    pub(super) fn v2(&mut self, v: V, length: Length, a: impl Into<Rm>) -> VReg {
        self.v2_views(v, length, length.view(), a, length.view())
    }

    /// `op dst, a`, where they differ in width.
    pub(super) fn v2_views(&mut self, v: V, length: Length, to: View, a: impl Into<Rm>, from: View) -> VReg {
        let register = self.vec();
        self.p.build(Action::Vector(v, length)).def(register, to).rm(a, from).finish();
        register
    }

    /// `op dst, a, number`
    pub(super) fn v2i(&mut self, v: V, length: Length, a: impl Into<Rm>, number: u8) -> VReg {
        let register = self.vec();
        let view = length.view();
        self.p.build(Action::Vector(v, length)).def(register, view).rm(a, view).byte(number).finish();
        register
    }

    /// `op dst, a, b`
    pub(super) fn v3(&mut self, v: V, length: Length, a: VReg, b: impl Into<Rm>) -> VReg {
        let register = self.vec();
        let view = length.view();
        self.p.build(Action::Vector(v, length)).def(register, view).uses(a, view).rm(b, view).finish();
        register
    }

    /// `op dst, a, b, number`
    pub(super) fn v3i(&mut self, v: V, length: Length, a: VReg, b: impl Into<Rm>, number: u8) -> VReg {
        let register = self.vec();
        let view = length.view();
        self.p
            .build(Action::Vector(v, length))
            .def(register, view)
            .uses(a, view)
            .rm(b, view)
            .byte(number)
            .finish();
        register
    }

    /// A scalar comparison as a value: whether it may be taken apart by its user.
    pub(super) fn waiting_compare(&self, value: Value) -> Option<(Compare, Value, Value)> {
        match self.waiting(value) {
            Some(&Op::Compare(compare, a, b)) => Some((compare, a, b)),
            _ => None,
        }
    }

    /// What a waiting value is the negation or complement of.
    pub(super) fn waiting_unary(&self, value: Value, unary: Unary) -> Option<Value> {
        match self.waiting(value) {
            Some(&Op::Unary(op, a)) if op == unary => Some(a),
            _ => None,
        }
    }
}

fn all_ones(bits: u64, kind: Kind) -> bool {
    if kind.size() == 4 { bits as u32 == u32::MAX } else { bits == u64::MAX }
}

fn part_of(lanes: &[u64], part: usize, width: u32) -> &[u64] {
    let width = width as usize;
    &lanes[part * width..((part + 1) * width).min(lanes.len())]
}

fn lane_bytes(lanes: &[u64], kind: Kind, length: Length) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length.bytes() as usize);
    for &lane in lanes {
        match kind {
            Kind::Bool => bytes.extend(if lane != 0 { [0xff; 4] } else { [0; 4] }),
            _ => bytes.extend_from_slice(&lane.to_le_bytes()[..kind.size() as usize]),
        }
    }
    bytes.resize(length.bytes() as usize, 0);
    bytes
}
