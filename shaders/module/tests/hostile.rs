//! Small WGSL that would take a lot: whatever grows without measure is refused, in words and at once.

use std::fmt::Write;
use std::time::{Duration, Instant};
use warpweft_module::{Module, ModuleError, Source};

const MAIN: &str = "@compute @workgroup_size(1) fn main()";

/// What a kernel of `wgsl` ends in, which must not take long (a debug build on a busy machine gets 10 s).
fn judge(wgsl: &str) -> Result<(), ModuleError> {
    let start = Instant::now();
    let result = Module::new(&[Source::new("k.wgsl", wgsl)], &[]).and_then(|m| m.kernel(None, &[]).map(drop));
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
    result
}

#[track_caller]
fn refused(wgsl: &str, expected: &str) {
    let message = judge(wgsl).expect_err("a refusal").to_string();
    assert!(message.contains(expected), "\n--- got ---\n{message}\n");
}

/// Structures of two structures of two structures…
fn doubling(levels: usize) -> String {
    let mut text = "struct A0 { a: u32 }\n".to_string();
    for i in 1..=levels {
        writeln!(text, "struct A{i} {{ a: A{0}, b: A{0} }}", i - 1).unwrap();
    }
    text
}

#[test]
fn structures_that_double() {
    let parts = "type `A13` has 24575 parts, members of members counted; 16384 are the most";
    for levels in [13, 26, 28] {
        let path = ".a".repeat(levels + 1);
        let types = doubling(levels);
        refused(
            &format!(
                "{types}@group(0) @binding(0) var<storage, read_write> x: A{levels};\n{MAIN} {{ x{path} = 1u; }}"
            ),
            parts,
        );
        refused(
            &format!("{types}var<private> x: A{levels};\n{MAIN} {{ x{path} = 1u; let y = A{levels}(); }}"),
            parts,
        );
    }
    let types = doubling(12);
    judge(&format!(
        "{types}@group(0) @binding(0) var<storage, read_write> x: A12;\n{MAIN} {{ x.a.a = x.b.b; }}"
    ))
    .unwrap();
}

#[test]
fn types_that_nest() {
    for levels in [300, 5000] {
        let mut text = "alias T0 = u32;\n".to_string();
        for i in 1..=levels {
            writeln!(text, "alias T{i} = array<T{}, 1>;", i - 1).unwrap();
        }
        let expected = "a type nests deeper than 127 levels";
        refused(
            &format!(
                "{text}@group(0) @binding(0) var<storage, read_write> x: T{levels};\n{MAIN} {{ let p = &x; }}"
            ),
            expected,
        );
        refused(&format!("{text}var<private> x: T{levels};\n{MAIN} {{ x = T{levels}(); }}"), expected);
    }
}

#[test]
fn declarations_that_each_need_the_next() {
    for chain in [
        |i, n| format!("const c{i} = c{n} + 1;"),
        |i, n| format!("alias c{i} = c{n};"),
        |i, n| format!("fn c{i}() {{ c{n}(); }}"),
        |i, n| format!("override c{i} = c{n};"),
    ] as [fn(usize, usize) -> String; 4]
    {
        let text = |levels| (0..levels).map(|i| chain(i, i + 1) + "\n").collect::<String>();
        // Nothing is declared at the end of the chain; on the way there the stack must last.
        refused(&format!("{}{MAIN} {{ }}", text(9_900)), "c9900");
        refused(&format!("{}{MAIN} {{ }}", text(100_000)), "more than 10000 declarations");
    }
}

#[test]
fn declarations_count_over_all_files() {
    let text = |name| (0..6_000).map(|i| format!("const {name}{i} = 1;\n")).collect::<String>();
    let sources = [Source::new("a.wgsl", text("a")), Source::new("b.wgsl", text("b"))];
    let message = Module::new(&sources, &[]).unwrap_err().to_string();
    assert!(message.contains("more than 10000 declarations"), "{message}");
    assert!(message.contains("b.wgsl:4001:1"), "{message}");
}
