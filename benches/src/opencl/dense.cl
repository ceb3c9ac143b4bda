// Products of dense matrices in OpenCL C, as their WGSL has them.

kernel void matmul(global const float *a, uint na, global const float *b, uint nb, global float *c, uint nc, uint n) {
    uint x = get_global_id(0), y = get_global_id(1);
    if (x >= n || y >= n) return;
    float sum = 0.0f;
    for (uint k = 0; k < n; k++) sum += a[y * n + k] * b[k * n + x];
    c[y * n + x] = sum;
}

#define TILE 16

kernel __attribute__((reqd_work_group_size(TILE, TILE, 1)))
void matmul_tiled(global const float *a, uint na, global const float *b, uint nb, global float *c, uint nc, uint n) {
    local float tile_a[TILE][TILE], tile_b[TILE][TILE];
    uint gx = get_global_id(0), gy = get_global_id(1), x = get_local_id(0), y = get_local_id(1);
    float sum = 0.0f;
    for (uint first = 0; first < n; first += TILE) {
        tile_a[y][x] = gy < n && first + x < n ? a[gy * n + first + x] : 0.0f;
        tile_b[y][x] = first + y < n && gx < n ? b[(first + y) * n + gx] : 0.0f;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint k = 0; k < TILE; k++) sum += tile_a[y][k] * tile_b[k][x];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (gx < n && gy < n) c[gy * n + gx] = sum;
}
