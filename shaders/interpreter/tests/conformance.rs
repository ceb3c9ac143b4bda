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
        bytes.chunks(4).map(|chunk| AtomicU32::new(u32::from_le_bytes(word(chunk)))).collect()
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
        grid: Grid { workgroups: [case.workgroups, 1, 1], over: None },
        subgroup_size: 32,
        cancelled: &|| false,
    };
    for workgroup in 0..u64::from(case.workgroups) {
        program
            .run_workgroup(&launch, workgroup, scratch)
            .unwrap_or_else(|fault| panic!("{}: {fault}", case.name));
    }
    let bytes: Vec<u8> = output.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
    Outcome::Judged(case.judge(&bytes))
}

#[test]
fn conformance() {
    let Some(cases) = warpweft_conformance::cases(env!("CARGO_MANIFEST_DIR")) else {
        return;
    };
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

    let (mut right, mut refused, mut wrong) = (BTreeMap::<_, usize>::new(), 0, String::new());
    for (case, outcome) in outcomes.into_inner().expect("no thread panicked") {
        let complaint = match outcome {
            Outcome::Refused(why) if case.must_be_refused() => {
                assert!(why.contains("16-bit floats") || why.contains("f16"), "{}: {why}", case.name);
                refused += 1;
                continue;
            }
            Outcome::Refused(why) => format!("refused: {why}"),
            Outcome::Judged(_) if case.must_be_refused() => "not refused".to_string(),
            Outcome::Judged(verdict) => {
                *right.entry(&case.area).or_default() += verdict.right;
                let Some(first) = verdict.wrong.first() else {
                    continue;
                };
                format!("{} of {} wrong: {first:x?}", verdict.wrong.len(), case.count())
            }
        };
        writeln!(wrong, "{}: {complaint}", case.name).expect("a String");
    }
    println!("{} kernels, {refused} refused; right by area: {right:?}", cases.len());
    assert!(wrong.is_empty(), "{} kernels wrong:\n{wrong}", wrong.lines().count());
    assert_eq!((cases.len(), refused), (3165, 40));
}
