//! A thread per device that submits tasks in order, once what they wait for on other devices is over.
//!
//! A task takes this way only when it cannot be submitted at once. While one is under way, later tasks of the same
//! device follow it, so that a device always sees tasks in the order of their creation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use parking_lot::Mutex;
use warpweft_hal::Device;

use super::Task;

/// The queue of one device's waiting tasks.
pub(crate) struct Courier {
    device: Arc<dyn Device>,
    /// The way to the thread, which is started with the first task and ends when the courier is dropped.
    sender: Mutex<Option<Sender<Task>>>,
    waiting: Arc<AtomicUsize>,
}

impl Courier {
    /// The courier of a device.
    pub(crate) fn new(device: Arc<dyn Device>) -> Self {
        Self { device, sender: Mutex::new(None), waiting: Arc::default() }
    }

    /// No task is under way: the next may be submitted directly. Stays true only while the ledger is locked.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// Submits a task when its turn comes.
    pub(crate) fn carry(&self, task: Task) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let mut sender = self.sender.lock();
        let sender = sender.get_or_insert_with(|| self.start());
        if let Err(unsent) = sender.send(task) {
            // The thread is gone, which it never is while the courier lives: submit here rather than lose the task.
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            unsent.0.submit(&self.device);
        }
    }

    fn start(&self) -> Sender<Task> {
        let (sender, receiver) = channel::<Task>();
        let (device, waiting) = (self.device.clone(), self.waiting.clone());
        let body = move || {
            for task in receiver {
                task.submit(&device);
                waiting.fetch_sub(1, Ordering::AcqRel);
            }
        };
        let name = format!("warpweft {}", self.device.info().name);
        // Without a thread the channel has no receiver, and `carry` submits on the calling thread.
        if let Err(error) = std::thread::Builder::new().name(name).spawn(body) {
            tracing::warn!(%error, "cannot start a thread: tasks are submitted by the threads that make them");
        }
        sender
    }
}
