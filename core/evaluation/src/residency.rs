//! Which locations hold a valid copy of which part of a data set's arrays, and what it takes to bring them elsewhere.
//!
//! Does not know time: it counts moves, which [`crate::world`] prices. Parts are ranges of the launch's items; location 0 is
//! the host's memory, and between two devices data go through it and stay valid there.

use std::ops::Range;

use crate::suite::{Access, Kernel, Reach};

/// A set of items, as sorted ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// One range, or nothing where it is empty.
    pub fn of(range: Range<u64>) -> Self {
        if range.is_empty() { Self::default() } else { Self(vec![(range.start, range.end)]) }
    }

    /// How many items it holds.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// Holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a range out.
    pub fn remove(&mut self, range: &Range<u64>) {
        let first = self.0.partition_point(|(_, end)| *end <= range.start);
        let last = self.0.partition_point(|(start, _)| *start < range.end);
        if range.is_empty() || first >= last {
            return;
        }
        let left = (self.0[first].0, range.start);
        let right = (range.end, self.0[last - 1].1);
        self.0.splice(first..last, [left, right].into_iter().filter(|(start, end)| start < end));
    }

    /// Puts a range in.
    pub fn insert(&mut self, range: &Range<u64>) {
        if range.is_empty() {
            return;
        }
        // All that overlap it or touch it become one.
        let first = self.0.partition_point(|(_, end)| *end < range.start);
        let last = self.0.partition_point(|(start, _)| *start <= range.end);
        let (mut start, mut end) = (range.start, range.end);
        if first < last {
            start = start.min(self.0[first].0);
            end = end.max(self.0[last - 1].1);
        }
        self.0.splice(first..last, [(start, end)]);
    }

    /// Puts another set in.
    pub fn unite(&mut self, other: &Self) {
        other.0.iter().for_each(|(start, end)| self.insert(&(*start..*end)));
    }

    /// Takes another set out.
    pub fn subtract(&mut self, other: &Self) {
        let mut rest = Vec::with_capacity(self.0.len());
        let mut at = 0;
        for (start, end) in &self.0 {
            let mut from = *start;
            while at < other.0.len() && other.0[at].1 <= from {
                at += 1;
            }
            let mut cut = at;
            while cut < other.0.len() && other.0[cut].0 < *end {
                if from < other.0[cut].0 {
                    rest.push((from, other.0[cut].0));
                }
                from = from.max(other.0[cut].1);
                cut += 1;
            }
            if from < *end {
                rest.push((from, *end));
            }
        }
        self.0 = rest;
    }
}

/// One move over a link: from a device's memory to the host's, or back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// The location at the device's end of the link.
    pub device: usize,
    /// To the device rather than from it.
    pub up: bool,
    /// How much.
    pub bytes: f64,
}

/// The state of one data set: per array, the valid items of every location.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Residency {
    valid: Vec<Vec<Ranges>>,
    items: u64,
}

impl Residency {
    /// A data set of so many items whose arrays are valid at one location; what is only written is valid nowhere.
    pub fn new(kernel: &Kernel, items: u64, locations: usize, home: usize) -> Self {
        let mut residency =
            Self { valid: vec![vec![Ranges::default(); locations]; kernel.arrays.len()], items };
        residency.refresh(kernel, home);
        residency
    }

    /// A location produces anew what the kernel reads, and nobody needs what it wrote before.
    pub fn refresh(&mut self, kernel: &Kernel, location: usize) {
        for (array, valid) in kernel.arrays.iter().zip(&mut self.valid) {
            valid.iter_mut().for_each(|ranges| *ranges = Ranges::default());
            if array.access != Access::Write {
                valid[location] = Ranges::of(0..self.items);
            }
        }
    }

    /// Brings what a range of the launch reads to a location.
    pub fn fetch(&mut self, kernel: &Kernel, location: usize, range: &Range<u64>, moves: &mut Vec<Move>) {
        for (at, array) in kernel.arrays.iter().enumerate() {
            if array.access != Access::Write {
                let touched = match array.reach {
                    Reach::Aligned => range.clone(),
                    Reach::Gathered => 0..self.items,
                };
                self.bring(at, location, &touched, array.bytes.at(self.items), moves);
            }
        }
    }

