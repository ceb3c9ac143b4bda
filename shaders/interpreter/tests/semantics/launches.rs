//! Grids, ids, exact `over`, cancellation, and launches that do not fit.

use crate::Test;
use std::sync::atomic::{AtomicU32, Ordering};
use warpweft_interpreter::{Fault, Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Module, Source};

#[test]
fn ids_of_a_three_dimensional_grid() {
    let wgsl = "
        struct In {
            @builtin(global_invocation_id) g: vec3<u32>,
            @builtin(local_invocation_id) l: vec3<u32>,
        }
        @group(0) @binding(0) var<storage, read_write> x: array<vec4<u32>>;
        @compute @workgroup_size(2, 3, 2)
        fn main(
            in: In,
            @builtin(num_workgroups) n: vec3<u32>,
            @builtin(workgroup_id) w: vec3<u32>,
            @builtin(local_invocation_index) i: u32,
        ) {
            let size = vec3(2u, 3, 2) * n;
            let at = in.g.x + size.x * (in.g.y + size.y * in.g.z);
            let back = w * vec3(2u, 3, 2) + in.l;
            x[at] = vec4(in.g.x + 100 * in.g.y + 10000 * in.g.z, i, u32(all(back == in.g)), w.x + 10 * w.y + 100 * w.z);
        }";
    let mut expected = vec![[0u32; 4]; 6 * 6 * 2];
    for (at, value) in expected.iter_mut().enumerate() {
        let (x, y, z) = (at as u32 % 6, at as u32 / 6 % 6, at as u32 / 36);
        *value = [
            x + 100 * y + 10000 * z,
            x % 2 + 2 * (y % 3) + 6 * (z % 2),
            1,
            x / 2 + 10 * (y / 3) + 100 * (z / 2),
        ];
    }
    Test::new(wgsl).workgroups(3, 2, 1).bind("x", &vec![[0u32; 4]; 72]).expect("x", &expected);
}

#[test]
fn exact_over() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(4, 4)
        fn main(@builtin(global_invocation_id) g: vec3<u32>) { x[g.x + 8 * g.y] += 1; }";
    let expected: Vec<u32> = (0..64).map(|n| u32::from(n % 8 < 7 && n / 8 < 5)).collect();
    Test::new(wgsl).workgroups(2, 2, 1).over(7, 5, 1).bind("x", &[0u32; 64]).expect("x", &expected);
    // Nothing of the second row of workgroups is inside.
    let expected: Vec<u32> = (0..64).map(|n| u32::from(n % 8 < 5 && n / 8 < 4)).collect();
    Test::new(wgsl).workgroups(2, 2, 1).over(5, 4, 1).bind("x", &[0u32; 64]).expect("x", &expected);
}

#[test]
fn one_workgroup_of_many() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(2)
        fn main(@builtin(global_invocation_id) g: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
            x[g.x + 8 * g.y] = n.x * 10 + n.y;
        }";
    let test = Test::new(wgsl).workgroups(4, 3, 1).bind("x", &[0u32; 24]);
    test.launch(&|| false, |launch| {
        test.program.run_workgroup(launch, 6, &mut Scratch::default()).expect("no fault");
    });
    let mut expected = [0u32; 24];
    expected[12..14].fill(43);
    assert_eq!(test.read::<u32>("x"), expected);
    let beyond =
        test.launch(&|| false, |launch| test.program.run_workgroup(launch, 12, &mut Scratch::default()));
    assert_eq!(beyond, Err(Fault::OutsideGrid { linear: 12, workgroups: [4, 3, 1] }));
}

#[test]
fn an_endless_loop_can_be_cancelled() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) { while x[i] < 5 { x[i] = x[i] & 3; } }";
    let test = Test::new(wgsl).bind("x", &[9u32, 1, 2, 3, 4, 5, 6, 7]);
    let asked = AtomicU32::new(0);
    let cancelled = || asked.fetch_add(1, Ordering::Relaxed) == 10;
    let fault = test.launch(&cancelled, |launch| {
        test.program.run_workgroup(launch, 0, &mut Scratch::default()).expect_err("a fault")
    });
    assert_eq!(fault.to_string(), "kernel `main` was cancelled in workgroup (0, 0, 0)");
    assert_eq!(asked.into_inner(), 11);
}

