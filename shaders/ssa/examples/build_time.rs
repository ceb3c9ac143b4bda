//! How long building takes, beyond naga: microseconds per kernel, the least of many runs.
//! `cargo run --release -p warpweft-ssa --example build_time -- FILE.wgsl…` (without files: the library's kernels).

use std::hint::black_box;
use std::time::Instant;
use warpweft_module::{Module, Source};
use warpweft_ssa::ir::Function;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sources: Vec<Source> = Vec::new();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path)?;
        sources.push(Source::new(path, text));
    }
    if sources.is_empty() {
        sources = warpweft_shaders::ALL.iter().map(|file| Source::new(file.name, file.source)).collect();
        sources.push(Source::new("2000 lines", long()));
    }
    for source in sources {
        let name = source.name.clone();
        let module = Module::new(&[source], &[])?;
        for entry in module.entries() {
            let kernel = module.kernel(Some(entry), &[])?;
            let mut least = f64::INFINITY;
            for _ in 0..50 {
                let start = Instant::now();
                black_box(Function::new(black_box(&kernel))?);
                least = least.min(start.elapsed().as_secs_f64());
            }
            let function = Function::new(&kernel)?;
            println!("{:8.1} µs {:6} values  {name} {entry}", least * 1e6, function.values.len());
        }
    }
    Ok(())
}

/// A kernel of two thousand lines, with branches, loops and calls.
fn long() -> String {
    let mut text = "@group(0) @binding(0) var<storage, read_write> x: array<f32>;
        fn f(a: f32, n: u32) -> f32 { if a > 3 { return a * 2; } return x[n] + a; }
        @compute @workgroup_size(64) fn long(@builtin(global_invocation_id) id: vec3<u32>) {
            var a = x[id.x]; var v = vec3f(a, 1, 2);\n"
        .to_string();
    for n in 0..200 {
        text += &format!(
            "if a > {n} {{
                v = v * a + vec3f(f32(id.x), {n}, a);
                a += dot(v, v);
             }} else {{
                a = f(a, {n});
             }}
             for (var k = 0u; k < {n}u; k++) {{
                a = a * 0.5 + x[k + id.x];
             }}
             v.y += a;\n"
        );
    }
    text + "x[id.x] = a + v.x + v.y; }"
}
