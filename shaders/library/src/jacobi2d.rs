//! One Jacobi step of Laplace's equation on a 2-D grid.

use crate::ShaderFile;

/// The kernel. Bindings: `src`, `dst`; uniform `size` (width, height).
pub const JACOBI2D: ShaderFile = ShaderFile {
    name: "jacobi2d",
    source: include_str!("jacobi2d.wgsl"),
    element: "point",
    block: [16, 16, 1],
    flops: |n| Some(4.0 * n),
    bytes: |n| 8.0 * n,
};

/// What the kernel computes on a grid of `width` columns, rows contiguous.
///
/// # Panics
/// If the slices' lengths differ or are no whole number of rows.
pub fn reference(width: usize, src: &[f32], dst: &mut [f32]) {
    assert_eq!(src.len(), dst.len(), "src and dst have the same size");
    assert!(src.is_empty() || src.len().is_multiple_of(width), "whole rows of {width}");
    let height = src.len().checked_div(width).unwrap_or(0);
    for y in 0..height {
        for x in 0..width {
            let i = y * width + x;
            let on_edge = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            dst[i] = if on_edge {
                src[i]
            } else {
                0.25 * (src[i - 1] + src[i + 1] + src[i - width] + src[i + width])
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn by_hand() {
        #[rustfmt::skip]
        let src = [
            1.0, 2.0, 3.0, 4.0,
            5.0, 0.0, 8.0, 6.0,
            7.0, 9.0, 1.0, 2.0,
        ];
        let mut dst = [0.0; 12];
        reference(4, &src, &mut dst);
        let mut expected = src;
        expected[5] = 0.25 * (5.0 + 8.0 + 2.0 + 9.0);
        expected[6] = 0.25 * (0.0 + 6.0 + 3.0 + 1.0);
        assert_eq!(dst, expected);
    }

    #[test]
    fn a_single_row_is_all_edge() {
        let mut dst = [0.0; 3];
        reference(3, &[1.0, 2.0, 3.0], &mut dst);
        assert_eq!(dst, [1.0, 2.0, 3.0]);
    }
}
