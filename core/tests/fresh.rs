//! What a launch overwrites without looking at it is not moved to where it runs; and barriers that cannot work are refused.

mod common;

use common::{Machine, machine};
use warpweft::{Error, Placement};

const DOUBLE: &str = "
struct Size { n: u32 }
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> size: Size;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= size.n) { return; }
    y[id.x] = 2u * x[id.x];
}";

/// Doubles `n` of 256 words on the device behind the link; gives the bytes that went there and what is there afterwards.
fn doubled(wgsl: &str, n: u32) -> (Machine, u64, Vec<u32>) {
    let machine = machine(1, |_| {});
    let x = machine.rt.buffer((0..256u32).collect::<Vec<_>>()).unwrap();
    let y = machine.rt.buffer(vec![7u32; 256]).unwrap();
    let kernel = machine.rt.kernel(wgsl).unwrap();
    kernel.launch().bind("x", &x).bind("y", &y).set("size.n", n).on(Placement::Gpu).run().unwrap();
    let moved = machine.rt.stats().uploaded_bytes();
    let found = y.read().unwrap().to_vec();
    let expected: Vec<u32> = (0..256).map(|i| if i < n { 2 * i } else { 7 }).collect();
    assert_eq!(found, expected);
    (machine, moved, found)
}

#[test]
fn what_is_surely_overwritten_is_not_uploaded() {
    let (machine, moved, _) = doubled(DOUBLE, 256);
    assert_eq!(moved, 1024, "only x");
    assert!(machine.far[0].reads_of_undefined().is_empty());
}

#[test]
fn what_a_guard_keeps_is_uploaded() {
    let (machine, moved, _) = doubled(DOUBLE, 100);
    assert_eq!(moved, 1024 + 156 * 4, "x, and what stays of y");
    assert!(machine.far[0].reads_of_undefined().is_empty());
}

#[test]
fn what_may_be_read_or_may_be_left_is_uploaded() {
    for (change, to) in [
        ("= 2u * x[id.x]", "+= 2u * x[id.x] - 7u"),
        ("return; }", "return; } if (x[id.x] == 9u) { return; }"),
    ] {
        let machine = machine(1, |_| {});
        let x = machine.rt.buffer((0..256u32).collect::<Vec<_>>()).unwrap();
        let y = machine.rt.buffer(vec![7u32; 256]).unwrap();
        let kernel = machine.rt.kernel(&DOUBLE.replace(change, to)).unwrap();
        kernel.launch().bind("x", &x).bind("y", &y).set("size.n", 256u32).on(Placement::Gpu).run().unwrap();
        assert_eq!(machine.rt.stats().uploaded_bytes(), 2048, "{to}");
        assert_eq!(y.read().unwrap()[200], 400);
        assert!(machine.far[0].reads_of_undefined().is_empty());
    }
}

#[test]
fn a_buffer_that_a_device_holds_alone_is_not_downloaded_to_be_overwritten() {
    let machine = machine(1, |_| {});
    let x = machine.rt.buffer((0..256u32).collect::<Vec<_>>()).unwrap();
    let y = machine.rt.buffer(vec![7u32; 256]).unwrap();
    let kernel = machine.rt.kernel(DOUBLE).unwrap();
    let launch = kernel.launch().bind("x", &x).bind("y", &y).set("size.n", 256u32);
    launch.on(Placement::Gpu).run().unwrap();
    let launch = kernel.launch().bind("x", &x).bind("y", &y).set("size.n", 256u32);
    launch.on(Placement::Cpu).run().unwrap();
    assert_eq!(machine.rt.stats().downloaded_bytes(), 0);
    assert_eq!(y.read().unwrap()[255], 510);
}

#[test]
fn a_barrier_that_not_everybody_reaches_is_refused_with_its_line() {
    let machine = machine(0, |_| {});
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
            if (i < 32u) {
                workgroupBarrier();
            }
            x[i] = i;
        }";
    let error = machine.rt.kernel(wgsl).map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Barrier { .. }));
    let text = error.to_string();
    assert!(text.contains(":4:") && text.contains("local_invocation_index"), "{text}");
    // What hangs on data is left to the run.
    let data = wgsl.replace("i < 32u", "x[0] < 32u");
    assert!(machine.rt.kernel(&data).is_ok());
}
