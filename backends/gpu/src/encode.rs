//! From a list of commands to one command buffer, in the list's order.
//!
//! Consecutive dispatches share a pass; everything else ends it. Uploads come from staging buffers that are filled
//! already, or are written by wgpu ahead of the list. Where wgpu forbids how a dispatch is bound, what it forbids goes
//! through a copy within the device, before the dispatch and, where the kernel may write it, back after it. Knows
//! nothing of fences.

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;
use warpweft_hal::{Argument, Command, Dispatch, Error, HostBlock, KernelId, Memory, Region};
use warpweft_module::Space;

use crate::binds::{Bound, Groups, Key};
use crate::device::{Gpu, State};
use crate::kernels::Compiled;
use crate::memory::Memories;
use crate::physical;
use crate::stamps::Stamps;

/// A download in flight.
pub(crate) struct Download {
    pub(crate) staging: wgpu::Buffer,
    pub(crate) target: Arc<HostBlock>,
    pub(crate) bytes: Range<u64>,
}

/// Where the bytes of an upload are.
pub(crate) enum Staged {
    /// In a staging buffer that is filled.
    In(wgpu::Buffer),
    /// Still in their block: nothing comes before them in the list, so wgpu may write them before all of it.
    AtOnce(Arc<HostBlock>),
}

/// What a list became.
pub(crate) struct Encoded {
    /// `None` when there was nothing to do, or nothing but writes.
    pub(crate) commands: Option<wgpu::CommandBuffer>,
    /// wgpu was given bytes to write before the next submission.
    pub(crate) written: bool,
    pub(crate) downloads: Vec<Download>,
    pub(crate) stamps: Option<Stamps>,
    /// One per dispatch: whether it runs anything.
    pub(crate) dispatches: Vec<bool>,
}

/// A list being encoded.
pub(crate) struct Encoding<'a> {
    gpu: &'a Gpu,
    state: &'a mut State,
    memories: &'a mut Memories,
    list: u64,
    encoder: wgpu::CommandEncoder,
    pass: Option<Pass>,
    empty: bool,
    /// Buffers that only the command being encoded uses.
    temporaries: Vec<wgpu::Buffer>,
    out: Encoded,
}

/// An open compute pass and what is set in it.
struct Pass {
    pass: wgpu::ComputePass<'static>,
    /// Which one, and whether its exact pipeline.
    kernel: Option<(KernelId, bool)>,
    groups: Option<Groups>,
}

impl<'a> Encoding<'a> {
    pub(crate) fn new(
        gpu: &'a Gpu,
        state: &'a mut State,
        memories: &'a mut Memories,
        list: u64,
        stamps: Option<Stamps>,
    ) -> Self {
        let encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        let out =
            Encoded { commands: None, written: false, downloads: Vec::new(), stamps, dispatches: Vec::new() };
        Self { gpu, state, memories, list, encoder, pass: None, empty: true, temporaries: Vec::new(), out }
    }

    /// Encodes the commands; `uploads` says for each upload where its bytes are.
    pub(crate) fn run(mut self, commands: &[Command], uploads: &[Staged]) -> Result<Encoded, Error> {
        let result = self.commands(commands, uploads);
        self.pass = None;
        self.give_temporaries();
        result?;
        if let Some(stamps) = &self.out.stamps
            && self.out.dispatches.contains(&true)
        {
            stamps.resolve(&mut self.encoder);
        }
        if !self.empty {
            self.out.commands = Some(self.encoder.finish());
        }
        Ok(self.out)
    }

