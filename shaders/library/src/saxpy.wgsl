// y = a * x + y, the BLAS level-1 routine SAXPY (Lawson, Hanson, Kincaid, Krogh, "Basic Linear Algebra Subprograms
// for Fortran Usage", ACM TOMS 5, 1979).
//
// Cost for each element: 2 flops (multiply, add); 12 bytes (read x and y, write y).
// Limits: x must be as long as y; elements of y beyond x would see zeros.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> a: f32;

@compute @workgroup_size(256)
fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&y) {
        return;
    }
    y[i] = a * x[i] + y[i];
}
