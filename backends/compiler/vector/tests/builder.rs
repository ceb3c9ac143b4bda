//! What the builder makes of what it is told, and passes on functions of extreme shape.
//!
//! Single identities are in `files/simplify-*.vec`: that pass builds through the builder.

use warpweft_vector::ir::{Access, Binary, Effect, Function, Hint, Inst, Kind, Op, Type, Width};
use warpweft_vector::passes::{self, Options};
use warpweft_vector::{Builder, Evaluation, MOST_LEVELS, verify};

fn defined(insts: &[Inst], op: impl Fn(&Op) -> bool + Copy) -> usize {
    let nested = |inst: &Inst| match inst {
        Inst::Let { op: found, .. } => usize::from(op(found)),
        Inst::If { then, otherwise, .. } => defined(then, op) + defined(otherwise, op),
        Inst::Block { body, .. } | Inst::Loop { body, .. } => defined(body, op),
        _ => 0,
    };
    insts.iter().map(nested).sum()
}

#[test]
fn equal_operations_are_built_once_where_they_are_visible() {
    let mut b = Builder::new("f", 4);
    let (x, y) = (b.param(Kind::I64), b.param(Kind::I64));
    let product = b.mul(x, y);
    assert_eq!(b.mul(y, x), product);
    let condition = b.lt_u(x, y);
    b.open();
    let inner = b.sub(x, y);
    assert_eq!(b.sub(x, y), inner);
    assert_eq!(b.mul(x, y), product);
    b.yields(&[inner]);
    let then = b.close();
    b.open();
    let other = b.sub(x, y);
    assert_ne!(other, inner, "the other arm does not see it");
    b.yields(&[other]);
    let otherwise = b.close();
    b.branch_on(condition, then, otherwise, &[Type::scalar(Kind::I64)], Hint::None);
    b.yields(&[]);
    let function = b.finish();
    assert_eq!(verify(&function), Ok(()));
    assert_eq!(defined(&function.body, |op| matches!(op, Op::Binary(..))), 3);
}

#[test]
fn constants_of_inner_lists_stand_at_the_top_once() {
    let mut b = Builder::new("f", 8);
    let x = b.param(Kind::I64);
    b.open();
    let one = b.i64(1);
    let sum = b.add(x, one);
    b.yields(&[sum]);
    let body = b.close();
    let label = b.label();
    let result = b.value(Type::scalar(Kind::I64));
    b.push(Inst::Block { label, body, results: vec![result] });
    assert_eq!(b.i64(1), one, "it is visible here");
    b.yields(&[]);
    let function = b.finish();
    assert_eq!(verify(&function), Ok(()));
    assert!(matches!(function.body[0], Inst::Let { op: Op::Const(1), .. }));
    assert_eq!(defined(&function.body, |op| matches!(op, Op::Const(_))), 1);
}

/// As many lists in each other as there may be: arms in a chain.
fn deepest(levels: usize) -> Function {
    let mut b = Builder::new("deep", 4);
    let (x, address) = (b.param(Kind::I64), b.param(Kind::I64));
    let space = b.space("s", false);
    (0..levels - 2).for_each(|_| b.open());
    let access =
        Access { base: address, index: None, scale: 1, offset: 0, space, width: Width::Full, always: false };
    b.act(Effect::Store(access, x));
    b.yields(&[]);
    for level in (0..levels - 2).rev() {
        let then = b.close();
        let bound = b.i64(level as u64 + 2);
        let condition = b.lt_u(x, bound);
        b.branch_on(condition, then, vec![Inst::Yield { arguments: vec![] }], &[], Hint::None);
        b.yields(&[]);
    }
    b.finish()
}

