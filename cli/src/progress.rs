//! A progress bar on stderr: only on a terminal, and only once the work takes long enough to be asked about.
//!
//! Knows how far the work is, not what it is.

use std::io::IsTerminal;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that goes when it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Dropping it tells the thread that there is nothing to show any more.
    over: Option<Sender<()>>,
    shower: Option<JoinHandle<()>>,
}

impl Progress {
    /// A bar of so many parts; `counted` says that [`at`](Self::at) will be called.
    pub(crate) fn new(what: &str, parts: u64, counted: bool, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(parts), ProgressDrawTarget::hidden());
        let template = match counted {
            true => "{spinner} {msg} [{bar:30}] {pos}/{len}, {elapsed} of about {duration}",
            false => "{spinner} {msg}, {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what.to_string());
        if quiet || !std::io::stderr().is_terminal() {
            return Self { bar, over: None, shower: None };
        }
        let (over, wait) = mpsc::channel();
        let shown = bar.clone();
        let show = move || {
            if wait.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(100));
            }
        };
        let shower = std::thread::Builder::new().name("progress".into()).spawn(show).ok();
        Self { bar, over: Some(over), shower }
    }

    /// So many parts are done.
    pub(crate) fn at(&self, parts: u64) {
        self.bar.set_position(parts);
    }

    /// What is being done now.
    pub(crate) fn doing(&self, what: &str) {
        self.bar.set_message(what.to_string());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(shower) = self.shower.take() {
            let _ = shower.join();
        }
        self.bar.finish_and_clear();
    }
}
