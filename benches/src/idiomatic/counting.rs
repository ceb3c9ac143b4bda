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

/// Each task counts for itself, in four tables, so that equal neighbours need not wait for each other.
pub(super) fn histogram(problem: &Problem, outputs: &mut [Words]) {
    let x = problem.array("x").u32();
    let count = |x: &[u32]| {
        let mut tables = [[0u32; 256]; 4];
        let (quads, rest) = x.as_chunks::<4>();
        for quad in quads {
            tables.iter_mut().zip(quad).for_each(|(table, x)| table[(x & 255) as usize] += 1);
        }
        rest.iter().for_each(|x| tables[0][(x & 255) as usize] += 1);
        tables
    };
    let sum = |mut a: [[u32; 256]; 4], b: [[u32; 256]; 4]| {
        a.as_flattened_mut().iter_mut().zip(b.as_flattened()).for_each(|(a, b)| *a += b);
        a
    };
    let tables = x.par_chunks(1 << 18).map(count).reduce(|| [[0; 256]; 4], sum);
    for (value, bin) in outputs[0].u32_mut().iter_mut().enumerate() {
        *bin += tables.iter().map(|table| table[value]).sum::<u32>();
    }
}
