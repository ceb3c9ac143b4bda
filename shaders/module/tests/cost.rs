//! The static cost of small kernels, counted by hand.

use warpweft_module::{Cost, Module, Source};

/// The cost of a kernel with the body `body` over the storage arrays `x` and `y`.
fn cost(body: &str) -> Cost {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> a: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> n: u32;
@group(0) @binding(4) var<storage, read_write> m: array<mat3x3<f32>>;
const C = 5;
fn square(v: f32) -> f32 {{ return v * v; }}
fn load_square(i: u32) -> f32 {{ return square(x[i]); }}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ let i = id.x; {body} }}"
    );
    let module = Module::new(&[Source::new("k.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}")).interface().cost
}

#[track_caller]
fn check(body: &str, operations: f64, bytes_read: f64, bytes_written: f64, exact: bool) {
    assert_eq!(cost(body), Cost { operations, bytes_read, bytes_written, exact }, "{body}");
}

#[test]
fn straight_lines() {
    check("", 0.0, 0.0, 0.0, true);
    check("x[i] = 1.0;", 0.0, 0.0, 4.0, true);
    check("x[i] = 2.0 * x[i] + x[i + 1];", 3.0, 8.0, 4.0, true);
    check("y[i] = y[i] * 2.0;", 4.0, 16.0, 16.0, true);
    check("y[i].x = y[i].y;", 0.0, 4.0, 4.0, true);
    check("x[i] = f32(n);", 1.0, 0.0, 4.0, true);
}

#[test]
fn functions_of_vectors_and_matrices() {
    check("x[i] = dot(y[i], y[i]);", 7.0, 32.0, 4.0, true);
    check("x[i] = fma(x[i], 2.0, 1.0);", 2.0, 4.0, 4.0, true);
    check("x[i] = exp(x[i]);", 8.0, 4.0, 4.0, true);
    check("y[i] = sin(y[i]);", 32.0, 16.0, 16.0, true);
    check("let v = m[i] * vec3<f32>(1.0); x[i] = v.x;", 15.0, 48.0, 4.0, true);
}

#[test]
fn calls_cost_what_the_function_costs() {
    check("x[i] = square(2.0) + load_square(i);", 3.0, 4.0, 4.0, true);
}

#[test]
fn atomics_read_and_write() {
    check("atomicAdd(&a[i], 1u);", 1.0, 4.0, 4.0, true);
}

#[test]
fn branches() {
    // On data: half of each side.
    check("if x[i] > 0.0 { x[i] = 1.0; }", 1.0, 4.0, 2.0, true);
    check("if x[i] > 0.0 { x[i] = 1.0; } else { x[i] = 2.0; }", 1.0, 4.0, 4.0, true);
    // On position and uniforms: the dearer side. (`&&` is a branch, not an operation.)
    check("if i < arrayLength(&x) { x[i] = 1.0; }", 1.0, 0.0, 4.0, true);
    check("if i < n && id.y < 3u { x[i] = 1.0; }", 2.0, 0.0, 4.0, true);
    check("if i >= n { return; } x[i] = 1.0;", 1.0, 0.0, 4.0, true);
    // Every case of a switch is as likely.
    check(
        "switch n { case 0: { x[i] = 1.0; } case 1: { x[i] = 2.0; } default: { } }",
        0.0,
        0.0,
        8.0 / 3.0,
        true,
    );
}

