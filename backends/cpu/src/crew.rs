//! Shares a range of items among the threads of a pool, in ascending order.
//!
//! The caller takes part, and at the end waits only for threads that have begun a part. So a call ends whatever the
//! pool is busy with, from inside any pool, of one thread too, and no thread ever picks up foreign work while it
//! waits. Parts are taken from one counter: all items before a part that has begun have begun too, so an item that
//! waits for an earlier one waits for something that runs. Parts shrink as the end comes near: the first are long, so
//! that each thread goes through memory in long strides, the last short, so that nobody waits for long. Knows nothing
//! of kernels.

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

    /// Does the work for all items, part by part, and returns when no thread is at it any more.
    ///
    /// The work is the caller's alone again afterwards.
    pub(crate) fn share(&self, work: Arc<dyn Work>, items: Range<u64>, parts: Parts) {
        let count = items.end.saturating_sub(items.start);
        let threads = self.threads() as u64;
        let others = (threads - 1).min(count.div_ceil(parts.least.max(1)).saturating_sub(1));
        let shift = Arc::new(Shift {
            state: Mutex::new(State { work: Some(work.clone()), active: 0 }),
            idle: Condvar::new(),
            next: AtomicU64::new(items.start),
            end: items.end,
            parts,
            rate: parts.per_thread.max(1) * threads,
            vacancies: AtomicUsize::new(others as usize),
        });
        shift.recruit(|helper| self.pool.spawn(helper));
        shift.labour(&*work);
        shift.close();
    }
}

/// How a range is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Items of a part at least: fewer are not worth taking.
    pub(crate) least: u64,
    /// What is left is enough for so many parts per thread: the more, the better uneven items spread.
    pub(crate) per_thread: u64,
    /// Parts end at multiples of so many items, where they are longer: items in between belong together.
    pub(crate) grain: u64,
}

/// One range that is being shared.
struct Shift {
    state: Mutex<State>,
    /// Signalled when the last helper of a closed shift leaves.
    idle: Condvar,
    next: AtomicU64,
    end: u64,
    parts: Parts,
    /// What is left is cut into so many.
    rate: u64,
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
        while let Some(part) = self.take() {
            if !work.run(part) {
                self.next.store(self.end, Ordering::Relaxed);
                return;
            }
        }
    }

    /// The next part, if anything is left.
    fn take(&self) -> Option<Range<u64>> {
        let mut start = self.next.load(Ordering::Relaxed);
        loop {
            if start >= self.end {
                return None;
            }
            let left = self.end - start;
            let length = (left / self.rate).max(self.parts.least).clamp(1, left);
            let mut end = start + length;
            let ragged = end.checked_rem(self.parts.grain).unwrap_or(0);
            if end < self.end && ragged < length {
                end -= ragged;
            }
            match self.next.compare_exchange_weak(start, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(start..end),
                Err(now) => start = now,
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

    fn parts(least: u64) -> Parts {
        Parts { least, per_thread: 4, grain: 1 }
    }

    fn tally(threads: usize, items: Range<u64>, parts: Parts, last: u64) -> Vec<usize> {
        let work = Arc::new(Tally { seen: (0..items.end).map(|_| AtomicUsize::new(0)).collect(), last });
        Crew::new(Some(threads)).unwrap().share(work.clone(), items, parts);
        let work = Arc::into_inner(work).expect("nobody else holds the work after `share`");
        work.seen.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_item_is_handled_once() {
        for threads in [1, 2, 7] {
            for (items, least, grain) in [
                (0..0, 1, 1),
                (0..1, 1, 1),
                (3..1000, 1, 0),
                (5..1000, 7, 16),
                (0..10, 100, 3),
                (0..10, 0, 7),
                (0..100_000, 10, 1000),
            ] {
                let parts = Parts { least, grain, per_thread: 4 };
                let expected: Vec<_> = (0..items.end).map(|i| usize::from(i >= items.start)).collect();
                assert_eq!(
                    tally(threads, items.clone(), parts, u64::MAX),
                    expected,
                    "{threads} {items:?} {parts:?}"
                );
            }
        }
    }

    #[test]
    fn parts_shrink_and_end_where_items_belong_apart() {
        let shift = Shift {
            state: Mutex::new(State { work: None, active: 0 }),
            idle: Condvar::new(),
            next: AtomicU64::new(30),
            end: 1000,
            parts: Parts { least: 20, per_thread: 4, grain: 16 },
            rate: 8,
            vacancies: AtomicUsize::new(0),
        };
        let parts: Vec<_> = std::iter::from_fn(|| shift.take()).collect();
        assert_eq!(parts[0], 30..144);
        assert!(parts.windows(2).all(|two| two[0].end == two[1].start && two[0].end % 16 == 0));
        let lengths: Vec<u64> = parts.iter().map(|part| part.end - part.start).collect();
        assert!(lengths.windows(2).all(|two| two[1] <= two[0] + 16), "{lengths:?}");
        assert_eq!(parts.last().map(|part| part.end), Some(1000));
        assert!(lengths.iter().rev().skip(1).all(|&n| n >= 16), "{lengths:?}");
    }

    #[test]
    fn work_that_is_over_is_not_continued() {
        assert_eq!(tally(1, 0..100, parts(10), 5)[..], [vec![1; 6], vec![0; 94]].concat());
        let seen = tally(4, 0..100_000, parts(1), 10);
        assert!(seen[..=10].iter().all(|&n| n == 1), "every part before the last was begun");
        assert!(seen.iter().sum::<usize>() < 100_000);
    }

    #[test]
    fn a_busy_pool_does_not_hold_up_the_caller() {
        let crew = Crew::new(Some(1)).unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        crew.pool().spawn(move || gate.recv().unwrap());
        let work = Arc::new(Tally { seen: (0..100).map(|_| AtomicUsize::new(0)).collect(), last: u64::MAX });
        crew.share(work.clone(), 0..100, parts(1));
        assert!(work.seen.iter().all(|n| n.load(Ordering::Relaxed) == 1));
        open.send(()).unwrap();
    }
}
