//! Which invocations of a workgroup are active: all ones or zero per lane.
//!
//! Knows nothing of why lanes come and go; that is control flow, in `run`.

/// A set of lanes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mask {
    lanes: Vec<u32>,
    active: usize,
}

impl Mask {
    /// One word per lane, all ones where it is active.
    pub(crate) fn lanes(&self) -> &[u32] {
        &self.lanes
    }

    /// How many lanes are active.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.active == 0
    }

    /// The active lanes, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.lanes.iter().enumerate().filter(|&(_, &lane)| lane != 0).map(|(n, _)| n)
    }

    /// Becomes the lanes of `0..lanes` for which `active` says so.
    pub(crate) fn set(&mut self, lanes: usize, active: impl Fn(usize) -> bool) {
        self.lanes.clear();
        self.lanes.extend((0..lanes).map(|lane| if active(lane) { u32::MAX } else { 0 }));
        self.count();
    }

    /// Becomes empty, for so many lanes.
    pub(crate) fn clear(&mut self, lanes: usize) {
        self.lanes.clear();
        self.lanes.resize(lanes, 0);
        self.active = 0;
    }

    pub(crate) fn copy_from(&mut self, other: &Mask) {
        self.lanes.clone_from(&other.lanes);
        self.active = other.active;
    }

    /// Becomes `f` of two masks' lanes (all ones or zero each).
    fn combine(&mut self, a: &Mask, b: &[u32], f: impl Fn(u32, u32) -> u32) {
        self.lanes.resize(a.lanes.len(), 0);
        let mut active = 0u32;
        for (out, (&a, &b)) in self.lanes.iter_mut().zip(a.lanes.iter().zip(b)) {
            *out = f(a, b);
            // All ones is minus one.
            active = active.wrapping_sub(*out);
        }
        self.active = active as usize;
    }

    /// Becomes the lanes of `mask` where the boolean column holds.
    pub(crate) fn set_where(&mut self, mask: &Mask, condition: &[u32]) {
        self.combine(mask, condition, |mask, condition| mask & condition.wrapping_neg());
    }

    /// Becomes the lanes of `mask` where the column has this value.
    pub(crate) fn set_equal(&mut self, mask: &Mask, column: &[u32], value: u32) {
        self.combine(mask, column, |mask, x| if x == value { mask } else { 0 });
    }

    /// Keeps the lanes where the boolean column does not hold.
    pub(crate) fn remove_where(&mut self, condition: &[u32]) {
        for (lane, &condition) in self.lanes.iter_mut().zip(condition) {
            *lane &= condition.wrapping_sub(1);
        }
        self.count();
    }

    pub(crate) fn add(&mut self, other: &Mask) {
        if other.is_empty() {
            return;
        }
        for (lane, &other) in self.lanes.iter_mut().zip(&other.lanes) {
            *lane |= other;
        }
        self.count();
    }

    pub(crate) fn remove(&mut self, other: &Mask) {
        if other.is_empty() {
            return;
        }
        for (lane, &other) in self.lanes.iter_mut().zip(&other.lanes) {
            *lane &= !other;
        }
        self.count();
    }

    fn count(&mut self) {
        self.active = self.lanes.iter().fold(0u32, |sum, &lane| sum.wrapping_sub(lane)) as usize;
    }
}

/// The masks of a workgroup's control flow, kept for the next one.
#[derive(Default)]
pub(crate) struct Masks {
    /// Lanes that take part: those that overhang the grid's `over` never do.
    pub taking_part: Mask,
    /// Lanes that have returned, one mask per active function; the entry point's are done for good.
    pub returned: Vec<Mask>,
    /// Lanes on their way to the continuing block, one mask per active loop.
    pub continued: Vec<Mask>,
    free: Vec<Mask>,
}

impl Masks {
    /// Forgets a workgroup that did not come to its end.
    pub(crate) fn reset(&mut self) {
        self.free.append(&mut self.returned);
        self.free.append(&mut self.continued);
    }

    /// A mask of any content.
    pub(crate) fn take(&mut self) -> Mask {
        self.free.pop().unwrap_or_default()
    }

    /// Back for the next [`take`](Self::take).
    pub(crate) fn give(&mut self, mask: Mask) {
        self.free.push(mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_lanes() {
        let mut all = Mask::default();
        all.set(8, |lane| lane < 5);
        let mut some = Mask::default();
        some.set_where(&all, &[0, 1, 0, 1, 0, 1, 1, 1]);
        assert_eq!(some.iter().collect::<Vec<_>>(), [1, 3]);
        all.remove(&some);
        assert_eq!(all.iter().collect::<Vec<_>>(), [0, 2, 4]);
        all.add(&some);
        all.remove_where(&[1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(all.iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
        some.set_equal(&all, &[7, 7, 8, 7, 0, 7, 7, 7], 7);
        assert_eq!(some.iter().collect::<Vec<_>>(), [1, 3]);
    }
}
