//! A kernel as structured SSA: what one invocation does, every value a scalar, defined once.
//!
//! Composites are gone: a vector is its components, a matrix its columns' components, a struct its members'. Variables
//! are values, except arrays that an index chooses from at run time, which stay [`Variable`]s. Calls are inlined, unless
//! that would make the kernel too large: then [`Statement::Call`] runs a [`Callee`]. Arguments and results lie in
//! variables; a callee has no barriers, asks no [`Builtin`] and looks at no other lane.
//!
//! Structure is that of a tree whose lists are left only outwards:
//! * [`Statement::If`] runs one arm; an arm that ends in [`Statement::Yield`] gives the results.
//! * [`Statement::Block`] runs its body; `Yield` at its end or a [`Statement::Branch`] to its label gives its results
//!   and goes on behind it.
//! * [`Statement::Loop`] runs its body with parameters; a `Branch` to its label starts the next round, with new ones.
//!   It never yields: it is left by branching to a block around it, and it ends its list.
//! * Every list ends in exactly one `Yield`, `Branch`, `Return` or `Loop`, or in an `If` neither of whose arms yields.
//!
//! A value is visible behind its definition in the same list and in everything nested there. A value of a loop that is
//! needed outside leaves with the branch. Results exist only for what is used (pruned SSA).
//!
//! Arithmetic means what WGSL says; where that leaves a choice, what the interpreter does. Knows nothing of lanes,
//! threads or machines.

use std::fmt;
use warpweft_module::{Location, Scalar};

/// A value: an index into [`Function::values`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub u32);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// What a [`Statement::Block`] or [`Statement::Loop`] is called; unique in a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(pub u32);

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

/// Where in the source something comes from: 0 is nowhere, `n` is [`Function::locations`]`[n - 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Mark(pub u32);

/// One kernel.
#[derive(Clone, Debug)]
pub struct Function {
    /// The entry point's name.
    pub name: String,
    /// Invocations of a workgroup.
    pub workgroup_size: [u32; 3],
    /// The bindings, as the interface lists them.
    pub bindings: Vec<Binding>,
    /// Workgroup memory, and private arrays with indices that are not constant.
    pub variables: Vec<Variable>,
    /// Every value.
    pub values: Vec<Definition>,
    /// How many labels were given out.
    pub labels: u32,
    /// Source lines, each once, for [`Mark`].
    pub locations: Vec<Location>,
    /// The code.
    pub body: Vec<Statement>,
    /// What is called; none calls itself, or one that comes behind it.
    pub functions: Vec<Callee>,
}

/// A function that a kernel or another of its functions calls, on the kernel's bindings and variables.
#[derive(Clone, Debug)]
pub struct Callee {
    /// Its name in WGSL.
    pub name: String,
    /// Every value.
    pub values: Vec<Definition>,
    /// How many labels were given out.
    pub labels: u32,
    /// The code; a `Return` goes back to the caller.
    pub body: Vec<Statement>,
}

/// What is known of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its name in WGSL.
    pub name: String,
    /// In the uniform address space.
    pub uniform: bool,
    /// Some code may read it.
    pub read: bool,
    /// Some code may write it.
    pub written: bool,
    /// At least so many bytes are bound.
    pub min_size: u64,
}

/// Memory that is not a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name in WGSL, or one made up; an identifier, unique among variables.
    pub name: String,
    /// Shared by a workgroup (zero when that starts), or each invocation's own.
    pub workgroup: bool,
    /// Bytes, a multiple of 4. Everything in it has the layout of a binding of its type, `bool` as 4 bytes.
    pub size: u32,
    /// Several functions may use it: nothing is known of what is in it.
    pub shared: bool,
}

