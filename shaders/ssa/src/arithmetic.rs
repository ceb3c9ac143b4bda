//! What every operation gives on constants: bits in, bits out.
//!
//! The interpreter's results, to the bit. Knows no values, functions or memory: folding and evaluators share this.

use crate::ir::{Binary, Compare, Math, Unary};
use half::f16;
use warpweft_module::Scalar;

/// A Rust type that stands for a scalar.
trait Lane: Copy + PartialOrd {
    fn get(bits: u64) -> Self;
    fn put(self) -> u64;
}

macro_rules! lane {
    ($($ty:ty, $get:expr, $put:expr;)*) => {$(
        impl Lane for $ty {
            fn get(bits: u64) -> $ty { $get(bits) }
            fn put(self) -> u64 { $put(self) }
        }
    )*};
}

lane! {
    bool, |b| b != 0, u64::from;
    i16, |b| b as u16 as i16, |v: i16| u64::from(v as u16);
    u16, |b| b as u16, u64::from;
    i32, |b| b as u32 as i32, |v: i32| u64::from(v as u32);
    u32, |b| b as u32, u64::from;
    i64, |b| b as i64, |v: i64| v as u64;
    u64, |b| b, |v| v;
    f16, |b| f16::from_bits(b as u16), |v: f16| u64::from(v.to_bits());
    f32, |b| f32::from_bits(b as u32), |v: f32| u64::from(v.to_bits());
    f64, f64::from_bits, f64::to_bits;
}

/// Whether it is a float type.
pub fn is_float(ty: Scalar) -> bool {
    matches!(ty, Scalar::F16 | Scalar::F32 | Scalar::F64)
}

/// Whether it is a signed integer type.
pub fn is_signed(ty: Scalar) -> bool {
    matches!(ty, Scalar::I16 | Scalar::I32 | Scalar::I64)
}

/// Whether it is an integer type.
pub fn is_integer(ty: Scalar) -> bool {
    ty != Scalar::Bool && !is_float(ty)
}

/// The bits of the float next to `value` (`f32` for types that are no floats).
pub fn float(ty: Scalar, value: f64) -> u64 {
    match ty {
        Scalar::F16 => narrow(value).put(),
        Scalar::F64 => value.put(),
        _ => (value as f32).put(),
    }
}

/// The bits of a small integer in a numeric type.
pub fn integer(ty: Scalar, value: i64) -> u64 {
    convert(Scalar::I64, ty, value as u64)
}

/// Ones in the bits that the type has.
pub fn ones(ty: Scalar) -> u64 {
    match ty.size() {
        _ if ty == Scalar::Bool => 1,
        2 => 0xffff,
        4 => 0xffff_ffff,
        _ => u64::MAX,
    }
}

/// An operation on one operand; `None` where the type has no such operation.
pub fn unary(op: Unary, ty: Scalar, a: u64) -> Option<u64> {
    macro_rules! int {
        ($t:ty, $abs:expr) => {{
            let a = <$t>::get(a);
            Some(match op {
                Unary::Negate => a.wrapping_neg().put(),
                Unary::Not => (!a).put(),
                Unary::Abs => $abs(a).put(),
                Unary::CountOnes => (a.count_ones() as $t).put(),
                Unary::LeadingZeros => (a.leading_zeros() as $t).put(),
                Unary::TrailingZeros => (a.trailing_zeros() as $t).put(),
                Unary::ReverseBits => a.reverse_bits().put(),
                _ => return None,
            })
        }};
    }
    macro_rules! float {
        ($t:ty) => {{
            let a = <$t>::get(a);
            Some(match op {
                Unary::Negate => (-a).put(),
                Unary::Abs => a.abs().put(),
                Unary::Sqrt => a.sqrt().put(),
                Unary::Floor => a.floor().put(),
                Unary::Ceil => a.ceil().put(),
                Unary::Trunc => a.trunc().put(),
                Unary::Round => a.round_ties_even().put(),
                _ => return None,
            })
        }};
    }
    match ty {
        Scalar::Bool => (op == Unary::Not).then_some(a ^ 1),
        Scalar::I16 => int!(i16, i16::wrapping_abs),
        Scalar::U16 => int!(u16, |v| v),
        Scalar::I32 => int!(i32, i32::wrapping_abs),
        Scalar::U32 => int!(u32, |v| v),
        Scalar::I64 => int!(i64, i64::wrapping_abs),
        Scalar::U64 => int!(u64, |v| v),
        Scalar::F32 => float!(f32),
        Scalar::F64 => float!(f64),
        Scalar::F16 => match op {
            Unary::Negate => Some(a ^ 0x8000),
            Unary::Abs => Some(a & 0x7fff),
            _ => unary(op, Scalar::F32, f16::get(a).to_f32().put())
                .map(|wide| f16::from_f32(f32::get(wide)).put()),
        },
    }
}

