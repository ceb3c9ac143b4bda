//! Products of dense matrices.

use crate::random::Random;
use crate::{Expected, Limit, Output, Pass, Problem, Scale, Words};

fn product(name: &'static str, source: &'static str, scale: Scale, seed: u64) -> Problem {
    let n: usize = scale.choose(1024, 128, 43);
    let mut random = Random::new(seed);
    let (a, b) = (random.floats(n * n, 0.0, 1.0), random.floats(n * n, 0.0, 1.0));
    let mut c = vec![0.0f64; n * n];
    for (c, a) in c.chunks_exact_mut(n).zip(a.chunks_exact(n)) {
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            c.iter_mut().zip(b).for_each(|(c, &b)| *c += f64::from(a) * f64::from(b));
        }
    }
    let c = c.into_iter().map(|c| c as f32).collect();
    Problem {
        name,
        size: format!("{n}³"),
        source,
        arrays: vec![("a", Words::F32(a)), ("b", Words::F32(b)), ("c", Words::F32(vec![0.0; n * n]))],
        values: vec![("n", (n as u32).to_le_bytes().into())],
        passes: vec![Pass {
            entry: name,
            workgroup_size: [16, 16, 1],
            workgroups: [n.div_ceil(16) as u32, n.div_ceil(16) as u32, 1],
            bindings: vec![("a", 0), ("b", 1), ("c", 2)],
            values: vec!["n"],
        }],
        // Rounding errors of n terms.
        outputs: vec![Output { array: 2, expected: Expected::Near(c, 1e-5) }],
        flops: 2.0 * (n * n * n) as f64,
        bytes: 12.0 * (n * n) as f64,
        limit: Limit::Flops,
        mix: 1.0,
        accumulates: false,
    }
}

pub(crate) fn matmul(scale: Scale, seed: u64) -> Problem {
    product("matmul", include_str!("../kernels/matmul.wgsl"), scale, seed)
}

pub(crate) fn matmul_tiled(scale: Scale, seed: u64) -> Problem {
    product("matmul_tiled", include_str!("../kernels/matmul_tiled.wgsl"), scale, seed)
}
