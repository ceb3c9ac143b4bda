//! What the user reads when WGSL is wrong: whole messages, as tables of input and expectation.

use warpweft_module::{Module, Scalar, Source};

/// The error that `wgsl` ends in, be it while reading or while making each of its kernels.
#[track_caller]
fn check(wgsl: &str, expected: &str) {
    let module = Module::new(&[Source::new("k.wgsl", wgsl)], &[]);
    let failed = match module {
        Err(error) => Some(error),
        Ok(module) if module.entries().is_empty() => module.kernel(None, &[]).err(),
        Ok(module) => module.entries().iter().find_map(|entry| module.kernel(Some(entry), &[]).err()),
    };
    let message = failed.expect("an error").to_string();
    assert_eq!(message.trim(), expected.trim(), "\n--- got ---\n{message}\n");
}

#[test]
fn unknown_name() {
    check(
        "@compute @workgroup_size(1)\nfn main() {\n    let a = 1 + nothing;\n}",
        r#"
no definition in scope for identifier: `nothing`
  ┌─ k.wgsl:3:17
  │
3 │     let a = 1 + nothing;
  │                 ^^^^^^^ unknown identifier
"#,
    );
}

#[test]
fn wrong_type() {
    check(
        "@compute @workgroup_size(1)\nfn main() {\n    var a: i32;\n    a += 1.5;\n}",
        r#"
automatic conversions cannot convert elements of `{AbstractFloat}` to `i32`
  ┌─ k.wgsl:4:5
  │
4 │     a += 1.5;
  │     ^    --- this expression has type {AbstractFloat}
  │     │
  │     a value with elements of type i32 is required here
"#,
    );
}

#[test]
fn decrement_token() {
    check(
        "@compute @workgroup_size(1) fn main() { let a = 3; let b = a--a; }",
        r#"
expected `;`, found "--"
  ┌─ k.wgsl:1:61
  │
1 │ @compute @workgroup_size(1) fn main() { let a = 3; let b = a--a; }
  │                                                             ^^ expected `;`
  │
  = WGSL reserves `--`: write `a - -b` or `-(-a)` with a space or brackets, and `i -= 1` to count down
"#,
    );
}

#[test]
fn preprocessor() {
    check(
        "#include \"math.wgsl\"\n",
        r##"
expected global item (`struct`, `const`, `var`, `alias`, `fn`, `diagnostic`, `enable`, `requires`, `;`) or the end of the file, found "#"
  ┌─ k.wgsl:1:1
  │
1 │ #include "math.wgsl"
  │ ^ expected global item (`struct`, `const`, `var`, `alias`, `fn`, `diagnostic`, `enable`, `requires`, `;`) or the end of the file
  │
  = WGSL has no preprocessor: give several files as one module, and use `const` or `override` for values
"##,
    );
}

#[test]
fn pointer_parameters() {
    check(
        "var<workgroup> w: array<f32, 4>;\nfn f(p: ptr<workgroup, f32>) { *p = 1.0; }\n@compute @workgroup_size(1) fn main() { f(&w[1]); }",
        r#"
function `f`: Argument 'p' at index 0 is a pointer of space WorkGroup, which can't be passed into functions
  ┌─ k.wgsl:2:1
  │
2 │ fn f(p: ptr<workgroup, f32>) { *p = 1.0; }
  │ ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this function
  │
  = only pointers to function and private variables can be parameters here: name the variable itself in the function and pass an index, or pass a value and return the new one
"#,
    );
    check(
        "requires unrestricted_pointer_parameters;\n@compute @workgroup_size(1) fn main() { }",
        r#"
the `unrestricted_pointer_parameters` language extension is not yet supported
  ┌─ k.wgsl:1:10
  │
1 │ requires unrestricted_pointer_parameters;
  │          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  │
  = only pointers to function and private variables can be parameters here: name the variable itself in the function and pass an index, or pass a value and return the new one
"#,
    );
}

