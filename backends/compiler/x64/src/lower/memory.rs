//! Loads and stores: whole, masked, and at each lane's own place.
//!
//! Memory of lanes outside the mask is never touched: where a register has more lanes than the value, masks are cut.
//! Knows nothing of atomic steps.

use iced_x86::Code;
use regalloc2::VReg;
use smallvec::smallvec;
use warpweft_vector::ir::{Access, Convert, Kind, Op, Scattered, Stores, Type, Value, Width};

use super::vector::floats;
use super::{Lower, Parts, Selected};
use crate::opcodes::V;
use crate::program::{Action, Address, Length, Place, Rm, View};

/// Bytes that memory brings at once.
const LINE: usize = 64;

impl<'f> Lower<'f> {
    /// Bytes of a part in memory.
    fn stride(&self, ty: Type, width: Width) -> u32 {
        let shape = self.shape(ty);
        let element = if width == Width::Half { 2 } else { ty.kind.size() };
        shape.lanes * element
    }

    fn check(&self, ty: Type, width: Width) -> Selected<()> {
        if ty.kind == Kind::Bool || (width == Width::Half && ty.kind != Kind::I32) {
            return self.refuse(format!("memory of {:?} as {width:?}", ty.kind));
        }
        Ok(())
    }

    fn in_parts(&mut self, access: &Access, ty: Type) -> Selected<(Address, u32)> {
        self.check(ty, access.width)?;
        let stride = self.stride(ty, access.width);
        let address = self.address(access, stride * self.shape(ty).parts as u32)?;
        Ok((address, stride))
    }

    // --- loads -----------------------------------------------------------------------------------------------------

    pub(super) fn load(&mut self, access: &Access, ty: Type) -> Selected<Parts> {
        let (address, stride) = self.in_parts(access, ty)?;
        self.ask_ahead(access, &address, stride * self.shape(ty).parts as u32);
        Ok((0..self.shape(ty).parts)
            .map(|part| self.load_part(&address.plus(stride * part as u32), ty, access.width))
            .collect())
    }

    /// Asks for what the next round will read there, so many bytes, where memory feeds the function and nobody writes.
    pub(super) fn ask_ahead(&mut self, access: &Access, address: &Address, bytes: u32) {
        let constant = self.function.spaces[access.space.0 as usize].constant;
        let Some(ahead) = self.ahead.as_ref().filter(|_| constant && bytes >= Length::Y.bytes()) else {
            return;
        };
        let room = i32::MAX - bytes as i32;
        let Some(first) =
            ahead.distance(access).and_then(|distance| address.displacement.checked_add(distance))
        else {
            return;
        };
        for line in (0..bytes).step_by(LINE).take_while(|_| first <= room) {
            let place = Address { displacement: first, ..*address }.plus(line);
            self.code(Code::Prefetcht0_m8).memory(&place).finish();
        }
    }

    fn load_part(&mut self, place: &Address, ty: Type, width: Width) -> VReg {
        let shape = self.shape(ty);
        let view = shape.length.view();
        let memory = Rm::Mem(*place);
        match (ty.lanes, width) {
            (1, Width::Half) => {
                let register = self.int();
                self.code(Code::Movzx_r32_rm16).def(register, View::G32).memory(place).finish();
                register
            }
            (1, Width::Full) => self.load_scalar(place, ty.kind),
            (2, Width::Half) => {
                let two = self.v2(V::MovSsLoad, Length::X, memory);
                self.v2(V::Pmovzxwd, Length::X, two)
            }
            (_, Width::Half) => {
                self.v2_views(V::Pmovzxwd, shape.length, view, memory, shape.length.half().view())
            }
            (2, Width::Full) if ty.kind.size() == 4 => self.v2(V::MovSdLoad, Length::X, memory),
            _ => self.v2(floats!(false, ty.kind, MovuPs, MovuPs, MovuPs, MovuPs), shape.length, memory),
        }
    }

