// Gravitational accelerations of n bodies by summing over all pairs, with Plummer softening:
//     acc[i] = sum over j of m[j] * (p[j] - p[i]) / (|p[j] - p[i]|^2 + eps^2)^(3/2)
// in units where the constant of gravity is 1 (Nyland, Harris, Prins, "Fast N-Body Simulation with CUDA", GPU Gems 3,
// chapter 31, 2007). pos holds x, y, z and the mass; acc gets x, y, z and zero.
//
// Cost for each of the n * n pairs: 20 flops (3 differences, 6 for the softened square of the distance, 2 for its
// inverse root, 2 for the cube, 1 for the mass, 6 to accumulate), as GPU Gems counts them. 32 bytes for each body.
// Limits: eps must not be 0, or a body's own term is 0 / 0; sums run in the order of the bodies, in f32.

@group(0) @binding(0) var<storage, read> pos: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> acc: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> eps: f32;

@compute @workgroup_size(64)
fn nbody(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&acc) {
        return;
    }
    let here = pos[i].xyz;
    var sum = vec3<f32>(0.0);
    for (var j = 0u; j < arrayLength(&pos); j++) {
        let other = pos[j];
        let d = other.xyz - here;
        let inverse = inverseSqrt(dot(d, d) + eps * eps);
        sum += other.w * (inverse * inverse * inverse) * d;
    }
    acc[i] = vec4<f32>(sum, 0.0);
}
