//! [`Fake`]: the contract of a device, with submissions and fences, under one lock.
//!
//! Knows neither what the contract forbids nor what commands do.

use parking_lot::Mutex;
use warpweft_hal::{
    Command, Completion, Device, DeviceInfo, Error, Fence, KernelId, Loaded, MemoryId, Program, Submission,
    Submitted, obstacles,
};

use crate::Spec;
use crate::check::Contract;
use crate::clock::Clock;
use crate::execute::{End, Pending, State};
use crate::faults::Strike;
use crate::log::{Counters, Entry, UndefinedRead};

/// A deterministic device; see the [crate's documentation](crate).
///
/// A timing is the virtual time of the dispatch without its launch latency, as a GPU's timestamps would say. Faults
/// are set for the n-th allocation or submission from now on, the next one being number 0.
pub struct Fake {
    info: DeviceInfo,
    spec: Spec,
    state: Mutex<State>,
}

impl Fake {
    /// The device that the spec describes.
    pub fn new(spec: Spec) -> Self {
        let state = Mutex::new(State::new(&spec));
        Self { info: spec.info(), spec, state }
    }

    /// Its clock, perhaps shared with other devices.
    pub fn clock(&self) -> &Clock {
        &self.spec.clock
    }

    /// Every command that was executed, in order.
    pub fn log(&self) -> Vec<Entry> {
        self.state.lock().log.clone()
    }

    /// Everything that was done, in numbers.
    pub fn counters(&self) -> Counters {
        let state = self.state.lock();
        let (allocated_bytes, peak_bytes) = (state.memories.allocated, state.memories.peak);
        Counters { allocated_bytes, peak_bytes, submissions: state.submissions, ..state.counters }
    }

    /// Reads of words that were never written since their allocation, as far as is known: a download's exactly; a
    /// kernel may have read any word of a binding that it reads, and wrote those that changed (all words of what it
    /// writes, where kernels are not executed).
    pub fn reads_of_undefined(&self) -> Vec<UndefinedRead> {
        self.state.lock().undefined.clone()
    }

    /// From now on dispatches, copies and fills take `factor` times what the spec says.
    pub fn slow_down(&self, factor: f64) {
        self.state.lock().slowness = factor;
    }

    /// The n-th allocation from now finds no memory.
    pub fn fail_allocation(&self, n: u64) {
        let mut state = self.state.lock();
        let number = state.allocations + n;
        state.faults.allocations.insert(number);
    }

    /// The n-th submission from now is refused with this error, and not executed.
    pub fn fail_submission(&self, n: u64, error: Error) {
        self.strike(n, Strike::Refuse(error));
    }

    /// The n-th submission from now is executed, but ends with this error, and its downloads never land.
    pub fn fail_wait(&self, n: u64, error: Error) {
        self.strike(n, Strike::Fail(error));
    }

    /// The n-th submission from now never ends: waiting for it, or for a later one, is a timeout and loses the
    /// device. A device whose memory is the host's can stop its work, and goes on after the timeout.
    pub fn hang(&self, n: u64) {
        self.strike(n, Strike::Hang);
    }

    /// The device is lost at the n-th submission from now.
    pub fn lose_at(&self, n: u64) {
        let (device, reason) = (self.spec.name.clone(), "on demand".into());
        self.strike(n, Strike::Refuse(Error::Lost { device, reason }));
    }

    /// The device is lost now, with everything in flight.
    pub fn lose(&self) {
        self.state.lock().lost = Some("on demand".into());
    }

    fn strike(&self, n: u64, strike: Strike) {
        let mut state = self.state.lock();
        let number = state.submissions + n;
        state.faults.submissions.insert(number, strike);
    }

    fn internal(&self, reason: String) -> Error {
        Error::Internal { device: self.spec.name.clone(), reason }
    }

    fn alive(&self, state: &State) -> Result<(), Error> {
        match &state.lost {
            None => Ok(()),
            Some(reason) => Err(Error::Lost { device: self.spec.name.clone(), reason: reason.clone() }),
        }
    }

    /// Passes an error on; a loss is remembered.
    fn note(&self, state: &mut State, error: Error) -> Error {
        if let Error::Lost { reason, .. } = &error {
            state.lost = Some(reason.clone());
        }
        error
    }

    /// Everything that a list of commands does wrong first.
    fn check(&self, state: &State, commands: &[Command]) -> Result<(), Error> {
        let landings = state.pending.values().flat_map(|pending| match &pending.end {
            End::At { landings, .. } => landings.as_slice(),
            End::Never { .. } => &[],
        });
        let mut contract = Contract {
            spec: &self.spec,
            memories: &state.memories,
            kernels: &state.kernels,
            awaited: landings.map(|(to, _)| to).collect(),
        };
        for (i, command) in commands.iter().enumerate() {
            contract.command(command).map_err(|why| self.internal(format!("command {i}: {why}")))?;
            if let Command::Download { to, .. } = command
                && !self.spec.host_memory()
            {
                contract.awaited.push(to);
            }
        }
        Ok(())
    }