/// An operation on two operands; `None` where the type has no such operation.
pub fn binary(op: Binary, ty: Scalar, a: u64, b: u64) -> Option<u64> {
    macro_rules! int {
        ($t:ty) => {{
            let amount = b as u32;
            let (a, b) = (<$t>::get(a), <$t>::get(b));
            Some(
                match op {
                    Binary::Add => a.wrapping_add(b),
                    Binary::Subtract => a.wrapping_sub(b),
                    Binary::Multiply => a.wrapping_mul(b),
                    Binary::Divide if b == 0 => a,
                    Binary::Divide => a.wrapping_div(b),
                    Binary::Modulo if b == 0 => 0,
                    Binary::Modulo => a.wrapping_rem(b),
                    Binary::And => a & b,
                    Binary::Or => a | b,
                    Binary::Xor => a ^ b,
                    Binary::ShiftLeft => a.wrapping_shl(amount),
                    Binary::ShiftRight => a.wrapping_shr(amount),
                    Binary::Min => a.min(b),
                    Binary::Max => a.max(b),
                }
                .put(),
            )
        }};
    }
    macro_rules! float {
        ($t:ty) => {{
            let (a, b) = (<$t>::get(a), <$t>::get(b));
            Some(
                match op {
                    Binary::Add => a + b,
                    Binary::Subtract => a - b,
                    Binary::Multiply => a * b,
                    Binary::Divide => a / b,
                    Binary::Modulo => a % b,
                    Binary::Min => {
                        if a < b || b.is_nan() {
                            a
                        } else {
                            b
                        }
                    }
                    Binary::Max => {
                        if a > b || b.is_nan() {
                            a
                        } else {
                            b
                        }
                    }
                    _ => return None,
                }
                .put(),
            )
        }};
    }
    match ty {
        Scalar::Bool => match op {
            Binary::And => Some(a & b),
            Binary::Or => Some(a | b),
            Binary::Xor => Some(a ^ b),
            _ => None,
        },
        Scalar::I16 => int!(i16),
        Scalar::U16 => int!(u16),
        Scalar::I32 => int!(i32),
        Scalar::U32 => int!(u32),
        Scalar::I64 => int!(i64),
        Scalar::U64 => int!(u64),
        Scalar::F16 => float!(f16),
        Scalar::F32 => float!(f32),
        Scalar::F64 => float!(f64),
    }
}

/// `a * b + c`: of `f64` rounded once, of the others rounded from the sum of the exact product in `f64`.
pub fn fma(ty: Scalar, a: u64, b: u64, c: u64) -> u64 {
    match ty {
        Scalar::F64 => f64::get(a).mul_add(f64::get(b), f64::get(c)).put(),
        Scalar::F16 => {
            let [a, b, c] = [a, b, c].map(|bits| f64::from(f16::get(bits).to_f32()));
            narrow(a * b + c).put()
        }
        _ => {
            let [a, b, c] = [a, b, c].map(|bits| f64::from(f32::get(bits)));
            ((a * b + c) as f32).put()
        }
    }
}

/// A comparison.
pub fn compare(op: Compare, ty: Scalar, a: u64, b: u64) -> bool {
    fn of<T: Lane>(op: Compare, a: u64, b: u64) -> bool {
        let (a, b) = (T::get(a), T::get(b));
        match op {
            Compare::Equal => a == b,
            Compare::NotEqual => a != b,
            Compare::Less => a < b,
            Compare::LessEqual => a <= b,
            Compare::Greater => a > b,
            Compare::GreaterEqual => a >= b,
        }
    }
    match ty {
        Scalar::Bool => of::<bool>(op, a, b),
        Scalar::I16 => of::<i16>(op, a, b),
        Scalar::U16 => of::<u16>(op, a, b),
        Scalar::I32 => of::<i32>(op, a, b),
        Scalar::U32 => of::<u32>(op, a, b),
        Scalar::I64 => of::<i64>(op, a, b),
        Scalar::U64 => of::<u64>(op, a, b),
        Scalar::F16 => of::<f16>(op, a, b),
        Scalar::F32 => of::<f32>(op, a, b),
        Scalar::F64 => of::<f64>(op, a, b),
    }
}

