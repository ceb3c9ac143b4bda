//! Operations on one or two operands, comparisons and selections.
//!
//! Most of Cranelift's instructions serve scalars and parts alike; where a part has none, its lanes are taken one by
//! one. Knows no memory.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};
use warpweft_vector::ir::{self, Binary, Compare, Kind, Unary};

use crate::parts::{Fact, Result, Translation, lanes_per_part, part_count, part_type, value_type};

impl<'a> Translation<'a> {
    pub(crate) fn unary(&mut self, result: ir::Value, op: Unary, a: ir::Value) -> Result<()> {
        let ty = self.ty(a);
        if op == Unary::Not && ty.kind == Kind::Bool {
            self.not(result, a);
            return Ok(());
        }
        self.begin(result);
        for index in 0..part_count(ty) {
            let x = self.part(a, index);
            let part = match self.unary_part(op, ty.kind, ty.is_scalar(), x) {
                Some(part) => part,
                None if ty.is_scalar() => return self.refuse(&format!("{op:?} of {:?}", ty.kind)),
                None => {
                    let count = self.lanes_of_part(ty, index);
                    let mut lanes = Vec::with_capacity(count);
                    for lane in 0..count {
                        let x = self.lane(x, lane);
                        let Some(y) = self.unary_part(op, ty.kind, true, x) else {
                            return self.refuse(&format!("{op:?} of {:?}", ty.kind));
                        };
                        lanes.push(y);
                    }
                    self.collected(part_type(ty.kind), &lanes)
                }
            };
            self.push(part);
        }
        Ok(())
    }

    /// How many lanes of a vector lie in one of its parts.
    pub(crate) fn lanes_of_part(&self, ty: ir::Type, index: usize) -> usize {
        let per = lanes_per_part(ty.kind);
        (usize::from(ty.lanes) - index * per).min(per)
    }

    fn not(&mut self, result: ir::Value, a: ir::Value) {
        if self.ty(a).is_scalar() {
            self.facts[result.0 as usize] = Fact::Not(a);
            self.begin(result);
            let x = self.scalar(a);
            let opposite = self.at.ins().icmp_imm_u(IntCC::Equal, x, 0);
            self.push(opposite);
            return;
        }
        let wide = self.has_wide(a);
        self.begin(result);
        for index in 0..part_count(self.ty(a)) {
            let x = self.part(a, index);
            let part = self.at.ins().bnot(x);
            self.push(part);
        }
        if wide {
            self.begin_wide(result);
            for index in 0..usize::from(self.ty(a).lanes).div_ceil(2) {
                let x = self.wide_mask(a, index);
                let part = self.at.ins().bnot(x);
                self.push(part);
            }
        }
    }

    /// One scalar or one part, where there is an instruction (or a short sequence) for it.
    fn unary_part(&mut self, op: Unary, kind: Kind, scalar: bool, x: Value) -> Option<Value> {
        let float = kind.is_float();
        Some(match op {
            Unary::Neg if float => self.at.ins().fneg(x),
            Unary::Neg => self.at.ins().ineg(x),
            Unary::Not => self.at.ins().bnot(x),
            Unary::Abs if float => self.at.ins().fabs(x),
            Unary::Abs => self.at.ins().iabs(x),
            Unary::Sqrt => self.at.ins().sqrt(x),
            Unary::Floor => self.at.ins().floor(x),
            Unary::Ceil => self.at.ins().ceil(x),
            Unary::Trunc => self.at.ins().trunc(x),
            Unary::Nearest => self.at.ins().nearest(x),
            Unary::CountOnes if scalar => self.at.ins().popcnt(x),
            Unary::CountOnes => self.count_ones(kind, x)?,
            Unary::LeadingZeros if scalar => self.at.ins().clz(x),
            Unary::TrailingZeros if scalar => self.at.ins().ctz(x),
            Unary::TrailingZeros => {
                // The bits below the lowest one, counted.
                let ty = part_type(kind);
                let ones = self.repeated(ty, u64::MAX);
                let below = self.at.ins().iadd(x, ones);
                let low = self.at.ins().band_not(below, x);
                self.count_ones(kind, low)?
            }
            Unary::LeadingZeros => return None,
            Unary::InverseSqrtEstimate => {
                let root = self.at.ins().sqrt(x);
                self.inverse(scalar, root)
            }
            Unary::InverseEstimate => self.inverse(scalar, x),
        })
    }

    fn inverse(&mut self, scalar: bool, x: Value) -> Value {
        let one = if scalar {
            self.at.ins().f32const(1.0)
        } else {
            self.repeated(types::F32X4, 1.0f32.to_bits().into())
        };
        self.at.ins().fdiv(one, x)
    }

