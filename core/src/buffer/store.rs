//! The content of a buffer: which location holds a valid copy of which words, and which tasks touch them.
//!
//! A *location* is host memory, which is the memory of every host-memory device, or one other device. A word is
//! valid in any number of locations; it may also be known to be zero, or be valid nowhere (its content is
//! undefined). This file keeps the sets; `transfer` changes them.
//!
//! **Snapshots.** Whoever reads a host block from outside holds its *lease*. A leased block is never written: what
//! would write it moves the store to a fresh block first ([`HostCopy::is_leased`]).

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;
use warpweft_hal::{Device, HostBlock, MemoryId};

use super::accesses::{Accesses, Effect};
use super::copies::Copy;
use super::intervals::Intervals;
use crate::graph::Dependencies;

/// The place of a store in the ledger.
pub(crate) type StoreKey = usize;

/// An allocation of a device, given back when nothing needs it any more.
pub(crate) struct DeviceMemory {
    pub(crate) device: Arc<dyn Device>,
    pub(crate) id: MemoryId,
}

impl Drop for DeviceMemory {
    fn drop(&mut self) {
        self.device.free(self.id);
    }
}

/// The copy in host memory.
pub(crate) struct HostCopy {
    pub(crate) block: Arc<HostBlock>,
    /// Held by every snapshot of this block, and by this.
    pub(crate) lease: Arc<()>,
    pub(crate) copy: Copy,
}

impl HostCopy {
    pub(crate) fn new(block: HostBlock, copy: Copy) -> Self {
        Self { block: Arc::new(block), lease: Arc::new(()), copy }
    }

    /// A snapshot is looking at the block.
    pub(crate) fn is_leased(&mut self) -> bool {
        // Unlike the strong count, this synchronises with the drop of the last snapshot: its reads come first.
        Arc::get_mut(&mut self.lease).is_none()
    }
}

/// The copy on a device with memory of its own.
pub(crate) struct DeviceCopy {
    pub(crate) memory: Arc<DeviceMemory>,
    pub(crate) copy: Copy,
    /// The ledger's clock when a launch used it last.
    pub(crate) last_use: u64,
}

/// The content of a buffer.
pub(crate) struct Store {
    /// Its size.
    pub(crate) words: u64,
    /// Its content is undefined whenever a launch begins: it never moves.
    pub(crate) scratch: bool,
    /// Words that are zero and were never written: no block or allocation ever held anything else there.
    pub(crate) zero: Intervals,
    pub(crate) host: Option<HostCopy>,
    /// By device index; host-memory devices have none.
    pub(crate) copies: SmallVec<[Option<DeviceCopy>; 2]>,
    pub(crate) accesses: Accesses,
}

impl Store {
    fn new(words: u64, devices: usize) -> Self {
        Self {
            words,
            scratch: false,
            zero: Intervals::new(),
            host: None,
            copies: (0..devices).map(|_| None).collect(),
            accesses: Accesses::default(),
        }
    }

    /// A store whose content is a block of host memory.
    pub(crate) fn from_host(block: HostBlock, devices: usize) -> Self {
        let words = block.len() / 4;
        Self { host: Some(HostCopy::new(block, Copy::of(0..words))), ..Self::new(words, devices) }
    }

    /// A store of zeros that exists nowhere yet.
    pub(crate) fn zeros(words: u64, devices: usize) -> Self {
        let mut store = Self::new(words, devices);
        store.zero.insert(0..words);
        store
    }

    /// A store that never moves.
    pub(crate) fn scratch(words: u64, devices: usize) -> Self {
        Self { scratch: true, ..Self::new(words, devices) }
    }

    /// The copy of a location; `None` is host memory.
    pub(crate) fn copy(&self, location: Option<usize>) -> Option<&Copy> {
        match location {
            None => self.host.as_ref().map(|host| &host.copy),
            Some(device) => self.copies[device].as_ref().map(|copy| &copy.copy),
        }
    }

