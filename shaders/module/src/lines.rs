//! Where the lines of a text start, so that many places are found without reading the text each time.
//!
//! Knows no file and no WGSL.

use std::ops::Range;

/// Where each line starts; the last entry is the length of the text.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Box<[u32]>,
}

impl Lines {
    /// Those of a text below 4 GiB. What ends a line belongs to it.
    pub(crate) fn new(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at as u32 + 1);
        Lines { starts: std::iter::once(0).chain(ends).chain([text.len() as u32]).collect() }
    }

    /// The line of a byte, from 0, and its bytes. Bytes beyond the end are in the last line.
    pub(crate) fn line(&self, offset: usize) -> (usize, Range<usize>) {
        let last = self.starts.len() - 2;
        let after = self.starts[1..=last].partition_point(|&start| start as usize <= offset);
        (after, self.starts[after] as usize..self.starts[after + 1] as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_in_one_line() {
        for text in ["", "\n", "one", "one\n", "one\ntwo", "\n\nthree\r\n\nfive"] {
            let lines = Lines::new(text);
            for offset in 0..=text.len() {
                let before = text[..offset].matches('\n').count();
                let (line, range) = lines.line(offset);
                assert_eq!(line, before, "{text:?} {offset}");
                let inside = text.split_inclusive('\n').nth(line).unwrap_or_default();
                assert_eq!(text[range.clone()], *inside, "{text:?} {offset}");
                assert!(range.start <= offset && offset <= range.end);
            }
            assert_eq!(lines.line(text.len() + 9), lines.line(text.len()));
        }
    }
}
