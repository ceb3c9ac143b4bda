//! What a kernel is made of: one entry point, nothing that it does not reach, an identity.

use warpweft_module::{Kernel, Module, ModuleError, Scalar, Source};

const WGSL: &str = "
const USED = 3.0; const NOT: f64 = 1.0; const NOR: f64 = NOT;
struct Unused { a: u32 }
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var picture: texture_2d<f32>;
var<private> state: f32 = USED;
override N = 4u;
fn helper(v: f32) -> f32 { return v * state; }
fn unused() -> f32 { return 2.0; }
@vertex fn corner() -> @builtin(position) vec4<f32> { return vec4<f32>(0.0); }
@compute @workgroup_size(N) fn second(@builtin(local_invocation_index) i: u32) { x[i] = helper(x[i]); }
@fragment fn shade() -> @location(0) vec4<f32> { return textureLoad(picture, vec2(0, 0), 0); }
@compute @workgroup_size(1) fn first() { x[0] = 1.0; }
";

fn module(wgsl: &str) -> Module {
    Module::new(&[Source::new("k.wgsl", wgsl)], &[]).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn entries_in_source_order_without_other_stages() {
    assert_eq!(module(WGSL).entries(), ["second", "first"]);
}

#[test]
fn entries_are_chosen_by_name() {
    let module = module(WGSL);
    let several = ModuleError::SeveralKernels { known: vec!["second".into(), "first".into()] };
    assert_eq!(several.to_string(), "the module has 2 kernels: name one of `second`, `first`");
    assert_eq!(module.kernel(None, &[]).unwrap_err(), several);
    assert_eq!(
        module.kernel(Some("frist"), &[]).unwrap_err().to_string(),
        "there is no kernel `frist` (did you mean `first`?); the module has `second`, `first`"
    );
    // An entry point of another stage is no kernel.
    assert!(matches!(module.kernel(Some("shade"), &[]), Err(ModuleError::UnknownKernel { .. })));
    assert_eq!(module.kernel(Some("first"), &[]).unwrap().interface().entry, "first");
}

#[test]
fn only_what_is_reached_is_left() {
    let kernel = module(WGSL).kernel(Some("second"), &[]).unwrap();
    let naga = kernel.naga().0;
    let names = |all: Vec<&Option<String>>| all.into_iter().flatten().cloned().collect::<Vec<_>>();
    assert_eq!(naga.entry_points.len(), 1);
    assert_eq!(naga.entry_points[0].name, "second");
    assert_eq!(naga.entry_points[0].workgroup_size, [4, 1, 1]);
    assert_eq!(names(naga.functions.iter().map(|(_, f)| &f.name).collect()), ["helper"]);
    assert_eq!(names(naga.global_variables.iter().map(|(_, v)| &v.name).collect()), ["x", "state"]);
    assert_eq!(names(naga.constants.iter().map(|(_, c)| &c.name).collect()), Vec::<String>::new());
    let wide = |inner: &naga::TypeInner| inner.scalar_width() == Some(8);
    assert!(!naga.types.iter().any(|(_, ty)| wide(&ty.inner)), "{}", kernel.dump());

    let small = module(WGSL).kernel(Some("first"), &[]).unwrap();
    assert!(small.naga().0.functions.is_empty());
    assert_eq!(small.naga().0.global_variables.len(), 1);
}

#[test]
fn result_types_of_builtin_functions_survive_where_used() {
    let wgsl = "@group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> a: array<atomic<u32>>;
        fn parts() -> f32 { return modf(x[0]).whole + f32(frexp(x[1]).exp); }
        @compute @workgroup_size(1) fn main() {
            let r = atomicCompareExchangeWeak(&a[0], 1u, 2u);
            if r.exchanged { x[0] = parts(); }
        }
        @compute @workgroup_size(1) fn plain() { x[0] = 1.0; }";
    let types =
        |entry| module(wgsl).kernel(Some(entry), &[]).unwrap().naga().0.special_types.predeclared_types.len();
    assert_eq!(types("main"), 3);
    assert_eq!(types("plain"), 0);
}

#[test]
fn the_dump_is_readable() {
    let dump = module(WGSL).kernel(Some("first"), &[]).unwrap().dump();
    assert!(dump.contains("Compute entry first of [1, 1, 1]"), "{dump}");
    assert!(dump.contains("x: "), "{dump}");
    assert!(dump.contains("Store"), "{dump}");
}

const PLAIN: &str = "@group(0) @binding(0) var<storage, read_write> x: array<f32>; override N = 1.0; @id(3) override K = 2;
    @compute @workgroup_size(1) fn main() { x[0] = N + f32(K); } @compute @workgroup_size(1) fn other() { x[0] = N; }";

fn hash(kernel: Result<Kernel, ModuleError>) -> String {
    kernel.unwrap_or_else(|e| panic!("{e}")).hash().to_string()
}

#[test]
fn the_hash_is_of_everything_that_matters() {
    let constant = |list: &[(&str, f64)]| list.iter().map(|(n, v)| (n.to_string(), *v)).collect::<Vec<_>>();
    let base = hash(module(PLAIN).kernel(Some("main"), &[]));
    assert_eq!(base.len(), 64);
    assert!(base.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(base, hash(module(PLAIN).kernel(Some("main"), &[])));
    let different = [
        hash(module(PLAIN).kernel(Some("other"), &[])),
        hash(module(&PLAIN.replace("2;", "3;")).kernel(Some("main"), &[])),
        hash(module(PLAIN).kernel(Some("main"), &constant(&[("N", 2.0)]))),
        hash(module(PLAIN).kernel(Some("main"), &constant(&[("K", 2.0)]))),
        hash(
            Module::new(&[Source::new("", PLAIN)], &[("real".into(), Scalar::F32)])
                .unwrap()
                .kernel(Some("main"), &[]),
        ),
        hash(
            Module::new(&[Source::new("", PLAIN)], &[("real".into(), Scalar::F64)])
                .unwrap()
                .kernel(Some("main"), &[]),
        ),
        base,
    ];
    let distinct = different.iter().collect::<std::collections::HashSet<_>>();
    assert_eq!(distinct.len(), different.len());
}

#[test]
fn the_hash_is_of_nothing_else() {
    let constants = |list: &[(&str, f64)]| list.iter().map(|(n, v)| (n.to_string(), *v)).collect::<Vec<_>>();
    let a = module(PLAIN).kernel(Some("main"), &constants(&[("N", 2.0), ("K", 5.0)]));
    let b = module(PLAIN).kernel(Some("main"), &constants(&[("3", 5.0), ("N", 2.0)]));
    assert_eq!(hash(a), hash(b));
    let aliases = |list: &[(&str, Scalar)]| list.iter().map(|(n, s)| (n.to_string(), *s)).collect::<Vec<_>>();
    let (ab, ba) = ([("a", Scalar::F32), ("b", Scalar::I32)], [("b", Scalar::I32), ("a", Scalar::F32)]);
    let with = |name: &str, list: &[(&str, Scalar)]| {
        hash(Module::new(&[Source::new(name, PLAIN)], &aliases(list)).unwrap().kernel(Some("main"), &[]))
    };
    assert_eq!(with("one.wgsl", &ab), with("another.wgsl", &ba));
}

#[test]
fn modules_and_kernels_travel_between_threads() {
    fn check<T: Send + Sync + Clone>(_: &T) {}
    let module = module(PLAIN);
    check(&module);
    check(&module.kernel(Some("main"), &[]).unwrap());
}
