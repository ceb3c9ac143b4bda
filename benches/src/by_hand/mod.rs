//! The streaming problems by hand: intrinsics for AVX-512 and AVX2, chunks in ascending order over rayon's threads.
//!
//! What the same traffic can reach in the same process. Each exists with ordinary stores, which read a line before they
//! write it, and with streaming stores, which do not (where nothing is read back).

mod avx2;
mod avx512;

use warpweft_problems::{Problem, Words};

use crate::rival::Function;
use crate::spread::{Shared, spread};

/// Elements of a chunk.
const CHUNK: usize = 1 << 14;

/// Vector instructions, and how results are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// 512 bits, else 256.
    pub wide: bool,
    /// Past the caches.
    pub streaming: bool,
}

impl Way {
    /// The ways that this machine knows, the widest first.
    pub fn available() -> Vec<Way> {
        let mut ways = Vec::new();
        for (wide, here) in [(true, has_avx512()), (false, has_avx2())] {
            if here {
                ways.extend([false, true].map(|streaming| Way { wide, streaming }));
            }
        }
        ways
    }

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match (self.wide, self.streaming) {
            (true, false) => "by hand, AVX-512",
            (true, true) => "by hand, AVX-512, streaming",
            (false, false) => "by hand, AVX2",
            (false, true) => "by hand, AVX2, streaming",
        }
    }
}

pub(crate) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma")
}

pub(crate) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

/// The implementation of a problem in one way, where there is one.
pub fn function(problem: &str, way: Way) -> Option<Function> {
    const W: bool = true;
    const S: bool = true;
    Some(match (problem, way.wide, way.streaming) {
        ("triad", W, S) => triad::<W, S>,
        ("triad", W, false) => triad::<W, false>,
        ("triad", false, S) => triad::<false, S>,
        ("triad", false, false) => triad::<false, false>,
        ("saxpy", W, false) => saxpy::<W>,
        ("saxpy", false, false) => saxpy::<false>,
        ("jacobi2d", W, S) => jacobi2d::<W, S>,
        ("jacobi2d", W, false) => jacobi2d::<W, false>,
        ("jacobi2d", false, S) => jacobi2d::<false, S>,
        ("jacobi2d", false, false) => jacobi2d::<false, false>,
        ("reduce_sum", W, false) => reduce_sum::<W>,
        ("reduce_sum", false, false) => reduce_sum::<false>,
        ("transpose", W, S) => transpose::<S>,
        ("transpose", W, false) => transpose::<false>,
        _ => return None,
    })
}

/// a = b + s c.
pub(crate) fn triad_into<const WIDE: bool, const STREAMING: bool>(
    a: &mut [f32],
    b: &[f32],
    c: &[f32],
    s: f32,
) {
    let a = (Shared::new(a), a.len());
    spread(a.1, CHUNK, |range| {
        let (b, c) = (&b[range.clone()], &c[range.clone()]);
        // SAFETY: chunks do not overlap; whoever made the way has looked for the instructions.
        unsafe {
            let a = a.0.slice(range);
            if WIDE { avx512::triad::<STREAMING>(a, b, c, s) } else { avx2::triad::<STREAMING>(a, b, c, s) }
        }
    });
}

fn triad<const WIDE: bool, const STREAMING: bool>(problem: &Problem, outputs: &mut [Words]) {
    let (b, c, s) = (problem.array("b").f32(), problem.array("c").f32(), problem.value("s"));
    triad_into::<WIDE, STREAMING>(outputs[0].f32_mut(), b, c, s);
}

/// y = a x + y.
pub(crate) fn saxpy_into<const WIDE: bool>(y: &mut [f32], x: &[f32], a: f32) {
    let y = (Shared::new(y), y.len());
    spread(y.1, CHUNK, |range| {
        let x = &x[range.clone()];
        // SAFETY: as in `triad_into`.
        unsafe {
            let y = y.0.slice(range);
            if WIDE { avx512::saxpy(y, x, a) } else { avx2::saxpy(y, x, a) }
        }
    });
}

fn saxpy<const WIDE: bool>(problem: &Problem, outputs: &mut [Words]) {
    saxpy_into::<WIDE>(outputs[0].f32_mut(), problem.array("x").f32(), problem.value("a"));
}

fn jacobi2d<const WIDE: bool, const STREAMING: bool>(problem: &Problem, outputs: &mut [Words]) {
    let src = problem.array("src").f32();
    let [width, height] = problem.value::<[u32; 2]>("size").map(|n| n as usize);
    let dst = Shared::new(outputs[0].f32_mut());
    spread(height, (CHUNK / width).max(1), |rows| {
        for y in rows {
            let row = |y: usize| &src[y * width..][..width];
            // SAFETY: as in `triad_into`.
            let dst = unsafe { dst.slice(y * width..(y + 1) * width) };
            if y == 0 || y + 1 == height {
                dst.copy_from_slice(row(y));
                continue;
            }
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            (dst[0], dst[width - 1]) = (here[0], here[width - 1]);
            // SAFETY: as in `triad_into`.
            unsafe {
                match WIDE {
                    true => avx512::jacobi::<STREAMING>(dst, above, here, below),
                    false => avx2::jacobi::<STREAMING>(dst, above, here, below),
                }
            }
        }
    });
}

