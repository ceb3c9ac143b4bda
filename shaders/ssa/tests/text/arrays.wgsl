// An array that is indexed at run time is memory; its struct's other members and the constant-indexed one are values.
struct Cell {
    counts: array<u32, 8>,
    weights: array<f32, 2>,
    v: vec4<f32>,
}

@group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32) {
    var cell: Cell;
    cell.counts[i % 8u] += 1u;
    cell.weights[1] = f32(i);
    cell.v[i % 4u] = cell.weights[1] + f32(cell.counts[3]);
    x[id.x] = cell.v;
}
