//! Allocations: whole wgpu buffers, kept for reuse when they are given back.
//!
//! A buffer may be handed out again at once, though the device still works on it: all work goes through one queue,
//! so whatever the new owner submits runs after whatever the old one did. Only mapped memory would need more, and
//! none of these buffers is ever mapped. Knows nothing of kernels.

use std::collections::{BTreeMap, HashMap};

use warpweft_hal::{Error, MemoryId};

use crate::fault::{Fault, Scoped};

const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::UNIFORM)
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// An allocation.
pub(crate) struct Allocation {
    pub(crate) buffer: wgpu::Buffer,
    /// What was asked for; the buffer may be larger.
    pub(crate) bytes: u64,
}

/// The allocations of a device and its pool.
pub(crate) struct Memories {
    live: HashMap<MemoryId, Allocation>,
    /// Free buffers by size.
    pool: BTreeMap<u64, Vec<wgpu::Buffer>>,
    pooled: u64,
    /// Bytes of all buffers, live and pooled.
    held: u64,
    next: u64,
    limits: MemoryLimits,
}

/// What allocations must respect.
#[derive(Clone, Copy)]
pub(crate) struct MemoryLimits {
    /// The largest buffer.
    pub(crate) allocation: u64,
    /// All buffers together.
    pub(crate) memory: Option<u64>,
    /// Kept for reuse.
    pub(crate) pool: u64,
}

impl Memories {
    pub(crate) fn new(limits: MemoryLimits) -> Self {
        Self { live: HashMap::new(), pool: BTreeMap::new(), pooled: 0, held: 0, next: 1, limits }
    }

    /// A new allocation.
    pub(crate) fn allocate(
        &mut self,
        device: &wgpu::Device,
        fault: &Fault,
        bytes: u64,
    ) -> Result<MemoryId, Error> {
        let buffer = self.take(device, fault, bytes)?;
        let id = MemoryId(self.next);
        self.next += 1;
        self.live.insert(id, Allocation { buffer, bytes });
        Ok(id)
    }

    /// Gives an allocation back; `false` when there is none of that id.
    pub(crate) fn free(&mut self, id: MemoryId) -> bool {
        match self.live.remove(&id) {
            Some(allocation) => {
                self.give(allocation.buffer);
                true
            }
            None => false,
        }
    }

    pub(crate) fn get(&self, id: MemoryId) -> Option<&Allocation> {
        self.live.get(&id)
    }

    /// A buffer of at least `bytes` bytes, from the pool where there is one.
    pub(crate) fn take(
        &mut self,
        device: &wgpu::Device,
        fault: &Fault,
        bytes: u64,
    ) -> Result<wgpu::Buffer, Error> {
        if bytes > self.limits.allocation {
            return Err(Error::Limit {
                device: fault.device().to_owned(),
                what: "the size of an allocation in bytes".into(),
                value: bytes,
                limit: self.limits.allocation,
            });
        }
        let size = size_class(bytes).min(self.limits.allocation);
        if let Some(buffers) = self.pool.get_mut(&size)
            && let Some(buffer) = buffers.pop()
        {
            self.pooled -= size;
            return Ok(buffer);
        }
        let short = |free| Error::OutOfMemory { device: fault.device().to_owned(), requested: bytes, free };
        if let Some(memory) = self.limits.memory {
            if self.held + size > memory {
                self.trim();
            }
            if self.held + size > memory {
                return Err(short(Some(memory.saturating_sub(self.held))));
            }
        }
        let create = || {
            let descriptor =
                wgpu::BufferDescriptor { label: None, size, usage: USAGE, mapped_at_creation: false };
            device.create_buffer(&descriptor)
        };
        let mut made = fault.scoped(device, create);
        if matches!(made, Err(Scoped::Refused(wgpu::Error::OutOfMemory { .. }))) && self.pooled > 0 {
            self.trim();
            made = fault.scoped(device, create);
        }
        match made {
            Ok(buffer) => {
                self.held += size;
                Ok(buffer)
            }
            Err(error) => Err(error.into_error(fault, bytes)),
        }
    }

    /// Keeps a buffer for reuse, or drops it: wgpu destroys it once the work that uses it is done.
    pub(crate) fn give(&mut self, buffer: wgpu::Buffer) {
        let size = buffer.size();
        if self.pooled + size > self.limits.pool {
            self.held -= size;
            return;
        }
        self.pooled += size;
        self.pool.entry(size).or_default().push(buffer);
    }

    /// Drops what is kept only for reuse.
    pub(crate) fn trim(&mut self) {
        self.pool.clear();
        self.held -= self.pooled;
        self.pooled = 0;
    }
}

/// The size that a buffer for `bytes` bytes has: eight classes from one power of two to the next, so that at most an
/// eighth is lost and freed buffers fit again.
pub(crate) fn size_class(bytes: u64) -> u64 {
    if bytes <= 256 {
        return 256;
    }
    let step = 1u64 << (bytes - 1).ilog2().saturating_sub(3).max(5);
    bytes.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::size_class;

    #[test]
    fn classes_hold_what_is_asked_and_waste_an_eighth_at_most() {
        for bytes in (1..5000).chain([1 << 20, (1 << 20) + 4, (1 << 31) - 4, 3 << 33]) {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(4), "{bytes} in {class}");
            assert!(bytes <= 256 || class - bytes <= bytes / 8 + 32, "{bytes} in {class}");
            assert_eq!(size_class(class), class);
        }
    }
}
