//! What `--json` prints: runs, plans, devices as plain data.
//!
//! Field names are an interface of their own: programs read them.

use serde::Serialize;
use warpweft::{Candidate, Grid, Path, Plan, Prediction, Rates, Report, Source, TimingSource, Verdict};

/// What `run --json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct RunRecord {
    /// The entry point.
    pub(crate) kernel: String,
    /// The name of the device that it ran on.
    pub(crate) device: String,
    /// `cpu`, `gpu` or `software`.
    pub(crate) kind: &'static str,
    /// What `--on` said.
    pub(crate) placement: String,
    /// `interpreter`, `compiled`, `native` or `wgpu`.
    pub(crate) path: &'static str,
    /// The code generator and its lanes, where the path is `compiled`.
    pub(crate) compiled: Option<CompiledRecord>,
    /// Why it did not run in the way that was wanted, where it did not.
    pub(crate) note: Option<String>,
    /// One kernel time per repeat, data resident; of one run where `--repeat` is not given. With `--steps`, the time
    /// of all steps.
    pub(crate) seconds: Vec<f64>,
    /// The clock of `seconds`: `device` (its timestamps), `host` (around the kernel), `round trip` (around submission
    /// and fence), `loop` (the host's, around all steps), `virtual`, or `none` for an empty grid.
    pub(crate) clock: &'static str,
    /// `seconds` are of runs after one that warmed up (`--repeat`).
    pub(crate) warm: bool,
    /// The kernel time of the first run, in which drivers may still compile.
    pub(crate) first_seconds: f64,
    /// Bytes moved in either direction during the runs of `seconds`: 0 where all data was on the device.
    pub(crate) bytes_while_timed: u64,
    /// Seconds of compilation.
    pub(crate) compile_seconds: f64,
    /// What the planner had predicted for the first run, transfers included.
    pub(crate) predicted_seconds: f64,
    /// Bytes moved to devices for the first run.
    pub(crate) bytes_uploaded: u64,
    /// Bytes moved from devices for the first run and its outputs.
    pub(crate) bytes_downloaded: u64,
    /// The first run from the call to the end, on the host's clock: planning, compilation and transfers included.
    pub(crate) elapsed_seconds: f64,
    /// Launches of the kernel in one run.
    pub(crate) steps: u64,
    /// Workgroups along x, y, z.
    pub(crate) workgroups: [u32; 3],
    /// Exact invocations along x, y, z, where they are fewer than those of the workgroups.
    pub(crate) over: Option<[u32; 3]>,
    /// What a user should know before trusting the device with this kernel.
    pub(crate) cautions: Vec<String>,
    /// The files that were written.
    pub(crate) outputs: Vec<OutputRecord>,
    /// The decision, with `--explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<PlanRecord>,
}

/// How a kernel was compiled for the CPU.
#[derive(Debug, Serialize)]
pub(crate) struct CompiledRecord {
    /// `cranelift`, `avx2` or `avx512`.
    generator: &'static str,
    /// Invocations that run together.
    lanes: u16,
}

impl CompiledRecord {
    /// `None` where the path is another.
    pub(crate) fn of(path: Path) -> Option<Self> {
        match path {
            Path::Compiled { generator, lanes } => Some(Self { generator, lanes }),
            Path::Interpreter | Path::Native | Path::Wgpu => None,
        }
    }
}

/// A file that was written.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OutputRecord {
    /// The binding.
    pub(crate) name: String,
    /// The file; with `--every`, its name with `{step}`.
    pub(crate) path: String,
    /// The element type.
    pub(crate) dtype: &'static str,
    /// The shape.
    pub(crate) shape: Vec<usize>,
    /// How many files.
    pub(crate) files: u64,
}

/// A decision.
#[derive(Debug, Serialize)]
pub(crate) struct PlanRecord {
    pub(crate) kernel: String,
    pub(crate) placement: String,
    pub(crate) workgroups: [u32; 3],
    pub(crate) over: Option<[u32; 3]>,
    /// The number of the chosen device, as in `--on device:N`.
    pub(crate) chosen: usize,
    pub(crate) reason: String,
    pub(crate) candidates: Vec<CandidateRecord>,
}

