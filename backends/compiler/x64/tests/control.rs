//! Structure: branches, loops, blocks, values that cross them, and more values than registers.

mod common;

use common::{Memory, check, generate, levels, values};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

fn at(base: Value, offset: i32, space: SpaceId) -> Access {
    Access { base, index: None, scale: 1, offset, space, width: Width::Full, always: false }
}

/// Newton's square roots of a gang, until no lane changes by much: a loop left by a mask.
fn divergent_loop(lanes: u16, kind: Kind) -> Function {
    let mut b = Builder::new("roots", lanes);
    let (from, to) = (b.param(Kind::I64), b.param(Kind::I64));
    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
    let ty = b.vector(kind);
    let a = b.define(ty, Op::Load(at(from, 0, x)));
    let one = b.like(a, 1.0);
    let half = b.like(a, 0.5);
    let all = b.constant(ty.with(Kind::Bool), 1);
    let zero = b.i32(0);
    let (out, again) = (b.label(), b.label());
    let (root, active, count) = (b.value(ty), b.value(ty.with(Kind::Bool)), b.value(Type::scalar(Kind::I32)));
    let (last_root, last_count) = (b.value(ty), b.value(Type::scalar(Kind::I32)));
    b.open();
    b.open();
    let quotient = b.div(a, root);
    let sum = b.add(root, quotient);
    let better = b.mul(sum, half);
    let next = b.select(active, better, root);
    let change = b.sub(next, root);
    let change = b.abs(change);
    let limit = b.like(a, 0.001);
    let goes_on = b.gt(change, limit);
    let active_next = b.and(active, goes_on);
    let one_more = b.i32(1);
    let count_next = b.add(count, one_more);
    let any = b.define(Type::scalar(Kind::Bool), Op::Any(active_next));
    let most = b.i32(50);
    let few = b.lt_s(count_next, most);
    let more = b.and(any, few);
    b.open();
    b.branch(again, &[next, active_next, count_next]);
    let then = b.close();
    b.open();
    b.branch(out, &[next, count_next]);
    let otherwise = b.close();
    b.branch_on(more, then, otherwise, &[], Hint::Likely);
    let body = b.close();
    b.push(Inst::Loop { label: again, params: vec![(root, one), (active, all), (count, zero)], body });
    let body = b.close();
    b.push(Inst::Block { label: out, body, results: vec![last_root, last_count] });
    b.act(Effect::Store(at(to, 0, y), last_root));
    b.act(Effect::Store(at(to, 1024, y), last_count));
    b.yields(&[]);
    b.finish()
}

#[test]
fn loops_that_lanes_leave_one_by_one() {
    for kind in [Kind::F32, Kind::F64] {
        for lanes in [1, 2, 4, 8, 16, 32, 64] {
            let numbers: Vec<u64> = (0..64)
                .map(|n| {
                    let number = 0.1 + f64::from(n * n);
                    if kind == Kind::F32 { (number as f32).to_bits().into() } else { number.to_bits() }
                })
                .collect();
            let memories = [Memory::of(kind, &numbers), Memory::zeros(kind, 300)];
            check(&divergent_loop(lanes, kind), &memories, &[vec![]]);
        }
    }
}

#[test]
fn branches_by_every_comparison() {
    use Compare::*;
    for kind in [Kind::I32, Kind::I64, Kind::F32, Kind::F64] {
        let comparisons: &[Compare] = if kind.is_float() {
            &[Eq, Ne, Lt, Le, Gt, Ge]
        } else {
            &[Eq, Ne, LtS, LeS, GtS, GeS, LtU, LeU, GtU, GeU]
        };
        for &compare in comparisons {
            for negated in [false, true] {
                for constant in [None, Some(0u64), Some(1), Some(0x1234)] {
                    let mut b = Builder::new("branch", 1);
                    let (from, to, i) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
                    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
                    let scale = kind.size() as u8;
                    let place =
                        |base, offset, space| Access { index: Some(i), scale, ..at(base, offset, space) };
                    let ty = Type::scalar(kind);
                    let left = b.define(ty, Op::Load(place(from, 0, x)));
                    let right = match constant {
                        None => b.define(ty, Op::Load(place(from, 8 * kind.size() as i32, x))),
                        Some(bits) => b.constant(ty, bits),
                    };
                    let mut holds = b.compare(compare, left, right);
                    if negated {
                        holds = b.not(holds);
                    }
                    let result = b.either(holds, |b| vec![b.i32(11)], |b| vec![b.i32(22)]);
                    b.act(Effect::Store(place(to, 0, y), result[0]));
                    b.yields(&[]);
                    let rounds: Vec<Vec<u64>> = (0..40).map(|i| vec![i]).collect();
                    let memories = [Memory::of(kind, &values(kind, 64, 5)), Memory::zeros(kind, 64)];
                    check(&b.finish(), &memories, &rounds);
                }
            }
        }
    }
}

