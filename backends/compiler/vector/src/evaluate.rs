//! Runs functions, one operation after the other: the oracle that passes, legalisation and generators are held against.
//!
//! Addresses live in a space of their own: each memory is mapped at a base address, far from all others, and an access
//! outside of the memory that it names is an error. So are divisions without a result, and too many steps. What the IR
//! leaves open ("any value") is a number that no program would be right with by chance.
//!
//! Knows nothing of machines and speed; takes functions that [`verify`](crate::verify()) has nothing against, and says
//! so otherwise.

use crate::ir::*;
use crate::{semantics, text};
use std::fmt;

/// Why a function did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError {
    /// What happened.
    pub reason: Reason,
    /// The line of the instruction, as printed; empty where it was none.
    pub at: String,
    /// Where the instruction comes from.
    pub mark: Mark,
}

/// See [`EvaluationError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The function is not valid: what [`verify`](crate::verify()) says.
    Invalid(String),
    /// Not as many arguments as parameters, or fewer memories than spaces.
    Arguments,
    /// An access outside of its space's memory.
    OutOfBounds {
        /// The space's name.
        space: String,
        /// The address; minus the space's base it is an offset in bytes.
        address: u64,
    },
    /// A zero divisor, or an overflow.
    Division,
    /// The limit of steps was reached.
    Steps,
    /// A call of a function that was not added, does not take those arguments, has other spaces, or calls too deep.
    Call(u32),
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Invalid(what) => write!(f, "the function is not valid: {what}")?,
            Reason::Arguments => f.write_str("arguments or memories are missing")?,
            Reason::OutOfBounds { space, address } => {
                write!(f, "address {address:#x} is outside of `{space}`")?
            }
            Reason::Division => f.write_str("a division without a result")?,
            Reason::Steps => f.write_str("too many steps")?,
            Reason::Call(function) => write!(f, "function {function} cannot be called so")?,
        }
        if self.at.is_empty() { Ok(()) } else { write!(f, "\nin `{}`", self.at) }
    }
}

impl std::error::Error for EvaluationError {}

/// Memories and a limit of steps, to run functions with.
///
/// ```
/// use warpweft_vector::{Evaluation, ir::Function};
///
/// let function = Function::parse("
///     function twice(%0: i64) lanes 4 {
///         space x
///         %1: i32x4 = load x[%0]
///         %2: i32x4 = add %1, %1
///         store x[%0] = %2
///         yield
///     }").unwrap();
/// let mut evaluation = Evaluation::new();
/// let x = evaluation.map([1u32, 2, 3, 4].iter().flat_map(|x| x.to_le_bytes()).collect());
/// evaluation.run(&function, &[x]).unwrap();
/// assert_eq!(evaluation.memory(0)[4..8], 4u32.to_le_bytes());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// One for each space, in order.
    memories: Vec<Vec<u8>>,
    /// What calls call, by number.
    functions: Vec<Function>,
    /// How many instructions may still run.
    pub steps: u64,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the memory of a space starts.
const fn base_of(space: usize) -> u64 {
    ((space as u64 + 1) << 40) + 0x1000
}

impl Evaluation {
    /// No memory yet; a hundred million steps.
    pub fn new() -> Self {
        Self { memories: vec![], functions: vec![], steps: 100_000_000 }
    }

    /// The memory of the next space; gives the address of its first byte, a multiple of 4096.
    pub fn map(&mut self, bytes: Vec<u8>) -> u64 {
        self.memories.push(bytes);
        base_of(self.memories.len() - 1)
    }

    /// What is in the memory of a space.
    ///
    /// # Panics
    /// When so many were not mapped.
    pub fn memory(&self, space: usize) -> &[u8] {
        &self.memories[space]
    }

    /// The memory of a space, to be changed.
    ///
    /// # Panics
    /// When so many were not mapped.
    pub fn memory_mut(&mut self, space: usize) -> &mut [u8] {
        &mut self.memories[space]
    }

    /// Adds a function that others may call; gives its number.
    pub fn add(&mut self, function: Function) -> u32 {
        self.functions.push(function);
        self.functions.len() as u32 - 1
    }

