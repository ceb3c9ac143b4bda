//! A sequence of launches on a machine: keeps residency and compiled kernels, runs policies, and charges them everything.
//!
//! Does not judge: scores come from [`crate::score`].
//!
//! What is *charged* is the typical time of everything that was done; what a policy is *told* is that time with noise.
//! Noise strikes every choice alike and comes after it, so charging its expectation changes no comparison and takes
//! luck out of the figures: an oracle that had to foresee noise would be beyond reach, one that did not could be beaten.

use std::ops::Range;

use thiserror::Error;

use crate::policy::{Candidate, Decision, Measurement, Policy, Request};
use crate::residency::{Move, Residency};
use crate::roofline;
use crate::suite::{Kernel, SUITE};
use crate::truth::{Measured, Truth};

/// Who else touches the data of launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Nobody: a kernel is iterated on its data.
    Undisturbed,
    /// Before each launch the inputs are produced at a location, and after it the outputs are needed there.
    At(usize),
}

/// One launch of the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The kernel's number.
    pub kernel: usize,
    /// Which of its data sets: an index into [`World::sizes`].
    pub data: usize,
}

/// A machine, its hidden reality, and launches to come.
///
/// Its methods panic where steps name kernels, data sets or locations that there are not.
#[derive(Clone, Debug)]
pub struct World {
    /// What launches really take.
    pub truth: Truth,
    /// Every kernel has one data set per entry: which of its typical sizes it has.
    pub sizes: Vec<usize>,
    /// Where data sets are at first.
    pub home: usize,
    /// Who else touches them.
    pub traffic: Traffic,
    /// The launches, in order.
    pub steps: Vec<Step>,
}

/// All that the launches of one kernel leave behind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    compiled: Vec<bool>,
    data: Vec<Residency>,
}

/// Typical seconds, by what they were spent on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Charge {
    /// Moves before execution.
    pub transfer: f64,
    /// Compilation.
    pub compile: f64,
    /// Launch latency.
    pub launch: f64,
    /// Execution.
    pub execution: f64,
    /// Moves after execution.
    pub delivery: f64,
}

impl Charge {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.transfer + self.compile + self.launch + self.execution + self.delivery
    }

    fn add(&mut self, other: Self) {
        self.transfer += other.transfer;
        self.compile += other.compile;
        self.launch += other.launch;
        self.execution += other.execution;
        self.delivery += other.delivery;
    }
}

/// What one launch came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What the policy found.
    pub before: State,
    /// Where the launch, or what slices left of it, ran.
    pub device: usize,
    /// How many slices ran first.
    pub slices: usize,
    /// What it was charged.
    pub charge: Charge,
}

/// An answer that no device could carry out.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// There is no such device.
    #[error("there is no device {device}: the machine has {devices}")]
    NoSuchDevice {
        /// The device that was asked for.
        device: usize,
        /// How many there are.
        devices: usize,
    },
    /// The kernel cannot be sliced.
    #[error("kernel `{kernel}` cannot be run in slices: {reason}")]
    NotSliceable {
        /// The kernel.
        kernel: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A slice is empty or leaves nothing.
    #[error("a slice of {items} items where {remaining} remain: it must be at least 1 and leave some")]
    SliceSize {
        /// The slice's items.
        items: u64,
        /// How many remained.
        remaining: u64,
    },
}

