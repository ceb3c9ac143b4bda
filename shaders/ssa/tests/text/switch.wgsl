@group(0) @binding(0) var<storage, read_write> x: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var n = x[id.x];
    switch n % 8u {
        case 0u, 1u: {
            n += 10u;
        }
        case 2u: {
            if n > 100u {
                break;
            }
            n *= 3u;
        }
        case 3u, default: {
            n = 0u;
        }
    }
    x[id.x] = n;
}
