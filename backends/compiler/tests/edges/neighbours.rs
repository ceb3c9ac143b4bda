//! Indices that are constants apart: where they run over, where arrays end between them, and what lies beside the inside
//! of a row that they leave, in line and as a function of its own.
//!
//! Knows nothing of how starts are shared.

use std::fmt::Write as _;

use super::{Case, bodies, cases, noise, same_everywhere, text};

/// Accesses that are constants apart, in every order.
const BODIES: [&str; 12] = [
    "out[i] = data[i] + data[i - 1u] * 3u + data[i + 1u] * 5u;",
    "out[i - 1u] = data[i + 0xffffffffu] + data[i + 0xfffffffeu] + data[i + 2u];",
    "let j = i + u.x; out[j] = data[j + 1u] + data[j - 1u] + data[j + 0x80000000u];",
    "let j = u.x - i; out[j - 1u] = data[j] + data[j + 1u] + data[j - 2u];",
    "let j = i * 3u + u.x; out[j] = data[j + 1u] + data[j + 2u] + data[j - 3u];",
    "let j = i32(i) - i32(u.x); out[j + 1] = data[j] + data[j - 1] + data[j + 2147483647];",
    "let j = i32(u.x) - 2 * i32(i); out[j - 5] = data[j] + data[j + (-1)] + data[1 - (-j)];",
    "let j = i * 0x40000000u + u.x; out[i] = data[j] + data[j + 1u] + data[j - 1u];",
    "let j = i + u.x; if j - 1u >= u.y { return; } out[j - 1u] = data[j] + data[j - 2u];",
    "if i < 2u || i + 2u >= arrayLength(&data) { return; } out[i] = data[i - 2u] + data[i + 2u] + data[i];",
    "if i == u.z { return; } out[i + 1u] = data[i - u.z] + data[i - u.z + 3u] + data[i - u.z - 1u];",
    "if i != 3u && i != 64u { out[i] = data[i + 1u] + data[i - 3u]; }",
];

#[test]
fn neighbours_run_over() {
    bodies("32", "", &BODIES);
    bodies("64", "", &BODIES);
}

/// Long enough for the rest of a row to be a function of its own, where gangs have several vectors.
#[test]
fn neighbours_in_long_code() {
    let mut long = String::from("var a = data[i ^ 1u];");
    for k in 1..48u32 {
        let factor = k.wrapping_mul(0x9e37_79b9) | 1;
        let _ = write!(long, "a = (a ^ (a >> {}u)) * {factor}u + {k}u;", 5 + k % 7);
    }
    // What is long comes first, and goes into what is stored.
    let all = BODIES.map(|body| format!("{long} {}", body.replacen("= data", "= a + data", 1)));
    bodies("64", "", &all.each_ref().map(String::as_str));
}

#[test]
fn neighbours_in_two_dimensions() {
    let mut cases = vec![];
    for (n, width) in [1u32, 7, 32, 33, 64, 65].into_iter().enumerate() {
        for height in [1u32, 2, 9] {
            for over in [None, Some([width, height, 1])] {
                let len = (width * height) as usize;
                let inputs = vec![noise(len, 3), noise(len + n % 3, 5), vec![width, height, n as u32, 1]];
                let workgroups = [width.div_ceil(32), height.div_ceil(2), 1];
                cases.push(Case { inputs, workgroups, over });
            }
        }
    }
    for body in [
        "let j = id.y * u.x + id.x; out[j] = data[j - 1u] + data[j + 1u] + data[j - u.x] + data[j + u.x];",
        "if id.x == 0u || id.y == 0u || id.x + 1u >= u.x || id.y + 1u >= u.y { return; }
         let j = id.y * u.x + id.x; out[j] = data[j - 1u] + data[j + 1u] + data[j - u.x] + data[j + u.x];",
        "let j = id.x * u.y + id.y; if id.x < u.z || id.x >= u.x || id.y >= u.y { return; }
         out[j] = data[j] + data[j + 1u] + data[j - 1u] + lid.x;",
    ] {
        same_everywhere(&text("32, 2", "", body), &cases);
    }
}

#[test]
fn neighbours_in_workgroup_memory() {
    for (size, count) in [("64", 64), ("32, 2", 64), ("100", 100)] {
        let more = format!("var<workgroup> t: array<u32, {count}>;");
        for body in [
            "t[l] = data[g]; workgroupBarrier(); out[g] = t[l] + t[l - 1u] * 3u + t[l + 1u] * 5u + t[l + 0xffffffffu];",
            "t[l] = g; workgroupBarrier(); let j = l + u.x; out[g] = t[j] + t[j - 1u]; workgroupBarrier(); t[j + 1u] = j; workgroupBarrier(); out[g] += t[l];",
            "t[l] = g; workgroupBarrier(); if u.x < 32u { let j = (l & 31u) + u.x; out[g] = t[j] + t[j + 1u] + t[j - 1u]; }",
            "t[l] = g; workgroupBarrier(); let j = l + u.x; if u.x < 4u { out[g] = t[j]; } out[j] = data[j - 1u] + data[j];",
            "t[l] = g; workgroupBarrier(); let j = i32(l) - i32(u.z); if j >= 0 { out[g] = t[j] + t[j + 1] + t[j - 1]; }",
            "for (var k = 0u; k < 9u; k++) { t[l] = k + g; workgroupBarrier(); let j = l * 2u; if l < 20u { out[g] += t[j] + t[j + 1u] + t[(j - 1u) & 31u]; } workgroupBarrier(); }",
        ] {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}
