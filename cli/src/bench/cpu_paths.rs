//! `bench --cpu-paths`: the ways of running kernels on a CPU, against each other.
//!
//! Every kernel runs at a small size on each way, and at the size that matters on all but the interpreter. Results are
//! checked first and last, and the ways take turns in between. Times are by the host's clock, launching included, with
//! the data where it is needed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::Serialize;
use warpweft::{CpuPath, DeviceKind, Generator, Path, Placement, Report, Runtime};
use warpweft_problems::{ALL, Case, Limit, Problem, Scale};

use super::contender::Contender;
use super::findings::Times;
use super::schedule::beyond;
use crate::args::BenchArgs;
use crate::devices::plain;
use crate::failure::{Failure, Outcome};
use crate::outputs::{self, Staged};
use crate::progress::Progress;
use crate::random::Random;
use crate::record::seconds;
use crate::say;

/// Runs at least, so that a median and a spread mean something.
const FEWEST: usize = 3;
/// Runs at most.
const MOST: usize = 25;
/// Seconds that the runs of a way should take together.
const ENOUGH: f64 = 0.25;

/// A way of running kernels on a CPU.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Cpu(CpuPath),
    Software,
}

/// All ways, in the order of the table.
const WAYS: [Way; 5] = [
    Way::Cpu(CpuPath::Interpreter),
    Way::Cpu(CpuPath::Compiled(Generator::Cranelift)),
    Way::Cpu(CpuPath::Compiled(Generator::Avx2)),
    Way::Cpu(CpuPath::Compiled(Generator::Avx512)),
    Way::Software,
];

impl Way {
    fn name(self) -> String {
        match self {
            Way::Cpu(path) => path.to_string(),
            Way::Software => "software".into(),
        }
    }

    /// A runtime with that way alone.
    fn open(self, threads: Option<usize>) -> Result<Runtime, String> {
        let mut builder = match self {
            Way::Cpu(path) => Runtime::builder().gpu(false).cpu_path(path),
            Way::Software => Runtime::builder().cpu(false),
        };
        if let Some(threads) = threads {
            builder = builder.threads(threads);
        }
        let runtime = builder.build().map_err(|error| error.to_string())?;
        let here = self != Way::Software || runtime.devices().iter().any(|d| d.kind == DeviceKind::Software);
        here.then_some(runtime).ok_or_else(|| "there is no software device here".into())
    }

    fn placement(self) -> Placement {
        match self {
            Way::Cpu(_) => Placement::Cpu,
            Way::Software => Placement::Software,
        }
    }
}

/// Everything that was found: the schema of `--json`. Times are in seconds.
#[derive(Serialize)]
struct Findings {
    /// The version of this schema.
    version: u32,
    warpweft: &'static str,
    seed: u64,
    interrupted: bool,
    results: Vec<Finding>,
    /// What came out wrong or failed; no time of it counts.
    failed: Vec<Missing>,
    /// What was not tried, or is not there, and why.
    skipped: Vec<Missing>,
}

/// A kernel at a size, in one way.
#[derive(Serialize)]
struct Finding {
    kernel: &'static str,
    size: String,
    /// The size that matters; else a small one, at which the interpreter takes part.
    full: bool,
    way: String,
    /// What the report called the path: generator and lanes.
    path: String,
    counts_flops: bool,
    /// Of all launches of a run together.
    compile_seconds: f64,
    times: Times,
}

/// What there is no time of.
#[derive(Serialize)]
struct Missing {
    kernel: &'static str,
    size: String,
    way: String,
    reason: String,
}

/// Someone who was right so far.
struct Turn<'p> {
    way: usize,
    contender: Contender<'p>,
    first: Vec<Report>,
    seconds: Vec<f64>,
    failure: Option<String>,
}