    pub(super) fn load_masked(&mut self, access: &Access, mask: Value, ty: Type) -> Selected<Parts> {
        if self.all_true(mask) {
            return self.load(access, ty);
        }
        if ty.is_scalar() {
            let (address, _) = self.in_parts(access, ty)?;
            return Ok(smallvec![self.load_if(mask, &address, ty, access.width)?]);
        }
        if access.width == Width::Half && !self.wide() {
            return self.refuse("a masked load of halves");
        }
        let (address, stride) = self.in_parts(access, ty)?;
        let shape = self.shape(ty);
        let view = shape.length.view();
        let size = ty.kind.size();
        (0..shape.parts)
            .map(|part| {
                let place = address.plus(stride * part as u32);
                match self.part_of_mask(mask, ty, part) {
                    Some(true) => return Ok(self.load_part(&place, ty, access.width)),
                    Some(false) => return Ok(self.zero()),
                    None => {}
                }
                let mask = self.exact_mask(mask, ty, part)?;
                let register = self.vec();
                if self.wide() {
                    let v = match (access.width, size) {
                        (Width::Half, _) => V::Pmovzxwd,
                        (_, 8) => V::MovuPd,
                        _ => V::MovuPs,
                    };
                    let action = Action::Vector(v, shape.length);
                    self.p.build(action).def(register, view).memory(&place).masked(mask, true).finish();
                } else {
                    let v = if size == 8 { V::MaskmovPd } else { V::MaskmovPs };
                    let action = Action::Vector(v, shape.length);
                    self.p.build(action).def(register, view).uses(mask, view).memory(&place).finish();
                }
                Ok(register)
            })
            .collect()
    }

    /// A scalar from memory where a scalar `Bool` holds, else zero.
    fn load_if(&mut self, condition: Value, place: &Address, ty: Type, width: Width) -> Selected<VReg> {
        let result = self.p.register(self.shape(ty).class);
        let (yes, no, join) = self.fork(condition, vec![result])?;
        self.p.start(yes, false, false);
        let loaded = self.load_part(place, ty, width);
        self.p.jump(join, vec![loaded]);
        self.p.start(no, true, false);
        let zero = if ty.kind.is_float() { self.zero() } else { self.number(0, ty.kind) };
        self.p.jump(join, vec![zero]);
        self.p.start(join, false, false);
        Ok(result)
    }

    /// Two ways by a scalar `Bool`, and where they meet.
    fn fork(
        &mut self,
        condition: Value,
        params: Vec<VReg>,
    ) -> Selected<(crate::program::Target, crate::program::Target, crate::program::Target)> {
        let [yes, no] = [(); 2].map(|()| self.p.target(vec![]));
        let condition = self.condition(condition)?;
        self.p.branch(condition, yes, no);
        let join = self.p.target(params);
        Ok((yes, no, join))
    }

    /// The mask for a part, with no more lanes than the value has.
    fn exact_mask(&mut self, mask: Value, ty: Type, part: usize) -> Selected<VReg> {
        let cut = ty.lanes == 2 && ty.kind.size() == 4;
        if self.all_true(mask) {
            return Ok(match (self.wide(), cut) {
                (true, false) => self.true_mask(),
                (true, true) => self.two_lanes(),
                (false, false) => self.ones(self.shape(ty).length),
                (false, true) => {
                    let low = self.low_lanes();
                    self.v2(V::MovuPs, Length::X, low)
                }
            });
        }
        let mask = self.mask_for(mask, ty.kind.size(), part)?;
        if !cut {
            return Ok(mask);
        }
        if self.wide() {
            let two = self.two_lanes();
            let register = self.k();
            let code = Code::VEX_Kandw_kr_kr_kr;
            self.code(code).def(register, View::K).uses(mask, View::K).uses(two, View::K).finish();
            return Ok(register);
        }
        let low = self.low_lanes();
        Ok(self.v3(V::AndPs, Length::X, mask, low))
    }

    fn two_lanes(&mut self) -> VReg {
        let number = self.number(3, Kind::I32);
        let register = self.k();
        self.code(Code::VEX_Kmovw_kr_r32).def(register, View::K).uses(number, View::G32).finish();
        register
    }

    fn low_lanes(&mut self) -> Rm {
        let mut bytes = [0xff; 16];
        bytes[8..].fill(0);
        Rm::Mem(Address::pool(self.p.pool.constant(&bytes), false))
    }

    // --- stores ----------------------------------------------------------------------------------------------------

