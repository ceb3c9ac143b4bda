// y = A x for a sparse matrix in compressed rows (CSR), one row per invocation (Bell, Garland, "Efficient Sparse
// Matrix-Vector Multiplication on CUDA", NVIDIA, 2008, the scalar kernel): the elements of row r are
// values[starts[r] .. starts[r + 1]], in the columns that `columns` names.
//
// Cost for each element that is not zero: 2 flops; 8 bytes (value and column), and 12 for each row (start, x, y).
// Limits: starts has one element more than y; columns lie within x.

@group(0) @binding(0) var<storage, read> starts: array<u32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn spmv_csr(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if row >= arrayLength(&y) {
        return;
    }
    var sum = 0.0;
    let end = starts[row + 1u];
    for (var i = starts[row]; i < end; i++) {
        sum += values[i] * x[columns[i]];
    }
    y[row] = sum;
}
