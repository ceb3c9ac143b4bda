//! Overrides: found by name or `@id`, checked against their types, fixed in the code, the memory and the workgroup size.

use warpweft_module::{Kernel, Module, ModuleError, Scalar, Source};

const WGSL: &str = "
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
override TILE: u32;
@id(7) override FACTOR: f32 = 2.5;
override fast = true;
override OFFSET: i32 = -3;
override TWICE = TILE * 2u;
override UNUSED_WITHOUT_DEFAULT: f32;
var<workgroup> tile: array<f32, TWICE>;
var<workgroup> plain: array<f32, 16>;
@compute @workgroup_size(TILE, 1, 2)
fn main(@builtin(local_invocation_index) i: u32) {
    tile[i] = FACTOR; plain[i] = f32(OFFSET);
    workgroupBarrier();
    if fast { x[i] = tile[i + 1]; }
}
@compute @workgroup_size(8) fn other() { x[0] = FACTOR; }
@compute @workgroup_size(1) fn free() { x[0] = 1.0; }
@compute @workgroup_size(1) fn needy() { x[0] = UNUSED_WITHOUT_DEFAULT; }
";

fn module() -> Module {
    Module::new(&[Source::new("k.wgsl", WGSL)], &[]).unwrap_or_else(|e| panic!("{e}"))
}

fn kernel(entry: &str, constants: &[(&str, f64)]) -> Result<Kernel, ModuleError> {
    let constants = constants.iter().map(|(name, value)| (name.to_string(), *value)).collect::<Vec<_>>();
    module().kernel(Some(entry), &constants)
}

#[track_caller]
fn check_error(entry: &str, constants: &[(&str, f64)], expected: &str) {
    let message = kernel(entry, constants).expect_err("an error").to_string();
    assert_eq!(message, expected);
}

#[test]
fn declared_overrides_in_source_order() {
    let module = module();
    let found = module
        .overrides()
        .iter()
        .map(|o| (o.name.as_str(), o.id, o.scalar, o.has_default))
        .collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            ("TILE", None, Scalar::U32, false),
            ("FACTOR", Some(7), Scalar::F32, true),
            ("fast", None, Scalar::Bool, true),
            ("OFFSET", None, Scalar::I32, true),
            ("TWICE", None, Scalar::U32, true),
            ("UNUSED_WITHOUT_DEFAULT", None, Scalar::F32, false),
        ]
    );
}

