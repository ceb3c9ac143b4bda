//! Bounds that are proven for every launch, and such that must not be.

use warpweft_module::{Module, Source};
use warpweft_ssa::ir::{Function, Index, Op, Root, Statement};
use warpweft_ssa::ranges::Ranges;

/// Whether each index of a place in this binding or variable is proven, in the order of the text.
fn proofs(body: &str, name: &str) -> Vec<bool> {
    let wgsl = format!(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> fixed: array<u32, 100>;
        @group(0) @binding(2) var<uniform> n: u32;
        var<workgroup> tile: array<array<u32, 16>, 16>;
        @compute @workgroup_size(16, 16) fn main(
            @builtin(local_invocation_id) l: vec3<u32>, @builtin(global_invocation_id) g: vec3<u32>) {{ {body} }}"
    );
    let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
    let function = Function::new(&kernel).unwrap_or_else(|e| panic!("{e}"));
    let ranges = Ranges::new(&function);
    let mut found = Vec::new();
    indices(&function, &function.body, name, &mut |index| found.push(ranges.proves(index)));
    found
}

fn indices(function: &Function, list: &[Statement], name: &str, put: &mut dyn FnMut(&Index)) {
    for statement in list {
        let place = match statement {
            Statement::Store { place, .. } => Some(place),
            Statement::Let(value) => match &function.definition(*value).op {
                Op::Load { place, .. } | Op::Atomic(_, place, _) => Some(place),
                _ => None,
            },
            Statement::If { then, otherwise, .. } => {
                indices(function, then, name, put);
                indices(function, otherwise, name, put);
                None
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                indices(function, body, name, put);
                None
            }
            _ => None,
        };
        let Some(place) = place else { continue };
        let known = match place.root {
            Root::Binding(binding) => &function.bindings[binding as usize].name,
            Root::Variable(variable) => &function.variables[variable as usize].name,
        };
        if known == name {
            place.indices.iter().for_each(&mut *put);
        }
    }
}

#[test]
fn what_is_in_bounds_is_proven() {
    for (body, name) in [
        ("tile[l.y][l.x] = 1u;", "tile"),
        ("for (var k = 0u; k < 16u; k++) { tile[k][l.x] = tile[l.y][15u - k]; }", "tile"),
        ("fixed[min(g.x, 99u)] = 1u;", "fixed"),
        ("fixed[clamp(i32(g.x), 0, 99)] = 1u;", "fixed"),
        ("fixed[g.x % 100u] = 1u;", "fixed"),
        ("fixed[g.x & 63u] = 1u;", "fixed"),
        ("fixed[n / 50000000u] = 1u;", "fixed"),
        ("if (g.x < 100u) { fixed[g.x] = 1u; }", "fixed"),
        ("if (g.x >= 10u && g.x < 110u) { fixed[g.x - 10u] = 1u; }", "fixed"),
        ("for (var k = 99; k >= 0; k--) { fixed[k] = 1u; }", "fixed"),
        ("if (g.x >= arrayLength(&x)) { return; } x[g.x] = 1u;", "x"),
        ("let i = g.x; let m = arrayLength(&x); if (i < m && i > 0u) { x[i] = x[i - 1u]; }", "x"),
        ("for (var i = g.x; i < arrayLength(&x); i++) { x[i] = 1u; }", "x"),
    ] {
        let found = proofs(body, name);
        assert!(!found.is_empty() && found.iter().all(|&proven| proven), "{body}: {found:?}");
    }
}

#[test]
fn what_may_be_out_of_bounds_is_not() {
    for (body, name) in [
        ("tile[g.y][17u - l.x] = 1u;", "tile"),
        ("fixed[min(g.x, 100u)] = 1u;", "fixed"),
        ("fixed[g.x] = 1u;", "fixed"),
        // Below zero is far beyond.
        ("if (g.x < 100u) { fixed[g.x - 1u] = 1u; }", "fixed"),
        ("if (g.x - 1u < n) { fixed[g.x] = 1u; }", "fixed"),
        ("if (g.x + 1u < 100u) { fixed[g.x] = 1u; }", "fixed"),
        ("if (i32(g.x) < 100) { fixed[g.x] = 1u; }", "fixed"),
        ("if (g.x <= arrayLength(&x)) { x[g.x] = 1u; }", "x"),
        ("if (g.x < arrayLength(&x)) { x[g.x + 1u] = 1u; }", "x"),
        ("for (var i = g.x; i < arrayLength(&x); i += n) { x[i + 1u] = 1u; }", "x"),
        ("if (x[0] < 100u) { x[1] = n; fixed[x[0]] = 1u; }", "fixed"),
        ("for (var k = 0u; k != n; k++) { fixed[k] = 1u; }", "fixed"),
        (
            "for (var k = 0u; k <= 4294967295u; k += 2u) { fixed[k] = 1u; if (x[0] == 1u) { break; } }",
            "fixed",
        ),
    ] {
        let found = proofs(body, name);
        assert!(found.iter().any(|&proven| !proven), "{body}: {found:?}");
    }
}
