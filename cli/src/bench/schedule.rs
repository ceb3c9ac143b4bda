//! What is measured when: kernels share the budget, sizes ascend until they would not fit, devices take turns.
//!
//! Knows budgets and order; what a run includes is [`super::rig`]'s.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use warpweft::{DeviceInfo, Error, Kernel, Report, Runtime};
use warpweft_shaders::ShaderFile;

use super::findings::{Finding, Findings, Missing, Times};
use super::problems::{Problem, obstacle, work};
use super::rig::{First, LOCATIONS, Location, Rig};
use crate::failure::Outcome;
use crate::progress::Progress;
use crate::random::Random;
use crate::record;

/// Runs of each way at least, so that a median and a spread mean something.
const FEWEST: usize = 3;
/// Runs of each way at most.
const MOST: usize = 25;
/// Seconds that the runs of one way should take together.
const ENOUGH: f64 = 0.25;

/// Seconds that a size may always take, so that even a small budget shows something.
const PATIENCE: f64 = 2.0;

/// A device that takes part.
pub(crate) struct Rival {
    /// Its number in the runtime.
    pub(crate) device: usize,
    /// What `--on` calls it.
    pub(crate) placement: String,
    pub(crate) info: DeviceInfo,
}

/// How a bench is to be.
pub(crate) struct Schedule<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) rivals: &'a [Rival],
    pub(crate) sizes: &'a [u64],
    pub(crate) deadline: Instant,
    pub(crate) seed: u64,
    /// Ctrl-C was pressed.
    pub(crate) stop: &'a AtomicBool,
    pub(crate) progress: &'a Progress,
}

/// What earlier sizes of a kernel took, to foresee the next.
#[derive(Default)]
struct Pace {
    /// Seconds per unit of work, by the position of the rival: of one launch and all that goes with it.
    launch: HashMap<usize, f64>,
    /// The same of making the problem: inputs and reference.
    problem: f64,
}

/// A rival with its rig, and the times taken so far.
struct Turn<'p> {
    rival: usize,
    rig: Rig<'p>,
    first: First,
    times: HashMap<Location, Vec<f64>>,
    report: Option<Report>,
    error: Option<String>,
}

