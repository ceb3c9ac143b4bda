//! A dispatch through compiled code, workgroups shared among threads.
//!
//! Knows nothing of what the code does. Running again what ran before allocates nothing on the calling thread alone; what
//! is shared costs as many small allocations as threads are asked for help.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use smallvec::SmallVec;
use warpweft_compiler::{Arguments, Bound, Outcome};
use warpweft_hal::{Argument, Dispatch, Memory};
use warpweft_interpreter::MOST_BINDING_BYTES;
use warpweft_module::Interface;

use crate::code::Code;
use crate::crew::{Crew, Parts, Work};
use crate::deadline::Deadline;
use crate::interpreted::Failure;
use crate::memory::Memories;
use crate::watchdog::{Watch, Watchdog};

/// Operations and words, for each lane of a gang, below which a launch stays on the calling thread. Seen on two threads
/// of a Zen 5: sharing pays from 0.4 million of them on where memory is read once (saxpy, 7 µs) and from one million
/// where numbers stay in registers (5 µs), in gangs of 32 lanes; one lane is that much slower.
const INLINE: f64 = (1 << 15) as f64;

/// Operations and words that make a part: long enough that taking it from the counter is nothing.
const PART: f64 = (1 << 16) as f64;

/// Parts per thread at least, so that uneven workgroups still spread.
const PARTS_PER_THREAD: u64 = 8;

/// Parts of what is left, per thread: the fewer, the longer the strides in which a thread goes through memory; the more,
/// the better workgroups spread that take different times.
const EVEN: u64 = 4;
const UNEVEN: u64 = 16;

/// How much more a kernel may do than its static cost says, where the data decides how often a loop runs: two such loops
/// of 64 rounds each, which the static cost takes for 16.
const UNKNOWN: f64 = 16.0;

/// Who stops a launch without a time limit: nobody.
static NEVER: AtomicU32 = AtomicU32::new(0);

/// A dispatch that is being run.
pub(crate) struct Launch {
    code: Arc<dyn Code>,
    /// Keeps what the bindings point to.
    dispatch: Dispatch,
    bindings: SmallVec<[Bound; 8]>,
    over: [u32; 3],
    memories: Arc<Memories>,
    deadline: Option<Deadline>,
    watch: Option<Watch>,
    stopped: AtomicBool,
    failure: Mutex<Option<Failure>>,
}

// SAFETY: the bindings point into blocks and values that `dispatch` holds, whose memory any thread may reach; that
// conflicting work is ordered is the promise of whoever made the launch.
unsafe impl Send for Launch {}
// SAFETY: as above; everything else that is shared is atomic or locked.
unsafe impl Sync for Launch {}

impl Launch {
    /// A launch of a checked dispatch; `deadline` is kept by the watchdog while it runs.
    ///
    /// # Safety
    /// Until it is dropped, nothing else may write what the arguments name, nor touch what the kernel writes, but with
    /// atomic operations; no two arguments may overlap where one is writable.
    ///
    /// # Errors
    /// When a binding is larger than code can address.
    pub(crate) unsafe fn new(
        code: Arc<dyn Code>,
        interface: &Interface,
        dispatch: Dispatch,
        deadline: Option<Deadline>,
        memories: &Arc<Memories>,
        watchdog: &Watchdog,
    ) -> Result<Self, Failure> {
        let mut bindings = SmallVec::new();
        for (argument, binding) in dispatch.arguments.iter().zip(&interface.bindings) {
            let bound = bound(argument);
            if bound.bytes > MOST_BINDING_BYTES {
                return Err(Failure::Fault(format!(
                    "`{}` binds {} bytes, and at most {MOST_BINDING_BYTES} can be addressed",
                    binding.name, bound.bytes
                )));
            }
            bindings.push(bound);
        }
        let size = interface.workgroup_size;
        let workgroups = dispatch.grid.workgroups;
        let all = std::array::from_fn(|axis| size[axis].saturating_mul(workgroups[axis]));
        let over = dispatch.grid.over.unwrap_or(all);
        let watch = deadline.map(|deadline| watchdog.watch(deadline.at()));
        let (stopped, failure) = (AtomicBool::new(false), Mutex::new(None));
        let memories = memories.clone();
        Ok(Self { code, dispatch, bindings, over, memories, deadline, watch, stopped, failure })
    }

