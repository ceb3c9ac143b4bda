//! What a launch costs: operations by kind and bytes by how they lie, for an average invocation.
//!
//! Loops count their rounds where the launch decides them, and sixteen where data does; of a branch on data, each side
//! counts for half. Knows nothing of machines: what an operation takes is up to whoever asks.

use crate::affine::{
    Access, FIXED, Form, GLOBAL, LOCAL, LaunchFacts, Piece, State, Variable, Visitor, WORKGROUP, walk,
};
use crate::ir::{Binary, Function, Math, Op, Place, Root, Statement, Unary, Value};
use warpweft_module::Scalar;

/// Rounds of a loop that data ends.
const ROUNDS: f64 = 16.0;

/// What can be known about the work of a kernel.
#[derive(Clone, Debug)]
pub struct Cost {
    function: Function,
}

/// Operations of an average invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Operations {
    /// Additions and subtractions of floats, and what takes as long: minimum, rounding, conversions.
    pub float_add: f64,
    /// Products of floats.
    pub float_multiply: f64,
    /// Fused products and sums.
    pub fused: f64,
    /// Quotients of floats.
    pub float_divide: f64,
    /// Square roots, also the inverse ones.
    pub square_root: f64,
    /// Sines, exponentials, powers and their like.
    pub elementary: f64,
    /// Operations on integers of up to 32 bits, divisions apart.
    pub integer: f64,
    /// Divisions and remainders of integers.
    pub integer_divide: f64,
    /// Comparisons, selections and operations on `bool`.
    pub logic: f64,
    /// Operations on 64-bit types of any kind, which count here only.
    pub wide: f64,
    /// Atomic steps.
    pub atomic: f64,
    /// Looks at other lanes.
    pub subgroup: f64,
}

impl Operations {
    /// As many more times that.
    fn add(&mut self, other: &Operations, times: f64) {
        self.float_add += other.float_add * times;
        self.float_multiply += other.float_multiply * times;
        self.fused += other.fused * times;
        self.float_divide += other.float_divide * times;
        self.square_root += other.square_root * times;
        self.elementary += other.elementary * times;
        self.integer += other.integer * times;
        self.integer_divide += other.integer_divide * times;
        self.logic += other.logic * times;
        self.wide += other.wide * times;
        self.atomic += other.atomic * times;
        self.subgroup += other.subgroup * times;
    }

    /// All of them, a fused operation for two.
    pub fn total(&self) -> f64 {
        self.float_add
            + self.float_multiply
            + 2.0 * self.fused
            + self.float_divide
            + self.square_root
            + self.elementary
            + self.integer
            + self.integer_divide
            + self.logic
            + self.wide
            + self.atomic
            + self.subgroup
    }
}

/// Bytes of bindings that an average invocation touches, by how its neighbours along x touch theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The same ones.
    pub uniform: f64,
    /// Those beside them.
    pub contiguous: f64,
    /// Those at a distance that is always the same.
    pub strided: f64,
    /// Any.
    pub gathered: f64,
}

impl Traffic {
    /// As many more times that.
    fn add(&mut self, other: &Traffic, times: f64) {
        self.uniform += other.uniform * times;
        self.contiguous += other.contiguous * times;
        self.strided += other.strided * times;
        self.gathered += other.gathered * times;
    }

    /// All of them.
    pub fn total(&self) -> f64 {
        self.uniform + self.contiguous + self.strided + self.gathered
    }
}

/// The cost of an average invocation of a launch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// How many invocations there are.
    pub invocations: f64,
    /// Operations.
    pub operations: Operations,
    /// Bytes read from bindings.
    pub read: Traffic,
    /// Bytes written to bindings.
    pub written: Traffic,
    /// Barriers.
    pub barriers: f64,
    /// The numbers of rounds are known, and no branch hangs on data.
    pub exact: bool,
}

impl Cost {
    /// Prepares a kernel.
    pub fn new(function: &Function) -> Self {
        Cost { function: function.clone() }
    }

    /// Estimates a launch.
    ///
    /// # Panics
    /// When `facts.bytes` does not have as many elements as the kernel has bindings.
    pub fn evaluate(&self, facts: &LaunchFacts<'_>) -> Estimate {
        assert_eq!(facts.bytes.len(), self.function.bindings.len(), "one size per binding");
        // None calls one behind it.
        let mut called = Vec::with_capacity(self.function.functions.len());
        for number in 0..self.function.functions.len() as u32 {
            let estimate = of_function(&self.function.callee(number), facts, &called);
            called.push(estimate);
        }
        of_function(&self.function, facts, &called)
    }
}

/// The cost of a function, given that of those it calls.
fn of_function(function: &Function, facts: &LaunchFacts<'_>, called: &[Estimate]) -> Estimate {
    let mut meter = Meter {
        called,
        all: 0.0,
        here: 0.0,
        rounds: Vec::new(),
        found: Estimate { exact: true, ..Estimate::default() },
    };
    let state = walk(function, Some(facts), &mut meter);
    let counted = meter.rounds.iter().all(|&round| state.space.info(round).counted);
    Estimate { invocations: meter.all, exact: meter.found.exact && counted, ..meter.found }
}

/// Counts while the walk goes on.
struct Meter<'a> {
    /// By function.
    called: &'a [Estimate],
    /// Invocations.
    all: f64,
    /// How often the statements here run, per invocation.
    here: f64,
    /// What counts the rounds of loops that have anything in them.
    rounds: Vec<Variable>,
    found: Estimate,
}

