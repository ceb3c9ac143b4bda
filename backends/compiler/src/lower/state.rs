//! What changes while a gang's code is lowered: which lanes are active, and what waits at labels.
//!
//! Registers are the variables of the lowering: the mask of the lanes that wait at a label, and what they bring. The
//! vector IR is SSA, so wherever control joins, registers that differ become results. Knows nothing of statements.

use warpweft_ssa::ir as ssa;
use warpweft_vector::ir::{Label, Type, Value};

/// The lanes that run the code at hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exec {
    /// Every lane of the gang.
    All,
    /// Those of a mask.
    Some {
        mask: Value,
        /// It is known that there is one.
        nonempty: bool,
    },
    /// No lane: the rest of the list is dead.
    None,
}

/// Index of a register.
pub(crate) type Register = usize;

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) ty: Type,
    /// `None`: nothing was put there yet, so anything may be.
    pub(crate) value: Option<Value>,
}

/// What is known at one point of the code.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) exec: Exec,
    pub(crate) registers: Vec<Held>,
}

/// A label that encloses the code at hand.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) label: ssa::Label,
    /// Its counterpart, where there are jumps to it.
    pub(crate) vector: Option<Label>,
    /// A block's results or a loop's parameters.
    pub(crate) results: Vec<ssa::Value>,
    /// What waiting lanes bring: one register for each result of a divergent block.
    pub(crate) accumulators: Vec<Register>,
    /// The lanes that wait, where that matters.
    pub(crate) waiting: Option<Register>,
    /// Registers that a jump takes along, in this order, behind the results.
    pub(crate) carried: Vec<Register>,
    /// A jump takes the active lanes along too, last of all.
    pub(crate) carries_exec: bool,
    /// Of a divergent loop: where to go when no lane is left, with the carried registers.
    pub(crate) left: Option<Label>,
}

/// How a list of statements ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// The lanes of `exec` arrive at the end of the list, with these values.
    Yield(Vec<ssa::Value>),
    /// No lane arrives, but the machine does.
    Left,
    /// The machine went elsewhere: the vector list has ended.
    Gone,
}
