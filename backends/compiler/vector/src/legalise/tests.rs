//! Every expansion against the evaluator: the function before and after, on special and random numbers.

use super::{has, legalise};
use crate::ir::*;
use crate::{Builder, Evaluation, Machine, verify};

/// A machine that has everything but some operations.
struct Without<F: Fn(&Op, Type, Type) -> bool>(F);

impl<F: Fn(&Op, Type, Type) -> bool> Machine for Without<F> {
    fn has(&self, op: &Op, ty: Type, operand: Type) -> bool {
        !self.0(op, ty, operand)
    }
}

/// What every machine has: the list at the top of `legalise.rs`.
struct Base;

impl Machine for Base {
    fn has(&self, op: &Op, ty: Type, operand: Type) -> bool {
        let (int, vector) = (operand.kind.is_int(), !ty.is_scalar() || !operand.is_scalar());
        match op {
            Op::Unary(Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros, _)
            | Op::Unary(Unary::InverseEstimate | Unary::InverseSqrtEstimate, _)
            | Op::Convert(Convert::FromHalf | Convert::ToHalf, _)
            | Op::Fma(..)
            | Op::LoadMasked(..)
            | Op::LoadStrided(..)
            | Op::Shuffle(..)
            | Op::Gather(..) => false,
            _ if !vector => true,
            Op::Unary(op, _) => matches!(op, Unary::Sqrt | Unary::Not),
            Op::Binary(op, ..) => match op {
                Binary::Add | Binary::Sub | Binary::And | Binary::Or | Binary::Xor | Binary::Div => true,
                Binary::Mul => ty.kind != Kind::I64,
                _ => false,
            },
            Op::Compare(op, ..) => {
                !int || !matches!(op, Compare::LtU | Compare::LeU | Compare::GtU | Compare::GeU)
            }
            Op::Convert(op, _) => match op {
                Convert::FromSigned => operand.kind == Kind::I32,
                Convert::SignExtend | Convert::ZeroExtend | Convert::Truncate => true,
                Convert::Widen | Convert::Narrow | Convert::Bitcast => true,
                _ => false,
            },
            Op::ExtractAt(..) | Op::Bits(_) | Op::Mask(_) | Op::Permute(..) | Op::Reduce(..) => false,
            _ => true,
        }
    }
}

struct Random(u64);