/// A conversion of values, as WGSL has it: floats out of an integer's range become the last one that both types have.
pub fn convert(from: Scalar, to: Scalar, a: u64) -> u64 {
    /// The last integer that a float of so many binary digits can represent.
    macro_rules! highest {
        ($t:ty, $digits:expr) => {{
            let bits = <$t>::MAX.count_ones();
            let cut = if bits > $digits { bits - $digits } else { 0 };
            <$t>::MAX >> cut << cut
        }};
    }
    macro_rules! from_int {
        ($a:ty) => {{
            let a = <$a>::get(a);
            match to {
                Scalar::Bool => (a != 0).put(),
                Scalar::I16 => (a as i16).put(),
                Scalar::U16 => (a as u16).put(),
                Scalar::I32 => (a as i32).put(),
                Scalar::U32 => (a as u32).put(),
                Scalar::I64 => (a as i64).put(),
                Scalar::U64 => (a as u64).put(),
                Scalar::F16 => narrow(a as f64).put(),
                Scalar::F32 => (a as f32).put(),
                Scalar::F64 => (a as f64).put(),
            }
        }};
    }
    macro_rules! from_float {
        ($a:expr, $digits:expr) => {{
            let a = $a;
            match to {
                Scalar::Bool => (a != 0.0).put(),
                Scalar::I16 => Ord::min(a as i16, highest!(i16, $digits)).put(),
                Scalar::U16 => Ord::min(a as u16, highest!(u16, $digits)).put(),
                Scalar::I32 => Ord::min(a as i32, highest!(i32, $digits)).put(),
                Scalar::U32 => Ord::min(a as u32, highest!(u32, $digits)).put(),
                Scalar::I64 => Ord::min(a as i64, highest!(i64, $digits)).put(),
                Scalar::U64 => Ord::min(a as u64, highest!(u64, $digits)).put(),
                Scalar::F16 => narrow(f64::from(a)).put(),
                Scalar::F32 => (a as f32).put(),
                Scalar::F64 => f64::from(a).put(),
            }
        }};
    }
    match from {
        _ if from == to => a,
        Scalar::Bool if is_float(to) => float(to, a as f64),
        Scalar::Bool => a,
        Scalar::I16 => from_int!(i16),
        Scalar::U16 => from_int!(u16),
        Scalar::I32 => from_int!(i32),
        Scalar::U32 => from_int!(u32),
        Scalar::I64 => from_int!(i64),
        Scalar::U64 => from_int!(u64),
        Scalar::F16 if is_integer(to) => {
            let wide = f16::get(a);
            let wide = if wide.is_nan() { wide } else { wide.clamp(f16::MIN, f16::MAX) }.to_f32();
            macro_rules! cut {
                ($t:ty) => {
                    (wide as $t).put()
                };
            }
            match to {
                Scalar::I16 => cut!(i16),
                Scalar::U16 => cut!(u16),
                Scalar::I32 => cut!(i32),
                Scalar::U32 => cut!(u32),
                Scalar::I64 => cut!(i64),
                _ => cut!(u64),
            }
        }
        Scalar::F16 => from_float!(f16::get(a).to_f32(), 24),
        Scalar::F32 => from_float!(f32::get(a), 24),
        Scalar::F64 => from_float!(f64::get(a), 53),
    }
}

/// `quantizeToF16` of an `f32`.
pub fn quantize(a: u64) -> u64 {
    f16::from_f32(f32::get(a)).to_f32().put()
}

/// Two `f32` as halves of a `u32`.
pub fn pack_half(low: u64, high: u64) -> u64 {
    let half = |bits| f16::from_f32(f32::get(bits)).put();
    half(low) | half(high) << 16
}

/// One half of a `u32` as `f32`.
pub fn unpack_half(word: u64, upper: bool) -> u64 {
    f16::get(if upper { word >> 16 } else { word }).to_f32().put()
}

