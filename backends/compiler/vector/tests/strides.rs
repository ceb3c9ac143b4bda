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
                    let wanted = run(&before, [lanes, stride.into()], kind, members);
                    let mut last = None;
                    for register in [16, 32, 64] {
                        let mut after = before.clone();
                        assert!(strides(&mut after, register), "{before}");
                        // Often it is the same for all of them.
                        if last.as_ref().is_some_and(|last: &Function| last.body == after.body) {
                            continue;
                        }
                        verify(&after).unwrap_or_else(|error| panic!("{error}\n{after}"));
                        let got = run(&after, [lanes, stride.into()], kind, members);
                        assert!(got == wanted, "registers of {register} bytes:\n{before}\n{after}");
                        last = Some(after);
                    }
                }
            }
        }
    }
}

/// What a copy leaves, in memories of nothing but what it touches.
fn run(function: &Function, [lanes, stride]: [u16; 2], kind: Kind, members: u8) -> Vec<u8> {
    let size = kind.size() as usize;
    let first = members.trailing_zeros() as usize * size;
    let most = 7 - members.leading_zeros() as usize;
    let end = (usize::from(lanes - 1) * usize::from(stride) + most + 1) * size;
    let mut evaluation = Evaluation::new();
    // No two elements are alike.
    let bytes =
        (first / 4..end / 4).flat_map(|word| (word as u32).wrapping_mul(0x9e37_79b1).to_le_bytes()).collect();
    let source = evaluation.map(bytes).wrapping_sub(first as u64);
    let target = evaluation.map(vec![0xee; end - first]).wrapping_sub(first as u64);
    evaluation.run(function, &[source, target]).unwrap_or_else(|error| panic!("{error}\n{function}"));
    evaluation.memory(1).to_vec()
}
