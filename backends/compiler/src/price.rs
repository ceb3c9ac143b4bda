//! What a gang takes, in cycles, by a model of the processor: so that the widths of gangs can be compared.
//!
//! A list takes as long as its operations keep the vector units, the scalar units and the memory busy; a loop's round at
//! least as long as the chain of operations from one round to the next. Lanes that leave a loop at different rounds wait
//! for the last. Numbers are rough, and only ratios matter. Knows nothing of what is chosen.

use warpweft_module::Scalar;
use warpweft_ssa::ir::{Binary, Function, Label, Math, Op, Statement, Unary, Value};
use warpweft_ssa::uniformity::{Shape, Uniformity};

/// What vectors a generator has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    /// Lanes of 32 bits in a register.
    pub(crate) native: u16,
    /// Vector registers.
    pub(crate) registers: f64,
    /// Cycles that each lane of a gather takes.
    pub(crate) gather: f64,
}

/// Vector operations that a processor starts in a cycle.
const VECTORS: f64 = 2.0;

/// Operations of any kind that it starts in a cycle.
const ANY: f64 = 4.0;

/// Cycles that a gang takes beside its code.
const GANG: f64 = 8.0;

/// Gangs that the processor has under way at once, where nothing but their own chains holds them up.
const OVERLAP: f64 = 1.5;

/// Rounds that a loop is taken to have.
pub(crate) const ROUNDS: f64 = 16.0;

/// By how much the longest-running lane outlasts the average one, for each doubling of the lanes.
const STRAGGLERS: f64 = 0.25;

/// Cycles that an elementary function keeps the vector units busy.
const ELEMENTARY: f64 = 10.0;

/// How much there is to do, in one round.
#[derive(Clone, Copy, Default)]
struct Load {
    vectors: f64,
    scalars: f64,
    /// Cycles of what does not overlap: loops inside, gathers.
    cycles: f64,
}

impl Load {
    fn cycles(self) -> f64 {
        self.cycles + (self.vectors / VECTORS).max((self.vectors + self.scalars) / ANY)
    }
}

/// A kernel as a machine sees it.
pub(crate) struct Price<'a> {
    function: &'a Function,
    shapes: &'a Uniformity,
    machine: Machine,
    /// Of each loop: the longest chain from round to round, in cycles, and values that it wants in vector registers.
    loops: Vec<(Label, f64, f64)>,
    /// The longest chain of all code outside of loops.
    chain: f64,
}

impl<'a> Price<'a> {
    /// Looks at a kernel; `shapes` are those of gangs of some width above one.
    pub(crate) fn new(function: &'a Function, shapes: &'a Uniformity, machine: Machine) -> Self {
        let mut chains = Chains::new(function);
        let mut price = Price { function, shapes, machine, loops: vec![], chain: chains.whole() };
        price.find(&function.body, &mut chains);
        price
    }

    /// Cycles for each lane of gangs of that many.
    pub(crate) fn per_lane(&self, lanes: u16) -> f64 {
        let mut load = Load::default();
        self.list(&self.function.body, lanes, &mut load);
        (GANG + load.cycles().max(self.chain / OVERLAP)) / f64::from(lanes)
    }

    /// Native vectors of a gang.
    fn parts(&self, lanes: u16) -> f64 {
        f64::from(lanes.div_ceil(self.machine.native))
    }

    fn list(&self, list: &[Statement], lanes: u16, load: &mut Load) {
        for statement in list {
            match statement {
                Statement::Let(value) => self.operation(*value, lanes, load),
                Statement::Store { place, value, .. } => {
                    let varies = place.indices.iter().any(|index| self.varies(index.value));
                    self.memory(varies, self.varies(*value), lanes, load);
                }
                Statement::If { then, otherwise, .. } => {
                    self.list(then, lanes, load);
                    self.list(otherwise, lanes, load);
                }
                Statement::Block { body, .. } => self.list(body, lanes, load),
                Statement::Loop { label, body, .. } => load.cycles += self.rounds(*label, body, lanes),
                Statement::Barrier { .. } => load.cycles += GANG,
                _ => {}
            }
        }
    }

    /// All rounds of a loop.
    fn rounds(&self, label: Label, body: &[Statement], lanes: u16) -> f64 {
        let mut load = Load::default();
        self.list(body, lanes, &mut load);
        let known = self.loops.iter().find(|&&(known, ..)| known == label);
        let &(_, chain, live) = known.unwrap_or(&(label, 0.0, 0.0));
        if lanes > 1 {
            // What does not fit into registers is stored and loaded.
            load.vectors += 2.0 * (live * self.parts(lanes) - self.machine.registers).max(0.0);
        }
        let stragglers = match self.shapes.divergent_label(label) {
            true => 1.0 + STRAGGLERS * f64::from(lanes).log2(),
            false => 1.0,
        };
        ROUNDS * stragglers * load.cycles().max(chain)
    }

