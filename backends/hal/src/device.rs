//! What every device does.

use std::fmt;
use std::sync::Arc;

use warpweft_module::Kernel;

use crate::{DeviceInfo, Error, Native, Submission};

/// An allocation of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemoryId(pub u64);

/// A kernel that one device loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KernelId(pub u64);

/// A submission in flight on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence(pub u64);

/// What a device can be asked to load.
#[derive(Clone)]
pub struct Program {
    /// The specialised WGSL kernel.
    pub kernel: Kernel,
    /// A hand-written implementation, for devices whose memory is host memory.
    pub native: Option<Arc<dyn Native>>,
}

/// How a device executes a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// By the reference interpreter.
    Interpreter,
    /// By machine code that we compiled.
    Compiled {
        /// The code generator's name.
        generator: &'static str,
        /// Invocations that one vector program runs together; also the size of subgroups. Launches that write more than the
        /// caches hold may run fewer together, where the kernel asks for no subgroups.
        lanes: u16,
    },
    /// By a hand-written implementation.
    Native,
    /// By a GPU API through wgpu.
    Wgpu,
}

impl Path {
    /// The word that command line and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Path::Interpreter => "interpreter",
            Path::Compiled { .. } => "compiled",
            Path::Native => "native",
            Path::Wgpu => "wgpu",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Compiled { generator, lanes: 1 } => write!(f, "compiled for {generator}, 1 lane"),
            Path::Compiled { generator, lanes } => write!(f, "compiled for {generator}, {lanes} lanes"),
            other => f.write_str(other.name()),
        }
    }
}

/// A loaded kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Its id on that device.
    pub kernel: KernelId,
    /// How it will be executed.
    pub path: Path,
    /// Seconds that loading took.
    pub seconds: f64,
    /// Why it is not executed in the way that was wanted, where it is not.
    pub note: Option<Arc<str>>,
}

/// Which clock a time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingSource {
    /// The device's own timestamps around the dispatch.
    Timestamp,
    /// The host's clock around the dispatch alone.
    Host,
    /// The host's clock from submission to the fence: launch latency and neighbours included.
    RoundTrip,
    /// A virtual clock.
    Virtual,
}

/// How long a dispatch took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Seconds.
    pub seconds: f64,
    /// By which clock.
    pub source: TimingSource,
}

/// What is known of a submission that is done.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Completion {
    /// One per dispatch, in order; empty where the device was told not to measure.
    pub dispatches: Vec<Timing>,
}

/// What `submit` answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitted {
    /// The work is done already.
    Done(Completion),
    /// The work is in flight.
    Pending(Fence),
}

/// A device: executes lists of commands in the order in which they were submitted.
///
/// All methods may be called from several threads at once; lists submitted from several threads are ordered by
/// whoever comes first. After [`Error::Lost`] every call but `free` and `unload` fails with the same error.
///
/// # Safety
/// Slices that users hold rest on it: a device touches the host ranges of a submission only between `submit` and the
/// end of its fence, writes only those that are a command's target or an argument that the kernel writes, and reports
/// a submission as done only when it touches them no more.
pub unsafe trait Device: Send + Sync {
    /// What it is.
    fn info(&self) -> &DeviceInfo;

    /// The error that ended the device, if one did: it takes no more work.
    fn lost(&self) -> Option<Error> {
        None
    }

    /// Makes a kernel ready to run; the same program loaded twice is compiled once and has one id.
    ///
    /// The caller checked [`obstacles`](crate::obstacles). Loads are counted: each wants an `unload`.
    fn load(&self, program: &Program) -> Result<Loaded, Error>;

    /// Takes one load of a kernel back; after the last it is forgotten, once the work that was submitted with it is
    /// done. Unknown ids are ignored.
    fn unload(&self, kernel: KernelId);

    /// A new allocation, of undefined content, of `bytes` bytes: a multiple of 4 above zero.
    ///
    /// A device whose memory is host memory has none: its regions are all host regions.
    fn allocate(&self, bytes: u64) -> Result<MemoryId, Error>;

    /// Gives an allocation back, once the work that uses it is done. Unknown ids are ignored.
    fn free(&self, memory: MemoryId);

    /// Executes the commands after everything submitted before.
    ///
    /// An error means that none of the commands will write anything that is read later: the caller takes what they
    /// would have written as unwritten.
    fn submit(&self, submission: Submission) -> Result<Submitted, Error>;

    /// Whether a submission is done; its completion is handed out once, by `poll` or by `wait`.
    fn poll(&self, fence: Fence) -> Result<Option<Completion>, Error>;

    /// Waits for a submission, within its time limit.
    fn wait(&self, fence: Fence) -> Result<Completion, Error>;

    /// Gives back what is kept only for reuse (pooled memory, caches).
    fn trim(&self) {}
}
