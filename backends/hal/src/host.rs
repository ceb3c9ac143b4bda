//! Blocks of host memory that launches may read and write: the CPU device's memory, and the host's end of every
//! transfer.
//!
//! A block is whole 32-bit words, shared by reference count. Interpreted kernels reach it through relaxed atomics
//! ([`HostBlock::words`]), so a racy kernel is no undefined behaviour here; plain slices are `unsafe` and rest on
//! the runtime's ordering of conflicting work. A block knows nothing of who holds a valid copy of what.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::fmt;
use std::mem::{ManuallyDrop, align_of, size_of};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;

use crate::pages::{HUGE_PAGE, Pages};

/// Alignment of fresh blocks: a cache line, and the widest vector register.
const ALIGNMENT: usize = 64;

/// A block of host memory.
pub struct HostBlock {
    start: NonNull<u8>,
    /// Whole words; the caller's length may be up to three bytes less.
    words: usize,
    /// Gives the memory back.
    release: Release,
}

enum Release {
    Layout(Layout),
    /// They give themselves back.
    Pages(#[expect(dead_code, reason = "held until the block is dropped")] Pages),
    /// A `Vec`'s start, length and capacity, and the monomorphic function that drops it.
    Vec {
        len: usize,
        capacity: usize,
        drop: unsafe fn(NonNull<u8>, usize, usize),
    },
    Nothing,
}

// SAFETY: a block owns its memory like a `Box<[AtomicU32]>`; shared access is through atomics or through `unsafe`
// functions whose callers vouch for ordering.
unsafe impl Send for HostBlock {}
// SAFETY: as above.
unsafe impl Sync for HostBlock {}

impl HostBlock {
    /// Bytes from which on a fresh block has pages of its own, aligned to [`HUGE_PAGE`] and huge where the system has such.
    pub const LARGE: usize = 2 * HUGE_PAGE;

    /// A zeroed block that holds at least `bytes` bytes. Of a large one, pages that nobody touched cost nothing yet: they
    /// come with the first touch, near the thread that touches them.
    ///
    /// Returns `None` when the system refuses the memory.
    pub fn zeroed(bytes: u64) -> Option<Self> {
        let words = usize::try_from(bytes.div_ceil(4)).ok()?;
        if words == 0 {
            // Aligned like any block, so that an empty slice of any element type may start there.
            return Some(Self {
                start: NonNull::new(std::ptr::without_provenance_mut(ALIGNMENT))?,
                words: 0,
                release: Release::Nothing,
            });
        }
        let bytes = words.checked_mul(4)?;
        if bytes >= Self::LARGE {
            let pages = Pages::new(bytes)?;
            return Some(Self { start: pages.start(), words, release: Release::Pages(pages) });
        }
        let layout = Layout::from_size_align(bytes, ALIGNMENT).ok()?;
        // SAFETY: the layout has a size above zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { start, words, release: Release::Layout(layout) })
    }

    /// Takes the vector's memory, without a copy where it is aligned and long enough to be whole words.
    ///
    /// Returns `None` when a copy was needed and the system refuses the memory.
    pub fn from_vec<T: bytemuck::Pod>(mut data: Vec<T>) -> Option<Self> {
        let bytes = size_of::<T>() * data.len();
        if bytes > 0 && bytes.is_multiple_of(4) && (data.as_ptr() as usize).is_multiple_of(align_of::<u32>())
        {
            let start = NonNull::new(data.as_mut_ptr().cast::<u8>())?;
            let data = ManuallyDrop::new(data);
            let release = Release::Vec { len: data.len(), capacity: data.capacity(), drop: drop_vec::<T> };
            return Some(Self { start, words: bytes / 4, release });
        }
        Self::copy_of(bytemuck::cast_slice(&data))
    }

    /// A fresh block with a copy of `data`, padded with zeros to whole words.
    ///
    /// Returns `None` when the system refuses the memory.
    pub fn copy_of(data: &[u8]) -> Option<Self> {
        let block = Self::zeroed(data.len() as u64)?;
        // SAFETY: nobody else holds the fresh block.
        unsafe { block.bytes_mut(0..data.len() as u64) }.copy_from_slice(data);
        Some(block)
    }

    /// Bytes of the block: a multiple of 4.
    pub fn len(&self) -> u64 {
        self.words as u64 * 4
    }

