// Gravitational accelerations of n bodies by summing over all pairs, as nbody.wgsl of the library has them, the bodies
// brought tile by tile into workgroup memory (Nyland, Harris, Prins, "Fast N-Body Simulation with CUDA", GPU Gems 3,
// chapter 31, 2007).
//
// Cost for each of the n * n pairs: 20 flops, as GPU Gems counts them. 32 bytes for each body.
// Limits: eps must not be 0, or a body's own term is 0 / 0; dispatch whole workgroups, ceil(n / 256) of them along x.

const TILE = 256u;

@group(0) @binding(0) var<storage, read> pos: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> acc: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> eps: f32;

var<workgroup> tile: array<vec4<f32>, TILE>;

@compute @workgroup_size(TILE)
fn nbody_tiled(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let n = arrayLength(&pos);
    var here = vec3<f32>(0.0);
    if id.x < n {
        here = pos[id.x].xyz;
    }
    var sum = vec3<f32>(0.0);
    for (var first = 0u; first < n; first += TILE) {
        // Beyond the last body there is no mass.
        var body = vec4<f32>(0.0);
        if first + lane < n {
            body = pos[first + lane];
        }
        tile[lane] = body;
        workgroupBarrier();
        for (var j = 0u; j < TILE; j++) {
            let other = tile[j];
            let d = other.xyz - here;
            let inverse = inverseSqrt(dot(d, d) + eps * eps);
            sum += other.w * (inverse * inverse * inverse) * d;
        }
        workgroupBarrier();
    }
    if id.x < n {
        acc[id.x] = vec4<f32>(sum, 0.0);
    }
}
