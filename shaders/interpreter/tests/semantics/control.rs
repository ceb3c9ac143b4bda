//! Control flow whose path differs between invocations.

use crate::{Test, check};

const COUNTING: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

#[test]
fn nested_branches() {
    let body = "
        if i % 2 == 0 {
            if i < 4 { x[i] = 10; } else { x[i] = 20; }
            x[i] += 1;
        } else if i == 5 {
            x[i] = 30;
        }
        x[i] += 100;";
    check("u32", body, &COUNTING, &[111, 101, 111, 103, 121, 130, 121, 107]);
}

#[test]
fn loops_of_different_length() {
    // The sum over j < i of the divisors below j, with a break and a continue on the way.
    let body = "
        var sum = 0u;
        for (var j = 0u; j < i; j++) {
            if j == 5 { break; }
            if j % 2 == 1 { continue; }
            for (var k = 0u; k < 10; k++) {
                if k > j { break; }
                if k == 1 { continue; }
                sum += 1;
            }
            sum += 100;
        }
        x[i] = sum;";
    // j = 0: k = 0 (1); j = 2: k = 0, 2 (2); j = 4: k = 0, 2, 3, 4 (4).
    check("u32", body, &COUNTING, &[0, 101, 101, 203, 203, 307, 307, 307]);
}

#[test]
fn continuing_with_break_if() {
    let body = "
        var n = 0u;
        loop {
            if n == 2 && i == 2 { n += 10; continue; }
            if i == 6 { break; }
            n += 1;
            continuing {
                n += 1;
                break if n > i;
            }
        }
        x[i] = n;";
    // Each round adds 2; the second round of invocation 2 adds 11.
    check("u32", body, &COUNTING, &[2, 2, 13, 4, 6, 6, 0, 8]);
}

#[test]
fn values_of_the_body_in_continuing() {
    let body = "
        var n = 1u;
        loop {
            let next = n * 2 + i;
            if n == 0 { continue; }
            continuing {
                n = next;
                break if next > 20;
            }
        }
        x[i] = n;";
    let expected = COUNTING.map(|i| {
        let mut n = 1;
        while n <= 20 {
            n = n * 2 + i;
        }
        n
    });
    check("u32", body, &COUNTING, &expected);
}

#[test]
fn switches() {
    let body = "
        switch i {
            case 0, 1: { x[i] = 10; }
            case 2: { if i == 2 { break; } x[i] = 99; }
            default: { x[i] = 20; }
            case 7: { x[i] = 30; return; }
        }
        x[i] += 1;";
    check("u32", body, &COUNTING, &[11, 11, 3, 21, 21, 21, 21, 30]);
}

#[test]
fn a_long_chain_of_else_if() {
    let chain: Vec<String> = (0..255).map(|n| format!("if x[i] == {n} {{ x[i] += {n}; }}")).collect();
    let input = [0u32, 1, 7, 100, 253, 254, 255, 1000];
    check("u32", &chain.join(" else "), &input, &[0, 2, 14, 200, 506, 508, 255, 1000]);
}

#[test]
fn switch_inside_a_loop() {
    // `continue` inside the switch goes to the loop, `break` only out of the switch.
    let body = "
        var n = 0u;
        for (var j = 0u; j < 4; j++) {
            switch (i + j) % 4 {
                case 0 { n += 1; continue; }
                case 1 { break; }
                case 2 { n += 10; }
                default { if i > 5 { return; } n += 100; }
            }
            n += 1000;
        }
        x[i] = n;";
    check("u32", body, &[0; 8], &[3111, 3111, 3111, 3111, 3111, 3111, 0, 0]);
}

#[test]
fn early_return() {
    let body = "
        if i == 3 { return; }
        for (var j = 0u; j < 8; j++) {
            if j == i { return; }
            x[i] += 1;
        }";
    check("u32", body, &[0; 8], &[0, 1, 2, 0, 4, 5, 6, 7]);
}

#[test]
fn short_circuit() {
    // The right side must not run where the left side decides: it counts.
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> calls: array<atomic<u32>, 2>;
        fn seen(n: u32, value: bool) -> bool { atomicAdd(&calls[n], 1); return value; }
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            if i < 3 && seen(0, i != 1) { x[i] = 1; }
            if i < 6 || seen(1, i == 7) { x[i] += 10; }
        }";
    let test = Test::new(wgsl).bind("x", &[0u32; 8]).bind("calls", &[0u32; 2]);
    test.expect("x", &[11u32, 10, 11, 10, 10, 10, 0, 10]).and("calls", &[3u32, 2]);
}

#[test]
fn mandelbrot_like_divergence() {
    let body = "
        var z = 0.0;
        var n = 0.0;
        while n < 50 && z < 100 {
            z = z * z + x[i];
            n += 1;
        }
        x[i] = n;";
    let input = [0.0f32, 0.1, 0.3, 0.5, 1.0, 2.0, 10.0, 200.0];
    let expected = input.map(|c| {
        let (mut z, mut n) = (0.0f32, 0.0f32);
        while n < 50.0 && z < 100.0 {
            z = z * z + c;
            n += 1.0;
        }
        n
    });
    check("f32", body, &input, &expected);
}
