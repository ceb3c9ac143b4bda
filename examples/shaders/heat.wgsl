// One explicit Euler step of the heat equation du/dt = laplace(u) on a square grid of inner points, with u = 0 all
// around it:
//     dst = src + r * (west + east + north + south - 4 * src),  r = dt / h^2
// Stable for r <= 1/4.

@group(0) @binding(0) var<storage, read> src: array<f32>;
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
@group(0) @binding(2) var<uniform> size: u32;
@group(0) @binding(3) var<uniform> r: f32;

@compute @workgroup_size(16, 16)
fn heat(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.y * size + id.x;
    let here = src[at];
    // Reads outside of the binding give zero, but left of a row's first point lies the last of the row above.
    let west = select(0.0, src[at - 1u], id.x > 0u);
    let east = select(0.0, src[at + 1u], id.x + 1u < size);
    let north = select(0.0, src[at - size], id.y > 0u);
    let south = select(0.0, src[at + size], id.y + 1u < size);
    dst[at] = here + r * (west + east + north + south - 4.0 * here);
}
