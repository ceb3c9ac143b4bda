//! Kernel times by the device's own clock: a query set per timed list, kept for reuse.
//!
//! Each dispatch of a timed list gets a pass of its own with a timestamp at both ends; the ticks come home by a small
//! download of their own. Knows nothing of kernels.

use std::time::Duration;

use crate::staging::Mapping;

/// Dispatches that one query set can time (wgpu allows 4096 queries in a set).
pub(crate) const MOST: usize = 2048;

/// The queries of one list.
pub(crate) struct Stamps {
    set: wgpu::QuerySet,
    /// Where the queries are resolved to.
    ticks: wgpu::Buffer,
    /// Where the host reads them.
    home: wgpu::Buffer,
    capacity: usize,
    used: usize,
    mapping: Option<Mapping>,
}

impl Stamps {
    /// Queries for that many dispatches, of the kept ones where they suffice.
    pub(crate) fn take(kept: &mut Vec<Stamps>, device: &wgpu::Device, dispatches: usize) -> Stamps {
        if let Some(position) = kept.iter().position(|s| s.capacity >= dispatches) {
            return kept.swap_remove(position);
        }
        let capacity = dispatches.next_power_of_two().clamp(4, MOST);
        let bytes = 16 * capacity as u64;
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage,
                mapped_at_creation: false,
            })
        };
        Stamps {
            set: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: 2 * capacity as u32,
            }),
            ticks: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            home: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            capacity,
            used: 0,
            mapping: None,
        }
    }

    /// The timestamps of the next dispatch.
    pub(crate) fn next(&mut self) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = 2 * self.used as u32;
        self.used += 1;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Encodes the way home, at the end of the list.
    pub(crate) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        let queries = 2 * self.used as u32;
        encoder.resolve_query_set(&self.set, 0..queries, &self.ticks, 0);
        encoder.copy_buffer_to_buffer(&self.ticks, 0, &self.home, 0, 8 * u64::from(queries));
    }

    /// Asks for the ticks, after the list was submitted.
    pub(crate) fn map(&mut self) {
        self.mapping = Some(Mapping::read(&self.home));
    }

    /// Seconds of each timed dispatch, once the list is done; `period` is nanoseconds per tick.
    pub(crate) fn seconds(&mut self, period: f32, limit: Duration) -> Option<Vec<f64>> {
        if !self.mapping.take()?.wait(limit) {
            return None;
        }
        let seconds = {
            let view = self.home.get_mapped_range(..16 * self.used as u64).ok()?;
            view.chunks_exact(16)
                .map(|pair| {
                    let tick =
                        |at: usize| u64::from_le_bytes(pair[at..at + 8].try_into().unwrap_or_default());
                    tick(8).saturating_sub(tick(0)) as f64 * f64::from(period) * 1e-9
                })
                .collect()
        };
        self.home.unmap();
        self.used = 0;
        Some(seconds)
    }
}