impl Visitor for Meter<'_> {
    fn here(&mut self, state: &mut State<'_>, pieces: &[Piece]) {
        let times: f64 = pieces.iter().map(|piece| points(state, piece)).sum();
        if self.all == 0.0 {
            self.all = times;
        }
        self.here = if self.all > 0.0 { times / self.all } else { 0.0 };
        self.found.exact &= pieces.iter().all(|piece| piece.share == 1.0);
        // Whether they are counted is known once their loop was looked into.
        if let Some(&round) = state.rounds.last()
            && self.rounds.last() != Some(&round)
        {
            self.rounds.push(round);
        }
    }

    fn barrier(&mut self, _: &mut State<'_>, _: &Statement) {
        self.found.barriers += self.here;
    }

    fn call(&mut self, function: u32) {
        let Some(called) = self.called.get(function as usize) else { return };
        self.found.operations.add(&called.operations, self.here);
        self.found.read.add(&called.read, self.here);
        self.found.written.add(&called.written, self.here);
        self.found.exact &= called.exact;
    }

    fn value(&mut self, state: &mut State<'_>, value: Value, _: &[Piece]) {
        let function = state.function;
        let definition = function.definition(value);
        let operations = &mut self.found.operations;
        let of = |value: &Value| function.ty(*value);
        let wide = |ty: Scalar| matches!(ty, Scalar::I64 | Scalar::U64 | Scalar::F64);
        let float = |ty: Scalar| matches!(ty, Scalar::F16 | Scalar::F32);
        let counter = match &definition.op {
            Op::Constant(_) | Op::Parameter | Op::Builtin(_) | Op::Length { .. } | Op::Load { .. } => return,
            Op::Atomic(..) | Op::CompareExchange(..) => &mut operations.atomic,
            Op::Ballot(..) | Op::Collective(..) | Op::Gather(..) => &mut operations.subgroup,
            Op::Bitcast(_) => return,
            Op::Compare(_, a, _) if !wide(of(a)) => &mut operations.logic,
            Op::Convert(a) if wide(of(a)) => &mut operations.wide,
            _ if wide(definition.ty) => &mut operations.wide,
            Op::Compare(..) => &mut operations.wide,
            Op::Select(..) => &mut operations.logic,
            _ if definition.ty == Scalar::Bool => &mut operations.logic,
            Op::Fma(..) => &mut operations.fused,
            Op::Math(Math::InverseSqrt, _) | Op::Unary(Unary::Sqrt, _) => &mut operations.square_root,
            Op::Math(..) | Op::Atan2(..) | Op::Pow(..) => &mut operations.elementary,
            Op::Binary(Binary::Multiply, ..) if float(definition.ty) => &mut operations.float_multiply,
            Op::Binary(Binary::Divide | Binary::Modulo, ..) if float(definition.ty) => {
                &mut operations.float_divide
            }
            Op::Binary(Binary::Divide | Binary::Modulo, ..) => &mut operations.integer_divide,
            Op::Unary(..) | Op::Binary(..) if !float(definition.ty) => &mut operations.integer,
            _ => &mut operations.float_add,
        };
        *counter += self.here;
    }

    fn access(&mut self, state: &mut State<'_>, place: &Place, access: Access, pieces: &[Piece]) {
        let Root::Binding(_) = place.root else { return };
        let Some(piece) = pieces.first() else { return };
        let mut offset = Form::constant(place.offset.into());
        for index in &place.indices {
            let value = state.form(index.value);
            let exact = state.space.resolve(std::slice::from_ref(piece), &value, false);
            offset = offset.plus(&exact.unwrap_or(value), index.stride.into());
        }
        let bytes = f64::from(place.ty.size()) * self.here;
        let distance = offset.coefficient(GLOBAL) + offset.coefficient(LOCAL);
        let unknown = |&(variable, _): &(u32, i128)| {
            let info = state.space.info(variable);
            variable as usize >= FIXED && !info.exact && !state.is_fixed(variable)
        };
        let narrow = state.function.workgroup_size[0] == 1 && offset.coefficient(WORKGROUP) != 0;
        for (counts, touched) in
            [(access.reads, &mut self.found.read), (access.writes, &mut self.found.written)]
        {
            let counter = if offset.terms.iter().any(unknown) {
                &mut touched.gathered
            } else if distance == 0 && !narrow {
                &mut touched.uniform
            } else if distance.unsigned_abs() == u128::from(place.ty.size()) {
                &mut touched.contiguous
            } else {
                &mut touched.strided
            };
            if counts {
                *counter += bytes;
            }
        }
    }
}

/// How many invocations, and rounds of the loops around, a piece has.
fn points(state: &State<'_>, piece: &Piece) -> f64 {
    let count = |variable: u32| {
        let (lo, hi) = state.space.range(piece, variable);
        (hi - lo + 1) as f64
    };
    let origin = &state.origins[piece.origin as usize];
    let mut points = f64::from(piece.share);
    for axis in 0..3 {
        let apart = [WORKGROUP + axis, LOCAL + axis]
            .iter()
            .any(|&id| state.space.range(piece, id) != state.space.range(origin, id));
        points *= if apart { count(WORKGROUP + axis) * count(LOCAL + axis) } else { count(GLOBAL + axis) };
    }
    for &round in &state.rounds {
        points *= if state.space.info(round).counted { count(round) } else { ROUNDS };
    }
    points
}
