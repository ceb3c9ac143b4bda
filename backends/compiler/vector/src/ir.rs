//! The vector IR: one gang of invocations as one structured program over lanes.
//!
//! A [`Function`] is a tree of [`Inst`]s in SSA form. A value is a scalar (one lane) or a vector of as many lanes as
//! the gang has; nothing is converted silently: a scalar reaches a vector through [`Op::Splat`]. Control flow is
//! uniform: conditions are scalars, masks are data. Every operation has one meaning, given here lane by lane, which
//! the evaluator, the printer, every pass and every code generator share.
//!
//! Structure. Code leaves a tree only outwards:
//! * [`Inst::If`] runs one arm. An arm ends in [`Inst::Yield`], which gives the results of the `If`, or in
//!   [`Inst::Branch`].
//! * [`Inst::Block`] runs its body; `Yield` at its end or a `Branch` to its label from anywhere inside gives its
//!   results and goes on behind it.
//! * [`Inst::Loop`] runs its body with parameters; a `Branch` to its label starts the next round. The body never ends
//!   in `Yield`: a loop is left by branching to a block around it, and it is the last instruction of its own list.
//! * Every list ends in exactly one `Yield`, `Branch` or `Loop`, or in an `If` neither of whose arms yields. The
//!   function's body ends in `Yield` without arguments (or as above), which returns.
//!
//! A value is visible behind its definition in the same list and in everything nested there: scoping is dominance.
//!
//! Knows no WGSL, no target machine, and nothing of what the memory behind an address holds.

use std::fmt;

/// What one lane holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// True or false; a vector of these is a mask.
    Bool,
    /// 32-bit integer, of either signedness: operations say which.
    I32,
    /// 64-bit integer; scalars of it also are addresses.
    I64,
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
}

impl Kind {
    /// Bytes of one lane; a `Bool` has no memory form.
    pub const fn size(self) -> u32 {
        match self {
            Kind::Bool => 0,
            Kind::I32 | Kind::F32 => 4,
            Kind::I64 | Kind::F64 => 8,
        }
    }

    /// It is `F32` or `F64`.
    pub const fn is_float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }

    /// It is `I32` or `I64`.
    pub const fn is_int(self) -> bool {
        matches!(self, Kind::I32 | Kind::I64)
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// What a lane holds.
    pub kind: Kind,
    /// 1 for a scalar, else the gang's width: a power of two from 2 to 64.
    pub lanes: u16,
}

impl Type {
    /// One lane of `kind`.
    pub const fn scalar(kind: Kind) -> Self {
        Self { kind, lanes: 1 }
    }

    /// `lanes` lanes of `kind`.
    pub const fn vector(kind: Kind, lanes: u16) -> Self {
        Self { kind, lanes }
    }

    /// Whether it has one lane.
    pub const fn is_scalar(self) -> bool {
        self.lanes == 1
    }

    /// The same lanes, another kind.
    pub const fn with(self, kind: Kind) -> Self {
        Self { kind, lanes: self.lanes }
    }
}

/// A value of a function: an index into [`Function::values`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// What a [`Inst::Block`] or [`Inst::Loop`] is called; unique in a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

/// A memory that no other space overlaps: an index into [`Function::spaces`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceId(pub u32);

impl fmt::Debug for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "space{}", self.0)
    }
}

/// What is known of a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// For the reader: the binding's or variable's name. An identifier, unique in the function.
    pub name: String,
    /// Nobody writes it while the function runs: its loads may be moved and merged.
    pub constant: bool,
    /// How vectors are written to it.
    pub stores: Stores,
    /// What a round of the function's outermost loop writes to it is read in that round or never.
    pub fleeting: bool,
}

/// How vectors are written to a memory. What goes past the caches should be large, and not be read again soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Stores {
    /// Into the caches.
    #[default]
    Cached,
    /// Past the caches where a whole vector is aligned to its size.
    Streamed,
    /// The same, and in pieces of 16 bytes where it is aligned to those: for vectors that follow each other, so that their
    /// pieces meet soon.
    StreamedInPieces,
}

/// Where in the source an instruction comes from: 0 is nowhere, other numbers are whoever built the function's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Mark(pub u32);

/// A gang's program.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// For the reader; an identifier.
    pub name: String,
    /// The gang's width: the lanes of every vector. 1 means that there are none.
    pub lanes: u16,
    /// Scalars that the function is called with. Where a machine runs it, all are `I64`, passed in integer registers.
    pub params: Vec<Value>,
    /// The type of each value, by [`Value`].
    pub values: Vec<Type>,
    /// The memories that its code touches, by [`SpaceId`].
    pub spaces: Vec<Space>,
    /// How many labels were given out.
    pub labels: u32,
    /// The code.
    pub body: Vec<Inst>,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq)]
