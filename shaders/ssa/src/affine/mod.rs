//! Integers of a kernel as sums of ids and loop counters, and who comes where.
//!
//! One walk over a kernel, for one launch or for any: uniforms and sizes that are known are numbers, conditions on sums
//! cut the grid into pieces, loops count rounds. What it finds on the way it tells a [`Visitor`]; footprint, proofs of
//! bounds and cost are such visitors.
//!
//! 32-bit arithmetic wraps around: a value is a sum *modulo 2³²*, and counts as the integer that the sum is only where
//! the sum's range fits. Knows nothing of memory's content, devices or time.

mod conditions;
mod form;
mod rounds;
mod space;
mod values;
mod walk;

pub(crate) use form::{Form, Variable};
pub(crate) use space::{FIXED, GLOBAL, LOCAL, Piece, Quotient, Space, WORKGROUP};
pub(crate) use values::State;
pub(crate) use walk::{Access, Visitor, walk};

use std::ops::Range;

/// What is known of a launch before it runs.
#[derive(Clone, Copy, Debug)]
pub struct LaunchFacts<'a> {
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
    /// The exact number of invocations along x, y, z, where it is not whole workgroups.
    pub over: Option<[u32; 3]>,
    /// The workgroups that run, in linear order, x fastest.
    pub range: (u64, u64),
    /// Bytes bound to each binding.
    pub bytes: &'a [u64],
    /// The bytes of each binding that is a uniform and known.
    pub uniforms: &'a [Option<&'a [u8]>],
}

impl<'a> LaunchFacts<'a> {
    /// All workgroups of a grid.
    pub fn new(
        workgroups: [u32; 3],
        over: Option<[u32; 3]>,
        bytes: &'a [u64],
        uniforms: &'a [Option<&'a [u8]>],
    ) -> Self {
        let len = workgroups.iter().map(|&n| u64::from(n)).fold(1, u64::saturating_mul);
        LaunchFacts { workgroups, over, range: (0, len), bytes, uniforms }
    }

    /// The same with only some of the workgroups.
    pub fn slice(self, range: Range<u64>) -> Self {
        LaunchFacts { range: (range.start, range.end), ..self }
    }
}

/// A box of workgroups: where it begins and how many there are, by axis.
pub(crate) fn boxes(workgroups: [u32; 3], range: (u64, u64)) -> Vec<[(u64, u64); 3]> {
    let [nx, ny, nz] = workgroups.map(u64::from);
    let (mut at, end) = (range.0, range.1.min(nx.saturating_mul(ny).saturating_mul(nz)));
    let mut found = Vec::new();
    while at < end {
        let (x, y, z) = (at % nx, at / nx % ny, at / (nx * ny));
        let left = end - at;
        // The largest whole box that begins here.
        let next = if x == 0 && y == 0 && left >= nx * ny {
            [(0, nx), (0, ny), (z, left / (nx * ny))]
        } else if x == 0 && left >= nx {
            [(0, nx), (y, (left / nx).min(ny - y)), (z, 1)]
        } else {
            [(x, left.min(nx - x)), (y, 1), (z, 1)]
        };
        at += next.iter().map(|&(_, n)| n).product::<u64>();
        found.push(next);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::boxes;

    #[test]
    fn a_range_of_workgroups_is_at_most_five_boxes_that_make_it_up() {
        let grid = [3, 4, 5];
        for start in 0..60u64 {
            for end in start..=60 {
                let found = boxes(grid, (start, end));
                assert!(found.len() <= 5);
                let mut all = Vec::new();
                for [x, y, z] in found {
                    for k in z.0..z.0 + z.1 {
                        for j in y.0..y.0 + y.1 {
                            all.extend((x.0..x.0 + x.1).map(|i| i + 3 * (j + 4 * k)));
                        }
                    }
                }
                assert_eq!(all, (start..end).collect::<Vec<_>>());
            }
        }
    }
}
