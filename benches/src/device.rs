//! A device of the runtime as a rival: the problem's WGSL, launched as any user would.
//!
//! Each device gets a runtime and buffers of its own, so that nothing is moved between turns: times are of resident
//! data, by the host's clock, launching included.

use std::sync::Arc;

use warpweft::{AnyBuffer, Kernel, Placement, Prepared, Report, Runtime};
use warpweft_cpu::{Cpu, CpuPath, Generator, Settings};
use warpweft_problems::{Problem, Words};

use crate::rival::Rival;

/// How a device runs WGSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The CPU's reference interpreter.
    Interpreter,
    /// Machine code by Cranelift: 128 bits.
    Cranelift,
    /// Machine code of our own: 256 bits.
    Avx2,
    /// Machine code of our own: 512 bits.
    Avx512,
    /// A software device: a GPU API executed on the CPU.
    Software,
}

impl Path {
    /// The paths that compile, the widest first.
    pub const COMPILED: [Path; 3] = [Path::Avx512, Path::Avx2, Path::Cranelift];

    /// The name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Path::Interpreter => "interpreter",
            Path::Cranelift => "cranelift",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
            Path::Software => "software",
        }
    }

    /// A runtime with that device alone.
    ///
    /// # Errors
    /// When there is no such device here.
    pub fn open(self) -> Result<Runtime, String> {
        match self {
            Path::Software => {
                let runtime = Runtime::builder().cpu(false).build().map_err(|e| e.to_string())?;
                let found = runtime.devices().iter().any(|d| d.kind == warpweft::DeviceKind::Software);
                found.then_some(runtime).ok_or_else(|| "there is no software device here".into())
            }
            path => {
                let builder = Runtime::builder().cpu(false).gpu(false).device(Arc::new(cpu(path)?));
                builder.build().map_err(|error| error.to_string())
            }
        }
    }
}

/// The CPU, taking that path.
///
/// # Errors
/// When it cannot here.
pub fn cpu(path: Path) -> Result<Cpu, String> {
    let path = match path {
        Path::Interpreter => CpuPath::Interpreter,
        Path::Cranelift => CpuPath::Compiled(Generator::Cranelift),
        Path::Avx2 => CpuPath::Compiled(Generator::Avx2),
        Path::Avx512 => CpuPath::Compiled(Generator::Avx512),
        Path::Software => return Err("a software device is a GPU API's, not the CPU".into()),
    };
    Cpu::new(Settings { path, ..Settings::default() }).map_err(|error| error.to_string())
}

/// A problem on a device.
pub struct OnDevice<'p> {
    problem: &'p Problem,
    arrays: Vec<AnyBuffer>,
    /// The kernel of each launch, kept so that it stays loaded.
    kernels: Vec<Kernel>,
    launches: Vec<Prepared>,
    /// Launches run on the calling thread.
    host: bool,
    /// What the first run reported of each launch.
    reports: Vec<Report>,
}

impl<'p> OnDevice<'p> {
    /// Makes buffers and checks the launches; nothing runs yet.
    ///
    /// # Errors
    /// When the device cannot take the problem.
    pub fn new(runtime: &Runtime, path: Path, problem: &'p Problem) -> Result<Self, String> {
        Self::prepare(runtime, path, problem).map_err(|error| error.to_string())
    }

    fn prepare(runtime: &Runtime, path: Path, problem: &'p Problem) -> warpweft::Result<Self> {
        let content = |words: &Words| -> warpweft::Result<AnyBuffer> {
            // What holds nothing yet is made as a user makes it, not brought.
            Ok(match words {
                Words::F32(words) if words.iter().all(|word| word.to_bits() == 0) => {
                    runtime.zeros::<f32>([words.len()])?.erase()
                }
                Words::U32(words) if words.iter().all(|&word| word == 0) => {
                    runtime.zeros::<u32>([words.len()])?.erase()
                }
                Words::F32(words) => runtime.buffer(words.clone())?.erase(),
                Words::U32(words) => runtime.buffer(words.clone())?.erase(),
            })
        };
        let arrays = problem.arrays.iter().map(|(_, words)| content(words));
        let arrays = arrays.collect::<warpweft::Result<Vec<_>>>()?;
        let module = runtime.module(problem.source)?;
        let placement = match path {
            Path::Software => Placement::Software,
            _ => Placement::Cpu,
        };
        let (mut kernels, mut launches) = (Vec::new(), Vec::new());
        for pass in &problem.passes {
            let kernel = module.kernel(pass.entry)?;
            let mut launch = kernel.launch().on(placement).workgroups(pass.workgroups.map(u64::from));
            for (name, array) in &pass.bindings {
                launch = launch.bind(name, &arrays[*array]);
            }
            for (name, bytes) in problem.values.iter().filter(|(name, _)| pass.values.contains(name)) {
                launch = launch.set_bytes(name, bytes);
            }
            launches.push(launch.prepare()?);
            kernels.push(kernel);
        }
        let host = path != Path::Software;
        Ok(Self { problem, arrays, kernels, launches, host, reports: Vec::new() })
    }

    /// Runs the launches one by one, and keeps what they report.
    ///
    /// # Errors
    /// When one fails, or a path that compiles did not.
    pub fn first(&mut self, path: Path) -> Result<(), String> {
        let run = |launch: &Prepared| launch.run().map_err(|error| error.to_string());
        self.reports = self.launches.iter().map(run).collect::<Result<_, _>>()?;
        for (report, kernel) in self.reports.iter().zip(&self.kernels) {
            let interpreted = report.path == warpweft::Path::Interpreter;
            if interpreted && Path::COMPILED.contains(&path) {
                return Err(format!("`{}` is interpreted, not compiled", kernel.name()));
            }
        }
        Ok(())
    }

    /// What each launch of the first run reported.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }
}

impl Rival for OnDevice<'_> {
    fn reset(&mut self) -> Result<(), String> {
        for (array, (_, words)) in self.arrays.iter().zip(&self.problem.arrays) {
            array.write_bytes(words.bytes()).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), String> {
        let error = |error: warpweft::Error| error.to_string();
        if self.host {
            return self.launches.iter().try_for_each(|launch| launch.run().map(drop).map_err(error));
        }
        let flying = self.launches.iter().map(|launch| launch.submit().map_err(error));
        let flying = flying.collect::<Result<Vec<_>, _>>()?;
        flying.into_iter().try_for_each(|launch| launch.wait().map(drop).map_err(error))
    }

    fn results(&mut self) -> Result<Vec<Words>, String> {
        let result = |output: &warpweft_problems::Output| {
            let bytes = self.arrays[output.array].read_bytes().map_err(|error| error.to_string())?;
            Ok(match self.problem.arrays[output.array].1 {
                Words::F32(_) => Words::F32(bytemuck::pod_collect_to_vec(&bytes)),
                Words::U32(_) => Words::U32(bytemuck::pod_collect_to_vec(&bytes)),
            })
        };
        self.problem.outputs.iter().map(result).collect()
    }
}

/// What is known of the device of a runtime: name and driver.
pub fn describe(runtime: &Runtime) -> String {
    let names = runtime.devices().into_iter().map(|d| format!("{} ({})", d.name, d.driver));
    names.collect::<Vec<_>>().join(", ")
}
