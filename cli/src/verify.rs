//! `warpweft verify`: the same launch by the interpreter, by every way of the CPU and by every device, and where they
//! part.
//!
//! Knows what is run; how numbers are compared is in `difference`.

use std::sync::Arc;

use comfy_table::Table;
use serde::Serialize;
use warpweft::{AnyBuffer, CpuPath, Generator, Placement, Runtime, Snapshot};
use warpweft_cpu::{Cpu, Settings};

use crate::args::{RunArgs, VerifyArgs};
use crate::devices::{placements, plain};
use crate::difference::{Difference, compare};
use crate::failure::{Failure, Outcome};
use crate::job::Job;
use crate::{interrupt, say, steps};

/// What came of one way.
#[derive(Debug, Serialize)]
struct Way {
    /// The generator, or what `--on` calls the device.
    name: String,
    device: String,
    /// How it ran.
    path: String,
    /// Why it ran otherwise than was wanted.
    note: Option<String>,
    /// What the device is known to get wrong with this kernel.
    cautions: Vec<String>,
    /// Why there is nothing to compare.
    failed: Option<String>,
    /// One per binding that differs by more than is allowed.
    differences: Vec<Difference>,
}

#[derive(Serialize)]
struct Record {
    kernel: String,
    /// The way that the others are held against.
    reference: &'static str,
    /// Units in the last place that floats may differ by.
    ulps: u64,
    ways: Vec<Way>,
    agree: bool,
}

/// Runs the launch every way and compares.
///
/// # Errors
/// When the interpreter cannot run it, and when any way differs.
pub(crate) fn verify(args: &VerifyArgs) -> Outcome {
    interrupt::watch();
    let run = &args.run;
    if run.every.is_some() || run.repeat.is_some() || !run.out.is_empty() {
        return Err(Failure::usage(
            "`verify` writes no files and takes no times: leave `--out`, `--every` and `--repeat` out",
        ));
    }
    if run.cpu.is_some() || run.on != Placement::Auto {
        return Err(Failure::usage("`verify` runs everywhere: leave `--cpu` and `--on` out"));
    }
    let paths = paths();
    let job = Job::on(run, runtime(args, &paths)?)?;
    let originals =
        job.inputs.iter().map(|input| Ok(input.buffer.read_bytes()?)).collect::<Outcome<Vec<_>>>()?;
    let devices = job.runtime.devices();
    let others = devices.len() - paths.len();
    let names = paths.iter().map(CpuPath::to_string).chain(placements(&devices).into_iter().take(others));
    let numbers = (others..devices.len()).chain(0..others);
    let (mut expected, mut ways) = (Vec::new(), Vec::new());
    for (n, (name, number)) in names.zip(numbers).enumerate() {
        let result = once(&job, run, &originals, number);
        let mut way = Way {
            name,
            device: devices[number].name.clone(),
            path: String::new(),
            note: None,
            cautions: Vec::new(),
            failed: None,
            differences: Vec::new(),
        };
        match result {
            Ok(ran) => {
                (way.path, way.note, way.cautions) = (ran.path, ran.note, ran.cautions);
                match n {
                    0 => expected = ran.contents,
                    _ => way.differences = differences(&job, &expected, &ran.contents, args.ulps),
                }
            }
            Err(failure) if n == 0 => {
                return Err(failure.hint("That is the interpreter, which all others are held against."));
            }
            Err(failure) => way.failed = Some(failure.reason().to_string()),
        }
        ways.push(way);
    }
    let agree = ways.iter().all(|way| way.differences.is_empty());
    let kernel = job.kernel.name().to_string();
    match args.run.json {
        true => say::json(&Record {
            kernel: kernel.clone(),
            reference: "interpreter",
            ulps: args.ulps,
            ways,
            agree,
        })?,
        false => say::out(&text(&ways))?,
    }
    match agree {
        true => Ok(()),
        false => Err(Failure::failed(format!(
            "`{kernel}` does not give the interpreter's answer everywhere{}",
            if run.strict {
                ""
            } else {
                "; without `--strict` floats may differ as WGSL allows: `--ulps N` says by how much"
            }
        ))),
    }
}

