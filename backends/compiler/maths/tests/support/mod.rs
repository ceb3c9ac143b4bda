//! Runs functions of this crate on arrays, through the evaluator or as machine code, and measures errors.
#![allow(dead_code, reason = "each test file uses its part")]

use warpweft_executable::Executable;
use warpweft_maths as maths;
use warpweft_vector::ir::*;
use warpweft_vector::legalise::legalise;
use warpweft_vector::passes::{Options, pipeline};
use warpweft_vector::{Builder, Evaluation, verify};

pub(crate) type Build = fn(&mut Builder, &[Value]) -> Value;

/// A function under test.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    /// The same in `f64`, with operands that it ignores where it takes one.
    pub(crate) exact: fn(f64, f64) -> f64,
    pub(crate) operands: usize,
    /// The largest error allowed, in units of the last place of `F32` and `F64`.
    pub(crate) limits: [f64; 2],
}

macro_rules! unary {
    ($name:ident, $exact:expr, $limits:expr) => {
        Case {
            name: stringify!($name),
            build: |b, x| maths::$name(b, x[0]),
            exact: |x, _| $exact(x),
            operands: 1,
            limits: $limits,
        }
    };
}

pub(crate) const CASES: &[Case] = &[
    unary!(exp, f64::exp, [1.1, 1.1]),
    unary!(exp2, f64::exp2, [1.1, 1.1]),
    unary!(log, f64::ln, [1.0, 1.0]),
    unary!(log2, f64::log2, [1.1, 1.0]),
    unary!(sin, f64::sin, [2.0, 1.0]),
    unary!(cos, f64::cos, [2.0, 1.0]),
    unary!(tan, f64::tan, [4.0, 2.0]),
    unary!(asin, f64::asin, [2.0, 2.0]),
    unary!(acos, f64::acos, [2.0, 2.0]),
    unary!(atan, f64::atan, [2.1, 2.0]),
    unary!(sinh, f64::sinh, [2.0, 2.0]),
    unary!(cosh, f64::cosh, [2.0, 2.0]),
    unary!(tanh, f64::tanh, [2.0, 2.0]),
    unary!(asinh, asinh, [1.0, 2.0]),
    unary!(acosh, acosh, [1.0, 2.0]),
    unary!(atanh, f64::atanh, [1.0, 2.0]),
    Case {
        name: "inverse_sqrt",
        build: |b, x| maths::inverse_sqrt(b, x[0], Some(12)),
        exact: |x, _| 1.0 / x.sqrt(),
        operands: 1,
        limits: [2.0, 1.5],
    },
    Case {
        name: "inverse_sqrt, strict",
        build: |b, x| maths::inverse_sqrt(b, x[0], None),
        exact: |x, _| 1.0 / x.sqrt(),
        operands: 1,
        limits: [1.5, 1.5],
    },
    Case {
        name: "atan2",
        build: |b, x| maths::atan2(b, x[0], x[1]),
        exact: f64::atan2,
        operands: 2,
        limits: [3.0, 2.0],
    },
    Case {
        name: "pow",
        build: |b, x| maths::pow(b, x[0], x[1]),
        exact: f64::powf,
        operands: 2,
        limits: [1.0, 2.0],
    },
    Case {
        name: "divide",
        build: |b, x| maths::divide(b, x[0], x[1], false),
        exact: |x, y| x / y,
        operands: 2,
        limits: [2.5, 0.5],
    },
];

/// The standard library's squares its argument, which overflows.
fn asinh(x: f64) -> f64 {
    if x.abs() < 1e100 { x.asinh() } else { (x.abs().ln() + std::f64::consts::LN_2).copysign(x) }
}

fn acosh(x: f64) -> f64 {
    if x < 1e100 { x.acosh() } else { x.ln() + std::f64::consts::LN_2 }
}

/// The function on arrays: parameters are the addresses of x, y and the results, and how many bytes of each.
pub(crate) fn program(kind: Kind, lanes: u16, build: Build) -> Function {
    let mut b = Builder::new("arrays", lanes);
    let spaces = [b.space("x", true), b.space("y", true), b.space("out", false)];
    let bases = [0; 3].map(|_| b.param(Kind::I64));
    let bytes = b.param(Kind::I64);
    let index = b.value(Type::scalar(Kind::I64));
    let zero = b.i64(0);
    let (end, again) = (b.label(), b.label());
    let at = |i: usize| Access {
        base: bases[i],
        index: Some(index),
        scale: 1,
        offset: 0,
        space: spaces[i],
        width: Width::Full,
        always: false,
    };
    b.open();
    b.open();
    let ty = b.vector(kind);
    let operands = [b.define(ty, Op::Load(at(0))), b.define(ty, Op::Load(at(1)))];
    let result = build(&mut b, &operands);
    b.act(Effect::Store(at(2), result));
    let step = b.i64(u64::from(kind.size()) * u64::from(lanes));
    let next = b.add(index, step);
    let more = b.lt_u(next, bytes);
    b.open();
    b.branch(again, &[next]);
    let then = b.close();
    b.open();
    b.branch(end, &[]);
    let otherwise = b.close();
    b.branch_on(more, then, otherwise, &[], Hint::None);
    let body = b.close();
    b.push(Inst::Loop { label: again, params: vec![(index, zero)], body });
    let body = b.close();
    b.push(Inst::Block { label: end, body, results: vec![] });
    b.yields(&[]);
    let function = b.finish();
    verify(&function).unwrap_or_else(|error| panic!("{error}\n{function}"));
    function
}

