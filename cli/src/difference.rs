//! Where two arrays of one type part, and by how much.
//!
//! Knows numbers only.

use std::fmt;

use half::f16;
use serde::Serialize;
use warpweft::Scalar;

/// Two arrays that differ.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// The binding.
    pub(crate) binding: String,
    /// The first element that differs, in the order of memory.
    pub(crate) element: usize,
    /// What the interpreter has there.
    pub(crate) expected: String,
    /// What was found.
    pub(crate) found: String,
    /// How far they are apart in units in the last place; `None` for integers, and where one is NaN.
    pub(crate) ulps: Option<u64>,
    /// Elements that differ.
    pub(crate) count: usize,
    /// Elements in all.
    pub(crate) of: usize,
    /// The largest distance of any element.
    pub(crate) most_ulps: Option<u64>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { binding, element, expected, found, count, of, .. } = self;
        write!(f, "{binding}[{element}] is {found} instead of {expected}")?;
        if let Some(ulps) = self.ulps {
            write!(f, " ({ulps} ULP)")?;
        }
        write!(f, "; {count} of {of} elements differ")?;
        if let Some(most) = self.most_ulps {
            write!(f, ", by at most {most} ULP")?;
        }
        Ok(())
    }
}

/// A number: its place on the line of all numbers of its type, and how it is written.
struct Number {
    /// `None` for integers and NaN.
    place: Option<i64>,
    text: String,
}

/// Where the arrays part by more than so many units in the last place; NaN equals NaN, and zero equals zero.
///
/// Without a tolerance, zeros of different signs differ.
pub(crate) fn compare(
    binding: &str,
    scalar: Scalar,
    expected: &[u8],
    found: &[u8],
    ulps: u64,
) -> Option<Difference> {
    let size = scalar.size() as usize;
    let mut difference: Option<Difference> = None;
    for (element, (expected, found)) in expected.chunks(size).zip(found.chunks(size)).enumerate() {
        if expected == found {
            continue;
        }
        let (a, b) = (number(scalar, expected), number(scalar, found));
        if a.text == "NaN" && b.text == "NaN" {
            continue;
        }
        let apart = a.place.zip(b.place).map(|(a, b)| a.abs_diff(b));
        if apart.is_some_and(|apart| ulps > 0 && apart <= ulps) {
            continue;
        }
        let first = difference.get_or_insert_with(|| Difference {
            binding: binding.to_owned(),
            element,
            expected: a.text,
            found: b.text,
            ulps: apart,
            count: 0,
            of: 0,
            most_ulps: None,
        });
        first.count += 1;
        first.most_ulps = first.most_ulps.max(apart);
    }
    if let Some(difference) = &mut difference {
        difference.of = expected.len().div_ceil(size);
    }
    difference
}

fn number(scalar: Scalar, bytes: &[u8]) -> Number {
    let mut wide = [0; 8];
    wide[..bytes.len().min(8)].copy_from_slice(&bytes[..bytes.len().min(8)]);
    let bits = u64::from_le_bytes(wide);
    // Counting away from zero: the place of -x is minus that of x, so that zeros coincide.
    let place = |sign: u32| {
        let size = (bits & !(1 << sign)) as i64;
        Some(if bits >> sign & 1 == 1 { -size } else { size })
    };
    let float = |nan: bool, place: Option<i64>, text: String| match nan {
        true => Number { place: None, text: "NaN".into() },
        false => Number { place, text },
    };
    let whole = |text: String| Number { place: None, text };
    match scalar {
        Scalar::F16 => {
            let value = f16::from_bits(bits as u16);
            float(value.is_nan(), place(15), format!("{value:?}"))
        }
        Scalar::F32 => {
            let value = f32::from_bits(bits as u32);
            float(value.is_nan(), place(31), format!("{value:?}"))
        }
        Scalar::F64 => {
            let value = f64::from_bits(bits);
            float(value.is_nan(), place(63), format!("{value:?}"))
        }
        Scalar::I16 => whole((bits as i16).to_string()),
        Scalar::I32 => whole((bits as i32).to_string()),
        Scalar::I64 => whole((bits as i64).to_string()),
        Scalar::U16 | Scalar::U32 | Scalar::U64 | Scalar::Bool => whole(bits.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(expected: &[f32], found: &[f32], ulps: u64) -> Option<Difference> {
        compare("x", Scalar::F32, bytemuck::cast_slice(expected), bytemuck::cast_slice(found), ulps)
    }

    #[test]
    fn floats_are_apart_by_units_in_the_last_place() {
        let next = f32::from_bits(1.5f32.to_bits() + 3);
        let difference = floats(&[1.0, 1.5, f32::NAN], &[1.0, next, -f32::NAN], 0).unwrap();
        assert_eq!(
            (difference.element, difference.ulps, difference.count, difference.of),
            (1, Some(3), 1, 3)
        );
        assert_eq!(floats(&[1.0, 1.5], &[1.0, next], 3), None);
        assert!(floats(&[1.0, 1.5], &[1.0, next], 2).is_some());
        let across = floats(&[f32::from_bits(1)], &[-f32::from_bits(1)], 0).unwrap();
        assert_eq!(across.most_ulps, Some(2));
        assert_eq!(floats(&[0.0], &[-0.0], 0).unwrap().ulps, Some(0));
        assert_eq!(floats(&[0.0], &[-0.0], 1), None);
        assert_eq!(floats(&[f32::NAN], &[1.0], 100).unwrap().ulps, None);
    }

    #[test]
    fn integers_are_equal_or_not() {
        let (a, b) = ([1i32, -2, 3], [1i32, -3, 4]);
        let difference =
            compare("n", Scalar::I32, bytemuck::cast_slice(&a), bytemuck::cast_slice(&b), 100).unwrap();
        assert_eq!((difference.count, difference.ulps), (2, None));
        assert_eq!(difference.to_string(), "n[1] is -3 instead of -2; 2 of 3 elements differ");
    }
}
