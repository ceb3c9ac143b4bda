//! Shapes of control flow that compilers get wrong: each as a small kernel that every generator, at every width, must
//! run as the interpreter does, to the last bit.

mod harness;

use std::sync::atomic::AtomicU32;

use harness::{Job, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Options};
use warpweft_interpreter::{Program, Scratch};

/// Runs a kernel's body on 203 invocations' worth of data, in workgroups of `size`.
///
/// The body has `i` (its number), `l` (in the workgroup), `data`, `out` (one word for each invocation), `u` (a uniform
/// `vec4<u32>` of 5, 100, 3, 0) and `tile` (one word of workgroup memory for each invocation).
fn same_everywhere(size: u32, body: &str) {
    everywhere(size, &format!("out[i] = data[i] + u.w + l;\n{body}"));
}

/// The same for a body that writes all of `out` that it wants to.
fn everywhere(size: u32, body: &str) {
    let shared = body.contains("tile").then(|| format!("var<workgroup> tile: array<u32, {size}>;"));
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>;
         {}
         @compute @workgroup_size({size})
         fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_index) l: u32) {{
             let i = id.x;
             {body}
         }}",
        shared.unwrap_or_default(),
    );
    same(&wgsl, size, if body.contains("first") { 8 } else { 1 });
}

/// Runs a kernel with these bindings, and `each` words of `out` for an invocation.
fn same(wgsl: &str, size: u32, each: usize) {
    let kernel = kernel(wgsl).unwrap();
    let mut state = 0x1234_5678u32;
    let data = (0..256 * each)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state >> 16
        })
        .collect();
    let job = Job::new(
        &kernel,
        &[vec![0; 203 * each], data, vec![5, 100, 3, 0]],
        [203u32.div_ceil(size), 1, 1],
        None,
    );
    let program = Program::new(&kernel).unwrap();
    let expected = job.interpret(&program, 8, &mut Scratch::default()).unwrap();
    for generator in Generator::available() {
        for lanes in [None, Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), Some(64)] {
            let options = Options { generator, strict: true, lanes, streaming: false };
            let code = Compiled::new(&kernel, &options)
                .unwrap_or_else(|error| panic!("{options:?}: {error}\n{wgsl}"));
            let found = job.run(&kernel, &code, 1, &AtomicU32::new(0)).unwrap();
            if let Some(difference) = compare(&kernel, &expected, &found) {
                panic!("{options:?}: {difference}\n{wgsl}");
            }
        }
    }
}

#[test]
fn invocations_that_returned_are_not_missed_at_barriers() {
    for size in [1, 7, 16, 33, 64] {
        same_everywhere(
            size,
            "if (data[i] & 3u) == 0u { return; }
             tile[l] = i;
             workgroupBarrier();
             out[i] = tile[l] * 2u;
             if i >= u.y { return; }
             workgroupBarrier();
             out[i] += tile[l];",
        );
    }
}

#[test]
fn a_whole_workgroup_returns_from_a_loop() {
    same_everywhere(
        8,
        "for (var k = 0u; k < 4u; k++) {
             tile[l] = k;
             workgroupBarrier();
             if k == u.z - 1u { return; }
             workgroupBarrier();
             out[i] += tile[(l + 1u) % 8u];
         }",
    );
}

#[test]
fn a_round_that_all_return_from_gives_no_next_one() {
    for skips in ["u.x == 5u", "u.x == 6u", "k == 2u"] {
        same_everywhere(
            8,
            &format!(
                "var k = 0u;
                 loop {{
                     if k >= 4u {{ break; }}
                     k += 1u;
                     if {skips} {{ continue; }}
                     out[i] += k;
                     if (data[i] & 1u) == 1u {{ out[i] += 7u; return; }} else {{ out[i] *= 3u; return; }}
                     continuing {{
                         tile[l] = k + i;
                         workgroupBarrier();
                         out[i] += tile[(l + 1u) % 8u];
                         workgroupBarrier();
                     }}
                 }}
                 out[i] += 100u;"
            ),
        );
    }
}

