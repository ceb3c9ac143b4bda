//! Functions that stay functions: every generator, at every width, runs kernels with calls as the interpreter does, to the
//! last bit.

mod harness;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::{Job, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Limits, Options};
use warpweft_interpreter::{Program, Scratch};

/// Everything is called that can be.
const ALL_CALLS: Limits = Limits { inlined: 0, operations: 200_000 };

const WIDTHS: [Option<u16>; 8] = [None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), Some(64)];

/// Runs a kernel of workgroups of `size` on 203 invocations' worth of data: `out` and `data` have one word for each, `u` is
/// a uniform `vec4<u32>` of 5, 100, 3, 0.
#[track_caller]
fn same_everywhere(size: u32, limits: &Limits, widths: &[Option<u16>], wgsl: &str) {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         {wgsl}"
    );
    let kernel = kernel(&wgsl).unwrap();
    let data = (0..203u32).map(|n| n.wrapping_mul(0x9e37_79b9) >> 20).collect();
    let inputs = [vec![0; 203], data, vec![5, 100, 3, 0]];
    let job = Job::new(&kernel, &inputs, [203u32.div_ceil(size), 1, 1], None);
    let program = Program::new(&kernel).unwrap();
    let expected = job.interpret(&program, 8, &mut Scratch::default()).unwrap();
    for generator in Generator::available() {
        for &lanes in widths {
            let options = Options { generator, strict: true, lanes, streaming: false };
            let code = Compiled::within(&kernel, &options, limits)
                .unwrap_or_else(|error| panic!("{options:?}: {error}\n{wgsl}"));
            let found = job.run(&kernel, &code, 1, &AtomicU32::new(0)).unwrap();
            if let Some(difference) = compare(&kernel, &expected, &found) {
                panic!("{options:?}: {difference}\n{wgsl}");
            }
        }
    }
}

/// A kernel whose body has `i` (its number) and `l` (in the workgroup) after some functions.
#[track_caller]
fn body(size: u32, functions: &str, body: &str) {
    let wgsl = format!(
        "{functions}
         @compute @workgroup_size({size})
         fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) l: u32) {{
             let i = id.x;
             out[i] = data[i] + u.w + l;
             {body}
         }}"
    );
    same_everywhere(size, &ALL_CALLS, &WIDTHS, &wgsl);
}

#[test]
fn early_returns_loops_and_calls_in_both() {
    body(
        64,
        "const table = array<u32, 6>(3, 1, 4, 1, 5, 9);
        fn step(n: u32) -> u32 {
            if n % 3u == 0u { return n / 3u; }
            loop { if n > 50u { return table[n % 7u]; } break; }
            return n * 2u + u.x;
        }
        fn orbit(n: u32, most: u32) -> u32 {
            var at = n;
            for (var k = 0u; k < most; k++) {
                if at == 1u { return k; }
                if at % 2u == 0u { at = step(at); continue; }
                switch at % 5u {
                    case 0u: { break; }
                    case 1u: { at += step(k); }
                    default: { at = step(at + k); }
                }
            }
            return at;
        }",
        "if i % 4u == 3u { return; }
         out[i] = orbit(out[i], 9u + i % 13u) + step(u.y);",
    );
}

#[test]
fn composites_by_value_and_by_pointer() {
    body(
        33,
        "struct Pair { a: vec3<f32>, b: bool, c: array<u32, 3> }
        struct Deep { n: u32, rows: array<array<u32, 4>, 3> }
        var<private> count: u32;
        var<private> own: array<u32, 4>;
        fn pair(n: u32, f: vec2<f32>) -> Pair {
            return Pair(vec3(f, f32(n)), (n & 1u) == 1u, array(n, n + 1u, n * 2u));
        }
        fn sum(p: Pair, m: mat2x2<f32>, h: bool) -> u32 {
            if h != p.b { return u32(p.a.x + m[1].y) + p.c[1]; }
            return p.c[p.c[0] % 3u];
        }
        fn bump(p: ptr<function, u32>, by: u32) { *p += by; count += 1u; own[count % 4u] ^= by; }
        fn fill(row: ptr<function, array<u32, 4>>, n: u32) -> u32 {
            (*row)[n % 5u] = n; bump(&(*row)[n & 3u], 7u); return (*row)[(n + 1u) % 4u];
        }
        fn made(n: u32) -> array<u32, 70> {
            var a: array<u32, 70>;
            for (var k = 0u; k < 70u; k++) { a[k] = n * k; }
            return a;
        }
        fn pick(a: array<u32, 70>, b: array<u32, 70>, at: u32) -> u32 { return a[at] + 3u * b[69u - at]; }",
        "let p = pair(out[i], vec2(2.0, f32(i)));
         let q = pair(out[i] + 1u, p.a.xz);
         var d: Deep;
         for (var j = 0u; j < 3u; j++) {
             d.n += fill(&d.rows[(i + j) % 3u], out[i] + j);
             if (i & 1u) == 0u { bump(&d.n, j); }
         }
         let a = made(i);
         let b = made(d.n);
         out[i] = sum(p, mat2x2(1.0, 2.0, 3.0, 4.0), q.b) + sum(q, mat2x2<f32>(), true) * 3u + d.n * 5u
             + pick(a, b, i % 70u) + own[i & 3u];",
    );
}

