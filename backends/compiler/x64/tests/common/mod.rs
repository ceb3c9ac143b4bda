//! Runs functions as machine code at every level and in the evaluator, on the same memories, and compares.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use warpweft_executable::Executable;
use warpweft_vector::ir::*;
use warpweft_vector::{Builder, Evaluation, MachineCode, legalise};
use warpweft_x64::{Level, Target, compile};

/// Bytes around each memory that must stay as they are.
const CANARY: usize = 64;

/// The levels to test; says what this processor lacks.
pub fn levels() -> Vec<Level> {
    let levels = Level::detect();
    for level in [Level::Avx2, Level::Avx512] {
        if !levels.contains(&level) {
            eprintln!("this processor has no {level:?}: its code is not run");
        }
    }
    levels
}

/// A memory: what is in it at first, and how results are compared.
#[derive(Clone, Debug)]
pub struct Memory {
    pub bytes: Vec<u8>,
    /// Any NaN is as good as any other where floats of that kind are kept.
    pub kind: Kind,
}

impl Memory {
    pub fn of(kind: Kind, lanes: &[u64]) -> Self {
        let size = kind.size() as usize;
        Self { bytes: lanes.iter().flat_map(|lane| lane.to_le_bytes()[..size].to_vec()).collect(), kind }
    }

    pub fn zeros(kind: Kind, lanes: usize) -> Self {
        Self { bytes: vec![0; lanes * kind.size() as usize], kind }
    }

    /// Differences, lane by lane.
    pub fn differs(&self, other: &[u8]) -> Option<usize> {
        let size = self.kind.size() as usize;
        self.bytes.chunks(size).zip(other.chunks(size)).position(|(a, b)| {
            let nan = |bytes: &[u8]| match (self.kind, bytes.len()) {
                (Kind::F32, 4) => f32::from_le_bytes(bytes.try_into().unwrap()).is_nan(),
                (Kind::F64, 8) => f64::from_le_bytes(bytes.try_into().unwrap()).is_nan(),
                _ => false,
            };
            a != b && !(nan(a) && nan(b))
        })
    }
}

/// A place in memory that no index moves.
pub fn at(base: Value, offset: i32, space: SpaceId) -> Access {
    Access { base, index: None, scale: 1, offset, space, width: Width::Full, always: false }
}

/// How often something stands in a text.
pub fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

/// What is done where a condition holds; nothing else.
pub fn only_where(b: &mut Builder, condition: Value, hint: Hint, arm: impl FnOnce(&mut Builder)) {
    b.open();
    arm(b);
    b.yields(&[]);
    let then = b.close();
    b.open();
    b.yields(&[]);
    let otherwise = b.close();
    b.branch_on(condition, then, otherwise, &[], hint);
}

/// So many rounds of a body that gets the round's number and a sum, and gives the next sum; the first is 0.
pub fn rounds(b: &mut Builder, most: u64, body: impl FnOnce(&mut Builder, Value, Value) -> Value) {
    let (zero, one, most) = (b.i64(0), b.i64(1), b.i64(most));
    let (out, again) = (b.label(), b.label());
    let [round, sum] = [(); 2].map(|()| b.value(Type::scalar(Kind::I64)));
    b.open();
    b.open();
    let sum_after = body(b, round, sum);
    let next = b.add(round, one);
    let more = b.lt_u(next, most);
    b.open();
    b.branch(again, &[next, sum_after]);
    let then = b.close();
    b.open();
    b.branch(out, &[]);
    let otherwise = b.close();
    b.branch_on(more, then, otherwise, &[], Hint::Likely);
    let list = b.close();
    b.push(Inst::Loop { label: again, params: vec![(round, zero), (sum, zero)], body: list });
    let list = b.close();
    b.push(Inst::Block { label: out, body: list, results: vec![] });
}

/// The code of a function that was legalised for the level.
pub fn generate(function: &Function, level: Level) -> MachineCode {
    let mut function = function.clone();
    legalise::legalise(&mut function, &Target(level));
    match compile(&function, level) {
        Ok(code) => code,
        Err(refusal) => panic!("{level:?} refuses: {refusal:?}\n{function}"),
    }
}

/// Calls code with memories' addresses, then numbers.
pub fn call(code: &Executable, arguments: &[u64]) {
    let mut six = [0u64; 6];
    six[..arguments.len()].copy_from_slice(arguments);
    type Six = extern "sysv64" fn(u64, u64, u64, u64, u64, u64);
    // SAFETY: the code was generated as such a function; arguments that it does not take do no harm.
    let function: Six = unsafe { std::mem::transmute(code.address()) };
    function(six[0], six[1], six[2], six[3], six[4], six[5]);
}