impl World {
    /// The kernel of a step.
    pub fn kernel(&self, step: Step) -> &'static Kernel {
        &SUITE[step.kernel]
    }

    /// The size of a step's data.
    pub fn size(&self, step: Step) -> u64 {
        self.kernel(step).sizes[self.sizes[step.data]]
    }

    /// What a kernel finds before its first launch.
    pub fn initial(&self, kernel: usize) -> State {
        let devices = self.truth.machine().devices.len();
        let data = self.sizes.iter().map(|size| {
            let kernel = &SUITE[kernel];
            Residency::new(kernel, kernel.sizes[*size], devices, self.home)
        });
        State { compiled: vec![false; devices], data: data.collect() }
    }

    /// The launches of one kernel: their places in the sequence.
    pub fn chain(&self, kernel: usize) -> Vec<usize> {
        (0..self.steps.len()).filter(|at| self.steps[*at].kernel == kernel).collect()
    }

    /// Runs the whole sequence under a policy.
    ///
    /// # Errors
    /// When the policy asks for something that cannot be done.
    ///
    /// ```
    /// use warpweft_evaluation::{Fleet, Prescribed, Setting};
    /// let (world, _) = Setting::Cold.worlds(&Fleet::named(1, 7)).remove(0);
    /// let records = world.run(&mut Prescribed::always(0)).unwrap();
    /// assert!(records.iter().all(|r| r.charge.transfer == 0.0)); // the CPU works on the host's memory
    /// ```
    pub fn run(&self, policy: &mut dyn Policy) -> Result<Vec<Record>, Refused> {
        let mut states: Vec<State> = (0..SUITE.len()).map(|kernel| self.initial(kernel)).collect();
        let mut seen = vec![vec![false; self.sizes.len()]; SUITE.len()];
        let launch = |at: usize| {
            let Step { kernel, data } = self.steps[at];
            let again = std::mem::replace(&mut seen[kernel][data], true);
            self.launch(at, again, &mut states[kernel], policy)
        };
        (0..self.steps.len()).map(launch).collect()
    }

    /// Runs one launch; `again` if it is not the first of its kernel on its data.
    fn launch(
        &self,
        at: usize,
        again: bool,
        state: &mut State,
        policy: &mut dyn Policy,
    ) -> Result<Record, Refused> {
        let step = self.steps[at];
        let (kernel, items) = (self.kernel(step), self.size(step));
        let mut record = Record { before: state.clone(), device: 0, slices: 0, charge: Charge::default() };
        self.begin(step, state);
        let mut done = 0;
        loop {
            let candidates = self.candidates(step, again, state, &(done..items));
            let remaining = items - done;
            let sliceable = kernel.sliceable();
            let replaced = again.then_some(self.traffic != Traffic::Undisturbed);
            let request = Request {
                kernel: step.kernel,
                size: items,
                items,
                remaining,
                sliceable,
                replaced,
                candidates: &candidates,
            };
            let decision = policy.decide(&request);
            let (device, end) = match decision {
                Decision::Run { device } => (device, items),
                Decision::Slice { device, items: some } => {
                    if let crate::suite::Slicing::Whole(reason) = kernel.slicing {
                        return Err(Refused::NotSliceable { kernel: kernel.name, reason });
                    }
                    if some == 0 || some >= remaining {
                        return Err(Refused::SliceSize { items: some, remaining });
                    }
                    (device, done + some)
                }
            };
            if device >= candidates.len() {
                return Err(Refused::NoSuchDevice { device, devices: candidates.len() });
            }
            let charge = self.piece(at, state, device, &(done..end));
            let luck = |what, extra| self.truth.noise(at, record.slices, device, what, extra);
            let partial = end - done < items;
            let unlike = if partial { kernel.irregularity } else { 0.0 };
            let measurement = Measurement {
                device,
                items: end - done,
                transfer: charge.transfer * luck(Measured::Transfer, 0.0),
                compile: charge.compile * luck(Measured::Compilation, 0.0),
                execution: charge.execution * luck(Measured::Execution, unlike),
            };
            record.charge.add(charge);
            record.device = device;
            policy.measured(&request, &measurement);
            done = end;
            if let Decision::Run { .. } = decision {
                break;
            }
            record.slices += 1;
        }
        let delivery = self.end(step, state);
        record.charge.delivery += delivery;
        if delivery > 0.0 {
            let seconds =
                delivery * self.truth.noise(at, record.slices, record.device, Measured::Delivery, 0.0);
            policy.delivered(step.kernel, items, record.device, seconds);
        }
        Ok(record)
    }

    /// The charge of a launch that runs whole on a device.
    pub fn whole(&self, at: usize, state: &mut State, device: usize) -> Charge {
        let step = self.steps[at];
        self.begin(step, state);
        let mut charge = self.piece(at, state, device, &(0..self.size(step)));
        charge.delivery = self.end(step, state);
        charge
    }

    /// What others do before a launch.
    fn begin(&self, step: Step, state: &mut State) {
        if let Traffic::At(location) = self.traffic {
            state.data[step.data].refresh(self.kernel(step), location);
        }
    }

    /// Runs a range of a launch's items.
    fn piece(&self, at: usize, state: &mut State, device: usize, range: &Range<u64>) -> Charge {
        let step = self.steps[at];
        let (kernel, size) = (self.kernel(step), self.size(step));
        let described = &self.truth.machine().devices[device];
        let location = self.truth.machine().location(device);
        let data = &mut state.data[step.data];
        let mut moves = Vec::new();
        data.fetch(kernel, location, range, &mut moves);
        data.write(kernel, location, range);
        let compile = if state.compiled[device] { 0.0 } else { described.compile };
        state.compiled[device] = true;
        let execution = self.truth.execution(step.kernel, kernel, size, device, range.end - range.start, at);
        Charge { transfer: self.price(&moves), compile, launch: described.launch, execution, delivery: 0.0 }
    }

    /// What others do after a launch; seconds.
    fn end(&self, step: Step, state: &mut State) -> f64 {
        let kernel = self.kernel(step);
        let data = &mut state.data[step.data];
        let mut moves = Vec::new();
        match self.traffic {
            Traffic::Undisturbed if kernel.swaps => data.swap(),
            Traffic::Undisturbed => {}
            Traffic::At(location) => data.deliver(kernel, location, &mut moves),
        }
        self.price(&moves)
    }

    /// Seconds that moves take, one after the other.
    fn price(&self, moves: &[Move]) -> f64 {
        let seconds = |one: &Move| {
            let link = self.truth.machine().devices[one.device].link;
            link.map_or(0.0, |link| if one.up { link.up } else { link.down }.seconds(one.bytes))
        };
        moves.iter().map(seconds).sum()
    }

    /// What a policy may know of the devices before the rest of a launch.
    fn candidates(&self, step: Step, again: bool, state: &State, rest: &Range<u64>) -> Vec<Candidate> {
        let (kernel, size) = (self.kernel(step), self.size(step));
        let machine = self.truth.machine();
        let moved = |location: usize, range: &Range<u64>| {
            let mut moves = Vec::new();
            state.data[step.data].clone().fetch(kernel, location, range, &mut moves);
            (moves.iter().map(|one| one.bytes).sum::<f64>(), self.price(&moves))
        };
        let candidate = |(device, described): (usize, &crate::machine::Device)| {
            let location = machine.location(device);
            let (missing, transfer) = moved(location, rest);
            let (_, entrance) = moved(location, &(rest.start..rest.end.min(rest.start + 1)));
            let compile = if state.compiled[device] { 0.0 } else { described.compile };
            let execution = roofline::execution(described, kernel, size);
            let delivery = match self.traffic {
                Traffic::At(needed) if again => {
                    let (mut after, mut moves) = (state.data[step.data].clone(), Vec::new());
                    after.write(kernel, location, rest);
                    after.deliver(kernel, needed, &mut moves);
                    self.price(&moves)
                }
                _ => 0.0,
            };
            let (fill, launch) = (described.fill, described.launch);
            Candidate { execution, fill, launch, compile, missing, transfer, entrance, delivery }
        };
        machine.devices.iter().enumerate().map(candidate).collect()
    }
}
