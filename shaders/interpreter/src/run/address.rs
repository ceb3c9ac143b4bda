//! Addresses: indices checked against bounds, and how an address runs over the lanes.
//!
//! Most accesses are regular: every lane the same address, or addresses evenly apart. That is found out once per
//! access; what is done with it is the business of `load` and `store`.

use super::Run;
use crate::mask::Mask;
use crate::step::{Address, Index, Limit, OUTSIDE, Slot};

/// How the varying part of an address runs over the active lanes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pattern {
    /// All the same; [`OUTSIDE`] too.
    Uniform(u32),
    /// All lanes are active and inside, `step` apart, the first at `first`; step is not 0.
    Even {
        first: u32,
        step: u32,
    },
    Scattered,
}

impl Pattern {
    /// `lanes` is their number without padding.
    pub(super) fn of(varying: &[u32], mask: &Mask, lanes: usize) -> Pattern {
        if mask.active() == lanes && lanes > 1 {
            let (first, step) = (varying[0], varying[1].wrapping_sub(varying[0]));
            if step != 0 {
                let last = u64::from(first) + u64::from(step) * (lanes as u64 - 1);
                let expected = (0..lanes as u32).map(|lane| first.wrapping_add(step.wrapping_mul(lane)));
                let difference =
                    varying.iter().zip(expected).fold(0, |sum, (&at, expected)| sum | (at ^ expected));
                let even = difference == 0 && last < u64::from(OUTSIDE);
                return if even { Pattern::Even { first, step } } else { Pattern::Scattered };
            }
        }
        let Some(lane) = mask.iter().next() else {
            return Pattern::Scattered;
        };
        let first = varying[lane];
        let difference =
            varying.iter().zip(mask.lanes()).fold(0, |sum, (&at, &mask)| sum | ((at ^ first) & mask));
        if difference == 0 { Pattern::Uniform(first) } else { Pattern::Scattered }
    }
}

impl Run<'_> {
    /// The pattern of an address's varying part; none is the same as zeros.
    pub(super) fn pattern(&self, address: Address, mask: &Mask) -> Pattern {
        match address.varying {
            Some(varying) => Pattern::of(self.column(varying), mask, self.program.lanes),
            None => Pattern::Uniform(0),
        }
    }

    /// Every active lane has the same pointer.
    pub(super) fn uniform(&self, address: Address, mask: &Mask) -> bool {
        matches!(self.pattern(address, mask), Pattern::Uniform(_))
    }

    /// The varying part of the address of an element: [`OUTSIDE`] where there is none.
    #[inline(never)]
    pub(super) fn element_address(
        &mut self,
        out: Slot,
        base: Option<Slot>,
        index: Index,
        signed: bool,
        limit: Limit,
        stride: u32,
    ) {
        let limit = match limit {
            Limit::Fixed(count) => count,
            Limit::Runtime { binding, offset, stride } => self.array_length(binding, offset, stride),
        };
        // A negative index is a large one.
        let limit = if signed { limit.min(1 << 31) } else { limit };
        let height = self.height;
        let (lower, upper) = self.columns.split_at_mut(out.start as usize * height);
        let out = &mut upper[..height];
        let column = |slot: Slot| &lower[slot.start as usize * height..][..height];
        let offset = |index: u32| {
            if index < limit { index.wrapping_mul(stride) } else { OUTSIDE }
        };
        match index {
            Index::Fixed(index) => out.fill(offset(index)),
            Index::Varying(index) => {
                for (out, &index) in out.iter_mut().zip(column(index)) {
                    *out = offset(index);
                }
            }
        }
        if let Some(base) = base {
            for (out, &base) in out.iter_mut().zip(column(base)) {
                *out = if base == OUTSIDE || *out == OUTSIDE { OUTSIDE } else { base.wrapping_add(*out) };
            }
        }
    }

    /// A pointer as one number.
    #[inline(never)]
    pub(super) fn pointer(&mut self, out: Slot, address: Address) {
        let out = self.range(out);
        let Some(varying) = address.varying else {
            return self.columns[out].fill(address.fixed);
        };
        let varying = self.range(varying);
        let (lower, upper) = self.columns.split_at_mut(out.start);
        for (out, &at) in upper[..out.len()].iter_mut().zip(&lower[varying]) {
            *out = if at == OUTSIDE { OUTSIDE } else { at.wrapping_add(address.fixed) };
        }
    }

    /// The elements of a runtime-sized array.
    pub(super) fn array_length(&self, binding: usize, offset: u32, stride: u32) -> u32 {
        let bytes = self.launch.bindings[binding].bytes().saturating_sub(u64::from(offset));
        (bytes / u64::from(stride.max(1))) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let mut mask = Mask::default();
        mask.set(8, |lane| lane < 4);
        let of = |varying: [u32; 4], mask: &Mask| {
            let mut column = [99; 8];
            column[..4].copy_from_slice(&varying);
            Pattern::of(&column, mask, 4)
        };
        assert_eq!(of([8; 4], &mask), Pattern::Uniform(8));
        assert_eq!(of([8, 12, 16, 20], &mask), Pattern::Even { first: 8, step: 4 });
        assert_eq!(of([8, 12, 16, 24], &mask), Pattern::Scattered);
        assert_eq!(of([20, 16, 12, 8], &mask), Pattern::Scattered);
        assert_eq!(of([OUTSIDE; 4], &mask), Pattern::Uniform(OUTSIDE));
        assert_eq!(of([OUTSIDE - 3, OUTSIDE - 2, OUTSIDE - 1, OUTSIDE], &mask), Pattern::Scattered);
        mask.set(8, |lane| lane == 1 || lane == 3);
        assert_eq!(of([1, 8, 3, 8], &mask), Pattern::Uniform(8));
        assert_eq!(of([8, 12, 16, 20], &mask), Pattern::Scattered);
    }
}
