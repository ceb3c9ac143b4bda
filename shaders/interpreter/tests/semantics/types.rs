//! Arithmetic of every scalar type, and what the conformance cases do not reach: 64 and 16 bits.

use crate::{Test, check};
use half::f16;

#[test]
fn integers() {
    let body = "
        let a = x[i];
        let b = x[(i + 1) % 8];
        x[i] = a / b + a % b + (a << (u32(b) & 31)) + (a >> 1) - min(a, b) * max(a, b) + abs(a) + sign(b);";
    let values = [0, -1, i32::MIN, 7, 0, i32::MAX, -13, 5];
    let expected: Vec<i32> = (0..8)
        .map(|i| {
            let (a, b) = (values[i], values[(i + 1) % 8]);
            let (quotient, rest) = if b == 0 { (a, 0) } else { (a.wrapping_div(b), a.wrapping_rem(b)) };
            quotient
                .wrapping_add(rest)
                .wrapping_add(a.wrapping_shl(b as u32 & 31))
                .wrapping_add(a >> 1)
                .wrapping_sub(a.min(b).wrapping_mul(a.max(b)))
                .wrapping_add(a.wrapping_abs())
                .wrapping_add(b.signum())
        })
        .collect();
    check("i32", body, &values, &expected);
}

#[test]
fn wide_integers() {
    let body = "
        let a = x[i];
        let b = x[(i + 1) % 8];
        var n = a / b + a % b + (a << 33u) + (a >> 3u) - (a & b) * (a | b) + (a ^ b) + ~a;
        n += countOneBits(a) + firstLeadingBit(b) + i64(u64(a) >> 40u) + select(0li, 1li, a < b) + i64(i);
        x[i] = n + dot(vec2(a, 1li), vec2(2li, b)) + clamp(a, -5li, 5li);";
    let values = [0, -1, i64::MIN, 7, 1 << 40, i64::MAX, -13, 0x1234_5678_9abc_def0];
    let expected: Vec<i64> = (0..8)
        .map(|i| {
            let (a, b) = (values[i], values[(i + 1) % 8]);
            let (quotient, rest) = if b == 0 { (a, 0) } else { (a.wrapping_div(b), a.wrapping_rem(b)) };
            let leading = match if b < 0 { !b } else { b } {
                0 => -1,
                n => 63 - i64::from(n.leading_zeros()),
            };
            [
                quotient,
                rest,
                a << 33,
                a >> 3,
                (a & b).wrapping_mul(a | b).wrapping_neg(),
                a ^ b,
                !a,
                i64::from(a.count_ones()),
                leading,
                (a as u64 >> 40) as i64,
                i64::from(a < b),
                i as i64,
                a.wrapping_mul(2),
                b,
                a.clamp(-5, 5),
            ]
            .into_iter()
            .fold(0i64, i64::wrapping_add)
        })
        .collect();
    check("i64", body, &values, &expected);
}

#[test]
fn doubles() {
    let body = "
        let a = x[i];
        var v = vec3(a, a * 2, f64(i));
        v = v * 0.5lf + fma(v, vec3(a), v.zxy);
        let m = mat2x2<f64>(a, 1lf, 2lf, a);
        let p = m * vec2(1lf, a);
        x[i] = length(v) + sqrt(abs(a)) + floor(a) + f64(f32(a)) + p.x * determinant(m) + max(a, -a) + f64(i32(a));";
    let values = [0.5, -1.25, 3.0, 1e10, -2.5, 0.1, 7.75, 2.0];
    let expected: Vec<f64> = (0..8)
        .map(|i| {
            let a: f64 = values[i];
            let v = [a, a * 2.0, i as f64];
            let w: Vec<f64> = (0..3).map(|c| v[c] * 0.5 + v[c].mul_add(a, v[(c + 2) % 3])).collect();
            let p = a * 1.0 + 2.0 * a;
            let length = (w[0] * w[0] + w[1] * w[1] + w[2] * w[2]).sqrt();
            let whole = f64::from(a as i32);
            length + a.abs().sqrt() + a.floor() + f64::from(a as f32) + p * (a * a - 2.0) + a.abs() + whole
        })
        .collect();
    check("f64", body, &values, &expected);
}

