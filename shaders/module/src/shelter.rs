//! A safe place for the front end to run: enough stack for deep input, and a net for panics.
//!
//! Knows nothing of WGSL.

use crate::error::ModuleError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Recursion up to which the caller's stack is enough.
const SHALLOW: usize = 32;
/// Stack for the deepest input that the scan lets through.
const STACK: usize = 128 << 20;

/// Runs `work`, which may recurse `levels` levels and may panic.
pub(crate) fn sheltered<T: Send>(levels: usize, work: impl FnOnce() -> T + Send) -> Result<T, ModuleError> {
    let caught = if levels <= SHALLOW {
        catch_unwind(AssertUnwindSafe(work))
    } else {
        std::thread::scope(|scope| {
            match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work) {
                Ok(thread) => thread.join(),
                Err(error) => Err(Box::new(format!("no thread for deeply nested code: {error}")) as _),
            }
        })
    };
    caught.map_err(|panic| ModuleError::FrontEnd { message: said(&*panic) })
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message").to_string()
}
