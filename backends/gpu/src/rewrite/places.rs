//! Where a pointer leads, step by step, and what must hold for it to lead anywhere.
//!
//! A guarded place has two forms: the *raw* pointer, to be used where the guard is known to hold, and the *clamped*
//! one, which always leads to some element and may therefore be loaded without asking. Nothing is ever written
//! through a clamped pointer. Guards compare the index, not its bytes: an index whose byte offset would wrap around
//! 2³² is as far outside as any other.

use naga::proc::TypeResolution;
use naga::{ArraySize, BinaryOperator, Expression, Handle, Scalar, ScalarKind, Type, TypeInner, UniqueArena};

use super::builder::Builder;

/// The number of elements that an index chooses from.
#[derive(Clone, Copy)]
pub(super) enum Length {
    Fixed(u32),
    /// `arrayLength` of this pointer: at least 1, since a binding holds at least its smallest size.
    Runtime,
}

impl Length {
    /// The length of what a value or a pointer of this type indexes; `None` where it cannot be indexed.
    pub(super) fn of(inner: &TypeInner, types: &UniqueArena<Type>) -> Option<Self> {
        Some(match *inner {
            TypeInner::Pointer { base, .. } => return Self::of(&types[base].inner, types),
            TypeInner::Array { size: ArraySize::Constant(n), .. } => Length::Fixed(n.get()),
            TypeInner::Array { size: ArraySize::Dynamic, .. } => Length::Runtime,
            TypeInner::Vector { size, .. } | TypeInner::ValuePointer { size: Some(size), .. } => {
                Length::Fixed(size as u32)
            }
            TypeInner::Matrix { columns, .. } => Length::Fixed(columns as u32),
            _ => return None,
        })
    }
}

/// An index that was checked.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    /// The index as `u32`.
    pub(super) index: Handle<Expression>,
    /// The last element.
    pub(super) last: Handle<Expression>,
}

/// One step from a pointer to what it contains.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Member(u32),
    Index(Handle<Expression>),
    Checked(Checked),
}

/// A pointer in the new function.
#[derive(Clone)]
pub(super) struct Place {
    /// The pointer as written.
    pub(super) raw: Handle<Expression>,
    /// Holds when the pointer leads to an element; `None` where that is certain.
    pub(super) guard: Option<Handle<Expression>>,
    pub(super) root: Handle<Expression>,
    pub(super) steps: Vec<Step>,
}

impl Place {
    /// A pointer that is not a step from another, and always leads somewhere.
    pub(super) fn root(raw: Handle<Expression>) -> Self {
        Self { raw, guard: None, root: raw, steps: Vec::new() }
    }

    /// One step further.
    pub(super) fn step(&self, b: &mut Builder<'_>, step: Step, guard: Option<Handle<Expression>>) -> Self {
        let raw = match step {
            Step::Member(index) => b.member(self.raw, index),
            Step::Index(index) | Step::Checked(Checked { index, .. }) => {
                b.emit(Expression::Access { base: self.raw, index })
            }
        };
        let guard = match (self.guard, guard) {
            (Some(a), Some(c)) => Some(b.binary(BinaryOperator::LogicalAnd, a, c)),
            (a, c) => a.or(c),
        };
        let steps = self.steps.iter().copied().chain([step]).collect();
        Self { raw, guard, root: self.root, steps }
    }

    /// It is a whole variable, not a part of one.
    pub(super) fn is_whole(&self) -> bool {
        self.steps.is_empty()
    }

    /// A pointer that leads to an element in any case: the right one where the guard holds.
    pub(super) fn clamped(&self, b: &mut Builder<'_>) -> Handle<Expression> {
        if self.guard.is_none() {
            return self.raw;
        }
        let mut pointer = self.root;
        for step in &self.steps {
            pointer = match *step {
                Step::Member(index) => b.member(pointer, index),
                Step::Index(index) => b.emit(Expression::Access { base: pointer, index }),
                Step::Checked(Checked { index, last }) => {
                    let index = b.min(index, last);
                    b.emit(Expression::Access { base: pointer, index })
                }
            };
        }
        pointer
    }
}

/// An index as `u32`, so that whatever is negative or wide is far outside.
pub(super) fn unsigned(b: &mut Builder<'_>, index: Handle<Expression>, scalar: Scalar) -> Handle<Expression> {
    match (scalar.kind, scalar.width) {
        (ScalarKind::Uint, 4) => index,
        (_, 4) => b.cast(index, None),
        (_, 8) => {
            let wide = if scalar.kind == ScalarKind::Uint { index } else { b.cast(index, None) };
            let most = b.fixed(Expression::Literal(naga::Literal::U64(u32::MAX.into())));
            let index = b.min(wide, most);
            b.cast(index, Some(4))
        }
        _ => b.cast(index, Some(4)),
    }
}

/// The inner type of a resolution.
pub(super) fn inner<'a>(ty: &'a TypeResolution, types: &'a UniqueArena<Type>) -> &'a TypeInner {
    ty.inner_with(types)
}
