//! Random valid functions and what to run them with, for tests of whoever takes functions.
//!
//! [`function`] nests branches, blocks and counted loops, computes with every kind, reads and writes memory in every
//! way. All its accesses are inside of the memories that [`evaluation`] maps, all divisions have results, all loops end.
//! Bits of NaNs never reach an integer, so two runs may differ in those only: [`difference`] looks past them.
//!
//! Builds instructions itself: what the [`Builder`](crate::Builder) simplifies would test little.

mod compute;
mod memory;

use crate::Evaluation;
use crate::ir::*;

/// Numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of that seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

/// Bytes of each memory: an index below 64 of the largest elements, a vector of them that lie apart, and an offset.
const BYTES: usize = 64 * 8 + 64 * 8 * 8 + 128;

/// The spaces of random functions: what their elements are. The last is constant.
const SPACES: [(&str, Kind); 5] = [
    ("words", Kind::I32),
    ("longs", Kind::I64),
    ("floats", Kind::F32),
    ("doubles", Kind::F64),
    ("table", Kind::F32),
];

const KINDS: [Kind; 4] = [Kind::I32, Kind::I64, Kind::F32, Kind::F64];

/// A random function of about `size` instructions, for gangs of `lanes`. Its parameters are the base addresses of its
/// spaces and a number.
pub fn function(seed: u64, lanes: u16, size: usize) -> Function {
    let mut values = vec![];
    let params: Vec<Value> = (0..=SPACES.len())
        .map(|index| {
            values.push(Type::scalar(Kind::I64));
            Value(index as u32)
        })
        .collect();
    let spaces = SPACES
        .iter()
        .map(|(name, _)| Space {
            name: (*name).into(),
            constant: *name == "table",
            stores: match seed % 3 {
                _ if *name == "table" => Stores::Cached,
                0 => Stores::Cached,
                1 => Stores::Streamed,
                _ => Stores::StreamedInPieces,
            },
            fleeting: false,
        })
        .collect();
    let function = Function {
        name: format!("random_{seed}"),
        lanes,
        params: params.clone(),
        values,
        spaces,
        labels: 0,
        body: vec![],
    };
    let mut generator = Generator {
        function,
        random: Random::new(seed),
        visible: vec![params[SPACES.len()]],
        out: vec![],
        targets: vec![],
        left: size,
        loops: 0,
    };
    while generator.left > 0 {
        generator.list(8);
    }
    generator.leave(&[], true);
    generator.function.body = generator.out;
    generator.function
}

/// Memories and arguments for a random function.
pub fn evaluation(seed: u64) -> (Evaluation, Vec<u64>) {
    let mut random = Random::new(seed ^ 0x5eed);
    let mut evaluation = Evaluation::new();
    evaluation.steps = 2_000_000;
    let mut arguments = vec![];
    for (_, kind) in SPACES {
        let mut bytes = vec![];
        while bytes.len() < BYTES {
            let bits = number(&mut random, kind).to_le_bytes();
            bytes.extend_from_slice(&bits[..kind.size() as usize]);
        }
        arguments.push(evaluation.map(bytes));
    }
    arguments.push(random.bits() % 100);
    (evaluation, arguments)
}

/// Where the memories of two runs differ, other than in the bits of NaNs: the space's name and the byte.
pub fn difference(a: &Evaluation, b: &Evaluation) -> Option<(&'static str, usize)> {
    for (space, (name, kind)) in SPACES.into_iter().enumerate() {
        let size = kind.size() as usize;
        let pairs = a.memory(space).chunks(size).zip(b.memory(space).chunks(size));
        for (index, (x, y)) in pairs.enumerate() {
            let nan = |bytes: &[u8]| match kind {
                Kind::F32 => bytes.try_into().is_ok_and(|bytes| f32::from_le_bytes(bytes).is_nan()),
                Kind::F64 => bytes.try_into().is_ok_and(|bytes| f64::from_le_bytes(bytes).is_nan()),
                _ => false,
            };
            if x != y && !(nan(x) && nan(y)) {
                return Some((name, index * size));
            }
        }
    }
    None
}

/// A number of a kind: small, special or any; no NaN.
fn number(random: &mut Random, kind: Kind) -> u64 {
    let small = random.below(9) as i64 - 2;
    match kind {
        Kind::Bool => random.bits() & 1,
        Kind::I32 => {
            let any = random.bits() as u32;
            u64::from(random.of(&[small as u32, small as u32, any, 1 << 31, u32::MAX, 1 << (any % 32)]))
        }
        Kind::I64 => {
            let any = random.bits();
            random.of(&[small as u64, small as u64, any, 1 << 63, u64::MAX, 1 << (any % 64)])
        }
        Kind::F32 => {
            let any = random.bits() as u32 as f32 / 65536.0 - 30000.0;
            random
                .of(&[small as f32, small as f32, any, -0.0, 0.5, 1e-40, f32::INFINITY, 3e38])
                .to_bits()
                .into()
        }
        Kind::F64 => {
            let any = random.bits() as f64 / 1e15 - 5000.0;
            random.of(&[small as f64, small as f64, any, -0.0, 0.5, 1e-310, f64::INFINITY, 1e300]).to_bits()
        }
    }
}

