//! The device's own memory: allocations, their bytes, and which words were ever written.
//!
//! Fresh memory holds garbage that depends on the seed alone, so that a result which rests on it is visibly wrong
//! and an executed kernel's writes can be told from words left alone. Knows nothing of time or commands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use warpweft_hal::{Argument, Dispatch, HostBlock, Memory, MemoryId, Region};

use crate::clock::mix;

/// One allocation.
struct Allocation {
    block: Arc<HostBlock>,
    /// One bit per word: it was written.
    defined: Vec<u64>,
    seed: u64,
}

impl Allocation {
    /// What an undefined word holds.
    fn garbage(&self, word: usize) -> u32 {
        mix(self.seed ^ word as u64) as u32
    }

    fn is_defined(&self, word: usize) -> bool {
        self.defined[word / 64] >> (word % 64) & 1 == 1
    }

    fn set_defined(&mut self, word: usize, defined: bool) {
        let bit = 1 << (word % 64);
        if defined {
            self.defined[word / 64] |= bit;
        } else {
            self.defined[word / 64] &= !bit;
        }
    }
}

/// All allocations of one device.
pub(crate) struct Memories {
    live: BTreeMap<MemoryId, Allocation>,
    last: u64,
    seed: u64,
    /// Fresh memory is filled with garbage; without it, untouched pages cost nothing.
    garbage: bool,
    /// Bytes allocated now, and the most that ever were.
    pub(crate) allocated: u64,
    pub(crate) peak: u64,
}

/// The words of a byte range.
fn words(bytes: Range<u64>) -> Range<usize> {
    (bytes.start / 4) as usize..(bytes.end / 4) as usize
}

impl Memories {
    pub(crate) fn new(seed: u64, garbage: bool) -> Self {
        Self { live: BTreeMap::new(), last: 0, seed, garbage, allocated: 0, peak: 0 }
    }

    /// A new allocation, or `None` when the system refuses the memory.
    pub(crate) fn allocate(&mut self, bytes: u64) -> Option<MemoryId> {
        let block = Arc::new(HostBlock::zeroed(bytes)?);
        self.last += 1;
        let id = MemoryId(self.last);
        let defined = vec![0; (bytes / 4).div_ceil(64) as usize];
        let allocation = Allocation { block, defined, seed: mix(self.seed ^ mix(self.last)) };
        if self.garbage {
            for (i, word) in allocation.block.words().iter().enumerate() {
                word.store(allocation.garbage(i), Relaxed);
            }
        }
        self.live.insert(id, allocation);
        self.allocated += bytes;
        self.peak = self.peak.max(self.allocated);
        Some(id)
    }

    pub(crate) fn free(&mut self, id: MemoryId) {
        if let Some(allocation) = self.live.remove(&id) {
            self.allocated -= allocation.block.len();
        }
    }

    /// The allocation's size.
    ///
    /// # Errors
    /// When it was freed, or never made.
    pub(crate) fn size(&self, id: MemoryId) -> Result<u64, String> {
        match self.live.get(&id) {
            Some(allocation) => Ok(allocation.block.len()),
            None if (1..=self.last).contains(&id.0) => Err(format!("memory {} was freed", id.0)),
            None => Err(format!("memory {} was never allocated", id.0)),
        }
    }

    /// The words of a region, `None` for those never written; host memory is always written.
    pub(crate) fn read(&self, region: &Region) -> Vec<Option<u32>> {
        let range = words(region.bytes());
        match &region.memory {
            Memory::Host(block) => block.words()[range].iter().map(|word| Some(word.load(Relaxed))).collect(),
            Memory::Device(id) => {
                let allocation = &self.live[id];
                let word = |i| allocation.is_defined(i).then(|| allocation.block.words()[i].load(Relaxed));
                range.map(word).collect()
            }
        }
    }