impl Random {
    /// Marsaglia, Xorshift RNGs, with a product on top.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

fn specials(kind: Kind) -> Vec<u64> {
    let ints = [0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 100, 0x7fff, 0x8000, 0xffff, 0x1_0000];
    match kind {
        Kind::Bool => vec![0, 1],
        Kind::I32 => {
            let edges = [i32::MAX, i32::MIN, i32::MIN + 1, -1, -2, -3, 0x7f00_ff01, 0x0080_0000, 0x0100_0001];
            ints.into_iter().chain(edges.map(|x| u64::from(x as u32))).collect()
        }
        Kind::I64 => {
            let edges = [i64::MAX, i64::MIN, i64::MIN + 1, -1, -2, -3, 1 << 53, (1 << 53) + 1, (1 << 62) + 1];
            let more = [1 << 31, 1 << 32, (1 << 32) - 1, (1 << 63) + (1 << 39), (1 << 63) + (1 << 39) + 1];
            let ties =
                [(1 << 60) + (1 << 36), (1 << 60) + (1 << 36) + 1, (1 << 60) + (1 << 36) - 1, (1 << 25) + 1];
            ints.into_iter().chain(edges.map(|x| x as u64)).chain(more).chain(ties).collect()
        }
        Kind::F32 => floats()
            .map(|x| u64::from((x as f32).to_bits()))
            .chain(
                [1u32, 2, 0x007f_ffff, 0x0080_0000, 0x7f7f_ffff, 0x7f80_0001, 0xffc1_2345, 0x3300_0001]
                    .map(u64::from),
            )
            .collect(),
        Kind::F64 => floats()
            .map(f64::to_bits)
            .chain([1, 1 << 51, 1 << 52, f64::MAX.to_bits(), (1e300f64).to_bits(), (-1e-300f64).to_bits()])
            .collect(),
    }
}

fn floats() -> impl Iterator<Item = f64> {
    let positive = [
        0.0,
        0.25,
        0.49999997,
        0.5,
        0.75,
        1.0,
        1.5,
        2.0,
        2.5,
        3.0,
        1e-8,
        5.9e-8,
        6.1e-5,
        65504.0,
        65519.9,
        65520.0,
        8388607.5,
        8388608.0,
        16777217.0,
        2147483520.0,
        2147483647.0,
        2147483647.5,
        2147483648.0,
        4294967040.0,
        4294967295.0,
        4294967295.5,
        4294967296.0,
        4503599627370495.5,
        9.2233720368547e18,
        9223372036854775808.0,
        18446742974197923840.0,
        18446744073709551616.0,
        1e30,
        f64::INFINITY,
        f64::NAN,
    ];
    positive.into_iter().flat_map(|x| [x, -x])
}

/// Bits of a number of that kind: anything, or of a size that makes it interesting.
fn random(kind: Kind, random: &mut Random) -> u64 {
    let bits = random.next();
    let small = bits >> 60 & 3;
    match kind {
        Kind::Bool => bits >> 40 & 1,
        Kind::I32 => u64::from((bits as u32) >> ((bits >> 40 & 31) * small.min(1))),
        Kind::I64 => (bits as i64 >> ((random.next() & 63) * small.min(1))) as u64,
        Kind::F32 if small == 0 => u64::from(bits as u32),
        Kind::F32 => u64::from(
            (bits as u32 & 0x81ff_ffff) | 0x3c00_0000 | (bits as u32 >> 7 & 0x1e00_0000 & bits as u32),
        ),
        Kind::F64 if small == 0 => bits,
        Kind::F64 => f64::to_bits(((bits as i64) as f64) * 2f64.powi(-(random.next() as i32 & 63))),
    }
}

/// One operation on arrays, gang after gang: `op` gets the operands that were loaded.
fn apply(lanes: u16, kinds: &[Kind], op: impl Fn(&mut Builder, &[Value]) -> Value) -> (Function, Kind) {
    let mut b = Builder::new("apply", lanes);
    let mut spaces = vec![];
    for index in 0..=kinds.len() {
        spaces.push((b.space(&format!("s{index}"), false), b.param(Kind::I64)));
    }
    let access =
        |(space, base), width| Access { base, index: None, scale: 1, offset: 0, space, width, always: false };
    let mut operands = vec![];
    for (&kind, &place) in kinds.iter().zip(&spaces[1..]) {
        let memory = if kind == Kind::Bool { Kind::I32 } else { kind };
        let mut value = b.define(b.vector(memory), Op::Load(access(place, Width::Full)));
        if kind == Kind::Bool {
            let zero = b.like(value, 0.0);
            value = b.ne(value, zero);
        }
        operands.push(value);
    }
    let mut result = op(&mut b, &operands);
    if b.ty(result).kind == Kind::Bool {
        let ty = b.ty(result).with(Kind::I32);
        let (one, zero) = (b.constant(ty, 1), b.constant(ty, 0));
        result = b.select(result, one, zero);
    }
    let kind = b.ty(result).kind;
    let result = b.splat(result);
    b.act(Effect::Store(access(spaces[0], Width::Full), result));
    b.yields(&[]);
    (b.finish(), kind)
}

fn bytes(kind: Kind, numbers: &[u64]) -> Vec<u8> {
    let size = if kind.size() == 8 { 8 } else { 4 };
    numbers.iter().flat_map(|bits| bits.to_le_bytes()[..size].to_vec()).collect()
}

/// The results of every gang of the arrays.
fn outputs(function: &Function, kinds: &[Kind], inputs: &[Vec<u64>], result: Kind) -> Vec<u64> {
    let lanes = usize::from(function.lanes);
    let mut evaluation = Evaluation::new();
    let size = result.size() as usize;
    let mut bases = vec![evaluation.map(vec![0; inputs[0].len() * size])];
    bases.extend(kinds.iter().zip(inputs).map(|(&kind, numbers)| evaluation.map(bytes(kind, numbers))));
    for gang in 0..inputs[0].len() / lanes {
        let sizes =
            std::iter::once(size as u64).chain(kinds.iter().map(|kind| u64::from(kind.size().max(4))));
        let arguments: Vec<u64> =
            bases.iter().zip(sizes).map(|(base, size)| base + size * (gang * lanes) as u64).collect();
        evaluation.run(function, &arguments).unwrap_or_else(|error| panic!("{error}\n{function}"));
    }
    let chunks = evaluation.memory(0).chunks_exact(size);
    chunks.map(|chunk| chunk.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte))).collect()
}