pub enum Inst {
    /// Computes a value.
    Let {
        /// The value.
        result: Value,
        /// How.
        op: Op,
        /// Where it comes from.
        mark: Mark,
    },
    /// Acts on memory, without a result.
    Do {
        /// What.
        effect: Effect,
        /// Where it comes from.
        mark: Mark,
    },
    /// One of two lists.
    If {
        /// A scalar `Bool`.
        condition: Value,
        /// Where it holds.
        then: Vec<Inst>,
        /// Where it does not.
        otherwise: Vec<Inst>,
        /// What the arm that ran yielded.
        results: Vec<Value>,
        /// Which arm is expected.
        hint: Hint,
    },
    /// A list that can be left early.
    Block {
        /// The name to branch to.
        label: Label,
        /// The list.
        body: Vec<Inst>,
        /// What was yielded, or came with the branch.
        results: Vec<Value>,
    },
    /// A list that can be started again.
    Loop {
        /// The name to branch to.
        label: Label,
        /// Each parameter and what it starts with; a branch brings the next ones.
        params: Vec<(Value, Value)>,
        /// The list.
        body: Vec<Inst>,
    },
    /// To the end of an enclosing block, or the start of an enclosing loop.
    Branch {
        /// Which.
        label: Label,
        /// The block's results, or the loop's parameters.
        arguments: Vec<Value>,
    },
    /// The end of an arm, a block or the function.
    Yield {
        /// The results.
        arguments: Vec<Value>,
    },
}

/// Which arm of an `If` is expected to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Hint {
    /// Nobody knows.
    #[default]
    None,
    /// `then` nearly always.
    Likely,
    /// `otherwise` nearly always: `then` belongs out of the way.
    Unlikely,
}

/// An operation with a result. Operands and result have the same lanes unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The same bits in every lane (`Bool`: 0 or 1; 32-bit kinds: the upper half is zero).
    Const(u64),
    /// Its own bits for each lane of a vector.
    Lanes(Box<[u64]>),
    /// A scalar in every lane of a vector.
    Splat(Value),
    /// One lane of a vector, as a scalar.
    Extract(Value, u16),
    /// The lane of a vector (first) that a scalar `I32` (second) says; any value where that is not below the width.
    ExtractAt(Value, Value),
    /// See [`Unary`].
    Unary(Unary, Value),
    /// See [`Binary`].
    Binary(Binary, Value, Value),
    /// `a * b + c`, rounded once. Floats.
    Fma(Value, Value, Value),
    /// A `Bool` per lane.
    Compare(Compare, Value, Value),
    /// The second where the first (`Bool`, of the same lanes) holds, else the third.
    Select(Value, Value, Value),
    /// To the result's kind; see [`Convert`].
    Convert(Convert, Value),
    /// Whether some lane of a mask holds, as a scalar `Bool`. (Of a scalar: itself.)
    Any(Value),
    /// Whether all lanes of a mask hold, as a scalar `Bool`.
    All(Value),
    /// The lanes of a mask as the low bits of a scalar `I64`, lane 0 lowest, the others zero.
    Bits(Value),
    /// The mask of which the low bits of a scalar `I64` are the lanes.
    Mask(Value),
    /// Lane `i` of the result is the lane of the first vector that lane `i` of the second (`I32`) says; any value where
    /// that is not below the width.
    Permute(Value, Value),
    /// Lane `i` of the result is the lane of the first vector, followed by the second, that number `i` says. Not of
    /// `Bool`.
    Shuffle(Value, Value, Box<[u8]>),
    /// All lanes of a vector as one scalar: the upper half is combined with the lower, lane by lane (lower as the left
    /// operand), until one lane is left. `Add`, `Mul`, `And`, `Or`, `Xor`, and the minima and maxima.
    Reduce(Binary, Value),
    /// Memory at an address: a scalar, or consecutive elements as a vector.
    Load(Access),
    /// Consecutive elements where the mask holds, zeros elsewhere; memory of other lanes is not touched.
    LoadMasked(Access, Value),
    /// Elements that lie so many elements (2 to 8, of full width) apart; only they are touched. The index is at least
    /// -2³⁰: one that is the sign extension of a sum is the sum of extensions.
    LoadStrided(Access, u8),
    /// Elements at their own places where the mask holds, zeros elsewhere; memory of other lanes is not touched.
    Gather(Scattered, Value),
    /// Reads, combines and writes one element as one atomic step, sequentially consistent; gives what was there.
    Atomic(AtomicOp, Access, Value),
    /// Writes the third where memory equals the second, as one atomic step; gives what was there.
    CompareExchange(Access, Value, Value),
    /// A load as one atomic step, sequentially consistent. Scalar.
    AtomicLoad(Access),
}

