//! Guards and indices along a row of invocations: those that run over, those that hang on others, and long ones.
//!
//! Knows loops and workgroups only as what guards stand in: see `loops` and `shared`.

use super::{Case, bodies, cases, noise, same_everywhere, text};

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

// --- long ones ---------------------------------------------------------------------------------------------------------

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
