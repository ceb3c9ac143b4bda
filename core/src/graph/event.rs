//! The completion of one task: queued, in flight on a device, or done with a result.
//!
//! There is no completion thread: whoever wants to know waits on the device's fence on behalf of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};
use warpweft_hal::{Completion, Device, Fence, Submitted};

use crate::Error;

/// The completion of a task.
pub(crate) struct Event {
    /// Index of the device that executes the task.
    device: usize,
    /// What the task is, for messages: a kernel's name.
    what: Arc<str>,
    state: Mutex<State>,
    changed: Condvar,
    /// A quick look for the hot path; set once the state is `Done`.
    done: AtomicBool,
}

enum State {
    /// Not submitted yet.
    Queued,
    /// Submitted.
    Flying(Arc<dyn Device>, Fence),
    /// Somebody is asking the device.
    Asking,
    /// Over.
    Done(Result<Completion, Arc<Error>>),
}

impl Event {
    /// The event of a task that is not submitted yet.
    pub(crate) fn queued(device: usize, what: Arc<str>) -> Arc<Self> {
        Arc::new(Self {
            device,
            what,
            state: Mutex::new(State::Queued),
            changed: Condvar::new(),
            done: AtomicBool::new(false),
        })
    }

    /// Index of the device that executes the task.
    pub(crate) fn device(&self) -> usize {
        self.device
    }

    /// Records what `submit` answered.
    pub(crate) fn submitted(&self, device: &Arc<dyn Device>, answer: Result<Submitted, Arc<Error>>) {
        match answer {
            Ok(Submitted::Done(completion)) => self.finish(Ok(completion)),
            Ok(Submitted::Pending(fence)) => {
                *self.state.lock() = State::Flying(device.clone(), fence);
                self.changed.notify_all();
            }
            Err(error) => self.finish(Err(error)),
        }
    }

    /// Records the result.
    pub(crate) fn finish(&self, result: Result<Completion, Arc<Error>>) {
        *self.state.lock() = State::Done(result);
        self.done.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// The task is over, as far as is known without asking the device.
    pub(crate) fn is_known_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// The task is over; asks the device, but does not wait for it.
    pub(crate) fn is_done(&self) -> bool {
        if self.is_known_done() {
            return true;
        }
        let mut state = self.state.lock();
        let State::Flying(device, fence) = &*state else {
            return matches!(*state, State::Done(_));
        };
        let (device, fence) = (device.clone(), *fence);
        *state = State::Asking;
        drop(state);
        match device.poll(fence) {
            Ok(None) => {
                *self.state.lock() = State::Flying(device, fence);
                self.changed.notify_all();
                false
            }
            Ok(Some(completion)) => {
                self.finish(Ok(completion));
                true
            }
            Err(error) => {
                self.finish(Err(Arc::new(error.into())));
                true
            }
        }
    }

    /// Waits until the task is over.
    pub(crate) fn wait(&self) -> Result<Completion, Arc<Error>> {
        let mut state = self.state.lock();
        loop {
            match &*state {
                State::Done(result) => return result.clone(),
                State::Queued | State::Asking => self.changed.wait(&mut state),
                State::Flying(device, fence) => {
                    let (device, fence) = (device.clone(), *fence);
                    *state = State::Asking;
                    drop(state);
                    self.finish(device.wait(fence).map_err(|error| Arc::new(error.into())));
                    state = self.state.lock();
                }
            }
        }
    }

    /// Why the task failed, if it is over and did.
    pub(crate) fn failure(&self) -> Option<Arc<Error>> {
        if !self.is_known_done() {
            return None;
        }
        match &*self.state.lock() {
            State::Done(Err(error)) => Some(error.clone()),
            _ => None,
        }
    }

    /// The error that readers of what the task should have written get.
    pub(crate) fn poison(&self, cause: Arc<Error>) -> Error {
        match &*cause {
            // Name the first launch that failed, not the chain behind it.
            Error::Poisoned { .. } => (*cause).clone(),
            _ => Error::Poisoned {
                kernel: self.what.to_string(),
                source: cause,
            },
        }
    }
}
