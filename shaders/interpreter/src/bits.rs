//! WGSL's builtin functions on the bits of integers, component by component, as column functions.
//!
//! Knows no packing of several numbers into a word (see `pack`).

use crate::column::{Args, Function, map1, words, words_mut};
use crate::lane::Integer;
use naga::MathFunction;

/// The function of a bit builtin on integers of type `T`.
pub(crate) fn function<T: Integer>(fun: MathFunction) -> Option<Function> {
    use MathFunction as M;
    Some(match fun {
        M::CountTrailingZeros => |out, args| map1(out, args, |a: T| T::from_count(a.trailing_zeros())),
        M::CountLeadingZeros => |out, args| map1(out, args, |a: T| T::from_count(a.leading_zeros())),
        M::CountOneBits => |out, args| map1(out, args, |a: T| T::from_count(a.count_ones())),
        M::ReverseBits => |out, args| map1(out, args, T::reverse),
        M::FirstTrailingBit => |out, args| map1(out, args, first_trailing_bit::<T>),
        M::FirstLeadingBit => |out, args| map1(out, args, first_leading_bit::<T>),
        M::ExtractBits => extract_bits::<T>,
        M::InsertBits => insert_bits::<T>,
        _ => return None,
    })
}

fn first_trailing_bit<T: Integer>(value: T) -> T {
    if value == T::ZERO { T::ZERO.not() } else { T::from_count(value.trailing_zeros()) }
}

/// The place of the highest bit that differs from the sign; all ones where there is none.
fn first_leading_bit<T: Integer>(value: T) -> T {
    let value = if value.negative() { value.not() } else { value };
    if value == T::ZERO { T::ZERO.not() } else { T::from_count(T::BITS - 1 - value.leading_zeros()) }
}

/// Offset and count of a bit field, cut to the width of `T`.
fn field<T: Integer>(offset: u32, count: u32) -> (u32, u32) {
    let offset = offset.min(T::BITS);
    (offset, count.min(T::BITS - offset))
}

fn extract<T: Integer>(value: T, offset: u32, count: u32) -> T {
    let (offset, count) = field::<T>(offset, count);
    if count == 0 {
        return T::ZERO;
    }
    value.shl(T::BITS - count - offset).shr(T::BITS - count)
}

fn insert<T: Integer>(value: T, new: T, offset: u32, count: u32) -> T {
    let (offset, count) = field::<T>(offset, count);
    if count == 0 {
        return value;
    }
    // The field's ones: those of a full word without the ones above it.
    let ones = T::ZERO.not();
    let above = if count == T::BITS { T::ZERO } else { ones.shl(count) };
    let mask = above.not().shl(offset);
    value.and(mask.not()).or(new.shl(offset).and(mask))
}

/// Operands: value, offset, count.
fn extract_bits<T: Integer>(out: &mut [u32], args: &Args<'_>) {
    let [values, offsets, counts, _] = args.operands;
    let fields = offsets.iter().zip(counts);
    for ((out, &value), (&offset, &count)) in
        words_mut::<T>(out).iter_mut().zip(words::<T>(values)).zip(fields)
    {
        *out = extract(T::get(value), offset, count).put();
    }
}

/// Operands: value, new bits, offset, count.
fn insert_bits<T: Integer>(out: &mut [u32], args: &Args<'_>) {
    let [values, news, offsets, counts] = args.operands;
    let values = words::<T>(values).iter().zip(words::<T>(news));
    let fields = offsets.iter().zip(counts);
    for ((out, (&value, &new)), (&offset, &count)) in words_mut::<T>(out).iter_mut().zip(values).zip(fields) {
        *out = insert(T::get(value), T::get(new), offset, count).put();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_to_the_width() {
        assert_eq!(extract(0b1101_0000u32, 4, 3), 0b101);
        assert_eq!(extract(-16i32, 4, 8), -1);
        assert_eq!(extract(0x8000_0000u32, 31, 9), 1);
        assert_eq!(extract(7u32, 40, 1), 0);
        assert_eq!(extract(-5i64, 0, 64), -5);
        assert_eq!(insert(0u32, 0xffu32, 30, 8), 0xc000_0000);
        assert_eq!(insert(1u32, 9u32, 0, 32), 9);
        assert_eq!(insert(-1i32, 0, 8, 8), 0xffff_00ffu32 as i32);
    }

    #[test]
    fn first_bits() {
        assert_eq!(
            (first_leading_bit(0i32), first_leading_bit(-1i32), first_leading_bit(-2i32)),
            (-1, -1, 0)
        );
        assert_eq!((first_leading_bit(0u32), first_leading_bit(0x8000_0000u32)), (u32::MAX, 31));
        assert_eq!((first_trailing_bit(0u64), first_trailing_bit(8u64)), (u64::MAX, 3));
    }
}
