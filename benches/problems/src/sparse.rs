//! Products of sparse matrices and vectors: rows alike and in order, and rows of random lengths and columns.

use crate::random::Random;
use crate::streaming::{exponent, sides};
use crate::{Expected, Limit, Output, Pass, Problem, Scale, Words};

/// A matrix in compressed rows.
#[derive(Default)]
struct Rows {
    starts: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    fn push(&mut self, column: u32, value: f32) {
        self.columns.push(column);
        self.values.push(value);
    }

    /// The row that was pushed is whole.
    fn end(&mut self) {
        self.starts.push(self.columns.len() as u32);
    }

    fn problem(self, name: &'static str, size: String, x: Vec<f32>) -> Problem {
        let Rows { starts, columns, values } = self;
        let row = |range: &[u32]| {
            let products = (range[0] as usize..range[1] as usize)
                .map(|i| f64::from(values[i]) * f64::from(x[columns[i] as usize]));
            products.sum::<f64>() as f32
        };
        let y: Vec<f32> = starts.windows(2).map(row).collect();
        let (rows, elements) = (y.len(), values.len() as f64);
        Problem {
            name,
            size,
            source: include_str!("../kernels/spmv_csr.wgsl"),
            arrays: vec![
                ("starts", Words::U32(starts)),
                ("columns", Words::U32(columns)),
                ("values", Words::F32(values)),
                ("x", Words::F32(x)),
                ("y", Words::F32(vec![0.0; rows])),
            ],
            values: Vec::new(),
            passes: vec![Pass {
                entry: "spmv_csr",
                workgroup_size: [64, 1, 1],
                workgroups: [rows.div_ceil(64) as u32, 1, 1],
                bindings: vec![("starts", 0), ("columns", 1), ("values", 2), ("x", 3), ("y", 4)],
                values: Vec::new(),
            }],
            outputs: vec![Output { array: 4, expected: Expected::Near(y, 1e-5) }],
            flops: 2.0 * elements,
            bytes: 8.0 * elements + 12.0 * rows as f64,
            limit: Limit::Bandwidth,
            mix: 1.0,
            accumulates: false,
        }
    }
}

/// The five-point Laplacian of a square grid.
pub(crate) fn poisson(scale: Scale, seed: u64) -> Problem {
    let side: u32 = scale.choose(2048, 128, 23);
    let n = side * side;
    let mut rows = Rows { starts: vec![0], ..Default::default() };
    for i in 0..n {
        let (x, y) = (i % side, i / side);
        let neighbours = [(y > 0, i.wrapping_sub(side)), (x > 0, i.wrapping_sub(1))];
        let after = [(x + 1 < side, i + 1), (y + 1 < side, i + side)];
        neighbours.iter().filter(|(inside, _)| *inside).for_each(|(_, j)| rows.push(*j, -1.0));
        rows.push(i, 4.0);
        after.iter().filter(|(inside, _)| *inside).for_each(|(_, j)| rows.push(*j, -1.0));
        rows.end();
    }
    let x = Random::new(seed).floats(n as usize, 0.0, 1.0);
    rows.problem("spmv_poisson", sides(side as usize, side as usize), x)
}

/// 0 to 31 elements a row, anywhere.
pub(crate) fn random(scale: Scale, seed: u64) -> Problem {
    let n: u32 = scale.choose(1 << 20, 1 << 13, 500);
    let mut random = Random::new(seed);
    let mut rows = Rows { starts: vec![0], ..Default::default() };
    for _ in 0..n {
        for _ in 0..random.below(32) {
            rows.push(random.below(n), random.float(0.0, 1.0));
        }
        rows.end();
    }
    let x = random.floats(n as usize, 0.0, 1.0);
    rows.problem("spmv_random", exponent(n as usize), x)
}
