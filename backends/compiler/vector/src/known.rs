//! Which values there are, to be found by how they are computed: a table of numbers that can be taken back to what it was.
//!
//! Entries go in the reverse order of their coming, so that a place in the table is freed by emptying it: whatever was
//! put behind it, because it was taken, is gone by then. Knows no operation: who asks brings the hash, and compares.

use crate::ir::Value;

/// Values by the hash of what they are.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// A power of two of them, or none; at most half of them are taken.
    slots: Vec<Slot>,
    /// Places in `slots`, in the order in which they were taken.
    log: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    /// [`NONE`] where the slot is free.
    value: u32,
}

const NONE: u32 = u32::MAX;
const FREE: Slot = Slot { hash: 0, value: NONE };

impl Known {
    /// A table that need not grow for so many values.
    pub(crate) fn with_capacity(values: usize) -> Self {
        Self { slots: vec![FREE; (2 * values).next_power_of_two()], log: Vec::with_capacity(values) }
    }

    /// The value with that hash which `is` the one.
    pub(crate) fn find(&self, hash: u32, is: impl Fn(Value) -> bool) -> Option<Value> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot.value == NONE {
                return None;
            }
            if slot.hash == hash && is(Value(slot.value)) {
                return Some(Value(slot.value));
            }
            at = (at + 1) & mask;
        }
    }

    /// A value that was not found.
    pub(crate) fn insert(&mut self, hash: u32, value: Value) {
        if 2 * (self.log.len() + 1) > self.slots.len() {
            self.grow();
        }
        let slot = Slot { hash, value: value.0 };
        let at = self.place(slot);
        self.log.push(at);
    }

    /// Where to go [back](Self::back) to.
    pub(crate) fn here(&self) -> usize {
        self.log.len()
    }

    /// Forgets what was inserted since.
    pub(crate) fn back(&mut self, here: usize) {
        for at in self.log.drain(here.min(self.log.len())..) {
            self.slots[at as usize] = FREE;
        }
    }

    /// Puts something into the first free place.
    fn place(&mut self, slot: Slot) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = slot.hash as usize & mask;
        while self.slots[at].value != NONE {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
        at as u32
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![FREE; (2 * old.len()).max(16)];
        for entry in 0..self.log.len() {
            self.log[entry] = self.place(old[self.log[entry] as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_was() {
        // Few different hashes, so that most places are taken.
        let hash = |value: u32| value % 7 * 3;
        for capacity in [0, 1, 5, 100] {
            let mut known = Known::with_capacity(capacity);
            let mut model: Vec<u32> = vec![];
            let mut marks = vec![];
            for step in 0..400u32 {
                match step * 7919 % 11 {
                    0..6 => {
                        known.insert(hash(step), Value(step));
                        model.push(step);
                    }
                    6..9 => marks.push((known.here(), model.len())),
                    _ => {
                        if let Some((here, length)) = marks.pop() {
                            known.back(here);
                            model.truncate(length);
                        }
                    }
                }
                for value in 0..=step {
                    let found = known.find(hash(value), |other| other == Value(value));
                    assert_eq!(found.is_some(), model.contains(&value), "{capacity} {step} {value}");
                }
                assert_eq!(known.find(1, |_| true), None);
            }
            assert!(model.len() > 20 || !marks.is_empty());
        }
    }
}
