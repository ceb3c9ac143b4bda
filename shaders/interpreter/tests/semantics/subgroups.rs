//! Subgroup operations, under full and divergent masks, for several subgroup sizes.
//!
//! Each operation is compared with a plain model: what every active lane should see of its subgroup's active lanes.

use crate::Test;

const LANES: usize = 40;

/// The values that the lanes bring.
fn value(lane: usize) -> u32 {
    (lane as u32 * 7 + 3) % 11
}

/// Which lanes take part in the divergent case.
fn takes_part(lane: usize) -> bool {
    lane % 3 != 1 && lane != 0
}

/// Runs `expression` (of the value `v` and the place `s` in the subgroup) in the full workgroup and in a divergent part
/// of it, and compares with `model(own place, active lanes of the subgroup as (place, value))`.
#[track_caller]
fn check(ty: &str, expression: &str, model: impl Fn(u32, &[(u32, u32)]) -> u32) {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         @compute @workgroup_size({LANES})
         fn main(
             @builtin(local_invocation_index) i: u32,
             @builtin(subgroup_invocation_id) s: u32,
         ) {{
             let v = {ty}((i * 7 + 3) % 11);
             x[i] = u32({expression});
             if i % 3 != 1 && i != 0 {{ x[i + {LANES}] = u32({expression}); }}
         }}"
    );
    for size in [4, 8, 32] {
        let mut expected = vec![9999u32; 2 * LANES];
        for (part, active) in [|_: usize| true, takes_part].into_iter().enumerate() {
            for lane in (0..LANES).filter(|&lane| active(lane)) {
                let start = lane / size * size;
                let members: Vec<(u32, u32)> = (start..LANES.min(start + size))
                    .filter(|&lane| active(lane))
                    .map(|lane| ((lane - start) as u32, value(lane)))
                    .collect();
                expected[part * LANES + lane] = model((lane - start) as u32, &members);
            }
        }
        let test = Test::new(&wgsl).subgroups_of(size as u32).bind("x", &vec![9999u32; 2 * LANES]);
        test.expect("x", &expected);
    }
}

/// The value at that place, zero where nobody is.
fn at(members: &[(u32, u32)], place: Option<u32>) -> u32 {
    members.iter().find(|&&(p, _)| Some(p) == place).map_or(0, |&(_, value)| value)
}

fn values(members: &[(u32, u32)]) -> impl Iterator<Item = u32> + '_ {
    members.iter().map(|&(_, value)| value)
}

#[test]
fn reductions() {
    for ty in ["u32", "i32", "f32", "u64", "f64"] {
        check(ty, "subgroupAdd(v)", |_, m| values(m).sum());
        check(ty, "subgroupMin(v)", |_, m| values(m).min().unwrap_or(0));
        check(ty, "subgroupMax(v)", |_, m| values(m).max().unwrap_or(0));
    }
    check("u32", "subgroupMul(v % 3 + 1)", |_, m| {
        values(m).fold(1, |product, v| product.wrapping_mul(v % 3 + 1))
    });
    check("u32", "subgroupAnd(v)", |_, m| values(m).fold(u32::MAX, |a, b| a & b));
    check("u32", "subgroupOr(v)", |_, m| values(m).fold(0, |a, b| a | b));
    check("i32", "subgroupXor(v)", |_, m| values(m).fold(0, |a, b| a ^ b));
    check("u32", "subgroupAll(v > 0)", |_, m| u32::from(values(m).all(|v| v > 0)));
    check("u32", "subgroupAny(v == 0)", |_, m| u32::from(values(m).any(|v| v == 0)));
}

#[test]
fn scans() {
    let before = |place: u32, m: &[(u32, u32)]| -> Vec<u32> {
        m.iter().filter(|&&(p, _)| p < place).map(|&(_, v)| v).collect()
    };
    for ty in ["u32", "f32"] {
        check(ty, "subgroupExclusiveAdd(v)", |s, m| before(s, m).iter().sum());
        check(ty, "subgroupInclusiveAdd(v)", |s, m| before(s + 1, m).iter().sum());
    }
    let product = |list: Vec<u32>| list.iter().fold(1u32, |product, v| product.wrapping_mul(v % 3 + 1));
    check("u32", "subgroupExclusiveMul(v % 3 + 1)", |s, m| product(before(s, m)));
    check("u32", "subgroupInclusiveMul(v % 3 + 1)", |s, m| product(before(s + 1, m)));
}

