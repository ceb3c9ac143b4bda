//! Footprints of whole kernels, in bytes.
#![allow(
    clippy::single_range_in_vec_init,
    reason = "a footprint is a list of ranges, however many there are"
)]

use std::ops::Range;
use warpweft_module::{Module, Source};
use warpweft_ssa::footprint::{Evaluation, Footprint, LaunchFacts};
use warpweft_ssa::ir::Function;

/// A launch to evaluate: bindings in order of their numbers.
#[derive(Clone, Default)]
struct Case<'a> {
    workgroups: [u32; 3],
    over: Option<[u32; 3]>,
    bytes: &'a [u64],
    uniforms: &'a [Option<&'a [u8]>],
    range: Option<Range<u64>>,
}

fn function(wgsl: &str) -> Function {
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
    Function::new(&kernel).unwrap_or_else(|e| panic!("{e}"))
}

fn evaluate(wgsl: &str, case: Case<'_>) -> Evaluation {
    let mut uniforms = case.uniforms.to_vec();
    uniforms.resize(case.bytes.len(), None);
    let mut facts = LaunchFacts::new(case.workgroups, case.over, case.bytes, &uniforms);
    if let Some(range) = case.range {
        facts = facts.slice(range);
    }
    Footprint::new(&function(wgsl)).evaluate(&facts)
}

fn ranges(set: &warpweft_ssa::footprint::ByteSet) -> Vec<Range<u64>> {
    set.ranges().to_vec()
}

const SAXPY: &str = "
    @group(0) @binding(0) var<uniform> a: f32;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x >= arrayLength(&y)) { return; }
        y[id.x] = a * x[id.x] + y[id.x];
    }";

#[test]
fn saxpy_with_a_guard_on_the_length_touches_each_element() {
    let found = evaluate(SAXPY, Case { workgroups: [2, 1, 1], bytes: &[4, 400, 400], ..Default::default() });
    assert_eq!(ranges(&found.bindings[1].may_read), [0..400]);
    assert!(found.bindings[1].may_write.is_empty());
    for set in [&found.bindings[2].may_read, &found.bindings[2].may_write, &found.bindings[2].must_write] {
        assert_eq!(ranges(set), [0..400]);
    }
    assert_eq!(found.sliceable(), Ok(()));
}

#[test]
fn shorter_arrays_and_grids_cut_it() {
    let found = evaluate(SAXPY, Case { workgroups: [2, 1, 1], bytes: &[4, 40, 400], ..Default::default() });
    assert_eq!(ranges(&found.bindings[1].may_read), [0..40]);
    let found = evaluate(SAXPY, Case { workgroups: [1, 1, 1], bytes: &[4, 400, 400], ..Default::default() });
    assert_eq!(ranges(&found.bindings[2].must_write), [0..256]);
    let over = Some([70, 1, 1]);
    let found =
        evaluate(SAXPY, Case { workgroups: [2, 1, 1], over, bytes: &[4, 400, 400], ..Default::default() });
    assert_eq!(ranges(&found.bindings[2].must_write), [0..280]);
    let range = Some(1..3);
    let found =
        evaluate(SAXPY, Case { workgroups: [4, 1, 1], range, bytes: &[4, 4000, 4000], ..Default::default() });
    assert_eq!(ranges(&found.bindings[2].must_write), [256..768]);
}

const STENCIL: &str = "
    struct Size { w: u32, h: u32 }
    @group(0) @binding(0) var<uniform> size: Size;
    @group(0) @binding(1) var<storage, read> a: array<f32>;
    @group(0) @binding(2) var<storage, read_write> b: array<f32>;
    @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        let x = id.x; let y = id.y; let w = size.w;
        if (x >= w || y >= size.h) { return; }
        let i = y * w + x;
        if (x > 0u && x < w - 1u && y > 0u && y < size.h - 1u) {
            b[i] = 0.25 * (a[i - 1u] + a[i + 1u] + a[i - w] + a[i + w]);
        } ELSE
    }";

fn size(w: u32, h: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&w.to_le_bytes());
    bytes[4..].copy_from_slice(&h.to_le_bytes());
    bytes
}

