//! Random functions: structure, operations of every kind, masks and memory mixed; machine code against the evaluator.
//!
//! `WARPWEFT_X64_ROUNDS` says how many; a failure prints the seed, which `WARPWEFT_X64_SEED` takes.

mod common;

use common::{Memory, Random, check, values};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

const WORDS: usize = 256;

struct Generator {
    b: Builder,
    random: Random,
    /// Values in scope, the innermost last.
    values: Vec<Value>,
    bases: Vec<Value>,
    spaces: Vec<SpaceId>,
    budget: usize,
    lanes: u16,
}

const KINDS: [Kind; 4] = [Kind::I32, Kind::F32, Kind::I64, Kind::F64];

impl Generator {
    fn chance(&mut self, one_in: usize) -> bool {
        self.random.below(one_in) == 0
    }

    fn kind(&mut self) -> Kind {
        KINDS[self.random.below(4)]
    }

    /// Some value of that type: one in scope, or a constant.
    fn some(&mut self, ty: Type) -> Value {
        let fitting: Vec<Value> =
            self.values.iter().copied().filter(|&value| self.b.ty(value) == ty).collect();
        if !fitting.is_empty() && !self.chance(6) {
            // Recent ones more often: chains grow.
            let from = fitting.len().saturating_sub(if self.chance(2) { 3 } else { 50 });
            return fitting[from + self.random.below(fitting.len() - from)];
        }
        let pool = values(ty.kind, 30, 5);
        let bits = pool[self.random.below(pool.len())];
        if !ty.is_scalar() && self.chance(4) {
            let all: Vec<u64> =
                (0..ty.lanes).map(|lane| pool[(usize::from(lane) * 7 + bits as usize % 5) % 30]).collect();
            return self.b.define(ty, Op::Lanes(all.into()));
        }
        self.b.constant(ty, bits)
    }

    fn any_type(&mut self, kind: Kind) -> Type {
        if self.chance(3) { Type::scalar(kind) } else { Type::vector(kind, self.lanes) }
    }

    fn keep(&mut self, ty: Type, op: Op) {
        let value = self.b.define(ty, op);
        self.values.push(value);
    }

    /// An access inside a memory: of a space of that kind, at a place that is known or computed.
    fn access(&mut self, kind: Kind, lanes: u16) -> Access {
        let place = KINDS.iter().position(|&other| other == kind).unwrap();
        let limit = WORDS - usize::from(lanes);
        let size = kind.size() as i32;
        let (index, offset) = if self.chance(2) {
            (None, self.random.below(limit) as i32 * size)
        } else {
            let number = self.some(Type::scalar(Kind::I32));
            let mask = self.b.i32(127);
            let inside = self.b.and(number, mask);
            let index = self.b.convert(Convert::ZeroExtend, inside, Kind::I64);
            (Some(index), self.random.below(limit - 127) as i32 * size)
        };
        Access {
            base: self.bases[place],
            index,
            scale: size as u8,
            offset,
            space: self.spaces[place],
            width: Width::Full,
            always: false,
        }
    }

    fn scattered(&mut self, kind: Kind) -> Scattered {
        let place = KINDS.iter().position(|&other| other == kind).unwrap();
        let number = self.some(Type::vector(Kind::I32, self.lanes));
        let mask = self.b.like(number, (WORDS - 1) as f64);
        let index = self.b.and(number, mask);
        Scattered {
            base: self.bases[place],
            index,
            scale: kind.size() as u8,
            offset: 0,
            space: self.spaces[place],
            width: Width::Full,
        }
    }

