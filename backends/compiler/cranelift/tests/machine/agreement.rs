//! Runs functions on this processor and in the evaluator, and compares the memories that they leave.

use warpweft_executable::Executable;
use warpweft_vector::ir::*;
use warpweft_vector::{Evaluation, MachineCode};

/// Around each memory, so that writes outside of it are seen.
const CANARY: u8 = 0xa5;
const MARGIN: usize = 256;

/// What a memory holds, for comparisons: bits, or floats of which all NaNs are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Bits,
    F32,
    F64,
}

/// A memory of bytes, each space's in order.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) bytes: Vec<u8>,
    pub(crate) holds: Holds,
}

impl Memory {
    pub(crate) fn of_u32(words: &[u32]) -> Self {
        Self { bytes: words.iter().flat_map(|word| word.to_le_bytes()).collect(), holds: Holds::Bits }
    }

    pub(crate) fn of_u64(words: &[u64]) -> Self {
        Self { bytes: words.iter().flat_map(|word| word.to_le_bytes()).collect(), holds: Holds::Bits }
    }
}

/// Compiled code, ready to be called.
pub(crate) struct Ready {
    /// For this processor; and, where that is asked for, for the oldest of its kind.
    codes: Vec<Executable>,
}

impl Ready {
    pub(crate) fn new(function: &Function) -> Self {
        warpweft_vector::verify(function).unwrap_or_else(|error| panic!("{error}\n{function}"));
        let code: MachineCode = warpweft_cranelift::compile(function)
            .unwrap_or_else(|refusal| panic!("{}\n{function}", refusal.what));
        assert!(code.code <= code.bytes.len() && code.code > 0);
        #[cfg(feature = "cross")]
        warpweft_cranelift::listing_arm64(function)
            .unwrap_or_else(|refusal| panic!("for aarch64: {}\n{function}", refusal.what));
        #[allow(unused_mut, reason = "more are added for other processors")]
        let mut codes = vec![Executable::new(&code.bytes).unwrap()];
        #[cfg(all(feature = "cross", target_arch = "x86_64"))]
        match warpweft_cranelift::compile_oldest(function) {
            Ok(code) => codes.push(Executable::new(&code.bytes).unwrap()),
            // Fused products are a function of the C library there.
            Err(refusal) => assert!(refusal.what.contains("Fma"), "{}\n{function}", refusal.what),
        }
        Self { codes }
    }

    /// How many there are.
    pub(crate) fn variants(&self) -> usize {
        self.codes.len()
    }

    /// Calls one; all parameters are 64-bit integers.
    pub(crate) fn call(&self, variant: usize, arguments: &[u64]) {
        assert!(arguments.len() <= 8);
        let mut a = [0; 8];
        a[..arguments.len()].copy_from_slice(arguments);
        macro_rules! call {
            ($abi:literal) => {{
                type Code = extern $abi fn(u64, u64, u64, u64, u64, u64, u64, u64);
                // SAFETY: the code follows that convention, and takes no more than that. What it does with memory the
                // evaluator has found to be in order.
                let code: Code = unsafe { std::mem::transmute(self.codes[variant].address()) };
                code(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7])
            }};
        }
        #[cfg(target_arch = "x86_64")]
        call!("sysv64");
        #[cfg(not(target_arch = "x86_64"))]
        call!("C");
    }
}

/// Memories on this machine, each at an address that is a multiple of its elements' size and of nothing more.
struct Native {
    room: Vec<Vec<u64>>,
    lengths: Vec<usize>,
    skew: usize,
}

impl Native {
    fn new(memories: &[(Memory, u64)], skew: usize) -> Self {
        let room = |(memory, _): &(Memory, u64)| {
            let words = (memory.bytes.len() + 2 * MARGIN + 32).div_ceil(8);
            vec![u64::from_le_bytes([CANARY; 8]); words]
        };
        let mut native = Self {
            room: memories.iter().map(room).collect(),
            lengths: memories.iter().map(|(memory, _)| memory.bytes.len()).collect(),
            skew,
        };
        for (index, (memory, _)) in memories.iter().enumerate() {
            let start = native.start(index);
            native.all(index)[start..start + memory.bytes.len()].copy_from_slice(&memory.bytes);
        }
        native
    }

