//! Ranges of logical workgroups as physical dispatches. Pure arithmetic.
//!
//! A range in linear order is at most five boxes: the rest of a row, the rest of a plane, whole planes, and the same
//! at the other end. A box is dispatched as it is, at an offset: so a kernel finds its workgroup by one addition,
//! where undoing the linear order would take divisions (3× on a saxpy on lavapipe) and leave workgroups idle.

use std::ops::Range;

use smallvec::SmallVec;
use warpweft_hal::Grid;

use crate::rewrite::Launch;

/// A physical dispatch and the immediates that make it logical.
pub(crate) type Physical = ([u32; 3], Launch);

/// The physical dispatches that run `range` of `grid`; `most` is the device's limit per dimension.
pub(crate) fn dispatches(grid: Grid, range: Range<u64>, most: u32) -> SmallVec<[Physical; 2]> {
    let mut out = SmallVec::new();
    let launch = Launch {
        offset: [0; 3],
        fold: 0,
        grid: grid.workgroups,
        unfold: 1,
        over: grid.over.unwrap_or([u32::MAX; 3]),
        padding: 0,
    };
    let [width, height, _] = grid.workgroups.map(u64::from);
    let plane = width * height;
    let (mut at, end) = (range.start, range.end.min(grid.len()));
    while at < end {
        let offset = grid.workgroup(at);
        // Whole planes, else whole rows of this plane, else the rest of this row.
        let size = if at % plane == 0 && end - at >= plane {
            [width, height, (end - at) / plane]
        } else {
            let end = end.min((at / plane + 1) * plane);
            if at % width == 0 && end - at >= width {
                [width, (end - at) / width, 1]
            } else {
                [(end - at).min(width - at % width), 1, 1]
            }
        };
        at += size.iter().product::<u64>();
        cut(size, Launch { offset, ..launch }, u64::from(most), &mut out);
    }
    out
}

/// Cuts a box into dispatches that the device takes.
fn cut(size: [u64; 3], launch: Launch, most: u64, out: &mut SmallVec<[Physical; 2]>) {
    let [width, height, depth] = size;
    let columns = width.div_ceil(most);
    if columns > 1 && columns > height * depth {
        // Few rows, very wide: each is folded into physical rows of full width, and what is left.
        for z in 0..depth {
            for y in 0..height {
                let mut x = 0;
                while x < width {
                    let rows = ((width - x) / most).min(most);
                    let (size, fold) =
                        if rows > 0 { ([most, rows, 1], most) } else { ([width - x, 1, 1], 0) };
                    let launch = Launch { fold: fold as u32, unfold: 0, ..shifted(launch, [x, y, z]) };
                    out.push((size.map(|n| n as u32), launch));
                    x += size[0] * size[1];
                }
            }
        }
        return;
    }
    let parts = |n: u64| (0..n).step_by(most as usize).map(move |at| (at, (n - at).min(most)));
    for (z, depth) in parts(depth) {
        for (y, height) in parts(height) {
            for (x, width) in parts(width) {
                let size = [width, height, depth].map(|n| n as u32);
                out.push((size, shifted(launch, [x, y, z])));
            }
        }
    }
}

fn shifted(launch: Launch, by: [u64; 3]) -> Launch {
    let offset = std::array::from_fn(|axis| launch.offset[axis] + by[axis] as u32);
    Launch { offset, ..launch }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The linear indices that run, by the kernel's own arithmetic.
    fn cover(workgroups: [u32; 3], range: Range<u64>, most: u32) -> Vec<u64> {
        let grid = Grid { workgroups, over: None };
        let mut seen = Vec::new();
        for (size, launch) in dispatches(grid, range, most) {
            assert!(size.iter().all(|&n| n > 0 && n <= most), "{size:?}");
            for z in 0..size[2] {
                for y in 0..size[1] {
                    for x in 0..size[0] {
                        let x = launch.offset[0] + x + launch.fold * y;
                        let y = launch.offset[1] + launch.unfold * y;
                        let z = launch.offset[2] + z;
                        assert!([x, y, z].iter().zip(workgroups).all(|(&id, n)| id < n));
                        let [x, y, z, width, height] = [x, y, z, workgroups[0], workgroups[1]].map(u64::from);
                        seen.push((z * height + y) * width + x);
                    }
                }
            }
        }
        seen.sort_unstable();
        seen
    }

    #[test]
    fn every_workgroup_of_the_range_runs_once() {
        let grids = [
            [7, 1, 1],
            [7, 5, 3],
            [700, 1, 1],
            [101, 2, 1],
            [33, 31, 2],
            [1, 45, 1],
            [3, 1, 50],
            [23, 45, 2],
        ];
        for grid in grids {
            let len = u64::from(grid.iter().product::<u32>());
            let cuts = [0, 1, 6, 7, 8, 34, 35, 36, 77, len / 3, len / 2, len - 1, len];
            for start in cuts {
                for end in cuts.into_iter().filter(|&end| end >= start && end <= len) {
                    let range = start..end;
                    assert_eq!(
                        cover(grid, range.clone(), 10),
                        range.clone().collect::<Vec<_>>(),
                        "{grid:?} {range:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_empty_range_is_nothing() {
        assert!(cover([4, 4, 4], 5..5, 10).is_empty());
        assert!(cover([0, 4, 4], 0..0, 10).is_empty());
    }

    #[test]
    fn dispatches_are_few() {
        let count = |workgroups, range| dispatches(Grid { workgroups, over: None }, range, 65535).len();
        assert_eq!(count([1000, 1000, 60], 0..60_000_000), 1);
        assert_eq!(count([1000, 1000, 60], 1_500_500..58_000_001), 4);
        assert_eq!(count([65_536, 1, 1], 0..65_536), 2);
        // 2³² − 1 is 65535 · 65537: a full square, and two rows.
        assert_eq!(count([u32::MAX, 1, 1], 0..u32::MAX.into()), 2);
        assert_eq!(count([u32::MAX, 1, 1], 1..u32::MAX.into()), 3);
        assert_eq!(count([100_000, 40_000, 1], 0..4_000_000_000), 2);
    }
}
