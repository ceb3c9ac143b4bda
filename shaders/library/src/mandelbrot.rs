//! Iteration counts of the Mandelbrot set.

use crate::ShaderFile;

/// The kernel. Binding: `iterations`; uniform `params` (see [`Params`]).
///
/// The flops depend on the picture: see [`flops`].
pub const MANDELBROT: ShaderFile = ShaderFile {
    name: "mandelbrot",
    source: include_str!("mandelbrot.wgsl"),
    element: "pixel",
    block: [16, 16, 1],
    flops: |_| None,
    bytes: |n| 4.0 * n,
};

/// The part of the plane to compute, laid out as the kernel's uniform.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Params {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// The number that pixel (0, 0) stands for: real and imaginary part.
    pub origin: [f32; 2],
    /// The distance between neighbouring pixels.
    pub step: f32,
    /// Where to stop.
    pub max_iterations: u32,
}

/// Flops behind the iteration counts that the kernel gave: 8 for each iteration.
pub fn flops(iterations: &[u32]) -> f64 {
    iterations.iter().map(|&n| 8.0 * f64::from(n)).sum()
}

/// What the kernel computes: one count per pixel, rows contiguous.
pub fn reference(params: &Params) -> Vec<u32> {
    let [width, height] = params.size;
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels.map(|(x, y)| count(params, x as f32, y as f32)).collect()
}

fn count(params: &Params, x: f32, y: f32) -> u32 {
    let c = [params.origin[0] + params.step * x, params.origin[1] + params.step * y];
    let mut z = [0.0_f32; 2];
    for n in 0..params.max_iterations {
        let squares = [z[0] * z[0], z[1] * z[1]];
        if squares[0] + squares[1] > 4.0 {
            return n;
        }
        z = [squares[0] - squares[1] + c[0], 2.0 * z[0] * z[1] + c[1]];
    }
    params.max_iterations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // c = -2, -1, 0, 1, 2 on the real axis. From 1: 0, 1, 2, 5; from 2: 0, 2, 6; the others stay for ever.
        let params = Params { size: [5, 1], origin: [-2.0, 0.0], step: 1.0, max_iterations: 50 };
        let iterations = reference(&params);
        assert_eq!(iterations, [50, 50, 50, 3, 2]);
        assert_eq!(flops(&iterations), 8.0 * 155.0);
    }

    #[test]
    fn rows_are_conjugate() {
        let params = Params { size: [7, 3], origin: [-1.5, -0.5], step: 0.5, max_iterations: 20 };
        let iterations = reference(&params);
        assert_eq!(iterations[..7], iterations[14..]);
        // c = i: 0, i, i - 1, -i, i - 1, … stays.
        let i = Params { size: [1, 1], origin: [0.0, 1.0], step: 1.0, max_iterations: 20 };
        assert_eq!(reference(&i), [20]);
    }
}
