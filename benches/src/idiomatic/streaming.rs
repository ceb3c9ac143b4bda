//! Triad, saxpy, Jacobi, sum and transpose.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

/// Elements of a chunk: small beside the caches, large beside the cost of a task.
const CHUNK: usize = 1 << 14;

pub(super) fn triad(problem: &Problem, outputs: &mut [Words]) {
    let (b, c) = (problem.array("b").f32(), problem.array("c").f32());
    let s: f32 = problem.value("s");
    let a = outputs[0].f32_mut();
    a.par_chunks_mut(CHUNK).zip(b.par_chunks(CHUNK)).zip(c.par_chunks(CHUNK)).for_each(|((a, b), c)| {
        a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + s * c);
    });
}

pub(super) fn saxpy(problem: &Problem, outputs: &mut [Words]) {
    let (x, a) = (problem.array("x").f32(), problem.value::<f32>("a"));
    let y = outputs[0].f32_mut();
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| {
        y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
    });
}

pub(super) fn jacobi2d(problem: &Problem, outputs: &mut [Words]) {
    let src = problem.array("src").f32();
    let [width, height] = problem.value::<[u32; 2]>("size").map(|n| n as usize);
    outputs[0].f32_mut().par_chunks_exact_mut(width).enumerate().for_each(|(y, dst)| {
        let row = |y: usize| &src[y * width..][..width];
        let here = row(y);
        if y == 0 || y + 1 == height {
            dst.copy_from_slice(here);
            return;
        }
        let (above, below) = (row(y - 1), row(y + 1));
        (dst[0], dst[width - 1]) = (here[0], here[width - 1]);
        let inner = dst[1..width - 1].iter_mut();
        let sides = here.iter().zip(&here[2..]).zip(&above[1..]).zip(&below[1..]);
        inner.zip(sides).for_each(|(dst, (((w, e), n), s))| *dst = 0.25 * (w + e + n + s));
    });
}

pub(super) fn reduce_sum(problem: &Problem, outputs: &mut [Words]) {
    let x = problem.array("x").f32();
    outputs[0].f32_mut()[0] = x.par_chunks(CHUNK).map(|x| x.iter().sum::<f32>()).sum();
}

/// Tile by tile, a strip of tiles per task.
pub(super) fn transpose(problem: &Problem, outputs: &mut [Words]) {
    // PERF: 8 beats 16 by a fifth and 32 by half where rows are a power of two long.
    const TILE: usize = 8;
    let src = problem.array("src").f32();
    let [width, height] = problem.value::<[u32; 2]>("size").map(|n| n as usize);
    outputs[0].f32_mut().par_chunks_mut(TILE * height).enumerate().for_each(|(strip, dst)| {
        let left = strip * TILE;
        for top in (0..height).step_by(TILE) {
            let bottom = height.min(top + TILE);
            for (x, row) in dst.chunks_exact_mut(height).enumerate() {
                for (y, dst) in (top..bottom).zip(&mut row[top..bottom]) {
                    *dst = src[y * width + left + x];
                }
            }
        }
    });
}