#[test]
fn stencils_write_the_interior() {
    let size = size(20, 10);
    let case =
        Case { workgroups: [3, 2, 1], bytes: &[8, 800, 800], uniforms: &[Some(&size)], ..Default::default() };
    let found = evaluate(&STENCIL.replace("ELSE", ""), case);
    let rows: Vec<_> = (1..9).map(|y| (y * 20 + 1) * 4..(y * 20 + 19) * 4).collect();
    assert_eq!(ranges(&found.bindings[2].must_write), rows);
    assert_eq!(ranges(&found.bindings[2].may_write), rows);
    // All but the corners.
    assert_eq!(ranges(&found.bindings[1].may_read), [4..76, 80..720, 724..796]);
    assert!(found.bindings[2].may_read.is_empty());
    assert_eq!(found.sliceable(), Ok(()));
}

#[test]
fn stencils_that_copy_their_edges_write_everything() {
    let size = size(20, 10);
    let case =
        Case { workgroups: [3, 2, 1], bytes: &[8, 800, 800], uniforms: &[Some(&size)], ..Default::default() };
    let found = evaluate(&STENCIL.replace("ELSE", "else { b[i] = a[i]; }"), case);
    assert_eq!(ranges(&found.bindings[2].must_write), [0..800]);
    assert_eq!(ranges(&found.bindings[1].may_read), [0..800]);
}

#[test]
fn unknown_sizes_may_be_anything_and_must_be_nothing() {
    let case = Case { workgroups: [3, 2, 1], bytes: &[8, 800, 800], ..Default::default() };
    let found = evaluate(&STENCIL.replace("ELSE", ""), case);
    assert!(found.bindings[2].must_write.is_empty());
    assert_eq!(ranges(&found.bindings[2].may_write), [0..800]);
}

#[test]
fn transposes_write_every_element() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> a: array<f32>;
        @group(0) @binding(1) var<storage, read_write> b: array<f32>;
        var<workgroup> tile: array<array<f32, 17>, 16>;
        @compute @workgroup_size(16, 16) fn main(
            @builtin(workgroup_id) w: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>) {
            tile[l.y][l.x] = a[(w.y * 16u + l.y) * 64u + w.x * 16u + l.x];
            workgroupBarrier();
            b[(w.x * 16u + l.y) * 48u + w.y * 16u + l.x] = tile[l.x][l.y];
        }";
    let bytes = 64 * 48 * 4;
    let case = Case { workgroups: [4, 3, 1], bytes: &[bytes, bytes], ..Default::default() };
    let found = evaluate(wgsl, case);
    assert_eq!(ranges(&found.bindings[0].may_read), [0..bytes]);
    assert_eq!(ranges(&found.bindings[1].must_write), [0..bytes]);
    assert_eq!(found.sliceable(), Ok(()));
}

fn words(store: &str, workgroups: u32, elements: u64) -> Evaluation {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> b: array<u32>;
        @compute @workgroup_size(16) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            let i = id.x;
            {store}
        }}"
    );
    let case = Case { workgroups: [workgroups, 1, 1], bytes: &[elements * 4], ..Default::default() };
    evaluate(&wgsl, case)
}

#[test]
fn quotients_and_remainders_are_as_sure_as_what_is_divided() {
    let must = |store: &str| {
        let found = words(store, 3, 64);
        ranges(&found.bindings[0].must_write)
    };
    // A transpose by one id.
    assert_eq!(must("b[(i % 6u) * 8u + i / 6u] = i;"), [0..192]);
    assert_eq!(must("b[i / 3u] = i;"), [0..64]);
    assert_eq!(must("if (i >= 8u && i < 40u) { b[i / 3u] = i; }"), [8..56]);
    assert_eq!(must("if (i / 3u < 5u) { b[i] = i; }"), [0..60]);
    assert_eq!(must("b[i % 29u] = i;"), [0..116]);
    assert_eq!(must("if (i >= 22u && i < 27u) { b[i % 10u] = i; }"), [8..28]);
    // Not all pairs come about, nor all remainders, nor is anything known together with the id itself.
    assert_eq!(must("if (i >= 15u && i < 23u) { b[i % 10u] = i; }"), [0..0; 0]);
    assert_eq!(must("b[(i % 7u) * 7u + i / 7u] = i;"), [0..0; 0]);
    assert_eq!(must("b[i % 29u + i] = i;"), [0..0; 0]);
    assert_eq!(must("b[i / 2u + i % 3u] = i;"), [0..0; 0]);
    assert_eq!(must("if ((i & 1u) == 0u) { b[i / 4u] = i; }"), [0..0; 0]);
}

