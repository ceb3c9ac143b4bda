//! Kernels to SIMD machine code: WGSL to SSA to vector IR to code that runs.
//!
//! [`Compiled`] is one kernel, ready to run any range of the workgroups of a launch on the calling thread. Knows no
//! thread, no device and no buffer: who runs which workgroups, and whose memory a binding is, is up to the caller.

mod arguments;
mod compile;
mod lower;
mod options;
mod perf;
mod price;
mod width;

pub use arguments::{Arguments, Bound, Outcome};
pub use compile::Times;
pub use options::{Generator, NotCompiled, Options};

use std::mem;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use warpweft_executable::Executable;
use warpweft_module::Kernel;
pub use warpweft_ssa::Limits;

/// A kernel as machine code.
#[derive(Debug)]
pub struct Compiled {
    options: Options,
    code: Executable,
    workgroup_bytes: usize,
    private_bytes: usize,
    times: Times,
}

/// What the code is: the address of the arguments, the first workgroup, the one behind the last.
#[cfg(target_arch = "x86_64")]
type Entry = unsafe extern "sysv64" fn(*const Arguments<'_>, u64, u64);
/// What the code is: the address of the arguments, the first workgroup, the one behind the last.
#[cfg(not(target_arch = "x86_64"))]
type Entry = unsafe extern "C" fn(*const Arguments<'_>, u64, u64);

/// More memory than this is not asked of a thread.
const MOST_BYTES: u64 = 256 << 20;

impl Compiled {
    /// Compiles a kernel. With `WARPWEFT_PERF_MAP=1` in the environment, Linux `perf` is told its name and place.
    ///
    /// # Errors
    /// What the kernel does that is not compiled, and where: it can be interpreted instead.
    pub fn new(kernel: &Kernel, options: &Options) -> Result<Self, NotCompiled> {
        Self::within(kernel, options, &Limits::default())
    }

    /// Compiles a kernel as [`new`](Self::new) does, but inlines and refuses within other limits than the usual ones.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn within(kernel: &Kernel, options: &Options, limits: &Limits) -> Result<Self, NotCompiled> {
        let built = guarded(|| compile::build(kernel, options, limits))?;
        let refuse = |what: String| NotCompiled { what, location: None };
        let most = built.private_bytes.max(built.workgroup_bytes);
        if most > MOST_BYTES {
            let what = format!(
                "{} MiB of variables for the invocations of a workgroup (the most is {} MiB)",
                most >> 20,
                MOST_BYTES >> 20
            );
            return Err(refuse(what));
        }
        let code = warpweft_vector::link(&built.code).map_err(|refusal| refuse(refusal.what))?;
        let code =
            Executable::new(&code).map_err(|error| refuse(format!("no executable memory: {error}")))?;
        if perf::is_wanted() {
            let name = format!("{}_{}x{}", kernel.interface().entry, options.generator, built.lanes);
            perf::announce(code.bytes(), &name);
        }
        Ok(Self {
            options: Options { lanes: Some(built.lanes), ..*options },
            code,
            workgroup_bytes: built.workgroup_bytes as usize,
            private_bytes: built.private_bytes as usize,
            times: built.times,
        })
    }

    /// What it was compiled with and for: `lanes` is filled in.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Invocations of a gang; also its subgroup size.
    pub fn lanes(&self) -> u32 {
        self.options.lanes.map_or(1, u32::from)
    }

    /// How long compiling took, stage by stage.
    pub fn times(&self) -> Times {
        self.times
    }

    /// Bytes of workgroup memory that a thread needs. The code sets them to zero where WGSL wants that.
    pub fn workgroup_bytes(&self) -> usize {
        self.workgroup_bytes
    }

    /// Bytes of private memory that a thread needs, for all invocations of a workgroup.
    pub fn private_bytes(&self) -> usize {
        self.private_bytes
    }

    /// The machine code, where it runs.
    pub fn code(&self) -> &[u8] {
        self.code.bytes()
    }

    /// Runs workgroups in ascending order on the calling thread; several threads may run ranges of one launch at once.
    ///
    /// # Safety
    /// Every binding of `arguments` must be valid for reads of its bytes for as long as this runs, and for writes too
    /// where the kernel's interface says that it writes it; nobody else may write what is not written atomically;
    /// `workgroup` and `private` must be this call's alone and as large as the functions above say, aligned to 64
    /// bytes; there must be as many bindings as the interface lists, each with at least its minimum size; the range
    /// must lie within the grid.
    pub unsafe fn run(&self, arguments: &Arguments<'_>, range: Range<u64>) -> Outcome {
        if !range.is_empty() {
            // SAFETY: the code was generated with that signature for this machine.
            let entry: Entry = unsafe { mem::transmute(self.code.address()) };
            // SAFETY: the caller vouches for the memory; the code stays within it.
            unsafe { entry(arguments, range.start, range.end) };
            if self.options.streaming {
                fence();
            }
        }
        if arguments.cancel.load(Ordering::Relaxed) == 0 { Outcome::Done } else { Outcome::Cancelled }
    }
}

/// What went past the caches is there for whoever learns that the workgroups are done.
fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has SSE.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}

/// The kernel as SSA, as text, with source lines.
///
/// # Errors
/// As [`Compiled::new`].
pub fn stage_ssa(kernel: &Kernel) -> Result<String, NotCompiled> {
    guarded(|| compile::to_ssa(kernel, &Limits::default()).map(|function| function.to_string()))
}

/// The vector program that the code generator gets, as text; `@n` are source lines, which the head lists.
///
/// # Errors
/// As [`Compiled::new`].
pub fn stage_vector(kernel: &Kernel, options: &Options) -> Result<String, NotCompiled> {
    guarded(|| {
        let limits = Limits::default();
        let legend = compile::legend(&compile::to_ssa(kernel, &limits)?);
        Ok(format!("{legend}{}", compile::programs(&compile::build(kernel, options, &limits)?)))
    })
}

/// The machine code, as text; `@n` are source lines, which the head lists.
///
/// # Errors
/// As [`Compiled::new`].
pub fn stage_assembly(kernel: &Kernel, options: &Options) -> Result<String, NotCompiled> {
    guarded(|| {
        let limits = Limits::default();
        let legend = compile::legend(&compile::to_ssa(kernel, &limits)?);
        let built = compile::build(kernel, options, &limits)?;
        Ok(format!("{legend}{}", compile::assembly(&built, options.generator)?))
    })
}

/// A compiler that fails must not take the program with it.
fn guarded<T>(f: impl FnOnce() -> Result<T, NotCompiled>) -> Result<T, NotCompiled> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(NotCompiled { what: format!("the compiler failed: {reason}"), location: None })
    })
}
