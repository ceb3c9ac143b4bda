//! One device: what belongs to it, and the contract's calls in terms of its parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use warpweft_hal::{
    Command, Completion, Device, DeviceInfo, DeviceKind, Error, Fence, KernelId, Loaded, Memory, MemoryId,
    Program, Submission, Submitted,
};

use crate::adapter;
use crate::binds::Binds;
use crate::encode::{Encoded, Encoding, Staged};
use crate::fault::Fault;
use crate::fill::Filler;
use crate::flight::{Flight, Flights, Work};
use crate::kernels::Kernels;
use crate::memory::{Memories, MemoryLimits};
use crate::probe;
use crate::staging::{Mapping, Staging};
use crate::stamps::{self, Stamps};
use crate::values::Values;
use crate::{Settings, Timestamps};

/// Uploads up to this size that begin a list are left to wgpu's own staging: 18 against 25 µs for 1 KiB, and one copy
/// of the bytes more, which larger ones would feel.
const SMALL: u64 = 64 << 10;

/// Submissions of a kernel that sampling times before it begins to skip.
const FIRST: u32 = 4;

/// A device behind wgpu.
///
/// The machine code of a kernel is the driver's business: some make it while loading, others (lavapipe) at the first
/// dispatch, whose time then contains it.
pub struct Gpu {
    pub(crate) info: DeviceInfo,
    pub(crate) settings: Settings,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) fault: Arc<Fault>,
    pub(crate) kernels: Kernels,
    pub(crate) staging: Staging,
    pub(crate) filler: Filler,
    pub(crate) flights: Flights,
    /// Locked while a list is encoded and submitted, so that lists follow one another. Before `memories`.
    pub(crate) state: Mutex<State>,
    memories: Mutex<Memories>,
    pub(crate) copies: AtomicU64,
    pub(crate) copied_bytes: AtomicU64,
    pub(crate) workgroups_per_dimension: u32,
    /// Nanoseconds per tick.
    pub(crate) period: f32,
}

/// What encoding a list reads and changes.
pub(crate) struct State {
    pub(crate) binds: Binds,
    pub(crate) values: Values,
    /// Query sets for reuse.
    pub(crate) stamps: Vec<Stamps>,
    /// Lists so far.
    lists: u64,
}

