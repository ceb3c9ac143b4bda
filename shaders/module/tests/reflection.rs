//! The interface of a kernel: layouts as the WGSL specification's section on memory layout has them, accesses, needs.

use warpweft_module::{Access, Features, Interface, Module, Scalar, Source, Space, Type};

fn interface(wgsl: &str) -> Interface {
    let module = Module::new(&[Source::new("k.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}")).interface().clone()
}

/// A type as text: structs with offsets, arrays with strides, all with sizes and alignments.
fn layout(ty: &Type) -> String {
    let inner = match ty {
        Type::Array { element, len, stride } => {
            let len = len.map_or("runtime".to_string(), |n| n.to_string());
            format!("array({} x {len}, stride {stride})", layout(element))
        }
        Type::Struct { name, members, .. } => {
            let members = members
                .iter()
                .map(|m| format!("{}@{} {}", m.name, m.offset, layout(&m.ty)))
                .collect::<Vec<_>>();
            format!("{name}{{{}}}", members.join(", "))
        }
        simple => simple.to_string(),
    };
    format!("{inner}:{}/{}", ty.size(), ty.align())
}

/// The layout and smallest size of a storage binding of the type `ty`, declared after `declarations`.
#[track_caller]
fn check_layout(declarations: &str, ty: &str, expected: &str, min_size: u64) {
    let wgsl = format!(
        "{declarations}\n@group(0) @binding(0) var<storage, read_write> v: {ty};\n@compute @workgroup_size(1) fn main() {{ let p = &v; touch(); }}\nfn touch() {{ let p = &v; }}"
    );
    let binding = interface(&wgsl).bindings.remove(0);
    assert_eq!(layout(&binding.ty), expected);
    assert_eq!(binding.min_size, min_size);
}

#[test]
fn plain_layouts() {
    check_layout("", "f32", "f32:4/4", 4);
    check_layout("", "vec2<f32>", "vec2<f32>:8/8", 8);
    check_layout("", "vec3<u32>", "vec3<u32>:12/16", 12);
    check_layout("", "vec4<i32>", "vec4<i32>:16/16", 16);
    check_layout("", "f64", "f64:8/8", 8);
    check_layout("", "vec3<f64>", "vec3<f64>:24/32", 24);
    check_layout("enable f16;", "vec3<f16>", "vec3<f16>:6/8", 6);
    check_layout("", "atomic<u32>", "atomic<u32>:4/4", 4);
}

#[test]
fn matrices_are_padded_columns() {
    check_layout("", "mat2x2<f32>", "mat2x2<f32>:16/8", 16);
    check_layout("", "mat3x2<f32>", "mat3x2<f32>:24/8", 24);
    check_layout("", "mat2x3<f32>", "mat2x3<f32>:32/16", 32);
    check_layout("", "mat3x3<f32>", "mat3x3<f32>:48/16", 48);
    check_layout("", "mat4x4<f32>", "mat4x4<f32>:64/16", 64);
    check_layout("enable f16;", "mat4x3<f16>", "mat4x3<f16>:32/8", 32);
}

#[test]
fn arrays_round_elements_up() {
    check_layout("", "array<vec3<f32>, 4>", "array(vec3<f32>:12/16 x 4, stride 16):64/16", 64);
    check_layout("", "array<f32>", "array(f32:4/4 x runtime, stride 4):4/4", 4);
    check_layout("", "array<vec3<f32>>", "array(vec3<f32>:12/16 x runtime, stride 16):16/16", 16);
    check_layout("", "array<mat3x3<f32>>", "array(mat3x3<f32>:48/16 x runtime, stride 48):48/16", 48);
    check_layout(
        "",
        "array<array<f32, 3>, 2>",
        "array(array(f32:4/4 x 3, stride 4):12/4 x 2, stride 12):24/4",
        24,
    );
}

#[test]
fn structs_pad_members() {
    check_layout(
        "struct P { a: u32, b: vec3<f32>, c: f32, d: vec2<f32> }",
        "P",
        "P{a@0 u32:4/4, b@16 vec3<f32>:12/16, c@28 f32:4/4, d@32 vec2<f32>:8/8}:48/16",
        48,
    );
    check_layout(
        "struct Inner { v: vec3<f32> } struct Outer { a: f32, i: Inner, b: f32 }",
        "Outer",
        "Outer{a@0 f32:4/4, i@16 Inner{v@0 vec3<f32>:12/16}:16/16, b@32 f32:4/4}:48/16",
        48,
    );
    check_layout(
        "struct T { n: u32, v: array<vec2<f32>> }",
        "T",
        "T{n@0 u32:4/4, v@8 array(vec2<f32>:8/8 x runtime, stride 8):8/8}:16/8",
        16,
    );
    // naga applies `@align` to offsets and sizes, and then forgets it: the alignment is that of the members' types.
    check_layout(
        "struct A { @size(16) a: u32, @align(32) b: u32 }",
        "A",
        "A{a@0 u32:4/4, b@32 u32:4/4}:64/4",
        64,
    );
}

#[test]
fn the_runtime_array_is_found() {
    let wgsl = "struct T { n: u32, v: array<vec3<f32>> }\n@group(0) @binding(0) var<storage, read_write> t: T;\n@compute @workgroup_size(1) fn main() { t.n = arrayLength(&t.v); }";
    let binding = interface(wgsl).bindings.remove(0);
    let (offset, element, stride) = binding.ty.runtime_array().unwrap();
    assert_eq!((offset, stride), (16, 16));
    assert_eq!(*element, Type::Vector { len: 3, scalar: Scalar::F32 });
    assert_eq!(binding.min_size, 32);
}

#[test]
fn bindings_in_order_with_their_accesses() {
    let wgsl = "
@group(1) @binding(0) var<storage, read_write> written: array<u32>;
@group(0) @binding(7) var<storage, read_write> counted: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> n: u32;
@group(0) @binding(5) var<storage> read_only: array<u32>;
@group(0) @binding(3) var<storage, read_write> measured: array<f32>;
@group(0) @binding(4) var<storage, read_write> unused: array<f32>;
@group(0) @binding(6) var<storage, read_write> only_read: array<u32>;
fn store(i: u32, v: u32) { written[i] = v; }
@compute @workgroup_size(4, 2, 1) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    store(id.x, read_only[id.x] + n + only_read[0]);
    if id.x < arrayLength(&measured) { atomicAdd(&counted[0], 1u); }
}
@compute @workgroup_size(1) fn other() { unused[0] = 1.0; }";
    let module = Module::new(&[Source::new("k.wgsl", wgsl)], &[]).unwrap();
    let kernel = module.kernel(Some("main"), &[]).unwrap();
    let interface = kernel.interface();
    let access = |writable, reads, writes| Access { writable, reads, writes };
    let found = interface.bindings.iter().map(|b| (b.name.as_str(), b.group, b.binding, b.space, b.access));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("n", 0, 2, Space::Uniform, access(false, true, false)),
            ("measured", 0, 3, Space::Storage, access(true, false, false)),
            ("read_only", 0, 5, Space::Storage, access(false, true, false)),
            ("only_read", 0, 6, Space::Storage, access(true, true, false)),
            ("counted", 0, 7, Space::Storage, access(true, true, true)),
            ("written", 1, 0, Space::Storage, access(true, false, true)),
        ]
    );
    assert_eq!(interface.workgroup_size, [4, 2, 1]);
    assert_eq!(interface.workgroup_invocations(), 8);
    assert_eq!(interface.position("read_only"), Some(2));
    assert_eq!(interface.position("unused"), None);
    assert!(interface.storage_atomics && !interface.barriers && !interface.num_workgroups);
}

