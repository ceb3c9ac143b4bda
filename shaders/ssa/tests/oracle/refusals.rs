//! What is refused, in words and with the line; and what must be built however large it is.

use crate::{Test, function, function_with_calls, kernel};
use warpweft_module::{Module, Source};
use warpweft_ssa::ir::{Function, Op, Statement};

/// The words of a refusal.
#[track_caller]
fn refusal(wgsl: &str) -> String {
    let kernel = kernel(wgsl);
    match Function::new(&kernel) {
        Ok(_) => panic!("not refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn calls_that_grow_beyond_bounds() {
    // Each function calls the one before twice: 2^30 bodies, and a barrier belongs to the kernel.
    let mut wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        fn f0(n: u32) -> u32 { storageBarrier(); return n * 3 + x[n]; }\n"
        .to_string();
    for n in 1..31 {
        let before = n - 1;
        wgsl += &format!("fn f{n}(n: u32) -> u32 {{ return f{before}(n) + f{before}(n + 1); }}\n");
    }
    wgsl += "@compute @workgroup_size(1)\nfn main() {\n x[0] = f30(1);\n}";
    let words = refusal(&wgsl);
    assert!(words.starts_with("test.wgsl:35:"), "{words}");
    assert!(words.contains("more than 200000 operations"), "{words}");
}

#[test]
fn large_functions_that_are_all_different() {
    let mut wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n".to_string();
    let mut calls = String::new();
    for n in 0..300 {
        let sums: String = (0..300).map(|k| format!("sum = sum * {k}u + (x[sum % 7] ^ n);\n")).collect();
        wgsl += &format!("fn f{n}(n: u32) -> u32 {{ var sum = n + {n}u; {sums} return sum; }}\n");
        calls += &format!("sum += f{n}(sum);\n");
    }
    wgsl += &format!("@compute @workgroup_size(1) fn main() {{ var sum = x[0];\n{calls} x[0] = sum; }}");
    let words = refusal(&wgsl);
    assert!(words.contains("more than 200000 operations") && !words.contains("inlined"), "{words}");
}

#[test]
fn functions_that_call_each_other_twice_stay_functions() {
    let mut wgsl = "fn f0() {}\n".to_string();
    for n in 1..41 {
        wgsl += &format!("fn f{n}() {{ f{before}(); f{before}(); }}\n", before = n - 1);
    }
    wgsl += "@compute @workgroup_size(1) fn main() { f40(); }";
    let function = function(&kernel(&wgsl));
    assert!((1..=41).contains(&function.functions.len()), "{function}");
    assert!(function.to_string().lines().count() < 10_000);
}

#[test]
fn enormous_variables() {
    let words = refusal(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         @compute @workgroup_size(1)
         fn main(@builtin(local_invocation_index) i: u32) {
             var big: array<u32, 8000000>;
             big[x[i]] = 1;
             x[i] = big[i];
         }",
    );
    assert!(words.starts_with("test.wgsl:4:") && words.contains("MiB of variables"), "{words}");
}

#[test]
fn nesting_too_deep() {
    let mut wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n".to_string();
    wgsl += "fn f0(n: u32) -> u32 { if n > 3 { return x[n]; } return n; }\n";
    for n in 1..200 {
        wgsl += &format!(
            "fn f{n}(n: u32) -> u32 {{ if n > {n} {{ return f{before}(n - 1); }} return n; }}\n",
            before = n - 1
        );
    }
    wgsl += "@compute @workgroup_size(1) fn main() { x[0] = f199(x[1]); }";
    let words = refusal(&wgsl);
    assert!(words.contains("nested") && words.contains("deep"), "{words}");
}

#[test]
fn deep_nesting_within_bounds() {
    // As deep as is taken: neither building nor printing nor checking may run out of stack.
    let depth = 60;
    let mut body = "x[i] += 1;".to_string();
    for n in 0..depth {
        body = format!("for (var k{n} = 0u; k{n} < x[{n}]; k{n}++) {{ {body} }}");
    }
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         @compute @workgroup_size(1) fn main(@builtin(local_invocation_index) i: u32) {{ {body} }}"
    );
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]);
    let kernel = module.and_then(|module| module.kernel(None, &[])).unwrap_or_else(|error| panic!("{error}"));
    let function = function(&kernel);
    assert!(function.to_string().lines().count() > 4 * depth);
}

