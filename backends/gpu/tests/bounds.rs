//! Out of bounds, everywhere: reads give zero, writes and atomics are dropped, neighbours keep what they have.

mod common;

use common::{Launch, download, gpu, upload};

/// Indices around and far beyond everything, among them those whose byte offset wraps around 2³² onto an element.
const FAR: [u32; 16] = [
    0,
    1,
    3,
    7,
    8,
    9,
    100,
    1 << 20,
    1 << 28,
    (1 << 28) + 1,
    1 << 30,
    (1 << 30) + 2,
    1 << 31,
    (1 << 31) + 1,
    u32::MAX - 1,
    u32::MAX,
];

/// Runs one invocation per far index; gives `out` and `data`, which is bound as a view in the middle of ones.
fn run(declarations: &str, body: &str, words: usize) -> (Vec<u32>, Vec<u32>) {
    let gpu = gpu();
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read> far: array<u32>;
         @group(0) @binding(1) var<storage, read_write> out: array<u32>;
         {declarations}
         @compute @workgroup_size(1) fn main(@builtin(workgroup_id) group: vec3<u32>) {{
             let n = group.x; let i = far[n]; let s = bitcast<i32>(i);
             if (n > 15u) {{ out[n] = u32(s); }}
             {body}
         }}"
    );
    let mut launch = Launch::new(&gpu, &wgsl).bind("far", &FAR).bind("out", &[77u32; 16]);
    let bytes = 4 * words as u64;
    let memory = upload(&gpu, &vec![1u32; words + 128]);
    if declarations.contains("> data:") {
        launch = launch.view("data", memory, 256..256 + bytes);
    }
    launch.workgroups([16, 1, 1]);
    let around = download::<u32>(&gpu, memory, 0..bytes + 512);
    assert!(
        around[..64].iter().chain(&around[64 + words..]).all(|w| *w == 1),
        "a write left its binding: {around:?}"
    );
    (launch.read("out"), around[64..64 + words].to_vec())
}

/// What each far index should give where `length` elements are.
fn expect(length: u32, inside: impl Fn(u32) -> u32) -> Vec<u32> {
    FAR.iter().map(|&i| if i < length { inside(i) } else { 0 }).collect()
}

const DATA: &str = "@group(0) @binding(2) var<storage, read_write> data: array<u32>;";

#[test]
fn runtime_arrays() {
    for index in ["i", "s"] {
        let (out, data) =
            run(DATA, &format!("out[n] = data[{index}]; data[{index}] = 5u; data[{index}] += 1u;"), 8);
        assert_eq!(out, expect(8, |_| 1));
        assert_eq!(data, [6, 6, 1, 6, 1, 1, 1, 6], "elements 0, 1, 3 and 7 are named by a far index");
    }
    // The last element stays: nothing is clamped onto it.
    let (_, data) = run(DATA, "if (i > 7u) { data[i] = 9u; }", 8);
    assert_eq!(data, [1; 8]);
}

#[test]
fn runtime_arrays_at_a_constant_index() {
    let (out, data) = run(DATA, "out[n] = data[7] + 10u * data[8]; data[8] = 3u; data[1000000] = 3u;", 8);
    assert_eq!(out, [1; 16]);
    assert_eq!(data, [1; 8]);
}

#[test]
fn runtime_arrays_at_the_end_of_structures() {
    let declarations = "struct Item { a: u32, b: array<u32, 3> }
        struct Data { head: array<u32, 4>, items: array<Item> }
        @group(0) @binding(2) var<storage, read_write> data: Data;";
    let (out, data) =
        run(declarations, "out[n] = data.items[i].b[2] + data.head[i]; data.items[i].b[i] = 4u;", 20);
    // Items are four words each: four items behind the head.
    assert_eq!(out, FAR.map(|i| u32::from(i < 4) * 2));
    let mut expected = [1; 20];
    expected[4 + 1] = 4;
    expected[4 + 4 + 2] = 4;
    assert_eq!(data, expected, "items[0].b[0] and items[1].b[1]");
}

#[test]
fn whole_structures_and_arrays() {
    let declarations = "struct Item { a: vec2<u32>, b: array<u32, 2> }
        @group(0) @binding(2) var<storage, read_write> data: array<Item>;";
    let body = "let item = data[i]; out[n] = item.a.x + item.a.y + item.b[0] + item.b[1];
        data[i] = Item(vec2(n, n), array(n, n));
        let p = &data[i]; let row = (*p).b; out[n] += 100u * row[1];";
    let (out, data) = run(declarations, body, 16);
    assert_eq!(
        out,
        FAR.iter().enumerate().map(|(n, i)| if *i < 4 { 4 + 100 * n as u32 } else { 0 }).collect::<Vec<_>>()
    );
    assert_eq!(data, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2].map(|w: u32| w));
}

