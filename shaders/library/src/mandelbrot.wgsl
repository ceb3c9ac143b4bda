// For every pixel, how often z = z * z + c stays within |z| <= 2, starting from z = 0: max_iterations inside the
// Mandelbrot set, fewer outside (the escape-time algorithm; Peitgen, Richter, "The Beauty of Fractals", 1986). Pixel
// (x, y) stands for c = origin + step * (x, y).
//
// Cost for each iteration: 8 flops; how many iterations a pixel takes depends on where it lies. 4 bytes for each pixel.
// Limits: f32 resolves steps down to about 1e-7; where a device fuses multiply and add, pixels on the very edge of the
// set may differ from another device's.

struct Params {
    size: vec2<u32>,
    origin: vec2<f32>,
    step: f32,
    max_iterations: u32,
}

@group(0) @binding(0) var<storage, read_write> iterations: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(16, 16)
fn mandelbrot(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.size.x || id.y >= params.size.y {
        return;
    }
    let c = params.origin + params.step * vec2<f32>(id.xy);
    var z = vec2<f32>(0.0);
    var n = 0u;
    while n < params.max_iterations {
        let squares = z * z;
        if squares.x + squares.y > 4.0 {
            break;
        }
        z = vec2<f32>(squares.x - squares.y + c.x, 2.0 * z.x * z.y + c.y);
        n++;
    }
    iterations[id.y * params.size.x + id.x] = n;
}
