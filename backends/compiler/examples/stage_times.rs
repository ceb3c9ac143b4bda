//! How long each stage of compiling takes: microseconds per kernel, the least of many runs.
//! `cargo run --release -p warpweft-compiler --example stage_times -- [GENERATOR…] [FILE.wgsl…]`: all generators that work
//! here and the library's kernels, unless told otherwise.
//!
//! Says nothing of naga's part, and nothing of how good the code is.

use std::time::Duration;

use warpweft_compiler::{Compiled, Generator, Options, Times};
use warpweft_module::{Module, Source};

/// Runs of which the least counts.
const RUNS: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sources: Vec<Source> = Vec::new();
    let mut generators = Vec::new();
    for argument in std::env::args().skip(1) {
        match Generator::from_name(&argument) {
            Some(generator) => generators.push(generator),
            None => sources.push(Source::new(&argument, std::fs::read_to_string(&argument)?)),
        }
    }
    if generators.is_empty() {
        generators = Generator::available();
    }
    if sources.is_empty() {
        sources = warpweft_shaders::ALL.iter().map(|file| Source::new(file.name, file.source)).collect();
    }
    println!("     ssa   lower  passes  legal.    code     all");
    for source in sources {
        let name = source.name.clone();
        let module = Module::new(&[source], &[])?;
        for entry in module.entries() {
            let kernel = module.kernel(Some(entry), &[])?;
            for &generator in &generators {
                let options = Options { generator, strict: false, lanes: None, streaming: false };
                let mut least = Compiled::new(&kernel, &options)?.times();
                for _ in 1..RUNS {
                    least = smaller(least, Compiled::new(&kernel, &options)?.times());
                }
                let Times { ssa, lower, passes, legalise, generate } = least;
                for stage in [ssa, lower, passes, legalise, generate, least.total()] {
                    print!("{:8.1}", stage.as_secs_f64() * 1e6);
                }
                println!("  {generator} {name} {entry}");
            }
        }
    }
    Ok(())
}

/// The shorter time of each stage.
fn smaller(a: Times, b: Times) -> Times {
    let least = |stage: fn(&Times) -> Duration| stage(&a).min(stage(&b));
    Times {
        ssa: least(|times| times.ssa),
        lower: least(|times| times.lower),
        passes: least(|times| times.passes),
        legalise: least(|times| times.legalise),
        generate: least(|times| times.generate),
    }
}
