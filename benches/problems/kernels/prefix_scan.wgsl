// y[i] = x[0] + … + x[i], modulo 2^32, in three launches: `sum_blocks` sums blocks of 2048 elements, one workgroup of
// `scan_sums` replaces every block's sum by the sum of the blocks before it, and `scan_blocks` scans each block from there
// on (reduce-then-scan; Merrill, Grimshaw, "Parallel Scan for Stream Architectures", University of Virginia, 2009).
// Within a workgroup the sums are scanned as Hillis and Steele do ("Data Parallel Algorithms", CACM 29(12), 1986).
//
// Cost for each element: no flops; 12 bytes (read x twice, write y).
// Limits: ceil(n / 2048) workgroups along x for the first and the last launch, which is also the length of sums; one for
// the second.

const LANES = 256u;
const ITEMS = 8u;
const BLOCK = 2048u;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

var<workgroup> partial: array<u32, LANES>;

// The sum of the values of this invocation and of those before it in the workgroup.
fn scan_workgroup(lane: u32, value: u32) -> u32 {
    partial[lane] = value;
    workgroupBarrier();
    for (var step = 1u; step < LANES; step *= 2u) {
        var before = 0u;
        if lane >= step {
            before = partial[lane - step];
        }
        workgroupBarrier();
        partial[lane] += before;
        workgroupBarrier();
    }
    return partial[lane];
}

@compute @workgroup_size(LANES)
fn sum_blocks(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var sum = 0u;
    for (var item = 0u; item < ITEMS; item++) {
        let i = block.x * BLOCK + item * LANES + lane;
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
    if lane == 0u {
        sums[block.x] = partial[0];
    }
}

@compute @workgroup_size(LANES)
fn scan_sums(@builtin(local_invocation_index) lane: u32) {
    let blocks = arrayLength(&sums);
    var carry = 0u;
    for (var first = 0u; first < blocks; first += LANES) {
        let i = first + lane;
        var sum = 0u;
        if i < blocks {
            sum = sums[i];
        }
        let scanned = scan_workgroup(lane, sum);
        if i < blocks {
            sums[i] = carry + scanned - sum;
        }
        carry += partial[LANES - 1u];
        workgroupBarrier();
    }
}

@compute @workgroup_size(LANES)
fn scan_blocks(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = block.x * BLOCK + lane * ITEMS;
    var items: array<u32, ITEMS>;
    var sum = 0u;
    for (var item = 0u; item < ITEMS; item++) {
        if first + item < arrayLength(&x) {
            sum += x[first + item];
        }
        items[item] = sum;
    }
    let before = sums[block.x] + scan_workgroup(lane, sum) - sum;
    for (var item = 0u; item < ITEMS; item++) {
        if first + item < arrayLength(&y) {
            y[first + item] = before + items[item];
        }
    }
}