    /// Ones of each byte, summed up in pairs.
    fn count_ones(&mut self, kind: Kind, x: Value) -> Option<Value> {
        if kind != Kind::I32 {
            return None;
        }
        let bytes = self.cast(types::I8X16, x);
        let ones = self.at.ins().popcnt(bytes);
        let (low, high) = (self.at.ins().uwiden_low(ones), self.at.ins().uwiden_high(ones));
        let pairs = self.at.ins().iadd_pairwise(low, high);
        let (low, high) = (self.at.ins().swiden_low(pairs), self.at.ins().swiden_high(pairs));
        Some(self.at.ins().iadd_pairwise(low, high))
    }

    pub(crate) fn binary(&mut self, result: ir::Value, op: Binary, a: ir::Value, b: ir::Value) -> Result<()> {
        let ty = self.ty(a);
        let amount = match op {
            Binary::Shl | Binary::ShrS | Binary::ShrU if !ty.is_scalar() => self.shift_amount(b, ty.kind),
            _ => None,
        };
        let wide = ty.kind == Kind::Bool && self.has_wide(a) && self.has_wide(b);
        // The optimiser has been seen to fail on vectors of constants here.
        let known = |fact| matches!(fact, Fact::Constant(_) | Fact::Lanes(_));
        let lanewise = matches!(op, Binary::MinS | Binary::MaxS | Binary::MinU | Binary::MaxU)
            && !ty.is_scalar()
            && known(self.fact(a))
            && known(self.fact(b));
        self.begin(result);
        for index in 0..part_count(ty) {
            let (x, y) = (self.part(a, index), self.part(b, index));
            let part = if let Some(amount) = amount {
                match op {
                    Binary::Shl => self.at.ins().ishl(x, amount),
                    Binary::ShrS => self.at.ins().sshr(x, amount),
                    _ => self.at.ins().ushr(x, amount),
                }
            } else {
                let count = if ty.is_scalar() { 1 } else { self.lanes_of_part(ty, index) };
                self.binary_part_or_lanes(op, ty, x, y, count, lanewise)?
            };
            self.push(part);
        }
        if wide {
            self.begin_wide(result);
            for index in 0..usize::from(ty.lanes).div_ceil(2) {
                let (x, y) = (self.wide_mask(a, index), self.wide_mask(b, index));
                if let Some(part) = self.binary_part(op, Kind::Bool, false, x, y) {
                    self.push(part);
                }
            }
        }
        Ok(())
    }

    /// One scalar or part, of which `count` lanes matter.
    pub(crate) fn binary_part_or_lanes(
        &mut self,
        op: Binary,
        ty: ir::Type,
        x: Value,
        y: Value,
        count: usize,
        lanewise: bool,
    ) -> Result<Value> {
        if !lanewise && let Some(part) = self.binary_part(op, ty.kind, ty.is_scalar(), x, y) {
            return Ok(part);
        }
        let mut lanes = Vec::with_capacity(count);
        if !ty.is_scalar() {
            for lane in 0..count {
                let (x, y) = (self.lane(x, lane), self.lane(y, lane));
                match self.binary_part(op, ty.kind, true, x, y) {
                    Some(part) => lanes.push(part),
                    None => break,
                }
            }
        }
        if lanes.len() < count {
            return self.refuse(&format!("{op:?} of {:?}", ty.kind));
        }
        Ok(self.collected(part_type(ty.kind), &lanes))
    }

    /// The amount of a shift where all lanes have the same.
    fn shift_amount(&mut self, amounts: ir::Value, kind: Kind) -> Option<Value> {
        match self.fact(amounts) {
            Fact::Constant(bits) => {
                let bits = bits & (u64::from(kind.size()) * 8 - 1);
                Some(self.int(types::I32, bits as i64))
            }
            Fact::Splat(scalar) => Some(self.scalar(scalar)),
            _ => None,
        }
    }

