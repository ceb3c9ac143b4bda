//! Kernels to SIMD machine code: WGSL to SSA to vector IR to code that runs.
//!
//! [`Compiled`] is one kernel, ready to run any range of the workgroups of a launch on the calling thread. Knows no
//! thread, no device and no buffer: who runs which workgroups, and whose memory a binding is, is up to the caller.

mod arguments;
mod options;

pub use arguments::{Arguments, Bound, Outcome};
pub use options::{Generator, NotCompiled, Options};

use std::ops::Range;
use warpweft_module::Kernel;

/// A kernel as machine code.
#[derive(Debug)]
pub struct Compiled {
    options: Options,
}

impl Compiled {
    /// Compiles a kernel.
    ///
    /// # Errors
    /// What the kernel does that is not compiled, and where: it can be interpreted instead.
    pub fn new(kernel: &Kernel, options: &Options) -> Result<Self, NotCompiled> {
        let _ = options;
        Err(NotCompiled { what: format!("`{}`", kernel.interface().entry), location: None })
    }

    /// What it was compiled with and for: `lanes` is filled in.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Invocations of a gang; also its subgroup size.
    pub fn lanes(&self) -> u32 {
        0
    }

    /// Bytes of workgroup memory that a thread needs. The code sets them to zero where WGSL wants that.
    pub fn workgroup_bytes(&self) -> usize {
        0
    }

    /// Bytes of private memory that a thread needs, for all invocations of a workgroup.
    pub fn private_bytes(&self) -> usize {
        0
    }

    /// Runs workgroups in ascending order on the calling thread; several threads may run ranges of one launch at once.
    ///
    /// # Safety
    /// Every binding of `arguments` must be valid for reads of its bytes for as long as this runs, and for writes too
    /// where the kernel's interface says that it writes it; nobody else may write what is not written atomically;
    /// `workgroup` and `private` must be this call's alone and as large as the functions above say, aligned to 64
    /// bytes; there must be as many bindings as the interface lists, each with at least its minimum size.
    pub unsafe fn run(&self, arguments: &Arguments<'_>, range: Range<u64>) -> Outcome {
        let _ = (arguments, range);
        Outcome::Cancelled
    }
}
