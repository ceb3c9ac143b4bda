//! [`Cpu`]: the contract of a device, command by command.
//!
//! Knows neither how a kernel is run nor how threads share it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use warpweft_hal::{
    Command, Completion, Device, DeviceInfo, Dispatch, Error, Fence, KernelId, Loaded, MemoryId, Program,
    Submission, Submitted, Timing, TimingSource,
};
use warpweft_module::Interface;

use crate::code::Wanted;
use crate::crew::Crew;
use crate::deadline::Deadline;
use crate::interpreted::{Failure, Launch, Scratches};
use crate::kernels::{Code, Kernels};
use crate::memory::Memories;
use crate::path::{self, CpuPath};
use crate::watchdog::Watchdog;
use crate::{check, compiled, info, native, streaming, transfer};

/// Invocations that compiled code runs together at most.
const MOST_LANES: u16 = 64;

/// Invocations of WGSL's smallest subgroup: kernels that ask for subgroups have no narrower gangs.
const LEAST_SUBGROUP: u32 = 4;

/// How the CPU is to be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Threads at work; `None` follows rayon: `RAYON_NUM_THREADS`, else every logical core.
    pub threads: Option<usize>,
    /// The longest that a submission without a limit of its own may take; `None` is for ever.
    ///
    /// Native implementations cannot be stopped: theirs is looked at between commands.
    pub time_limit: Option<Duration>,
    /// Invocations of a subgroup in interpreted kernels: a power of two from 4 to 128. Compiled kernels have subgroups as
    /// large as their gangs.
    pub subgroup_size: u32,
    /// How kernels without a hand-written implementation are run.
    pub path: CpuPath,
    /// Compiled kernels round every operation as the interpreter does: products and sums are not contracted.
    pub strict: bool,
    /// Invocations that compiled code runs together, 1, 2, 4, …, 64; `None` chooses for each kernel.
    pub lanes: Option<u16>,
    /// Bytes of the last level of caches: compiled launches that write more than that, once and into bindings that they
    /// never read, write past them. `None` asks the processor.
    pub cache: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: None,
            time_limit: None,
            subgroup_size: 32,
            path: CpuPath::Auto,
            strict: false,
            lanes: None,
            cache: None,
        }
    }
}

/// The processor that this program runs on, as a device.
///
/// `submit` returns when the work is done; the calling thread takes part in it. It may be called from any thread,
/// also from inside a rayon pool, and holds no lock while kernels run. A kernel whose workgroups wait for earlier
/// ones makes progress, because workgroups start in ascending order. Each `load` is to be matched by one `unload`.
pub struct Cpu {
    info: DeviceInfo,
    settings: Settings,
    crew: Crew,
    kernels: Kernels,
    wanted: Wanted,
    /// Bytes of the last level of caches.
    cache: u64,
    scratches: Arc<Scratches>,
    memories: Arc<Memories>,
    watchdog: Watchdog,
}

