//! One step of Perona and Malik's anisotropic diffusion.

use crate::ShaderFile;

/// The kernel. Bindings: `src`, `dst`; uniform `params` (see [`Params`]).
pub const PERONA_MALIK: ShaderFile = ShaderFile {
    name: "perona_malik",
    source: include_str!("perona_malik.wgsl"),
    element: "pixel",
    block: [16, 16, 1],
    flops: |n| Some(25.0 * n),
    bytes: |n| 8.0 * n,
};

/// The image's size and the strength of the diffusion, laid out as the kernel's uniform.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Params {
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Differences well above it count as edges and are kept, in the units of the image.
    pub kappa: f32,
    /// The length of the step, at most 0.25.
    pub lambda: f32,
}

/// What the kernel computes: the image after one step, rows contiguous.
///
/// # Panics
/// If `src` has not width × height pixels.
pub fn reference(params: &Params, src: &[f32]) -> Vec<f32> {
    let [width, height] = params.size.map(|n| n as usize);
    assert_eq!(src.len(), width * height, "pixels of a {width} by {height} image");
    let flow = |d: f32| {
        let relative = d / params.kappa;
        (-(relative * relative)).exp() * d
    };
    let mut dst = Vec::with_capacity(src.len());
    for y in 0..height {
        for x in 0..width {
            let here = src[y * width + x];
            let west = src[y * width + x.saturating_sub(1)];
            let east = src[y * width + (x + 1).min(width - 1)];
            let north = src[y.saturating_sub(1) * width + x];
            let south = src[(y + 1).min(height - 1) * width + x];
            let sum = flow(west - here) + flow(east - here) + flow(north - here) + flow(south - here);
            dst.push(here + params.lambda * sum);
        }
    }
    dst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Two pixels a kappa apart: each moves by lambda * exp(-1) * kappa; up and down there is nothing.
        let params = Params { size: [2, 1], kappa: 2.0, lambda: 0.25 };
        let dst = reference(&params, &[1.0, 3.0]);
        let moved = 0.25 * (-1.0_f32).exp() * 2.0;
        assert_eq!(dst, [1.0 + moved, 3.0 - moved]);
    }

    #[test]
    fn a_flat_image_and_a_steep_edge_stay() {
        let params = Params { size: [3, 2], kappa: 0.1, lambda: 0.25 };
        assert_eq!(reference(&params, &[5.0; 6]), [5.0; 6]);
        let edge = [0.0, 0.0, 100.0, 0.0, 0.0, 100.0];
        assert_eq!(reference(&params, &edge), edge);
    }

    #[test]
    fn gentle_differences_diffuse_and_the_mean_is_kept() {
        let params = Params { size: [3, 3], kappa: 1e6, lambda: 0.25 };
        let mut src = [0.0; 9];
        src[4] = 8.0;
        #[rustfmt::skip]
        assert_eq!(reference(&params, &src), [
            0.0, 2.0, 0.0,
            2.0, 0.0, 2.0,
            0.0, 2.0, 0.0,
        ]);
    }
}