#[test]
fn triangles_are_written_row_by_row() {
    let found = words("for (var j = 0u; j < i; j++) { b[i * 16u + j] = j; }", 1, 256);
    let rows: Vec<_> = (1..16).map(|i| i * 64..i * 64 + i * 4).collect();
    assert_eq!(ranges(&found.bindings[0].must_write), rows);
    assert_eq!(ranges(&found.bindings[0].may_write), rows);
    // Too many rows to look at each.
    let found = words("for (var j = 0u; j < i; j++) { b[i * 4096u + j] = j; }", 200, 1 << 24);
    assert!(found.bindings[0].must_write.is_empty());
    assert!(!found.bindings[0].may_write.is_empty());
}

#[test]
fn members_of_structures_add_up() {
    let wgsl = "
        struct Particle { position: vec2<f32>, mass: f32, kind: u32 }
        @group(0) @binding(0) var<storage, read_write> all: array<Particle>;
        @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            let i = id.x;
            if (i >= arrayLength(&all)) { return; }
            all[i].position = vec2<f32>(1.0, 2.0);
            all[i].mass = 3.0;
            KIND
        }";
    let case = Case { workgroups: [4, 1, 1], bytes: &[1600], ..Default::default() };
    let found = evaluate(&wgsl.replace("KIND", "all[i].kind = i;"), case.clone());
    assert_eq!(ranges(&found.bindings[0].must_write), [0..1600]);
    assert_eq!(found.sliceable(), Ok(()));
    let found = evaluate(&wgsl.replace("KIND", ""), case);
    assert_eq!(found.bindings[0].must_write.len(), 1200);
    assert_eq!(found.bindings[0].must_write.ranges()[1], 16..28);
}

#[test]
fn reductions_write_one_element_per_workgroup() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> sums: array<f32>;
        var<workgroup> partial: array<f32, 64>;
        @compute @workgroup_size(64) fn main(
            @builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) l: vec3<u32>,
            @builtin(workgroup_id) w: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
            var sum = 0.0;
            for (var i = id.x; i < arrayLength(&x); i += 64u * n.x) { sum += x[i]; }
            partial[l.x] = sum;
            workgroupBarrier();
            for (var s = 32u; s > 0u; s /= 2u) {
                if (l.x < s) { partial[l.x] += partial[l.x + s]; }
                workgroupBarrier();
            }
            if (l.x == 0u) { sums[w.x] = partial[0]; }
        }";
    let case = Case { workgroups: [5, 1, 1], bytes: &[4000, 40], ..Default::default() };
    let found = evaluate(wgsl, case);
    assert_eq!(ranges(&found.bindings[0].may_read), [0..4000]);
    assert_eq!(ranges(&found.bindings[1].must_write), [0..20]);
    assert_eq!(ranges(&found.bindings[1].may_write), [0..20]);
    assert_eq!(found.sliceable(), Ok(()));
}

#[test]
fn grid_stride_loops_write_what_they_count() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(64) fn main(
            @builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) n: vec3<u32>) {
            for (var i = id.x; i < arrayLength(&x); i += 64u * n.x) { x[i] = i; }
        }";
    let case = Case { workgroups: [3, 1, 1], bytes: &[4000], ..Default::default() };
    assert_eq!(ranges(&evaluate(wgsl, case).bindings[0].must_write), [0..4000]);
    let leaving = wgsl.replace("x[i] = i;", "x[i] = i; if (x[0] == 7u) { break; }");
    let case = Case { workgroups: [3, 1, 1], bytes: &[4000], ..Default::default() };
    let found = evaluate(&leaving, case);
    assert!(found.bindings[0].must_write.is_empty());
    assert_eq!(ranges(&found.bindings[0].may_write), [0..4000]);
}

#[test]
fn matrix_products_read_rows_and_columns() {
    let wgsl = "
        struct Size { n: u32, k: u32 }
        @group(0) @binding(0) var<uniform> size: Size;
        @group(0) @binding(1) var<storage, read> a: array<f32>;
        @group(0) @binding(2) var<storage, read> b: array<f32>;
        @group(0) @binding(3) var<storage, read_write> c: array<f32>;
        @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            let n = size.n;
            if (id.x >= n || id.y >= n) { return; }
            var sum = 0.0;
            for (var k = 0u; k < size.k; k++) { sum += a[id.y * size.k + k] * b[k * n + id.x]; }
            c[id.y * n + id.x] = sum;
        }";
    let size = size(20, 30);
    let case = Case {
        workgroups: [3, 3, 1],
        bytes: &[8, 4000, 4000, 1600],
        uniforms: &[Some(&size)],
        ..Default::default()
    };
    let found = evaluate(wgsl, case);
    assert_eq!(ranges(&found.bindings[1].may_read), [0..2400]);
    assert_eq!(ranges(&found.bindings[2].may_read), [0..2400]);
    assert_eq!(ranges(&found.bindings[3].must_write), [0..1600]);
    assert_eq!(found.sliceable(), Ok(()));
}