/// An elementary function of a float.
pub fn math(op: Math, ty: Scalar, a: u64) -> u64 {
    macro_rules! of {
        ($a:expr, $wide:expr) => {{
            let a = $a;
            match op {
                Math::Sin => a.sin(),
                Math::Cos => a.cos(),
                Math::Tan => a.tan(),
                Math::Asin => a.asin(),
                Math::Acos => a.acos(),
                Math::Atan => a.atan(),
                Math::Sinh => a.sinh(),
                Math::Cosh => a.cosh(),
                Math::Tanh => a.tanh(),
                Math::Asinh => $wide(f64::from(a).asinh()),
                Math::Acosh => $wide(f64::from(a).acosh()),
                Math::Atanh => $wide(f64::from(a).atanh()),
                Math::Exp => a.exp(),
                Math::Exp2 => a.exp2(),
                Math::Log => a.ln(),
                Math::Log2 => a.log2(),
                Math::InverseSqrt => 1.0 / a.sqrt(),
            }
        }};
    }
    match ty {
        Scalar::F64 => of!(f64::get(a), |v: f64| v).put(),
        Scalar::F16 if op == Math::InverseSqrt => {
            (f16::ONE / f16::from_f32(f16::get(a).to_f32().sqrt())).put()
        }
        Scalar::F16 => {
            let a = f16::get(a).to_f32();
            // The narrow type needs no more than f32's own functions.
            f16::from_f32(match op {
                Math::Asinh => a.asinh(),
                Math::Acosh => a.acosh(),
                Math::Atanh => a.atanh(),
                _ => f32::get(math(op, Scalar::F32, a.put())),
            })
            .put()
        }
        _ => of!(f32::get(a), |v: f64| v as f32).put(),
    }
}

/// `atan2(y, x)`.
pub fn atan2(ty: Scalar, y: u64, x: u64) -> u64 {
    match ty {
        Scalar::F64 => f64::get(y).atan2(f64::get(x)).put(),
        Scalar::F16 => f16::from_f32(f16::get(y).to_f32().atan2(f16::get(x).to_f32())).put(),
        _ => f32::get(y).atan2(f32::get(x)).put(),
    }
}

/// `pow(x, y)`.
pub fn pow(ty: Scalar, x: u64, y: u64) -> u64 {
    match ty {
        Scalar::F64 => f64::get(x).powf(f64::get(y)).put(),
        Scalar::F16 => f16::from_f32(f16::get(x).to_f32().powf(f16::get(y).to_f32())).put(),
        _ => f32::get(x).powf(f32::get(y)).put(),
    }
}

/// The nearest f16, rounded once: what is inexact as f32 gets an odd last bit, so that rounding again sees no false tie.
fn narrow(value: f64) -> f16 {
    let near = value as f32;
    if !near.is_finite() || f64::from(near) == value || near.to_bits() & 1 == 1 {
        return f16::from_f32(near);
    }
    let towards_zero = f64::from(near).abs() > value.abs();
    f16::from_f32(f32::from_bits(if towards_zero { near.to_bits() - 1 } else { near.to_bits() + 1 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_have_no_traps() {
        let int = |v: i32| u64::from(v as u32);
        assert_eq!(binary(Binary::Divide, Scalar::I32, int(7), 0), Some(7));
        assert_eq!(binary(Binary::Modulo, Scalar::U32, 7, 0), Some(0));
        assert_eq!(binary(Binary::Divide, Scalar::I32, int(i32::MIN), int(-1)), Some(int(i32::MIN)));
        assert_eq!(binary(Binary::Modulo, Scalar::I32, int(i32::MIN), int(-1)), Some(0));
        assert_eq!(binary(Binary::ShiftLeft, Scalar::U16, 1, 17), Some(2));
    }

    #[test]
    fn floats_clamp_to_what_both_types_represent() {
        assert_eq!(convert(Scalar::F32, Scalar::I32, float(Scalar::F32, 3e9)), 2_147_483_520);
        assert_eq!(convert(Scalar::F32, Scalar::U32, float(Scalar::F32, -1.0)), 0);
        assert_eq!(convert(Scalar::F16, Scalar::U32, f16::INFINITY.put()), 65504);
        assert_eq!(convert(Scalar::F64, Scalar::I32, float(Scalar::F64, 1e300)), i32::MAX as u64);
        assert_eq!(convert(Scalar::F32, Scalar::I32, f32::NAN.put()), 0);
        assert_eq!(convert(Scalar::Bool, Scalar::F16, 1), 0x3c00);
    }
}