/// The sum of x.
pub(crate) fn sum<const WIDE: bool>(x: &[f32]) -> f32 {
    let mut sums = vec![0.0f32; x.len().div_ceil(CHUNK)];
    let shared = Shared::new(&mut sums);
    spread(x.len(), CHUNK, |range| {
        let at = range.start / CHUNK;
        // SAFETY: as in `triad_into`; each chunk has a sum of its own.
        unsafe {
            let sum = if WIDE { avx512::sum(&x[range]) } else { avx2::sum(&x[range]) };
            shared.slice(at..at + 1)[0] = sum;
        }
    });
    sums.iter().sum()
}

fn reduce_sum<const WIDE: bool>(problem: &Problem, outputs: &mut [Words]) {
    outputs[0].f32_mut()[0] = sum::<WIDE>(problem.array("x").f32());
}

/// dst = src.
pub(crate) fn copy_into<const WIDE: bool, const STREAMING: bool>(dst: &mut [f32], src: &[f32]) {
    let dst = (Shared::new(dst), dst.len());
    spread(dst.1, CHUNK, |range| {
        let src = &src[range.clone()];
        // SAFETY: as in `triad_into`.
        unsafe {
            let dst = dst.0.slice(range);
            if WIDE { avx512::copy::<STREAMING>(dst, src) } else { avx2::copy::<STREAMING>(dst, src) }
        }
    });
}

fn transpose<const STREAMING: bool>(problem: &Problem, outputs: &mut [Words]) {
    const TILE: usize = 16;
    let src = problem.array("src").f32();
    let [width, height] = problem.value::<[u32; 2]>("size").map(|n| n as usize);
    let dst = Shared::new(outputs[0].f32_mut());
    // A task is a strip of rows of dst: columns of src.
    spread(width, TILE, |columns| {
        // SAFETY: as in `triad_into`.
        let strip = unsafe { dst.slice(columns.start * height..columns.end * height) };
        let (mut whole, columns) = (0, columns);
        if columns.len() == TILE {
            whole = height / TILE * TILE;
            for top in (0..whole).step_by(TILE) {
                // SAFETY: the tile lies within both; as in `triad_into`.
                unsafe {
                    let from = src[top * width + columns.start..].as_ptr();
                    let to = strip[top..].as_mut_ptr();
                    avx512::transpose_tile::<STREAMING>(from, width, to, height);
                }
            }
        }
        for (row, x) in columns.enumerate() {
            for y in whole..height {
                strip[row * height + y] = src[y * width + x];
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rival::{Host, Rival};
    use warpweft_problems::{ALL, Scale};

    #[test]
    fn every_way_is_right() {
        let ways = Way::available();
        for (name, here) in [("AVX-512", has_avx512()), ("AVX2", has_avx2())] {
            if !here {
                eprintln!("this machine lacks {name}: those loops are not tested");
            }
        }
        let mut tested = 0;
        for case in ALL {
            for scale in [Scale::Tiny, Scale::Quick] {
                let problem = case.problem(scale, 5);
                for &way in &ways {
                    let Some(function) = function(case.name, way) else { continue };
                    let mut host = Host::new(&problem, function);
                    host.run().unwrap();
                    let results = host.results().unwrap();
                    problem
                        .judge(&results)
                        .unwrap_or_else(|wrong| panic!("{} {}: {wrong}", case.name, way.name()));
                    tested += 1;
                }
            }
        }
        assert!(tested > 0 || ways.is_empty());
    }

    #[test]
    fn copies_of_any_length_and_alignment() {
        let src: Vec<f32> = (0..200).map(|i| i as f32).collect();
        for way in Way::available() {
            for (from, to) in [(0, 0), (0, 1), (1, 18), (3, 70), (5, 200)] {
                let mut dst = vec![-1.0; 200];
                let (d, s) = (&mut dst[from..to.max(from)], &src[from..to.max(from)]);
                match (way.wide, way.streaming) {
                    (true, true) => copy_into::<true, true>(d, s),
                    (true, false) => copy_into::<true, false>(d, s),
                    (false, true) => copy_into::<false, true>(d, s),
                    (false, false) => copy_into::<false, false>(d, s),
                }
                let right = |i: usize| if (from..to).contains(&i) { i as f32 } else { -1.0 };
                assert!(dst.iter().enumerate().all(|(i, &x)| x == right(i)), "{way:?} {from}..{to}");
            }
        }
    }
}
