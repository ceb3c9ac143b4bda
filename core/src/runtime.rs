//! The runtime: owns the devices and everything that launches and buffers share.

use std::sync::Arc;
use std::time::Duration;

use bytemuck::Pod;
use parking_lot::Mutex;
use warpweft_hal::DeviceInfo;

use crate::buffer::{Buffer, Handle, Store, StoreKey, block_of, check_shape};
use crate::builder::Builder;
use crate::devices::DeviceSlot;
use crate::graph::Task;
use crate::kernel::{Kernel, Module, ModuleBuilder};
use crate::launch::Steps;
use crate::ledger::Ledger;
use crate::planner::Planner;
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
    /// Every operation is rounded as the interpreter rounds it, so that only the CPU will do.
    pub(crate) strict: bool,
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
    /// Large buffers made by [`zeros`](Self::zeros) and filled by [`Buffer::write`] start at a cache line and lie in huge
    /// pages where the system has them; a vector stays where it is. For arrays that many launches stream through on the
    /// CPU, that copy may be worth it.
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

    /// Gives back what the devices keep only for reuse: pooled memory, staging, scratch space.
    pub fn trim(&self) {
        self.inner.devices.iter().for_each(|slot| slot.device.trim());
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
