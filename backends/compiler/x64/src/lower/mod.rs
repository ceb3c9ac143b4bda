//! Instruction selection: structured vector programs to machine instructions over virtual registers.
//!
//! This file walks the structure and keeps what each value is; the others select, by kind of operation. A value of more
//! lanes than a register holds is several registers, its *parts*. Masks are k registers of 16 lanes each on AVX-512, and
//! vectors of 32-bit lanes (all ones or zeros) on AVX2. What lies in register lanes or mask bits beyond a value's own is
//! unspecified; but a scalar integer of 32 bits has zeros above it in its register, as every instruction of 32 bits leaves
//! them. Knows nothing of registers' numbers and of bytes.

mod atomic;
mod choose;
mod compare;
mod convert;
mod integer;
mod kept;
mod lanes;
mod mask;
mod memory;
mod reduce;
mod scalar;
mod shuffle;
mod value;
mod vector;

use regalloc2::{RegClass, VReg};
use smallvec::{SmallVec, smallvec};
use warpweft_vector::Refusal;
use warpweft_vector::ir::{Effect, Function, Hint, Inst, Kind, Label, Mark, Op, Stores, Type, Value};

use crate::ahead::Ahead;
use crate::analysis::{Uses, analyse};
use crate::level::Level;
use crate::program::{Action, INT, Length, MASK, Program, Target, VEC, View};

/// The registers of a value.
pub(crate) type Parts = SmallVec<[VReg; 4]>;

/// Why selection stops.
pub(crate) type Selected<T> = Result<T, Refusal>;

/// Where arguments come and go: rdi, rsi, rdx, rcx, r8, r9.
const ARGUMENTS: [usize; 6] = [7, 6, 2, 1, 8, 9];

/// How a type lies in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) parts: usize,
    pub(crate) class: RegClass,
    /// Of each part, for vector registers.
    pub(crate) length: Length,
    /// Lanes of each part.
    pub(crate) lanes: u32,
}

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not seen yet.
    Unknown,
    /// Waits for its user, or for somebody who wants it in a register.
    Waiting,
    /// Its parts are registers from there on.
    Ready(u32),
}

/// A function while it is selected.
pub(crate) struct Lower<'f> {
    function: &'f Function,
    level: Level,
    p: Program,
    uses: Vec<Uses>,
    /// What to ask memory for in advance, where it and not a cache feeds the function.
    ahead: Option<Ahead>,
    states: Vec<State>,
    registers: Vec<VReg>,
    ops: Vec<Option<&'f Op>>,
    /// Where constants may be put into registers: the instruction that follows their definition.
    places: Vec<u32>,
    /// Waits, and reads memory when it is selected.
    reads: Vec<bool>,
    /// How many operations wait for each other, up to this one: bounds the recursion that selects them.
    chains: Vec<u8>,
    /// Masks by parts of 64-bit lanes, as a comparison gave them; `u32::MAX` where there are none.
    long_masks: Vec<u32>,
    /// Those of the comparison at hand.
    compared: Vec<VReg>,
    /// Where the frame keeps values for code that is rarely run; `u32::MAX` where it does not.
    kept: Vec<u32>,
    /// The code at hand is rarely run.
    rare: bool,
    /// How many constants keep a register from their definition on.
    held: u32,
    /// Constants that came into a register of their own, the latest ones, and where.
    made: [Option<Made>; MADE],
    /// What the next vector instructions leave where their masks do not hold, the first one last: zeros, or a register.
    merges: Vec<(VReg, Option<VReg>)>,
    mark: Mark,
}

/// How many constants or kept values that came into a register where they are used are remembered.
const MADE: usize = 4;

/// A constant or a kept value that was put into a register where it is used.
#[derive(Clone, Copy, Debug)]
struct Made {
    value: Value,
    register: VReg,
    block: usize,
    inst: usize,
}

/// Where a list's end goes.
enum End<'f> {
    Function,
    Then {
        otherwise: &'f [Inst],
        cold: bool,
        start: Target,
        join: Target,
    },
    Join(Target),
    /// A list that cannot end by yielding.
    Never,
}

struct Frame<'f> {
    rest: &'f [Inst],
    end: End<'f>,
    cold: bool,
    depth: u32,
}

