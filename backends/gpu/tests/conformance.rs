//! The device gives right answers to the conformance cases for WGSL expressions.
//!
//! The cases are no part of the project: without them this test says that it did not run.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::Mutex;

use common::execute;
use warpweft_conformance::{Case, Verdict};
use warpweft_gpu::Gpu;
use warpweft_hal::{Argument, Command, Device, Dispatch, Grid, HostBlock, Program, Region};
use warpweft_module::{Module, Source};

/// Kernels of one submission: enough that its fixed costs do not count.
const BATCH: usize = 64;

/// What one kernel came to.
enum Outcome {
    Refused(String),
    Judged(Verdict),
}

/// Where each part begins when parts of these sizes follow one another, and the end.
fn places(sizes: impl Iterator<Item = usize>) -> (Vec<u64>, u64) {
    let mut end = 0;
    let starts = sizes.map(|size| {
        let start = end;
        end += (size as u64).next_multiple_of(256);
        start
    });
    (starts.collect(), end)
}

/// Runs a batch as one list.
fn run(gpu: &Gpu, cases: &[Case]) -> Vec<Outcome> {
    let (inputs, input_bytes) = places(cases.iter().map(|c| c.input.len()));
    let (outputs, output_bytes) = places(cases.iter().map(|c| c.output_bytes));
    let mut image = vec![0u8; input_bytes as usize];
    for (case, start) in cases.iter().zip(&inputs) {
        image[*start as usize..][..case.input.len()].copy_from_slice(&case.input);
    }
    let image = Arc::new(HostBlock::copy_of(&image).unwrap());
    let result = Arc::new(HostBlock::zeroed(output_bytes).unwrap());
    let (input, output) = (gpu.allocate(input_bytes).unwrap(), gpu.allocate(output_bytes).unwrap());
    let mut commands = vec![
        Command::Upload {
            from: Region::host(&image, 0..input_bytes),
            to: Region::device(input, 0..input_bytes),
        },
        Command::Fill { to: Region::device(output, 0..output_bytes), word: 0xabab_abab },
    ];
    let mut kernels = Vec::new();
    let mut refusals = Vec::new();
    for (position, case) in cases.iter().enumerate() {
        let source = Source::new("case.wgsl", case.wgsl.as_str());
        let kernel = match Module::new(&[source], &[]).and_then(|module| module.kernel(None, &[])) {
            Ok(kernel) => kernel,
            Err(error) => {
                refusals.push(Some(error.to_string()));
                continue;
            }
        };
        refusals.push(None);
        let whole = |start: u64, size: usize| start..start + (size as u64).next_multiple_of(4);
        // A kernel that does not read its input has one binding.
        let arguments = kernel.interface().bindings.iter().map(|binding| {
            Argument::Region(match binding.binding {
                0 => Region::device(output, whole(outputs[position], case.output_bytes)),
                _ => Region::device(input, whole(inputs[position], case.input.len())),
            })
        });
        let arguments = arguments.collect();
        let loaded =
            gpu.load(&Program { kernel, native: None }).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        kernels.push(loaded.kernel);
        let grid = Grid { workgroups: [case.workgroups, 1, 1], over: None };
        commands.push(Command::Dispatch(Dispatch {
            kernel: loaded.kernel,
            grid,
            range: 0..grid.len(),
            arguments,
        }));
    }
    commands.push(Command::Download {
        from: Region::device(output, 0..output_bytes),
        to: Region::host(&result, 0..output_bytes),
    });
    execute(gpu, commands).unwrap();
    kernels.into_iter().for_each(|kernel| gpu.unload(kernel));
    gpu.free(input);
    gpu.free(output);
    // SAFETY: the list is done.
    let result = unsafe { result.bytes(0..output_bytes) };
    let judged = cases.iter().zip(&outputs).zip(refusals).map(|((case, start), refusal)| match refusal {
        Some(why) => Outcome::Refused(why),
        None => Outcome::Judged(case.judge(&result[*start as usize..][..case.output_bytes])),
    });
    judged.collect()
}

#[test]
fn conformance() {
    let folder = match warpweft_conformance::folder(env!("CARGO_MANIFEST_DIR")) {
        Ok(folder) => folder,
        Err(why) if std::env::var_os("WARPWEFT_REQUIRE_CONFORMANCE").is_some() => panic!("{why}"),
        Err(why) => {
            println!("NOT RUN: {why}");
            return;
        }
    };
    let cases = warpweft_conformance::load(&folder).expect("the cases can be read");
    let gpu = common::gpu();
    let batches = Mutex::new(cases.chunks(BATCH));
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(batch) = batches.lock().unwrap().next() else {
                        break;
                    };
                    let outcome = run(&gpu, batch);
                    outcomes.lock().unwrap().extend(batch.iter().zip(outcome));
                }
            });
        }
    });

    let mut right = BTreeMap::<_, usize>::new();
    let mut refused = BTreeMap::<_, usize>::new();
    let mut wrong = String::new();
    for (case, outcome) in outcomes.into_inner().unwrap() {
        match outcome {
            Outcome::Judged(verdict) => {
                *right.entry(case.area.as_str()).or_default() += verdict.right;
                if let Some(first) = verdict.wrong.first() {
                    let (bad, all) = (verdict.wrong.len(), case.count());
                    writeln!(wrong, "{}: {bad} of {all} wrong: {first:x?}", case.name).unwrap();
                }
            }
            Outcome::Refused(why) => {
                let known = ["bitcast", "frexp"].into_iter().find(|name| case.name.contains(name));
                match known {
                    Some(name) if case.wgsl.contains("f16") && !why.is_empty() => {
                        *refused.entry(name).or_default() += 1;
                    }
                    _ => writeln!(wrong, "{}: refused: {why}", case.name).unwrap(),
                }
            }
        }
    }
    println!("{} kernels; right by area: {right:?}; refused: {refused:?}", cases.len());
    assert!(wrong.is_empty(), "{} kernels wrong:\n{wrong}", wrong.lines().count());
    assert_eq!(cases.len(), 3165);
    assert_eq!(
        refused,
        BTreeMap::from([("bitcast", 32), ("frexp", 8)]),
        "naga reads these wrongly or not at all"
    );
}
