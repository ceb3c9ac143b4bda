//! Gravitational accelerations by summing over all pairs.

use crate::ShaderFile;

/// The kernel. Bindings: `pos` (x, y, z, mass), `acc` (x, y, z, 0); uniform `eps`, the softening length.
pub const NBODY: ShaderFile = ShaderFile {
    name: "nbody",
    source: include_str!("nbody.wgsl"),
    element: "body",
    block: [64, 1, 1],
    flops: |n| Some(20.0 * n * n),
    bytes: |n| 32.0 * n,
};

/// What the kernel computes: the acceleration of every body, with a fourth component of 0.
pub fn reference(pos: &[[f32; 4]], eps: f32) -> Vec<[f32; 4]> {
    pos.iter().map(|here| acceleration(*here, pos, eps)).collect()
}

fn acceleration(here: [f32; 4], pos: &[[f32; 4]], eps: f32) -> [f32; 4] {
    let mut sum = [0.0_f32; 3];
    for other in pos {
        let d = [other[0] - here[0], other[1] - here[1], other[2] - here[2]];
        let inverse = 1.0 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2] + eps * eps).sqrt();
        let factor = other[3] * (inverse * inverse * inverse);
        for (sum, d) in sum.iter_mut().zip(d) {
            *sum += factor * d;
        }
    }
    [sum[0], sum[1], sum[2], 0.0]
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn by_hand() {
        // At distance 3 with softening 4 the softened distance is 5: a = m * 3 / 125.
        let acc = reference(&[[0.0, 0.0, 0.0, 50.0], [0.0, 3.0, 0.0, 125.0]], 4.0);
        let close = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(close(acc[0][1], 3.0) && close(acc[1][1], -1.2), "{acc:?}");
        for a in acc {
            assert_eq!([a[0], a[2], a[3]], [0.0; 3]);
        }
    }

    #[test]
    fn momentum_is_kept() {
        let pos = [[0.0, 1.0, 2.0, 3.0], [4.0, -1.0, 0.5, 1.0], [-2.0, 0.25, 1.0, 2.0]];
        let acc = reference(&pos, 0.1);
        for axis in 0..3 {
            let force = pos.iter().zip(&acc).map(|(p, a)| p[3] * a[axis]).sum::<f32>();
            assert!(force.abs() < 1e-6, "axis {axis}: {force}");
        }
    }
}
