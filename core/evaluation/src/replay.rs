//! Replays measured runs: 680 pairs of kernel and data set on one CPU and two GPUs, with transfers in their times.
//!
//! Knows only those times: no noise, no residency, no compilation, no latency, and nothing of how a kernel's data sets relate. So
//! every pair is a kernel of its own that is launched a number of times, and a policy begins with each afresh.
//!
//! The conventions are those that the published and the project's figures rest on: all 680 rows count alike; a policy's
//! speed after N launches of a pair is N times the better device's time over all it was charged; figures are geometric means over
//! pairs; a slice of a share `s` costs `s` times the device's whole time and is useful work. The static features know no
//! trip counts, so the static estimates are next to worthless: their score shows how little they say.

use thiserror::Error;

use crate::baseline::{Contestant, Foresight};
use crate::policy::{Candidate, Decision, Measurement, Policy, Request};
use crate::score::{Judgement, Unit, contested};
use crate::world::Refused;

/// The figures; see the README beside them for where they come from.
const DATA: &str = include_str!("../data/placement.csv");

/// Items of a launch that may be sliced: finer than any share in use.
const ITEMS: u64 = 1_000_000;

/// One measured pair of kernel and data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Suite and kernel.
    pub benchmark: String,
    /// The data set.
    pub data_set: String,
    /// Computing instructions in the kernel's text.
    pub compute_ops: f64,
    /// Memory instructions in the kernel's text.
    pub memory_ops: f64,
    /// Bytes that go to a GPU and back.
    pub transfer_bytes: f64,
    /// Seconds on the CPU.
    pub cpu: f64,
    /// Seconds on the GPUs of machine A and B.
    pub gpus: [f64; 2],
}

impl Row {
    /// The suite that the kernel is from.
    pub fn suite(&self) -> &str {
        self.benchmark.split('-').next().unwrap_or_default()
    }
}

/// Figures that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line} of the measured runs: {reason}")]
pub struct Malformed {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// The measured runs.
///
/// # Errors
/// When the file that was compiled in is not as expected.
pub fn measured_runs() -> Result<Vec<Row>, Malformed> {
    parse(DATA)
}

/// Reads measured runs: a header, then a line each.
///
/// # Errors
/// When a column is missing, or a value is not a number or a time is not above 0.
pub fn parse(text: &str) -> Result<Vec<Row>, Malformed> {
    let mut lines = text.lines().enumerate();
    let header: Vec<&str> = lines.next().map_or(Vec::new(), |(_, line)| line.split(',').collect());
    lines.map(|(at, line)| row(&header, line).map_err(|reason| Malformed { line: at + 1, reason })).collect()
}

fn row(header: &[&str], line: &str) -> Result<Row, String> {
    let cells: Vec<&str> = line.split(',').collect();
    let cell = |name: &str| {
        let at = header.iter().position(|column| *column == name);
        at.and_then(|at| cells.get(at).copied()).ok_or_else(|| format!("no `{name}`"))
    };
    let number = |name: &str| {
        let text = cell(name)?;
        let valid = text.parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
        valid.ok_or_else(|| format!("`{name}` is `{text}`"))
    };
    let seconds = |name: &str| match number(name)? {
        0.0 => Err(format!("`{name}` is 0")),
        milliseconds => Ok(milliseconds / 1000.0),
    };
    Ok(Row {
        benchmark: cell("benchmark")?.into(),
        data_set: cell("dataset")?.into(),
        compute_ops: number("compute_ops")?,
        memory_ops: number("memory_ops")?,
        transfer_bytes: number("transfer_bytes")?,
        cpu: seconds("cpu_ms")?,
        gpus: [seconds("gpu_a_ms")?, seconds("gpu_b_ms")?],
    })
}

/// How runs are replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The machine: 0 for A, 1 for B.
    pub gpu: usize,
    /// Launches of each pair.
    pub launches: usize,
    /// Kernels may be run in slices. The data do not say which may: all or none.
    pub sliceable: bool,
}

/// One pair on one machine: what clairvoyants see.
struct Pair {
    seconds: [f64; 2],
    launches: usize,
}

