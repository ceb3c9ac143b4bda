//! `y = a * x + y`.

use crate::ShaderFile;

/// The kernel. Bindings: `x`, `y`; uniform `a`.
pub const SAXPY: ShaderFile = ShaderFile {
    name: "saxpy",
    source: include_str!("saxpy.wgsl"),
    element: "element",
    block: [256, 1, 1],
    flops: |n| Some(2.0 * n),
    bytes: |n| 12.0 * n,
};

/// What the kernel computes, up to the shorter of `x` and `y`.
pub fn reference(a: f32, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn by_hand() {
        let mut y = [1.0, 2.0, 3.0];
        super::reference(2.0, &[10.0, 20.0, -1.5], &mut y);
        assert_eq!(y, [21.0, 42.0, 0.0]);
    }
}