/// An instruction without a result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Writes a scalar, or consecutive elements.
    Store(Access, Value),
    /// Writes consecutive elements where the mask (last) holds; memory of other lanes is not touched.
    StoreMasked(Access, Value, Value),
    /// Writes elements that lie so many elements (2 to 8, of full width) apart; only they are touched. The index is at
    /// least -2³⁰.
    StoreStrided(Access, u8, Value),
    /// Writes elements at their own places where the mask (last) holds, in ascending order of lanes.
    Scatter(Scattered, Value, Value),
    /// A store as one atomic step, sequentially consistent. Scalar.
    AtomicStore(Access, Value),
    /// Runs another function of the same program, by its number, with these arguments (scalar `I64`, at most
    /// [`MOST_ARGUMENTS`]). It has the same spaces, may read and write all of them that are not constant, and comes back.
    Call(u32, Box<[Value]>),
}

/// So many arguments reach a function in registers.
pub const MOST_ARGUMENTS: usize = 6;

/// One place in memory, or the first of consecutive ones: `base + index * scale + offset`, in bytes, in 64 bits.
///
/// An index that is the sign extension of a sum with a constant is the sum of extensions, wherever memory is touched: it
/// lies between -2³⁰ and 2³⁰ (2³¹ of elements that are smaller than 4 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    /// A scalar `I64`.
    pub base: Value,
    /// A scalar `I64`, where there is one.
    pub index: Option<Value>,
    /// 1, 2, 4 or 8.
    pub scale: u8,
    /// Added.
    pub offset: i32,
    /// The memory.
    pub space: SpaceId,
    /// What an element is in memory.
    pub width: Width,
    /// Valid whenever the function runs, whatever the control flow: a load may be moved out of its branch.
    pub always: bool,
}

/// Places in memory, one per lane: `base + sign_extend(index) * scale + offset`, in bytes, in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scattered {
    /// A scalar `I64`.
    pub base: Value,
    /// A vector of `I32`.
    pub index: Value,
    /// 1, 2, 4 or 8.
    pub scale: u8,
    /// Added.
    pub offset: i32,
    /// The memory.
    pub space: SpaceId,
    /// What an element is in memory.
    pub width: Width,
}

/// How far apart, in elements, strided accesses may be.
pub const STRIDES: std::ops::RangeInclusive<u8> = 2..=8;

/// What an element is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// As many bytes as the value's kind has.
    Full,
    /// 16 bits: the low half of an `I32`, zero-extended when loaded.
    Half,
}

/// Operations on one operand; the result has its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    /// Integers wrap; floats flip their sign bit.
    Neg,
    /// Integers and `Bool`.
    Not,
    /// Integers wrap; floats clear their sign bit.
    Abs,
    /// Floats, correctly rounded.
    Sqrt,
    /// Floats; NaN stays NaN, zeros and signs as IEEE 754.
    Floor,
    Ceil,
    Trunc,
    /// To the nearest integer, ties to even.
    Nearest,
    /// Integers.
    CountOnes,
    /// Integers; all bits for 0.
    LeadingZeros,
    /// Integers; all bits for 0.
    TrailingZeros,
    /// `F32`: 1/sqrt within a relative error of 1.5 · 2⁻¹²; what bits beyond that is the machine's own affair. For
    /// 0, denormals, negative numbers, infinities and NaN: any value.
    InverseSqrtEstimate,
    /// `F32`: 1/x within a relative error of 1.5 · 2⁻¹²; as above, and any value where x or 1/x is denormal.
    InverseEstimate,
}