#[test]
fn the_inner_of_two_equal_conditions_says_nothing_of_the_outer() {
    same_everywhere(
        5,
        "let odd = (i & 1u) == 1u;
         if odd {
             if odd { out[i] = 7u; }
             out[i] += 1u;
         }",
    );
}

#[test]
fn loops_around_barriers_break_and_continue_together() {
    same_everywhere(
        16,
        "var sum = 0u;
         for (var k = 0u; k < 9u; k++) {
             if k == u.z { continue; }
             if k > u.x { break; }
             tile[l] = k + i;
             workgroupBarrier();
             if (data[i] & 1u) == 1u { continue; }
             sum += tile[(l + k) % 16u];
             if (data[i] & 2u) == 2u { sum += 1u; }
         }
         out[i] = sum;",
    );
}

#[test]
fn what_regions_compute_alike_steers_the_workgroup() {
    same_everywhere(
        32,
        "var rounds = 0u;
         loop {
             var limit = u.x;
             for (var k = 0u; k < u.z; k++) { limit -= 1u; }
             if rounds >= limit { break; }
             tile[l] = rounds * i;
             workgroupBarrier();
             out[i] += tile[31u - l];
             workgroupBarrier();
             rounds++;
         }",
    );
}

#[test]
fn a_loop_around_barriers_starts_with_what_a_region_computed() {
    same_everywhere(
        32,
        "var start = u.x;
         for (var k = 0u; k < u.z; k++) { start = start * 3u + k; }
         var sum = start;
         for (var round = 0u; round < 3u; round++) {
             tile[l] = sum + i;
             workgroupBarrier();
             sum += round * start;
             out[i] += tile[31u - l];
             workgroupBarrier();
         }
         out[i] += sum;",
    );
}

#[test]
fn a_loop_asks_a_condition_of_an_earlier_region() {
    same_everywhere(
        32,
        "tile[l] = data[i];
         workgroupBarrier();
         let least = i32(tile[3] % 7u);
         let few = least < i32(u.x);
         workgroupBarrier();
         var sum = 0u;
         for (var k = 0u; k < u.z; k++) {
             if few { sum += tile[(l + k) % 32u] * data[i]; }
         }
         workgroupBarrier();
         out[i] = sum;",
    );
}

#[test]
fn lanes_leave_nested_loops_at_different_rounds_and_depths() {
    for size in [1, 3, 17, 64] {
        same_everywhere(
            size,
            "var a = data[i];
             var n = 0u;
             for (var k = 0u; k < 6u; k++) {
                 var m = 0u;
                 while m < (a & 7u) {
                     m++;
                     if ((a >> m) & 3u) == 3u { continue; }
                     n += m;
                     if ((a >> k) & 5u) == 5u { break; }
                     if n > 40u { out[i] = n; return; }
                 }
                 if (m & 1u) == 1u { a = a * 3u + k; } else { a ^= n; }
             }
             out[i] = n * 1000u + (a & 255u);",
        );
    }
}

#[test]
fn values_cross_barriers_in_loops() {
    same_everywhere(
        33,
        "var a = data[i];
         var b = i;
         for (var k = 0u; k < 5u; k++) {
             let t = a;
             a = b + k;
             b = t;
             tile[l] = a ^ b;
             workgroupBarrier();
             if (a & 1u) == 0u { b += tile[(l * 7u + k) % 33u]; }
             workgroupBarrier();
         }
         out[i] = a + b;",
    );
}

#[test]
fn only_the_first_invocations_work_in_a_tree() {
    for size in [1, 4, 16, 128] {
        same_everywhere(
            size,
            &format!(
                "tile[l] = data[i];
                 for (var half = {size}u / 2u; half > 0u; half /= 2u) {{
                     workgroupBarrier();
                     if l < half {{ tile[l] += tile[l + half]; }}
                 }}
                 workgroupBarrier();
                 if l == 0u {{ out[i] = tile[0]; }}"
            ),
        );
    }
}

