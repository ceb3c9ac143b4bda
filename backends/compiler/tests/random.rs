//! Random kernels: every code generator, of every width, gives the interpreter's answer to the last bit.
//!
//! Each kernel runs two ways: one generator at the width that the compiler chooses, another one at a forced width. Both
//! change from seed to seed, and so does what is inlined: one way in three calls all functions that can be called. By
//! default some kernels of each profile; longer runs, by environment variables:
//!
//! * `WARPWEFT_RANDOM_KERNELS=100000` says how many kernels in all;
//! * `WARPWEFT_RANDOM_FIRST=17` starts each profile at that seed;
//! * `WARPWEFT_RANDOM_PROFILE=full` takes one profile (`small`, `full`, `portable`, `wide`, `subgroups`);
//! * `WARPWEFT_RANDOM_LANES=8` compiles for that width alone, by every generator;
//! * `WARPWEFT_RANDOM_INLINED=0` inlines everything in kernels of up to so many operations, and calls what it can in others;
//! * `WARPWEFT_RANDOM_TRACE=1` tells each seed before it runs, should a kernel take the process with it.
//!
//! A failure prints the seed, the first difference and the kernel, shrunk.

mod harness;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::{Job, compare, kernel};
use warpweft_compiler::{Compiled, Generator, Limits, Options};
use warpweft_generator::{Profile, Random};
use warpweft_interpreter::{Program, Scratch};

/// Kernels by default, of all profiles together.
const KERNELS: u64 = 20;

/// Widths that are forced: as many as there are, whatever a kernel needs of registers and stack.
const LANES: [u16; 7] = [1, 4, 8, 16, 2, 32, 64];

/// How a generator begins to refuse a kernel whose values at a forced width are more than the stack should take.
const TOO_WIDE: &str = "too many values at once";

/// How a kernel begins to be refused in which a barrier hangs on what a function gives: of a function that is called, nobody
/// knows that it gives all invocations the same.
const PARTED: [&str; 2] = ["before others reach a barrier", "a choice around a barrier"];

/// How long one run of a kernel may take.
const LIMIT: Duration = Duration::from_secs(20);

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} cannot be read")))
}

/// One way of running a kernel.
#[derive(Clone, Copy, Debug)]
struct Way {
    options: Options,
    limits: Limits,
    threads: usize,
}

/// The ways for a kernel: one generator at the width that the compiler chooses, the next one at a forced width.
fn ways(seed: u64, profile: Profile) -> Vec<Way> {
    let generators = Generator::available();
    let position = Profile::ALL.iter().position(|&p| p == profile).expect("one of them");
    // Profiles start at different ways, so that a short run has many.
    let turn = seed as usize * Profile::ALL.len() + position;
    let threads = |n: usize| if (turn + n).is_multiple_of(5) { 2 } else { 1 };
    let inlined = variable("WARPWEFT_RANDOM_INLINED");
    let limits = |n: usize| {
        let usual = Limits::default();
        let calls = (seed as usize + position + n).is_multiple_of(3);
        Limits { inlined: inlined.unwrap_or(if calls { 0 } else { usual.inlined }), ..usual }
    };
    let way = |n: usize, lanes| {
        let generator = generators[(turn + n) % generators.len()];
        let streaming = (seed as usize / 2 + n).is_multiple_of(2);
        let options = Options { generator, strict: true, lanes, streaming };
        Way { options, limits: limits(n), threads: threads(n) }
    };
    match variable("WARPWEFT_RANDOM_LANES") {
        Some(lanes) => (0..generators.len()).map(|n| way(n, Some(lanes))).collect(),
        None if generators.is_empty() => Vec::new(),
        None => vec![way(0, None), way(1, Some(LANES[turn % LANES.len()]))],
    }
}

/// What came of one kernel run one way.
enum Finding {
    Right,
    /// Not compiled, and why.
    Refused(String),
    Wrong(String),
}

/// Stops what runs too long.
struct Guard {
    started: Mutex<Option<Instant>>,
    cancel: AtomicU32,
}

/// Compares one way with the interpreter.
fn check(random: &Random, way: Way, guard: &Guard, scratch: &mut Scratch) -> Finding {
    let kernel = match kernel(&random.wgsl) {
        Ok(kernel) => kernel,
        Err(error) => return Finding::Wrong(format!("not valid: {error}")),
    };
    let code = match Compiled::within(&kernel, &way.options, &way.limits) {
        Ok(code) => code,
        Err(error) => return Finding::Refused(error.to_string()),
    };
    let program = match Program::new(&kernel) {
        Ok(program) => program,
        Err(error) => return Finding::Wrong(format!("not interpreted: {error}")),
    };
    let job = Job::new(&kernel, &random.inputs, random.workgroups, random.over);
    let expected = match job.interpret(&program, if random.subgroups { code.lanes() } else { 8 }, scratch) {
        Ok(expected) => expected,
        Err(fault) => return Finding::Wrong(format!("the interpreter: {fault}")),
    };
    guard.cancel.store(0, Ordering::Relaxed);
    *guard.started.lock().unwrap() = Some(Instant::now());
    let found = job.run(&kernel, &code, way.threads, &guard.cancel);
    *guard.started.lock().unwrap() = None;
    match found {
        Err(why) => Finding::Wrong(why),
        Ok(found) => match compare(&kernel, &expected, &found) {
            None => Finding::Right,
            Some(difference) => Finding::Wrong(format!("{} lanes: {difference}", code.lanes())),
        },
    }
}