#[test]
fn endless_calls_can_be_cancelled() {
    // No loop, and more calls than anyone can wait for.
    let mut wgsl = String::from(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         fn f0(n: u32) -> u32 { return n + 1; }\n",
    );
    for f in 1..=60 {
        let callee = f - 1;
        wgsl += &format!("fn f{f}(n: u32) -> u32 {{ return f{callee}(f{callee}(n)); }}\n");
    }
    wgsl += "@compute @workgroup_size(1) fn main() { x[0] = f60(0); }";
    let test = Test::new(&wgsl).bind("x", &[0u32]);
    let asked = AtomicU32::new(0);
    let cancelled = || asked.fetch_add(1, Ordering::Relaxed) == 10;
    let fault = test.launch(&cancelled, |launch| {
        test.program.run_workgroup(launch, 0, &mut Scratch::default()).expect_err("a fault")
    });
    assert_eq!(fault.to_string(), "kernel `main` was cancelled in workgroup (0, 0, 0)");
}

#[test]
fn launches_that_do_not_fit() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(1) fn main() { x[0] = 1; }";
    let kernel =
        Module::new(&[Source::new("a.wgsl", wgsl)], &[]).and_then(|m| m.kernel(None, &[])).expect("valid");
    let program = Program::new(&kernel).expect("supported");
    let words = [AtomicU32::new(0)];
    let run = |bindings: &[Memory<'_>], subgroup_size| {
        let grid = Grid { workgroups: [1; 3], over: None };
        let launch = Launch { bindings, grid, subgroup_size, cancelled: &|| false };
        program.run_workgroup(&launch, 0, &mut Scratch::default()).map_err(|fault| fault.to_string())
    };
    assert_eq!(run(&[], 4), Err("kernel `main` has 1 bindings and the launch gives 0".to_string()));
    let one = [Memory::new(&words, 4)];
    let sizes = "it must be a power of two from 1 to 128";
    assert_eq!(run(&one, 0), Err(format!("a subgroup size of 0; {sizes}")));
    assert_eq!(run(&one, 12), Err(format!("a subgroup size of 12; {sizes}")));
    assert_eq!(run(&one, 256), Err(format!("a subgroup size of 256; {sizes}")));
    assert_eq!(run(&one, 1), Ok(()));
    assert_eq!(run(&[Memory::new(&[], 0)], 1), Ok(()));
}

#[test]
fn one_scratch_for_several_programs() {
    let program = |value: u32, size: u32| {
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
             var<workgroup> w: array<u32, {size}>;
             @compute @workgroup_size({size})
             fn main(@builtin(local_invocation_index) i: u32) {{ w[i] += {value}; x[i] = w[i]; }}"
        );
        Test::new(&wgsl).bind("x", &vec![0u32; size as usize])
    };
    let (a, b) = (program(3, 5), program(4, 40));
    let mut scratch = Scratch::default();
    for test in [&a, &b, &a, &b] {
        test.launch(&|| false, |launch| test.program.run_workgroup(launch, 0, &mut scratch))
            .expect("no fault");
    }
    assert_eq!(a.read::<u32>("x"), [3; 5]);
    assert_eq!(b.read::<u32>("x"), [4; 40]);
}

#[test]
fn enormous_variables_are_refused() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(256)
        fn main(@builtin(local_invocation_index) i: u32) { var a: array<u32, 1000000>; a[i] = i; x[i] = a[i / 2]; }";
    let kernel =
        Module::new(&[Source::new("a.wgsl", wgsl)], &[]).and_then(|m| m.kernel(None, &[])).expect("valid");
    let refusal = Program::new(&kernel).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal.contains("MiB of variables and values for the 256 invocations"), "{refusal}");
}

#[test]
fn deep_calls_run_or_are_refused() {
    // Each function is a block with a call in a branch: two levels.
    let wgsl = |functions: usize| {
        let mut wgsl = String::from(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
             fn f0(n: u32) -> u32 { return n; }\n",
        );
        for f in 1..=functions {
            wgsl +=
                &format!("fn f{f}(n: u32) -> u32 {{ if n < 7 {{ return f{}(n) + 1; }} return n; }}\n", f - 1);
        }
        wgsl += &format!(
            "@compute @workgroup_size(8)
             fn main(@builtin(local_invocation_index) i: u32) {{ x[i] = f{functions}(i); }}"
        );
        wgsl
    };
    let deep = Test::new(&wgsl(149)).bind("x", &[0u32; 8]);
    deep.expect("x", &[149u32, 150, 151, 152, 153, 154, 155, 7]);
    let kernel = Module::new(&[Source::new("a.wgsl", wgsl(150))], &[]).and_then(|m| m.kernel(None, &[]));
    let refusal = Program::new(&kernel.expect("valid")).err().map(|error| error.to_string());
    assert_eq!(
        refusal.as_deref(),
        Some("the CPU cannot run blocks and calls nested 302 deep (the most is 300)")
    );
}