/// The features of a kernel with the body `body`, in a module with storage of many types.
#[track_caller]
fn check_features(body: &str, expected: Features) {
    let wgsl = format!(
        "enable f16; enable wgpu_int16; enable subgroups;
const UNUSED: f64 = 3.0; const UNUSED_TOO: f64 = UNUSED; const HALF: f16 = 1.0;
@group(0) @binding(0) var<storage, read_write> d: array<f64>;
@group(0) @binding(1) var<storage, read_write> h: array<f16>;
@group(0) @binding(2) var<storage, read_write> l: array<i64>;
@group(0) @binding(3) var<storage, read_write> s: array<u16>;
@group(0) @binding(4) var<storage, read_write> f: array<f32>;
@group(0) @binding(5) var<storage, read_write> al: array<atomic<u64>>;
@group(0) @binding(6) var<storage, read_write> af: array<atomic<f32>>;
@group(0) @binding(7) var<storage, read_write> au: array<atomic<u32>>;
var<workgroup> wl: atomic<u64>;
fn never_called() {{ d[0] = modf(d[1]).fract; }}
@compute @workgroup_size(1) fn main() {{ {body} }}"
    );
    assert_eq!(interface(&wgsl).features, expected, "{body}");
}

#[test]
fn features_are_those_that_the_code_uses() {
    check_features("f[0] = f[1];", Features::empty());
    check_features("d[0] = 1.0;", Features::F64);
    check_features("f[0] = f32(HALF);", Features::empty());
    check_features("let a = f64(f[0]) * 2.0; f[1] = f32(a);", Features::F64);
    check_features("h[0] = HALF;", Features::F16);
    check_features("f[0] = f32(f16(f[1]));", Features::F16);
    check_features("f[0] = quantizeToF16(f[1]) + unpack2x16float(1u).x;", Features::empty());
    check_features("l[0] = 1;", Features::I64);
    check_features("s[0] = u16(3);", Features::I16);
    check_features("f[0] = modf(f[1]).fract;", Features::empty());
    check_features("f[0] = subgroupAdd(f[1]);", Features::SUBGROUPS);
    check_features("f[0] = subgroupBroadcastFirst(f[1]);", Features::SUBGROUPS);
    check_features("subgroupBarrier();", Features::SUBGROUPS | Features::SUBGROUP_BARRIER);
    check_features("atomicAdd(&au[0], 1u);", Features::empty());
    check_features("atomicAdd(&af[0], 1.0f);", Features::ATOMIC_F32);
    check_features("atomicMax(&al[0], 1lu);", Features::I64 | Features::ATOMIC_I64_MIN_MAX);
    check_features("atomicAdd(&al[0], 1lu);", Features::I64 | Features::ATOMIC_I64);
    check_features("atomicStore(&al[0], 1lu);", Features::I64 | Features::ATOMIC_I64);
    check_features("l[0] = i64(atomicLoad(&al[0]));", Features::I64 | Features::ATOMIC_I64);
    check_features("atomicMax(&wl, 1lu);", Features::I64 | Features::ATOMIC_I64);
}

