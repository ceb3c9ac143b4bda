//! Barriers that not everybody reaches, in WGSL.

use warpweft_module::{Module, Source};
use warpweft_ssa::barriers::{Divergence, check};
use warpweft_ssa::ir::Function;

/// Checks a kernel with this body; line 1 of the body is line 4.
fn checked(body: &str) -> Vec<Divergence> {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> data: array<u32>; @group(0) @binding(1) var<uniform> n: u32;
        var<workgroup> shared_data: array<u32, 64>;
        fn wait_if(b: bool) {{ if (b) {{ return; }} workgroupBarrier(); }}
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32, @builtin(global_invocation_id) g: vec3<u32>) {{ {body} }}"
    );
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
    check(&Function::new(&kernel).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn uniform_control_flow_is_fine() {
    for body in [
        "workgroupBarrier(); data[i] = 1u;",
        "if (n > 3u) { workgroupBarrier(); } data[i] = 1u;",
        "for (var k = 0u; k < n; k++) { workgroupBarrier(); shared_data[i] += k; } data[i] = shared_data[0];",
        "for (var s = 32u; s > 0u; s /= 2u) { if (i < s) { shared_data[i] += shared_data[i + s]; } workgroupBarrier(); }",
        // Those that returned are not missed.
        "if (g.x >= n) { return; } workgroupBarrier(); data[i] = 1u;",
        "for (var k = 0u; k < n; k++) { if (g.x + k == 7u) { return; } workgroupBarrier(); }",
        "let all = workgroupUniformLoad(&shared_data)[3]; if (all > 3u) { workgroupBarrier(); }",
        "if (i < 64u) { workgroupBarrier(); data[i] = 1u; }",
    ] {
        assert_eq!(checked(body), [], "{body}");
    }
}

#[test]
fn branches_on_ids_are_certain() {
    for (body, builtin) in [
        ("if (i < 32u) { workgroupBarrier(); } data[i] = 1u;", "local_invocation_index"),
        ("for (var k = 0u; k < g.x; k++) { storageBarrier(); } data[i] = 1u;", "global_invocation_id"),
        ("loop { if (i > n) { break; } workgroupBarrier(); } data[i] = 1u;", "local_invocation_index"),
        (
            "for (var k = 0u; k < n; k++) { if (g.x == k) { continue; } workgroupBarrier(); }",
            "global_invocation_id",
        ),
        ("wait_if(i == 3u); data[i] = 1u;", "local_invocation_index"),
        ("switch i { case 3u: { workgroupBarrier(); } default: {} } data[i] = 1u;", "local_invocation_index"),
    ] {
        let found = checked(body);
        let [found] = &found[..] else { panic!("{body}: {found:?}") };
        assert!(found.certain, "{body}");
        assert!(found.why.contains(builtin), "{body}: {}", found.why);
        assert!(found.why.contains("test.wgsl:"), "{}", found.why);
    }
}

#[test]
fn branches_on_writable_memory_are_left_to_the_run() {
    for body in [
        "if (data[3] > 1u) { workgroupBarrier(); } data[i] = 1u;",
        "while (shared_data[0] < 10u) { if (i == 0u) { shared_data[0]++; } workgroupBarrier(); }",
        "if (data[i] > 1u) { workgroupBarrier(); } data[i] = 1u;",
        "let ticket = shared_data[0]; wait_if(ticket == 3u); data[i] = 1u;",
    ] {
        let found = checked(body);
        let [found] = &found[..] else { panic!("{body}: {found:?}") };
        assert!(!found.certain, "{body}: {}", found.why);
        assert!(found.why.contains("memory that the kernel may write"), "{}", found.why);
    }
}
