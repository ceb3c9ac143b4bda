//! Between lanes: broadcasts, single lanes, masks as bits, permutations and reductions.
//!
//! Lanes that are looked up by a number of run time go through the stack. Knows no memory but that.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, StackSlot, StackSlotData, StackSlotKind, Value, types};
use warpweft_vector::ir::{self, Binary, Kind};

use crate::parts::{Fact, Result, Translation, lanes_per_part, part_count, part_type, scalar_type};

impl<'a> Translation<'a> {
    pub(crate) fn splat(&mut self, result: ir::Value, a: ir::Value) {
        let ty = self.ty(result);
        if ty.is_scalar() {
            return self.alias(result, a);
        }
        if let Fact::Constant(bits) = self.fact(a) {
            return self.constant(result, bits);
        }
        self.facts[result.0 as usize] = Fact::Splat(a);
        let mut x = self.scalar(a);
        if ty.kind == Kind::Bool {
            x = self.at.ins().bmask(types::I32, x);
        }
        let part = self.at.ins().splat(part_type(ty.kind), x);
        self.begin(result);
        for _ in 0..part_count(ty) {
            self.push(part);
        }
    }

    pub(crate) fn extract(&mut self, result: ir::Value, a: ir::Value, lane: u16) {
        let ty = self.ty(a);
        if ty.is_scalar() {
            return self.alias(result, a);
        }
        let value = self.lane_of(a, usize::from(lane));
        self.begin(result);
        self.push(value);
    }

    /// One lane of a vector, as a scalar of its kind.
    pub(crate) fn lane_of(&mut self, a: ir::Value, lane: usize) -> Value {
        let kind = self.ty(a).kind;
        let per = lanes_per_part(kind);
        let part = self.part(a, lane / per);
        let value = self.lane(part, lane % per);
        self.as_bool(kind, value)
    }

    /// A lane of a mask as a scalar `Bool`; lanes of other kinds are what they are.
    fn as_bool(&mut self, kind: Kind, lane: Value) -> Value {
        if kind == Kind::Bool { self.at.ins().icmp_imm_u(IntCC::NotEqual, lane, 0) } else { lane }
    }

    pub(crate) fn extract_at(&mut self, result: ir::Value, a: ir::Value, number: ir::Value) {
        let ty = self.ty(a);
        if ty.is_scalar() {
            return self.alias(result, a);
        }
        let slot = self.spread(a);
        let number = self.scalar(number);
        let value = self.look_up(slot, ty, number);
        let value = self.as_bool(ty.kind, value);
        self.begin(result);
        self.push(value);
    }