/// Measures, prints, and writes what was asked for.
///
/// # Errors
/// When an argument makes no sense, or a result was wrong.
pub(super) fn cpu_paths(args: &BenchArgs, stop: &AtomicBool) -> Outcome {
    let cases = cases(&args.kernels)?;
    let json: Vec<_> =
        args.json.iter().map(|path| (format!("--json {}", path.display()), path.clone())).collect();
    outputs::check(&json, &[])?;
    let deadline = Instant::now() + args.budget;
    let progress = Progress::new("opening the CPU in every way", cases.len() as u64, true, false);
    let runtimes = WAYS.map(|way| way.open(args.threads));
    let (results, failed, skipped) = (Vec::new(), Vec::new(), Vec::new());
    let warpweft = env!("CARGO_PKG_VERSION");
    let mut findings =
        Findings { version: 1, warpweft, seed: args.seed, interrupted: false, results, failed, skipped };
    for (done, case) in cases.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let end = Instant::now() + left / (cases.len() - done) as u32;
        let session = Session { runtimes: &runtimes, end, seed: args.seed, stop };
        progress.doing(&format!("{}, small", case.name));
        let pace = session.small(case, &mut findings);
        progress.doing(case.name);
        session.full(case, pace, &mut findings);
        runtimes.iter().flatten().for_each(Runtime::trim);
        progress.at(done as u64 + 1);
    }
    drop(progress);
    findings.interrupted = stop.load(Ordering::Relaxed);
    let mut staged = Staged::default();
    for (_, path) in &json {
        let text = say::text(&findings)?;
        staged.add(path, |writer| writer.write_all(text.as_bytes()))?;
    }
    staged.commit()?;
    say::out(&text(&findings))?;
    match findings.failed.len() {
        0 => Ok(()),
        n => Err(Failure::failed(format!(
            "{n} of the measurements failed or gave a wrong result: the lines with `Failed` say which"
        ))),
    }
}

/// The cases of those names; all without any.
fn cases(names: &[String]) -> Outcome<Vec<Case>> {
    if names.is_empty() {
        return Ok(ALL.to_vec());
    }
    let find = |name: &String| {
        Case::named(name).ok_or_else(|| {
            let known: Vec<&str> = ALL.iter().map(|case| case.name).collect();
            Failure::usage(format!("`--cpu-paths` has no kernel `{name}`; it has {}", known.join(", ")))
        })
    };
    names.iter().map(find).collect()
}

/// Seconds of a run per unit of work, by way, as far as known.
type Pace = [Option<f64>; WAYS.len()];

/// How much work a problem is, to scale times by.
fn work(problem: &Problem) -> f64 {
    problem.flops.max(problem.bytes)
}

struct Session<'a> {
    runtimes: &'a [Result<Runtime, String>; WAYS.len()],
    end: Instant,
    seed: u64,
    /// Ctrl-C was pressed.
    stop: &'a AtomicBool,
}

