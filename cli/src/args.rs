//! The command line: every flag, and the help that teaches it.
//!
//! Knows how flags are spelt; what they do is in the module of each command.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use warpweft::{CpuPath, Generator, Placement, Scalar};

use crate::{numbers, values};

/// Run, explain and compare WGSL kernels on CPU and GPU.
#[derive(Parser, Debug)]
#[command(name = "warpweft", version, max_term_width = 110)]
#[command(after_help = "Examples:
  warpweft devices
  warpweft run saxpy.wgsl --bind x=x.npy --bind y=y.npy --set a=2.5 --out y=result.npy
  warpweft bench

WARPWEFT_LOG=debug tells more on stderr; WARPWEFT_CACHE_DIR moves the folder of the calibration.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the devices: kinds, limits, features, rates.
    Devices(DevicesArgs),
    /// Measure the devices; plans rest on these rates from then on.
    ///
    /// Takes a few seconds per device. The rates are kept per machine, device and driver, in the folder of caches
    /// (or in WARPWEFT_CACHE_DIR).
    Calibrate(CalibrateArgs),
    /// Run a kernel on arrays from .npy files.
    #[command(after_help = RUN_HELP)]
    Run(Box<RunArgs>),
    /// Say where a kernel would run and why, without running it: the same arguments as `run`.
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Box<RunArgs>),
    /// Show a kernel as the CPU's compiler sees it, stage by stage.
    #[command(after_help = IR_HELP)]
    Ir(IrArgs),
    /// Run a kernel by the interpreter, by every way of the CPU and on every device, and say where they part: the same
    /// arguments as `run`.
    #[command(after_help = VERIFY_HELP)]
    Verify(Box<VerifyArgs>),
    /// Compare CPU and GPUs on the standard kernels.
    #[command(after_help = BENCH_HELP)]
    Bench(BenchArgs),
}

const RUN_HELP: &str = "What can be bound with --bind NAME=…
  FILE.npy                   f16, f32, f64, i16, u16, i32, u32, i64 or u64; the type must be the kernel's
  zeros:DTYPE:SHAPE          zeros:f32:1024x1024; never moved, the device clears its own memory
  ones:DTYPE:SHAPE
  range:DTYPE:SHAPE          0, 1, 2, …
  random:DTYPE:SHAPE[:SEED]  floats in [0, 1), integers over their whole range; seed 0 unless given
The last axis of a shape is the grid's x. For vec3 the last axis is 3: the padding is added and taken off here.
Arrays of structs take 4-byte words as they lie in memory. Numbers may be written 1024, 2^20, 1e6.
Pipes are files too: `--bind x=/dev/stdin`, and `--out y=/dev/stdout` with `--quiet`.

Examples:
  warpweft run saxpy.wgsl --bind x=x.npy --bind y=ones:f32:2^20 --set a=2.5 --out y=y.npy
  warpweft run blur.wgsl --bind image=in.npy --bind out=zeros:f32:512x512 --set params.radius=2 --out out=out.npy
  warpweft run heat.wgsl --bind src=u0.npy --bind dst=zeros:f32:256x256 --set dt=0.1 \\
           --steps 1000 --swap src,dst --every 100 --out src=u_{step}.npy
  warpweft run generic.wgsl --with lib.wgsl --alias real=f64 --const TILE=32 --bind x=x.npy --out x=x.npy --on cpu

Exit code: 0 done, 1 failed, 2 the command line makes no sense. Outputs are written after everything succeeded, or not at all.";

const EXPLAIN_HELP: &str = "Example:
  warpweft explain saxpy.wgsl --bind x=x.npy --bind y=ones:f32:2^20 --set a=2.5

See `warpweft run --help` for what can be bound.";

const IR_HELP: &str = "Stages
  module   what was read: naga's module, overrides fixed, cut down to the kernel
  ssa      structured scalar code of one invocation
  vector   the program of a gang of invocations, masks and all
  asm      machine code

Examples:
  warpweft ir saxpy.wgsl
  warpweft ir nbody.wgsl --stage vector --generator avx2 --lanes 8
  warpweft ir lib.wgsl --entry scan --const TILE=32 --stage asm";

const VERIFY_HELP: &str = "The interpreter defines what is right. With `--strict` compiled code rounds as it does, and no GPU takes part; without,
products and sums may be contracted, and floats may differ as far as WGSL allows. NaN equals NaN.

Examples:
  warpweft verify saxpy.wgsl --bind x=random:f32:2^16 --bind y=ones:f32:2^16 --set a=2.5 --strict
  warpweft verify nbody.wgsl --bind pos=bodies.npy --bind acc=zeros:f32:1000x4 --set eps=0.1 --ulps 64