/// Selects the instructions of a function.
pub(crate) fn lower(function: &Function, level: Level) -> Selected<Program> {
    let values = function.values.len();
    let mut lower = Lower {
        function,
        level,
        p: Program::with_room(values),
        uses: analyse(function),
        ahead: function
            .spaces
            .iter()
            .any(|space| space.stores != Stores::Cached)
            .then(|| Ahead::new(function)),
        states: vec![State::Unknown; values],
        registers: Vec::with_capacity(values * 2),
        ops: vec![None; values],
        places: vec![0; values],
        reads: vec![false; values],
        chains: vec![0; values],
        long_masks: vec![u32::MAX; values],
        compared: vec![],
        kept: vec![u32::MAX; values],
        rare: false,
        held: 0,
        made: [None; MADE],
        merges: vec![],
        mark: Mark::default(),
    };
    lower.entry()?;
    lower.walk()?;
    lower.p.complete();
    Ok(lower.p)
}

impl<'f> Lower<'f> {
    fn refuse<T>(&self, what: impl Into<String>) -> Selected<T> {
        Err(Refusal { what: what.into(), mark: self.mark })
    }

    fn ty(&self, value: Value) -> Type {
        self.function.values[value.0 as usize]
    }

    fn wide(&self) -> bool {
        self.level == Level::Avx512
    }

    fn shape(&self, ty: Type) -> Shape {
        let lanes = u32::from(ty.lanes);
        if ty.is_scalar() {
            let class = if ty.kind.is_float() { VEC } else { INT };
            return Shape { parts: 1, class, length: Length::X, lanes: 1 };
        }
        if ty.kind == Kind::Bool && self.wide() {
            return Shape {
                parts: lanes.div_ceil(16) as usize,
                class: MASK,
                length: Length::X,
                lanes: lanes.min(16),
            };
        }
        let size = ty.kind.size().max(4);
        let bytes = lanes * size;
        let native = self.level.native();
        let parts = bytes.div_ceil(native) as usize;
        Shape { parts, class: VEC, length: Length::of(bytes.min(native)), lanes: lanes.min(native / size) }
    }

    fn entry(&mut self) -> Selected<()> {
        if self.function.params.len() > 6 {
            return self.refuse("more than six parameters");
        }
        let start = self.p.target(vec![]);
        self.p.start(start, false, false);
        let params: Vec<(Value, VReg)> =
            self.function.params.iter().map(|&param| (param, self.p.register(INT))).collect();
        if self.function.params.iter().any(|&param| self.ty(param) != Type::scalar(Kind::I64)) {
            return self.refuse("a parameter that is not a 64-bit integer");
        }
        let mut entry = self.p.build(Action::Entry);
        for (&(_, register), fixed) in params.iter().zip(ARGUMENTS) {
            entry = entry.fixed_def(register, fixed);
        }
        entry.finish();
        for (param, register) in params {
            self.set(param, &[register]);
        }
        Ok(())
    }

    /// Says what registers a value is in.
    fn set(&mut self, value: Value, parts: &[VReg]) {
        debug_assert_eq!(parts.len(), self.shape(self.ty(value)).parts);
        self.states[value.0 as usize] = State::Ready(self.registers.len() as u32);
        self.registers.extend_from_slice(parts);
    }

    /// Fresh registers for values that blocks take as parameters.
    fn params(&mut self, values: impl Iterator<Item = Value>) -> Vec<VReg> {
        let mut all = vec![];
        for value in values {
            let shape = self.shape(self.ty(value));
            let from = all.len();
            for _ in 0..shape.parts {
                let register = self.p.register(shape.class);
                all.push(register);
            }
            let parts: Vec<VReg> = all[from..].to_vec();
            self.set(value, &parts);
        }
        all
    }

    /// The registers of values that go to a block.
    fn arguments(&mut self, values: &[Value]) -> Selected<Vec<VReg>> {
        let mut all = vec![];
        for &value in values {
            for part in 0..self.shape(self.ty(value)).parts {
                let register = self.reg(value, part)?;
                all.push(register);
            }
        }
        Ok(all)
    }

    // --- structure -------------------------------------------------------------------------------------------------

