//! WGSL's operators, select and conversions as column functions, chosen by scalar type.
//!
//! Knows no vectors (component-wise functions need none) and no matrices (see `linear`).

use crate::column::{Function, active2, map1, map2, map3};
use crate::lane::{Float, Integer, Lane, Number};
use half::f16;
use naga::{BinaryOperator, UnaryOperator};
use warpweft_module::Scalar;

/// Calls a generic function with the Rust type of a numeric scalar; `None` for `bool`.
macro_rules! with_number {
    ($scalar:expr, $function:ident ( $($arg:expr),* )) => {
        match $scalar {
            Scalar::I16 => $function::<i16>($($arg),*),
            Scalar::U16 => $function::<u16>($($arg),*),
            Scalar::I32 => $function::<i32>($($arg),*),
            Scalar::U32 => $function::<u32>($($arg),*),
            Scalar::I64 => $function::<i64>($($arg),*),
            Scalar::U64 => $function::<u64>($($arg),*),
            Scalar::F16 => $function::<half::f16>($($arg),*),
            Scalar::F32 => $function::<f32>($($arg),*),
            Scalar::F64 => $function::<f64>($($arg),*),
            Scalar::Bool => None,
        }
    };
}

/// Calls a generic function with the Rust type of an integer scalar; `None` for the others.
macro_rules! with_integer {
    ($scalar:expr, $function:ident ( $($arg:expr),* )) => {
        match $scalar {
            Scalar::I16 => $function::<i16>($($arg),*),
            Scalar::U16 => $function::<u16>($($arg),*),
            Scalar::I32 => $function::<i32>($($arg),*),
            Scalar::U32 => $function::<u32>($($arg),*),
            Scalar::I64 => $function::<i64>($($arg),*),
            Scalar::U64 => $function::<u64>($($arg),*),
            _ => None,
        }
    };
}

/// Calls a generic function with the Rust type of a float scalar; `None` for the others.
macro_rules! with_float {
    ($scalar:expr, $function:ident ( $($arg:expr),* )) => {
        match $scalar {
            Scalar::F16 => $function::<half::f16>($($arg),*),
            Scalar::F32 => $function::<f32>($($arg),*),
            Scalar::F64 => $function::<f64>($($arg),*),
            _ => None,
        }
    };
}

pub(crate) use {with_float, with_integer, with_number};

/// The function of a unary operator on components of type `scalar`.
pub(crate) fn unary(op: UnaryOperator, scalar: Scalar) -> Option<Function> {
    fn negate<T: Number>() -> Option<Function> {
        Some(|out, args| map1(out, args, T::neg))
    }
    fn complement<T: Integer>() -> Option<Function> {
        Some(|out, args| map1(out, args, T::not))
    }
    match op {
        UnaryOperator::Negate => with_number!(scalar, negate()),
        UnaryOperator::BitwiseNot => with_integer!(scalar, complement()),
        UnaryOperator::LogicalNot => Some(|out, args| map1(out, args, |a: bool| !a)),
    }
}

/// The function of a binary operator on components of type `scalar` (the left one's).
pub(crate) fn binary(op: BinaryOperator, scalar: Scalar) -> Option<Function> {
    if scalar == Scalar::Bool {
        return boolean(op);
    }
    with_number!(scalar, arithmetic(op)).or_else(|| with_integer!(scalar, bitwise(op)))
}

fn boolean(op: BinaryOperator) -> Option<Function> {
    use BinaryOperator as B;
    Some(match op {
        B::And | B::LogicalAnd => |out, args| map2(out, args, |a: bool, b: bool| a & b),
        B::InclusiveOr | B::LogicalOr => |out, args| map2(out, args, |a: bool, b: bool| a | b),
        B::ExclusiveOr | B::NotEqual => |out, args| map2(out, args, |a: bool, b: bool| a ^ b),
        B::Equal => |out, args| map2(out, args, |a: bool, b: bool| a == b),
        _ => return None,
    })
}

fn arithmetic<T: Number>(op: BinaryOperator) -> Option<Function> {
    use BinaryOperator as B;
    Some(match op {
        B::Add => |out, args| map2(out, args, T::add),
        B::Subtract => |out, args| map2(out, args, T::sub),
        B::Multiply => |out, args| map2(out, args, T::mul),
        B::Divide => |out, args| map2(out, args, T::div),
        B::Modulo => |out, args| active2(out, args, T::rem),
        B::Equal => |out, args| map2(out, args, |a: T, b: T| a == b),
        B::NotEqual => |out, args| map2(out, args, |a: T, b: T| a != b),
        B::Less => |out, args| map2(out, args, |a: T, b: T| a < b),
        B::LessEqual => |out, args| map2(out, args, |a: T, b: T| a <= b),
        B::Greater => |out, args| map2(out, args, |a: T, b: T| a > b),
        B::GreaterEqual => |out, args| map2(out, args, |a: T, b: T| a >= b),
        _ => return None,
    })
}

fn bitwise<T: Integer>(op: BinaryOperator) -> Option<Function> {
    use BinaryOperator as B;
    Some(match op {
        B::And => |out, args| map2(out, args, T::and),
        B::InclusiveOr => |out, args| map2(out, args, T::or),
        B::ExclusiveOr => |out, args| map2(out, args, T::xor),
        B::ShiftLeft => |out, args| map2(out, args, T::shl),
        B::ShiftRight => |out, args| map2(out, args, T::shr),
        _ => return None,
    })
}