    fn copy_mut(&mut self, location: Option<usize>) -> Option<&mut Copy> {
        match location {
            None => self.host.as_mut().map(|host| &mut host.copy),
            Some(device) => self.copies[device].as_mut().map(|copy| &mut copy.copy),
        }
    }

    /// Every location, host memory first.
    fn locations(&self) -> impl Iterator<Item = Option<usize>> + use<> {
        std::iter::once(None).chain((0..self.copies.len()).map(Some))
    }

    /// Forgets transfers that are over, and what failed ones were to bring.
    pub(crate) fn settle(&mut self) {
        for location in self.locations() {
            if let Some(copy) = self.copy_mut(location) {
                copy.settle();
            }
        }
    }

    /// The words that a location must get before it can read them: from elsewhere, and by filling with zeros.
    ///
    /// Words that are valid nowhere are in neither list.
    pub(crate) fn lacking(&self, location: Option<usize>, words: Range<u64>) -> Lacking {
        let mut lacking = Lacking::default();
        if self.scratch {
            return lacking;
        }
        let gaps = match self.copy(location) {
            Some(copy) => copy.valid().missing(words),
            None => SmallVec::from_iter([words]),
        };
        for gap in gaps {
            lacking.zeros.extend(self.zero.within(gap.clone()));
            for part in self.zero.missing(gap) {
                self.find(location, part, &mut lacking.moves);
            }
        }
        lacking
    }

    /// Splits words by the location that they can come from.
    fn find(&self, to: Option<usize>, words: Range<u64>, moves: &mut Vec<Move>) {
        let mut rest = SmallVec::<[Range<u64>; 2]>::from_iter([words]);
        for from in self.locations().filter(|from| *from != to) {
            let Some(copy) = self.copy(from) else { continue };
            let mut without = SmallVec::new();
            for part in rest {
                moves.extend(copy.valid().within(part.clone()).into_iter().map(|words| Move { from, words }));
                without.extend(copy.valid().missing(part));
            }
            rest = without;
        }
    }

    /// Adds what a task in `location` must wait for before it touches words there.
    pub(crate) fn await_arrivals(
        &self,
        location: Option<usize>,
        words: &Range<u64>,
        dependencies: &mut Dependencies,
    ) {
        if let Some(copy) = self.copy(location) {
            copy.await_arrivals(words, dependencies);
        }
    }

    /// Makes the words valid nowhere but in the given location.
    pub(crate) fn written(&mut self, at: Option<usize>, words: &Range<u64>) {
        self.zero.remove(words.clone());
        for location in self.locations() {
            if let Some(copy) = self.copy_mut(location) {
                match location == at {
                    true => copy.insert(words.clone()),
                    false => copy.remove(words.clone()),
                }
            }
        }
    }

    /// Takes a block as the whole content. Whoever uses the old one keeps it, so that nobody needs to be waited for.
    pub(crate) fn replace_host(&mut self, block: HostBlock) {
        let words = 0..self.words;
        self.host = Some(HostCopy::new(block, Copy::default()));
        self.written(None, &words);
        self.accesses.overwrite(&words);
    }

    /// Makes the words valid nowhere: their content is undefined until they are written.
    pub(crate) fn discard(&mut self, words: &Range<u64>) {
        self.zero.remove(words.clone());
        for location in self.locations() {
            if let Some(copy) = self.copy_mut(location) {
                copy.remove(words.clone());
            }
        }
        self.accesses.forgive(words);
    }

    /// What a launch does to words of this store.
    pub(crate) fn effect(&self, writes: bool) -> Effect {
        match (writes, self.scratch) {
            (false, _) => Effect::Reads,
            (true, false) => Effect::Writes,
            (true, true) => Effect::Scribbles,
        }
    }
}

/// Words and the location that they can come from (`None` is host memory).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Move {
    pub(crate) from: Option<usize>,
    pub(crate) words: Range<u64>,
}

/// What a location lacks of a range.
#[derive(Debug, Default)]
pub(crate) struct Lacking {
    pub(crate) zeros: SmallVec<[Range<u64>; 2]>,
    pub(crate) moves: Vec<Move>,
}
