//! Barriers at which nobody has to wait, and such at which they have to.

use warpweft_module::{Module, Source};
use warpweft_ssa::ir::{Function, Statement};
use warpweft_ssa::orders::{Order, Orders};
use warpweft_ssa::ranges::Ranges;
use warpweft_ssa::uniformity::{Ganging, Uniformity};

const DOWN: Option<Order> = Some(Order::Descending);
const UP: Option<Order> = Some(Order::Ascending);

/// The order of each barrier, in the order of the text.
fn orders(size: &str, body: &str) -> Vec<Option<Order>> {
    orders_with("", size, body)
}

/// The same with what has to stand first in the text.
fn orders_with(first: &str, size: &str, body: &str) -> Vec<Option<Order>> {
    let wgsl = format!(
        "{first} @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @group(0) @binding(2) var<uniform> n: u32;
        var<workgroup> part: array<u32, 256>;
        var<workgroup> other: array<u32, 256>;
        var<workgroup> pairs: array<vec2<u32>, 128>;
        var<workgroup> counts: array<atomic<u32>, 256>;
        @compute @workgroup_size({size}) fn main(
            @builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) block: vec3<u32>) {{ {body} }}"
    );
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
    let function = Function::new(&kernel).unwrap_or_else(|e| panic!("{e}"));
    let uniformity = Uniformity::new(&function, Ganging::Workgroup { lanes: 16 });
    let (_, orders) = Ranges::with_orders(&function, &uniformity);
    let mut found = vec![];
    barriers(&function.body, &orders, &mut found);
    found
}

fn barriers(list: &[Statement], orders: &Orders, found: &mut Vec<Option<Order>>) {
    for statement in list {
        match statement {
            Statement::Barrier { .. } => found.push(orders.of(statement)),
            Statement::If { then, otherwise, .. } => {
                barriers(then, orders, found);
                barriers(otherwise, orders, found);
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => barriers(body, orders, found),
            _ => {}
        }
    }
}

fn of_one(body: &str) -> Option<Order> {
    let found = orders("256", body);
    assert_eq!(found.len(), 1, "{body}");
    found[0]
}

#[test]
fn reading_one_side_before_writing_ones_own_is_a_matter_of_order() {
    for (read, order) in [
        ("part[lane]", UP),
        ("part[max(lane, 3u) - 3u]", None),
        ("select(0u, part[lane - 3u], lane >= 3u)", None),
        ("part[lane + 3u]", UP),
        ("part[lane + block.x % 7u]", UP),
        ("part[lane + n]", None),
        ("part[lane + x[0] % 7u]", UP),
        ("part[lane + x[lane] % 7u]", None),
        ("part[255u - lane]", None),
        ("part[lane / 2u]", None),
        ("part[2u * lane]", None),
        ("part[5]", None),
        ("other[lane / 2u]", UP),
        ("pairs[lane / 2u].x", UP),
    ] {
        let body = format!("let before = {read}; workgroupBarrier(); part[lane] += before;");
        assert_eq!(of_one(&body), order, "{read}");
    }
    for (guard, read, order) in [
        ("lane >= 3u", "lane - 3u", DOWN),
        ("lane >= 3u", "lane - 4u", None),
        ("lane >= n", "lane - n", DOWN),
        ("lane > n", "lane - n", DOWN),
        // Where that is in bounds, n is so large that it is above.
        ("lane < n", "lane - n", UP),
        ("lane + 9u < 256u", "lane + 9u", UP),
        ("lane >= x[lane]", "lane - x[lane]", None),
        // Whoever writes it meanwhile has a race with all of them.
        ("lane >= y[0]", "lane - y[0]", DOWN),
        ("lane >= y[lane]", "lane - y[lane]", None),
    ] {
        let body = format!(
            "var before = 0u; if {guard} {{ before = part[{read}]; }} workgroupBarrier(); part[lane] += before;"
        );
        assert_eq!(of_one(&body), order, "{guard}: {read}");
    }
}

#[test]
fn reading_what_others_wrote_is_too() {
    for (read, order) in [
        ("part[lane]", UP),
        ("part[lane + 1u]", DOWN),
        ("part[lane + 1u] + part[lane]", DOWN),
        ("part[(lane + 1u) % 256u]", None),
        ("other[255u - lane]", UP),
    ] {
        let body = format!("part[lane] = lane; workgroupBarrier(); y[lane] = {read};");
        assert_eq!(of_one(&body), order, "{read}");
    }
    let both_sides = "part[lane] = lane; workgroupBarrier();
        if lane > 0u { y[lane] = part[lane - 1u] + part[lane + 1u]; }";
    assert_eq!(of_one(both_sides), None);
    let one_side = "part[lane] = lane; workgroupBarrier(); if lane > 0u { y[lane] = part[lane - 1u]; }";
    assert_eq!(of_one(one_side), UP);
    let strides = "pairs[lane].x = lane; workgroupBarrier(); y[lane] = pairs[lane + 1u].x;";
    assert_eq!(of_one(strides), DOWN);
    // Another component of the same elements: where exactly the bytes are is not looked into.
    let components = "pairs[lane].x = lane; workgroupBarrier(); y[lane] = pairs[lane + 1u].y;";
    assert_eq!(of_one(components), None);
}

#[test]
fn rounds_of_a_scan_are_descending() {
    let body = "part[lane] = x[lane];
        workgroupBarrier();
        for (var step = 1u; step < 256u; step *= 2u) {
            var before = 0u;
            if lane >= step { before = part[lane - step]; }
            workgroupBarrier();
            part[lane] += before;
            workgroupBarrier();
        }
        y[lane] = part[lane];";
    // What lies behind the first is in a loop, and so is what lies before the last.
    assert_eq!(orders("256", body), [None, DOWN, None]);
    // A step that is not the same for everyone, and a workgroup of rows.
    assert_eq!(orders("256", &body.replace("1u; step", "1u + lane % 2u; step"))[1..2], [None]);
    assert_eq!(orders("16, 16", body)[1], None);
}

#[test]
fn whoever_may_meet_otherwise_waits() {
    for body in [
        "atomicAdd(&counts[lane], 1u); workgroupBarrier(); y[lane] = atomicLoad(&counts[lane]);",
        "y[lane] = lane; storageBarrier(); part[lane] = y[lane];",
        "part[lane] = y[lane]; storageBarrier(); y[lane] = 1u;",
        // Which round it is differs before the barrier and behind it.
        "for (var k = 0u; k < 9u; k++) { part[lane + k] = k; } workgroupBarrier(); y[lane] = part[lane];",
        "part[lane] = 1u; workgroupBarrier(); for (var k = 0u; k < 9u; k++) { y[lane] += part[lane + k]; }",
    ] {
        assert_eq!(of_one(body), None, "{body}");
    }
}

#[test]
fn what_stands_beyond_a_barrier_of_a_subgroup_is_looked_at() {
    let found = orders_with(
        "enable subgroups;",
        "256",
        "part[lane] = lane; subgroupBarrier(); workgroupBarrier(); subgroupBarrier(); y[lane] = part[255u - lane];",
    );
    assert_eq!(found, [None, None, None]);
}
