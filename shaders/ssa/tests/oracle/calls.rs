//! Functions that stay functions: small kernels, within small limits, and large ones, within the usual ones.

use crate::{agree, function, function_with_calls, kernel};
use warpweft_interpreter::Grid;
use warpweft_ssa::ir::{Function, Op, Root, Statement};
use warpweft_ssa::{Limits, verify};

/// Runs a kernel that works on `x`, in every way.
#[track_caller]
fn check(wgsl: &str, words: u32) -> Function {
    let kernel = kernel(wgsl);
    let memory = (0..words).flat_map(|word| (word * 0x9e37 % 101).to_le_bytes()).collect();
    agree(&kernel, Grid { workgroups: [2, 1, 1], over: None }, 4, &[memory]);
    function_with_calls(&kernel)
}

const HEAD: &str = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n";

/// How many calls there are in a list.
fn calls(list: &[Statement]) -> usize {
    list.iter()
        .map(|statement| match statement {
            Statement::Call { .. } => 1,
            Statement::If { then, otherwise, .. } => calls(then) + calls(otherwise),
            Statement::Block { body, .. } | Statement::Loop { body, .. } => calls(body),
            _ => 0,
        })
        .sum()
}

#[test]
fn arguments_and_results_of_every_kind() {
    let function = check(
        &format!(
            "{HEAD}
            struct Pair {{ a: vec3<f32>, b: bool, c: array<u32, 3> }}
            fn pair(n: u32, f: vec2<f32>) -> Pair {{
                return Pair(vec3(f, f32(n)), (n & 1u) == 1u, array(n, n + 1u, n * 2u));
            }}
            fn sum(p: Pair, m: mat2x2<f32>, h: bool) -> u32 {{
                if h != p.b {{ return u32(p.a.x + m[1].y) + p.c[1]; }}
                return p.c[p.c[0] % 3u];
            }}
            @compute @workgroup_size(8)
            fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
                let p = pair(x[id.x], vec2(2.0, f32(id.x)));
                let q = pair(x[id.x] + 1u, p.a.xz);
                x[id.x] = sum(p, mat2x2(1.0, 2.0, 3.0, 4.0), q.b) * 1000u + sum(q, mat2x2<f32>(), true);
            }}"
        ),
        16,
    );
    assert_eq!(function.functions.len(), 2);
    assert_eq!(calls(&function.body), 4);
}

#[test]
fn pointers_lead_where_they_led() {
    let function = check(
        &format!(
            "{HEAD}
            struct Deep {{ n: u32, rows: array<array<u32, 4>, 3> }}
            var<private> own: array<u32, 4>;
            var<private> count: u32;
            var<workgroup> shared_row: array<u32, 8>;
            fn bump(p: ptr<function, u32>, by: u32) {{ *p += by; count += 1u; }}
            fn fill(row: ptr<function, array<u32, 4>>, n: u32) -> u32 {{
                (*row)[n % 5u] = n; bump(&(*row)[n & 3u], 7u); return (*row)[(n + 1u) % 4u];
            }}
            fn touch(p: ptr<private, array<u32, 4>>, i: u32) {{ (*p)[i] += own[3u - i] + 1u; }}
            fn put(i: u32) -> u32 {{ let p = &shared_row; (*p)[i] = i * 3u; return (*p)[i]; }}
            fn add(i: u32, n: u32) {{ let p = &x; (*p)[i] += n; }}
            @compute @workgroup_size(8)
            fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) i: u32) {{
                var d: Deep; var e: Deep; var k = id.x;
                for (var j = 0u; j < 3u; j++) {{
                    d.n += fill(&d.rows[j], x[id.x] + j);
                    e.n += fill(&e.rows[(id.x + j) % 3u], d.n);
                    bump(&d.n, j);
                }}
                bump(&k, count);
                touch(&own, i & 3u);
                touch(&own, k & 3u);
                let shared_word = put(i);
                workgroupBarrier();
                add(id.x, d.n + e.n * 3u + k * 5u + own[i & 3u] + shared_row[7u - i] + shared_word);
            }}"
        ),
        16,
    );
    let names: Vec<&str> = function.functions.iter().map(|callee| callee.name.as_str()).collect();
    // `fill` for rows of `d` and of `e`; `bump` for what those are made of, for `d.n` and for `k`.
    assert_eq!(names.iter().filter(|name| **name == "fill").count(), 2, "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "bump").count(), 4, "{names:?}");
}

#[test]
fn large_values_are_copied() {
    let function = check(
        &format!(
            "{HEAD}
            fn made(n: u32) -> array<u32, 100> {{
                var a: array<u32, 100>;
                for (var i = 0u; i < 100u; i++) {{ a[i] = n * i; }}
                return a;
            }}
            fn pick(a: array<u32, 100>, b: array<u32, 100>, i: u32) -> u32 {{ return a[i] + 3u * b[99u - i]; }}
            @compute @workgroup_size(8)
            fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
                var a = made(x[id.x]);
                let b = made(7u);
                let c = pick(a, b, id.x);
                a[id.x] = 9u;
                x[id.x] = c + pick(b, a, id.x * 3u);
            }}"
        ),
        16,
    );
    assert_eq!(function.functions.len(), 2);
}

