//! What one lane of a column holds: WGSL's scalars as Rust values, and their arithmetic.
//!
//! A column has one entry per invocation: a `u32` for scalars of up to 32 bits (16-bit ones in the low half,
//! `bool` as 0 or 1), a `u64` for wider ones. Knows nothing of vectors, expressions or kernels.

use bytemuck::Pod;
use half::f16;

/// A scalar type and how a column stores it.
pub(crate) trait Lane: Copy + 'static {
    /// The column's entry.
    type Word: Pod;
    fn get(word: Self::Word) -> Self;
    fn put(self) -> Self::Word;
}

macro_rules! lane {
    ($($ty:ty, $word:ty, $get:expr, $put:expr;)*) => {$(
        impl Lane for $ty {
            type Word = $word;
            #[inline(always)]
            fn get(word: $word) -> $ty { $get(word) }
            #[inline(always)]
            fn put(self) -> $word { $put(self) }
        }
    )*};
}

lane! {
    bool, u32, |w| w != 0, u32::from;
    u16, u32, |w| w as u16, u32::from;
    i16, u32, |w| w as u16 as i16, |v: i16| u32::from(v as u16);
    u32, u32, |w| w, |v| v;
    i32, u32, |w: u32| w as i32, |v: i32| v as u32;
    u64, u64, |w| w, |v| v;
    i64, u64, |w: u64| w as i64, |v: i64| v as u64;
    f16, u32, |w| f16::from_bits(w as u16), |v: f16| u32::from(v.to_bits());
    f32, u32, f32::from_bits, f32::to_bits;
    f64, u64, f64::from_bits, f64::to_bits;
}

/// Integers and floats: what every numeric type can do, with WGSL's results where Rust's differ.
pub(crate) trait Number: Lane + PartialOrd {
    const ZERO: Self;
    const ONE: Self;
    /// The identities of `min` and `max`.
    const HIGHEST: Self;
    const LOWEST: Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// Integers: `x / 0 == x`, `MIN / -1 == MIN`.
    fn div(self, other: Self) -> Self;
    /// Truncated; integers: `x % 0 == 0`, `MIN % -1 == 0`.
    fn rem(self, other: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    fn sign(self) -> Self;
    /// Of a NaN and a number, the number.
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
}

/// Integers, bit by bit.
pub(crate) trait Integer: Number + Eq {
    const BITS: u32;
    fn not(self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// The amount counts modulo the width.
    fn shl(self, amount: u32) -> Self;
    /// Carries the sign of signed types; the amount counts modulo the width.
    fn shr(self, amount: u32) -> Self;
    fn count_ones(self) -> u32;
    fn leading_zeros(self) -> u32;
    fn trailing_zeros(self) -> u32;
    fn reverse(self) -> Self;
    /// Whether the type is signed and the value negative.
    fn negative(self) -> bool;
    /// A small count as this type.
    fn from_count(count: u32) -> Self;
}

macro_rules! integer {
    ($($ty:ty, $signed:expr, $abs:expr, $sign:expr;)*) => {$(
        impl Number for $ty {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const HIGHEST: Self = <$ty>::MAX;
            const LOWEST: Self = <$ty>::MIN;
            #[inline(always)]
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self.wrapping_sub(other) }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self.wrapping_mul(other) }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                if other == 0 { self } else { self.wrapping_div(other) }
            }
            #[inline(always)]
            fn rem(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_rem(other) }
            }
            #[inline(always)]
            fn neg(self) -> Self { self.wrapping_neg() }
            #[inline(always)]
            fn abs(self) -> Self { $abs(self) }
            #[inline(always)]
            fn sign(self) -> Self { $sign(self) }
            #[inline(always)]
            fn min(self, other: Self) -> Self { Ord::min(self, other) }
            #[inline(always)]
            fn max(self, other: Self) -> Self { Ord::max(self, other) }
        }