Exit code: 0 all agree, 1 they do not, 2 the command line makes no sense. See `warpweft run --help` for what can be bound.";

const BENCH_HELP: &str = "Each kernel runs on each device with its data resident there, with inputs fresh on the host (upload), and with the
result read back too (round trip). Results are checked against a scalar reference before a time counts; a wrong one
makes the exit code 1. Devices take turns in random order. GB/s and GFLOP/s count compulsory bytes and flops as each
kernel's file states. A `software` device is a GPU API executed on the CPU: shown, never compared.

With --cpu-paths the ways of running kernels on the CPU take turns, on more kernels: saxpy, transpose, prefix_scan,
histogram, spmv_poisson, spmv_random, nbody_tiled, black_scholes, matmul and matmul_tiled too. The interpreter takes part
at a small size, all others at a large one.

Examples:
  warpweft bench
  warpweft bench triad nbody --sizes 2^10..2^22 --budget 10m --json result.json
  warpweft bench --cpu-paths";

/// How to list the devices.
#[derive(Args, Debug)]
pub(crate) struct DevicesArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to calibrate.
#[derive(Args, Debug)]
pub(crate) struct CalibrateArgs {
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to run, on what, and where.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The WGSL file with the kernel.
    #[arg(value_name = "KERNEL.wgsl")]
    pub(crate) kernel: PathBuf,
    /// A further WGSL file, whose declarations the kernel may use (repeatable, in any order).
    #[arg(long, value_name = "LIB.wgsl")]
    pub(crate) with: Vec<PathBuf>,
    /// The compute entry point, where there are several.
    #[arg(long, value_name = "NAME")]
    pub(crate) entry: Option<String>,
    /// The grid in invocations, exactly, or `@NAME`: the shape of what is bound to NAME [default: the shape of what
    /// the kernel writes].
    #[arg(long, value_name = "NX[,NY[,NZ]] | @NAME", value_parser = over, allow_hyphen_values = true)]
    pub(crate) over: Option<Over>,
    /// The grid in workgroups.
    #[arg(long, value_name = "X[,Y[,Z]]", value_parser = workgroups, allow_hyphen_values = true)]
    #[arg(conflicts_with = "over")]
    pub(crate) workgroups: Option<Extents>,
    /// Bind an array: a .npy file, or one made here (see below).
    #[arg(long, value_name = "NAME=ARRAY", value_parser = pair)]
    pub(crate) bind: Vec<(String, String)>,
    /// Set a uniform, or a member of one: `a=2.5`, `params.n=1024`, `grid.size=64,64,32`.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) set: Vec<(String, String)>,
    /// Set an override constant, by its name or @id.
    #[arg(long = "const", value_name = "NAME=VALUE", value_parser = constant)]
    pub(crate) constants: Vec<(String, f64)>,
    /// Supply `alias NAME = TYPE;`, for kernels that leave their element type open.
    #[arg(long, value_name = "NAME=TYPE", value_parser = alias)]
    pub(crate) alias: Vec<(String, Scalar)>,
    /// Write what is bound to NAME to a .npy file, in the type and shape that was bound.
    #[arg(long, value_name = "NAME=FILE.npy", value_parser = pair)]
    pub(crate) out: Vec<(String, String)>,
    /// Run the kernel so many times on the same buffers.
    #[arg(long, value_name = "N", value_parser = numbers::positive, allow_hyphen_values = true)]
    pub(crate) steps: Option<u64>,
    /// Exchange the contents of two bindings after every step: after the last one, A holds what B was given
    /// (repeatable).
    #[arg(long, value_name = "A,B", value_parser = names, requires = "steps")]
    pub(crate) swap: Vec<(String, String)>,
    /// Write every output after each K steps, to its name with `{step}` replaced by the number of steps.
    #[arg(long, value_name = "K", value_parser = numbers::positive, requires = "steps", allow_hyphen_values = true)]
    pub(crate) every: Option<u64>,
    /// Where to run: auto, cpu, gpu, gpu:N, software, software:N or device:N.
    #[arg(long, value_name = "WHERE", default_value_t = Placement::Auto)]
    pub(crate) on: Placement,
    /// For timing: after one run that warms up, run N times from the original inputs, data on the device.
    #[arg(long, value_name = "N", value_parser = numbers::positive, allow_hyphen_values = true)]
    pub(crate) repeat: Option<u64>,
    /// Threads of the CPU device [default: one per logical core].
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,
    /// How the CPU runs it: auto, interpreter, cranelift, avx2 or avx512 [default: as WARPWEFT_CPU says, else auto].
    #[arg(long, value_name = "WAY")]
    pub(crate) cpu: Option<CpuPath>,
    /// Invocations that compiled code runs together: 1, 2, 4, …, 64 [default: chosen by cost].
    #[arg(long, value_name = "N", value_parser = lanes, allow_hyphen_values = true)]
    pub(crate) lanes: Option<u16>,
    /// Round every operation as the interpreter does, on the CPU only.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print the plan too: every device, what it was predicted to take, and why one was chosen.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print one JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing when all goes well.
    #[arg(long, short, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

/// What to show of a kernel.
#[derive(Args, Debug)]
pub(crate) struct IrArgs {
    /// The WGSL file with the kernel.
    #[arg(value_name = "KERNEL.wgsl")]
    pub(crate) kernel: PathBuf,
    /// A further WGSL file, whose declarations the kernel may use (repeatable, in any order).
    #[arg(long, value_name = "LIB.wgsl")]
    pub(crate) with: Vec<PathBuf>,
    /// The compute entry point, where there are several.
    #[arg(long, value_name = "NAME")]
    pub(crate) entry: Option<String>,
    /// Set an override constant, by its name or @id.
    #[arg(long = "const", value_name = "NAME=VALUE", value_parser = constant)]
    pub(crate) constants: Vec<(String, f64)>,
    /// Supply `alias NAME = TYPE;`, for kernels that leave their element type open.
    #[arg(long, value_name = "NAME=TYPE", value_parser = alias)]
    pub(crate) alias: Vec<(String, Scalar)>,
    /// The stage (see below).
    #[arg(long, value_enum, default_value_t = Stage::Ssa)]
    pub(crate) stage: Stage,
    /// The code generator: cranelift, avx2 or avx512 [default: the best that this machine has].
    #[arg(long, value_name = "NAME", value_parser = generator)]
    pub(crate) generator: Option<Generator>,
    /// Invocations that run together: 1, 2, 4, …, 64 [default: chosen by cost].
    #[arg(long, value_name = "N", value_parser = lanes, allow_hyphen_values = true)]
    pub(crate) lanes: Option<u16>,
    /// Contract no products and sums.
    #[arg(long)]
    pub(crate) strict: bool,
    /// As for launches that write more than the caches hold: past them.
    #[arg(long)]
    pub(crate) streaming: bool,
}

/// A stage of compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Stage {
    /// What was read.
    Module,
    /// Structured scalar code.
    Ssa,
    /// The program of a gang.
    Vector,
    /// Machine code.
    Asm,
}

