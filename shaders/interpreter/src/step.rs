//! A kernel as it is executed: naga's statements and expressions with every type, layout and place resolved.
//!
//! Plain data. `decode` makes it, `run` walks it.

use crate::column::Function;
use crate::shape::Leaf;
use naga::Span;
use std::sync::Arc;

/// A run of columns: the values of one expression or variable, for all invocations.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(crate) struct Slot {
    pub start: u32,
    pub columns: u32,
}

impl Slot {
    pub(crate) fn end(self) -> u32 {
        self.start + self.columns
    }

    /// The part of it that starts `first` columns in.
    pub(crate) fn part(self, first: u32, columns: u32) -> Slot {
        Slot { start: self.start + first, columns }
    }
}

/// Where a pointer points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Space {
    /// Function and private variables: addresses count columns.
    Columns,
    /// Workgroup variables: addresses count words.
    Workgroup,
    /// The binding of that position: addresses count bytes.
    Binding(usize),
}

/// A pointer: a fixed address, plus what each lane adds to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    pub space: Space,
    pub fixed: u32,
    /// A column of [`OUTSIDE`] or of what is to be added.
    pub varying: Option<Slot>,
}

/// The varying part of an address that some index put out of bounds.
pub(crate) const OUTSIDE: u32 = u32::MAX;

/// How many elements an index may choose from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Fixed(u32),
    /// A runtime-sized array: it starts at that byte of the binding, elements `stride` bytes apart.
    Runtime {
        binding: usize,
        offset: u32,
        stride: u32,
    },
}

/// What an index is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Index {
    Fixed(u32),
    Varying(Slot),
}

/// An atomic read-modify-write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Atomic {
    Add,
    Subtract,
    And,
    ExclusiveOr,
    InclusiveOr,
    Min,
    Max,
    Exchange,
    /// Exchange where the old value equals this.
    CompareExchange(Slot),
}

/// One step of a kernel. Every output slot lies above the slots that it is computed from.
pub(crate) enum Step {
    /// A column function: operators, builtins, conversions, subgroup operations.
    Map {
        function: Function,
        out: Slot,
        operands: [Slot; 4],
        dims: [u8; 3],
    },
    /// Copies whole columns, active or not.
    Copy {
        out: Slot,
        from: Slot,
    },
    /// Element `index` of a value; zero where there is none.
    Element {
        out: Slot,
        base: Slot,
        index: Slot,
        count: u32,
        leaves: Arc<[Leaf]>,
    },
    /// The varying part of a pointer to an element.
    ElementAddress {
        out: Slot,
        base: Option<Slot>,
        index: Index,
        signed: bool,
        limit: Limit,
        stride: u32,
    },
    /// A pointer as a value, to be passed to a function: an address in columns.
    Pointer {
        out: Slot,
        address: Address,
    },
    /// The number of elements of a runtime-sized array.
    ArrayLength {
        out: Slot,
        binding: usize,
        offset: u32,
        stride: u32,
    },
    /// Reads memory.
    Load {
        out: Slot,
        address: Address,
        leaves: Arc<[Leaf]>,
        atomic: bool,
    },
    /// Writes memory.
    Store {
        address: Address,
        value: Slot,
        leaves: Arc<[Leaf]>,
        atomic: bool,
    },
    /// An atomic operation on memory; `out` gets the old value, then (compare-exchange) whether it was exchanged.
    Atomic {
        out: Option<Slot>,
        address: Address,
        value: Slot,
        leaf: Leaf,
        function: Atomic,
    },
    /// Both blocks, each for its lanes.
    If {
        condition: Slot,
        accept: Vec<Step>,
        reject: Vec<Step>,
    },
    Switch {
        selector: Slot,
        cases: Vec<Case>,
        exits: Exits,
    },
    Loop {
        body: Vec<Step>,
        continuing: Vec<Step>,
        break_if: Option<Slot>,
        exits: Exits,
    },
    /// To the end of the innermost loop or switch.
    Break,
    /// To the continuing block of the innermost loop.
    Continue,
    /// To the caller; the value, if any, has been stored in the function's result.
    Return,
    Call {
        function: usize,
        arguments: Vec<Slot>,
        out: Option<Slot>,
    },
    /// All invocations that still run must be here.
    Barrier {
        span: Span,
    },
    /// All invocations of each subgroup that still run must be here, or none.
    SubgroupBarrier {
        span: Span,
    },
    /// A barrier, a load, a barrier; every invocation must have the same pointer.
    UniformLoad {
        out: Slot,
        address: Address,
        leaves: Arc<[Leaf]>,
        atomic: bool,
        span: Span,
    },
}

/// Which ways out, besides its end, the inside of a loop or switch takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Exits {
    /// It returns from the function.
    pub returns: bool,
    /// It goes on with the enclosing (or, for a loop, its own) continuing block.
    pub continues: bool,
}

/// A case of a switch.
pub(crate) struct Case {
    /// `None`: the default.
    pub value: Option<u32>,
    pub body: Vec<Step>,
    pub fall_through: bool,
}

/// What a variable starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Initial {
    pub variable: Slot,
    /// `None`: zeros.
    pub value: Option<Slot>,
}

/// A function ready to run. Recursion does not exist in WGSL, so its frame has a fixed place.
pub(crate) struct Routine {
    pub arguments: Vec<Slot>,
    pub result: Option<Slot>,
    pub variables: Vec<Initial>,
    pub body: Vec<Step>,
}