    /// One scalar or one part, where there is an instruction (or a short sequence) for it.
    pub(crate) fn binary_part(
        &mut self,
        op: Binary,
        kind: Kind,
        scalar: bool,
        x: Value,
        y: Value,
    ) -> Option<Value> {
        let float = kind.is_float();
        Some(match op {
            Binary::Add if float => self.at.ins().fadd(x, y),
            Binary::Sub if float => self.at.ins().fsub(x, y),
            Binary::Mul if float => self.at.ins().fmul(x, y),
            Binary::Add => self.at.ins().iadd(x, y),
            Binary::Sub => self.at.ins().isub(x, y),
            Binary::Mul => self.at.ins().imul(x, y),
            Binary::MulHigh if scalar => self.at.ins().umulhi(x, y),
            Binary::MulHigh if kind == Kind::I32 => self.multiply_high(x, y),
            Binary::Div => self.at.ins().fdiv(x, y),
            Binary::DivS if scalar => self.at.ins().sdiv(x, y),
            Binary::DivU if scalar => self.at.ins().udiv(x, y),
            Binary::RemS if scalar => self.at.ins().srem(x, y),
            Binary::RemU if scalar => self.at.ins().urem(x, y),
            Binary::And => self.at.ins().band(x, y),
            Binary::Or => self.at.ins().bor(x, y),
            Binary::Xor => self.at.ins().bxor(x, y),
            Binary::Shl if scalar => self.at.ins().ishl(x, y),
            Binary::ShrS if scalar => self.at.ins().sshr(x, y),
            Binary::ShrU if scalar => self.at.ins().ushr(x, y),
            Binary::Shl if kind == Kind::I32 => self.shift_left(x, y),
            Binary::MinS => self.at.ins().smin(x, y),
            Binary::MaxS => self.at.ins().smax(x, y),
            Binary::MinU => self.at.ins().umin(x, y),
            Binary::MaxU => self.at.ins().umax(x, y),
            Binary::Min => self.choose(kind, scalar, x, y, x, y),
            Binary::Max => self.choose(kind, scalar, y, x, x, y),
            Binary::MulHigh
            | Binary::DivS
            | Binary::DivU
            | Binary::RemS
            | Binary::RemU
            | Binary::Shl
            | Binary::ShrS
            | Binary::ShrU
            | Binary::Scale => return None,
        })
    }

    /// `left < right ? x : y`, in the words that Cranelift turns into one minimum or maximum.
    fn choose(&mut self, kind: Kind, scalar: bool, left: Value, right: Value, x: Value, y: Value) -> Value {
        let less = self.at.ins().fcmp(FloatCC::LessThan, left, right);
        if scalar {
            return self.at.ins().select(less, x, y);
        }
        let less = self.cast(part_type(kind), less);
        self.at.ins().bitselect(less, x, y)
    }

    /// The upper halves of four products, from two products of two.
    fn multiply_high(&mut self, x: Value, y: Value) -> Value {
        let (x0, y0) = (self.at.ins().uwiden_low(x), self.at.ins().uwiden_low(y));
        let (x1, y1) = (self.at.ins().uwiden_high(x), self.at.ins().uwiden_high(y));
        let (low, high) = (self.at.ins().imul(x0, y0), self.at.ins().imul(x1, y1));
        let (low, high) = (self.cast(types::I32X4, low), self.cast(types::I32X4, high));
        self.shuffle32(low, high, [1, 3, 5, 7])
    }

    /// By another amount in each lane: the product with a power of two, which the exponent of a float makes.
    fn shift_left(&mut self, x: Value, amounts: Value) -> Value {
        let low = self.repeated(types::I32X4, 31);
        let amounts = self.at.ins().band(amounts, low);
        let twenty_three = self.int(types::I32, 23);
        let exponents = self.at.ins().ishl(amounts, twenty_three);
        let one = self.repeated(types::I32X4, 1.0f32.to_bits().into());
        let powers = self.at.ins().iadd(exponents, one);
        let powers = self.cast(types::F32X4, powers);
        let powers = if self.x64() {
            // 2³¹ is too large for it, and gives the 0x8000_0000 that is wanted.
            self.at.ins().x86_cvtt2dq(types::I32X4, powers)
        } else {
            self.at.ins().fcvt_to_uint_sat(types::I32X4, powers)
        };
        self.at.ins().imul(x, powers)
    }

    pub(crate) fn fma(&mut self, result: ir::Value, a: ir::Value, b: ir::Value, c: ir::Value) {
        self.begin(result);
        for index in 0..part_count(self.ty(a)) {
            let (x, y, z) = (self.part(a, index), self.part(b, index), self.part(c, index));
            let part = self.at.ins().fma(x, y, z);
            self.push(part);
        }
    }

    pub(crate) fn compare(
        &mut self,
        result: ir::Value,
        op: Compare,
        a: ir::Value,
        b: ir::Value,
    ) -> Result<()> {
        let ty = self.ty(a);
        let mut parts = Vec::with_capacity(part_count(ty));
        for index in 0..part_count(ty) {
            let (x, y) = (self.part(a, index), self.part(b, index));
            parts.push(match (ty.kind.is_float(), int_condition(op), float_condition(op)) {
                (false, Some(condition), _) => self.at.ins().icmp(condition, x, y),
                (true, _, Some(condition)) => self.at.ins().fcmp(condition, x, y),
                _ => return self.refuse(&format!("{op:?} of {:?}", ty.kind)),
            });
        }
        if !ty.is_scalar() && ty.kind.size() == 8 {
            self.define_wide(result, &parts);
        } else {
            self.begin(result);
            parts.into_iter().for_each(|part| self.push(part));
        }
        Ok(())
    }

