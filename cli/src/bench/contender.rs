//! A problem on one way of running it: the launches with buffers of their own.
//!
//! Knows nothing of turns and budgets.

use warpweft::{AnyBuffer, Placement, Prepared, Report, Runtime};
use warpweft_problems::{Output, Problem, Words};

/// A problem bound to buffers of a runtime with one device.
pub(super) struct Contender<'p> {
    problem: &'p Problem,
    arrays: Vec<AnyBuffer>,
    launches: Vec<Prepared>,
}

impl<'p> Contender<'p> {
    /// Makes buffers and checks the launches; nothing runs yet.
    ///
    /// # Errors
    /// When the device cannot take the problem.
    pub(super) fn new(runtime: &Runtime, on: Placement, problem: &'p Problem) -> warpweft::Result<Self> {
        let buffer = |(_, words): &(&str, Words)| match words {
            Words::F32(words) => Ok(runtime.buffer(words.clone())?.erase()),
            Words::U32(words) => Ok(runtime.buffer(words.clone())?.erase()),
        };
        let arrays = problem.arrays.iter().map(buffer).collect::<warpweft::Result<Vec<_>>>()?;
        let module = runtime.module(problem.source)?;
        let mut launches = Vec::new();
        for pass in &problem.passes {
            let kernel = module.kernel(pass.entry)?;
            let mut launch = kernel.launch().on(on).workgroups(pass.workgroups.map(u64::from));
            for (name, array) in &pass.bindings {
                launch = launch.bind(name, &arrays[*array]);
            }
            for (name, bytes) in problem.values.iter().filter(|(name, _)| pass.values.contains(name)) {
                launch = launch.set_bytes(name, bytes);
            }
            launches.push(launch.prepare()?);
        }
        Ok(Self { problem, arrays, launches })
    }

    /// Runs every launch once and waits for it; data stays where it is.
    ///
    /// # Errors
    /// When one of them fails.
    pub(super) fn run(&self) -> warpweft::Result<Vec<Report>> {
        self.launches.iter().map(Prepared::run).collect()
    }

    /// Runs from the initial contents and compares; also tells what was reported.
    ///
    /// # Errors
    /// What failed or is wrong.
    pub(super) fn check(&self) -> Result<Vec<Report>, String> {
        for (array, (_, words)) in self.arrays.iter().zip(&self.problem.arrays) {
            array.write_bytes(words.bytes()).map_err(|error| error.to_string())?;
        }
        let reports = self.run().map_err(|error| error.to_string())?;
        self.judge().map(|()| reports)
    }

    /// Compares what the last run left.
    ///
    /// # Errors
    /// What is wrong, or could not be read.
    pub(super) fn judge(&self) -> Result<(), String> {
        let result = |output: &Output| {
            let bytes = self.arrays[output.array].read_bytes().map_err(|error| error.to_string())?;
            Ok(match self.problem.arrays[output.array].1 {
                Words::F32(_) => Words::F32(bytemuck::pod_collect_to_vec(&bytes)),
                Words::U32(_) => Words::U32(bytemuck::pod_collect_to_vec(&bytes)),
            })
        };
        let results = self.problem.outputs.iter().map(result).collect::<Result<Vec<_>, String>>()?;
        self.problem.judge(&results).map_err(|wrong| format!("a wrong result: {wrong}"))
    }
}
