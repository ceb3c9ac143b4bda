//! How a kernel is to be compiled, and why it was not.

use std::fmt;
use warpweft_module::Location;
use warpweft_x64::Level;

/// How to compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Which code generator.
    pub generator: Generator,
    /// No contraction of products and sums: every operation is rounded as the interpreter rounds it.
    pub strict: bool,
    /// Lanes of a gang, 1, 2, 4, …, 64; `None` chooses by cost.
    pub lanes: Option<u16>,
    /// Bindings that are only written are too large to be read from a cache afterwards: vectors go past the caches where
    /// they are aligned, whole or in pieces. Our own generators know how.
    pub streaming: bool,
}

impl Options {
    /// Bits that the machine's inverse square roots are good for, where an estimate is allowed and there is one.
    pub(crate) fn estimate(&self) -> Option<u32> {
        match self.generator {
            _ if self.strict => None,
            Generator::Cranelift => None,
            Generator::Avx2 => Some(12),
            Generator::Avx512 => Some(14),
        }
    }
}

/// What turns vector programs into machine code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generator {
    /// Cranelift: 128-bit vectors, on x86-64 and aarch64.
    Cranelift,
    /// Our own, for x86-64 with AVX2 and FMA: 256-bit vectors.
    Avx2,
    /// Our own, for x86-64 with AVX-512 (F, BW, DQ, VL): 512-bit vectors.
    Avx512,
}

impl Generator {
    /// Those that work on this machine, the best first.
    pub fn available() -> Vec<Generator> {
        let mut levels: Vec<Generator> = Level::detect()
            .into_iter()
            .map(|level| match level {
                Level::Avx2 => Generator::Avx2,
                Level::Avx512 => Generator::Avx512,
            })
            .collect();
        levels.sort();
        levels.reverse();
        if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
            levels.push(Generator::Cranelift);
        }
        levels
    }

    /// The name that switches and reports use.
    pub const fn name(self) -> &'static str {
        match self {
            Generator::Cranelift => "cranelift",
            Generator::Avx2 => "avx2",
            Generator::Avx512 => "avx512",
        }
    }

    /// Its vector registers.
    pub(crate) const fn registers(self) -> u16 {
        match self {
            Generator::Cranelift | Generator::Avx2 => 16,
            Generator::Avx512 => 32,
        }
    }

    /// Lanes of 32 bits in one of its vectors.
    pub(crate) const fn native_lanes(self) -> u16 {
        match self {
            Generator::Cranelift => 4,
            Generator::Avx2 => 8,
            Generator::Avx512 => 16,
        }
    }

    /// The generator of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Generator::Cranelift, Generator::Avx2, Generator::Avx512].into_iter().find(|g| g.name() == name)
    }
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is not compiled, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", location.as_ref().map(|at| format!("{}:{}: ", at.file, at.line)).unwrap_or_default())]
pub struct NotCompiled {
    /// The construct or the reason, in words for the user.
    pub what: String,
    /// Its place in the source.
    pub location: Option<Location>,
}
