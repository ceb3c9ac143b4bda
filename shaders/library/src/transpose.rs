//! The transpose of a matrix.

use crate::ShaderFile;

/// The kernel. Bindings: `src`, `dst`; uniform `size` (width, height of `src`).
pub const TRANSPOSE: ShaderFile = ShaderFile {
    name: "transpose",
    source: include_str!("transpose.wgsl"),
    element: "element",
    block: [16, 16, 1],
    flops: |_| Some(0.0),
    bytes: |n| 8.0 * n,
};

/// What the kernel computes from a matrix of `width` columns, rows contiguous.
///
/// # Panics
/// If `src` is no whole number of rows.
pub fn reference(width: usize, src: &[f32]) -> Vec<f32> {
    assert!(src.is_empty() || src.len().is_multiple_of(width), "whole rows of {width}");
    let height = src.len().checked_div(width).unwrap_or(0);
    let positions = (0..width).flat_map(|x| (0..height).map(move |y| y * width + x));
    positions.map(|i| src[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn by_hand() {
        let src = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(reference(3, &src), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(reference(2, &reference(3, &src)), src);
        assert_eq!(reference(0, &[]), []);
    }
}
