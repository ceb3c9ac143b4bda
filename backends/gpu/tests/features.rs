//! What kernels may need beyond core WebGPU, and what is refused with a reason.

mod common;

use common::{Launch, gpu, kernel};
use warpweft_gpu::devices;
use warpweft_hal::{Device, DeviceKind, Error, Program, cautions, obstacles};
use warpweft_module::Features;

/// The features that Mesa's lavapipe offers; a test of one of them on another device is a test of less.
fn has(features: Features) -> bool {
    let gpu = gpu();
    let has = gpu.info().features.contains(features);
    assert!(has || !gpu.info().name.contains("llvmpipe"), "lavapipe should offer {features:?}");
    has
}

#[test]
fn devices_say_what_they_are() {
    let found = devices();
    assert!(!found.is_empty(), "no graphics device was found: run scripts/test");
    for device in &found {
        let info = device.info();
        assert!(!info.host_memory && !info.synchronous);
        assert_ne!(info.kind, DeviceKind::Cpu);
        assert!(info.limits.workgroup_invocations >= 64, "{info:?}");
        assert!(info.subgroup_sizes[0] <= info.subgroup_sizes[1]);
        assert_eq!(
            info.kind == DeviceKind::Software,
            info.name.contains("llvmpipe") || info.name.contains("Swift")
        );
    }
}

#[test]
fn half_floats() {
    if !has(Features::F16) {
        return;
    }
    let gpu = gpu();
    let wgsl = "enable f16;
        @group(0) @binding(0) var<storage, read_write> x: array<f16>;
        @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            x[id.x] = x[id.x] * 2.0h + x[id.x + 100u];
        }";
    let x: Vec<u16> = (0..8).map(|i| [0x3c00u16, 0x4000, 0x4200, 0x4400][i % 4]).collect();
    let launch = Launch::new(&gpu, wgsl).bind("x", &x);
    launch.over([8, 1, 1]);
    assert_eq!(launch.read::<u16>("x"), [0x4000, 0x4400, 0x4600, 0x4800, 0x4000, 0x4400, 0x4600, 0x4800]);
}

#[test]
fn doubles() {
    if !has(Features::F64) {
        return;
    }
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<f64>;
        @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            let v = x[id.x]; x[id.x] = sqrt(v) + floor(v / 3.0lf) + v % 2.0lf + max(v, x[id.x + 100u]) + abs(-v);
        }";
    let x: Vec<f64> = (0..8).map(|i| f64::from(i) * 1.25).collect();
    let launch = Launch::new(&gpu, wgsl).bind("x", &x);
    launch.over([8, 1, 1]);
    let expected: Vec<f64> = x.iter().map(|v| v.sqrt() + (v / 3.0).floor() + v % 2.0 + v + v).collect();
    for (seen, expected) in launch.read::<f64>("x").iter().zip(expected) {
        assert!((seen - expected).abs() <= 1e-12 * expected, "{seen} is not {expected}");
    }
}

#[test]
fn transcendental_functions_of_doubles_are_refused() {
    let gpu = gpu();
    for function in ["exp(v)", "log(v)", "sin(v)", "pow(v, v)", "atan2(v, v)", "tanh(v)", "degrees(v)"] {
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<f64>;
             fn f(v: f64) -> f64 {{ return {function}; }}
             @compute @workgroup_size(1) fn main() {{ x[0] = f(x[0]); }}"
        );
        match gpu.load(&Program { kernel: kernel(&wgsl), native: None }) {
            Err(Error::Compile { reason, .. }) => assert!(reason.contains("f64"), "{reason}"),
            other => panic!("{function}: {other:?}"),
        }
    }
}

#[test]
fn long_integers() {
    if !has(Features::I64) {
        return;
    }
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u64>;
        @group(0) @binding(1) var<storage, read_write> y: array<i64>;
        @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            let i = id.x;
            x[i] = x[i] * 3lu + 5lu;
            y[i] = y[i] / -7li;
            // Indices of 64 bits: the low word alone would be in bounds.
            x[i64(i) + 4294967296li] = 1lu;
            y[u64(i) + 4294967296lu] = 1li;
            y[-1li - i64(i)] = 1li;
        }";
    let x = [u64::MAX, 1 << 40, 7, 0];
    let y = [i64::MIN + 1, 1 << 40, -70, 0];
    let launch = Launch::new(&gpu, wgsl).bind("x", &x).bind("y", &y);
    launch.over([4, 1, 1]);
    assert_eq!(launch.read::<u64>("x"), x.map(|x| x.wrapping_mul(3).wrapping_add(5)));
    assert_eq!(launch.read::<i64>("y"), y.map(|y| y / -7));
}

#[test]
fn subgroups() {
    if !has(Features::SUBGROUPS) {
        return;
    }
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<vec4<u32>>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>,
            @builtin(subgroup_size) size: u32, @builtin(subgroup_invocation_id) lane: u32) {
            let sum = subgroupAdd(id.x);
            let first = subgroupBroadcastFirst(id.x);
            x[id.x] = vec4(sum, first, size, lane + subgroupExclusiveAdd(1u) - subgroupShuffle(lane, lane));
        }";
    let launch = Launch::new(&gpu, wgsl).bind("x", &[[0u32; 4]; 256]);
    launch.workgroups([4, 1, 1]);
    let seen = launch.read::<[u32; 4]>("x");
    let [least, most] = gpu.info().subgroup_sizes;
    for (i, [sum, first, size, lane]) in seen.iter().copied().enumerate() {
        assert!((least..=most).contains(&size), "{size}");
        assert_eq!(first, i as u32 / size * size);
        assert_eq!(sum, (first..first + size).sum::<u32>());
        assert_eq!(lane, i as u32 % size);
    }
}