    fn walk(&mut self) -> Selected<()> {
        let function = self.function;
        let mut labels: Vec<Option<(Target, u32)>> = vec![None; function.labels as usize];
        let mut frames = vec![Frame { rest: &function.body, end: End::Function, cold: false, depth: 0 }];
        while let Some(frame) = frames.last_mut() {
            let Some((inst, rest)) = frame.rest.split_first() else {
                return self.refuse("a list without an end");
            };
            frame.rest = rest;
            let (cold, depth) = (frame.cold, frame.depth);
            self.rare = cold;
            match inst {
                Inst::Let { result, op, mark } => {
                    self.at(*mark);
                    self.define(*result, op, rest)?;
                }
                Inst::Do { effect, mark } => {
                    self.at(*mark);
                    self.act(effect)?;
                }
                Inst::If { condition, then, otherwise, results, hint } => {
                    let [yes, no] = [(); 2].map(|()| self.p.target(vec![]));
                    let params = self.params(results.iter().copied());
                    let join = self.p.target(params);
                    self.branch_on(*condition, *hint, yes, no, cold)?;
                    let leaves = |list: &[Inst]| leaves_loop(list, &labels, depth);
                    // What follows a loop stands behind its last test.
                    let last = goes_round(then, &labels, &self.p) || goes_round(otherwise, &labels, &self.p);
                    let then_cold = cold || *hint == Hint::Unlikely || !last && leaves(then);
                    let otherwise_cold = cold || *hint == Hint::Likely || !last && leaves(otherwise);
                    let mut first = (&then[..], then_cold, yes);
                    let mut second = (&otherwise[..], otherwise_cold, no);
                    if results.is_empty() && matches!(otherwise.last(), Some(Inst::Branch { .. })) {
                        // What goes elsewhere comes first: the other list and what follows are one block then.
                        std::mem::swap(&mut first, &mut second);
                    }
                    let (rest, cold, start) = first;
                    self.p.start(start, cold, false);
                    let (otherwise, otherwise_cold, start) = second;
                    let end = End::Then { otherwise, cold: otherwise_cold, start, join };
                    frames.push(Frame { rest, end, cold, depth });
                }
                Inst::Block { label, body, results } => {
                    let params = self.params(results.iter().copied());
                    let join = self.p.target(params);
                    self.name(&mut labels, *label, join, depth)?;
                    frames.push(Frame { rest: body, end: End::Join(join), cold, depth });
                }
                Inst::Loop { label, params, body } => {
                    let first: Vec<Value> = params.iter().map(|&(_, first)| first).collect();
                    let arguments = self.arguments(&first)?;
                    let params = self.params(params.iter().map(|&(param, _)| param));
                    let header = self.p.target(params);
                    self.name(&mut labels, *label, header, depth + 1)?;
                    self.p.jump(header, arguments);
                    self.p.start(header, cold, true);
                    frames.push(Frame { rest: body, end: End::Never, cold, depth: depth + 1 });
                }
                Inst::Branch { label, arguments } => {
                    let Some(&Some((target, _))) = labels.get(label.0 as usize) else {
                        return self.refuse("a branch to nowhere");
                    };
                    let arguments = self.arguments(arguments)?;
                    self.p.jump(target, arguments);
                    self.end_list(&mut frames, false, vec![])?;
                }
                Inst::Yield { arguments } => {
                    let arguments = self.arguments(arguments)?;
                    self.end_list(&mut frames, true, arguments)?;
                }
            }
        }
        Ok(())
    }

    fn name(
        &self,
        labels: &mut [Option<(Target, u32)>],
        label: Label,
        target: Target,
        depth: u32,
    ) -> Selected<()> {
        match labels.get_mut(label.0 as usize) {
            Some(place) => {
                *place = Some((target, depth));
                Ok(())
            }
            None => self.refuse("a label that was not given out"),
        }
    }

    /// Ends lists, from the innermost on, until one goes on.
    fn end_list(
        &mut self,
        frames: &mut Vec<Frame<'f>>,
        mut yields: bool,
        mut arguments: Vec<VReg>,
    ) -> Selected<()> {
        while let Some(frame) = frames.pop() {
            let join = match frame.end {
                End::Function => {
                    if yields {
                        self.p.ret();
                    }
                    continue;
                }
                End::Never if yields => return self.refuse("a loop whose body yields"),
                End::Never => continue,
                End::Then { otherwise, cold, start, join } => {
                    if yields {
                        self.p.jump(join, arguments);
                    }
                    self.p.start(start, cold, false);
                    frames.push(Frame { rest: otherwise, end: End::Join(join), cold, depth: frame.depth });
                    return Ok(());
                }
                End::Join(join) => {
                    let outer = frames.last().is_some_and(|outer| outer.cold);
                    if yields && !self.p.awaited(join) && frame.cold == outer {
                        // Nobody else comes here: the block goes on.
                        return Ok(());
                    }
                    if yields {
                        self.p.jump(join, std::mem::take(&mut arguments));
                    }
                    join
                }
            };
            if self.p.reached(join) {
                let cold = frames.last().is_some_and(|outer| outer.cold);
                self.p.start(join, cold, false);
                return Ok(());
            }
            // Nobody comes here: the list around it ended too.
            yields = false;
        }
        Ok(())
    }

