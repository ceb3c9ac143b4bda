//! Every operation, on every kind, in every width, at every level, with operands in registers, in memory and as
//! constants: the same bits as the evaluator's.

mod common;

use common::{Memory, check, values};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

const WIDTHS: [u16; 7] = [1, 2, 4, 8, 16, 32, 64];
const INTS: [Kind; 2] = [Kind::I32, Kind::I64];
const FLOATS: [Kind; 2] = [Kind::F32, Kind::F64];
const ALL: [Kind; 4] = [Kind::I32, Kind::I64, Kind::F32, Kind::F64];

/// What scalars have not.
const VECTORS_ONLY: [&str; 4] = ["extract", "extract_at", "permute", "reduce"];

/// Where operands come from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    /// Loads that are used once.
    Memory,
    /// Loads that are used twice.
    Registers,
    /// The last operand is a constant.
    Constant,
}

/// A memory form for each kind: truth is kept as integers.
fn stored(kind: Kind) -> Kind {
    if kind == Kind::Bool { Kind::I32 } else { kind }
}

fn access(base: Value, index: Value, kind: Kind, space: SpaceId) -> Access {
    Access {
        base,
        index: Some(index),
        scale: kind.size() as u8,
        offset: 0,
        space,
        width: Width::Full,
        always: false,
    }
}

fn read(b: &mut Builder, (base, index): (Value, Value), space: SpaceId, kind: Kind) -> Value {
    let ty = b.vector(stored(kind));
    let loaded = b.define(ty, Op::Load(access(base, index, ty.kind, space)));
    if kind != Kind::Bool {
        return loaded;
    }
    let zero = b.like(loaded, 0.0);
    b.compare(Compare::Ne, loaded, zero)
}

fn write(b: &mut Builder, (base, index): (Value, Value), space: SpaceId, value: Value) {
    let value = if b.ty(value).kind == Kind::Bool {
        let ty = b.ty(value).with(Kind::I32);
        let (one, zero) = (b.constant(ty, 1), b.constant(ty, 0));
        b.select(value, one, zero)
    } else {
        value
    };
    let kind = b.ty(value).kind;
    b.act(Effect::Store(access(base, index, kind, space), value));
}

/// Checks an operation on operands of those kinds; `shapes` gives values for each operand.
fn sweep(
    name: &str,
    kinds: &[Kind],
    result: Kind,
    op: impl Fn(&mut Builder, &[Value]) -> Value,
    sets: &[Vec<u64>],
) {
    for lanes in WIDTHS {
        for from in [From::Memory, From::Registers, From::Constant] {
            sweep_one(name, kinds, result, &op, sets, lanes, from);
        }
    }
}

fn sweep_one(
    name: &str,
    kinds: &[Kind],
    result: Kind,
    op: &impl Fn(&mut Builder, &[Value]) -> Value,
    sets: &[Vec<u64>],
    lanes: u16,
    from: From,
) {
    if lanes == 1 && VECTORS_ONLY.contains(&name) {
        return;
    }
    let mut b = Builder::new(name, lanes);
    let bases: Vec<Value> = (0..kinds.len() + 2).map(|_| b.param(Kind::I64)).collect();
    let index = b.param(Kind::I64);
    let spaces: Vec<SpaceId> = (0..kinds.len()).map(|n| b.space(&format!("in{n}"), true)).collect();
    let spare = b.space("spare", false);
    let out = b.space("result", false);
    let mut operands = vec![];
    for (place, &kind) in kinds.iter().enumerate() {
        if from == From::Constant && place + 1 == kinds.len() && kind != Kind::Bool {
            // Some ordinary number, which is a power of two as well.
            let ty = b.vector(kind);
            let bits = match kind {
                Kind::F32 => 4f32.to_bits().into(),
                Kind::F64 => 4f64.to_bits(),
                _ => 4,
            };
            operands.push(b.constant(ty, bits));
            continue;
        }
        let operand = read(&mut b, (bases[place], index), spaces[place], kind);
        if from == From::Registers {
            write(&mut b, (bases[kinds.len()], index), spare, operand);
        }
        operands.push(operand);
    }
    let value = op(&mut b, &operands);
    write(&mut b, (bases[kinds.len() + 1], index), out, value);
    b.yields(&[]);
    let function = b.finish();
    let count = sets[0].len();
    let mut memories: Vec<Memory> =
        kinds.iter().zip(sets).map(|(&kind, set)| Memory::of(stored(kind), set)).collect();
    memories.push(Memory::zeros(Kind::I64, count));
    memories.push(Memory::zeros(stored(result), count));
    let rounds: Vec<Vec<u64>> =
        (0..count / usize::from(lanes)).map(|chunk| vec![chunk as u64 * u64::from(lanes)]).collect();
    check(&function, &memories, &rounds);
}