/// A device as a candidate.
#[derive(Debug, Serialize)]
pub(crate) struct CandidateRecord {
    pub(crate) device: usize,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) path: &'static str,
    /// The code generator and its lanes, where the path is `compiled`.
    pub(crate) compiled: Option<CompiledRecord>,
    /// Why it would not run in the way that was wanted, where it would not.
    pub(crate) note: Option<String>,
    /// Why it was ruled out, if it was.
    pub(crate) excluded: Option<String>,
    /// The prediction, if it was not.
    pub(crate) prediction: Option<PredictionRecord>,
}

/// A predicted time and its parts, in seconds.
#[derive(Debug, Serialize)]
pub(crate) struct PredictionRecord {
    pub(crate) seconds: f64,
    pub(crate) transfer_seconds: f64,
    pub(crate) launch_seconds: f64,
    pub(crate) execution_seconds: f64,
    pub(crate) transfer_bytes: u64,
    /// `calibrated`, `coarse`, `measured`, `rescaled`, `fitted` or `scaled`.
    pub(crate) source: &'static str,
}

impl PlanRecord {
    pub(crate) fn new(plan: &Plan, grid: Grid) -> Self {
        Self {
            kernel: plan.kernel.to_string(),
            placement: plan.placement.to_string(),
            workgroups: grid.workgroups,
            over: grid.over,
            chosen: plan.choice().device,
            reason: plan.reason(),
            candidates: plan.candidates.iter().map(candidate).collect(),
        }
    }
}

fn candidate(candidate: &Candidate) -> CandidateRecord {
    let (excluded, prediction) = match &candidate.verdict {
        Verdict::Excluded(why) => (Some(why.to_string()), None),
        Verdict::Predicted(prediction) => (None, Some(predicted(prediction))),
    };
    CandidateRecord {
        device: candidate.device,
        name: candidate.name.to_string(),
        kind: candidate.kind.name(),
        path: candidate.path.name(),
        compiled: CompiledRecord::of(candidate.path),
        note: candidate.note.as_deref().map(str::to_owned),
        excluded,
        prediction,
    }
}

fn predicted(prediction: &Prediction) -> PredictionRecord {
    PredictionRecord {
        seconds: prediction.total(),
        transfer_seconds: prediction.transfer,
        launch_seconds: prediction.launch,
        execution_seconds: prediction.execution,
        transfer_bytes: prediction.bytes,
        source: match prediction.source {
            Source::Calibrated => "calibrated",
            Source::Coarse => "coarse",
            Source::Measured(_) => "measured",
            Source::Rescaled(_) => "rescaled",
            Source::Fitted(_) => "fitted",
            Source::Scaled(_) => "scaled",
        },
    }
}

/// The word for the clock of a report's kernel time.
pub(crate) fn clock(report: &Report) -> &'static str {
    match report.timing.map(|timing| timing.source) {
        Some(TimingSource::Timestamp) => "device",
        Some(TimingSource::Host) => "host",
        Some(TimingSource::RoundTrip) => "round trip",
        Some(TimingSource::Virtual) => "virtual",
        None => "none",
    }
}

/// The rates of a device.
#[derive(Debug, Serialize)]
pub(crate) struct RatesRecord {
    /// They were measured on this machine; else they are coarse guesses.
    pub(crate) calibrated: bool,
    #[serde(flatten)]
    pub(crate) rates: Rates,
}

/// Seconds for people: three digits and a fitting unit.
pub(crate) fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    format!("{} {unit}", digits(value))
}

/// A rate for people: `12.3 G`.
pub(crate) fn rate(rate: f64) -> String {
    let (value, unit) = match rate {
        r if r >= 1e12 => (r / 1e12, "T"),
        r if r >= 1e9 => (r / 1e9, "G"),
        r if r >= 1e6 => (r / 1e6, "M"),
        r if r >= 1e3 => (r / 1e3, "k"),
        r => (r, ""),
    };
    format!("{} {unit}", digits(value))
}

/// Bytes for people, in powers of two.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{} {}", digits(value), units[unit]),
    }
}

/// Three digits.
fn digits(value: f64) -> String {
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_readable() {
        assert_eq!([0.0123, 2e-7, 75.0].map(seconds), ["12.3 ms", "200 ns", "75.0 s"]);
        assert_eq!([1.5e9, 12.0, 3.456e13].map(rate), ["1.50 G", "12.0 ", "34.6 T"]);
        assert_eq!([12, 1 << 20, 3 << 29].map(bytes), ["12 B", "1.00 MiB", "1.50 GiB"]);
    }
}