    /// Sets the words of a region; `None` makes them undefined.
    pub(crate) fn write(&mut self, region: &Region, data: impl IntoIterator<Item = Option<u32>>) {
        let range = words(region.bytes());
        match &region.memory {
            Memory::Host(block) => {
                for (word, value) in block.words()[range].iter().zip(data) {
                    word.store(value.unwrap_or(UNDEFINED_ON_HOST), Relaxed);
                }
            }
            Memory::Device(id) => {
                let Some(allocation) = self.live.get_mut(id) else {
                    return;
                };
                for (i, value) in range.zip(data) {
                    allocation.set_defined(i, value.is_some());
                    allocation.block.words()[i].store(value.unwrap_or(allocation.garbage(i)), Relaxed);
                }
            }
        }
    }

    /// The words of a device region that were never written, from the first to the last, in bytes.
    pub(crate) fn undefined(&self, region: &Region) -> Option<(MemoryId, Range<u64>)> {
        let Memory::Device(id) = region.memory else {
            return None;
        };
        let allocation = &self.live[&id];
        let mut range = words(region.bytes());
        let first = range.find(|&i| !allocation.is_defined(i))?;
        let last = range.rev().find(|&i| !allocation.is_defined(i)).unwrap_or(first);
        Some((id, 4 * first as u64..4 * last as u64 + 4))
    }

    /// The same dispatch with this memory's blocks in place of ids.
    pub(crate) fn hosted(&self, dispatch: &Dispatch) -> Dispatch {
        let mut dispatch = dispatch.clone();
        for argument in &mut dispatch.arguments {
            if let Argument::Region(Region { memory, .. }) = argument
                && let Memory::Device(id) = *memory
            {
                *memory = Memory::Host(self.live[&id].block.clone());
            }
        }
        dispatch
    }

    /// Takes note of what a kernel wrote to a region: where it was `executed` the words that are garbage no more, else
    /// all of them.
    pub(crate) fn written(&mut self, region: &Region, executed: bool) {
        let Memory::Device(id) = region.memory else { return };
        let Some(allocation) = self.live.get_mut(&id) else {
            return;
        };
        for i in words(region.bytes()) {
            if !executed || allocation.block.words()[i].load(Relaxed) != allocation.garbage(i) {
                allocation.set_defined(i, true);
            }
        }
    }
}

/// What the download of an undefined word leaves on the host: as a float, a NaN.
const UNDEFINED_ON_HOST: u32 = 0xffff_dead;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_undefined_until_written_and_copies_keep_that() {
        let mut memories = Memories::new(7, true);
        let (a, b) = (memories.allocate(400).unwrap(), memories.allocate(400).unwrap());
        let part = Region::device(a, 100..300);
        memories.write(&part, vec![Some(5); 50]);
        let whole = |id| Region::device(id, 0..400);
        assert_eq!(memories.undefined(&part), None);
        assert_eq!(memories.undefined(&whole(a)), Some((a, 0..400)));
        assert_eq!(memories.undefined(&Region::device(a, 200..400)), Some((a, 300..400)));
        let copy = memories.read(&whole(a));
        memories.write(&whole(b), copy.clone());
        assert_eq!(memories.read(&whole(b)), copy);
        memories.written(&whole(b), true);
        assert_eq!(memories.read(&whole(b)), copy, "garbage that was copied is still garbage");
        memories.written(&whole(b), false);
        assert_eq!(memories.undefined(&whole(b)), None);
    }

    #[test]
    fn ids_are_live_freed_or_unknown() {
        let mut memories = Memories::new(0, false);
        let a = memories.allocate(8).unwrap();
        assert_eq!(memories.size(a), Ok(8));
        memories.free(a);
        memories.free(a);
        assert_eq!((memories.allocated, memories.peak), (0, 8));
        assert_eq!(memories.size(a), Err("memory 1 was freed".into()));
        assert_eq!(memories.size(MemoryId(2)), Err("memory 2 was never allocated".into()));
    }
}
