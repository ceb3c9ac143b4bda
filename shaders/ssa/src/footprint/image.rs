//! From byte offsets as forms to the bytes themselves.
//!
//! A form over a box is a pattern: runs of bytes, again and again at some distances. Patterns that fit into each other's
//! gaps are put together before anything is spelled out, so that members of structures become whole arrays.

use super::divided::{Divided, quotients};
use super::set::ByteSet;
use super::{Mode, Use};
use crate::affine::{Form, GLOBAL, LOCAL, Piece, Quotient, Space, Variable, WORKGROUP};
use smallvec::SmallVec;
use std::ops::Range;

/// More ranges than this are not spelled out.
const RANGES: i128 = 1 << 16;
/// A use is looked at in at most so many parts, tried or found.
const PARTS: usize = 128;
/// And all uses of a binding in so many.
pub(super) const ALL_PARTS: usize = 1024;

/// Distances and counts, nearest first.
type Repeats = SmallVec<[(i128, i128); 3]>;

/// Bytes from `start` to `end`, repeated.
pub(super) struct Pattern {
    repeats: Repeats,
    start: i128,
    end: i128,
    /// It is just that; else some of it may be missing.
    pub(super) exact: bool,
}

/// A use with its ids told apart where they are needed apart: either an axis' global id, or workgroup and local ids.
pub(super) fn told_apart(
    space: &Space,
    origins: &[Piece],
    size: [u32; 3],
    at: &Use,
    axes: [bool; 3],
) -> Option<(Form, Piece)> {
    let (mut form, mut piece) = (at.form.clone(), at.piece.clone());
    for axis in 0..3u32 {
        if !axes[axis as usize] {
            continue;
        }
        let (ids, global) = (ids(axis, size), GLOBAL + axis);
        let replace = |form: &Form| without_global(form, axis, size);
        form = replace(&form);
        let size = i128::from(size[axis as usize]);
        let (lo, hi) = space.range(&piece, global);
        let cuts = std::mem::take(&mut piece.linear);
        piece.ranges.retain(|(variable, ..)| *variable != global);
        let (from, to) = space.range(&origins[piece.origin as usize], WORKGROUP + axis);
        if lo > from * size || hi < to * size + size - 1 {
            piece = space.cut(&piece, &ids, lo, hi)?;
        }
        for cut in cuts {
            piece = space.cut(&piece, &replace(&cut.sum), cut.lo, cut.hi)?;
        }
    }
    Some((form, piece))
}

/// An axis' global id by workgroup and local ids.
fn ids(axis: u32, size: [u32; 3]) -> Form {
    Form::variable(LOCAL + axis).plus(&Form::variable(WORKGROUP + axis), size[axis as usize].into())
}

fn without_global(form: &Form, axis: u32, size: [u32; 3]) -> Form {
    let factor = form.coefficient(GLOBAL + axis);
    if factor == 0 {
        return form.clone();
    }
    form.plus(&Form::variable(GLOBAL + axis), -factor).plus(&ids(axis, size), factor)
}

/// The axes along which a use looks at workgroup or local ids.
pub(super) fn axes_apart(space: &Space, origins: &[Piece], at: &Use) -> [bool; 3] {
    let origin = &origins[at.piece.origin as usize];
    std::array::from_fn(|axis| {
        [WORKGROUP, LOCAL].iter().any(|first| {
            let variable = first + axis as Variable;
            at.form.coefficient(variable) != 0
                || at.piece.linear.iter().any(|cut| cut.sum.coefficient(variable) != 0)
                || space.range(&at.piece, variable) != space.range(origin, variable)
        })
    })
}

