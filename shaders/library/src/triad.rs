//! `a = b + s * c`.

use crate::ShaderFile;

/// The kernel. Bindings: `a`, `b`, `c`; uniform `s`.
pub const TRIAD: ShaderFile = ShaderFile {
    name: "triad",
    source: include_str!("triad.wgsl"),
    element: "element",
    block: [256, 1, 1],
    flops: |n| Some(2.0 * n),
    bytes: |n| 12.0 * n,
};

/// What the kernel computes, up to the shortest of the arrays.
pub fn reference(a: &mut [f32], b: &[f32], c: &[f32], s: f32) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + s * c;
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn by_hand() {
        let mut a = [9.0; 3];
        super::reference(&mut a, &[1.0, 2.0, 3.0], &[10.0, 0.5, -1.0], 3.0);
        assert_eq!(a, [31.0, 3.5, 0.0]);
    }
}