    fn at(&mut self, mark: Mark) {
        self.mark = mark;
        self.p.set_mark(mark);
    }

    // --- instructions ----------------------------------------------------------------------------------------------

    /// An operation's place in the program: it is selected now, or waits for its user.
    fn define(&mut self, result: Value, op: &'f Op, rest: &[Inst]) -> Selected<()> {
        let index = result.0 as usize;
        self.ops[index] = Some(op);
        self.places[index] = self.p.insts.len() as u32;
        if matches!(op, Op::Lanes(_)) || self.bits_of(result).is_some() {
            self.states[index] = State::Waiting;
            return Ok(());
        }
        let uses = self.uses[index];
        if uses.count == 0 && !op.has_effect() {
            // Nobody will ask for it.
            self.states[index] = State::Waiting;
            return Ok(());
        }
        if uses.count == 1 && uses.same_list && self.may_wait(op, self.ty(result), uses) {
            let mut reads = matches!(op, Op::Load(_));
            let mut chain = 0;
            crate::analysis::op_operands(op, |operand| {
                let operand = operand.0 as usize;
                if self.states[operand] == State::Waiting {
                    reads |= self.reads[operand];
                    chain = chain.max(self.chains[operand] + 1);
                }
            });
            if chain < 8 && (!reads || uses.same_epoch) {
                self.states[index] = State::Waiting;
                self.reads[index] = reads;
                self.chains[index] = chain;
                return Ok(());
            }
        }
        if matches!(op, Op::AtomicLoad(_)) && uses.count == 1 && asked_at_once(result, rest) {
            // The comparison reads memory.
            self.states[index] = State::Waiting;
            self.reads[index] = true;
            return Ok(());
        }
        self.select(result, op)?;
        self.keep(result, uses);
        Ok(())
    }

    /// Users of this operation may take it into themselves.
    fn may_wait(&self, op: &Op, ty: Type, uses: Uses) -> bool {
        use warpweft_vector::ir::{Binary, Convert, Unary};
        match op {
            Op::Load(_) | Op::Splat(_) | Op::Any(_) | Op::All(_) => true,
            Op::Compare(..) => ty.is_scalar() || (self.wide() && uses.conjoined),
            _ if self.wide() && uses.chosen && !ty.is_scalar() && self.merges(op, ty) => true,
            Op::Unary(Unary::Neg, _) => ty.kind.is_float(),
            Op::Unary(Unary::Not, _) => true,
            Op::Binary(Binary::Add | Binary::Shl, ..) => ty == Type::scalar(Kind::I64),
            // Of conditions: each may become a jump.
            Op::Binary(Binary::And, ..) => ty == Type::scalar(Kind::Bool),
            Op::Convert(Convert::ToHalf, _) => true,
            _ => false,
        }
    }

