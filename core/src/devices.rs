//! A device as the runtime holds it: the device itself, its courier, how much is in flight.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use warpweft_hal::{Device, DeviceInfo};

use crate::graph::{Courier, Event, Task};

/// Launches of one device that may be in flight before the next waits for the oldest: enough to hide the latency of
/// submission, few enough that drivers keep no long tail of finished work.
const IN_FLIGHT: usize = 128;

/// One device of a runtime.
pub(crate) struct DeviceSlot {
    pub(crate) device: Arc<dyn Device>,
    pub(crate) courier: Courier,
    pub(crate) name: Arc<str>,
    in_flight: Mutex<VecDeque<Arc<Event>>>,
}

impl DeviceSlot {
    pub(crate) fn new(device: Arc<dyn Device>) -> Self {
        Self {
            courier: Courier::new(device.clone()),
            name: device.info().name.as_str().into(),
            in_flight: Mutex::default(),
            device,
        }
    }

    pub(crate) fn info(&self) -> &DeviceInfo {
        self.device.info()
    }

    /// Its memory is host memory.
    pub(crate) fn host_memory(&self) -> bool {
        self.info().host_memory
    }

    /// Waits for an old launch where too many are in flight. The ledger must not be locked.
    pub(crate) fn throttle(&self, event: &Arc<Event>) {
        let oldest = {
            let mut in_flight = self.in_flight.lock();
            in_flight.push_back(event.clone());
            if in_flight.len() > IN_FLIGHT { in_flight.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            let _ = oldest.wait();
        }
    }

    /// Submits a task now if nothing stands before it, else hands it to the courier. The ledger must be locked.
    ///
    /// A device with memory of its own sees its tasks in the order of their creation, on which transfers rely; for
    /// host memory the dependencies say all, and a courier's thread is better spent than the ledger's lock. Errors
    /// are in the task's event.
    pub(crate) fn submit(&self, task: Task) {
        let in_order = !self.host_memory();
        if in_order && self.courier.is_idle() && task.is_ready(in_order) {
            task.submit(&self.device);
        } else {
            self.courier.carry(task);
        }
    }
}
