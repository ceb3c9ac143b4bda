//! Zeroed memory straight from the system, in huge pages where it has them.
//!
//! The system gives a page when it is first touched, near the thread that touches it. Huge pages make that five hundred
//! times rarer, and spare streams of memory most walks through page tables. Knows nothing of what lies in the memory.

use std::ptr::NonNull;

use memmap2::{MmapMut, MmapOptions};

/// The size and the alignment of a huge page: of x86-64, and of aarch64 whose small pages have 4 KiB.
pub const HUGE_PAGE: usize = 1 << 21;

/// Zeroed memory that nobody has touched yet.
pub(crate) struct Pages {
    /// Given back with it.
    _map: MmapMut,
    start: NonNull<u8>,
}

impl Pages {
    /// Memory of so many bytes, aligned to [`HUGE_PAGE`]; `None` where the system refuses it.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        // So much more that the alignment is found in it: addresses only, which nobody touches.
        let mut map = MmapOptions::new().len(bytes.checked_add(HUGE_PAGE)?).map_anon().ok()?;
        let before = map.as_ptr().align_offset(HUGE_PAGE);
        // A wish: pages are small ones where the system has no others. What is left of the last one stays small, so that
        // no memory is taken that nobody asked for.
        #[cfg(target_os = "linux")]
        let _ = map.advise_range(memmap2::Advice::HugePage, before, bytes / HUGE_PAGE * HUGE_PAGE);
        let start = NonNull::new(map.as_mut_ptr().wrapping_add(before))?;
        Some(Self { _map: map, start })
    }

    /// The first byte.
    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_aligned_and_can_be_written_to_their_end() {
        for bytes in [1, HUGE_PAGE - 1, 2 * HUGE_PAGE, 2 * HUGE_PAGE + 4096] {
            let pages = Pages::new(bytes).unwrap();
            assert_eq!(pages.start().as_ptr() as usize % HUGE_PAGE, 0);
            // SAFETY: nobody else has the fresh memory, and it holds so many bytes.
            let memory = unsafe { std::slice::from_raw_parts_mut(pages.start().as_ptr(), bytes) };
            assert_eq!((memory[0], memory[bytes - 1]), (0, 0));
            (memory[0], memory[bytes - 1]) = (1, 2);
        }
        assert!(Pages::new(usize::MAX).is_none());
        assert!(Pages::new(usize::MAX / 2).is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_nobody_touches_is_not_there() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
        };
        const BYTES: usize = 1 << 30;
        let before = resident();
        let pages = Pages::new(BYTES).unwrap();
        // SAFETY: as above.
        unsafe { pages.start().as_ptr().add(BYTES / 2).write(1) };
        let taken = resident().saturating_sub(before);
        assert!(taken < BYTES / 16, "{taken} bytes for one that was written");
    }
}