#[test]
fn f16_bitcasts() {
    let kernel = |body: &str| {
        format!(
            "enable f16;\n@group(0) @binding(0) var<storage, read_write> u: array<u32>;\n@group(0) @binding(1) var<storage> h: array<vec2<f16>>;\n@compute @workgroup_size(1) fn main() {{\n    {body}\n}}"
        )
    };
    check(
        &kernel("u[0] = bitcast<u32>(h[0]);"),
        r#"
automatic conversions cannot convert elements of `vec2<u16>` to `u32`
  ┌─ k.wgsl:5:5
  │
5 │     u[0] = bitcast<u32>(h[0]);
  │     ^^^^   ------------ this expression has type vec2<u16>
  │     │
  │     a value with elements of type u32 is required here
  │
  = naga has no bitcast to or from f16: use `unpack2x16float(u)` and `pack2x16float(v)`, which convert between u32 and vec2<f32>
"#,
    );
    check(
        &kernel("let v = bitcast<vec2<f16>>(u[0]); u[1] = u32(length(v));"),
        r#"
a bitcast to 16-bit floats is not supported
  ┌─ k.wgsl:5:13
  │
5 │     let v = bitcast<vec2<f16>>(u[0]); u[1] = u32(length(v));
  │             ^^^^^^^^^^^^^^^^^^ this one
  │
  = naga has no bitcast to or from f16: use `unpack2x16float(u)` and `pack2x16float(v)`, which convert between u32 and vec2<f32>
"#,
    );
    check(
        &kernel("let v = bitcast<u32>(h[0]); if any(v > 3) { u[0] = 1; }"),
        r#"
kernel `main`: Operation Greater can't work with (of type vec2<u16>) and (of type u16)
  ┌─ k.wgsl:5:40
  │
5 │     let v = bitcast<u32>(h[0]); if any(v > 3) { u[0] = 1; }
  │                                        ^^^^^ this expression
  │
  = naga has no bitcast to or from f16: use `unpack2x16float(u)` and `pack2x16float(v)`, which convert between u32 and vec2<f32>
"#,
    );
    let frexp = "`frexp` of 16-bit floats is not supported
  ┌─ k.wgsl:5:20
  │
5 │     u[0] = u32(any(frexp(h[0]).fract > h[1]));
  │                    ^^^^^ this one
  │
  = naga has no `frexp` of f16: convert first, as in `frexp(f32(x))`";
    check(&kernel("u[0] = u32(any(frexp(h[0]).fract > h[1]));"), frexp);
}

#[test]
fn directives() {
    check(
        "enable f64;\n@compute @workgroup_size(1) fn main() { }",
        r#"
unknown enable-extension `f64`
  ┌─ k.wgsl:1:8
  │
1 │ enable f64;
  │        ^^^
  │
  = leave the line out: f64 needs no directive
"#,
    );
    check(
        "enable warp_drive;\n@compute @workgroup_size(1) fn main() { }",
        r#"
unknown enable-extension `warp_drive`
  ┌─ k.wgsl:1:8
  │
1 │ enable warp_drive;
  │        ^^^^^^^^^^
  │
  = kernels may enable `f16`, `subgroups` and `wgpu_int16`; f64, i64 and atomics need no directive
"#,
    );
    check(
        "requires subgroup_id;\n@compute @workgroup_size(1) fn main() { }",
        r#"
unknown language extension `subgroup_id`
  ┌─ k.wgsl:1:10
  │
1 │ requires subgroup_id;
  │          ^^^^^^^^^^^
  │
  = leave the line out: what is supported works without it
"#,
    );
    check(
        "@compute @workgroup_size(1) fn main() { let a = 1h; }",
        r#"
the `f16` enable extension is not enabled
  ┌─ k.wgsl:1:49
  │
1 │ @compute @workgroup_size(1) fn main() { let a = 1h; }
  │                                                 ^^ the `f16` "Enable Extension" is needed for this functionality, but it is not currently enabled.
  │
  = You can enable this extension by adding `enable f16;` at the top of the shader, before any other items.
"#,
    );
}

#[test]
fn address_spaces() {
    check(
        "var<push_constant> n: u32;\n@compute @workgroup_size(1) fn main() { let a = n; }",
        r#"
unknown address space: `push_constant`
  ┌─ k.wgsl:1:5
  │
1 │ var<push_constant> n: u32;
  │     ^^^^^^^^^^^^^ unknown address space
  │
  = a kernel's variables are `var<storage>`, `var<uniform>`, `var<workgroup>` and `var<private>`
"#,
    );
    check(
        "var<immediate> n: u32;\n@compute @workgroup_size(1) fn main() { let a = n; }",
        r#"
kernel `main` uses `n`, an immediate, which is not supported
  ┌─ k.wgsl:1:1
  │
1 │ var<immediate> n: u32;
  │ ^^^^^^^^^^^^^^^^^^^^^^ declared here
  │
  = pass the value in a `var<uniform>`
"#,
    );
}

