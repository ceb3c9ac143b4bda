//! Out of bounds everywhere: reads give zero, writes and atomics are dropped.

use crate::{Test, check};

#[test]
fn storage() {
    check(
        "u32",
        "let n = i * i * 3; x[n] += n + 1; x[i + 8] = 99; x[i - 7] += 1000;",
        &[5; 8],
        &[1006, 5, 5, 9, 5, 5, 5, 5],
    );
    check("i32", "let n = -i32(i); x[n] = 7; x[3 + n] += 10;", &[5; 8], &[17, 15, 15, 15, 5, 5, 5, 5]);
    check("i32", "x[i] = x[i32(i) - 4] + 1;", &[5; 8], &[1, 1, 1, 1, 6, 6, 6, 6]);
    // Fixed indices beyond the end, and an element that is only partly there.
    check(
        "u32",
        "x[8] = 1; x[1000000000] = 2; x[i] = x[8] + x[1073741824] + i;",
        &[9; 8],
        &[0, 1, 2, 3, 4, 5, 6, 7],
    );
    check("vec2<u32>", "x[1].x = 1; x[i].x = 2; x[1].x += x[2].y;", &[9u32; 3], &[2, 9, 9]);
    check("vec2<u32>", "x[i + 4294967295u] += vec2(1u);", &[0u32; 5], &[1, 1, 1, 1, 0]);
}

#[test]
fn private_and_workgroup() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<private> p: array<u32, 3>;
        var<workgroup> w: array<array<u32, 2>, 3>;
        var<workgroup> after: u32;
        fn assign(a: ptr<function, array<vec2<u32>, 2>>, n: u32) { (*a)[n] = vec2(n); (*a)[n].y += 1; }
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            var f: array<vec2<u32>, 2>;
            assign(&f, i);
            p[i] = 10;
            w[i][i] = 100;
            w[1][i] += 1000;
            let sum = f[i].y + f[0].y + f[1].y + p[0] + p[1] + p[2] + p[i + 1];
            x[i] = sum + w[0][i] + w[1][i] + w[2][i] + after;
        }";
    // f: 1 for i == 0, 2 for i == 1, nothing else; each of those also through f[i].
    // p: 10 where i < 3; p[i + 1] is never one's own.
    // w: [0][0] = 100, [1][1] = 1100, [1][0] = 1000, [2][i] stays 0 (and [2][2] is outside).
    let expected = [2 + 10 + 100 + 1000u32, 4 + 10 + 1100, 10, 0, 0, 0, 0, 0];
    Test::new(wgsl).bind("x", &[0u32; 8]).expect("x", &expected);
}

#[test]
fn vectors_and_matrices() {
    let body = "
        var v = vec3(1f, 2, 3);
        v[i] = 10;
        var m = mat2x2(1f, 2, 3, 4);
        m[i] += vec2(100f);
        m[i / 4][i % 4] += 1000;
        let fixed = vec3(5f, 6, 7);
        x[i] = v.x + v.y + v.z + v[i] + fixed[i] + m[0][0] + m[0][1] + m[1][0] + m[1][1];";
    let expected: Vec<f32> = (0..8usize)
        .map(|i| {
            let mut v = [1.0f32, 2.0, 3.0];
            let mut m = [[1.0f32, 2.0], [3.0, 4.0]];
            let mut sum = 0.0;
            if i < 3 {
                v[i] = 10.0;
                sum += 10.0 + [5.0, 6.0, 7.0][i];
            }
            if i < 2 {
                m[i].iter_mut().for_each(|cell| *cell += 100.0);
            }
            if i % 4 < 2 {
                m[i / 4][i % 4] += 1000.0;
            }
            sum + v.iter().sum::<f32>() + m.iter().flatten().sum::<f32>()
        })
        .collect();
    check("f32", body, &[0f32; 8], &expected);
}

#[test]
fn atomics() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> a: array<atomic<u32>>;
        var<workgroup> w: array<atomic<i32>, 2>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            x[i] = atomicAdd(&a[i * 2], 5) + atomicLoad(&a[i * 2]);
            atomicStore(&a[i + 100], 1);
            let r = atomicCompareExchangeWeak(&a[i + 4], 0, 9);
            x[i] += select(0u, 1000u, r.exchanged) + r.old_value;
            x[i] += u32(atomicAdd(&w[i], 3)) + u32(atomicMax(&w[i], 50));
        }";
    let test = Test::new(wgsl).bind("x", &[7u32; 8]).bind("a", &[1u32, 2, 3, 4]);
    test.expect("x", &[10u32, 14, 0, 0, 0, 0, 0, 0]).and("a", &[6u32, 2, 8, 4]);
}

#[test]
fn runtime_arrays_in_structs() {
    let wgsl = "
        struct Item { v: vec3<f32>, n: u32 }
        struct All { count: u32, items: array<Item> }
        @group(0) @binding(0) var<storage, read_write> all: All;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            if i == 0 { all.count = arrayLength(&all.items); }
            all.items[i].n += i + 1;
            all.items[i + 1].v.z = f32(all.items[i].n);
            all.items[3].v = vec3(9f);
        }";
    // 16 bytes, two items of 16, and half an item that does not count.
    let (input, mut expected) = ([0u32; 14], [0u32; 14]);
    expected[0] = 2;
    expected[7] = 1;
    expected[11] = 2;
    // Lane 0 writes item 1 after every lane's count has been stepped.
    expected[10] = 1f32.to_bits();
    Test::new(wgsl).bind("all", &input).expect("all", &expected);
}

#[test]
fn halves_of_odd_length() {
    let wgsl = "
        enable f16;
        @group(0) @binding(0) var<storage, read_write> h: array<f16>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            h[i] = h[i] * 2 + f16(arrayLength(&h));
            h[i + 5] = 7;
        }";
    let half = |values: [f32; 5]| values.map(|v| half::f16::from_f32(v).to_bits());
    let test = Test::new(wgsl).bind("h", &half([1.0, 2.0, 3.0, 4.0, 0.5]));
    test.expect("h", &half([7.0, 9.0, 11.0, 13.0, 6.0]));
}

#[test]
fn wide_values_that_are_partly_there() {
    // A binding that ends in the middle of its last element: that reads as zero however it is reached.
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u64, 3>;
        @group(0) @binding(1) var<storage, read_write> y: array<u64>;
        @compute @workgroup_size(4)
        fn main(@builtin(local_invocation_index) i: u32) {
            y[i] = x[2];
            y[i + 4] = x[i];
            y[i + 8] = x[2 - i % 2];
            x[i] = 1;
        }";
    let test = Test::new(wgsl).bind("x", &[5u32, 6, 7, 8, 9]).bind("y", &[1u64; 12]);
    let [a, b] = [5 | 6 << 32, 7 | 8 << 32];
    test.expect("y", &[0u64, 0, 0, 0, a, b, 0, 0, 0, b, 0, b]).and("x", &[1u32, 0, 1, 0, 9]);
}

#[test]
fn wide_indices() {
    let body = "
        let n = i64(i) - 2;
        let m = u64(i) + 4294967296lu;
        x[n] = 1;
        x[m] = 2;
        x[i] += x[n | 9223372036854775807li] + x[u64(i)] * 10;";
    check("u32", body, &[0; 8], &[11, 11, 11, 11, 11, 11, 0, 0]);
}
