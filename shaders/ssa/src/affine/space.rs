//! Where a point of a kernel is reached: boxes of variables, cut by affine conditions.
//!
//! A [`Piece`] is one such box; who comes to a point is a list of pieces that have nothing in common. A piece is *exact*
//! while each of its points is known to come there; else some of them may not. Knows nothing of statements.

use super::form::{Form, Variable, window};
use smallvec::SmallVec;

/// The variables that every kernel has, by axis: `global = size * workgroup + local`.
pub(crate) const GLOBAL: Variable = 0;
pub(crate) const WORKGROUP: Variable = 3;
pub(crate) const LOCAL: Variable = 6;
/// How many those are.
pub(crate) const FIXED: usize = 9;

/// Beyond any number that is computed with.
const FAR: i128 = 1 << 100;

/// What a variable may be, wherever it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info {
    pub(crate) lo: i128,
    pub(crate) hi: i128,
    /// Every value in the range comes about: an id, or a round of a loop. Others are just not known.
    pub(crate) exact: bool,
    /// It counts the rounds of a loop, and how many there are does not hang on data.
    pub(crate) counted: bool,
}

/// A condition on several variables: `lo ≤ Σ terms ≤ hi`. The form's constant is 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Linear {
    pub(crate) sum: Form,
    pub(crate) lo: i128,
    pub(crate) hi: i128,
}

/// A box of variables, cut by conditions.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Where they are narrower than [`Info`] says.
    pub(crate) ranges: SmallVec<[(Variable, i64, i64); FIXED]>,
    pub(crate) linear: SmallVec<[Linear; 2]>,
    /// Everybody inside comes here.
    pub(crate) exact: bool,
    /// Which box of the launch it is cut from.
    pub(crate) origin: u32,
    /// The share of its points that are believed to come here, for want of knowledge.
    pub(crate) share: f32,
}

/// Every variable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Space {
    pub(crate) variables: Vec<Info>,
    pub(crate) quotients: Vec<Quotient>,
}

/// `source = by * quotient + remainder`, as integers, wherever one of the two is the value of something.
#[derive(Clone, Debug)]
pub(crate) struct Quotient {
    pub(crate) source: Form,
    pub(crate) by: i128,
    pub(crate) quotient: Variable,
    pub(crate) remainder: Variable,
}

impl Space {
    /// A variable of which only the range is known.
    pub(crate) fn unknown(&mut self, lo: i128, hi: i128) -> Variable {
        self.add(Info { lo, hi: hi.max(lo), exact: false, counted: false })
    }

    /// The number of a loop's round, from 0.
    pub(crate) fn round(&mut self, hi: i128) -> Variable {
        self.add(Info { lo: 0, hi, exact: true, counted: false })
    }

    pub(crate) fn add(&mut self, info: Info) -> Variable {
        self.variables.push(info);
        self.variables.len() as Variable - 1
    }

    pub(crate) fn info(&self, variable: Variable) -> Info {
        self.variables[variable as usize]
    }

    /// All that it is made of is known to take every value of its range.
    pub(crate) fn is_exact(&self, form: &Form) -> bool {
        form.terms.iter().all(|&(variable, _)| self.info(variable).exact)
    }

    /// What a variable may be in a piece.
    pub(crate) fn range(&self, piece: &Piece, variable: Variable) -> (i128, i128) {
        match piece.ranges.iter().find(|&&(v, ..)| v == variable) {
            Some(&(_, lo, hi)) => (lo.into(), hi.into()),
            None => (self.info(variable).lo, self.info(variable).hi),
        }
    }

    /// What a form may be in a piece, as an integer.
    pub(crate) fn interval(&self, piece: &Piece, form: &Form) -> (i128, i128) {
        let (mut lo, mut hi) = (form.constant, form.constant);
        for &(variable, coefficient) in &form.terms {
            let (from, to) = self.range(piece, variable);
            let (a, b) = (coefficient.saturating_mul(from), coefficient.saturating_mul(to));
            (lo, hi) = (lo.saturating_add(a.min(b)), hi.saturating_add(a.max(b)));
        }
        for cut in &piece.linear {
            let Some(factor) = form.multiple_of(&cut.sum) else { continue };
            let (a, b) = (factor.saturating_mul(cut.lo), factor.saturating_mul(cut.hi));
            lo = lo.max(form.constant.saturating_add(a.min(b)));
            hi = hi.min(form.constant.saturating_add(a.max(b)));
        }
        (lo, hi)
    }

