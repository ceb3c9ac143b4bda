//! A list of commands for one device, and what it must wait for.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use warpweft_hal::{Command, Device, Submission};

use super::Event;
use crate::Error;
use crate::buffer::DeviceMemory;
use crate::kernel::KernelInner;

/// Events that must be over before a task may start.
pub(crate) type Dependencies = SmallVec<[Arc<Event>; 4]>;

/// A list of commands for one device.
pub(crate) struct Task {
    /// What completes when the commands are done.
    pub(crate) event: Arc<Event>,
    /// The commands.
    pub(crate) commands: Vec<Command>,
    /// What must be over before.
    pub(crate) dependencies: Dependencies,
    /// The longest that the commands may take; `None` leaves it to the device.
    pub(crate) time_limit: Option<Duration>,
    /// Somebody will look at how long the kernel took.
    pub(crate) timed: bool,
    /// The kernel that must not be unloaded before the commands were submitted.
    pub(crate) kernel: Option<Arc<KernelInner>>,
    /// Device memory that must not be given back before the commands were submitted.
    pub(crate) keep: SmallVec<[Arc<DeviceMemory>; 4]>,
}

impl Task {
    /// A task without commands for a device.
    pub(crate) fn new(device: usize, what: Arc<str>) -> Self {
        Self {
            event: Event::queued(device, what),
            commands: Vec::new(),
            dependencies: Dependencies::new(),
            time_limit: None,
            timed: false,
            kernel: None,
            keep: SmallVec::new(),
        }
    }

    /// Waits for the dependencies that the device's own order does not cover.
    ///
    /// # Errors
    /// When one of them failed: the task must not run.
    fn wait_for_dependencies(&self, in_order: bool) -> Result<(), Arc<Error>> {
        for dependency in &self.dependencies {
            if in_order && dependency.device() == self.event.device() && dependency.failure().is_none() {
                continue;
            }
            dependency
                .wait()
                .map_err(|cause| Arc::new(dependency.poison(cause)))?;
        }
        Ok(())
    }

    /// The task can be submitted without waiting for another device.
    pub(crate) fn is_ready(&self, in_order: bool) -> bool {
        self.dependencies
            .iter()
            .all(|d| d.is_known_done() || (in_order && d.device() == self.event.device()) || d.is_done())
    }

    /// Waits for the dependencies, submits the commands and records the answer in the event.
    pub(crate) fn submit(mut self, device: &Arc<dyn Device>) -> Result<(), Arc<Error>> {
        let answer = self
            .wait_for_dependencies(!device.info().host_memory)
            .and_then(|()| {
                // SAFETY: the ledger made every conflicting task a dependency, or it lies before this one in the
                // device's queue; host ranges that snapshots hold are never written (see `buffer::store`); aliasing
                // arguments were refused when they were bound.
                let mut submission = unsafe { Submission::new(std::mem::take(&mut self.commands)) };
                submission.time_limit = self.time_limit;
            submission.timed = self.timed;
                device
                    .submit(submission)
                    .map_err(|error| Arc::new(Error::from(error)))
            });
        let failure = answer.as_ref().err().cloned();
        self.event.submitted(device, answer);
        drop(self.keep);
        failure.map_or(Ok(()), Err)
    }
}
