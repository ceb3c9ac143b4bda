//! A launch in flight, and the report that comes of it.

use std::sync::Arc;
use std::time::Instant;

use warpweft_hal::{Path, Timing, TimingSource};

use super::execute::Mode;
use super::launcher::Checked;
use super::report::Report;
use crate::Result;
use crate::graph::Event;
use crate::planner::Plan;

/// A launch in flight.
///
/// Dropping it detaches it: the launch runs all the same, and whoever reads what it wrote waits for it.
pub struct Launch {
    pub(super) event: Arc<Event>,
    pub(super) plan: Plan,
    pub(super) path: Path,
    pub(super) mode: Mode,
    pub(super) checked: Arc<Checked>,
    pub(super) started: Instant,
    pub(super) compile_seconds: f64,
    pub(super) uploaded_bytes: u64,
    pub(super) downloaded_bytes: u64,
}

impl Launch {
    /// Where it runs, and why.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The launch is over; does not wait.
    pub fn is_done(&self) -> bool {
        self.event.is_done()
    }

    /// Waits until the launch is over.
    ///
    /// # Errors
    /// When it failed. What it should have written then carries the failure, until it is written anew.
    pub fn wait(self) -> Result<Report> {
        let completion = self.event.wait().map_err(|error| (*error).clone())?;
        let elapsed = self.started.elapsed().as_secs_f64();
        let timing = completion.dispatches.last().copied();
        if let Some(timing) = timing {
            self.record(timing);
        }
        Ok(Report {
            path: self.path,
            device: self.plan.choice().name.to_string(),
            kind: self.plan.choice().kind,
            timing,
            elapsed_seconds: elapsed,
            compile_seconds: self.compile_seconds,
            uploaded_bytes: self.uploaded_bytes,
            downloaded_bytes: self.downloaded_bytes,
            plan: self.plan,
        })
    }

    /// Takes note of how long the kernel ran.
    fn record(&self, timing: Timing) {
        // A round trip holds the queue's other work too, unless the caller waited for this alone; and a first run may
        // hold the driver's own compilation. Neither says how long the next will take.
        let alone = timing.source != TimingSource::RoundTrip || self.mode == Mode::Run;
        let kernel = &self.checked.kernel;
        let device = self.plan.choice().device;
        let warm = self.compile_seconds == 0.0 || kernel.runtime.devices[device].host_memory();
        if alone && warm {
            let (history, size) = (&kernel.runtime.planner.history, self.checked.invocations);
            history.record(kernel, device, self.path, size, timing.seconds);
        }
    }
}