/// Runs machine code on copies of memories with canaries around; gives what is in them afterwards.
pub fn execute(code: &MachineCode, memories: &[Memory], rounds: &[Vec<u64>], shift: usize) -> Vec<Vec<u8>> {
    let executable = Executable::new(&code.bytes).unwrap();
    let mut guarded: Vec<Vec<u8>> = memories
        .iter()
        .map(|memory| {
            let mut bytes = vec![0xa5; memory.bytes.len() + 2 * CANARY + shift];
            bytes[CANARY + shift..CANARY + shift + memory.bytes.len()].copy_from_slice(&memory.bytes);
            bytes
        })
        .collect();
    let bases: Vec<u64> =
        guarded.iter_mut().map(|bytes| bytes.as_mut_ptr() as u64 + (CANARY + shift) as u64).collect();
    for numbers in rounds {
        let arguments: Vec<u64> = bases.iter().chain(numbers).copied().collect();
        call(&executable, &arguments);
    }
    guarded
        .into_iter()
        .zip(memories)
        .map(|(bytes, memory)| {
            let (before, rest) = bytes.split_at(CANARY + shift);
            let (inside, after) = rest.split_at(memory.bytes.len());
            assert!(before.iter().chain(after).all(|&byte| byte == 0xa5), "wrote outside of memory");
            inside.to_vec()
        })
        .collect()
}

/// What the evaluator makes of it.
pub fn expected(function: &Function, memories: &[Memory], rounds: &[Vec<u64>]) -> Vec<Vec<u8>> {
    let mut evaluation = Evaluation::new();
    let bases: Vec<u64> = memories.iter().map(|memory| evaluation.map(memory.bytes.clone())).collect();
    for numbers in rounds {
        let arguments: Vec<u64> = bases.iter().chain(numbers).copied().collect();
        if let Err(error) = evaluation.run(function, &arguments) {
            panic!("{error}\n{function}");
        }
    }
    (0..memories.len()).map(|space| evaluation.memory(space).to_vec()).collect()
}

/// The function gets the address of each memory, then each round's numbers: everywhere the same must be in memory.
pub fn check(function: &Function, memories: &[Memory], rounds: &[Vec<u64>]) {
    let wanted = expected(function, memories, rounds);
    for level in levels() {
        let code = generate(function, level);
        // Not at a multiple of a vector: nothing may count on that.
        let got = execute(&code, memories, rounds, 8);
        for (space, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
            let memory = Memory { bytes: got.clone(), kind: memories[space].kind };
            if let Some(lane) = memory.differs(wanted) {
                let size = memory.kind.size() as usize;
                panic!(
                    "{level:?}: element {lane} of memory {space}: {:x?} instead of {:x?}\n{function}\n{}",
                    &got[lane * size..(lane + 1) * size],
                    &wanted[lane * size..(lane + 1) * size],
                    warpweft_x64::listing(&code)
                );
            }
        }
    }
}

/// A stream of numbers (xorshift), for tests that print their seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }
}

/// Interesting values of a kind, then random ones.
pub fn values(kind: Kind, count: usize, seed: u64) -> Vec<u64> {
    let f32s = [
        0.0f32,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        3.7,
        -3.7,
        1e10,
        -1e10,
        2147483648.0,
        2147483520.0,
        -2147483648.0,
        -2147483904.0,
        4294967296.0,
        4294967040.0,
        9.3e18,
        -9.3e18,
        1.9e19,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MIN_POSITIVE,
        1e-40,
        f32::MAX,
        f32::MIN,
        65504.0,
        65520.0,
        6e-8,
        100.3,
        0.49999997,
        8388609.0,
        -8388609.5,
        0.1,
        33554433.0,
    ];
    let mut all: Vec<u64> = match kind {
        Kind::Bool => vec![0, 1, 1, 0],
        Kind::F32 => f32s.iter().map(|value| u64::from(value.to_bits())).collect(),
        Kind::F64 => f32s
            .iter()
            .map(|&value| f64::from(value).to_bits())
            .chain(
                [
                    2147483647.5f64,
                    4294967295.5,
                    -2147483648.5,
                    1e300,
                    -1e300,
                    9007199254740993.0,
                    5e-324,
                    1e40,
                ]
                .map(f64::to_bits),
            )
            .collect(),
        Kind::I32 => [
            0u32,
            1,
            2,
            3,
            7,
            31,
            32,
            33,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            0xffff_fffe,
            0x1234_5678,
            0xff00,
            0x8001,
        ]
        .map(u64::from)
        .to_vec(),
        Kind::I64 => vec![
            0,
            1,
            2,
            5,
            31,
            63,
            64,
            0x7fff_ffff_ffff_ffff,
            0x8000_0000_0000_0000,
            u64::MAX,
            u64::MAX - 1,
            0xffff_ffff,
            0x1_0000_0000,
            0x0123_4567_89ab_cdef,
            0x8000_0001_8000_0001,
            0xffff_ffff_7fff_ffff,
            (1 << 53) + 1,
        ],
    };
    let mut random = Random(seed | 1);
    while all.len() < count {
        let bits = random.next();
        all.push(match kind {
            Kind::Bool => bits >> 40 & 1,
            Kind::I32 => bits >> 32,
            Kind::I64 => bits >> (random.next() % 60),
            Kind::F32 => u64::from((((bits >> 40) as f32) / 65536.0 - 100.0).to_bits()),
            Kind::F64 => (((bits >> 20) as f64) / 65536.0 - 1e6).to_bits(),
        });
    }
    all.truncate(count);
    all
}
