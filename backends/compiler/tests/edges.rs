//! Guards, indices and counters at the edges of what is proven of them: each as a small kernel that every generator, at
//! several widths, must run as the interpreter does, between memory that ends where the bindings do.
//!
//! A stray access ends the process; `--nocapture --test-threads 1` then shows in which test. Knows nothing of how proofs
//! are made.

mod harness;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use harness::{Job, Side, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Options};
use warpweft_interpreter::{Program, Scratch};

/// Of the best generator, and of the others: what is proven does not hang on them.
const WIDTHS: [&[u16]; 2] = [&[1, 4, 8, 16, 32], &[8, 32]];

/// Numbers at which arithmetic of 32 bits changes its mind.
const NUMBERS: [u32; 13] =
    [0, 1, 2, 5, 32, 63, 64, 100, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_fffe, 0xffff_ffff];

/// What is bound, by number, and the grid.
struct Case {
    inputs: Vec<Vec<u32>>,
    workgroups: [u32; 3],
    over: Option<[u32; 3]>,
}

fn case(inputs: Vec<Vec<u32>>, workgroups: u32) -> Case {
    Case { inputs, workgroups: [workgroups, 1, 1], over: None }
}

/// Small numbers that follow from nothing.
fn noise(len: usize, seed: u32) -> Vec<u32> {
    let mut state = 0x9e37_79b9u32.wrapping_mul(seed | 1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state >> 20
    };
    (0..len).map(|_| next()).collect()
}

fn same_everywhere(wgsl: &str, cases: &[Case]) {
    let kernel = kernel(wgsl).unwrap_or_else(|error| panic!("{error}\n{wgsl}"));
    let program = Program::new(&kernel).unwrap();
    let mut scratch = Scratch::default();
    let jobs: Vec<Job> =
        cases.iter().map(|case| Job::new(&kernel, &case.inputs, case.workgroups, case.over)).collect();
    let expected: Vec<_> = jobs.iter().map(|job| job.interpret(&program, 8, &mut scratch).unwrap()).collect();
    for (rank, generator) in Generator::available().into_iter().enumerate() {
        for &lanes in WIDTHS[rank.min(1)] {
            let options = Options { generator, strict: true, lanes: Some(lanes), streaming: false };
            let code = Compiled::new(&kernel, &options)
                .unwrap_or_else(|error| panic!("{options:?}: {error}\n{wgsl}"));
            for (n, (job, expected)) in jobs.iter().zip(&expected).enumerate() {
                // Each end of memory in its turn.
                let side = if (n + usize::from(lanes)) % 3 == 0 { Side::Start } else { Side::End };
                let found = job.run_beside(side, &kernel, &code, 1, &AtomicU32::new(0));
                let inputs =
                    || job.inputs.iter().map(|words| (words.len(), words.get(..4))).collect::<Vec<_>>();
                let found =
                    found.unwrap_or_else(|error| panic!("{options:?}: {error}\n{:?}\n{wgsl}", inputs()));
                if let Some(difference) = compare(&kernel, expected, &found) {
                    panic!("{options:?}, case {n}: {difference}\n{:?}\n{wgsl}", inputs());
                }
            }
        }
    }
}

/// A kernel's text: bindings `out` and `data` of words, `u` of four, and a body with `i` (along x), `l` (of the workgroup)
/// and `g` (no other invocation's).
fn text(size: &str, more: &str, body: &str) -> String {
    let count: u32 = size.split(',').map(|n| n.trim().parse::<u32>().unwrap()).product();
    format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         {more}
         @compute @workgroup_size({size})
         fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) lid: vec3<u32>,
                 @builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3<u32>) {{
             let i = id.x;
             let g = l + wg.x * {count}u;
             {body}
         }}"
    )
}

/// Lengths of both arrays with uniforms from `NUMBERS`, not all with all.
fn cases(workgroups: u32) -> Vec<Case> {
    let lengths = [0, 1, 7, 32, 64, 97, 130];
    let mut cases = vec![];
    for (n, &x) in NUMBERS.iter().enumerate() {
        for m in 0..2 {
            let y = NUMBERS[(n * 5 + m * 4 + 1) % NUMBERS.len()];
            let z = NUMBERS[(n + m * 3) % 8];
            let w = NUMBERS[(n * 3 + m * 7) % NUMBERS.len()];
            let out = lengths[(n + m) % lengths.len()];
            let data = lengths[(n * 3 + m * 2) % lengths.len()];
            let inputs = vec![noise(out, 3), noise(data, 5), vec![x, y, z, w]];
            cases.push(case(inputs, workgroups));
        }
    }
    // What is asked for is exactly what is there, or one more.
    for (n, len) in [1, 7, 32, 64, 97].into_iter().enumerate() {
        let near = [1, 8, 32, 63, 98][n];
        cases.push(case(vec![noise(len, 3), noise(len, 7), vec![len as u32, near, 5, near]], workgroups));
    }
    cases
}

fn bodies(size: &str, more: &str, bodies: &[&str]) {
    for body in bodies {
        same_everywhere(&text(size, more, body), &cases(3));
    }
}

