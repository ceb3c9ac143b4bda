//! `warpweft explain`: where a launch would run and why; nothing runs and nothing is written.

use crate::args::RunArgs;
use crate::failure::Outcome;
use crate::job::Job;
use crate::record::PlanRecord;
use crate::say;

/// Prints the plan.
///
/// # Errors
/// When the launch would be refused.
pub(crate) fn explain(args: &RunArgs) -> Outcome {
    let job = Job::new(args)?;
    let prepared = job.launcher(&job.buffers(), job.placement).prepare()?;
    let plan = prepared.explain()?;
    match args.json {
        true => say::json(&PlanRecord::new(&plan, prepared.grid())),
        false => {
            let [x, y, z] = prepared.grid().workgroups;
            let over = prepared.grid().over.map(|[x, y, z]| format!(", exactly {x} × {y} × {z} invocations"));
            say::out(&format!("{plan}\nGrid: {x} × {y} × {z} workgroups{}.", over.unwrap_or_default()))
        }
    }
}