#[test]
fn deep_calls_within_bounds() {
    let mut wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        fn f0(n: u32) -> u32 { if n > 3 { return x[n]; } return n; }\n"
        .to_string();
    for n in 1..146 {
        wgsl += &format!(
            "fn f{n}(n: u32) -> u32 {{
                if n > 1 {{ var a: array<u32, 4>; a[n % 4] = n; return f{before}(a[n % 3]) + a[n % 5]; }}
                return n;
             }}\n",
            before = n - 1
        );
    }
    wgsl += "@compute @workgroup_size(1) fn main() { x[0] = f145(x[1]); }";
    let kernel = kernel(&wgsl);
    let inlined = function(&kernel);
    assert!(inlined.to_string().lines().count() > 5 * 145);
    assert_eq!(inlined.variables.len(), 145);
    assert_eq!(function_with_calls(&kernel).functions.len(), 146);
}

#[test]
fn calls_one_after_the_other_share_memory() {
    let calls: String = (0..50).map(|n| format!("sum += f(sum + {n});\n")).collect();
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         fn f(n: u32) -> u32 {{ var a: array<u32, 4>; a[n % 4] = n; a[1] += 2; return a[n % 3]; }}
         @compute @workgroup_size(1) fn main() {{ var sum = x[0]; {calls} x[0] = sum; }}"
    );
    assert_eq!(function(&kernel(&wgsl)).variables.len(), 1);
    let mut sum = 5u32;
    for n in 0..50 {
        let m = sum.wrapping_add(n);
        let mut a = [0u32; 4];
        a[m as usize % 4] = m;
        a[1] = a[1].wrapping_add(2);
        sum = sum.wrapping_add(a[m as usize % 3]);
    }
    Test::new(&wgsl).bind("x", &[5u32]).expect("x", &[sum]);
}

#[test]
fn a_long_kernel() {
    // Two thousand lines in one block.
    let lines: String = (0..2000).map(|n| format!("a = a * {n} + x[a % 7];\n")).collect();
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         @compute @workgroup_size(1) fn main(@builtin(local_invocation_index) i: u32) {{ var a = i; {lines} x[i] = a; }}"
    );
    let function = function(&kernel(&wgsl));
    assert_eq!(function.locations.len(), 2000 + 1);
    let loads = function.values.iter().filter(|d| matches!(d.op, Op::Load { .. })).count();
    assert_eq!(loads, 2000);
}

#[test]
fn large_values_are_copied_in_loops() {
    let wgsl = "
        struct S { a: array<vec3<f32>, 100>, n: u32 }
        @group(0) @binding(0) var<storage, read_write> x: array<S, 3>;
        fn turned(s: S, by: u32) -> S {
            var t = s;
            t.n += by;
            t.a[by] = s.a[by + 1];
            if by > 2 { return s; }
            return t;
        }
        @compute @workgroup_size(1)
        fn main() {
            let whole = x[0];
            x[1] = turned(whole, 2);
            x[2] = turned(turned(x[0], 5), 1);
            x[0].n = u32(whole.a[7].y);
        }";
    let function = function(&kernel(wgsl));
    assert!(function.values.len() < 400, "{}", function.values.len());
    // 100 vectors of 16 bytes, a count, padding.
    let row = |n: u32, moved: Option<usize>, count: u32| {
        let mut row = vec![0u32; 404];
        for k in 0..100 {
            let from = if moved == Some(k) { k + 1 } else { k };
            (0..3).for_each(|c| row[4 * k + c] = ((from * 3 + c) as f32).to_bits());
        }
        row[400] = n + count;
        row
    };
    let input: Vec<u32> = [row(7, None, 0), vec![0; 404], vec![0; 404]].concat();
    let expected: Vec<u32> = [row(22, None, 0), row(7, Some(2), 2), row(7, Some(1), 1)].concat();
    Test::new(wgsl).bind("x", &input).expect("x", &expected);
}

#[test]
fn guards_keep_their_shape() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @group(0) @binding(1) var<uniform> size: vec2<u32>;
        @compute @workgroup_size(8, 8)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x >= size.x || id.y >= size.y { return; }
            x[id.y * size.x + id.x] += 1;
        }";
    let function = function(&kernel(wgsl));
    let guards = function.body.iter().filter_map(|statement| match statement {
        Statement::If { then, otherwise, results, .. } => Some((then, otherwise, results)),
        _ => None,
    });
    let guards: Vec<_> = guards.collect();
    let [(then, otherwise, results)] = guards[..] else { panic!("{} branches\n{function}", guards.len()) };
    assert_eq!(then[..], [Statement::Return], "{function}");
    assert_eq!(otherwise[..], [Statement::Yield { arguments: Vec::new() }], "{function}");
    assert!(results.is_empty());
}
