//! Machine code of kernels, compiled once per process however many devices use it.
//!
//! Knows nothing of launches.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;
use warpweft_compiler::{Arguments, Compiled, Generator, Options, Outcome};
use warpweft_module::{Hash, Kernel};

use crate::native::panic_message;

/// What a launch needs of compiled code.
pub(crate) trait Code: Send + Sync {
    /// Invocations that it runs together.
    fn lanes(&self) -> u32;

    /// Bytes of workgroup memory that a thread needs.
    fn workgroup_bytes(&self) -> usize;

    /// Bytes of private memory that a thread needs.
    fn private_bytes(&self) -> usize;

    /// Runs workgroups in ascending order on the calling thread.
    ///
    /// # Safety
    /// As [`Compiled::run`].
    unsafe fn run(&self, arguments: &Arguments<'_>, range: Range<u64>) -> Outcome;
}

impl Code for Compiled {
    fn lanes(&self) -> u32 {
        Compiled::lanes(self)
    }

    fn workgroup_bytes(&self) -> usize {
        Compiled::workgroup_bytes(self)
    }

    fn private_bytes(&self) -> usize {
        Compiled::private_bytes(self)
    }

    unsafe fn run(&self, arguments: &Arguments<'_>, range: Range<u64>) -> Outcome {
        // SAFETY: by the contract of this function.
        unsafe { Compiled::run(self, arguments, range) }
    }
}

/// The way of compiling that a device's settings ask for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// To be tried in this order; none wants the interpreter.
    pub(crate) generators: Vec<Generator>,
    pub(crate) strict: bool,
    pub(crate) lanes: Option<u16>,
}

/// Compiled code, and why it is not by the generator that was wanted most, where it is not.
pub(crate) struct Found {
    pub(crate) code: Arc<Compiled>,
    pub(crate) note: Option<String>,
}

impl Wanted {
    /// Compiles a kernel; `Err` says why it has to be interpreted, and is empty where that was wanted.
    pub(crate) fn compile(&self, kernel: &Kernel) -> Result<Found, Option<String>> {
        let mut note: Option<String> = None;
        for &generator in &self.generators {
            let options = Options { generator, strict: self.strict, lanes: self.lanes, streaming: false };
            match compiled(kernel, &options) {
                Ok(code) => {
                    let note = note.map(|reason| format!("compiled for {generator} instead: {reason}"));
                    return Ok(Found { code, note });
                }
                Err(reason) => {
                    note.get_or_insert(format!("{generator}: {reason}"));
                }
            }
        }
        Err(note.map(|reason| format!("not compiled: {reason}")))
    }
}

/// Code like that, which writes past the caches; the same code where that cannot be had.
pub(crate) fn streaming(kernel: &Kernel, usual: &Arc<Compiled>, lanes: Option<u16>) -> Arc<Compiled> {
    let options = *usual.options();
    if options.generator == Generator::Cranelift {
        return usual.clone();
    }
    compiled(kernel, &Options { lanes, streaming: true, ..options }).unwrap_or_else(|_| usual.clone())
}

type Key = (Hash, Options);

/// Whatever is in use somewhere in the process.
static CACHE: LazyLock<Mutex<HashMap<Key, Weak<Compiled>>>> = LazyLock::new(Mutex::default);

/// The code of a kernel: what another device uses already, or compiled now.
fn compiled(kernel: &Kernel, options: &Options) -> Result<Arc<Compiled>, String> {
    let key = (kernel.hash(), *options);
    if let Some(code) = CACHE.lock().get(&key).and_then(Weak::upgrade) {
        return Ok(code);
    }
    // Without the lock: other kernels are compiled meanwhile. A generator that breaks down must not take the process
    // with it.
    let code = catch_unwind(AssertUnwindSafe(|| Compiled::new(kernel, options)))
        .map_err(|panic| format!("the compiler broke down: {}", panic_message(panic)))?
        .map_err(|error| error.to_string())?;
    let mut cache = CACHE.lock();
    if let Some(code) = cache.get(&key).and_then(Weak::upgrade) {
        return Ok(code);
    }
    if cache.len() == cache.capacity() {
        cache.retain(|_, code| code.strong_count() > 0);
    }
    let code = Arc::new(code);
    cache.insert(key, Arc::downgrade(&code));
    Ok(code)
}
