//! Numbers that wait in the frame for code that is rarely run, beside what else the frame holds; and flags that are asked
//! where they lie, beside stores to the same place.

mod common;

use common::{Memory, check};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

fn at(base: Value, offset: i32, space: SpaceId) -> Access {
    Access { base, index: None, scale: 1, offset, space, width: Width::Full, always: false }
}

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
    let (zero, one, most, mask) = (b.i64(0), b.i64(1), b.i64(20), b.i64(7));
    let (out, again) = (b.label(), b.label());
    let round = b.value(number);
    b.open();
    b.open();
    let lane = b.and(round, mask);
    let lane = b.convert(Convert::Truncate, lane, Kind::I32);
    let taken = b.define(number, Op::ExtractAt(lanes, lane));
    b.act(Effect::Store(Access { index: Some(round), scale: 8, ..at(to, 0, y) }, taken));
    let now = b.compare(Compare::Eq, taken, zero);
    b.open();
    for (place, &value) in numbers.iter().enumerate() {
        // A second time behind a lane, and as an address would use it.
        let wide = if kind == Kind::I64 { value } else { b.convert(Convert::ZeroExtend, value, Kind::I64) };
        let sum = b.add(wide, round);
        let sum = b.binary(Binary::Xor, sum, wide);
        b.act(Effect::Store(
            Access { index: Some(round), scale: 8, ..at(to, 160 + 8 * place as i32, y) },
            sum,
        ));
    }
    b.yields(&[]);
    let then = b.close();
    b.open();
    b.yields(&[]);
    let otherwise = b.close();
    b.branch_on(now, then, otherwise, &[], Hint::Unlikely);
    let next = b.add(round, one);
    let more = b.lt_u(next, most);
    b.open();
    b.branch(again, &[next]);
    let then = b.close();
    b.open();
    b.branch(out, &[]);
    let otherwise = b.close();
    b.branch_on(more, then, otherwise, &[], Hint::Likely);
    let body = b.close();
    b.push(Inst::Loop { label: again, params: vec![(round, zero)], body });
    let body = b.close();
    b.push(Inst::Block { label: out, body, results: vec![] });
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