    /// The block has no bytes.
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// The block as words, for access that may race.
    pub fn words(&self) -> &[AtomicU32] {
        // SAFETY: the memory is owned, aligned to 4 and initialised, and `AtomicU32` has the layout of `u32`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast::<AtomicU32>(), self.words) }
    }

    /// A byte range as a plain slice.
    ///
    /// # Safety
    /// No write may touch the range while the slice lives.
    ///
    /// # Panics
    /// When the range leaves the block.
    pub unsafe fn bytes(&self, range: Range<u64>) -> &[u8] {
        let (offset, len) = self.check(range);
        // SAFETY: in bounds; the caller excludes writes.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(offset), len) }
    }

    /// A byte range as a mutable slice.
    ///
    /// # Safety
    /// No other access may touch the range while the slice lives.
    ///
    /// # Panics
    /// When the range leaves the block.
    #[allow(clippy::mut_from_ref, reason = "exclusivity is the caller's promise, as with UnsafeCell")]
    pub unsafe fn bytes_mut(&self, range: Range<u64>) -> &mut [u8] {
        let (offset, len) = self.check(range);
        // SAFETY: in bounds; the caller excludes every other access.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(offset), len) }
    }

    fn check(&self, range: Range<u64>) -> (usize, usize) {
        assert!(
            range.start <= range.end && range.end <= self.len(),
            "the byte range {range:?} leaves a host block of {} bytes",
            self.len()
        );
        (range.start as usize, (range.end - range.start) as usize)
    }
}

impl Drop for HostBlock {
    fn drop(&mut self) {
        match self.release {
            Release::Nothing | Release::Pages(_) => {}
            // SAFETY: allocated with this layout by `zeroed`.
            Release::Layout(layout) => unsafe { dealloc(self.start.as_ptr(), layout) },
            // SAFETY: start, length and capacity are those of the vector taken apart by `from_vec`.
            Release::Vec { len, capacity, drop } => unsafe { drop(self.start, len, capacity) },
        }
    }
}

/// # Safety
/// `start`, `len` and `capacity` must be those of a `Vec<T>` that was taken apart.
unsafe fn drop_vec<T>(start: NonNull<u8>, len: usize, capacity: usize) {
    // SAFETY: by contract.
    drop(unsafe { Vec::from_raw_parts(start.as_ptr().cast::<T>(), len, capacity) });
}

impl fmt::Debug for HostBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostBlock({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn an_aligned_vector_is_taken_without_a_copy() {
        let data = vec![1.0f32, 2.0, 3.0];
        let start = data.as_ptr() as usize;
        let block = HostBlock::from_vec(data).unwrap();
        assert_eq!(block.words().as_ptr() as usize, start);
        assert_eq!(block.words()[1].load(Ordering::Relaxed), 2.0f32.to_bits());
    }

    #[test]
    fn odd_bytes_are_padded_with_zeros() {
        let block = HostBlock::from_vec(vec![1u8, 2, 3, 4, 5]).unwrap();
        assert_eq!(block.len(), 8);
        assert_eq!(block.words()[1].load(Ordering::Relaxed).to_le_bytes(), [5, 0, 0, 0]);
    }

    #[test]
    fn fresh_blocks_are_zero_and_aligned() {
        let block = HostBlock::zeroed(1000).unwrap();
        assert_eq!(block.words().as_ptr() as usize % ALIGNMENT, 0);
        assert!(block.words().iter().all(|w| w.load(Ordering::Relaxed) == 0));
        let large = HostBlock::zeroed(HostBlock::LARGE as u64 + 4).unwrap();
        assert_eq!(
            (large.words().as_ptr() as usize % HUGE_PAGE, large.len()),
            (0, HostBlock::LARGE as u64 + 4)
        );
        assert_eq!(large.words().last().unwrap().swap(7, Ordering::Relaxed), 0);
        let empty = HostBlock::zeroed(0).unwrap();
        assert!(empty.is_empty());
        // SAFETY: there is nothing to race for.
        assert!(bytemuck::cast_slice::<u8, f64>(unsafe { empty.bytes(0..0) }).is_empty());
        assert!(HostBlock::zeroed(u64::MAX).is_none());
    }

    #[test]
    #[should_panic(expected = "leaves a host block of 8 bytes")]
    fn a_range_outside_is_refused() {
        let block = HostBlock::zeroed(8).unwrap();
        // SAFETY: nobody writes.
        let _ = unsafe { block.bytes(4..12) };
    }
}
