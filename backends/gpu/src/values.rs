//! Uniforms by value: small slots in shared pages, found again by their content.
//!
//! The same bytes used again cost nothing, not even a new bind group. A slot that takes new content is written before
//! the list that uses it, in queue order, so lists submitted earlier still see the old one; a slot that the *current*
//! list uses is therefore never rewritten. Knows nothing of kernels.

use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of a page.
const PAGE: u64 = 64 << 10;
/// Slots of one size that are kept before the least recently used one takes new content.
const KEPT: usize = 128;

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
    by_room: HashMap<u64, Vec<usize>>,
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

    /// Where the bytes are, for the list of that number.
    pub(crate) fn place(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        content: &Arc<[u8]>,
        list: u64,
    ) -> Place {
        if let Some(&slot) = self.by_content.get(content) {
            self.slots[slot].used = list;
            return self.slots[slot].place;
        }
        let size = content.len() as u64;
        let room = size.next_multiple_of(self.alignment);
        let slots = self.by_room.entry(room).or_default();
        let oldest = slots.iter().copied().min_by_key(|&slot| self.slots[slot].used);
        let slot = match oldest {
            Some(slot) if slots.len() >= KEPT && self.slots[slot].used < list => {
                let old = &mut self.slots[slot];
                self.by_content.remove(&old.content);
                old.content = content.clone();
                old.place.size = size;
                old.used = list;
                slot
            }
            _ => {
                let slot = self.slots.len();
                slots.push(slot);
                let place = self.carve(device, room, size);
                self.slots.push(Slot { place, content: content.clone(), used: list });
                slot
            }
        };
        self.by_content.insert(content.clone(), slot);
        let place = self.slots[slot].place;
        queue.write_buffer(&self.pages[place.page as usize], place.offset, content);
        place
    }

    pub(crate) fn page(&self, page: u32) -> &wgpu::Buffer {
        &self.pages[page as usize]
    }

    /// Room in a page that has it, or in a new one.
    fn carve(&mut self, device: &wgpu::Device, room: u64, size: u64) -> Place {
        let page = self.pages.iter().zip(&self.fill).position(|(page, fill)| page.size() - fill >= room);
        let page = page.unwrap_or_else(|| {
            self.pages.push(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("warpweft values"),
                size: PAGE.max(room),
                usage: wgpu::BufferUsages::UNIFORM
                    | wgpu::BufferUsages::STORAGE
                    | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }));
            self.fill.push(0);
            self.pages.len() - 1
        });
        let offset = self.fill[page];
        self.fill[page] += room;
        Place { page: page as u32, offset, size }
    }
}
