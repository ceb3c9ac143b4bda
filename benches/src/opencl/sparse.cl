// The product of a sparse matrix and a vector in OpenCL C, as its WGSL has it.

kernel void spmv_csr(global const uint *starts, uint n0, global const uint *columns, uint n1,
                     global const float *values, uint n2, global const float *x, uint n3, global float *y, uint rows) {
    uint row = get_global_id(0);
    if (row >= rows) return;
    float sum = 0.0f;
    uint end = starts[row + 1];
    for (uint i = starts[row]; i < end; i++) sum += values[i] * x[columns[i]];
    y[row] = sum;
}
