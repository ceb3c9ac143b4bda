@group(0) @binding(0) var<storage, read_write> x: array<i32>;

fn collatz(start: i32) -> i32 {
    var n = start;
    for (var steps = 0; steps < 100; steps++) {
        if n == 1 {
            return steps;
        }
        if n % 2 == 0 {
            n /= 2;
            continue;
        }
        n = 3 * n + 1;
    }
    return -1;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    x[id.x] = collatz(x[id.x]);
}
