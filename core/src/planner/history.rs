//! Measured times of earlier launches: what `warpweft-planner` learns, by the devices and paths of a runtime.
//!
//! Knows names and numbers; what is made of times is that crate's.

use std::collections::HashMap;
use std::time::SystemTime;

use parking_lot::Mutex;
use warpweft_hal::{DeviceInfo, Path};
use warpweft_planner::{Key, Moment, Place, Prediction, Store};

use super::calibration::fingerprint;
use crate::kernel::KernelInner;

/// All that a runtime has measured.
pub(crate) struct History {
    store: Store,
    /// What measurements of each device stay valid for.
    devices: Vec<String>,
    places: Mutex<HashMap<(usize, Path), Place>>,
}

impl History {
    pub(crate) fn new(devices: &[&DeviceInfo]) -> Self {
        let devices = devices.iter().map(|info| fingerprint(info)).collect();
        Self { store: Store::in_memory(), devices, places: Mutex::default() }
    }

    fn key(&self, kernel: &KernelInner, device: usize, path: Path) -> Key {
        let place = *self.places.lock().entry((device, path)).or_insert_with(|| {
            // Two devices of one kind are not one: each may be slowed down by others.
            self.store.place(&format!("{} | {device}", self.devices[device]), &path.to_string())
        });
        Key { kernel: *kernel.program.kernel.hash().as_bytes(), place }
    }

    /// Takes note of how long so many invocations took.
    pub(crate) fn record(
        &self,
        kernel: &KernelInner,
        device: usize,
        path: Path,
        invocations: u64,
        seconds: f64,
    ) {
        let (key, now) = (self.key(kernel, device, path), Moment::from(SystemTime::now()));
        let learnt = self.store.observe(key, &kernel.name, size(invocations), seconds, now);
        match learnt {
            Ok(learnt) => tracing::trace!(kernel = &*kernel.name, device, seconds, ?learnt, "learnt"),
            // An empty launch, or a clock that stands still.
            Err(refused) => tracing::trace!(kernel = &*kernel.name, device, seconds, %refused, "not learnt"),
        }
    }

    /// How long so many invocations should take; `None` when nothing was measured.
    pub(crate) fn predict(
        &self,
        kernel: &KernelInner,
        device: usize,
        path: Path,
        invocations: u64,
    ) -> Option<Prediction> {
        let key = self.key(kernel, device, path);
        self.store.predict(&key, size(invocations), Moment::from(SystemTime::now()))
    }
}

fn size(invocations: u64) -> f64 {
    invocations.max(1) as f64
}