#[test]
fn whole_structures_and_arrays_of_the_right_items() {
    let declarations = "@group(0) @binding(2) var<storage, read_write> data: array<array<u32, 2>>;";
    let (_, data) = run(declarations, "data[i] = array(10u + n, 20u + n);", 8);
    assert_eq!(data, [10, 20, 11, 21, 1, 1, 12, 22]);
}

#[test]
fn fixed_arrays_in_uniforms() {
    let gpu = gpu();
    let wgsl = "@group(0) @binding(0) var<storage, read> far: array<u32>;
        @group(0) @binding(1) var<storage, read_write> out: array<u32>;
        struct Table { rows: array<vec4<u32>, 3>, tail: u32 }
        @group(1) @binding(0) var<uniform> table: Table;
        @compute @workgroup_size(1) fn main(@builtin(workgroup_id) w: vec3<u32>) {
            let i = far[w.x];
            out[w.x] = table.rows[i].y + 10u * table.rows[1][i] + 100u * table.rows[i][i];
        }";
    let mut table = [1u32; 16];
    table[12..].fill(9);
    let launch = Launch::new(&gpu, wgsl).bind("far", &FAR).bind("out", &[0u32; 16]).value("table", table);
    launch.workgroups([16, 1, 1]);
    let expected = FAR.map(|i| u32::from(i < 3) + 10 * u32::from(i < 4) + 100 * u32::from(i < 3));
    assert_eq!(launch.read::<u32>("out"), expected);
}

#[test]
fn private_function_and_workgroup_arrays() {
    for space in ["private", "workgroup", "function"] {
        let (global, local) = match space {
            "function" => (String::new(), "var a: array<u32, 8>; var guard: array<u32, 8>;".to_owned()),
            _ => {
                (format!("var<{space}> a: array<u32, 8>; var<{space}> guard: array<u32, 8>;"), String::new())
            }
        };
        let body = format!(
            "{local} for (var k = 0u; k < 8u; k++) {{ a[k] = k + 1u; guard[k] = 50u; }}
             out[n] = a[i]; a[i] = 100u; a[s] += 1000u;
             for (var k = 0u; k < 8u; k++) {{ out[n] += a[k] + guard[k]; }}"
        );
        let (out, _) = run(&global, &body, 8);
        let sum = 36 + 400;
        let expected = FAR.map(|i| if i < 8 { (i + 1) + sum - (i + 1) + 1100 } else { sum });
        assert_eq!(out, expected, "{space}");
    }
}

#[test]
fn arrays_of_arrays() {
    let body = "var a: array<array<u32, 3>, 5>;
        for (var r = 0u; r < 5u; r++) { for (var c = 0u; c < 3u; c++) { a[r][c] = 1u; } }
        a[i][0] += 10u; a[0][i] += 100u; let row = a[i]; out[n] = row[i];
        for (var r = 0u; r < 5u; r++) { for (var c = 0u; c < 3u; c++) { out[n] += a[r][c]; } }";
    let (out, _) = run("", body, 8);
    let expected = FAR.map(|i| {
        let diagonal = if i == 0 { 111 } else { u32::from(i < 3) };
        diagonal + 15 + 10 * u32::from(i < 5) + 100 * u32::from(i < 3)
    });
    assert_eq!(out, expected);
}

#[test]
fn values_that_are_indexed() {
    let body = "let v = vec3<u32>(1u, 2u, 3u); let a = array<u32, 5>(5u, 6u, 7u, 8u, 9u);
        let b = array<vec2<u32>, 2>(vec2(1u, 2u), vec2(3u, 4u));
        out[n] = v[i] + 10u * a[s] + 1000u * b[i].y + 10000u * b[0][s];";
    let (out, _) = run("", body, 8);
    let at = |list: &[u32], i: u32| list.get(i as usize).copied().unwrap_or(0);
    let expected = FAR.map(|i| {
        at(&[1, 2, 3], i) + 10 * at(&[5, 6, 7, 8, 9], i) + 1000 * at(&[2, 4], i) + 10000 * at(&[1, 2], i)
    });
    assert_eq!(out, expected);
}

