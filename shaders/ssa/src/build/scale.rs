//! Taking floats apart and putting them together: `modf`, `frexp`, `ldexp`.
//!
//! `f16` goes through `f32`, which holds all that it holds. Results are exact, or rounded once.

use super::Builder;
use crate::arithmetic;
use crate::ir::{Binary, Compare, Unary, Value};
use warpweft_module::Scalar;

/// How a float type is made.
struct Format {
    /// The integer type of its size.
    bits: Scalar,
    /// Bits of the fraction.
    fraction: u32,
    /// The exponent's bits, in place, and the largest exponent field.
    exponent: u64,
    highest: u64,
    /// What is added to exponents.
    bias: i64,
    smallest_normal: f64,
}

fn format(ty: Scalar) -> Format {
    if ty == Scalar::F64 {
        return Format {
            bits: Scalar::U64,
            fraction: 52,
            exponent: 0x7ff << 52,
            highest: 0x7ff,
            bias: 1023,
            smallest_normal: f64::MIN_POSITIVE,
        };
    }
    Format {
        bits: Scalar::U32,
        fraction: 23,
        exponent: 0xff << 23,
        highest: 0xff,
        bias: 127,
        smallest_normal: f64::from(f32::MIN_POSITIVE),
    }
}

impl<'a> Builder<'a> {
    /// Fraction and whole part.
    pub(super) fn modf(&mut self, a: Value) -> [Value; 2] {
        let whole = self.unary(Unary::Trunc, a);
        let fraction = self.binary(Binary::Subtract, a, whole);
        let (infinite, zero) = (self.is_infinite(a), self.like(a, 0.0));
        [self.select(infinite, zero, fraction), whole]
    }

    /// Fraction (its size in [0.5, 1), or zero, infinite, NaN like `a`) and exponent (`i32`): `a` is the one times two to
    /// the other.
    pub(super) fn frexp(&mut self, a: Value) -> [Value; 2] {
        if self.ty(a) == Scalar::F16 {
            let wide = self.convert(Scalar::F32, a);
            let [fraction, exponent] = self.frexp(wide);
            return [self.convert(Scalar::F16, fraction), exponent];
        }
        let ty = self.ty(a);
        let format = format(ty);
        let size = self.unary(Unary::Abs, a);
        let (zero, smallest) = (self.like(a, 0.0), self.like(a, format.smallest_normal));
        let infinity = self.like(a, f64::INFINITY);
        // Subnormals are made normal first.
        let subnormal = self.compare(Compare::Less, size, smallest);
        let shift = i64::from(format.fraction) + 1;
        let factor = self.like(a, 2f64.powi(shift as i32));
        let scaled = self.binary(Binary::Multiply, a, factor);
        let normal = self.select(subnormal, scaled, a);
        let bits = self.bitcast(format.bits, normal);
        let places = self.u32(format.fraction);
        let field = self.binary(Binary::ShiftRight, bits, places);
        let mask = self.constant(format.bits, format.highest);
        let field = self.binary(Binary::And, field, mask);
        let field = self.convert(Scalar::I32, field);
        let (plain, shifted) =
            (self.number(Scalar::I32, format.bias - 1), self.number(Scalar::I32, format.bias - 1 + shift));
        let bias = self.select(subnormal, shifted, plain);
        let exponent = self.binary(Binary::Subtract, field, bias);
        let others = self.constant(format.bits, arithmetic::ones(format.bits) & !format.exponent);
        let fraction = self.binary(Binary::And, bits, others);
        let half = self.constant(format.bits, ((format.bias - 1) as u64) << format.fraction);
        let fraction = self.binary(Binary::Or, fraction, half);
        let fraction = self.bitcast(ty, fraction);
        let nonzero = self.compare(Compare::NotEqual, a, zero);
        // False for NaN too.
        let finite = self.compare(Compare::Less, size, infinity);
        let ordinary = self.binary(Binary::And, nonzero, finite);
        let none = self.number(Scalar::I32, 0);
        [self.select(ordinary, fraction, a), self.select(ordinary, exponent, none)]
    }

    /// `a * 2^exponent`, rounded once: the fraction times a power of two stays normal, and the last step rounds.
    pub(super) fn ldexp(&mut self, a: Value, exponent: Value) -> Value {
        if self.ty(a) == Scalar::F16 {
            let wide = self.convert(Scalar::F32, a);
            let scaled = self.ldexp(wide, exponent);
            return self.convert(Scalar::F16, scaled);
        }
        let ty = self.ty(a);
        let format = format(ty);
        let [fraction, own] = self.frexp(a);
        // Beyond this everything is infinite or zero.
        let far = 6 * format.bias;
        let exponent = self.limited(exponent, far);
        let sum = self.binary(Binary::Add, own, exponent);
        let sum = self.limited(sum, format.bias + 2 * i64::from(format.fraction));
        let one = self.u32(1);
        let half = self.binary(Binary::ShiftRight, sum, one);
        let rest = self.binary(Binary::Subtract, sum, half);
        let (first, second) = (self.power_of_two(ty, half), self.power_of_two(ty, rest));
        let scaled = self.binary(Binary::Multiply, fraction, first);
        self.binary(Binary::Multiply, scaled, second)
    }

    fn limited(&mut self, n: Value, most: i64) -> Value {
        let (low, high) = (self.number(Scalar::I32, -most), self.number(Scalar::I32, most));
        let n = self.binary(Binary::Max, n, low);
        self.binary(Binary::Min, n, high)
    }

    /// Two to the power of an `i32` that a normal number's exponent can be.
    fn power_of_two(&mut self, ty: Scalar, exponent: Value) -> Value {
        let format = format(ty);
        let bias = self.number(Scalar::I32, format.bias);
        let field = self.binary(Binary::Add, exponent, bias);
        let field = self.convert(format.bits, field);
        let places = self.u32(format.fraction);
        let bits = self.binary(Binary::ShiftLeft, field, places);
        self.bitcast(ty, bits)
    }
}
