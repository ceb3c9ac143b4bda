//! Carries a checked launch to a device: plan, make room, bring what is missing, submit, record.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;
use warpweft_hal::{Argument, Command, Dispatch, KernelId, Region};
use warpweft_module::Space;

use super::bind::ResolvedArgument;
use super::in_flight::Launch;
use super::launcher::Checked;
use super::work::Work;
use crate::buffer::{Blocked, Mover, Part, StoreKey};
use crate::devices::DeviceSlot;
use crate::graph::{Event, Task, Work as TaskWork};
use crate::ledger::Ledger;
use crate::planner::{Demand, Plan};
use crate::{Error, Placement, Result};

/// Predicted seconds below which `submit` runs a launch on the calling thread: waking another costs about as much.
const INLINE: f64 = 20e-6;

/// Devices that cannot take a launch after all, and why.
pub(crate) type Refusals = SmallVec<[(usize, Arc<str>); 2]>;

/// An argument that is words of a store.
struct Bound<'a> {
    /// Which binding.
    at: usize,
    part: &'a Part,
    words: &'a Range<u64>,
    /// Those of the words whose content must be there when the launch begins.
    brought: &'a [Range<u64>],
    writes: bool,
}

/// Whether the caller waits.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// The caller waits: a synchronous device may use its thread.
    Run,
    /// The caller goes on.
    Submit,
}

impl Checked {
    /// Chooses a device, among those that have not refused this launch.
    pub(crate) fn plan(&self, refusals: &Refusals) -> Result<Plan> {
        let runtime = &self.kernel.runtime;
        self.kernel.foresee(|device| runtime.planner.may(self.placement, device));
        let mut ledger = runtime.ledger.lock();
        for Bound { part, .. } in self.words() {
            ledger.stores[part.handle.key].settle();
        }
        let demand = |device: usize| match refusals.iter().find(|(refusing, _)| *refusing == device) {
            Some((_, reason)) => Err(reason.to_string()),
            None => self.demand(&ledger, device, &runtime.devices[device]),
        };
        runtime.planner.plan(&self.kernel, self.placement, self.invocations, demand, || self.work())
    }

    /// How much there is to do.
    pub(crate) fn work(&self) -> Work {
        *self.work.get_or_init(|| self.kernel.work(&self.arguments, self.grid, self.invocations))
    }

    /// What a device would need moved, or why it cannot hold the data.
    fn demand(&self, ledger: &Ledger, device: usize, slot: &DeviceSlot) -> Result<Demand, String> {
        let location = (!slot.host_memory()).then_some(device);
        let limits = &slot.info().limits;
        let mut demand = Demand::default();
        for Bound { at, part, words, brought, .. } in self.words() {
            let binding = &self.kernel.interface().bindings[at];
            let store = &ledger.stores[part.handle.key];
            let bound = (words.end - words.start) * 4;
            let (what, largest) = match binding.space {
                Space::Storage => ("storage", limits.storage_binding),
                Space::Uniform => ("uniform", limits.uniform_binding),
            };
            if bound > largest {
                return Err(format!(
                    "`{}` binds {bound} bytes, the device allows {largest} for a {what} binding",
                    binding.name
                ));
            }
            if location.is_some() && store.words * 4 > limits.allocation {
                return Err(format!(
                    "the buffer of `{}` has {} bytes, the device allocates at most {}",
                    binding.name,
                    store.words * 4,
                    limits.allocation
                ));
            }
            let lacking = brought.iter().flat_map(|words| store.lacking(location, words.clone()).moves);
            for part in lacking {
                let bytes = (part.words.end - part.words.start) * 4;
                if part.from.is_some() {
                    demand.download = (demand.download.0 + bytes, demand.download.1 + 1);
                }
                if location.is_some() {
                    demand.upload = (demand.upload.0 + bytes, demand.upload.1 + 1);
                }
            }
        }
        Ok(demand)
    }

    /// Plans the launch and hands it to its device.
    ///
    /// Where the planner was free to choose and the device cannot take the launch after all, the next best is asked.
    pub(crate) fn start(self: &Arc<Self>, mode: Mode) -> Result<Launch> {
        let started = Instant::now();
        let mut refusals = Refusals::new();
        loop {
            let plan = self.plan(&refusals)?;
            let device = plan.choice().device;
            let others = plan.candidates.iter().filter(|c| c.prediction().is_some()).count() > 1;
            match self.start_on(plan, mode, started) {
                Err(Error::Device(error)) if others && self.placement == Placement::Auto => {
                    tracing::warn!(kernel = &*self.kernel.name, %error, "the launch goes to the next best device");
                    refusals.push((device, error.to_string().into()));
                }
                other => return other,
            }
        }
    }

