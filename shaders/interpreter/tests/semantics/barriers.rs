//! Barriers, workgroup memory, and who must be there.

use crate::Test;
use warpweft_interpreter::Fault;

#[test]
fn tree_reduction() {
    let wgsl = "
        @group(0) @binding(0) var<storage> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> sums: array<f32>;
        var<workgroup> partial: array<f32, 64>;
        @compute @workgroup_size(64)
        fn main(
            @builtin(global_invocation_id) g: vec3<u32>,
            @builtin(local_invocation_index) i: u32,
            @builtin(workgroup_id) w: vec3<u32>,
        ) {
            partial[i] = x[g.x];
            workgroupBarrier();
            for (var half = 32u; half > 0; half /= 2) {
                if i < half { partial[i] += partial[i + half]; }
                workgroupBarrier();
            }
            if i == 0 { sums[w.x] = partial[0]; }
        }";
    let x: Vec<f32> = (0..150).map(|n| n as f32).collect();
    let sum = |range: std::ops::Range<usize>| x[range].iter().sum::<f32>();
    let expected = [sum(0..64), sum(64..128), sum(128..150)];
    Test::new(wgsl).workgroups(3, 1, 1).bind("x", &x).bind("sums", &[0f32; 3]).expect("sums", &expected);
}

#[test]
fn those_who_returned_are_not_waited_for() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> w: array<u32, 8>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            if i >= 5 { return; }
            w[i] = i * i;
            workgroupBarrier();
            x[i] = w[4 - i];
        }";
    Test::new(wgsl).bind("x", &[7u32; 8]).expect("x", &[16u32, 9, 4, 1, 0, 7, 7, 7]);
}

#[test]
fn overhang_is_not_waited_for() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> w: array<u32, 8>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            w[i] = i + 1;
            storageBarrier();
            workgroupBarrier();
            x[i] = w[7 - i];
        }";
    Test::new(wgsl).over(6, 1, 1).bind("x", &[7u32; 8]).expect("x", &[0u32, 0, 6, 5, 4, 3, 7, 7]);
}

#[test]
fn barriers_inside_functions() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> w: array<u32, 8>;
        fn rotate(i: u32, value: u32) -> u32 {
            workgroupBarrier();
            w[i] = value;
            workgroupBarrier();
            return w[(i + 1) % 8];
        }
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            var n = i;
            for (var round = 0; round < 3; round++) { n = rotate(i, n); }
            x[i] = n;
        }";
    Test::new(wgsl).bind("x", &[0u32; 8]).expect("x", &[3u32, 4, 5, 6, 7, 0, 1, 2]);
}

#[test]
fn uniform_load() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> w: array<vec2<u32>, 4>;
        var<workgroup> counter: atomic<u32>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            if i == 5 { w[2] = vec2(30u, 40u); }
            atomicAdd(&counter, 2);
            let v = workgroupUniformLoad(&w[2]);
            w[2].x = 0;
            x[i] = v.x + v.y + workgroupUniformLoad(&counter);
        }";
    Test::new(wgsl).bind("x", &[0u32; 8]).expect("x", &[86u32; 8]);
}

#[test]
fn divergent_barriers_are_faults() {
    let kernel = |body: &str| {
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
             var<workgroup> w: array<u32, 8>;
             fn leave(i: u32) {{ if i == 1 {{ return; }} workgroupBarrier(); }}
             @compute @workgroup_size(8)
             fn main(@builtin(local_invocation_index) i: u32) {{
                 x[0] = w[0];
                 {body}
             }}"
        );
        Test::new(&wgsl).bind("x", &[0u32; 8]).fault()
    };
    let fault = kernel("if i < 3 { workgroupBarrier(); }");
    assert_eq!(
        fault.to_string(),
        "test.wgsl:7:29: workgroup (0, 0, 0): 3 of 8 running invocations of kernel `main` reached this barrier; all \
         must (move it out of the non-uniform branch or loop)"
    );
    for body in [
        "for (var j = 0u; j < i; j++) { workgroupBarrier(); }",
        "leave(i);",
        "if i < 4 { x[1] = workgroupUniformLoad(&w[0]); }",
        "if i > 5 { return; } if i == 0 { storageBarrier(); }",
        "switch i { case 1 { workgroupBarrier(); } default { } }",
    ] {
        assert!(matches!(kernel(body), Fault::DivergentBarrier { .. }), "{body}");
    }
    let fault = kernel("x[1] = workgroupUniformLoad(&w[i]);");
    assert!(fault.to_string().contains("different pointers to workgroupUniformLoad"), "{fault}");
}

#[test]
fn uniform_branches_may_hold_barriers() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<uniform> flag: u32;
        var<workgroup> w: u32;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            if flag == 1 {
                if i == 7 { w = 5; }
                workgroupBarrier();
            }
            x[i] = w;
        }";
    for (flag, expected) in [(0u32, 0u32), (1, 5)] {
        Test::new(wgsl).bind("flag", &[flag]).bind("x", &[9u32; 8]).expect("x", &[expected; 8]);
    }
}
