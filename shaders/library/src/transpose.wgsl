// dst = transpose of src, tile by tile through workgroup memory, so that reads and writes are both along rows (Ruetsch,
// Micikevicius, "Optimizing Matrix Transpose in CUDA", NVIDIA, 2009). The tile's rows are one element longer than they
// need be: columns then spread over the banks of workgroup memory.
//
// Cost for each element: no flops; 8 bytes (read src, write dst).
// Limits: rows are contiguous, size = (width, height) of src; src and dst have width * height elements. Dispatch whole
// workgroups, ceil(width / 16) by ceil(height / 16).

const TILE = 16u;

@group(0) @binding(0) var<storage, read> src: array<f32>;
@group(0) @binding(1) var<storage, read_write> dst: array<f32>;
@group(0) @binding(2) var<uniform> size: vec2<u32>;

var<workgroup> tile: array<array<f32, TILE + 1>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn transpose(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
    let origin = block.xy * TILE;
    let in_src = origin + lane.xy;
    if in_src.x < size.x && in_src.y < size.y {
        tile[lane.y][lane.x] = src[in_src.y * size.x + in_src.x];
    }
    workgroupBarrier();
    let in_dst = origin.yx + lane.xy;
    if in_dst.x < size.y && in_dst.y < size.x {
        dst[in_dst.y * size.y + in_dst.x] = tile[lane.x][lane.y];
    }
}
