//! Bind groups, kept by kernel and arguments, so that a repeated launch makes none.
//!
//! Knows nothing of what the buffers hold.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;
use warpweft_hal::{KernelId, MemoryId};

use crate::values::Place;

/// Launches that are remembered.
const KEPT: usize = 1024;

/// What lies behind a binding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Bound {
    Memory { id: MemoryId, offset: u64, size: u64 },
    Value(Place),
}

/// A kernel with its arguments.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Key {
    pub(crate) kernel: KernelId,
    pub(crate) bound: SmallVec<[Bound; 8]>,
}

/// The bind groups of a launch, with their numbers.
pub(crate) type Groups = Arc<SmallVec<[(u32, wgpu::BindGroup); 2]>>;

/// The bind groups of the launches of late.
#[derive(Default)]
pub(crate) struct Binds {
    kept: HashMap<Key, (Groups, u64)>,
    clock: u64,
}

impl Binds {
    pub(crate) fn get(&mut self, key: &Key) -> Option<Groups> {
        let (groups, used) = self.kept.get_mut(key)?;
        self.clock += 1;
        *used = self.clock;
        Some(groups.clone())
    }

    pub(crate) fn insert(&mut self, key: Key, groups: Groups) {
        if self.kept.len() >= KEPT {
            // Half at a time: one pass over all for every few hundred new ones.
            let mut times: Vec<_> = self.kept.values().map(|(_, used)| *used).collect();
            let (_, median, _) = times.select_nth_unstable(KEPT / 2);
            let median = *median;
            self.kept.retain(|_, (_, used)| *used > median);
        }
        self.clock += 1;
        self.kept.insert(key, (groups, self.clock));
    }

    /// Drops what refers to a memory: its buffer can then be reused or destroyed.
    pub(crate) fn forget_memory(&mut self, memory: MemoryId) {
        self.kept.retain(|key, _| {
            !key.bound.iter().any(|b| matches!(b, Bound::Memory { id, .. } if *id == memory))
        });
    }

    pub(crate) fn forget_kernel(&mut self, kernel: KernelId) {
        self.kept.retain(|key, _| key.kernel != kernel);
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
