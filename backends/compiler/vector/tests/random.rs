//! Random functions: what is printed reads back, and no pass changes what they leave in memory.
//!
//! `WARPWEFT_SEEDS` says how many of them (240 otherwise, more where tests are optimised); a failure prints the seed.

use warpweft_vector::ir::{
    Access, Effect, Function, Hint, Inst, Kind, Label, Op, SpaceId, Type, Value, Width,
};
use warpweft_vector::legalise::legalise;
use warpweft_vector::passes::{self, Options, Room};
use warpweft_vector::{Builder, Evaluation, Machine, random, verify};

fn seeds() -> u64 {
    let count = std::env::var("WARPWEFT_SEEDS").ok().and_then(|text| text.parse().ok());
    count.unwrap_or(if cfg!(debug_assertions) { 240 } else { 2000 })
}

fn each(mut f: impl FnMut(u64, Function)) {
    for seed in 0..seeds() {
        let lanes = [1, 2, 4, 8, 16, 64][seed as usize % 6];
        let size = [20, 60, 150][seed as usize % 3];
        let function = random::function(seed, lanes, size);
        f(seed, function);
    }
}

fn run(function: &Function, seed: u64) -> Evaluation {
    let (mut evaluation, arguments) = random::evaluation(seed);
    if let Err(error) = evaluation.run(function, &arguments) {
        panic!("seed {seed}: {error}\n{function}");
    }
    evaluation
}

/// The pass leaves a valid function that does the same.
fn keeps(pass: impl Fn(Function) -> Function) {
    let mut changed = 0;
    each(|seed, function| {
        let before = run(&function, seed);
        let after = pass(function.clone());
        if let Err(error) = verify(&after) {
            panic!("seed {seed}: {error}\n{function}\nbecame\n{after}");
        }
        let left = run(&after, seed);
        if let Some((space, byte)) = random::difference(&before, &left) {
            panic!("seed {seed}: `{space}` differs at byte {byte}\n{function}\nbecame\n{after}");
        }
        changed += u32::from(function != after);
    });
    assert!(changed > 0, "the pass never did anything");
}

#[test]
fn functions_are_valid_and_many_write_memory() {
    let mut writing = 0;
    each(|seed, function| {
        if let Err(error) = verify(&function) {
            panic!("seed {seed}: {error}\n{function}");
        }
        let (before, _) = random::evaluation(seed);
        writing += u64::from(random::difference(&before, &run(&function, seed)).is_some());
    });
    assert!(writing > seeds() / 2, "only {writing} of {} functions write", seeds());
}