    fn all(&mut self, index: usize) -> &mut [u8] {
        let room = &mut self.room[index];
        // SAFETY: words are bytes, eight each.
        unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast(), room.len() * 8) }
    }

    fn start(&self, index: usize) -> usize {
        let address = self.room[index].as_ptr().addr() + MARGIN;
        MARGIN + (address.next_multiple_of(16) - address) + self.skew
    }

    fn base(&self, index: usize) -> u64 {
        (self.room[index].as_ptr().addr() + self.start(index)) as u64
    }

    fn memory(&mut self, index: usize) -> Vec<u8> {
        let (start, length) = (self.start(index), self.lengths[index]);
        let all = self.all(index);
        let around = all[..start].iter().chain(&all[start + length..]);
        assert!(around.clone().all(|&byte| byte == CANARY), "written outside of memory {index}");
        all[start..start + length].to_vec()
    }
}

/// Runs a function whose parameters are the bases of its spaces, in order, then those numbers. Both ways must leave the
/// same.
pub(crate) fn check(function: &Function, memories: &[Memory], numbers: &[u64]) {
    let memories: Vec<(Memory, u64)> = memories.iter().map(|memory| (memory.clone(), 0)).collect();
    check_rounds(function, &memories, numbers, 1);
}

/// As [`check`], several times over: each round adds a step of its own to each base.
pub(crate) fn check_rounds(function: &Function, memories: &[(Memory, u64)], numbers: &[u64], rounds: u64) {
    let ready = Ready::new(function);
    let mut evaluation = Evaluation::new();
    let bases: Vec<u64> = memories.iter().map(|(memory, _)| evaluation.map(memory.bytes.clone())).collect();
    let arguments = |bases: &[u64], round: u64| -> Vec<u64> {
        let bases = bases.iter().zip(memories).map(|(base, (_, step))| base + round * step);
        bases.chain(numbers.iter().copied()).collect()
    };
    for round in 0..rounds {
        let run = evaluation.run(function, &arguments(&bases, round));
        run.unwrap_or_else(|error| panic!("{error}\n{function}"));
    }
    let ways = (0..ready.variants()).flat_map(|variant| [(variant, 8), (variant, 16)]);
    for (variant, skew) in ways {
        let mut native = Native::new(memories, skew);
        let bases: Vec<u64> = (0..memories.len()).map(|index| native.base(index)).collect();
        for round in 0..rounds {
            ready.call(variant, &arguments(&bases, round));
        }
        for (index, (memory, _)) in memories.iter().enumerate() {
            let (expected, found) = (evaluation.memory(index), native.memory(index));
            compare(memory.holds, expected, &found, function, &memory.bytes);
        }
    }
}

fn compare(holds: Holds, expected: &[u8], found: &[u8], function: &Function, before: &[u8]) {
    let size = if holds == Holds::F64 { 8 } else { 4 };
    let cut = expected.len() / size * size;
    assert_eq!(expected[cut..], found[cut..], "\n{function}");
    for (place, (e, f)) in expected.chunks_exact(size).zip(found.chunks_exact(size)).enumerate() {
        let nan = |bytes: &[u8]| match holds {
            Holds::Bits => false,
            Holds::F32 => f32::from_le_bytes(bytes.try_into().unwrap()).is_nan(),
            Holds::F64 => f64::from_le_bytes(bytes.try_into().unwrap()).is_nan(),
        };
        if e != f && !(nan(e) && nan(f)) {
            let show = |bytes: &[u8]| match holds {
                Holds::Bits => format!("{:#x}", u32::from_le_bytes(bytes.try_into().unwrap())),
                Holds::F32 => format!("{:?}", f32::from_le_bytes(bytes.try_into().unwrap())),
                Holds::F64 => format!("{:?}", f64::from_le_bytes(bytes.try_into().unwrap())),
            };
            panic!(
                "element {place}: expected {}, found {} (was {})\n{function}",
                show(e),
                show(f),
                show(&before[place * size..(place + 1) * size])
            );
        }
    }
}

/// Numbers without a pattern, the same each time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        // SplitMix64, by Sebastiano Vigna; public domain.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
}
