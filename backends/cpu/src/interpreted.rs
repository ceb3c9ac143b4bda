//! A dispatch through the interpreter, workgroups shared among threads.
//!
//! Knows nothing of what the kernel does. The first failure in the order of workgroups is the one reported, whatever
//! the number of threads: workgroups after it stop, those before it run on and may fail earlier.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;
use warpweft_hal::{Argument, Dispatch, Memory};
use warpweft_interpreter::{self as interpreter, Fault, Scratch};

use crate::crew::{Crew, Parts, Work};
use crate::deadline::Deadline;
use crate::kernels::{Code, Prepared};
use crate::native::panic_message;

/// Operations and words below which a launch stays on the calling thread: some 40 µs of interpretation, several times
/// what waking another thread takes (`benches/launch.rs`).
const INLINE: f64 = (1 << 15) as f64;

/// Operations and words that make a part: long enough that taking it from the counter is nothing.
const PART: f64 = (1 << 14) as f64;

/// Parts per thread at least, so that uneven workgroups still spread.
const PARTS_PER_THREAD: u64 = 8;

/// Why a launch failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The kernel's fault, in words.
    Fault(String),
    /// It did not end in time.
    TimedOut,
}

/// Working memory of the interpreter, kept between launches: one per thread that was ever at work at once.
#[derive(Default)]
pub(crate) struct Scratches {
    free: Mutex<Vec<Scratch>>,
}

impl Scratches {
    fn take(&self) -> Scratch {
        self.free.lock().pop().unwrap_or_default()
    }

    fn put(&self, scratch: Scratch) {
        self.free.lock().push(scratch);
    }

    /// Gives back what is kept.
    pub(crate) fn trim(&self) {
        self.free.lock().clear();
    }
}

/// A dispatch that is being interpreted.
pub(crate) struct Launch {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) dispatch: Dispatch,
    pub(crate) subgroup_size: u32,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) scratches: Arc<Scratches>,
    /// The uniforms that came by value, one after the other.
    values: Vec<AtomicU32>,
    /// The failed workgroup that comes first, `u64::MAX` while there is none.
    first: AtomicU64,
    failure: Mutex<Option<(u64, Failure)>>,
}

impl Launch {
    /// A launch of a checked dispatch.
    pub(crate) fn new(
        prepared: Arc<Prepared>,
        dispatch: Dispatch,
        subgroup_size: u32,
        deadline: Option<Deadline>,
        scratches: Arc<Scratches>,
    ) -> Self {
        let mut values = Vec::new();
        for argument in &dispatch.arguments {
            if let Argument::Value(bytes) = argument {
                let words = bytes.chunks_exact(4).map(|b| u32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
                values.extend(words.map(AtomicU32::new));
            }
        }
        let (first, failure) = (AtomicU64::new(u64::MAX), Mutex::new(None));
        Self { prepared, dispatch, subgroup_size, deadline, scratches, values, first, failure }
    }

    /// Runs every workgroup of the range; `work` is an estimate of all operations and words.
    pub(crate) fn execute(self, crew: &Crew, work: f64) -> Result<(), Failure> {
        let range = self.dispatch.range.clone();
        let count = range.end - range.start;
        let failure = if count == 1 || work < INLINE || crew.threads() == 1 {
            self.run(range);
            self.failure.into_inner()
        } else {
            let by_work = (PART / (work / count as f64)) as u64;
            let by_threads = count / (crew.threads() as u64 * PARTS_PER_THREAD);
            let launch = Arc::new(self);
            let parts = Parts { least: by_work.min(by_threads), per_thread: PARTS_PER_THREAD, grain: 1 };
            crew.share(launch.clone(), range, parts);
            launch.failure.lock().take()
        };
        failure.map_or(Ok(()), |(_, failure)| Err(failure))
    }

    /// What the kernel's bindings see.
    fn bindings(&self) -> SmallVec<[interpreter::Memory<'_>; 8]> {
        let mut values = &self.values[..];
        let mut bindings = SmallVec::new();
        for argument in &self.dispatch.arguments {
            let (words, bytes) = match argument {
                Argument::Value(bytes) => (values.split_off(..bytes.len() / 4), bytes.len() as u64),
                Argument::Region(region) => match &region.memory {
                    Memory::Host(block) => {
                        let (start, end) = (region.offset / 4, (region.offset + region.size) / 4);
                        (block.words().get(start as usize..end as usize), region.size)
                    }
                    Memory::Device(_) => (None, 0),
                },
            };
            // The arguments were checked: `None` does not occur, and would be memory without a word.
            bindings.push(interpreter::Memory::new(words.unwrap_or_default(), bytes));
        }
        bindings
    }

    /// The workgroup need not run on: an earlier one failed, or the time is over.
    fn stops(&self, linear: u64) -> bool {
        self.first.load(Ordering::Relaxed) < linear || self.deadline.is_some_and(|d| d.has_passed())
    }

    fn fail(&self, linear: u64, failure: Failure) {
        let mut held = self.failure.lock();
        if held.as_ref().is_none_or(|(first, _)| linear < *first) {
            *held = Some((linear, failure));
            self.first.store(linear, Ordering::Relaxed);
        }
    }

    /// Runs one workgroup.
    fn workgroup(&self, bindings: &[interpreter::Memory<'_>], linear: u64, scratch: &mut Scratch) {
        let Code::Interpreted(program) = &self.prepared.code else {
            unreachable!("native code runs in native.rs")
        };
        let hal = self.dispatch.grid;
        let cancelled = || self.stops(linear);
        let launch = interpreter::Launch {
            bindings,
            grid: interpreter::Grid { workgroups: hal.workgroups, over: hal.over },
            subgroup_size: self.subgroup_size,
            cancelled: &cancelled,
        };
        match catch_unwind(AssertUnwindSafe(|| program.run_workgroup(&launch, linear, scratch))) {
            Ok(Ok(())) => {}
            // Cancelled for an earlier workgroup's sake, which says why.
            Ok(Err(Fault::Cancelled { .. })) if self.first.load(Ordering::Relaxed) < linear => {}
            Ok(Err(Fault::Cancelled { .. })) => self.fail(linear, Failure::TimedOut),
            Ok(Err(fault)) => self.fail(linear, Failure::Fault(fault.to_string())),
            Err(panic) => {
                *scratch = Scratch::default();
                self.fail(linear, Failure::Fault(format!("the interpreter: {}", panic_message(panic))));
            }
        }
    }
}

impl Work for Launch {
    fn run(&self, items: Range<u64>) -> bool {
        let bindings = self.bindings();
        let mut scratch = self.scratches.take();
        for linear in items {
            if self.deadline.is_some_and(|d| d.has_passed()) {
                self.fail(linear, Failure::TimedOut);
            }
            if self.first.load(Ordering::Relaxed) <= linear {
                break;
            }
            self.workgroup(&bindings, linear, &mut scratch);
        }
        self.scratches.put(scratch);
        self.first.load(Ordering::Relaxed) == u64::MAX
    }
}
