//! What a launch did: where it ran, why, and how long it took.

use std::fmt;

use warpweft_hal::{DeviceKind, Path, Timing, TimingSource};

use crate::planner::{Plan, Prediction, Seconds};

/// What a launch did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the device that it ran on.
    pub device: String,
    /// The device's kind.
    pub kind: DeviceKind,
    /// How it was executed.
    pub path: Path,
    /// Seconds of the kernel itself and the clock they come from; `None` when the grid was empty.
    pub timing: Option<Timing>,
    /// Seconds from the call to the end, on the host's clock: planning, compilation and transfers included.
    pub elapsed_seconds: f64,
    /// Seconds of compilation in this launch: zero when the device had the kernel already.
    pub compile_seconds: f64,
    /// Bytes moved from the host to devices for this launch.
    pub uploaded_bytes: u64,
    /// Bytes moved from devices to the host for this launch.
    pub downloaded_bytes: u64,
    /// The decision.
    pub plan: Plan,
}

impl Report {
    /// Seconds of the kernel itself; zero when the grid was empty.
    pub fn seconds(&self) -> f64 {
        self.timing.map_or(0.0, |t| t.seconds)
    }

    /// Seconds that the planner had predicted, transfers included.
    pub fn predicted_seconds(&self) -> f64 {
        self.plan.choice().prediction().map_or(0.0, Prediction::total)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ran on {} ({}, {}) ", self.plan.kernel, self.device, self.kind, self.path)?;
        match self.timing {
            None => write!(f, "over an empty grid")?,
            Some(Timing { seconds, source }) => {
                let clock = match source {
                    TimingSource::Timestamp => "device clock",
                    TimingSource::Host => "host clock",
                    TimingSource::RoundTrip => "round trip",
                    TimingSource::Virtual => "virtual clock",
                };
                write!(f, "in {} ({clock})", Seconds(seconds))?;
            }
        }
        write!(f, "; predicted {}", Seconds(self.predicted_seconds()))?;
        if self.compile_seconds > 0.0 {
            write!(f, "; compiled in {}", Seconds(self.compile_seconds))?;
        }
        write!(
            f,
            "; {} bytes up, {} down. {}.",
            self.uploaded_bytes,
            self.downloaded_bytes,
            self.plan.reason()
        )?;
        if let Some(note) = &self.plan.choice().note {
            write!(f, " Note: {note}.")?;
        }
        self.plan.choice().cautions.iter().try_for_each(|caution| write!(f, " Caution: {caution}."))
    }
}