#[test]
fn subgroup_builtins_need_subgroups() {
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n@compute @workgroup_size(64) fn main(@builtin(subgroup_size) n: u32) { x[0] = n; }";
    assert_eq!(interface(wgsl).features, Features::SUBGROUPS);
}

/// What a kernel says of its needs other than features.
#[track_caller]
fn check_needs(body: &str, barriers: bool, storage_atomics: bool, num_workgroups: bool) {
    let wgsl = format!(
        "struct In {{ @builtin(local_invocation_index) lane: u32, {} }}
@group(0) @binding(0) var<storage, read_write> x: array<atomic<u32>>;
var<workgroup> w: u32; var<workgroup> wa: atomic<u32>;
fn barrier() {{ storageBarrier(); }}
fn load() -> u32 {{ return workgroupUniformLoad(&w); }}
@compute @workgroup_size(64) fn main(in: In) {{ {body} }}",
        if num_workgroups { "@builtin(num_workgroups) n: vec3<u32>" } else { "" }
    );
    let interface = interface(&wgsl);
    let found = (interface.barriers, interface.storage_atomics, interface.num_workgroups);
    assert_eq!(found, (barriers, storage_atomics, num_workgroups), "{body}");
}

#[test]
fn barriers_atomics_and_grid_size() {
    check_needs("w = in.lane;", false, false, false);
    check_needs("if in.lane == 0u { workgroupBarrier(); }", true, false, false);
    check_needs("loop { if in.lane > 3u { break; } barrier(); }", true, false, false);
    check_needs("w = load();", true, false, false);
    check_needs("atomicAdd(&wa, 1u);", false, false, false);
    check_needs("atomicAdd(&x[0], 1u);", false, true, false);
    check_needs("w = atomicLoad(&x[0]);", false, true, false);
    check_needs("atomicStore(&x[0], 2u);", false, true, false);
    check_needs("w = in.n.x;", false, false, true);
}

#[test]
fn workgroup_memory_is_counted_in_16_bytes() {
    let wgsl = "const N = 5; override M = 3u;
var<workgroup> a: array<f32, N>; var<workgroup> b: u32; var<workgroup> c: array<vec4<f32>, M * 2>; var<workgroup> unused: array<f32, 999>;
@compute @workgroup_size(1) fn main() { a[0] = 1.0; b = 2u; c[1].x = 1.0; }";
    let module = Module::new(&[Source::new("k.wgsl", wgsl)], &[]).unwrap();
    let bytes = |m: f64| module.kernel(None, &[("M".into(), m)]).unwrap().interface().workgroup_memory;
    assert_eq!(bytes(3.0), 32 + 16 + 96);
    assert_eq!(bytes(1.0), 32 + 16 + 32);
}
