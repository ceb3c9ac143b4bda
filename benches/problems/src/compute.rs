//! Kernels that arithmetic bounds: bodies, pixels, options.

use warpweft_shaders::{MANDELBROT, NBODY, mandelbrot as escape, nbody as gravity};

use crate::random::Random;
use crate::streaming::{exponent, sides};
use crate::{Expected, Limit, Output, Pass, Problem, Scale, Words};

fn bodies(name: &'static str, source: &'static str, workgroup: u32, scale: Scale, seed: u64) -> Problem {
    let n: usize = scale.choose(16384, 1024, 300);
    let pos = Random::new(seed).floats(4 * n, 0.0, 1.0);
    let eps = 0.05f32;
    let bodies: Vec<[f32; 4]> = pos.as_chunks::<4>().0.to_vec();
    let acc = gravity::reference(&bodies, eps).into_flattened();
    Problem {
        name,
        size: exponent(n),
        source,
        arrays: vec![("pos", Words::F32(pos)), ("acc", Words::F32(vec![0.0; 4 * n]))],
        values: vec![("eps", eps.to_le_bytes().into())],
        passes: vec![Pass {
            entry: name,
            workgroup_size: [workgroup, 1, 1],
            workgroups: [(n as u32).div_ceil(workgroup), 1, 1],
            bindings: vec![("pos", 0), ("acc", 1)],
            values: vec!["eps"],
        }],
        // Rounding errors of n terms, and inverse square roots good to two units.
        outputs: vec![Output { array: 1, expected: Expected::Near(acc, 1e-4) }],
        flops: NBODY.flops(n as u64).unwrap_or(0.0),
        bytes: NBODY.bytes(n as u64),
        limit: Limit::Flops,
        // Of a pair 16: 3 differences, 3 and 3 fused, 3 products, and 4 for the inverse root (an estimate, one Newton step).
        mix: 20.0 / 32.0,
        accumulates: false,
    }
}

pub(crate) fn nbody(scale: Scale, seed: u64) -> Problem {
    bodies("nbody", NBODY.source, NBODY.block[0], scale, seed)
}

pub(crate) fn nbody_tiled(scale: Scale, seed: u64) -> Problem {
    bodies("nbody_tiled", include_str!("../kernels/nbody_tiled.wgsl"), 256, scale, seed)
}

pub(crate) fn mandelbrot(scale: Scale, seed: u64) -> Problem {
    let (width, height): (u32, u32) = scale.choose((2048, 2048), (128, 128), (61, 43));
    let params = escape::Params {
        size: [width, height],
        // The seed moves the picture a little; it always shows inside, edge and outside.
        origin: [-2.0 - Random::new(seed).float(0.0, 0.1), -1.25],
        step: 2.5 / width as f32,
        max_iterations: 256,
    };
    let counts = escape::reference(&params);
    let mut bytes: Vec<u8> = bytemuck::cast_slice(&params.size).to_vec();
    bytes.extend_from_slice(bytemuck::cast_slice(&[params.origin[0], params.origin[1], params.step]));
    bytes.extend_from_slice(&params.max_iterations.to_le_bytes());
    Problem {
        name: "mandelbrot",
        size: sides(width as usize, height as usize),
        source: MANDELBROT.source,
        arrays: vec![("iterations", Words::U32(vec![0; counts.len()]))],
        values: vec![("params", bytes)],
        passes: vec![Pass {
            entry: MANDELBROT.name,
            workgroup_size: MANDELBROT.block,
            workgroups: MANDELBROT.workgroups([width, height, 1]),
            bindings: vec![("iterations", 0)],
            values: vec!["params"],
        }],
        flops: escape::flops(&counts),
        bytes: MANDELBROT.bytes(counts.len() as u64),
        outputs: vec![Output { array: 0, expected: Expected::Mostly(counts, 5) }],
        limit: Limit::Flops,
        // Of an iteration 8: 1 product, 3 fused, 2 sums, a comparison, and counting.
        mix: 8.0 / 16.0,
        accumulates: false,
    }
}

pub(crate) fn black_scholes(scale: Scale, seed: u64) -> Problem {
    let n: usize = scale.choose(1 << 22, 1 << 15, 5003);
    let mut random = Random::new(seed);
    let price = random.floats(n, 5.0, 30.0);
    let strike = random.floats(n, 1.0, 100.0);
    let years = random.floats(n, 0.25, 10.0);
    let (rate, volatility) = (0.02f32, 0.3f32);
    let (mut call, mut put) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for ((&s, &k), &t) in price.iter().zip(&strike).zip(&years) {
        let [c, p] = prices([s, k, t, rate, volatility].map(f64::from));
        call.push(c as f32);
        put.push(p as f32);
    }
    Problem {
        name: "black_scholes",
        size: exponent(n),
        source: include_str!("../kernels/black_scholes.wgsl"),
        arrays: vec![
            ("price", Words::F32(price)),
            ("strike", Words::F32(strike)),
            ("years", Words::F32(years)),
            ("call", Words::F32(vec![0.0; n])),
            ("put", Words::F32(vec![0.0; n])),
        ],
        values: vec![("rate", rate.to_le_bytes().into()), ("volatility", volatility.to_le_bytes().into())],
        passes: vec![Pass {
            entry: "black_scholes",
            workgroup_size: [256, 1, 1],
            workgroups: [n.div_ceil(256) as u32, 1, 1],
            bindings: vec![("price", 0), ("strike", 1), ("years", 2), ("call", 3), ("put", 4)],
            values: vec!["rate", "volatility"],
        }],
        // Logarithms and exponentials as exact as WGSL wants them.
        outputs: vec![
            Output { array: 3, expected: Expected::Near(call, 1e-5) },
            Output { array: 4, expected: Expected::Near(put, 1e-5) },
        ],
        flops: 58.0 * n as f64,
        bytes: 20.0 * n as f64,
        limit: Limit::Flops,
        // Of an option about 100: 11 for each exponential, 12 for the logarithm, 3 for each quotient, 4 for the root, the rest
        // fused where it can be.
        mix: 58.0 / 200.0,
        accumulates: false,
    }
}

/// Call and put, for price, strike, years, rate and volatility.
fn prices([s, k, t, rate, volatility]: [f64; 5]) -> [f64; 2] {
    let deviation = volatility * t.sqrt();
    let d1 = ((s / k).ln() + (rate + 0.5 * volatility * volatility) * t) / deviation;
    let (n1, n2) = (normal(d1), normal(d1 - deviation));
    let discounted = k * (-rate * t).exp();
    [s * n1 - discounted * n2, discounted * (1.0 - n2) - s * (1.0 - n1)]
}

/// The integral of the normal distribution, Abramowitz and Stegun 26.2.17.
fn normal(d: f64) -> f64 {
    let k = 1.0 / (1.0 + 0.2316419 * d.abs());
    let series = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530];
    let tail = 0.3989422804 * (-0.5 * d * d).exp() * series.iter().fold(0.0, |sum, c| sum * k + c) * k;
    if d > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::prices;

    #[test]
    fn calls_and_puts_by_the_book() {
        // Hull, "Options, Futures, and Other Derivatives", 6th edition, example 13.6: 4.76 and 0.81.
        let [call, put] = prices([42.0, 40.0, 0.5, 0.1, 0.2]);
        assert!((call - 4.76).abs() < 0.005 && (put - 0.81).abs() < 0.005, "{call} {put}");
    }
}