    /// Runs every workgroup of the range; `work` is an estimate of all operations and words, and `exact` whether no loop
    /// in it depends on data.
    ///
    /// # Errors
    /// When the time is over, or the system refuses memory.
    pub(crate) fn execute(self, crew: &Crew, work: f64, exact: bool) -> Result<(), Failure> {
        let range = self.dispatch.range.clone();
        let count = range.end - range.start;
        let most = if exact { work } else { work * UNKNOWN };
        let inline = INLINE * f64::from(self.code.lanes());
        if count == 1 || most < inline || crew.threads() == 1 {
            self.run(range);
            return self.failure.into_inner().map_or(Ok(()), Err);
        }
        let by_work = (PART / (most / count as f64)).max(1.0) as u64;
        let by_threads = count / (crew.threads() as u64 * PARTS_PER_THREAD);
        let least = by_work.min(by_threads);
        let per_thread = if exact { EVEN } else { UNEVEN };
        // Workgroups beside each other along x are run as one.
        let grain = u64::from(self.dispatch.grid.workgroups[0]);
        let launch = Arc::new(self);
        crew.share(launch.clone(), range, Parts { least, per_thread, grain });
        launch.failure.lock().take().map_or(Ok(()), Err)
    }

    fn fail(&self, failure: Failure) {
        self.stopped.store(true, Ordering::Relaxed);
        self.failure.lock().get_or_insert(failure);
    }
}

/// The memory of one argument.
fn bound(argument: &Argument) -> Bound {
    let nothing = Bound { address: std::ptr::without_provenance_mut(64), bytes: 0 };
    match argument {
        // Uniforms are never written.
        Argument::Value(bytes) => Bound { address: bytes.as_ptr().cast_mut(), bytes: bytes.len() as u64 },
        Argument::Region(region) => match &region.memory {
            Memory::Host(block) => match block.words().get((region.offset / 4) as usize..) {
                Some(words) if !words.is_empty() => {
                    Bound { address: words.as_ptr().cast::<u8>().cast_mut(), bytes: region.size }
                }
                _ => nothing,
            },
            // The arguments were checked: this does not occur, and would be memory without a byte.
            Memory::Device(_) => nothing,
        },
    }
}

impl Work for Launch {
    fn run(&self, items: Range<u64>) -> bool {
        if self.stopped.load(Ordering::Relaxed) {
            return false;
        }
        if self.deadline.is_some_and(|deadline| deadline.has_passed()) {
            self.fail(Failure::TimedOut);
            return false;
        }
        let (workgroup, private) = (self.code.workgroup_bytes(), self.code.private_bytes());
        let Some(memory) = self.memories.take(workgroup, private) else {
            let bytes = workgroup.saturating_add(private);
            self.fail(Failure::Fault(format!("out of memory: a thread needs {bytes} bytes to run it")));
            return false;
        };
        let arguments = Arguments {
            cancel: self.watch.as_ref().map_or(&NEVER, Watch::flag),
            workgroup: memory.workgroup.start(),
            private: memory.private.start(),
            workgroups: self.dispatch.grid.workgroups,
            over: self.over,
            bindings: self.bindings.as_ptr(),
            borrowed: std::marker::PhantomData,
        };
        // SAFETY: the arguments were checked against the interface, so every binding is there and large enough; its
        // memory is held by `dispatch`, and `new`'s caller excluded other access; `memory` is this call's alone.
        let outcome = unsafe { self.code.run(&arguments, items) };
        self.memories.put(memory);
        if outcome == Outcome::Cancelled {
            self.fail(Failure::TimedOut);
        }
        outcome == Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use warpweft_hal::{Grid, HostBlock, KernelId, Region};
    use warpweft_module::{Kernel, Module, Source};

    use super::*;
    use crate::allocations;

    /// Stands for compiled code: adds the uniform to every element, workgroups of one.
    struct Adds {
        workgroup: usize,
        /// Runs on until it is cancelled.
        endless: bool,
    }

    impl Code for Adds {
        fn lanes(&self) -> u32 {
            1
        }

        fn workgroup_bytes(&self) -> usize {
            self.workgroup
        }

        fn private_bytes(&self) -> usize {
            128
        }

        unsafe fn run(&self, arguments: &Arguments<'_>, range: Range<u64>) -> Outcome {
            // SAFETY: there are two bindings: a uniform of 4 bytes and an array of words.
            let (value, array) = unsafe {
                let bindings = std::slice::from_raw_parts(arguments.bindings, 2);
                (bindings[0].address.cast::<u32>().read(), bindings[1])
            };
            for element in range {
                assert!((element + 1) * 4 <= array.bytes && element < u64::from(arguments.over[0]));
                // SAFETY: in bounds, and this workgroup's own; the memory is this thread's own.
                unsafe {
                    *array.address.cast::<u32>().add(element as usize) += value;
                    arguments.private.write_bytes(element as u8, 128);
                    arguments.workgroup.write_bytes(element as u8, self.workgroup);
                }
            }
            if !self.endless {
                return Outcome::Done;
            }
            while arguments.cancel.load(Ordering::Relaxed) == 0 {
                std::hint::spin_loop();
            }
            Outcome::Cancelled
        }
    }

    struct Test {
        kernel: Kernel,
        block: Arc<HostBlock>,
        dispatch: Dispatch,
        memories: Arc<Memories>,
        watchdog: Watchdog,
        crew: Crew,
    }

    impl Test {
        fn new(threads: usize, count: u32) -> Self {
            let wgsl = "
                @group(0) @binding(0) var<uniform> a: u32;
                @group(0) @binding(1) var<storage, read_write> x: array<u32>;
                @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] += a; }";
            let kernel = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap();
            let block = Arc::new(HostBlock::zeroed(4 * u64::from(count)).unwrap());
            let dispatch = Dispatch {
                kernel: KernelId(0),
                grid: Grid { workgroups: [count, 1, 1], over: None },
                range: 0..u64::from(count),
                arguments: vec![
                    Argument::Value(3u32.to_ne_bytes().into()),
                    Argument::Region(Region::host(&block, 0..block.len())),
                ],
            };
            Self {
                kernel: kernel.kernel(None, &[]).unwrap(),
                block,
                dispatch,
                memories: Arc::default(),
                watchdog: Watchdog::default(),
                crew: Crew::new(Some(threads)).unwrap(),
            }
        }

