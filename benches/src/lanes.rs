//! Bodies and pixels with lanes written out: arrays as wide as vectors, which the compiler turns into such.
//!
//! What a Rust programmer can reach without intrinsics who thinks in lanes; recorded apart from the idiomatic rivals.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

use crate::rival::Function;

/// The implementation of a problem, where there is one.
pub fn function(problem: &str) -> Option<Function> {
    Some(match problem {
        "nbody" | "nbody_tiled" => nbody,
        "mandelbrot" => mandelbrot,
        _ => return None,
    })
}

fn nbody(problem: &Problem, outputs: &mut [Words]) {
    const LANES: usize = 16;
    let bodies: &[[f32; 4]] = bytemuck::cast_slice(problem.array("pos").f32());
    let eps: f32 = problem.value("eps");
    let acc: &mut [[f32; 4]] = bytemuck::cast_slice_mut(outputs[0].f32_mut());
    acc.par_chunks_mut(LANES).zip(bodies.par_chunks(LANES)).for_each(|(acc, bodies_here)| {
        let mut here = [[0.0f32; LANES]; 3];
        for (lane, body) in bodies_here.iter().enumerate() {
            here.iter_mut().zip(body).for_each(|(axis, x)| axis[lane] = *x);
        }
        let mut sums = [[0.0f32; LANES]; 3];
        for other in bodies {
            for lane in 0..LANES {
                let d: [f32; 3] = std::array::from_fn(|axis| other[axis] - here[axis][lane]);
                let inverse = 1.0 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + eps * eps).sqrt();
                let factor = other[3] * (inverse * inverse * inverse);
                sums.iter_mut().zip(d).for_each(|(axis, d)| axis[lane] += factor * d);
            }
        }
        for (lane, acc) in acc.iter_mut().enumerate() {
            *acc = [sums[0][lane], sums[1][lane], sums[2][lane], 0.0];
        }
    });
}

fn mandelbrot(problem: &Problem, outputs: &mut [Words]) {
    const LANES: usize = 32;
    let [width, _, x0, y0, step, most] = problem.value::<[u32; 6]>("params");
    let [x0, y0, step] = [x0, y0, step].map(f32::from_bits);
    outputs[0].u32_mut().par_chunks_mut(width as usize).enumerate().for_each(|(y, row)| {
        let cy = y0 + step * y as f32;
        for (block, pixels) in row.chunks_mut(LANES).enumerate() {
            let cx: [f32; LANES] = std::array::from_fn(|lane| x0 + step * (block * LANES + lane) as f32);
            let (mut zx, mut zy, mut n) = ([0.0f32; LANES], [0.0f32; LANES], [0u32; LANES]);
            for _ in 0..most {
                let mut any = 0;
                for lane in 0..LANES {
                    let (xx, yy) = (zx[lane] * zx[lane], zy[lane] * zy[lane]);
                    // Who has left never comes back: what it computes from then on does not count.
                    let stays = u32::from(xx + yy <= 4.0);
                    (zx[lane], zy[lane]) = (xx - yy + cx[lane], 2.0 * zx[lane] * zy[lane] + cy);
                    n[lane] += stays;
                    any |= stays;
                }
                if any == 0 {
                    break;
                }
            }
            pixels.iter_mut().zip(n).for_each(|(pixel, n)| *pixel = n);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rival::{Host, Rival};
    use warpweft_problems::{Case, Scale};

    #[test]
    fn lanes_are_right() {
        for name in ["nbody", "nbody_tiled", "mandelbrot"] {
            for scale in [Scale::Tiny, Scale::Quick] {
                let problem = Case::named(name).expect("it is there").problem(scale, 4);
                let mut host = Host::new(&problem, function(name).expect("it is here"));
                host.run().unwrap();
                problem.judge(&host.results().unwrap()).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            }
        }
    }
}
