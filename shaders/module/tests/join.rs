//! Several files and outside aliases make one module, and every position stays that of its own file.

use warpweft_module::{Module, ModuleError, Scalar, Source};

fn module(files: &[(&str, &str)], aliases: &[(&str, Scalar)]) -> Result<Module, ModuleError> {
    let sources = files.iter().map(|(name, text)| Source::new(*name, *text)).collect::<Vec<_>>();
    let aliases = aliases.iter().map(|(name, scalar)| (name.to_string(), *scalar)).collect::<Vec<_>>();
    Module::new(&sources, &aliases)
}

/// `file:line:column` of the error in `files`, and its message.
#[track_caller]
fn check_at(files: &[(&str, &str)], aliases: &[(&str, Scalar)], expected: &str) -> String {
    let error = module(files, aliases).expect_err("an error");
    let location = error.location().expect("a location").to_string();
    assert_eq!(location, expected, "\n{error}");
    error.to_string()
}

const MAIN: &str = "@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n@compute @workgroup_size(1) fn main() { x[0] = twice(x[1]); }\n";

#[test]
fn order_does_not_matter() {
    let twice = ("twice.wgsl", "fn twice(a: f32) -> f32 { return 2.0 * a; }");
    for files in [[("main.wgsl", MAIN), twice], [twice, ("main.wgsl", MAIN)]] {
        assert_eq!(module(&files, &[]).unwrap().entries(), ["main"]);
    }
}

#[test]
fn errors_are_found_in_their_files() {
    check_at(&[("main.wgsl", MAIN)], &[], "main.wgsl:2:48");
    let bad = "fn twice(a: f32) -> f32 {\n    return 2.0 * b;\n}";
    let message = check_at(&[("main.wgsl", MAIN), ("lib/twice.wgsl", bad)], &[], "lib/twice.wgsl:2:18");
    assert!(message.contains("2 │     return 2.0 * b;"), "{message}");
}

#[test]
fn errors_after_a_file_without_final_newline_or_with_crlf() {
    let files = [("a.wgsl", "// no line end"), ("b.wgsl", "// one\r\n\r\nconst B = C;\r\n")];
    check_at(&files, &[], "b.wgsl:3:11");
}

#[test]
fn columns_count_characters() {
    check_at(&[("a.wgsl", "/* größer ≥ */ const B = C;")], &[], "a.wgsl:1:26");
}

#[test]
fn two_files_share_an_error() {
    let message = check_at(&[("a.wgsl", "const A = 1;"), ("b.wgsl", "\nconst A = 2;")], &[], "b.wgsl:2:7");
    assert!(message.contains("a.wgsl:1:7"), "{message}");
}

#[test]
fn unclosed_parts_do_not_leak_into_the_next_file() {
    check_at(&[("a.wgsl", "fn f() {"), ("b.wgsl", "fn g() { }")], &[], "a.wgsl:1:8");
    check_at(&[("a.wgsl", "/* note"), ("b.wgsl", "fn g() { }")], &[], "a.wgsl:1:1");
}

#[test]
fn directives_are_hoisted_from_every_file() {
    let half = "// first\nenable f16;\nfn half_of(a: f16) -> f16 { return a / 2.0h; }";
    let main = "/* second */ enable f16, subgroups; diagnostic(off, derivative_uniformity);\n@group(0) @binding(0) var<storage, read_write> x: array<f16>;\n@compute @workgroup_size(32) fn main() { x[0] = half_of(subgroupAdd(x[1])); }";
    for files in [[("a.wgsl", half), ("b.wgsl", main)], [("b.wgsl", main), ("a.wgsl", half)]] {
        module(&files, &[]).unwrap().kernel(None, &[]).unwrap();
    }
    let broken = main.replace("half_of", "half");
    check_at(&[("a.wgsl", half), ("b.wgsl", &broken)], &[], "b.wgsl:3:49");
    check_at(&[("a.wgsl", half), ("b.wgsl", "enable f16,\n    nonsense;")], &[], "b.wgsl:2:5");
}

#[test]
fn a_directive_after_a_declaration_is_an_error() {
    check_at(&[("a.wgsl", "const A = 1;\nenable f16;")], &[], "a.wgsl:2:1");
}

#[test]
fn a_byte_order_mark_is_no_code() {
    let text = format!("\u{feff}enable subgroups;\n{}", MAIN.replace("twice", ""));
    assert_eq!(module(&[("a.wgsl", &text)], &[]).unwrap().entries(), ["main"]);
}

const GENERIC: &str = "@group(0) @binding(0) var<storage, read_write> x: array<real>;\n@compute @workgroup_size(1) fn main() { x[0] = real(2) * x[1]; }";