impl Session<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Every way, at a small size.
    fn small(&self, case: &Case, findings: &mut Findings) -> Pace {
        let mut pace = [None; WAYS.len()];
        if self.stopped() {
            return pace;
        }
        let problem = case.problem(Scale::Quick, self.seed);
        self.measure(&problem, false, &[true; WAYS.len()], findings);
        for finding in findings.results.iter().filter(|f| f.kernel == case.name) {
            let way = WAYS.iter().position(|way| way.name() == finding.way);
            if let Some(way) = way {
                pace[way] = Some(finding.times.median / work(&problem));
            }
        }
        pace
    }

    /// The ways that worked, but for the interpreter, at the size that matters.
    fn full(&self, case: &Case, pace: Pace, findings: &mut Findings) {
        let mut takes_part = [false; WAYS.len()];
        for (way, pace) in pace.iter().enumerate() {
            takes_part[way] = pace.is_some() && WAYS[way] != Way::Cpu(CpuPath::Interpreter);
        }
        if self.stopped() || !takes_part.contains(&true) {
            return;
        }
        if Instant::now() >= self.end {
            for way in (0..WAYS.len()).filter(|&way| takes_part[way]) {
                let reason = "nothing is left of the kernel's share of the budget".into();
                let (size, way) = ("its full size".into(), WAYS[way].name());
                findings.skipped.push(Missing { kernel: case.name, size, way, reason });
            }
            return;
        }
        let problem = case.problem(Scale::Full, self.seed);
        for (way, pace) in pace.iter().enumerate() {
            let needed = pace.unwrap_or(0.0) * work(&problem) * (2 + FEWEST) as f64;
            let left = self.end.saturating_duration_since(Instant::now());
            if takes_part[way] && needed > left.as_secs_f64() {
                takes_part[way] = false;
                findings.skipped.push(missing(&problem, way, beyond(needed, left)));
            }
        }
        self.measure(&problem, true, &takes_part, findings);
    }

    fn measure(
        &self,
        problem: &Problem,
        full: bool,
        takes_part: &[bool; WAYS.len()],
        findings: &mut Findings,
    ) {
        let mut turns: Vec<Turn<'_>> = Vec::new();
        for (way, runtime) in self.runtimes.iter().enumerate().filter(|(way, _)| takes_part[*way]) {
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(reason) => {
                    findings.skipped.push(missing(problem, way, reason.clone()));
                    continue;
                }
            };
            let contender =
                Contender::new(runtime, WAYS[way].placement(), problem).map_err(|error| error.to_string());
            match contender.and_then(|contender| Ok((contender.check()?, contender))) {
                Ok((first, contender)) => match not_compiled(WAYS[way], &first) {
                    Some(reason) => findings.skipped.push(missing(problem, way, reason)),
                    None => turns.push(Turn { way, contender, first, seconds: Vec::new(), failure: None }),
                },
                Err(reason) => findings.failed.push(missing(problem, way, reason)),
            }
        }
        self.take_turns(&mut turns);
        for mut turn in turns {
            if turn.failure.is_none() && !problem.accumulates {
                turn.failure = turn.contender.judge().err();
            }
            if turn.failure.is_none() {
                turn.failure = turn.contender.check().err();
            }
            if let Some(reason) = turn.failure {
                findings.failed.push(missing(problem, turn.way, reason));
            } else if let Some(times) = Times::new(turn.seconds, problem.flops, problem.bytes) {
                findings.results.push(Finding {
                    kernel: problem.name,
                    size: problem.size.clone(),
                    full,
                    way: WAYS[turn.way].name(),
                    path: turn.first[0].path.to_string(),
                    counts_flops: problem.limit == Limit::Flops,
                    compile_seconds: turn.first.iter().map(|report| report.compile_seconds).sum(),
                    times,
                });
            }
        }
    }

    /// Runs everyone in random order, again and again, until each has enough.
    fn take_turns(&self, turns: &mut [Turn<'_>]) {
        let mut random = Random::new(self.seed ^ 0x5eed);
        loop {
            let wants = |turn: &Turn<'_>| {
                let (runs, spent) = (turn.seconds.len(), turn.seconds.iter().sum::<f64>());
                let more = spent < ENOUGH && runs < MOST && Instant::now() < self.end;
                turn.failure.is_none() && (runs < FEWEST || more)
            };
            let mut round: Vec<usize> = (0..turns.len()).filter(|&at| wants(&turns[at])).collect();
            if round.is_empty() || self.stopped() {
                return;
            }
            random.shuffle(&mut round);
            for at in round {
                if self.stopped() {
                    return;
                }
                let start = Instant::now();
                match turns[at].contender.run() {
                    Ok(_) => turns[at].seconds.push(start.elapsed().as_secs_f64()),
                    Err(error) => turns[at].failure = Some(error.to_string()),
                }
            }
        }
    }
}

/// Why a way that compiles did not.
fn not_compiled(way: Way, reports: &[Report]) -> Option<String> {
    let Way::Cpu(CpuPath::Compiled(_)) = way else { return None };
    let report = reports.iter().find(|report| report.path == Path::Interpreter)?;
    let note = report.plan.choice().note.clone();
    Some(note.map_or_else(|| "it is interpreted".into(), |note| note.to_string()))
}

fn missing(problem: &Problem, way: usize, reason: String) -> Missing {
    Missing { kernel: problem.name, size: problem.size.clone(), way: WAYS[way].name(), reason }
}

/// What people read: a row for each kernel at a size, a column for each way.
fn text(findings: &Findings) -> String {
    let names = WAYS.map(Way::name);
    let header: Vec<&str> = ["kernel", "size"].into_iter().chain(names.iter().map(|name| &**name)).collect();
    let mut table = plain(&header);
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for finding in &findings.results {
        if !rows.contains(&(finding.kernel, &finding.size)) {
            rows.push((finding.kernel, &finding.size));
        }
    }
    for (kernel, size) in &rows {
        let cell = |way: &String| {
            let found = findings.results.iter().find(|f| (f.kernel, &*f.size, &f.way) == (kernel, size, way));
            found.map_or(String::new(), cell)
        };
        table.add_row([kernel.to_string(), size.to_string()].into_iter().chain(names.iter().map(cell)));
    }
    let mut text = if rows.is_empty() { "Nothing was measured.\n".into() } else { format!("{table}\n") };
    for (way, against) in [("avx2", "cranelift"), ("avx512", "cranelift"), ("avx512", "software")] {
        if let Some((mean, n)) = mean(findings, way, against) {
            text +=
                &format!("\n{way} is {mean:.2} times as fast as {against} (geometric mean over {n} kernels)");
        }
    }
    for Missing { kernel, size, way, reason } in &findings.failed {
        text += &format!("\nFailed: {kernel} at {size} by {way}: {reason}");
    }
    text += &skipped(&findings.skipped);
    if findings.interrupted {
        text += "\nInterrupted: the table holds what was measured until then.";
    }
    text + &format!(
        "\n\nMedians of checked results, ± half the distance between the quartiles, seed {}.",
        findings.seed
    )
}