    /// The end of a submission, once.
    fn hand_out(&self, state: &mut State, fence: Fence) -> Result<Completion, Error> {
        let Some(pending) = state.pending.remove(&fence) else {
            return Err(self.internal(format!("fence {} is unknown or was handed out already", fence.0)));
        };
        self.finish(state, pending.end)
    }

    /// Hands out the end of a submission.
    fn finish(&self, state: &mut State, end: End) -> Result<Completion, Error> {
        match end {
            End::Never { limit } => {
                self.clock().advance(limit.as_secs_f64());
                state.lost = Some(format!("its work did not end within {limit:?}"));
                Err(Error::Timeout { device: self.spec.name.clone(), limit })
            }
            End::At { moment, result, landings } => {
                self.clock().advance_to(moment);
                let completion = result.map_err(|error| self.note(state, error))?;
                for (to, data) in landings {
                    state.memories.write(&to, data);
                }
                Ok(completion)
            }
        }
    }
}

// SAFETY: commands are executed within `submit`, and downloads land within `poll` or `wait`, before the fence is done;
// only targets, and arguments that the kernel writes, are written.
unsafe impl Device for Fake {
    fn lost(&self) -> Option<Error> {
        self.alive(&self.state.lock()).err()
    }

    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn load(&self, program: &Program) -> Result<Loaded, Error> {
        let mut state = self.state.lock();
        self.alive(&state)?;
        let interface = program.kernel.interface();
        if let Some(obstacle) = obstacles(&self.info, interface).first() {
            return Err(self
                .internal(format!("`{}` was loaded in spite of an obstacle: {obstacle}", interface.entry)));
        }
        let (kernel, path, new) = state.kernels.load(program, self.spec.execute).map_err(|reason| {
            Error::Compile { device: self.spec.name.clone(), kernel: interface.entry.clone(), reason }
        })?;
        let seconds = if new { self.spec.compile } else { 0.0 };
        state.counters.compilations += u64::from(new);
        self.clock().advance(seconds);
        Ok(Loaded { kernel, path, seconds, note: None })
    }

    fn unload(&self, kernel: KernelId) {
        self.state.lock().kernels.unload(kernel);
    }

    fn allocate(&self, bytes: u64) -> Result<MemoryId, Error> {
        let mut state = self.state.lock();
        self.alive(&state)?;
        if self.spec.host_memory() {
            return Err(self.internal("its memory is host memory: there is nothing to allocate".into()));
        }
        if bytes == 0 || !bytes.is_multiple_of(4) {
            return Err(
                self.internal(format!("an allocation of {bytes} bytes: not a multiple of 4 above zero"))
            );
        }
        let (device, limits) = (self.spec.name.clone(), &self.spec.limits);
        if bytes > limits.allocation {
            let what = "the size of an allocation in bytes".into();
            return Err(Error::Limit { device, what, value: bytes, limit: limits.allocation });
        }
        let number = state.allocations;
        state.allocations += 1;
        let free = limits.memory.map(|all| all.saturating_sub(state.memories.allocated));
        let fits = free.is_none_or(|free| bytes <= free) && !state.faults.allocation(number);
        let memory = if fits { state.memories.allocate(bytes) } else { None };
        let memory = memory.ok_or(Error::OutOfMemory { device, requested: bytes, free })?;
        state.counters.allocations += 1;
        Ok(memory)
    }

    fn free(&self, memory: MemoryId) {
        self.state.lock().memories.free(memory);
    }

    fn submit(&self, submission: Submission) -> Result<Submitted, Error> {
        let state = &mut *self.state.lock();
        self.alive(state)?;
        let number = state.submissions;
        state.submissions += 1;
        self.check(state, submission.commands())?;
        let strike = match state.faults.submission(number) {
            Some(Strike::Refuse(error)) => return Err(self.note(state, error)),
            strike => strike,
        };
        let end = state.execute(&self.spec, submission, strike);
        if self.spec.asynchronous {
            let fence = Fence(number);
            state.pending.insert(fence, Pending { end, polls: self.spec.polls });
            return Ok(Submitted::Pending(fence));
        }
        self.finish(state, end).map(Submitted::Done)
    }

    fn poll(&self, fence: Fence) -> Result<Option<Completion>, Error> {
        let state = &mut *self.state.lock();
        self.alive(state)?;
        match state.pending.get_mut(&fence) {
            Some(Pending { polls, .. }) if *polls > 0 => {
                *polls -= 1;
                return Ok(None);
            }
            Some(Pending { end: End::Never { .. }, .. }) => return Ok(None),
            _ => {}
        }
        self.hand_out(state, fence).map(Some)
    }

    fn wait(&self, fence: Fence) -> Result<Completion, Error> {
        let state = &mut *self.state.lock();
        self.alive(state)?;
        self.hand_out(state, fence)
    }
}
