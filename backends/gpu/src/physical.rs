//! Ranges of logical workgroups as physical dispatches. Pure arithmetic.

use std::ops::Range;

use warpweft_hal::Grid;

use crate::rewrite::Launch;

/// A physical dispatch and the immediates that make it logical.
pub(crate) type Physical = ([u32; 3], Launch);

/// The physical dispatches that run `range` of `grid`; `most` is the device's limit per dimension.
pub(crate) fn dispatches(grid: Grid, range: Range<u64>, most: u32) -> impl Iterator<Item = Physical> {
    let range = range.start.min(grid.len())..range.end.min(grid.len());
    let whole = range == (0..grid.len()) && grid.workgroups.iter().all(|&n| n <= most);
    let launch = Launch {
        grid: grid.workgroups,
        base: 0,
        over: grid.over.unwrap_or([u32::MAX; 3]),
        count: 0,
        row: 0,
        padding: [0; 3],
    };
    let mut next = range.start;
    std::iter::from_fn(move || {
        if next >= range.end {
            return None;
        }
        let base = next;
        if whole {
            next = range.end;
            return Some((grid.workgroups, launch));
        }
        // As square as it must be: at most one workgroup per row is idle.
        let most = u64::from(most);
        let count = (range.end - base).min(most * most);
        let rows = count.div_ceil(most);
        let row = count.div_ceil(rows);
        next += count;
        let launch = Launch {
            base: base as u32,
            count: count as u32,
            row: row as u32,
            ..launch
        };
        Some(([row as u32, rows as u32, 1], launch))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(workgroups: [u32; 3], range: Range<u64>, most: u32) -> Vec<u64> {
        let grid = Grid {
            workgroups,
            over: None,
        };
        let mut seen = Vec::new();
        for (size, launch) in dispatches(grid, range, most) {
            assert!(size.iter().all(|&n| n > 0 && n <= most), "{size:?}");
            for z in 0..size[2] {
                for y in 0..size[1] {
                    for x in 0..size[0] {
                        let [gx, gy, _] = workgroups.map(u64::from);
                        if launch.row == 0 {
                            seen.push((u64::from(z) * gy + u64::from(y)) * gx + u64::from(x));
                        } else if x + y * launch.row < launch.count {
                            seen.push(u64::from(launch.base + x + y * launch.row));
                        }
                    }
                }
            }
        }
        seen
    }

    #[test]
    fn every_workgroup_of_the_range_runs_once() {
        for (grid, range, most) in [
            ([7, 1, 1], 0..7, 10),
            ([7, 5, 3], 0..105, 10),
            ([7, 5, 3], 11..97, 10),
            ([700, 1, 1], 0..700, 10),
            ([33, 31, 2], 5..2000, 10),
            ([101, 1, 1], 0..101, 10),
        ] {
            assert_eq!(
                cover(grid, range.clone(), most),
                range.collect::<Vec<_>>(),
                "{grid:?}"
            );
        }
    }

    #[test]
    fn an_empty_range_is_nothing() {
        assert!(cover([4, 4, 4], 5..5, 10).is_empty());
        assert!(cover([0, 4, 4], 0..0, 10).is_empty());
    }

    #[test]
    fn little_is_wasted() {
        let grid = Grid {
            workgroups: [65536 + 1, 1, 1],
            over: None,
        };
        let all: Vec<_> = dispatches(grid, 0..65537, 65535).collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, [32769, 2, 1]);
    }
}