    fn operation(&mut self) {
        let kind = self.kind();
        let ty = self.any_type(kind);
        let vector = Type::vector(kind, self.lanes);
        let mask = Type::vector(Kind::Bool, self.lanes);
        match self.random.below(22) {
            0..=5 => {
                let (a, mut b) = (self.some(ty), self.some(ty));
                use Binary::*;
                let op = if kind.is_float() {
                    [Add, Sub, Mul, Div, Min, Max][self.random.below(6)]
                } else {
                    [
                        Add, Sub, Mul, And, Or, Xor, MinS, MaxS, MinU, MaxU, Shl, ShrS, ShrU, MulHigh, DivU,
                        RemU,
                    ][self.random.below(16)]
                };
                if matches!(op, Shl | ShrS | ShrU) {
                    let limit = self.b.like(b, f64::from(kind.size() * 8 - 1));
                    b = self.b.and(b, limit);
                } else if matches!(op, DivU | RemU) {
                    let one = self.b.like(b, 1.0);
                    b = self.b.or(b, one);
                }
                self.keep(ty, Op::Binary(op, a, b));
            }
            6 | 7 => {
                let a = self.some(ty);
                use Unary::*;
                let op = if kind.is_float() {
                    [Neg, Abs, Sqrt, Floor, Nearest][self.random.below(5)]
                } else {
                    [Neg, Not, Abs, CountOnes, LeadingZeros, TrailingZeros][self.random.below(6)]
                };
                self.keep(ty, Op::Unary(op, a));
            }
            8 if kind.is_float() => {
                let (mut a, b, mut c) = (self.some(ty), self.some(ty), self.some(ty));
                if self.chance(3) {
                    a = self.b.neg(a);
                }
                if self.chance(3) {
                    c = self.b.neg(c);
                }
                self.keep(ty, Op::Fma(a, b, c));
            }
            8 | 9 => {
                let (a, b) = (self.some(ty), self.some(ty));
                use Compare::*;
                let op = if kind.is_float() {
                    [Eq, Ne, Lt, Le, Gt, Ge][self.random.below(6)]
                } else {
                    [Eq, Ne, LtS, LeS, GtS, GeS, LtU, LeU, GtU, GeU][self.random.below(10)]
                };
                self.keep(ty.with(Kind::Bool), Op::Compare(op, a, b));
            }
            10..=12 => {
                let (c, b) = (self.some(ty.with(Kind::Bool)), self.some(ty));
                let before = self.values.len();
                if self.chance(2) && !self.values.is_empty() {
                    // What is chosen is often made for it.
                    let (x, y) = (self.some(ty), self.some(ty));
                    let op = if self.chance(2) { Binary::Add } else { Binary::Mul };
                    let a = self.b.binary(op, x, y);
                    self.values.truncate(before);
                    self.keep(ty, Op::Select(c, a, b));
                } else {
                    let a = self.some(ty);
                    self.keep(ty, Op::Select(c, a, b));
                }
            }
            13 => {
                let ty = self.any_type(Kind::Bool);
                let (a, b) = (self.some(ty), self.some(ty));
                match self.random.below(4) {
                    0 => self.keep(ty, Op::Unary(Unary::Not, a)),
                    n => self.keep(ty, Op::Binary([Binary::And, Binary::Or, Binary::Xor][n - 1], a, b)),
                }
            }
            14 => {
                let cases = [
                    (Convert::SignExtend, Kind::I32, Kind::I64),
                    (Convert::ZeroExtend, Kind::I32, Kind::I64),
                    (Convert::Truncate, Kind::I64, Kind::I32),
                    (Convert::Widen, Kind::F32, Kind::F64),
                    (Convert::Narrow, Kind::F64, Kind::F32),
                    (Convert::FromSigned, Kind::I32, Kind::F32),
                    (Convert::FromUnsigned, Kind::I64, Kind::F64),
                    (Convert::FromSigned, Kind::I64, Kind::F32),
                    (Convert::ToSigned, Kind::F32, Kind::I32),
                    (Convert::ToUnsigned, Kind::F64, Kind::I32),
                    (Convert::ToSigned, Kind::F64, Kind::I64),
                    (Convert::ToUnsigned, Kind::F32, Kind::I64),
                    (Convert::Bitcast, Kind::I32, Kind::F32),
                ];
                let (op, from, to) = cases[self.random.below(cases.len())];
                let ty = self.any_type(from);
                let a = self.some(ty);
                self.keep(ty.with(to), Op::Convert(op, a));
            }
            15 => {
                let a = self.some(vector);
                match self.random.below(4) {
                    0 => {
                        let lane = self.random.below(self.lanes.into()) as u16;
                        self.keep(Type::scalar(kind), Op::Extract(a, lane));
                    }
                    1 => {
                        let number = self.some(Type::scalar(Kind::I32));
                        let limit = self.b.i32(u32::from(self.lanes) - 1);
                        let lane = self.b.and(number, limit);
                        self.keep(Type::scalar(kind), Op::ExtractAt(a, lane));
                    }
                    2 => {
                        let number = self.some(Type::vector(Kind::I32, self.lanes));
                        let limit = self.b.like(number, f64::from(self.lanes) - 1.0);
                        let lanes = self.b.and(number, limit);
                        self.keep(vector, Op::Permute(a, lanes));
                    }
                    _ => {
                        let op = if kind.is_float() { Binary::Max } else { Binary::Add };
                        self.keep(Type::scalar(kind), Op::Reduce(op, a));
                    }
                }
            }
            16 => {
                let a = self.some(Type::scalar(kind));
                self.keep(vector, Op::Splat(a));
            }
            17 => {
                let a = self.some(mask);
                match self.random.below(4) {
                    0 => self.keep(Type::scalar(Kind::Bool), Op::Any(a)),
                    1 => self.keep(Type::scalar(Kind::Bool), Op::All(a)),
                    2 => self.keep(Type::scalar(Kind::I64), Op::Bits(a)),
                    _ => {
                        let bits = self.some(Type::scalar(Kind::I64));
                        self.keep(mask, Op::Mask(bits));
                    }
                }
            }
            18 | 19 => {
                let access = self.access(kind, ty.lanes);
                self.keep(ty, Op::Load(access));
            }
            20 => {
                let on = self.some(mask);
                if self.chance(2) {
                    let access = self.access(kind, self.lanes);
                    self.keep(vector, Op::LoadMasked(access, on));
                } else {
                    let places = self.scattered(kind);
                    self.keep(vector, Op::Gather(places, on));
                }
            }
            _ => self.effect(),
        }
    }

