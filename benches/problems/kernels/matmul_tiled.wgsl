// c = a b for square matrices of n rows, one element of c per invocation, tiles of a and b brought into workgroup memory
// ("CUDA C Programming Guide", NVIDIA, section 3.2.4 on shared memory).
//
// Cost for each of the n * n * n products: 2 flops; 12 bytes for each element of a matrix (read a and b, write c).
// Limits: rows are contiguous; dispatch whole workgroups, ceil(n / 16) along x and y.

const TILE = 16u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> n: u32;

var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn matmul_tiled(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
    var sum = 0.0;
    for (var first = 0u; first < n; first += TILE) {
        // Beyond the edge there are zeros.
        var element_a = 0.0;
        if id.y < n && first + lane.x < n {
            element_a = a[id.y * n + first + lane.x];
        }
        var element_b = 0.0;
        if first + lane.y < n && id.x < n {
            element_b = b[(first + lane.y) * n + id.x];
        }
        tile_a[lane.y][lane.x] = element_a;
        tile_b[lane.y][lane.x] = element_b;
        workgroupBarrier();
        for (var k = 0u; k < TILE; k++) {
            sum += tile_a[lane.y][k] * tile_b[k][lane.x];
        }
        workgroupBarrier();
    }
    if id.x < n && id.y < n {
        c[id.y * n + id.x] = sum;
    }
}