impl Gpu {
    /// A device over a wgpu device.
    pub(crate) fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        adapter: &wgpu::AdapterInfo,
        settings: Settings,
    ) -> Result<Self, Error> {
        let (features, limits) = (device.features(), device.limits());
        let mut info = adapter::describe(adapter, features, &limits);
        info.limits.memory = settings.memory;
        if let Some(obstacle) = adapter::obstacle(features, &limits) {
            return Err(Error::Internal { device: info.name, reason: obstacle });
        }
        let fault = Fault::watch(&info.name, &device);
        let filler = Filler::new(&device, &fault)?;
        let memories = Memories::new(MemoryLimits {
            allocation: info.limits.allocation,
            memory: settings.memory,
            pool: settings.pool,
        });
        let state = State {
            binds: Binds::default(),
            values: Values::new(info.limits.storage_alignment.max(info.limits.uniform_alignment)),
            stamps: Vec::new(),
            lists: 0,
        };
        let mut gpu = Self {
            settings,
            period: queue.get_timestamp_period(),
            workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
            info,
            device,
            queue,
            fault,
            kernels: Kernels::default(),
            staging: Staging::new(),
            filler,
            flights: Flights::default(),
            state: Mutex::new(state),
            memories: Mutex::new(memories),
            copies: AtomicU64::new(0),
            copied_bytes: AtomicU64::new(0),
        };
        if gpu.info.kind == DeviceKind::Software {
            let found = probe::probe(&gpu)?;
            gpu.info.loop_limit = found.loop_limit;
            gpu.info.idle_lanes = found.idle_lanes.then_some(gpu.info.subgroup_sizes[1]);
        }
        Ok(gpu)
    }

    /// A device over the user's own wgpu device; its features and limits are what they are.
    ///
    /// The device's uncaptured-error handler and device-lost callback are replaced. Work that the user submits to the
    /// queue is ordered with ours by time of submission.
    ///
    /// # Errors
    /// When the device was made without immediates of 48 bytes ([`wgpu::Features::IMMEDIATES`]).
    #[cfg(feature = "interop")]
    pub fn from_wgpu(
        device: wgpu::Device,
        queue: wgpu::Queue,
        info: &wgpu::AdapterInfo,
        settings: Settings,
    ) -> Result<Self, Error> {
        Self::new(device, queue, info, settings)
    }

    /// Copies within the device that were made only because wgpu forbids what was asked: bindings at unaligned
    /// offsets, one buffer both read and written in a dispatch, a copy within one buffer.
    pub fn copies(&self) -> u64 {
        self.copies.load(Ordering::Relaxed)
    }

    /// Bytes that those [`copies`](Self::copies) moved.
    pub fn copied_bytes(&self) -> u64 {
        self.copied_bytes.load(Ordering::Relaxed)
    }

    /// Sees to the uploads of a list, before anything is locked.
    fn stage(&self, commands: &[Command]) -> Result<Vec<Staged>, Error> {
        let mut staged = Vec::new();
        let mut first = true;
        for command in commands {
            let Command::Upload { from, .. } = command else {
                first = false;
                continue;
            };
            if from.size == 0 {
                continue;
            }
            let Memory::Host(block) = &from.memory else {
                return Err(self.fault.internal("an upload starts on the device"));
            };
            if from.offset.checked_add(from.size).is_none_or(|end| end > block.len()) {
                return Err(self.fault.internal("an upload leaves its host block"));
            }
            first &= from.size <= SMALL;
            staged.push(if first {
                Staged::AtOnce(block.clone())
            } else {
                // SAFETY: whoever made the submission promised that nothing writes the range meanwhile.
                let bytes = unsafe { block.bytes(from.bytes()) };
                Staged::In(self.staging.upload(&self.device, &self.fault, bytes)?)
            });
        }
        Ok(staged)
    }

    /// Queries for a list that is to be timed by the device's clock.
    fn stamps(&self, state: &mut State, commands: &[Command], timed: bool) -> Option<Stamps> {
        let every = match self.settings.timestamps {
            _ if !self.info.timestamps => return None,
            _ if timed => 1,
            Timestamps::Never => return None,
            Timestamps::Sampled(every) => every.max(1),
            Timestamps::Always => 1,
        };
        let mut dispatches = 0;
        let mut timed = false;
        for command in commands {
            let Command::Dispatch(dispatch) = command else {
                continue;
            };
            dispatches += 1;
            if every == 1 {
                timed = true;
            } else if let Some(kernel) = self.kernels.get(dispatch.kernel) {
                let run = kernel.runs.fetch_add(1, Ordering::Relaxed);
                timed |= run < FIRST || run.is_multiple_of(every);
            }
        }
        (timed && dispatches <= stamps::MOST)
            .then(|| Stamps::take(&mut state.stamps, &self.device, dispatches))
    }

    /// Encodes and submits a list whose uploads are staged.
    fn launch(&self, submission: Submission, staged: Vec<Staged>) -> Result<Submitted, Error> {
        let limit = submission.time_limit.unwrap_or(self.settings.time_limit);
        let timed = submission.timed;
        let commands = submission.into_commands();
        let mut state = self.state.lock();
        state.lists += 1;
        let list = state.lists;
        let stamps = self.stamps(&mut state, &commands, timed);
        let mut memories = self.memories.lock();
        let encoded = Encoding::new(self, &mut state, &mut memories, list, stamps).run(&commands, &staged)?;
        let Encoded { commands, written, downloads, mut stamps, dispatches } = encoded;
        drop(memories);
        self.uncaught()?;
        if !dispatches.contains(&true) {
            state.stamps.extend(stamps.take());
        }
        let work = Work { downloads: Vec::new(), stamps: None, dispatches };
        if commands.is_none() && !written {
            return Ok(Submitted::Done(work.idle()));
        }
        let submitted = Instant::now();
        let index = self.queue.submit(commands);
        let done = Arc::new(AtomicBool::new(false));
        let flag = done.clone();
        self.queue.on_submitted_work_done(move || flag.store(true, Ordering::Release));
        self.uncaught()?;
        for staged in staged {
            if let Staged::In(buffer) = staged {
                self.staging.uploaded(buffer);
            }
        }
        let downloads = downloads
            .into_iter()
            .map(|download| {
                let mapping = Mapping::read(&download.staging);
                (download, mapping)
            })
            .collect();
        if let Some(stamps) = &mut stamps {
            stamps.map();
        }
        let work = Mutex::new(Some(Work { downloads, stamps, ..work }));
        Ok(Submitted::Pending(self.flights.insert(Flight { index, done, limit, submitted, work })))
    }

    /// Fails when wgpu has complained since the last time.
    fn uncaught(&self) -> Result<(), Error> {
        match self.fault.take_uncaught() {
            None => Ok(()),
            Some(error) => {
                self.fault.check()?;
                Err(self.fault.translate(&error, 0))
            }
        }
    }
}

// SAFETY: uploads are read within `submit`; downloads land within `poll` or `wait`, before the fence is done; nothing
// else of the host's memory is touched.
unsafe impl Device for Gpu {
    fn lost(&self) -> Option<Error> {
        self.fault.check().err()
    }

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn load(&self, program: &Program) -> Result<Loaded, Error> {
        self.fault.check()?;
        self.kernels.load(&self.device, &self.fault, &program.kernel)
    }

    fn unload(&self, kernel: KernelId) {
        if self.kernels.unload(kernel) {
            self.state.lock().binds.forget_kernel(kernel);
        }
    }

    fn allocate(&self, bytes: u64) -> Result<MemoryId, Error> {
        self.fault.check()?;
        self.memories.lock().allocate(&self.device, &self.fault, bytes)
    }

    fn free(&self, memory: MemoryId) {
        let freed = self.memories.lock().free(memory);
        if freed {
            self.state.lock().binds.forget_memory(memory);
        }
    }

    fn submit(&self, submission: Submission) -> Result<Submitted, Error> {
        self.fault.check()?;
        self.flights.clear(self)?;
        let staged = self.stage(submission.commands())?;
        let result = self.fault.calm(|| self.launch(submission, staged))?;
        self.fault.check()?;
        result
    }

    fn poll(&self, fence: Fence) -> Result<Option<Completion>, Error> {
        self.fault.check()?;
        self.flights.poll(self, fence)
    }

    fn wait(&self, fence: Fence) -> Result<Completion, Error> {
        self.fault.check()?;
        self.flights.wait(self, fence)
    }

    fn trim(&self) {
        self.memories.lock().trim();
        self.staging.trim();
        let mut state = self.state.lock();
        state.binds.clear();
        state.values.clear();
        state.stamps.clear();
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        if self.fault.check().is_err() {
            // Dropping wgpu's queue waits for its work, for ever where that hangs, and asserts that it is done.
            std::mem::forget((self.device.clone(), self.queue.clone()));
        }
    }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu")
            .field("info", &self.info)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
