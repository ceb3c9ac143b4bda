//! Trees within workgroups, whose rounds are written out, and workgroup memory that its own invocations fill.
//!
//! What a round stores and the next one loads goes through registers, in part; nobody may notice. Knows nothing of how.

use super::{cases, same_everywhere, text};

/// Runs each body in workgroups that gangs fill, do not fill, and are as large as.
fn in_all_sizes(more: &str, bodies: &[&str]) {
    for size in ["64", "100", "33", "256", "8", "40, 2"] {
        let count: u32 = size.split(", ").map(|n| n.parse::<u32>().unwrap()).product();
        let more = format!(
            "const N = {count}u; var<workgroup> t: array<u32, N>; var<workgroup> s: array<u32, N>;{more}"
        );
        for body in bodies {
            same_everywhere(&text(size, &more, body), &cases(2));
        }
    }
}

#[test]
fn sums_by_halves() {
    in_all_sizes(
        "",
        &[
            "t[l] = data[g]; workgroupBarrier();
             for (var half = N / 2u; half > 0u; half /= 2u) {
                 if l < half { t[l] += t[l + half]; }
                 workgroupBarrier();
             }
             out[g] = t[0] + t[l];",
            // The half that is left over takes part.
            "t[l] = data[g]; workgroupBarrier();
             for (var left = N; left > 1u; left = (left + 1u) / 2u) {
                 let half = (left + 1u) / 2u;
                 if l + half < left { t[l] = t[l] * 3u + t[l + half]; }
                 workgroupBarrier();
             }
             if l == 0u { out[g] = t[0]; }",
            // Neighbours: what is stored lies scattered.
            "t[l] = data[g]; workgroupBarrier();
             for (var step = 1u; step < N; step *= 2u) {
                 if l % (2u * step) == 0u && l + step < N { t[l] += t[l + step]; }
                 workgroupBarrier();
             }
             out[g] = t[l];",
            // Both halves write; the sum of an earlier round is asked for again.
            "t[l] = data[g]; s[l] = 0u; workgroupBarrier();
             for (var half = 32u; half > 0u; half >>= 1u) {
                 if l < half { let a = t[l]; let b = t[min(l + half, N - 1u)]; t[l] = a + b; s[l] = a - b; }
                 workgroupBarrier();
                 if l == half { s[0] += t[0]; }
                 workgroupBarrier();
             }
             out[g] = t[l] + s[l];",
            // Two arrays, one moved by an odd number of elements.
            "t[l] = data[g]; s[l] = g; workgroupBarrier();
             for (var half = 16u; half > 0u; half /= 2u) {
                 if l < half { s[l] += t[l + 1u]; t[l] = s[l + half] ^ t[l + half]; }
                 workgroupBarrier();
             }
             out[g] = t[l] + s[l];",
        ],
    );
}

#[test]
fn rounds_that_are_known_in_part() {
    in_all_sizes(
        "",
        &[
            // What a round passes on is no constant.
            "t[l] = data[g]; workgroupBarrier();
             var w = u.x;
             for (var half = 16u; half > 0u; half /= 2u) {
                 if l < half { t[l] += t[l + half] * w; }
                 workgroupBarrier();
                 w += 3u;
             }
             out[g] = t[l] + w;",
            // The round ends early, as data says.
            "t[l] = data[g]; workgroupBarrier();
             for (var half = 16u; half > 0u; half /= 2u) {
                 if u.z == half { break; }
                 if l < half { t[l] += t[l + half]; }
                 workgroupBarrier();
             }
             out[g] = t[l];",
            // A round that constants end, and what invocations keep from round to round.
            "t[l] = data[g]; workgroupBarrier();
             var kept = l;
             for (var half = 16u; half > 0u; half /= 2u) {
                 if half == 2u { break; }
                 if l < half { kept = kept * 5u + t[l + half]; t[l] = kept; }
                 workgroupBarrier();
             }
             out[g] = t[l] + kept;",
            // Loops in the tree, and a tree in a loop.
            "for (var k = 0u; k < 3u; k++) {
                 t[l] = data[g + k]; workgroupBarrier();
                 for (var half = 8u; half > 0u; half /= 2u) {
                     if l < half { for (var j = 0u; j < u.z % 3u; j++) { t[l] += t[l + half + j]; } }
                     workgroupBarrier();
                 }
                 out[g] += t[0];
                 workgroupBarrier();
             }",
            // Some have left before.
            "t[l] = data[g]; if l >= u.z { return; } workgroupBarrier();
             for (var half = 8u; half > 0u; half /= 2u) {
                 if l < half { t[l] += t[l + half]; }
                 workgroupBarrier();
             }
             out[g] = t[0];",
            "t[l] = data[g]; workgroupBarrier();
             for (var half = 8u; half > 0u; half /= 2u) {
                 if l < half { t[l] += t[l + half]; if t[l] % 7u == 0u { return; } }
                 workgroupBarrier();
             }
             out[g] = t[0];",
        ],
    );
}

