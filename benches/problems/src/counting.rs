//! Kernels on integers, whose results are exact: prefix scan and histogram.

use crate::random::Random;
use crate::streaming::exponent;
use crate::{Expected, Limit, Output, Pass, Problem, Scale, Words};

pub(crate) fn prefix_scan(scale: Scale, seed: u64) -> Problem {
    const BLOCK: usize = 2048;
    let n = scale.choose(1 << 24, 1 << 15, 5003);
    let x: Vec<u32> = Random::new(seed).integers(n);
    let sums = |sum: &mut u32, &x: &u32| {
        *sum = sum.wrapping_add(x);
        Some(*sum)
    };
    let y = x.iter().scan(0, sums).collect();
    let blocks = n.div_ceil(BLOCK);
    let pass = |entry, workgroups: usize, bindings: Vec<(&'static str, usize)>| Pass {
        entry,
        workgroup_size: [256, 1, 1],
        workgroups: [workgroups as u32, 1, 1],
        bindings,
        values: Vec::new(),
    };
    Problem {
        name: "prefix_scan",
        size: exponent(n),
        source: include_str!("../kernels/prefix_scan.wgsl"),
        arrays: vec![
            ("x", Words::U32(x)),
            ("sums", Words::U32(vec![0; blocks])),
            ("y", Words::U32(vec![0; n])),
        ],
        values: Vec::new(),
        passes: vec![
            pass("sum_blocks", blocks, vec![("x", 0), ("sums", 1)]),
            pass("scan_sums", 1, vec![("sums", 1)]),
            pass("scan_blocks", blocks, vec![("x", 0), ("sums", 1), ("y", 2)]),
        ],
        outputs: vec![Output { array: 2, expected: Expected::Exactly(Words::U32(y)) }],
        flops: 0.0,
        bytes: 12.0 * n as f64,
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: false,
    }
}

pub(crate) fn histogram(scale: Scale, seed: u64) -> Problem {
    const BLOCK: usize = 16384;
    let n = scale.choose(1 << 24, 1 << 16, 20011);
    let x: Vec<u32> = Random::new(seed).integers(n);
    let mut bins = vec![0; 256];
    x.iter().for_each(|x| bins[(x & 255) as usize] += 1);
    Problem {
        name: "histogram",
        size: exponent(n),
        source: include_str!("../kernels/histogram.wgsl"),
        arrays: vec![("x", Words::U32(x)), ("bins", Words::U32(vec![0; 256]))],
        values: Vec::new(),
        passes: vec![Pass {
            entry: "histogram",
            workgroup_size: [256, 1, 1],
            workgroups: [n.div_ceil(BLOCK) as u32, 1, 1],
            bindings: vec![("x", 0), ("bins", 1)],
            values: Vec::new(),
        }],
        outputs: vec![Output { array: 1, expected: Expected::Exactly(Words::U32(bins)) }],
        flops: 0.0,
        bytes: 4.0 * n as f64,
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: true,
    }
}
