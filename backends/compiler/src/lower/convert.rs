//! Conversions between WGSL's scalar types, through the kinds that hold them.

use super::{Gang, kind};
use warpweft_module::Scalar;
use warpweft_vector::ir::{Binary, Convert, Kind, Value};

fn signed(ty: Scalar) -> bool {
    matches!(ty, Scalar::I16 | Scalar::I32 | Scalar::I64)
}

impl Gang<'_> {
    /// A value of one type as another, as WGSL converts.
    pub(super) fn converted(&mut self, from: Scalar, to: Scalar, a: Value) -> Value {
        if from == to {
            return a;
        }
        let (source, target) = (kind(from), kind(to));
        if to == Scalar::Bool {
            let zero = self.b.like(a, 0.0);
            return self.b.ne(a, zero);
        }
        if from == Scalar::Bool {
            let ty = self.b.ty(a).with(target);
            let zero = self.b.constant(ty, 0);
            let one = self.b.like(zero, 1.0);
            return self.b.select(a, one, zero);
        }
        match (source.is_float(), target.is_float()) {
            (false, false) => self.integer(from, to, a),
            (false, true) => {
                let op = if signed(from) { Convert::FromSigned } else { Convert::FromUnsigned };
                let value = self.b.convert(op, a, target);
                self.narrowed(to, value)
            }
            (true, false) => self.truncated(from, to, a),
            (true, true) => {
                let value = match (source, target) {
                    (Kind::F32, Kind::F64) => self.b.convert(Convert::Widen, a, target),
                    (Kind::F64, Kind::F32) if to == Scalar::F16 => self.odd_narrow(a),
                    (Kind::F64, Kind::F32) => self.b.convert(Convert::Narrow, a, target),
                    _ => a,
                };
                self.narrowed(to, value)
            }
        }
    }

    fn integer(&mut self, from: Scalar, to: Scalar, a: Value) -> Value {
        match (kind(from), kind(to)) {
            (Kind::I32, Kind::I64) => {
                let op = if signed(from) { Convert::SignExtend } else { Convert::ZeroExtend };
                self.b.convert(op, a, Kind::I64)
            }
            (Kind::I64, Kind::I32) => {
                let low = self.b.convert(Convert::Truncate, a, Kind::I32);
                self.narrowed(to, low)
            }
            _ => self.narrowed(to, a),
        }
    }

    /// A float to an integer: towards zero, clamped to what both types represent, NaN to 0.
    fn truncated(&mut self, from: Scalar, to: Scalar, a: Value) -> Value {
        let a = if from == Scalar::F16 {
            // Infinities become the largest number. The operands' order keeps NaN.
            let (low, high) = (self.b.like(a, -65504.0), self.b.like(a, 65504.0));
            let a = self.b.min(high, a);
            self.b.max(low, a)
        } else {
            a
        };
        let op = if signed(to) { Convert::ToSigned } else { Convert::ToUnsigned };
        let value = self.b.convert(op, a, kind(to));
        let digits = match from {
            Scalar::F64 => 53,
            _ => 24,
        };
        let bits = to.size() * 8 - u32::from(signed(to));
        let most = u64::MAX >> (64 - bits);
        let cut = bits.saturating_sub(digits);
        let held = if kind(to) == Kind::I64 { 64 } else { 32 };
        if bits <= digits && to.size() * 8 == held {
            return value;
        }
        let min = if signed(to) { Binary::MinS } else { Binary::MinU };
        let highest = self.b.bits_like(value, most >> cut << cut);
        let value = self.b.binary(min, value, highest);
        if to == Scalar::I16 {
            let lowest = self.b.bits_like(value, u64::from(-32768i32 as u32));
            return self.b.binary(Binary::MaxS, value, lowest);
        }
        value
    }

    /// `F64` to `F32`, an inexact result made odd: rounding it again, to fewer bits, rounds as if at once.
    fn odd_narrow(&mut self, a: Value) -> Value {
        let near = self.b.convert(Convert::Narrow, a, Kind::F32);
        let back = self.b.convert(Convert::Widen, near, Kind::F64);
        let (size, back_size) = (self.b.abs(a), self.b.abs(back));
        let bits = self.b.bitcast(near, Kind::I32);
        let one = self.b.like(bits, 1.0);
        let below = self.b.sub(bits, one);
        // Towards zero, then odd.
        let over = self.b.gt(back_size, size);
        let toward = self.b.select(over, below, bits);
        let odd = self.b.or(toward, one);
        let inexact = self.b.ne(back, a);
        let nan = self.b.ne(a, a);
        let not_nan = self.b.not(nan);
        let inexact = self.b.and(inexact, not_nan);
        let chosen = self.b.select(inexact, odd, bits);
        self.b.bitcast(chosen, Kind::F32)
    }

    /// The bits of a value as another type of the same size.
    pub(super) fn cast(&mut self, from: Scalar, to: Scalar, a: Value) -> Value {
        if from == to {
            return a;
        }
        let (source, target) = (kind(from), kind(to));
        match (from, to) {
            (Scalar::F16, _) => {
                let half = self.b.convert(Convert::ToHalf, a, Kind::I32);
                self.narrowed(to, half)
            }
            (_, Scalar::F16) => {
                let mask = self.b.like(a, 65535.0);
                let half = self.b.and(a, mask);
                self.b.convert(Convert::FromHalf, half, Kind::F32)
            }
            _ if source == target => self.narrowed(to, a),
            _ => self.b.bitcast(a, target),
        }
    }
}
