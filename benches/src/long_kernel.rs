//! A long kernel, to see what compiling costs where there is much to compile: chemical kinetics written out, as generators
//! of such code do it.

use std::fmt::Write;

/// Species of the mixture.
const SPECIES: usize = 24;
/// Lines of a reaction.
const LINES: usize = 10;

/// Valid WGSL of about that many lines, and at least a hundred: `c += dt * rates(c)` for mixtures at several temperatures.
pub fn long_kernel(lines: usize) -> String {
    let reactions = (lines.max(100) - 3 * SPECIES) / LINES;
    let mut text = String::from(
        "struct Params { dt: f32, cap: f32, steps: u32 }
@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<storage, read> temperature: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(64) fn kinetics(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= arrayLength(&temperature) { return; }
    let t = temperature[i];
",
    );
    for s in 0..SPECIES {
        line(&mut text, format_args!("    var c{s} = c[i * {SPECIES}u + {s}u];"));
    }
    line(&mut text, format_args!("    for (var step = 0u; step < params.steps; step++) {{"));
    for s in 0..SPECIES {
        line(&mut text, format_args!("        var r{s} = 0.0;"));
    }
    for n in 0..reactions {
        // Who reacts with whom to what: any pattern that uses all of them.
        let [a, b, p] = [n * 7 % SPECIES, (n * 11 + 5) % SPECIES, (n * 13 + 9) % SPECIES];
        let (energy, heat) = (0.5 + (n % 17) as f32 * 0.25, 1.0 + (n % 5) as f32);
        line(&mut text, format_args!("        // Reaction {n}: {a} + {b} <-> {p}"));
        line(&mut text, format_args!("        let k{n} = exp({heat:.2} - {energy:.2} / t);"));
        line(&mut text, format_args!("        var v{n} = k{n} * c{a} * c{b} - 0.1 * c{p};"));
        line(&mut text, format_args!("        if v{n} > params.cap {{"));
        line(&mut text, format_args!("            v{n} = params.cap + 0.5 * (v{n} - params.cap);"));
        line(&mut text, format_args!("        }}"));
        line(&mut text, format_args!("        let d{n} = min(v{n}, max(c{a}, c{b}));"));
        line(&mut text, format_args!("        r{a} -= d{n};"));
        line(&mut text, format_args!("        r{b} -= d{n};"));
        line(&mut text, format_args!("        r{p} += d{n};"));
    }
    for s in 0..SPECIES {
        line(&mut text, format_args!("        c{s} = max(c{s} + params.dt * r{s}, 0.0);"));
    }
    line(&mut text, format_args!("    }}"));
    for s in 0..SPECIES {
        line(&mut text, format_args!("    c[i * {SPECIES}u + {s}u] = c{s};"));
    }
    text + "}\n"
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;
    use warpweft_module::{Module, Source};

    #[test]
    fn it_is_valid_and_as_long_as_asked() {
        for lines in [100, 500, 2000] {
            let text = long_kernel(lines);
            assert!(text.lines().count().abs_diff(lines) < 50, "{} of {lines}", text.lines().count());
            let module =
                Module::new(&[Source::new("long.wgsl", text)], &[]).unwrap_or_else(|e| panic!("{e}"));
            module.kernel(None, &[]).unwrap_or_else(|e| panic!("{e}"));
        }
    }
}
