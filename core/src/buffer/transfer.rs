//! Brings missing words to where they are needed, and no others.
//!
//! A launch goes through two phases under the ledger's lock. [`Mover::admit`] makes room: it allocates, evicts, and
//! moves leased host blocks aside; it may fail or ask the caller to wait and start over, and changes no residency
//! that matters. [`Mover::bring`] then makes the transfer commands and cannot fail. [`Mover::settle`] records what
//! is valid afterwards.

use std::ops::Range;
use std::sync::Arc;

use warpweft_hal::{Command, Error as DeviceError, HostBlock, Region};

use super::copies::Copy;
use super::store::{DeviceCopy, DeviceMemory, HostCopy, Move, Store, StoreKey};
use crate::devices::DeviceSlot;
use crate::graph::{Dependencies, Event, Task, Work};
use crate::ledger::Ledger;
use crate::{Error, Result};

/// Why a launch cannot be planned right now.
pub(crate) enum Blocked {
    /// These must be over first; then start anew.
    Wait(Dependencies),
    /// It cannot be done.
    Failed(Error),
}

impl From<Error> for Blocked {
    fn from(error: Error) -> Self {
        Blocked::Failed(error)
    }
}

/// Makes transfers between the locations of the ledger's stores.
pub(crate) struct Mover<'a> {
    pub(crate) devices: &'a [DeviceSlot],
    pub(crate) ledger: &'a mut Ledger,
}

