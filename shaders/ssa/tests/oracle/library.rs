//! The kernels that come with the project, on small inputs, byte by byte as the interpreter has it.

use crate::agree;
use warpweft_interpreter::Grid;
use warpweft_module::{Kernel, Module, Source};
use warpweft_shaders::{ALL, ShaderFile};

fn kernel(file: &ShaderFile) -> Kernel {
    let source = Source::new(format!("{}.wgsl", file.name), file.source);
    let module = Module::new(&[source], &[]).unwrap_or_else(|error| panic!("{error}"));
    module.kernel(None, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// Floats between -1 and 1 that look random.
fn floats(count: usize) -> Vec<u8> {
    (0..count as u32)
        .flat_map(|n| ((n.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).to_le_bytes())
        .collect()
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn library() {
    // An odd size, so that the last workgroup is not full.
    let (width, height) = (37u32, 21u32);
    let count = (width * height) as usize;
    let mut tested = 0;
    for file in ALL {
        let kernel = kernel(file);
        let size = match file.block {
            [_, 1, 1] => [count as u32, 1, 1],
            _ => [width, height, 1],
        };
        let memories: Vec<Vec<u8>> = (kernel.interface().bindings.iter())
            .map(|binding| match (file.name, binding.name.as_str()) {
                ("nbody", "pos" | "acc") => floats(4 * 50),
                ("mandelbrot", "params") => {
                    bytes(&[width, height, (-2f32).to_bits(), (-1f32).to_bits(), 0.1f32.to_bits(), 60])
                }
                ("perona_malik", "params") => bytes(&[width, height, 0.3f32.to_bits(), 0.2f32.to_bits()]),
                (_, "size") => bytes(&[width, height]),
                (_, "eps" | "a" | "s") if binding.min_size == 4 && binding.ty.runtime_array().is_none() => {
                    0.37f32.to_le_bytes().to_vec()
                }
                _ => floats(count),
            })
            .collect();
        let grid = Grid { workgroups: file.workgroups(size), over: None };
        agree(&kernel, grid, 32, &memories);
        tested += 1;
    }
    assert_eq!(tested, 8);
}