// --- guards and indices along a row ----------------------------------------------------------------------------------

#[test]
fn guards_run_over() {
    bodies(
        "32",
        "",
        &[
            "if i - 1u >= u.x { return; } out[i - 1u] = data[i - 1u] + 1u;",
            "if i >= u.x - 2u { return; } out[i] = data[i + 1u] + data[i + 2u];",
            "if i * 3u < u.x { out[i * 3u] = data[i * 3u + 1u]; }",
            "if i * 0x40000001u < u.x { out[i * 0x40000001u] = data[i]; }",
            "if (i << 30u) < u.x { out[i << 30u] = data[i << 31u]; }",
            "if u.x - i <= u.y { out[u.x - i] = data[u.x - i]; }",
            "if i + u.x > u.y { out[i + u.x] = data[i + u.x - u.y]; }",
            "if i <= u.x { out[i] = data[i] + 1u; } else { out[i] = data[i - u.x]; }",
            "if !(i != u.x) { return; } out[i] = data[i + 1u];",
            "if 0u - i == u.x { return; } out[0u - i - 1u] = data[0u - i];",
        ],
    );
}

#[test]
fn guards_of_signed_numbers() {
    bodies(
        "32",
        "",
        &[
            "let s = i32(i) - i32(u.x); if s >= 0 && s < i32(u.y) { out[s] = data[s]; }",
            "let s = i32(i) - 5; if s < i32(u.x) { out[s] = data[s + 4] + 2u; }",
            "let s = -i32(i); if s > i32(u.x) { return; } out[-s] = data[s + 3];",
            "let s = i32(i) * -2147483647; if s <= i32(u.x) { out[s] = data[s]; }",
            "let s = i32(u.x) - i32(i) * 2; if s < 0 { return; } out[i] = data[s] + data[s + 1];",
            "let s = bitcast<i32>(u.x) + bitcast<i32>(i); if s < 0 { return; } out[i] = data[s];",
        ],
    );
}

#[test]
fn guards_that_hang_on_guards() {
    bodies(
        "32",
        "",
        &[
            "if u.x == 0u { return; } if i >= u.x - 1u { return; } out[i] = data[i + 1u] - data[i];",
            "if i < u.x && i > u.x { out[i] = data[i]; } out[i + 1u] = 4u;",
            "if i < u.x { out[i] = 1u; } else { if i >= u.x { out[i] = data[i - u.x]; } }",
            "if i < u.x { if i >= u.y { out[i] = data[i - u.y]; } else { out[i] = data[u.y - i]; } }
             if i < u.x { out[i] += data[i + 1u]; }",
            "let c = i < u.x; if c { out[i] = data[i]; } if u.y > 3u { if c { out[i] += 2u; } else { out[i] = 5u; } }
             for (var k = 0u; k < 3u; k++) { if c { out[i] += data[i + k]; } }",
            "if i >= arrayLength(&data) || i >= arrayLength(&out) { return; } out[i] = data[i] + data[i / 2u];",
            "if i >= arrayLength(&data) - u.z { return; } out[i] = data[i + u.z];",
            "if data[i] > 2000u { return; } if i >= u.x { return; } out[i] = data[i] + data[u.z];",
        ],
    );
}

#[test]
fn indices_that_only_some_lanes_may_use() {
    let more = "@group(0) @binding(3) var<storage, read> table: array<array<u32, 32>>;";
    let mut cases = cases(3);
    for (n, case) in cases.iter_mut().enumerate() {
        case.inputs.push(noise(32 * (n % 4), 7));
        // Rows that are there, columns that are not.
        case.inputs[2][1] = (n % 5) as u32;
    }
    for body in [
        "if x < l { out[i] = table[y][x]; }",
        "if i32(u.x) < i32(l) - 3 { out[i] = table[u.y][u.x + 3u]; }",
        "if l > x { out[i] = table[y][x]; } else { out[i] = 3u; }",
        "var a = array<u32, 32>(); a[l] = l; if x < l { out[i] = a[u.x] + table[y][x]; }",
        "if (data[i] & 1u) == 1u { if x < l { out[i] += table[y][x]; } }",
        "for (var k = 0u; k < u.z; k++) { if u.x + k < l { out[i] += table[u.y][u.x + k]; } }",
    ] {
        let body = format!("let x = u.x; let y = u.y; {body}");
        same_everywhere(&text("32", more, &body), &cases);
        same_everywhere(
            &text("32", &format!("var<workgroup> t: u32; {more}"), &format!("t = 1u; {body}")),
            &cases,
        );
    }
}

