//! Copies and fills within host memory.
//!
//! Knows nothing of kernels; the regions were checked.

use std::ops::Range;
use std::sync::Arc;

use warpweft_hal::{HostBlock, Region};

use crate::check;
use crate::crew::{Crew, Parts, Work};

/// Bytes of one part; what is smaller than two of them is not worth waking another thread.
const PART: u64 = 1 << 20;

/// Copies a region onto another of the same size.
///
/// # Safety
/// Nothing else may write `from`, nor touch `to`, until it returns.
pub(crate) unsafe fn copy(crew: &Crew, from: &Region, to: &Region) -> Result<(), String> {
    check::copy(from, to)?;
    let source = (check::region("the source", from)?.clone(), from.offset);
    let target = (check::region("the target", to)?.clone(), to.offset);
    share(crew, Arc::new(Copy { source, target }), from.size);
    Ok(())
}

/// Sets every word of a region.
///
/// # Safety
/// Nothing else may touch `to` until it returns.
pub(crate) unsafe fn fill(crew: &Crew, to: &Region, word: u32) -> Result<(), String> {
    let target = (check::region("the target", to)?.clone(), to.offset);
    share(crew, Arc::new(Fill { target, word }), to.size);
    Ok(())
}

fn share(crew: &Crew, work: Arc<dyn Work>, bytes: u64) {
    if bytes < 2 * PART {
        work.run(0..bytes);
    } else {
        crew.share(work, 0..bytes, Parts { least: PART, per_thread: 4, grain: PART });
    }
}

/// A block, and where its region starts.
type Start = (Arc<HostBlock>, u64);

fn within((_, offset): &Start, bytes: &Range<u64>) -> Range<u64> {
    offset + bytes.start..offset + bytes.end
}

struct Copy {
    source: Start,
    target: Start,
}

impl Work for Copy {
    fn run(&self, bytes: Range<u64>) -> bool {
        // SAFETY: `copy`'s caller excludes writes, and the checked target does not overlap.
        let source = unsafe { self.source.0.bytes(within(&self.source, &bytes)) };
        // SAFETY: `copy`'s caller excludes every other access; each part is run once.
        let target = unsafe { self.target.0.bytes_mut(within(&self.target, &bytes)) };
        target.copy_from_slice(source);
        true
    }
}

struct Fill {
    target: Start,
    word: u32,
}

impl Work for Fill {
    fn run(&self, bytes: Range<u64>) -> bool {
        // SAFETY: `fill`'s caller excludes every other access; each part is run once.
        let target = unsafe { self.target.0.bytes_mut(within(&self.target, &bytes)) };
        // Whole words of a block whose start is a word's: the cast cannot fail.
        bytemuck::cast_slice_mut::<u8, u32>(target).fill(self.word);
        true
    }
}