    fn operation(&self, value: Value, lanes: u16, load: &mut Load) {
        let definition = self.function.definition(value);
        let vector = lanes > 1 && self.varies(value);
        let busy = match &definition.op {
            Op::Constant(_) | Op::Parameter | Op::Builtin(_) | Op::Length { .. } | Op::Bitcast(_) => return,
            Op::Load { place, .. } => {
                let varies = place.indices.iter().any(|index| self.varies(index.value));
                return self.memory(varies, vector, lanes, load);
            }
            Op::Atomic(..) | Op::CompareExchange(..) => {
                load.cycles += f64::from(lanes);
                return;
            }
            // An estimate and a step of Newton's.
            Op::Math(Math::InverseSqrt, _) => 4.0,
            Op::Math(..) | Op::Pow(..) | Op::Atan2(..) => 2.0 * ELEMENTARY,
            Op::Binary(Binary::Divide | Binary::Modulo, ..) | Op::Unary(Unary::Sqrt, _) => ELEMENTARY,
            _ => 1.0,
        };
        let wide = if definition.ty.size() == 8 { 2.0 } else { 1.0 };
        if vector {
            load.vectors += busy * wide * self.parts(lanes);
        } else {
            load.scalars += busy;
        }
    }

    fn memory(&self, scattered: bool, vector: bool, lanes: u16, load: &mut Load) {
        if lanes > 1 && scattered {
            load.cycles += self.machine.gather * f64::from(lanes);
        } else if lanes > 1 && vector {
            load.vectors += self.parts(lanes);
        } else {
            load.scalars += 1.0;
        }
    }

    /// Lanes each have their own.
    fn varies(&self, value: Value) -> bool {
        self.shapes.shape(value) == Shape::Varying
    }

    // --- loops -------------------------------------------------------------------------------------------------------

    fn find(&mut self, list: &[Statement], chains: &mut Chains<'_>) {
        for statement in list {
            match statement {
                Statement::Loop { label, params, body, .. } => {
                    let names: Vec<Value> = params.iter().map(|&(param, _)| param).collect();
                    let chain = recurrence(chains, &names, *label, body);
                    let vectors = params.iter().filter(|(param, _)| self.varies(*param)).count();
                    let around = self.around(body);
                    // And some for what is on the way.
                    self.loops.push((*label, chain, (vectors + around + 2) as f64));
                    self.find(body, chains);
                }
                Statement::Block { body, .. } => self.find(body, chains),
                Statement::If { then, otherwise, .. } => {
                    self.find(then, chains);
                    self.find(otherwise, chains);
                }
                _ => {}
            }
        }
    }

    /// Vectors from outside of a loop that it uses.
    fn around(&self, body: &[Statement]) -> usize {
        let count = self.function.values.len();
        let (mut used, mut defined) = (vec![false; count], vec![false; count]);
        let uses = &mut |value: Value| used[value.0 as usize] = true;
        operands(self.function, body, uses, &mut |value| defined[value.0 as usize] = true);
        let outside = |&value: &Value| used[value.0 as usize] && !defined[value.0 as usize];
        let constant = |value| self.function.constant(value).is_some();
        // Parameters count already.
        let values = (0..count as u32).map(Value);
        values.filter(outside).filter(|&value| self.varies(value) && !constant(value)).count()
    }
}

/// How long a round waits for the one before: the longest way of a parameter to itself, or to another and back.
fn recurrence(chains: &mut Chains<'_>, params: &[Value], label: Label, body: &[Statement]) -> f64 {
    if params.len() > MOST_PARAMETERS {
        return 0.0;
    }
    let ways: Vec<Vec<Option<f64>>> = params
        .iter()
        .map(|&param| {
            chains.start(params.len());
            chains.reach(param, 0.0);
            chains.list(body, label);
            std::mem::take(&mut chains.ends)
        })
        .collect();
    let mut longest: f64 = 0.0;
    for (a, from_a) in ways.iter().enumerate() {
        for (b, from_b) in ways.iter().enumerate().take(a + 1) {
            if let (Some(there), Some(back)) = (from_a[b], from_b[a]) {
                longest = longest.max((there + back) / 2.0);
            }
        }
    }
    longest
}

/// Parameters of a loop up to which its recurrences are followed.
const MOST_PARAMETERS: usize = 12;

/// How long after some first values each value that follows from them is there.
struct Chains<'a> {
    function: &'a Function,
    /// By value; negative: it does not follow.
    depth: Vec<f64>,
    /// The values that do.
    reached: Vec<Value>,
    /// When what the next round gets is there, by parameter.
    ends: Vec<Option<f64>>,
}

impl<'a> Chains<'a> {
    fn new(function: &'a Function) -> Self {
        Chains { function, depth: vec![-1.0; function.values.len()], reached: vec![], ends: vec![] }
    }