#[test]
fn elements_of_odd_sizes() {
    let more = "struct S { a: vec3<f32>, b: u32, c: array<vec3<u32>, 2> }
                struct H { n: u32, m: mat3x3<f32>, rest: array<S> }
                @group(0) @binding(3) var<storage, read_write> h: H;
                @group(0) @binding(4) var<storage, read> m: array<mat3x2<f32>>;";
    let mut cases = cases(2);
    for (n, case) in cases.iter_mut().enumerate() {
        let words = 16 + 12 * [1, 2, 7, 33, 64][n % 5] + [0, 4, 8][n % 3];
        case.inputs.push(noise(words, 7));
        case.inputs.push(noise(6 * [1, 3, 40][n % 3], 9));
    }
    for body in [
        "if i >= u.x { return; } h.rest[i].b = u32(h.rest[i].a.z) + h.rest[i].c[1].y;",
        "if i < arrayLength(&h.rest) { h.rest[i].a.y = m[i][2].x; h.rest[i].c[u.z].x = 3u; }",
        "h.rest[i - 1u].a = vec3<f32>(m[i][u.z]. y, 1.0, 2.0);",
        "for (var k = 0u; k < u.x; k++) { if k > 70u { break; } out[i] += u32(m[k + i][1].y) + h.rest[k].b; }",
    ] {
        same_everywhere(&text("16", more, body), &cases);
    }
}

#[test]
fn halves() {
    let wgsl = |body: &str| {
        format!(
            "enable f16;
             @group(0) @binding(0) var<storage, read_write> out: array<f16>;
             @group(0) @binding(1) var<storage, read> data: array<f16>;
             @group(0) @binding(2) var<uniform> u: vec4<u32>;
             @compute @workgroup_size(32)
             fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ let i = id.x; {body} }}"
        )
    };
    for body in [
        "if i >= u.x { return; } out[i] = data[i] + data[i + 1u];",
        "if i - 3u >= u.x { return; } out[i - 3u] = data[i * 2u];",
        "var s = data[u.x]; for (var k = u.z; k <= u.x; k += 2u) { if k > 200u { break; } s += data[k]; } out[i] = s;",
    ] {
        same_everywhere(&wgsl(body), &cases(3));
    }
}

#[test]
fn grids_that_end_in_the_middle() {
    let mut cases = vec![];
    for over in [[1, 1, 1], [7, 2, 1], [33, 3, 2], [40, 4, 3], [17, 1, 2]] {
        for x in [0, 6, 33, 0xffff_ffff] {
            let inputs = vec![vec![0; 600], noise(64, 2), vec![x, 3, 2, 1]];
            cases.push(Case { inputs, workgroups: [5, 2, 2], over: Some(over) });
        }
    }
    for more in ["", "var<workgroup> t: u32;"] {
        for size in ["8, 2, 2", "5, 3, 2", "16, 2, 2"] {
            for body in [
                "let at = id.x + 40u * (id.y + 4u * id.z); if id.x >= u.x { return; } out[at] = data[id.x] + lid.x;",
                "let at = id.x + 40u * (id.y + 4u * id.z); if id.y + 1u < u.y { out[at] = data[id.x - u.z] + wg.x; }",
            ] {
                let body = if more.is_empty() { body.into() } else { format!("t = 1u; {body}") };
                same_everywhere(&text(size, more, &body), &cases);
            }
        }
    }
}

// --- loops -----------------------------------------------------------------------------------------------------------

#[test]
fn counters_reach_their_limits() {
    bodies(
        "16",
        "",
        &[
            "var s = 0u; var n = 0u; for (var k = u.x; k < u.y; k++) { if n > 99u { break; } n++; s += data[k]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = u.x; k <= u.y; k += 3u) { if n > 99u { break; } n++; s += data[k - 1u] + data[k]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = i32(u.x); k < i32(u.y); k++) { if n > 99u { break; } n++; s += data[k] + data[k + 5]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = u.x; k < u.y; k += 7u) { if n > 99u { break; } n++; s += data[k + i] + data[i - k] + data[k * 5u]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = 0u; k < u.x; k++) { if n > 99u { break; } n++; s += data[u.y] + data[u.z * k + u.y] + data[(k << 29u)]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = u.z; k < arrayLength(&data); k++) { if n > 150u { break; } n++; s += data[k] * data[arrayLength(&data) - 1u - k]; } out[i] = s;",
            "var n = 0u; for (var k = u.x; k < u.y; k++) { if n > 99u { break; } n++; if i == 0u { out[k] = k; } }",
            "var s = 0u; var n = 0u; var k = 70u; while k > u.z { if n > 99u { break; } n++; s += data[k - u.x]; k -= 2u; } out[i] = s;",
        ],
    );
}

#[test]
fn loops_ask_for_edges_inside() {
    bodies(
        "16",
        "",
        &[
            "var s = 0u; var n = 0u; for (var k = u.x; k < u.y; k++) { if n > 99u { break; } n++; if k > 0u && k + 1u < u.w { s += data[k - 1u] + data[k + 1u]; } else { s += 1u; } } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = 0u; k < u.y; k++) { if n > 99u { break; } n++; let p = i32(k) + i32(i) - i32(u.z); if p < 0 || p >= i32(u.w) { continue; } s += data[p]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = u.z; k < u.y; k++) { if n > 99u { break; } n++; if k >= u.x { s += 3u; continue; } if (data[k] & 1u) == 0u { continue; } s += data[k + u.z]; } out[i] = s;",
            "var s = 0u; let c = i < u.x; for (var k = 0u; k < u.z; k++) { if c { s += data[i + k]; } if k < u.x { s += data[k]; } } out[i] = s;",
            "var s = 0u; for (var a = 0u; a < u.z; a++) { for (var b = a; b < u.z; b++) { if b - a < u.y { s += data[a * u.z + b]; } } if a > 40u { break; } } out[i] = s;",
        ],
    );
}

