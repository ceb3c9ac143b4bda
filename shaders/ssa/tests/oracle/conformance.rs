//! The conformance cases: the same bytes as the interpreter's, which the interpreter's own tests judge.
//!
//! The cases are no part of the project: without them this test says that it did not run.

use crate::{evaluate, function, interpret};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use warpweft_conformance::Case;
use warpweft_interpreter::Grid;
use warpweft_module::{Module, Source};

/// What is wrong with a case; `None` where naga does not take it.
fn run(case: &Case) -> Option<Result<(), String>> {
    let source = Source::new("case.wgsl", case.wgsl.as_str());
    let kernel = Module::new(&[source], &[]).and_then(|module| module.kernel(None, &[])).ok()?;
    let memories: Vec<Vec<u8>> = (kernel.interface().bindings.iter())
        .map(|binding| match binding.binding {
            0 => vec![0xab; case.output_bytes],
            _ => case.input.clone(),
        })
        .collect();
    let (mut expected, mut found) = (memories.clone(), memories);
    let grid = Grid { workgroups: [case.workgroups, 1, 1], over: None };
    if let Err(fault) = interpret(&kernel, grid, 32, &mut expected) {
        return Some(Err(fault.to_string()));
    }
    let function = function(&kernel);
    evaluate(&function, grid, 32, &mut found);
    if expected == found {
        return Some(Ok(()));
    }
    let output = kernel.interface().bindings.iter().position(|binding| binding.binding == 0)?;
    let at = (0..found[output].len()).find(|&at| found[output][at] != expected[output][at]).unwrap_or(0);
    let verdict = case.judge(&found[output]);
    let wrong = verdict.wrong.first();
    Some(Err(format!("byte {at} differs; {} cases wrong: {wrong:x?}\n{function}", verdict.wrong.len())))
}

#[test]
fn conformance() {
    let Some(cases) = warpweft_conformance::cases(env!("CARGO_MANIFEST_DIR")) else {
        return;
    };
    let next = AtomicUsize::new(0);
    let (refused, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run(case) {
                        None => drop(refused.fetch_add(1, Ordering::Relaxed)),
                        Some(Ok(())) => {}
                        Some(Err(why)) => {
                            wrong.lock().expect("no thread panicked").push(format!("{}: {why}", case.name));
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no thread panicked");
    assert!(
        wrong.is_empty(),
        "{} kernels wrong, such as\n{}",
        wrong.len(),
        wrong[..wrong.len().min(3)].join("\n")
    );
    assert_eq!((cases.len(), refused.into_inner()), (3165, 40));
}