#[test]
fn halves_round_once() {
    let wgsl = "
        enable f16;
        struct P { a: f16, b: vec3<f16>, c: f16 }
        @group(0) @binding(0) var<storage, read_write> x: array<P>;
        @compute @workgroup_size(2)
        fn main(@builtin(local_invocation_index) i: u32) {
            let p = x[i];
            x[i].b = vec3(p.a + p.c, p.a * p.c, p.a / p.c) - p.b;
            x[i].c = f16(i32(p.a) * 1000) + f16(f32(p.c) * 0.1);
        }";
    // a at 0, b at 8, c at 14: 16 bytes.
    let row = |a: f32, b: [f32; 3], c: f32| {
        [a, 0.0, 0.0, 0.0, b[0], b[1], b[2], c].map(|v| f16::from_f32(v).to_bits())
    };
    let model = |a: f32, b: [f32; 3], c: f32| {
        let (a, b, c) = (f16::from_f32(a), b.map(f16::from_f32), f16::from_f32(c));
        let whole = f16::from_f32((a.to_f32() as i32 * 1000) as f32) + f16::from_f32(c.to_f32() * 0.1);
        [a, f16::ZERO, f16::ZERO, f16::ZERO, (a + c) - b[0], a * c - b[1], a / c - b[2], whole]
            .map(|v| v.to_bits())
    };
    let input = [row(1.1, [0.3, 2.0, -7.0], 2.7), row(33.3, [1e-5, 100.0, 0.0], -0.07)];
    let expected = [model(1.1, [0.3, 2.0, -7.0], 2.7), model(33.3, [1e-5, 100.0, 0.0], -0.07)];
    Test::new(wgsl).bind("x", &input).expect("x", &expected);
}

#[test]
fn short_integers() {
    let wgsl = "
        enable wgpu_int16;
        @group(0) @binding(0) var<storage, read_write> x: array<i16>;
        @group(0) @binding(1) var<storage, read_write> y: array<u16>;
        @compute @workgroup_size(4)
        fn main(@builtin(local_invocation_index) i: u32) {
            let a = x[i];
            x[i] = a * a + i16(i) - (a >> 1u);
            y[i] = y[i] / u16(3) + u16(u32(a) & 7u);
        }";
    let (x, y) = ([-300i16, 5, i16::MIN, 181], [65535u16, 7, 0, 12]);
    let expected_x: Vec<i16> =
        (0..4).map(|i| x[i].wrapping_mul(x[i]).wrapping_add(i as i16).wrapping_sub(x[i] >> 1)).collect();
    let expected_y: Vec<u16> = (0..4).map(|i| y[i] / 3 + (x[i] as u32 & 7) as u16).collect();
    Test::new(wgsl).bind("x", &x).bind("y", &y).expect("x", &expected_x).and("y", &expected_y);
}