#[test]
fn loops_that_only_some_lanes_are_in() {
    bodies(
        "32",
        "",
        &[
            "var s = 0u; let x = u.x & 127u; if l > x { for (var k = 0u; k < x; k++) { s += data[k]; } } out[i] = s;",
            "var s = 0u; if (data[i] & 1u) == 1u { var n = 0u; for (var k = u.x; k < u.y; k++) { if n > 99u { break; } n++; s += data[k]; if s > 9000u { break; } } } out[i] = s;",
            "var s = 0u; for (var k = 0u; k < u.z; k++) { s += data[k + i]; if s > 3000u { out[i] = s; return; } } out[i] = s + 1u;",
            "let x = u.x & 127u; if (data[i] & 1u) == 1u { var s = 0u; for (var k = 0u; ; k++) { if k >= x { out[i] = s; return; } s += data[k]; if l == k { continue; } s ^= 1u; } }",
            "if (i & 1u) == 1u { var s = 0u; for (var k = 0u; ; k++) { if k >= u.x { return; } s += data[k]; if l == k { continue; } s += 1u; if k > 150u { out[i] = s; return; } } }",
            "if (i & 1u) == 1u { var s = i; for (var k = 0u; ; k++) { if k >= u.x { return; } s += data[k]; if l == k { continue; } if k > 150u { break; } } out[i] = s; }",
            "var a = array<u32, 8>(); for (var k = 0u; k < u.z; k++) { a[k & 7u] += k; a[k] += 1u; if (data[i] & k) == 3u { break; } } out[i] = a[u.z] + a[3];",
        ],
    );
}

#[test]
fn what_leaves_a_loop_does_so_beyond_its_limit() {
    bodies(
        "8",
        "",
        &[
            "var n = 0u; for (var k = 0u; ; k++) { if k >= u.x { out[k] = 9u; break; } if n > 99u { break; } n++; out[k] = data[k]; }",
            "var s = 0u; var n = 0u; for (var k = u.z; ; k++) { if k >= u.x { s += data[k] * 3u; break; } if n > 99u { break; } n++; s += data[k]; } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = 0u; ; k++) { let c = k + 1u < u.y; if k >= u.x { if c { s += 1000u; } break; } if n > 99u { break; } n++; if c { s += data[k]; } else { s += 7u; } } out[i] = s;",
            "var s = 0u; var n = 0u; for (var k = 0u; ; k++) { if k >= u.x { out[i + k] = s; return; } if n > 99u { return; } n++; s += data[i + k]; }",
            "var s = 0u; let x = u.x & 127u; for (var k = 0u; ; k++) { let c = k < x; if c {} else { break; } if c { s += data[k]; } else { s += 5u; } } out[i] = s;",
            "var s = 0u; let x = u.x & 127u; for (var k = 0u; ; k++) { let c = k >= x; if c { break; } if !c { s += data[k]; } if c { s = 3u; } } out[i] = s;",
            "let x = u.x & 127u; var s = 0u; for (var k = 0u; ; k++) { let c = k + 1u < u.y; let v = select(7u, 9u, c); if k >= x { s = s * 16u + v; break; } if c { s += data[k]; } else { s += 1u; } } out[i] = s;",
        ],
    );
}

#[test]
fn rounds_that_are_skipped_at_their_head() {
    bodies(
        "8",
        "",
        &[
            "var k = 0u; loop { if k >= u.x { continue; } out[k] = 3u; continuing { k++; break if k == 141u; } }",
            "var s = 0u; var k = 0u; loop { if k >= u.x { continue; } s += data[k]; continuing { s += data[k]; k += 1u; break if k == 141u; } } out[i] = s;",
            "var k = 0u; loop { if k >= u.x { continue; } out[k] = 3u; continuing { out[k] = k; k += 1u; break if k == 141u; } }",
            "var s = 0u; for (var k = u.z; k < 140u; k++) { if k >= u.x { continue; } s += data[k]; } out[i] = s;",
            "var s = 0u; var k = u.z; loop { switch k { case 3u: { k++; continue; } default: {} } if k >= u.x { k++; if k > 150u { break; } continue; } s += data[k - u.z]; k++; if k > 150u { break; } } out[i] = s;",
        ],
    );
}

#[test]
fn counters_that_change_elsewhere() {
    bodies(
        "8",
        "",
        &[
            "var s = 0u; for (var k = 0u; k < u.x; k++) { if s > 2000u { break; } s += data[k] + 1u; if (k & 3u) == u.z { k += 5u; } if k > 300u { break; } } out[i] = s;",
            "var s = 0u; var j = u.z; for (var k = 0u; k < 20u; k++) { s += data[j]; if k == u.x { j += 100u; } j++; } out[i] = s;",
            "var s = 0u; var lim = u.x & 127u; for (var k = 0u; k < lim; k++) { s += data[k]; if (k & 1u) == 1u { lim -= 1u; } } out[i] = s;",
        ],
    );
}