#[test]
fn values_reach_workgroup_size_and_memory() {
    let kernel = kernel("main", &[("TILE", 8.0)]).unwrap();
    assert_eq!(kernel.interface().workgroup_size, [8, 1, 2]);
    assert_eq!(kernel.interface().workgroup_memory, 16 * 4 + 16 * 4);
    let naga = kernel.naga().0;
    assert!(naga.overrides.is_empty());
    let lengths = naga.global_variables.iter().filter_map(|(_, v)| match naga.types[v.ty].inner {
        naga::TypeInner::Array { size: naga::ArraySize::Constant(n), .. } => Some(n.get()),
        _ => None,
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [16, 16]);
    assert!(!kernel.dump().contains("Override"), "{}", kernel.dump());
}

#[test]
fn a_value_replaces_a_derived_default() {
    let kernel = kernel("main", &[("TILE", 8.0), ("TWICE", 32.0)]).unwrap();
    assert_eq!(kernel.interface().workgroup_memory, 32 * 4 + 16 * 4);
}

#[test]
fn by_name_or_id() {
    let by_name = kernel("other", &[("FACTOR", 4.0)]).unwrap();
    let by_id = kernel("other", &[("7", 4.0)]).unwrap();
    assert_eq!(by_name.hash(), by_id.hash());
    assert!(by_id.dump().contains("F32(4.0)"), "{}", by_id.dump());
}

#[test]
fn values_for_what_another_kernel_uses_do_no_harm() {
    kernel("free", &[("TILE", 8.0), ("fast", 0.0)]).unwrap();
}

#[test]
fn unknown_names() {
    let known = "the module has `TILE`, `FACTOR`, `fast`, `OFFSET`, `TWICE`, `UNUSED_WITHOUT_DEFAULT`";
    check_error(
        "free",
        &[("TLIE", 1.0)],
        &format!("there is no override `TLIE` (did you mean `TILE`?); {known}"),
    );
    check_error(
        "free",
        &[("tile", 1.0)],
        &format!("there is no override `tile` (did you mean `TILE`?); {known}"),
    );
    check_error("free", &[("quux", 1.0)], &format!("there is no override `quux`; {known}"));
    check_error("free", &[("8", 1.0)], &format!("there is no override `8`; {known}"));
    let module =
        Module::new(&[Source::new("k.wgsl", "@compute @workgroup_size(1) fn main() { }")], &[]).unwrap();
    let error = module.kernel(None, &[("N".into(), 1.0)]).unwrap_err();
    assert_eq!(error.to_string(), "there is no override `N`; the module declares none");
}

#[test]
fn values_that_do_not_fit() {
    check_error(
        "main",
        &[("TILE", 3.5)],
        "the override `TILE: u32` cannot be 3.5: it must be a whole number",
    );
    check_error(
        "main",
        &[("TILE", -1.0)],
        "the override `TILE: u32` cannot be -1: it must lie between 0 and 4294967295",
    );
    check_error(
        "main",
        &[("TILE", 4294967296.0)],
        "the override `TILE: u32` cannot be 4294967296: it must lie between 0 and 4294967295",
    );
    check_error("main", &[("TILE", f64::NAN)], "the override `TILE: u32` cannot be NaN: it must be finite");
    check_error(
        "main",
        &[("FACTOR", f64::INFINITY)],
        "the override `FACTOR: f32` cannot be inf: it must be finite",
    );
    check_error(
        "main",
        &[("fast", 2.0)],
        "the override `fast: bool` cannot be 2: it must lie between 0 and 1",
    );
    assert!(matches!(kernel("main", &[("FACTOR", 1e39)]), Err(ModuleError::ConstantValue { .. })));
    assert!(matches!(kernel("main", &[("OFFSET", -2147483649.0)]), Err(ModuleError::ConstantValue { .. })));
    kernel("main", &[("TILE", 1.0), ("OFFSET", -2147483648.0)]).unwrap();
}

#[test]
fn two_values_for_one_override() {
    check_error(
        "main",
        &[("FACTOR", 1.0), ("7", 2.0)],
        "the override `FACTOR` is given two values, 1 and 2: give one",
    );
}

#[test]
fn missing_values() {
    check_error(
        "main",
        &[],
        "k.wgsl:3:1: kernel `main` needs a value for the override `TILE: u32`, which has no default: give it one as a constant",
    );
    check_error(
        "needy",
        &[("TILE", 1.0)],
        "k.wgsl:8:1: kernel `needy` needs a value for the override `UNUSED_WITHOUT_DEFAULT: f32`, which has no default: give it one as a constant",
    );
}

#[test]
fn values_with_which_the_kernel_cannot_be() {
    check_error(
        "main",
        &[("TILE", 0.0)],
        "k.wgsl:12:4: kernel `main` cannot be specialised with TILE = 0: a workgroup size is not positive: give the override that it comes from another value",
    );
    check_error(
        "main",
        &[("TILE", 1.0), ("TWICE", 0.0)],
        "k.wgsl:12:4: kernel `main` cannot be specialised with TILE = 1, TWICE = 0: Override-sized array type does not have a positive size: give the overrides other values",
    );
    check_error(
        "main",
        &[("TILE", 4294967295.0)],
        "k.wgsl:12:4: kernel `main` cannot be specialised with TILE = 4294967295: Error laying out type: Size exceeds limit of 2147483647 bytes: give the overrides other values",
    );
    check_error(
        "main",
        &[("TILE", 100000.0)],
        "k.wgsl:12:4: kernel `main` cannot be specialised with TILE = 100000: Workgroup size is out of range: give the overrides other values",
    );
    let division = "override N: u32 = 0; override M = 5u / N;\n@group(0) @binding(0) var<storage, read_write> x: array<u32>;\n@compute @workgroup_size(1) fn main() { x[0] = M; }";
    let module = Module::new(&[Source::new("k.wgsl", division)], &[]).unwrap();
    let error = module.kernel(None, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "k.wgsl:3:32: kernel `main` cannot be specialised with its defaults: Division by zero: give the overrides values for which their expressions exist"
    );
}

#[test]
fn the_same_array_type_by_override_and_by_constant() {
    // Once fixed, both arrays have 16 elements; they must stay two types, and the kernel valid.
    let kernel = kernel("main", &[("TILE", 8.0)]).unwrap();
    let (naga, info) = kernel.naga();
    assert_eq!(naga.entry_points.len(), 1);
    assert!(info.get_entry_point(0).expression_count() > 0);
}
