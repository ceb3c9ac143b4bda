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

use super::accesses::Accesses;
use super::intervals::Intervals;
use crate::graph::Event;

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
    pub(crate) valid: Intervals,
    /// Downloads in flight: words that are valid once the event is over.
    pub(crate) arrivals: Vec<(Range<u64>, Arc<Event>)>,
}

impl HostCopy {
    pub(crate) fn new(block: HostBlock, valid: Intervals) -> Self {
        Self {
            block: Arc::new(block),
            lease: Arc::new(()),
            valid,
            arrivals: Vec::new(),
        }
    }

    /// A snapshot is looking at the block.
    pub(crate) fn is_leased(&self) -> bool {
        Arc::strong_count(&self.lease) > 1
    }
}

/// The copy on a device with memory of its own.
pub(crate) struct DeviceCopy {
    pub(crate) memory: Arc<DeviceMemory>,
    pub(crate) valid: Intervals,
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
        let mut valid = Intervals::new();
        valid.insert(0..words);
        Self {
            host: Some(HostCopy::new(block, valid)),
            ..Self::new(words, devices)
        }
    }

    /// A store of zeros that exists nowhere yet.
    pub(crate) fn zeros(words: u64, devices: usize) -> Self {
        let mut store = Self::new(words, devices);
        store.zero.insert(0..words);
        store
    }

    /// A store that never moves.
    pub(crate) fn scratch(words: u64, devices: usize) -> Self {
        Self {
            scratch: true,
            ..Self::new(words, devices)
        }
    }

    /// The words that a location must get before it can read them: from elsewhere, and by filling with zeros.
    ///
    /// `device` is `None` for host memory. Words that are valid nowhere are in neither list.
    pub(crate) fn lacking(&self, device: Option<usize>, words: Range<u64>) -> Lacking {
        let mut lacking = Lacking::default();
        if self.scratch {
            return lacking;
        }
        let gaps = match device {
            None => match &self.host {
                Some(host) => host.valid.missing(words),
                None => SmallVec::from_iter([words]),
            },
            Some(index) => match &self.copies[index] {
                Some(copy) => copy.valid.missing(words),
                None => SmallVec::from_iter([words]),
            },
        };
        for gap in gaps {
            lacking.zeros.extend(self.zero.within(gap.clone()));
            for part in self.zero.missing(gap) {
                self.find(device, part, &mut lacking.moves);
            }
        }
        lacking
    }

    /// Splits words by the location that they can come from: host memory first.
    fn find(&self, to: Option<usize>, words: Range<u64>, moves: &mut Vec<Move>) {
        let mut rest = SmallVec::<[Range<u64>; 2]>::from_iter([words]);
        let host = self
            .host
            .as_ref()
            .filter(|_| to.is_some())
            .map(|h| (None, &h.valid));
        let copies = self.copies.iter().enumerate();
        let copies =
            copies.filter_map(|(i, c)| c.as_ref().filter(|_| to != Some(i)).map(|c| (Some(i), &c.valid)));
        for (from, valid) in host.into_iter().chain(copies) {
            let mut without = SmallVec::new();
            for part in rest {
                moves.extend(
                    valid
                        .within(part.clone())
                        .into_iter()
                        .map(|words| Move { from, words }),
                );
                without.extend(valid.missing(part));
            }
            rest = without;
        }
    }

    /// Makes the words valid nowhere but in the given location.
    pub(crate) fn written(&mut self, device: Option<usize>, words: &Range<u64>) {
        self.zero.remove(words.clone());
        if let Some(host) = &mut self.host {
            match device {
                None => host.valid.insert(words.clone()),
                Some(_) => host.valid.remove(words.clone()),
            }
        }
        for (index, copy) in self.copies.iter_mut().enumerate() {
            if let Some(copy) = copy {
                match device == Some(index) {
                    true => copy.valid.insert(words.clone()),
                    false => copy.valid.remove(words.clone()),
                }
            }
        }
    }

    /// Takes a block as the whole content. Whoever uses the old one keeps it, so that nobody needs to be waited for.
    pub(crate) fn replace_host(&mut self, block: HostBlock) {
        let words = 0..self.words;
        self.host = Some(HostCopy::new(block, Intervals::new()));
        self.written(None, &words);
        self.accesses.overwrite(&words);
    }

    /// Makes the words valid nowhere: their content is undefined until they are written.
    pub(crate) fn discard(&mut self, words: &Range<u64>) {
        self.zero.remove(words.clone());
        if let Some(host) = &mut self.host {
            host.valid.remove(words.clone());
        }
        for copy in self.copies.iter_mut().flatten() {
            copy.valid.remove(words.clone());
        }
        self.accesses.forgive(words);
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
