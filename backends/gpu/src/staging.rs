//! Mapped buffers between host and device, kept for reuse.
//!
//! An upload is a copy into a mapped buffer now and a copy on the device in the list's order; a download the other
//! way round. A used upload buffer is mapped again by wgpu once the device is done with it, and only then offered.
//! Knows nothing of allocations or kernels.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use warpweft_hal::Error;

use crate::fault::Fault;
use crate::memory::size_class;

/// Bytes kept for reuse in each direction: two transfers of a full 128 MiB binding.
const KEPT: u64 = 256 << 20;

/// The staging buffers of a device.
pub(crate) struct Staging {
    /// Mapped for writing.
    uploads: Arc<Mutex<Shelf>>,
    /// Not mapped.
    downloads: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    buffers: Vec<wgpu::Buffer>,
    bytes: u64,
}

impl Shelf {
    /// The best fitting buffer that wastes no more than it holds.
    fn take(&mut self, bytes: u64) -> Option<wgpu::Buffer> {
        let fits = |b: &wgpu::Buffer| b.size() >= bytes && b.size() / 2 <= bytes.max(4096);
        let (position, _) =
            self.buffers.iter().enumerate().filter(|(_, b)| fits(b)).min_by_key(|(_, b)| b.size())?;
        let buffer = self.buffers.swap_remove(position);
        self.bytes -= buffer.size();
        Some(buffer)
    }

    fn give(&mut self, buffer: wgpu::Buffer) {
        if self.bytes + buffer.size() <= KEPT {
            self.bytes += buffer.size();
            self.buffers.push(buffer);
        }
    }
}

impl Staging {
    pub(crate) fn new() -> Self {
        Self { uploads: Arc::default(), downloads: Mutex::default() }
    }

    /// A buffer for an upload, with `bytes` in it.
    pub(crate) fn upload(
        &self,
        device: &wgpu::Device,
        fault: &Fault,
        bytes: &[u8],
    ) -> Result<wgpu::Buffer, Error> {
        let kept = self.uploads.lock().take(bytes.len() as u64);
        let buffer = match kept {
            Some(buffer) => buffer,
            None => create(
                device,
                fault,
                bytes.len() as u64,
                wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
            )?,
        };
        fault.calm(|| match buffer.get_mapped_range_mut(..bytes.len() as u64) {
            Ok(mut view) => {
                view.copy_from_slice(bytes);
                Ok(())
            }
            Err(e) => Err(fault.internal(format!("an upload's buffer is not mapped: {e}"))),
        })??;
        buffer.unmap();
        Ok(buffer)
    }

    /// Takes an upload's buffer back, after its copy was submitted.
    pub(crate) fn uploaded(&self, buffer: wgpu::Buffer) {
        let shelf = Arc::downgrade(&self.uploads);
        let again = buffer.clone();
        buffer.map_async(wgpu::MapMode::Write, .., move |mapped| {
            if let (Ok(()), Some(shelf)) = (mapped, shelf.upgrade()) {
                shelf.lock().give(again);
            }
        });
    }

    /// A buffer for a download.
    pub(crate) fn download(
        &self,
        device: &wgpu::Device,
        fault: &Fault,
        bytes: u64,
    ) -> Result<wgpu::Buffer, Error> {
        let kept = self.downloads.lock().take(bytes);
        match kept {
            Some(buffer) => Ok(buffer),
            None => create(device, fault, bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
        }
    }

    /// Takes a download's buffer back, unmapped.
    pub(crate) fn downloaded(&self, buffer: wgpu::Buffer) {
        self.downloads.lock().give(buffer);
    }

    /// Drops what is kept only for reuse.
    pub(crate) fn trim(&self) {
        *self.uploads.lock() = Shelf::default();
        *self.downloads.lock() = Shelf::default();
    }
}

fn create(
    device: &wgpu::Device,
    fault: &Fault,
    bytes: u64,
    usage: wgpu::BufferUsages,
) -> Result<wgpu::Buffer, Error> {
    let size = size_class(bytes.max(4096)).min(device.limits().max_buffer_size & !3);
    let mapped_at_creation = usage.contains(wgpu::BufferUsages::MAP_WRITE);
    fault
        .scoped(device, || {
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation })
        })
        .map_err(|e| e.into_error(fault, bytes))
}

/// Whether wgpu has mapped a buffer.
///
/// The callback comes on whichever thread polls, perhaps a little after another thread's poll has returned.
#[derive(Clone, Default)]
pub(crate) struct Mapping(Arc<(Mutex<Option<bool>>, Condvar)>);

impl Mapping {
    /// Asks for a buffer to be mapped for reading.
    pub(crate) fn read(buffer: &wgpu::Buffer) -> Self {
        let mapping = Self::default();
        let answer = mapping.clone();
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            *answer.0.0.lock() = Some(result.is_ok());
            answer.0.1.notify_all();
        });
        mapping
    }

    /// Waits for the callback: `false` when the buffer could not be mapped.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let (answer, arrived) = &*self.0;
        let mut answer = answer.lock();
        if answer.is_none() {
            arrived.wait_for(&mut answer, limit);
        }
        *answer == Some(true)
    }
}
