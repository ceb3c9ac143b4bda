//! Random kernels: the device gives the interpreter's answer to the last bit.
//!
//! Kernels of the profile on which every device agrees. By default a few; longer runs, by environment variables:
//! `WARPWEFT_RANDOM_KERNELS=5000` says how many, `WARPWEFT_RANDOM_FIRST=17` starts at that seed. A failure prints the seed
//! and the kernel, shrunk. No failure, but printed and counted, is another answer where the device itself says that it is
//! not to be trusted with the kernel: where its idle lanes go on in loops and the kernel has barriers.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};

use common::{Launch, gpu, kernel};
use warpweft_generator::{Profile, Random};
use warpweft_gpu::Gpu;
use warpweft_hal::{Device, Grid};
use warpweft_interpreter::{Memory, Program, Scratch};
use warpweft_module::{Interface, Module, Source};

/// Kernels by default.
const KERNELS: u64 = 8;

/// Kernels after which the device is opened anew, so that what they hold goes.
const EPOCH: u64 = 100;

/// Whether the device's idle lanes may spoil the kernel. Random loops are short, so they cannot do so by using the rounds
/// of its loops up, but only by keeping their vector from the barriers that the others are at.
fn in_doubt(device: &Gpu, interface: &Interface) -> bool {
    interface.barriers && device.info().runs_idle_lanes(interface)
}

fn variable(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} cannot be read")),
        Err(_) => default,
    }
}

/// What the interpreter makes of it, by binding; `Err` where it faults.
fn interpret(random: &Random) -> Result<Vec<Vec<u32>>, String> {
    let kernel = kernel(&random.wgsl);
    let inputs = kernel.interface().bindings.iter().map(|b| &random.inputs[b.binding as usize]);
    let atomics = |input: &Vec<u32>| input.iter().copied().map(AtomicU32::new).collect();
    let words: Vec<Vec<AtomicU32>> = inputs.map(atomics).collect();
    let bindings: Vec<_> = words.iter().map(|words| Memory::new(words, 4 * words.len() as u64)).collect();
    let grid = warpweft_interpreter::Grid { workgroups: random.workgroups, over: random.over };
    let launch =
        warpweft_interpreter::Launch { bindings: &bindings, grid, subgroup_size: 8, cancelled: &|| false };
    let program = Program::new(&kernel).map_err(|error| error.to_string())?;
    let mut scratch = Scratch::default();
    for workgroup in 0..random.workgroups.iter().map(|&n| u64::from(n)).product() {
        program.run_workgroup(&launch, workgroup, &mut scratch).map_err(|fault| fault.to_string())?;
    }
    Ok(words.iter().map(|words| words.iter().map(|word| word.load(Ordering::Relaxed)).collect()).collect())
}

/// Where the device and the interpreter part.
fn difference(gpu: &Gpu, random: &Random) -> Result<Option<String>, String> {
    let expected = interpret(random)?;
    let kernel = kernel(&random.wgsl);
    let interface = kernel.interface();
    let mut launch = Launch::new(gpu, &random.wgsl);
    for binding in &interface.bindings {
        launch = launch.bind(&binding.name, &random.inputs[binding.binding as usize]);
    }
    let grid = Grid { workgroups: random.workgroups, over: random.over };
    let command = launch.dispatch(grid, 0..grid.len());
    common::execute(gpu, vec![command]).map_err(|error| error.to_string())?;
    for (binding, expected) in interface.bindings.iter().zip(&expected) {
        let found = launch.read::<u32>(&binding.name);
        if let Some(at) = found.iter().zip(expected).position(|(a, b)| a != b) {
            return Ok(Some(format!(
                "`{}` word {at}: {:#x} on the device, {:#x} interpreted",
                binding.name, found[at], expected[at]
            )));
        }
    }
    Ok(None)
}

/// The kernel in fewer words, where the device still gives another answer and has no excuse for it.
fn shrunk(device: &Gpu, random: &Random) -> String {
    let small = warpweft_generator::shrink(&random.wgsl, |wgsl| {
        let valid = Module::new(&[Source::new("shrunk.wgsl", wgsl)], &[]);
        let kernel = valid.ok().and_then(|module| module.kernel(None, &[]).ok());
        kernel.is_some_and(|kernel| !in_doubt(device, kernel.interface()))
            && matches!(difference(device, &Random { wgsl: wgsl.into(), ..random.clone() }), Ok(Some(_)))
    });
    let last = difference(device, &Random { wgsl: small.clone(), ..random.clone() });
    format!("shrunk ({last:?}), over {:?} workgroups, {:?}:\n{small}", random.workgroups, random.over)
}

#[test]
fn the_device_gives_the_interpreters_answer() {
    let (count, first) = (variable("WARPWEFT_RANDOM_KERNELS", KERNELS), variable("WARPWEFT_RANDOM_FIRST", 0));
    let mut device = gpu();
    let (mut doubted, mut excused) = (0, 0);
    for n in 0..count {
        if n > 0 && n % EPOCH == 0 {
            device = gpu();
        }
        let random = warpweft_generator::kernel(first + n, Profile::Portable);
        let found = difference(&device, &random).unwrap_or_else(|why| panic!("seed {}: {why}", random.seed));
        let in_doubt = in_doubt(&device, kernel(&random.wgsl).interface());
        doubted += u64::from(in_doubt);
        match found {
            None => {}
            Some(found) if in_doubt => {
                excused += 1;
                println!("seed {}: {found}; the device is known not to be trusted with it", random.seed);
            }
            Some(found) => panic!("seed {}: {found}; {}", random.seed, shrunk(&device, &random)),
        }
    }
    println!(
        "{} of {count} kernels are right on {}; {excused} of the {doubted} that its idle lanes may spoil are not",
        count - excused,
        device.info().name
    );
}
