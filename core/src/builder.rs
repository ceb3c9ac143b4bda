//! How a runtime is to be: which devices it uses, and what it may do by itself.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use slab::Slab;
use warpweft_hal::{Device, DeviceInfo};

use crate::devices::DeviceSlot;
use crate::ledger::Ledger;
use crate::planner::{Calibration, Planner};
use crate::runtime::Inner;
use crate::stats::{LinkStats, Stats};
use crate::{Error, Result, Runtime};

/// How a [`Runtime`] is to be.
pub struct Builder {
    devices: Vec<Arc<dyn Device>>,
    cpu: bool,
    gpu: bool,
    software: bool,
    threads: Option<usize>,
    time_limit: Option<Duration>,
    strict: bool,
    #[cfg(feature = "cpu")]
    path: warpweft_cpu::CpuPath,
    lanes: Option<u16>,
    calibration: Option<Calibration>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            cpu: true,
            gpu: true,
            software: false,
            threads: None,
            time_limit: None,
            strict: false,
            #[cfg(feature = "cpu")]
            path: warpweft_cpu::CpuPath::Auto,
            lanes: None,
            calibration: None,
        }
    }
}

impl Builder {
    /// Adds a device of one's own, such as a fake one.
    pub fn device(mut self, device: Arc<dyn Device>) -> Self {
        self.devices.push(device);
        self
    }

    /// Whether to use the CPU (default: yes).
    pub fn cpu(mut self, enabled: bool) -> Self {
        self.cpu = enabled;
        self
    }

    /// Whether to look for GPUs, software ones included (default: yes).
    pub fn gpu(mut self, enabled: bool) -> Self {
        self.gpu = enabled;
        self
    }

    /// Whether the planner may choose software devices by itself (default: no).
    pub fn auto_software(mut self, allowed: bool) -> Self {
        self.software = allowed;
        self
    }

    /// Threads of the CPU device (default: rayon's convention: `RAYON_NUM_THREADS`, or one per logical core).
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The longest that one launch may take once it runs; then it fails with
    /// [`Timeout`](warpweft_hal::Error::Timeout) (default: none on the CPU, the device's own on a GPU).
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// How the CPU runs kernels (default: as the environment variable `WARPWEFT_CPU` says, else compiled by the best code
    /// generator that this machine has, and interpreted where that cannot be).
    #[cfg(feature = "cpu")]
    pub fn cpu_path(mut self, path: warpweft_cpu::CpuPath) -> Self {
        self.path = path;
        self
    }

    /// Invocations that compiled code runs together on the CPU, 1, 2, 4, …, 64 (default: chosen for each kernel).
    pub fn cpu_lanes(mut self, lanes: u16) -> Self {
        self.lanes = Some(lanes);
        self
    }

    /// Whether every operation must be rounded as WGSL's exact operations are (default: no): compiled code then
    /// contracts no products and sums, so that its results are the interpreter's to the last bit, and no GPU takes part.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Rates to plan with, instead of those cached on this machine.
    pub fn calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(calibration);
        self
    }

    /// Finds the devices.
    ///
    /// # Errors
    /// When there is none, the CPU's threads cannot be started, or it cannot be used as was asked: see
    /// [`cpu_path`](Self::cpu_path) and [`cpu_lanes`](Self::cpu_lanes).
    pub fn build(self) -> Result<Runtime> {
        let mut devices = Vec::new();
        #[cfg(feature = "cpu")]
        if self.cpu {
            let settings = warpweft_cpu::Settings {
                threads: self.threads,
                path: self.path,
                strict: self.strict,
                lanes: self.lanes,
                ..Default::default()
            };
            devices.push(Arc::new(warpweft_cpu::Cpu::new(settings)?) as Arc<dyn Device>);
        }
        #[cfg(feature = "gpu")]
        if self.gpu {
            devices.extend(crate::discover::gpus());
        }
        devices.extend(self.devices);
        if devices.is_empty() {
            return Err(Error::Placement(
                "the runtime has no device: enable the CPU or GPUs in its builder, or add a device".into(),
            ));
        }
        let links = devices.iter().map(|d| LinkStats { device: d.info().name.clone(), ..Default::default() });
        let stats = Stats { links: links.collect(), ..Default::default() };
        let calibration = self.calibration.unwrap_or_else(Calibration::cached);
        let infos: Vec<&DeviceInfo> = devices.iter().map(|d| d.info()).collect();
        let planner = Planner::new(&infos, calibration, self.software);
        let inner = Inner {
            planner,
            devices: devices.into_iter().map(DeviceSlot::new).collect(),
            ledger: Mutex::new(Ledger { stores: Slab::new(), stats, clock: 0 }),
            time_limit: self.time_limit,
            strict: self.strict,
        };
        Ok(Runtime { inner: Arc::new(inner) })
    }
}