fn is_nan(kind: Kind, bits: u64) -> bool {
    match kind {
        Kind::F32 => f32::from_bits(bits as u32).is_nan(),
        Kind::F64 => f64::from_bits(bits).is_nan(),
        _ => false,
    }
}

/// Nothing is left that the machine lacks, shifts by splats and constants apart.
fn assert_legal(function: &Function, machine: &dyn Machine) {
    let mut even = vec![false; function.values.len()];
    fn walk(list: &[Inst], function: &Function, machine: &dyn Machine, even: &mut Vec<bool>) {
        for inst in list {
            match inst {
                Inst::Let { result, op, .. } => {
                    even[result.0 as usize] = matches!(op, Op::Const(_) | Op::Splat(_));
                    let shift = matches!(op, Op::Binary(Binary::Shl | Binary::ShrS | Binary::ShrU, _, amount)
                        if even[amount.0 as usize]);
                    assert!(
                        shift || has(machine, function, op, function.ty(*result)),
                        "{op:?} is left\n{function}"
                    );
                }
                Inst::Do { effect, .. } => {
                    assert!(super::does(machine, function, effect), "{effect:?} is left")
                }
                Inst::If { then, otherwise, .. } => {
                    walk(then, function, machine, even);
                    walk(otherwise, function, machine, even);
                }
                Inst::Block { body, .. } | Inst::Loop { body, .. } => walk(body, function, machine, even),
                _ => {}
            }
        }
    }
    walk(&function.body, function, machine, &mut even);
}

/// Holds `op` on all pairs of specials and on random numbers against what the machines make of it. `usable` says which
/// operands the operation is defined for.
fn check(
    kinds: &[Kind],
    machines: &[&dyn Machine],
    usable: impl Fn(&[u64]) -> bool,
    op: impl Fn(&mut Builder, &[Value]) -> Value,
) {
    check_widths(&[64, 4, 1], kinds, machines, usable, op);
}

/// The same for operations that only vectors have.
fn check_across(kinds: &[Kind], machines: &[&dyn Machine], op: impl Fn(&mut Builder, &[Value]) -> Value) {
    check_widths(&[64, 4], kinds, machines, |_| true, op);
}

fn check_widths(
    widths: &[u16],
    kinds: &[Kind],
    machines: &[&dyn Machine],
    usable: impl Fn(&[u64]) -> bool,
    op: impl Fn(&mut Builder, &[Value]) -> Value,
) {
    let mut dice = Random(0x9e37_79b9_7f4a_7c15);
    let mut tuples: Vec<Vec<u64>> = vec![vec![]];
    for &kind in kinds {
        tuples = tuples
            .iter()
            .flat_map(|t| specials(kind).into_iter().map(move |s| [&t[..], &[s]].concat()))
            .collect();
    }
    // Triples of specials are too many: a sample.
    if tuples.len() > 20_000 {
        tuples = tuples.into_iter().enumerate().filter(|(i, _)| i % 17 == 0).map(|(_, t)| t).collect();
    }
    for _ in 0..3000 {
        tuples.push(kinds.iter().map(|&kind| random(kind, &mut dice)).collect());
    }
    tuples.retain(|tuple| usable(tuple));
    assert!(tuples.len() > 200, "there is something to test with");
    while !tuples.len().is_multiple_of(64) {
        tuples.push(tuples[0].clone());
    }
    let inputs: Vec<Vec<u64>> = (0..kinds.len()).map(|i| tuples.iter().map(|t| t[i]).collect()).collect();
    for &lanes in widths {
        // Small gangs are slow to evaluate: part of the numbers.
        let part = if lanes == 64 { tuples.len() } else { 256 };
        let inputs: Vec<Vec<u64>> = inputs.iter().map(|x| x[..part].to_vec()).collect();
        let (function, kind) = apply(lanes, kinds, &op);
        let expected = outputs(&function, kinds, &inputs, kind);
        for (index, machine) in machines.iter().enumerate() {
            let mut legal = function.clone();
            legalise(&mut legal, *machine);
            verify(&legal).unwrap_or_else(|error| panic!("{error}\n{legal}"));
            assert_legal(&legal, *machine);
            let got = outputs(&legal, kinds, &inputs, kind);
            for (i, (&got, &expected)) in got.iter().zip(&expected).enumerate() {
                let same = got == expected || is_nan(kind, got) && is_nan(kind, expected);
                assert!(
                    same,
                    "lanes {lanes}, machine {index}, {:x?}: {got:#x} instead of {expected:#x}\n{legal}",
                    tuples[i]
                );
            }
        }
    }
}