/// Sums of products of so many values with each other: all are needed until the end.
fn pressure(lanes: u16, kind: Kind, count: usize) -> Function {
    let mut b = Builder::new("pressure", lanes);
    let (from, to) = (b.param(Kind::I64), b.param(Kind::I64));
    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
    let ty = b.vector(kind);
    let all: Vec<Value> =
        (0..count).map(|n| b.define(ty, Op::Load(at(from, (n as u32 * kind.size()) as i32, x)))).collect();
    let mut masks = vec![];
    for n in 0..count {
        let compare = if kind.is_float() { Compare::Lt } else { Compare::LtS };
        masks.push(b.compare(compare, all[n], all[(n * 7 + 1) % count]));
    }
    let mut sums = all.clone();
    for step in 1..4 {
        for n in 0..count {
            let other = sums[(n * 3 + step) % count];
            sums[n] = b.add(sums[n], other);
        }
    }
    for n in 0..count {
        let sum = b.select(masks[(n + count / 2) % count], sums[n], all[n]);
        let sum = b.add(sum, sums[count - 1 - n]);
        b.act(Effect::Store(at(to, (n as u32 * u32::from(lanes) * kind.size()) as i32, y), sum));
    }
    b.yields(&[]);
    b.finish()
}

#[test]
fn more_values_than_registers() {
    for kind in [Kind::I32, Kind::I64, Kind::F32, Kind::F64] {
        for (lanes, count) in [(1, 40), (4, 60), (8, 50), (16, 70), (32, 40), (64, 30)] {
            let small: Vec<u64> = values(Kind::I32, 200, 77)
                .into_iter()
                .map(|bits| match kind {
                    Kind::F32 => u64::from(((bits % 1000) as f32).to_bits()),
                    Kind::F64 => ((bits % 1000) as f64).to_bits(),
                    _ => bits % 1000,
                })
                .collect();
            let memories = [Memory::of(kind, &small), Memory::zeros(kind, count * usize::from(lanes))];
            check(&pressure(lanes, kind, count), &memories, &[vec![]]);
        }
    }
}

#[test]
fn parameters_change_places() {
    // (a, b, c) -> (b, c, a): a cycle of moves on every round, in every class of registers.
    for lanes in [1, 16, 32] {
        for kind in [Kind::I32, Kind::F32, Kind::Bool] {
            let mut b = Builder::new("rotate", lanes);
            let (from, to, rounds) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
            let [x, y] = ["x", "y"].map(|name| b.space(name, false));
            let ty = b.vector(if kind == Kind::Bool { Kind::I32 } else { kind });
            let mut first: Vec<Value> =
                (0..3).map(|n| b.define(ty, Op::Load(at(from, n * i32::from(lanes) * 4, x)))).collect();
            if kind == Kind::Bool {
                let zero = b.like(first[0], 5.0);
                first = first.into_iter().map(|value| b.compare(Compare::GtS, value, zero)).collect();
            }
            let zero = b.i64(0);
            let (out, again) = (b.label(), b.label());
            let ty = b.ty(first[0]);
            let params: Vec<Value> = (0..3).map(|_| b.value(ty)).collect();
            let count = b.value(Type::scalar(Kind::I64));
            let results: Vec<Value> = (0..3).map(|_| b.value(ty)).collect();
            b.open();
            b.open();
            let done = b.compare(Compare::GeS, count, rounds);
            b.open();
            b.branch(out, &params.clone());
            let then = b.close();
            b.open();
            b.yields(&[]);
            let otherwise = b.close();
            b.branch_on(done, then, otherwise, &[], Hint::Unlikely);
            let one = b.i64(1);
            let next = b.add(count, one);
            b.branch(again, &[params[1], params[2], params[0], next]);
            let body = b.close();
            let mut starts: Vec<(Value, Value)> = params.iter().copied().zip(first).collect();
            starts.push((count, zero));
            b.push(Inst::Loop { label: again, params: starts, body });
            let body = b.close();
            b.push(Inst::Block { label: out, body, results: results.clone() });
            for (n, &result) in results.iter().enumerate() {
                let result = if kind == Kind::Bool {
                    let ty = ty.with(Kind::I32);
                    let (yes, no) = (b.constant(ty, 1), b.constant(ty, 2));
                    b.select(result, yes, no)
                } else {
                    result
                };
                b.act(Effect::Store(at(to, n as i32 * i32::from(lanes) * 4, y), result));
            }
            b.yields(&[]);
            let function = b.finish();
            for rounds in [0, 1, 2, 3, 10] {
                let numbers: Vec<u64> = (0..96).map(|n| n % 11).collect();
                let memories = [Memory::of(Kind::I32, &numbers), Memory::zeros(Kind::I32, 96)];
                check(&function, &memories, &[vec![rounds]]);
            }
        }
    }
}

