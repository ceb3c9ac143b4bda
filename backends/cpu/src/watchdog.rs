//! Tells compiled code to stop when its time is over: nobody else could, while it runs on the only thread there is.
//!
//! One thread per device, started by the first launch that has a time limit. Knows nothing of what it stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Sets flags at given times.
#[derive(Default)]
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: Vec<(Instant, Arc<AtomicU32>)>,
    /// Flags to be used again.
    flags: Vec<Arc<AtomicU32>>,
    /// When the thread looks next; `None` where it waits to be told.
    ///
    /// It is not called off when a launch ends in time: most do, and telling the thread each time would cost more than
    /// the launch.
    wake: Option<Instant>,
    ended: bool,
}

/// A flag that is set when the time is over, for as long as this lives.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    flag: Arc<AtomicU32>,
}

impl Watchdog {
    /// A flag that becomes 1 at that time.
    pub(crate) fn watch(&self, at: Instant) -> Watch {
        let mut state = self.shared.state.lock();
        let flag = state.flags.pop().unwrap_or_default();
        flag.store(0, Ordering::Relaxed);
        state.watched.push((at, flag.clone()));
        if state.wake.is_none_or(|wake| at < wake) {
            state.wake = Some(at);
            self.shared.changed.notify_one();
        }
        drop(state);
        self.start();
        Watch { shared: self.shared.clone(), flag }
    }

    /// Starts the thread, if it does not run yet.
    fn start(&self) {
        let mut thread = self.thread.lock();
        if thread.is_none() {
            let shared = self.shared.clone();
            let body = move || shared.keep_watch();
            match std::thread::Builder::new().name("warpweft-watchdog".into()).spawn(body) {
                Ok(handle) => *thread = Some(handle),
                Err(error) => {
                    tracing::warn!(%error, "no thread for time limits: they are looked at now and then")
                }
            }
        }
    }
}

impl Shared {
    fn keep_watch(&self) {
        let mut state = self.state.lock();
        while !state.ended {
            let now = Instant::now();
            for (at, flag) in &state.watched {
                if *at <= now {
                    flag.store(1, Ordering::Relaxed);
                }
            }
            state.wake = state.watched.iter().map(|(at, _)| *at).filter(|at| *at > now).min();
            match state.wake {
                Some(wake) => drop(self.changed.wait_until(&mut state, wake)),
                None => self.changed.wait(&mut state),
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state.lock().ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.get_mut().take() {
            let _ = thread.join();
        }
    }
}

impl Watch {
    /// Not zero when the time is over.
    pub(crate) fn flag(&self) -> &AtomicU32 {
        &self.flag
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        if let Some(position) = state.watched.iter().position(|(_, flag)| Arc::ptr_eq(flag, &self.flag)) {
            let (_, flag) = state.watched.swap_remove(position);
            state.flags.push(flag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn flags_are_set_when_their_time_comes_and_not_before() {
        let watchdog = Watchdog::default();
        let start = Instant::now();
        let never = watchdog.watch(start + Duration::from_secs(3600));
        let later = watchdog.watch(start + Duration::from_millis(60));
        let soon = watchdog.watch(start + Duration::from_millis(20));
        for (watch, millis) in [(&soon, 20), (&later, 60)] {
            while watch.flag().load(Ordering::Relaxed) == 0 {
                assert!(start.elapsed() < Duration::from_secs(60), "nobody watches");
                std::thread::sleep(Duration::from_millis(1));
            }
            assert!(start.elapsed() >= Duration::from_millis(millis));
        }
        assert_eq!(never.flag().load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_flag_that_is_used_again_starts_unset() {
        let watchdog = Watchdog::default();
        let past = watchdog.watch(Instant::now());
        while past.flag().load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        drop(past);
        let fresh = watchdog.watch(Instant::now() + Duration::from_secs(3600));
        assert_eq!(fresh.flag().load(Ordering::Relaxed), 0);
        assert_eq!(watchdog.shared.state.lock().watched.len(), 1);
    }
}