#[test]
fn textures_and_the_like() {
    check(
        "@group(0) @binding(0) var t: texture_2d<f32>;\n@compute @workgroup_size(1) fn main() { let a = textureLoad(t, vec2(0, 0), 0); }",
        r#"
kernel `main` uses `t`, a texture, which is not supported
  ┌─ k.wgsl:1:23
  │
1 │ @group(0) @binding(0) var t: texture_2d<f32>;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^ declared here
  │
  = Warpweft's kernels work on buffers: use `var<storage>` with `array<…>` and compute the index
"#,
    );
    check(
        "@group(0) @binding(0) var t: texture_2d<f32>; @group(0) @binding(1) var s: sampler;\n@compute @workgroup_size(1) fn main() { let a = textureSampleLevel(t, s, vec2(0.5, 0.5), 0.0); }",
        r#"
kernel `main` uses `t`, a texture, which is not supported
  ┌─ k.wgsl:1:23
  │
1 │ @group(0) @binding(0) var t: texture_2d<f32>; @group(0) @binding(1) var s: sampler;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^ declared here
  │
  = Warpweft's kernels work on buffers: use `var<storage>` with `array<…>` and compute the index
"#,
    );
    check(
        "enable wgpu_ray_query;\n@group(0) @binding(0) var world: acceleration_structure;\n@compute @workgroup_size(1) fn main() {\n    var q: ray_query;\n    rayQueryInitialize(&q, world, RayDesc(0u, 0xFFu, 0.1, 100.0, vec3<f32>(0.0), vec3<f32>(0.0, 1.0, 0.0)));\n}",
        r#"
kernel `main` uses `world`, an acceleration structure for ray tracing, which is not supported
  ┌─ k.wgsl:2:23
  │
2 │ @group(0) @binding(0) var world: acceleration_structure;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ declared here
  │
  = Warpweft's kernels work on buffers: use `var<storage>` with `array<…>` and compute the index
"#,
    );
}

#[test]
fn no_kernel() {
    check("", "there is no kernel in k.wgsl: a kernel is a function with `@compute @workgroup_size(…)`");
    check(
        "@fragment fn shade() -> @location(0) vec4<f32> { return vec4<f32>(0.0); }",
        "there is no kernel in k.wgsl: a kernel is a function with `@compute @workgroup_size(…)`; there are entry points of other stages: `shade`",
    );
    check(
        "@compute fn main() { }",
        r#"
workgroup size is missing on compute shader entry point
  ┌─ k.wgsl:1:2
  │
1 │ @compute fn main() { }
  │  ^^^^^^^ must be paired with a `@workgroup_size` attribute
"#,
    );
}

#[test]
fn workgroup_size() {
    check(
        "@compute @workgroup_size(0, 2)\nfn main() { }",
        r#"
kernel `main`: Workgroup size is out of range
  ┌─ k.wgsl:2:4
  │
2 │ fn main() { }
  │    ^^^^ declared here
"#,
    );
}

#[test]
fn out_of_range_constant_index() {
    check(
        "@compute @workgroup_size(1) fn main() {\n    var a = array<i32, 3>(1, 2, 3);\n    let b = a[5];\n}",
        r#"
kernel `main`: Accessing index 5 is out of bounds
  ┌─ k.wgsl:3:13
  │
3 │     let b = a[5];
  │             ^^^^ this expression
"#,
    );
}

