//! A dispatch through a hand-written implementation.
//!
//! Knows nothing of what the implementation does, nor how many threads it takes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use warpweft_hal::{Dispatch, Native, NativeArguments};
use warpweft_module::Interface;

use crate::crew::Crew;

/// Operations and words below which a native kernel stays on the calling thread: between 1 µs of SIMD code and 65 µs
/// of scalar code, where handing work to a sleeping thread and back takes 10 to 20 µs (`handover` in
/// `benches/launch.rs`).
const INLINE: f64 = (1 << 16) as f64;

/// Runs the implementation: on the calling thread when there is little to do or it belongs to a rayon pool already
/// (whose threads the implementation then uses), else within the crew's pool.
///
/// # Safety
/// Nothing else may touch what the arguments name until it returns, and no two may overlap where one is writable.
///
/// # Errors
/// What the implementation said, or the message of its panic.
pub(crate) unsafe fn run(
    crew: &Crew,
    native: &dyn Native,
    interface: &Interface,
    dispatch: &Dispatch,
    work: f64,
) -> Result<(), String> {
    let call = || {
        // SAFETY: by the contract of this function.
        let arguments = unsafe { NativeArguments::new(interface, dispatch) };
        match catch_unwind(AssertUnwindSafe(|| native.run(&arguments))) {
            Ok(result) => result,
            Err(panic) => Err(panic_message(panic)),
        }
    };
    let one = dispatch.range.end - dispatch.range.start == 1;
    if one || work < INLINE || rayon::current_thread_index().is_some() {
        call()
    } else {
        crew.pool().install(call)
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: Box<dyn Any + Send>) -> String {
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(_) => return "it panicked".to_owned(),
        },
    };
    format!("it panicked: {text}")
}
