//! `--steps`, `--swap`, `--every`: a loop of launches that stays on the device, frames written beside it.
//!
//! Knows how frames are named and written; the loop itself is core's.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use warpweft::{AnyBuffer, Error, Flow, Prepared};

use crate::failure::{Failure, Outcome};
use crate::job::Job;
use crate::outputs::{STEP, Staged};
use crate::progress::Progress;
use crate::record::seconds;
use crate::run::{Ran, stage};

/// Runs so many steps on the given buffers; with `every`, writes all outputs after each so many.
///
/// # Errors
/// When a launch fails, or a frame cannot be written.
pub(crate) fn run(
    job: &Job,
    buffers: &[AnyBuffer],
    prepared: &Prepared,
    count: u64,
    every: Option<u64>,
    quiet: bool,
) -> Outcome<Ran> {
    let what = format!("{count} steps of `{}`", job.kernel.name());
    let progress = Progress::new(&what, count, every.is_some(), quiet);
    // Core's error for a callback carries text only; the failure itself is kept here.
    let failure: RefCell<Option<Failure>> = RefCell::new(None);
    let mut steps = job.runtime.steps(count).then(prepared);
    for &(a, b) in &job.swaps {
        steps = steps.swap(&buffers[a], &buffers[b]);
    }
    if let Some(every) = every {
        for output in &job.outputs {
            let (input, failure, progress) = (&job.inputs[output.input], &failure, &progress);
            steps = steps.every_bytes(every, &buffers[output.input], move |step, bytes| {
                let mut staged = Staged::default();
                let written = stage(&mut staged, &numbered(&output.path, step), input, bytes);
                progress.at(step);
                match written.and_then(|()| staged.commit()) {
                    Ok(()) => Ok(Flow::Continue),
                    Err(why) => {
                        let error = Error::callback(&why);
                        *failure.borrow_mut() = Some(why);
                        Err(error)
                    }
                }
            });
        }
    }
    let report = steps.run().map_err(|error| failure.take().unwrap_or_else(|| error.into()))?;
    let Some(last) = report.launches.last() else {
        return Err(Failure::failed("no step was run"));
    };
    let elapsed = report.elapsed_seconds - report.compile_seconds;
    Ok(Ran {
        seconds: elapsed,
        clock: "loop",
        compile_seconds: report.compile_seconds,
        elapsed_seconds: report.elapsed_seconds,
        moved_bytes: report.uploaded_bytes + report.downloaded_bytes,
        device: last.plan.choice().device,
        kind: last.kind,
        name: last.device.clone(),
        path: last.path,
        note: last.plan.choice().note.as_deref().map(str::to_owned),
        cautions: last.plan.choice().cautions.to_vec(),
        text: format!(
            "{} steps in {} ({} per step); the last: {last}",
            report.steps,
            seconds(report.elapsed_seconds),
            seconds(elapsed / report.steps.max(1) as f64)
        ),
        frames: every.map_or(1, |every| report.steps / every),
    })
}

/// The file of a step.
fn numbered(path: &Path, step: u64) -> PathBuf {
    PathBuf::from(path.to_string_lossy().replace(STEP, &step.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_numbered_by_step() {
        assert_eq!(numbered("out/u_{step}.npy".as_ref(), 100), Path::new("out/u_100.npy"));
    }
}