#[test]
fn uniforms_and_layouts() {
    let wgsl = "
        struct Inner { m: mat3x2<f32>, flag: u32 }
        struct Params { scale: f32, offset: vec3<f32>, inner: array<Inner, 2>, list: array<vec4<i32>, 2> }
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read_write> x: array<f32>;
        @compute @workgroup_size(2)
        fn main(@builtin(local_invocation_index) i: u32) {
            let inner = params.inner[i];
            let v = inner.m * params.offset;
            x[i] = params.scale * (v.x + 10 * v.y) + f32(inner.flag) + f32(params.list[1 - i].z);
        }";
    // scale 0, offset 16, inner 32 (m 24 bytes, flag at 24, stride 32), list 96.
    let mut words = [0u32; 32];
    let mut put = |at: usize, values: &[f32]| {
        values.iter().enumerate().for_each(|(n, v)| words[at / 4 + n] = v.to_bits());
    };
    put(0, &[2.0]);
    put(16, &[1.0, 2.0, 3.0]);
    put(32, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    put(64, &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    words[(32 + 24) / 4] = 1000;
    words[(64 + 24) / 4] = 2000;
    words[(96 + 8) / 4] = -5i32 as u32;
    words[(112 + 8) / 4] = 70000;
    // m * (1, 2, 3): (1 + 6 + 15, 2 + 8 + 18) and (0, 6).
    let expected = [2.0 * (22.0 + 280.0) + 1000.0 + 70000.0, 2.0 * 60.0 + 2000.0 - 5.0f32];
    Test::new(wgsl).bind("params", &words).bind("x", &[0f32; 2]).expect("x", &expected);
}

#[test]
fn whole_structs_and_arrays() {
    let wgsl = "
        struct S { a: u32, b: array<vec2<f32>, 2>, c: f64 }
        @group(0) @binding(0) var<storage, read_write> x: array<S, 3>;
        fn turned(s: S) -> S { return S(s.a + 1, array(s.b[1], s.b[0] * 2), s.c / 4); }
        @compute @workgroup_size(3)
        fn main(@builtin(local_invocation_index) i: u32) {
            var all = x;
            all[i] = turned(all[(i + 1) % 3]);
            x[i] = all[i];
        }";
    // a 0, b 8, c 24: 32 bytes.
    let row = |a: u32, b: [f32; 4], c: f64| -> [u32; 8] {
        let bits = c.to_bits();
        let [p, q, r, s] = b.map(f32::to_bits);
        [a, 0, p, q, r, s, bits as u32, (bits >> 32) as u32]
    };
    let input =
        [row(1, [1.0, 2.0, 3.0, 4.0], 1.0), row(2, [5.0, 6.0, 7.0, 8.0], 0.1), row(3, [9.0; 4], -8.0)];
    let expected = [
        row(3, [7.0, 8.0, 10.0, 12.0], 0.025),
        row(4, [9.0, 9.0, 18.0, 18.0], -2.0),
        row(2, [3.0, 4.0, 2.0, 4.0], 0.25),
    ];
    Test::new(wgsl).bind("x", &input).expect("x", &expected);
}

#[test]
fn pointers_into_everything() {
    let wgsl = "
        struct Cell { m: mat2x3<f32>, n: atomic<i32>, flags: array<vec3<u32>, 2> }
        @group(0) @binding(0) var<storage, read_write> cells: array<Cell>;
        var<workgroup> shared_cells: array<Inner, 2>;
        struct Inner { on: array<bool, 3>, v: vec3<f32>, m: mat2x2<f32> }
        @compute @workgroup_size(2)
        fn main(@builtin(local_invocation_index) i: u32) {
            let cell = &cells[i];
            let column = &(*cell).m[1 - i];
            (*column)[2] += 4;
            *column = (*column).zxy;
            (*cell).m[i] = vec3(f32(i), 9, 9);
            atomicAdd(&(*cell).n, -3 - i32(i));
            (*cell).flags[1 - i][i + 1] = 7;

            let inner = &shared_cells[1 - i];
            (*inner).on[i] = true;
            (*inner).v.y = 2.5;
            (*inner).m[1][i] = 1.5;
            (*inner).m[0] += vec2(f32(i + 1));
            workgroupBarrier();
            let mine = shared_cells[i];
            var sum = mine.v + vec3(mine.m[0], mine.m[1][0] * 100 + mine.m[1][1]);
            if mine.on[0] { sum.x += 1000; }
            if mine.on[1] { sum.x += 2000; }
            if mine.on[2] { sum.x += 4000; }
            (*cell).m[i] += sum;
        }";
    // Columns at 0 and 16, n at 32, flags at 48 and 64: 80 bytes.
    let float = |v: f32| v.to_bits();
    let mut input = [[0u32; 20]; 2];
    input[0][4..7].copy_from_slice(&[1.0, 2.0, 3.0].map(float));
    input[1][0..3].copy_from_slice(&[1.0, 2.0, 3.0].map(float));
    let mut expected = [[0u32; 20]; 2];
    // Lane 0 works on column 1 and lane 1 on column 0; each sees what the other did to its shared cell.
    expected[0][4..7].copy_from_slice(&[7.0, 1.0, 2.0].map(float));
    expected[0][0..3].copy_from_slice(&[2002.0, 13.5, 10.5].map(float));
    expected[1][0..3].copy_from_slice(&[7.0, 1.0, 2.0].map(float));
    expected[1][4..7].copy_from_slice(&[1002.0, 12.5, 159.0].map(float));
    (expected[0][8], expected[1][8]) = (-3i32 as u32, -4i32 as u32);
    (expected[0][17], expected[1][14]) = (7, 7);
    Test::new(wgsl).bind("cells", &input).expect("cells", &expected);
}

#[test]
fn results_with_parts() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<vec4<f32>>;
        @compute @workgroup_size(1)
        fn main() {
            let v = vec2(x[0].x, x[0].y);
            let m = modf(v);
            let f = frexp(v);
            x[1] = vec4(m.fract, m.whole);
            x[2] = vec4(f.fract, vec2<f32>(f.exp));
            x[3] = ldexp(vec4(f.fract, 1, 1), vec4(f.exp, -1, 2));
            x[4] = vec4(bitcast<vec2<f32>>(bitcast<vec2<u32>>(v) + vec2(1u << 23)), f32(any(v < vec2())), f32(all(v < vec2())));
            x[5] = select(vec4(1f), vec4(2f), vec4<bool>(v.x > v.y, v.x < v.y, true, false)).wzyx;
        }";
    let input = [[-3.75f32, 10.5, 0.0, 0.0], [0.0; 4], [0.0; 4], [0.0; 4], [0.0; 4], [0.0; 4]];
    let expected = [
        input[0],
        [-0.75, 0.5, -3.0, 10.0],
        [-0.9375, 0.65625, 2.0, 4.0],
        [-3.75, 10.5, 0.5, 4.0],
        [-7.5, 21.0, 1.0, 0.0],
        [1.0, 2.0, 2.0, 1.0],
    ];
    Test::new(wgsl).bind("x", &input).expect("x", &expected);
}

#[test]
fn rows_of_every_width() {
    // Whole rows, rows that start in the middle of a word, and columns of vectors.
    let kernel = |ty: &str, body: &str| {
        format!(
            "enable f16; enable wgpu_int16;
             @group(0) @binding(0) var<storage, read_write> x: array<{ty}>;
             @compute @workgroup_size(8)
             fn main(@builtin(local_invocation_index) i: u32) {{ {body} }}"
        )
    };
    let shorts: [u16; 18] = std::array::from_fn(|n| n as u16);
    let expected: Vec<u16> = (0..18).map(|n| if n < 8 { 10 * n } else { n }).collect();
    Test::new(&kernel("u16", "x[i] *= u16(10);")).bind("x", &shorts).expect("x", &expected);
    let expected: Vec<u16> = (0..18).map(|n| if (3..11).contains(&n) { n + 90 } else { n }).collect();
    Test::new(&kernel("u16", "x[i + 3] += u16(90);")).bind("x", &shorts).expect("x", &expected);
    let longs: [u64; 16] = std::array::from_fn(|n| (n as u64) << 31);
    let expected: Vec<u64> =
        longs.iter().enumerate().map(|(n, &v)| if n % 2 == 1 { v + 7 } else { v }).collect();
    Test::new(&kernel("vec2<u64>", "x[i].y += 7;")).bind("x", &longs).expect("x", &expected);
    let expected: Vec<u64> = longs.iter().rev().map(|&v| v * 3).collect();
    let body = "let a = x[15 - i]; let b = x[i]; x[i] = a * 3; x[15 - i] = b * 3;";
    Test::new(&kernel("u64", body)).bind("x", &longs).expect("x", &expected);
}

#[test]
fn wide_values_by_index() {
    let body = "
        const table = array(vec2(1lf, 2lf), vec2(3lf, 4lf), vec2(5lf, 6lf));
        var copy: array<vec2<f64>, 3>;
        var<function> counts: array<i64, 2>;
        for (var j = 0u; j < 4; j++) { copy[(i + j) % 4] = table[j % 3] * x[i]; counts[j % 2 * (i % 3)] += 1; }
        let v = table[(i + 1) % 4];
        x[i] = v[i % 3] + 10 * copy[i % 3].y + 100 * copy[2][i % 2] + f64(counts[0] * 1000 + counts[1] * 10000);";
    let table = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let expected: Vec<f64> = (0..8usize)
        .map(|i| {
            let x = i as f64 + 1.0;
            let (mut copy, mut counts) = ([[0.0; 2]; 3], [0.0; 2]);
            for j in 0..4 {
                if let Some(cell) = copy.get_mut((i + j) % 4) {
                    *cell = table[j % 3].map(|t: f64| t * x);
                }
                if let Some(count) = counts.get_mut(j % 2 * (i % 3)) {
                    *count += 1.0;
                }
            }
            let v = table.get((i + 1) % 4).copied().unwrap_or_default();
            let at = v.get(i % 3).copied().unwrap_or(0.0);
            at + 10.0 * copy[i % 3][1] + 100.0 * copy[2][i % 2] + counts[0] * 1000.0 + counts[1] * 10000.0
        })
        .collect();
    let input: Vec<f64> = (0..8).map(|i| f64::from(i) + 1.0).collect();
    check("f64", body, &input, &expected);
}
