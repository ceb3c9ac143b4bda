//! The runtime's one lock: every buffer's residency and accesses, and the counters.
//!
//! It is held while a launch is planned and handed to its device, never while anybody waits or a kernel runs on
//! the calling thread.

use slab::Slab;

use crate::buffer::Store;
use crate::stats::Stats;

/// All mutable state that launches and buffers share.
pub(crate) struct Ledger {
    pub(crate) stores: Slab<Store>,
    pub(crate) stats: Stats,
    /// Counts uses, for eviction.
    pub(crate) clock: u64,
}
