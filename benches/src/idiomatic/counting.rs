//! Prefix scan and histogram.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

const CHUNK: usize = 1 << 14;

/// Reduce, then scan: two passes over blocks, as the WGSL does it.
pub(super) fn prefix_scan(problem: &Problem, outputs: &mut [Words]) {
    let x = problem.array("x").u32();
    let mut sums: Vec<u32> =
        x.par_chunks(CHUNK).map(|x| x.iter().fold(0u32, |sum, x| sum.wrapping_add(*x))).collect();
    let mut before = 0u32;
    for sum in &mut sums {
        (*sum, before) = (before, before.wrapping_add(*sum));
    }
    let y = outputs[0].u32_mut();
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).zip(sums).for_each(|((y, x), mut sum)| {
        for (y, x) in y.iter_mut().zip(x) {
            sum = sum.wrapping_add(*x);
            *y = sum;
        }
    });
}

/// Each task counts for itself. (Several tables per task, against waiting for equal neighbours, are no faster.)
pub(super) fn histogram(problem: &Problem, outputs: &mut [Words]) {
    let x = problem.array("x").u32();
    let count = |x: &[u32]| {
        let mut table = [0u32; 256];
        x.iter().for_each(|x| table[(x & 255) as usize] += 1);
        table
    };
    let sum = |mut a: [u32; 256], b: [u32; 256]| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let table = x.par_chunks(1 << 18).map(count).reduce(|| [0; 256], sum);
    outputs[0].u32_mut().iter_mut().zip(table).for_each(|(bin, count)| *bin += count);
}
