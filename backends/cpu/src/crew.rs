//! Shares a range of items among the threads of a pool, in ascending order.
//!
//! The caller takes part, and at the end waits only for threads that have begun a part. So a call ends whatever the
//! pool is busy with, from inside any pool, of one thread too, and no thread ever picks up foreign work while it
//! waits. Parts are taken from one counter: all items before a part that has begun have begun too, so an item that
//! waits for an earlier one waits for something that runs. Knows nothing of kernels.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Something to be done for every item of a range.
pub(crate) trait Work: Send + Sync + 'static {
    /// Handles the items in ascending order; `false` means that no further part is needed.
    ///
    /// Must not unwind: a panic here ends the process.
    fn run(&self, items: Range<u64>) -> bool;
}

/// Threads that share work.
pub(crate) struct Crew {
    pool: ThreadPool,
}

impl Crew {
    /// A pool of that many threads; `None` leaves the number to rayon's convention (`RAYON_NUM_THREADS`, else every
    /// logical core).
    pub(crate) fn new(threads: Option<usize>) -> Result<Self, ThreadPoolBuildError> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .thread_name(|i| format!("warpweft-cpu-{i}"))
            .build()?;
        Ok(Self { pool })
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// The pool, for work that brings its own rayon code.
    pub(crate) fn pool(&self) -> &ThreadPool {
        &self.pool
    }

    /// Does the work for all items, `part` of them at a time, and returns when no thread is at it any more.
    ///
    /// The work is the caller's alone again afterwards.
    pub(crate) fn share(&self, work: Arc<dyn Work>, items: Range<u64>, part: u64) {
        let part = part.max(1);
        let parts = items.end.saturating_sub(items.start).div_ceil(part);
        let others = (self.threads() as u64 - 1).min(parts.saturating_sub(1));
        let shift = Arc::new(Shift {
            state: Mutex::new(State { work: Some(work.clone()), active: 0 }),
            idle: Condvar::new(),
            next: AtomicU64::new(items.start),
            end: items.end,
            part,
            vacancies: AtomicUsize::new(others as usize),
        });
        shift.recruit(|helper| self.pool.spawn(helper));
        shift.labour(&*work);
        shift.close();
    }
}

/// One range that is being shared.
struct Shift {
    state: Mutex<State>,
    /// Signalled when the last helper of a closed shift leaves.
    idle: Condvar,
    next: AtomicU64,
    end: u64,
    part: u64,
    /// Helpers that may still be called.
    vacancies: AtomicUsize,
}

struct State {
    /// Gone once the shift is closed: whoever comes late holds nothing.
    work: Option<Arc<dyn Work>>,
    /// Helpers at work.
    active: usize,
}

impl Shift {
    /// Calls up to two helpers, who call two each: the first thread is not held up by waking all the others.
    fn recruit(self: &Arc<Self>, spawn: impl Fn(Box<dyn FnOnce() + Send>)) {
        for _ in 0..2 {
            let vacancy = |n: usize| n.checked_sub(1);
            if self.next.load(Ordering::Relaxed) >= self.end
                || self.vacancies.fetch_update(Ordering::Relaxed, Ordering::Relaxed, vacancy).is_err()
            {
                return;
            }
            let shift = self.clone();
            spawn(Box::new(move || shift.help()));
        }
    }

    /// A helper's life.
    fn help(self: Arc<Self>) {
        let work = {
            let mut state = self.state.lock();
            let Some(work) = state.work.clone() else { return };
            state.active += 1;
            work
        };
        self.recruit(rayon::spawn);
        self.labour(&*work);
        drop(work);
        let mut state = self.state.lock();
        state.active -= 1;
        if state.active == 0 {
            self.idle.notify_all();
        }
    }

    /// Takes parts until there are none.
    fn labour(&self, work: &dyn Work) {
        loop {
            let start = self.next.fetch_add(self.part, Ordering::Relaxed);
            if start >= self.end {
                return;
            }
            if !work.run(start..self.end.min(start + self.part)) {
                self.next.store(self.end, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Lets nobody else in and waits for those who are at work.
    fn close(&self) {
        let mut state = self.state.lock();
        state.work = None;
        while state.active > 0 {
            self.idle.wait(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often each item was handled; optionally ends everything at one item.
    struct Tally {
        seen: Vec<AtomicUsize>,
        last: u64,
    }

    impl Work for Tally {
        fn run(&self, items: Range<u64>) -> bool {
            items.into_iter().all(|i| {
                self.seen[i as usize].fetch_add(1, Ordering::Relaxed);
                i < self.last
            })
        }
    }

    fn tally(threads: usize, items: Range<u64>, part: u64, last: u64) -> Vec<usize> {
        let work = Arc::new(Tally { seen: (0..items.end).map(|_| AtomicUsize::new(0)).collect(), last });
        Crew::new(Some(threads)).unwrap().share(work.clone(), items, part);
        let work = Arc::into_inner(work).expect("nobody else holds the work after `share`");
        work.seen.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_item_is_handled_once() {
        for threads in [1, 2, 7] {
            for (items, part) in [(0..0, 1), (0..1, 1), (3..1000, 1), (5..1000, 7), (0..10, 100), (0..10, 0)]
            {
                let expected: Vec<_> = (0..items.end).map(|i| usize::from(i >= items.start)).collect();
                assert_eq!(
                    tally(threads, items.clone(), part, u64::MAX),
                    expected,
                    "{threads} {items:?} {part}"
                );
            }
        }
    }

    #[test]
    fn work_that_is_over_is_not_continued() {
        assert_eq!(tally(1, 0..100, 10, 5)[..], [vec![1; 6], vec![0; 94]].concat());
        let seen = tally(4, 0..100_000, 1, 10);
        assert!(seen[..=10].iter().all(|&n| n == 1), "every part before the last was begun");
        assert!(seen.iter().sum::<usize>() < 100_000);
    }

    #[test]
    fn a_busy_pool_does_not_hold_up_the_caller() {
        let crew = Crew::new(Some(1)).unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        crew.pool().spawn(move || gate.recv().unwrap());
        let work = Arc::new(Tally { seen: (0..100).map(|_| AtomicUsize::new(0)).collect(), last: u64::MAX });
        crew.share(work.clone(), 0..100, 1);
        assert!(work.seen.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        open.send(()).unwrap();
    }
}
