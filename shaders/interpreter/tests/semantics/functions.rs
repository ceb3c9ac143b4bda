//! Functions, pointers as arguments, private variables.

use crate::{Test, check};

#[test]
fn results_of_divergent_returns() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<vec2<u32>>;
        fn f(i: u32) -> vec2<u32> {
            if i < 2 { return vec2(i, 1u); }
            for (var j = 0u; ; j++) {
                if j * j >= i { return vec2(j, 2u); }
            }
            return vec2(0u);
        }
        fn g(i: u32) -> vec2<u32> { return f(i) + f(i + 1) * 10; }
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) { if i != 6 { x[i] = g(i); } }";
    let f = |i: u32| {
        if i < 2 { [i, 1] } else { [(0..).find(|j| j * j >= i).unwrap_or(0), 2] }
    };
    let mut expected: Vec<[u32; 2]> =
        (0..8).map(|i| [f(i)[0] + 10 * f(i + 1)[0], f(i)[1] + 10 * f(i + 1)[1]]).collect();
    expected[6] = [0, 0];
    Test::new(wgsl).bind("x", &[[0u32; 2]; 8]).expect("x", &expected);
}

#[test]
fn pointer_arguments() {
    let wgsl = "
        struct S { a: u32, v: vec3<f32>, b: array<u32, 4> }
        var<private> p: array<u32, 4>;
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        fn bump(n: ptr<function, u32>, by: u32) -> u32 { let old = *n; *n += by; return old; }
        fn bump_private(n: ptr<private, u32>) { *n += 7; }
        fn through(s: ptr<function, S>, i: u32) { (*s).b[i % 4] = 5; (*s).v.y = f32(i); bump(&(*s).a, 100); }
        fn fill(a: ptr<function, array<u32, 4>>) { for (var j = 0; j < 4; j++) { (*a)[j] += u32(j); } }
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            var s = S(i, vec3(0.5), array(1u, 2, 3, 4));
            through(&s, i);
            if i % 2 == 1 { fill(&s.b); }
            bump_private(&p[i % 4]);
            var n = i;
            let old = bump(&n, 10);
            x[i] = s.a + 1000 * s.b[i % 4] + 10000 * u32(s.v.y) + 100000 * p[i % 4] + 1000000 * (n - old);
        }";
    let expected: Vec<u32> = (0..8u32)
        .map(|i| {
            let odd = if i % 2 == 1 { i % 4 } else { 0 };
            i + 100 + 1000 * (5 + odd) + 10000 * i + 700_000 + 10_000_000
        })
        .collect();
    Test::new(wgsl).bind("x", &[0u32; 8]).expect("x", &expected);
}

#[test]
fn variables_start_anew() {
    // In a loop, in every call, and in every workgroup.
    let wgsl = "
        var<private> seen = 3u;
        var<private> zero: vec4<u32>;
        var<workgroup> shared_words: array<u32, 8>;
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        fn f() -> u32 { var n: u32; var m = 5u; n += m; m += 1; return n; }
        @compute @workgroup_size(8)
        fn main(@builtin(global_invocation_id) g: vec3<u32>, @builtin(local_invocation_index) i: u32) {
            var sum = f() + f();
            for (var j = 0; j < 3; j++) { var k: u32; k += 1; sum += k; }
            sum += shared_words[i] + zero.x + seen;
            shared_words[i] = 99;
            zero.x = 98;
            seen = 97;
            x[g.x] = sum;
        }";
    Test::new(wgsl).workgroups(3, 1, 1).bind("x", &[0u32; 24]).expect("x", &[16u32; 24]);
}

#[test]
fn constant_tables() {
    let body = "
        const table = array(vec2(1u, 2u), vec2(3u, 4u), vec2(5u, 6u));
        var copy = table;
        copy[i % 3].y += 100;
        let chosen = table[i % 3];
        x[i] = chosen[i % 2] + 1000 * copy[i % 3].y;";
    let table = [[1u32, 2], [3, 4], [5, 6]];
    let expected: Vec<u32> = (0..8).map(|i| table[i % 3][i % 2] + 1000 * (table[i % 3][1] + 100)).collect();
    check("u32", body, &[0; 8], &expected);
}

#[test]
fn overrides() {
    let wgsl = "
        override size: u32 = 4;
        override scale = 2.5;
        @group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @compute @workgroup_size(size)
        fn main(@builtin(local_invocation_index) i: u32) { x[i] = f32(i) * scale; }";
    let constants = [("size".to_string(), 3.0), ("scale".to_string(), 0.5)];
    Test::with(wgsl, &constants).bind("x", &[9f32; 4]).expect("x", &[0f32, 0.5, 1.0, 9.0]);
}

#[test]
fn values_keep_what_the_variable_held() {
    let wgsl = "
        struct S { a: u32, v: vec2<u32> }
        var<private> p: u32;
        var<private> other: u32;
        fn bump() -> u32 { p += 1; return p; }
        fn bump_through(n: ptr<private, u32>) { let old = other; *n += 5; p += old; }
        fn swap(a: ptr<function, u32>, b: ptr<function, u32>) { let t = *a; *a = *b; *b = t; }
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(1)
        fn main() {
            var n = 1u;
            let one = n;
            n += 1;
            x[0] = one * 10 + n;

            // From before a loop, and written at its end.
            let two = n;
            for (var j = 0; j < 3; j++) { x[1] = x[1] * 10 + two; n += 1; }
            x[2] = n;

            // The selector is written by the cases.
            switch n {
                case 5 { n = 6; x[3] += 1; }
                case 6 { n = 7; x[3] += 10; }
                default { x[3] += 100; }
            }

            // Written by a call, directly and through a pointer.
            let before = p;
            x[4] = bump() * 100 + bump() * 10 + before;
            let still = other;
            bump_through(&other);
            x[5] = p * 100 + still * 10 + other;

            // Parts of a whole.
            var s = S(1, vec2(2, 3));
            let whole = s;
            let part = whole.v.yx;
            let y = whole.v.y;
            s.v.y = s.v.x;
            s.v = part + s.v;
            s.a += y;
            x[6] = s.a * 100 + s.v.x * 10 + s.v.y;
            var a = 3u;
            var b = 4u;
            let c = a;
            swap(&a, &b);
            x[7] = a * 100 + b * 10 + c;
        }";
    // s.v = (3, 2) + (2, 2); s.a = 1 + 3.
    let expected = [12u32, 222, 5, 1, 120, 205, 454, 433];
    Test::new(wgsl).bind("x", &[0u32; 8]).expect("x", &expected);
}