#[test]
fn atomics_on_floats_and_long_integers() {
    if has(Features::ATOMIC_F32) {
        let gpu = gpu();
        let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<atomic<f32>>;
            @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                atomicAdd(&x[id.x % 3u], 1.0);
            }";
        let launch = Launch::new(&gpu, wgsl).bind("x", &[0.5f32; 2]);
        launch.over([300, 1, 1]);
        assert_eq!(launch.read::<f32>("x"), [100.5; 2]);
    }
    if has(Features::ATOMIC_I64) {
        let gpu = gpu();
        let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<atomic<u64>>;
            @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                atomicAdd(&x[id.x % 3u], 4294967297lu); let old = atomicMax(&x[1000u], 5lu);
                atomicAdd(&x[1], old);
            }";
        let launch = Launch::new(&gpu, wgsl).bind("x", &[1u64; 2]);
        launch.over([300, 1, 1]);
        assert_eq!(launch.read::<u64>("x"), [1 + 100 * 4_294_967_297u64; 2]);
    }
}

#[test]
fn what_the_driver_refuses_is_a_typed_error() {
    let gpu = gpu();
    let wgsl = "@compute @workgroup_size(8192) fn too_wide() { }";
    let kernel = kernel(wgsl);
    assert!(!obstacles(gpu.info(), kernel.interface()).is_empty(), "the runtime would not get this far");
    match gpu.load(&Program { kernel, native: None }) {
        Err(Error::Compile { kernel, reason, .. }) => {
            assert_eq!(kernel, "too_wide");
            assert!(reason.contains("8192"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    let ok = common::kernel("@compute @workgroup_size(64) fn fine() { }");
    gpu.load(&Program { kernel: ok, native: None }).expect("the device still works");
}

#[test]
fn groups_may_have_gaps() {
    let gpu = gpu();
    let wgsl = "@group(1) @binding(5) var<storage, read_write> a: array<u32>;
        @group(3) @binding(0) var<storage, read> b: array<u32>;
        @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3<u32>) { a[id.x] = b[3u - id.x]; }";
    let launch = Launch::new(&gpu, wgsl).bind("a", &[0u32; 4]).bind("b", &[1u32, 2, 3, 4]);
    launch.over([4, 1, 1]);
    assert_eq!(launch.read::<u32>("a"), [4, 3, 2, 1]);
}

#[test]
fn a_driver_that_leaves_long_loops_is_found_out() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(1) fn main() {
            for (var i = 0u; i < 300u; i++) { for (var j = 0u; j < 300u; j++) { x[0] += 1u; } }
        }";
    let launch = Launch::new(&gpu, wgsl).bind("x", &[0u32]);
    launch.workgroups([1, 1, 1]);
    let right = launch.read::<u32>("x") == [90_000];
    assert_eq!(right, gpu.info().loop_limit.is_none(), "{:?}", gpu.info().driver);
}

#[test]
fn a_driver_whose_idle_lanes_go_on_in_loops_is_found_out() {
    let gpu = gpu();
    let lanes = gpu.info().idle_lanes;
    // Nobody but lanes without an invocation sees a zero in either.
    let barriers = |size: u32| {
        format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
            var<workgroup> rounds: u32;
            @compute @workgroup_size({size}) fn main(@builtin(local_invocation_index) lane: u32) {{
                loop {{
                    if lane == 0u {{ rounds += 1u; }}
                    if workgroupUniformLoad(&rounds) == 3u {{ break; }}
                }}
                x[lane] += 6u;
            }}"
        )
    };
    let waits = |size: u32| {
        format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
            @compute @workgroup_size({size}) fn main(@builtin(local_invocation_index) lane: u32) {{
                loop {{ if x[lane] == 1u {{ break; }} }}
                for (var i = 0u; i < 6u; i++) {{ x[lane] += 1u; }}
            }}"
        )
    };
    let mut wrong = false;
    for size in [1, 9, 16, 17, 24, 32, 33, 64, 100] {
        for wgsl in [barriers(size), waits(size)] {
            let launch = Launch::new(&gpu, &wgsl).bind("x", &vec![1u32; size as usize]);
            launch.workgroups([1, 1, 1]);
            let right = launch.read::<u32>("x") == vec![7; size as usize];
            let kernel = common::kernel(&wgsl);
            let cautions = cautions(gpu.info(), kernel.interface());
            let told = cautions.iter().any(|caution| caution.contains("idle lanes"));
            assert_eq!(told, lanes.is_some_and(|lanes| size % lanes != 0), "{size}: {cautions:?}");
            assert!(right || told, "{size} on {:?}: {wgsl}", gpu.info());
            wrong |= !right;
        }
    }
    assert_eq!(wrong, lanes.is_some(), "{:?}", gpu.info());
}

#[test]
fn functions_that_double_are_refused_at_once() {
    let mut wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        fn f0(a: u32) -> u32 { return a * 3u + x[a]; }\n"
        .to_string();
    for i in 1..=40 {
        wgsl += &format!("fn f{i}(a: u32) -> u32 {{ return f{0}(a) + f{0}(a + 1u); }}\n", i - 1);
    }
    wgsl += "@compute @workgroup_size(1) fn main() { x[0] = f40(1u); }";
    match gpu().load(&Program { kernel: kernel(&wgsl), native: None }) {
        Err(Error::Compile { reason, .. }) => assert!(reason.contains("calls written out"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
