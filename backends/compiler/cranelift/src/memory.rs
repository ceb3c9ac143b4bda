//! Loads and stores: scalars, consecutive elements, and elements at places of their own.
//!
//! Lanes that do not take part load from zeros on the stack, and store to room there that nobody reads: no branch is
//! mispredicted, and no block is added. Consecutive elements under a mask that holds everywhere are moved as a whole.
//! Addresses are aligned to the elements at best. Knows nothing of what memory holds.

use cranelift_codegen::cursor::Cursor;
use cranelift_codegen::ir::{
    BlockArg, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Type, Value, types,
};
use warpweft_vector::ir::{self, Access, Effect, Kind, Scattered, Width};

use crate::parts::{Result, Translation, lanes_per_part, part_count, part_type, scalar_type};

/// An address: a value, and bytes to add.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) base: Value,
    pub(crate) offset: i32,
}

impl Translation<'_> {
    // --- places ----------------------------------------------------------------------------------------------------

    pub(crate) fn place(&mut self, access: &Access) -> Place {
        let mut base = self.scalar(access.base);
        if let Some(index) = access.index {
            let index = self.scalar(index);
            let index = match access.scale {
                1 => index,
                scale => self.at.ins().ishl_imm_u(index, i64::from(scale.trailing_zeros())),
            };
            base = self.at.ins().iadd(base, index);
        }
        Place { base, offset: access.offset }
    }

    /// The place so many bytes behind.
    fn behind(&mut self, place: Place, bytes: usize) -> Place {
        match place.offset.checked_add(bytes as i32) {
            Some(offset) => Place { offset, ..place },
            None => {
                let base = self.at.ins().iadd_imm_s(place.base, bytes as i64);
                Place { base, ..place }
            }
        }
    }

    fn flags_of(&self, access: &Access) -> MemFlagsData {
        let flags = self.flags[access.space.0 as usize];
        if access.always { flags.with_can_move() } else { flags }
    }

    /// Sixteen bytes of the stack that hold zeros.
    fn zeros(&mut self) -> StackSlot {
        if let Some(slot) = self.zeros {
            return slot;
        }
        let slot = self.room();
        self.zeros = Some(slot);
        let (before, entry) = (self.at.position(), self.entry);
        self.at.goto_first_insertion_point(entry);
        let zero = self.repeated(types::I32X4, 0);
        self.at.ins().stack_store(types::I64, zero, slot, 0);
        self.at.set_position(before);
        slot
    }

    /// Sixteen bytes of the stack that nobody reads.
    fn waste(&mut self) -> StackSlot {
        if self.waste.is_none() {
            self.waste = Some(self.room());
        }
        self.waste.unwrap_or_else(|| self.room())
    }

    fn room(&mut self) -> StackSlot {
        self.at.func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 16, 4))
    }

    /// Where each lane of one part is to be found: its own place where the mask holds, else `other`. The mask is none
    /// where it holds everywhere.
    fn chosen(&mut self, places: &[Place], bits: Option<(Value, StackSlot)>) -> Vec<Place> {
        let Some((bits, slot)) = bits else { return places.to_vec() };
        let other = self.at.ins().stack_addr(types::I64, slot, 0);
        let mut chosen = Vec::with_capacity(places.len());
        for (lane, place) in places.iter().enumerate() {
            let own = match place.offset {
                0 => place.base,
                offset => self.at.ins().iadd_imm_s(place.base, i64::from(offset)),
            };
            let active = self.at.ins().band_imm_u(bits, 1 << lane);
            let base = self.at.ins().select(active, own, other);
            chosen.push(Place { base, offset: 0 });
        }
        chosen
    }

    // --- loads -----------------------------------------------------------------------------------------------------

    fn load_scalar(&mut self, kind: Kind, width: Width, flags: MemFlagsData, place: Place) -> Value {
        match width {
            Width::Full => self.at.ins().load(scalar_type(kind), flags, place.base, place.offset),
            Width::Half => self.at.ins().uload16(types::I32, flags, place.base, place.offset),
        }
    }

    fn check(&self, kind: Kind, width: Width) -> Result<()> {
        match (kind, width) {
            (Kind::Bool, _) => self.refuse("a truth value in memory"),
            (_, Width::Full) | (Kind::I32, Width::Half) => Ok(()),
            (kind, Width::Half) => self.refuse(&format!("half of an {kind:?} in memory")),
        }
    }

    pub(crate) fn load(&mut self, result: ir::Value, access: &Access) -> Result<()> {
        let ty = self.ty(result);
        self.check(ty.kind, access.width)?;
        let place = self.place(access);
        let flags = self.flags_of(access);
        if ty.is_scalar() {
            let value = self.load_scalar(ty.kind, access.width, flags, place);
            self.begin(result);
            self.push(value);
            return Ok(());
        }
        let parts = self.load_whole(ty, access.width, flags, place);
        self.begin(result);
        parts.into_iter().for_each(|part| self.push(part));
        Ok(())
    }

    /// All lanes of consecutive elements.
    fn load_whole(&mut self, ty: ir::Type, width: Width, flags: MemFlagsData, place: Place) -> Vec<Value> {
        let step = lanes_per_part(ty.kind) * element_size(ty.kind, width);
        let mut parts = Vec::with_capacity(part_count(ty));
        for index in 0..part_count(ty) {
            let place = self.behind(place, index * step);
            let narrow = self.lanes_of_part(ty, index) < lanes_per_part(ty.kind);
            let part = match (width, narrow) {
                (Width::Full, false) => self.load_part(part_type(ty.kind), flags, place.base, place.offset),
                (Width::Half, false) => self.at.ins().uload16x4(flags, place.base, place.offset),
                // Two lanes of 32 bits.
                (Width::Full, true) => {
                    let both = self.at.ins().load(types::F64, flags, place.base, place.offset);
                    let part = self.at.ins().scalar_to_vector(types::F64X2, both);
                    self.cast(part_type(ty.kind), part)
                }
                (Width::Half, true) => {
                    let both = self.at.ins().load(types::I32, flags, place.base, place.offset);
                    let part = self.at.ins().scalar_to_vector(types::I32X4, both);
                    let part = self.cast(types::I16X8, part);
                    self.at.ins().uwiden_low(part)
                }
            };
            parts.push(part);
        }
        parts
    }

    pub(crate) fn load_masked(&mut self, result: ir::Value, access: &Access, mask: ir::Value) -> Result<()> {
        let ty = self.ty(result);
        if self.is_true(mask) {
            return self.load(result, access);
        }
        self.check(ty.kind, access.width)?;
        let place = self.place(access);
        let flags = self.flags[access.space.0 as usize];
        let (whole, lanes, end) = (self.block(false), self.block(true), self.block(self.cold));
        let all = self.all_lanes(mask);
        self.at.ins().brif(all, whole, &[], lanes, &[]);
        let found: Vec<Value> = (0..part_count(ty))
            .map(|_| self.at.func.dfg.append_block_param(end, part_type(ty.kind)))
            .collect();
        self.at.insert_block(whole);
        let parts = self.load_whole(ty, access.width, flags, place);
        self.jump(end, &parts);
        self.at.insert_block(lanes);
        let size = element_size(ty.kind, access.width);
        let mut places = Vec::with_capacity(ty.lanes.into());
        for lane in 0..usize::from(ty.lanes) {
            places.push(self.behind(place, lane * size));
        }
        let parts = self.load_lanes(ty, access.width, flags, &places, Some(mask));
        self.jump(end, &parts);
        self.at.insert_block(end);
        self.begin(result);
        found.into_iter().for_each(|part| self.push(part));
        Ok(())
    }

    /// Each lane from a place of its own.
    fn load_lanes(
        &mut self,
        ty: ir::Type,
        width: Width,
        flags: MemFlagsData,
        places: &[Place],
        mask: Option<ir::Value>,
    ) -> Vec<Value> {
        let zeros = mask.map(|mask| (mask, self.zeros()));
        let mut parts = Vec::with_capacity(part_count(ty));
        for (index, places) in places.chunks(lanes_per_part(ty.kind)).enumerate() {
            let bits = zeros.map(|(mask, slot)| (self.bits_of_part(mask, ty.kind, index), slot));
            let mut lanes = Vec::with_capacity(4);
            for place in self.chosen(places, bits) {
                lanes.push(self.load_scalar(ty.kind, width, flags, place));
            }
            parts.push(self.collected(part_type(ty.kind), &lanes));
        }
        parts
    }

    /// The lanes of a mask that belong to one part of a kind, as the low bits of an `I32`.
    fn bits_of_part(&mut self, mask: ir::Value, kind: Kind, index: usize) -> Value {
        if lanes_per_part(kind) == 4 {
            let part = self.part(mask, index);
            return self.part_bits(mask, part);
        }
        let part = self.wide_mask(mask, index);
        self.at.ins().vhigh_bits(types::I32, part)
    }

    /// Where each lane of scattered elements is.
    fn scattered(&mut self, scattered: &Scattered) -> Vec<Place> {
        let base = self.scalar(scattered.base);
        let lanes = self.ty(scattered.index).lanes;
        let mut places = Vec::with_capacity(lanes.into());
        for lane in 0..usize::from(lanes) {
            let index = self.lane_of(scattered.index, lane);
            let index = self.at.ins().sextend(types::I64, index);
            let index = match scattered.scale {
                1 => index,
                scale => self.at.ins().ishl_imm_u(index, i64::from(scale.trailing_zeros())),
            };
            places.push(Place { base: self.at.ins().iadd(base, index), offset: scattered.offset });
        }
        places
    }

    pub(crate) fn gather(&mut self, result: ir::Value, scattered: &Scattered, mask: ir::Value) -> Result<()> {
        let ty = self.ty(result);
        self.check(ty.kind, scattered.width)?;
        let places = self.scattered(scattered);
        let flags = self.flags[scattered.space.0 as usize];
        let mask = (!self.is_true(mask)).then_some(mask);
        let parts = self.load_lanes(ty, scattered.width, flags, &places, mask);
        self.begin(result);
        parts.into_iter().for_each(|part| self.push(part));
        Ok(())
    }

    // --- stores ----------------------------------------------------------------------------------------------------

    pub(crate) fn effect(&mut self, effect: &Effect) -> Result<()> {
        match effect {
            Effect::Store(access, value) => self.store(access, *value),
            Effect::StoreMasked(access, value, mask) => self.store_masked(access, *value, *mask),
            Effect::StoreStrided(..) => self.refuse("a strided store that was not legalised"),
            Effect::Scatter(scattered, value, mask) => self.scatter(scattered, *value, *mask),
            Effect::AtomicStore(access, value) => self.atomic_store(access, *value),
            Effect::Call(function, arguments) => {
                self.call(*function, arguments);
                Ok(())
            }
        }
    }

    fn store_scalar(&mut self, width: Width, flags: MemFlagsData, place: Place, value: Value) {
        match width {
            Width::Full => self.at.ins().store(flags, value, place.base, place.offset),
            Width::Half => self.at.ins().istore16(flags, value, place.base, place.offset),
        };
    }

    fn store(&mut self, access: &Access, value: ir::Value) -> Result<()> {
        let ty = self.ty(value);
        self.check(ty.kind, access.width)?;
        let place = self.place(access);
        let flags = self.flags[access.space.0 as usize];
        if ty.is_scalar() {
            let value = self.scalar(value);
            self.store_scalar(access.width, flags, place, value);
        } else {
            self.store_whole(value, access.width, flags, place);
        }
        Ok(())
    }

    fn store_whole(&mut self, value: ir::Value, width: Width, flags: MemFlagsData, place: Place) {
        let ty = self.ty(value);
        let count = part_count(ty);
        if width == Width::Half {
            for index in (0..count).step_by(2) {
                let pair = self.narrowed(value, index);
                let lanes = usize::from(ty.lanes) - index * 4;
                let place = self.behind(place, index * 8);
                self.store_low(pair, (lanes * 2).min(16), flags, place);
            }
            return;
        }
        for index in 0..count {
            let part = self.part(value, index);
            let bytes = self.lanes_of_part(ty, index) * ty.kind.size() as usize;
            let place = self.behind(place, index * 16);
            self.store_low(part, bytes, flags, place);
        }
    }

    /// The low bytes of a part: 4, 8 or all 16.
    fn store_low(&mut self, part: Value, bytes: usize, flags: MemFlagsData, place: Place) {
        let lanes: Option<Type> = match bytes {
            4 => Some(types::F32X4),
            8 => Some(types::F64X2),
            _ => None,
        };
        let value = match lanes {
            None => part,
            Some(lanes) => {
                let part = self.cast(lanes, part);
                self.lane(part, 0)
            }
        };
        self.at.ins().store(flags, value, place.base, place.offset);
    }

    /// The low halves of the lanes of two parts, or of one part twice.
    fn narrowed(&mut self, value: ir::Value, index: usize) -> Value {
        let last = part_count(self.ty(value)) - 1;
        let low = self.repeated(types::I32X4, 0xffff);
        let (x, y) = (self.part(value, index), self.part(value, (index + 1).min(last)));
        let (x, y) = (self.at.ins().band(x, low), self.at.ins().band(y, low));
        self.at.ins().unarrow(x, y)
    }

    fn store_masked(&mut self, access: &Access, value: ir::Value, mask: ir::Value) -> Result<()> {
        let ty = self.ty(value);
        if self.is_true(mask) {
            return self.store(access, value);
        }
        self.check(ty.kind, access.width)?;
        let place = self.place(access);
        let flags = self.flags[access.space.0 as usize];
        let size = element_size(ty.kind, access.width);
        let (whole, lanes, end) = (self.block(false), self.block(true), self.block(self.cold));
        let all = self.all_lanes(mask);
        self.at.ins().brif(all, whole, &[], lanes, &[]);
        self.at.insert_block(whole);
        self.store_whole(value, access.width, flags, place);
        self.jump(end, &[]);
        self.at.insert_block(lanes);
        let mut places = Vec::with_capacity(ty.lanes.into());
        for lane in 0..usize::from(ty.lanes) {
            places.push(self.behind(place, lane * size));
        }
        self.store_lanes(value, access.width, flags, &places, Some(mask));
        self.jump(end, &[]);
        self.at.insert_block(end);
        Ok(())
    }

    fn scatter(&mut self, scattered: &Scattered, value: ir::Value, mask: ir::Value) -> Result<()> {
        self.check(self.ty(value).kind, scattered.width)?;
        let places = self.scattered(scattered);
        let flags = self.flags[scattered.space.0 as usize];
        let mask = (!self.is_true(mask)).then_some(mask);
        self.store_lanes(value, scattered.width, flags, &places, mask);
        Ok(())
    }

    /// Each lane to a place of its own, in order.
    fn store_lanes(
        &mut self,
        value: ir::Value,
        width: Width,
        flags: MemFlagsData,
        places: &[Place],
        mask: Option<ir::Value>,
    ) {
        let ty = self.ty(value);
        let waste = mask.map(|mask| (mask, self.waste()));
        for (index, places) in places.chunks(lanes_per_part(ty.kind)).enumerate() {
            let bits = waste.map(|(mask, slot)| (self.bits_of_part(mask, ty.kind, index), slot));
            let part = self.part(value, index);
            for (lane, place) in self.chosen(places, bits).into_iter().enumerate() {
                let value = self.lane(part, lane);
                self.store_scalar(width, flags, place, value);
            }
        }
    }

    // --- blocks ----------------------------------------------------------------------------------------------------

    /// A new block; cold where told, or where everything is.
    pub(crate) fn block(&mut self, cold: bool) -> cranelift_codegen::ir::Block {
        let block = self.at.func.dfg.make_block();
        if cold || self.cold {
            self.at.func.layout.set_cold(block);
        }
        block
    }

    /// Goes on there, with those arguments.
    pub(crate) fn jump(&mut self, block: cranelift_codegen::ir::Block, arguments: &[Value]) {
        let arguments: Vec<BlockArg> = arguments.iter().map(|&value| BlockArg::Value(value)).collect();
        self.at.ins().jump(block, &arguments);
    }
}

/// Bytes of an element in memory.
pub(crate) fn element_size(kind: Kind, width: Width) -> usize {
    match width {
        Width::Full => kind.size() as usize,
        Width::Half => 2,
    }
}
