//! The runtime: finds devices, owns them and everything that launches and buffers share.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;
use parking_lot::Mutex;
use slab::Slab;
use warpweft_hal::{Device, DeviceInfo};

use crate::buffer::{
    Blocked, Buffer, Handle, Mover, PendingSnapshot, Store, StoreKey, block_of, check_shape,
};
use crate::devices::DeviceSlot;
use crate::graph::{Dependencies, Task};
use crate::kernel::{Kernel, Module, ModuleBuilder};
use crate::launch::Steps;
use crate::ledger::Ledger;
use crate::planner::{Calibration, Planner};
use crate::stats::{LinkStats, Stats};
use crate::{Error, Result};

/// Every device of this machine, behind one door.
///
/// Cheap to clone; buffers and kernels keep it alive. Usable from any number of threads.
///
/// ```
/// use warpweft::prelude::*;
///
/// # fn main() -> warpweft::Result<()> {
/// let rt = Runtime::new()?;
/// let double = rt.kernel(
///     "@group(0) @binding(0) var<storage, read_write> x: array<f32>;
///      @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3<u32>) {
///          x[id.x] *= 2.0;
///      }",
/// )?;
/// let x = rt.buffer(vec![1.0f32, 2.0, 3.0])?;
/// double.launch().bind("x", &x).run()?;
/// assert_eq!(*x.read()?, [2.0, 4.0, 6.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runtime {
    pub(crate) inner: Arc<Inner>,
}

/// What buffers, kernels and launches share.
pub(crate) struct Inner {
    pub(crate) devices: Vec<DeviceSlot>,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) planner: Planner,
    pub(crate) time_limit: Option<Duration>,
}

/// How a [`Runtime`] is to be.
pub struct Builder {
    devices: Vec<Arc<dyn Device>>,
    cpu: bool,
    gpu: bool,
    software: bool,
    threads: Option<usize>,
    time_limit: Option<Duration>,
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

    /// Rates to plan with, instead of those cached on this machine.
    pub fn calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(calibration);
        self
    }

    /// Finds the devices.
    ///
    /// # Errors
    /// When there is none, or the CPU's threads cannot be started.
    pub fn build(self) -> Result<Runtime> {
        let mut devices = Vec::new();
        #[cfg(feature = "cpu")]
        if self.cpu {
            let settings = warpweft_cpu::Settings { threads: self.threads, ..Default::default() };
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
        };
        Ok(Runtime { inner: Arc::new(inner) })
    }
}

impl Runtime {
    /// A runtime with every device that is found.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Chooses what the runtime uses.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The devices; the position of each is its number in [`Placement::Device`](crate::Placement::Device).
    pub fn devices(&self) -> Vec<DeviceInfo> {
        self.inner.devices.iter().map(|d| d.info().clone()).collect()
    }

    /// A kernel from the only compute entry point of a WGSL source.
    ///
    /// # Errors
    /// When the source is not valid WGSL, or has none or several entry points.
    pub fn kernel(&self, source: &str) -> Result<Kernel> {
        self.module(source)?.only_kernel()
    }

    /// A module from one WGSL source.
    ///
    /// # Errors
    /// When the source is not valid WGSL.
    pub fn module(&self, source: &str) -> Result<Module> {
        self.module_builder().file("wgsl", source).build()
    }

    /// A module from several files, or with aliases supplied from outside.
    pub fn module_builder(&self) -> ModuleBuilder {
        ModuleBuilder::new(self.inner.clone())
    }

    /// A one-dimensional buffer that takes the vector's memory: no copy where it is aligned to 4 bytes.
    ///
    /// # Errors
    /// When a copy was needed and host memory is short.
    pub fn buffer<T: Pod>(&self, data: Vec<T>) -> Result<Buffer<T>> {
        let len = data.len();
        self.array([len], data)
    }

    /// A buffer of a shape, as numpy has it: the last axis varies fastest and is the grid's x.
    ///
    /// # Errors
    /// When the data does not have the shape's number of elements, or host memory is short.
    pub fn array<T: Pod>(&self, shape: impl Into<Vec<usize>>, data: Vec<T>) -> Result<Buffer<T>> {
        let (shape, len) = (shape.into(), data.len());
        check_shape(&shape, len)?;
        let store = Store::from_host(block_of(data)?, self.inner.devices.len());
        Ok(Buffer::new(self.insert(store), len, shape))
    }

    /// A buffer of zeros of a shape; it takes no memory until it is used, and is never uploaded.
    ///
    /// # Errors
    /// When the shape has more bytes than can be addressed.
    pub fn zeros<T: Pod>(&self, shape: impl Into<Vec<usize>>) -> Result<Buffer<T>> {
        self.fresh(shape.into(), Store::zeros)
    }

    /// A buffer whose content never moves: whatever a launch finds in it is undefined.
    ///
    /// # Errors
    /// When the shape has more bytes than can be addressed.
    pub fn scratch<T: Pod>(&self, shape: impl Into<Vec<usize>>) -> Result<Buffer<T>> {
        self.fresh(shape.into(), Store::scratch)
    }

