// One step of anisotropic diffusion, which smooths an image but not across its edges:
//     dst = src + lambda * sum over 4 neighbours of g(d) * d,  d = neighbour - src,  g(d) = exp(-(d / kappa)^2)
// (Perona, Malik, "Scale-Space and Edge Detection Using Anisotropic Diffusion", IEEE PAMI 12(7), 1990;
// the first of their two conductances). Beyond the edge the image repeats its outermost pixels, so nothing flows there.
// Repeat with src and dst swapped.
//
// Cost for each pixel: 25 flops (for each neighbour a difference, a division, a square, an exponential and a product; 3
// additions; 2 for the update); 8 bytes (read src once, write dst).
// Limits: stable for 0 <= lambda <= 0.25; kappa > 0, in the units of the image. Rows are contiguous, size = (width,
// height); src and dst must be different buffers of width * height elements.

struct Params {
    size: vec2<u32>,
    kappa: f32,
    lambda: f32,
}

@group(0) @binding(0) var<storage, read> src: array<f32>;
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// What flows in over a difference of d.
fn flow(d: f32) -> f32 {
    let relative = d / params.kappa;
    return exp(-(relative * relative)) * d;
}

@compute @workgroup_size(16, 16)
fn perona_malik(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = params.size;
    if id.x >= size.x || id.y >= size.y {
        return;
    }
    let row = id.y * size.x;
    let here = src[row + id.x];
    let west = src[row + max(id.x, 1u) - 1u];
    let east = src[row + min(id.x + 1u, size.x - 1u)];
    let north = src[(max(id.y, 1u) - 1u) * size.x + id.x];
    let south = src[min(id.y + 1u, size.y - 1u) * size.x + id.x];
    let sum = flow(west - here) + flow(east - here) + flow(north - here) + flow(south - here);
    dst[row + id.x] = here + params.lambda * sum;
}