impl Schedule<'_> {
    /// Measures the kernels in turn; each may use what the ones before it left of the budget.
    ///
    /// # Errors
    /// When a kernel cannot be read at all.
    pub(crate) fn run(&self, kernels: &[&'static ShaderFile], findings: &mut Findings) -> Outcome {
        for (done, file) in kernels.iter().enumerate() {
            let left = self.deadline.saturating_duration_since(Instant::now());
            let share = Instant::now() + left / (kernels.len() - done) as u32;
            self.kernel(file, share, findings)?;
            self.progress.at(done as u64 + 1);
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn kernel(&self, file: &'static ShaderFile, end: Instant, findings: &mut Findings) -> Outcome {
        let kernel = self.runtime.kernel(file.source)?;
        let mut pace = Pace::default();
        let devices = self.runtime.devices();
        let memory = devices.iter().filter(|d| d.host_memory).find_map(|d| d.limits.memory);
        for &size in self.sizes {
            if self.stopped() {
                return Ok(());
            }
            self.progress.doing(&format!("{} of {size} {}s", file.name, file.element));
            let mut skip = |rival: &Rival, reason: String| {
                let placement = rival.placement.clone();
                findings.skipped.push(Missing { kernel: file.name, size, placement, reason });
            };
            let left = end.saturating_duration_since(Instant::now());
            let amount = work(file, size);
            let mut fitting = Vec::new();
            for (position, rival) in self.rivals.iter().enumerate() {
                let needed =
                    pace.problem * amount + pace.launch.get(&position).map_or(0.0, |pace| pace * amount);
                match obstacle(file, size, self.rivals.len(), memory) {
                    Some(reason) => skip(rival, reason),
                    None if needed > left.as_secs_f64() => skip(rival, beyond(needed, left)),
                    None => fitting.push(position),
                }
            }
            if fitting.is_empty() {
                continue;
            }
            let started = Instant::now();
            let problem = Problem::new(file, size, self.seed);
            pace.problem = started.elapsed().as_secs_f64() / amount;
            let mut turns = Vec::new();
            for rival in fitting {
                match self.first(&kernel, &problem, rival, &pace, end) {
                    Ok(turn) => turns.push(turn),
                    Err(Refusal::Skipped(reason)) => skip(&self.rivals[rival], reason),
                    Err(Refusal::Failed(reason)) => {
                        findings.failed.push(self.missing(&problem, rival, reason))
                    }
                }
            }
            turns.retain(|turn| match &turn.first.verdict {
                Ok(()) => true,
                Err(wrong) => {
                    findings.failed.push(self.missing(
                        &problem,
                        turn.rival,
                        format!("a wrong result: {wrong}"),
                    ));
                    false
                }
            });
            self.take_turns(&mut turns, end);
            for turn in turns {
                self.conclude(&problem, turn, &mut pace, amount, findings);
            }
        }
        Ok(())
    }

    fn missing(&self, problem: &Problem, rival: usize, reason: String) -> Missing {
        let placement = self.rivals[rival].placement.clone();
        Missing { kernel: problem.kernel.name, size: problem.size, placement, reason }
    }

    /// Sets a rival up and runs it once, unless that is foreseen to take too long.
    fn first<'p>(
        &self,
        kernel: &Kernel,
        problem: &'p Problem,
        rival: usize,
        pace: &Pace,
        end: Instant,
    ) -> Result<Turn<'p>, Refusal> {
        let Rival { device, info, .. } = &self.rivals[rival];
        let refused = |error: Error| match error {
            // Sizes beyond the device's limits are no failure of it.
            Error::Placement(reason) => Refusal::Skipped(reason),
            other => Refusal::Failed(other.to_string()),
        };
        let rig = Rig::new(self.runtime, kernel, problem, *device, info).map_err(refused)?;
        let runs = (1 + FEWEST * rig.ways().len()) as f64;
        let left = end.saturating_duration_since(Instant::now());
        // Nothing is known yet: the planner's word counts.
        let foreseen = if pace.launch.contains_key(&rival) { 0.0 } else { rig.predicted() * runs };
        if foreseen > left.as_secs_f64() {
            return Err(Refusal::Skipped(beyond(foreseen, left)));
        }
        let started = Instant::now();
        let first = rig.first().map_err(refused)?;
        // What compiling took says nothing of later runs; that the rest was slow does.
        let needed = (started.elapsed().as_secs_f64() - first.report.compile_seconds) * runs;
        let left = end.saturating_duration_since(Instant::now());
        if first.verdict.is_ok() && needed > left.as_secs_f64().max(PATIENCE) {
            return Err(Refusal::Skipped(beyond(needed, left)));
        }
        Ok(Turn { rival, rig, first, times: HashMap::new(), report: None, error: None })
    }

    /// Runs every way of every rival in random order, again and again, until each has enough.
    fn take_turns(&self, turns: &mut [Turn<'_>], end: Instant) {
        let mut random = Random::new(self.seed ^ 0x5eed);
        // One run of each way that no time counts of: what the first one missed is warm then.
        for turn in turns.iter_mut() {
            for &way in turn.rig.ways() {
                if turn.first.report.elapsed_seconds < 1.0 && !self.stopped() && turn.error.is_none() {
                    turn.error = turn.rig.run(way).err().map(|error| error.to_string());
                }
            }
        }
        let mut spent: HashMap<(usize, Location), (f64, usize)> = HashMap::new();
        loop {
            let mut round: Vec<(usize, Location)> = Vec::new();
            for (at, turn) in turns.iter().enumerate() {
                for &way in turn.rig.ways() {
                    let (seconds, runs) = spent.get(&(at, way)).copied().unwrap_or_default();
                    let wanted = runs < FEWEST || (seconds < ENOUGH && runs < MOST && Instant::now() < end);
                    if turn.error.is_none() && wanted {
                        round.push((at, way));
                    }
                }
            }
            if round.is_empty() || self.stopped() {
                return;
            }
            random.shuffle(&mut round);
            for (at, way) in round {
                if self.stopped() {
                    return;
                }
                let started = Instant::now();
                match turns[at].rig.run(way) {
                    Ok((times, report)) => {
                        for (location, seconds) in times {
                            turns[at].times.entry(location).or_default().push(seconds);
                        }
                        turns[at].report = Some(report);
                    }
                    Err(error) => turns[at].error = Some(error.to_string()),
                }
                let entry = spent.entry((at, way)).or_default();
                *entry = (entry.0 + started.elapsed().as_secs_f64(), entry.1 + 1);
            }
        }
    }

    /// Makes a finding of a rival's times, if its last result is right too.
    fn conclude(
        &self,
        problem: &Problem,
        turn: Turn<'_>,
        pace: &mut Pace,
        amount: f64,
        findings: &mut Findings,
    ) {
        let wrong = match (turn.error, turn.rig.last()) {
            (Some(error), _) => Some(error),
            (None, Err(error)) => Some(error.to_string()),
            (None, Ok(Err(wrong))) => Some(format!("a wrong result after repeated runs: {wrong}")),
            (None, Ok(Ok(()))) => None,
        };
        if let Some(reason) = wrong {
            findings.failed.push(self.missing(problem, turn.rival, reason));
            return;
        }
        let mut times = turn.times;
        let [resident, upload, round_trip] = LOCATIONS.map(|location| {
            Times::new(times.remove(&location).unwrap_or_default(), problem.flops, problem.bytes)
        });
        let (Some(resident), Some(upload), Some(round_trip), Some(report)) =
            (resident, upload, round_trip, turn.report)
        else {
            // Interrupted before each way had a time.
            return;
        };
        let rival = &self.rivals[turn.rival];
        // The next size needs a first run and a few of each way; four times the work is not always four times the time.
        let runs = (2 + FEWEST * turn.rig.ways().len()) as f64;
        pace.launch.insert(turn.rival, round_trip.median * runs / amount);
        findings.results.push(Finding {
            kernel: problem.kernel.name,
            element: problem.kernel.element,
            size: problem.size,
            device: rival.device,
            placement: rival.placement.clone(),
            kind: rival.info.kind.name(),
            path: report.path.name(),
            flops: problem.flops,
            bytes: problem.bytes,
            counts_flops: problem.counts_flops(),
            compile_seconds: turn.first.report.compile_seconds,
            first_seconds: turn.first.report.elapsed_seconds,
            clock: record::clock(&report),
            resident,
            upload,
            round_trip,
        });
    }
}

/// Why a rival has no time.
enum Refusal {
    Skipped(String),
    Failed(String),
}

pub(super) fn beyond(needed: f64, left: Duration) -> String {
    let left = record::seconds(left.as_secs_f64());
    format!("about {} needed, {left} left of the kernel's share of the budget", record::seconds(needed))
}
