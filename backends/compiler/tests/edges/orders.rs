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

/// The order of gangs shows where elements are further apart than invocations, or at both ends of an array.
#[test]
fn strides_members_and_numbers_of_a_round() {
    in_all_sizes(&[
        // Twice the stride: both elements of an invocation.
        "t[l] = data[g]; s[l] = l; workgroupBarrier(); let k = u.x % 7u; var b = 0u;
         if l * 2u + k < N { b = t[l * 2u + k]; } workgroupBarrier();
         if l * 2u + 3u < N { t[l * 2u + 3u] = b; } workgroupBarrier(); out[g] = t[l] + b;",
        // The other way round from end to end.
        "t[l] = data[g]; workgroupBarrier(); let b = t[N - 1u - l]; workgroupBarrier();
         t[N - 1u - l] = b + 1u; workgroupBarrier(); out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier(); let b = t[N - 1u - l]; workgroupBarrier();
         if l > 3u { t[N + 3u - l] = b + 1u; } workgroupBarrier(); out[g] = t[l];",
        // What is subtracted in a loop, whose number goes on.
        "t[l] = data[g]; workgroupBarrier(); var far = u.z & 3u;
         loop {
             if far > 40u { break; }
             var b = 0u; if l >= far { b = t[l - far]; } far += 5u; workgroupBarrier();
             if l >= far { t[l - far] = b; }
             workgroupBarrier();
             far += u.z & 1u;
         }
         out[g] = t[l] + far;",
        // Numbers of an inner loop that is over.
        "t[l] = data[g]; workgroupBarrier(); var k = 0u; loop { if k * k >= l { break; } k++; }
         var b = 0u; if l >= k { b = t[l - k]; } workgroupBarrier(); t[l] = b; workgroupBarrier(); out[g] = t[l] + k;",
        "t[l] = data[g]; workgroupBarrier(); var k = 0u; loop { if k * k >= l { break; } k++; }
         let m = min(l + 2u * k, N - 1u);
         var b = t[m]; workgroupBarrier(); t[l] = b; workgroupBarrier(); out[g] = t[l] + k;",
        // Signed, with numbers of either sign.
        "t[l] = data[g]; workgroupBarrier(); let d = i32(u.x & 15u) - 8; var b = 0u; let at = i32(l) + d;
         if at >= 0 && at < i32(N) { b = t[at]; } workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l];",
        // Wraps around.
        "t[l] = data[g]; workgroupBarrier(); var b = t[l + u.x]; workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier(); var b = t[l * u.x]; workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier(); var b = t[(l + u.z) % N]; workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier(); var b = t[(l ^ (u.z & 31u)) % N]; workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l];",
        // A value that invocations choose.
        "t[l] = data[g]; workgroupBarrier(); let d = select(1u, 5u, (l & 1u) == 0u); var b = 0u; if l >= d { b = t[l - d]; }
         workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier(); var d = 0u; if l > 9u { d = 7u; } let k = l + d; var b = 0u; if k < N { b = t[k]; }
         workgroupBarrier(); t[l] += b; workgroupBarrier(); if l >= d { out[g] = t[l - d]; }",
        // What is asked for lies on both sides, in one barrier's arms.
        "t[l] = data[g]; workgroupBarrier(); let k = u.z % 9u; var b = 0u;
         if (u.x & 1u) == 0u { if l >= k { b = t[l - k]; } } else if l + k < N { b = t[l + k]; }
         workgroupBarrier(); t[l] = b; workgroupBarrier(); out[g] = t[l];",
        // Shared through one place.
        "if l == 0u { t[0] = data[g]; } workgroupBarrier(); let a = workgroupUniformLoad(&t[0]); s[l] = a + l; workgroupBarrier();
         let b = s[l + 1u]; workgroupBarrier(); if l == 3u { t[0] = b; } workgroupBarrier(); out[g] = t[0] + a + b;",
        // A private array lives through it.
        "var p: array<u32, 5>; for (var k = 0u; k < 5u; k++) { p[k] = l * k; } t[l] = data[g]; workgroupBarrier();
         p[l % 5u] += t[l + 1u]; let b = p[u.x % 5u]; workgroupBarrier(); t[l] = b; p[2] ^= b; workgroupBarrier();
         out[g] = t[N - 1u - l] + p[0] + p[1] + p[2] + p[3] + p[4];",
        // In arms, in blocks that are left, in loops in loops.
        "t[l] = data[g]; workgroupBarrier();
         for (var k = 0u; k < 3u; k++) { if (u.x >> k & 1u) == 1u {
             for (var j = 0u; j <= k; j++) {
                 let far = j * 4u + k; var b = 1u; if l + far < N { b = t[l + far]; } workgroupBarrier(); t[l] += b; workgroupBarrier();
                 if j == u.z { break; }
             } } else { let b = t[l - k]; workgroupBarrier(); t[l] = b + k; workgroupBarrier(); continue; }
             if k == 1u { t[l] += l; } workgroupBarrier(); s[l] = t[N - 1u - l]; workgroupBarrier(); t[l] = s[l];  workgroupBarrier(); }
         out[g] = t[l];",
        "t[l] = data[g]; workgroupBarrier();
         switch u.z { case 0u: { let b = t[l + 1u]; workgroupBarrier(); t[l] = b; } case 1u, 5u: { let b = t[l - 1u]; workgroupBarrier(); t[l] = b; }
           default: { let b = t[l / 2u]; workgroupBarrier(); t[l] = b; } }
         workgroupBarrier(); out[g] = t[N - 1u - l];",
    ]);
}

