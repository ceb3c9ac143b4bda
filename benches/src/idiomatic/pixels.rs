//! The Mandelbrot set.

use rayon::prelude::*;
use warpweft_problems::{Problem, Words};

pub(super) fn mandelbrot(problem: &Problem, outputs: &mut [Words]) {
    let [width, _, x0, y0, step, most] = problem.value::<[u32; 6]>("params");
    let [x0, y0, step] = [x0, y0, step].map(f32::from_bits);
    outputs[0].u32_mut().par_chunks_mut(width as usize).enumerate().for_each(|(y, row)| {
        let cy = y0 + step * y as f32;
        for (x, pixel) in row.iter_mut().enumerate() {
            let cx = x0 + step * x as f32;
            let (mut zx, mut zy, mut n) = (0.0f32, 0.0f32, 0);
            while n < most {
                let (xx, yy) = (zx * zx, zy * zy);
                if xx + yy > 4.0 {
                    break;
                }
                (zx, zy) = (xx - yy + cx, 2.0 * zx * zy + cy);
                n += 1;
            }
            *pixel = n;
        }
    });
}
