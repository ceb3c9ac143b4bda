//! Files that must not outlive the program: taken away when a signal ends it, before it ends as the signal says.
//!
//! Knows their names; not what they hold, nor when they are done.

use std::path::PathBuf;
#[cfg(unix)]
use std::sync::{Arc, atomic::AtomicBool};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The files that are in use now.
static FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The list of these files. While it is held, no signal ends the program: who makes or renames a file holds it.
pub(crate) fn files() -> MutexGuard<'static, Vec<PathBuf>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Watches for Ctrl-C and for being told to end; a file that grows too large is an error of the write from here on.
#[cfg(unix)]
pub(crate) fn watch() {
    use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
    let watched = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).and_then(|mut signals| {
        signal_hook::flag::register(SIGXFSZ, Arc::<AtomicBool>::default())?;
        std::thread::Builder::new().name("signals".into()).spawn(move || {
            if let Some(signal) = signals.forever().next() {
                // Held to the end, so that nothing new is made.
                let files = files();
                for file in files.iter() {
                    let _ = std::fs::remove_file(file);
                }
                // So that a shell's loop ends with it.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })
    });
    if let Err(error) = watched {
        tracing::debug!(%error, "a signal ends the program with temporary files left");
    }
}

/// Signals are not watched here: what ends the program ends it.
#[cfg(not(unix))]
pub(crate) fn watch() {}