/// How a value comes to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Its type.
    pub ty: Scalar,
    /// Its operation.
    pub op: Op,
    /// Where it comes from.
    pub mark: Mark,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// Computes a value, as its definition says.
    Let(Value),
    /// Writes memory; dropped where an index is out of bounds.
    Store {
        /// Where.
        place: Place,
        /// What: has the place's type.
        value: Value,
        /// With an atomic step.
        atomic: bool,
        /// Where it comes from.
        mark: Mark,
    },
    /// Every invocation of the workgroup arrives before one goes on.
    Barrier {
        /// Which memory it orders; every kind stops the whole workgroup, but `Subgroup`.
        kind: Barrier,
        /// Where it comes from.
        mark: Mark,
    },
    /// Runs a function of [`Function::functions`].
    Call {
        /// Which.
        function: u32,
        /// Where it comes from.
        mark: Mark,
    },
    /// One of two lists.
    If {
        /// A `bool`.
        condition: Value,
        /// Where it holds.
        then: Vec<Statement>,
        /// Where it does not.
        otherwise: Vec<Statement>,
        /// What the arm yielded.
        results: Vec<Value>,
        /// Where it comes from.
        mark: Mark,
    },
    /// A list that can be left early.
    Block {
        /// Its name.
        label: Label,
        /// The list.
        body: Vec<Statement>,
        /// What was yielded, or came with the branch.
        results: Vec<Value>,
    },
    /// A list that can be started again.
    Loop {
        /// Its name.
        label: Label,
        /// Each parameter and what it starts with.
        params: Vec<(Value, Value)>,
        /// The list.
        body: Vec<Statement>,
        /// Where it comes from.
        mark: Mark,
    },
    /// To the end of an enclosing block, or the start of an enclosing loop.
    Branch {
        /// Which.
        label: Label,
        /// The block's results, or the loop's parameters.
        arguments: Vec<Value>,
    },
    /// The end of an arm, a block or the kernel.
    Yield {
        /// The results.
        arguments: Vec<Value>,
    },
    /// The invocation is done with the kernel, or with the function that was called.
    Return,
}

/// What a barrier orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Barrier {
    /// `workgroupBarrier`, and those around `workgroupUniformLoad`.
    Workgroup,
    /// `storageBarrier`.
    Storage,
    /// `subgroupBarrier`: of one subgroup only.
    Subgroup,
}

/// A place in memory: `offset` plus the sum of `index * stride`, in bytes, where every index is below its limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The memory.
    pub root: Root,
    /// Bytes.
    pub offset: u32,
    /// The indices that are not constant, outermost first.
    pub indices: Box<[Index]>,
    /// What lies there.
    pub ty: Scalar,
}

/// The memory of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// [`Function::bindings`].
    Binding(u32),
    /// [`Function::variables`].
    Variable(u32),
}

/// One index of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// A `u32`. (Negative `i32` indices are numbers beyond every limit.)
    pub value: Value,
    /// Bytes from element to element.
    pub stride: u32,
    /// How many elements there are.
    pub limit: Limit,
}

/// How many elements an array has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// So many, all inside the root's minimum size.
    Fixed(u32),
    /// As many as fit between this offset and the end of the binding, at the index's stride. Also stands for a constant
    /// index into a runtime-sized array: the value is then a constant.
    Runtime {
        /// Bytes before the array.
        offset: u32,
    },
}

/// An operation. Operands have the result's type unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The bits of the type, the others zero. (`f16`: binary16; `i16`, `u16`: 16 bits.)
    Constant(u64),
    /// A parameter of a loop, or a result of a block or `If`.
    Parameter,
    /// See [`Builtin`]. `u32`.
    Builtin(Builtin),
    /// See [`Unary`].
    Unary(Unary, Value),
    /// See [`Binary`].
    Binary(Binary, Value, Value),
    /// `a * b + c`, rounded once. Floats.
    Fma(Value, Value, Value),
    /// Gives `bool`; operands of one numeric type, or `bool` for `Equal` and `NotEqual`.
    Compare(Compare, Value, Value),
    /// The second where the first (`bool`) holds, else the third. Both are computed.
    Select(Value, Value, Value),
    /// A value of another numeric type or `bool`, to this type, as WGSL converts (floats to integers clamp, NaN is 0).
    Convert(Value),
    /// The bits of another type of the same size.
    Bitcast(Value),
    /// A float to the nearest value of f16, as WGSL's `quantizeToF16`: `f32`.
    Quantize(Value),
    /// Two `f32` as the halves of a `u32`, the first lower: `pack2x16float`.
    PackHalf(Value, Value),
    /// The lower (`false`) or upper half of a `u32` as binary16, to `f32`: `unpack2x16float`.
    UnpackHalf(Value, bool),
    /// See [`Math`]. Floats.
    Math(Math, Value),
    /// `atan2(y, x)`.
    Atan2(Value, Value),
    /// `pow(x, y)`.
    Pow(Value, Value),
    /// The elements of a runtime-sized array: bytes of the binding beyond `offset` over `stride`, rounded down. `u32`.
    Length {
        /// Which binding.
        binding: u32,
        /// Bytes before the array.
        offset: u32,
        /// Bytes of an element.
        stride: u32,
    },
    /// What lies at a place; zero where an index is out of bounds. `uniform`: it comes from `workgroupUniformLoad`.
    Load {
        /// Where.
        place: Place,
        /// With an atomic step.
        atomic: bool,
        /// Every invocation of the workgroup reads the same place, between two barriers.
        uniform: bool,
    },
    /// An atomic step on a place; gives what was there (zero out of bounds).
    Atomic(Atomic, Place, Value),
    /// Writes the third where memory equals the second; gives what was there.
    CompareExchange(Place, Value, Value),
    /// 32 lanes of `subgroupBallot`, from lane 32 · n. `u32` of a `bool`.
    Ballot(Value, u8),
    /// All active lanes combined; `All` and `Any` on `bool`.
    Collective(Collective, Scan, Value),
    /// The value of another lane: which, see [`Lane`]; the index (`u32`), where there is one, is last.
    Gather(Lane, Value, Option<Value>),
}

