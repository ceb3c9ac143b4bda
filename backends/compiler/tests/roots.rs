//! Inverse square roots from each machine's own estimate, of every length of vector: within WGSL's 2 ULP.
//!
//! Estimates differ from machine to machine, so neither the evaluator nor another generator can stand for them.

mod harness;

use std::sync::atomic::AtomicU32;

use harness::{Job, kernel};
use warpweft_compiler::{Compiled, Generator, Options};

const KERNEL: &str = "
    @group(0) @binding(0) var<storage, read_write> out: array<f32>;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
        out[id.x] = inverseSqrt(x[id.x]);
    }";

/// Numbers all over two binades, where every mantissa's root differs, and whatever an estimate may take amiss.
fn numbers() -> Vec<u32> {
    let special = [0.0, f32::INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX, 1.0, 1e-39, 1e-45, 1e-20, 1e30];
    let special = special.iter().flat_map(|&x: &f32| [x.to_bits(), (-x).to_bits()]);
    let ordinary = (0..1 << 16).map(|i| 0x3f80_0000 + i * 256 + i % 251);
    // Special ones alone among others, too: they must not spoil their neighbours.
    let mixed = special.clone().flat_map(|x| std::iter::repeat_n(0x3fc0_1234, 66).chain([x]));
    let mut all: Vec<u32> = ordinary.chain(mixed).chain(special).collect();
    all.resize(all.len().next_multiple_of(64), 0x4000_0000);
    all
}

/// The error in units of the last place.
fn error(x: f32, found: f32) -> f64 {
    let exact = 1.0 / f64::from(x).sqrt();
    if exact.is_nan() || exact.is_infinite() || exact == 0.0 {
        let same = exact as f32 == found || exact.is_nan() && found.is_nan();
        return if same { 0.0 } else { f64::INFINITY };
    }
    let unit = 2f64.powi(((exact.to_bits() >> 52) & 0x7ff) as i32 - 1023 - 23);
    ((f64::from(found) - exact) / unit).abs()
}

#[test]
fn inverse_roots_stay_within_two_units() {
    let kernel = kernel(KERNEL).unwrap();
    let x = numbers();
    let groups = [(x.len() / 64) as u32, 1, 1];
    let job = Job::new(&kernel, &[vec![0; x.len()], x.clone()], groups, None);
    let out = kernel.interface().bindings.iter().position(|b| b.name == "out").unwrap();
    for generator in Generator::available() {
        for lanes in [1, 4, 8, 16, 32] {
            for strict in [false, true] {
                let options = Options { generator, strict, lanes: Some(lanes), streaming: false };
                let code = Compiled::new(&kernel, &options).unwrap();
                let found = job.run(&kernel, &code, 1, &AtomicU32::new(0)).unwrap();
                let mut worst = 0.0f64;
                for (&x, &found) in x.iter().zip(&found[out]) {
                    let (x, found) = (f32::from_bits(x), f32::from_bits(found));
                    let error = error(x, found);
                    assert!(error <= 2.0, "{options:?}: 1/√{x:e} gave {found:e}: {error} ULP");
                    worst = worst.max(error);
                }
                assert!(worst > 0.4, "{options:?}: no result is rounded, which cannot be: {worst}");
            }
        }
    }
}