impl Mover<'_> {
    /// The residency's name for a device: host memory is `None`.
    fn location(&self, device: usize) -> Option<usize> {
        (!self.devices[device].host_memory()).then_some(device)
    }

    /// Makes room in a device's memory for a store of which some words will be brought; `keys` are not evicted for it.
    pub(crate) fn admit(
        &mut self,
        key: StoreKey,
        device: usize,
        brought: &[Range<u64>],
        writes: bool,
        keys: &[StoreKey],
    ) -> Result<(), Blocked> {
        let location = self.location(device);
        self.ledger.stores[key].settle();
        let mut through_host: Vec<Move> = Vec::new();
        for words in brought {
            let lacking = self.ledger.stores[key].lacking(location, words.clone());
            through_host.extend(lacking.moves.into_iter().filter(|m| m.from.is_some()));
        }
        if location.is_none() || !through_host.is_empty() {
            self.ensure_host(key)?;
        }
        self.admit_downloads(key, &through_host)?;
        if location.is_none() && writes {
            self.unshare(key)?;
        }
        if location.is_some() && self.ledger.stores[key].copies[device].is_none() {
            let memory = self.allocate(device, self.ledger.stores[key].words * 4, keys)?;
            let last_use = self.ledger.clock;
            let copy = DeviceCopy { memory, copy: Copy::default(), last_use };
            self.ledger.stores[key].copies[device] = Some(copy);
        }
        Ok(())
    }

    /// Makes room to read words of a store on the host.
    pub(crate) fn admit_host(&mut self, key: StoreKey, words: &Range<u64>) -> Result<(), Blocked> {
        self.ensure_host(key)?;
        self.ledger.stores[key].settle();
        let moves = self.ledger.stores[key].lacking(None, words.clone()).moves;
        self.admit_downloads(key, &moves)
    }

    /// Makes room to write words of a store from outside.
    pub(crate) fn admit_host_write(&mut self, key: StoreKey) -> Result<(), Blocked> {
        self.ensure_host(key)?;
        self.ledger.stores[key].settle();
        self.unshare(key)
    }

    /// Sees to it that downloads may write the host block: no snapshot looks at it, and no older download that lost
    /// its meaning is still on its way into the same words.
    fn admit_downloads(&mut self, key: StoreKey, moves: &[Move]) -> Result<(), Blocked> {
        if moves.is_empty() {
            return Ok(());
        }
        let mut stale = Dependencies::default();
        for part in moves {
            self.ledger.stores[key].await_arrivals(None, &part.words, &mut stale);
        }
        match stale.unfinished() {
            Some(stale) => Err(Blocked::Wait(stale)),
            None => self.unshare(key),
        }
    }

    /// Makes the commands that bring what must be `brought` of `words` to the device on which `task` runs: the last leg
    /// into the task itself, downloads from other devices into tasks of their own.
    pub(crate) fn bring(
        &mut self,
        key: StoreKey,
        words: &Range<u64>,
        brought: &[Range<u64>],
        task: &mut Task,
        downloads: &mut Vec<Task>,
    ) {
        let device = task.event.device();
        let location = self.location(device);
        for words in brought {
            if location.is_none() {
                self.bring_to_host(key, words, downloads);
            } else {
                self.bring_to_device(key, words, task, downloads);
            }
        }
        // Also for what is not brought: what is still on its way there must not come after the task.
        self.ledger.stores[key].await_arrivals(location, words, &mut task.dependencies);
    }

    fn bring_to_device(
        &mut self,
        key: StoreKey,
        words: &Range<u64>,
        task: &mut Task,
        downloads: &mut Vec<Task>,
    ) {
        let device = task.event.device();
        let lacking = self.ledger.stores[key].lacking(Some(device), words.clone());
        for part in &lacking.moves {
            if part.from.is_some() {
                self.bring_to_host(key, &part.words, downloads);
            }
            self.ledger.stores[key].await_arrivals(None, &part.words, &mut task.dependencies);
        }
        let Ledger { stores, stats, .. } = &mut *self.ledger;
        let store = &mut stores[key];
        let Some(copy) = &mut store.copies[device] else { return };
        let link = &mut stats.links[device];
        for part in lacking.zeros {
            link.filled_bytes += (part.end - part.start) * 4;
            let to = Region::device(copy.memory.id, bytes(&part));
            copy.copy.arrive(part, &task.event);
            task.commands.push(Command::Fill { to, word: 0 });
        }
        for part in lacking.moves.into_iter().map(|m| m.words) {
            let Some(host) = &store.host else { continue };
            link.uploads += 1;
            link.uploaded_bytes += (part.end - part.start) * 4;
            let from = Region::host(&host.block, bytes(&part));
            let to = Region::device(copy.memory.id, bytes(&part));
            copy.copy.arrive(part, &task.event);
            task.commands.push(Command::Upload { from, to });
        }
    }

    /// Makes words valid in host memory, by downloads in tasks of their own.
    pub(crate) fn bring_to_host(&mut self, key: StoreKey, words: &Range<u64>, downloads: &mut Vec<Task>) {
        let Ledger { stores, stats, .. } = &mut *self.ledger;
        let store = &mut stores[key];
        let lacking = store.lacking(None, words.clone());
        let Some(host) = &mut store.host else { return };
        for part in lacking.zeros {
            // Never written anywhere, and every block starts as zeros: the words are right as they are.
            host.copy.insert(part);
        }
        for Move { from, words } in lacking.moves {
            let Some(copy) = from.and_then(|device| store.copies[device].as_ref()) else { continue };
            let Some(device) = from else { continue };
            let at = downloads.iter().position(|t| t.event.device() == device).unwrap_or_else(|| {
                downloads.push(Task::new(device, Work::Transfer));
                downloads.len() - 1
            });
            let task = &mut downloads[at];
            task.commands.push(Command::Download {
                from: Region::device(copy.memory.id, bytes(&words)),
                to: Region::host(&host.block, bytes(&words)),
            });
            task.keep.push(copy.memory.clone());
            store.accesses.conflicts(&words, false, &mut task.dependencies);
            copy.copy.await_arrivals(&words, &mut task.dependencies);
            stats.links[device].downloads += 1;
            stats.links[device].downloaded_bytes += (words.end - words.start) * 4;
            host.copy.arrive(words, &task.event);
        }
    }

    /// Records that a task uses the words, and what is valid once it is over.
    pub(crate) fn settle(&mut self, key: StoreKey, words: &Range<u64>, writes: bool, event: &Arc<Event>) {
        let location = self.location(event.device());
        self.ledger.clock += 1;
        let clock = self.ledger.clock;
        let store = &mut self.ledger.stores[key];
        if writes && !store.scratch {
            store.written(location, words);
        }
        if let Some(copy) = location.and_then(|device| store.copies[device].as_mut()) {
            copy.last_use = clock;
        }
        store.accesses.record(words.clone(), store.effect(writes), event, location.is_some());
    }

    fn ensure_host(&mut self, key: StoreKey) -> Result<()> {
        let store = &mut self.ledger.stores[key];
        if store.host.is_none() {
            store.host = Some(HostCopy::new(new_block(store.words)?, Copy::default()));
        }
        Ok(())
    }

    /// Moves the store to a fresh host block where a snapshot looks at the present one.
    fn unshare(&mut self, key: StoreKey) -> Result<(), Blocked> {
        let devices = self.devices;
        let Ledger { stores, stats, .. } = &mut *self.ledger;
        let store = &mut stores[key];
        let whole = 0..store.words;
        let Some(host) = &mut store.host else { return Ok(()) };
        if !host.is_leased() {
            return Ok(());
        }
        let valid = host.copy.valid().clone();
        if !valid.is_empty() {
            // The valid words are copied: whoever still writes them must be done.
            let mut busy = Dependencies::default();
            host.copy.await_arrivals(&whole, &mut busy);
            store.accesses.host_writers(&whole, |device| devices[device].host_memory(), &mut busy);
            if let Some(busy) = busy.unfinished() {
                return Err(Blocked::Wait(busy));
            }
        }
        let fresh = new_block(store.words)?;
        let mut copy = Copy::default();
        for part in valid.iter() {
            stats.host_copies += 1;
            stats.host_copied_bytes += (part.end - part.start) * 4;
            // SAFETY: every task that wrote the old block is over, and the fresh block is known to nobody else.
            unsafe { fresh.bytes_mut(bytes(&part)).copy_from_slice(host.block.bytes(bytes(&part))) };
            copy.insert(part);
        }
        *host = HostCopy::new(fresh, copy);
        Ok(())
    }

    /// Allocates on a device; where it is full, makes the least recently used copy leave for the host.
    fn allocate(
        &mut self,
        device: usize,
        bytes: u64,
        keys: &[StoreKey],
    ) -> Result<Arc<DeviceMemory>, Blocked> {
        let slot = &self.devices[device];
        let full = match slot.device.allocate(bytes) {
            Ok(id) => return Ok(Arc::new(DeviceMemory { device: slot.device.clone(), id })),
            Err(error @ DeviceError::OutOfMemory { .. }) => error,
            Err(error) => return Err(Blocked::Failed(error.into())),
        };
        let used = |store: &Store| store.copies[device].as_ref().map(|copy| copy.last_use);
        let others = self.ledger.stores.iter().filter(|(key, _)| !keys.contains(key));
        let oldest = others.filter_map(|(key, store)| Some((used(store)?, key))).min();
        match oldest {
            Some((_, victim)) => Err(self.evict(victim, device)),
            None => Err(Blocked::Failed(full.into())),
        }
    }

    /// Takes a store's copy off a device, or first downloads what is valid nowhere else; the caller starts anew.
    fn evict(&mut self, key: StoreKey, device: usize) -> Blocked {
        let words = 0..self.ledger.stores[key].words;
        if let Err(blocked) = self.admit_host(key, &words) {
            return blocked;
        }
        let mut downloads = Vec::new();
        self.bring_to_host(key, &words, &mut downloads);
        let mut wait = Dependencies::default();
        if downloads.is_empty() {
            // Nothing is valid only there. Whoever still uses the copy keeps its memory until then.
            self.ledger.stores[key].copies[device] = None;
            self.ledger.stats.evictions += 1;
        }
        for task in downloads {
            wait.need(&task.event);
            self.devices[task.event.device()].submit(task);
        }
        Blocked::Wait(wait)
    }
}

fn new_block(words: u64) -> Result<HostBlock> {
    HostBlock::zeroed(words * 4).ok_or(Error::HostMemory { bytes: words * 4 })
}

fn bytes(words: &Range<u64>) -> Range<u64> {
    words.start * 4..words.end * 4
}