    fn commands(&mut self, commands: &[Command], uploads: &[Staged]) -> Result<(), Error> {
        let mut uploads = uploads.iter();
        for command in commands {
            match command {
                Command::Upload { from, to } if from.size > 0 => {
                    let staging = uploads.next().ok_or_else(|| self.internal("an upload was not staged"))?;
                    let target = self.buffer(to)?;
                    match staging {
                        Staged::In(staging) => self.copy(staging, 0, &target, to.offset, from.size),
                        Staged::AtOnce(block) => {
                            // SAFETY: whoever made the submission promised that nothing writes the range meanwhile.
                            let bytes = unsafe { block.bytes(from.bytes()) };
                            self.gpu.queue.write_buffer(&target, to.offset, bytes);
                            self.out.written = true;
                        }
                    }
                }
                Command::Download { from, to } if from.size > 0 => self.download(from, to)?,
                Command::Copy { from, to } if from.size > 0 => self.copy_within(from, to)?,
                Command::Fill { to, word } if to.size > 0 => self.fill(to, *word)?,
                Command::Dispatch(dispatch) => self.dispatch(dispatch)?,
                _ => {}
            }
            self.give_temporaries();
        }
        Ok(())
    }

    /// What the next command does comes after what this one did, so it may use the same temporaries.
    fn give_temporaries(&mut self) {
        for temporary in self.temporaries.drain(..) {
            self.memories.give(temporary);
        }
    }

    fn internal(&self, reason: impl Into<String>) -> Error {
        self.gpu.fault.internal(reason)
    }

    /// The buffer of a device region.
    fn buffer(&self, region: &Region) -> Result<wgpu::Buffer, Error> {
        let Memory::Device(id) = region.memory else {
            return Err(self.internal("host memory was given where device memory is needed"));
        };
        let allocation =
            self.memories.get(id).ok_or_else(|| self.internal(format!("{id:?} is not allocated")))?;
        let inside = region.offset.checked_add(region.size).is_some_and(|end| end <= allocation.bytes);
        if !inside || !region.offset.is_multiple_of(4) || !region.size.is_multiple_of(4) {
            return Err(self.internal(format!(
                "{} bytes at {} are no whole words within an allocation of {} bytes",
                region.size, region.offset, allocation.bytes
            )));
        }
        Ok(allocation.buffer.clone())
    }

    fn copy(&mut self, from: &wgpu::Buffer, at: u64, to: &wgpu::Buffer, offset: u64, size: u64) {
        self.pass = None;
        self.empty = false;
        self.encoder.copy_buffer_to_buffer(from, at, to, offset, size);
    }

    fn download(&mut self, from: &Region, to: &Region) -> Result<(), Error> {
        let source = self.buffer(from)?;
        let Memory::Host(target) = &to.memory else {
            return Err(self.internal("a download ends on the device"));
        };
        if to.offset + from.size > target.len() {
            return Err(self.internal("a download leaves its host block"));
        }
        let staging = self.gpu.staging.download(&self.gpu.device, &self.gpu.fault, from.size)?;
        self.copy(&source, from.offset, &staging, 0, from.size);
        let bytes = to.offset..to.offset + from.size;
        self.out.downloads.push(Download { staging, target: target.clone(), bytes });
        Ok(())
    }

    /// wgpu copies between different buffers only.
    fn copy_within(&mut self, from: &Region, to: &Region) -> Result<(), Error> {
        let (source, target) = (self.buffer(from)?, self.buffer(to)?);
        if source == target {
            let temporary = self.temporary(from.size)?;
            self.copy(&source, from.offset, &temporary, 0, from.size);
            self.copy(&temporary, 0, &target, to.offset, from.size);
            self.count(from.size);
        } else {
            self.copy(&source, from.offset, &target, to.offset, from.size);
        }
        Ok(())
    }

    fn temporary(&mut self, bytes: u64) -> Result<wgpu::Buffer, Error> {
        let buffer = self.memories.take(&self.gpu.device, &self.gpu.fault, bytes)?;
        self.temporaries.push(buffer.clone());
        Ok(buffer)
    }

