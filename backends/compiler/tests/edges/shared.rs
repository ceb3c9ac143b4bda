//! What invocations share, at its edges: workgroups that gangs do not fill, their memory, barriers, and atomic steps.
//!
//! Knows guards and loops only as what stands around those.

use super::{case, cases, noise, same_everywhere, text};

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

#[test]
fn what_one_invocation_does_for_all() {
    for (size, count) in [("64", 64), ("100", 100), ("16", 16), ("8, 8", 64)] {
        let more = format!("const N = {count}u; var<workgroup> t: array<u32, N>;");
        for body in [
            "t[l] = data[g]; workgroupBarrier(); if l == 0u { out[g] = t[N - 1u]; }",
            "t[l] = data[g]; workgroupBarrier(); if l == u.x { out[g] = t[N - 1u] + t[l]; }",
            "t[l] = data[g]; workgroupBarrier(); if u.z == l { out[g] = t[N - 1u - l]; } workgroupBarrier(); out[g + 1u] += t[0];",
            "t[l] = data[g]; workgroupBarrier(); if lid.x == 3u { out[g] = t[N - 1u - l]; }",
            "t[l] = data[g]; workgroupBarrier(); if l == N - 1u { t[0] = 5u; } workgroupBarrier(); out[g] = t[0] + t[l];",
            "t[l] = data[g]; workgroupBarrier(); if l == data[wg.x] { out[g] = t[N - 1u - l]; }",
            // Behind a loop of the workgroup there is nothing else to do.
            "for (var k = 0u; k < 3u; k++) { t[l] = data[g] + k; workgroupBarrier(); } if l == u.x { out[g] = t[N - 1u]; }",
            "for (var k = 0u; k < 40u; k++) { if l == k + u.z { out[g] += k; } workgroupBarrier(); } t[l] = 1u;",
            "for (var k = 0u; k < 40u; k++) { if l < k { out[g] += 1u; } workgroupBarrier(); } t[l] = 1u;",
        ] {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}
