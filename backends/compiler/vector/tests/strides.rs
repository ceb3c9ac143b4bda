//! Strided accesses made wide: they give the same, and touch nothing beside what they touched.
//!
//! The evaluator ends a run that leaves its memories, and these hold just what is accessed.

use warpweft_vector::ir::*;
use warpweft_vector::passes::strides;
use warpweft_vector::{Builder, Evaluation, verify};

/// Copies those elements of each lane's period that the bits of `members` stand for, to where they were.
fn copy(lanes: u16, stride: u8, kind: Kind, members: u8) -> Function {
    let mut b = Builder::new("copy", lanes);
    let (from, to) = (b.space("from", true), b.space("to", false));
    let (source, target) = (b.param(Kind::I64), b.param(Kind::I64));
    let ty = b.vector(kind);
    let offsets: Vec<i32> =
        (0..8).filter(|at| members >> at & 1 == 1).map(|at| at * kind.size() as i32).collect();
    let access = |base, space, offset| Access {
        base,
        index: None,
        scale: 1,
        offset,
        space,
        width: Width::Full,
        always: false,
    };
    let values: Vec<Value> = offsets
        .iter()
        .rev()
        .map(|&offset| b.define(ty, Op::LoadStrided(access(source, from, offset), stride)))
        .collect();
    for (&offset, &value) in offsets.iter().rev().zip(&values) {
        b.act(Effect::StoreStrided(access(target, to, offset), stride, value));
    }
    b.yields(&[]);
    b.finish()
}

#[test]
fn nothing_else_is_touched() {
    for lanes in [2u16, 4, 8, 16, 32, 64] {
        for stride in STRIDES.filter(|&stride| u16::from(stride) <= lanes) {
            for kind in [Kind::I32, Kind::F64] {
                for members in 1..=u8::MAX >> (8 - stride) {
                    let before = copy(lanes, stride, kind, members);
                    let mut after = before.clone();
                    assert!(strides(&mut after), "{before}");
                    verify(&after).unwrap_or_else(|error| panic!("{error}\n{after}"));
                    let size = kind.size() as usize;
                    let first = members.trailing_zeros() as usize * size;
                    let most = 7 - members.leading_zeros() as usize;
                    let end = (usize::from(lanes - 1) * usize::from(stride) + most + 1) * size;
                    let bytes: Vec<u8> = (first..end).map(|at| (at * 7) as u8).collect();
                    let run = |function: &Function| {
                        let mut evaluation = Evaluation::new();
                        let source = evaluation.map(bytes.clone()).wrapping_sub(first as u64);
                        let target = evaluation.map(vec![0xee; bytes.len()]).wrapping_sub(first as u64);
                        evaluation
                            .run(function, &[source, target])
                            .unwrap_or_else(|error| panic!("{error}\n{before}\n{after}"));
                        evaluation.memory(1).to_vec()
                    };
                    assert!(run(&before) == run(&after), "{before}\n{after}");
                }
            }
        }
    }
}