#[test]
fn calls_between_barriers() {
    for size in [1, 7, 16, 33, 64] {
        body(
            size,
            &format!(
                "var<workgroup> tile: array<u32, {size}>;
                var<workgroup> total: atomic<u32>;
                var<private> mine: u32;
                fn put(l: u32, n: u32) {{ if n % 3u == 0u {{ return; }} tile[l] += n; mine += 1u; }}
                fn around(l: u32) -> u32 {{
                    var sum = 0u;
                    for (var k = 0u; k < l % 5u; k++) {{ sum += tile[(l + k) % {size}u]; }}
                    atomicAdd(&total, sum);
                    return sum + mine;
                }}"
            ),
            "if (out[i] & 3u) == 0u { return; }
             var sum = 0u;
             for (var k = 0u; k < u.z; k++) {
                 put(l, out[i] + k);
                 workgroupBarrier();
                 if l % 2u == 1u { sum += around(l); }
                 workgroupBarrier();
             }
             out[i] = sum + atomicLoad(&total);",
        );
    }
}

#[test]
fn atomic_steps_in_functions() {
    body(
        64,
        "fn count(n: u32) { _ = atomicAdd(&counters[n % 4u], n); atomicMax(&counters[4u + n % 3u], n); }
        fn own(n: u32) -> u32 { if n % 5u == 1u { return 7u; } return atomicOr(&slots[n], 3u); }
        var<workgroup> counters: array<atomic<u32>, 8>;
        var<workgroup> slots: array<atomic<u32>, 64>;",
        "count(l);
         for (var k = 0u; k < 3u; k++) { count(l * k); }
         let mine = own(l);
         if (i & 1u) == 1u { count(i % 64u); }
         workgroupBarrier();
         out[i] = own(l) * 3u + mine + atomicLoad(&counters[l % 8u]);",
    );
}

#[test]
fn lanes_and_calls_under_masks() {
    body(
        16,
        "fn root(x: f32) -> f32 { if x < 2.0 { return x; } return sqrt(x) + root2(x); }
        fn root2(x: f32) -> f32 { var s = x; while s > 3.0 { s = s / 2.0 - 0.25; } return s; }
        fn wide(x: f32, b: bool) -> u32 { if b { return bitcast<u32>(root(x)); } return u32(root2(x)); }",
        "var k = i;
         loop {
             if k % 7u == 3u { out[i] ^= wide(f32(k) * 1.5, true); }
             if k > i + 20u { break; }
             k += 1u + wide(f32(k % 9u), (k & 4u) == 0u) % 5u;
         }
         out[i] += k;",
    );
}

/// Functions of that many levels, each of which calls the next eight times.
fn nested(levels: u32) -> String {
    let leaf: String =
        (0..20).map(|n| format!("if n % {}u == 2u {{ return n * {n}u + seen; }}\n", n + 3)).collect();
    let mut wgsl = format!(
        "var<private> seen: u32;\n fn f0(n: u32) -> u32 {{ seen += n; {leaf} return n + data[n % 203u]; }}\n"
    );
    for level in 1..=levels {
        let before = level - 1;
        let calls: String = (0..8).map(|n| format!("sum = sum * 3u + f{before}(sum ^ {n}u);\n")).collect();
        wgsl += &format!(
            "fn f{level}(n: u32) -> u32 {{
                if n % 7u == 5u {{ return n + seen; }}
                var sum = n;
                {calls}
                return sum;
            }}\n"
        );
    }
    wgsl + &format!(
        "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            out[id.x] = f{levels}(data[id.x]) + seen;
        }}"
    )
}

#[test]
fn what_is_too_large_inlined_is_called() {
    same_everywhere(64, &Limits::default(), &[None, Some(4)], &nested(4));
}

#[test]
fn a_launch_ends_inside_of_what_it_calls() {
    let endless = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        fn wait(n: u32) -> u32 { var k = n; while k != 1u { k = (k ^ out[k & 7u]) | 2u; } return k; }
        fn waits(n: u32) -> u32 { if n > 2u { return wait(n); } return n; }
        @compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            loop { out[id.x] += waits(id.x); }
        }";
    // 2^30 calls, and not a loop among them.
    let mut long = "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
        fn f0(n: u32) -> u32 { return n * 3u; }\n"
        .to_string();
    for n in 1..31 {
        let before = n - 1;
        long += &format!("fn f{n}(n: u32) -> u32 {{ return f{before}(n) ^ f{before}(n + 1u); }}\n");
    }
    long += "@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        for (var k = 0u; k < 16u; k++) { out[id.x] += f30(id.x); }
    }";
    for wgsl in [endless, &long] {
        let kernel = kernel(wgsl).unwrap();
        let job = Job { inputs: vec![vec![3; 64]], workgroups: [8, 1, 1], over: None };
        for generator in Generator::available() {
            let options = Options { generator, strict: true, lanes: None, streaming: false };
            let code = Compiled::within(&kernel, &options, &ALL_CALLS).unwrap();
            let cancel = AtomicU32::new(0);
            let outcome = std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(30));
                    cancel.store(1, Ordering::Relaxed);
                });
                job.run(&kernel, &code, 1, &cancel)
            });
            assert_eq!(outcome.unwrap_err(), "it did not end in time", "{generator}");
        }
    }
}

#[test]
fn stages_show_what_is_called() {
    let kernel = kernel(&format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         {}",
        nested(4)
    ))
    .unwrap();
    assert!(warpweft_compiler::stage_ssa(&kernel).unwrap().contains("function 0 f1"));
    for generator in Generator::available() {
        let options = Options { generator, strict: true, lanes: None, streaming: false };
        let vector = warpweft_compiler::stage_vector(&kernel, &options).unwrap();
        assert!(vector.contains("call 0 (") && vector.contains("function f1("), "{vector}");
        let assembly = warpweft_compiler::stage_assembly(&kernel, &options).unwrap();
        assert!(assembly.contains("; function 0 f1") && assembly.contains("call"), "{assembly}");
    }
}
