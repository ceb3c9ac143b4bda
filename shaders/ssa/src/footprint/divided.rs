//! Which quotients and remainders in a byte offset take every value of a range.
//!
//! Knows nothing of bytes, nor of where the divisions are in the kernel.

use super::image::contiguous;
use crate::affine::{Form, Piece, Quotient, Space, Variable};
use smallvec::SmallVec;

/// The divisions of which a form has the quotient or the remainder.
pub(super) fn quotients<'s>(space: &'s Space, form: &Form) -> SmallVec<[&'s Quotient; 1]> {
    let mut found: SmallVec<[&Quotient; 1]> = SmallVec::new();
    for &(variable, _) in &form.terms {
        if let Some(q) = space.quotient(variable)
            && !found.iter().any(|known| known.quotient == q.quotient)
        {
            found.push(q);
        }
    }
    found
}

/// Quotients and remainders that take every value of a range, whatever the rest of a form is: what they are divided from
/// does, and the form has nothing else of it.
#[derive(Default)]
pub(super) struct Divided {
    ranges: SmallVec<[(Variable, i128, i128); 2]>,
    /// What the sources are made of.
    pub(super) variables: SmallVec<[Variable; 8]>,
    /// The piece's conditions that are taken into account with that, by index.
    pub(super) cuts: SmallVec<[usize; 2]>,
}

impl Divided {
    /// The values that a quotient or a remainder takes, every one of them.
    pub(super) fn range(&self, variable: Variable) -> Option<(i128, i128)> {
        self.ranges.iter().find(|(known, ..)| *known == variable).map(|&(_, lo, hi)| (lo, hi))
    }

    /// Takes one in, if it is like that.
    pub(super) fn add(
        &mut self,
        space: &Space,
        piece: &Piece,
        form: &Form,
        q: &Quotient,
        source: &Form,
    ) -> Option<()> {
        let alone =
            |v: Variable| space.info(v).exact && form.coefficient(v) == 0 && !self.variables.contains(&v);
        if !source.terms.iter().all(|&(variable, _)| alone(variable)) {
            return None;
        }
        let (mut lo, mut hi) = contiguous(space, piece, source)?;
        let mut cuts: SmallVec<[usize; 2]> = SmallVec::new();
        for (at, cut) in piece.linear.iter().enumerate() {
            if cut.sum.terms.iter().all(|&(variable, _)| source.coefficient(variable) == 0) {
                continue;
            }
            let factor = source.multiple_of(&cut.sum).filter(|factor| factor.abs() == 1)?;
            let (a, b) = (factor * cut.lo, factor * cut.hi);
            (lo, hi) = (lo.max(a.min(b)), hi.min(a.max(b)));
            cuts.push(at);
        }
        let (lo, hi) = (lo + source.constant, hi + source.constant);
        if lo < 0 || lo > hi {
            return None;
        }
        let (first, last) = (lo / q.by, hi / q.by);
        let rest = if first == last { (lo % q.by, hi % q.by) } else { (0, q.by - 1) };
        // Only some remainders come about, or not with every quotient.
        let (of_quotient, of_rest) = (form.coefficient(q.quotient) != 0, form.coefficient(q.remainder) != 0);
        let whole = first == last || lo % q.by == 0 && hi % q.by == q.by - 1;
        if of_rest && !whole && (of_quotient || hi - lo + 1 < q.by) {
            return None;
        }
        self.ranges.extend([(q.quotient, first, last), (q.remainder, rest.0, rest.1)]);
        self.variables.extend(source.terms.iter().map(|&(variable, _)| variable));
        self.cuts.extend(cuts);
        Some(())
    }
}
