@group(0) @binding(0) var<storage, read_write> x: array<u32>;
var<private> count: u32;

fn half(p: ptr<function, array<u32, 4>>, i: u32) -> u32 {
    count++;
    if i > 2u {
        return 0u;
    }
    return (*p)[i] / 2u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var a = array<u32, 4>(1, 2, 3, x[id.x]);
    for (var i = 0u; i < 4u; i++) {
        x[id.x] += half(&a, i);
    }
    x[id.x] *= count;
}
