//! Kernels that memory bounds: each element is used about once.

use warpweft_shaders::{JACOBI2D, REDUCE_SUM, SAXPY, ShaderFile, TRANSPOSE, TRIAD};
use warpweft_shaders::{jacobi2d as jacobi, saxpy as axpy, transpose as transposition, triad as stream};

use crate::random::Random;
use crate::{Expected, Limit, Output, Pass, Problem, Scale, Words};

/// A fused multiply-add rounds once instead of twice.
const FUSED: f32 = 1e-6;

fn line(kernel: &ShaderFile, n: usize, bindings: Vec<(&'static str, usize)>) -> Pass {
    Pass {
        entry: kernel.name,
        workgroup_size: kernel.block,
        workgroups: kernel.workgroups([n as u32, 1, 1]),
        bindings,
        values: Vec::new(),
    }
}

pub(crate) fn exponent(n: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    match n.is_power_of_two() {
        true => {
            let digits = n.ilog2().to_string().into_bytes();
            format!("2{}", digits.iter().map(|d| DIGITS[usize::from(d - b'0')]).collect::<String>())
        }
        false => n.to_string(),
    }
}

pub(crate) fn triad(scale: Scale, seed: u64) -> Problem {
    let n = scale.choose(1 << 25, 1 << 16, 5003);
    let mut random = Random::new(seed);
    let (b, c, s) = (random.floats(n, 0.0, 1.0), random.floats(n, 0.0, 1.0), 3.0f32);
    let mut a = vec![0.0; n];
    stream::reference(&mut a, &b, &c, s);
    Problem {
        name: "triad",
        size: exponent(n),
        source: TRIAD.source,
        arrays: vec![("a", Words::F32(vec![0.0; n])), ("b", Words::F32(b)), ("c", Words::F32(c))],
        values: vec![("s", s.to_le_bytes().into())],
        passes: vec![Pass { values: vec!["s"], ..line(&TRIAD, n, vec![("a", 0), ("b", 1), ("c", 2)]) }],
        outputs: vec![Output { array: 0, expected: Expected::Near(a, FUSED) }],
        flops: TRIAD.flops(n as u64).unwrap_or(0.0),
        bytes: TRIAD.bytes(n as u64),
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: false,
    }
}

pub(crate) fn saxpy(scale: Scale, seed: u64) -> Problem {
    let n = scale.choose(1 << 25, 1 << 16, 5003);
    let mut random = Random::new(seed);
    let (x, y, a) = (random.floats(n, 0.0, 1.0), random.floats(n, 0.0, 1.0), 2.5f32);
    let mut result = y.clone();
    axpy::reference(a, &x, &mut result);
    Problem {
        name: "saxpy",
        size: exponent(n),
        source: SAXPY.source,
        arrays: vec![("x", Words::F32(x)), ("y", Words::F32(y))],
        values: vec![("a", a.to_le_bytes().into())],
        passes: vec![Pass { values: vec!["a"], ..line(&SAXPY, n, vec![("x", 0), ("y", 1)]) }],
        outputs: vec![Output { array: 1, expected: Expected::Near(result, FUSED) }],
        flops: SAXPY.flops(n as u64).unwrap_or(0.0),
        bytes: SAXPY.bytes(n as u64),
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: true,
    }
}

pub(crate) fn jacobi2d(scale: Scale, seed: u64) -> Problem {
    let (width, height) = scale.choose((4096, 4096), (256, 256), (61, 43));
    let n = width * height;
    let src = Random::new(seed).floats(n, 0.0, 1.0);
    let mut dst = vec![0.0; n];
    jacobi::reference(width, &src, &mut dst);
    let size = [width as u32, height as u32];
    Problem {
        name: "jacobi2d",
        size: sides(width, height),
        source: JACOBI2D.source,
        arrays: vec![("src", Words::F32(src)), ("dst", Words::F32(vec![0.0; n]))],
        values: vec![("size", bytemuck::cast_slice(&size).to_vec())],
        passes: vec![Pass {
            entry: JACOBI2D.name,
            workgroup_size: JACOBI2D.block,
            workgroups: JACOBI2D.workgroups([size[0], size[1], 1]),
            bindings: vec![("src", 0), ("dst", 1)],
            values: vec!["size"],
        }],
        outputs: vec![Output { array: 1, expected: Expected::Near(dst, FUSED) }],
        flops: JACOBI2D.flops(n as u64).unwrap_or(0.0),
        bytes: JACOBI2D.bytes(n as u64),
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: false,
    }
}

pub(crate) fn sides(width: usize, height: usize) -> String {
    if width == height { format!("{width}²") } else { format!("{width}×{height}") }
}

/// Sums of sums, down to one.
pub(crate) fn reduce_sum(scale: Scale, seed: u64) -> Problem {
    const BLOCK: usize = 2048;
    let n = scale.choose(1 << 25, 1 << 16, 5003);
    let x = Random::new(seed).floats(n, 0.0, 1.0);
    let total = x.iter().map(|&x| f64::from(x)).sum::<f64>() as f32;
    let mut arrays = vec![("x", Words::F32(x))];
    let mut passes = Vec::new();
    let mut left = n;
    while left > 1 {
        left = left.div_ceil(BLOCK);
        let from = arrays.len() - 1;
        let name = if left > 1 { "sums" } else { "total" };
        arrays.push((name, Words::F32(vec![0.0; left])));
        passes.push(Pass {
            entry: REDUCE_SUM.name,
            workgroup_size: [256, 1, 1],
            workgroups: [left as u32, 1, 1],
            bindings: vec![("x", from), ("sums", from + 1)],
            values: Vec::new(),
        });
    }
    Problem {
        name: "reduce_sum",
        size: exponent(n),
        source: REDUCE_SUM.source,
        outputs: vec![Output { array: arrays.len() - 1, expected: Expected::Near(vec![total], 1e-5) }],
        arrays,
        values: Vec::new(),
        passes,
        flops: n as f64,
        bytes: 4.0 * n as f64,
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: false,
    }
}

pub(crate) fn transpose(scale: Scale, seed: u64) -> Problem {
    let (width, height) = scale.choose((4096, 4096), (256, 256), (61, 43));
    let n = width * height;
    let src = Random::new(seed).floats(n, 0.0, 1.0);
    let dst = transposition::reference(width, &src);
    let size = [width as u32, height as u32];
    Problem {
        name: "transpose",
        size: sides(width, height),
        source: TRANSPOSE.source,
        arrays: vec![("src", Words::F32(src)), ("dst", Words::F32(vec![0.0; n]))],
        values: vec![("size", bytemuck::cast_slice(&size).to_vec())],
        passes: vec![Pass {
            entry: TRANSPOSE.name,
            workgroup_size: TRANSPOSE.block,
            workgroups: TRANSPOSE.workgroups([size[0], size[1], 1]),
            bindings: vec![("src", 0), ("dst", 1)],
            values: vec!["size"],
        }],
        outputs: vec![Output { array: 1, expected: Expected::Exactly(Words::F32(dst)) }],
        flops: 0.0,
        bytes: TRANSPOSE.bytes(n as u64),
        limit: Limit::Bandwidth,
        mix: 1.0,
        accumulates: false,
    }
}