#[test]
fn parts_of_elements() {
    for size in ["64", "100", "33", "16"] {
        let more = format!("const N = {size}u; struct S {{ a: u32, b: vec3<u32>, c: array<u32, 2> }}
            var<workgroup> t: array<vec4<u32>, N>; var<workgroup> s: array<S, N>; var<workgroup> f: array<array<u32, 3>, N>; var<workgroup> c: array<atomic<u32>, N>;");
        for body in [
            "t[l] = vec4(data[g]) + vec4(l); workgroupBarrier(); var b = vec4(0u); if l >= 5u { b = t[l - 5u]; } workgroupBarrier(); t[l] += b; workgroupBarrier(); out[g] = dot(t[l], vec4(1u, 3u, 5u, 7u));",
            "t[l] = vec4(data[g]) + vec4(l); workgroupBarrier(); let b = t[l + 1u].y; workgroupBarrier(); t[l].y = b; t[l].x += b; workgroupBarrier(); out[g] = dot(t[l], vec4(1u, 3u, 5u, 7u));",
            "t[l] = vec4(data[g]) + vec4(l); workgroupBarrier(); let b = t[l + 1u]; workgroupBarrier(); t[l].y = b.x; workgroupBarrier(); out[g] = dot(t[l], vec4(1u, 3u, 5u, 7u));",
            "t[l] = vec4(data[g]) + vec4(l); workgroupBarrier(); let b = t[l + 1u][u.x & 3u]; workgroupBarrier(); t[l][u.y & 3u] = b; workgroupBarrier(); out[g] = dot(t[l], vec4(1u, 3u, 5u, 7u));",
            "s[l].a = data[g]; s[l].b = vec3(l); s[l].c[1] = g; workgroupBarrier(); let b = s[l + 1u].b.y; let d = s[l + 2u].c[1]; workgroupBarrier(); s[l].b.y = b + d; s[l].a += b; workgroupBarrier(); out[g] = s[N - 1u - l].b.y + s[l].a;",
            "s[l].a = data[g]; s[l].b = vec3(l); workgroupBarrier(); let b = s[l + 1u].b.y; let d = s[l - 1u].a; workgroupBarrier(); s[l].b.y = b + d; s[l].a += b; workgroupBarrier(); out[g] = s[N - 1u - l].b.y + s[l].a;",
            "f[l] = array(data[g], l, 7u); workgroupBarrier(); let b = f[l + 1u][1] + f[l + 1u][u.x % 3u]; workgroupBarrier(); f[l][1] = b; workgroupBarrier(); out[g] = f[N - 1u - l][1];",
            "atomicStore(&c[l], l); workgroupBarrier(); let b = atomicLoad(&c[l + 1u]); workgroupBarrier(); atomicStore(&c[l], b + 1u); workgroupBarrier(); out[g] = atomicLoad(&c[N - 1u - l]);",
        ] {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}

#[test]
fn through_bindings_of_a_known_size() {
    // Storage, whose elements a workgroup has for itself.
    let more = "";
    let text = |size: u32, body: &str| {
        format!(
        "@group(0) @binding(0) var<storage, read_write> out: array<u32, 200>;
         @group(0) @binding(1) var<storage, read> data: array<u32>;
         @group(0) @binding(2) var<uniform> u: vec4<u32>; {more}
         const N = {size}u;
         @compute @workgroup_size({size}) fn main(@builtin(local_invocation_index) l: u32, @builtin(workgroup_id) wg: vec3<u32>) {{
             let base = wg.x * N; let g = base + l; {body} }}")
    };
    for size in [64, 100, 33, 16] {
        for body in [
            "out[g] = data[g]; storageBarrier(); var b = 0u; if l >= 3u { b = out[g - 3u]; } storageBarrier(); out[g] += b; storageBarrier(); let c = out[base + N - 1u - l]; storageBarrier(); out[g] ^= c;",
            "out[g] = data[g]; storageBarrier(); var b = 0u; if l + 3u < N { b = out[g + 3u]; } storageBarrier(); out[g] += b; if g == u.x { return; } storageBarrier(); let c = out[base + N - 1u - l]; storageBarrier(); out[g] ^= c;",
        ] {
            let cases: Vec<_> = [(2u32, 0u32), (1, 5), (2, 40)]
                .iter()
                .map(|&(w, x)| {
                    super::case(vec![super::noise(200, 3), super::noise(130, 5), vec![x, 1, 2, 3]], w)
                })
                .collect();
            same_everywhere(&text(size, body), &cases);
        }
    }
}

/// Those of a subgroup are no barriers for a workgroup: what stands beyond them still has to wait.
#[test]
fn barriers_of_subgroups_beside_them() {
    for size in ["64", "100", "33", "16"] {
        let more =
            format!("const N = {size}u; var<workgroup> t: array<u32, N>; var<workgroup> s: array<u32, N>;");
        for body in [
            "t[l] = data[g]; subgroupBarrier(); workgroupBarrier(); out[g] = t[N - 1u - l];",
            "t[l] = data[g]; workgroupBarrier(); subgroupBarrier(); out[g] = t[N - 1u - l];",
            "let d = data[g]; t[l] = d; subgroupBarrier(); s[l] = d; workgroupBarrier(); out[g] = t[N - 1u - l] + s[l];",
            "let d = data[g]; t[l] = d; workgroupBarrier(); s[l] = d; subgroupBarrier(); out[g] = t[N - 1u - l] + d;",
            "t[l] = data[g]; workgroupBarrier(); let b = t[l + 1u]; workgroupBarrier(); t[l] = b; subgroupBarrier();
             workgroupBarrier(); out[g] = t[N - 1u - l] + b;",
        ] {
            let wgsl = format!("enable subgroups;\n{}", text(size, &more, body));
            same_everywhere(&wgsl, &cases(2));
        }
    }
}
