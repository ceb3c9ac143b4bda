//! What the CPU paths are worth: the same kernels by us, by idiomatic Rust, by hand, by a software device, by OpenCL.
//!
//! One session: limits of the machine first and last; on each kernel everyone is checked against the scalar reference,
//! then all take turns (`warpweft_benches::session`). criterion measures one function after the other; taking turns is
//! what makes ratios hold on machines that share their memory with others, so the harness is our own.
//!
//! ```text
//! RUSTFLAGS=-Ctarget-cpu=native cargo bench -p warpweft-benches --bench cpu --features opencl
//! ```
//!
//! Markdown goes to standard output, everything that was measured to `target/cpu.json`, progress to standard error.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use warpweft::Runtime;
#[cfg(target_arch = "x86_64")]
use warpweft_benches::by_hand;
use warpweft_benches::compile::compilation;
use warpweft_benches::device::{OnDevice, Path, describe};
use warpweft_benches::findings::{Bound, Findings};
use warpweft_benches::limits::{Streams, limits};
use warpweft_benches::long_kernel::long_kernel;
#[cfg(feature = "opencl")]
use warpweft_benches::opencl::{OnOpenCl, OpenCl};
use warpweft_benches::rival::{Host, Rival};
use warpweft_benches::session::{Contestant, Pace, contest};
use warpweft_benches::{idiomatic, lanes, table};
use warpweft_problems::{ALL, Case, Problem, Scale};

#[global_allocator]
static MEMORY: warpweft_benches::pages::HugePages = warpweft_benches::pages::HugePages;

/// Compare the CPU paths with everything else that runs such kernels on a CPU.
#[derive(Parser)]
struct Options {
    /// The kernels [default: all].
    kernels: Vec<String>,
    /// Small sizes and few runs, to see that everything works; the interpreter takes part too.
    #[arg(long)]
    quick: bool,
    /// Where to write everything that was measured [default: target/cpu.json].
    #[arg(long, value_name = "FILE.json")]
    json: Option<PathBuf>,
    /// The time that a rival's timed runs of a kernel should take together, in seconds.
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    seconds: f64,
    /// What inputs are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave out the software device and OpenCL, which take most of the time.
    #[arg(long)]
    near: bool,
    /// cargo says so to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Devices that are opened once.
struct Devices {
    paths: Vec<(Path, Result<Runtime, String>)>,
    #[cfg(feature = "opencl")]
    opencl: Result<OpenCl, String>,
}

impl Devices {
    fn open(options: &Options) -> Self {
        let mut paths = Path::COMPILED.to_vec();
        if options.quick {
            paths.push(Path::Interpreter);
        }
        if !options.near {
            paths.push(Path::Software);
        }
        Self {
            paths: paths.into_iter().map(|path| (path, path.open())).collect(),
            #[cfg(feature = "opencl")]
            opencl: if options.near { Err("left out".into()) } else { OpenCl::new() },
        }
    }

    fn describe(&self) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        for (_, runtime) in &self.paths {
            let Ok(runtime) = runtime else { continue };
            let name = describe(runtime);
            if !known.contains(&name) {
                known.push(name);
            }
        }
        #[cfg(feature = "opencl")]
        known.extend(self.opencl.as_ref().ok().map(|cl| cl.name.clone()));
        known
    }

    /// Everyone for a problem, in the order of the table's columns.
    fn contestants<'p>(&'p self, problem: &'p Problem) -> Vec<Contestant<'p>> {
        let mut contestants = Vec::new();
        let mut add = |name: &str, rival: Result<Box<dyn Rival + 'p>, String>| {
            contestants.push(Contestant { name: name.into(), rival });
        };
        for (path, runtime) in &self.paths {
            let name = if *path == Path::Software { table::SOFTWARE } else { path.name() };
            add(name, on_device(*path, runtime, problem));
        }
        if let Some(function) = idiomatic::function(problem.name) {
            add(table::RUST, Ok(Box::new(Host::new(problem, function))));
        }
        if let Some(function) = lanes::function(problem.name) {
            add("Rust + rayon, lanes", Ok(Box::new(Host::new(problem, function))));
        }
        #[cfg(target_arch = "x86_64")]
        for way in by_hand::Way::available() {
            if let Some(function) = by_hand::function(problem.name, way) {
                add(way.name(), Ok(Box::new(Host::new(problem, function))));
            }
        }
        #[cfg(feature = "opencl")]
        add(
            table::OPENCL,
            match &self.opencl {
                Ok(cl) => OnOpenCl::new(cl, problem).map(|rival| Box::new(rival) as Box<dyn Rival>),
                Err(reason) => Err(reason.clone()),
            },
        );
        contestants
    }
}

