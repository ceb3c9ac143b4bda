//! What it takes from WGSL to something that runs: naga's part, the rest of reading, and each path's code.
//!
//! Devices are asked directly, without the runtime: loading a kernel is compiling it.

use std::time::Instant;

use naga::valid::{Capabilities, ValidationFlags, Validator};
use warpweft_cpu::Cpu;
use warpweft_hal::{Device, Program};
use warpweft_module::{Kernel, Module, Source};

use crate::device::{self, Path};
use crate::findings::{Compilation, Times};

/// Measures one source: all its entry points together.
///
/// # Errors
/// When the source is not valid, or a device cannot be opened.
pub fn compilation(name: &str, source: &str, repeats: usize) -> Result<Compilation, String> {
    let naga = median(repeats, || {
        let module = naga::front::wgsl::parse_str(source).map_err(|error| error.to_string())?;
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
        validator.validate(&module).map_err(|error| error.to_string())
    })?;
    let read = || -> Result<Vec<Kernel>, String> {
        let module = Module::new(&[Source::new(name, source)], &[]).map_err(|error| error.to_string())?;
        let kernel = |entry: &&str| module.kernel(Some(entry), &[]).map_err(|error| error.to_string());
        module.entries().iter().map(kernel).collect()
    };
    let reading = median(repeats, read)? - naga;
    let kernels = read()?;
    let mut code = Vec::new();
    for path in Path::COMPILED {
        let Ok(cpu) = device::cpu(path) else { continue };
        code.push((path.name(), load(&cpu, &kernels, repeats)?));
    }
    Ok(Compilation { kernel: name.into(), lines: source.lines().count(), naga, reading, code })
}

/// Seconds of a device to make all kernels ready; `None` where one of them is interpreted.
fn load(cpu: &Cpu, kernels: &[Kernel], repeats: usize) -> Result<Option<f64>, String> {
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let mut sum = 0.0;
        for kernel in kernels {
            let program = Program { kernel: kernel.clone(), native: None };
            let loaded = cpu.load(&program).map_err(|error| error.to_string())?;
            cpu.unload(loaded.kernel);
            if loaded.path == warpweft_hal::Path::Interpreter {
                return Ok(None);
            }
            sum += loaded.seconds;
        }
        seconds.push(sum);
    }
    Ok(Times::new(seconds).map(|times| times.median))
}

/// The median time of something, and its first error.
fn median<T>(repeats: usize, mut run: impl FnMut() -> Result<T, String>) -> Result<f64, String> {
    let mut seconds = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        let result = run()?;
        seconds.push(start.elapsed().as_secs_f64());
        drop(result);
    }
    Times::new(seconds).map(|times| times.median).ok_or_else(|| "nothing was repeated".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_mistakes_are_told() {
        let source = warpweft_problems::Case::named("prefix_scan")
            .unwrap()
            .problem(warpweft_problems::Scale::Tiny, 1)
            .source;
        let found = compilation("prefix_scan", source, 3).unwrap();
        assert!(found.naga > 0.0 && found.lines > 50, "{found:?}");
        assert!(found.code.iter().all(|(_, seconds)| seconds.is_none_or(|s| s > 0.0)), "{found:?}");
        assert!(compilation("broken", "fn f( {", 3).is_err());
    }
}