impl Foresight for Pair {
    fn optimum(&self) -> Vec<usize> {
        vec![usize::from(self.seconds[1] < self.seconds[0]); self.launches]
    }

    fn best_static(&self) -> Vec<usize> {
        self.optimum()
    }
}

impl Replay {
    /// Replays rows under a contestant; one unit per row.
    ///
    /// # Errors
    /// When its policy asks for something that cannot be done.
    pub fn evaluate(&self, rows: &[Row], contestant: &Contestant) -> Result<Vec<Unit>, Refused> {
        let mut units = Vec::with_capacity(rows.len());
        for (number, row) in rows.iter().enumerate() {
            let pair = Pair { seconds: [row.cpu, row.gpus[self.gpu.min(1)]], launches: self.launches };
            let mut policy = (contestant.make)(&pair);
            let mut unit = Unit {
                name: format!("{} | {}", row.benchmark, row.data_set),
                sliceable: self.sliceable,
                contested: contested(&pair.seconds),
                policy: Vec::with_capacity(self.launches),
                oracle: Vec::with_capacity(self.launches),
                judgements: Vec::with_capacity(self.launches),
            };
            let (mut spent, mut least) = (0.0, 0.0);
            for nth in 0..self.launches {
                let (seconds, device) = self.launch(number, nth, row, &pair, policy.as_mut())?;
                spent += seconds;
                least += pair.seconds[0].min(pair.seconds[1]);
                unit.policy.push(spent);
                unit.oracle.push(least);
                unit.judgements.push(Judgement::of(&pair.seconds, device));
            }
            units.push(unit);
        }
        Ok(units)
    }

    /// One launch: seconds, and where the last of it ran.
    fn launch(
        &self,
        kernel: usize,
        nth: usize,
        row: &Row,
        pair: &Pair,
        policy: &mut dyn Policy,
    ) -> Result<(f64, usize), Refused> {
        let candidates = estimates(row);
        let (mut remaining, mut spent) = (ITEMS, 0.0);
        loop {
            let request = Request {
                kernel,
                size: ITEMS,
                items: ITEMS,
                remaining,
                sliceable: self.sliceable,
                // Their times hold the transfers of every launch.
                replaced: (nth > 0).then_some(true),
                candidates: &candidates,
            };
            let decision = policy.decide(&request);
            let (device, items) = match decision {
                Decision::Run { device } => (device, remaining),
                Decision::Slice { .. } if !self.sliceable => {
                    return Err(Refused::NotSliceable { kernel: "measured", reason: "replayed whole" });
                }
                Decision::Slice { items, .. } if items == 0 || items >= remaining => {
                    return Err(Refused::SliceSize { items, remaining });
                }
                Decision::Slice { device, items } => (device, items),
            };
            let whole = pair.seconds.get(device).ok_or(Refused::NoSuchDevice { device, devices: 2 })?;
            let execution = whole * items as f64 / ITEMS as f64;
            spent += execution;
            remaining -= items;
            let measurement = Measurement { device, items, transfer: 0.0, compile: 0.0, execution };
            policy.measured(&request, &measurement);
            if let Decision::Run { device } = decision {
                return Ok((spent, device));
            }
        }
    }
}

/// What static features say of a CPU and a GPU of 2012: an element per four bytes, no loops, transfers in the GPU's time.
fn estimates(row: &Row) -> [Candidate; 2] {
    let elements = row.transfer_bytes / 4.0;
    let work = |rate: f64, bandwidth: f64| {
        (elements * row.compute_ops / rate).max(elements * 4.0 * row.memory_ops / bandwidth)
    };
    let candidate = |execution| Candidate {
        execution,
        fill: 1,
        launch: 0.0,
        compile: 0.0,
        missing: 0.0,
        transfer: 0.0,
        entrance: 0.0,
        delivery: 0.0,
    };
    [candidate(2e-5 + work(5e10, 3e10)), candidate(1e-4 + row.transfer_bytes / 6e9 + work(2e12, 2e11))]
}
