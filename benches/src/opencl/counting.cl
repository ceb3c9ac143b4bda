// Prefix scan and histogram in OpenCL C, as their WGSL has them.

#define LANES 256

kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void histogram(global const uint *x, uint nx, volatile global uint *bins, uint nb) {
    local volatile uint counts[256];
    uint lane = get_local_id(0);
    counts[lane] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    uint first = get_group_id(0) * LANES * 64 + lane;
    for (uint item = 0; item < 64; item++) {
        uint i = first + item * LANES;
        if (i < nx) atomic_inc(&counts[x[i] & 255]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    atomic_add(&bins[lane], counts[lane]);
}

#define ITEMS 8
#define BLOCK 2048

uint scan_workgroup(local uint *partial, uint lane, uint value) {
    partial[lane] = value;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint step = 1; step < LANES; step *= 2) {
        uint before = 0;
        if (lane >= step) before = partial[lane - step];
        barrier(CLK_LOCAL_MEM_FENCE);
        partial[lane] += before;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    return partial[lane];
}

kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void sum_blocks(global const uint *x, uint nx, global uint *sums, uint ns) {
    local uint partial[LANES];
    uint lane = get_local_id(0);
    uint sum = 0;
    for (uint item = 0; item < ITEMS; item++) {
        uint i = get_group_id(0) * BLOCK + item * LANES + lane;
        if (i < nx) sum += x[i];
    }
    partial[lane] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint half_ = LANES / 2; half_ > 0; half_ /= 2) {
        if (lane < half_) partial[lane] += partial[lane + half_];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (lane == 0) sums[get_group_id(0)] = partial[0];
}

kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void scan_sums(global uint *sums, uint blocks) {
    local uint partial[LANES];
    uint lane = get_local_id(0);
    uint carry = 0;
    for (uint first = 0; first < blocks; first += LANES) {
        uint i = first + lane;
        uint sum = 0;
        if (i < blocks) sum = sums[i];
        uint scanned = scan_workgroup(partial, lane, sum);
        if (i < blocks) sums[i] = carry + scanned - sum;
        carry += partial[LANES - 1];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void scan_blocks(global const uint *x, uint nx, global const uint *sums, uint ns, global uint *y, uint ny) {
    local uint partial[LANES];
    uint lane = get_local_id(0);
    uint first = get_group_id(0) * BLOCK + lane * ITEMS;
    uint items[ITEMS];
    uint sum = 0;
    for (uint item = 0; item < ITEMS; item++) {
        if (first + item < nx) sum += x[first + item];
        items[item] = sum;
    }
    uint before = sums[get_group_id(0)] + scan_workgroup(partial, lane, sum) - sum;
    for (uint item = 0; item < ITEMS; item++)
        if (first + item < ny) y[first + item] = before + items[item];
}
