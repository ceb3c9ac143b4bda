//! The processor that code is generated for: what it has, and what Cranelift makes of that.
//!
//! Knows no program.

use std::sync::OnceLock;

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use warpweft_vector::ir::{Binary, Convert, Kind, Mark, Op, Type, Unary};
use warpweft_vector::{Machine, Refusal};

/// The instruction sets that Cranelift serves here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each build makes one of them, but all build everywhere")]
pub(crate) enum Architecture {
    X64,
    Arm64,
}

/// What the code generator can do on a processor: vectors of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub(crate) architecture: Architecture,
    fma: bool,
    /// Vectors that instructions take from memory themselves may lie anywhere.
    pub(crate) unaligned_operands: bool,
}

/// A target with Cranelift's code generator for it.
pub(crate) struct Generator {
    pub(crate) target: Target,
    pub(crate) isa: OwnedTargetIsa,
    /// The same, but registers are given out in one pass: in a twentieth of the time where a function is long.
    pub(crate) isa_for_long: OwnedTargetIsa,
}

impl Target {
    /// The processor that this program runs on.
    ///
    /// # Errors
    /// When it is neither x86-64 with SSE4.2 and POPCNT nor aarch64.
    pub fn host() -> Result<Target, Refusal> {
        Ok(generator()?.target)
    }
}

impl Machine for Target {
    fn has(&self, op: &Op, ty: Type, operand: Type) -> bool {
        match op {
            Op::LoadStrided(..) => false,
            Op::Fma(..) => self.fma,
            Op::Unary(Unary::InverseSqrtEstimate | Unary::InverseEstimate, _) => false,
            Op::Binary(Binary::Scale, ..) => false,
            Op::Convert(Convert::FromHalf | Convert::ToHalf, _) => false,
            // Through f64 this is a third of the time of lane after lane.
            Op::Binary(Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU, ..) => {
                ty.is_scalar() || operand.kind == Kind::I64
            }
            // Each lane by its own amount: five steps for all lanes together are fewer than those lane after lane.
            Op::Binary(Binary::ShrS | Binary::ShrU, ..) => ty.is_scalar() || ty.kind == Kind::I64,
            Op::Atomic(..) | Op::CompareExchange(..) | Op::AtomicLoad(_) => ty.is_scalar(),
            _ => true,
        }
    }
}

/// The host's generator, made once.
pub(crate) fn generator() -> Result<&'static Generator, Refusal> {
    static HOST: OnceLock<Result<Generator, String>> = OnceLock::new();
    HOST.get_or_init(host).as_ref().map_err(|what| refusal(what.clone()))
}

/// A refusal of the function as a whole.
pub(crate) fn refusal(what: String) -> Refusal {
    Refusal { what, mark: Mark::default() }
}

/// The generator for the oldest x86-64 processors that are served.
#[cfg(all(feature = "cross", target_arch = "x86_64"))]
pub(crate) fn oldest() -> Result<&'static Generator, Refusal> {
    static OLDEST: OnceLock<Result<Generator, String>> = OnceLock::new();
    let needed = ["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];
    let made = OLDEST.get_or_init(|| make(Architecture::X64, &needed, false));
    made.as_ref().map_err(|what| refusal(what.clone()))
}

#[cfg(target_arch = "x86_64")]
fn host() -> Result<Generator, String> {
    macro_rules! features {
        ($($feature:tt $flag:tt)*) => { [$(($feature, $flag, std::is_x86_feature_detected!($feature))),*] };
    }
    // The second generation of x86-64: what the translation relies on (blends, rounding, 64-bit comparisons).
    let needed = features!(
        "sse3" "has_sse3" "ssse3" "has_ssse3" "sse4.1" "has_sse41" "sse4.2" "has_sse42" "popcnt" "has_popcnt"
    );
    if let Some((feature, ..)) = needed.iter().find(|(_, _, present)| !present) {
        return Err(format!("this processor lacks {feature}"));
    }
    let useful = features!(
        "avx" "has_avx" "avx2" "has_avx2" "fma" "has_fma" "bmi1" "has_bmi1" "bmi2" "has_bmi2" "lzcnt" "has_lzcnt"
    );
    let enabled: Vec<&str> =
        needed.iter().chain(&useful).filter(|(_, _, present)| *present).map(|&(_, flag, _)| flag).collect();
    // Cranelift's fused instructions are AVX's.
    let fma = enabled.contains(&"has_fma") && enabled.contains(&"has_avx");
    make(Architecture::X64, &enabled, fma)
}

#[cfg(target_arch = "aarch64")]
fn host() -> Result<Generator, String> {
    let lse = std::arch::is_aarch64_feature_detected!("lse");
    make(Architecture::Arm64, if lse { &["has_lse"] } else { &[] }, true)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn host() -> Result<Generator, String> {
    Err("no code generator for this kind of processor".into())
}

/// The generator for aarch64, wherever this program runs: what it makes can be looked at, not called.
#[cfg(feature = "cross")]
pub(crate) fn arm64() -> Result<&'static Generator, Refusal> {
    static ARM64: OnceLock<Result<Generator, String>> = OnceLock::new();
    let made = ARM64.get_or_init(|| make(Architecture::Arm64, &["has_lse"], true));
    made.as_ref().map_err(|what| refusal(what.clone()))
}

fn make(architecture: Architecture, features: &[&str], fma: bool) -> Result<Generator, String> {
    let text = |error: &dyn std::fmt::Display| format!("Cranelift does not start: {error}");
    // The code calls only its like and follows one convention everywhere: the operating system does not matter.
    let name = match architecture {
        Architecture::X64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    };
    let checked = if cfg!(debug_assertions) { "true" } else { "false" };
    // The checker of registers takes as long as the square of the function.
    let isa = |allocator: &str, registers_checked: &str| {
        let mut builder = isa::lookup_by_name(name).map_err(|error| text(&error))?;
        for feature in features {
            builder.enable(feature).map_err(|error| text(&error))?;
        }
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            ("regalloc_algorithm", allocator),
            ("enable_verifier", checked),
            ("regalloc_checker", registers_checked),
            ("unwind_info", "false"),
            ("preserve_frame_pointers", "false"),
            // Frames of more than a page touch each page in turn: systems grow stacks so.
            ("enable_probestack", "true"),
            ("probestack_strategy", "inline"),
        ] {
            flags.set(name, value).map_err(|error| text(&error))?;
        }
        builder.finish(settings::Flags::new(flags)).map_err(|error| text(&error))
    };
    let (isa, isa_for_long) = (isa("backtracking", checked)?, isa("single_pass", "false")?);
    let unaligned_operands = architecture != Architecture::X64 || features.contains(&"has_avx");
    Ok(Generator { target: Target { architecture, fma, unaligned_operands }, isa, isa_for_long })
}
