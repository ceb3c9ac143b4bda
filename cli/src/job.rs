//! Everything that `run` and `explain` are told, read and checked: from arguments to a launch.
//!
//! Knows the order in which mistakes are looked for: the command line, output folders, WGSL, names, files, values. What
//! is done with the launch is in `run`, `repeat`, `steps` and `explain`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use warpweft::{AnyBuffer, Kernel, Launcher, Placement, Runtime};

use crate::args::{Extents, Over, RunArgs};
use crate::bindings::{self, Input, Output};
use crate::failure::{Failure, Outcome, of_file};
use crate::outputs::{self, STEP};

/// Bytes of WGSL that are read of one file; more is refused later anyway.
const LONGEST_SOURCE: u64 = 64 << 20;

/// A checked launch with its data.
pub(crate) struct Job {
    pub(crate) runtime: Runtime,
    pub(crate) kernel: Kernel,
    /// What is bound, in the order of the flags.
    pub(crate) inputs: Vec<Input>,
    /// The pairs of inputs that are swapped after each step.
    pub(crate) swaps: Vec<(usize, usize)>,
    /// What is to be written.
    pub(crate) outputs: Vec<Output>,
    pub(crate) placement: Placement,
    settings: Vec<(String, Vec<u8>)>,
    extent: Extent,
}

enum Extent {
    Inferred,
    Over([u64; 3]),
    Workgroups([u64; 3]),
}

impl Job {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// On the first mistake.
    pub(crate) fn new(args: &RunArgs) -> Outcome<Self> {
        let sources = sources(args)?;
        let mut builder = Runtime::builder().strict(args.strict).cpu_path(args.cpu.unwrap_or_default());
        if let Some(lanes) = args.lanes {
            builder = builder.cpu_lanes(lanes);
        }
        if let Some(threads) = args.threads {
            builder = builder.threads(threads);
        }
        if args.on == Placement::Cpu {
            // Looking for GPUs takes longer than many a kernel.
            builder = builder.gpu(false);
        }
        Self::finish(args, builder.build()?, sources)
    }

    /// Reads and checks everything, for a runtime that there is.
    ///
    /// # Errors
    /// On the first mistake.
    pub(crate) fn on(args: &RunArgs, runtime: Runtime) -> Outcome<Self> {
        Self::finish(args, runtime, sources(args)?)
    }

    fn finish(args: &RunArgs, runtime: Runtime, sources: Vec<(&PathBuf, String)>) -> Outcome<Self> {
        let mut builder = runtime.module_builder();
        for (path, text) in sources {
            builder = builder.file(path.display().to_string(), text);
        }
        for (name, scalar) in &args.alias {
            builder = builder.alias(name, *scalar);
        }
        let mut module = builder.build()?;
        for (name, value) in &args.constants {
            module = module.constant(name, *value);
        }
        let kernel = match &args.entry {
            Some(entry) => module.kernel(entry)?,
            None => module.only_kernel().map_err(|error| match module.entries().len() {
                0 | 1 => Failure::from(error),
                _ => Failure::from(error).hint("Say which with `--entry NAME`."),
            })?,
        };
        let settings = bindings::settings(&kernel, &args.set, &args.bind)?;
        let inputs = bindings::inputs(&runtime, &kernel, &args.bind)?;
        bindings::complete(kernel.interface(), &inputs, &settings)?;
        let swaps = bindings::swaps(&kernel, &inputs, &args.swap)?;
        let outputs = bindings::outputs(&kernel, &inputs, &swaps, &args.out)?;
        let extent = match (&args.over, args.workgroups) {
            (Some(Over::Exactly(extents)), _) => Extent::Over(*extents),
            (Some(Over::Shape(name)), _) => Extent::Over(extent_of(name, &inputs)?),
            (None, Some(Extents(extents))) => Extent::Workgroups(extents),
            (None, None) => Extent::Inferred,
        };
        Ok(Self { runtime, kernel, inputs, swaps, outputs, placement: args.on, settings, extent })
    }

    /// The buffers that the inputs were read into.
    pub(crate) fn buffers(&self) -> Vec<AnyBuffer> {
        self.inputs.iter().map(|input| input.buffer.clone()).collect()
    }

    /// The launch on other buffers, in the order of the inputs, and at a place.
    pub(crate) fn launcher(&self, buffers: &[AnyBuffer], placement: Placement) -> Launcher {
        let mut launcher = self.kernel.launch().on(placement);
        for (path, bytes) in &self.settings {
            launcher = launcher.set_bytes(path, bytes);
        }
        for (input, buffer) in self.inputs.iter().zip(buffers) {
            launcher = launcher.bind(&input.name, buffer);
        }
        match self.extent {
            Extent::Inferred => launcher,
            Extent::Over(extents) => launcher.over(extents),
            Extent::Workgroups(extents) => launcher.workgroups(extents),
        }
    }
}

/// The WGSL, once the command line makes sense.
fn sources(args: &RunArgs) -> Outcome<Vec<(&PathBuf, String)>> {
    check_files(args)?;
    let paths = [&args.kernel].into_iter().chain(&args.with);
    paths.map(|path| Ok((path, source(path)?))).collect()
}

/// What can be said of output files before anything is read.
fn check_files(args: &RunArgs) -> Outcome {
    let files = args.out.iter().map(|(name, path)| (format!("--out {name}={path}"), path.into()));
    let files: Vec<(String, PathBuf)> = files.collect();
    for (name, path) in &args.out {
        let numbered = path.contains(STEP);
        if numbered && args.every.is_none() {
            let text = format!(
                "`--out {name}={path}`: `{STEP}` numbers the files of `--every K`, which is not given"
            );
            return Err(Failure::usage(text));
        }
        if !numbered && args.every.is_some() {
            return Err(Failure::usage(format!(
                "`--out {name}={path}`: with `--every` there are many files: put `{STEP}` into the name, as in \
                 {name}_{STEP}.npy"
            )));
        }
    }
    if let (Some(every), Some(steps)) = (args.every, args.steps) {
        if every > steps {
            let text =
                format!("`--every {every}` of `--steps {steps}` would write nothing: give at most {steps}");
            return Err(Failure::usage(text));
        }
        if args.out.is_empty() {
            return Err(Failure::usage(format!(
                "`--every {every}` needs something to write: `--out NAME=FILE_{STEP}.npy`"
            )));
        }
    }
    let sources: Vec<&Path> = [&args.kernel].into_iter().chain(&args.with).map(PathBuf::as_path).collect();
    outputs::check(&files, &sources)
}

/// The text of a WGSL file.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub(crate) fn source(path: &Path) -> Outcome<String> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            Failure::failed(format!("`{}` is not WGSL: it is not text in UTF-8", path.display()))
        }
        _ => of_file(path, "read", &error),
    };
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(LONGEST_SOURCE).read_to_string(&mut text)).map_err(failed)?;
    Ok(text)
}

/// The grid of `--over @name`: one invocation per element, the last axis along x, axes beyond three folded into z.
fn extent_of(name: &str, inputs: &[Input]) -> Outcome<[u64; 3]> {
    let Some(input) = inputs.iter().find(|input| input.name == name) else {
        let names: Vec<String> = inputs.iter().map(|input| format!("`{}`", input.name)).collect();
        let text = format!("`--over @{name}`: no array is bound to `{name}`; there are {}", names.join(", "));
        return Err(Failure::failed(text));
    };
    let mut axes = input.layout.grid.iter().rev().map(|&n| n as u64);
    let (x, y) = (axes.next().unwrap_or(1), axes.next().unwrap_or(1));
    Ok([x, y, axes.fold(1, u64::saturating_mul)])
}
