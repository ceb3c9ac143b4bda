//! Loops over prepared launches that stay on the device: time steps, iterations.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytemuck::Pod;

use super::execute::Mode;
use super::in_flight::Launch;
use super::launcher::{Checked, Prepared};
use super::report::Report;
use crate::buffer::{Bindable, Buffer, Part, PendingSnapshot};
use crate::runtime::Inner;
use crate::{Error, Result};

/// Snapshots that may be on their way per [`Steps::every`] before the loop waits for the oldest.
const PENDING: usize = 2;

/// What a callback of [`Steps::every`] wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Submit no further step.
    Stop,
}

/// A loop over prepared launches: see [`Runtime::steps`](crate::Runtime::steps).
///
/// Each step runs the launches and swaps in the order in which they were added. Nothing is read back but what
/// [`every`](Self::every) asks for, and that beside the computation.
#[must_use = "steps do nothing until they are run"]
pub struct Steps<'f> {
    runtime: Arc<Inner>,
    steps: u64,
    actions: Vec<Action>,
    watches: Vec<Watch<'f>>,
    mistake: Option<Error>,
}

enum Action {
    Launch(Arc<Checked>),
    Swap(Part, Part),
}

/// What looks at a buffer every so many steps.
struct Watch<'f> {
    period: u64,
    part: Part,
    pending: VecDeque<(u64, PendingSnapshot)>,
    callback: Callback<'f>,
}

type Callback<'f> = Box<dyn FnMut(u64, PendingSnapshot) -> Result<Flow> + 'f>;

/// What a loop did.
#[derive(Clone, Debug)]
pub struct StepsReport {
    /// Steps that were run.
    pub steps: u64,
    /// Seconds from the first submission to the end of the last step, on the host's clock.
    pub elapsed_seconds: f64,
    /// Seconds of compilation.
    pub compile_seconds: f64,
    /// Bytes moved from the host to devices.
    pub uploaded_bytes: u64,
    /// Bytes moved from devices to the host.
    pub downloaded_bytes: u64,
    /// The last run of each launch, in the order in which they were added.
    pub launches: Vec<Report>,
}

impl<'f> Steps<'f> {
    pub(crate) fn new(runtime: Arc<Inner>, steps: u64) -> Self {
        Self { runtime, steps, actions: Vec::new(), watches: Vec::new(), mistake: None }
    }

    /// Keeps the first mistake, to be returned when the loop is run.
    fn mistake(&mut self, reason: String) {
        self.mistake.get_or_insert(Error::Buffer(reason));
    }

    /// Adds a launch to every step.
    pub fn then(mut self, launch: &Prepared) -> Self {
        if !Arc::ptr_eq(&launch.checked.kernel.runtime, &self.runtime) {
            self.mistake = Some(Error::Buffer("a launch of another runtime was added to the steps".into()));
        }
        self.actions.push(Action::Launch(launch.checked.clone()));
        self
    }

    /// Swaps the contents of two buffers in every step: after a step that wrote `b` from `a`, `a` is the new field.
    ///
    /// Nothing is copied. The buffers must be whole and of equal size.
    pub fn swap(mut self, a: &impl Bindable, b: &impl Bindable) -> Self {
        let (a, b) = (a.bound().0, b.bound().0);
        let here = |part: &Part| Arc::ptr_eq(&part.handle.runtime, &self.runtime);
        let alike = a.bytes == b.bytes && a.element == b.element;
        if !here(&a) || !here(&b) {
            self.mistake("a buffer of another runtime cannot be swapped".into());
        } else if !a.whole || !b.whole || !alike {
            self.mistake(format!(
                "only whole buffers of one type and size can be swapped: {} bytes of {} and {} bytes of {}",
                a.bytes, a.element.name, b.bytes, b.element.name
            ));
        }
        self.actions.push(Action::Swap(a, b));
        self
    }

    /// Reads a buffer after every `period` steps and gives the callback the number of steps done and the elements.
    ///
    /// The steps go on meanwhile: when the callback stops the loop, a few further steps may have run. An error of
    /// the callback ends the loop and is returned.
    pub fn every<T: Pod>(
        self,
        period: u64,
        buffer: &Buffer<T>,
        mut callback: impl FnMut(u64, &[T]) -> Result<Flow> + 'f,
    ) -> Self {
        self.watch(period, buffer, move |step, snapshot| callback(step, &snapshot.wait::<T>()?))
    }

    /// Like [`every`](Self::every), for a buffer whose element type is known at run time only.
    pub fn every_bytes(
        self,
        period: u64,
        buffer: &impl Bindable,
        mut callback: impl FnMut(u64, &[u8]) -> Result<Flow> + 'f,
    ) -> Self {
        self.watch(period, buffer, move |step, snapshot| callback(step, &snapshot.wait::<u8>()?))
    }

    fn watch(
        mut self,
        period: u64,
        buffer: &impl Bindable,
        callback: impl FnMut(u64, PendingSnapshot) -> Result<Flow> + 'f,
    ) -> Self {
        if period == 0 {
            self.mistake("a buffer cannot be read every 0 steps".into());
        }
        let part = buffer.bound().0;
        self.watches.push(Watch { period, part, pending: VecDeque::new(), callback: Box::new(callback) });
        self
    }

    /// Runs the steps and waits for the last.
    ///
    /// # Errors
    /// When a launch cannot be placed or fails, or a callback returns an error.
    pub fn run(mut self) -> Result<StepsReport> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let started = Instant::now();
        let mut last: Vec<Option<Launch>> = self.actions.iter().map(|_| None).collect();
        let mut totals = (0.0, 0, 0);
        let mut done = 0;
        'steps: for step in 1..=self.steps {
            for (action, last) in self.actions.iter().zip(&mut last) {
                match action {
                    Action::Swap(a, b) => self.runtime.swap(a.handle.key, b.handle.key),
                    Action::Launch(checked) => {
                        let launch = checked.start(Mode::Submit)?;
                        totals.0 += launch.compile_seconds;
                        totals.1 += launch.uploaded_bytes;
                        totals.2 += launch.downloaded_bytes;
                        *last = Some(launch);
                    }
                }
            }
            done = step;
            for watch in &mut self.watches {
                if step % watch.period == 0 {
                    watch.pending.push_back((step, watch.part.read_later()?));
                }
                if watch.deliver(PENDING)? == Flow::Stop {
                    break 'steps;
                }
            }
        }
        for watch in &mut self.watches {
            watch.deliver(0)?;
        }
        let launches = last.into_iter().flatten().map(Launch::wait).collect::<Result<_>>()?;
        Ok(StepsReport {
            steps: done,
            elapsed_seconds: started.elapsed().as_secs_f64(),
            compile_seconds: totals.0,
            uploaded_bytes: totals.1,
            downloaded_bytes: totals.2,
            launches,
        })
    }
}

impl Watch<'_> {
    /// Calls back with what has arrived, and waits where more than `most` are still on their way.
    fn deliver(&mut self, most: usize) -> Result<Flow> {
        while let Some((_, snapshot)) = self.pending.front() {
            if self.pending.len() <= most && !snapshot.is_ready() {
                break;
            }
            if let Some((step, snapshot)) = self.pending.pop_front()
                && (self.callback)(step, snapshot)? == Flow::Stop
            {
                self.pending.clear();
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }
}