/// What to run everywhere.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Units in the last place by which floats may differ.
    #[arg(long, value_name = "N", value_parser = numbers::count, allow_hyphen_values = true, default_value = "0")]
    pub(crate) ulps: u64,
}

/// What to compare.
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// The kernels: triad, reduce_sum, jacobi2d, nbody, mandelbrot [default: all].
    #[arg(value_name = "KERNEL")]
    pub(crate) kernels: Vec<String>,
    /// Elements: a list, or a range in steps of four (2^10..2^24) [default: 2^10..2^24].
    #[arg(long, value_name = "SIZES", value_parser = sizes, allow_hyphen_values = true)]
    pub(crate) sizes: Option<Sizes>,
    /// The devices: cpu, gpu, gpu:N, software, … (repeatable) [default: all].
    #[arg(long, value_name = "WHERE")]
    pub(crate) on: Vec<Placement>,
    /// Compare the ways of running kernels on the CPU instead: interpreter, each code generator, a software device.
    #[arg(long, conflicts_with_all = ["sizes", "on"])]
    pub(crate) cpu_paths: bool,
    /// How long it may take in all: 90s, 2m, 1h. What does not fit is listed as skipped.
    #[arg(long, value_name = "TIME", value_parser = numbers::duration, allow_hyphen_values = true, default_value = "2m")]
    pub(crate) budget: Duration,
    /// Write everything that was measured to this file.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) json: Option<PathBuf>,
    /// What inputs and order are drawn from.
    #[arg(long, value_name = "SEED", value_parser = numbers::count, allow_hyphen_values = true, default_value = "1")]
    pub(crate) seed: u64,
    /// Threads of the CPU device [default: one per logical core].
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub(crate) threads: Option<usize>,
}

/// The grid that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Over {
    /// So many invocations.
    Exactly([u64; 3]),
    /// One per element of what is bound to that name.
    Shape(String),
}

/// Extents along x, y, z. (A type of its own, since clap takes arrays of values for repeated flags.)
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extents(pub(crate) [u64; 3]);

/// Sizes in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sizes(pub(crate) Vec<u64>);

