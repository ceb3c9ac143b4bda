//! The contract of a placement policy: what it may know of a launch, what it answers, and what it is told afterwards.
//!
//! Nothing in here comes from the hidden reality but measured times.

/// What a policy may know of a launch before it decides, and again between its slices.
///
/// How often the launch will be repeated is never known. Who touches its data is known only from the past, as a runtime knows it
/// whose buffers are read and written through it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request<'a> {
    /// The kernel's number: the same kernel has the same number.
    pub kernel: usize,
    /// The launch's size in elements.
    pub size: u64,
    /// Items of work in the whole launch; a slice is some of them.
    pub items: u64,
    /// Items that are still to be run: all but those of the slices so far.
    pub remaining: u64,
    /// May be run in slices.
    pub sliceable: bool,
    /// Whether others have replaced its inputs since the kernel's last launch on these data; `None` before the first.
    pub replaced: Option<bool>,
    /// What the devices offer; device 0 is the CPU.
    pub candidates: &'a [Candidate],
}

/// What a policy may know of a device before a launch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Seconds that the whole launch executes, as the static model says; latency excluded.
    pub execution: f64,
    /// Fewer items than this take as long as this many (see [`crate::roofline::part`]).
    pub fill: u64,
    /// Seconds of latency per launch or slice.
    pub launch: f64,
    /// Seconds that compilation will take first: 0 once compiled.
    pub compile: f64,
    /// Bytes that must be moved before all that remains can run here.
    pub missing: f64,
    /// Seconds that those moves should take.
    pub transfer: f64,
    /// Seconds that the moves before even the smallest slice should take.
    pub entrance: f64,
    /// Seconds that it should take to bring the results from here to where the last launch's were needed: 0 before the first
    /// launch on these data, and where nobody needed them.
    pub delivery: f64,
}

impl Candidate {
    /// Seconds until the rest of the launch is done here, delivery apart, if its execution takes `factor` times what the static
    /// model says.
    pub fn finish(&self, request: &Request<'_>, factor: f64) -> f64 {
        self.transfer + self.compile + self.launch + factor * self.part(request, request.remaining)
    }

    /// Seconds that so many items execute here, as the static model says.
    pub fn part(&self, request: &Request<'_>, items: u64) -> f64 {
        self.execution * items.max(self.fill) as f64 / request.items.max(self.fill).max(1) as f64
    }
}

/// A policy's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Runs all that remains on a device.
    Run {
        /// Which.
        device: usize,
    },
    /// Runs the next items on a device; the policy is told the time and asked again.
    Slice {
        /// Which.
        device: usize,
        /// How many items: at least one, and fewer than remain.
        items: u64,
    },
}

/// What running a launch, or a slice of it, took: seconds on clocks that are not perfect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Where it ran.
    pub device: usize,
    /// How many items it ran.
    pub items: u64,
    /// The moves before it.
    pub transfer: f64,
    /// The compilation before it.
    pub compile: f64,
    /// The execution, without latency.
    pub execution: f64,
}

/// Decides where launches run.
pub trait Policy {
    /// Decides; called until it answers [`Decision::Run`].
    fn decide(&mut self, request: &Request<'_>) -> Decision;

    /// Is told what the slice or launch that it asked for took; `request` is the one it was asked with.
    fn measured(&mut self, request: &Request<'_>, measurement: &Measurement);

    /// Is told that the results of the last launch of a kernel were brought from `device` to where they are needed.
    fn delivered(&mut self, kernel: usize, size: u64, device: usize, seconds: f64) {
        let _ = (kernel, size, device, seconds);
    }
}