#[test]
fn numbers_of_other_kinds() {
    in_all_sizes(
        "var<workgroup> f: array<f32, N>; var<workgroup> v: array<vec4<u32>, N>; var<workgroup> w: array<vec3<f32>, N>;",
        &[
            "f[l] = f32(data[g] & 255u); workgroupBarrier();
             for (var half = N / 2u; half > 0u; half /= 2u) {
                 if l < half { f[l] += f[l + half]; }
                 workgroupBarrier();
             }
             out[g] = u32(f[0]) + bitcast<u32>(f[l]);",
            "v[l] = vec4<u32>(data[g], g, l, 3u); workgroupBarrier();
             for (var half = N / 2u; half > 0u; half /= 2u) {
                 if l < half { v[l] += v[l + half]; }
                 workgroupBarrier();
             }
             out[g] = v[0].x + v[0].y * v[l].z + v[l].w;",
            "w[l] = vec3<f32>(f32(l), f32(data[g] & 15u), 1.0); workgroupBarrier();
             for (var half = N / 2u; half > 0u; half /= 2u) {
                 if l < half { w[l] = max(w[l], w[l + half]); }
                 workgroupBarrier();
             }
             out[g] = u32(w[0].x + 100.0 * w[0].y + w[l].z);",
        ],
    );
}

/// Workgroup memory starts as zeros, for each workgroup anew: also where some of it is filled.
#[test]
fn what_nobody_fills_is_zero() {
    in_all_sizes(
        "var<workgroup> more: array<u32, N + 3u>; var<workgroup> pairs: array<vec2<u32>, N>;
         var<workgroup> grid: array<array<u32, 7>, 9>;
         var<workgroup> rows: array<array<u32, 4>, N / 4u>; var<workgroup> vectors: array<vec4<u32>, N / 4u>;",
        &[
            // Filled before it is read.
            "t[l] = g; workgroupBarrier(); out[g] = t[N - 1u - l]; workgroupBarrier(); workgroupBarrier(); t[l] = 77u;",
            // By some.
            "if l % 3u != 1u { t[l] = g; } workgroupBarrier(); out[g] = t[N - 1u - l]; workgroupBarrier(); t[l] = 77u;",
            // Read before.
            "let was = t[(l * 7u) % N]; workgroupBarrier(); t[l] = g + 1u; workgroupBarrier(); out[g] = was + t[N - 1u - l];",
            // By those who have not left.
            "if data[g] % 5u == 1u { return; } t[l] = g + 1u; workgroupBarrier(); out[g] = t[N - 1u - l];",
            // Not all of it.
            "more[l] = g + 1u; workgroupBarrier(); out[g] = more[N + 2u - l] + more[l + 1u]; workgroupBarrier(); more[l + 3u] = 77u;",
            "pairs[l].y = g + 1u; workgroupBarrier(); out[g] = pairs[N - 1u - l].x + pairs[N - 1u - l].y; workgroupBarrier(); pairs[l].x = 77u;",
            "pairs[l] = vec2(g, 5u); workgroupBarrier(); out[g] = pairs[N - 1u - l].x + pairs[N - 1u - l].y; workgroupBarrier(); pairs[l].x = 77u;",
            // Not each its own.
            "t[l / 2u] = 9u; workgroupBarrier(); out[g] = t[N - 1u - l]; workgroupBarrier(); t[l] = 77u;",
            "t[lid.x] = 9u; workgroupBarrier(); out[g] = t[N - 1u - l]; workgroupBarrier(); t[l] = 77u;",
            "grid[l % 9u][l % 7u] = 1u; workgroupBarrier(); out[g] = grid[(l + 2u) % 9u][(l + 3u) % 7u]; workgroupBarrier(); grid[l % 9u][1] = 77u;",
            // What lies beyond an array's end is not stored, though the variable goes on there.
            "rows[0][l] = g + 1u; workgroupBarrier(); out[g] = rows[l / 4u][l % 4u]; workgroupBarrier(); rows[l / 4u][l % 4u] = 77u;",
            "vectors[0][l] = g + 1u; workgroupBarrier(); out[g] = vectors[l / 4u][l % 4u]; workgroupBarrier(); vectors[l / 4u][l % 4u] = 77u;",
            // Behind a barrier, and in a loop that nobody enters.
            "workgroupBarrier(); t[l] = g; workgroupBarrier(); out[g] = t[N - 1u - l] + s[l]; workgroupBarrier(); s[l] = 77u;",
            "for (var k = 0u; k < u.z % 2u; k++) { t[l] = 9u; } workgroupBarrier(); out[g] = t[N - 1u - l]; workgroupBarrier(); t[l] = 77u;",
        ],
    );
    for (size, array) in
        [("8, 4", "array<array<u32, 8>, 4>"), ("4, 2, 3", "array<array<array<u32, 4>, 2>, 3>")]
    {
        let fill = if size.len() == 4 { "t[lid.y][lid.x]" } else { "t[lid.z][lid.y][lid.x]" };
        let turned = if size.len() == 4 { "t[lid.x % 4u][lid.y]" } else { "t[lid.y][lid.z % 2u][lid.x]" };
        let more = format!("var<workgroup> t: {array};");
        let body = format!(
            "{fill} = g + 1u; workgroupBarrier(); out[g] = {turned}; workgroupBarrier(); {fill} = 77u;"
        );
        same_everywhere(&text(size, &more, &body), &cases(3));
        let body = format!("{turned} = g + 1u; workgroupBarrier(); out[g] = {fill};");
        let once = body.replace("g + 1u", "5u");
        same_everywhere(&text(size, &more, &once), &cases(3));
    }
}
