//! Subgroup operations: a gang is a subgroup. Inactive lanes count as the identity, or as zero.

use super::Gang;
use super::state::Exec;
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Collective, Lane, Scan};
use warpweft_vector::ir::{Binary, Convert, Kind, Op, Type, Unary, Value};

impl Gang<'_> {
    /// The form that is wanted of a value that all lanes share.
    fn shared(&mut self, value: Value, scalar: bool) -> Value {
        if scalar { value } else { self.b.splat(value) }
    }

    pub(super) fn ballot(&mut self, predicate: ssa::Value, word: u8, scalar: bool) -> Value {
        let mask = self.vector(predicate);
        let mask = self.active(mask);
        let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(mask));
        let value = match word {
            0 => self.b.convert(Convert::Truncate, bits, Kind::I32),
            1 => {
                let half = self.b.i64(32);
                let high = self.b.shr_u(bits, half);
                self.b.convert(Convert::Truncate, high, Kind::I32)
            }
            _ => self.b.i32(0),
        };
        self.shared(value, scalar)
    }

    pub(super) fn collective(
        &mut self,
        op: Collective,
        scan: Scan,
        operand: ssa::Value,
        scalar: bool,
    ) -> Value {
        let ty = self.ssa.ty(operand);
        let vector = self.vector(operand);
        match op {
            Collective::Any => {
                let mask = self.active(vector);
                let any = self.any(mask);
                return self.shared(any, scalar);
            }
            Collective::All => {
                let not = self.b.not(vector);
                let mask = self.active(not);
                let any = self.any(mask);
                let all = self.b.not(any);
                return self.shared(all, scalar);
            }
            _ => {}
        }
        let (combine, identity) = combination(op, ty);
        let identity = self.b.bits_like(vector, identity);
        let masked = match self.state.exec {
            Exec::Some { mask, .. } => self.b.select(mask, vector, identity),
            _ => vector,
        };
        if scan == Scan::Reduce {
            let kind = Type::scalar(self.b.ty(vector).kind);
            let total =
                if self.b.lanes() == 1 { masked } else { self.b.define(kind, Op::Reduce(combine, masked)) };
            let total = self.narrowed(ty, total);
            return self.shared(total, scalar);
        }
        let lanes = self.steps(Kind::I32, 1);
        let mut sums = masked;
        let mut distance = 1;
        while distance < self.b.lanes() {
            let before = self.shifted(sums, distance, identity, lanes);
            sums = self.b.binary(combine, before, sums);
            sums = self.narrowed(ty, sums);
            distance *= 2;
        }
        if scan == Scan::Exclusive {
            return self.shifted(sums, 1, identity, lanes);
        }
        sums
    }

    /// Each lane gets the value of the one that many lanes before it.
    fn shifted(&mut self, values: Value, distance: u16, missing: Value, lanes: Value) -> Value {
        if self.b.lanes() == 1 {
            return missing;
        }
        let far = self.b.like(lanes, f64::from(distance));
        let from = self.b.sub(lanes, far);
        let last = self.b.like(lanes, f64::from(self.b.lanes() - 1));
        let from = self.b.and(from, last);
        let ty = self.b.ty(values);
        let moved = self.b.define(ty, Op::Permute(values, from));
        let exists = self.b.compare(warpweft_vector::ir::Compare::GeS, lanes, far);
        self.b.select(exists, moved, missing)
    }

    pub(super) fn gather_lanes(
        &mut self,
        lane: Lane,
        operand: ssa::Value,
        index: Option<ssa::Value>,
        scalar: bool,
    ) -> Value {
        let vector = self.vector(operand);
        if self.b.ty(vector).kind == Kind::Bool {
            let ty = self.b.vector(Kind::I32);
            let (one, zero) = (self.b.constant(ty, 1), self.b.constant(ty, 0));
            let numbers = self.b.select(vector, one, zero);
            let moved = self.moved(lane, numbers, index, scalar);
            let zero = self.b.like(moved, 0.0);
            return self.b.ne(moved, zero);
        }
        self.moved(lane, vector, index, scalar)
    }

    fn moved(&mut self, lane: Lane, vector: Value, index: Option<ssa::Value>, scalar: bool) -> Value {
        let ty = self.b.ty(vector);
        if lane == Lane::BroadcastFirst {
            let mask = self.exec_mask();
            let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(mask));
            let first = self.b.unary(Unary::TrailingZeros, bits);
            let first = self.b.convert(Convert::Truncate, first, Kind::I32);
            let value = self.lane_of(vector, first);
            return self.shared(value, scalar);
        }
        if scalar {
            return self.moved_to_all(vector, index);
        }
        let lanes = self.steps(Kind::I32, 1);
        let number = |gang: &mut Self, n: i32| gang.b.like(lanes, f64::from(n));
        let index = index.map(|index| self.vector(index));
        let zero = number(self, 0);
        let index = index.unwrap_or(zero);
        let mut valid = None;
        let from = match lane {
            Lane::Broadcast | Lane::Shuffle | Lane::BroadcastFirst => index,
            Lane::ShuffleDown => {
                // Far shifts must not come round again.
                valid = Some(self.below_width(index));
                self.b.add(lanes, index)
            }
            Lane::ShuffleUp => {
                valid = Some(self.below_width(index));
                self.b.sub(lanes, index)
            }
            Lane::ShuffleXor => self.b.xor(lanes, index),
            Lane::QuadBroadcast => {
                let four = number(self, 4);
                valid = Some(self.b.lt_u(index, four));
                let quad = number(self, !3);
                let quad = self.b.and(lanes, quad);
                self.b.add(quad, index)
            }
            Lane::QuadSwapX | Lane::QuadSwapY | Lane::QuadSwapDiagonal => {
                let flip = match lane {
                    Lane::QuadSwapX => 1,
                    Lane::QuadSwapY => 2,
                    _ => 3,
                };
                let flip = number(self, flip);
                self.b.xor(lanes, flip)
            }
        };
        let inside = self.below_width(from);
        let valid = valid.map_or(inside, |valid| self.b.and(valid, inside));
        let last = number(self, i32::from(self.b.lanes()) - 1);
        let from = self.b.and(from, last);
        let valid = match self.state.exec {
            Exec::Some { mask, .. } => {
                let one = number(self, 1);
                let active = self.b.select(mask, one, zero);
                let active = self.permuted(active, from);
                let active = self.b.ne(active, zero);
                self.b.and(valid, active)
            }
            _ => valid,
        };
        let moved = self.permuted(vector, from);
        let none = self.zero(ty);
        self.b.select(valid, moved, none)
    }

    /// The value of one lane, the same for all, or zero where it is inactive or does not exist.
    fn moved_to_all(&mut self, vector: Value, index: Option<ssa::Value>) -> Value {
        let index = match index {
            Some(index) => self.scalar(index),
            None => self.b.i32(0),
        };
        let width = self.b.i32(self.b.lanes().into());
        let exists = self.b.lt_u(index, width);
        let last = self.b.i32(u32::from(self.b.lanes()) - 1);
        let lane = self.b.and(index, last);
        let mask = self.exec_mask();
        let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(mask));
        let amount = self.b.convert(Convert::ZeroExtend, lane, Kind::I64);
        let bit = self.b.shr_u(bits, amount);
        let one = self.b.i64(1);
        let bit = self.b.and(bit, one);
        let active = self.b.eq(bit, one);
        let valid = self.b.and(exists, active);
        let value = self.lane_of(vector, lane);
        let ty = self.b.ty(value);
        let none = self.zero(ty);
        self.b.select(valid, value, none)
    }

    fn below_width(&mut self, index: Value) -> Value {
        let width = self.b.like(index, f64::from(self.b.lanes()));
        self.b.lt_u(index, width)
    }

    fn lane_of(&mut self, vector: Value, lane: Value) -> Value {
        if self.b.lanes() == 1 { vector } else { self.extract_at(vector, lane) }
    }

    fn permuted(&mut self, vector: Value, from: Value) -> Value {
        if self.b.lanes() == 1 {
            return vector;
        }
        let ty = self.b.ty(vector);
        self.b.define(ty, Op::Permute(vector, from))
    }
}

