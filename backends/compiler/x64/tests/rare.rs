//! Numbers that wait in the frame for code that is rarely run, beside what else the frame holds; and flags that are asked
//! where they lie, beside stores to the same place.

mod common;

use common::{Memory, at, check, count, generate, only_where, rounds};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;
use warpweft_x64::{Level, listing};

/// Rounds that take a lane by its number, by way of the frame, around an arm for a few of them that uses so many numbers from
/// in front of the loop, of 64 or 32 bits.
fn lanes_and_rare_numbers(many: i32, kind: Kind) -> Function {
    let mut b = Builder::new("rare", 8);
    let (from, to) = (b.param(Kind::I64), b.param(Kind::I64));
    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
    let number = Type::scalar(Kind::I64);
    let numbers: Vec<Value> =
        (0..many).map(|place| b.define(Type::scalar(kind), Op::Load(at(from, place * 8, x)))).collect();
    let ty = b.vector(Kind::I64);
    let lanes = b.define(ty, Op::Load(at(from, 8, x)));
    let (zero, mask) = (b.i64(0), b.i64(7));
    rounds(&mut b, 20, |b, round, sum| {
        let lane = b.and(round, mask);
        let lane = b.convert(Convert::Truncate, lane, Kind::I32);
        let taken = b.define(number, Op::ExtractAt(lanes, lane));
        b.act(Effect::Store(Access { index: Some(round), scale: 8, ..at(to, 0, y) }, taken));
        let now = b.compare(Compare::Eq, taken, zero);
        only_where(b, now, Hint::Unlikely, |b| {
            for (place, &value) in numbers.iter().enumerate() {
                // A second time behind a lane, and as an address would use it.
                let wide =
                    if kind == Kind::I64 { value } else { b.convert(Convert::ZeroExtend, value, Kind::I64) };
                let sum = b.add(wide, round);
                let sum = b.binary(Binary::Xor, sum, wide);
                let to = at(to, 160 + 8 * place as i32, y);
                b.act(Effect::Store(Access { index: Some(round), scale: 8, ..to }, sum));
            }
        });
        sum
    });
    b.yields(&[]);
    b.finish()
}

#[test]
fn what_waits_in_the_frame_lies_beside_what_passes_through_it() {
    let mut numbers: Vec<u64> = (0..80).map(|n| 0x9234_5678_9abc_def1u64.wrapping_mul(2 * n + 3)).collect();
    // One lane in eight sends its round into the rare arm.
    numbers[6] = 0;
    // Few, and more than are kept.
    for many in [1, 9, 30, 70] {
        for kind in [Kind::I64, Kind::I32] {
            let memories = [Memory::of(Kind::I64, &numbers), Memory::zeros(Kind::I64, 120)];
            check(&lanes_and_rare_numbers(many, kind), &memories, &[vec![]]);
        }
    }
}

/// A loop with nine numbers that each round uses, and nine that a round in 100 does.
fn rarely_used() -> Function {
    let mut b = Builder::new("rarely", 4);
    let (from, to) = (b.param(Kind::I64), b.param(Kind::I64));
    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
    let number = Type::scalar(Kind::I64);
    let numbers: Vec<Value> =
        (0..18).map(|place| b.define(number, Op::Load(at(from, place * 8, x)))).collect();
    let (often, rarely) = numbers.split_at(9);
    rounds(&mut b, 100, |b, round, sum| {
        let mixed = often.iter().fold(sum, |sum, &often| {
            let shifted = b.add(sum, often);
            b.binary(Binary::Xor, shifted, round)
        });
        b.act(Effect::Store(Access { index: Some(round), scale: 8, ..at(to, 0, y) }, mixed));
        let last = b.i64(99);
        let now = b.compare(Compare::Eq, round, last);
        only_where(b, now, Hint::Unlikely, |b| {
            let all = rarely.iter().fold(mixed, |sum, &rarely| b.add(sum, rarely));
            b.act(Effect::Store(at(to, 800, y), all));
        });
        mixed
    });
    b.yields(&[]);
    b.finish()
}

#[test]
fn what_rarely_runs_takes_no_register_from_what_often_does() {
    let function = rarely_used();
    let numbers: Vec<u64> = (0..18).map(|number| 0x1234_5678_9abc_def1u64.wrapping_mul(number + 3)).collect();
    check(&function, &[Memory::of(Kind::I64, &numbers), Memory::zeros(Kind::I64, 101)], &[vec![]]);
    for level in [Level::Avx2, Level::Avx512] {
        let text = listing(&generate(&function, level));
        let (often, rarely) = text.split_once("ret").expect("a function returns");
        assert_eq!(count(often, ", [rsp"), 0, "{text}");
        assert_eq!(count(often, "mov [rsp"), 9, "{text}");
        assert_eq!(count(rarely, "[rsp"), 9, "{text}");
    }
}

/// A flag is read, something else is done, and it is asked.
fn flag(between: impl FnOnce(&mut Builder, Access, Value) -> Option<Value>) -> Function {
    let mut b = Builder::new("flag", 4);
    let (from, to) = (b.param(Kind::I64), b.param(Kind::I64));
    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
    let word = Type::scalar(Kind::I32);
    let limit = b.define(word, Op::Load(at(from, 4, x)));
    let early = b.define(word, Op::Load(at(from, 8, x)));
    let flag = b.define(word, Op::AtomicLoad(at(from, 0, x)));
    let other = between(&mut b, at(from, 0, x), early);
    let asked = b.compare(Compare::LtU, other.unwrap_or(flag), limit);
    let (one, two) = (b.i32(1), b.i32(2));
    b.open();
    b.act(Effect::Store(at(from, 0, x), one));
    b.yields(&[one]);
    let then = b.close();
    b.open();
    b.yields(&[two]);
    let otherwise = b.close();
    let [found] = b.branch_on(asked, then, otherwise, &[word], Hint::Likely)[..] else {
        panic!("one result")
    };
    // Only here, where another one was asked.
    let found = if other.is_some() { b.add(found, flag) } else { found };
    b.act(Effect::Store(at(to, 0, y), found));
    b.yields(&[]);
    b.finish()
}

#[test]
fn flags_are_what_they_were_when_they_were_read() {
    let functions = [
        flag(|_, _, _| None),
        flag(|b, place, _| {
            let nine = b.i32(9);
            b.act(Effect::Store(place, nine));
            None
        }),
        flag(|b, place, _| {
            let nine = b.i32(9);
            b.act(Effect::AtomicStore(place, nine));
            None
        }),
        flag(|_, _, early| Some(early)),
    ];
    for function in functions {
        for words in [[3, 5, 4], [5, 5, 6], [7, 5, 4], [0xffff_ffff, 5, 0xffff_ffff]] {
            let memories = [Memory::of(Kind::I32, &words), Memory::zeros(Kind::I32, 1)];
            check(&function, &memories, &[vec![]]);
        }
    }
}
