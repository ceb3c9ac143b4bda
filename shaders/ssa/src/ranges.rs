//! What holds for every launch: which indices cannot be out of bounds, how large integers can be, which conditions are
//! always the same.
//!
//! Unsigned numbers wrap around: what could fall below zero, or beyond 2³² − 1, counts as anything. Knows nothing of what
//! is done with a proof.

use crate::affine::{Access, Form, Piece, State, Visitor, walk};
use crate::ir::{Function, Index, Limit, Place, Root, Value};
use crate::orders::{Orders, Phases};
use crate::uniformity::Uniformity;
use std::slice;
use warpweft_module::Scalar;

/// What is proven of a kernel.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// Sorted by value and limit: whether every place with this index is in bounds there.
    indices: Vec<(Value, Limit, bool)>,
    intervals: Vec<Option<(i64, i64)>>,
    decided: Vec<Option<bool>>,
}

impl Ranges {
    /// Analyses a kernel.
    ///
    /// # Panics
    /// Where the function breaks a rule of [`ir`](crate::ir).
    pub fn new(function: &Function) -> Self {
        let mut prover = Prover::new(function);
        walk(function, None, &mut prover);
        prover.found()
    }

    /// Analyses a kernel, and its barriers on the way.
    ///
    /// # Panics
    /// Where the function breaks a rule of [`ir`](crate::ir).
    pub fn with_orders(function: &Function, uniformity: &Uniformity) -> (Self, Orders) {
        let mut both = (Prover::new(function), Phases::default());
        let state = walk(function, None, &mut both);
        let (prover, phases) = both;
        (prover.found(), phases.orders(&state, uniformity))
    }

    /// An index of a place of this function is below its limit, wherever a place has it. With a limit of
    /// [`Limit::Runtime`], that is a matter of the binding: it holds for every binding that is indexed so.
    pub fn proves(&self, index: &Index) -> bool {
        let key = (index.value, order(index.limit));
        let found = self.indices.binary_search_by_key(&key, |&(value, limit, _)| (value, order(limit)));
        found.is_ok_and(|at| self.indices[at].2)
    }

    /// The smallest and the largest that a `u32` or `i32` can be where it is defined; nothing where that is anything, and
    /// for parameters and results.
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn interval(&self, value: Value) -> Option<(i64, i64)> {
        self.intervals[value.0 as usize]
    }

    /// What a condition is, where that is always the same; nothing for parameters and results.
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn decided(&self, condition: Value) -> Option<bool> {
        self.decided[condition.0 as usize]
    }
}

fn order(limit: Limit) -> (u8, u32) {
    match limit {
        Limit::Fixed(limit) => (0, limit),
        Limit::Runtime { offset } => (1, offset),
    }
}

struct Prover {
    indices: Vec<(Value, Limit, bool)>,
    intervals: Vec<Option<(i64, i64)>>,
    decided: Vec<Option<bool>>,
}

impl Prover {
    fn new(function: &Function) -> Self {
        let count = function.values.len();
        Self { indices: Vec::new(), intervals: vec![None; count], decided: vec![None; count] }
    }

    fn found(self) -> Ranges {
        let Self { mut indices, intervals, decided } = self;
        let key = |&(value, limit, _): &(Value, Limit, bool)| (value, order(limit));
        indices.sort_unstable_by_key(key);
        indices.dedup_by(|next, kept| {
            let same = key(next) == key(kept);
            if same {
                kept.2 &= next.2;
            }
            same
        });
        Ranges { indices, intervals, decided }
    }
}

impl Visitor for Prover {
    fn value(&mut self, state: &mut State<'_>, value: Value, pieces: &[Piece]) {
        if state.function.ty(value) == Scalar::Bool {
            // Where it is defined, not where it is asked: inside its own arm, every condition holds.
            self.decided[value.0 as usize] = state.decide(value, pieces);
        }
        if !matches!(state.function.ty(value), Scalar::U32 | Scalar::I32) {
            return;
        }
        if let Some(form) = state.integer(value, pieces)
            && let Some((lo, hi)) = state.space.hull(pieces, &form)
            && (lo, hi) != (0, (1 << 32) - 1)
            && (lo, hi) != (-(1 << 31), (1 << 31) - 1)
        {
            self.intervals[value.0 as usize] = Some((lo as i64, hi as i64));
        }
    }

    fn access(&mut self, state: &mut State<'_>, place: &Place, _: Access, pieces: &[Piece]) {
        for index in &place.indices {
            let limit = match (index.limit, place.root) {
                (Limit::Fixed(limit), _) => Form::constant(limit.into()),
                (Limit::Runtime { offset }, Root::Binding(binding)) => {
                    state.length(binding, offset, index.stride)
                }
                (Limit::Runtime { .. }, Root::Variable(_)) => Form::constant(0),
            };
            let value = state.form(index.value);
            let proven = pieces.iter().all(|piece| {
                let here = slice::from_ref(piece);
                let (value, limit) =
                    (state.space.resolve(here, &value, false), state.space.resolve(here, &limit, false));
                let room = value.zip(limit).map(|(value, limit)| value.plus(&limit, -1));
                room.is_some_and(|room| state.space.interval(piece, &room).1 < 0)
            });
            self.indices.push((index.value, index.limit, proven));
        }
    }
}
