//! Matrix products: loops reordered so that rows stream, and blocks of sums kept in registers.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

pub(super) fn matmul(problem: &Problem, outputs: &mut [Words]) {
    let (a, b) = (problem.array("a").f32(), problem.array("b").f32());
    let n = problem.value::<u32>("n") as usize;
    outputs[0].f32_mut().par_chunks_mut(n).zip(a.par_chunks(n)).for_each(|(c, a)| {
        c.fill(0.0);
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            c.iter_mut().zip(b).for_each(|(c, &b)| *c = a.mul_add(b, *c));
        }
    });
}

/// Rows and columns of a block of sums that fits the vector registers.
const ROWS: usize = 8;
const COLUMNS: usize = 32;

/// A panel of columns of b is packed once per task and used for all rows.
pub(super) fn matmul_tiled(problem: &Problem, outputs: &mut [Words]) {
    let (a, b) = (problem.array("a").f32(), problem.array("b").f32());
    let n = problem.value::<u32>("n") as usize;
    let panels: Vec<Vec<[f32; COLUMNS]>> = (0..n)
        .into_par_iter()
        .step_by(COLUMNS)
        .map(|left| {
            let width = COLUMNS.min(n - left);
            let pack = |row: &[f32]| {
                let mut packed = [0.0; COLUMNS];
                packed[..width].copy_from_slice(&row[left..left + width]);
                packed
            };
            b.chunks_exact(n).map(pack).collect()
        })
        .collect();
    outputs[0].f32_mut().par_chunks_mut(ROWS * n).zip(a.par_chunks(ROWS * n)).for_each(|(c, a)| {
        for (panel, left) in panels.iter().zip((0..n).step_by(COLUMNS)) {
            let width = COLUMNS.min(n - left);
            let rows: [&[f32]; ROWS] = std::array::from_fn(|row| {
                // Rows beyond the last one repeat it; their sums are dropped.
                let row = row.min(a.len() / n - 1);
                &a[row * n..][..n]
            });
            let sums = block(&rows, panel);
            for (c, sums) in c.chunks_exact_mut(n).zip(&sums) {
                c[left..left + width].copy_from_slice(&sums[..width]);
            }
        }
    });
}

fn block(rows: &[&[f32]; ROWS], panel: &[[f32; COLUMNS]]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0f32; COLUMNS]; ROWS];
    let rows = rows.map(|row| &row[..panel.len()]);
    for (k, b) in panel.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let a = row[k];
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = a.mul_add(*b, *sum);
            }
        }
    }
    sums
}