#[test]
fn indices_that_wrap_around_are_anything() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            x[id.x - 10u] = 1u;
        }";
    let case = Case { workgroups: [1, 1, 1], bytes: &[4000], ..Default::default() };
    let found = evaluate(wgsl, case.clone());
    // The first ten are beyond every array; which the others are is not worth telling apart.
    assert!(found.bindings[0].must_write.is_empty());
    assert!(found.bindings[0].may_write.covers(0..216));
    let guarded = wgsl.replace("x[id.x", "if (id.x >= 10u) { x[id.x").replace("1u;", "1u; }");
    let found = evaluate(&guarded, case);
    assert_eq!(ranges(&found.bindings[0].must_write), [0..216]);
    assert_eq!(ranges(&found.bindings[0].may_write), [0..216]);
}

#[test]
fn one_index_for_two_axes_and_back() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> a: array<f32>;
        @group(0) @binding(1) var<storage, read_write> b: array<f32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if (id.x >= 600u) { return; }
            let x = id.x % 30u;
            let y = id.x / 30u;
            b[y * 30u + x] = a[y * 30u + (x + 1u) % 30u];
        }";
    let case = Case { workgroups: [10, 1, 1], bytes: &[4000, 4000], ..Default::default() };
    let found = evaluate(wgsl, case);
    assert_eq!(ranges(&found.bindings[1].must_write), [0..2400]);
    assert_eq!(ranges(&found.bindings[0].may_read), [0..2400]);
}

#[test]
fn data_decides_nothing_that_must_be() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> a: array<u32>;
        @group(0) @binding(1) var<storage, read_write> b: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if (a[id.x] > 3u) { b[id.x] = 1u; }
            b[a[id.x]] = 2u;
            if (a[id.x] < 5u) { b[500u + a[id.x]] = 3u; }
        }";
    let case = Case { workgroups: [2, 1, 1], bytes: &[512, 4000], ..Default::default() };
    let found = evaluate(wgsl, case);
    assert_eq!(ranges(&found.bindings[1].may_write), [0..4000]);
    assert!(found.bindings[1].must_write.is_empty());
    assert!(found.sliceable().is_err());
}

#[test]
fn returns_on_data_leave_nothing_sure() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read> a: array<u32>;
        @group(0) @binding(1) var<storage, read_write> b: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            if (a[id.x] > 3u) { return; }
            b[id.x] = 1u;
        }";
    let case = Case { workgroups: [1, 1, 1], bytes: &[256, 4000], ..Default::default() };
    let found = evaluate(wgsl, case);
    assert!(found.bindings[1].must_write.is_empty());
    assert_eq!(ranges(&found.bindings[1].may_write), [0..256]);
}

#[test]
fn atomics_and_shared_places_are_not_sliced() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> n: atomic<u32>;
        @compute @workgroup_size(64) fn main() { atomicAdd(&n, 1u); }";
    let found = evaluate(wgsl, Case { workgroups: [2, 1, 1], bytes: &[4], ..Default::default() });
    assert!(found.sliceable().is_err_and(|reason| reason.to_string().contains("`n`")));
    assert!(found.bindings[0].must_write.is_empty());
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            x[id.x] = x[id.x + 1u];
        }";
    let found = evaluate(wgsl, Case { workgroups: [2, 1, 1], bytes: &[4000], ..Default::default() });
    assert!(found.sliceable().is_err_and(|reason| reason.to_string().contains("`x`")));
}

#[test]
fn overhanging_rows_overlap() {
    let wgsl = "
        @group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            x[id.y * 20u + id.x] = 1.0;
        }";
    let found = evaluate(wgsl, Case { workgroups: [3, 1, 1], bytes: &[4000], ..Default::default() });
    assert!(found.sliceable().is_err(), "x = 20 of one row is x = 0 of the next");
    let over = Some([20, 8, 1]);
    let found = evaluate(wgsl, Case { workgroups: [3, 1, 1], over, bytes: &[4000], ..Default::default() });
    assert_eq!(found.sliceable(), Ok(()));
    assert_eq!(ranges(&found.bindings[0].must_write), [0..640]);
}