    /// A range of the launch has written at a location.
    pub fn write(&mut self, kernel: &Kernel, location: usize, range: &Range<u64>) {
        for (array, valid) in kernel.arrays.iter().zip(&mut self.valid) {
            if array.access != Access::Read {
                valid.iter_mut().for_each(|ranges| ranges.remove(range));
                valid[location].insert(range);
            }
        }
    }

    /// Brings all that the kernel writes to a location.
    pub fn deliver(&mut self, kernel: &Kernel, location: usize, moves: &mut Vec<Move>) {
        for (at, array) in kernel.arrays.iter().enumerate() {
            if array.access != Access::Read {
                self.bring(at, location, &(0..self.items), array.bytes.at(self.items), moves);
            }
        }
    }

    /// Arrays 0 and 1 change places.
    pub fn swap(&mut self) {
        self.valid.swap(0, 1);
    }

    fn bring(
        &mut self,
        array: usize,
        location: usize,
        range: &Range<u64>,
        bytes: f64,
        moves: &mut Vec<Move>,
    ) {
        let valid = &mut self.valid[array];
        let mut missing = Ranges::of(range.clone());
        missing.subtract(&valid[location]);
        if missing.is_empty() {
            return;
        }
        let bytes = |ranges: &Ranges, items: u64| bytes * ranges.len() as f64 / items.max(1) as f64;
        let mut absent = missing.clone();
        absent.subtract(&valid[0]);
        for device in 1..valid.len() {
            if absent.is_empty() || device == location {
                continue;
            }
            let mut found = absent.clone();
            let mut beyond = absent.clone();
            beyond.subtract(&valid[device]);
            found.subtract(&beyond);
            if !found.is_empty() {
                moves.push(Move { device, up: false, bytes: bytes(&found, self.items) });
                valid[0].unite(&found);
                absent = beyond;
            }
        }
        // What is valid nowhere was never written: there is nothing to bring.
        missing.subtract(&absent);
        if location != 0 && !missing.is_empty() {
            moves.push(Move { device: location, up: true, bytes: bytes(&missing, self.items) });
            valid[location].unite(&missing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Draws;
    use crate::suite::SUITE;

    #[test]
    fn ranges_agree_with_a_set_of_items() {
        let draws = Draws::new(3);
        let (mut ranges, mut set) = (Ranges::default(), std::collections::BTreeSet::new());
        for round in 0..3000 {
            let draw = draws.of(round);
            let start = draw.of(0).below(40) as u64;
            let range = start..start + draw.of(1).below(12) as u64;
            if draw.of(2).below(2) == 0 {
                ranges.insert(&range);
                set.extend(range.clone());
            } else {
                ranges.remove(&range);
                set.retain(|item| !range.contains(item));
            }
            assert_eq!(ranges.len(), set.len() as u64, "round {round}");
            let mut rest = Ranges::of(5..30);
            rest.subtract(&ranges);
            assert_eq!(rest.len(), (5..30).filter(|item| !set.contains(item)).count() as u64);
            assert!(ranges.0.windows(2).all(|w| w[0].1 < w[1].0), "round {round}: {ranges:?}");
        }
    }

    #[test]
    fn from_one_device_to_another_through_the_host_and_no_byte_twice() {
        let jacobi = SUITE.iter().find(|k| k.name == "jacobi 2-D").unwrap();
        let mut residency = Residency::new(jacobi, 100, 3, 1);
        let mut moves = Vec::new();
        residency.fetch(jacobi, 2, &(0..25), &mut moves);
        let down = Move { device: 1, up: false, bytes: 100.0 };
        assert_eq!(moves, [down, Move { device: 2, up: true, bytes: 100.0 }]);
        moves.clear();
        residency.fetch(jacobi, 2, &(0..100), &mut moves);
        assert_eq!(moves, [Move { bytes: 300.0, ..down }, Move { device: 2, up: true, bytes: 300.0 }]);
        moves.clear();
        residency.fetch(jacobi, 0, &(0..100), &mut moves);
        residency.fetch(jacobi, 1, &(0..100), &mut moves);
        assert_eq!(moves, []);
        residency.write(jacobi, 2, &(0..100));
        residency.deliver(jacobi, 0, &mut moves);
        assert_eq!(moves, [Move { device: 2, up: false, bytes: 400.0 }]);
    }
}