    fn effect(&mut self) {
        let kind = self.kind();
        let ty = self.any_type(kind);
        match self.random.below(4) {
            0 | 1 => {
                let (access, value) = (self.access(kind, ty.lanes), self.some(ty));
                self.b.act(Effect::Store(access, value));
            }
            2 => {
                let (access, value) =
                    (self.access(kind, self.lanes), self.some(Type::vector(kind, self.lanes)));
                let on = self.some(Type::vector(Kind::Bool, self.lanes));
                self.b.act(Effect::StoreMasked(access, value, on));
            }
            _ => {
                let (places, value) = (self.scattered(kind), self.some(Type::vector(kind, self.lanes)));
                let on = self.some(Type::vector(Kind::Bool, self.lanes));
                self.b.act(Effect::Scatter(places, value, on));
            }
        }
    }

    /// Operations and structure, without an end.
    fn list(&mut self, depth: usize) {
        let length = 3 + self.random.below(14);
        for _ in 0..length {
            if self.budget == 0 {
                return;
            }
            self.budget -= 1;
            if depth < 4 && self.chance(7) {
                match self.random.below(3) {
                    0 => self.either(depth),
                    1 => self.block(depth),
                    _ => self.rounds(depth),
                }
            } else {
                self.operation();
            }
        }
    }

    fn types(&mut self) -> Vec<Type> {
        (0..self.random.below(4))
            .map(|_| {
                let kind = if self.chance(4) { Kind::Bool } else { self.kind() };
                self.any_type(kind)
            })
            .collect()
    }

    fn results(&mut self, types: &[Type]) -> Vec<Value> {
        types.iter().map(|&ty| self.some(ty)).collect()
    }

    fn either(&mut self, depth: usize) {
        let types = self.types();
        let condition = self.some(Type::scalar(Kind::Bool));
        let scope = self.values.len();
        let mut arms = vec![];
        for _ in 0..2 {
            self.b.open();
            self.list(depth + 1);
            let results = self.results(&types);
            self.b.yields(&results);
            arms.push(self.b.close());
            self.values.truncate(scope);
        }
        let (otherwise, then) = (arms.pop().unwrap(), arms.pop().unwrap());
        let hint = [Hint::None, Hint::Likely, Hint::Unlikely][self.random.below(3)];
        let results = self.b.branch_on(condition, then, otherwise, &types, hint);
        self.values.extend(results);
    }