#[test]
fn early_returns_loops_and_calls_in_both() {
    let function = check(
        &format!(
            "{HEAD}
            const table = array<u32, 6>(3, 1, 4, 1, 5, 9);
            fn step(n: u32) -> u32 {{
                if n % 3u == 0u {{ return n / 3u; }}
                loop {{ if n > 50u {{ return table[n % 7u]; }} break; }}
                return n * 2u + 1u;
            }}
            fn orbit(n: u32, most: u32) -> u32 {{
                var at = n;
                for (var i = 0u; i < most; i++) {{
                    if at == 1u {{ return i; }}
                    if at % 2u == 0u {{ at = step(at); continue; }}
                    switch at % 5u {{ case 0u: {{ break; }} case 1u: {{ at += step(i); }} default: {{ at = step(at + i); }} }}
                }}
                return at;
            }}
            fn nothing(n: u32) {{ if n > 20u {{ x[n % 16u] += 0u; return; }} x[16] = 5u; }}
            @compute @workgroup_size(8)
            fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
                nothing(id.x);
                if id.x % 4u == 3u {{ return; }}
                x[id.x] = orbit(x[id.x], 9u + id.x);
            }}"
        ),
        17,
    );
    assert_eq!(function.functions.len(), 3);
    assert!(function.to_string().contains("  call 2 orbit\n"), "{function}");
}

/// Functions of that many levels, each of which calls the next eight times.
fn nested(levels: u32, leaf: &str) -> String {
    let mut wgsl = format!("{HEAD} var<private> seen: u32;\n fn f0(n: u32) -> u32 {{ seen += n; {leaf} }}\n");
    for level in 1..=levels {
        let before = level - 1;
        let calls: String = (0..8).map(|n| format!("sum = sum * 3u + f{before}(sum ^ {n}u);\n")).collect();
        wgsl += &format!(
            "fn f{level}(n: u32) -> u32 {{ if n % 7u == 5u {{ return n + seen; }} var sum = n;\n{calls} return sum; }}\n"
        );
    }
    wgsl + &format!(
        "@compute @workgroup_size(8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            x[id.x] = f{levels}(x[id.x]) + seen;
        }}"
    )
}

#[test]
fn what_is_too_large_inlined_is_called() {
    let leaf: String =
        (0..20).map(|n| format!("if n % {}u == 2u {{ return n * {n}u + seen; }}\n", n + 3)).collect();
    let wgsl = nested(4, &(leaf + "return n;"));
    let kernel = kernel(&wgsl);
    let large = function(&kernel);
    // Only what is large is called, with what is inlined into it.
    let names: Vec<&str> = large.functions.iter().map(|callee| callee.name.as_str()).collect();
    assert_eq!(names, ["f1", "f3"]);
    assert!(large.values.len() < 50_000);
    assert!(large.variables.iter().all(|variable| variable.shared));
    let memory = (0..16u32).flat_map(|word| (word * 7 % 11).to_le_bytes()).collect();
    agree(&kernel, Grid { workgroups: [2, 1, 1], over: None }, 4, &[memory]);
}

#[test]
fn what_fits_is_inlined() {
    let kernel = kernel(&nested(2, "return n;"));
    let inlined = function(&kernel);
    assert!(inlined.functions.is_empty() && calls(&inlined.body) == 0);
    assert!(inlined.variables.is_empty());
    let limits = Limits { inlined: inlined.values.len() / 2, operations: 200_000 };
    let called = Function::within(&kernel, &limits).unwrap();
    assert_eq!(verify(&called), Ok(()));
    assert!(!called.functions.is_empty());
    assert!(called.values.len() < inlined.values.len());
}

#[test]
fn functions_with_barriers_or_lanes_are_inlined_still() {
    let wgsl = format!(
        "enable subgroups;
        {HEAD}
        var<workgroup> w: array<u32, 8>;
        fn plain(n: u32) -> u32 {{ return n * n; }}
        fn meeting(i: u32) -> u32 {{ w[i] = plain(i); workgroupBarrier(); return w[7u - i]; }}
        fn lanes(n: u32) -> u32 {{ return subgroupAdd(plain(n)); }}
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {{ x[i] = meeting(i) + lanes(i); }}"
    );
    let function = check(&wgsl, 16);
    assert_eq!(function.functions.len(), 1);
    assert_eq!(function.functions[0].name, "plain");
    assert_eq!(calls(&function.body), 2);
}

#[test]
fn functions_that_keep_no_rule_are_found() {
    let kernel = kernel(&format!(
        "{HEAD} fn f(n: u32) -> u32 {{ return n * 3u; }}
        @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {{ x[i] = f(i); }}"
    ));
    let good = function_with_calls(&kernel);
    let mut itself = good.clone();
    itself.functions[0].body.insert(0, Statement::Call { function: 0, mark: Default::default() });
    assert!(verify(&itself).unwrap_err().contains("a call of function 0"));
    let mut alone = good.clone();
    alone.variables.iter_mut().for_each(|variable| variable.shared = false);
    assert!(verify(&alone).unwrap_err().contains("shared"));
    let mut lost = good.clone();
    lost.functions.clear();
    assert!(verify(&lost).unwrap_err().contains("a call of function 0"));
    // Its only argument comes from memory.
    let loads = |op: &Op| matches!(op, Op::Load { place, .. } if matches!(place.root, Root::Variable(_)));
    assert_eq!(good.functions[0].values.iter().filter(|value| loads(&value.op)).count(), 1);
}