    fn count(&self, bytes: u64) {
        self.gpu.copies.fetch_add(1, Ordering::Relaxed);
        self.gpu.copied_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn fill(&mut self, to: &Region, word: u32) -> Result<(), Error> {
        let buffer = self.buffer(to)?;
        self.empty = false;
        if word == 0 {
            self.pass = None;
            self.encoder.clear_buffer(&buffer, to.offset, Some(to.size));
            return Ok(());
        }
        let gpu = self.gpu;
        let pass = self.pass();
        pass.kernel = None;
        pass.groups = None;
        gpu.filler.fill(&gpu.device, &mut pass.pass, &buffer, to.bytes(), word);
        Ok(())
    }

    /// The open pass.
    fn pass(&mut self) -> &mut Pass {
        let encoder = &mut self.encoder;
        self.pass.get_or_insert_with(|| Pass::begin(encoder, None))
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), Error> {
        let most = self.gpu.workgroups_per_dimension;
        if dispatch.grid.len() > u32::MAX.into() {
            return Err(Error::Limit {
                device: self.gpu.info.name.clone(),
                what: "the number of workgroups".into(),
                value: dispatch.grid.len(),
                limit: u32::MAX.into(),
            });
        }
        let physical = physical::dispatches(dispatch.grid, dispatch.range.clone(), most);
        self.out.dispatches.push(!physical.is_empty());
        if physical.is_empty() {
            return Ok(());
        }
        let kernel = self
            .gpu
            .kernels
            .get(dispatch.kernel)
            .ok_or_else(|| self.internal(format!("{:?} is not loaded", dispatch.kernel)))?;
        let (pipeline, exact) = kernel.pipeline(&self.gpu.device, &self.gpu.fault, dispatch.grid)?;
        let key = self.key(&kernel, dispatch)?;
        let mut back = SmallVec::new();
        let groups = match self.state.binds.get(&key) {
            Some(groups) => groups,
            None => self.bind(&kernel, key, &mut back)?,
        };
        self.empty = false;

        if let Some(stamps) = &mut self.out.stamps {
            self.pass = None;
            self.pass = Some(Pass::begin(&mut self.encoder, Some(stamps.next())));
        }
        let pass = self.pass();
        if pass.kernel != Some((kernel.id, exact)) {
            pass.pass.set_pipeline(pipeline);
            pass.kernel = Some((kernel.id, exact));
            pass.groups = None;
        }
        if !pass.groups.as_ref().is_some_and(|set| Arc::ptr_eq(set, &groups)) {
            for (number, group) in groups.iter() {
                pass.pass.set_bind_group(*number, group, &[]);
            }
            pass.groups = Some(groups);
        }
        for ([x, y, z], launch) in physical {
            pass.pass.set_immediates(0, bytemuck::bytes_of(&launch));
            pass.pass.dispatch_workgroups(x, y, z);
        }
        if self.out.stamps.is_some() {
            self.pass = None;
        }
        for Back { temporary, target, offset, size } in back {
            self.copy(&temporary, 0, &target, offset, size);
            self.count(size);
        }
        Ok(())
    }

    /// The arguments, values in their places.
    fn key(&mut self, kernel: &Compiled, dispatch: &Dispatch) -> Result<Key, Error> {
        if dispatch.arguments.len() != kernel.slots.len() {
            return Err(self.internal(format!(
                "`{}` has {} bindings, {} arguments were given",
                kernel.entry,
                kernel.slots.len(),
                dispatch.arguments.len()
            )));
        }
        let mut bound = SmallVec::new();
        for (argument, slot) in dispatch.arguments.iter().zip(&kernel.slots) {
            bound.push(match argument {
                Argument::Region(Region { memory: Memory::Device(id), offset, size }) => {
                    Bound::Memory { id: *id, offset: *offset, size: *size }
                }
                Argument::Region(_) => {
                    return Err(self.internal(format!("`{}` is bound to host memory", slot.name)));
                }
                Argument::Value(bytes) if bytes.is_empty() || bytes.len() % 4 != 0 || slot.writable => {
                    return Err(self.internal(format!("`{}` cannot be bound by value", slot.name)));
                }
                Argument::Value(bytes) => {
                    let Gpu { device, queue, fault, .. } = self.gpu;
                    Bound::Value(self.state.values.place(device, queue, fault, bytes, self.list)?)
                }
            });
        }
        Ok(Key { kernel: kernel.id, bound })
    }

    /// Makes the bind groups of a launch; what wgpu forbids goes through temporaries, and such groups are not kept.
    fn bind(&mut self, kernel: &Compiled, key: Key, back: &mut SmallVec<[Back; 2]>) -> Result<Groups, Error> {
        let limits = &self.gpu.info.limits;
        let (storage, uniform) = (limits.storage_alignment, limits.uniform_alignment);
        let mut ranges: SmallVec<[(wgpu::Buffer, u64, u64); 8]> = SmallVec::new();
        for bound in &key.bound {
            ranges.push(match *bound {
                Bound::Value(place) => (self.state.values.page(place.page).clone(), place.offset, place.size),
                Bound::Memory { id, offset, size } => {
                    let region = Region { memory: Memory::Device(id), offset, size };
                    (self.buffer(&region)?, offset, size)
                }
            });
        }
        let originals: SmallVec<[wgpu::Buffer; 8]> =
            ranges.iter().map(|(buffer, ..)| buffer.clone()).collect();
        let mut keep = true;
        for (position, slot) in kernel.slots.iter().enumerate() {
            let (buffer, offset, size) = ranges[position].clone();
            // Without a size wgpu would bind the rest of the buffer, which may be another's.
            if size == 0 || size < slot.min_size {
                return Err(self
                    .internal(format!("`{}` needs {} bytes, {size} were bound", slot.name, slot.min_size)));
            }
            let alignment = if slot.space == Space::Uniform { uniform } else { storage };
            let misaligned = offset % alignment != 0;
            // In one dispatch a buffer is either written or only read.
            let shared = !slot.writable
                && kernel.slots.iter().zip(&originals).any(|(other, o)| other.writable && *o == buffer);
            if misaligned || shared {
                let temporary = self.temporary(size)?;
                self.copy(&buffer, offset, &temporary, 0, size);
                self.count(size);
                if slot.writable {
                    back.push(Back { temporary: temporary.clone(), target: buffer, offset, size });
                }
                ranges[position] = (temporary, 0, size);
                keep = false;
            }
        }
        let mut groups = SmallVec::new();
        for (number, layout) in kernel.layouts.iter().enumerate() {
            let Some(layout) = layout else { continue };
            let entries: SmallVec<[_; 8]> = kernel
                .slots
                .iter()
                .zip(&ranges)
                .filter(|(slot, _)| slot.group as usize == number)
                .map(|(slot, (buffer, offset, size))| wgpu::BindGroupEntry {
                    binding: slot.binding,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: *offset,
                        size: NonZeroU64::new(*size),
                    }),
                })
                .collect();
            let group = self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout,
                entries: &entries,
            });
            groups.push((number as u32, group));
        }
        let groups = Arc::new(groups);
        // A group that wgpu refused is reported with the list and must not be found again.
        if keep && !self.gpu.fault.any_uncaught() {
            self.state.binds.insert(key, groups.clone());
        }
        Ok(groups)
    }
}

/// A temporary that the kernel wrote, and where its content belongs.
struct Back {
    temporary: wgpu::Buffer,
    target: wgpu::Buffer,
    offset: u64,
    size: u64,
}

impl Pass {
    fn begin(
        encoder: &mut wgpu::CommandEncoder,
        stamps: Option<wgpu::ComputePassTimestampWrites<'_>>,
    ) -> Self {
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes: stamps };
        Self { pass: encoder.begin_compute_pass(&descriptor).forget_lifetime(), kernel: None, groups: None }
    }
}
