//! What the output of a case may be, and whether it is.
//!
//! Floats compare by value, booleans by being zero, everything else bit by bit.

use crate::layout::Scalar;

/// What the cases of a set expect.
#[derive(Debug)]
pub(crate) enum Expectation {
    /// These values: `bits[case * components + component]`.
    Bits(Vec<u32>),
    /// Values from `low` to `high`, likewise indexed.
    Interval { low: Vec<f64>, high: Vec<f64> },
    /// Per case: anything, or one of these.
    Mixed(Vec<Option<Vec<Alternative>>>),
}

/// One acceptable output, component by component.
#[derive(Debug)]
pub(crate) enum Alternative {
    Bits(Vec<u32>),
    Interval(Vec<(f64, f64)>),
}

/// A case that went wrong.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// Its number in the set.
    pub case: usize,
    /// The parameters' scalars as bits.
    pub inputs: Vec<Vec<u32>>,
    /// The output's scalars as bits.
    pub output: Vec<u32>,
    /// What was expected, in words.
    pub expected: String,
}

impl Expectation {
    /// What was expected, where the output is not that.
    pub(crate) fn wrong(&self, case: usize, output: &[u32], scalar: Scalar) -> Option<String> {
        let range = case * output.len()..(case + 1) * output.len();
        match self {
            Expectation::Bits(bits) => {
                let expected = &bits[range];
                (!bits_match(output, expected, scalar)).then(|| format!("{expected:x?}"))
            }
            Expectation::Interval { low, high } => {
                let (low, high) = (&low[range.clone()], &high[range]);
                let bounds: Vec<(f64, f64)> = low.iter().copied().zip(high.iter().copied()).collect();
                (!within(output, &bounds, scalar)).then(|| format!("{bounds:?}"))
            }
            Expectation::Mixed(cases) => {
                let alternatives = cases[case].as_ref()?;
                let fits = alternatives.iter().any(|alternative| match alternative {
                    Alternative::Bits(bits) => bits_match(output, bits, scalar),
                    Alternative::Interval(bounds) => within(output, bounds, scalar),
                });
                (!fits).then(|| format!("one of {alternatives:?}"))
            }
        }
    }
}

fn bits_match(output: &[u32], expected: &[u32], scalar: Scalar) -> bool {
    output.len() == expected.len()
        && output.iter().zip(expected).all(|(&output, &expected)| match scalar {
            Scalar::Int => output == expected,
            Scalar::Bool => (output != 0) == (expected != 0),
            // A NaN that is expected is a NaN in the output.
            Scalar::F32 | Scalar::F16 => {
                let (output, expected) = (scalar.value(output), scalar.value(expected));
                output == expected || output.is_nan() && expected.is_nan()
            }
        })
}

fn within(output: &[u32], bounds: &[(f64, f64)], scalar: Scalar) -> bool {
    output.len() == bounds.len()
        && output.iter().zip(bounds).all(|(&output, &(low, high))| {
            let value = scalar.value(output);
            let anything = low == f64::NEG_INFINITY && high == f64::INFINITY;
            anything || (low <= value && value <= high)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judging() {
        let bits = Expectation::Bits(vec![0x8000_0000, 1]);
        assert_eq!(bits.wrong(0, &[0], Scalar::F32), None);
        assert!(bits.wrong(0, &[0], Scalar::Int).is_some());
        assert_eq!(bits.wrong(1, &[7], Scalar::Bool), None);
        let (infinity, nan) = (f64::INFINITY, f32::NAN.to_bits());
        let interval = Expectation::Interval { low: vec![-infinity, -infinity], high: vec![infinity, 2.0] };
        assert_eq!(interval.wrong(0, &[nan], Scalar::F32), None);
        assert!(interval.wrong(1, &[nan], Scalar::F32).is_some());
        assert_eq!(interval.wrong(1, &[2f32.to_bits()], Scalar::F32), None);
        let mixed = Expectation::Mixed(vec![None, Some(vec![Alternative::Interval(vec![(1.0, 1.0)])])]);
        assert_eq!(mixed.wrong(0, &[nan], Scalar::F32), None);
        assert!(mixed.wrong(1, &[0], Scalar::F32).is_some());
    }
}
