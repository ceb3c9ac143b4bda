//! What can be known of kernels whose functions stay functions.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "a footprint is a list of ranges, however many there are"
)]

use warpweft_module::{Module, Scalar, Source};
use warpweft_ssa::cost::Cost;
use warpweft_ssa::footprint::{Evaluation, Footprint, LaunchFacts, Reason};
use warpweft_ssa::ir::{Function, Op, Root, Statement};
use warpweft_ssa::uniformity::{Ganging, Shape, Uniformity};
use warpweft_ssa::{Limits, barriers};

fn function(wgsl: &str, inlined: usize) -> Function {
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
    let limits = Limits { inlined, ..Limits::default() };
    Function::within(&kernel, &limits).unwrap_or_else(|e| panic!("{e}"))
}

const BUFFERS: &str = "
    @group(0) @binding(0) var<uniform> n: u32;
    @group(0) @binding(1) var<storage, read_write> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @group(0) @binding(3) var<storage, read_write> z: array<f32>;
    @group(0) @binding(4) var<storage, read_write> count: array<atomic<u32>>;
    ";

/// Two workgroups, where `n` is 7 and all else has 128 words; only bindings that a kernel names are its own.
fn launched<T>(function: &Function, f: impl FnOnce(&LaunchFacts<'_>) -> T) -> T {
    let seven = Some(&[7u8, 0, 0, 0][..]);
    let uniforms: Vec<_> =
        function.bindings.iter().map(|binding| seven.filter(|_| binding.uniform)).collect();
    let bytes: Vec<u64> =
        function.bindings.iter().map(|binding| if binding.uniform { 4 } else { 512 }).collect();
    f(&LaunchFacts::new([2, 1, 1], None, &bytes, &uniforms))
}

fn evaluate(function: &Function) -> Evaluation {
    launched(function, |facts| Footprint::new(function).evaluate(facts))
}

#[test]
fn what_functions_touch_may_be_touched_anywhere() {
    let wgsl = format!(
        "{BUFFERS}
        fn put(i: u32, f: f32) {{ y[i] = f; }}
        fn put_square(i: u32) {{ let f = x[i]; put(i, f * f); }}
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            put_square(id.x);
            z[id.x] = 1.0;
        }}"
    );
    let inlined = evaluate(&function(&wgsl, 1000));
    assert_eq!(inlined.bindings[1].must_write.ranges(), [0..512]);
    assert_eq!(inlined.sliceable(), Ok(()));
    let called = evaluate(&function(&wgsl, 0));
    let all = |set: &warpweft_ssa::footprint::ByteSet| set.ranges() == [0..512];
    let [x, y, z] = &called.bindings[..] else { panic!("three bindings") };
    assert!(all(&x.may_read) && x.may_write.is_empty() && x.must_write.is_empty());
    assert!(y.may_read.is_empty() && all(&y.may_write) && y.must_write.is_empty());
    // The kernel's own code is as well known as ever.
    assert!(z.may_read.is_empty() && all(&z.may_write) && all(&z.must_write));
    assert_eq!(called.sliceable(), Err(Reason::Shared { binding: "y".into() }));
}

#[test]
fn atomics_in_functions_are_seen() {
    let wgsl = format!(
        "{BUFFERS}
        fn next(i: u32) -> u32 {{ return atomicAdd(&count[i], 1u); }}
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            x[id.x] = f32(next(id.x));
        }}"
    );
    let called = evaluate(&function(&wgsl, 0));
    assert_eq!(called.sliceable(), Err(Reason::Atomics { binding: "count".into() }));
    assert_eq!(called.bindings[1].may_read.ranges(), [0..512]);
}

#[test]
fn what_comes_back_varies() {
    let wgsl = format!(
        "{BUFFERS}
        fn twice(m: u32) -> u32 {{ return m * 2u + n; }}
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            x[twice(n)] = 1.0;
        }}"
    );
    let function = function(&wgsl, 0);
    let varies = |function: &Function| {
        let shapes = Uniformity::new(function, Ganging::Rows { lanes: 8, aligned: true });
        let mut found = Vec::new();
        for statement in &function.body {
            let Statement::Let(value) = *statement else { continue };
            if let Op::Load { place, .. } = &function.definition(value).op {
                found.push((matches!(place.root, Root::Variable(_)), shapes.shape(value)));
            }
        }
        assert!((0..function.variables.len() as u32).all(|variable| !shapes.uniform_variable(variable)));
        found
    };
    assert_eq!(varies(&function), [(false, Shape::Launch), (true, Shape::Varying)]);
    assert_eq!(varies(&function.callee(0)), [(true, Shape::Varying), (false, Shape::Launch)]);
}

#[test]
fn a_call_costs_what_the_function_does() {
    let wgsl = format!(
        "{BUFFERS}
        fn root(f: f32) -> f32 {{ return sqrt(f) * x[3]; }}
        fn roots(f: f32) -> f32 {{ return root(f) + root(f + 1.0); }}
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            for (var i = 0u; i < n; i++) {{ y[id.x] += roots(z[id.x]); }}
        }}"
    );
    let [inlined, called] = [1000, 0].map(|limit| {
        let function = function(&wgsl, limit);
        launched(&function, |facts| Cost::new(&function).evaluate(facts))
    });
    assert_eq!(called.operations.square_root, 14.0);
    assert_eq!(called.operations.square_root, inlined.operations.square_root);
    assert_eq!(called.operations.float_multiply, inlined.operations.float_multiply);
    // Side by side, both roots load `x[3]` once.
    assert_eq!(called.read.uniform, inlined.read.uniform + 7.0 * 4.0);
    assert_eq!((called.invocations, called.exact), (128.0, true));
}

#[test]
fn barriers_behind_what_a_function_says_are_only_doubtful() {
    let wgsl = format!(
        "{BUFFERS}
        fn large(m: u32) -> bool {{ return m > 5u; }}
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {{
            if large(n) {{ storageBarrier(); }}
            x[i] = 1.0;
        }}"
    );
    assert_eq!(barriers::check(&function(&wgsl, 1000)), []);
    let called = function(&wgsl, 0);
    assert!(barriers::check(&called).iter().all(|divergence| !divergence.certain));
    assert_eq!(called.functions[0].values[0].ty, Scalar::U32);
}