#[test]
fn a_loop_that_skips_its_rounds_is_stopped() {
    let wgsl = text(
        "8",
        "",
        "var s = 0u; var k = 0u;
         loop { if k >= 10u { continue; } s += data[k]; continuing { k += 1u; break if u.x == 1u; } }
         out[i] = s;",
    );
    let kernel = kernel(&wgsl).unwrap();
    let job = Job::new(&kernel, &[vec![0; 8], noise(64, 1), vec![0; 4]], [1, 1, 1], None);
    for generator in Generator::available() {
        for lanes in [1, 8] {
            let options = Options { generator, strict: true, lanes: Some(lanes), streaming: false };
            let code = Compiled::new(&kernel, &options).unwrap();
            let cancel = AtomicU32::new(0);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(20));
                    cancel.store(1, Ordering::Relaxed);
                });
                assert!(job.run(&kernel, &code, 1, &cancel).is_err());
            });
        }
    }
}

// --- workgroups ------------------------------------------------------------------------------------------------------

#[test]
fn workgroups_that_gangs_do_not_fill() {
    for (size, count) in [
        ("5", 5),
        ("33", 33),
        ("7, 3", 21),
        ("3, 3, 3", 27),
        ("8, 4", 32),
        ("16, 2, 2", 64),
        ("1, 40", 40),
        ("4, 8", 32),
    ] {
        let more = format!("var<workgroup> t: array<u32, {count}>;");
        for body in [
            "t[l] = data[g]; workgroupBarrier(); out[g] = t[l];",
            "if l < u.x { t[l] = l; } workgroupBarrier(); if l + 1u < u.x { out[g] = t[l + 1u]; }",
            "t[l] = data[l + u.z]; workgroupBarrier(); if lid.y + 1u < u.z { out[g + 1u] = t[l - u.z] + data[lid.x + lid.y]; }",
            "t[l] = g; if l >= u.x { return; } out[g] = t[l] + data[u.x - l];",
        ] {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}

#[test]
fn what_is_shared_rests_on_nobody() {
    let more = "var<workgroup> t: array<u32, 32>;
                struct T { a: array<u32, 32> }
                @group(0) @binding(3) var<storage, read> table: T;";
    let mut cases = cases(3);
    cases.iter_mut().for_each(|case| case.inputs.push(noise(32, 7)));
    for body in [
        "t[l] = i; if l <= u.x { return; } workgroupBarrier(); out[i] = t[l] + table.a[u.x];",
        "t[l] = i; if l <= u.x { return; } out[i] = t[l] + table.a[u.x];",
        "if l <= u.x { return; } workgroupBarrier(); let k = table.a[u.x]; if k > 300u { t[l] = k; workgroupBarrier(); out[i] = t[l]; }",
    ] {
        same_everywhere(&text("32", more, body), &cases);
    }
}

#[test]
fn nobody_steers_the_workgroup() {
    let small = |w| case(vec![noise(96, 1), noise(0, 1), vec![9, 0, 3, w]], 3);
    for leave in ["if rounds >= limit { break; }", "if rounds < limit {} else { break; }"] {
        let body = format!(
            "if l >= u.w {{ return; }}
             var rounds = 0u;
             loop {{
                 var limit = u.x;
                 for (var k = 0u; k < u.z; k++) {{ limit -= 1u; }}
                 {leave}
                 t[l] = rounds * i;
                 workgroupBarrier();
                 out[g] += t[31u - l];
                 workgroupBarrier();
                 rounds++;
             }}"
        );
        same_everywhere(&text("32", "var<workgroup> t: array<u32, 32>;", &body), &[0, 1, 32].map(small));
    }
}

#[test]
fn gangs_that_returned_do_not_steer_the_workgroup() {
    let small = |w| case(vec![noise(96, 1), noise(96, 1), vec![9, 0, 3, w]], 3);
    for limit in [
        "for (var k = 0u; k < u.z; k++) { limit += 1u; }",
        "for (var k = 0u; k < 9u; k++) { if k == u.z { break; } limit += 1u; }",
        "if u.x > 3u { limit = u.z; } else { limit = data[u.z]; }",
        "for (var k = 0u; k < 20u; k++) { if data[k + l] == 5u { break; } } limit = u.z;",
    ] {
        let body = format!(
            "if l >= u.w {{ return; }}
             var limit = 0u;
             {limit}
             for (var k = 0u; k < limit; k++) {{
                 t[l] = k * i;
                 workgroupBarrier();
                 if g < 90u {{ out[g] += t[31u - l]; }}
                 workgroupBarrier();
             }}"
        );
        same_everywhere(
            &text("32", "var<workgroup> t: array<u32, 32>;", &body),
            &[0, 1, 5, 9, 17, 32].map(small),
        );
    }
}

#[test]
fn regions_of_whole_gangs() {
    for (size, count) in [("64", 64), ("32, 2", 64), ("32, 2, 2", 128), ("8, 8", 64), ("96", 96)] {
        let more = format!("var<workgroup> t: array<u32, {count}>;");
        for body in [
            "t[l] = data[l]; workgroupBarrier(); if l >= u.x - 1u { out[g] = t[u.x - l]; } else { out[g] = t[l + 1u] + data[l - u.z]; }",
            "for (var k = u.z; k > 0u; k >>= 1u) { t[l] = k; workgroupBarrier(); if l < k { t[l] += t[l + k] + data[l + k]; } workgroupBarrier(); } out[g] = t[l];",
            "for (var k = 0u; k < u.z; k++) { t[l] = data[l + k * 32u]; workgroupBarrier(); if i32(l) - i32(k) >= 0 { out[g] += t[l - k] + data[k]; } workgroupBarrier(); if k > 5u { break; } }",
        ] {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}

#[test]
fn columns_and_planes() {
    // Gangs of a workgroup that lie along one axis, with guards along each.
    for (size, count) in
        [("1, 32", 32), ("1, 1, 32", 32), ("4, 16", 64), ("2, 4, 8", 64), ("16, 4", 64), ("32, 1, 2", 64)]
    {
        let more = format!("var<workgroup> t: array<u32, {count}>;");
        for body in [
            "t[l] = g; workgroupBarrier(); if lid.x >= u.x { return; } out[g] = t[lid.x * 2u] + data[lid.y * u.z + lid.x - 1u];",
            "t[l] = g; workgroupBarrier(); if lid.y >= u.z - 1u { out[g] = data[lid.y - u.z]; } else { out[g] = t[lid.y + 1u] + data[lid.z - 1u]; }",
            "t[l] = g; workgroupBarrier(); if i32(lid.z) - i32(u.z) > i32(u.x) { out[g] = data[l]; } workgroupBarrier(); out[g + u.z] = t[l * u.z];",
        ] {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}

// --- atomic steps ----------------------------------------------------------------------------------------------------

#[test]
fn atomic_steps_at_the_edge() {
    let more = "@group(0) @binding(3) var<storage, read_write> a: array<atomic<u32>>;
                @group(0) @binding(4) var<storage, read_write> f: array<atomic<u32>, 16>;";
    let mut cases = cases(2);
    for (n, case) in cases.iter_mut().enumerate() {
        case.inputs.push(noise([0, 1, 16, 40, 64][n % 5], 7));
        case.inputs.push(noise(16, 8));
    }
    for size in ["32", "12"] {
        for body in [
            "atomicAdd(&f[i & 15u], i); atomicMax(&a[i], 1u); atomicMax(&a[u.x], i);",
            "if i >= u.x { return; } atomicAdd(&a[i - 1u], i); atomicMin(&f[data[i] & 7u], i);",
            "if u.x < l { atomicAdd(&f[u.x & 31u], l); atomicAdd(&f[u.x], l); }",
            "for (var k = 0u; k < u.z; k++) { atomicXor(&a[k], i); atomicAdd(&f[(k + i) & 15u], k); if k > 60u { break; } }",
            "if l >= u.z { return; } atomicAdd(&f[l >> 1u], 1u); atomicAdd(&f[(l * 3u) % 16u], l); atomicSub(&f[3], l);",
        ] {
            same_everywhere(&text(size, more, body), &cases);
            same_everywhere(
                &text(
                    size,
                    &format!("var<workgroup> w: array<atomic<u32>, 12>; {more}"),
                    &format!("atomicAdd(&w[l & 3u], 1u); atomicAdd(&w[l], l); atomicAdd(&w[u.x], l); {body}"),
                ),
                &cases,
            );
        }
    }
}

// --- the compiler itself ---------------------------------------------------------------------------------------------

#[test]
fn what_is_used_twice_is_looked_at_once() {
    for rounds in [10, 36, 60] {
        let squares = "a = a * a; ".repeat(rounds);
        for body in [
            format!("var a = i; {squares} if a > u.x {{ return; }} out[i] = data[a];"),
            format!("var a = u.y; {squares} if a + i > u.x {{ return; }} out[i] = data[a] + data[a + i];"),
            format!(
                "var s = 0u; for (var k = 0u; k < u.z; k++) {{
                     var a = u.y; {squares} a += k; if a < u.x {{ s += data[a]; }} if k > 50u {{ break; }}
                 }} out[i] = s;"
            ),
        ] {
            same_everywhere(&text("32", "", &body), &cases(1)[..6]);
        }
    }
}

#[test]
fn long_conditions_are_compiled() {
    let all = (0..40).map(|k| format!("data[i + {k}u] > 9u")).collect::<Vec<_>>().join(" && ");
    let any = (0..40).map(|k| format!("i == u.x + {k}u")).collect::<Vec<_>>().join(" || ");
    let mixed = (0..40).fold("i > u.x".to_string(), |c, k| {
        format!("({c} {} i != {k}u * u.y)", if k % 2 == 0 { "&&" } else { "||" })
    });
    let nested = "c = c != (i > 5u); c = select(c, !c, i > u.x); ".repeat(20);
    for body in [
        format!("if {all} {{ out[i] = 1u; }}"),
        format!("if {any} {{ out[i] = 1u; }} else {{ out[i] = data[i]; }}"),
        format!("if {mixed} {{ return; }} out[i] = data[i];"),
        format!("var c = i < u.y; {nested} if c {{ out[i] = data[i]; }}"),
    ] {
        same_everywhere(&text("32", "", &body), &cases(1)[..6]);
    }
}

// --- made up -----------------------------------------------------------------------------------------------------------

/// Kernels of guards, counters and indices, each from a number.
struct Maker {
    state: u64,
    /// Names of numbers and of conditions in scope.
    numbers: Vec<String>,
    conditions: Vec<String>,
    names: u32,
    /// A workgroup's memory is there.
    tile: bool,
}

impl Maker {
    fn below(&mut self, n: usize) -> usize {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) as usize) % n
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    fn constant(&mut self) -> &'static str {
        self.one(&[
            "0u",
            "1u",
            "1u",
            "2u",
            "3u",
            "5u",
            "31u",
            "32u",
            "64u",
            "0x7fffffffu",
            "0x80000000u",
            "0xffffffffu",
        ])
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 || self.below(4) == 0 {
            return match self.below(7) {
                // Not constant to whoever reads the text.
                0 => format!("(z + {})", self.constant()),
                1 => self.one(&["u.x", "u.y", "u.z", "arrayLength(&data)", "arrayLength(&out)"]).into(),
                2 => self.one(&["l", "lid.x", "lid.y", "wg.x"]).into(),
                3 => "i".into(),
                _ => {
                    let at = self.below(self.numbers.len());
                    self.numbers[at].clone()
                }
            };
        }
        let a = self.number(depth - 1);
        match self.below(12) {
            0 => format!("({a} * {})", self.constant()),
            1 => format!("({a} << {})", self.one(&["1u", "2u", "30u", "31u"])),
            2 => format!("({a} & {})", self.one(&["7u", "15u", "31u", "0xfffffff0u"])),
            3 => format!("({a} % {})", self.one(&["3u", "16u", "33u"])),
            4 => format!("({a} >> {})", self.one(&["1u", "4u"])),
            5 => format!("bitcast<u32>(-bitcast<i32>({a}))"),
            6 => format!("min({a}, {})", self.number(depth - 1)),
            7 => format!("select({a}, {}, {})", self.number(depth - 1), self.condition(depth - 1)),
            8 | 9 => format!("({a} - {})", self.number(depth - 1)),
            _ => format!("({a} + {})", self.number(depth - 1)),
        }
    }

    fn condition(&mut self, depth: u32) -> String {
        if !self.conditions.is_empty() && self.below(4) == 0 {
            let at = self.below(self.conditions.len());
            return self.conditions[at].clone();
        }
        match self.below(if depth == 0 { 6 } else { 10 }) {
            6 => format!("({} && {})", self.condition(depth - 1), self.condition(depth - 1)),
            7 => format!("({} || {})", self.condition(depth - 1), self.condition(depth - 1)),
            8 => format!("!({})", self.condition(depth - 1)),
            9 => format!("((data[{}] & 1u) == 1u)", self.number(1)),
            n => {
                let op = self.one(&["<", "<", "<=", ">", ">=", "==", "!="]);
                let (a, b) = (self.number(depth.min(2)), self.number(1));
                if n == 0 {
                    format!("(bitcast<i32>({a}) {op} bitcast<i32>({b}))")
                } else {
                    format!("({a} {op} {b})")
                }
            }
        }
    }

    fn list(&mut self, depth: u32) -> String {
        let (numbers, conditions) = (self.numbers.len(), self.conditions.len());
        let count = 1 + self.below(4);
        let text: Vec<String> = (0..count).map(|_| self.statement(depth)).collect();
        self.numbers.truncate(numbers);
        self.conditions.truncate(conditions);
        text.join("\n")
    }

    fn counter(&mut self) -> (String, String, String) {
        let start = if self.below(2) == 0 { "0u".into() } else { self.number(1) };
        let limit = if self.below(3) == 0 { self.number(1) } else { self.one(&["u.x", "u.y", "u.z"]).into() };
        (self.name(), start, limit)
    }

    fn statement(&mut self, depth: u32) -> String {
        match self.below(if depth == 0 { 8 } else { 17 }) {
            0 => {
                let (name, value) = (self.name(), self.number(2));
                self.numbers.push(name.clone());
                format!("let {name} = {value};")
            }
            1 => {
                let (name, value) = (self.name(), self.condition(1));
                self.conditions.push(name.clone());
                format!("let {name} = {value};")
            }
            2 => format!("out[{}] = 7u;", self.number(2)),
            3 => format!("s += table[{}][{}];", self.number(1), self.number(1)),
            4 => format!("atomicAdd(&steps[{}], {});", self.number(1), self.number(0)),
            5 => format!("own[{}] += {}; s ^= own[{}];", self.number(1), self.number(0), self.number(1)),
            6 | 7 => format!("s += data[{}];", self.number(2)),
            8 => format!(
                "if {} {{ {} return; }}",
                self.condition(1),
                self.one(&["", "out[i] = 7u;", "sums[g] = s;"])
            ),
            9 | 10 => format!("if {} {{ {} }}", self.condition(2), self.list(depth - 1)),
            11 | 12 => {
                format!(
                    "if {} {{ {} }} else {{ {} }}",
                    self.condition(1),
                    self.list(depth - 1),
                    self.list(depth - 1)
                )
            }
            13 | 14 => {
                let (k, start, limit) = self.counter();
                let op = self.one(&["<", "<", "<="]);
                let step = self.one(&["1u", "1u", "3u", "1000u"]);
                self.numbers.push(k.clone());
                let body = self.list(depth - 1);
                let leave =
                    self.one(&["", "if (s & 31u) == 5u { break; }", "if (s & 7u) == 5u { continue; }"]);
                let text = format!(
                    "for (var {k} = {start}; {k} {op} {limit}; {k} += {step}) {{ if n > 40u {{ break; }} n++; {body} {leave} s += data[{k}]; }}"
                );
                self.numbers.pop();
                text
            }
            15 => {
                let (k, start, limit) = self.counter();
                self.numbers.push(k.clone());
                let (last, body) = (self.list(0), self.list(depth - 1));
                let leave = self.one(&["break;", "break;", "sums[g] = s; return;"]);
                let text = format!(
                    "for (var {k} = {start}; ; {k}++) {{ if {k} >= {limit} {{ {last} {leave} }} if n > 40u {{ break; }} n++; {body} s += data[{k}]; }}"
                );
                self.numbers.pop();
                text
            }
            _ => {
                let (k, start, limit) = self.counter();
                self.numbers.push(k.clone());
                let (body, again) = (self.list(depth - 1), self.list(0));
                let text = format!(
                    "var {k} = {start}; loop {{ if {k} >= {limit} {{ continue; }} {body} s += data[{k}]; continuing {{ {again} n++; {k}++; break if n > 40u; }} }}"
                );
                self.numbers.pop();
                text
            }
        }
    }

    fn kernel(&mut self) -> String {
        self.tile = self.below(3) == 0;
        let size = self.one(&["32", "16", "33", "8, 4", "64", "5, 3", "32, 2"]);
        let count: u32 = size.split(',').map(|n| n.trim().parse::<u32>().unwrap()).product();
        let mut body = vec!["var s = 0u; var n = 0u; var z = 0u; var own = array<u32, 16>();".to_string()];
        for _ in 0..2 + self.below(3) {
            body.push(self.statement(2));
            if self.tile {
                let at = self.number(1);
                body.push(format!("t[l] = s; workgroupBarrier(); s += t[{at}]; workgroupBarrier();"));
            }
        }
        body.push("sums[g] = s;".into());
        let tile = if self.tile { format!("var<workgroup> t: array<u32, {count}>;") } else { String::new() };
        let more = format!(
            "@group(0) @binding(3) var<storage, read> table: array<array<u32, 16>>;
             @group(0) @binding(4) var<storage, read_write> sums: array<u32>;
             @group(0) @binding(5) var<storage, read_write> steps: array<atomic<u32>>;
             {tile}"
        );
        text(size, &more, &body.join("\n"))
    }

    fn cases(&mut self) -> Vec<Case> {
        let length = [0, 1, 7, 16, 31, 32, 33, 64, 100, 130];
        (0..12)
            .map(|_| {
                let mut lengths = || length[self.below(length.len())];
                let (out, data, sums, steps) = (lengths(), lengths(), lengths(), lengths());
                let rows = self.below(4);
                let mut uniform = || match self.below(3) {
                    0 => NUMBERS[self.below(NUMBERS.len())],
                    1 => [out, data, sums][self.below(3)] as u32,
                    _ => self.below(40) as u32,
                };
                let uniforms = (0..4).map(|_| uniform()).collect();
                let seed = self.below(1000) as u32;
                let table = noise(16 * rows, seed);
                let inputs =
                    vec![vec![7; out], noise(data, seed), uniforms, table, vec![0; sums], noise(steps, seed)];
                Case { inputs, workgroups: [3, 1, 1], over: None }
            })
            .collect()
    }
}

/// `WARPWEFT_EDGES=1000` makes that many kernels, `WARPWEFT_EDGES_FIRST=17` begins at that number, and
/// `WARPWEFT_EDGES_TRACE=1` tells each before it runs, should one take the process with it.
#[test]
fn kernels_made_of_edges() {
    let setting = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = setting("WARPWEFT_EDGES_FIRST").unwrap_or(0);
    for seed in first..first + setting("WARPWEFT_EDGES").unwrap_or(8) {
        let mut maker = Maker {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            numbers: vec!["i".into()],
            conditions: vec![],
            names: 0,
            tile: false,
        };
        let wgsl = maker.kernel();
        if setting("WARPWEFT_EDGES_TRACE").is_some() {
            eprintln!("kernel {seed}\n{wgsl}");
        }
        let cases = maker.cases();
        let outcome = std::panic::catch_unwind(|| same_everywhere(&wgsl, &cases));
        assert!(outcome.is_ok(), "kernel {seed}");
    }
}