    /// Runs a function with the bits of its arguments.
    ///
    /// # Errors
    /// When it does what no function may; memory is then as far as it came.
    pub fn run(&mut self, function: &Function, arguments: &[u64]) -> Result<(), EvaluationError> {
        let whole = |reason| EvaluationError { reason, at: String::new(), mark: Mark(0) };
        crate::verify(function).map_err(|error| whole(Reason::Invalid(error.to_string())))?;
        if arguments.len() != function.params.len() || self.memories.len() < function.spaces.len() {
            return Err(whole(Reason::Arguments));
        }
        let Self { memories, functions, steps } = self;
        Frame::new(function, arguments, functions, memories, steps, 0).list(&function.body, &[]).map(drop)
    }
}

/// How a list was left.
enum Flow {
    Yielded,
    Branched(Label),
}

struct Frame<'a> {
    function: &'a Function,
    /// Where the lanes of each value start.
    at: Vec<usize>,
    lanes: Vec<u64>,
    /// Arguments on their way: targets and arguments may overlap.
    passed: Vec<u64>,
    /// What a branch to each label defines: a block's results. Loops take them from their own parameters.
    targets: Vec<&'a [Value]>,
    loops: Vec<bool>,
    functions: &'a [Function],
    memories: &'a mut [Vec<u8>],
    steps: &'a mut u64,
    /// How many calls are around.
    calls: u32,
}

/// Calls nest no deeper.
const MOST_CALLS: u32 = 64;

type Ran<T = ()> = Result<T, Reason>;

