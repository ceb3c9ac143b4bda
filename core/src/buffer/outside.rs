//! Reads and writes of stores from outside of any launch: what buffers and views do for their users.

use std::ops::Range;

use warpweft_hal::HostBlock;

use super::snapshot::PendingSnapshot;
use super::store::StoreKey;
use super::transfer::{Blocked, Mover};
use crate::graph::Dependencies;
use crate::runtime::Inner;
use crate::{Error, Result};

impl Inner {
    /// Starts to read bytes of a store: makes the downloads that the host lacks.
    pub(crate) fn read(
        &self,
        key: StoreKey,
        words: Range<u64>,
        bytes: Range<u64>,
        shape: &[usize],
    ) -> Result<PendingSnapshot> {
        let _span = tracing::debug_span!("read", words = words.end - words.start).entered();
        loop {
            let mut ledger = self.ledger.lock();
            if ledger.stores[key].scratch {
                return Err(Error::Buffer("a scratch buffer cannot be read: its content never moves".into()));
            }
            if let Some(error) = ledger.stores[key].accesses.poison(&words) {
                return Err(error);
            }
            let mut mover = Mover { devices: &self.devices, ledger: &mut ledger };
            match mover.admit_host(key, &words) {
                Ok(()) => {}
                Err(Blocked::Failed(error)) => return Err(error),
                Err(Blocked::Wait(events)) => {
                    drop(ledger);
                    events.wait()?;
                    continue;
                }
            }
            let mut downloads = Vec::new();
            mover.bring_to_host(key, &words, &mut downloads);
            let store = &ledger.stores[key];
            let mut events = Dependencies::default();
            store.await_arrivals(None, &words, &mut events);
            store.accesses.host_writers(&words, |device| self.devices[device].host_memory(), &mut events);
            let Some(host) = &store.host else { continue };
            let snapshot = PendingSnapshot {
                block: host.block.clone(),
                lease: host.lease.clone(),
                bytes,
                shape: shape.to_vec(),
                events,
            };
            self.submit_all(downloads);
            return Ok(snapshot);
        }
    }

    /// Overwrites bytes of a store from outside.
    pub(crate) fn write(&self, key: StoreKey, words: Range<u64>, whole: bool, data: &[u8]) -> Result<()> {
        if whole {
            // A fresh block needs to wait for nobody: whoever uses the old one keeps it.
            let bytes = data.len() as u64;
            let block = HostBlock::copy_of(data).ok_or(Error::HostMemory { bytes })?;
            let store = &mut self.ledger.lock().stores[key];
            if !store.scratch {
                store.replace_host(block);
                return Ok(());
            }
        }
        loop {
            let mut ledger = self.ledger.lock();
            if ledger.stores[key].scratch {
                return Err(Error::Buffer(
                    "a scratch buffer cannot be written: its content never moves".into(),
                ));
            }
            let mut mover = Mover { devices: &self.devices, ledger: &mut ledger };
            let room = mover.admit_host_write(key);
            let store = &mut ledger.stores[key];
            let busy = match room {
                Ok(()) => {
                    let mut busy = Dependencies::default();
                    store.await_arrivals(None, &words, &mut busy);
                    store.accesses.conflicts(&words, true, &mut busy);
                    busy.unfinished()
                }
                Err(Blocked::Failed(error)) => return Err(error),
                Err(Blocked::Wait(events)) => Some(events),
            };
            if let Some(busy) = busy {
                drop(ledger);
                busy.wait()?;
                continue;
            }
            let Some(host) = &store.host else { continue };
            let start = words.start * 4;
            // SAFETY: every task that touches these words is over, no snapshot holds the block, and the ledger is
            // locked, so that no new task or snapshot comes.
            unsafe { host.block.bytes_mut(start..start + data.len() as u64) }.copy_from_slice(data);
            store.written(None, &words);
            store.accesses.overwrite(&words);
            return Ok(());
        }
    }
}
