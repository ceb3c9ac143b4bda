//! The kernels of the library: compiled by every generator at several widths, strict and not, against their scalar
//! references; strict also against the interpreter, to the last bit.

mod harness;

use std::sync::atomic::AtomicU32;

use harness::{Job, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Options};
use warpweft_interpreter::{Program, Scratch};
use warpweft_shaders as library;

/// Numbers in [0, 1), the same every time.
fn floats(seed: u32, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    (0..n).map(|_| (next() >> 8) as f32 / (1u32 << 24) as f32).collect()
}

fn words(data: &[f32]) -> Vec<u32> {
    data.iter().map(|x| x.to_bits()).collect()
}

/// Compiles and runs a kernel every way; `check` judges the words of one binding.
///
/// `exact` kernels give the interpreter's answer in strict mode: they use exactly rounded operations alone.
fn everywhere(
    file: &library::ShaderFile,
    inputs: &[Vec<u32>],
    size: [u32; 3],
    output: usize,
    exact: bool,
    check: impl Fn(&[u32], bool),
) {
    let kernel = kernel(file.source).unwrap();
    let program = Program::new(&kernel).unwrap();
    let job = Job::new(&kernel, inputs, file.workgroups(size), None);
    let expected = job.interpret(&program, 8, &mut Scratch::default()).unwrap();
    let output = kernel.interface().bindings.iter().position(|b| b.binding as usize == output).unwrap();
    let generators = Generator::available();
    assert!(!generators.is_empty(), "no code generator works here");
    for generator in generators {
        for strict in [false, true] {
            for lanes in [None, Some(1), Some(4), Some(16), Some(64)] {
                let options = Options { generator, strict, lanes, streaming: false };
                let code = Compiled::new(&kernel, &options)
                    .unwrap_or_else(|error| panic!("{}, {options:?}: {error}", file.name));
                for threads in [1, 2] {
                    let found = job
                        .run(&kernel, &code, threads, &AtomicU32::new(0))
                        .unwrap_or_else(|error| panic!("{}, {options:?}: {error}", file.name));
                    println!("{}, {options:?}", file.name);
                    check(&found[output], strict);
                    if let (true, true, Some(difference)) =
                        (strict, exact, compare(&kernel, &expected, &found))
                    {
                        panic!("{}, {options:?}: {difference}", file.name);
                    }
                }
            }
        }
    }
}

/// The words are floats that agree with these within an absolute bound.
fn close(found: &[u32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().map(|&word| f32::from_bits(word)).zip(expected).enumerate() {
        assert!((found - expected).abs() <= bound, "element {i}: {found} instead of {expected}");
    }
}

#[test]
fn saxpy() {
    for n in [1, 255, 256, 257, 5000] {
        let (x, mut y) = (floats(1, n), floats(2, n));
        let inputs = [words(&x), words(&y), vec![1.5f32.to_bits()]];
        library::saxpy::reference(1.5, &x, &mut y);
        everywhere(&library::SAXPY, &inputs, [n as u32, 1, 1], 1, true, |found, _| close(found, &y, 3e-7));
    }
}

#[test]
fn triad() {
    let (mut a, b, c) = (vec![0.0; 3001], floats(1, 3001), floats(2, 3001));
    let inputs = [words(&a), words(&b), words(&c), vec![0.75f32.to_bits()]];
    library::triad::reference(&mut a, &b, &c, 0.75);
    everywhere(&library::TRIAD, &inputs, [3001, 1, 1], 0, true, |found, _| close(found, &a, 2e-7));
}

#[test]
fn reduce_sum() {
    let x = floats(3, 3 * 2048 + 77);
    let expected = library::reduce_sum::reference(&x);
    let inputs = [words(&x), vec![0; expected.len()]];
    let size = [x.len() as u32, 1, 1];
    // The reference adds in the kernel's own order: additions alone are exactly rounded.
    everywhere(&library::REDUCE_SUM, &inputs, size, 1, true, |found, _| assert_eq!(found, words(&expected)));
}

#[test]
fn jacobi2d() {
    let (h, w) = (45, 70);
    let (src, mut expected) = (floats(4, h * w), vec![0.0; h * w]);
    library::jacobi2d::reference(w, &src, &mut expected);
    let inputs = [words(&src), vec![0; h * w], vec![w as u32, h as u32]];
    let size = [w as u32, h as u32, 1];
    everywhere(&library::JACOBI2D, &inputs, size, 1, true, |found, _| close(found, &expected, 2e-7));
}

#[test]
fn transpose() {
    let (h, w) = (37, 100);
    let src = floats(5, h * w);
    let expected = library::transpose::reference(w, &src);
    let inputs = [words(&src), vec![0; h * w], vec![w as u32, h as u32]];
    let size = [w as u32, h as u32, 1];
    everywhere(&library::TRANSPOSE, &inputs, size, 1, true, |found, _| assert_eq!(found, words(&expected)));
}

#[test]
fn nbody() {
    let pos: Vec<[f32; 4]> = floats(6, 4 * 150).chunks(4).map(|c| [c[0], c[1], c[2], c[3]]).collect();
    let expected = library::nbody::reference(&pos, 0.05);
    let inputs = [words(pos.as_flattened()), vec![0; 600], vec![0.05f32.to_bits()]];
    // 150 terms of up to about 1e3 each, every one within a few ULP.
    let check = |found: &[u32], _| close(found, expected.as_flattened(), 2e-2);
    everywhere(&library::NBODY, &inputs, [150, 1, 1], 1, false, check);
}

#[test]
fn mandelbrot() {
    let params =
        library::mandelbrot::Params { size: [90, 61], origin: [-2.0, -1.2], step: 0.04, max_iterations: 100 };
    let expected = library::mandelbrot::reference(&params);
    let [x, y] = params.origin.map(f32::to_bits);
    let inputs = [vec![0; 90 * 61], vec![90, 61, x, y, params.step.to_bits(), 100]];
    everywhere(&library::MANDELBROT, &inputs, [90, 61, 1], 0, true, |found, strict| {
        // Contraction moves an orbit at the edge of the set.
        let different = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        let allowed = if strict { 0 } else { found.len() / 100 };
        assert!(different <= allowed, "{different} of {} pixels differ", found.len());
    });
}

#[test]
fn perona_malik() {
    let (h, w) = (50, 33);
    let src = floats(7, h * w);
    let params = library::perona_malik::Params { size: [w as u32, h as u32], kappa: 0.2, lambda: 0.2 };
    let expected = library::perona_malik::reference(&params, &src);
    let value = vec![w as u32, h as u32, params.kappa.to_bits(), params.lambda.to_bits()];
    let inputs = [words(&src), vec![0; h * w], value];
    // WGSL allows `exp` 3 + 2 |x| ULP, here of values up to 1 with |x| up to 25.
    let check = |found: &[u32], _| close(found, &expected, 1e-6);
    everywhere(&library::PERONA_MALIK, &inputs, [w as u32, h as u32, 1], 1, false, check);
}