const INTS: [Kind; 2] = [Kind::I32, Kind::I64];
const FLOATS: [Kind; 2] = [Kind::F32, Kind::F64];

#[test]
fn unary_operations() {
    use Unary::*;
    let ints = [Neg, Abs, CountOnes, LeadingZeros, TrailingZeros]
        .into_iter()
        .flat_map(|op| INTS.map(|kind| (op, kind)));
    let floats =
        [Neg, Abs, Floor, Ceil, Trunc, Nearest].into_iter().flat_map(|op| FLOATS.map(|kind| (op, kind)));
    for (op, kind) in ints.chain(floats) {
        let lacking = Without(move |o: &Op, _, _| matches!(o, Op::Unary(x, _) if *x == op));
        let counts = Without(|o: &Op, _, _| matches!(o, Op::Unary(CountOnes | TrailingZeros, _)));
        check(&[kind], &[&lacking, &counts, &Base], |_| true, |b, x| b.unary(op, x[0]));
    }
}

fn is_division(op: Binary) -> bool {
    matches!(op, Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU)
}

fn signed(kind: Kind, bits: u64) -> i64 {
    if kind == Kind::I32 { i64::from(bits as i32) } else { bits as i64 }
}

#[test]
fn binary_operations_on_integers() {
    use Binary::*;
    for op in [Mul, MulHigh, DivS, DivU, RemS, RemU, Shl, ShrS, ShrU, MinS, MaxS, MinU, MaxU] {
        for kind in INTS {
            if (op, kind) == (Mul, Kind::I32) {
                continue; // Every machine has it.
            }
            let vector = Without(move |o: &Op, ty: Type, _| {
                !ty.is_scalar() && ty.kind == kind && matches!(o, Op::Binary(x, ..) if *x == op)
            });
            let products = Without(|o: &Op, ty: Type, _| {
                !ty.is_scalar()
                    && (matches!(o, Op::Binary(MulHigh, ..))
                        || ty.kind == Kind::I64 && matches!(o, Op::Binary(Mul, ..)))
            });
            let usable = |x: &[u64]| match op {
                Shl | ShrS | ShrU => x[1] < u64::from(8 * kind.size()),
                _ if is_division(op) => {
                    let least = if kind == Kind::I32 { i64::from(i32::MIN) } else { i64::MIN };
                    x[1] != 0 && (signed(kind, x[0]), signed(kind, x[1])) != (least, -1)
                }
                _ => true,
            };
            check(&[kind, kind], &[&vector, &products, &Base], usable, |b, x| b.binary(op, x[0], x[1]));
        }
    }
}

#[test]
fn shifts_by_splats_stay() {
    for amount in [0, 1, 31] {
        let (function, _) = apply(8, &[Kind::I32], |b, x| {
            let scalar = b.define(Type::scalar(Kind::I32), Op::Extract(x[0], 0));
            let amount = b.like(scalar, f64::from(amount));
            let splat = b.splat(amount);
            b.shl(x[0], splat)
        });
        let mut legal = function.clone();
        legalise(&mut legal, &Base);
        assert_eq!(legal, function);
    }
}

#[test]
fn floats_in_pairs() {
    for kind in FLOATS {
        for op in [Binary::Min, Binary::Max] {
            let lacking = Without(move |o: &Op, _, _| matches!(o, Op::Binary(x, ..) if *x == op));
            check(&[kind, kind], &[&lacking, &Base], |_| true, |b, x| b.binary(op, x[0], x[1]));
        }
    }
}