#[test]
fn aliases_make_kernels_generic() {
    for scalar in [Scalar::F32, Scalar::F64, Scalar::F16, Scalar::I16, Scalar::I32, Scalar::U64] {
        let kernel = module(&[("g.wgsl", GENERIC)], &[("real", scalar)]).unwrap().kernel(None, &[]).unwrap();
        assert_eq!(kernel.interface().bindings[0].ty.scalar(), Some(scalar));
    }
}

#[test]
fn an_alias_cannot_be_declared_twice() {
    let declared = format!("{GENERIC}\nalias real = f32;");
    let error = module(&[("g.wgsl", &declared)], &[("real", Scalar::F64)]).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("`real` is supplied from outside as an alias: remove its declaration"),
        "{message}"
    );
    assert!(message.contains("g.wgsl:3:7"), "{message}");
    assert!(message.contains("<alias real>:1:7"), "{message}");

    let twice = module(&[("g.wgsl", GENERIC)], &[("real", Scalar::F64), ("real", Scalar::F64)]).unwrap_err();
    assert_eq!(twice, ModuleError::DuplicateAlias { name: "real".into() });
}

#[test]
fn an_alias_needs_an_identifier() {
    for name in ["", "1st", "two words", "a;", "_", "__x", "a.b", "x/*"] {
        let error = module(&[("g.wgsl", GENERIC)], &[(name, Scalar::F64)]).unwrap_err();
        assert_eq!(error, ModuleError::AliasName { name: name.into() });
    }
    // A keyword is one to the scanner; naga says what is wrong with it, in the alias's own place.
    check_at(&[("g.wgsl", GENERIC)], &[("fn", Scalar::F64)], "<alias fn>:1:7");
}

#[test]
fn a_missing_alias_is_an_unknown_type() {
    let message = check_at(&[("g.wgsl", GENERIC)], &[], "g.wgsl:1:57");
    assert!(message.contains("`real`"), "{message}");
}

#[test]
fn too_much_text() {
    let error = module(&[("big.wgsl", &" ".repeat(5 << 20))], &[]).unwrap_err();
    assert_eq!(error, ModuleError::TooLarge { bytes: 5 << 20, limit: 4 << 20 });
}

#[test]
fn spans_of_a_kernel_lead_back_to_the_files() {
    let twice = "\n\nfn twice(a: f32) -> f32 { return 2.0 * a; }";
    let kernel =
        module(&[("main.wgsl", MAIN), ("twice.wgsl", twice)], &[]).unwrap().kernel(None, &[]).unwrap();
    let naga = kernel.naga().0;
    let (handle, _) = naga.functions.iter().next().unwrap();
    let place = kernel.locate(naga.functions.get_span(handle)).unwrap();
    assert_eq!(place.to_string(), "twice.wgsl:3:1");
    let body = &naga.entry_points[0].function.body;
    let places = body.span_iter().filter_map(|(_, span)| kernel.locate(*span)).collect::<Vec<_>>();
    assert!(!places.is_empty() && places.iter().all(|p| p.file == "main.wgsl" && p.line == 2), "{places:?}");
    assert_eq!(kernel.locate(naga::Span::UNDEFINED), None);
}

#[test]
fn bytes_of_a_line_have_one_place() {
    let main = "\u{feff}\nenable f16; const e = 1;\n\n".to_string() + MAIN;
    let twice = "\n\nfn twice(a: f32) -> f32 { return 2.0 * a; }";
    let kernel =
        module(&[("main.wgsl", &main), ("twice.wgsl", twice)], &[]).unwrap().kernel(None, &[]).unwrap();
    let naga = kernel.naga().0;
    let mut spans: Vec<naga::Span> =
        naga.global_variables.iter().map(|(handle, _)| naga.global_variables.get_span(handle)).collect();
    for function in
        naga.functions.iter().map(|(_, function)| function).chain([&naga.entry_points[0].function])
    {
        spans.extend(function.body.span_iter().map(|(_, span)| *span));
        spans.extend(function.expressions.iter().map(|(handle, _)| function.expressions.get_span(handle)));
    }
    let mut lines = std::collections::BTreeSet::new();
    for span in spans.into_iter().filter_map(naga::Span::to_range) {
        let (place, same) = kernel.line(span.start).unwrap();
        let located = |at: usize| kernel.locate(naga::Span::new(at as u32, at as u32 + 1)).unwrap();
        assert_eq!(place, located(span.start));
        assert!(same.contains(&span.start));
        for at in same {
            assert_eq!((located(at).file, located(at).line), (place.file.clone(), place.line), "{at}");
        }
        lines.insert((place.file, place.line));
    }
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(kernel.line(usize::MAX).map(|(place, _)| place.file), Some("twice.wgsl".into()));
}
