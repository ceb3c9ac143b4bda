//! Memory that a thread needs while it runs compiled code, kept between launches.
//!
//! Knows nothing of what lies in it.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use parking_lot::Mutex;

/// Alignment of every block: a cache line, and the widest vector register.
const ALIGNMENT: usize = 64;

/// Bytes that may be written, and read once they were; grows, never shrinks.
pub(crate) struct Block {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a block owns its memory.
unsafe impl Send for Block {}

impl Default for Block {
    fn default() -> Self {
        // Aligned like any other, so that code may be given it where it needs nothing.
        let start = NonNull::new(std::ptr::without_provenance_mut(ALIGNMENT));
        Self { start: start.unwrap_or(NonNull::dangling()), bytes: 0 }
    }
}

impl Block {
    /// Its first byte, aligned to 64.
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Makes it at least as large as that; what was in it is lost then. `false` where the system refuses the memory.
    fn reserve(&mut self, bytes: usize) -> bool {
        if bytes <= self.bytes {
            return true;
        }
        let Some(bytes) = bytes.checked_next_multiple_of(ALIGNMENT) else {
            return false;
        };
        let Ok(layout) = Layout::from_size_align(bytes, ALIGNMENT) else {
            return false;
        };
        // SAFETY: the size is above zero, because it is above `self.bytes`.
        let Some(start) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            return false;
        };
        *self = Self { start, bytes };
        true
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let (1.., Ok(layout)) = (self.bytes, Layout::from_size_align(self.bytes, ALIGNMENT)) {
            // SAFETY: `reserve` allocated it with this layout.
            unsafe { dealloc(self.start.as_ptr(), layout) };
        }
    }
}

/// What one thread needs.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) workgroup: Block,
    pub(crate) private: Block,
}

/// Memory that no thread needs just now: one for each that was ever at work at once.
#[derive(Default)]
pub(crate) struct Memories {
    free: Mutex<Vec<Memory>>,
}

impl Memories {
    /// Memory of at least so many bytes; `None` where the system refuses it.
    pub(crate) fn take(&self, workgroup: usize, private: usize) -> Option<Memory> {
        let mut memory = self.free.lock().pop().unwrap_or_default();
        (memory.workgroup.reserve(workgroup) && memory.private.reserve(private)).then_some(memory)
    }

    pub(crate) fn put(&self, memory: Memory) {
        self.free.lock().push(memory);
    }

    /// Gives back what is kept.
    pub(crate) fn trim(&self) {
        self.free.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_and_kept() {
        let memories = Memories::default();
        let first = memories.take(100, 0).unwrap();
        let second = memories.take(1, 5000).unwrap();
        assert_ne!(first.workgroup.start(), second.workgroup.start());
        for start in [first.workgroup.start(), first.private.start(), second.private.start()] {
            assert_eq!(start as usize % ALIGNMENT, 0);
        }
        let kept = second.private.start();
        memories.put(second);
        let again = memories.take(64, 5000).unwrap();
        assert_eq!(again.private.start(), kept, "what suffices is used again");
        memories.put(again);
        memories.put(first);
        memories.trim();
        assert!(memories.free.lock().is_empty());
        assert!(memories.take(usize::MAX, 0).is_none());
        assert!(memories.take(0, isize::MAX as usize).is_none());
    }
}