#[test]
fn powers_of_two() {
    for (kind, most) in [(Kind::F32, 250.0), (Kind::F32, 155.0), (Kind::F64, 2000.0), (Kind::F64, 1080.0)] {
        let lacking = Without(|o: &Op, _, _| matches!(o, Op::Binary(Binary::Scale, ..)));
        check(
            &[kind, kind],
            &[&lacking, &Base],
            |_| true,
            |b, x| {
                let [quarter, four, low, high] = [0.25, 4.0, -most, most].map(|bound| b.like(x[0], bound));
                let (a, n) = (b.max(x[0], quarter), b.max(x[1], low));
                let (a, n) = (b.min(a, four), b.min(n, high));
                let n = b.unary(Unary::Nearest, n);
                b.scale(a, n)
            },
        );
    }
}

#[test]
fn comparisons() {
    use Compare::*;
    for kind in INTS {
        for op in [LtU, LeU, GtU, GeU] {
            let lacking = Without(move |o: &Op, _, _| matches!(o, Op::Compare(x, ..) if *x == op));
            check(&[kind, kind], &[&Base], |_| true, |b, x| b.compare(op, x[0], x[1]));
            let vector =
                Without(move |o: &Op, ty: Type, operand| !ty.is_scalar() && !lacking.has(o, ty, operand));
            check(&[kind, kind], &[&vector], |_| true, |b, x| b.compare(op, x[0], x[1]));
        }
    }
}

#[test]
fn conversions() {
    use Convert::*;
    let between = [
        (FromSigned, INTS, FLOATS),
        (FromUnsigned, INTS, FLOATS),
        (ToSigned, FLOATS, INTS),
        (ToUnsigned, FLOATS, INTS),
    ];
    for (op, froms, tos) in between {
        for from in froms {
            for to in tos {
                // 32 bits to floats are of the base.
                let lacking = Without(move |o: &Op, ty: Type, operand: Type| {
                    matches!(o, Op::Convert(x, _) if *x == op)
                        && !(op == FromSigned && operand.kind == Kind::I32)
                        && (ty.kind, operand.kind) == (to, from)
                });
                check(&[from], &[&lacking, &Base], |_| true, |b, x| b.convert(op, x[0], to));
            }
        }
    }
    check(&[Kind::F32], &[&Base], |_| true, |b, x| b.convert(ToHalf, x[0], Kind::I32));
    check(&[Kind::I32], &[&Base], |_| true, |b, x| b.convert(FromHalf, x[0], Kind::F32));
}

#[test]
fn halves_of_every_pattern() {
    let numbers: Vec<u64> = (0..1 << 16).collect();
    let (function, kind) = apply(64, &[Kind::I32], |b, x| b.convert(Convert::FromHalf, x[0], Kind::F32));
    let mut legal = function.clone();
    legalise(&mut legal, &Base);
    let inputs = [numbers];
    let floats = outputs(&function, &[Kind::I32], &inputs, kind);
    for (got, expected) in outputs(&legal, &[Kind::I32], &inputs, kind).into_iter().zip(&floats) {
        assert!(
            got == *expected || is_nan(kind, got) && is_nan(kind, *expected),
            "{got:x} instead of {expected:x}"
        );
    }
    // Back, and what lies beside each half and halfway to the next.
    let (function, kind) = apply(64, &[Kind::F32], |b, x| b.convert(Convert::ToHalf, x[0], Kind::I32));
    let mut legal = function.clone();
    legalise(&mut legal, &Base);
    for offset in [0i64, 1, -1, 0x1000, 0xfff, 0x1001] {
        let inputs = [floats.iter().map(|&bits| u64::from((bits as i64 + offset) as u32)).collect()];
        let expected = outputs(&function, &[Kind::F32], &inputs, kind);
        for (i, (got, expected)) in
            outputs(&legal, &[Kind::F32], &inputs, kind).into_iter().zip(expected).enumerate()
        {
            let nan = is_nan(Kind::F32, inputs[0][i]);
            let both_nan = |bits: u64| bits & 0x7c00 == 0x7c00 && bits & 0x3ff != 0;
            assert!(
                got == expected || nan && both_nan(got) && both_nan(expected),
                "{got:x} instead of {expected:x}"
            );
        }
    }
}

