//! Sets of words as sorted, disjoint, non-touching ranges.
//!
//! Knows nothing of buffers or locations. A set of one range, the common case, allocates nothing.

use std::ops::Range;

use smallvec::SmallVec;

/// A set of word indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    /// Sorted; each range is non-empty, and a gap of at least one word lies between neighbours.
    ranges: SmallVec<[Range<u64>; 2]>,
}

impl Intervals {
    /// The empty set.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The ranges in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.ranges.iter().cloned()
    }

    /// Words in the set.
    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.iter().map(|r| r.end - r.start).sum()
    }

    /// The set has no words.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Adds a range.
    pub(crate) fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        // Everything that overlaps or touches the range melts into it.
        let first = self.ranges.partition_point(|r| r.end < range.start);
        let last = self.ranges.partition_point(|r| r.start <= range.end);
        let mut merged = range;
        if first < last {
            merged.start = merged.start.min(self.ranges[first].start);
            merged.end = merged.end.max(self.ranges[last - 1].end);
        }
        self.ranges.drain(first..last);
        self.ranges.insert(first, merged);
    }

    /// Takes a range out.
    pub(crate) fn remove(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let first = self.first_ending_after(range.start);
        let last = self.ranges.partition_point(|r| r.start < range.end);
        if first >= last {
            return;
        }
        let before = self.ranges[first].start..range.start;
        let after = range.end..self.ranges[last - 1].end;
        self.ranges.drain(first..last);
        let mut at = first;
        for rest in [before, after] {
            if !rest.is_empty() {
                self.ranges.insert(at, rest);
                at += 1;
            }
        }
    }

    /// The parts of the range that are in the set, in order.
    pub(crate) fn within(&self, range: Range<u64>) -> SmallVec<[Range<u64>; 2]> {
        self.ranges[self.first_ending_after(range.start)..]
            .iter()
            .take_while(|r| r.start < range.end)
            .map(|r| r.start.max(range.start)..r.end.min(range.end))
            .filter(|r| !r.is_empty())
            .collect()
    }

    /// The parts of the range that are not in the set, in order.
    pub(crate) fn missing(&self, range: Range<u64>) -> SmallVec<[Range<u64>; 2]> {
        let mut gaps = SmallVec::new();
        let mut at = range.start;
        for held in self.within(range.clone()) {
            if at < held.start {
                gaps.push(at..held.start);
            }
            at = held.end;
        }
        if at < range.end {
            gaps.push(at..range.end);
        }
        gaps
    }

    fn first_ending_after(&self, word: u64) -> usize {
        self.ranges.partition_point(|r| r.end <= word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: u64 = 64;

    /// A small deterministic generator (splitmix64, Steele et al. 2014).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn range(&mut self) -> Range<u64> {
            let (a, b) = (self.next() % (WORDS + 1), self.next() % (WORDS + 1));
            a.min(b)..a.max(b)
        }
    }

    fn bits(range: &Range<u64>) -> u64 {
        range.clone().fold(0, |set, word| set | 1 << word)
    }

    fn union(ranges: impl IntoIterator<Item = Range<u64>>) -> u64 {
        ranges.into_iter().fold(0, |set, r| set | bits(&r))
    }

    #[test]
    fn agrees_with_a_bit_set_under_random_operations() {
        let mut random = Random(1);
        for _ in 0..200 {
            let (mut set, mut model) = (Intervals::new(), 0u64);
            for _ in 0..100 {
                let range = random.range();
                if random.next().is_multiple_of(2) {
                    set.insert(range.clone());
                    model |= bits(&range);
                } else {
                    set.remove(range.clone());
                    model &= !bits(&range);
                }
                assert_eq!(union(set.iter()), model);
                assert_eq!(set.len(), u64::from(model.count_ones()));
                assert_eq!(set.is_empty(), model == 0);
                assert!(set.ranges.iter().all(|r| !r.is_empty()));
                assert!(set.ranges.windows(2).all(|w| w[0].end < w[1].start), "{set:?}");

                let query = random.range();
                assert_eq!(union(set.within(query.clone())), model & bits(&query));
                assert_eq!(union(set.missing(query.clone())), !model & bits(&query));
            }
        }
    }
}