/// A use, or the part of it where some variables have one value.
#[derive(Clone)]
struct Part<'s> {
    form: Form,
    piece: Piece,
    /// The divisions of which the form has the quotient or the remainder, and what is divided.
    divisions: SmallVec<[(&'s Quotient, Form); 1]>,
}

/// The bytes of a use: at least them, and just them where a pattern says so. Takes the parts that it looks at from a budget.
pub(super) fn patterns(
    space: &Space,
    origins: &[Piece],
    size: [u32; 3],
    at: &Use,
    budget: &mut usize,
) -> SmallVec<[Pattern; 1]> {
    let mut axes = axes_apart(space, origins, at);
    let quotients = quotients(space, &at.form);
    for q in &quotients {
        axes = std::array::from_fn(|axis| {
            let ids = [WORKGROUP, LOCAL].map(|first| first + axis as Variable);
            axes[axis] || ids.iter().any(|&id| q.source.coefficient(id) != 0)
        });
    }
    let mut found = SmallVec::new();
    let Some((form, piece)) = told_apart(space, origins, size, at, axes) else { return found };
    let divisions = quotients.into_iter().map(|q| {
        let apart = (0..3u32).filter(|&axis| axes[axis as usize]);
        (q, apart.fold(q.source.clone(), |source, axis| without_global(&source, axis, size)))
    });
    let whole = Part { form, piece, divisions: divisions.collect() };
    let Some((pattern, obstacle)) = pattern(space, &whole, at.size) else { return found };
    let split = obstacle.filter(|_| at.access.writes && !at.access.reads);
    let mut left = PARTS.min(*budget);
    let before = left;
    let done = split.is_some_and(|variable| each(space, &whole, at.size, variable, &mut left, &mut found));
    *budget -= before - left;
    if !done {
        found.clear();
        found.push(pattern);
    }
    found
}

/// The patterns of a part for each value of a variable; false where there are too many.
fn each(
    space: &Space,
    part: &Part<'_>,
    size: u32,
    variable: Variable,
    left: &mut usize,
    found: &mut SmallVec<[Pattern; 1]>,
) -> bool {
    let (lo, hi) = space.range(&part.piece, variable);
    if hi - lo >= *left as i128 {
        return false;
    }
    (lo..=hi).all(|value| {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        let Some(part) = part.at(space, variable, value) else { return true };
        let Some((pattern, obstacle)) = pattern(space, &part, size) else { return true };
        if let Some(next) = obstacle {
            return each(space, &part, size, next, left, found);
        }
        found.push(pattern);
        true
    })
}

impl Part<'_> {
    /// Where a variable has one value; nothing where nobody is.
    fn at(&self, space: &Space, variable: Variable, value: i128) -> Option<Self> {
        let put = |form: &Form| {
            let factor = form.coefficient(variable);
            form.plus(&Form::variable(variable), -factor).shifted(factor * value)
        };
        let mut part = self.clone();
        part.form = put(&self.form);
        part.divisions.iter_mut().for_each(|(_, source)| *source = put(source));
        let cuts = std::mem::take(&mut part.piece.linear);
        part.piece = space.cut(&part.piece, &Form::variable(variable), value, value)?;
        for cut in cuts {
            part.piece = space.cut(&part.piece, &put(&cut.sum), cut.lo, cut.hi)?;
        }
        Some(part)
    }
}

/// The bytes of a part, and where it is not just them only for conditions on several variables, one that had better have
/// one value. Nothing where there are none.
fn pattern(space: &Space, part: &Part<'_>, size: u32) -> Option<(Pattern, Option<Variable>)> {
    let (mut form, piece) = (part.form.clone(), &part.piece);
    let mut divided = Divided::default();
    for (q, source) in &part.divisions {
        divided.add(space, piece, &form, q, source);
    }
    let known = |variable| space.info(variable).exact || divided.range(variable).is_some();
    let sure = piece.exact && form.terms.iter().all(|&(variable, _)| known(variable));
    let mut exact = true;
    let mut repeats = Repeats::new();
    let (least, most) = space.interval(piece, &form);
    let mut start = 0;
    let mut seen = divided.variables.clone();
    for (at, cut) in piece.linear.iter().enumerate() {
        if divided.cuts.contains(&at) {
            continue;
        }
        let variables = || cut.sum.terms.iter().map(|&(variable, _)| variable);
        let Some(factor) = common_factor(&form, &cut.sum) else {
            exact = false;
            continue;
        };
        let Some((lo, hi)) =
            contiguous(space, piece, &cut.sum).filter(|_| !variables().any(|v| seen.contains(&v)))
        else {
            exact = false;
            continue;
        };
        seen.extend(variables());
        let (lo, hi) = (lo.max(cut.lo), hi.min(cut.hi));
        if lo > hi {
            return None;
        }
        if factor != 0 {
            form = form.plus(&cut.sum, -factor);
            repeat(&mut repeats, &mut start, factor, lo, hi);
        }
    }
    for &(variable, coefficient) in &form.terms {
        let (lo, hi) = divided.range(variable).unwrap_or_else(|| space.range(piece, variable));
        repeat(&mut repeats, &mut start, coefficient, lo, hi);
    }
    start += form.constant;
    let mut pattern = Pattern { repeats, start, end: start + i128::from(size), exact: sure && exact };
    pattern.simplify();
    if pattern.repeats.is_empty() {
        // What cannot be cut by condition can at least be cut at both ends.
        pattern.start = pattern.start.max(least);
        pattern.end = pattern.end.min(most + i128::from(size));
    }
    let obstacle = if sure && !exact { fewest(space, piece) } else { None };
    (pattern.start < pattern.end).then_some((pattern, obstacle))
}

