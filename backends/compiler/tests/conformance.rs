//! Compiled code gives right answers to the conformance cases for WGSL expressions, by every generator, strict or not.
//!
//! The cases are no part of the project: without them this test says that it did not run. By default each generator
//! takes its share of them, strict or not, and none is left uncompiled; `WARPWEFT_CONFORMANCE_ALL=1` gives every case to
//! every generator, strict and not, at the width that the compiler chooses and at a forced one: some minutes.

mod harness;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use harness::{Job, kernel};
use warpweft_compiler::{Compiled, Generator, Options};
use warpweft_conformance::Case;

/// The ways to run a case.
fn ways(number: usize, all: bool) -> Vec<Options> {
    let generators = Generator::available();
    if all {
        let mut ways = Vec::new();
        for &generator in &generators {
            for strict in [false, true] {
                for lanes in [None, Some([1, 8, 32][number % 3])] {
                    ways.push(Options { generator, strict, lanes, streaming: false });
                }
            }
        }
        return ways;
    }
    let generator = generators[number % generators.len()];
    vec![Options {
        generator,
        strict: (number / generators.len()).is_multiple_of(2),
        lanes: None,
        streaming: false,
    }]
}

/// How a generator begins to refuse a kernel whose values at a forced width are more than the stack should take.
const TOO_WIDE: &str = "too many values at once";

/// What is wrong with a case run one way; counts what a forced width is too wide for.
fn complaint(case: &Case, options: &Options, too_wide: &AtomicUsize) -> Option<String> {
    let kernel = match kernel(&case.wgsl) {
        Ok(kernel) => kernel,
        Err(_) if case.must_be_refused() => return None,
        Err(error) => return Some(format!("refused: {error}")),
    };
    if case.must_be_refused() {
        return Some("not refused".into());
    }
    let code = match Compiled::new(&kernel, options) {
        Ok(code) => code,
        // The compiler itself would take narrower gangs.
        Err(error) if options.lanes.is_some() && error.to_string().contains(TOO_WIDE) => {
            too_wide.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Err(error) => return Some(format!("not compiled: {error}")),
    };
    let words = |bytes: &[u8]| -> Vec<u32> {
        let word = |chunk: &[u8]| std::array::from_fn(|n| chunk.get(n).copied().unwrap_or(0));
        bytes.chunks(4).map(|chunk| u32::from_le_bytes(word(chunk))).collect()
    };
    let inputs = [words(&vec![0xab; case.output_bytes]), words(&case.input)];
    let job = Job::new(&kernel, &inputs, [case.workgroups, 1, 1], None);
    let found = match job.run(&kernel, &code, 1, &AtomicU32::new(0)) {
        Ok(found) => found,
        Err(why) => return Some(why),
    };
    let output = kernel.interface().bindings.iter().position(|binding| binding.binding == 0);
    let output = &found[output.expect("every case has an output")];
    let verdict = case.judge(&output.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    let first = verdict.wrong.first()?;
    Some(format!("{} of {} wrong: {first:x?}", verdict.wrong.len(), case.count()))
}

#[test]
fn conformance() {
    let Some(cases) = warpweft_conformance::cases(env!("CARGO_MANIFEST_DIR")) else {
        return;
    };
    assert!(!Generator::available().is_empty(), "no code generator works here");
    let all = std::env::var_os("WARPWEFT_CONFORMANCE_ALL").is_some();
    let (next, too_wide) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { return };
                    for options in ways(number, all) {
                        if let Some(complaint) = complaint(case, &options, &too_wide) {
                            wrong.lock().unwrap().insert((number, format!("{options:?}")), complaint);
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{} cases; a forced width was too wide {too_wide:?} times", cases.len());
    let mut text = String::new();
    for ((number, options), complaint) in wrong.iter().take(200) {
        writeln!(text, "{}, {options}: {complaint:.400}", cases[*number].name).expect("a String");
    }
    assert!(wrong.is_empty(), "{} runs wrong:\n{text}", wrong.len());
}