/// The CPU's ways, the interpreter first.
fn paths() -> Vec<CpuPath> {
    let mut generators = Generator::available();
    generators.sort();
    [CpuPath::Interpreter].into_iter().chain(generators.into_iter().map(CpuPath::Compiled)).collect()
}

/// A runtime whose last devices are the CPU's ways.
fn runtime(args: &VerifyArgs, paths: &[CpuPath]) -> Outcome<Runtime> {
    let mut builder = Runtime::builder().cpu(false).strict(args.run.strict);
    for &path in paths {
        let settings = Settings {
            threads: args.run.threads,
            path,
            strict: args.run.strict,
            lanes: args.run.lanes,
            ..Settings::default()
        };
        builder = builder.device(Arc::new(Cpu::new(settings).map_err(warpweft::Error::from)?));
    }
    Ok(builder.build()?)
}

/// One way of running it.
struct Ran {
    path: String,
    note: Option<String>,
    cautions: Vec<String>,
    contents: Vec<Snapshot<u8>>,
}

/// Runs the launch on a device, from the original inputs.
fn once(job: &Job, args: &RunArgs, originals: &[Snapshot<u8>], device: usize) -> Outcome<Ran> {
    let buffers = job.inputs.iter().zip(originals).map(|(input, content)| {
        let buffer = job.runtime.buffer(content.to_vec())?.erase();
        Ok(buffer.reinterpret(input.layout.element, input.layout.shape.clone())?)
    });
    let buffers = buffers.collect::<Outcome<Vec<AnyBuffer>>>()?;
    let prepared = job.launcher(&buffers, Placement::Device(device)).prepare()?;
    let plan = prepared.explain()?;
    match args.steps {
        Some(count) => drop(steps::run(job, &buffers, &prepared, count, None, true)?),
        None => drop(prepared.run()?),
    }
    let contents = buffers.iter().map(|buffer| Ok(buffer.read_bytes()?)).collect::<Outcome<_>>()?;
    let choice = plan.choice();
    Ok(Ran {
        path: choice.path.to_string(),
        note: choice.note.as_deref().map(str::to_owned),
        cautions: choice.cautions.to_vec(),
        contents,
    })
}

/// Where the written bindings part by more than is allowed.
fn differences(job: &Job, expected: &[Snapshot<u8>], found: &[Snapshot<u8>], ulps: u64) -> Vec<Difference> {
    let swapped = |at: usize| job.swaps.iter().any(|&(a, b)| a == at || b == at);
    let written = (0..job.inputs.len()).filter(|&at| job.inputs[at].writes || swapped(at));
    let one = |at: usize| {
        let input = &job.inputs[at];
        // Padding means nothing.
        let dense =
            |content: &[u8]| input.layout.unpad(content).map_or(content.to_vec(), |dense| dense.to_vec());
        compare(&input.name, input.scalar, &dense(&expected[at]), &dense(&found[at]), ulps)
    };
    written.filter_map(one).collect()
}

fn text(ways: &[Way]) -> String {
    let mut table: Table = plain(&["way", "device", "ran", "result"]);
    for (n, way) in ways.iter().enumerate() {
        let result = match (&way.failed, n) {
            (Some(failed), _) => format!("not run: {failed}"),
            (None, 0) => "the answer".to_owned(),
            (None, _) if way.differences.is_empty() => "the same".to_owned(),
            (None, _) => {
                let differences = way.differences.iter().map(Difference::to_string);
                let cautions = way.cautions.iter().map(|caution| format!("Caution: {caution}."));
                differences.chain(cautions).collect::<Vec<_>>().join("\n")
            }
        };
        let path = match &way.note {
            Some(note) => format!("{} ({note})", way.path),
            None => way.path.clone(),
        };
        table.add_row([way.name.clone(), way.device.clone(), path, result]);
    }
    table.to_string()
}