/// One line for all that a way lacks for the same reason.
fn skipped(missing: &[Missing]) -> String {
    let mut reasons: Vec<(&str, &str)> = missing.iter().map(|m| (&*m.way, &*m.reason)).collect();
    let mut seen = std::collections::HashSet::new();
    reasons.retain(|reason| seen.insert(*reason));
    let line = |(way, reason): &(&str, &str)| {
        let same = missing.iter().filter(|m| (&*m.way, &*m.reason) == (way, reason));
        let kernels: Vec<String> = same.map(|m| format!("{} at {}", m.kernel, m.size)).collect();
        format!("\nSkipped: {way}: {reason} ({})", kernels.join(", "))
    };
    reasons.iter().map(line).collect()
}

fn cell(finding: &Finding) -> String {
    let times = &finding.times;
    let spread = 50.0 * (times.upper_quartile - times.lower_quartile) / times.median.max(1e-9);
    let rate = match finding.counts_flops {
        true => format!("{:.3} GFLOP/s", times.gflops_per_second),
        false => format!("{:.3} GB/s", times.gbytes_per_second),
    };
    format!("{} ±{spread:.0}%\n{rate}", seconds(times.median))
}

/// How much faster one way is than another at the sizes that matter, and over how many kernels.
fn mean(findings: &Findings, way: &str, against: &str) -> Option<(f64, usize)> {
    let full = || findings.results.iter().filter(|f| f.full);
    let ratios = full().filter(|f| f.way == way).filter_map(|f| {
        let other = full().find(|other| other.way == against && other.kernel == f.kernel)?;
        Some((other.times.median / f.times.median.max(1e-9)).ln())
    });
    let logarithms: Vec<f64> = ratios.collect();
    let n = logarithms.len();
    (n > 0).then(|| ((logarithms.iter().sum::<f64>() / n as f64).exp(), n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(way: &str, median: f64) -> Finding {
        Finding {
            kernel: "triad",
            size: "2²⁵".into(),
            full: true,
            way: way.into(),
            path: way.into(),
            counts_flops: false,
            compile_seconds: 0.0,
            times: Times::new(vec![median], 1.0, 1e9).expect("one time"),
        }
    }

    #[test]
    fn the_text_has_a_row_per_kernel_and_says_what_is_missing() {
        let problem = Case::named("triad").expect("it is there").problem(Scale::Tiny, 1);
        let findings = Findings {
            version: 1,
            warpweft: "0",
            seed: 1,
            interrupted: false,
            results: vec![finding("cranelift", 0.4), finding("avx512", 0.1)],
            failed: Vec::new(),
            skipped: vec![missing(&problem, 0, "no time".into()), missing(&problem, 0, "no time".into())],
        };
        let text = text(&findings);
        assert!(
            text.contains("avx512 is 4.00 times as fast as cranelift (geometric mean over 1 kernels)"),
            "{text}"
        );
        assert!(text.contains("Skipped: interpreter: no time (triad at 5003, triad at 5003)"), "{text}");
        assert!(text.contains("10.000 GB/s"), "{text}");
        assert!(mean(&findings, "avx2", "cranelift").is_none());
    }

    #[test]
    fn kernels_are_found_by_name() {
        assert_eq!(cases(&[]).unwrap().len(), ALL.len());
        assert_eq!(cases(&["spmv_random".into()]).unwrap()[0].name, "spmv_random");
        assert!(cases(&["x".into()]).unwrap_err().to_string().contains("spmv_random"));
    }
}