impl Cpu {
    /// The processor, used as the settings say.
    ///
    /// # Errors
    /// When the subgroup size is not a power of two from 4 to 128, the number of threads is zero, the number of lanes is
    /// not a power of two up to 64, this machine lacks the code generator that was asked for, `WARPWEFT_CPU` is none of
    /// `auto`, `interpreter`, `cranelift`, `avx2` and `avx512`, or the system refuses the threads.
    ///
    /// ```
    /// use warpweft_cpu::{Cpu, Settings};
    /// use warpweft_hal::Device;
    ///
    /// let cpu = Cpu::new(Settings { threads: Some(2), ..Settings::default() })?;
    /// println!("{} ({})", cpu.info().name, cpu.info().driver);
    /// assert_eq!(cpu.info().threads, Some(2));
    /// # Ok::<(), warpweft_hal::Error>(())
    /// ```
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let limit = |what: &str, value: u64, limit: u64| Error::Limit {
            device: "cpu".into(),
            what: what.into(),
            value,
            limit,
        };
        if !settings.subgroup_size.is_power_of_two() || !(4..=128).contains(&settings.subgroup_size) {
            let what = "the subgroup size (a power of two from 4 up)";
            return Err(limit(what, settings.subgroup_size.into(), 128));
        }
        if let Some(threads) = settings.threads.filter(|&n| n == 0 || n > rayon::max_num_threads()) {
            let what = "the number of threads (at least 1)";
            return Err(limit(what, threads as u64, rayon::max_num_threads() as u64));
        }
        if let Some(lanes) = settings.lanes.filter(|&n| !n.is_power_of_two() || n > MOST_LANES) {
            let what = "the number of lanes (a power of two)";
            return Err(limit(what, lanes.into(), MOST_LANES.into()));
        }
        let variable = std::env::var(path::VARIABLE).ok();
        let generators = settings.path.generators(variable.as_deref())?;
        let wanted = Wanted { generators, strict: settings.strict, lanes: settings.lanes };
        let crew = Crew::new(settings.threads).map_err(|error| Error::Internal {
            device: "cpu".into(),
            reason: format!("the thread pool could not be started: {error}"),
        })?;
        let cache = settings.cache.unwrap_or_else(streaming::last_level_cache);
        let info = info::processor(crew.threads(), subgroup_sizes(&settings, &wanted));
        tracing::debug!(name = info.name, simd = info.driver, threads = crew.threads(), "opened the CPU");
        Ok(Self {
            info,
            settings,
            crew,
            kernels: Kernels::default(),
            wanted,
            cache,
            scratches: Arc::default(),
            memories: Arc::default(),
            watchdog: Watchdog::default(),
        })
    }

    fn dispatch(&self, dispatch: Dispatch, deadline: Option<Deadline>) -> Result<Timing, Error> {
        let Some(prepared) = self.kernels.get(dispatch.kernel) else {
            return Err(self.internal(format!("kernel {} is not loaded", dispatch.kernel.0)));
        };
        let interface = prepared.kernel.interface();
        check::dispatch(&dispatch, interface)
            .map_err(|reason| self.internal(format!("`{}`: {reason}", interface.entry)))?;
        // It is compiled when the first such launch comes, and that is not to be timed.
        let streaming = prepared.streaming(&dispatch, self.cache);
        let start = Instant::now();
        let result = if dispatch.range.is_empty() {
            Ok(())
        } else {
            let work = work(interface, &dispatch);
            match &prepared.code {
                Code::Native(native) => {
                    // SAFETY: whoever made the submission excluded other access and overlap.
                    unsafe { native::run(&self.crew, &**native, interface, &dispatch, work) }
                        .map_err(Failure::Fault)
                }
                Code::Compiled(code) => {
                    let exact = interface.cost.exact;
                    let code = streaming.unwrap_or_else(|| code.clone());
                    // SAFETY: whoever made the submission excluded other access and overlap.
                    unsafe {
                        compiled::Launch::new(
                            code,
                            interface,
                            dispatch,
                            deadline,
                            &self.memories,
                            &self.watchdog,
                        )
                    }
                    .and_then(|launch| launch.execute(&self.crew, work, exact))
                }
                Code::Interpreted(_) => {
                    let (size, scratches) = (self.settings.subgroup_size, self.scratches.clone());
                    Launch::new(prepared.clone(), dispatch, size, deadline, scratches)
                        .execute(&self.crew, work)
                }
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        result.map_err(|failure| match (failure, deadline) {
            (Failure::TimedOut, Some(deadline)) => self.timeout(deadline),
            (Failure::TimedOut, None) => self.internal("work was cancelled without a time limit".into()),
            (Failure::Fault(reason), _) => {
                Error::Execution { device: self.info.name.clone(), kernel: interface.entry.clone(), reason }
            }
        })?;
        Ok(Timing { seconds, source: TimingSource::Host })
    }

    fn internal(&self, reason: String) -> Error {
        Error::Internal { device: self.info.name.clone(), reason }
    }

    fn timeout(&self, deadline: Deadline) -> Error {
        Error::Timeout { device: self.info.name.clone(), limit: deadline.limit }
    }
}

/// The smallest and the largest subgroup that a kernel may find.
fn subgroup_sizes(settings: &Settings, wanted: &Wanted) -> [u32; 2] {
    let interpreted = settings.subgroup_size;
    match (wanted.generators.is_empty(), settings.lanes) {
        (true, _) => [interpreted; 2],
        (false, Some(lanes)) => {
            let lanes = u32::from(lanes).max(LEAST_SUBGROUP);
            [interpreted.min(lanes), interpreted.max(lanes)]
        }
        (false, None) => [LEAST_SUBGROUP, interpreted.max(MOST_LANES.into())],
    }
}

/// A rough number of operations and words that a dispatch costs.
fn work(interface: &Interface, dispatch: &Dispatch) -> f64 {
    let cost = &interface.cost;
    let each = 1.0 + cost.operations + (cost.bytes_read + cost.bytes_written) / 4.0;
    let invocations =
        interface.workgroup_invocations() as f64 * (dispatch.range.end - dispatch.range.start) as f64;
    each * invocations
}

// SAFETY: everything is executed within `submit`, which keeps no block; interpreted kernels write bindings that the
// kernel writes, copies and fills their targets.
unsafe impl Device for Cpu {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn load(&self, program: &Program) -> Result<Loaded, Error> {
        let start = Instant::now();
        let (kernel, prepared) =
            self.kernels.load(program, &self.wanted).map_err(|reason| Error::Compile {
                device: self.info.name.clone(),
                kernel: program.kernel.interface().entry.clone(),
                reason,
            })?;
        let (path, note) = (prepared.path(), prepared.note.clone());
        Ok(Loaded { kernel, path, seconds: start.elapsed().as_secs_f64(), note })
    }

    fn unload(&self, kernel: KernelId) {
        self.kernels.unload(kernel);
    }

    fn allocate(&self, _bytes: u64) -> Result<MemoryId, Error> {
        Err(self.internal("the CPU's memory is host memory: there is nothing to allocate".into()))
    }

    fn free(&self, _memory: MemoryId) {}

    fn submit(&self, submission: Submission) -> Result<Submitted, Error> {
        let deadline = Deadline::after(submission.time_limit.or(self.settings.time_limit));
        let mut completion = Completion::default();
        for command in submission.into_commands() {
            if let Some(deadline) = deadline.filter(Deadline::has_passed) {
                return Err(self.timeout(deadline));
            }
            match command {
                Command::Dispatch(dispatch) => completion.dispatches.push(self.dispatch(dispatch, deadline)?),
                Command::Upload { from, to }
                | Command::Download { from, to }
                | Command::Copy { from, to } => {
                    // SAFETY: whoever made the submission excluded other access.
                    unsafe { transfer::copy(&self.crew, &from, &to) }
                        .map_err(|reason| self.internal(reason))?;
                }
                Command::Fill { to, word } => {
                    // SAFETY: whoever made the submission excluded other access.
                    unsafe { transfer::fill(&self.crew, &to, word) }
                        .map_err(|reason| self.internal(reason))?;
                }
            }
        }
        Ok(Submitted::Done(completion))
    }

    fn poll(&self, fence: Fence) -> Result<Option<Completion>, Error> {
        Err(self.internal(format!("fence {} does not exist: submissions are done at once", fence.0)))
    }

    fn wait(&self, fence: Fence) -> Result<Completion, Error> {
        self.poll(fence).map(Option::unwrap_or_default)
    }

    fn trim(&self) {
        self.scratches.trim();
        self.memories.trim();
    }
}
