//! `warpweft run`: one kernel on the arrays that were bound, its outputs to files, and what can be told of it.
//!
//! Knows the order of things: run, read back, repeat for the clock, and only then touch a file.

use std::path::Path;

use warpweft::{DeviceKind, Plan, Prediction, Prepared, Snapshot};

use crate::args::RunArgs;
use crate::bindings::{Input, Output};
use crate::failure::Outcome;
use crate::interrupt;
use crate::job::Job;
use crate::outputs::Staged;
use crate::progress::Progress;
use crate::record::{CompiledRecord, OutputRecord, PlanRecord, RunRecord, clock, seconds};
use crate::repeat::Originals;
use crate::{npy, say, steps};

/// What one run did: a launch, or a loop of them.
pub(crate) struct Ran {
    /// Seconds of the kernel, or of the whole loop.
    pub(crate) seconds: f64,
    pub(crate) clock: &'static str,
    pub(crate) compile_seconds: f64,
    pub(crate) elapsed_seconds: f64,
    /// Bytes moved in either direction while it ran.
    pub(crate) moved_bytes: u64,
    /// The device of the last launch.
    pub(crate) device: usize,
    pub(crate) kind: DeviceKind,
    pub(crate) name: String,
    pub(crate) path: warpweft::Path,
    /// Why it did not run in the way that was wanted.
    pub(crate) note: Option<String>,
    /// What a user should know before trusting that device with this kernel.
    pub(crate) cautions: Vec<String>,
    /// One paragraph for people.
    pub(crate) text: String,
    /// Files that each output has been written to already.
    pub(crate) frames: u64,
}

/// Runs what the arguments say.
///
/// # Errors
/// When anything goes wrong; no output file is touched then, but for complete ones of earlier steps.
pub(crate) fn run(args: &RunArgs) -> Outcome {
    interrupt::watch();
    let job = Job::new(args)?;
    let buffers = job.buffers();
    let prepared = job.launcher(&buffers, job.placement).prepare()?;
    let plan = prepared.explain()?;
    let originals = args.repeat.map(|_| Originals::keep(&job)).transpose()?;
    job.runtime.reset_stats();
    let ran = once(&job, args, &prepared)?;
    let contents = match args.every {
        Some(_) => Vec::new(),
        None => {
            job.outputs.iter().map(|o| Ok(buffers[o.input].read_bytes()?)).collect::<Outcome<Vec<_>>>()?
        }
    };
    let stats = job.runtime.stats();
    let (times, moved) = match (args.repeat, originals) {
        (Some(repeats), Some(originals)) => originals.repeat(&job, args.steps, repeats, &ran, args.quiet)?,
        _ => (vec![ran.seconds], ran.moved_bytes),
    };
    write(&job, &contents)?;

    let outputs: Vec<OutputRecord> =
        job.outputs.iter().map(|o| output(o, &job.inputs[o.input], ran.frames)).collect();
    let record = RunRecord {
        kernel: job.kernel.name().to_string(),
        device: ran.name.clone(),
        kind: ran.kind.name(),
        placement: job.placement.to_string(),
        path: ran.path.name(),
        compiled: CompiledRecord::of(ran.path),
        note: ran.note.clone(),
        seconds: times,
        clock: ran.clock,
        warm: args.repeat.is_some(),
        first_seconds: ran.seconds,
        bytes_while_timed: moved,
        compile_seconds: ran.compile_seconds,
        predicted_seconds: predicted(&plan, args.steps),
        bytes_uploaded: stats.uploaded_bytes(),
        bytes_downloaded: stats.downloaded_bytes(),
        elapsed_seconds: ran.elapsed_seconds,
        steps: args.steps.unwrap_or(1),
        workgroups: prepared.grid().workgroups,
        over: prepared.grid().over,
        cautions: ran.cautions.clone(),
        outputs,
        plan: args.explain.then(|| PlanRecord::new(&plan, prepared.grid())),
    };
    match (args.json, args.quiet) {
        (true, _) => say::json(&record),
        (false, true) => Ok(()),
        (false, false) => say::out(&text(&ran, &record, args.explain.then_some(&plan))),
    }
}

/// Runs the job once on the buffers that were read.
fn once(job: &Job, args: &RunArgs, prepared: &Prepared) -> Outcome<Ran> {
    if let Some(count) = args.steps {
        return steps::run(job, &job.buffers(), prepared, count, args.every, args.quiet);
    }
    let _progress = Progress::new(&format!("`{}`", job.kernel.name()), 1, false, args.quiet);
    let report = prepared.run()?;
    Ok(Ran {
        seconds: report.seconds(),
        clock: clock(&report),
        compile_seconds: report.compile_seconds,
        elapsed_seconds: report.elapsed_seconds,
        moved_bytes: report.uploaded_bytes + report.downloaded_bytes,
        device: report.plan.choice().device,
        kind: report.kind,
        name: report.device.clone(),
        path: report.path,
        note: report.plan.choice().note.as_deref().map(str::to_owned),
        cautions: report.plan.choice().cautions.to_vec(),
        text: report.to_string(),
        frames: 1,
    })
}

/// Seconds that the plan foresees for all steps: what is moved is moved once.
fn predicted(plan: &Plan, steps: Option<u64>) -> f64 {
    let steps = steps.unwrap_or(1) as f64;
    let sum = |p: &Prediction| p.transfer + steps * (p.launch + p.execution);
    plan.choice().prediction().map_or(0.0, sum)
}

/// Writes the outputs: all or none.
fn write(job: &Job, contents: &[Snapshot<u8>]) -> Outcome {
    let mut staged = Staged::default();
    for (output, content) in job.outputs.iter().zip(contents) {
        stage(&mut staged, &output.path, &job.inputs[output.input], content)?;
    }
    staged.commit()
}

/// Writes one output aside, in the type and shape that was bound.
pub(crate) fn stage(staged: &mut Staged, path: &Path, input: &Input, content: &[u8]) -> Outcome {
    let dense = input.layout.unpad(content);
    let content = dense.as_deref().unwrap_or(content);
    staged.add(path, |writer| npy::write(writer, input.scalar, &input.shape, content))
}

fn output(output: &Output, input: &Input, files: u64) -> OutputRecord {
    OutputRecord {
        name: input.name.clone(),
        path: output.path.display().to_string(),
        dtype: input.scalar.name(),
        shape: input.shape.clone(),
        files,
    }
}

/// What people read.
fn text(ran: &Ran, record: &RunRecord, plan: Option<&Plan>) -> String {
    let mut text = String::new();
    if let Some(plan) = plan {
        text += &format!("{plan}\n");
    }
    text += &ran.text;
    if record.warm {
        let mut sorted = record.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (sorted[0], sorted[sorted.len() - 1]);
        text += &format!(
            "\n{} repeats with the data resident: median {}, from {} to {} ({} clock).",
            sorted.len(),
            seconds(sorted[sorted.len() / 2]),
            seconds(first),
            seconds(last),
            record.clock
        );
    }
    for output in &record.outputs {
        let OutputRecord { name, path, dtype, shape, files } = output;
        let files = if *files == 1 { String::new() } else { format!(", {files} files") };
        text += &format!("\n{name}: {dtype} {shape:?} → {path}{files}");
    }
    text
}
