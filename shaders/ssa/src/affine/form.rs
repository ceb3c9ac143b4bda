//! Sums of variables times constants: what integers of a kernel are made of.
//!
//! Knows nothing of what the variables are.

use smallvec::SmallVec;

/// Names something that is not known: see [`Space`](super::space::Space).
pub(crate) type Variable = u32;

/// `constant + Σ coefficient * variable`, every variable once, in order, no coefficient 0.
///
/// As the value of a 32-bit integer it counts modulo 2³²; as a byte offset it is what it says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Form {
    pub(crate) constant: i128,
    pub(crate) terms: SmallVec<[(Variable, i128); 2]>,
}

const WORD: i128 = 1 << 32;

impl Form {
    pub(crate) fn constant(constant: i128) -> Self {
        Form { constant, terms: SmallVec::new() }
    }

    pub(crate) fn variable(variable: Variable) -> Self {
        Form { constant: 0, terms: SmallVec::from_slice(&[(variable, 1)]) }
    }

    pub(crate) fn as_constant(&self) -> Option<i128> {
        self.terms.is_empty().then_some(self.constant)
    }

    pub(crate) fn coefficient(&self, variable: Variable) -> i128 {
        self.terms.iter().find(|&&(v, _)| v == variable).map_or(0, |&(_, c)| c)
    }

    /// `self + factor * other`.
    pub(crate) fn plus(&self, other: &Form, factor: i128) -> Form {
        let mut terms = SmallVec::new();
        let (mut a, mut b) = (&self.terms[..], &other.terms[..]);
        while let Some((variable, coefficient)) = match (a.first(), b.first()) {
            (Some(&(v, c)), Some(&(w, d))) => {
                a = if v <= w { &a[1..] } else { a };
                b = if w <= v { &b[1..] } else { b };
                Some((v.min(w), if v <= w { c } else { 0 } + if w <= v { d * factor } else { 0 }))
            }
            (Some(&term), None) => {
                a = &a[1..];
                Some(term)
            }
            (None, Some(&(w, d))) => {
                b = &b[1..];
                Some((w, d * factor))
            }
            (None, None) => None,
        } {
            if coefficient != 0 {
                terms.push((variable, coefficient));
            }
        }
        Form { constant: self.constant + factor * other.constant, terms }
    }

    pub(crate) fn times(&self, factor: i128) -> Form {
        Form::default().plus(self, factor)
    }

    pub(crate) fn shifted(mut self, by: i128) -> Form {
        self.constant += by;
        self
    }

    /// The same modulo 2³², with the smallest numbers, so that what is subtracted in unsigned numbers looks subtracted.
    pub(crate) fn wrapped(mut self) -> Form {
        let near = |n: i128| (n + WORD / 2).rem_euclid(WORD) - WORD / 2;
        self.constant = near(self.constant);
        self.terms.retain(|(_, coefficient)| {
            *coefficient = near(*coefficient);
            *coefficient != 0
        });
        self
    }

    /// The number q with `self`'s variable part = q * `other`'s, where there is one and it is whole.
    pub(crate) fn multiple_of(&self, other: &Form) -> Option<i128> {
        let (&(_, first), &(_, whole)) = (other.terms.first()?, self.terms.first()?);
        if self.terms.len() != other.terms.len() || whole % first != 0 {
            return None;
        }
        let q = whole / first;
        let same = self.terms.iter().zip(&other.terms).all(|(a, b)| a.0 == b.0 && a.1 == q * b.1);
        same.then_some(q)
    }
}

/// The multiple of 2³² to add, so that numbers from `lo` to `hi` become the 32-bit integers that they stand for.
pub(crate) fn window(lo: i128, hi: i128, signed: bool) -> Option<i128> {
    let origin = if signed { -(WORD / 2) } else { 0 };
    let (first, last) = ((lo - origin).div_euclid(WORD), (hi - origin).div_euclid(WORD));
    (first == last).then_some(-first * WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_meet_term_by_term() {
        let a = Form::variable(1).times(3).plus(&Form::variable(4), 2).shifted(7);
        let b = Form::variable(2).plus(&Form::variable(4), 1).shifted(1);
        let sum = a.plus(&b, -2);
        assert_eq!(sum, Form { constant: 5, terms: SmallVec::from_slice(&[(1, 3), (2, -2)]) });
    }

    #[test]
    fn unsigned_subtraction_is_subtraction() {
        let minus_one = Form::variable(0).shifted(0xffff_ffff).wrapped();
        assert_eq!(minus_one, Form::variable(0).shifted(-1));
        assert_eq!(window(0, 5, false), Some(0));
        assert_eq!(window(-1, 5, false), None);
        assert_eq!(window(-1, 5, true), Some(0));
        assert_eq!(window(-3, -1, false), Some(WORD));
    }

    #[test]
    fn multiples_are_whole_and_of_the_same_variables() {
        let a = Form::variable(0).plus(&Form::variable(1), 4);
        assert_eq!(a.times(-3).shifted(9).multiple_of(&a), Some(-3));
        assert_eq!(a.multiple_of(&a.times(2)), None);
        assert_eq!(a.multiple_of(&Form::variable(0)), None);
    }
}
