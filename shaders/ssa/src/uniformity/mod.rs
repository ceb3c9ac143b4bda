//! Which values are the same for the lanes of a gang, for a workgroup, for a launch, and which are affine in the lane.
//!
//! A shape speaks of the *active* lanes where the value is defined: those that run that statement together. Lanes that
//! returned are nobody's concern. A value is more uniform than its operands only where that is proven (aligned gangs);
//! results that come together behind a choice are as uniform as the choice, unless they are one and the same value.
//!
//! Knows nothing of vectors, registers or costs; it is the compiler that decides what to do with a shape.

mod flow;
mod shapes;
mod transfer;

pub(crate) use flow::solve;
pub use shapes::{Ganging, Shape};

use crate::ir::{Function, Label, Value};
pub(crate) use shapes::Level;

use shapes::Fact;

/// The shape of every value of a function, for one way of making gangs.
#[derive(Clone, Debug)]
pub struct Uniformity {
    facts: Vec<Fact>,
    labels: Vec<Level>,
    varying_variables: Vec<bool>,
}

impl Uniformity {
    /// Analyses a function. Takes time linear in its size, times the depth of its loops at worst.
    ///
    /// # Panics
    /// Where the function breaks a rule of [`ir`](crate::ir); the verifier says which.
    pub fn new(function: &Function, ganging: Ganging) -> Self {
        flow::solve(function, ganging, false, None).0
    }

    /// How a value varies over the active lanes of a gang. Values that no statement defines are [`Shape::Varying`].
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn shape(&self, value: Value) -> Shape {
        self.facts[value.0 as usize].shape()
    }

    /// The lanes of a gang may disagree about it: a condition of that kind needs a mask.
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn divergent(&self, value: Value) -> bool {
        matches!(self.shape(value), Shape::Affine(_) | Shape::Varying)
    }

    /// It is the same for every active invocation of a workgroup.
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn uniform_at_workgroup(&self, value: Value) -> bool {
        matches!(self.shape(value), Shape::Launch | Shape::Workgroup)
    }

    /// Of a block: lanes may come to its end from different branches. Of a loop: lanes may leave it in different rounds.
    ///
    /// # Panics
    /// When the label is not the function's.
    pub fn divergent_label(&self, label: Label) -> bool {
        self.labels[label.0 as usize] == Level::Divergent
    }

    /// Of a private variable: all lanes of a gang have the same in it at all times, so one copy serves the gang.
    ///
    /// # Panics
    /// When the function has no such variable.
    pub fn uniform_variable(&self, variable: u32) -> bool {
        !self.varying_variables[variable as usize]
    }
}
