//! Memory for everyone's arrays as the runtime has it for its own: large ones aligned, in huge pages.
//!
//! So that what is compared is code, not where arrays happen to lie. Knows no arrays.

use std::alloc::{GlobalAlloc, Layout, System};

use warpweft_hal::{HUGE_PAGE, HostBlock};

/// The system's allocator, whose large blocks lie in huge pages where the system has them.
#[derive(Clone, Copy, Debug)]
pub struct HugePages;

/// What is asked of the system for that.
fn wider(layout: Layout) -> Layout {
    if layout.size() < HostBlock::LARGE { layout } else { layout.align_to(HUGE_PAGE).unwrap_or(layout) }
}

// SAFETY: the system's allocator, given layouts of the same size and at least the same alignment, the same ones for what
// it gave.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout has a size above zero, and so has a wider one.
        let start = unsafe { System.alloc(wider(layout)) };
        #[cfg(target_os = "linux")]
        if layout.size() >= HostBlock::LARGE && !start.is_null() {
            // A wish. SAFETY: whole pages of what was just given, whose content advice does not change.
            unsafe {
                libc::madvise(start.cast(), layout.size() / HUGE_PAGE * HUGE_PAGE, libc::MADV_HUGEPAGE)
            };
        }
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: `alloc` gave it for the layout that is asked for here.
        unsafe { System.dealloc(start, wider(layout)) }
    }
}