#[test]
fn vector_components_and_matrix_columns() {
    let declarations = "struct Data { v: vec4<f32>, m: mat3x2<f32>, w: array<vec3<f32>> }
        @group(0) @binding(2) var<storage, read_write> data: Data;";
    let body = "if (n == 0u) { data.v = vec4(1.0, 2.0, 3.0, 4.0); data.m = mat3x2(1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
            data.w[0] = vec3(7.0, 8.0, 9.0); }
        var v = vec4(1.0, 2.0, 3.0, 4.0); var m = mat3x2(1.0, 2.0, 3.0, 4.0, 5.0, 6.0);
        out[n] = u32(v[i] + 10.0 * m[i].y + 100.0 * m[1][i] + 1000.0 * m[s][s]);
        v[i] = 0.0; m[i] = vec2(0.0); m[0][i] = 0.0;
        out[n] += 100000u * u32(dot(v, vec4(1.0)) + dot(m[0] + m[1] + m[2], vec2(1.0)));
        if (i > 3u) { data.v[i] = 99.0; data.m[i] = vec2(99.0); data.m[1][i] = 99.0; data.w[0][i] = 99.0; data.w[i].x = 99.0; }";
    let (out, data) = run(declarations, body, 16);
    let at = |list: &[u32], i: u32| list.get(i as usize).copied().unwrap_or(0);
    let expected = FAR.map(|i| {
        let cell = if i < 2 { [1, 4][i as usize] } else { 0 };
        let mut m = [1, 2, 3, 4, 5, 6];
        if i < 3 {
            m[2 * i as usize..][..2].fill(0);
        }
        if i < 2 {
            m[i as usize] = 0;
        }
        let v = 10 - at(&[1, 2, 3, 4], i);
        at(&[1, 2, 3, 4], i)
            + 10 * at(&[2, 4, 6], i)
            + 100 * at(&[3, 4], i)
            + 1000 * cell
            + 100_000 * (v + m.iter().sum::<u32>())
    });
    assert_eq!(out, expected);
    let floats: Vec<f32> = data.iter().map(|w| f32::from_bits(*w)).collect();
    assert_eq!(floats[..10], [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(floats[12..15], [7.0, 8.0, 9.0]);
}

#[test]
fn atomics() {
    let declarations = "@group(0) @binding(2) var<storage, read_write> data: array<atomic<u32>>;
        var<workgroup> w: array<atomic<i32>, 4>;";
    let body =
        "let old = atomicAdd(&data[i], 10u); let loaded = atomicLoad(&data[i]); atomicMax(&data[i], 3u);
        let swap = atomicCompareExchangeWeak(&data[i], 11u, 12u);
        let local = atomicExchange(&w[s], 5); atomicStore(&w[i], 6); let now = atomicSub(&w[i], 1);
        out[n] = old + 10u * loaded + 1000u * swap.old_value + 100000u * u32(swap.exchanged)
               + 1000000u * u32(local + now);
        if (i > 7u) { atomicStore(&data[i], 99u); }";
    let (out, data) = run(declarations, body, 8);
    let expected = FAR.map(|i| {
        let storage = if i < 8 { 1 + 110 + 11_000 + 100_000 } else { 0 };
        storage + if i < 4 { 6_000_000 } else { 0 }
    });
    assert_eq!(out, expected);
    assert_eq!(data, [12, 12, 1, 12, 1, 1, 1, 12]);
}

#[test]
fn pointers_into_functions() {
    let declarations = "var<private> p: array<array<u32, 4>, 2>;
        fn bump(row: ptr<private, array<u32, 4>>, i: u32) -> u32 { (*row)[i] += 5u; return (*row)[i]; }
        fn twice(cell: ptr<function, u32>) -> u32 { *cell *= 2u; return *cell; }";
    let body = "for (var k = 0u; k < 4u; k++) { p[0][k] = 1u; p[1][k] = 1u; }
        var a = array<u32, 4>(1u, 1u, 1u, 1u); let q = &a; let cell = &(*q)[i];
        out[n] = bump(&p[1], i) + 10u * twice(cell) + 100u * *cell;
        for (var k = 0u; k < 4u; k++) { out[n] += 1000u * (p[0][k] + p[1][k] + a[k]); }";
    let (out, _) = run(declarations, body, 8);
    let expected = FAR.map(|i| if i < 4 { 6 + 20 + 200 + 1000 * (12 + 5 + 1) } else { 12_000 });
    assert_eq!(out, expected);
}

#[test]
fn uniform_loads_from_workgroup_memory() {
    let declarations = "var<workgroup> w: array<u32, 4>; var<workgroup> rows: array<array<u32, 2>, 4>;";
    let body = "for (var k = 0u; k < 4u; k++) { w[k] = k + 1u; rows[k] = array(k, 9u); }
        let x = workgroupUniformLoad(&w[i]); let row = workgroupUniformLoad(&rows[i]);
        out[n] = x + 10u * row[0] + 100u * row[1];";
    let (out, _) = run(declarations, body, 8);
    assert_eq!(out, expect(4, |i| i + 1 + 10 * i + 900));
}

#[test]
fn loops_that_run_off_the_end() {
    let (out, data) =
        run(DATA, "for (var k = 0u; k < 100u; k++) { out[n] += data[k]; data[k + 8u] = 55u; }", 8);
    assert_eq!(out, [77 + 8; 16]);
    assert_eq!(data, [1; 8]);
}
