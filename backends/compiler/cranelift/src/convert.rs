//! Conversions between kinds.
//!
//! Between 32 and 64 bits the number of parts doubles or halves. Knows no memory.

use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use warpweft_vector::ir::{self, Convert, Kind};

use crate::parts::{Result, Translation, part_count, part_type, scalar_type};

impl Translation<'_> {
    pub(crate) fn convert(&mut self, result: ir::Value, op: Convert, a: ir::Value) -> Result<()> {
        let (from, to) = (self.ty(a).kind, self.ty(result).kind);
        self.begin(result);
        if self.ty(a).is_scalar() {
            let x = self.scalar(a);
            let value = self.convert_scalar(op, from, to, x)?;
            self.push(value);
            return Ok(());
        }
        if op == Convert::Bitcast {
            for index in 0..part_count(self.ty(a)) {
                let x = self.part(a, index);
                let part = self.cast(part_type(to), x);
                self.push(part);
            }
            return Ok(());
        }
        for index in 0..part_count(self.ty(result)) {
            let part = match self.convert_part(op, from, to, a, index) {
                Some(part) => part,
                None => self.convert_lanes(op, result, a, index)?,
            };
            self.push(part);
        }
        Ok(())
    }

    fn convert_scalar(&mut self, op: Convert, from: Kind, to: Kind, x: Value) -> Result<Value> {
        let ty = scalar_type(to);
        let fits = match op {
            Convert::SignExtend | Convert::ZeroExtend => from == Kind::I32 && to == Kind::I64,
            Convert::Truncate => from == Kind::I64 && to == Kind::I32,
            Convert::FromSigned | Convert::FromUnsigned => from.is_int() && to.is_float(),
            Convert::ToSigned | Convert::ToUnsigned => from.is_float() && to.is_int(),
            Convert::Widen => from == Kind::F32 && to == Kind::F64,
            Convert::Narrow => from == Kind::F64 && to == Kind::F32,
            Convert::Bitcast => from.size() == to.size() && from != Kind::Bool,
            Convert::FromHalf | Convert::ToHalf => false,
        };
        if !fits {
            return self.refuse(&format!("{op:?} from {from:?} to {to:?}"));
        }
        Ok(match op {
            Convert::SignExtend => self.at.ins().sextend(ty, x),
            Convert::ZeroExtend => self.at.ins().uextend(ty, x),
            Convert::Truncate => self.at.ins().ireduce(ty, x),
            Convert::FromSigned => self.at.ins().fcvt_from_sint(ty, x),
            Convert::FromUnsigned => self.at.ins().fcvt_from_uint(ty, x),
            Convert::ToSigned => self.at.ins().fcvt_to_sint_sat(ty, x),
            Convert::ToUnsigned => self.at.ins().fcvt_to_uint_sat(ty, x),
            Convert::Widen => self.at.ins().fpromote(ty, x),
            Convert::Narrow => self.at.ins().fdemote(ty, x),
            Convert::FromHalf | Convert::ToHalf | Convert::Bitcast => self.cast(ty, x),
        })
    }

    /// One part of the result, where there is a short way.
    fn convert_part(
        &mut self,
        op: Convert,
        from: Kind,
        to: Kind,
        a: ir::Value,
        index: usize,
    ) -> Option<Value> {
        let ty = part_type(to);
        Some(match (op, from, to) {
            (Convert::SignExtend, ..) => {
                let x = self.part(a, index / 2);
                if index.is_multiple_of(2) {
                    self.at.ins().swiden_low(x)
                } else {
                    self.at.ins().swiden_high(x)
                }
            }
            (Convert::ZeroExtend, ..) => {
                let x = self.part(a, index / 2);
                if index.is_multiple_of(2) {
                    self.at.ins().uwiden_low(x)
                } else {
                    self.at.ins().uwiden_high(x)
                }
            }
            (Convert::Truncate, ..) => {
                let (low, high) = self.pair(a, index);
                let (low, high) = (self.cast(ty, low), self.cast(ty, high));
                self.even_lanes(low, high)
            }
            (Convert::FromSigned, Kind::I32, Kind::F32) => {
                let x = self.part(a, index);
                self.at.ins().fcvt_from_sint(ty, x)
            }
            (Convert::FromUnsigned, Kind::I32, Kind::F32) => {
                let x = self.part(a, index);
                self.at.ins().fcvt_from_uint(ty, x)
            }
            (Convert::FromSigned, Kind::I32, Kind::F64) => {
                let x = self.low_pair(a, index);
                let wide = self.at.ins().swiden_low(x);
                self.at.ins().fcvt_from_sint(ty, wide)
            }
            (Convert::FromUnsigned, Kind::I32, Kind::F64) => {
                let x = self.low_pair(a, index);
                let wide = self.at.ins().uwiden_low(x);
                self.at.ins().fcvt_from_uint(ty, wide)
            }
            (Convert::FromSigned, Kind::I64, Kind::F64) => {
                let x = self.part(a, index);
                self.at.ins().fcvt_from_sint(ty, x)
            }
            (Convert::FromUnsigned, Kind::I64, Kind::F64) => {
                let x = self.part(a, index);
                self.at.ins().fcvt_from_uint(ty, x)
            }
            (Convert::ToSigned, Kind::F32, Kind::I32) => {
                let x = self.part(a, index);
                self.at.ins().fcvt_to_sint_sat(ty, x)
            }
            (Convert::ToUnsigned, Kind::F32, Kind::I32) => {
                let x = self.part(a, index);
                self.at.ins().fcvt_to_uint_sat(ty, x)
            }
            (Convert::ToSigned, Kind::F64, Kind::I32) => {
                self.narrow_to_int(a, index, i32::MIN.into(), i32::MAX.into())
            }
            (Convert::ToUnsigned, Kind::F64, Kind::I32) => self.narrow_to_int(a, index, 0.0, u32::MAX.into()),
            (Convert::Widen, ..) => {
                let x = self.low_pair(a, index);
                self.at.ins().fvpromote_low(x)
            }
            (Convert::Narrow, ..) => {
                let (low, high) = self.pair(a, index);
                let (low, high) = (self.at.ins().fvdemote(low), self.at.ins().fvdemote(high));
                self.shuffle32(low, high, [0, 1, 4, 5])
            }
            (Convert::ToSigned, Kind::F64, Kind::I64) if !self.x64() => {
                let x = self.part(a, index);
                self.at.ins().fcvt_to_sint_sat(ty, x)
            }
            (Convert::ToUnsigned, Kind::F64, Kind::I64) if !self.x64() => {
                let x = self.part(a, index);
                self.at.ins().fcvt_to_uint_sat(ty, x)
            }
            _ => return None,
        })
    }

    /// The two parts of 64-bit lanes that one part of 32-bit lanes comes from.
    fn pair(&mut self, a: ir::Value, index: usize) -> (Value, Value) {
        let last = part_count(self.ty(a)) - 1;
        (self.part(a, index * 2), self.part(a, (index * 2 + 1).min(last)))
    }

    /// The part of which the lower lanes are those that become one part of 64-bit lanes.
    fn low_pair(&mut self, a: ir::Value, index: usize) -> Value {
        let x = self.part(a, index / 2);
        if index.is_multiple_of(2) { x } else { self.upper_half(x) }
    }

    /// 64-bit floats to 32-bit integers: where a number of that size is added to 2⁵² + 2⁵¹, the integer is what the
    /// lower half of the sum holds.
    fn narrow_to_int(&mut self, a: ir::Value, index: usize, least: f64, greatest: f64) -> Value {
        let (low, high) = self.pair(a, index);
        let (low, high) = (self.as_low_half(low, least, greatest), self.as_low_half(high, least, greatest));
        self.even_lanes(low, high)
    }

    fn as_low_half(&mut self, x: Value, least: f64, greatest: f64) -> Value {
        use cranelift_codegen::ir::condcodes::FloatCC;
        let ty = types::F64X2;
        let zero = self.repeated(ty, 0);
        let number = self.at.ins().fcmp(FloatCC::Equal, x, x);
        let x = self.blend(number, x, zero, false, true);
        let least = self.repeated(ty, least.to_bits());
        let greatest = self.repeated(ty, greatest.to_bits());
        let magic = self.repeated(ty, (1.5f64 * (1u64 << 52) as f64).to_bits());
        let mut bounded = x;
        for (op, bound) in [(ir::Binary::Max, least), (ir::Binary::Min, greatest)] {
            bounded = self.binary_part(op, Kind::F64, false, bounded, bound).unwrap_or(bounded);
        }
        let whole = self.at.ins().trunc(bounded);
        let sum = self.at.ins().fadd(whole, magic);
        self.cast(types::I32X4, sum)
    }

    /// One part of the result, lane by lane.
    fn convert_lanes(&mut self, op: Convert, result: ir::Value, a: ir::Value, index: usize) -> Result<Value> {
        let (from, to) = (self.ty(a), self.ty(result));
        let count = self.lanes_of_part(to, index);
        let first = index * crate::parts::lanes_per_part(to.kind);
        let mut lanes = Vec::with_capacity(count);
        for lane in first..first + count {
            let per = crate::parts::lanes_per_part(from.kind);
            let part = self.part(a, lane / per);
            let x = self.lane(part, lane % per);
            lanes.push(self.convert_scalar(op, from.kind, to.kind, x)?);
        }
        let ty: Type = part_type(to.kind);
        Ok(self.collected(ty, &lanes))
    }
}