#[test]
fn loops_with_constant_bounds() {
    // One comparison and one increment a trip.
    check("for (var k = 0; k < 10; k++) { x[k] = 1.0; }", 20.0, 0.0, 40.0, true);
    check("for (var k = 0u; k <= 10; k += 2) { x[k] = 1.0; }", 12.0, 0.0, 24.0, true);
    check("for (var k = C; k > 0; k--) { x[k] = 1.0; }", 10.0, 0.0, 20.0, true);
    check("for (var k = 9; k >= 0; k -= 3) { x[k] = 1.0; }", 8.0, 0.0, 16.0, true);
    check("for (var k = 0; 4 > k; k = 1 + k) { x[k] = 1.0; }", 8.0, 0.0, 16.0, true);
    check("for (var k = 0; k != 6; k += 3) { x[k] = 1.0; }", 4.0, 0.0, 8.0, true);
    check("for (var k = 3; k < 3; k++) { x[k] = 1.0; }", 0.0, 0.0, 0.0, true);
    // Doubled or halved: 1, 2, 4, 8; 8, 4, 2, 1; 1, 4, 16; 64, 16, 4.
    check("for (var k = 1u; k < 16u; k *= 2u) { x[k] = 1.0; }", 8.0, 0.0, 16.0, true);
    check("for (var k = 8u; k > 0u; k /= 2u) { x[k] = 1.0; }", 8.0, 0.0, 16.0, true);
    check("for (var k = 1; k <= 16; k = k << 2u) { x[k] = 1.0; }", 6.0, 0.0, 12.0, true);
    check("for (var k = 64u; k >= 2; k = k >> 2u) { x[k] = 1.0; }", 6.0, 0.0, 12.0, true);
    // Never ends: the sign stays.
    check("for (var k = -1; k < 0; k = k >> 1u) { x[0] = 1.0; }", 32.0, 0.0, 64.0, false);
    // Inner loops start anew in every trip of the outer.
    check(
        "for (var k = 0; k < 3; k++) { for (var l = 0; l < 5; l++) { x[l] = 1.0; } }",
        36.0,
        0.0,
        60.0,
        true,
    );
}

#[test]
fn loops_about_which_little_is_known() {
    check("for (var k = 0u; k < n; k++) { x[k] = 1.0; }", 32.0, 0.0, 64.0, false);
    check("for (var k = 0u; k < 10; k += n) { x[k] = 1.0; }", 32.0, 0.0, 64.0, false);
    check("var k = 4; k = i32(n); while k > 0 { k--; }", 33.0, 0.0, 0.0, false);
    check("loop { if x[i] > 1.0 { break; } }", 16.0, 64.0, 0.0, false);
    check("for (var k = 0; k < 10; k++) { k += i32(n); }", 64.0, 0.0, 0.0, false);
    check("for (var k = 0; k < 10; ) { }", 16.0, 0.0, 0.0, false);
    // Never ends, wraps around, divides by nothing.
    check("for (var k = 0; k < 10; k *= 2) { }", 32.0, 0.0, 0.0, false);
    check("for (var k = 1u; k != 3u; k *= 2u) { }", 32.0, 0.0, 0.0, false);
    check("for (var k = 8u; k > 0u; k = k >> n) { }", 32.0, 0.0, 0.0, false);
}

#[test]
fn a_loop_that_may_end_early_has_its_bound() {
    check("for (var k = 0; k < 100; k++) { if x[k] > 1.0 { break; } }", 300.0, 400.0, 0.0, false);
    check("for (var k = 0; k < 100; k++) { if x[k] > 1.0 { return; } }", 300.0, 400.0, 0.0, false);
    // A break out of a switch is none out of the loop.
    check(
        "for (var k = 0; k < 10; k++) { switch k { case 1: { break; } default: { } } }",
        20.0,
        0.0,
        0.0,
        true,
    );
}

#[test]
fn a_start_that_was_changed_is_not_trusted() {
    check("var k = 0; if n > 3 { k = 5; } for (; k < 10; k++) { x[k] = 1.0; }", 33.0, 0.0, 64.0, false);
    check("var k = 0; k = 5; for (; k < 10; k++) { x[k] = 1.0; }", 10.0, 0.0, 20.0, true);
    // In the second trip of the outer loop `l` starts where it stopped.
    check(
        "var l = 0; for (var k = 0; k < 2; k++) { for (; l < 4; l++) { x[l] = 1.0; } }",
        68.0,
        0.0,
        128.0,
        false,
    );
}
