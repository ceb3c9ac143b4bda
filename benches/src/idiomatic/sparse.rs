//! Sparse matrix times vector.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

pub(super) fn spmv_csr(problem: &Problem, outputs: &mut [Words]) {
    const ROWS: usize = 1 << 12;
    let (starts, columns) = (problem.array("starts").u32(), problem.array("columns").u32());
    let (values, x) = (problem.array("values").f32(), problem.array("x").f32());
    outputs[0].f32_mut().par_chunks_mut(ROWS).enumerate().for_each(|(chunk, y)| {
        for (y, range) in y.iter_mut().zip(starts[chunk * ROWS..].windows(2)) {
            let range = range[0] as usize..range[1] as usize;
            let row = values[range.clone()].iter().zip(&columns[range]);
            *y = row.map(|(value, &column)| value * x[column as usize]).sum();
        }
    });
}