/// Operations on two operands of one type; the result has it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    /// Integers wrap; floats round to nearest even.
    Add,
    Sub,
    Mul,
    /// Integers: the upper half of the full product of unsigned numbers.
    MulHigh,
    /// Floats.
    Div,
    /// Signed integers, towards zero. No lane may have a zero divisor or overflow: the program may end otherwise.
    DivS,
    /// Unsigned integers; no lane may have a zero divisor.
    DivU,
    RemS,
    RemU,
    /// Integers and `Bool`.
    And,
    Or,
    Xor,
    /// Integers, by as many bits as the second says; any value where that is not below the width of the kind.
    Shl,
    /// Fills with the sign.
    ShrS,
    /// Fills with zeros.
    ShrU,
    /// Signed integers.
    MinS,
    MaxS,
    /// Unsigned integers.
    MinU,
    MaxU,
    /// Floats: `a < b ? a : b`, so the second where one is NaN or both are zero.
    Min,
    /// Floats: `a > b ? a : b`.
    Max,
    /// Floats: a · 2ᵇ, rounded once, for a from ¼ to 4 and integers b from -250 to 250 (`F64`: -2000 to 2000); NaN where a
    /// is NaN; else any value.
    Scale,
}

/// Comparisons; of floats, all but `Ne` are false where one is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Compare {
    /// Integers and floats.
    Eq,
    /// Integers and floats; true where one is NaN.
    Ne,
    /// Floats.
    Lt,
    Le,
    Gt,
    Ge,
    /// Signed integers.
    LtS,
    LeS,
    GtS,
    GeS,
    /// Unsigned integers.
    LtU,
    LeU,
    GtU,
    GeU,
}

/// Conversions; the result's kind is the value's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Convert {
    /// `I32` to `I64`.
    SignExtend,
    /// `I32` to `I64`.
    ZeroExtend,
    /// `I64` to `I32`.
    Truncate,
    /// A signed integer to a float, to nearest even.
    FromSigned,
    /// An unsigned integer to a float, to nearest even.
    FromUnsigned,
    /// A float to a signed integer: towards zero, clamped to the range, NaN to 0.
    ToSigned,
    /// A float to an unsigned integer: towards zero, clamped to the range, NaN to 0.
    ToUnsigned,
    /// `F32` to `F64`.
    Widen,
    /// `F64` to `F32`, to nearest even.
    Narrow,
    /// The low 16 bits of an `I32`, as IEEE binary16, to `F32`. Exact.
    FromHalf,
    /// `F32` to binary16, to nearest even, as an `I32` whose upper half is zero.
    ToHalf,
    /// The same bits in another kind of the same size.
    Bitcast,
}

/// What an atomic step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum AtomicOp {
    /// Integers and floats.
    Add,
    Sub,
    /// Integers.
    And,
    Or,
    Xor,
    MinS,
    MaxS,
    MinU,
    MaxU,
    /// Integers and floats.
    Exchange,
}

impl Function {
    /// The type of a value.
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value.0 as usize]
    }

    /// A new value of that type, to be defined by the caller.
    pub fn value(&mut self, ty: Type) -> Value {
        self.values.push(ty);
        Value(self.values.len() as u32 - 1)
    }

    /// So long that it is to be compiled soon rather than perfectly: a pass that builds everything anew takes a quarter of a
    /// millisecond at this length, and a thorough allocator of registers mostly finds out that too few are there.
    pub fn is_long(&self) -> bool {
        self.values.len() > 4000
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }
}

impl Op {
    /// It reads or changes memory, so it has a place among the effects (loads of constant spaces have not).
    #[inline]
    pub fn touches(&self) -> Option<SpaceId> {
        match self {
            Op::Load(access)
            | Op::LoadMasked(access, _)
            | Op::LoadStrided(access, _)
            | Op::Atomic(_, access, _)
            | Op::CompareExchange(access, ..)
            | Op::AtomicLoad(access) => Some(access.space),
            Op::Gather(scattered, _) => Some(scattered.space),
            _ => None,
        }
    }

    /// It must be kept even if nobody uses its result.
    pub fn has_effect(&self) -> bool {
        matches!(self, Op::Atomic(..) | Op::CompareExchange(..) | Op::AtomicLoad(_))
    }

    /// It may be computed where the program would not: it cannot fault.
    pub fn speculatable(&self) -> bool {
        match self {
            Op::Load(access) => access.always,
            Op::LoadMasked(..) | Op::LoadStrided(..) | Op::Gather(..) => false,
            Op::Binary(Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU, ..) => false,
            _ => !self.has_effect(),
        }
    }
}

impl Effect {
    /// The memory that it changes; `None`: any.
    pub fn touches(&self) -> Option<SpaceId> {
        match self {
            Effect::Store(access, _)
            | Effect::StoreMasked(access, ..)
            | Effect::StoreStrided(access, ..)
            | Effect::AtomicStore(access, _) => Some(access.space),
            Effect::Scatter(scattered, ..) => Some(scattered.space),
            Effect::Call(..) => None,
        }
    }
}
