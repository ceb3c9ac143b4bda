//! Atomic operations: every function, every type, in every space.

use crate::Test;
use std::sync::atomic::{AtomicU64, Ordering};
use warpweft_interpreter::Scratch;

/// One operation by 8 invocations on one atomic, in a binding and in workgroup memory; `old` gets what each saw.
#[track_caller]
fn each<T>(ty: &str, start: T, operation: &str, expected_old: [T; 8], expected: T)
where
    T: bytemuck::Pod + PartialEq + std::fmt::Debug,
{
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> a: atomic<{ty}>;
         @group(0) @binding(1) var<storage, read_write> old: array<{ty}, 8>;
         @group(0) @binding(2) var<storage, read_write> last: {ty};
         var<workgroup> w: atomic<{ty}>;
         @compute @workgroup_size(8)
         fn main(@builtin(local_invocation_index) i: u32) {{
             if i == 0 {{ atomicStore(&w, atomicLoad(&a)); }}
             workgroupBarrier();
             let x = {ty}(i);
             old[i] = {operation}(&a, x);
             let ours = {operation}(&w, x);
             if ours != old[i] {{ old[i] = 77; }}
             workgroupBarrier();
             last = atomicLoad(&w);
         }}"
    );
    let test = Test::new(&wgsl).bind("a", &[start]).bind("old", &[start; 8]).bind("last", &[start]);
    test.expect("a", &[expected]).and("old", &expected_old).and("last", &[expected]);
}

#[test]
fn functions() {
    each("u32", 10u32, "atomicAdd", [10, 10, 11, 13, 16, 20, 25, 31], 38);
    each(
        "u32",
        3u32,
        "atomicSub",
        [3, 3, 2, 0, u32::MAX - 2, u32::MAX - 6, u32::MAX - 11, u32::MAX - 17],
        u32::MAX - 24,
    );
    each("u32", 5u32, "atomicMax", [5, 5, 5, 5, 5, 5, 5, 6], 7);
    each("i32", -5i32, "atomicMin", [-5; 8], -5);
    each("i32", -5i32, "atomicMax", [-5, 0, 1, 2, 3, 4, 5, 6], 7);
    each("u32", 0xffu32, "atomicAnd", [0xff, 0, 0, 0, 0, 0, 0, 0], 0);
    each("u32", 8u32, "atomicOr", [8, 8, 9, 11, 11, 15, 15, 15], 15);
    each("u32", 0u32, "atomicXor", [0, 0, 1, 3, 0, 4, 1, 7], 0);
    each("i32", 9i32, "atomicExchange", [9, 0, 1, 2, 3, 4, 5, 6], 7);
    let big = 1i64 << 40;
    each("i64", big, "atomicAdd", [0, 0, 1, 3, 6, 10, 15, 21].map(|n| big + n), big + 28);
    each("i64", -big, "atomicMin", [-big; 8], -big);
    each("u64", 1 << 63, "atomicMax", [1u64 << 63; 8], 1 << 63);
    each("u64", u64::MAX, "atomicExchange", [u64::MAX, 0, 1, 2, 3, 4, 5, 6], 7);
}

#[test]
fn floats() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> a: atomic<f32>;
        @group(0) @binding(1) var<storage, read_write> old: array<f32>;
        @compute @workgroup_size(4)
        fn main(@builtin(local_invocation_index) i: u32) {
            old[i] = atomicAdd(&a, 0.5) + atomicSub(&a, 0.25);
            old[i + 4] = atomicExchange(&a, f32(i));
        }";
    // In lockstep all additions come first, then all subtractions.
    let old: [f32; 8] = [1.0 + 3.0, 1.5 + 2.75, 2.0 + 2.5, 2.5 + 2.25, 2.0, 0.0, 1.0, 2.0];
    Test::new(wgsl).bind("a", &[1f32]).bind("old", &[0f32; 8]).expect("old", &old).and("a", &[3f32]);
}

#[test]
fn compare_exchange() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> a: atomic<u32>;
        @group(0) @binding(1) var<storage, read_write> x: array<vec2<u32>>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            let r = atomicCompareExchangeWeak(&a, i & 6, i + 1);
            x[i] = vec2(r.old_value, u32(r.exchanged));
        }";
    let expected = [[0u32, 1], [1, 0], [1, 0], [1, 0], [1, 0], [1, 0], [1, 0], [1, 0]];
    Test::new(wgsl).bind("a", &[0u32]).bind("x", &[[0u32; 2]; 8]).expect("x", &expected);
}

#[test]
fn a_lock_made_of_atomics() {
    // Each invocation takes the lock in its turn; the loop ends because the holder always goes on.
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> lock: atomic<u32>;
        var<workgroup> count: u32;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            loop {
                if atomicCompareExchangeWeak(&lock, 0u, 1u).exchanged {
                    count += 1;
                    x[i] = count;
                    atomicStore(&lock, 0u);
                    break;
                }
            }
        }";
    Test::new(wgsl).bind("x", &[0u32; 8]).expect("x", &[1u32, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn many_threads_at_once() {
    // Atomics count exactly; racy plain stores leave one of the values that were stored.
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> narrow: atomic<u32>;
        @group(0) @binding(1) var<storage, read_write> wide: atomic<u64>;
        @group(0) @binding(2) var<storage, read_write> racy: array<u32, 4>;
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) g: vec3<u32>) {
            atomicAdd(&narrow, 1u);
            atomicAdd(&wide, 1lu << 31);
            racy[g.x % 4] = g.x;
            racy[(g.x + 1) % 4] += 0;
        }";
    let test = Test::new(wgsl).workgroups(500, 1, 1);
    let test = test.bind("narrow", &[0u32]).bind("wide", &[0u64]).bind("racy", &[0u32; 4]);
    let next = AtomicU64::new(0);
    test.launch(&|| false, |launch| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut scratch = Scratch::default();
                    loop {
                        let workgroup = next.fetch_add(1, Ordering::Relaxed);
                        if workgroup >= 500 {
                            break;
                        }
                        test.program.run_workgroup(launch, workgroup, &mut scratch).expect("no fault");
                    }
                });
            }
        });
    });
    assert_eq!(test.read::<u32>("narrow"), [32_000]);
    assert_eq!(test.read::<u64>("wide"), [32_000u64 << 31]);
    assert!(test.read::<u32>("racy").iter().all(|&n| n < 32_000));
}