#[test]
fn ballots() {
    let ballot = |m: &[(u32, u32)], f: fn(u32) -> bool| {
        m.iter().filter(|&&(_, v)| f(v)).fold(0u32, |bits, &(p, _)| bits | 1 << p)
    };
    check("u32", "subgroupBallot(v % 2 == 1).x", |_, m| ballot(m, |v| v % 2 == 1));
    check("u32", "subgroupBallot(true).x + subgroupBallot(true).y * 5", |_, m| ballot(m, |_| true));
}

#[test]
fn ballots_of_large_subgroups() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<vec4<u32>>;
        @compute @workgroup_size(130)
        fn main(@builtin(local_invocation_index) i: u32) {
            let ballot = subgroupBallot(i % 33 == 1);
            if i % 128 == 5 || i == 129 { x[i / 128] = ballot; }
        }";
    // Places 1, 34, 67, 100 of the first subgroup; nobody of the second.
    let test = Test::new(wgsl).subgroups_of(128).bind("x", &[[9u32; 4]; 2]);
    test.expect("x", &[[2u32, 4, 8, 16], [0; 4]]);
}

#[test]
fn gathers() {
    for ty in ["u32", "f32", "i64"] {
        check(ty, "subgroupBroadcast(v, 2u)", |_, m| at(m, Some(2)));
        check(ty, "subgroupBroadcastFirst(v)", |_, m| m.first().map_or(0, |&(_, v)| v));
        check(ty, "subgroupShuffle(v, s / 4 * 4 + (s * 3 + 1) % 4)", |s, m| {
            at(m, Some(s / 4 * 4 + (s * 3 + 1) % 4))
        });
        check(ty, "subgroupShuffle(v, s * 5)", |s, m| at(m, Some(s * 5)));
        check(ty, "subgroupShuffleXor(v, 3u)", |s, m| at(m, Some(s ^ 3)));
        check(ty, "subgroupShuffleUp(v, 2u)", |s, m| at(m, s.checked_sub(2)));
        check(ty, "subgroupShuffleDown(v, 1u)", |s, m| at(m, Some(s + 1)));
        check(ty, "quadBroadcast(v, 3u)", |s, m| at(m, Some((s & !3) + 3)));
        check(ty, "quadSwapX(v)", |s, m| at(m, Some(s ^ 1)));
        check(ty, "quadSwapY(v)", |s, m| at(m, Some(s ^ 2)));
        check(ty, "quadSwapDiagonal(v)", |s, m| at(m, Some(s ^ 3)));
    }
}

#[test]
fn vectors_take_part_by_components() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<vec3<u32>>;
        @compute @workgroup_size(4)
        fn main(@builtin(local_invocation_index) i: u32) {
            let v = vec3(i, i * i, 1u);
            x[i] = subgroupAdd(v) + subgroupShuffleXor(v, 1u) * 100;
        }";
    let expected = [[106u32, 114, 104, 0], [6, 14, 104, 0], [306, 914, 104, 0], [206, 414, 104, 0]];
    Test::new(wgsl).bind("x", &[[0u32; 4]; 4]).expect("x", &expected);
}

#[test]
fn builtins() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<vec4<u32>>;
        @compute @workgroup_size(10)
        fn main(
            @builtin(local_invocation_index) i: u32,
            @builtin(subgroup_invocation_id) s: u32,
            @builtin(subgroup_id) id: u32,
            @builtin(subgroup_size) size: u32,
            @builtin(num_subgroups) n: u32,
        ) { x[i] = vec4(s, id, size, n); subgroupBarrier(); }";
    let expected: Vec<[u32; 4]> = (0..10).map(|i| [i % 4, i / 4, 4, 3]).collect();
    Test::new(wgsl).bind("x", &[[0u32; 4]; 10]).expect("x", &expected);
}

#[test]
fn subgroup_barriers() {
    let kernel = |condition: &str| {
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
             @compute @workgroup_size(8)
             fn main(@builtin(local_invocation_index) i: u32) {{
                 if {condition} {{ subgroupBarrier(); x[i] = 1; }}
             }}"
        );
        Test::new(&wgsl).bind("x", &[0u32; 8])
    };
    kernel("i >= 4").expect("x", &[0u32, 0, 0, 0, 1, 1, 1, 1]);
    let fault = kernel("i >= 5").fault().to_string();
    assert!(fault.contains("3 of 4 running invocations"), "{fault}");
}
