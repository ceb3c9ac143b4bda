//! A decision, and why it was made.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;
use warpweft_hal::{DeviceKind, Path};

use crate::Placement;

/// What an execution time was predicted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The launch's counted operations and bytes over rates measured on this machine.
    Calibrated,
    /// The launch's counted operations and bytes over coarse default rates: `warpweft calibrate` was not run.
    Coarse,
    /// That many earlier launches of the same kernel at about the same size.
    Measured(usize),
    /// That many launches at this size before the device changed its speed, scaled by the change.
    Rescaled(usize),
    /// That many launches at several other sizes: a law fitted over them.
    Fitted(usize),
    /// That many launches at another size, scaled.
    Scaled(usize),
}

impl Source {
    pub(super) fn learnt(known: &warpweft_planner::Prediction) -> Self {
        match known.source {
            warpweft_planner::Source::Measured => Source::Measured(known.samples),
            warpweft_planner::Source::Rescaled => Source::Rescaled(known.samples),
            warpweft_planner::Source::Fitted { .. } => Source::Fitted(known.samples),
            warpweft_planner::Source::Scaled => Source::Scaled(known.samples),
        }
    }
}

/// A predicted time, in seconds, by its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Moving the bytes that the device lacks.
    pub transfer: f64,
    /// From submission to the first invocation.
    pub launch: f64,
    /// The kernel itself.
    pub execution: f64,
    /// Bytes that would be moved.
    pub bytes: u64,
    /// What `execution` rests on.
    pub source: Source,
}

impl Prediction {
    /// Seconds in all.
    pub fn total(&self) -> f64 {
        self.transfer + self.launch + self.execution
    }
}

/// Why a device was ruled out.
#[derive(Clone, Debug, PartialEq)]
pub enum Exclusion {
    /// The user asked for another placement.
    NotAskedFor(Placement),
    /// Software devices are not chosen automatically, unless the runtime was built so.
    SoftwareNotAutomatic,
    /// The kernel, its data or the device's state forbid it.
    Unable(Arc<str>),
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exclusion::NotAskedFor(placement) => write!(f, "`{placement}` was asked for"),
            Exclusion::SoftwareNotAutomatic => f.write_str("software devices are not chosen automatically"),
            Exclusion::Unable(reason) => f.write_str(reason),
        }
    }
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It could run the launch, in that time.
    Predicted(Prediction),
    /// It was ruled out, for this reason.
    Excluded(Exclusion),
}

/// A device as a candidate for a launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The device's number in [`Runtime::devices`](crate::Runtime::devices).
    pub device: usize,
    /// Its name.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: DeviceKind,
    /// How it would execute the kernel.
    pub path: Path,
    /// Its predicted time, or why it was ruled out.
    pub verdict: Verdict,
    /// What a user should know before trusting it with this kernel.
    pub cautions: Arc<[String]>,
    /// Why it does not execute the kernel in the way that was wanted, where it does not.
    pub note: Option<Arc<str>>,
}

impl Candidate {
    /// The prediction, unless it was ruled out.
    pub fn prediction(&self) -> Option<&Prediction> {
        match &self.verdict {
            Verdict::Predicted(prediction) => Some(prediction),
            Verdict::Excluded(_) => None,
        }
    }
}

/// A decision: every candidate, and which was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The kernel's entry point.
    pub kernel: Arc<str>,
    /// What the user asked for.
    pub placement: Placement,
    /// Every device, in the order of [`Runtime::devices`](crate::Runtime::devices).
    pub candidates: SmallVec<[Candidate; 2]>,
    /// The position in `candidates` of the chosen one.
    pub chosen: usize,
}

impl Plan {
    /// The chosen device.
    pub fn choice(&self) -> &Candidate {
        &self.candidates[self.chosen]
    }

    /// The reason for the choice, in one sentence.
    pub fn reason(&self) -> String {
        let choice = self.choice();
        let mut others: Vec<(f64, &Candidate)> = self
            .candidates
            .iter()
            .filter(|c| c.device != choice.device)
            .filter_map(|c| Some((c.prediction()?.total(), c)))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        let own = choice.prediction().map_or(0.0, Prediction::total);
        match others.first() {
            None if self.placement != Placement::Auto => {
                format!("{} was asked for (`{}`)", choice.name, self.placement)
            }
            None => format!("{} is the only device that may take it", choice.name),
            Some((time, other)) => format!(
                "{} is predicted to finish in {}, the next best, {}, in {}",
                choice.name,
                Seconds(own),
                other.name,
                Seconds(*time)
            ),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "`{}` with placement `{}`:", self.kernel, self.placement)?;
        for (position, candidate) in self.candidates.iter().enumerate() {
            let mark = if position == self.chosen { "→" } else { " " };
            write!(f, " {mark} {} ({}, {}): ", candidate.name, candidate.kind, candidate.path)?;
            match &candidate.verdict {
                Verdict::Excluded(reason) => writeln!(f, "ruled out: {reason}")?,
                Verdict::Predicted(p) => {
                    let source = match p.source {
                        Source::Calibrated => "counted work at calibrated rates".to_string(),
                        Source::Coarse => "counted work at coarse default rates, not calibrated".to_string(),
                        Source::Measured(n) => format!("measured in {n} earlier launches"),
                        Source::Rescaled(n) => {
                            format!("measured in {n} earlier launches, before the device changed its speed")
                        }
                        Source::Fitted(n) => format!("fitted over {n} launches of other sizes"),
                        Source::Scaled(n) => format!("scaled from {n} launches of another size"),
                    };
                    writeln!(
                        f,
                        "{} = transfer {} ({} bytes) + launch {} + execution {} ({source})",
                        Seconds(p.total()),
                        Seconds(p.transfer),
                        p.bytes,
                        Seconds(p.launch),
                        Seconds(p.execution)
                    )?;
                }
            }
        }
        for candidate in &self.candidates {
            if let Some(note) = &candidate.note {
                writeln!(f, "{}: {note}.", candidate.name)?;
            }
        }
        write!(f, "Chosen: {}.", self.reason())?;
        self.choice().cautions.iter().try_for_each(|caution| write!(f, "\nCaution: {caution}."))
    }
}

/// Seconds for people: three digits and a fitting unit.
pub(crate) struct Seconds(pub(crate) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            s if s >= 1.0 => (s, "s"),
            s if s >= 1e-3 => (s * 1e3, "ms"),
            s if s >= 1e-6 => (s * 1e6, "µs"),
            s => (s * 1e9, "ns"),
        };
        let digits = match value {
            v if v >= 100.0 => 0,
            v if v >= 10.0 => 1,
            _ => 2,
        };
        write!(f, "{value:.digits$} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_readable() {
        let shown: Vec<String> = [0.0, 1.234e-9, 4.56e-5, 0.0123, 0.5, 2.0, 321.0]
            .iter()
            .map(|&s| Seconds(s).to_string())
            .collect();
        assert_eq!(shown, ["0.00 ns", "1.23 ns", "45.6 µs", "12.3 ms", "500 ms", "2.00 s", "321 s"]);
    }
}