#[test]
fn fused_products_of_f32() {
    let lacking = Without(|o: &Op, _, _| matches!(o, Op::Fma(..)));
    check(&[Kind::F32; 3], &[&lacking, &Base], |_| true, |b, x| b.fma(x[0], x[1], x[2]));
}

/// Near a tie of the sum: only the rest of the product decides.
#[test]
fn fused_products_near_ties() {
    let cases = [
        (1.0 + 2f32.powi(-23), 1.0 - 2f32.powi(-24), 2f32.powi(24)),
        (1.0 + 2f32.powi(-12), 1.0 + 2f32.powi(-12), 2f32.powi(25) + 4.0),
        (2f32.powi(-75), 1.5 * 2f32.powi(-75), 2f32.powi(-126)),
    ];
    let (function, kind) = apply(1, &[Kind::F32; 3], |b, x| b.fma(x[0], x[1], x[2]));
    let mut legal = function;
    legalise(&mut legal, &Base);
    for (a, b, c) in cases {
        let inputs = [a, b, c].map(|x| vec![u64::from(x.to_bits())]);
        assert_eq!(
            outputs(&legal, &[Kind::F32; 3], &inputs, kind),
            [u64::from(a.mul_add(b, c).to_bits())],
            "{a} {b} {c}"
        );
    }
}

#[test]
fn fused_products_of_f64() {
    let lacking = Without(|o: &Op, _, _| matches!(o, Op::Fma(..)));
    let usable = |x: &[u64]| {
        let [a, b, c] = [x[0], x[1], x[2]].map(f64::from_bits);
        let product = a * b;
        let below = |x: f64, exponent| !x.is_finite() || x.abs() < 2f64.powi(exponent);
        let finite = a.is_finite() && b.is_finite();
        let in_range = product.is_nan() || product.abs() > 2f64.powi(-899) && product.abs() < 2f64.powi(999);
        below(a, 989) && below(b, 989) && below(c, 1019) && (in_range || !finite)
    };
    check(&[Kind::F64; 3], &[&lacking, &Base], usable, |b, x| b.fma(x[0], x[1], x[2]));
}

#[test]
fn estimates_become_exact() {
    for (op, exact) in [
        (Unary::InverseEstimate, (|x| 1.0 / x) as fn(f32) -> f32),
        (Unary::InverseSqrtEstimate, |x| 1.0 / x.sqrt()),
    ] {
        let (mut function, kind) = apply(4, &[Kind::F32], |b, x| b.unary(op, x[0]));
        legalise(&mut function, &Base);
        let numbers = [0.5f32, 3.0, 7e20, 1e-30];
        let inputs = [numbers.map(|x| u64::from(x.to_bits())).to_vec()];
        let expected = numbers.map(|x| u64::from(exact(x).to_bits()));
        assert_eq!(outputs(&function, &[Kind::F32], &inputs, kind), expected);
    }
}

#[test]
fn lanes_meet_lanes() {
    let across = Without(|o: &Op, _, _| {
        matches!(o, Op::ExtractAt(..) | Op::Bits(_) | Op::Mask(_) | Op::Permute(..) | Op::Reduce(..))
    });
    let reductions = Without(|o: &Op, _, _| matches!(o, Op::Reduce(..)));
    let machines: [&dyn Machine; 3] = [&across, &reductions, &Base];
    for kind in [Kind::I32, Kind::I64, Kind::F32, Kind::F64, Kind::Bool] {
        check_across(&[kind, Kind::I32], &machines, |b, x| {
            let limit = b.like(x[1], f64::from(b.lanes() - 1));
            let from = b.and(x[1], limit);
            b.define(b.ty(x[0]), Op::Permute(x[0], from))
        });
        check_across(&[kind, Kind::I32], &machines, |b, x| {
            let limit = b.like(x[1], f64::from(b.lanes() - 1));
            let from = b.and(x[1], limit);
            let lane =
                if b.lanes() == 1 { from } else { b.define(Type::scalar(Kind::I32), Op::Extract(from, 0)) };
            b.define(Type::scalar(kind), Op::ExtractAt(x[0], lane))
        });
    }
    check_across(&[Kind::I32], &machines, |b, x| {
        let zero = b.like(x[0], 0.0);
        let mask = b.lt_s(x[0], zero);
        b.define(Type::scalar(Kind::I64), Op::Bits(mask))
    });
    check_across(&[Kind::I64], &machines, |b, x| {
        let bits =
            if b.lanes() == 1 { x[0] } else { b.define(Type::scalar(Kind::I64), Op::Extract(x[0], 0)) };
        b.define(b.vector(Kind::Bool), Op::Mask(bits))
    });
}

