// a = b + s * c, the triad of STREAM (McCalpin, "Memory Bandwidth and Machine Balance in Current High Performance
// Computers", IEEE TCCA Newsletter, 1995): what memory bandwidth is measured with.
//
// Cost for each element: 2 flops (multiply, add); 12 bytes (read b and c, write a), as STREAM counts them.
// Limits: b and c must be as long as a.

@group(0) @binding(0) var<storage, read_write> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> c: array<f32>;
@group(0) @binding(3) var<uniform> s: f32;

@compute @workgroup_size(256)
fn triad(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&a) {
        return;
    }
    a[i] = b[i] + s * c[i];
}
