//! A list of commands for one device, and what it must wait for.

use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use warpweft_hal::{Command, Device, Submission};

use super::Dependencies;
use super::event::{Event, Work};
use crate::Error;
use crate::buffer::DeviceMemory;
use crate::kernel::KernelInner;

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
    pub(crate) fn new(device: usize, work: Work) -> Self {
        Self {
            event: Event::queued(device, work),
            commands: Vec::new(),
            dependencies: Dependencies::default(),
            time_limit: None,
            timed: false,
            kernel: None,
            keep: SmallVec::new(),
        }
    }

    /// The device's own order puts the event's task before this one.
    fn is_ordered_after(&self, event: &Arc<Event>, in_order: bool) -> bool {
        in_order && event.device() == self.event.device()
    }

    /// Waits for what the device's own order does not cover, and gives what it does: events whose failure will be
    /// this task's too.
    fn wait_for_dependencies(&self, in_order: bool) -> Result<SmallVec<[Arc<Event>; 4]>, Arc<Error>> {
        for event in self.dependencies.before() {
            if !self.is_ordered_after(event, in_order) {
                let _ = event.wait();
            }
        }
        let mut inherited = SmallVec::new();
        for event in self.dependencies.needed() {
            if Arc::ptr_eq(event, &self.event) {
                // A range that is brought twice for one launch.
                continue;
            }
            match self.is_ordered_after(event, in_order) && !event.is_known_done() {
                true => inherited.push(event.clone()),
                false => drop(event.wait().map_err(|cause| Arc::new(event.poison(cause)))?),
            }
        }
        Ok(inherited)
    }

    /// The task can be submitted without waiting for another device.
    pub(crate) fn is_ready(&self, in_order: bool) -> bool {
        self.dependencies.iter().all(|event| self.is_ordered_after(event, in_order) || event.is_done())
    }

    /// Waits for the dependencies, submits the commands and records the answer in the event.
    pub(crate) fn submit(mut self, device: &Arc<dyn Device>) {
        let mut inherited = SmallVec::new();
        let answer = self.wait_for_dependencies(!device.info().host_memory).and_then(|events| {
            inherited = events;
            // SAFETY: the ledger made every conflicting task a dependency, or it lies before this one in the
            // device's queue; host ranges that snapshots hold are never written (see `buffer::store`); aliasing
            // arguments were refused when they were bound.
            let mut submission = unsafe { Submission::new(std::mem::take(&mut self.commands)) };
            submission.time_limit = self.time_limit;
            submission.timed = self.timed;
            device.submit(submission).map_err(|error| Arc::new(Error::from(error)))
        });
        // Given back before anybody is told, so that whoever waits for the room finds it.
        self.commands.clear();
        self.keep.clear();
        self.event.submitted(device, answer, inherited);
    }
}

impl Drop for Task {
    /// Whatever happens to a task, whoever waits for it is told.
    fn drop(&mut self) {
        self.event.abandon();
    }
}