    /// A block that may be left from inside an `If`.
    fn block(&mut self, depth: usize) {
        let types = self.types();
        let label = self.b.label();
        let results: Vec<Value> = types.iter().map(|&ty| self.b.value(ty)).collect();
        let scope = self.values.len();
        self.b.open();
        self.list(depth + 1);
        let condition = self.some(Type::scalar(Kind::Bool));
        let inner = self.values.len();
        self.b.open();
        self.list(depth + 2);
        let leaving = self.results(&types);
        self.b.branch(label, &leaving);
        let then = self.b.close();
        self.values.truncate(inner);
        self.b.open();
        self.b.yields(&[]);
        let otherwise = self.b.close();
        self.b.branch_on(condition, then, otherwise, &[], Hint::None);
        self.list(depth + 1);
        let ending = self.results(&types);
        self.b.yields(&ending);
        let body = self.b.close();
        self.values.truncate(scope);
        self.b.push(Inst::Block { label, body, results: results.clone() });
        self.values.extend(results);
    }

    /// A loop of a few rounds, with values that go from one to the next.
    fn rounds(&mut self, depth: usize) {
        let types = self.types();
        let (out, again) = (self.b.label(), self.b.label());
        let firsts = self.results(&types);
        let results: Vec<Value> = types.iter().map(|&ty| self.b.value(ty)).collect();
        let zero = self.b.i32(0);
        let scope = self.values.len();
        self.b.open();
        self.b.open();
        let count = self.b.value(Type::scalar(Kind::I32));
        let mut params = vec![(count, zero)];
        for (&ty, &first) in types.iter().zip(&firsts) {
            let param = self.b.value(ty);
            params.push((param, first));
            self.values.push(param);
        }
        self.values.push(count);
        self.list(depth + 1);
        let one = self.b.i32(1);
        let next = self.b.add(count, one);
        let limit = self.b.i32(1 + self.random.below(4) as u32);
        let more = self.b.lt_s(next, limit);
        let mut going = vec![next];
        going.extend(self.results(&types));
        let leaving = self.results(&types);
        self.b.open();
        self.b.branch(again, &going);
        let then = self.b.close();
        self.b.open();
        self.b.branch(out, &leaving);
        let otherwise = self.b.close();
        self.b.branch_on(more, then, otherwise, &[], Hint::None);
        let body = self.b.close();
        self.b.push(Inst::Loop { label: again, params, body });
        let body = self.b.close();
        self.values.truncate(scope);
        self.b.push(Inst::Block { label: out, body, results: results.clone() });
        self.values.extend(results);
    }
}

fn function(seed: u64) -> Function {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let lanes = [2, 4, 8, 16, 16, 32, 64][random.below(7)];
    let mut b = Builder::new("random", lanes);
    let bases: Vec<Value> = KINDS.iter().map(|_| b.param(Kind::I64)).collect();
    let spaces: Vec<SpaceId> =
        ["ints", "floats", "longs", "doubles"].map(|name| b.space(name, false)).to_vec();
    let budget = 20 + random.below(100);
    let mut generator = Generator { b, random, values: vec![], bases, spaces, budget, lanes };
    for kind in KINDS {
        for lanes in [1, lanes] {
            let access = generator.access(kind, lanes);
            generator.keep(Type { kind, lanes }, Op::Load(access));
        }
    }
    while generator.budget > 0 {
        generator.list(0);
    }
    // What is left must show.
    for value in generator.values.clone().into_iter().rev().take(12) {
        let ty = generator.b.ty(value);
        if ty.kind != Kind::Bool {
            let access = generator.access(ty.kind, ty.lanes);
            generator.b.act(Effect::Store(access, value));
        }
    }
    generator.b.yields(&[]);
    generator.b.finish()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn random_functions_agree_with_the_evaluator() {
    let (first, rounds) = match number("WARPWEFT_X64_SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("WARPWEFT_X64_ROUNDS").unwrap_or(150)),
    };
    for seed in first..first + rounds {
        let function = function(seed);
        let memories: Vec<Memory> =
            KINDS.iter().map(|&kind| Memory::of(kind, &values(kind, WORDS, seed))).collect();
        let run = std::panic::AssertUnwindSafe(|| check(&function, &memories, &[vec![]]));
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("WARPWEFT_X64_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
