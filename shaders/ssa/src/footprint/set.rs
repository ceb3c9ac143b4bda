//! Sets of bytes.

use std::ops::Range;

/// Bytes of a binding: ranges in order, none empty, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteSet {
    ranges: Vec<Range<u64>>,
}

impl ByteSet {
    /// The union of ranges.
    pub fn new(mut ranges: Vec<Range<u64>>) -> Self {
        ranges.retain(|range| range.start < range.end);
        ranges.sort_unstable_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        ByteSet { ranges: merged }
    }

    /// One range.
    pub fn range(range: Range<u64>) -> Self {
        ByteSet::new([range].to_vec())
    }

    /// The ranges, in order.
    pub fn ranges(&self) -> &[Range<u64>] {
        &self.ranges
    }

    /// Nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many bytes are in it.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// All of a range is in it.
    pub fn covers(&self, range: Range<u64>) -> bool {
        let after = self.ranges.partition_point(|known| known.start <= range.start);
        range.is_empty() || after > 0 && range.end <= self.ranges[after - 1].end
    }

    /// What is in this, but not in the other.
    pub fn without(&self, other: &ByteSet) -> ByteSet {
        let mut found = Vec::new();
        let mut holes = other.ranges.iter().peekable();
        for range in &self.ranges {
            let mut at = range.start;
            while let Some(hole) = holes.peek() {
                if hole.end <= at {
                    holes.next();
                    continue;
                }
                if hole.start >= range.end {
                    break;
                }
                if at < hole.start {
                    found.push(at..hole.start);
                }
                at = hole.end;
                if at >= range.end {
                    break;
                }
            }
            if at < range.end {
                found.push(at..range.end);
            }
        }
        ByteSet { ranges: found }
    }

    /// The 4-byte words that lie in it as a whole.
    pub fn whole_words(&self) -> ByteSet {
        let words = self.ranges.iter().map(|range| range.start.next_multiple_of(4)..range.end / 4 * 4);
        ByteSet { ranges: words.filter(|words| words.start < words.end).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_merge_what_touches() {
        let set = ByteSet::new(vec![8..12, 0..4, 4..6, 20..20, 10..16]);
        assert_eq!(set.ranges(), [0..6, 8..16]);
        assert_eq!(set.len(), 14);
        assert!(set.covers(8..16) && set.covers(3..3) && !set.covers(5..7) && !set.covers(16..17));
        assert_eq!(set.whole_words().ranges(), [0..4, 8..16]);
    }

    #[test]
    fn what_is_taken_away_is_gone() {
        let bits = |set: &ByteSet| (0..24).filter(|&i| set.covers(i..i + 1)).collect::<Vec<u64>>();
        let make =
            |mask: u32| ByteSet::new((0..24).filter(|i| mask >> i & 1 == 1).map(|i| i..i + 1).collect());
        for (a, b) in [(0xfff, 0x0f0), (0xf0f0f0, 0x3c3c3c), (0x123456, 0xfedcba), (0, 5), (5, 0)] {
            let rest = make(a).without(&make(b));
            assert_eq!(rest, make(a & !b));
            assert_eq!(bits(&rest).len() as u32, (a & !b).count_ones());
        }
    }
}