/// Operand 0 where operand 2 is true, operand 1 elsewhere, for components of `size` bytes.
pub(crate) fn select(size: u32) -> Function {
    if size == 8 {
        |out, args| map3(out, args, |accept: u64, reject: u64, c: bool| if c { accept } else { reject })
    } else {
        |out, args| map3(out, args, |accept: u32, reject: u32, c: bool| if c { accept } else { reject })
    }
}

/// The value conversion between scalar types; `None` where the column stays as it is.
pub(crate) fn convert(from: Scalar, to: Scalar) -> Option<Function> {
    fn to_bool<A: Number>() -> Option<Function> {
        Some(|out, args| map1(out, args, |a: A| a != A::ZERO))
    }
    fn from_bool<R: Number>() -> Option<Function> {
        Some(|out, args| map1(out, args, |a: bool| if a { R::ONE } else { R::ZERO }))
    }
    match (from, to) {
        _ if from == to => None,
        (Scalar::Bool, _) => with_number!(to, from_bool()),
        (_, Scalar::Bool) => with_number!(from, to_bool()),
        _ => with_number!(from, from_number(to)),
    }
}

fn from_number<A>(to: Scalar) -> Option<Function>
where
    A: To<i16> + To<u16> + To<i32> + To<u32> + To<i64> + To<u64> + To<f16> + To<f32> + To<f64>,
{
    fn between<A: To<R>, R: Lane>() -> Option<Function> {
        Some(|out, args| map1(out, args, |a: A| a.to()))
    }
    match to {
        Scalar::I16 => between::<A, i16>(),
        Scalar::U16 => between::<A, u16>(),
        Scalar::I32 => between::<A, i32>(),
        Scalar::U32 => between::<A, u32>(),
        Scalar::I64 => between::<A, i64>(),
        Scalar::U64 => between::<A, u64>(),
        Scalar::F16 => between::<A, f16>(),
        Scalar::F32 => between::<A, f32>(),
        Scalar::F64 => between::<A, f64>(),
        Scalar::Bool => None,
    }
}

/// The value conversion of WGSL from one numeric type to another.
trait To<R>: Lane {
    fn to(self) -> R;
}

macro_rules! to {
    ($($a:ty => $($r:ty)*, $convert:expr;)*) => {$($(
        impl To<$r> for $a {
            #[inline(always)]
            fn to(self) -> $r { $convert(self) }
        }
    )*)*};
}

/// From an integer to everything, and from f32 and f64 to it.
macro_rules! to_and_from_integer {
    ($($int:ty)*) => {$(
        to! {
            $int => i16, |a| a as i16;
            $int => u16, |a| a as u16;
            $int => i32, |a| a as i32;
            $int => u32, |a| a as u32;
            $int => i64, |a| a as i64;
            $int => u64, |a| a as u64;
            $int => f32, |a| a as f32;
            $int => f64, |a| a as f64;
            // f64 is exact as far as f16 reaches.
            $int => f16, |a| Float::from_f64(a as f64);
            f16 => $int, |a: f16| a.clamp(f16::MIN, f16::MAX).to_f32() as $int;
            f32 => $int, |a| Ord::min(a as $int, highest!($int, 24));
            f64 => $int, |a| Ord::min(a as $int, highest!($int, 53));
        }
    )*};
}

/// The last integer that a float of so many binary digits can represent. Out-of-range floats become that one, as
/// the specification wants: 3e9f is 2147483520 as i32.
macro_rules! highest {
    ($int:ty, $digits:expr) => {{
        let bits = <$int>::MAX.count_ones();
        let cut = if bits > $digits { bits - $digits } else { 0 };
        <$int>::MAX >> cut << cut
    }};
}

to_and_from_integer!(i16 u16 i32 u32 i64 u64);
to! {
    f16 => f16, |a| a;
    f16 => f32, f16::to_f32;
    f16 => f64, f16::to_f64;
    f32 => f16, f16::from_f32;
    f32 => f32, |a| a;
    f32 => f64, f64::from;
    f64 => f16, Float::from_f64;
    f64 => f32, |a| a as f32;
    f64 => f64, |a| a;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_saturate_at_what_both_types_represent() {
        assert_eq!(To::<i32>::to(3e9f32), 2_147_483_520);
        assert_eq!(To::<u32>::to(1e20f32), 4_294_967_040);
        assert_eq!(To::<i32>::to(-3e9f32), i32::MIN);
        assert_eq!(To::<u32>::to(-1.0f32), 0);
        assert_eq!(To::<i32>::to(f32::NAN), 0);
        assert_eq!(To::<i32>::to(1e300f64), i32::MAX);
        assert_eq!(To::<i64>::to(1e30f32), 9_223_371_487_098_961_920);
        assert_eq!(To::<u32>::to(f16::INFINITY), 65504);
        assert_eq!(To::<i16>::to(f16::NEG_INFINITY), i16::MIN);
    }

    #[test]
    fn integers_round_once() {
        assert_eq!(To::<f16>::to(65519u32), f16::from_f32(65504.0));
        assert!(To::<f16>::to(u64::MAX).is_infinite());
        assert_eq!(To::<f32>::to(16_777_217u64), 16_777_216.0);
        assert_eq!(To::<u16>::to(-1i32), u16::MAX);
    }
}
