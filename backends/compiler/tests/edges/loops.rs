//! Loops whose counters, limits and rounds reach the edges of numbers and of memory.
//!
//! Knows only loops without barriers: see `shared` for those around them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use warpweft_compiler::{Compiled, Generator, Options};

use super::harness::{Job, kernel};
use super::{bodies, case, noise, same_everywhere, text};

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

/// Nests so deep that to look at each loop twice, and at what is inside of it twice each time, would not end.
#[test]
fn deep_nests_are_compiled() {
    let nest = |depth: usize, leave: &dyn Fn(usize) -> String| {
        let open =
            (0..depth).map(|k| format!("for (var k{k} = 0u; k{k} < u.y; k{k}++) {{ s += k{k} + {k}u; "));
        let close = (0..depth).rev().map(|k| format!("{} }} ", leave(k)));
        format!("var s = data[i]; {}{} out[i] = s;", open.collect::<String>(), close.collect::<String>())
    };
    let cases: Vec<_> = [0, 1].map(|y| case(vec![noise(64, 3), noise(64, 5), vec![9, y, 3, 5]], 2)).into();
    for body in [
        nest(26, &|_| String::new()),
        nest(26, &|k| format!("s = s * 3u + data[s % 64u]; if (s & 3u) == {}u {{ break; }}", k % 4)),
        nest(26, &|k| format!("if s % 5u == {}u {{ continue; }} s ^= i;", k % 5)),
    ] {
        same_everywhere(&text("32", "", &body), &cases);
    }
}