/// Where a branch may go.
struct Target {
    label: Label,
    types: Vec<Type>,
    /// What counts a loop's rounds next.
    next: Option<Value>,
}

struct Generator {
    function: Function,
    random: Random,
    /// What may be used, oldest first.
    visible: Vec<Value>,
    out: Vec<Inst>,
    targets: Vec<Target>,
    /// How many instructions to go.
    left: usize,
    /// How many loops are around.
    loops: u32,
}

impl Generator {
    fn ty(&mut self) -> Type {
        let kind =
            self.random.of(&[Kind::Bool, Kind::I32, Kind::I32, Kind::I64, Kind::F32, Kind::F32, Kind::F64]);
        self.lanes_of(kind)
    }

    fn lanes_of(&mut self, kind: Kind) -> Type {
        if self.random.one_in(3) { Type::scalar(kind) } else { Type { kind, lanes: self.function.lanes } }
    }

    fn mark(&mut self) -> Mark {
        Mark(self.random.below(4) as u32)
    }

    fn define(&mut self, ty: Type, op: Op) -> Value {
        let result = self.function.value(ty);
        let mark = self.mark();
        self.out.push(Inst::Let { result, op, mark });
        self.visible.push(result);
        result
    }

    fn act(&mut self, effect: Effect) {
        let mark = self.mark();
        self.out.push(Inst::Do { effect, mark });
    }

    fn constant(&mut self, ty: Type, bits: u64) -> Value {
        self.define(ty, Op::Const(bits))
    }

    /// A value of that type: one that is there, or a constant.
    fn value(&mut self, ty: Type) -> Value {
        for _ in 0..12 {
            // Rather what is new, so that chains become long.
            let back = self.random.below(self.visible.len()).min(self.random.below(self.visible.len()));
            let value = self.visible[self.visible.len() - 1 - back];
            if self.function.ty(value) == ty {
                return value;
            }
        }
        if !ty.is_scalar() && self.random.one_in(3) {
            let lanes = (0..ty.lanes).map(|_| number(&mut self.random, ty.kind)).collect();
            return self.define(ty, Op::Lanes(lanes));
        }
        if !ty.is_scalar() && self.random.one_in(3) {
            let scalar = self.value(Type::scalar(ty.kind));
            return self.define(ty, Op::Splat(scalar));
        }
        if self.random.one_in(2) {
            return self.unknown(ty);
        }
        let bits = number(&mut self.random, ty.kind);
        self.constant(ty, bits)
    }

    /// A value that only memory tells.
    fn unknown(&mut self, ty: Type) -> Value {
        if ty.kind == Kind::Bool {
            let of = ty.with(Kind::I32);
            let x = self.unknown(of);
            let bits = self.random.bits() % 8;
            let y = self.constant(of, bits);
            let op = self.random.of(&[Compare::LtU, Compare::LtS, Compare::Eq, Compare::Ne]);
            return self.define(ty, Op::Compare(op, x, y));
        }
        let space = KINDS.iter().position(|&kind| kind == ty.kind).unwrap_or(0);
        let offset = (self.random.below(64) * ty.kind.size() as usize) as i32;
        let access = Access {
            base: Value(space as u32),
            index: None,
            scale: 1,
            offset,
            space: SpaceId(space as u32),
            width: Width::Full,
            always: self.random.one_in(2),
        };
        self.define(ty, Op::Load(access))
    }

    fn values(&mut self, types: &[Type]) -> Vec<Value> {
        types.iter().map(|&ty| self.value(ty)).collect()
    }

    /// A value with bits cleared and others set.
    fn limited(&mut self, ty: Type, mask: u64, set: u64) -> Value {
        let value = self.value(ty);
        let mask = self.constant(ty, mask);
        let value = self.define(ty, Op::Binary(Binary::And, value, mask));
        if set == 0 {
            return value;
        }
        let set = self.constant(ty, set);
        self.define(ty, Op::Binary(Binary::Or, value, set))
    }

    /// Instructions into the current list, without an end.
    fn list(&mut self, most: usize) {
        for _ in 0..1 + self.random.below(most) {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match self.random.below(24) {
                0..=1 => self.either(),
                2 => self.block(),
                3 if self.loops < 3 => self.round(),
                4..=6 => self.store(),
                7..=9 => self.load(),
                10 => self.across(),
                _ => self.compute(),
            }
        }
    }

    /// Ends the current list: with a yield of those types where that is allowed, or a branch.
    fn leave(&mut self, types: &[Type], may_yield: bool) {
        if self.random.one_in(2) {
            self.store();
        }
        if !self.targets.is_empty() && (!may_yield || self.random.one_in(4)) {
            let at = self.random.below(self.targets.len());
            return self.branch(at);
        }
        let arguments = self.values(types);
        self.out.push(Inst::Yield { arguments });
    }

