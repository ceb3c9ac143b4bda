//! What commands do, and how long that takes on the device's timeline.
//!
//! Commands take effect when they are submitted, in order; only what a download brings is held back until its fence
//! is done. Knows neither fences nor what the contract forbids.

use std::collections::BTreeMap;
use std::time::Duration;

use warpweft_hal::{
    Argument, Command, Completion, Dispatch, Error, Fence, Region, Submission, Timing, TimingSource,
};

use crate::clock::Noise;
use crate::faults::{Faults, Strike};
use crate::kernels::Kernels;
use crate::log::{Counters, Entry, Event, Place, Reader, UndefinedRead};
use crate::memory::Memories;
use crate::{Link, Spec};

/// Everything that changes as the device works.
pub(crate) struct State {
    pub(crate) memories: Memories,
    pub(crate) kernels: Kernels,
    pub(crate) faults: Faults,
    pub(crate) noise: Noise,
    pub(crate) log: Vec<Entry>,
    pub(crate) counters: Counters,
    pub(crate) undefined: Vec<UndefinedRead>,
    /// Why the device is lost, once it is.
    pub(crate) lost: Option<String>,
    pub(crate) pending: BTreeMap<Fence, Pending>,
    /// The number of the next submission, and of the next allocation.
    pub(crate) submissions: u64,
    pub(crate) allocations: u64,
    /// When the device has nothing left to do; infinite while work hangs.
    pub(crate) idle_at: f64,
    pub(crate) slowness: f64,
}

/// A submission whose end was not handed out yet.
pub(crate) struct Pending {
    pub(crate) end: End,
    /// How often `poll` still says no.
    pub(crate) polls: u32,
}

pub(crate) enum End {
    /// It ends at that moment, like that; downloads then land on the host.
    At { moment: f64, result: Result<Completion, Error>, landings: Vec<Landing> },
    /// It does not end within its limit and cannot be stopped.
    Never { limit: Duration },
}

/// What a download brings: where to, and the words, `None` for those never written.
pub(crate) type Landing = (Region, Vec<Option<u32>>);

/// How long a command takes: until it begins, and from then on.
pub(crate) struct Span {
    pub(crate) latency: f64,
    pub(crate) duration: f64,
}

impl State {
    pub(crate) fn new(spec: &Spec) -> Self {
        Self {
            memories: Memories::new(spec.seed, spec.execute),
            kernels: Kernels::default(),
            faults: Faults::default(),
            noise: Noise::new(spec.noise, spec.seed),
            log: Vec::new(),
            counters: Counters::default(),
            undefined: Vec::new(),
            lost: None,
            pending: BTreeMap::new(),
            submissions: 0,
            allocations: 0,
            idle_at: 0.0,
            slowness: 1.0,
        }
    }

    /// Executes checked commands, or finds that they will not end.
    pub(crate) fn execute(&mut self, spec: &Spec, submission: Submission, strike: Option<Strike>) -> End {
        let limit = submission.time_limit.unwrap_or(spec.time_limit);
        let commands = submission.into_commands();
        let events: Vec<Event> = commands.iter().map(|command| self.event(spec, command)).collect();
        let spans: Vec<Span> = events.iter().map(|event| self.span(spec, event)).collect();
        let total: f64 = spans.iter().map(|span| span.latency + span.duration).sum();
        let start = self.idle_at.max(spec.clock.now());
        if start.is_infinite() {
            return End::Never { limit };
        }
        if strike == Some(Strike::Hang) || total > limit.as_secs_f64() {
            if !spec.host_memory() {
                self.idle_at = f64::INFINITY;
                return End::Never { limit };
            }
            self.idle_at = start + limit.as_secs_f64();
            let result = Err(Error::Timeout { device: spec.name.clone(), limit });
            return End::At { moment: self.idle_at, result, landings: Vec::new() };
        }
        self.idle_at = start;
        let (mut completion, mut landings) = (Completion::default(), Vec::new());
        let mut result = Ok(());
        for ((command, event), span) in commands.iter().zip(events).zip(spans) {
            result = self.perform(spec, command, &mut landings);
            let start = self.idle_at;
            self.idle_at += span.latency + span.duration;
            if result.is_err() {
                break;
            }
            if let Command::Dispatch(_) = command {
                let timing = Timing { seconds: span.duration, source: TimingSource::Virtual };
                completion.dispatches.push(timing);
            }
            self.counters.count(&event);
            self.log.push(Entry { submission: self.submissions - 1, event, start, end: self.idle_at });
        }
        if let Some(Strike::Fail(error)) = strike {
            result = Err(error);
        }
        End::At { moment: self.idle_at, result: result.map(|()| completion), landings }
    }