/// Values for `operands` operands, so that all pairs of the first ones meet.
fn pairs(kind: Kind, operands: usize) -> Vec<Vec<u64>> {
    let base = values(kind, 24, 7);
    let count = 192;
    (0..operands)
        .map(|operand| {
            let step = [1, 7, 11][operand];
            let extra = values(kind, 240, 99 + operand as u64);
            (0..count)
                .map(|n| if n < 128 { base[(n * step + n / 24 * operand) % base.len()] } else { extra[n] })
                .collect()
        })
        .collect()
}

#[test]
fn operations_on_one_operand() {
    use Unary::*;
    for kind in INTS {
        for op in [Neg, Not, Abs, CountOnes, LeadingZeros, TrailingZeros] {
            sweep(&format!("{op:?}"), &[kind], kind, |b, v| b.unary(op, v[0]), &pairs(kind, 1));
        }
    }
    for kind in FLOATS {
        for op in [Neg, Abs, Sqrt, Floor, Ceil, Trunc, Nearest] {
            sweep(&format!("{op:?}"), &[kind], kind, |b, v| b.unary(op, v[0]), &pairs(kind, 1));
        }
    }
    sweep("Not", &[Kind::Bool], Kind::Bool, |b, v| b.unary(Not, v[0]), &pairs(Kind::Bool, 1));
}

#[test]
fn operations_on_two_integers() {
    use Binary::*;
    for kind in INTS {
        for op in [Add, Sub, Mul, MulHigh, And, Or, Xor, MinS, MaxS, MinU, MaxU] {
            sweep(&format!("{op:?}"), &[kind; 2], kind, |b, v| b.binary(op, v[0], v[1]), &pairs(kind, 2));
        }
        let mut shifts = pairs(kind, 2);
        shifts[1].iter_mut().for_each(|amount| *amount %= u64::from(kind.size()) * 8);
        for op in [Shl, ShrS, ShrU] {
            sweep(&format!("{op:?}"), &[kind; 2], kind, |b, v| b.binary(op, v[0], v[1]), &shifts);
        }
        let mut division = pairs(kind, 2);
        division[1].iter_mut().for_each(|divisor| {
            if *divisor == 0 || *divisor == u64::MAX || *divisor == u64::from(u32::MAX) {
                *divisor = 3;
            }
        });
        for op in [DivS, DivU, RemS, RemU] {
            sweep(&format!("{op:?}"), &[kind; 2], kind, |b, v| b.binary(op, v[0], v[1]), &division);
        }
        for op in [And, Or, Xor] {
            sweep(
                &format!("{op:?}Not"),
                &[kind; 2],
                kind,
                |b, v| {
                    let complement = b.unary(Unary::Not, v[0]);
                    b.binary(op, complement, v[1])
                },
                &pairs(kind, 2),
            );
        }
    }
    for op in [And, Or, Xor] {
        sweep(
            &format!("{op:?}"),
            &[Kind::Bool; 2],
            Kind::Bool,
            |b, v| b.binary(op, v[0], v[1]),
            &pairs(Kind::Bool, 2),
        );
        sweep(
            &format!("{op:?}Not"),
            &[Kind::Bool; 2],
            Kind::Bool,
            |b, v| {
                let complement = b.unary(Unary::Not, v[1]);
                b.binary(op, v[0], complement)
            },
            &pairs(Kind::Bool, 2),
        );
    }
}

#[test]
fn operations_on_floats() {
    use Binary::*;
    for kind in FLOATS {
        for op in [Add, Sub, Mul, Div, Min, Max] {
            sweep(&format!("{op:?}"), &[kind; 2], kind, |b, v| b.binary(op, v[0], v[1]), &pairs(kind, 2));
            sweep(
                &format!("{op:?}Turned"),
                &[kind; 2],
                kind,
                |b, v| b.binary(op, v[1], v[0]),
                &pairs(kind, 2),
            );
        }
        for signs in 0..8 {
            sweep(
                &format!("Fma{signs}"),
                &[kind; 3],
                kind,
                |b, v| {
                    let sign = |b: &mut Builder, bit: u32, value| {
                        if signs >> bit & 1 == 1 { b.neg(value) } else { value }
                    };
                    let (x, y, z) = (sign(b, 0, v[0]), sign(b, 1, v[1]), sign(b, 2, v[2]));
                    b.fma(x, y, z)
                },
                &pairs(kind, 3),
            );
        }
        sweep("FmaTurned", &[kind; 3], kind, |b, v| b.fma(v[2], v[0], v[1]), &pairs(kind, 3));
        sweep("FmaSquare", &[kind; 2], kind, |b, v| b.fma(v[0], v[0], v[1]), &pairs(kind, 2));
        sweep("FmaSame", &[kind; 1], kind, |b, v| b.fma(v[0], v[0], v[0]), &pairs(kind, 1));
    }
}