    fn branch(&mut self, target: usize) {
        let Target { label, types, next } = &self.targets[target];
        let (label, types, next) = (*label, types.clone(), *next);
        let mut arguments = self.values(&types[usize::from(next.is_some())..]);
        if let Some(next) = next {
            arguments.insert(0, next);
        }
        self.out.push(Inst::Branch { label, arguments });
    }

    /// Starts a list; gives what [`end`](Self::end) needs.
    fn start(&mut self) -> (Vec<Inst>, usize) {
        (std::mem::take(&mut self.out), self.visible.len())
    }

    fn end(&mut self, (out, visible): (Vec<Inst>, usize)) -> Vec<Inst> {
        self.visible.truncate(visible);
        std::mem::replace(&mut self.out, out)
    }

    fn results(&mut self, types: &[Type]) -> Vec<Value> {
        let results: Vec<Value> = types.iter().map(|&ty| self.function.value(ty)).collect();
        self.visible.extend(&results);
        results
    }

    fn types(&mut self, most: usize) -> Vec<Type> {
        (0..self.random.below(most + 1)).map(|_| self.ty()).collect()
    }

    fn either(&mut self) {
        let condition = self.value(Type::scalar(Kind::Bool));
        let types = self.types(3);
        let hint = self.random.of(&[Hint::None, Hint::None, Hint::Likely, Hint::Unlikely]);
        let outer = self.start();
        if !self.random.one_in(3) {
            self.list(5);
        }
        self.leave(&types, true);
        let then = self.end(outer);
        let outer = self.start();
        if self.random.one_in(2) {
            self.list(5);
        }
        // One arm yields, so that the list goes on.
        let arguments = self.values(&types);
        self.out.push(Inst::Yield { arguments });
        let otherwise = self.end(outer);
        let results = self.results(&types);
        self.out.push(Inst::If { condition, then, otherwise, results, hint });
    }

    fn block(&mut self) {
        let label = self.function.label();
        let types = self.types(3);
        self.targets.push(Target { label, types: types.clone(), next: None });
        let outer = self.start();
        self.list(8);
        self.leave(&types, true);
        let body = self.end(outer);
        self.targets.pop();
        let results = self.results(&types);
        self.out.push(Inst::Block { label, body, results });
    }

    /// A loop of a few rounds in a block: it tests at its start or its end.
    fn round(&mut self) {
        self.loops += 1;
        let (exit, label) = (self.function.label(), self.function.label());
        let (results, mut types) = (self.types(2), self.types(3));
        let kind = self.random.of(&[Kind::I32, Kind::I64]);
        let counter = Type::scalar(kind);
        types.insert(0, counter);
        let outer = self.start();
        let end = self.limited(counter, 3, 0);
        let one = self.constant(counter, 1);
        let factor = self.value(counter);
        let mut first = self.values(&types[1..]);
        first.insert(0, self.constant(counter, 0));
        let params: Vec<Value> = types.iter().map(|&ty| self.function.value(ty)).collect();
        self.targets.push(Target { label: exit, types: results.clone(), next: None });
        let around = self.start();
        self.visible.extend(&params);
        let next = self.define(counter, Op::Binary(Binary::Add, params[0], one));
        if self.random.one_in(2) {
            self.define(counter, Op::Binary(Binary::Mul, params[0], factor));
        }
        let at_start = self.random.one_in(2);
        let (op, tested) = if at_start { (Compare::GeU, params[0]) } else { (Compare::LtU, next) };
        if at_start {
            self.test(op, tested, end, None);
        }
        // A loop that tests at its end only must come there.
        if at_start {
            self.targets.push(Target { label, types: types.clone(), next: Some(next) });
        }
        self.list(8);
        if !at_start {
            self.targets.push(Target { label, types, next: Some(next) });
            self.test(op, tested, end, Some(self.targets.len() - 1));
        } else {
            self.branch(self.targets.len() - 1);
        }
        self.targets.pop();
        let body = self.end(around);
        self.targets.pop();
        let params = params.into_iter().zip(first).collect();
        self.out.push(Inst::Loop { label, params, body });
        let body = self.end(outer);
        let results = self.results(&results);
        self.out.push(Inst::Block { label: exit, body, results });
        self.loops -= 1;
    }

    /// Leaves the innermost block, or goes on: behind this, or at a target.
    fn test(&mut self, op: Compare, tested: Value, end: Value, go_on: Option<usize>) {
        let condition = self.define(Type::scalar(Kind::Bool), Op::Compare(op, tested, end));
        let block = self.targets.len() - 1 - usize::from(go_on.is_some());
        let outer = self.start();
        match go_on {
            Some(target) => self.branch(target),
            None => self.branch(block),
        }
        let then = self.end(outer);
        let outer = self.start();
        match go_on {
            Some(_) => self.branch(block),
            None => self.out.push(Inst::Yield { arguments: vec![] }),
        }
        let otherwise = self.end(outer);
        self.out.push(Inst::If { condition, then, otherwise, results: vec![], hint: Hint::None });
    }
}