#[test]
fn text_reads_back() {
    each(|seed, mut function| {
        let text = function.to_string();
        let mut read = Function::parse(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert_eq!(read.to_string(), text, "seed {seed}");
        passes::renumber(&mut function);
        passes::renumber(&mut read);
        assert_eq!(read, function, "seed {seed}");
    });
}

#[test]
fn broken_text_is_refused_and_nothing_else() {
    let mut refused = 0;
    each(|seed, function| {
        let mut random = random::Random::new(seed);
        let mut text = function.to_string().into_bytes();
        for _ in 0..1 + random.below(4) {
            let at = random.below(text.len());
            match random.below(3) {
                0 => text[at] = b" %(){}[]=,:.@Lx0129-"[random.below(20)],
                1 => drop(text.remove(at)),
                _ => text.insert(at, b"9{}%-"[random.below(5)]),
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        match Function::parse(&text) {
            Ok(function) => refused += u32::from(verify(&function).is_err()),
            Err(error) => {
                refused += 1;
                assert!(error.line >= 1 && error.line <= text.lines().count() + 1, "{error}");
            }
        }
    });
    assert!(refused > 0);
}

#[test]
fn simplify_keeps_results() {
    keeps(passes::simplify);
}

#[test]
fn dce_keeps_results() {
    keeps(|mut function| {
        passes::dce(&mut function);
        function
    });
}

#[test]
fn licm_keeps_results() {
    keeps(|mut function| {
        passes::licm(&mut function);
        function
    });
}

#[test]
fn rotate_keeps_results() {
    keeps(|mut function| {
        passes::rotate(&mut function);
        function
    });
}

#[test]
fn induce_keeps_results() {
    keeps(|mut function| {
        passes::induce(&mut function);
        function
    });
}

#[test]
fn demand_keeps_results() {
    let did = std::cell::Cell::new(0);
    // What was stored comes to loads by shuffles, and constant masks ask for some of their lanes.
    keeps(|function| {
        let mut function = passes::simplify(function);
        did.set(did.get() + u32::from(passes::demand(&mut function)));
        function
    });
    assert!(did.get() > 0, "the pass never did anything");
}

/// The function as a round of a loop that runs twice, and begins by filling the first space.
fn in_rounds(mut function: Function) -> Function {
    const BYTES: u64 = 4608;
    let (body, base) = (std::mem::take(&mut function.body), function.params[0]);
    let mut b = Builder::rebuild(function);
    let [zero, one, two, four, end] = [0, 1, 2, 4, BYTES].map(|number| b.i64(number));
    let word = b.i32(7);
    let [out, round, filled, filling, inner] = [(); 5].map(|()| b.label());
    let either = |b: &mut Builder, condition, [(again, next), (done, _)]: [(Label, Value); 2]| {
        b.open();
        b.branch(again, &[next]);
        let then = b.close();
        b.open();
        b.branch(done, &[]);
        let otherwise = b.close();
        b.branch_on(condition, then, otherwise, &[], Hint::None);
    };
    let [number, place] = [(); 2].map(|()| b.value(Type::scalar(Kind::I64)));
    b.open();
    b.open();
    b.open();
    b.open();
    let space = SpaceId(0);
    let at =
        Access { base, index: Some(place), scale: 1, offset: 0, space, width: Width::Full, always: false };
    b.act(Effect::Store(at, word));
    let next = b.add(place, four);
    let more = b.lt_u(next, end);
    either(&mut b, more, [(filling, next), (filled, next)]);
    let list = b.close();
    b.push(Inst::Loop { label: filling, params: vec![(place, zero)], body: list });
    let list = b.close();
    b.push(Inst::Block { label: filled, body: list, results: vec![] });
    b.push(Inst::Block { label: inner, body, results: vec![] });
    let next = b.add(number, one);
    let more = b.lt_u(next, two);
    either(&mut b, more, [(round, next), (out, next)]);
    let list = b.close();
    b.push(Inst::Loop { label: round, params: vec![(number, zero)], body: list });
    let list = b.close();
    b.push(Inst::Block { label: out, body: list, results: vec![] });
    b.yields(&[]);
    b.finish()
}

#[test]
fn unread_keeps_what_is_read() {
    let mut dropped = 0;
    each(|seed, function| {
        // Simplified as well: a NaN's sign may change by that.
        let function = passes::simplify(in_rounds(function));
        let mut after = function.clone();
        after.spaces[0].fleeting = true;
        dropped += u32::from(passes::unread(&mut after));
        verify(&after).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{function}\nbecame\n{after}"));
        let (before, left) = (run(&function, seed), run(&after, seed));
        for space in 1..function.spaces.len() {
            let same = before.memory(space) == left.memory(space);
            assert!(same, "seed {seed}: space {space} differs\n{function}\nbecame\n{after}");
        }
    });
    assert!(dropped > 0, "the pass never did anything");
}

#[test]
fn overwritten_keeps_results() {
    keeps(|mut function| {
        passes::overwritten(&mut function);
        function
    });
    // Equal addresses are one value, and more is found.
    keeps(|function| {
        let mut function = passes::simplify(function);
        passes::overwritten(&mut function);
        function
    });
}

#[test]
fn strides_keeps_results() {
    keeps(|mut function| {
        passes::strides(&mut function, 32);
        function
    });
    // Equal addresses are one value, and groups larger.
    keeps(|function| {
        let mut function = passes::simplify(function);
        passes::strides(&mut function, 32);
        function
    });
}

#[test]
fn unroll_keeps_results() {
    keeps(|function| {
        let mut function = passes::simplify(function);
        passes::unroll(&mut function, 16);
        function
    });
}

#[test]
fn the_pipeline_keeps_results() {
    keeps(|function| passes::pipeline(function, Options { contract: false, register: 32, registers: 32 }));
}

#[test]
fn the_short_pipeline_keeps_results() {
    keeps(|function| {
        passes::short_pipeline(function, Options { contract: false, register: 32, registers: 32 })
    });
}

#[test]
fn the_pipeline_settles() {
    // What it leaves, it finds little to do with.
    let (mut once, mut twice) = (0, 0);
    each(|_, function| {
        let first = passes::pipeline(function, Options { contract: false, register: 32, registers: 32 });
        let second =
            passes::pipeline(first.clone(), Options { contract: false, register: 32, registers: 32 });
        once += first.values.len();
        twice += second.values.len();
    });
    assert!(twice * 100 >= once * 95, "{once} values, then {twice}");
}

#[test]
fn contraction_leaves_valid_functions_that_end() {
    let mut contracted = 0;
    each(|seed, function| {
        let mut after = function.clone();
        passes::contract(&mut after);
        if let Err(error) = verify(&after) {
            panic!("seed {seed}: {error}\n{function}\nbecame\n{after}");
        }
        run(&after, seed);
        contracted += u32::from(function != after);
    });
    assert!(contracted > 0);
}

/// A machine with nothing but the base that all have, and `Fma`, which not all can replace exactly.
struct Bare;

impl Machine for Bare {
    fn has(&self, op: &Op, _: Type, _: Type) -> bool {
        matches!(op, Op::Fma(..))
    }
}

#[test]
fn functions_legalised_behind_the_pipeline_keep_results() {
    keeps(|function| {
        let mut function =
            passes::pipeline(function, Options { contract: false, register: 32, registers: 32 });
        legalise(&mut function, &Bare);
        passes::licm(&mut function);
        passes::dce(&mut function);
        function
    });
}

#[test]
fn schedule_keeps_what_functions_do() {
    let rooms = [
        Room { vectors: 3, masks: None, parts: 1 },
        Room { vectors: 12, masks: Some(3), parts: 2 },
        Room { vectors: 100, masks: Some(100), parts: 4 },
    ];
    for room in rooms {
        keeps(|mut function| {
            passes::schedule(&mut function, room);
            function
        });
    }
}