fn over(text: &str) -> Result<Over, String> {
    match text.strip_prefix('@') {
        Some("") => Err("a name is missing after `@`".into()),
        Some(name) => Ok(Over::Shape(name.into())),
        None => numbers::extents(text).map(Over::Exactly),
    }
}

fn workgroups(text: &str) -> Result<Extents, String> {
    numbers::extents(text).map(Extents)
}

fn sizes(text: &str) -> Result<Sizes, String> {
    numbers::sizes(text).map(Sizes)
}

fn threads(text: &str) -> Result<usize, String> {
    match numbers::positive(text)? {
        n @ 1..=4096 => Ok(n as usize),
        n => Err(format!("{n} threads are more than the 4096 that make sense")),
    }
}

fn lanes(text: &str) -> Result<u16, String> {
    match numbers::positive(text)? {
        n @ 1..=64 if n.is_power_of_two() => Ok(n as u16),
        n => Err(format!("{n} lanes: use a power of two up to 64")),
    }
}

fn generator(text: &str) -> Result<Generator, String> {
    Generator::from_name(text)
        .ok_or_else(|| format!("`{text}` is no code generator: use cranelift, avx2 or avx512"))
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.is_empty() => {
            Ok((name.trim().to_string(), value.to_string()))
        }
        _ => Err(format!("`{text}` is not of the form NAME=VALUE")),
    }
}

fn names(text: &str) -> Result<(String, String), String> {
    match text.split(',').map(str::trim).collect::<Vec<_>>()[..] {
        [a, b] if !a.is_empty() && !b.is_empty() && a != b => Ok((a.into(), b.into())),
        [a, b] if a == b => Err(format!("`{a}` cannot be swapped with itself")),
        _ => Err(format!("`{text}` is not of the form A,B")),
    }
}

fn constant(text: &str) -> Result<(String, f64), String> {
    let (name, value) = pair(text)?;
    let value = values::constant(&value)?;
    Ok((name, value))
}

fn alias(text: &str) -> Result<(String, Scalar), String> {
    let (name, scalar) = pair(text)?;
    let known = Scalar::from_name(scalar.trim());
    let known = known
        .ok_or_else(|| format!("`{scalar}` is no scalar type: use f16, f32, f64, i32, u32, i64 or u64"))?;
    Ok((name, known))
}

/// clap's message as one paragraph: what, what was probably meant, and where to read on.
pub(crate) fn paragraph(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let kept: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty() && !line.starts_with("For more information"))
        .collect();
    let text = kept.join(" ");
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    format!("{} (`--help` tells more)", text.replace(" tip: ", "; ").trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    fn run(more: &[&str]) -> Result<RunArgs, String> {
        let line = ["warpweft", "run", "k.wgsl"].iter().chain(more);
        match Cli::try_parse_from(line).map_err(|error| paragraph(&error))?.command {
            Command::Run(args) => Ok(*args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_are_read() {
        let args =
            run(&["--over", "2^4,3", "--set", "a=-1", "--const", "T=2", "--alias", "r=f64", "--on", "gpu:1"]);
        let args = args.unwrap();
        assert_eq!(args.over, Some(Over::Exactly([16, 3, 1])));
        assert_eq!(args.set, [("a".to_string(), "-1".to_string())]);
        assert_eq!(
            (args.constants[0].1, args.alias[0].1, args.on),
            (2.0, Scalar::F64, Placement::GpuNumber(1))
        );
        assert_eq!(run(&["--over", "@x"]).unwrap().over, Some(Over::Shape("x".into())));
    }

    #[test]
    fn mistakes_name_the_flag_in_one_paragraph() {
        let cases: [(&[&str], &str); 12] = [
            (&["--over", "nan"], "'nan' for '--over"),
            (&["--over", "-5"], "`-5` is negative"),
            (&["--over", "1e300"], "`1e300` is too large"),
            (&["--over", "@"], "a name is missing"),
            (&["--workgroups", "1,2,3,4"], "at most three"),
            (&["--ovre", "3"], "similar argument exists: '--over'"),
            (&["--bind", "x"], "form NAME=VALUE"),
            (&["--swap", "a,a", "--steps", "2"], "cannot be swapped with itself"),
            (&["--swap", "a,b"], "--steps"),
            (&["--on", "tpu"], "`tpu` is no placement"),
            (&["--alias", "real=double"], "`double` is no scalar type"),
            (&["--repeat", "0"], "at least 1"),
        ];
        for (line, part) in cases {
            let text = run(line).unwrap_err();
            assert!(text.contains(part) && !text.contains('\n'), "{line:?}: {text}");
        }
    }
}
