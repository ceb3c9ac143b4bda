//! Functions from columns to columns: the one signature that every computation of the interpreter has.
//!
//! The columns of a value's components follow each other, so a component-wise function sees a vector as one long
//! column. Knows lanes and masks; does not know which WGSL operation a function stands for.

use crate::lane::Lane;

/// What a [`Function`] reads.
pub(crate) struct Args<'a> {
    /// Up to four operands; unused ones are empty.
    pub operands: [&'a [u32]; 4],
    /// All ones for the lanes that are active; its length is the height of a column.
    pub mask: &'a [u32],
    /// Every lane is active.
    pub full: bool,
    /// Rows of the left, columns of the left, columns of the right operand, where the function works on matrices.
    pub dims: [u8; 3],
    /// Invocations of one subgroup.
    pub subgroup_size: usize,
}

/// Fills the output's columns from the operands'. Inactive lanes of the output may get any value.
pub(crate) type Function = fn(&mut [u32], &Args<'_>);

/// The entries of columns of `T`.
#[inline(always)]
pub(crate) fn words<T: Lane>(columns: &[u32]) -> &[T::Word] {
    bytemuck::cast_slice(columns)
}

/// The entries of columns of `T`, to be written.
#[inline(always)]
pub(crate) fn words_mut<T: Lane>(columns: &mut [u32]) -> &mut [T::Word] {
    bytemuck::cast_slice_mut(columns)
}

/// Applies `f` to every lane, active or not: for operations that vectorise.
#[inline(always)]
pub(crate) fn map1<A: Lane, R: Lane>(out: &mut [u32], args: &Args<'_>, f: impl Fn(A) -> R) {
    for (out, &a) in words_mut::<R>(out).iter_mut().zip(words::<A>(args.operands[0])) {
        *out = f(A::get(a)).put();
    }
}

/// [`map1`] for two operands.
#[inline(always)]
pub(crate) fn map2<A: Lane, B: Lane, R: Lane>(out: &mut [u32], args: &Args<'_>, f: impl Fn(A, B) -> R) {
    let operands = words::<A>(args.operands[0]).iter().zip(words::<B>(args.operands[1]));
    for (out, (&a, &b)) in words_mut::<R>(out).iter_mut().zip(operands) {
        *out = f(A::get(a), B::get(b)).put();
    }
}

/// [`map1`] for three operands.
#[inline(always)]
pub(crate) fn map3<A: Lane, B: Lane, C: Lane, R: Lane>(
    out: &mut [u32],
    args: &Args<'_>,
    f: impl Fn(A, B, C) -> R,
) {
    let operands = words::<A>(args.operands[0]).iter().zip(words::<B>(args.operands[1]));
    let operands = operands.zip(words::<C>(args.operands[2]));
    for (out, ((&a, &b), &c)) in words_mut::<R>(out).iter_mut().zip(operands) {
        *out = f(A::get(a), B::get(b), C::get(c)).put();
    }
}

/// Applies `f` to the active lanes only: for functions that cost far more than looking at the mask.
#[inline(always)]
pub(crate) fn active1<A: Lane, R: Lane>(out: &mut [u32], args: &Args<'_>, f: impl Fn(A) -> R) {
    if args.full {
        return map1(out, args, f);
    }
    let lanes = args.mask.len();
    let out = words_mut::<R>(out).chunks_exact_mut(lanes);
    let a = words::<A>(args.operands[0]).chunks_exact(lanes);
    for (out, a) in out.zip(a) {
        for ((out, &a), &mask) in out.iter_mut().zip(a).zip(args.mask) {
            if mask != 0 {
                *out = f(A::get(a)).put();
            }
        }
    }
}

/// [`active1`] for two operands.
#[inline(always)]
pub(crate) fn active2<A: Lane, B: Lane, R: Lane>(out: &mut [u32], args: &Args<'_>, f: impl Fn(A, B) -> R) {
    if args.full {
        return map2(out, args, f);
    }
    let lanes = args.mask.len();
    let out = words_mut::<R>(out).chunks_exact_mut(lanes);
    let a = words::<A>(args.operands[0]).chunks_exact(lanes);
    let b = words::<B>(args.operands[1]).chunks_exact(lanes);
    for ((out, a), b) in out.zip(a).zip(b) {
        for (((out, &a), &b), &mask) in out.iter_mut().zip(a).zip(b).zip(args.mask) {
            if mask != 0 {
                *out = f(A::get(a), B::get(b)).put();
            }
        }
    }
}

/// The columns of one value, entry by entry.
pub(crate) struct View<'a, T: Lane> {
    words: &'a [T::Word],
    lanes: usize,
}

impl<'a, T: Lane> View<'a, T> {
    /// Operand `n` as columns of `T`.
    pub(crate) fn new(args: &Args<'a>, n: usize) -> Self {
        View { words: words::<T>(args.operands[n]), lanes: args.mask.len() }
    }

    /// How many components the value has.
    pub(crate) fn components(&self) -> usize {
        self.words.len() / self.lanes
    }

    #[inline(always)]
    pub(crate) fn at(&self, component: usize, lane: usize) -> T {
        T::get(self.words[component * self.lanes + lane])
    }

    /// The first `N` components of a lane; those that the value lacks repeat the last one.
    #[inline(always)]
    pub(crate) fn all<const N: usize>(&self, lane: usize) -> [T; N] {
        let last = self.components() - 1;
        std::array::from_fn(|c| self.at(c.min(last), lane))
    }
}

/// Computes all components of each active lane together: `f(lane)` gives them, surplus ones are ignored.
#[inline(always)]
pub(crate) fn lanewise<R: Lane, const N: usize>(
    out: &mut [u32],
    args: &Args<'_>,
    f: impl Fn(usize) -> [R; N],
) {
    let lanes = args.mask.len();
    let out = words_mut::<R>(out);
    let components = out.len() / lanes;
    for (lane, &mask) in args.mask.iter().enumerate() {
        if mask != 0 {
            for (c, value) in f(lane).into_iter().enumerate().take(components) {
                out[c * lanes + lane] = value.put();
            }
        }
    }
}
