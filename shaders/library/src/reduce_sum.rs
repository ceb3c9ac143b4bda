//! Partial sums, one per block of 2048 elements.

use crate::ShaderFile;

/// The kernel. Bindings: `x`, `sums` (one element per workgroup).
pub const REDUCE_SUM: ShaderFile = ShaderFile {
    name: "reduce_sum",
    source: include_str!("reduce_sum.wgsl"),
    element: "element",
    block: [2048, 1, 1],
    flops: |n| Some(n),
    bytes: |n| 4.0 * n + 4.0 * (n / 2048.0).ceil(),
};

const LANES: usize = 256;

/// What the kernel computes, in its order of additions: one sum for every 2048 elements begun.
pub fn reference(x: &[f32]) -> Vec<f32> {
    x.chunks(REDUCE_SUM.block[0] as usize).map(block).collect()
}

fn block(x: &[f32]) -> f32 {
    let mut partial = [0.0_f32; LANES];
    for (i, x) in x.iter().enumerate() {
        partial[i % LANES] += x;
    }
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            partial[lane] += partial[lane + half];
        }
        half /= 2;
    }
    partial[0]
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn by_hand() {
        assert_eq!(reference(&[]), []);
        assert_eq!(reference(&[1.0, 2.0, 3.5]), [6.5]);
        let counting = (1..=4097).map(|i| i as f32).collect::<Vec<_>>();
        // 1 + … + 2048, 2049 + … + 4096, 4097: all exact in f32.
        assert_eq!(reference(&counting), [2_098_176.0, 6_292_480.0, 4097.0]);
    }

    #[test]
    fn the_order_is_a_tree() {
        // 2²⁴ + 1 is 2²⁴ in f32; lanes 0 and 128 meet first, so the two ones are lost one by one there, and kept here.
        let mut x = vec![0.0; 256];
        (x[0], x[64], x[192]) = (16_777_216.0, 1.0, 1.0);
        assert_eq!(reference(&x), [16_777_218.0]);
        (x[64], x[128]) = (0.0, 1.0);
        assert_eq!(reference(&x), [16_777_216.0]);
    }
}
