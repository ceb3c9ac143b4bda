//! Reading memory, leaf by leaf. What lies outside reads as zero.

use super::Run;
use super::address::Pattern;
use super::store::set_entry;
use crate::mask::Mask;
use crate::memory::Memory;
use crate::shape::{Leaf, width};
use crate::step::{Address, OUTSIDE, Slot, Space};

/// One access for all lanes.
struct Access<'a> {
    pattern: Pattern,
    /// The varying part of the address, where there is one.
    varying: Option<&'a [u32]>,
    mask: &'a Mask,
    /// Lanes without padding.
    lanes: usize,
}

impl Access<'_> {
    /// Fills the active lanes of a column of `words`-word entries: `read(varying part, lane, word)`.
    #[inline(always)]
    fn each(&self, out: &mut [u32], words: usize, read: impl Fn(u32, usize, usize) -> u32) {
        for lane in self.mask.iter() {
            let at = self.varying.map_or(0, |varying| varying[lane]);
            for k in 0..words {
                out[lane * words + k] = if at == OUTSIDE { 0 } else { read(at, lane, k) };
            }
        }
    }

    /// Fills the active lanes of a column of entries of `size` bytes: `read(varying part)`.
    #[inline(always)]
    fn entries(&self, out: &mut [u32], size: u32, read: impl Fn(u32) -> u64) {
        for lane in self.mask.iter() {
            let value = match self.varying.map_or(0, |varying| varying[lane]) {
                OUTSIDE => 0,
                at => read(at),
            };
            set_entry(out, size, lane, value);
        }
    }

    /// A leaf of a binding, whose fixed address is `fixed`.
    fn binding(&self, out: &mut [u32], memory: &Memory<'_>, fixed: u64, size: u32) {
        match (self.pattern, size) {
            (Pattern::Uniform(OUTSIDE), _) => return out.fill(0),
            (Pattern::Uniform(at), 8) => {
                let value = memory.load(fixed + u64::from(at), 8);
                let words: &mut [u64] = bytemuck::cast_slice_mut(out);
                return words.fill(value);
            }
            (Pattern::Uniform(at), _) => return out.fill(memory.load(fixed + u64::from(at), size) as u32),
            (Pattern::Even { first, step }, _) => {
                let out = &mut out[..self.lanes * (size as usize).div_ceil(4)];
                if memory.load_row(fixed + u64::from(first), step, size, out) {
                    return;
                }
            }
            _ => {}
        }
        if size == 8 {
            self.entries(out, 8, |at| memory.load(fixed + u64::from(at), 8));
        } else {
            self.entries(out, 4, |at| memory.load(fixed + u64::from(at), size));
        }
    }

    /// A leaf of an atomic type, read one lane after the other.
    fn atomic(&self, out: &mut [u32], memory: &Memory<'_>, fixed: u64, size: u32) {
        self.entries(out, size, |at| memory.atomic_load(fixed + u64::from(at), size));
    }

    /// A leaf of workgroup memory, whose fixed address is `fixed`.
    fn workgroup(&self, out: &mut [u32], memory: &[u32], fixed: usize, words: usize) {
        match self.pattern {
            Pattern::Uniform(OUTSIDE) => out.fill(0),
            Pattern::Even { first, step } if words == 1 => {
                let from = memory[first as usize + fixed..].iter().step_by(step as usize);
                out[..self.lanes].iter_mut().zip(from).for_each(|(out, &word)| *out = word);
            }
            Pattern::Uniform(at) if words == 1 => out.fill(memory[at as usize + fixed]),
            _ => self.each(out, words, |at, _, k| memory[at as usize + fixed + k]),
        }
    }

    /// A leaf of a variable, whose fixed address is `fixed`.
    fn variable(&self, out: &mut [u32], columns: &[u32], fixed: usize, words: usize) {
        let height = out.len() / words;
        match self.pattern {
            Pattern::Uniform(OUTSIDE) => out.fill(0),
            Pattern::Uniform(at) => {
                out.copy_from_slice(&columns[(at as usize + fixed) * height..][..out.len()]);
            }
            _ => self
                .each(out, words, |at, lane, k| columns[(at as usize + fixed) * height + lane * words + k]),
        }
    }
}

impl Run<'_> {
    /// Reads a value into `out`.
    #[inline(never)]
    pub(super) fn load(&mut self, out: Slot, address: Address, leaves: &[Leaf], atomic: bool, mask: &Mask) {
        let pattern = self.pattern(address, mask);
        let height = self.height;
        let (lower, upper) = self.columns.split_at_mut(out.start as usize * height);
        let varying = address.varying.map(|slot| &lower[slot.start as usize * height..][..height]);
        let access = Access { pattern, varying, mask, lanes: self.program.lanes };
        for leaf in leaves {
            let words = width(leaf.scalar) as usize;
            let out = &mut upper[leaf.column as usize * height..][..words * height];
            match address.space {
                Space::Binding(binding) => {
                    let memory = &self.launch.bindings[binding];
                    let fixed = u64::from(address.fixed) + u64::from(leaf.byte);
                    if atomic {
                        access.atomic(out, memory, fixed, leaf.scalar.size());
                    } else {
                        access.binding(out, memory, fixed, leaf.scalar.size());
                    }
                }
                Space::Workgroup => {
                    access.workgroup(out, self.words, (address.fixed + leaf.column) as usize, words);
                }
                Space::Columns => {
                    access.variable(out, lower, (address.fixed + leaf.column) as usize, words);
                }
            }
        }
    }

    /// Element `index` of a value; zero where there is none.
    #[inline(never)]
    pub(super) fn element(
        &mut self,
        out: Slot,
        base: Slot,
        index: Slot,
        count: u32,
        leaves: &[Leaf],
        mask: &Mask,
    ) {
        let height = self.height;
        let (lower, upper) = self.columns.split_at_mut(out.start as usize * height);
        let index = &lower[index.start as usize * height..][..height];
        for leaf in leaves {
            let words = width(leaf.scalar) as usize;
            let column = &mut upper[leaf.column as usize * height..][..words * height];
            for lane in mask.iter() {
                let from =
                    (base.start + index[lane].min(count) * out.columns + leaf.column) as usize * height;
                for k in 0..words {
                    let inside = index[lane] < count;
                    column[lane * words + k] = if inside { lower[from + lane * words + k] } else { 0 };
                }
            }
        }
    }
}