    pub(crate) fn select(&mut self, result: ir::Value, c: ir::Value, a: ir::Value, b: ir::Value) {
        let ty = self.ty(a);
        let wide = ty.kind == Kind::Bool && self.has_wide(c) && self.has_wide(a) && self.has_wide(b);
        let (zero_a, zero_b) = (self.is_zero(a), self.is_zero(b));
        self.begin(result);
        for index in 0..part_count(ty) {
            let (x, y) = (self.part(a, index), self.part(b, index));
            let part = if ty.is_scalar() {
                let condition = self.scalar(c);
                self.at.ins().select(condition, x, y)
            } else {
                let mask = if ty.kind.size() == 8 { self.wide_mask(c, index) } else { self.part(c, index) };
                self.blend(mask, x, y, zero_a, zero_b)
            };
            self.push(part);
        }
        if wide {
            self.begin_wide(result);
            for index in 0..usize::from(ty.lanes).div_ceil(2) {
                let mask = self.wide_mask(c, index);
                let (x, y) = (self.wide_mask(a, index), self.wide_mask(b, index));
                let part = self.blend(mask, x, y, zero_a, zero_b);
                self.push(part);
            }
        }
    }

    /// `x` where the mask holds, else `y`; where one of them is known to be zero, that is one instruction anywhere.
    pub(crate) fn blend(&mut self, mask: Value, x: Value, y: Value, zero_x: bool, zero_y: bool) -> Value {
        let ty = self.at.func.dfg.value_type(x);
        let bits = self.at.func.dfg.value_type(mask);
        let (x, y) = (self.cast(bits, x), self.cast(bits, y));
        let part = if zero_y {
            self.at.ins().band(x, mask)
        } else if zero_x {
            self.at.ins().band_not(y, mask)
        } else if self.x64() {
            self.at.ins().blendv(mask, x, y)
        } else {
            self.at.ins().bitselect(mask, x, y)
        };
        self.cast(ty, part)
    }

    pub(crate) fn constant(&mut self, result: ir::Value, bits: u64) {
        let ty = self.ty(result);
        let bits = crate::parts::truncated(ty.kind, bits);
        self.facts[result.0 as usize] = Fact::Constant(bits);
        let value = match (ty.is_scalar(), ty.kind) {
            (true, Kind::F32) => {
                self.at.ins().f32const(cranelift_codegen::ir::immediates::Ieee32::with_bits(bits as u32))
            }
            (true, Kind::F64) => {
                self.at.ins().f64const(cranelift_codegen::ir::immediates::Ieee64::with_bits(bits))
            }
            (true, _) => self.int(value_type(ty), bits as i64),
            (false, Kind::Bool) => self.repeated(types::I32X4, 0u64.wrapping_sub(bits)),
            (false, _) => self.repeated(part_type(ty.kind), bits),
        };
        self.begin(result);
        for _ in 0..part_count(ty) {
            self.push(value);
        }
    }

    pub(crate) fn lane_constants(&mut self, result: ir::Value, lanes: &'a [u64]) {
        let ty = self.ty(result);
        self.facts[result.0 as usize] = Fact::Lanes(lanes);
        self.begin(result);
        let size = if ty.kind.size() == 8 { 8 } else { 4 };
        for chunk in lanes.chunks(lanes_per_part(ty.kind)) {
            let mut bytes = [0; 16];
            for (place, &bits) in bytes.chunks_exact_mut(size).zip(chunk) {
                let bits = if ty.kind == Kind::Bool { 0u64.wrapping_sub(bits & 1) } else { bits };
                place.copy_from_slice(&bits.to_le_bytes()[..size]);
            }
            let part = self.vector_constant(part_type(ty.kind), bytes);
            self.push(part);
        }
    }
}

fn int_condition(op: Compare) -> Option<IntCC> {
    Some(match op {
        Compare::Eq => IntCC::Equal,
        Compare::Ne => IntCC::NotEqual,
        Compare::LtS => IntCC::SignedLessThan,
        Compare::LeS => IntCC::SignedLessThanOrEqual,
        Compare::GtS => IntCC::SignedGreaterThan,
        Compare::GeS => IntCC::SignedGreaterThanOrEqual,
        Compare::LtU => IntCC::UnsignedLessThan,
        Compare::LeU => IntCC::UnsignedLessThanOrEqual,
        Compare::GtU => IntCC::UnsignedGreaterThan,
        Compare::GeU => IntCC::UnsignedGreaterThanOrEqual,
        Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => return None,
    })
}

fn float_condition(op: Compare) -> Option<FloatCC> {
    Some(match op {
        Compare::Eq => FloatCC::Equal,
        Compare::Ne => FloatCC::NotEqual,
        Compare::Lt => FloatCC::LessThan,
        Compare::Le => FloatCC::LessThanOrEqual,
        Compare::Gt => FloatCC::GreaterThan,
        Compare::Ge => FloatCC::GreaterThanOrEqual,
        _ => return None,
    })
}