/// The kernel as small as it can be while it still fails that way, valid and without a fault of the interpreter.
fn smaller(random: &Random, way: Way, guard: &Guard, scratch: &mut Scratch) -> (String, String) {
    let mut last = String::new();
    let end = Instant::now() + Duration::from_secs(60);
    let wgsl = warpweft_generator::shrink(&random.wgsl, |wgsl| {
        let candidate = Random { wgsl: wgsl.into(), ..random.clone() };
        match check(&candidate, way, guard, scratch) {
            Finding::Wrong(why)
                if Instant::now() < end
                    && !why.starts_with("not ")
                    && !why.starts_with("the interpreter") =>
            {
                last = why;
                true
            }
            _ => false,
        }
    });
    (wgsl, last)
}

#[derive(Default)]
struct Summary {
    checked: u64,
    /// Not compiled, but the compiler would not have chosen that width.
    too_wide: u64,
    /// Not compiled, but with all calls inlined it would have been.
    parted: u64,
    /// By reason: how often, and where first.
    refused: BTreeMap<String, (u64, String)>,
    wrong: Vec<(Random, Way, String)>,
}

#[test]
fn compiled_code_gives_the_interpreters_answer() {
    let profiles: Vec<Profile> = match variable::<String>("WARPWEFT_RANDOM_PROFILE") {
        None => Profile::ALL.to_vec(),
        Some(name) => {
            let named = |p: &Profile| format!("{p:?}").to_lowercase() == name.to_lowercase();
            vec![Profile::ALL.into_iter().find(named).unwrap_or_else(|| panic!("there is no profile {name}"))]
        }
    };
    let count = variable("WARPWEFT_RANDOM_KERNELS").unwrap_or(KERNELS);
    let first: u64 = variable("WARPWEFT_RANDOM_FIRST").unwrap_or(0);
    let trace = std::env::var_os("WARPWEFT_RANDOM_TRACE").is_some();
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    let guards: Vec<Guard> =
        (0..workers).map(|_| Guard { started: Mutex::new(None), cancel: AtomicU32::new(0) }).collect();
    let (next, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        let guards = &guards;
        let ended = &ended;
        scope.spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                for guard in guards {
                    if guard.started.lock().unwrap().is_some_and(|started| started.elapsed() > LIMIT) {
                        guard.cancel.store(1, Ordering::Relaxed);
                    }
                }
            }
        });
        let work = |guard: &Guard| {
            let mut scratch = Scratch::default();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count || summary.lock().unwrap().wrong.len() >= 8 {
                    return;
                }
                let (profile, seed) =
                    (profiles[(n % profiles.len() as u64) as usize], first + n / profiles.len() as u64);
                let random = warpweft_generator::kernel(seed, profile);
                for way in ways(seed, profile) {
                    if trace {
                        eprintln!("seed {seed} of {profile:?}, {way:?}");
                    }
                    let finding = check(&random, way, guard, &mut scratch);
                    let mut summary = summary.lock().unwrap();
                    match finding {
                        Finding::Right => summary.checked += 1,
                        Finding::Refused(why) if way.options.lanes.is_some() && why.contains(TOO_WIDE) => {
                            summary.too_wide += 1;
                        }
                        Finding::Refused(why)
                            if way.limits.inlined == 0 && PARTED.iter().any(|words| why.contains(words)) =>
                        {
                            summary.parted += 1;
                        }
                        Finding::Refused(why) => {
                            // Lines and numbers do not make another reason.
                            let key: String = why.chars().filter(|c| !c.is_ascii_digit()).collect();
                            let here = format!("seed {seed} of {profile:?}, {way:?}: {why}");
                            summary.refused.entry(key).or_insert((0, here)).0 += 1;
                        }
                        Finding::Wrong(why) => summary.wrong.push((random.clone(), way, why)),
                    }
                }
            }
        };
        let handles: Vec<_> = guards.iter().map(|guard| scope.spawn(move || work(guard))).collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        let mut summary = summary.lock().unwrap();
        // The shortest tells most.
        summary.wrong.sort_by_key(|(random, ..)| random.wgsl.len());
        if let Some((random, way, why)) = summary.wrong.first() {
            let (wgsl, small) = smaller(random, *way, &guards[0], &mut Scratch::default());
            let text = format!(
                "seed {} of {:?}, {way:?}: {why}\nshrunk ({small}), over {:?} workgroups, {:?}:\n{wgsl}",
                random.seed, random.profile, random.workgroups, random.over
            );
            summary.wrong[0].2 = text;
        }
        ended.store(true, Ordering::Relaxed);
    });
    let summary = summary.into_inner().unwrap();
    let Summary { checked, too_wide, parted, .. } = &summary;
    println!("{checked} runs of {count} kernels are right, {too_wide} too wide, {parted} parted at barriers");
    // The generator rarely asks a function where everybody must agree.
    assert!(count < 100 || *parted * 10 <= count, "{parted} of {count} kernels are not compiled with calls");
    for (times, example) in summary.refused.values() {
        println!("not compiled, {times} times; first {example}");
    }
    if let Some((_, _, first)) = summary.wrong.first() {
        let others = summary.wrong[1..].iter().map(|(random, way, why)| {
            format!("seed {} of {:?}, {way:?}: {why}\n", random.seed, random.profile)
        });
        panic!("{} runs are wrong.\n{first}\nOthers:\n{}", summary.wrong.len(), others.collect::<String>());
    }
    assert!(summary.refused.is_empty(), "{} kinds of kernels are not compiled", summary.refused.len());
    assert!(summary.checked > 0, "no code generator works here");
}