        impl Integer for $ty {
            const BITS: u32 = <$ty>::BITS;
            #[inline(always)]
            fn not(self) -> Self { !self }
            #[inline(always)]
            fn and(self, other: Self) -> Self { self & other }
            #[inline(always)]
            fn or(self, other: Self) -> Self { self | other }
            #[inline(always)]
            fn xor(self, other: Self) -> Self { self ^ other }
            #[inline(always)]
            fn shl(self, amount: u32) -> Self { self.wrapping_shl(amount) }
            #[inline(always)]
            fn shr(self, amount: u32) -> Self { self.wrapping_shr(amount) }
            #[inline(always)]
            fn count_ones(self) -> u32 { <$ty>::count_ones(self) }
            #[inline(always)]
            fn leading_zeros(self) -> u32 { <$ty>::leading_zeros(self) }
            #[inline(always)]
            fn trailing_zeros(self) -> u32 { <$ty>::trailing_zeros(self) }
            #[inline(always)]
            fn reverse(self) -> Self { self.reverse_bits() }
            #[inline(always)]
            #[allow(unused_comparisons)]
            fn negative(self) -> bool { $signed && self < 0 }
            #[inline(always)]
            fn from_count(count: u32) -> Self { count as $ty }
        }
    )*};
}

integer! {
    u16, false, |v| v, |v| u16::from(v != 0);
    u32, false, |v| v, |v| u32::from(v != 0);
    u64, false, |v| v, |v| u64::from(v != 0);
    i16, true, i16::wrapping_abs, i16::signum;
    i32, true, i32::wrapping_abs, i32::signum;
    i64, true, i64::wrapping_abs, i64::signum;
}

/// Floats: rounded once per operation.
pub(crate) trait Float: Number {
    /// Rounds to nearest, ties to even.
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    fn is_nan(self) -> bool;
    fn is_infinite(self) -> bool;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    fn trunc(self) -> Self;
    /// Ties to even.
    fn round(self) -> Self;
    fn sqrt(self) -> Self;
    fn fma(self, factor: Self, addend: Self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tan(self) -> Self;
    fn asin(self) -> Self;
    fn acos(self) -> Self;
    fn atan(self) -> Self;
    fn sinh(self) -> Self;
    fn cosh(self) -> Self;
    fn tanh(self) -> Self;
    fn asinh(self) -> Self;
    fn acosh(self) -> Self;
    fn atanh(self) -> Self;
    fn atan2(self, x: Self) -> Self;
    fn exp(self) -> Self;
    fn exp2(self) -> Self;
    fn ln(self) -> Self;
    fn log2(self) -> Self;
    fn pow(self, exponent: Self) -> Self;
}

macro_rules! float_number {
    ($($ty:ty, $op:ident;)*) => {$(
        impl Number for $ty {
            const ZERO: Self = $op!(const 0.0);
            const ONE: Self = $op!(const 1.0);
            const HIGHEST: Self = <$ty>::INFINITY;
            const LOWEST: Self = <$ty>::NEG_INFINITY;
            #[inline(always)]
            fn add(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self - other }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn div(self, other: Self) -> Self { self / other }
            #[inline(always)]
            fn rem(self, other: Self) -> Self { self % other }
            #[inline(always)]
            fn neg(self) -> Self { -self }
            #[inline(always)]
            fn abs(self) -> Self { <$ty>::from_bits(self.to_bits() & (<$ty>::INFINITY.to_bits() | ((1 << (<$ty>::MANTISSA_DIGITS - 1)) - 1))) }
            #[inline(always)]
            fn sign(self) -> Self {
                if self > Self::ZERO { Self::ONE } else if self < Self::ZERO { -Self::ONE } else { Self::ZERO }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self { if self < other || other.is_nan() { self } else { other } }
            #[inline(always)]
            fn max(self, other: Self) -> Self { if self > other || other.is_nan() { self } else { other } }
        }
    )*};
}

macro_rules! native {
    (const $v:expr) => {
        $v
    };
}
macro_rules! narrow {
    (const $v:expr) => {
        f16::from_f32_const($v)
    };
}

float_number! {
    f32, native;
    f64, native;
    f16, narrow;
}

macro_rules! float {
    ($ty:ty, $fma:expr) => {
        impl Float for $ty {
            #[inline(always)]
            fn from_f64(value: f64) -> Self { value as $ty }
            #[inline(always)]
            fn to_f64(self) -> f64 { f64::from(self) }
            #[inline(always)]
            fn is_nan(self) -> bool { <$ty>::is_nan(self) }
            #[inline(always)]
            fn is_infinite(self) -> bool { <$ty>::is_infinite(self) }
            #[inline(always)]
            fn fma(self, factor: Self, addend: Self) -> Self { $fma(self, factor, addend) }
            #[inline(always)]
            fn round(self) -> Self { self.round_ties_even() }
            #[inline(always)]
            fn pow(self, exponent: Self) -> Self { self.powf(exponent) }
            #[inline(always)]
            fn atan2(self, x: Self) -> Self { <$ty>::atan2(self, x) }
            // std's inverse hyperbolic functions lose too many digits near their poles for f32's own precision.
            float!(@wide $ty: asinh acosh atanh);
            float!(@forward $ty: floor ceil trunc sqrt sin cos tan asin acos atan sinh cosh tanh exp exp2 ln log2);
        }
    };
    (@wide $ty:ty: $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self { f64::from(self).$name() as $ty }
    )*};
    (@forward $ty:ty: $($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self { <$ty>::$name(self) }
    )*};
}

// The product of two f32 is exact in f64: software fma would be ten times slower and no more accurate than
// WGSL asks for.
float!(f32, |a, b, c| (f64::from(a) * f64::from(b) + f64::from(c)) as f32);
float!(f64, f64::mul_add);

macro_rules! through_f32 {
    ($($name:ident)*) => {$(
        #[inline(always)]
        fn $name(self) -> Self { f16::from_f32(self.to_f32().$name()) }
    )*};
}

// f32 has more than twice the precision of f16, so rounding an f32 result again does no harm for + - * / sqrt.
impl Float for f16 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        f16::from_f32(round_to_odd(value))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self.to_f32())
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        f16::is_nan(self)
    }
    #[inline(always)]
    fn is_infinite(self) -> bool {
        f16::is_infinite(self)
    }
    #[inline(always)]
    fn fma(self, factor: Self, addend: Self) -> Self {
        Self::from_f64(Float::to_f64(self) * Float::to_f64(factor) + Float::to_f64(addend))
    }
    #[inline(always)]
    fn round(self) -> Self {
        f16::from_f32(self.to_f32().round_ties_even())
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        f16::from_f32(self.to_f32().powf(exponent.to_f32()))
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        f16::from_f32(self.to_f32().atan2(x.to_f32()))
    }
    through_f32!(floor ceil trunc sqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp exp2 ln log2);
}

