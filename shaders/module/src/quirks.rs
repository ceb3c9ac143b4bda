//! Where naga's WGSL differs from the specification's, or its message leaves one alone: what to write instead.
//!
//! Knows naga 30's messages word by word; the tests of this crate notice when they change.

use crate::half;

/// Advice for a message of naga's about `text`; `codes` is the WGSL that it points at.
pub(crate) fn advice(message: &str, codes: &[&str], text: &str) -> Option<&'static str> {
    half::advice(message, codes, text).or_else(|| {
        let known = ADVICE.iter().find(|(part, _)| message.contains(part));
        known.map(|(_, advice)| *advice)
    })
}

const POINTERS: &str = "only pointers to function and private variables can be parameters here: name the variable itself in the \
     function and pass an index, or pass a value and return the new one";
const CONSTANTS: &str = "if the operands' types differ, convert one, as in `f32(x)`; if they are 64-bit, naga does not compute such a \
     constant: write the value itself, or compute it inside a function from a `let` or a parameter";

/// A part of a message, and what to write instead.
const ADVICE: [(&str, &str); 22] = [
    ("Cannot apply the binary op", CONSTANTS),
    ("Cannot apply math function", CONSTANTS),
    ("Cannot cast scalar components", CONSTANTS),
    ("Not implemented as constant expression", CONSTANTS),
    (
        "found \"--\"",
        "WGSL reserves `--`: write `a - -b` or `-(-a)` with a space or brackets, and `i -= 1` to count down",
    ),
    ("found \"++\"", "WGSL reserves `++`: write `a + b`, and `i += 1` to count up"),
    (
        "found \"#\"",
        "WGSL has no preprocessor: give several files as one module, and use `const` or `override` for values",
    ),
    (
        "Subgroup operation is invalid: Operand has invalid type",
        "the number of an invocation, or a distance, must be u32 and naga does not convert literals here: write `1u`, or \
         `u32(i)`; the value itself must be a number or a vector",
    ),
    ("can't be passed into functions", POINTERS),
    ("`unrestricted_pointer_parameters` language extension", POINTERS),
    ("unknown enable-extension `f64`", "leave the line out: f64 needs no directive"),
    ("unknown enable-extension `i64`", "leave the line out: i64 and u64 need no directive"),
    ("unknown enable-extension `int64`", "leave the line out: i64 and u64 need no directive"),
    (
        "unknown enable-extension",
        "kernels may enable `f16`, `subgroups` and `wgpu_int16`; f64, i64 and atomics need no directive",
    ),
    ("unknown language extension", "leave the line out: what is supported works without it"),
    (
        "unknown address space",
        "a kernel's variables are `var<storage>`, `var<uniform>`, `var<workgroup>` and `var<private>`",
    ),
    (
        "internal WGSL front end error",
        "naga says this where code nests too deeply: use `let` declarations or functions",
    ),
    (
        "Alignment requirements for address space Uniform",
        "uniforms need array elements and nested structs at multiples of 16 bytes: use `vec4<…>` elements, or `var<storage>`",
    ),
    (
        "shared with the host",
        "a binding holds only what host and device share: no `bool` (use u32), no pointers",
    ),
    (
        "Abstract types may only appear",
        "say the type, as in `f32(1)`; write an atomic with `atomicStore(&a, value)`; a function without a result type returns nothing",
    ),
    (
        "valid destination for a store",
        "declare the variable `var<storage, read_write>` to write to it; uniforms and read-only storage cannot be written",
    ),
    ("doesn't support write-only access", "declare it `var<storage, read_write>`"),
];