/// The operation of a collective and what inactive lanes bring, as the bits of the kind that holds the type.
fn combination(op: Collective, ty: Scalar) -> (Binary, u64) {
    let float = matches!(ty, Scalar::F16 | Scalar::F32 | Scalar::F64);
    let signed = matches!(ty, Scalar::I16 | Scalar::I32 | Scalar::I64);
    let wide = ty.size() == 8;
    let float_bits = |number: f64| if wide { number.to_bits() } else { u64::from((number as f32).to_bits()) };
    let ones = if wide { u64::MAX } else { u64::from(u32::MAX) };
    let (least, most) = match ty {
        Scalar::I16 => (u64::from(-32768i32 as u32), 32767),
        Scalar::U16 => (0, 65535),
        _ if signed => ((ones >> 1) + 1, ones >> 1),
        _ => (0, ones),
    };
    match op {
        Collective::Add => (Binary::Add, 0),
        Collective::Multiply => (Binary::Mul, if float { float_bits(1.0) } else { 1 }),
        Collective::Min if float => (Binary::Min, float_bits(f64::INFINITY)),
        Collective::Min => (if signed { Binary::MinS } else { Binary::MinU }, most),
        Collective::Max if float => (Binary::Max, float_bits(f64::NEG_INFINITY)),
        Collective::Max => (if signed { Binary::MaxS } else { Binary::MaxU }, least),
        Collective::And | Collective::All => (Binary::And, ones),
        Collective::Or | Collective::Any => (Binary::Or, 0),
        Collective::Xor => (Binary::Xor, 0),
    }
}