/// An f32 that rounds to the same f16 as `value` does: inexact results get an odd last bit, so that the second
/// rounding cannot see a tie where there was none.
fn round_to_odd(value: f64) -> f32 {
    let near = value as f32;
    if !near.is_finite() || f64::from(near) == value || near.to_bits() & 1 == 1 {
        return near;
    }
    let towards_zero = f64::from(near).abs() > value.abs();
    f32::from_bits(if towards_zero { near.to_bits() - 1 } else { near.to_bits() + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_division_has_no_traps() {
        assert_eq!((Number::div(7u32, 0), Number::rem(7u32, 0)), (7, 0));
        assert_eq!((Number::div(i32::MIN, -1), Number::rem(i32::MIN, -1)), (i32::MIN, 0));
        assert_eq!((Number::div(-7i64, 2), Number::rem(-7i64, 2)), (-3, -1));
    }

    #[test]
    fn f16_rounds_once_from_f64() {
        // Just above the tie between 1 and 1 + 2^-10: rounding through f32 would land on the tie and go to 1.
        let value = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
        assert_eq!(<f16 as Float>::from_f64(value).to_f64(), 1.0 + 2f64.powi(-10));
        assert_eq!(<f16 as Float>::from_f64(1.0 + 2f64.powi(-11)).to_f64(), 1.0);
        assert_eq!(<f16 as Float>::from_f64(-value).to_f64(), -1.0 - 2f64.powi(-10));
        assert!(<f16 as Float>::from_f64(1e300).is_infinite());
    }

    #[test]
    fn absolute_values_and_signs() {
        assert_eq!(Number::abs(-2.5f32), 2.5);
        assert_eq!(Number::abs(-0.0f64).to_bits(), 0);
        assert_eq!(Number::abs(f16::from_f32(-3.0)), f16::from_f32(3.0));
        assert_eq!(Number::abs(i32::MIN), i32::MIN);
        assert_eq!((Number::sign(-3i32), Number::sign(0.0f32), Number::sign(9u32)), (-1, 0.0, 1));
        assert_eq!(Number::min(f32::NAN, 1.0), 1.0);
        assert_eq!(Number::max(1.0f32, f32::NAN), 1.0);
    }
}