/// The function as it is, and as the passes leave it, which contract products and sums.
pub(crate) fn forms(function: Function) -> [Function; 2] {
    let optimised = pipeline(function.clone(), Options { contract: true, register: 16, registers: 16 });
    [function, optimised]
}

/// What a function makes of arrays (whole gangs of 64).
pub(crate) fn evaluate(function: &Function, kind: Kind, x: &[u64], y: &[u64]) -> Vec<u64> {
    let size = kind.size() as usize;
    let pack =
        |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_le_bytes()[..size].to_vec()).collect::<Vec<u8>>();
    let mut evaluation = Evaluation::new();
    evaluation.steps = u64::MAX;
    let bytes = x.len() * size;
    let mut arguments =
        vec![evaluation.map(pack(x)), evaluation.map(pack(y)), evaluation.map(vec![0; bytes])];
    arguments.push(bytes as u64);
    evaluation.run(function, &arguments).unwrap_or_else(|error| panic!("{error}\n{function}"));
    let chunks = evaluation.memory(2).chunks_exact(size);
    chunks.map(|chunk| chunk.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte))).collect()
}

/// What makes machine code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Generator {
    Cranelift,
    Wide(warpweft_x64::Level),
}

impl Generator {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Generator {
        match name {
            "cranelift" => Generator::Cranelift,
            "avx2" => Generator::Wide(warpweft_x64::Level::Avx2),
            "avx512" => Generator::Wide(warpweft_x64::Level::Avx512),
            _ => panic!("there is no generator {name}: cranelift, avx2, avx512"),
        }
    }
}

/// A function as machine code.
pub(crate) struct Compiled {
    code: Executable,
}

impl Compiled {
    pub(crate) fn new(kind: Kind, lanes: u16, build: Build) -> Self {
        Self::by(Generator::Cranelift, kind, lanes, build)
    }

    /// By a generator that this processor can run.
    pub(crate) fn by(generator: Generator, kind: Kind, lanes: u16, build: Build) -> Self {
        let mut function = program(kind, lanes, build);
        let code = match generator {
            Generator::Cranelift => {
                let target = warpweft_cranelift::Target::host().expect("a processor that is served");
                legalise(&mut function, &target);
                verify(&function).unwrap_or_else(|error| panic!("{error}\n{function}"));
                warpweft_cranelift::compile(&function)
            }
            Generator::Wide(level) => {
                assert!(warpweft_x64::Level::detect().contains(&level), "this processor lacks {level:?}");
                legalise(&mut function, &warpweft_x64::Target(level));
                verify(&function).unwrap_or_else(|error| panic!("{error}\n{function}"));
                warpweft_x64::compile(&function, level)
            }
        };
        let code = code.unwrap_or_else(|error| panic!("{error:?}"));
        Self { code: Executable::new(&code.bytes).expect("memory for code") }
    }

    /// `out` from `x` and `y`; all of one length, a positive multiple of the lanes that it was compiled for.
    pub(crate) fn run<T: Copy>(&self, x: &[T], y: &[T], out: &mut [T]) {
        assert!(x.len() == y.len() && x.len() == out.len() && !x.is_empty() && x.len().is_multiple_of(16));
        #[cfg(target_arch = "x86_64")]
        type Entry = extern "sysv64" fn(*const u8, *const u8, *mut u8, u64);
        #[cfg(not(target_arch = "x86_64"))]
        type Entry = extern "C" fn(*const u8, *const u8, *mut u8, u64);
        // SAFETY: the code was compiled from `program`, which has these parameters and touches the three arrays only.
        let entry: Entry = unsafe { std::mem::transmute(self.code.address()) };
        entry(x.as_ptr().cast(), y.as_ptr().cast(), out.as_mut_ptr().cast(), size_of_val(x) as u64);
    }
}

/// The error in units of the last place of `F32`; infinite where one is NaN, or infinite, and the other not.
pub(crate) fn error_32(got: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if got.to_bits() == nearest.to_bits() || got.is_nan() && nearest.is_nan() {
        return 0.0;
    }
    if got.is_nan() || nearest.is_nan() {
        return f64::INFINITY;
    }
    // Zero has a sign.
    if exact == 0.0 {
        return if got == 0.0 { 100.0 } else { f64::INFINITY };
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    let unit = 2f64.powi(exponent.clamp(-126, 127) - 23);
    // Infinity is what comes after the largest number.
    let wide = if got.is_infinite() { 2f64.powi(128).copysign(f64::from(got)) } else { f64::from(got) };
    let exact = if exact.is_infinite() { 2f64.powi(128).copysign(exact) } else { exact };
    (wide - exact).abs() / unit
}

pub(crate) struct Random(pub u64);

impl Random {
    /// Marsaglia, Xorshift RNGs, with a product on top.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
