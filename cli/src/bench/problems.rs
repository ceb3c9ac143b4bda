//! The kernels of the bench at a size: inputs, values, grid, and the result that is right.
//!
//! Inputs are seeded and vary from element to element. What a flop and a byte is comes from the library, as do the
//! scalar references. Knows nothing of devices.

use warpweft_shaders::{JACOBI2D, MANDELBROT, NBODY, REDUCE_SUM, ShaderFile, TRIAD};
use warpweft_shaders::{jacobi2d, mandelbrot, nbody, reduce_sum, triad};

use crate::random::Random;
use crate::record;

/// The kernels that are compared, in the order of the table.
pub(crate) const KERNELS: [&ShaderFile; 5] = [&TRIAD, &REDUCE_SUM, &JACOBI2D, &NBODY, &MANDELBROT];

/// The most elements: indices of 32 bits, with room for a workgroup beyond.
const LARGEST: u64 = 1 << 31;

/// The most iterations of a Mandelbrot pixel.
const ITERATIONS: u32 = 256;

/// A kernel with everything that a launch of it takes.
pub(crate) struct Problem {
    pub(crate) kernel: &'static ShaderFile,
    /// Elements: about as many as were asked for.
    pub(crate) size: u64,
    pub(crate) flops: f64,
    pub(crate) bytes: f64,
    pub(crate) inputs: Vec<(&'static str, Vec<f32>)>,
    pub(crate) values: Vec<(&'static str, Vec<u8>)>,
    /// The binding that is written, and its 4-byte elements.
    pub(crate) output: (&'static str, usize),
    pub(crate) workgroups: [u64; 3],
    pub(crate) expected: Expected,
}

/// The right result, and how near to it is right.
pub(crate) enum Expected {
    /// Floats; an element may be off by so much of the largest one.
    Floats(Vec<f32>, f32),
    /// Counts; so many in a thousand may differ (points on the very edge of a set, where a device fuses operations).
    Counts(Vec<u32>, usize),
}

/// How much work a size is, to scale times by: proportional to the time where nothing else limits.
pub(crate) fn work(kernel: &ShaderFile, size: u64) -> f64 {
    // Where the data decides, the pixels do on average.
    kernel.flops(size).unwrap_or(size as f64).max(size as f64)
}

/// Why a size cannot be measured at all, whatever the time, with so many devices and bytes of memory.
pub(crate) fn obstacle(
    kernel: &ShaderFile,
    size: u64,
    devices: usize,
    memory: Option<u64>,
) -> Option<String> {
    if size > LARGEST {
        return Some(format!(
            "more than {LARGEST} {}s are beyond the kernel's 32-bit indices",
            kernel.element
        ));
    }
    // The inputs as they are, once more on the host and on each device.
    let needed = kernel.bytes(size) * (2 + devices) as f64;
    let memory = memory.filter(|&memory| needed > memory as f64)?;
    Some(format!(
        "its copies take {}, the machine has {}",
        record::bytes(needed as u64),
        record::bytes(memory)
    ))
}

/// The two sides of a domain of about that many elements: near to square, a power of two long where that is exact.
fn sides(size: u64) -> [u32; 2] {
    let width = if size.is_power_of_two() { 1 << size.ilog2().div_ceil(2) } else { size.isqrt().max(1) };
    [width as u32, (size / width).max(1) as u32]
}

impl Problem {
    /// The problem of a kernel of [`KERNELS`], at about so many elements; takes the time of the scalar reference.
    pub(crate) fn new(kernel: &'static ShaderFile, size: u64, seed: u64) -> Self {
        let mut random = Random::new(seed ^ size.rotate_left(32));
        let mut floats = |n: usize| -> Vec<f32> { (0..n).map(|_| random.unit(24) as f32).collect() };
        let n = size as usize;
        let one_axis = |size: u64| kernel.workgroups([size as u32, 1, 1]).map(u64::from);
        match kernel.name {
            name if name == TRIAD.name => {
                let (b, c, s) = (floats(n), floats(n), 3.0f32);
                let mut a = vec![0.0; n];
                triad::reference(&mut a, &b, &c, s);
                Self {
                    inputs: vec![("b", b), ("c", c)],
                    values: vec![("s", s.to_le_bytes().into())],
                    output: ("a", n),
                    // A fused multiply-add rounds once instead of twice.
                    ..Self::with(kernel, size, one_axis(size), Expected::Floats(a, 1e-6))
                }
            }
            name if name == REDUCE_SUM.name => {
                let x = floats(n);
                let sums = reduce_sum::reference(&x);
                Self {
                    inputs: vec![("x", x)],
                    output: ("sums", sums.len()),
                    // The order of additions is the kernel's own.
                    ..Self::with(kernel, size, one_axis(size), Expected::Floats(sums, 1e-6))
                }
            }
            name if name == JACOBI2D.name => {
                let [width, height] = sides(size);
                let n = (width * height) as usize;
                let src = floats(n);
                let mut dst = vec![0.0; n];
                jacobi2d::reference(width as usize, &src, &mut dst);
                let workgroups = kernel.workgroups([width, height, 1]).map(u64::from);
                Self {
                    inputs: vec![("src", src)],
                    values: vec![("size", bytemuck::cast_slice(&[width, height]).to_vec())],
                    output: ("dst", n),
                    ..Self::with(kernel, n as u64, workgroups, Expected::Floats(dst, 1e-6))
                }
            }
            name if name == NBODY.name => {
                let bodies: Vec<[f32; 4]> =
                    floats(4 * n).chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect();
                let eps = 0.05f32;
                let acc = nbody::reference(&bodies, eps);
                Self {
                    inputs: vec![("pos", bodies.into_flattened())],
                    values: vec![("eps", eps.to_le_bytes().into())],
                    output: ("acc", 4 * n),
                    // Rounding errors of n terms, and inverse square roots good to two units.
                    ..Self::with(kernel, size, one_axis(size), Expected::Floats(acc.into_flattened(), 1e-4))
                }
            }
            _ => {
                let [width, height] = sides(size);
                let params = mandelbrot::Params {
                    size: [width, height],
                    // The seed moves the picture a little; it always shows inside, edge and outside.
                    origin: [-2.0 - 0.1 * random.unit(24) as f32, -1.25],
                    step: 2.5 / width.max(height) as f32,
                    max_iterations: ITERATIONS,
                };
                let counts = mandelbrot::reference(&params);
                let flops = mandelbrot::flops(&counts);
                let mut bytes: Vec<u8> = bytemuck::cast_slice(&params.size).to_vec();
                bytes.extend_from_slice(bytemuck::cast_slice(&[
                    params.origin[0],
                    params.origin[1],
                    params.step,
                ]));
                bytes.extend_from_slice(&params.max_iterations.to_le_bytes());
                let workgroups = kernel.workgroups([width, height, 1]).map(u64::from);
                Self {
                    flops,
                    values: vec![("params", bytes)],
                    output: ("iterations", counts.len()),
                    ..Self::with(kernel, counts.len() as u64, workgroups, Expected::Counts(counts, 5))
                }
            }
        }
    }

    fn with(kernel: &'static ShaderFile, size: u64, workgroups: [u64; 3], expected: Expected) -> Self {
        Self {
            kernel,
            size,
            flops: kernel.flops(size).unwrap_or(0.0),
            bytes: kernel.bytes(size),
            inputs: Vec::new(),
            values: Vec::new(),
            output: ("", 0),
            workgroups,
            expected,
        }
    }

    /// Arithmetic is what limits it, so that a rate is in flops; else in bytes.
    pub(crate) fn counts_flops(&self) -> bool {
        self.flops > 8.0 * self.bytes
    }
}

impl Expected {
    /// What is wrong with a result.
    pub(crate) fn judge(&self, result: &[u8]) -> Result<(), String> {
        match self {
            Expected::Floats(expected, tolerance) => {
                let found: Vec<f32> = bytemuck::pod_collect_to_vec(result);
                let scale = expected.iter().fold(0.0f32, |max, x| max.max(x.abs()));
                let allowed = tolerance * scale;
                // A NaN is within no distance.
                let wrong = |(e, f): &(&f32, &f32)| (*e - *f).abs() > allowed || f.is_nan();
                match expected.iter().zip(&found).position(|pair| wrong(&pair)) {
                    _ if expected.len() != found.len() => {
                        Err(format!("{} elements of {}", found.len(), expected.len()))
                    }
                    Some(at) => Err(format!(
                        "element {at} is {}, the scalar reference says {} (allowed: ±{allowed:e})",
                        found[at], expected[at]
                    )),
                    None => Ok(()),
                }
            }
            Expected::Counts(expected, per_thousand) => {
                let found: Vec<u32> = bytemuck::pod_collect_to_vec(result);
                let wrong = expected.iter().zip(&found).filter(|(e, f)| e != f).count();
                match wrong * 1000 > per_thousand * expected.len() || expected.len() != found.len() {
                    true => {
                        Err(format!("{wrong} of {} counts differ from the scalar reference", expected.len()))
                    }
                    false => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_whole_and_judge_their_own_references() {
        for kernel in KERNELS {
            for size in [1, 100, 4096] {
                let problem = Problem::new(kernel, size, 1);
                let (right, mut wrong) = match &problem.expected {
                    Expected::Floats(x, _) => (bytemuck::cast_slice(x).to_vec(), x.clone()),
                    Expected::Counts(n, _) => (bytemuck::cast_slice(n).to_vec(), vec![f32::MAX; n.len()]),
                };
                assert_eq!(right.len(), 4 * problem.output.1, "{} {size}", kernel.name);
                assert!(problem.flops > 0.0 && problem.bytes > 0.0 && problem.workgroups[0] > 0);
                assert_eq!(problem.expected.judge(&right), Ok(()));
                assert!(problem.expected.judge(&right[4..]).is_err());
                let at = wrong.len() / 2;
                wrong[at] = f32::NAN;
                assert!(
                    problem.expected.judge(bytemuck::cast_slice(&wrong)).is_err(),
                    "{} {size}",
                    kernel.name
                );
                assert_eq!(
                    problem.counts_flops(),
                    ["nbody", "mandelbrot"].contains(&kernel.name) && size > 50
                );
            }
        }
    }

    #[test]
    fn what_cannot_fit_is_told() {
        assert_eq!(obstacle(&TRIAD, 1 << 20, 2, Some(1 << 30)), None);
        let memory = obstacle(&TRIAD, 1 << 30, 2, Some(1 << 30)).unwrap();
        assert!(memory.contains("48.0 GiB, the machine has 1.00 GiB"), "{memory}");
        assert!(obstacle(&TRIAD, 1 << 32, 1, None).unwrap().contains("32-bit"));
    }

    #[test]
    fn inputs_vary_and_follow_the_seed() {
        let [a, b, c] = [1, 1, 2].map(|seed| Problem::new(&TRIAD, 1000, seed).inputs);
        assert!(a == b && a != c);
        assert!(a[0].1.windows(2).filter(|w| w[0] == w[1]).count() < 10);
        assert_eq!([1, 64, 128, 100].map(sides), [[1, 1], [8, 8], [16, 8], [10, 10]]);
    }
}