#[test]
fn reductions() {
    use Binary::*;
    let reductions = Without(|o: &Op, _, _| matches!(o, Op::Reduce(..)));
    let ints = [Add, Mul, And, Or, Xor, MinS, MaxS, MinU, MaxU]
        .into_iter()
        .flat_map(|op| INTS.map(|kind| (op, kind)));
    let floats = [Add, Mul, Min, Max].into_iter().flat_map(|op| FLOATS.map(|kind| (op, kind)));
    let masks = [And, Or, Xor].map(|op| (op, Kind::Bool));
    for (op, kind) in ints.chain(floats).chain(masks) {
        check_across(&[kind, Kind::Bool], &[&reductions, &Base], |b, x| {
            b.define(Type::scalar(kind), Op::Reduce(op, x[0]))
        });
    }
}

/// Loads and stores under masks: what is not asked for is not touched, and may lie outside of any memory.
#[test]
fn memory_is_touched_lane_by_lane() {
    for (kind, width) in [(Kind::I32, Width::Full), (Kind::F64, Width::Full), (Kind::I32, Width::Half)] {
        for lanes in [4u16, 16] {
            for scattered in [false, true] {
                for offset in [0, i32::MAX - 5] {
                    masked_copy(kind, width, lanes, scattered, offset);
                }
            }
        }
    }
}

fn masked_copy(kind: Kind, width: Width, lanes: u16, scattered: bool, offset: i32) {
    let size = if width == Width::Half { 2 } else { kind.size() as usize };
    let mut b = Builder::new("copy", lanes);
    let (from, to) = (b.space("from", true), b.space("to", false));
    let (source, target, bits) = (b.param(Kind::I64), b.param(Kind::I64), b.param(Kind::I64));
    let mask = b.define(b.vector(Kind::Bool), Op::Mask(bits));
    let ty = b.vector(kind);
    if scattered {
        let index = b.lane_constants(
            Kind::I32,
            &(0..u64::from(lanes)).map(|i| (i * 7 + 3) % u64::from(lanes)).collect::<Vec<_>>(),
        );
        let place = |base, space| Scattered { base, index, scale: size as u8, offset, space, width };
        let value = b.define(ty, Op::Gather(place(source, from), mask));
        b.act(Effect::Scatter(place(target, to), value, mask));
    } else {
        let place = |base, space| Access { base, index: None, scale: 1, offset, space, width, always: false };
        let value = b.define(ty, Op::LoadMasked(place(source, from), mask));
        b.act(Effect::StoreMasked(place(target, to), value, mask));
    }
    b.yields(&[]);
    let function = b.finish();
    let mut legal = function.clone();
    legalise(&mut legal, &Base);
    verify(&legal).unwrap_or_else(|error| panic!("{error}\n{legal}"));
    assert_legal(&legal, &Base);
    let memory: Vec<u8> = (1..=usize::from(lanes) * size).map(|x| x as u8).collect();
    let mut touched = 0;
    for bits in [0, u64::MAX, 0x5a5a, 1, 0xfff0] {
        let run = |function: &Function| {
            let mut evaluation = Evaluation::new();
            let source = evaluation.map(memory.clone()).wrapping_sub(offset as u64);
            let target = evaluation.map(vec![0xee; memory.len()]).wrapping_sub(offset as u64);
            evaluation
                .run(function, &[source, target, bits])
                .unwrap_or_else(|error| panic!("{error}\n{function}"));
            evaluation.memory(1).to_vec()
        };
        let expected = run(&function);
        touched += expected.iter().filter(|&&byte| byte != 0xee).count();
        assert_eq!(run(&legal), expected, "{bits:x}\n{legal}");
    }
    assert!(touched > 0);
}
