//! Work for a device, as plain data.
//!
//! All offsets and sizes are bytes and multiples of 4. A list executes as if one command ended before the next
//! began; devices may overlap what does not conflict.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::{HostBlock, KernelId, MemoryId};

/// Some memory, wherever it is.
#[derive(Clone, Debug)]
pub enum Memory {
    /// A block of host memory.
    Host(Arc<HostBlock>),
    /// An allocation of the device that executes the command.
    Device(MemoryId),
}

/// A byte range of a memory.
#[derive(Clone, Debug)]
pub struct Region {
    /// The memory.
    pub memory: Memory,
    /// Where the range starts.
    pub offset: u64,
    /// How long it is.
    pub size: u64,
}

impl Region {
    /// A range of a host block.
    pub fn host(block: &Arc<HostBlock>, bytes: Range<u64>) -> Self {
        Self { memory: Memory::Host(block.clone()), offset: bytes.start, size: bytes.end - bytes.start }
    }

    /// A range of a device's allocation.
    pub fn device(memory: MemoryId, bytes: Range<u64>) -> Self {
        Self { memory: Memory::Device(memory), offset: bytes.start, size: bytes.end - bytes.start }
    }

    /// The range as offsets.
    pub fn bytes(&self) -> Range<u64> {
        self.offset..self.offset + self.size
    }
}

/// The logical grid of a launch, of which a dispatch runs a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Workgroups along x, y, z: what `num_workgroups` says.
    pub workgroups: [u32; 3],
    /// Exact number of invocations along x, y, z: the others of the last workgroups take no effect.
    pub over: Option<[u32; 3]>,
}

impl Grid {
    /// Workgroups in all. At most 2³² − 1 in what the runtime submits.
    pub fn len(&self) -> u64 {
        self.workgroups.iter().map(|&n| u64::from(n)).fold(1, u64::saturating_mul)
    }

    /// The grid has no workgroups.
    pub fn is_empty(&self) -> bool {
        self.workgroups.contains(&0)
    }

    /// The workgroup id of a linear index, x fastest.
    ///
    /// # Panics
    /// When the grid is empty.
    pub fn workgroup(&self, linear: u64) -> [u32; 3] {
        let [x, y, _] = self.workgroups.map(u64::from);
        [(linear % x) as u32, (linear / x % y) as u32, (linear / (x * y)) as u32]
    }
}

/// What is bound to one binding of a kernel.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A range of memory.
    Region(Region),
    /// The bytes of a uniform, by value: a multiple of 4.
    Value(Arc<[u8]>),
}

/// The execution of a range of workgroups of a logical grid.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// A kernel that this device loaded.
    pub kernel: KernelId,
    /// The logical grid; ids and `num_workgroups` are those of the whole grid.
    pub grid: Grid,
    /// The workgroups to run, in linear order, x fastest.
    pub range: Range<u64>,
    /// One per binding, in the order of the kernel's interface.
    pub arguments: Vec<Argument>,
}

/// One piece of work.
#[derive(Clone, Debug)]
pub enum Command {
    /// Host to device. The host bytes are read before `submit` returns.
    Upload {
        /// A host range.
        from: Region,
        /// A device range of the same size.
        to: Region,
    },
    /// Device to host. The host bytes are there when the fence is done.
    Download {
        /// A device range.
        from: Region,
        /// A host range of the same size.
        to: Region,
    },
    /// Within the device (within host memory for a device whose memory that is). The ranges do not overlap.
    Copy {
        /// The source.
        from: Region,
        /// A range of the same size.
        to: Region,
    },
    /// Every word becomes `word`.
    Fill {
        /// The range.
        to: Region,
        /// The value.
        word: u32,
    },
    /// A kernel.
    Dispatch(Dispatch),
}

/// A list of commands and how long they may take.
#[derive(Debug)]
pub struct Submission {
    commands: Vec<Command>,
    /// The longest that the work may take once it runs; `None` leaves it to the device's own limit.
    pub time_limit: Option<Duration>,
    /// Time each dispatch by the device's own clock where it has one, though that costs something; otherwise the
    /// device measures as it pleases.
    pub timed: bool,
}

impl Submission {
    /// A list of commands.
    ///
    /// # Safety
    /// From `submit` until its fence is done, nothing else may write the host ranges that the commands read, nor
    /// touch those that they write; and no two arguments of one dispatch may overlap where the kernel declares one of them
    /// writable.
    pub unsafe fn new(commands: Vec<Command>) -> Self {
        Self { commands, time_limit: None, timed: false }
    }

    /// The commands in order.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The commands, to be executed.
    pub fn into_commands(self) -> Vec<Command> {
        self.commands
    }
}
