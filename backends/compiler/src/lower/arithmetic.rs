//! Operations on values: what an SSA operation is in the vector IR, lane by lane.
//!
//! Types narrower than 32 bits are held wider and brought back to their range after each operation: `f16` as `F32`
//! that is rounded, 16-bit integers as `I32` that is extended.

use super::{Gang, kind};
use warpweft_maths as maths;
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Binary as SsaBinary, Definition, Math, Op as SsaOp, Unary as SsaUnary};
use warpweft_vector::ir::{Binary, Compare, Convert, Kind, Unary, Value};

impl Gang<'_> {
    /// The form of a value, computed here.
    pub(super) fn operation(&mut self, result: ssa::Value, definition: &Definition) -> Value {
        let ty = definition.ty;
        let scalar = self.is_scalar(result);
        let get =
            |gang: &mut Self, value: ssa::Value| if scalar { gang.scalar(value) } else { gang.vector(value) };
        match &definition.op {
            SsaOp::Constant(bits) => self.constant(ty, *bits),
            SsaOp::Parameter => {
                self.fail("internal: a parameter is defined by its statement", definition.mark);
                let ty = self.form(result);
                self.zero(ty)
            }
            SsaOp::Builtin(builtin) => self.builtin(*builtin, scalar),
            SsaOp::Unary(op, a) => {
                let a = get(self, *a);
                let value = self.unary(*op, ty, a);
                self.narrowed(ty, value)
            }
            SsaOp::Binary(op, a, b) => {
                let (a, b) = (get(self, *a), get(self, *b));
                let value = self.binary(*op, ty, a, b);
                self.narrowed(ty, value)
            }
            SsaOp::Fma(a, b, c) => {
                let (a, b, c) = (get(self, *a), get(self, *b), get(self, *c));
                let value = self.b.fma(a, b, c);
                self.narrowed(ty, value)
            }
            SsaOp::Compare(op, a, b) => {
                let operand = self.ssa.ty(*a);
                let (a, b) = (get(self, *a), get(self, *b));
                self.comparison(*op, operand, a, b)
            }
            SsaOp::Select(condition, a, b) if self.known_condition(*condition).is_some() => {
                let chosen = if self.known_condition(*condition) == Some(true) { *a } else { *b };
                get(self, chosen)
            }
            SsaOp::Select(_, a, b) if a == b => get(self, *a),
            SsaOp::Select(condition, a, b) => {
                let (a, b) = (get(self, *a), get(self, *b));
                let condition = get(self, *condition);
                self.b.select(condition, a, b)
            }
            SsaOp::Convert(a) => {
                let from = self.ssa.ty(*a);
                let a = get(self, *a);
                self.converted(from, ty, a)
            }
            SsaOp::Bitcast(a) => {
                let from = self.ssa.ty(*a);
                let a = get(self, *a);
                self.cast(from, ty, a)
            }
            SsaOp::Quantize(a) => {
                let a = get(self, *a);
                self.through_half(a)
            }
            SsaOp::PackHalf(a, b) => {
                let (a, b) = (get(self, *a), get(self, *b));
                let low = self.b.convert(Convert::ToHalf, a, Kind::I32);
                let high = self.b.convert(Convert::ToHalf, b, Kind::I32);
                let sixteen = self.b.like(high, 16.0);
                let high = self.b.shl(high, sixteen);
                self.b.or(high, low)
            }
            SsaOp::UnpackHalf(a, upper) => {
                let a = get(self, *a);
                let half = if *upper {
                    let sixteen = self.b.like(a, 16.0);
                    self.b.shr_u(a, sixteen)
                } else {
                    let mask = self.b.like(a, 65535.0);
                    self.b.and(a, mask)
                };
                self.b.convert(Convert::FromHalf, half, Kind::F32)
            }
            SsaOp::Math(function, a) => {
                let a = get(self, *a);
                let value = self.elementary(*function, a);
                self.narrowed(ty, value)
            }
            SsaOp::Atan2(y, x) => {
                let (y, x) = (get(self, *y), get(self, *x));
                let value = maths::atan2(&mut self.b, y, x);
                self.narrowed(ty, value)
            }
            SsaOp::Pow(x, y) => {
                let (x, y) = (get(self, *x), get(self, *y));
                let value = maths::pow(&mut self.b, x, y);
                self.narrowed(ty, value)
            }
            SsaOp::Length { binding, offset, stride } => {
                let length = self.memory.length(*binding, *offset, *stride);
                if scalar { length } else { self.b.splat(length) }
            }
            SsaOp::Load { place, atomic, .. } => self.load(place, *atomic, scalar),
            SsaOp::Atomic(op, place, value) => self.atomic(result, *op, place, *value),
            SsaOp::CompareExchange(place, comparand, value) => {
                self.compare_exchange(result, place, *comparand, *value)
            }
            SsaOp::Ballot(a, word) => self.ballot(*a, *word, scalar),
            SsaOp::Collective(op, scan, a) => self.collective(*op, *scan, *a, scalar),
            SsaOp::Gather(lane, a, index) => self.gather_lanes(*lane, *a, *index, scalar),
        }
    }

    /// A result of arithmetic as a value of its type.
    pub(super) fn narrowed(&mut self, ty: Scalar, value: Value) -> Value {
        match ty {
            Scalar::F16 => self.through_half(value),
            Scalar::I16 => {
                let sixteen = self.b.like(value, 16.0);
                let up = self.b.shl(value, sixteen);
                self.b.shr_s(up, sixteen)
            }
            Scalar::U16 => {
                let mask = self.b.like(value, 65535.0);
                self.b.and(value, mask)
            }
            _ => value,
        }
    }

    fn through_half(&mut self, value: Value) -> Value {
        let half = self.b.convert(Convert::ToHalf, value, Kind::I32);
        self.b.convert(Convert::FromHalf, half, Kind::F32)
    }

    fn unary(&mut self, op: SsaUnary, ty: Scalar, a: Value) -> Value {
        let op = match op {
            SsaUnary::Negate => Unary::Neg,
            SsaUnary::Not => Unary::Not,
            SsaUnary::Abs => Unary::Abs,
            SsaUnary::Sqrt => Unary::Sqrt,
            SsaUnary::Floor => Unary::Floor,
            SsaUnary::Ceil => Unary::Ceil,
            SsaUnary::Trunc => Unary::Trunc,
            SsaUnary::Round => Unary::Nearest,
            SsaUnary::CountOnes => {
                let a = self.bits16(ty, a);
                return self.b.unary(Unary::CountOnes, a);
            }
            SsaUnary::LeadingZeros => {
                let bits = self.bits16(ty, a);
                let zeros = self.b.unary(Unary::LeadingZeros, bits);
                if ty.size() != 2 {
                    return zeros;
                }
                let above = self.b.like(zeros, 16.0);
                return self.b.sub(zeros, above);
            }
            SsaUnary::TrailingZeros => {
                let bits = self.bits16(ty, a);
                if ty.size() != 2 {
                    return self.b.unary(Unary::TrailingZeros, bits);
                }
                let beyond = self.b.like(bits, 65536.0);
                let bits = self.b.or(bits, beyond);
                return self.b.unary(Unary::TrailingZeros, bits);
            }
            SsaUnary::ReverseBits => return self.reversed(ty, a),
        };
        self.b.unary(op, a)
    }

    /// The 16 bits of a narrow integer, or the value.
    fn bits16(&mut self, ty: Scalar, a: Value) -> Value {
        if ty.size() != 2 {
            return a;
        }
        let mask = self.b.like(a, 65535.0);
        self.b.and(a, mask)
    }

    fn reversed(&mut self, ty: Scalar, a: Value) -> Value {
        let wide = self.b.ty(a).kind == Kind::I64;
        let masks: [(u32, u64); 6] = [
            (1, 0x5555_5555_5555_5555),
            (2, 0x3333_3333_3333_3333),
            (4, 0x0f0f_0f0f_0f0f_0f0f),
            (8, 0x00ff_00ff_00ff_00ff),
            (16, 0x0000_ffff_0000_ffff),
            (32, 0x0000_0000_ffff_ffff),
        ];
        let mut value = a;
        for (amount, mask) in masks.into_iter().take(if wide { 6 } else { 5 }) {
            let mask = self.b.bits_like(a, if wide { mask } else { mask & 0xffff_ffff });
            let amount = self.b.like(a, f64::from(amount));
            let low = self.b.and(value, mask);
            let low = self.b.shl(low, amount);
            let high = self.b.shr_u(value, amount);
            let high = self.b.and(high, mask);
            value = self.b.or(low, high);
        }
        if ty.size() == 2 {
            let sixteen = self.b.like(value, 16.0);
            value = self.b.shr_u(value, sixteen);
        }
        value
    }

    fn binary(&mut self, op: SsaBinary, ty: Scalar, a: Value, b: Value) -> Value {
        let float = self.b.ty(a).kind.is_float();
        let signed = matches!(ty, Scalar::I16 | Scalar::I32 | Scalar::I64);
        let op = match op {
            SsaBinary::Add => Binary::Add,
            SsaBinary::Subtract => Binary::Sub,
            SsaBinary::Multiply => Binary::Mul,
            SsaBinary::And => Binary::And,
            SsaBinary::Or => Binary::Or,
            SsaBinary::Xor => Binary::Xor,
            SsaBinary::Divide if float => Binary::Div,
            SsaBinary::Divide => {
                let b = self.safe_divisor(signed, a, b);
                return self.b.binary(if signed { Binary::DivS } else { Binary::DivU }, a, b);
            }
            SsaBinary::Modulo if float => return self.float_modulo(a, b),
            SsaBinary::Modulo => {
                let b = self.safe_divisor(signed, a, b);
                return self.b.binary(if signed { Binary::RemS } else { Binary::RemU }, a, b);
            }
            SsaBinary::ShiftLeft | SsaBinary::ShiftRight => {
                let width = ty.size() * 8;
                let amount = if self.b.ty(a).kind == Kind::I64 && self.b.ty(b).kind == Kind::I32 {
                    self.b.convert(Convert::ZeroExtend, b, Kind::I64)
                } else {
                    b
                };
                let mask = self.b.like(amount, f64::from(width - 1));
                let amount = self.b.and(amount, mask);
                let op = match op {
                    SsaBinary::ShiftLeft => Binary::Shl,
                    _ if signed => Binary::ShrS,
                    _ => Binary::ShrU,
                };
                return self.b.binary(op, a, amount);
            }
            SsaBinary::Min | SsaBinary::Max if float => {
                let min = op == SsaBinary::Min;
                let chosen = self.b.binary(if min { Binary::Min } else { Binary::Max }, a, b);
                // Where the second is NaN, the first; where the first is, the comparison chose the second.
                let nan = self.b.ne(b, b);
                return self.b.select(nan, a, chosen);
            }
            SsaBinary::Min if signed => Binary::MinS,
            SsaBinary::Min => Binary::MinU,
            SsaBinary::Max if signed => Binary::MaxS,
            SsaBinary::Max => Binary::MaxU,
        };
        self.b.binary(op, a, b)
    }

    /// A divisor that cannot trap: 1 where WGSL leaves the dividend as it is.
    fn safe_divisor(&mut self, signed: bool, a: Value, b: Value) -> Value {
        let zero = self.b.like(b, 0.0);
        let one = self.b.like(b, 1.0);
        let mut unsafe_ = self.b.eq(b, zero);
        if signed {
            let wide = self.b.ty(a).kind == Kind::I64;
            let least = self.b.bits_like(a, if wide { 1 << 63 } else { 1 << 31 });
            let minus = self.b.like(b, -1.0);
            let is_least = self.b.eq(a, least);
            let is_minus = self.b.eq(b, minus);
            let overflows = self.b.and(is_least, is_minus);
            unsafe_ = self.b.or(unsafe_, overflows);
        }
        self.b.select(unsafe_, one, b)
    }

    /// `x - y * trunc(x / y)`: with one rounding, the quotient corrected where its rounding carried it too far.
    fn float_modulo(&mut self, x: Value, y: Value) -> Value {
        let quotient = self.b.div(x, y);
        let quotient = self.b.unary(Unary::Trunc, quotient);
        let minus = self.b.neg(quotient);
        let rest = self.b.fma(minus, y, x);
        // Too far when the rest has the other sign than x: give one divisor back, in x's direction.
        let zero = self.b.like(x, 0.0);
        let product = self.b.binary(Binary::Mul, rest, x);
        let over = self.b.lt(product, zero);
        let size = self.b.abs(y);
        let negative = self.b.lt(x, zero);
        let opposite = self.b.neg(size);
        let back = self.b.select(negative, opposite, size);
        let corrected = self.b.add(rest, back);
        let rest = self.b.select(over, corrected, rest);
        // x itself for an infinite divisor.
        let infinity = self.b.like(y, f64::INFINITY);
        let infinite = self.b.eq(size, infinity);
        let finite = self.b.abs(x);
        let finite = self.b.lt(finite, infinity);
        let whole = self.b.and(infinite, finite);
        self.b.select(whole, x, rest)
    }

    pub(super) fn comparison(&mut self, op: ssa::Compare, ty: Scalar, a: Value, b: Value) -> Value {
        use ssa::Compare as C;
        if ty == Scalar::Bool {
            let differs = self.b.xor(a, b);
            return if op == C::NotEqual { differs } else { self.b.not(differs) };
        }
        let float = kind(ty).is_float();
        let signed = matches!(ty, Scalar::I16 | Scalar::I32 | Scalar::I64);
        let choose = |f, s, u| {
            if float {
                f
            } else if signed {
                s
            } else {
                u
            }
        };
        let op = match op {
            C::Equal => Compare::Eq,
            C::NotEqual => Compare::Ne,
            C::Less => choose(Compare::Lt, Compare::LtS, Compare::LtU),
            C::LessEqual => choose(Compare::Le, Compare::LeS, Compare::LeU),
            C::Greater => choose(Compare::Gt, Compare::GtS, Compare::GtU),
            C::GreaterEqual => choose(Compare::Ge, Compare::GeS, Compare::GeU),
        };
        self.b.compare(op, a, b)
    }

    fn elementary(&mut self, function: Math, a: Value) -> Value {
        let b = &mut self.b;
        match function {
            Math::Sin => maths::sin(b, a),
            Math::Cos => maths::cos(b, a),
            Math::Tan => maths::tan(b, a),
            Math::Asin => maths::asin(b, a),
            Math::Acos => maths::acos(b, a),
            Math::Atan => maths::atan(b, a),
            Math::Sinh => maths::sinh(b, a),
            Math::Cosh => maths::cosh(b, a),
            Math::Tanh => maths::tanh(b, a),
            Math::Asinh => maths::asinh(b, a),
            Math::Acosh => maths::acosh(b, a),
            Math::Atanh => maths::atanh(b, a),
            Math::Exp => maths::exp(b, a),
            Math::Exp2 => maths::exp2(b, a),
            Math::Log => maths::log(b, a),
            Math::Log2 => maths::log2(b, a),
            Math::InverseSqrt => maths::inverse_sqrt(b, a, self.estimate),
        }
    }
}