/// What an invocation is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Builtin {
    /// Along axis 0, 1, 2.
    GlobalId(u8),
    LocalId(u8),
    WorkgroupId(u8),
    NumWorkgroups(u8),
    LocalIndex,
    SubgroupSize,
    NumSubgroups,
    SubgroupId,
    SubgroupInvocationId,
}

/// Operations on one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Unary {
    Negate,
    /// Integers: every bit; `bool`: the other.
    Not,
    Abs,
    Sqrt,
    Floor,
    Ceil,
    Trunc,
    /// Ties to even.
    Round,
    CountOnes,
    /// All bits for 0.
    LeadingZeros,
    /// All bits for 0.
    TrailingZeros,
    ReverseBits,
}

/// Operations on two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    /// Floats: IEEE. Integers: x / 0 = x, MIN / -1 = MIN.
    Divide,
    /// Floats: x - y · trunc(x / y), as the interpreter computes it. Integers: x % 0 = 0, MIN % -1 = 0.
    Modulo,
    And,
    Or,
    Xor,
    /// Amounts (of type `u32`) are taken modulo the width.
    ShiftLeft,
    /// Fills with the sign where the type has one.
    ShiftRight,
    /// Of floats: where one is NaN, the other, as the interpreter has it.
    Min,
    Max,
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Elementary functions, within WGSL's accuracy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Math {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Exp,
    Exp2,
    Log,
    Log2,
    InverseSqrt,
}

/// Atomic steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Atomic {
    Add,
    Subtract,
    And,
    Or,
    Xor,
    Min,
    Max,
    Exchange,
}

/// What `Op::Collective` combines with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Collective {
    All,
    Any,
    Add,
    Multiply,
    Min,
    Max,
    And,
    Or,
    Xor,
}

/// Which lanes a collective combines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Scan {
    /// All.
    Reduce,
    /// Those before this one, and it.
    Inclusive,
    /// Those before this one.
    Exclusive,
}

/// Whose value `Op::Gather` gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Lane {
    BroadcastFirst,
    Broadcast,
    Shuffle,
    ShuffleDown,
    ShuffleUp,
    ShuffleXor,
    QuadBroadcast,
    QuadSwapX,
    QuadSwapY,
    QuadSwapDiagonal,
}

impl Function {
    /// One of its functions, with the kernel's bindings and variables, as if it were a kernel.
    ///
    /// # Panics
    /// When there is none of that number.
    pub fn callee(&self, number: u32) -> Function {
        let callee = self.functions[number as usize].clone();
        Function {
            name: callee.name,
            workgroup_size: self.workgroup_size,
            bindings: self.bindings.clone(),
            variables: self.variables.clone(),
            values: callee.values,
            labels: callee.labels,
            locations: self.locations.clone(),
            body: callee.body,
            functions: Vec::new(),
        }
    }

