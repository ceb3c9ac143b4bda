//! Random kernels, byte by byte as the interpreter has it. `WARPWEFT_SEEDS=FROM..TO` runs others than the usual ones.

use crate::{agree, kernel};
use std::ops::Range;
use warpweft_generator::{Profile, Random};
use warpweft_interpreter::Grid;

/// In the default tests.
const SEEDS: Range<u64> = 0..24;

fn run(random: &Random) {
    let kernel = kernel(&random.wgsl);
    let memories: Vec<Vec<u8>> = (kernel.interface().bindings.iter())
        .map(|binding| {
            let words = &random.inputs[binding.binding as usize];
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        })
        .collect();
    let grid = Grid { workgroups: random.workgroups, over: random.over };
    agree(&kernel, grid, 32, &memories);
}

#[test]
fn random_kernels() {
    let seeds = match std::env::var("WARPWEFT_SEEDS") {
        Ok(text) => {
            let (from, to) = text.split_once("..").expect("WARPWEFT_SEEDS is FROM..TO");
            from.parse().expect("a number")..to.parse().expect("a number")
        }
        Err(_) => SEEDS,
    };
    for seed in seeds {
        for profile in Profile::ALL {
            let random = warpweft_generator::kernel(seed, profile);
            let result = std::panic::catch_unwind(|| run(&random));
            if result.is_err() {
                panic!("seed {seed}, {profile:?}:\n{}", random.wgsl);
            }
        }
    }
}