#[test]
fn guards_with_something_to_do() {
    for size in [1, 16, 64] {
        same_everywhere(
            size,
            "if i == 0u || i + 1u >= u.y { out[i] = data[i]; return; }
             out[i] = data[i - 1u] + data[i + 1u] + data[i + u.y];",
        );
        same_everywhere(
            size,
            "if i > 3u && i < u.y { out[i] = data[i - 4u] * 2u; } else { out[i] = data[i] ^ i; }",
        );
    }
}

#[test]
fn elements_that_lie_apart_are_loaded_together() {
    for size in [16, 64] {
        for apart in 2..=9 {
            // All of a period, and one; the last invocations have no elements left.
            same_everywhere(
                size,
                &format!(
                    "var sum = 0u;
                     for (var k = 0u; k < {apart}u; k++) {{
                         sum += data[i * {apart}u + k] * (k + 1u);
                     }}
                     out[i] = sum ^ data[l * {apart}u + 1u] ^ (data[l * {apart}u] << 3u);"
                ),
            );
        }
    }
}

#[test]
fn elements_that_lie_apart_are_stored_together() {
    for apart in 2..=8 {
        for (size, of, condition) in [
            (16, 1 + apart / 2, "l != 0u".to_owned()),
            (32, apart, format!("first + {apart}u <= u.y * 2u + 3u")),
        ] {
            everywhere(
                size,
                &format!(
                    "let first = i * {apart}u;
                     if {condition} {{
                         let keep = data[i + 2u];
                         for (var k = 0u; k < {of}u; k++) {{ out[first + k] = keep * k + i; }}
                     }}"
                ),
            );
        }
    }
}

#[test]
fn vectors_and_records_in_arrays() {
    for size in [8, 32] {
        for ty in ["vec2<f32>", "vec3<f32>", "vec4<u32>", "Record"] {
            let change = if ty == "Record" { "a.b.x += f32(a.c); a.c = i;" } else { "a.y += a.x;" };
            let wgsl = format!(
                "struct Record {{ a: f32, b: vec2<f32>, c: u32, d: i32 }}
                 @group(0) @binding(0) var<storage, read_write> out: array<{ty}>;
                 @group(0) @binding(1) var<storage, read> data: array<{ty}>;
                 @group(0) @binding(2) var<uniform> u: vec4<u32>;
                 @compute @workgroup_size({size})
                 fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
                     let i = id.x;
                     if i >= arrayLength(&out) {{ return; }}
                     var a = data[i];
                     {change}
                     out[i] = a;
                 }}"
            );
            same(&wgsl, size, 8);
        }
    }
}

#[test]
fn where_no_lane_arrives_nothing_is_left_behind() {
    // Which way is common to all lanes, who leaves early on one of them is not: behind it, code runs on without any lane
    // when the other way was taken, and brings a number that is the same for all.
    for way in ["u.x == 5u", "u.x != 5u"] {
        for early in ["l > (l & 12u)", "l < 100u", "data[i] > 300u"] {
            everywhere(
                7,
                &format!(
                    "var all = 0u;
                     loop {{
                         loop {{
                             if {way} {{ if {early} {{ break; }} }} else {{ all = u.y >> 2u; break; }}
                             break;
                         }}
                         break;
                     }}
                     out[i] = chosen(l, u) + all;
                 }}
                 fn chosen(l: u32, u: vec4<u32>) -> u32 {{
                     let i = l;
                     switch u32({way}) {{
                         case 1u: {{ if {early} {{ break; }} }}
                         default: {{ return u.y >> 3u; }}
                     }}
                     return max(u.y, 3u);"
                ),
            );
        }
    }
}
