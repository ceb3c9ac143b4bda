//! Reading a buffer: an unchanging look at its words in host memory.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::Pod;
use warpweft_hal::HostBlock;

use crate::Result;
use crate::graph::Dependencies;

/// The elements of a buffer as they were when it was read.
///
/// A snapshot dereferences to a slice. Later launches neither wait for it nor change it: what they would overwrite
/// moves to fresh memory. On the CPU no byte is copied to make one.
pub struct Snapshot<T> {
    block: Arc<HostBlock>,
    /// While this lives the block is not written.
    _lease: Arc<()>,
    bytes: Range<u64>,
    shape: Vec<usize>,
    elements: PhantomData<T>,
}

impl<T: Pod> Snapshot<T> {
    /// The shape of what was read, as numpy has it: the last axis varies fastest.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
}

impl<T: Pod> Deref for Snapshot<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the events of every task that wrote the range were over before the snapshot was handed out, and
        // the lease keeps later ones off the block. Blocks are aligned for the vectors they came from, fresh ones
        // to 64 bytes; an alignment that does not fit is caught by the cast.
        let bytes = unsafe { self.block.bytes(self.bytes.clone()) };
        bytemuck::cast_slice(bytes)
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Snapshot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A snapshot whose bytes are still on their way.
pub(crate) struct PendingSnapshot {
    pub(crate) block: Arc<HostBlock>,
    pub(crate) lease: Arc<()>,
    pub(crate) bytes: Range<u64>,
    pub(crate) shape: Vec<usize>,
    pub(crate) events: Dependencies,
}

impl PendingSnapshot {
    /// Every byte is there, or is known to never come.
    pub(crate) fn is_ready(&self) -> bool {
        self.events.iter().all(|event| event.is_done())
    }

    /// Waits for the bytes.
    pub(crate) fn wait<T: Pod>(self) -> Result<Snapshot<T>> {
        self.events.wait()?;
        let Self { block, lease, bytes, shape, .. } = self;
        Ok(Snapshot { block, _lease: lease, bytes, shape, elements: PhantomData })
    }
}