    /// How a value comes to be.
    ///
    /// # Panics
    /// When the value is not the function's.
    pub fn definition(&self, value: Value) -> &Definition {
        &self.values[value.0 as usize]
    }

    /// The type of a value.
    pub fn ty(&self, value: Value) -> Scalar {
        self.definition(value).ty
    }

    /// The bits of a constant.
    pub fn constant(&self, value: Value) -> Option<u64> {
        match self.definition(value).op {
            Op::Constant(bits) => Some(bits),
            _ => None,
        }
    }

    /// The source line of a mark.
    pub fn location(&self, mark: Mark) -> Option<&Location> {
        self.locations.get((mark.0 as usize).checked_sub(1)?)
    }
}

impl Op {
    /// Calls `f` with every operand, the indices of places among them.
    pub fn operands(&self, mut f: impl FnMut(Value)) {
        let place = |place: &Place, f: &mut dyn FnMut(Value)| place.indices.iter().for_each(|i| f(i.value));
        match self {
            Op::Constant(_) | Op::Parameter | Op::Builtin(_) | Op::Length { .. } => {}
            Op::Unary(_, a)
            | Op::Convert(a)
            | Op::Bitcast(a)
            | Op::Quantize(a)
            | Op::UnpackHalf(a, _)
            | Op::Math(_, a)
            | Op::Ballot(a, _)
            | Op::Collective(_, _, a) => f(*a),
            Op::Binary(_, a, b)
            | Op::Compare(_, a, b)
            | Op::PackHalf(a, b)
            | Op::Atan2(a, b)
            | Op::Pow(a, b) => [*a, *b].into_iter().for_each(f),
            Op::Fma(a, b, c) | Op::Select(a, b, c) => [*a, *b, *c].into_iter().for_each(f),
            Op::Load { place: at, .. } => place(at, &mut f),
            Op::Atomic(_, at, a) => {
                place(at, &mut f);
                f(*a);
            }
            Op::CompareExchange(at, a, b) => {
                place(at, &mut f);
                [*a, *b].into_iter().for_each(f);
            }
            Op::Gather(_, a, index) => {
                f(*a);
                index.iter().copied().for_each(f);
            }
        }
    }

    /// Calls `f` with every operand, to be replaced.
    pub fn operands_mut(&mut self, mut f: impl FnMut(&mut Value)) {
        if let Some(place) = self.place_mut() {
            place.indices.iter_mut().for_each(|index| f(&mut index.value));
        }
        match self {
            Op::Constant(_) | Op::Parameter | Op::Builtin(_) | Op::Length { .. } | Op::Load { .. } => {}
            Op::Unary(_, a)
            | Op::Convert(a)
            | Op::Bitcast(a)
            | Op::Quantize(a)
            | Op::UnpackHalf(a, _)
            | Op::Math(_, a)
            | Op::Ballot(a, _)
            | Op::Atomic(_, _, a)
            | Op::Collective(_, _, a) => f(a),
            Op::Binary(_, a, b)
            | Op::Compare(_, a, b)
            | Op::PackHalf(a, b)
            | Op::Atan2(a, b)
            | Op::CompareExchange(_, a, b)
            | Op::Pow(a, b) => [a, b].into_iter().for_each(f),
            Op::Fma(a, b, c) | Op::Select(a, b, c) => [a, b, c].into_iter().for_each(f),
            Op::Gather(_, a, index) => {
                f(a);
                index.iter_mut().for_each(f);
            }
        }
    }

    /// The place that it reads or writes.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Op::Load { place, .. } | Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) => Some(place),
            _ => None,
        }
    }

    /// The place that it reads or writes, to be replaced.
    pub fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Op::Load { place, .. } | Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) => Some(place),
            _ => None,
        }
    }

    /// It has its place among the statements: it reads or writes memory, or looks at other lanes.
    pub fn is_pure(&self) -> bool {
        !matches!(
            self,
            Op::Load { .. }
                | Op::Atomic(..)
                | Op::CompareExchange(..)
                | Op::Ballot(..)
                | Op::Collective(..)
                | Op::Gather(..)
        )
    }

    /// It changes memory, so it stays even where its result is not used.
    pub fn writes(&self) -> bool {
        matches!(self, Op::Atomic(..) | Op::CompareExchange(..))
    }
}