#[test]
fn layout_of_bindings() {
    check(
        "@group(0) @binding(0) var<uniform> s: array<f32, 4>;\n@compute @workgroup_size(1) fn main() { let a = s[0]; }",
        r#"
variable `s`: Alignment requirements for address space Uniform are not met by: The array stride 4 is not a multiple of the required alignment 16
  ┌─ k.wgsl:1:23
  │
1 │ @group(0) @binding(0) var<uniform> s: array<f32, 4>;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this variable
  │
  = uniforms need array elements and nested structs at multiples of 16 bytes: use `vec4<…>` elements, or `var<storage>`
"#,
    );
    check(
        "@group(0) @binding(0) var<storage> s: array<bool, 4>;\n@compute @workgroup_size(1) fn main() { let a = s[0]; }",
        r#"
variable `s`: its type cannot be shared with the host
  ┌─ k.wgsl:1:23
  │
1 │ @group(0) @binding(0) var<storage> s: array<bool, 4>;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this variable
  │
  = a binding holds only what host and device share: no `bool` (use u32), no pointers
"#,
    );
}

#[test]
fn writing_what_is_not_writable() {
    check(
        "@group(0) @binding(0) var<storage> x: array<f32>;\n@compute @workgroup_size(1) fn main() { x[0] = 1.0; }",
        r#"
kernel `main`: The pointer doesn't relate to a valid destination for a store
  ┌─ k.wgsl:2:41
  │
2 │ @compute @workgroup_size(1) fn main() { x[0] = 1.0; }
  │                                         ^^^^ writing to this location is not permitted
  │
  = declare the variable `var<storage, read_write>` to write to it; uniforms and read-only storage cannot be written
"#,
    );
    check(
        "@group(0) @binding(0) var<storage, write> x: array<f32>;\n@compute @workgroup_size(1) fn main() { x[0] = 1.0; }",
        r#"
variable `x`: Storage address space doesn't support write-only access
  ┌─ k.wgsl:1:23
  │
1 │ @group(0) @binding(0) var<storage, write> x: array<f32>;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this variable
  │
  = declare it `var<storage, read_write>`
"#,
    );
    check(
        "@group(0) @binding(0) var<storage, read_write> x: array<atomic<u32>>;\n@compute @workgroup_size(1) fn main() { x[0] = 1; }",
        r#"
kernel `main`: Abstract types may only appear in constant expressions
  ┌─ k.wgsl:2:48
  │
2 │ @compute @workgroup_size(1) fn main() { x[0] = 1; }
  │                                                ^ this expression
  │
  = say the type, as in `f32(1)`; write an atomic with `atomicStore(&a, value)`; a function without a result type returns nothing
"#,
    );
}

#[test]
fn constants_of_64_bits() {
    check(
        "const A: f64 = 3.0;\nconst B: f64 = A / 2.0;\n@compute @workgroup_size(1) fn main() { let b = B; }",
        r#"
Cannot apply the binary op to the arguments
  ┌─ k.wgsl:2:16
  │
2 │ const B: f64 = A / 2.0;
  │                ^^^^^^^
  │
  = if the operands' types differ, convert one, as in `f32(x)`; if they are 64-bit, naga does not compute such a constant: write the value itself, or compute it inside a function from a `let` or a parameter
"#,
    );
}

#[test]
fn binding_clash() {
    check(
        "@group(0) @binding(3) var<storage> a: array<f32>;\n@group(0) @binding(3) var<storage, read_write> b: array<f32>;\n@compute @workgroup_size(1) fn main() { b[0] = a[0]; }",
        r#"
kernel `main` uses `a` and `b`, both at @group(0) @binding(3)
  ┌─ k.wgsl:2:23
  │
1 │ @group(0) @binding(3) var<storage> a: array<f32>;
  │                       --------------------------- `a` is declared here
2 │ @group(0) @binding(3) var<storage, read_write> b: array<f32>;
  │                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `b` is declared here
  │
  = give each binding of a kernel its own @binding number
"#,
    );
}

#[test]
fn recursion() {
    check(
        "fn f(n: i32) -> i32 { return f(n - 1); }\n@compute @workgroup_size(1) fn main() { let a = f(3); }",
        r#"
declaration of `f` is recursive
  ┌─ k.wgsl:1:4
  │
1 │ fn f(n: i32) -> i32 { return f(n - 1); }
  │    ^                         - uses itself here
"#,
    );
}