fn on_device<'p>(
    path: Path,
    runtime: &Result<Runtime, String>,
    problem: &'p Problem,
) -> Result<Box<dyn Rival + 'p>, String> {
    let mut rival = OnDevice::new(runtime.as_ref().map_err(Clone::clone)?, path, problem)?;
    rival.first(path)?;
    Ok(Box::new(rival))
}

/// The widest vectors that the compiler of this program was allowed, and the widest that the machine has.
fn bits() -> (u32, u32) {
    #[cfg(target_arch = "x86_64")]
    {
        let width = |wide, middle| {
            if wide {
                512
            } else if middle {
                256
            } else {
                128
            }
        };
        let compiled = width(cfg!(target_feature = "avx512f"), cfg!(target_feature = "avx2"));
        (compiled, width(is_x86_feature_detected!("avx512f"), is_x86_feature_detected!("avx2")))
    }
    #[cfg(not(target_arch = "x86_64"))]
    (128, 128)
}

fn measure_limits(findings: &mut Findings, quick: bool) {
    let mut streams = Streams::new(if quick { 1 << 6 } else { 1 });
    for (at, limit) in limits().iter().enumerate() {
        // The first measurement touches fresh memory and does not count.
        limit.measure(&mut streams);
        let best = (0..5).map(|_| limit.measure(&mut streams)).fold(0.0, f64::max);
        match findings.limits.get_mut(at) {
            Some(bound) => {
                bound.rates.push(best);
                bound.best = bound.best.max(best);
            }
            None => {
                findings.limits.push(Bound { name: limit.name, unit: limit.unit, rates: vec![best], best })
            }
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut cases = Vec::new();
    for name in &options.kernels {
        let Some(case) = Case::named(name) else {
            let known: Vec<&str> = ALL.iter().map(|case| case.name).collect();
            eprintln!("error: there is no kernel `{name}`; there are {}", known.join(", "));
            return ExitCode::from(2);
        };
        cases.push(case);
    }
    if cases.is_empty() {
        cases.extend(ALL);
    }
    let (compiled, here) = bits();
    if compiled < here {
        eprintln!(
            "warning: the Rust rivals were compiled for {compiled} of {here} bits: set RUSTFLAGS=-Ctarget-cpu=native"
        );
    }
    let devices = Devices::open(&options);
    let mut findings = Findings {
        version: 2,
        machine: devices.describe(),
        threads: rayon::current_num_threads(),
        native_bits: compiled,
        quick: options.quick,
        ..Findings::default()
    };
    eprintln!("limits");
    measure_limits(&mut findings, options.quick);
    let pace = match options.quick {
        true => Pace { fewest: 3, fewest_slow: 1, most: 5, enough: Duration::ZERO },
        false => {
            let enough = Duration::from_secs_f64(options.seconds.clamp(0.0, 1e6));
            Pace { fewest: 7, fewest_slow: 3, most: 60, enough }
        }
    };
    let scale = if options.quick { Scale::Quick } else { Scale::Full };
    for case in &cases {
        eprintln!("{}", case.name);
        let problem = case.problem(scale, options.seed);
        let row = contest(&problem, devices.contestants(&problem), pace);
        for missing in &row.missing {
            eprintln!("  without {}: {}", missing.rival, missing.reason);
        }
        findings.kernels.push(row);
        devices.paths.iter().filter_map(|(_, runtime)| runtime.as_ref().ok()).for_each(Runtime::trim);
    }
    eprintln!("limits, again");
    measure_limits(&mut findings, options.quick);
    eprintln!("compilation");
    let repeats = if options.quick { 3 } else { 25 };
    let sources =
        cases.iter().map(|case| (case.name, case.problem(Scale::Tiny, options.seed).source.to_string()));
    for (name, source) in sources.chain([("2000 lines", long_kernel(2000))]) {
        match compilation(name, &source, repeats) {
            Ok(compilation) => findings.compile.push(compilation),
            Err(reason) => eprintln!("  {name} is not compiled: {reason}"),
        }
    }
    println!("{}", table::markdown(&findings));
    let beside = || Some(std::env::current_exe().ok()?.ancestors().nth(3)?.join("cpu.json"));
    let json = options.json.clone().or_else(beside).unwrap_or_else(|| "cpu.json".into());
    let text = serde_json::to_string_pretty(&findings).expect("plain data");
    if let Err(error) = std::fs::write(&json, text) {
        eprintln!("error: {} could not be written: {error}", json.display());
        return ExitCode::FAILURE;
    }
    eprintln!("everything that was measured is in {}", json.display());
    match findings.kernels.iter().flat_map(|row| &row.missing).any(|missing| missing.failed) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