        fn run(
            &self,
            code: &Arc<dyn Code>,
            dispatch: Dispatch,
            work: f64,
            limit: Option<Duration>,
        ) -> Result<(), Failure> {
            let (deadline, interface) = (Deadline::after(limit), self.kernel.interface());
            // SAFETY: the block is the test's own, and one launch runs at a time.
            let launch = unsafe {
                Launch::new(code.clone(), interface, dispatch, deadline, &self.memories, &self.watchdog)
            };
            launch?.execute(&self.crew, work, true)
        }

        fn elements(&self) -> Vec<u32> {
            self.block.words().iter().map(|word| word.load(Ordering::Relaxed)).collect()
        }
    }

    #[test]
    fn every_workgroup_runs_once_on_one_thread_and_on_many() {
        let code: Arc<dyn Code> = Arc::new(Adds { workgroup: 1000, endless: false });
        for threads in [1, 4] {
            for (count, work) in [(1, 0.0), (100, 0.0), (10_000, 1e9), (10_000, 1e5)] {
                let test = Test::new(threads, count);
                for _ in 0..3 {
                    test.run(&code, test.dispatch.clone(), work, None).unwrap();
                }
                assert_eq!(test.elements(), vec![9; count as usize]);
                let mut part = test.dispatch.clone();
                part.range = 0..u64::from(count / 2);
                test.run(&code, part, work, Some(Duration::from_secs(100))).unwrap();
                let expected = |n| if n < count / 2 { 12 } else { 9 };
                assert_eq!(test.elements(), (0..count).map(expected).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn code_that_does_not_end_is_stopped() {
        let code: Arc<dyn Code> = Arc::new(Adds { workgroup: 0, endless: true });
        for (threads, count) in [(1, 1), (1, 1000), (3, 1000)] {
            let test = Test::new(threads, count);
            for _ in 0..3 {
                let start = Instant::now();
                let limit = Duration::from_millis(20);
                let result = test.run(&code, test.dispatch.clone(), 1e9, Some(limit));
                assert!(matches!(result, Err(Failure::TimedOut)), "{result:?}");
                assert!(start.elapsed() >= limit);
            }
        }
    }

    #[test]
    fn memory_that_cannot_be_had_is_said() {
        let code: Arc<dyn Code> = Arc::new(Adds { workgroup: isize::MAX as usize - 63, endless: false });
        let test = Test::new(2, 1000);
        match test.run(&code, test.dispatch.clone(), 1e9, None) {
            Err(Failure::Fault(text)) => assert!(text.contains("out of memory"), "{text}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_launch_like_the_last_allocates_nothing() {
        let code: Arc<dyn Code> = Arc::new(Adds { workgroup: 1000, endless: false });
        let test = Test::new(2, 1000);
        for limit in [None, Some(Duration::from_secs(1000))] {
            let dispatches: Vec<_> = (0..5).map(|_| test.dispatch.clone()).collect();
            let mut counts = Vec::new();
            for dispatch in dispatches {
                let before = allocations::count();
                test.run(&code, dispatch, 0.0, limit).unwrap();
                counts.push(allocations::count() - before);
            }
            assert!(counts[0] > 0 || limit.is_some(), "the first launch makes room");
            assert_eq!(counts[1..], [0; 4], "limit {limit:?}");
        }
        // Where threads help, what is allocated does not grow with the work: the shared launch, and a job per helper.
        for work in [1e6, 1e9] {
            test.run(&code, test.dispatch.clone(), work, None).unwrap();
            let dispatch = test.dispatch.clone();
            let before = allocations::count();
            test.run(&code, dispatch, work, None).unwrap();
            let count = allocations::count() - before;
            assert!((1..=8).contains(&count), "{count} allocations");
        }
    }
}
