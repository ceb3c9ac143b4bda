// Partial sums of x: sums[w] is the sum of the w-th block of 2048 elements. Each of a workgroup's 256 invocations adds 8
// elements that lie 256 apart, then a tree in workgroup memory halves the sums eight times (Harris, "Optimizing Parallel
// Reduction in CUDA", NVIDIA, 2007). Sum the sums with the same kernel, or on the host.
//
// Cost for each element: 1 flop; 4 bytes (and 4 more for each block).
// Limits: dispatch whole workgroups, ceil(n / 2048) of them along x; sums must have as many elements. The order of the
// additions is fixed, so results repeat bit for bit; it is not the order of a plain loop.

const LANES = 256u;
const ITEMS = 8u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn reduce_sum(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = block.x * LANES * ITEMS + lane;
    var sum = 0.0;
    for (var item = 0u; item < ITEMS; item++) {
        let i = first + item * LANES;
        if i < arrayLength(&x) {
            sum += x[i];
        }
    }
    partial[lane] = sum;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if lane < half {
            partial[lane] += partial[lane + half];
        }
        workgroupBarrier();
    }
    if lane == 0u && block.x < arrayLength(&sums) {
        sums[block.x] = partial[0];
    }
}
