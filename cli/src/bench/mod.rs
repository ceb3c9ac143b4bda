//! `warpweft bench`: CPU against GPUs on the standard kernels, honestly.
//!
//! `problems` makes inputs and knows right results; `rig` binds them to a device and runs them; `schedule` decides what
//! runs when; `findings` are the numbers; `report` shows them. This file puts them together. `cpu_paths` compares the ways
//! of running kernels on the CPU instead, each a `contender`.

mod contender;
mod cpu_paths;
mod findings;
mod problems;
mod report;
mod rig;
mod schedule;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use warpweft::{Calibration, DeviceKind, Placement, Runtime};
use warpweft_shaders::ShaderFile;

use self::findings::Findings;
use self::problems::KERNELS;
use self::schedule::{Rival, Schedule};
use crate::args::{BenchArgs, Sizes};
use crate::devices::{DeviceRecord, placements};
use crate::failure::{Failure, Outcome};
use crate::outputs::{self, Staged};
use crate::progress::Progress;
use crate::{numbers, say};

/// The sizes, where none are asked for.
const SIZES: &str = "2^10..2^24";

/// Measures, prints, and writes what was asked for.
///
/// # Errors
/// When an argument makes no sense, or a result was wrong.
pub(crate) fn bench(args: &BenchArgs) -> Outcome {
    if args.cpu_paths {
        return cpu_paths::cpu_paths(args, &interruptible());
    }
    let started = Instant::now();
    let kernels = kernels(&args.kernels)?;
    let json = args.json.iter().map(|path| (format!("--json {}", path.display()), path.clone()));
    let json: Vec<_> = json.collect();
    outputs::check(&json, &[])?;
    let sizes = match &args.sizes {
        Some(Sizes(sizes)) => sizes.clone(),
        None => numbers::sizes(SIZES).map_err(Failure::usage)?,
    };
    let stop = interruptible();
    let progress = Progress::new("looking for devices", kernels.len() as u64, true, false);
    let (runtime, calibration) = calibrated(args.threads, &progress)?;
    let rivals = rivals(&runtime, &args.on)?;
    let mut findings = Findings {
        version: 1,
        warpweft: env!("CARGO_PKG_VERSION"),
        seed: args.seed,
        budget_seconds: args.budget.as_secs_f64(),
        elapsed_seconds: 0.0,
        interrupted: false,
        devices: DeviceRecord::all(&runtime, &calibration),
        results: Vec::new(),
        failed: Vec::new(),
        skipped: Vec::new(),
        crossovers: Vec::new(),
    };
    let schedule = Schedule {
        runtime: &runtime,
        rivals: &rivals,
        sizes: &sizes,
        deadline: started + args.budget,
        seed: args.seed,
        stop: &stop,
        progress: &progress,
    };
    schedule.run(&kernels, &mut findings)?;
    drop(progress);
    findings.crossovers = findings::crossovers(&findings.results);
    findings.interrupted = stop.load(Ordering::Relaxed);
    findings.elapsed_seconds = started.elapsed().as_secs_f64();

    let mut staged = Staged::default();
    for (_, path) in &json {
        let text = say::text(&findings)?;
        staged.add(path, |writer| writer.write_all(text.as_bytes()))?;
    }
    staged.commit()?;
    say::out(&report::text(&findings))?;
    match findings.failed.len() {
        0 => Ok(()),
        n => Err(Failure::failed(format!(
            "{n} of the measurements failed or gave a wrong result: the lines with `Failed` say which"
        ))),
    }
}

/// The kernels of those names; all without any.
fn kernels(names: &[String]) -> Outcome<Vec<&'static ShaderFile>> {
    if names.is_empty() {
        return Ok(KERNELS.to_vec());
    }
    let find = |name: &String| {
        KERNELS.into_iter().find(|kernel| kernel.name == name).ok_or_else(|| {
            let known: Vec<&str> = KERNELS.iter().map(|kernel| kernel.name).collect();
            Failure::usage(format!(
                "there is no kernel `{name}` in the bench; there are {}",
                known.join(", ")
            ))
        })
    };
    let mut kernels = names.iter().map(find).collect::<Outcome<Vec<_>>>()?;
    let mut seen = std::collections::HashSet::new();
    kernels.retain(|kernel| seen.insert(kernel.name));
    Ok(kernels)
}

/// A runtime whose devices are all calibrated: measured now, where they never were.
fn calibrated(threads: Option<usize>, progress: &Progress) -> Outcome<(Runtime, Calibration)> {
    let builder = || match threads {
        Some(threads) => Runtime::builder().threads(threads),
        None => Runtime::builder(),
    };
    let runtime = builder().build()?;
    let cached = Calibration::cached();
    if runtime.devices().iter().all(|info| cached.rates(info).1) {
        return Ok((runtime, cached));
    }
    progress.doing("calibrating the devices");
    match runtime.calibrate() {
        Ok(calibration) => {
            let runtime = builder().calibration(calibration.clone()).build()?;
            Ok((runtime, calibration))
        }
        Err(error) => {
            // Plans are coarser then; what is measured here is not.
            tracing::warn!(%error, "the devices could not be calibrated");
            Ok((runtime, cached))
        }
    }
}

/// The devices that were asked for; all without any.
fn rivals(runtime: &Runtime, on: &[Placement]) -> Outcome<Vec<Rival>> {
    let devices = runtime.devices();
    let names = placements(&devices);
    let allowed = |placement: Placement, device: usize| match placement {
        Placement::Auto => devices[device].kind != DeviceKind::Software,
        Placement::Cpu => devices[device].kind == DeviceKind::Cpu,
        Placement::Gpu => devices[device].kind == DeviceKind::Gpu,
        Placement::Software => devices[device].kind == DeviceKind::Software,
        Placement::Device(number) => device == number,
        numbered => names[device] == numbered.to_string(),
    };
    for &placement in on {
        if !(0..devices.len()).any(|device| allowed(placement, device)) {
            let here = names.join(", ");
            return Err(Failure::failed(format!(
                "`--on {placement}`: there is no such device; there are {here}"
            )));
        }
    }
    let chosen = (0..devices.len()).filter(|&device| on.is_empty() || on.iter().any(|&p| allowed(p, device)));
    let rival =
        |device: usize| Rival { device, placement: names[device].clone(), info: devices[device].clone() };
    Ok(chosen.map(rival).collect())
}

/// A flag that Ctrl-C sets; a second Ctrl-C ends the program at once.
fn interruptible() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let set = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = set {
        tracing::debug!(%error, "Ctrl-C ends the bench without a table");
    }
    stop
}
