//! Brings missing words to where they are needed, and no others.
//!
//! A launch goes through two phases under the ledger's lock. [`Mover::admit`] makes room: it allocates, evicts, and
//! moves leased host blocks aside; it may fail or ask the caller to wait and start over, and changes no residency
//! that matters. [`Mover::bring`] then makes the transfer commands and cannot fail. [`Mover::settle`] records what
//! is valid afterwards.

use std::ops::Range;
use std::sync::Arc;

use warpweft_hal::{Command, Error as DeviceError, HostBlock, Region};

use super::accesses::depend;
use super::store::{DeviceCopy, DeviceMemory, HostCopy, Store, StoreKey};
use crate::devices::DeviceSlot;
use crate::graph::{Dependencies, Event, Task};
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

    /// Makes room for words of a store in a device's memory; `keys` are not evicted for it.
    pub(crate) fn admit(
        &mut self,
        key: StoreKey,
        device: usize,
        words: &Range<u64>,
        writes: bool,
        keys: &[StoreKey],
    ) -> Result<(), Blocked> {
        let location = self.location(device);
        let store = &self.ledger.stores[key];
        let through_host = store
            .lacking(location, words.clone())
            .moves
            .iter()
            .any(|m| m.from.is_some());
        if location.is_none() || through_host {
            self.ensure_host(key)?;
        }
        if through_host || (location.is_none() && writes) {
            self.unshare(key)?;
        }
        if location.is_some() && self.ledger.stores[key].copies[device].is_none() {
            let memory = self.allocate(device, self.ledger.stores[key].words * 4, keys)?;
            let copy = DeviceCopy {
                memory,
                valid: Default::default(),
                last_use: 0,
            };
            self.ledger.stores[key].copies[device] = Some(copy);
        }
        Ok(())
    }

    /// Makes room to read words of a store on the host.
    pub(crate) fn admit_host(&mut self, key: StoreKey, words: &Range<u64>) -> Result<(), Blocked> {
        self.ensure_host(key)?;
        if !self.ledger.stores[key]
            .lacking(None, words.clone())
            .moves
            .is_empty()
        {
            self.unshare(key)?;
        }
        Ok(())
    }

    /// Makes room to write words of a store from outside.
    pub(crate) fn admit_host_write(&mut self, key: StoreKey) -> Result<(), Blocked> {
        self.ensure_host(key)?;
        self.unshare(key)
    }

    /// Makes the commands that bring words to the device on which `task` runs: the last leg into the task itself,
    /// downloads from other devices into tasks of their own.
    pub(crate) fn bring(
        &mut self,
        key: StoreKey,
        words: &Range<u64>,
        task: &mut Task,
        downloads: &mut Vec<Task>,
    ) {
        let device = task.event.device();
        let Some(location) = self.location(device) else {
            self.bring_to_host(key, words, downloads);
            self.await_arrivals(key, words, &mut task.dependencies);
            return;
        };
        let lacking = self.ledger.stores[key].lacking(Some(location), words.clone());
        for part in &lacking.moves {
            if part.from.is_some() {
                self.bring_to_host(key, &part.words, downloads);
            }
        }
        for part in &lacking.moves {
            self.await_arrivals(key, &part.words, &mut task.dependencies);
        }
        let Ledger { stores, stats, .. } = &mut *self.ledger;
        let store = &mut stores[key];
        let Some(copy) = &mut store.copies[device] else {
            return;
        };
        for part in lacking.zeros {
            stats.links[device].filled_bytes += (part.end - part.start) * 4;
            copy.valid.insert(part.clone());
            task.commands.push(Command::Fill {
                to: Region::device(copy.memory.id, bytes(&part)),
                word: 0,
            });
        }
        for part in lacking.moves.into_iter().map(|m| m.words) {
            let Some(host) = &store.host else { continue };
            stats.links[device].uploads += 1;
            stats.links[device].uploaded_bytes += (part.end - part.start) * 4;
            copy.valid.insert(part.clone());
            task.commands.push(Command::Upload {
                from: Region::host(&host.block, bytes(&part)),
                to: Region::device(copy.memory.id, bytes(&part)),
            });
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
            host.valid.insert(part);
        }
        for part in lacking.moves {
            let Some(device) = part.from else { continue };
            let Some(copy) = &store.copies[device] else {
                continue;
            };
            let at = downloads
                .iter()
                .position(|t| t.event.device() == device)
                .unwrap_or_else(|| {
                    downloads.push(Task::new(device, "a transfer to the host".into()));
                    downloads.len() - 1
                });
            let task = &mut downloads[at];
            task.commands.push(Command::Download {
                from: Region::device(copy.memory.id, bytes(&part.words)),
                to: Region::host(&host.block, bytes(&part.words)),
            });
            task.keep.push(copy.memory.clone());
            store
                .accesses
                .conflicts(&part.words, false, &mut task.dependencies);
            stats.links[device].downloads += 1;
            stats.links[device].downloaded_bytes += (part.words.end - part.words.start) * 4;
            host.valid.insert(part.words.clone());
            host.arrivals.push((part.words.clone(), task.event.clone()));
        }
    }

    /// Adds the downloads into these words that are in flight.
    pub(crate) fn await_arrivals(
        &mut self,
        key: StoreKey,
        words: &Range<u64>,
        dependencies: &mut Dependencies,
    ) {
        if let Some(host) = &mut self.ledger.stores[key].host {
            host.arrivals
                .retain(|(_, event)| !event.is_known_done() || event.failure().is_some());
            for (range, event) in &host.arrivals {
                if range.start < words.end && words.start < range.end {
                    depend(dependencies, event);
                }
            }
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
        store.accesses.record(words.clone(), writes, event);
    }

    fn ensure_host(&mut self, key: StoreKey) -> Result<()> {
        let store = &mut self.ledger.stores[key];
        if store.host.is_none() {
            store.host = Some(HostCopy::new(new_block(store.words)?, Default::default()));
        }
        Ok(())
    }

    /// Moves the store to a fresh host block where a snapshot looks at the present one.
    fn unshare(&mut self, key: StoreKey) -> Result<(), Blocked> {
        let devices = self.devices;
        let Ledger { stores, stats, .. } = &mut *self.ledger;
        let store = &mut stores[key];
        let words = store.words;
        let Some(host) = store.host.as_mut().filter(|h| h.is_leased()) else {
            return Ok(());
        };
        let mut busy = Dependencies::new();
        if !host.valid.is_empty() {
            // The valid words are copied: whoever still writes them must be done.
            host.arrivals
                .iter()
                .for_each(|(_, event)| depend(&mut busy, event));
            store
                .accesses
                .host_writers(&(0..words), |device| devices[device].host_memory(), &mut busy);
            busy.retain(|event| !event.is_done());
        }
        if !busy.is_empty() {
            return Err(Blocked::Wait(busy));
        }
        let fresh = new_block(words)?;
        for part in host.valid.iter() {
            stats.host_copies += 1;
            stats.host_copied_bytes += (part.end - part.start) * 4;
            // SAFETY: every task that wrote the old block is over, and the fresh block is known to nobody else.
            unsafe {
                fresh
                    .bytes_mut(bytes(&part))
                    .copy_from_slice(host.block.bytes(bytes(&part)))
            };
        }
        *host = HostCopy::new(fresh, std::mem::take(&mut host.valid));
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
            Ok(id) => {
                return Ok(Arc::new(DeviceMemory {
                    device: slot.device.clone(),
                    id,
                }));
            }
            Err(error @ DeviceError::OutOfMemory { .. }) => error,
            Err(error) => return Err(self.devices[device].failed(error).into()),
        };
        let used = |store: &Store| store.copies[device].as_ref().map(|copy| copy.last_use);
        let oldest = self.ledger.stores.iter().filter(|(key, _)| !keys.contains(key));
        let oldest = oldest.filter_map(|(key, s)| Some((used(s)?, key))).min();
        match oldest {
            Some((_, victim)) => self.evict(victim, device),
            None => Err(Blocked::Failed(full.into())),
        }
    }

    /// Takes a store's copy off a device, after a download of what is valid nowhere else; the caller starts anew.
    fn evict(&mut self, key: StoreKey, device: usize) -> Result<Arc<DeviceMemory>, Blocked> {
        let words = 0..self.ledger.stores[key].words;
        self.admit_host(key, &words)?;
        let mut downloads = Vec::new();
        self.bring_to_host(key, &words, &mut downloads);
        let mut wait = Dependencies::new();
        for task in downloads {
            wait.push(task.event.clone());
            self.devices[task.event.device()].submit(task);
        }
        let store = &mut self.ledger.stores[key];
        store.accesses.conflicts(&words, true, &mut wait);
        store.copies[device] = None;
        self.ledger.stats.evictions += 1;
        Err(Blocked::Wait(wait))
    }
}

fn new_block(words: u64) -> Result<HostBlock> {
    HostBlock::zeroed(words * 4).ok_or(Error::HostMemory { bytes: words * 4 })
}

fn bytes(words: &Range<u64>) -> Range<u64> {
    words.start * 4..words.end * 4
}