    /// The command as plain data.
    fn event(&self, spec: &Spec, command: &Command) -> Event {
        match command {
            Command::Upload { to, .. } if !spec.host_memory() => Event::Upload { to: to.into() },
            Command::Download { from, .. } if !spec.host_memory() => Event::Download { from: from.into() },
            Command::Upload { from, to } | Command::Download { from, to } | Command::Copy { from, to } => {
                Event::Copy { from: Place::from(from), to: to.into() }
            }
            Command::Fill { to, word } => Event::Fill { to: to.into(), word: *word },
            Command::Dispatch(dispatch) => {
                let interface = self.kernels.get(dispatch.kernel).map(|known| known.kernel.interface());
                Event::Dispatch {
                    kernel: dispatch.kernel,
                    entry: interface.map(|interface| interface.entry.clone()).unwrap_or_default(),
                    grid: dispatch.grid,
                    range: dispatch.range.clone(),
                    work: interface.map(|interface| spec.work(dispatch, interface)).unwrap_or_default(),
                }
            }
        }
    }

    /// How long it takes.
    fn span(&mut self, spec: &Spec, event: &Event) -> Span {
        let memory = |bytes: f64| bytes / spec.bandwidth * self.slowness;
        let (latency, duration) = match (event, spec.link) {
            (Event::Upload { to }, Link::Separate { latency, up, .. }) => (latency, to.size() / up),
            (Event::Download { from }, Link::Separate { latency, down, .. }) => (latency, from.size() / down),
            (Event::Upload { to } | Event::Download { from: to } | Event::Copy { to, .. }, _) => {
                (0.0, memory(2.0 * to.size()))
            }
            (Event::Fill { to, .. }, _) => (0.0, memory(to.size())),
            (Event::Dispatch { work, .. }, _) => {
                let compute = work.operations / spec.compute * self.slowness;
                (spec.launch, compute.max(memory(work.bytes)))
            }
        };
        let noise = self.noise.factor();
        // `max` also takes what is no number, such as 0 bytes at 0 bytes per second, as no time.
        Span { latency: (latency * noise).max(0.0), duration: (duration * noise).max(0.0) }
    }

    /// What a command does to memory.
    fn perform(&mut self, spec: &Spec, command: &Command, landings: &mut Vec<Landing>) -> Result<(), Error> {
        match command {
            Command::Download { from, to } if !spec.host_memory() => {
                self.note_undefined(from, || Reader::Download);
                landings.push((to.clone(), self.memories.read(from)));
            }
            Command::Upload { from, to } | Command::Download { from, to } | Command::Copy { from, to } => {
                let data = self.memories.read(from);
                self.memories.write(to, data);
            }
            Command::Fill { to, word } => self.memories.write(to, std::iter::repeat(Some(*word))),
            Command::Dispatch(dispatch) => self.dispatch(spec, dispatch)?,
        }
        Ok(())
    }

    fn dispatch(&mut self, spec: &Spec, dispatch: &Dispatch) -> Result<(), Error> {
        let Some(kernel) = self.kernels.get(dispatch.kernel).map(|known| known.kernel.clone()) else {
            return Ok(());
        };
        let interface = kernel.interface();
        let regions = || {
            dispatch.arguments.iter().zip(&interface.bindings).filter_map(
                |(argument, binding)| match argument {
                    Argument::Region(region) => Some((region, binding)),
                    Argument::Value(_) => None,
                },
            )
        };
        if dispatch.range.is_empty() {
            return Ok(());
        }
        for (region, binding) in regions().filter(|(_, binding)| binding.access.reads) {
            let reader = || Reader::Kernel { entry: interface.entry.clone(), binding: binding.name.clone() };
            self.note_undefined(region, reader);
        }
        if spec.execute
            && let Some(prepared) = self.kernels.get(dispatch.kernel)
        {
            let dispatch = self.memories.hosted(dispatch);
            // SAFETY: whoever made the submission excluded other access to host memory, ours is under the lock that
            // is held, and overlaps were checked.
            let result = unsafe { prepared.run(&dispatch) };
            let (device, kernel) = (spec.name.clone(), interface.entry.clone());
            result.map_err(|reason| Error::Execution { device, kernel, reason })?;
        }
        for (region, _) in regions().filter(|(_, binding)| binding.access.writes) {
            self.memories.written(region, spec.execute);
        }
        Ok(())
    }

    fn note_undefined(&mut self, region: &Region, reader: impl FnOnce() -> Reader) {
        if let Some((memory, bytes)) = self.memories.undefined(region) {
            let submission = self.submissions - 1;
            self.undefined.push(UndefinedRead { submission, reader: reader(), memory, bytes });
        }
    }
}