#[test]
fn the_deepest_nesting_is_no_danger_and_deeper_is_refused() {
    let function = deepest(MOST_LEVELS);
    assert_eq!(verify(&function), Ok(()));
    let mut evaluation = Evaluation::new();
    let address = evaluation.map(vec![9; 8]);
    assert_eq!(evaluation.run(&function, &[1, address]), Ok(()));
    assert_eq!(evaluation.memory(0), 1u64.to_le_bytes());
    let text = function.to_string();
    assert_eq!(Function::parse(&text).map(|read| read.to_string()), Ok(text));
    let after = passes::pipeline(function, Options { contract: true, register: 16, registers: 16 });
    assert_eq!(verify(&after), Ok(()));
    assert!(verify(&deepest(MOST_LEVELS + 2)).is_err());
    let deep = format!("function f() lanes 1 {{\n{}", "block L0 {\n".repeat(100_000));
    let error = Function::parse(&deep).expect_err("it is too deep");
    assert_eq!(error.line, MOST_LEVELS + 2, "{error}");
}

/// Divisions by constants, held against the machine's own.
#[test]
fn divisions_by_constants_are_exact() {
    let mut divisors: Vec<u64> =
        vec![1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 25, 60, 64, 100, 125, 625, 641, 1000, 65_537];
    divisors.extend([
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0xffff_fffe,
        0xffff_ffff,
        0xaaaa_aaab,
        1_000_000_007,
    ]);
    for kind in [Kind::I32, Kind::I64] {
        let bits = u64::from(kind.size()) * 8;
        let all = u64::MAX >> (64 - bits);
        let wide: Vec<u64> =
            divisors.iter().flat_map(|&d| [d, d.wrapping_neg() & all, d << (bits / 3) & all]).collect();
        for d in wide.into_iter().filter(|&d| d != 0 && d <= all) {
            let dividends: Vec<u64> =
                [0, 1, 2, d - 1, d, d.wrapping_add(1), all, all - 1, all / 2, all / 2 + 1, all / 3]
                    .into_iter()
                    .chain((1..40).map(|i| d.wrapping_mul(i * 37).wrapping_sub(i % 2)))
                    .chain((1..40).map(|i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
                    .map(|x| x & all)
                    .collect();
            division(kind, d, &dividends);
        }
    }
}

fn division(kind: Kind, d: u64, dividends: &[u64]) {
    use Binary::*;
    let mut b = Builder::new("divisions", 1);
    let base = b.param(Kind::I64);
    let space = b.space("s", false);
    let size = kind.size();
    let at = |index: usize| Access {
        base,
        index: None,
        scale: 1,
        offset: (index * size as usize) as i32,
        space,
        width: Width::Full,
        always: false,
    };
    let ty = Type::scalar(kind);
    for index in 0..dividends.len() {
        let x = b.define(ty, Op::Load(at(index)));
        let divisor = b.constant(ty, d);
        for (place, op) in [DivU, RemU, DivS, RemS].into_iter().enumerate() {
            let result = b.binary(op, x, divisor);
            b.act(Effect::Store(at(dividends.len() * (place + 1) + index), result));
        }
    }
    b.yields(&[]);
    let function = b.finish();
    let stays = defined(&function.body, |op| matches!(op, Op::Binary(DivU | RemU | DivS | RemS, ..)));
    assert_eq!(stays, 0, "no division is left");
    let mut evaluation = Evaluation::new();
    let bytes = |x: u64| x.to_le_bytes()[..size as usize].to_vec();
    let mut memory: Vec<u8> = dividends.iter().flat_map(|&x| bytes(x)).collect();
    memory.resize(memory.len() * 5, 0);
    let address = evaluation.map(memory);
    assert_eq!(evaluation.run(&function, &[address]), Ok(()));
    let signed = |x: u64| if kind == Kind::I32 { i64::from(x as i32) } else { x as i64 };
    for (index, &x) in dividends.iter().enumerate() {
        let expected = [
            x / d,
            x % d,
            signed(x).wrapping_div(signed(d)) as u64,
            signed(x).wrapping_rem(signed(d)) as u64,
        ];
        for (place, expected) in expected.into_iter().enumerate() {
            let at = (dividends.len() * (place + 1) + index) * size as usize;
            let found = &evaluation.memory(0)[at..at + size as usize];
            assert_eq!(found, bytes(expected), "{kind}: {x:#x} by {d:#x}, result {place}");
        }
    }
}