    pub(super) fn store(&mut self, access: &Access, value: Value) -> Selected<()> {
        let ty = self.ty(value);
        // Halves can be made on the way out.
        if access.width == Width::Half
            && ty.lanes > 2
            && let Some(&Op::Convert(Convert::ToHalf, float)) = self.waiting(value)
        {
            let (address, stride) = self.in_parts(access, ty)?;
            let shape = self.shape(ty);
            for part in 0..shape.parts {
                let float = self.reg(float, part)?;
                let place = address.plus(stride * part as u32);
                let action = Action::Vector(V::Cvtps2ph, shape.length);
                self.p.build(action).memory(&place).uses(float, shape.length.view()).byte(0).finish();
            }
            return Ok(());
        }
        if ty.is_scalar()
            && access.width == Width::Full
            && ty.kind.is_int()
            && let Some(number) = self.small(value)
        {
            let (address, _) = self.in_parts(access, ty)?;
            let (code, of) = match ty.kind {
                Kind::I64 => (Code::Mov_rm64_imm32, View::I32to64),
                _ => (Code::Mov_rm32_imm32, View::I32),
            };
            self.code(code).memory(&address).immediate(number.into(), of).finish();
            return Ok(());
        }
        // The value first: what it waits for must not be read after the store.
        let registers = self.regs(value)?;
        let (address, stride) = self.in_parts(access, ty)?;
        let length = self.shape(ty).length;
        let stores = self.function.spaces[access.space.0 as usize].stores;
        if stores != Stores::Cached && stride == length.bytes() && length > Length::X {
            let start = self.int();
            self.code(Code::Lea_r64_m).def(start, View::G64).memory(&address).finish();
            let start = Address { base: Place::Register(start), index: None, displacement: 0, ..address };
            for (part, register) in registers.into_iter().enumerate() {
                let place = start.plus(stride * part as u32);
                let pieces = (stores == Stores::StreamedInPieces).then(|| self.vec());
                let action = Action::Stream { length, pieces: pieces.is_some() };
                let store = self.p.build(action).memory(&place).uses(register, length.view());
                match pieces {
                    Some(temporary) => store.hidden_temp(temporary).finish(),
                    None => store.finish(),
                }
            }
            return Ok(());
        }
        for (part, register) in registers.into_iter().enumerate() {
            self.store_part(&address.plus(stride * part as u32), register, ty, access.width);
        }
        Ok(())
    }

    fn store_part(&mut self, place: &Address, register: VReg, ty: Type, width: Width) {
        let shape = self.shape(ty);
        match (ty.lanes, width) {
            (1, Width::Half) => {
                self.code(Code::Mov_rm16_r16).memory(place).uses(register, View::G16).finish()
            }
            (1, Width::Full) => match ty.kind {
                Kind::F32 => self.store_vector(V::MovSsStore, Length::X, place, register),
                Kind::F64 => self.store_vector(V::MovSdStore, Length::X, place, register),
                Kind::I64 => self.code(Code::Mov_rm64_r64).memory(place).uses(register, View::G64).finish(),
                _ => self.code(Code::Mov_rm32_r32).memory(place).uses(register, View::G32).finish(),
            },
            (lanes, Width::Half) => {
                if self.wide() && lanes > 2 {
                    return self.store_vector(V::Pmovdw, shape.length, place, register);
                }
                let packed = self.pack_halves(register, shape.length);
                match shape.lanes {
                    2 => self.store_vector(V::MovSsStore, Length::X, place, packed),
                    4 => self.store_vector(V::MovSdStore, Length::X, place, packed),
                    _ => self.store_vector(V::MovuPsStore, shape.length.half(), place, packed),
                }
            }
            (2, Width::Full) if ty.kind.size() == 4 => {
                self.store_vector(V::MovSdStore, Length::X, place, register)
            }
            _ => self.store_vector(V::MovuPsStore, shape.length, place, register),
        }
    }

    fn store_vector(&mut self, v: V, length: Length, place: &Address, register: VReg) {
        self.p.build(Action::Vector(v, length)).memory(place).uses(register, length.view()).finish();
    }

    pub(super) fn store_masked(&mut self, access: &Access, value: Value, mask: Value) -> Selected<()> {
        if self.all_true(mask) {
            return self.store(access, value);
        }
        let ty = self.ty(value);
        if ty.is_scalar() {
            let register = self.reg(value, 0)?;
            let (address, _) = self.in_parts(access, ty)?;
            return self.store_if(mask, &address, register, ty, access.width);
        }
        if access.width == Width::Half && !self.wide() {
            return self.refuse("a masked store of halves");
        }
        let registers = self.regs(value)?;
        let (address, stride) = self.in_parts(access, ty)?;
        for (part, register) in registers.into_iter().enumerate() {
            let place = address.plus(stride * part as u32);
            match self.part_of_mask(mask, ty, part) {
                Some(true) => self.store_part(&place, register, ty, access.width),
                Some(false) => {}
                None => {
                    let mask = self.exact_mask(mask, ty, part)?;
                    self.store_where(mask, &place, register, ty, access.width);
                }
            }
        }
        Ok(())
    }

    /// A register of a vector, to consecutive elements where the mask holds.
    fn store_where(&mut self, mask: VReg, place: &Address, register: VReg, ty: Type, width: Width) {
        let shape = self.shape(ty);
        let view = shape.length.view();
        let long = ty.kind.size() == 8;
        if self.wide() {
            let v = match (width, long) {
                (Width::Half, _) => V::Pmovdw,
                (_, true) => V::MovuPdStore,
                _ => V::MovuPsStore,
            };
            let action = Action::Vector(v, shape.length);
            self.p.build(action).memory(place).uses(register, view).masked(mask, false).finish();
        } else {
            let v = if long { V::MaskmovPdStore } else { V::MaskmovPsStore };
            let action = Action::Vector(v, shape.length);
            self.p.build(action).memory(place).uses(mask, view).uses(register, view).finish();
        }
    }