    fn start_on(self: &Arc<Self>, plan: Plan, mode: Mode, started: Instant) -> Result<Launch> {
        let runtime = &self.kernel.runtime;
        let device = plan.choice().device;
        let slot = &runtime.devices[device];
        let _span =
            tracing::debug_span!("launch", kernel = &*self.kernel.name, device = &*slot.name).entered();
        let mut launch = Launch {
            event: Event::queued(device, TaskWork::Launch(self.kernel.name.clone())),
            path: plan.choice().path,
            plan,
            mode,
            checked: self.clone(),
            started,
            compile_seconds: 0.0,
            uploaded_bytes: 0,
            downloaded_bytes: 0,
        };
        if self.grid.is_empty() {
            launch.event.finish(Ok(Default::default()));
            return Ok(launch);
        }
        let (loaded, compile_seconds) = self.kernel.load(device)?;
        (launch.path, launch.compile_seconds) = (loaded.path, compile_seconds);
        let kernel = loaded.kernel;
        loop {
            let mut ledger = runtime.ledger.lock();
            let before = (ledger.stats.uploaded_bytes(), ledger.stats.downloaded_bytes());
            let (mut task, downloads) = match self.make_task(&mut ledger, device, kernel) {
                Ok(made) => made,
                Err(Blocked::Failed(error)) => return Err(error),
                Err(Blocked::Wait(events)) => {
                    drop(ledger);
                    events.wait()?;
                    continue;
                }
            };
            task.timed = mode == Mode::Run;
            ledger.stats.launches += 1;
            launch.uploaded_bytes = ledger.stats.uploaded_bytes() - before.0;
            launch.downloaded_bytes = ledger.stats.downloaded_bytes() - before.1;
            launch.event = task.event.clone();
            runtime.submit_all(downloads);
            let small = launch.plan.choice().prediction().is_some_and(|p| p.execution < INLINE);
            if slot.host_memory() && (mode == Mode::Run || (small && task.is_ready(false))) {
                drop(ledger);
                task.submit(&slot.device);
            } else {
                slot.submit(task);
                drop(ledger);
                slot.throttle(&launch.event);
            }
            return Ok(launch);
        }
    }

    /// Makes room, brings what is missing, and records the launch: the task, and the downloads that go before it.
    fn make_task(
        &self,
        ledger: &mut Ledger,
        device: usize,
        kernel: KernelId,
    ) -> Result<(Task, Vec<Task>), Blocked> {
        let runtime = &self.kernel.runtime;
        for Bound { part, words, .. } in self.words() {
            if let Some(error) = ledger.stores[part.handle.key].accesses.poison(words) {
                return Err(error.into());
            }
        }
        let keys: SmallVec<[StoreKey; 8]> = self.words().map(|bound| bound.part.handle.key).collect();
        let mut mover = Mover { devices: &runtime.devices, ledger };
        for Bound { part, brought, writes, .. } in self.words() {
            mover.admit(part.handle.key, device, brought, writes, &keys)?;
        }
        let mut task = Task::new(device, TaskWork::Launch(self.kernel.name.clone()));
        task.time_limit = runtime.time_limit;
        task.kernel = Some(self.kernel.clone());
        let arguments = self.arguments(mover.ledger, device, &mut task)?;
        // From here on nothing fails: what is recorded will be submitted.
        let mut downloads = Vec::new();
        for Bound { part, words, brought, writes, .. } in self.words() {
            mover.bring(part.handle.key, words, brought, &mut task, &mut downloads);
            let accesses = &mover.ledger.stores[part.handle.key].accesses;
            accesses.conflicts(words, writes, &mut task.dependencies);
        }
        for Bound { part, words, writes, .. } in self.words() {
            mover.settle(part.handle.key, words, writes, &task.event);
        }
        let range = 0..self.grid.len();
        task.commands.push(Command::Dispatch(Dispatch { kernel, grid: self.grid, range, arguments }));
        Ok((task, downloads))
    }

    /// The arguments that are words of stores.
    fn words(&self) -> impl Iterator<Item = Bound<'_>> {
        self.arguments.iter().enumerate().filter_map(|(at, argument)| match argument {
            ResolvedArgument::Words { part, words, writes } => {
                Some(Bound { at, part, words, brought: self.brought.of(at, words), writes: *writes })
            }
            ResolvedArgument::Value(_) => None,
        })
    }

    /// The arguments as the device sees them.
    fn arguments(&self, ledger: &Ledger, device: usize, task: &mut Task) -> Result<Vec<Argument>> {
        let host = self.kernel.runtime.devices[device].host_memory();
        let mut of = |argument: &ResolvedArgument| {
            let (part, words) = match argument {
                ResolvedArgument::Value(bytes) => return Ok(Argument::Value(bytes.clone())),
                ResolvedArgument::Words { part, words, .. } => (part, words),
            };
            let store = &ledger.stores[part.handle.key];
            let bytes = words.start * 4..words.end * 4;
            Ok(Argument::Region(match (host, &store.host, &store.copies[device]) {
                (true, Some(host), _) => Region::host(&host.block, bytes),
                (false, _, Some(copy)) => {
                    task.keep.push(copy.memory.clone());
                    Region::device(copy.memory.id, bytes)
                }
                _ => {
                    let device = self.kernel.runtime.devices[device].name.to_string();
                    let reason = "no room was made for an argument".to_string();
                    return Err(warpweft_hal::Error::Internal { device, reason }.into());
                }
            }))
        };
        self.arguments.iter().map(&mut of).collect()
    }
}