#[test]
fn powers_of_two() {
    // Level AVX2 has it in other words.
    for (kind, most) in [(Kind::F32, 250.0), (Kind::F32, 155.0), (Kind::F64, 2000.0), (Kind::F64, 1080.0)] {
        sweep(
            "Scale",
            &[kind; 2],
            kind,
            |b, v| {
                let [quarter, four, low, high] = [0.25, 4.0, -most, most].map(|bound| b.like(v[0], bound));
                let (a, n) = (b.max(v[0], quarter), b.max(v[1], low));
                let (a, n) = (b.min(a, four), b.min(n, high));
                let n = b.unary(Unary::Nearest, n);
                b.scale(a, n)
            },
            &pairs(kind, 2),
        );
    }
}

#[test]
fn estimates_are_near() {
    // Refined once, they agree with the exact value to many bits; unrefined they differ from machine to machine.
    for op in [Unary::InverseSqrtEstimate, Unary::InverseEstimate] {
        let numbers: Vec<u64> =
            (0..192).map(|n| u64::from((0.001f32 * 1.37f32.powi(n % 40) + n as f32).to_bits())).collect();
        sweep(
            "near",
            &[Kind::F32],
            Kind::Bool,
            |b, v| {
                let estimate = b.unary(op, v[0]);
                let one = b.like(estimate, 1.0);
                let product = match op {
                    Unary::InverseEstimate => b.mul(estimate, v[0]),
                    _ => {
                        let square = b.mul(estimate, estimate);
                        b.mul(square, v[0])
                    }
                };
                let error = b.sub(product, one);
                let error = b.abs(error);
                let limit = b.like(error, 0.0008);
                b.lt(error, limit)
            },
            &[numbers],
        );
    }
}

#[test]
fn comparisons_and_choices() {
    use Compare::*;
    for kind in ALL {
        let comparisons: &[Compare] = if kind.is_float() {
            &[Eq, Ne, Lt, Le, Gt, Ge]
        } else {
            &[Eq, Ne, LtS, LeS, GtS, GeS, LtU, LeU, GtU, GeU]
        };
        for &op in comparisons {
            sweep(
                &format!("{op:?}"),
                &[kind; 2],
                Kind::Bool,
                |b, v| b.compare(op, v[0], v[1]),
                &pairs(kind, 2),
            );
            for other in ALL {
                sweep(
                    &format!("{op:?}Select"),
                    &[kind, kind],
                    other,
                    |b, v| {
                        let holds = b.compare(op, v[0], v[1]);
                        let ty = b.vector(other);
                        let (yes, no) = (b.constant(ty, 0x4123_4567), b.constant(ty, 0x3f00_0000));
                        b.select(holds, yes, no)
                    },
                    &pairs(kind, 2).iter().map(|set| set[..64].to_vec()).collect::<Vec<_>>(),
                );
            }
        }
        let mut sets = pairs(kind, 2);
        sets.insert(0, pairs(Kind::Bool, 1).remove(0));
        sweep("Select", &[Kind::Bool, kind, kind], kind, |b, v| b.select(v[0], v[1], v[2]), &sets);
        for zero_first in [false, true] {
            sweep(
                "SelectZero",
                &[Kind::Bool, kind],
                kind,
                |b, v| {
                    let zero = b.like(v[1], 0.0);
                    if zero_first { b.select(v[0], zero, v[1]) } else { b.select(v[0], v[1], zero) }
                },
                &sets,
            );
        }
    }
    sweep(
        "SelectBool",
        &[Kind::Bool; 3],
        Kind::Bool,
        |b, v| b.select(v[0], v[1], v[2]),
        &pairs(Kind::Bool, 3),
    );
}

