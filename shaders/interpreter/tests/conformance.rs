//! The interpreter gives right answers to the conformance cases for WGSL expressions.
//!
//! The cases are no part of the project: without them this test says that it did not run.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use warpweft_conformance::{Case, Verdict};
use warpweft_interpreter::{Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Module, Source};

/// naga reads these kernels on 16-bit floats wrongly, so they are refused.
const REFUSED: [(&str, usize); 2] = [("bitcast", 32), ("frexp", 8)];

/// What one kernel came to.
enum Outcome {
    Refused(String),
    Judged(Verdict),
}

fn run(case: &Case, scratch: &mut Scratch) -> Outcome {
    let source = Source::new("case.wgsl", case.wgsl.as_str());
    let kernel = match Module::new(&[source], &[]).and_then(|module| module.kernel(None, &[])) {
        Ok(kernel) => kernel,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let program = Program::new(&kernel).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let words = |bytes: &[u8]| -> Vec<AtomicU32> {
        let word = |chunk: &[u8]| std::array::from_fn(|n| chunk.get(n).copied().unwrap_or(0));
        bytes
            .chunks(4)
            .map(|chunk| AtomicU32::new(u32::from_le_bytes(word(chunk))))
            .collect()
    };
    let (output, input) = (words(&vec![0xab; case.output_bytes]), words(&case.input));
    // A kernel that does not read its input has one binding.
    let memories: Vec<Memory<'_>> = (kernel.interface().bindings.iter())
        .map(|binding| match binding.binding {
            0 => Memory::new(&output, case.output_bytes as u64),
            _ => Memory::new(&input, case.input.len() as u64),
        })
        .collect();
    let launch = Launch {
        bindings: &memories,
        grid: Grid {
            workgroups: [case.workgroups, 1, 1],
            over: None,
        },
        subgroup_size: 32,
        cancelled: &|| false,
    };
    for workgroup in 0..u64::from(case.workgroups) {
        program
            .run_workgroup(&launch, workgroup, scratch)
            .unwrap_or_else(|fault| panic!("{}: {fault}", case.name));
    }
    let bytes: Vec<u8> = output
        .iter()
        .flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes())
        .collect();
    Outcome::Judged(case.judge(&bytes))
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
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut scratch = Scratch::default();
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(case, &mut scratch);
                    outcomes.lock().expect("no thread panicked").push((case, outcome));
                }
            });
        }
    });

    let (mut right, mut refused) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
    let mut wrong = String::new();
    for (case, outcome) in outcomes.into_inner().expect("no thread panicked") {
        match outcome {
            Outcome::Judged(verdict) => {
                *right.entry(&case.area).or_default() += verdict.right;
                if let Some(first) = verdict.wrong.first() {
                    let count = verdict.wrong.len();
                    writeln!(
                        wrong,
                        "{}: {count} of {} wrong: {first:x?}",
                        case.name,
                        case.count()
                    )
                    .expect("a String");
                }
            }
            Outcome::Refused(why) => match REFUSED.iter().find(|(name, _)| case.name.contains(name)) {
                Some((name, _)) if case.wgsl.contains("f16") && !why.is_empty() => {
                    *refused.entry(*name).or_default() += 1;
                }
                _ => writeln!(wrong, "{}: refused: {why}", case.name).expect("a String"),
            },
        }
    }
    println!(
        "{} kernels; right by area: {right:?}; refused: {refused:?}",
        cases.len()
    );
    assert!(
        wrong.is_empty(),
        "{} kernels wrong:\n{wrong}",
        wrong.lines().count()
    );
    assert_eq!(refused, BTreeMap::from(REFUSED));
    assert_eq!(cases.len(), 3165);
}
