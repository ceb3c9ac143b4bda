//! What a fake device did, as plain data that holds no memory alive.
//!
//! Knows nothing of how it was done.

use std::ops::Range;

use warpweft_hal::{Grid, KernelId, Memory, MemoryId, Region};

use crate::Work;

/// Where some bytes were.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The device's allocation; `None` for host memory.
    pub memory: Option<MemoryId>,
    /// Which bytes of it.
    pub bytes: Range<u64>,
}

impl Place {
    /// How many bytes, as a number to calculate with.
    pub(crate) fn size(&self) -> f64 {
        (self.bytes.end - self.bytes.start) as f64
    }
}

impl From<&Region> for Place {
    fn from(region: &Region) -> Self {
        let memory = match region.memory {
            Memory::Device(id) => Some(id),
            Memory::Host(_) => None,
        };
        Self { memory, bytes: region.bytes() }
    }
}

/// An executed command.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Host to device.
    Upload {
        /// Where the bytes went.
        to: Place,
    },
    /// Device to host.
    Download {
        /// Where the bytes came from.
        from: Place,
    },
    /// Within the device's memory.
    Copy {
        /// The source.
        from: Place,
        /// The target.
        to: Place,
    },
    /// Every word set.
    Fill {
        /// The target.
        to: Place,
        /// The value.
        word: u32,
    },
    /// A kernel.
    Dispatch {
        /// Its id.
        kernel: KernelId,
        /// Its entry point's name.
        entry: String,
        /// The logical grid.
        grid: Grid,
        /// The workgroups that ran.
        range: Range<u64>,
        /// What they cost.
        work: Work,
    },
}

/// An executed command, and when that was.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The submission, counted from zero.
    pub submission: u64,
    /// What was done.
    pub event: Event,
    /// When it began, in seconds of the virtual clock.
    pub start: f64,
    /// When it ended.
    pub end: f64,
}

/// Everything that was done, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Counters {
    pub submissions: u64,
    pub dispatches: u64,
    pub workgroups: u64,
    pub uploads: u64,
    pub uploaded_bytes: u64,
    pub downloads: u64,
    pub downloaded_bytes: u64,
    pub copies: u64,
    pub copied_bytes: u64,
    pub fills: u64,
    pub filled_bytes: u64,
    pub allocations: u64,
    /// Bytes that are allocated now.
    pub allocated_bytes: u64,
    /// The most bytes that were allocated at once.
    pub peak_bytes: u64,
    /// Kernels that were loaded for the first time.
    pub compilations: u64,
}

impl Counters {
    /// Counts an executed command.
    pub(crate) fn count(&mut self, event: &Event) {
        let size = |place: &Place| place.bytes.end - place.bytes.start;
        let (number, bytes, by) = match event {
            Event::Upload { to } => (&mut self.uploads, &mut self.uploaded_bytes, size(to)),
            Event::Download { from } => (&mut self.downloads, &mut self.downloaded_bytes, size(from)),
            Event::Copy { to, .. } => (&mut self.copies, &mut self.copied_bytes, size(to)),
            Event::Fill { to, .. } => (&mut self.fills, &mut self.filled_bytes, size(to)),
            Event::Dispatch { range, .. } => {
                (&mut self.dispatches, &mut self.workgroups, range.end - range.start)
            }
        };
        *number += 1;
        *bytes += by;
    }
}

/// Who read words that were never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A download.
    Download,
    /// A kernel that reads the binding: *may* have read, since what it reads of it is not followed.
    Kernel {
        /// The entry point.
        entry: String,
        /// The binding.
        binding: String,
    },
}

/// A read of words that were never written since they were allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndefinedRead {
    /// The submission, counted from zero.
    pub submission: u64,
    /// Who read.
    pub reader: Reader,
    /// The allocation.
    pub memory: MemoryId,
    /// From the first such word to the last.
    pub bytes: Range<u64>,
}
