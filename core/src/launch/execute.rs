//! Carries a checked launch to a device: plan, make room, bring what is missing, submit, record.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;
use warpweft_hal::{Argument, Command, Dispatch, Region, Timing, TimingSource};
use warpweft_module::Space;

use super::bind::ResolvedArgument;
use super::launcher::Checked;
use super::report::Report;
use crate::Result;
use crate::buffer::{Blocked, Mover, Part, StoreKey};
use crate::devices::DeviceSlot;
use crate::graph::{Event, Task};
use crate::ledger::Ledger;
use crate::planner::{Demand, Plan};
use crate::runtime::wait_all;

/// Predicted seconds below which `submit` runs a launch on the calling thread: waking another costs about as much.
const INLINE: f64 = 20e-6;

/// A launch in flight.
///
/// Dropping it detaches it: the launch runs all the same, and whoever reads what it wrote waits for it.
pub struct Launch {
    event: Arc<Event>,
    plan: Plan,
    checked: Arc<Checked>,
    started: Instant,
    pub(super) compile_seconds: f64,
    pub(super) uploaded_bytes: u64,
    pub(super) downloaded_bytes: u64,
}

impl Launch {
    /// Where it runs, and why.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The launch is over; does not wait.
    pub fn is_done(&self) -> bool {
        self.event.is_done()
    }

    /// Waits until the launch is over.
    ///
    /// # Errors
    /// When it failed. What it should have written then carries the failure, until it is written anew.
    pub fn wait(self) -> Result<Report> {
        let completion = self.event.wait().map_err(|error| (*error).clone())?;
        let elapsed = self.started.elapsed().as_secs_f64();
        let timing = completion.dispatches.last().copied();
        if let Some(timing) = timing {
            self.checked.record(&self.plan, timing);
        }
        Ok(Report {
            path: self.plan.choice().path,
            device: self.plan.choice().name.to_string(),
            kind: self.plan.choice().kind,
            timing,
            elapsed_seconds: elapsed,
            compile_seconds: self.compile_seconds,
            uploaded_bytes: self.uploaded_bytes,
            downloaded_bytes: self.downloaded_bytes,
            plan: self.plan,
        })
    }
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
    /// Chooses a device.
    pub(crate) fn plan(&self, ledger: &Ledger) -> Result<Plan> {
        let runtime = &self.kernel.runtime;
        runtime
            .planner
            .plan(&self.kernel, self.placement, self.invocations, |device| {
                self.demand(ledger, device, &runtime.devices[device])
            })
    }

    /// What a device would need moved, or why it cannot hold the data.
    fn demand(&self, ledger: &Ledger, device: usize, slot: &DeviceSlot) -> Result<Demand, String> {
        let location = (!slot.host_memory()).then_some(device);
        let limits = &slot.info().limits;
        let mut demand = Demand::default();
        for (binding, argument) in self.kernel.interface().bindings.iter().zip(&self.arguments) {
            let ResolvedArgument::Words { part, words, .. } = argument else {
                continue;
            };
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
            for part in store.lacking(location, words.clone()).moves {
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

    /// Takes note of how long the kernel ran.
    fn record(&self, plan: &Plan, timing: Timing) {
        let choice = plan.choice();
        let runtime = &self.kernel.runtime;
        // A round trip holds the queue's other work too: it counts only where there is nothing better.
        if timing.source == TimingSource::RoundTrip && runtime.devices[choice.device].info().timestamps {
            return;
        }
        let key = (*self.kernel.program.kernel.hash().as_bytes(), choice.device, choice.path);
        runtime.planner.history.record(key, self.invocations, timing.seconds);
    }

    /// Plans the launch and hands it to its device.
    pub(crate) fn start(self: &Arc<Self>, mode: Mode) -> Result<Launch> {
        let started = Instant::now();
        let runtime = &self.kernel.runtime;
        let plan = self.plan(&runtime.ledger.lock())?;
        let device = plan.choice().device;
        let slot = &runtime.devices[device];
        let _span =
            tracing::debug_span!("launch", kernel = &*self.kernel.name, device = &*slot.name).entered();
        let mut launch = Launch {
            event: Event::queued(device, self.kernel.name.clone()),
            plan,
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
        launch.compile_seconds = compile_seconds;

        let keys: SmallVec<[StoreKey; 8]> = self.words().map(|(part, ..)| part.handle.key).collect();
        let task = loop {
            let mut ledger = runtime.ledger.lock();
            for (part, words, _) in self.words() {
                if let Some(error) = ledger.stores[part.handle.key].accesses.poison(words) {
                    return Err(error);
                }
            }
            let mut mover = Mover {
                devices: &runtime.devices,
                ledger: &mut ledger,
            };
            let room = self.words().try_for_each(|(part, words, writes)| {
                mover.admit(part.handle.key, device, words, writes, &keys)
            });
            match room {
                Ok(()) => {}
                Err(Blocked::Failed(error)) => return Err(error),
                Err(Blocked::Wait(events)) => {
                    drop(ledger);
                    wait_all(&events);
                    continue;
                }
            }
            let before = (
                mover.ledger.stats.uploaded_bytes(),
                mover.ledger.stats.downloaded_bytes(),
            );
            let mut task = Task::new(device, self.kernel.name.clone());
            task.time_limit = runtime.time_limit;
            task.timed = mode == Mode::Run;
            task.kernel = Some(self.kernel.clone());
            let mut downloads = Vec::new();
            for (part, words, writes) in self.words() {
                mover.bring(part.handle.key, words, &mut task, &mut downloads);
                mover.ledger.stores[part.handle.key].accesses.conflicts(
                    words,
                    writes,
                    &mut task.dependencies,
                );
            }
            let arguments = self.arguments(&ledger, device, &mut task)?;
            let mut mover = Mover {
                devices: &runtime.devices,
                ledger: &mut ledger,
            };
            for (part, words, writes) in self.words() {
                mover.settle(part.handle.key, words, writes, &task.event);
            }
            let range = 0..self.grid.len();
            let dispatch = Dispatch {
                kernel: loaded.kernel,
                grid: self.grid,
                range,
                arguments,
            };
            task.commands.push(Command::Dispatch(dispatch));
            let stats = &mut ledger.stats;
            stats.launches += 1;
            launch.uploaded_bytes = stats.uploaded_bytes() - before.0;
            launch.downloaded_bytes = stats.downloaded_bytes() - before.1;
            launch.event = task.event.clone();
            runtime.submit_all(downloads);
            let small = launch
                .plan
                .choice()
                .prediction()
                .is_some_and(|p| p.execution < INLINE);
            if slot.host_memory() && (mode == Mode::Run || (small && task.is_ready(false))) {
                break Some(task);
            }
            slot.submit(task);
            break None;
        };
        match task {
            // The error, if any, is in the event.
            Some(task) => drop(task.submit(&slot.device)),
            None => slot.throttle(&launch.event),
        }
        Ok(launch)
    }

    /// The arguments that are words of stores.
    fn words(&self) -> impl Iterator<Item = (&Part, &Range<u64>, bool)> {
        self.arguments.iter().filter_map(|argument| match argument {
            ResolvedArgument::Words { part, words, writes } => Some((part, words, *writes)),
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
            Ok(Argument::Region(
                match (host, &store.host, &store.copies[device]) {
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
                },
            ))
        };
        self.arguments.iter().map(&mut of).collect()
    }
}