    /// The longest chain of a kernel's code outside of loops.
    fn whole(&mut self) -> f64 {
        let function = self.function;
        self.start(0);
        for (at, definition) in function.values.iter().enumerate() {
            if matches!(definition.op, Op::Builtin(_)) {
                self.reach(Value(at as u32), 0.0);
            }
        }
        self.list(&function.body, Label(u32::MAX));
        self.reached.iter().filter_map(|&value| self.of(value)).fold(0.0, f64::max)
    }

    /// Begins anew, for a loop with so many parameters.
    fn start(&mut self, params: usize) {
        for value in self.reached.drain(..) {
            self.depth[value.0 as usize] = -1.0;
        }
        self.ends = vec![None; params];
    }

    fn reach(&mut self, value: Value, depth: f64) {
        self.depth[value.0 as usize] = depth;
        self.reached.push(value);
    }

    fn of(&self, value: Value) -> Option<f64> {
        let depth = self.depth[value.0 as usize];
        (depth >= 0.0).then_some(depth)
    }

    fn list(&mut self, list: &[Statement], label: Label) {
        // Chains of very long code are as long as they look; what it does counts anyway.
        if self.reached.len() > MOST_VALUES {
            return;
        }
        for statement in list {
            match statement {
                Statement::Let(value) => {
                    let definition = self.function.definition(*value);
                    let mut start: Option<f64> = None;
                    definition.op.operands(|operand| {
                        if let Some(depth) = self.of(operand) {
                            start = Some(start.map_or(depth, |start| start.max(depth)));
                        }
                    });
                    if let Some(start) = start {
                        self.reach(*value, start + latency(is_float(definition.ty), &definition.op));
                    }
                }
                Statement::If { then, otherwise, results, .. } => {
                    self.list(then, label);
                    self.list(otherwise, label);
                    self.results(results, [&then[..], otherwise]);
                }
                Statement::Block { body, results, .. } => {
                    self.list(body, label);
                    self.results(results, [&body[..], &[]]);
                }
                Statement::Branch { label: to, arguments } if *to == label => {
                    for (at, &argument) in arguments.iter().enumerate() {
                        let end = self.of(argument);
                        if let (Some(end), Some(known)) = (end, self.ends.get_mut(at)) {
                            *known = Some(known.map_or(end, |known| known.max(end)));
                        }
                    }
                }
                // Its own rounds count for themselves.
                Statement::Loop { .. } => {}
                _ => {}
            }
        }
    }

    /// Results are there when the later of the lists' ends is.
    fn results(&mut self, results: &[Value], lists: [&[Statement]; 2]) {
        for (at, &result) in results.iter().enumerate() {
            let of = |list: &[Statement]| match list.last() {
                Some(Statement::Yield { arguments }) => arguments.get(at).and_then(|&value| self.of(value)),
                _ => None,
            };
            if let Some(depth) = lists.into_iter().filter_map(of).reduce(f64::max) {
                self.reach(result, depth);
            }
        }
    }
}

/// Values of a loop up to which its chains are followed.
const MOST_VALUES: usize = 400;

/// Cycles until the result of an operation is there.
fn latency(float: bool, op: &Op) -> f64 {
    match op {
        Op::Binary(Binary::Divide | Binary::Modulo, ..) | Op::Unary(Unary::Sqrt, _) => 14.0,
        Op::Math(..) | Op::Pow(..) | Op::Atan2(..) => 50.0,
        Op::Load { .. } => 5.0,
        Op::Binary(..) | Op::Fma(..) | Op::Convert(_) if float => 4.0,
        Op::Compare(..) | Op::Select(..) => 2.0,
        _ => 1.0,
    }
}

/// Calls `uses` with everything that the operations of a list use, and `defines` with what it defines.
fn operands(
    function: &Function,
    list: &[Statement],
    uses: &mut dyn FnMut(Value),
    defines: &mut dyn FnMut(Value),
) {
    for statement in list {
        match statement {
            Statement::Let(value) => {
                function.definition(*value).op.operands(&mut *uses);
                defines(*value);
            }
            Statement::Store { value, .. } => uses(*value),
            Statement::If { then, otherwise, results, .. } => {
                operands(function, then, uses, defines);
                operands(function, otherwise, uses, defines);
                results.iter().for_each(|&result| defines(result));
            }
            Statement::Block { body, results, .. } => {
                operands(function, body, uses, defines);
                results.iter().for_each(|&result| defines(result));
            }
            Statement::Loop { params, body, .. } => {
                params.iter().for_each(|&(param, _)| defines(param));
                operands(function, body, uses, defines);
            }
            _ => {}
        }
    }
}

fn is_float(ty: Scalar) -> bool {
    matches!(ty, Scalar::F16 | Scalar::F32 | Scalar::F64)
}
