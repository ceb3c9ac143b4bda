//! Work over rayon's threads in ascending chunks, so that the threads stay near each other in memory.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` for chunks of `0..n`, on every thread of the current pool, until none is left.
///
/// # Panics
/// If `chunk` is zero, or `work` does.
pub fn spread(n: usize, chunk: usize, work: impl Fn(Range<usize>) + Sync) {
    assert!(chunk > 0, "chunks have a length");
    let next = AtomicUsize::new(0);
    rayon::broadcast(|_| {
        loop {
            let first = next.fetch_add(chunk, Ordering::Relaxed);
            if first >= n {
                return;
            }
            work(first..n.min(first + chunk));
        }
    });
}

/// A pointer that threads share; what each of them writes is its own.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: whoever uses the pointer writes ranges that no other thread touches.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    pub(crate) fn new(words: &mut [f32]) -> Self {
        Self(words.as_mut_ptr())
    }

    /// A range of what the pointer was made of.
    ///
    /// # Safety
    /// The range must lie within it, the words must live, and nobody else may use the range meanwhile.
    pub(crate) unsafe fn slice<'a>(self, range: Range<usize>) -> &'a mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        let mut words = vec![0.0f32; 1003];
        let shared = Shared::new(&mut words);
        // SAFETY: chunks do not overlap.
        spread(1003, 10, |range| unsafe { shared.slice(range).iter_mut().for_each(|word| *word += 1.0) });
        assert!(words.iter().all(|&word| word == 1.0));
    }
}
