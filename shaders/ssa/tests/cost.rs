//! Costs of small kernels, counted by hand.

use warpweft_module::{Module, Source};
use warpweft_ssa::cost::{Cost, Estimate};
use warpweft_ssa::footprint::LaunchFacts;
use warpweft_ssa::ir::Function;

fn estimate(wgsl: &str, workgroups: [u32; 3], bytes: &[u64], uniforms: &[Option<&[u8]>]) -> Estimate {
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
    let function = Function::new(&kernel).unwrap_or_else(|e| panic!("{e}"));
    Cost::new(&function).evaluate(&LaunchFacts::new(workgroups, None, bytes, uniforms))
}

#[test]
fn streams_are_contiguous_and_guards_cost_what_they_keep_out() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if (id.x >= arrayLength(&y)) { return; }
            y[id.x] = 3.0 * x[id.x] + y[id.x];
        }";
    let found = estimate(wgsl, [2, 1, 1], &[256, 256], &[None; 2]);
    assert_eq!(found.invocations, 128.0);
    assert!(found.exact);
    // Half of them are in bounds.
    assert_eq!((found.read.contiguous, found.written.contiguous), (4.0, 2.0));
    assert_eq!((found.read.total(), found.written.total()), (4.0, 2.0));
    assert_eq!((found.operations.float_multiply, found.operations.float_add), (0.5, 0.5));
}

#[test]
fn loops_count_the_rounds_that_uniforms_decide() {
    let wgsl = "
        struct Size { n: u32, k: u32 }
        @group(0) @binding(0) var<uniform> size: Size;
        @group(0) @binding(1) var<storage, read> a: array<f32>;
        @group(0) @binding(2) var<storage, read> b: array<f32>;
        @group(0) @binding(3) var<storage, read_write> c: array<f32>;
        @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            var sum = 0.0;
            for (var k = 0u; k < size.k; k++) { sum += sqrt(a[id.y * size.k + k]) * b[k * size.n + id.x]; }
            c[id.x * size.n + id.y] = sum;
        }";
    let mut size = [0; 8];
    size[0] = 16;
    size[4] = 30;
    let found = estimate(wgsl, [2, 2, 1], &[8, 1920, 1920, 1024], &[Some(&size), None, None, None]);
    assert!(found.exact);
    assert_eq!(found.operations.square_root, 30.0);
    assert_eq!(found.operations.float_multiply, 30.0);
    assert_eq!(found.read.contiguous, 120.0);
    assert!(found.read.uniform >= 120.0, "the row, and what the loop asks of the uniform");
    assert_eq!(found.written.strided, 4.0);
    let unknown = estimate(wgsl, [2, 2, 1], &[8, 1920, 1920, 1024], &[None; 4]);
    assert!(!unknown.exact);
    assert_eq!(unknown.operations.square_root, 16.0);
}

#[test]
fn data_decides_by_halves_and_gathers() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> at: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if (at[id.x] == 7u) { y[id.x] = sin(y[at[id.x + 1u]]); }
        }";
    let found = estimate(wgsl, [1, 1, 1], &[1000, 1000], &[None; 2]);
    assert!(!found.exact);
    assert_eq!(found.operations.elementary, 0.5);
    assert_eq!(found.read.gathered, 2.0);
}