    /// Selects an operation here and now.
    fn select(&mut self, result: Value, op: &'f Op) -> Selected<()> {
        let ty = self.ty(result);
        // What is asked for by an instruction that merges does not merge itself.
        let merges = std::mem::take(&mut self.merges);
        let parts = match op {
            Op::Const(_) | Op::Lanes(_) => self.constant(result)?,
            Op::Splat(_) if self.bits_of(result).is_some() => self.constant(result)?,
            Op::Splat(scalar) => self.splat(*scalar, ty)?,
            Op::Extract(vector, lane) => smallvec![self.extract(*vector, (*lane).into())?],
            Op::ExtractAt(vector, lane) => smallvec![self.extract_at(*vector, *lane)?],
            Op::Permute(vector, lanes) => self.permute(*vector, *lanes)?,
            Op::Shuffle(a, b, from) => self.shuffle(*a, *b, from, ty)?,
            Op::Reduce(op, vector) => smallvec![self.reduce(*op, *vector)?],
            Op::Any(_) | Op::All(_) => smallvec![self.condition_bit(op)?],
            Op::Compare(..) if ty.is_scalar() => smallvec![self.condition_bit(op)?],
            Op::Compare(compare, a, b) => {
                let parts = self.compare_vectors(*compare, *a, *b)?;
                if !self.compared.is_empty() {
                    self.long_masks[result.0 as usize] = self.registers.len() as u32;
                    self.registers.append(&mut self.compared);
                }
                parts
            }
            Op::Select(condition, a, b) => self.choose(ty, *condition, *a, *b)?,
            Op::Bits(mask) => smallvec![self.bits(*mask)?],
            Op::Mask(bits) => self.mask_of(*bits, ty)?,
            Op::Convert(convert, a) => self.convert(*convert, *a, ty)?,
            Op::Load(access) => self.load(access, ty)?,
            Op::LoadMasked(access, mask) => self.load_masked(access, *mask, ty)?,
            Op::LoadStrided(..) => return self.refuse("a strided load that was not legalised"),
            Op::Gather(scattered, mask) => self.gather(scattered, *mask, ty)?,
            Op::Atomic(op, access, a) => {
                smallvec![self.atomic(*op, access, *a, self.uses[result.0 as usize].count > 0)?]
            }
            Op::CompareExchange(access, expected, new) => {
                smallvec![self.compare_exchange(access, *expected, *new)?]
            }
            Op::AtomicLoad(access) => self.load(access, ty)?,
            Op::Unary(..) | Op::Binary(..) | Op::Fma(..) if ty.kind == Kind::Bool => self.logic(op, ty)?,
            Op::Unary(..) | Op::Binary(..) | Op::Fma(..) if self.shape(ty).class == INT => {
                smallvec![self.scalar(op, ty)?]
            }
            Op::Unary(unary, a) => self.unary(*unary, *a, ty)?,
            Op::Binary(binary, a, b) => self.binary(*binary, *a, *b, ty)?,
            Op::Fma(a, b, c) => self.fma(*a, *b, *c, ty)?,
        };
        self.merges = merges;
        self.set(result, &parts);
        Ok(())
    }

    fn act(&mut self, effect: &'f Effect) -> Selected<()> {
        match effect {
            Effect::Store(access, value) => self.store(access, *value),
            Effect::StoreMasked(access, value, mask) => self.store_masked(access, *value, *mask),
            Effect::StoreStrided(..) => self.refuse("a strided store that was not legalised"),
            Effect::Scatter(scattered, value, mask) => self.scatter(scattered, *value, *mask),
            Effect::AtomicStore(access, value) => self.atomic_store(access, *value),
            Effect::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    /// Whatever lives on is saved by the allocator: the call takes every register that a callee need not keep.
    fn call(&mut self, function: u32, arguments: &[Value]) -> Selected<()> {
        let mut registers = Vec::with_capacity(arguments.len());
        for &argument in arguments {
            registers.push(self.reg(argument, 0)?);
        }
        let mut call = self.p.build(Action::Call(function));
        for (register, fixed) in registers.into_iter().zip(ARGUMENTS) {
            call = call.fixed_use(register, fixed);
        }
        call.finish();
        Ok(())
    }

    // --- single instructions ---------------------------------------------------------------------------------------

    fn code(&mut self, code: iced_x86::Code) -> crate::program::Build<'_> {
        self.p.build(Action::Code(code))
    }

    fn int(&mut self) -> VReg {
        self.p.register(INT)
    }

    fn vec(&mut self) -> VReg {
        self.p.register(VEC)
    }

    fn k(&mut self) -> VReg {
        self.p.register(MASK)
    }
}

/// The list is short and leaves a loop: it runs once where what surrounds it runs often.
fn leaves_loop(list: &[Inst], labels: &[Option<(Target, u32)>], depth: u32) -> bool {
    let Some(Inst::Branch { label, .. }) = list.last() else { return false };
    matches!(labels.get(label.0 as usize), Some(Some((_, to))) if *to < depth)
}

/// What follows compares the value with a number and goes one way or the other: nothing comes between.
fn asked_at_once(value: Value, rest: &[Inst]) -> bool {
    let [Inst::Let { result, op: Op::Compare(_, a, _), .. }, Inst::If { condition, .. }, ..] = rest else {
        return false;
    };
    *a == value && condition == result
}

/// Nothing but the way back to the start of a loop.
fn goes_round(list: &[Inst], labels: &[Option<(Target, u32)>], program: &Program) -> bool {
    let [Inst::Branch { label, .. }] = list else { return false };
    matches!(labels.get(label.0 as usize), Some(Some((target, _))) if program.is_started(*target))
}

/// The view of a general register for integers of that kind.
fn int_view(kind: Kind) -> View {
    if kind == Kind::I64 { View::G64 } else { View::G32 }
}
