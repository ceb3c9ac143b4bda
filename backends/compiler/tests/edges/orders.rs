//! Barriers at which nobody waits, because gangs run in the right order, and their like at which somebody has to.
//!
//! Knows nothing of which are which: all of them must do what barriers do.

use super::{cases, same_everywhere, text};

/// Runs each body in workgroups that gangs fill, do not fill, and are as large as.
fn in_all_sizes(bodies: &[&str]) {
    for size in ["64", "100", "33", "16", "40, 2"] {
        let count: u32 = size.split(", ").map(|n| n.parse::<u32>().unwrap()).product();
        let more =
            format!("const N = {count}u; var<workgroup> t: array<u32, N>; var<workgroup> s: array<u32, N>;");
        for body in bodies {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}

#[test]
fn reads_of_one_side_and_writes_of_ones_own() {
    in_all_sizes(&[
        "t[l] = data[g]; workgroupBarrier(); var b = 7u; if l >= u.x { b = t[l - u.x]; }
         workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l] + t[N - 1u - l];",
        "t[l] = data[g]; workgroupBarrier(); var b = 7u; if l + u.x < N { b = t[l + u.x]; }
         workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l] + t[N - 1u - l];",
        "t[l] = data[g]; workgroupBarrier(); var b = 7u; if l < u.x { b = t[l - u.x]; }
         workgroupBarrier(); t[l] = b; workgroupBarrier(); out[g] = t[l] + t[N - 1u - l];",
        "t[l] = data[g]; workgroupBarrier(); let b = t[min(l + (u.z & 31u), N - 1u)];
         workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l] + t[N - 1u - l];",
        "t[l] = data[g]; workgroupBarrier(); let b = t[l + 17u];
         workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l] + t[N - 1u - l];",
        "t[l] = data[g]; workgroupBarrier(); let b = t[l - 17u];
         workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l] + t[N - 1u - l];",
    ]);
}

#[test]
fn writes_of_ones_own_and_reads_of_one_side() {
    in_all_sizes(&[
        "t[l] = data[g]; workgroupBarrier(); if l >= u.x { out[g] = t[l - u.x]; }",
        "t[l] = data[g]; workgroupBarrier(); out[g] = t[l + (u.x & 15u)];",
        "t[l] = data[g]; workgroupBarrier(); out[g] = t[l + 1u] + t[l - 1u];",
        "t[l] = data[g]; s[l] = data[l]; workgroupBarrier(); out[g] = t[l + 1u]; if l > 0u { out[g] += s[l - 1u]; }",
        "if l >= u.x { t[l - u.x] = l; } workgroupBarrier(); out[g] = t[l];",
    ]);
}

#[test]
fn several_in_a_row() {
    in_all_sizes(&[
        // The first alone would do in ascending order, the second in descending order.
        "t[l] = data[g]; workgroupBarrier(); let a = t[l + 1u]; workgroupBarrier(); t[l] = a;
         workgroupBarrier(); if l > 2u { out[g] = t[l - 3u]; } workgroupBarrier(); t[l] += 5u; workgroupBarrier(); out[g] += t[N - 1u - l];",
        // What lies before the first and what lies behind the second meet.
        "t[l] = data[g]; s[l] = g; workgroupBarrier(); let a = s[l]; workgroupBarrier(); out[g] = t[N - 1u - l] + a;",
        "let d = data[g]; t[l] = d; workgroupBarrier(); s[l] = d * 3u; workgroupBarrier(); out[g] = t[N - 1u - l] + s[l];",
        "t[l] = data[g]; workgroupBarrier(); workgroupBarrier(); out[g] = t[N - 1u - l];",
        "t[l] = data[g]; workgroupBarrier(); storageBarrier(); out[g] = t[l]; workgroupBarrier(); t[l] = u.x; workgroupBarrier(); out[g] += t[(l + 9u) % N];",
    ]);
}

#[test]
fn rounds_of_scans() {
    in_all_sizes(&[
        "t[l] = data[g]; workgroupBarrier();
         for (var step = 1u; step < N; step *= 2u) {
             var b = 0u; if l >= step { b = t[l - step]; }
             workgroupBarrier(); t[l] += b; workgroupBarrier();
         }
         out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier();
         for (var step = N / 2u; step > 0u; step /= 2u) {
             var b = 0u; if l + step < N { b = t[l + step]; }
             workgroupBarrier(); t[l] = max(t[l], b); workgroupBarrier();
         }
         out[g] = t[l];",
        // Rounds of either kind, as the round goes.
        "t[l] = data[g]; workgroupBarrier();
         for (var k = 0u; k < 6u; k++) {
             let far = u.z * k; var b = 0u;
             if (k & 1u) == 0u { if l >= far { b = t[l - far]; } } else { if l + far < N { b = t[l + far]; } }
             workgroupBarrier(); t[l] += b + far; workgroupBarrier();
         }
         out[g] = t[l];",
        "if g >= u.w { return; } t[l] = data[g]; workgroupBarrier();
         for (var step = 1u; step < N; step *= 2u) {
             var b = 0u; if l >= step { b = t[l - step]; }
             workgroupBarrier(); t[l] += b; if t[l] == u.x { return; } workgroupBarrier();
         }
         out[g] = t[l];",
    ]);
}