    fn store_if(
        &mut self,
        condition: Value,
        place: &Address,
        register: VReg,
        ty: Type,
        width: Width,
    ) -> Selected<()> {
        let (yes, no, join) = self.fork(condition, vec![])?;
        self.p.start(yes, false, false);
        self.store_part(place, register, ty, width);
        self.p.jump(join, vec![]);
        self.p.start(no, false, false);
        self.p.jump(join, vec![]);
        self.p.start(join, false, false);
        Ok(())
    }

    // --- places of their own ---------------------------------------------------------------------------------------

    /// The place of a gang's only lane.
    fn single_place(&mut self, scattered: &Scattered) -> Selected<Address> {
        let base = self.reg(scattered.base, 0)?;
        let index = self.int_rm(scattered.index)?;
        let wide = self.int();
        self.code(Code::Movsxd_r64_rm32).def(wide, View::G64).rm(index, View::G32).finish();
        Ok(Address {
            base: Place::Register(base),
            index: Some((wide, View::G64)),
            scale: scattered.scale,
            displacement: scattered.offset,
            broadcast: false,
        })
    }

    /// Places of part `part` of values of that type.
    fn places(&mut self, scattered: &Scattered, ty: Type, part: usize) -> Selected<Address> {
        let base = self.reg(scattered.base, 0)?;
        let shape = self.shape(ty);
        let (index, view) = if ty.kind.size() == 8 {
            (self.half_for(scattered.index, ty, part)?, shape.length.half().view())
        } else {
            (self.reg(scattered.index, part)?, shape.length.view())
        };
        Ok(Address {
            base: Place::Register(base),
            index: Some((index, view)),
            scale: scattered.scale,
            displacement: scattered.offset,
            broadcast: false,
        })
    }

    pub(super) fn gather(&mut self, scattered: &Scattered, mask: Value, ty: Type) -> Selected<Parts> {
        self.check(ty, scattered.width)?;
        if ty.is_scalar() {
            let place = self.single_place(scattered)?;
            if self.all_true(mask) {
                return Ok(smallvec![self.load_part(&place, ty, scattered.width)]);
            }
            return Ok(smallvec![self.load_if(mask, &place, ty, scattered.width)?]);
        }
        if scattered.width == Width::Half {
            return self.refuse("a gather of halves");
        }
        let shape = self.shape(ty);
        let view = shape.length.view();
        let long = ty.kind.size() == 8;
        (0..shape.parts)
            .map(|part| {
                let places = self.places(scattered, ty, part)?;
                let mask = self.exact_mask(mask, ty, part)?;
                let zero = self.zero();
                let register = self.vec();
                if self.wide() {
                    let v = if long { V::KgatherDPd } else { V::KgatherDPs };
                    let action = Action::Vector(v, shape.length);
                    self.p.build(action).tied(register, zero, view).memory(&places).consuming(mask).finish();
                } else {
                    let v = if long { V::GatherDPd } else { V::GatherDPs };
                    let spent = self.vec();
                    let action = Action::Vector(v, shape.length);
                    self.p
                        .build(action)
                        .tied(register, zero, view)
                        .memory(&places)
                        .tied(spent, mask, view)
                        .finish();
                }
                Ok(register)
            })
            .collect()
    }

    pub(super) fn scatter(&mut self, scattered: &Scattered, value: Value, mask: Value) -> Selected<()> {
        let ty = self.ty(value);
        self.check(ty, scattered.width)?;
        if ty.is_scalar() {
            let register = self.reg(value, 0)?;
            let place = self.single_place(scattered)?;
            if self.all_true(mask) {
                self.store_part(&place, register, ty, scattered.width);
                return Ok(());
            }
            return self.store_if(mask, &place, register, ty, scattered.width);
        }
        if scattered.width == Width::Half || !self.wide() {
            return self.refuse("a scatter of these lanes");
        }
        let shape = self.shape(ty);
        let registers = self.regs(value)?;
        for (part, register) in registers.into_iter().enumerate() {
            let places = self.places(scattered, ty, part)?;
            let mask = self.exact_mask(mask, ty, part)?;
            let v = if ty.kind.size() == 8 { V::ScatterDPd } else { V::ScatterDPs };
            let action = Action::Vector(v, shape.length);
            self.p.build(action).memory(&places).uses(register, shape.length.view()).consuming(mask).finish();
        }
        Ok(())
    }
}