    fn fresh<T: Pod>(&self, shape: Vec<usize>, store: impl Fn(u64, usize) -> Store) -> Result<Buffer<T>> {
        let len = shape.iter().try_fold(1usize, |n, &axis| n.checked_mul(axis));
        let bytes = len.and_then(|n| n.checked_mul(size_of::<T>())).filter(|&n| n <= isize::MAX as usize);
        let (Some(len), Some(bytes)) = (len, bytes) else {
            return Err(Error::Buffer(format!("the shape {shape:?} has more bytes than can be addressed")));
        };
        let words = (bytes as u64).div_ceil(4);
        Ok(Buffer::new(self.insert(store(words, self.inner.devices.len())), len, shape))
    }

    fn insert(&self, store: Store) -> Handle {
        let key = self.inner.ledger.lock().stores.insert(store);
        Handle { runtime: self.inner.clone(), key }
    }

    /// A loop over prepared launches that stays on the device.
    pub fn steps<'f>(&self, steps: u64) -> Steps<'f> {
        Steps::new(self.inner.clone(), steps)
    }

    /// What was moved so far.
    pub fn stats(&self) -> Stats {
        self.inner.ledger.lock().stats.clone()
    }

    /// Sets all counters to zero.
    pub fn reset_stats(&self) {
        let stats = &mut self.inner.ledger.lock().stats;
        let links =
            stats.links.drain(..).map(|l| LinkStats { device: l.device, ..Default::default() }).collect();
        *stats = Stats { links, ..Default::default() };
    }
}

impl Inner {
    /// Starts to read bytes of a store: makes the downloads that the host lacks.
    pub(crate) fn read(
        &self,
        key: StoreKey,
        words: Range<u64>,
        bytes: Range<u64>,
        shape: &[usize],
    ) -> Result<PendingSnapshot> {
        let _span = tracing::debug_span!("read", words = words.end - words.start).entered();
        loop {
            let mut ledger = self.ledger.lock();
            if ledger.stores[key].scratch {
                return Err(Error::Buffer("a scratch buffer cannot be read: its content never moves".into()));
            }
            if let Some(error) = ledger.stores[key].accesses.poison(&words) {
                return Err(error);
            }
            let mut mover = Mover { devices: &self.devices, ledger: &mut ledger };
            match mover.admit_host(key, &words) {
                Ok(()) => {}
                Err(Blocked::Failed(error)) => return Err(error),
                Err(Blocked::Wait(events)) => {
                    drop(ledger);
                    events.wait()?;
                    continue;
                }
            }
            let mut downloads = Vec::new();
            mover.bring_to_host(key, &words, &mut downloads);
            let store = &ledger.stores[key];
            let mut events = Dependencies::default();
            store.await_arrivals(None, &words, &mut events);
            store.accesses.host_writers(&words, |device| self.devices[device].host_memory(), &mut events);
            let Some(host) = &store.host else { continue };
            let snapshot = PendingSnapshot {
                block: host.block.clone(),
                lease: host.lease.clone(),
                bytes,
                shape: shape.to_vec(),
                events,
            };
            self.submit_all(downloads);
            return Ok(snapshot);
        }
    }

    /// Overwrites bytes of a store from outside.
    pub(crate) fn write(&self, key: StoreKey, words: Range<u64>, whole: bool, data: &[u8]) -> Result<()> {
        if whole {
            // A fresh block needs to wait for nobody: whoever uses the old one keeps it.
            let bytes = data.len() as u64;
            let block = warpweft_hal::HostBlock::copy_of(data).ok_or(Error::HostMemory { bytes })?;
            let store = &mut self.ledger.lock().stores[key];
            if !store.scratch {
                store.replace_host(block);
                return Ok(());
            }
        }
        loop {
            let mut ledger = self.ledger.lock();
            if ledger.stores[key].scratch {
                return Err(Error::Buffer(
                    "a scratch buffer cannot be written: its content never moves".into(),
                ));
            }
            let mut mover = Mover { devices: &self.devices, ledger: &mut ledger };
            let room = mover.admit_host_write(key);
            let store = &mut ledger.stores[key];
            let busy = match room {
                Ok(()) => {
                    let mut busy = Dependencies::default();
                    store.await_arrivals(None, &words, &mut busy);
                    store.accesses.conflicts(&words, true, &mut busy);
                    busy.unfinished()
                }
                Err(Blocked::Failed(error)) => return Err(error),
                Err(Blocked::Wait(events)) => Some(events),
            };
            if let Some(busy) = busy {
                drop(ledger);
                busy.wait()?;
                continue;
            }
            let Some(host) = &store.host else { continue };
            let start = words.start * 4;
            // SAFETY: every task that touches these words is over, no snapshot holds the block, and the ledger is
            // locked, so that no new task or snapshot comes.
            unsafe { host.block.bytes_mut(start..start + data.len() as u64) }.copy_from_slice(data);
            store.written(None, &words);
            store.accesses.overwrite(&words);
            return Ok(());
        }
    }

    /// Exchanges the contents of two stores.
    pub(crate) fn swap(&self, a: StoreKey, b: StoreKey) {
        let stores = &mut self.ledger.lock().stores;
        if let Some((a, b)) = (a != b).then(|| stores.get2_mut(a, b)).flatten() {
            std::mem::swap(a, b);
        }
    }

    /// Submits tasks in order. The ledger must be locked.
    pub(crate) fn submit_all(&self, tasks: Vec<Task>) {
        for task in tasks {
            self.devices[task.event.device()].submit(task);
        }
    }
}