#[test]
fn depth_does_not_matter() {
    // As deep as the verifier lets functions nest, and deeper: selection keeps its own stack.
    let mut b = Builder::new("deep", 8);
    let base = b.param(Kind::I64);
    let x = b.space("x", false);
    let depth = 5000;
    let ty = b.vector(Kind::I32);
    let zero = b.i64(0);
    let is_zero = b.eq(base, zero);
    for _ in 0..depth {
        b.open();
    }
    let value = b.define(ty, Op::Load(at(base, 0, x)));
    let more = b.add(value, value);
    b.act(Effect::Store(at(base, 0, x), more));
    for _ in 0..depth {
        b.yields(&[]);
        let then = b.close();
        b.open();
        b.yields(&[]);
        let otherwise = b.close();
        b.push(Inst::If {
            condition: is_zero,
            then: otherwise,
            otherwise: then,
            results: vec![],
            hint: Hint::None,
        });
    }
    b.yields(&[]);
    let function = b.finish();
    for level in [warpweft_x64::Level::Avx2, warpweft_x64::Level::Avx512] {
        let code = warpweft_x64::compile(&function, level).unwrap();
        if levels().contains(&level) {
            let memory = [Memory::of(Kind::I32, &values(Kind::I32, 8, 1))];
            let got = common::execute(&code, &memory, &[vec![]], 0);
            let wanted: Vec<u8> = values(Kind::I32, 8, 1)
                .iter()
                .flat_map(|&n| (n as u32).wrapping_mul(2).to_le_bytes())
                .collect();
            assert_eq!(got[0], wanted);
        }
    }
    // Its parts go one by one: a tree this deep is too much to be dropped at once.
    dismantle(function.body);
}

fn dismantle(list: Vec<Inst>) {
    let mut lists = vec![list];
    while let Some(list) = lists.pop() {
        for inst in list {
            match inst {
                Inst::If { then, otherwise, .. } => lists.extend([then, otherwise]),
                Inst::Block { body, .. } | Inst::Loop { body, .. } => lists.push(body),
                _ => {}
            }
        }
    }
}

#[test]
fn long_chains_of_waiting_operations_do_not_recurse() {
    let mut b = Builder::new("chain", 1);
    let (base, out) = (b.param(Kind::I64), b.param(Kind::I64));
    let [x, y] = ["x", "y"].map(|name| b.space(name, false));
    let mut sum = b.define(Type::scalar(Kind::I64), Op::Load(at(base, 0, x)));
    for n in 0..50_000u64 {
        // Not `b.add`, which would fold the constants.
        let number = b.define(Type::scalar(Kind::I64), Op::Const(n % 1000));
        sum = b.define(Type::scalar(Kind::I64), Op::Binary(Binary::Add, sum, number));
    }
    b.act(Effect::Store(at(out, 0, y), sum));
    b.yields(&[]);
    let function = b.finish();
    check(&function, &[Memory::of(Kind::I64, &[5]), Memory::zeros(Kind::I64, 1)], &[vec![]]);
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |function: &Function| {
        for level in [warpweft_x64::Level::Avx2, warpweft_x64::Level::Avx512] {
            assert!(warpweft_x64::compile(function, level).is_err(), "{function}");
        }
    };
    // Seven parameters.
    let mut b = Builder::new("many", 1);
    for _ in 0..7 {
        b.param(Kind::I64);
    }
    b.yields(&[]);
    refused(&b.finish());
    // A parameter that is a float.
    let mut b = Builder::new("float", 1);
    b.param(Kind::F32);
    b.yields(&[]);
    refused(&b.finish());
    // A division of vectors, which `Target` has not.
    let mut b = Builder::new("division", 8);
    let base = b.param(Kind::I64);
    let x = b.space("x", false);
    let ty = b.vector(Kind::I32);
    let value = b.define(ty, Op::Load(at(base, 0, x)));
    b.set_mark(Mark(12));
    let quotient = b.define(ty, Op::Binary(Binary::DivS, value, value));
    b.act(Effect::Store(at(base, 0, x), quotient));
    b.yields(&[]);
    let function = b.finish();
    refused(&function);
    let refusal = warpweft_x64::compile(&function, warpweft_x64::Level::Avx512).unwrap_err();
    assert_eq!(refusal.mark, Mark(12));
    // A function that is not one.
    let mut b = Builder::new("endless", 1);
    b.param(Kind::I64);
    refused(&b.finish());
    // More values at once than a stack should hold.
    let function = pressure(64, Kind::F64, 700);
    refused(&function);
}

#[test]
fn an_empty_endless_loop_stays_one() {
    // It is compiled, not run.
    let mut b = Builder::new("endless", 1);
    let label = b.label();
    b.open();
    b.branch(label, &[]);
    let body = b.close();
    b.push(Inst::Loop { label, params: vec![], body });
    let function = b.finish();
    for level in levels() {
        let code = generate(&function, level);
        assert!(warpweft_x64::listing(&code).contains("jmp"));
    }
}