#[test]
fn conversions() {
    use Convert::*;
    let cases: &[(Convert, Kind, Kind)] = &[
        (SignExtend, Kind::I32, Kind::I64),
        (ZeroExtend, Kind::I32, Kind::I64),
        (Truncate, Kind::I64, Kind::I32),
        (Widen, Kind::F32, Kind::F64),
        (Narrow, Kind::F64, Kind::F32),
        (FromHalf, Kind::I32, Kind::F32),
        (ToHalf, Kind::F32, Kind::I32),
        (Bitcast, Kind::F32, Kind::I32),
        (Bitcast, Kind::I32, Kind::F32),
        (Bitcast, Kind::F64, Kind::I64),
        (Bitcast, Kind::I64, Kind::F64),
        (Bitcast, Kind::I64, Kind::I64),
    ];
    let mut all = cases.to_vec();
    for int in INTS {
        for float in FLOATS {
            all.push((FromSigned, int, float));
            all.push((FromUnsigned, int, float));
            all.push((ToSigned, float, int));
            all.push((ToUnsigned, float, int));
        }
    }
    for (op, from, to) in all {
        let mut sets = vec![values(from, 192, 5)];
        if op == FromHalf {
            sets = vec![(0..192).map(|n| (n * 347) & 0xffff).collect()];
        } else if op == ToHalf || (op == Bitcast && from == Kind::F32) {
            // Any NaN is as good as any other.
            sets[0].retain(|&bits| !f32::from_bits(bits as u32).is_nan());
            sets[0].resize(192, 0);
        } else if op == Bitcast && from == Kind::F64 {
            sets[0].retain(|&bits| !f64::from_bits(bits).is_nan());
            sets[0].resize(192, 0);
        }
        sweep(&format!("{op:?}"), &[from], to, |b, v| b.convert(op, v[0], to), &sets);
    }
}

#[test]
fn lanes_in_and_out() {
    for kind in ALL.into_iter().chain([Kind::Bool]) {
        for lanes in WIDTHS {
            for lane in [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 47, 63] {
                if lane >= lanes {
                    continue;
                }
                let op = |b: &mut Builder, v: &[Value]| {
                    let ty = Type::scalar(kind);
                    b.define(ty, Op::Extract(v[0], lane))
                };
                sweep_one("extract", &[kind], kind, &op, &pairs(kind, 1), lanes, From::Memory);
                if lanes == 1 {
                    continue;
                }
                let splat = |b: &mut Builder, v: &[Value]| {
                    let one = b.define(Type::scalar(kind), Op::Extract(v[0], lane));
                    b.splat(one)
                };
                sweep_one("splat", &[kind], kind, &splat, &pairs(kind, 1), lanes, From::Registers);
                // The lane comes from memory: it is not known.
                let at = |b: &mut Builder, v: &[Value]| {
                    let number = b.define(Type::scalar(Kind::I32), Op::Extract(v[1], 0));
                    b.define(Type::scalar(kind), Op::ExtractAt(v[0], number))
                };
                let sets = [pairs(kind, 1).remove(0), vec![lane.into(); 192]];
                sweep_one("extract_at", &[kind, Kind::I32], kind, &at, &sets, lanes, From::Registers);
            }
            if kind == Kind::Bool || lanes == 1 {
                continue;
            }
            let from: Vec<u64> = (0..192).map(|n| (n * 5 + n / 3) % u64::from(lanes)).collect();
            let permute = |b: &mut Builder, v: &[Value]| {
                let ty = b.ty(v[0]);
                b.define(ty, Op::Permute(v[0], v[1]))
            };
            let sets = [pairs(kind, 1).remove(0), from];
            sweep_one("permute", &[kind, Kind::I32], kind, &permute, &sets, lanes, From::Registers);
            sweep_one("permute", &[kind, Kind::I32], kind, &permute, &sets, lanes, From::Memory);
        }
    }
}

#[test]
fn reductions() {
    use Binary::*;
    for kind in ALL.into_iter().chain([Kind::Bool]) {
        let operations: &[Binary] = match kind {
            Kind::Bool => &[And, Or, Xor],
            Kind::F32 | Kind::F64 => &[Add, Mul, Min, Max],
            _ => &[Add, Mul, And, Or, Xor, MinS, MaxS, MinU, MaxU],
        };
        for &op in operations {
            sweep(
                "reduce",
                &[kind],
                kind,
                |b, v| {
                    let ty = Type::scalar(kind);
                    b.define(ty, Op::Reduce(op, v[0]))
                },
                &pairs(kind, 1),
            );
        }
    }
}

