// How often each of 256 values occurs in the low bytes of x: bins[v] grows by the number of elements with x & 255 = v.
// Each workgroup counts in memory of its own first, and adds what it counted to the bins at the end (Podlozhnyuk,
// "Histogram Calculation in CUDA", NVIDIA, 2007).
//
// Cost for each element: no flops; 4 bytes (read x).
// Limits: dispatch whole workgroups, ceil(n / 16384) of them along x; at most 2^32 - 1 elements of a kind.

const LANES = 256u;
const ITEMS = 64u;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> bins: array<atomic<u32>, 256>;

var<workgroup> counts: array<atomic<u32>, 256>;

@compute @workgroup_size(LANES)
fn histogram(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = block.x * LANES * ITEMS + lane;
    for (var item = 0u; item < ITEMS; item++) {
        let i = first + item * LANES;
        if i < arrayLength(&x) {
            atomicAdd(&counts[x[i] & 255u], 1u);
        }
    }
    workgroupBarrier();
    atomicAdd(&bins[lane], atomicLoad(&counts[lane]));
}
