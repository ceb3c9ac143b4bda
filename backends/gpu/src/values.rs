//! Uniforms by value: small slots in shared pages, found again by their content.
//!
//! The same bytes used again cost nothing, not even a new bind group. A slot that takes new content is written before
//! the list that uses it, in queue order, so lists submitted earlier still see the old one; a slot that the *current*
//! list uses is therefore never rewritten. Knows nothing of kernels.

use std::collections::HashMap;
use std::sync::Arc;

use warpweft_hal::Error;

use crate::fault::Fault;

/// Bytes of a page.
const PAGE: u64 = 64 << 10;
/// Slots of one size that are kept before one takes new content.
const KEPT: usize = 128;
/// Slots of which the least recently used one does: looking at all would make a list of many values quadratic.
const LOOKED_AT: usize = 16;

/// Where a value lies: page, offset, size.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Place {
    pub(crate) page: u32,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

struct Slot {
    place: Place,
    content: Arc<[u8]>,
    /// The list that used it last.
    used: u64,
}

/// The uniform values of a device.
pub(crate) struct Values {
    pages: Vec<wgpu::Buffer>,
    /// Free bytes start here, by page.
    fill: Vec<u64>,
    alignment: u64,
    by_content: HashMap<Arc<[u8]>, usize>,
    slots: Vec<Slot>,
    /// Slots by their room.
    by_room: HashMap<u64, Room>,
}

/// The slots of one size.
#[derive(Default)]
struct Room {
    slots: Vec<usize>,
    /// Where to look next for one that takes new content.
    next: usize,
}

impl Values {
    /// `alignment` is what both kinds of binding need.
    pub(crate) fn new(alignment: u64) -> Self {
        Self {
            pages: Vec::new(),
            fill: Vec::new(),
            alignment: alignment.max(4),
            by_content: HashMap::new(),
            slots: Vec::new(),
            by_room: HashMap::new(),
        }
    }

    /// Forgets all; bind groups with their places are to be forgotten with them.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.alignment);
    }

    /// Where the bytes are, for the list of that number.
    pub(crate) fn place(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        fault: &Fault,
        content: &Arc<[u8]>,
        list: u64,
    ) -> Result<Place, Error> {
        if let Some(&slot) = self.by_content.get(content) {
            self.slots[slot].used = list;
            return Ok(self.slots[slot].place);
        }
        let size = content.len() as u64;
        let room = size.next_multiple_of(self.alignment);
        let slot = match self.stale(room, list) {
            Some(slot) => {
                let old = &mut self.slots[slot];
                self.by_content.remove(&old.content);
                old.content = content.clone();
                old.place.size = size;
                old.used = list;
                slot
            }
            None => {
                let place = self.carve(device, fault, room, size)?;
                let slot = self.slots.len();
                self.by_room.entry(room).or_default().slots.push(slot);
                self.slots.push(Slot { place, content: content.clone(), used: list });
                slot
            }
        };
        self.by_content.insert(content.clone(), slot);
        let place = self.slots[slot].place;
        queue.write_buffer(&self.pages[place.page as usize], place.offset, content);
        Ok(place)
    }

    /// A slot that may take new content: one of few, none that the list uses.
    fn stale(&mut self, room: u64, list: u64) -> Option<usize> {
        let Room { slots, next } = self.by_room.get_mut(&room)?;
        if slots.len() < KEPT {
            return None;
        }
        let looked_at = (0..LOOKED_AT).map(|i| slots[(*next + i) % slots.len()]);
        let oldest = looked_at.min_by_key(|&slot| self.slots[slot].used)?;
        *next = (*next + LOOKED_AT) % slots.len();
        (self.slots[oldest].used < list).then_some(oldest)
    }

    pub(crate) fn page(&self, page: u32) -> &wgpu::Buffer {
        &self.pages[page as usize]
    }

    /// Room in a page that has it, the newest first, or in a new one.
    fn carve(&mut self, device: &wgpu::Device, fault: &Fault, room: u64, size: u64) -> Result<Place, Error> {
        let page =
            match self.pages.iter().zip(&self.fill).rposition(|(page, fill)| page.size() - fill >= room) {
                Some(page) => page,
                None => {
                    let descriptor = wgpu::BufferDescriptor {
                        label: Some("warpweft values"),
                        size: PAGE.max(room),
                        usage: wgpu::BufferUsages::UNIFORM
                            | wgpu::BufferUsages::STORAGE
                            | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    };
                    let made = fault.scoped(device, || device.create_buffer(&descriptor));
                    self.pages.push(made.map_err(|e| e.into_error(fault, descriptor.size))?);
                    self.fill.push(0);
                    self.pages.len() - 1
                }
            };
        let offset = self.fill[page];
        self.fill[page] += room;
        Ok(Place { page: page as u32, offset, size })
    }
}