impl<'a> Frame<'a> {
    fn new(
        function: &'a Function,
        arguments: &[u64],
        functions: &'a [Function],
        memories: &'a mut [Vec<u8>],
        steps: &'a mut u64,
        calls: u32,
    ) -> Frame<'a> {
        let mut at = Vec::with_capacity(function.values.len());
        let mut size = 0;
        for ty in &function.values {
            at.push(size);
            size += usize::from(ty.lanes);
        }
        let mut frame = Frame {
            function,
            at,
            lanes: vec![0; size],
            passed: vec![],
            targets: vec![&[]; function.labels as usize],
            loops: vec![false; function.labels as usize],
            functions,
            memories,
            steps,
            calls,
        };
        for (&param, &bits) in function.params.iter().zip(arguments) {
            let at = frame.at[param.0 as usize];
            frame.lanes[at] = bits;
        }
        frame
    }

    fn call(&mut self, inst: &Inst, number: u32, arguments: &[Value]) -> Result<(), EvaluationError> {
        let fits = |callee: &&'a Function| {
            callee.params.len() == arguments.len()
                && callee.spaces == self.function.spaces
                && callee.lanes == self.function.lanes
                && self.calls < MOST_CALLS
        };
        let functions = self.functions;
        let Some(callee) = functions.get(number as usize).filter(fits) else {
            return Err(self.error(inst, Reason::Call(number)));
        };
        if let Err(error) = crate::verify(callee) {
            return Err(self.error(inst, Reason::Invalid(error.to_string())));
        }
        let arguments: Vec<u64> = arguments.iter().map(|&argument| self.scalar(argument)).collect();
        let (memories, steps) = (&mut *self.memories, &mut *self.steps);
        let mut frame = Frame::new(callee, &arguments, functions, memories, steps, self.calls + 1);
        frame.list(&callee.body, &[]).map(drop)
    }

    fn list(&mut self, insts: &'a [Inst], results: &'a [Value]) -> Result<Flow, EvaluationError> {
        for inst in insts {
            if *self.steps == 0 {
                return Err(self.error(inst, Reason::Steps));
            }
            *self.steps -= 1;
            match inst {
                Inst::Let { result, op, .. } => {
                    self.compute(*result, op).map_err(|reason| self.error(inst, reason))?;
                }
                Inst::Do { effect: Effect::Call(callee, arguments), .. } => {
                    self.call(inst, *callee, arguments)?
                }
                Inst::Do { effect, .. } => self.act(effect).map_err(|reason| self.error(inst, reason))?,
                Inst::If { condition, then, otherwise, results, .. } => {
                    let arm = if self.scalar(*condition) != 0 { then } else { otherwise };
                    if let Flow::Branched(label) = self.list(arm, results)? {
                        return Ok(Flow::Branched(label));
                    }
                }
                Inst::Block { label, body, results } => {
                    self.targets[label.0 as usize] = results;
                    match self.list(body, results)? {
                        Flow::Branched(to) if to != *label => return Ok(Flow::Branched(to)),
                        _ => {}
                    }
                }
                Inst::Loop { label, params, body } => {
                    self.loops[label.0 as usize] = true;
                    self.pass(params.iter().map(|(_, first)| *first));
                    loop {
                        self.receive(params.iter().map(|(param, _)| *param));
                        match self.list(body, &[])? {
                            Flow::Branched(to) if to == *label => {}
                            other => return Ok(other),
                        }
                    }
                }
                Inst::Branch { label, arguments } => {
                    self.pass(arguments.iter().copied());
                    if !self.loops[label.0 as usize] {
                        self.receive(self.targets[label.0 as usize].iter().copied());
                    }
                    return Ok(Flow::Branched(*label));
                }
                Inst::Yield { arguments } => {
                    self.pass(arguments.iter().copied());
                    self.receive(results.iter().copied());
                    return Ok(Flow::Yielded);
                }
            }
        }
        Ok(Flow::Yielded)
    }

    #[cold]
    fn error(&self, inst: &Inst, reason: Reason) -> EvaluationError {
        let mark = match inst {
            Inst::Let { mark, .. } | Inst::Do { mark, .. } => *mark,
            _ => Mark(0),
        };
        EvaluationError { reason, at: text::print::line(self.function, inst), mark }
    }

    fn pass(&mut self, values: impl Iterator<Item = Value>) {
        self.passed.clear();
        for value in values {
            let range = self.range(value);
            self.passed.extend_from_slice(&self.lanes[range]);
        }
    }

    fn receive(&mut self, values: impl Iterator<Item = Value>) {
        let mut from = 0;
        for value in values {
            let range = self.range(value);
            let length = range.len();
            self.lanes[range].copy_from_slice(&self.passed[from..from + length]);
            from += length;
        }
    }

    fn range(&self, value: Value) -> std::ops::Range<usize> {
        let at = self.at[value.0 as usize];
        at..at + usize::from(self.function.ty(value).lanes)
    }

    fn scalar(&self, value: Value) -> u64 {
        self.lanes[self.at[value.0 as usize]]
    }

    /// One lane; of a scalar the only one.
    fn lane(&self, value: Value, lane: usize) -> u64 {
        self.lanes[self.at[value.0 as usize] + lane]
    }

    fn one(&mut self, result: Value, a: Value, op: impl Fn(u64) -> u64) {
        let (to, a) = (self.range(result), self.at[a.0 as usize]);
        let start = to.start;
        for lane in to {
            self.lanes[lane] = op(self.lanes[a + lane - start]);
        }
    }

    fn two(&mut self, result: Value, a: Value, b: Value, op: impl Fn(u64, u64) -> u64) {
        let (to, a, b) = (self.range(result), self.at[a.0 as usize], self.at[b.0 as usize]);
        let start = to.start;
        for lane in to {
            self.lanes[lane] = op(self.lanes[a + lane - start], self.lanes[b + lane - start]);
        }
    }

    fn three(&mut self, result: Value, [a, b, c]: [Value; 3], op: impl Fn(u64, u64, u64) -> u64) {
        for lane in 0..self.range(result).len() {
            let bits = op(self.lane(a, lane), self.lane(b, lane), self.lane(c, lane));
            self.set(result, lane, bits);
        }
    }

    fn set(&mut self, result: Value, lane: usize, bits: u64) {
        let at = self.at[result.0 as usize] + lane;
        self.lanes[at] = bits;
    }

    fn compute(&mut self, result: Value, op: &Op) -> Ran {
        let ty = self.function.ty(result);
        let count = usize::from(ty.lanes);
        let missing = || Reason::Invalid("no such operation".into());
        match op {
            Op::Const(bits) => {
                let range = self.range(result);
                self.lanes[range].fill(*bits);
            }
            Op::Lanes(bits) => {
                let range = self.range(result);
                self.lanes[range].copy_from_slice(bits);
            }
            Op::Splat(a) => {
                let bits = self.scalar(*a);
                let range = self.range(result);
                self.lanes[range].fill(bits);
            }
            Op::Extract(a, lane) => {
                let bits = self.lane(*a, usize::from(*lane));
                self.set(result, 0, bits);
            }
            Op::ExtractAt(a, lane) => {
                let lane = self.scalar(*lane);
                let inside = lane < u64::from(self.function.lanes);
                let bits = if inside { self.lane(*a, lane as usize) } else { anything(ty.kind, lane) };
                self.set(result, 0, bits);
            }
            Op::Unary(op, a) => {
                self.one(result, *a, semantics::unary(*op, ty.kind).ok_or_else(missing)?);
            }
            Op::Binary(op, a, b) => {
                if matches!(op, Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU) {
                    let fails = (0..count)
                        .any(|l| !semantics::divides(*op, ty.kind, self.lane(*a, l), self.lane(*b, l)));
                    if fails {
                        return Err(Reason::Division);
                    }
                }
                self.two(result, *a, *b, semantics::binary(*op, ty.kind).ok_or_else(missing)?);
            }
            Op::Fma(a, b, c) => {
                self.three(result, [*a, *b, *c], semantics::fma(ty.kind).ok_or_else(missing)?);
            }
            Op::Compare(op, a, b) => {
                let test = semantics::compare(*op, self.function.ty(*a).kind).ok_or_else(missing)?;
                self.two(result, *a, *b, |a, b| u64::from(test(a, b)));
            }
            Op::Select(c, a, b) => self.three(result, [*c, *a, *b], |c, a, b| if c != 0 { a } else { b }),
            Op::Convert(op, a) => {
                let from = self.function.ty(*a).kind;
                self.one(result, *a, semantics::convert(*op, from, ty.kind).ok_or_else(missing)?);
            }
            Op::Any(a) => {
                let range = self.range(*a);
                let any = self.lanes[range].iter().any(|&bits| bits != 0);
                self.set(result, 0, any.into());
            }
            Op::All(a) => {
                let range = self.range(*a);
                let all = self.lanes[range].iter().all(|&bits| bits != 0);
                self.set(result, 0, all.into());
            }
            Op::Bits(a) => {
                let range = self.range(*a);
                let bits = self.lanes[range].iter().rev().fold(0, |all, &bit| all << 1 | bit);
                self.set(result, 0, bits);
            }
            Op::Mask(a) => {
                let bits = self.scalar(*a);
                for lane in 0..count {
                    self.set(result, lane, bits >> lane & 1);
                }
            }
            Op::Permute(a, from) => {
                for lane in 0..count {
                    let source = self.lane(*from, lane);
                    let inside = source < count as u64;
                    let bits =
                        if inside { self.lane(*a, source as usize) } else { anything(ty.kind, source) };
                    self.set(result, lane, bits);
                }
            }
            Op::Shuffle(a, b, from) => {
                for (lane, &source) in from.iter().enumerate() {
                    let source = usize::from(source);
                    let bits =
                        if source < count { self.lane(*a, source) } else { self.lane(*b, source - count) };
                    self.set(result, lane, bits);
                }
            }
            Op::Reduce(op, a) => {
                let join = semantics::binary(*op, ty.kind).ok_or_else(missing)?;
                let range = self.range(*a);
                let mut lanes = [0; 64];
                let mut count = range.len();
                lanes[..count].copy_from_slice(&self.lanes[range]);
                while count > 1 {
                    count /= 2;
                    for lane in 0..count {
                        lanes[lane] = join(lanes[lane], lanes[lane + count]);
                    }
                }
                self.set(result, 0, lanes[0]);
            }
            Op::Load(at) => {
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                for lane in 0..count {
                    let bits = self.read(at.space, address.wrapping_add(lane as u64 * size), size)?;
                    self.set(result, lane, bits);
                }
            }
            Op::LoadMasked(at, mask) => {
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                for lane in 0..count {
                    let active = self.lane(*mask, lane) != 0;
                    let address = address.wrapping_add(lane as u64 * size);
                    let bits = if active { self.read(at.space, address, size)? } else { 0 };
                    self.set(result, lane, bits);
                }
            }
            Op::LoadStrided(at, stride) => {
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                for lane in 0..count {
                    let address = address.wrapping_add(lane as u64 * size * u64::from(*stride));
                    let bits = self.read(at.space, address, size)?;
                    self.set(result, lane, bits);
                }
            }
            Op::Gather(at, mask) => {
                let size = size(at.width, ty.kind);
                for lane in 0..count {
                    let active = self.lane(*mask, lane) != 0;
                    let address = self.address_of_lane(at, lane);
                    let bits = if active { self.read(at.space, address, size)? } else { 0 };
                    self.set(result, lane, bits);
                }
            }
            Op::Atomic(op, at, a) => {
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                let old = self.read(at.space, address, size)?;
                let step = semantics::atomic(*op, ty.kind).ok_or_else(missing)?;
                self.write(at.space, address, size, step(old, self.scalar(*a)))?;
                self.set(result, 0, old);
            }
            Op::CompareExchange(at, expected, new) => {
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                let old = self.read(at.space, address, size)?;
                if old == self.scalar(*expected) {
                    self.write(at.space, address, size, self.scalar(*new))?;
                }
                self.set(result, 0, old);
            }
            Op::AtomicLoad(at) => {
                let bits = self.read(at.space, self.address(at), size(at.width, ty.kind))?;
                self.set(result, 0, bits);
            }
        }
        Ok(())
    }

    fn act(&mut self, effect: &Effect) -> Ran {
        match effect {
            Effect::Store(at, a) | Effect::AtomicStore(at, a) => {
                let ty = self.function.ty(*a);
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                for lane in 0..usize::from(ty.lanes) {
                    let address = address.wrapping_add(lane as u64 * size);
                    self.write(at.space, address, size, self.lane(*a, lane))?;
                }
            }
            Effect::StoreMasked(at, a, mask) => {
                let ty = self.function.ty(*a);
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                for lane in 0..usize::from(ty.lanes) {
                    if self.lane(*mask, lane) != 0 {
                        let address = address.wrapping_add(lane as u64 * size);
                        self.write(at.space, address, size, self.lane(*a, lane))?;
                    }
                }
            }
            Effect::StoreStrided(at, stride, a) => {
                let ty = self.function.ty(*a);
                let (address, size) = (self.address(at), size(at.width, ty.kind));
                for lane in 0..usize::from(ty.lanes) {
                    let address = address.wrapping_add(lane as u64 * size * u64::from(*stride));
                    self.write(at.space, address, size, self.lane(*a, lane))?;
                }
            }
            Effect::Scatter(at, a, mask) => {
                let ty = self.function.ty(*a);
                let size = size(at.width, ty.kind);
                for lane in 0..usize::from(ty.lanes) {
                    if self.lane(*mask, lane) != 0 {
                        self.write(at.space, self.address_of_lane(at, lane), size, self.lane(*a, lane))?;
                    }
                }
            }
            // `call` has them.
            Effect::Call(..) => {}
        }
        Ok(())
    }

    fn address(&self, at: &Access) -> u64 {
        let index = at.index.map_or(0, |index| self.scalar(index).wrapping_mul(at.scale.into()));
        self.scalar(at.base).wrapping_add(index).wrapping_add(i64::from(at.offset) as u64)
    }

    fn address_of_lane(&self, at: &Scattered, lane: usize) -> u64 {
        let index = i64::from(self.lane(at.index, lane) as i32) * i64::from(at.scale);
        self.scalar(at.base).wrapping_add(index as u64).wrapping_add(i64::from(at.offset) as u64)
    }

    /// The bytes at an address of a space's memory.
    fn bytes(&mut self, space: SpaceId, address: u64, size: u64) -> Ran<&mut [u8]> {
        let offset = address.wrapping_sub(base_of(space.0 as usize));
        let memory = &mut self.memories[space.0 as usize];
        if offset.checked_add(size).is_none_or(|end| end > memory.len() as u64) {
            let space = self.function.spaces[space.0 as usize].name.clone();
            return Err(Reason::OutOfBounds { space, address });
        }
        Ok(&mut memory[offset as usize..(offset + size) as usize])
    }

    fn read(&mut self, space: SpaceId, address: u64, size: u64) -> Ran<u64> {
        let bytes = self.bytes(space, address, size)?;
        let mut bits = [0; 8];
        bits[..bytes.len()].copy_from_slice(bytes);
        Ok(u64::from_le_bytes(bits))
    }

    fn write(&mut self, space: SpaceId, address: u64, size: u64, bits: u64) -> Ran {
        let bytes = self.bytes(space, address, size)?;
        bytes.copy_from_slice(&bits.to_le_bytes()[..bytes.len()]);
        Ok(())
    }
}

fn size(width: Width, kind: Kind) -> u64 {
    match width {
        Width::Full => kind.size().into(),
        Width::Half => 2,
    }
}

/// Some bits of a kind.
fn anything(kind: Kind, seed: u64) -> u64 {
    let bits = (seed ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    match kind {
        Kind::Bool => bits >> 63,
        Kind::I32 | Kind::F32 => bits >> 32,
        Kind::I64 | Kind::F64 => bits,
    }
}
