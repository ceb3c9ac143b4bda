// The streaming kernels in OpenCL C, as their WGSL has them.

kernel void triad(global float *a, uint na, global const float *b, uint nb, global const float *c, uint nc, float s) {
    uint i = get_global_id(0);
    if (i >= na) return;
    a[i] = b[i] + s * c[i];
}

kernel void saxpy(global const float *x, uint nx, global float *y, uint ny, float a) {
    uint i = get_global_id(0);
    if (i >= ny) return;
    y[i] = a * x[i] + y[i];
}

kernel void jacobi2d(global const float *src, uint ns, global float *dst, uint nd, uint2 size) {
    uint x = get_global_id(0), y = get_global_id(1);
    if (x >= size.x || y >= size.y) return;
    uint i = y * size.x + x;
    if (x == 0 || y == 0 || x + 1 == size.x || y + 1 == size.y) {
        dst[i] = src[i];
        return;
    }
    dst[i] = 0.25f * (src[i - 1] + src[i + 1] + src[i - size.x] + src[i + size.x]);
}

#define LANES 256
#define ITEMS 8

kernel __attribute__((reqd_work_group_size(LANES, 1, 1)))
void reduce_sum(global const float *x, uint nx, global float *sums, uint ns) {
    local float partial[LANES];
    uint lane = get_local_id(0), block = get_group_id(0);
    uint first = block * LANES * ITEMS + lane;
    float sum = 0.0f;
    for (uint item = 0; item < ITEMS; item++) {
        uint i = first + item * LANES;
        if (i < nx) sum += x[i];
    }
    partial[lane] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint half_ = LANES / 2; half_ > 0; half_ /= 2) {
        if (lane < half_) partial[lane] += partial[lane + half_];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (lane == 0 && block < ns) sums[block] = partial[0];
}

#define TILE 16

kernel __attribute__((reqd_work_group_size(TILE, TILE, 1)))
void transpose(global const float *src, uint ns, global float *dst, uint nd, uint2 size) {
    local float tile[TILE][TILE + 1];
    uint x = get_local_id(0), y = get_local_id(1);
    uint left = get_group_id(0) * TILE, top = get_group_id(1) * TILE;
    if (left + x < size.x && top + y < size.y) tile[y][x] = src[(top + y) * size.x + left + x];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (top + x < size.y && left + y < size.x) dst[(left + y) * size.y + top + x] = tile[x][y];
}
