//! The completion of one task: queued, in flight on a device, or done with a result.
//!
//! There is no completion thread: whoever wants to know waits on the device's fence on behalf of all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;
use warpweft_hal::{Completion, Device, Error as DeviceError, Fence, Submitted};

use crate::Error;

/// What a task does, for messages.
#[derive(Clone)]
pub(crate) enum Work {
    /// It runs the kernel of that name.
    Launch(Arc<str>),
    /// It moves bytes to the host.
    Transfer,
}

/// The completion of a task.
pub(crate) struct Event {
    /// Index of the device that executes the task.
    device: usize,
    work: Work,
    state: Mutex<State>,
    changed: Condvar,
    /// A quick look for the hot path; set once the state is `Done`.
    done: AtomicBool,
}

/// Earlier tasks of the same device whose results a task uses.
type Inherited = SmallVec<[Arc<Event>; 4]>;

enum State {
    /// Not submitted yet.
    Queued,
    /// Submitted.
    Flying(Arc<dyn Device>, Fence, Inherited),
    /// Somebody is asking the device.
    Asking,
    /// Over.
    Done(Result<Completion, Arc<Error>>),
}

impl Event {
    /// The event of a task that is not submitted yet.
    pub(crate) fn queued(device: usize, work: Work) -> Arc<Self> {
        Arc::new(Self {
            device,
            work,
            state: Mutex::new(State::Queued),
            changed: Condvar::new(),
            done: AtomicBool::new(false),
        })
    }

    /// Index of the device that executes the task.
    pub(crate) fn device(&self) -> usize {
        self.device
    }

    /// Records what `submit` answered. The task fails with the inherited events, which are over when it is.
    pub(crate) fn submitted(
        &self,
        device: &Arc<dyn Device>,
        answer: Result<Submitted, Arc<Error>>,
        inherited: Inherited,
    ) {
        match answer {
            Ok(Submitted::Pending(fence)) => {
                *self.state.lock() = State::Flying(device.clone(), fence, inherited);
                self.changed.notify_all();
            }
            Ok(Submitted::Done(completion)) => self.finish(settle(Ok(completion), inherited)),
            Err(error) => self.finish(Err(error)),
        }
    }

    /// Records the result.
    pub(crate) fn finish(&self, result: Result<Completion, Arc<Error>>) {
        *self.state.lock() = State::Done(result);
        self.done.store(true, Ordering::Release);
        self.changed.notify_all();
    }

    /// The task will never be submitted, if it was not yet.
    pub(crate) fn abandon(&self) {
        let queued = matches!(*self.state.lock(), State::Queued);
        if queued {
            let reason = "a task was dropped before it was submitted".into();
            self.finish(Err(Arc::new(DeviceError::Internal { device: "runtime".into(), reason }.into())));
        }
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
        if !matches!(*state, State::Flying(..)) {
            return matches!(*state, State::Done(_));
        }
        let State::Flying(device, fence, inherited) = std::mem::replace(&mut *state, State::Asking) else {
            return false;
        };
        drop(state);
        match device.poll(fence) {
            Ok(None) => {
                *self.state.lock() = State::Flying(device, fence, inherited);
                self.changed.notify_all();
                false
            }
            Ok(Some(completion)) => {
                self.finish(settle(Ok(completion), inherited));
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
                State::Flying(..) => {
                    if let State::Flying(device, fence, inherited) =
                        std::mem::replace(&mut *state, State::Asking)
                    {
                        drop(state);
                        let result = device.wait(fence).map_err(|error| Arc::new(Error::from(error)));
                        self.finish(settle(result, inherited));
                        state = self.state.lock();
                    }
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
        match (&*cause, &self.work) {
            // Name the first launch that failed, not the chain behind it.
            (Error::Poisoned { .. }, _) | (_, Work::Transfer) => (*cause).clone(),
            (_, Work::Launch(kernel)) => Error::Poisoned { kernel: kernel.to_string(), source: cause },
        }
    }
}

/// A task's own result, or the failure of an earlier task whose result it used. Those lie before it in the device's
/// queue, so nobody is waited for.
fn settle(own: Result<Completion, Arc<Error>>, inherited: Inherited) -> Result<Completion, Arc<Error>> {
    let completion = own?;
    for event in inherited {
        event.wait().map_err(|cause| Arc::new(event.poison(cause)))?;
    }
    Ok(completion)
}
