//! Random kernels are valid, run without a fault, leave one answer whatever the order of workgroups, and together have
//! everything in them that they should have.

use std::sync::atomic::{AtomicU32, Ordering};

use warpweft_generator::{Profile, Random, kernel};
use warpweft_interpreter::{Grid, Launch, Memory, Program, Scratch};
use warpweft_module::{Module, Source};

/// Kernels of each profile; `WARPWEFT_RANDOM_KERNELS` says how many in all, for long runs.
fn seeds() -> u64 {
    match std::env::var("WARPWEFT_RANDOM_KERNELS") {
        Ok(count) => count.parse::<u64>().expect("WARPWEFT_RANDOM_KERNELS is a number").div_ceil(5),
        Err(_) => 20,
    }
}

/// Runs a kernel with workgroups in ascending or descending order; its bindings afterwards.
fn run(random: &Random, descending: bool) -> Vec<Vec<u32>> {
    let fail = |what: &dyn std::fmt::Display| -> ! {
        panic!("seed {} of {:?}: {what}\n{}", random.seed, random.profile, random.wgsl)
    };
    let module = Module::new(&[Source::new("random.wgsl", &random.wgsl)], &[]).unwrap_or_else(|e| fail(&e));
    let kernel = module.kernel(None, &[]).unwrap_or_else(|e| fail(&e));
    let program = Program::new(&kernel).unwrap_or_else(|e| fail(&e));
    let words: Vec<Vec<AtomicU32>> =
        random.inputs.iter().map(|words| words.iter().copied().map(AtomicU32::new).collect()).collect();
    let bindings: Vec<_> = kernel.interface().bindings.iter().map(|b| &words[b.binding as usize]).collect();
    for (binding, words) in kernel.interface().bindings.iter().zip(&bindings) {
        assert!(words.len() as u64 * 4 >= binding.min_size, "`{}` is too small", binding.name);
    }
    let memories: Vec<_> = bindings.iter().map(|words| Memory::new(words, words.len() as u64 * 4)).collect();
    let launch = Launch {
        bindings: &memories,
        grid: Grid { workgroups: random.workgroups, over: random.over },
        subgroup_size: 8,
        cancelled: &|| false,
    };
    let count: u64 = random.workgroups.iter().map(|&n| u64::from(n)).product();
    let mut scratch = Scratch::default();
    for n in 0..count {
        let linear = if descending { count - 1 - n } else { n };
        program.run_workgroup(&launch, linear, &mut scratch).unwrap_or_else(|fault| fail(&fault));
    }
    words.iter().map(|words| words.iter().map(|word| word.load(Ordering::Relaxed)).collect()).collect()
}

#[test]
fn they_are_valid_and_run_and_the_order_of_workgroups_does_not_matter() {
    let mut unchanged = 0;
    for profile in Profile::ALL {
        for seed in 0..seeds() {
            let random = kernel(seed, profile);
            let after = run(&random, false);
            assert_eq!(after, run(&random, true), "seed {seed} of {profile:?}\n{}", random.wgsl);
            for (after, before) in after.iter().zip(&random.inputs).take(3) {
                assert_eq!(after, before, "what is only read stays");
            }
            unchanged += u64::from(after == random.inputs);
        }
    }
    // A guard may stop everyone; most kernels do something.
    assert!(unchanged < seeds() / 2, "{unchanged} kernels write nothing");
}

#[test]
fn a_seed_says_everything() {
    for profile in Profile::ALL {
        let (one, two) = (kernel(3, profile), kernel(3, profile));
        assert_eq!((one.wgsl, one.inputs), (two.wgsl, two.inputs));
        assert_ne!(kernel(3, profile).wgsl, kernel(4, profile).wgsl);
    }
}

/// What must be in at least so many of a hundred kernels of a profile.
const FEATURES: [(&str, u64); 50] = [
    ("for (", 20),
    ("while (", 5),
    ("loop {", 10),
    ("continuing {", 5),
    ("break if", 4),
    ("break;", 15),
    ("continue;", 10),
    ("return;", 10),
    ("switch (", 10),
    ("} else if", 5),
    ("workgroupBarrier();", 20),
    ("storageBarrier();", 4),
    ("workgroupUniformLoad", 6),
    ("atomicAdd(&counters", 3),
    ("atomicMin(&counters", 2),
    ("atomicXor(&counters", 2),
    ("atomicCompareExchangeWeak", 1),
    ("atomicLoad(&tally", 4),
    ("ptr<function", 10),
    ("= &", 4),
    ("array<", 50),
    ("var<private>", 20),
    ("select(", 30),
    ("extractBits(", 5),
    ("insertBits(", 1),
    ("countOneBits", 2),
    ("firstLeadingBit", 2),
    ("dot(", 5),
    ("dot4", 1),
    ("mat", 10),
    ("determinant(", 2),
    ("transpose(", 1),
    ("fma(", 4),
    ("clamp(", 5),
    ("bitcast<", 50),
    (" / ", 20),
    (" % ", 50),
    ("<< ", 10),
    (">> ", 10),
    ("+= ", 15),
    ("++;", 10),
    ("records[", 50),
    ("data[", 30),
    ("reals[", 30),
    (".x", 30),
    ("@workgroup_size(8, 8, 1)", 1),
    ("@workgroup_size(7)", 1),
    ("@workgroup_size(33)", 1),
    ("@workgroup_size(5, 3, 2)", 1),
    ("bits(", 10),
];

#[test]
fn everything_occurs() {
    let kernels: Vec<_> = (0..400).map(|seed| kernel(seed, Profile::Full)).collect();
    for (feature, percent) in FEATURES {
        let count = kernels.iter().filter(|random| random.wgsl.contains(feature)).count() as u64;
        assert!(count >= 4 * percent, "`{feature}` is in {count} of 400 kernels");
    }
    assert!(kernels.iter().filter(|random| random.over.is_some()).count() > 40);
    assert!(kernels.iter().filter(|random| random.workgroups[1] > 1).count() > 40);
    let subgroups =
        (0..100).filter(|&seed| kernel(seed, Profile::Subgroups).wgsl.contains("subgroupAdd")).count();
    assert!(subgroups > 5, "subgroupAdd is in {subgroups} of 100 kernels");
    for (ty, least) in [("f16", 30), ("f64", 30), ("i64", 30), ("u64", 30)] {
        let count =
            (0..100).filter(|&seed| kernel(seed, Profile::Wide).wgsl.contains(&format!("{ty}("))).count();
        assert!(count > least, "{ty} is in {count} of 100 kernels");
    }
}
