//! Shuffles that are one instruction: they give the same bits as the evaluator, and so does what is almost such a shuffle.
//!
//! Knows which instructions there should be. Shuffles of any lanes are part of the random test.

mod common;

use common::{Memory, at, check, count, generate, values};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;
use warpweft_vector::passes::strides;
use warpweft_x64::{Level, listing};

const KINDS: [Kind; 4] = [Kind::I32, Kind::I64, Kind::F32, Kind::F64];
const LEVELS: [(Level, usize); 2] = [(Level::Avx2, 32), (Level::Avx512, 64)];

/// Two vectors are loaded, once or for more uses than one; their shuffle is stored.
fn shuffled(lanes: u16, kind: Kind, from: &[u8], again: bool) -> Function {
    let mut b = Builder::new("shuffled", lanes);
    let bases = [(); 3].map(|()| b.param(Kind::I64));
    let spaces = ["a", "b", "to"].map(|name| b.space(name, false));
    let ty = b.vector(kind);
    let [x, y] = [0, 1].map(|n| b.define(ty, Op::Load(at(bases[n], 0, spaces[n]))));
    let both = b.define(ty, Op::Shuffle(x, y, from.into()));
    b.act(Effect::Store(at(bases[2], 0, spaces[2]), both));
    if again {
        for (n, value) in [(1, x), (2, y)] {
            let offset = n * i32::from(lanes) * kind.size() as i32;
            b.act(Effect::Store(at(bases[2], offset, spaces[2]), value));
        }
    }
    b.yields(&[]);
    b.finish()
}

/// The same bits everywhere, wherever operands are.
fn sound(lanes: u16, kind: Kind, from: &[u8]) {
    let count = usize::from(lanes);
    let number = |seed| Memory::of(kind, &values(kind, 256, seed)[256 - count..]);
    let memories = [number(3), number(8), Memory::zeros(kind, 3 * count)];
    for again in [false, true] {
        check(&shuffled(lanes, kind, from, again), &memories, &[vec![]]);
    }
}

/// Sound, and so is what differs from it in a lane.
fn sound_around(lanes: u16, kind: Kind, from: &[u8]) {
    sound(lanes, kind, from);
    for lane in 0..from.len() {
        for flip in [1, lanes as u8] {
            let mut other = from.to_vec();
            other[lane] ^= flip;
            sound(lanes, kind, &other);
        }
    }
}

/// Of each 16 bytes of two vectors the halves that begin at a lane, so many lanes of one before the other's turn.
fn in_turn(lanes: u8, kind: Kind, start: u8, turn: u8, vectors: [u8; 2]) -> Vec<u8> {
    let piece = 16 / kind.size() as u8;
    let mut from = vec![];
    for first in (0..lanes).step_by(piece.into()) {
        for lane in (first + start..).take((piece / 2).into()).step_by(turn.into()) {
            for vector in vectors {
                from.extend((lane..lane + turn).map(|lane| vector * lanes + lane));
            }
        }
    }
    from
}

#[test]
fn halves_in_turn_are_one_instruction() {
    for kind in KINDS {
        let piece = 16 / kind.size() as u8;
        for lanes in [2, 4, 8, 16].into_iter().filter(|lanes| lanes % piece == 0) {
            for (turn, start) in [(1, 0), (1, piece / 2), (2, 0), (2, piece / 2)] {
                if 2 * turn > piece {
                    continue;
                }
                let name = match (u32::from(turn) * kind.size(), start) {
                    (4, 0) => "vpunpckldq",
                    (4, _) => "vpunpckhdq",
                    (_, 0) => "vpunpcklqdq",
                    _ => "vpunpckhqdq",
                };
                for vectors in [[0, 1], [1, 0]] {
                    let from = in_turn(lanes, kind, start, turn, vectors);
                    assert_eq!(from.len(), usize::from(lanes));
                    sound_around(lanes.into(), kind, &from);
                    for (level, register) in LEVELS {
                        let function = shuffled(lanes.into(), kind, &from, true);
                        let text = listing(&generate(&function, level));
                        let parts = (usize::from(lanes) * kind.size() as usize).div_ceil(register);
                        assert_eq!(count(&text, name), parts, "{level:?}\n{function}\n{text}");
                        assert_eq!(count(&text, "vperm"), 0, "{level:?}\n{function}\n{text}");
                        assert_eq!(count(&text, "rip"), 0, "numbers of lanes:\n{text}");
                    }
                }
            }
        }
    }
}

#[test]
fn pieces_of_16_bytes_are_one_instruction() {
    for kind in KINDS {
        let piece = 16 / kind.size() as u8;
        let lanes = 2 * piece;
        // Of two registers, in either order.
        for pieces in [[0, 2], [0, 3], [1, 2], [1, 3], [2, 0], [2, 1], [3, 0], [3, 1]] {
            let from: Vec<u8> =
                pieces.iter().flat_map(|&number: &u8| number * piece..(number + 1) * piece).collect();
            sound_around(lanes.into(), kind, &from);
            let function = shuffled(lanes.into(), kind, &from, true);
            let text = listing(&generate(&function, Level::Avx2));
            assert_eq!(count(&text, "vperm2i128"), 1, "{function}\n{text}");
            assert_eq!(count(&text, "rip"), 0, "numbers of lanes:\n{text}");
        }
    }
}

/// Gangs of one register and of two; what is asked for is everything.
#[test]
fn whole_periods_are_transposed_within_16_bytes_first() {
    // By stride and kind: stages within 16 bytes, and others.
    for (level, register, name, stride, kind, inner, outer) in [
        (Level::Avx2, 32, "vperm2i128", 8, Kind::F32, 2, 1),
        (Level::Avx2, 32, "vperm2i128", 4, Kind::F64, 1, 1),
        (Level::Avx512, 64, "vpermi2d", 8, Kind::F32, 2, 1),
        (Level::Avx512, 64, "vpermi2q", 4, Kind::F64, 1, 1),
        (Level::Avx512, 64, "vpermi2q", 8, Kind::F64, 1, 2),
    ] {
        for parts in [1, 2, 4] {
            let size = kind.size() as usize;
            let mut b = Builder::new("transposed", (parts * register / size) as u16);
            let [source, target] = [(); 2].map(|()| b.param(Kind::I64));
            let [from, to] = ["from", "to"].map(|name| b.space(name, false));
            let ty = b.vector(kind);
            let offsets: Vec<i32> = (0..i32::from(stride)).map(|member| member * size as i32).collect();
            let values: Vec<Value> = offsets
                .iter()
                .map(|&offset| b.define(ty, Op::LoadStrided(at(source, offset, from), stride)))
                .collect();
            for (&offset, &value) in offsets.iter().zip(values.iter().rev()) {
                b.act(Effect::StoreStrided(at(target, offset, to), stride, value));
            }
            b.yields(&[]);
            let mut function = b.finish();
            assert!(strides(&mut function, register as u16));
            let text = listing(&generate(&function, level));
            // There and back.
            let registers = 2 * parts * usize::from(stride);
            assert_eq!(count(&text, "vpunpck"), inner * registers, "{function}\n{text}");
            assert_eq!(count(&text, name), outer * registers, "{function}\n{text}");
            assert_eq!(count(&text, "vperm"), outer * registers, "nothing else:\n{function}\n{text}");
        }
    }
}