/// The variable with the fewest values of those that conditions join.
fn fewest(space: &Space, piece: &Piece) -> Option<Variable> {
    let count = |&variable: &Variable| {
        let (lo, hi) = space.range(piece, variable);
        hi - lo
    };
    piece.linear.iter().flat_map(|cut| cut.sum.terms.iter().map(|&(v, _)| v)).min_by_key(count)
}

/// The factor that all of a cut's variables have in a form.
fn common_factor(form: &Form, cut: &Form) -> Option<i128> {
    let mut found = None;
    for &(variable, coefficient) in &cut.terms {
        let in_form = form.coefficient(variable);
        if in_form % coefficient != 0 || found.is_some_and(|known| known != in_form / coefficient) {
            return None;
        }
        found = Some(in_form / coefficient);
    }
    found
}

/// The range of a sum without its constant, where it is every number in it.
pub(super) fn contiguous(space: &Space, piece: &Piece, sum: &Form) -> Option<(i128, i128)> {
    let (mut repeats, mut start) = (Repeats::new(), 0);
    for &(variable, coefficient) in &sum.terms {
        let (lo, hi) = space.range(piece, variable);
        repeat(&mut repeats, &mut start, coefficient, lo, hi);
    }
    let mut pattern = Pattern { repeats, start, end: start + 1, exact: true };
    pattern.simplify();
    pattern.repeats.is_empty().then_some((pattern.start, pattern.end - 1))
}

fn repeat(repeats: &mut Repeats, start: &mut i128, coefficient: i128, lo: i128, hi: i128) {
    *start += coefficient * if coefficient > 0 { lo } else { hi };
    if hi > lo {
        repeats.push((coefficient.abs(), hi - lo + 1));
    }
}

impl Pattern {
    /// Takes repeats into the run as far as they leave no gap, and joins those that go on where another ends.
    fn simplify(&mut self) {
        self.repeats.sort_unstable();
        let mut left = Repeats::new();
        for &(distance, count) in &self.repeats {
            let run = self.end - self.start;
            if left.is_empty() && distance <= run {
                self.end += distance * (count - 1);
                continue;
            }
            match left.last_mut() {
                Some((inner, n)) if distance == *inner * *n => *n *= count,
                _ => left.push((distance, count)),
            }
        }
        self.repeats = left;
    }
}

/// The union of patterns within a binding of so many bytes; of all, or of what is sure.
pub(super) fn union(patterns: impl Iterator<Item = Pattern>, bytes: u64, mode: Mode) -> ByteSet {
    let mut patterns: Vec<Pattern> = patterns.filter(|p| mode == Mode::May || p.exact).collect();
    let mut ranges: Vec<Range<u64>> = Vec::new();
    let clip = |n: i128| n.clamp(0, bytes.into()) as u64;
    // From the most repeated to the least: what is put together has fewer repeats than its parts.
    while !patterns.is_empty() {
        patterns.sort_unstable_by(|a, b| {
            (a.repeats.len(), &a.repeats, a.start).cmp(&(b.repeats.len(), &b.repeats, b.start))
        });
        let Some(last) = patterns.last() else { break };
        let repeats = last.repeats.clone();
        let first = patterns.partition_point(|p| (p.repeats.len(), &p.repeats) < (repeats.len(), &repeats));
        let alike = patterns.split_off(first);
        let Some(&(distance, _)) = repeats.first() else {
            ranges.extend(alike.iter().map(|p| clip(p.start)..clip(p.end)));
            continue;
        };
        let mut runs: Vec<(i128, i128)> = Vec::new();
        for pattern in alike {
            match runs.last_mut() {
                Some((_, end)) if pattern.start <= *end => *end = pattern.end.max(*end),
                _ => runs.push((pattern.start, pattern.end)),
            }
        }
        for (start, end) in runs {
            let mut pattern = Pattern { repeats: repeats.clone(), start, end, exact: true };
            if end - start >= distance {
                pattern.simplify();
                patterns.push(pattern);
                continue;
            }
            let count: i128 = repeats.iter().fold(1, |count, (_, n)| count.saturating_mul(*n));
            if count + ranges.len() as i128 > RANGES {
                if mode == Mode::May {
                    let span: i128 = repeats.iter().map(|(distance, n)| distance * (n - 1)).sum();
                    ranges.push(clip(start)..clip(end + span));
                }
                continue;
            }
            spell_out(&repeats, &mut |offset| ranges.push(clip(start + offset)..clip(end + offset)));
        }
    }
    ByteSet::new(ranges)
}

fn spell_out(repeats: &[(i128, i128)], put: &mut dyn FnMut(i128)) {
    match repeats {
        [] => put(0),
        [rest @ .., (distance, count)] => {
            for i in 0..*count {
                spell_out(rest, &mut |offset| put(offset + i * distance));
            }
        }
    }
}
