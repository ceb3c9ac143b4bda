//! `--repeat`: times of a run that starts from the original inputs, each time with all data on the device.
//!
//! What a run changes is restored on the device itself, by a small copy kernel, so that nothing is moved while the
//! clock runs. Knows nothing of files.

use warpweft::{AnyBuffer, DeviceKind, ElementType, Kernel, Placement, Snapshot};

use crate::failure::Outcome;
use crate::job::Job;
use crate::progress::Progress;
use crate::run::Ran;
use crate::steps;

const COPY: &str = "
@group(0) @binding(0) var<storage, read> original: array<u32>;
@group(0) @binding(1) var<storage, read_write> working: array<u32>;
@compute @workgroup_size(64) fn restore(@builtin(global_invocation_id) id: vec3<u32>) {
    working[id.x] = original[id.x];
}";

/// The contents, before the first run, of the inputs that a run changes.
pub(crate) struct Originals {
    /// By the position of the input.
    contents: Vec<(usize, Snapshot<u8>)>,
}

/// How an input gets its content back.
enum Restore {
    /// Its bytes are in host memory, and so is the device's memory.
    Host(AnyBuffer, Snapshot<u8>),
    /// The device copies.
    Device(warpweft::Prepared),
}

impl Originals {
    /// Keeps what a run will change.
    ///
    /// # Errors
    /// When memory is short.
    pub(crate) fn keep(job: &Job) -> Outcome<Self> {
        let changed =
            |at: &usize| job.inputs[*at].writes || job.swaps.iter().any(|(a, b)| a == at || b == at);
        let contents = (0..job.inputs.len()).filter(changed);
        let contents =
            contents.map(|at| Ok((at, job.inputs[at].buffer.read_bytes()?))).collect::<Outcome<_>>()?;
        Ok(Self { contents })
    }

    /// The times of so many runs on the device that the first run chose, and the bytes that had to be moved for them.
    ///
    /// # Errors
    /// When a run fails.
    pub(crate) fn repeat(
        self,
        job: &Job,
        steps: Option<u64>,
        repeats: u64,
        first: &Ran,
        quiet: bool,
    ) -> Outcome<(Vec<f64>, u64)> {
        let on = Placement::Device(first.device);
        let buffers = job.buffers();
        let prepared = job.launcher(&buffers, on).prepare()?;
        let copy = job.runtime.kernel(COPY)?;
        let restores = self
            .contents
            .into_iter()
            .map(|(at, content)| restore(job, &copy, &buffers[at], content, on, first.kind))
            .collect::<Outcome<Vec<_>>>()?;
        let progress = Progress::new(&format!("repeats of `{}`", job.kernel.name()), repeats, true, quiet);
        let (mut times, mut moved) = (Vec::new(), 0);
        for n in 0..repeats {
            for restore in &restores {
                match restore {
                    Restore::Host(buffer, content) => buffer.write_bytes(content)?,
                    Restore::Device(copy) => drop(copy.run()?),
                }
            }
            let (seconds, bytes) = match steps {
                None => {
                    let report = prepared.run()?;
                    (report.seconds(), report.uploaded_bytes + report.downloaded_bytes)
                }
                Some(count) => {
                    let ran = steps::run(job, &buffers, &prepared, count, None, true)?;
                    (ran.seconds, ran.moved_bytes)
                }
            };
            times.push(seconds);
            moved += bytes;
            progress.at(n + 1);
        }
        Ok((times, moved))
    }
}

fn restore(
    job: &Job,
    copy: &Kernel,
    buffer: &AnyBuffer,
    content: Snapshot<u8>,
    on: Placement,
    kind: DeviceKind,
) -> Outcome<Restore> {
    let len = content.len();
    // The copy kernel moves words; a last half word goes by way of the host.
    if kind == DeviceKind::Cpu || len == 0 || !len.is_multiple_of(4) {
        return Ok(Restore::Host(buffer.clone(), content));
    }
    let words = ElementType::of::<u32>();
    let shape = [len / 4];
    let original = job.runtime.buffer(content.to_vec())?.erase().reinterpret(words, shape)?;
    let working = buffer.reinterpret(words, shape)?;
    let launch = copy.launch().bind("original", &original).bind("working", &working);
    Ok(Restore::Device(launch.over([shape[0] as u64, 1, 1]).on(on).prepare()?))
}
