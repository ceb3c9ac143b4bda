//! Writing memory, leaf by leaf; where lanes write the same place the highest one stays. What lies outside is dropped.

use super::Run;
use super::address::Pattern;
use crate::mask::Mask;
use crate::shape::{Leaf, width};
use crate::step::{Address, OUTSIDE, Slot, Space};

impl Run<'_> {
    /// Writes a value.
    #[inline(never)]
    pub(super) fn store(
        &mut self,
        address: Address,
        value: Slot,
        leaves: &[Leaf],
        atomic: bool,
        mask: &Mask,
    ) {
        match address.space {
            Space::Binding(binding) => self.store_to_binding(binding, address, value, leaves, atomic, mask),
            Space::Workgroup => self.store_to_workgroup(address, value, leaves, mask),
            Space::Columns => self.store_to_variable(address, value, leaves, mask),
        }
    }

    fn store_to_binding(
        &self,
        binding: usize,
        address: Address,
        value: Slot,
        leaves: &[Leaf],
        atomic: bool,
        mask: &Mask,
    ) {
        let lanes = self.program.lanes;
        let memory = &self.launch.bindings[binding];
        let pattern = self.pattern(address, mask);
        let varying = address.varying.map(|slot| self.column(slot));
        for leaf in leaves {
            let column = &self.column(value)[leaf.column as usize * self.height..];
            let fixed = u64::from(address.fixed) + u64::from(leaf.byte);
            let size = leaf.scalar.size();
            if let (Pattern::Even { first, step }, false) = (pattern, atomic) {
                let row = &column[..lanes * width(leaf.scalar) as usize];
                if memory.store_row(fixed + u64::from(first), step, size, row) {
                    continue;
                }
            }
            for lane in mask.iter() {
                let at = varying.map_or(0, |varying| varying[lane]);
                if at == OUTSIDE {
                    continue;
                }
                let byte = fixed + u64::from(at);
                let value = entry(column, size, lane);
                if atomic {
                    memory.atomic_store(byte, size, value);
                } else {
                    memory.store(byte, size, value);
                }
            }
        }
    }

    fn store_to_workgroup(&mut self, address: Address, value: Slot, leaves: &[Leaf], mask: &Mask) {
        let height = self.height;
        let columns = &*self.columns;
        let varying = address.varying.map(|slot| &columns[slot.start as usize * height..][..height]);
        for leaf in leaves {
            let words = width(leaf.scalar) as usize;
            let fixed = (address.fixed + leaf.column) as usize;
            let column = &columns[(value.start + leaf.column) as usize * height..];
            for lane in mask.iter() {
                let at = varying.map_or(0, |varying| varying[lane]);
                if at != OUTSIDE {
                    let to = at as usize + fixed;
                    self.words[to..to + words].copy_from_slice(&column[lane * words..][..words]);
                }
            }
        }
    }

    fn store_to_variable(&mut self, address: Address, value: Slot, leaves: &[Leaf], mask: &Mask) {
        let height = self.height;
        let full = mask.active() == self.program.lanes;
        match (self.pattern(address, mask), address.varying) {
            (Pattern::Uniform(OUTSIDE), _) => {}
            (Pattern::Uniform(at), _) if full => {
                let variable = Slot { start: address.fixed + at, columns: value.columns };
                self.copy(variable, value);
            }
            (Pattern::Uniform(at), _) => {
                for leaf in leaves {
                    let words = width(leaf.scalar);
                    let column = |start: u32| Slot { start: start + leaf.column, columns: words };
                    self.blend(column(address.fixed + at), column(value.start), mask);
                }
            }
            (_, Some(varying)) => {
                let varying = self.range(varying).start;
                for leaf in leaves {
                    let words = width(leaf.scalar) as usize;
                    let from = (value.start + leaf.column) as usize * height;
                    for lane in mask.iter() {
                        let at = self.columns[varying + lane];
                        if at != OUTSIDE {
                            let to = (at + address.fixed + leaf.column) as usize * height + lane * words;
                            let from = from + lane * words;
                            self.columns.copy_within(from..from + words, to);
                        }
                    }
                }
            }
            (_, None) => {}
        }
    }

    /// Copies the active lanes of one scalar's column.
    fn blend(&mut self, to: Slot, from: Slot, mask: &Mask) {
        let (to, from) = (self.range(to), self.range(from));
        let words = to.len() / self.height;
        // A variable never shares columns with a value.
        let Ok([to, from]) = self.columns.get_disjoint_mut([to, from]) else {
            return;
        };
        if words == 1 {
            for ((to, &from), &mask) in to.iter_mut().zip(&*from).zip(mask.lanes()) {
                *to = (*to & !mask) | (from & mask);
            }
        } else {
            for ((to, from), &mask) in
                to.chunks_exact_mut(words).zip(from.chunks_exact(words)).zip(mask.lanes())
            {
                if mask != 0 {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}

/// One lane's entry of a column of scalars of that size.
pub(super) fn entry(column: &[u32], size: u32, lane: usize) -> u64 {
    if size == 8 {
        u64::from(column[2 * lane]) | u64::from(column[2 * lane + 1]) << 32
    } else {
        u64::from(column[lane])
    }
}

/// Replaces it.
pub(super) fn set_entry(column: &mut [u32], size: u32, lane: usize, value: u64) {
    if size == 8 {
        column[2 * lane..2 * lane + 2].copy_from_slice(&[value as u32, (value >> 32) as u32]);
    } else {
        column[lane] = value as u32;
    }
}