#[test]
fn masks_as_a_whole() {
    let mut random = common::Random(3);
    // All, none, single lanes and mixtures.
    for pattern in 0..6 {
        let set: Vec<u64> = (0..192)
            .map(|n| match pattern {
                0 => 0,
                1 => 1,
                2 => u64::from(n % 64 == 63),
                3 => u64::from(n % 64 != 40),
                4 => u64::from(n % 2 == 1),
                _ => random.next() >> 63,
            })
            .collect();
        let scalar = Type::scalar(Kind::Bool);
        sweep(
            "any",
            &[Kind::Bool],
            Kind::Bool,
            |b, v| b.define(scalar, Op::Any(v[0])),
            std::slice::from_ref(&set),
        );
        sweep(
            "all",
            &[Kind::Bool],
            Kind::Bool,
            |b, v| b.define(scalar, Op::All(v[0])),
            std::slice::from_ref(&set),
        );
        sweep(
            "bits",
            &[Kind::Bool],
            Kind::I64,
            |b, v| b.define(Type::scalar(Kind::I64), Op::Bits(v[0])),
            std::slice::from_ref(&set),
        );
        sweep(
            "mask",
            &[Kind::Bool],
            Kind::Bool,
            |b, v| {
                let bits = b.define(Type::scalar(Kind::I64), Op::Bits(v[0]));
                let one = b.i64(1);
                let flipped = b.xor(bits, one);
                let ty = b.vector(Kind::Bool);
                b.define(ty, Op::Mask(flipped))
            },
            std::slice::from_ref(&set),
        );
        for kind in ALL {
            // Masks made by comparing lanes of one size and used on lanes of another.
            sweep(
                "mixed",
                &[Kind::F64, kind],
                kind,
                |b, v| {
                    let zero = b.like(v[0], 0.5);
                    let mask = b.compare(Compare::Gt, v[0], zero);
                    let other = b.neg(v[1]);
                    b.select(mask, v[1], other)
                },
                &[set.iter().map(|&bit| (bit as f64).to_bits()).collect(), pairs(kind, 1).remove(0)],
            );
        }
    }
}

#[test]
fn operations_under_masks() {
    use Binary::*;
    for kind in ALL {
        let operations: &[Binary] = if kind.is_float() {
            &[Add, Sub, Mul, Div, Min, Max]
        } else {
            &[Add, Sub, Mul, And, Or, Xor, MinS, MaxU, Shl, ShrS, ShrU]
        };
        let less = if kind.is_float() { Compare::Lt } else { Compare::LtS };
        let mut sets = pairs(kind, 2);
        if kind.is_int() {
            sets[1].iter_mut().for_each(|amount| *amount %= u64::from(kind.size()) * 8);
        }
        for &op in operations {
            for otherwise in 0..3 {
                let make = |b: &mut Builder, v: &[Value]| {
                    let mask = b.compare(less, v[0], v[1]);
                    let result = b.binary(op, v[0], v[1]);
                    let other = match otherwise {
                        0 => b.like(v[0], 0.0),
                        1 => v[0],
                        _ => b.like(v[0], 9.0),
                    };
                    b.select(mask, result, other)
                };
                for lanes in [4, 8, 32] {
                    sweep_one("merge", &[kind; 2], kind, &make, &sets, lanes, From::Registers);
                    sweep_one("merge", &[kind; 2], kind, &make, &sets, lanes, From::Memory);
                }
            }
        }
        if kind.is_float() {
            for negative in [false, true] {
                let make = |b: &mut Builder, v: &[Value]| {
                    let mask = b.compare(less, v[0], v[1]);
                    let x = if negative { b.neg(v[0]) } else { v[0] };
                    let result = b.fma(x, v[1], v[2]);
                    b.select(mask, result, v[2])
                };
                for lanes in WIDTHS {
                    sweep_one("fused", &[kind; 3], kind, &make, &pairs(kind, 3), lanes, From::Registers);
                }
            }
        }
        for other in ALL {
            let make = |b: &mut Builder, v: &[Value]| {
                let x = b.compare(less, v[0], v[1]);
                let greater = if other.is_float() { Compare::Ge } else { Compare::GeU };
                let five = b.like(v[2], 5.0);
                let y = b.compare(greater, v[2], five);
                b.and(x, y)
            };
            let mut sets = pairs(kind, 2);
            sets.push(pairs(other, 1).remove(0));
            for lanes in WIDTHS {
                sweep_one("both", &[kind, kind, other], Kind::Bool, &make, &sets, lanes, From::Registers);
            }
        }
    }
}