    /// Writes a vector's parts, one after the other, where they can be looked up.
    fn spread(&mut self, a: ir::Value) -> StackSlot {
        let lanes = u32::from(self.source.lanes.max(4));
        let slot = *self.lookup.get_or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, lanes * 8, 4);
            self.at.func.create_sized_stack_slot(data)
        });
        for index in 0..part_count(self.ty(a)) {
            let part = self.part(a, index);
            self.at.ins().stack_store(types::I64, part, slot, index as i32 * 16);
        }
        slot
    }

    /// The lane of that number, modulo the width.
    fn look_up(&mut self, slot: StackSlot, ty: ir::Type, number: Value) -> Value {
        let within = self.at.ins().band_imm_u(number, i64::from(ty.lanes) - 1);
        let within = self.at.ins().uextend(types::I64, within);
        let shift = if ty.kind.size() == 8 { 3 } else { 2 };
        let offset = self.at.ins().ishl_imm_u(within, shift);
        let start = self.at.ins().stack_addr(types::I64, slot, 0);
        let place = self.at.ins().iadd(start, offset);
        // The same flags as those of the stores, for they name the memory.
        let flags = cranelift_codegen::ir::MemFlagsData::new().with_notrap();
        self.at.ins().load(part_type(ty.kind).lane_type(), flags, place, 0)
    }

    pub(crate) fn permute(&mut self, result: ir::Value, a: ir::Value, numbers: ir::Value) {
        let ty = self.ty(a);
        if ty.is_scalar() {
            return self.alias(result, a);
        }
        match self.fact(numbers) {
            Fact::Lanes(numbers) => {
                let within = u64::from(ty.lanes) - 1;
                let from: Vec<u8> = numbers.iter().map(|&number| (number & within) as u8).collect();
                return self.shuffle_lanes(result, a, a, &from);
            }
            Fact::Constant(number) => {
                let lane = (number & (u64::from(ty.lanes) - 1)) as u8;
                return self.shuffle_lanes(result, a, a, &vec![lane; ty.lanes.into()]);
            }
            _ => {}
        }
        let slot = self.spread(a);
        let mut parts = Vec::with_capacity(part_count(ty));
        for index in 0..part_count(ty) {
            let first = index * lanes_per_part(ty.kind);
            let mut lanes = Vec::with_capacity(4);
            for lane in first..first + self.lanes_of_part(ty, index) {
                let number = self.lane_of(numbers, lane);
                lanes.push(self.look_up(slot, ty, number));
            }
            parts.push(self.collected(part_type(ty.kind), &lanes));
        }
        self.begin(result);
        parts.into_iter().for_each(|part| self.push(part));
    }

    /// Lanes of two vectors by numbers that are known: each part of the result is shuffled together from those that it
    /// needs.
    pub(crate) fn shuffle_lanes(&mut self, result: ir::Value, a: ir::Value, b: ir::Value, from: &[u8]) {
        let ty = self.ty(a);
        let (lanes, count) = (usize::from(ty.lanes), part_count(ty));
        let per = lanes_per_part(ty.kind);
        let words = 4 / per;
        let mut parts = Vec::with_capacity(count);
        for wanted in from.chunks(per) {
            // Where each 32-bit word comes from: the part (the first vector's, then the second's), and the word of it.
            let wanted: Vec<(usize, u8)> = (0..wanted.len() * words)
                .map(|word| {
                    let lane = usize::from(wanted[word / words]);
                    let (first, lane) = if lane < lanes { (0, lane) } else { (count, lane - lanes) };
                    (first + lane / per, (lane % per * words + word % words) as u8)
                })
                .collect();
            let source = |this: &Self, index: usize| match index.checked_sub(count) {
                None => this.part(a, index),
                Some(index) => this.part(b, index),
            };
            let mut sources: Vec<usize> = wanted.iter().map(|&(part, _)| part).collect();
            sources.sort_unstable();
            sources.dedup();
            let mut whole = source(self, sources[0]);
            let mut order = [0; 4];
            for (place, &(part, word)) in order.iter_mut().zip(&wanted) {
                *place = if part == sources[0] { word } else { 0 };
            }
            if let [only] = sources[..] {
                let only = source(self, only);
                whole = self.shuffle32(whole, only, order);
            }
            for (step, &number) in sources.iter().enumerate().skip(1) {
                // The first step puts the first part's words into their places too.
                let mut order = if step == 1 { order } else { [0, 1, 2, 3] };
                for (place, &(part, word)) in order.iter_mut().zip(&wanted) {
                    if part == number {
                        *place = 4 + word;
                    }
                }
                let part = source(self, number);
                whole = self.shuffle32(whole, part, order);
            }
            parts.push(whole);
        }
        self.begin(result);
        parts.into_iter().for_each(|part| self.push(part));
    }

    // --- masks -----------------------------------------------------------------------------------------------------

    pub(crate) fn any(&mut self, result: ir::Value, a: ir::Value) {
        if self.ty(a).is_scalar() {
            return self.alias(result, a);
        }
        let value = self.any_lane(a);
        self.begin(result);
        self.push(value);
    }

    pub(crate) fn all(&mut self, result: ir::Value, a: ir::Value) {
        if self.ty(a).is_scalar() {
            return self.alias(result, a);
        }
        let value = self.all_lanes(a);
        self.begin(result);
        self.push(value);
    }

    pub(crate) fn any_lane(&mut self, mask: ir::Value) -> Value {
        let whole = self.combined(mask, |this, x, y| this.at.ins().bor(x, y));
        if self.ty(mask).lanes < 4 {
            let bits = self.part_bits(mask, whole);
            return self.at.ins().icmp_imm_u(IntCC::NotEqual, bits, 0);
        }
        self.at.ins().vany_true(whole)
    }

    pub(crate) fn all_lanes(&mut self, mask: ir::Value) -> Value {
        let whole = self.combined(mask, |this, x, y| this.at.ins().band(x, y));
        let lanes = self.ty(mask).lanes.min(4);
        // On x86-64 one instruction gives the bits; elsewhere that takes several.
        if lanes < 4 || self.x64() {
            let bits = self.part_bits(mask, whole);
            return self.at.ins().icmp_imm_u(IntCC::Equal, bits, (1 << lanes) - 1);
        }
        self.at.ins().vall_true(whole)
    }

    fn combined(&mut self, mask: ir::Value, f: impl Fn(&mut Self, Value, Value) -> Value) -> Value {
        let mut whole = self.part(mask, 0);
        for index in 1..part_count(self.ty(mask)) {
            let part = self.part(mask, index);
            whole = f(self, whole, part);
        }
        whole
    }

    /// The lanes of one part of a mask, as the low bits of an `I32`.
    pub(crate) fn part_bits(&mut self, mask: ir::Value, part: Value) -> Value {
        let bits = self.at.ins().vhigh_bits(types::I32, part);
        if self.ty(mask).lanes < 4 { self.at.ins().band_imm_u(bits, 3) } else { bits }
    }

    pub(crate) fn bits(&mut self, result: ir::Value, mask: ir::Value) {
        let value = self.mask_bits(mask);
        self.begin(result);
        self.push(value);
    }

    fn mask_bits(&mut self, mask: ir::Value) -> Value {
        if self.ty(mask).is_scalar() {
            let x = self.scalar(mask);
            return self.at.ins().uextend(types::I64, x);
        }
        let count = part_count(self.ty(mask));
        let parts: Vec<Value> = (0..count).map(|index| self.part(mask, index)).collect();
        let mut all = None;
        // Sixteen lanes at a time are packed to bytes, and looked at together.
        for (group, parts) in parts.chunks(4).enumerate() {
            let bits = match *parts {
                [a, b, c, d] => {
                    let (low, high) = (self.at.ins().snarrow(a, b), self.at.ins().snarrow(c, d));
                    let bytes = self.at.ins().snarrow(low, high);
                    self.at.ins().vhigh_bits(types::I32, bytes)
                }
                [a, b] => {
                    let (low, high) = (self.part_bits(mask, a), self.part_bits(mask, b));
                    let high = self.at.ins().ishl_imm_u(high, 4);
                    self.at.ins().bor(low, high)
                }
                _ => self.part_bits(mask, parts[0]),
            };
            let bits = self.at.ins().uextend(types::I64, bits);
            all = Some(match all {
                None => bits,
                Some(before) => {
                    let bits = self.at.ins().ishl_imm_u(bits, group as i64 * 16);
                    self.at.ins().bor(before, bits)
                }
            });
        }
        all.unwrap_or_else(|| self.int(types::I64, 0))
    }

    pub(crate) fn mask(&mut self, result: ir::Value, a: ir::Value) {
        let ty = self.ty(result);
        let bits = self.scalar(a);
        if ty.is_scalar() {
            let low = self.at.ins().band_imm_u(bits, 1);
            let value = self.at.ins().ireduce(types::I8, low);
            self.begin(result);
            return self.push(value);
        }
        let mut parts = Vec::with_capacity(part_count(ty));
        let mut spread = bits;
        for index in 0..part_count(ty) {
            if index % 8 == 0 {
                let high = if index == 0 { bits } else { self.at.ins().ushr_imm_u(bits, 32) };
                let low = self.at.ins().ireduce(types::I32, high);
                spread = self.at.ins().splat(types::I32X4, low);
            }
            let mut bytes = [0; 16];
            for (lane, place) in bytes.chunks_exact_mut(4).enumerate() {
                place.copy_from_slice(&(1u32 << (index % 8 * 4 + lane)).to_le_bytes());
            }
            let own = self.vector_constant(types::I32X4, bytes);
            let bit = self.at.ins().band(spread, own);
            parts.push(self.at.ins().icmp(IntCC::Equal, bit, own));
        }
        self.begin(result);
        parts.into_iter().for_each(|part| self.push(part));
    }

    // --- reductions ------------------------------------------------------------------------------------------------

    pub(crate) fn reduce(&mut self, result: ir::Value, op: Binary, a: ir::Value) -> Result<()> {
        let ty = self.ty(a);
        if ty.is_scalar() {
            self.alias(result, a);
            return Ok(());
        }
        let value = if ty.kind == Kind::Bool { self.reduce_mask(op, a)? } else { self.reduce_tree(op, a)? };
        self.begin(result);
        self.push(value);
        Ok(())
    }

    fn reduce_mask(&mut self, op: Binary, a: ir::Value) -> Result<Value> {
        Ok(match op {
            Binary::And => self.all_lanes(a),
            Binary::Or => self.any_lane(a),
            Binary::Xor => {
                let bits = self.mask_bits(a);
                let ones = self.at.ins().popcnt(bits);
                let odd = self.at.ins().band_imm_u(ones, 1);
                self.at.ins().ireduce(types::I8, odd)
            }
            _ => return self.refuse(&format!("{op:?} of a mask's lanes")),
        })
    }

    fn reduce_tree(&mut self, op: Binary, a: ir::Value) -> Result<Value> {
        let ty = self.ty(a);
        let mut parts: Vec<Value> = (0..part_count(ty)).map(|index| self.part(a, index)).collect();
        let mut lanes = usize::from(ty.lanes);
        while parts.len() > 1 {
            let upper = parts.split_off(parts.len() / 2);
            lanes /= 2;
            for (low, high) in parts.iter_mut().zip(upper) {
                *low = self.binary_part_or_lanes(op, ty, *low, high, lanes_per_part(ty.kind), false)?;
            }
        }
        lanes = lanes.min(lanes_per_part(ty.kind));
        let mut whole = parts[0];
        while lanes > 1 {
            lanes /= 2;
            let order = if lanes * ty.kind.size() as usize == 8 { [2, 3, 2, 3] } else { [1, 1, 1, 1] };
            let upper = self.shuffle32(whole, whole, order);
            whole = self.binary_part_or_lanes(op, ty, whole, upper, lanes, false)?;
        }
        debug_assert_eq!(scalar_type(ty.kind), part_type(ty.kind).lane_type());
        Ok(self.lane(whole, 0))
    }
}