#[test]
fn unclosed() {
    check(
        "@compute @workgroup_size(1) fn main() {\n    let a = 1;\n",
        r#"
`{` is not closed before the end of the file
  ┌─ k.wgsl:1:39
  │
1 │ @compute @workgroup_size(1) fn main() {
  │                                       ^ opened here
  │
  = write the matching `}`
"#,
    );
    check(
        "@compute @workgroup_size(1) fn main() { /* to do /* and more */ }",
        r#"
a block comment is not closed
  ┌─ k.wgsl:1:41
  │
1 │ @compute @workgroup_size(1) fn main() { /* to do /* and more */ }
  │                                         ^^ opened here
  │
  = write `*/` where it ends; comments nest, so each `/*` inside needs its own `*/`
"#,
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let error = Module::new(&[Source::new("k\u{1b}[31m.wgsl", "let a = \u{1b}[2J\u{9b};")], &[]).unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\u{1b}') && !message.contains('\u{9b}'), "{message:?}");
    assert_eq!(error.location().unwrap().line, 1);
}

#[test]
fn nesting() {
    let main =
        |body: String| format!("@compute @workgroup_size(1) fn main() {{\n    var x = 1.0;\n{body}\n}}");
    let headline = |body: String| {
        let error = Module::new(&[Source::new("k.wgsl", main(body))], &[]).unwrap_err();
        assert_eq!(error.location().unwrap().line, 3);
        error.to_string().lines().next().unwrap().to_string()
    };
    assert_eq!(
        headline(format!("x = {}x{};", "(".repeat(500), ")".repeat(500))),
        "brackets nest deeper than 120 levels"
    );
    assert_eq!(
        headline(format!("x = x{};", " + x".repeat(5000))),
        "an expression nests more than 4000 operators"
    );
    assert_eq!(
        headline(format!("if x > 1.0 {{ }} {}", "else if x > 2.0 { }".repeat(300))),
        "a chain of `else if` is longer than 255"
    );
    assert_eq!(headline("x = 1.0;".repeat(110_000)), "a declaration has more than 400000 tokens");
}

#[test]
fn deep_but_accepted() {
    let main =
        |body: String| format!("@compute @workgroup_size(1) fn main() {{\n    var x = 1.0;\n{body}\n}}");
    for body in [
        format!("x = {}x{};", "(".repeat(118), ")".repeat(118)),
        format!("{}{}", "if x > 1.0 {".repeat(118), "}".repeat(118)),
        format!("x = x{};", " + x".repeat(3900)),
        format!("x = {}x;", "- ".repeat(3900)),
        format!("if x > 1.0 {{ }} {}", "else if x > 2.0 { }".repeat(250)),
    ] {
        let module = Module::new(&[Source::new("k.wgsl", main(body))], &[]).unwrap();
        let kernel = module.kernel(None, &[]).unwrap();
        assert!(kernel.dump().contains("main"));
    }
}

#[test]
fn literal_as_shuffle_distance() {
    check(
        "@compute @workgroup_size(32) fn main(@builtin(local_invocation_index) i: u32) {\n    let a = subgroupShuffleUp(i, 1);\n}",
        r#"
kernel `main`: Subgroup operation is invalid: Operand has invalid type
  ┌─ k.wgsl:2:34
  │
2 │     let a = subgroupShuffleUp(i, 1);
  │                                  ^ this expression
  │
  = the number of an invocation, or a distance, must be u32 and naga does not convert literals here: write `1u`, or `u32(i)`; the value itself must be a number or a vector
"#,
    );
}

#[test]
fn bitcast_to_f16_behind_aliases() {
    let expected = r#"
a bitcast to 16-bit floats is not supported
  ┌─ k.wgsl:4:5
  │
4 │     bitcast<pair>(u).x);
  │     ^^^^^^^^^^^^^ this one
  │
  = naga has no bitcast to or from f16: use `unpack2x16float(u)` and `pack2x16float(v)`, which convert between u32 and vec2<f32>
"#;
    let module = |types: &str, aliases: &[(String, Scalar)]| {
        let text = format!("{types}\nfn f(u: u32) -> f32 {{\n    return f32(\n    bitcast<pair>(u).x);\n}}");
        Module::new(&[Source::new("k.wgsl", text)], aliases).unwrap_err().to_string()
    };
    let own = module("enable f16; alias pair = vec2<half>; alias half = f16;", &[]);
    assert_eq!(own.trim(), expected.trim());
    let supplied = module("alias pair = vec2<real>;", &[("real".to_string(), Scalar::F16)]);
    assert_eq!(supplied.trim(), expected.trim());
}
