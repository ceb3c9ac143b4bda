// One Jacobi step of Laplace's equation on a 2-D grid: each inner point becomes the mean of its four neighbours, points
// on the edge are copied (see, for example, Saad, "Iterative Methods for Sparse Linear Systems", 2nd edition, 2003,
// section 4.1). Repeat with src and dst swapped.
//
// Cost for each point: 4 flops (3 additions, 1 multiplication); 8 bytes (read src once, write dst).
// Limits: rows are contiguous, size = (width, height); src and dst must be different buffers of width * height elements.

@group(0) @binding(0) var<storage, read> src: array<f32>;
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
@group(0) @binding(2) var<uniform> size: vec2<u32>;

@compute @workgroup_size(16, 16)
fn jacobi2d(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= size.x || id.y >= size.y {
        return;
    }
    let i = id.y * size.x + id.x;
    if id.x == 0u || id.y == 0u || id.x + 1u == size.x || id.y + 1u == size.y {
        dst[i] = src[i];
        return;
    }
    dst[i] = 0.25 * (src[i - 1u] + src[i + 1u] + src[i - size.x] + src[i + size.x]);
}