    /// What a form may be in any of the pieces.
    pub(crate) fn hull(&self, pieces: &[Piece], form: &Form) -> Option<(i128, i128)> {
        let intervals = pieces.iter().map(|piece| self.interval(piece, form));
        intervals.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }

    /// The form of the integer that a 32-bit value is in all these pieces.
    pub(crate) fn resolve(&self, pieces: &[Piece], form: &Form, signed: bool) -> Option<Form> {
        let (lo, hi) = self.hull(pieces, form)?;
        Some(form.clone().shifted(window(lo, hi, signed)?))
    }

    /// Where a variable comes from, if it is a quotient or a remainder.
    pub(crate) fn quotient(&self, variable: Variable) -> Option<&Quotient> {
        let of = |q: &&Quotient| q.quotient == variable || q.remainder == variable;
        if self.info(variable).exact { None } else { self.quotients.iter().find(of) }
    }

    /// What [`Space::cut`] gives, by what a quotient is the quotient of, so that who comes here stays exact.
    pub(crate) fn cut_source(&self, piece: &Piece, form: &Form, lo: i128, hi: i128) -> Option<Piece> {
        let (from, to) = self.interval(piece, form);
        if let &[(variable, factor)] = &form.terms[..]
            && let Some(q) = self.quotient(variable).filter(|q| q.quotient == variable)
            && (from < lo || hi < to)
        {
            let (least, most) = (lo.max(from) - form.constant, hi.min(to) - form.constant);
            let (least, most) = if factor > 0 {
                (div_up(least, factor), most.div_euclid(factor))
            } else {
                (div_up(-most, -factor), (-least).div_euclid(-factor))
            };
            let mut piece = self.cut(piece, &q.source, least * q.by, most * q.by + q.by - 1)?;
            self.narrow(&mut piece, variable, least, most)?;
            return Some(piece);
        }
        self.cut(piece, form, lo, hi)
    }

    /// The part of a piece where `lo ≤ form ≤ hi`, as integers; nothing where there is none.
    pub(crate) fn cut(&self, piece: &Piece, form: &Form, lo: i128, hi: i128) -> Option<Piece> {
        let (from, to) = self.interval(piece, form);
        if lo <= from && to <= hi {
            return Some(piece.clone());
        }
        if to < lo || hi < from || lo > hi {
            return None;
        }
        let mut piece = piece.clone();
        if !self.is_exact(form) {
            piece.exact = false;
            piece.share /= 2.0;
        }
        let (lo, hi) = ((lo - form.constant).max(-FAR), (hi - form.constant).min(FAR));
        if form.terms.len() > 1 {
            self.add_linear(&mut piece, Linear { sum: Form { constant: 0, ..form.clone() }, lo, hi });
        }
        // What is left for each variable when the others are as small, or as large, as can be.
        for &(variable, coefficient) in &form.terms {
            let rest = form.plus(&Form::variable(variable), -coefficient);
            let (rest_lo, rest_hi) = self.interval(&piece, &Form { constant: 0, ..rest });
            let (least, most) = (lo.saturating_sub(rest_hi), hi.saturating_sub(rest_lo));
            let (least, most) = if coefficient > 0 {
                (div_up(least, coefficient), most.div_euclid(coefficient))
            } else {
                (div_up(-most, -coefficient), (-least).div_euclid(-coefficient))
            };
            self.narrow(&mut piece, variable, least, most)?;
        }
        Some(piece)
    }

    fn add_linear(&self, piece: &mut Piece, new: Linear) {
        for known in &mut piece.linear {
            if let Some(factor @ (1 | -1)) = new.sum.multiple_of(&known.sum) {
                let (a, b) = (factor * new.lo, factor * new.hi);
                known.lo = known.lo.max(a.min(b));
                known.hi = known.hi.min(a.max(b));
                return;
            }
        }
        piece.linear.push(new);
    }

    fn narrow(&self, piece: &mut Piece, variable: Variable, lo: i128, hi: i128) -> Option<()> {
        let (from, to) = self.range(piece, variable);
        let (lo, hi) = (lo.max(from), hi.min(to));
        if lo > hi {
            return None;
        }
        let narrow = |n: i128| n.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        let (lo, hi) = (narrow(lo), narrow(hi));
        match piece.ranges.iter_mut().find(|(v, ..)| *v == variable) {
            Some(range) => *range = (variable, lo, hi),
            None => piece.ranges.push((variable, lo, hi)),
        }
        Some(())
    }
}

fn div_up(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}
