//! Every operation, of every kind, at every width, on special values: machine code and evaluator agree.

use crate::agreement::{Holds, Memory, Random, check, check_rounds};
use warpweft_vector::ir::*;

const WIDTHS: [u16; 7] = [1, 2, 4, 8, 16, 32, 64];
const NUMBERS: [Kind; 4] = [Kind::I32, Kind::I64, Kind::F32, Kind::F64];
const BINARY: [Binary; 21] = [
    Binary::Add,
    Binary::Sub,
    Binary::Mul,
    Binary::MulHigh,
    Binary::Div,
    Binary::DivS,
    Binary::DivU,
    Binary::RemS,
    Binary::RemU,
    Binary::And,
    Binary::Or,
    Binary::Xor,
    Binary::Shl,
    Binary::ShrS,
    Binary::ShrU,
    Binary::MinS,
    Binary::MaxS,
    Binary::MinU,
    Binary::MaxU,
    Binary::Min,
    Binary::Max,
];
const UNARY: [Unary; 13] = [
    Unary::Neg,
    Unary::Not,
    Unary::Abs,
    Unary::Sqrt,
    Unary::Floor,
    Unary::Ceil,
    Unary::Trunc,
    Unary::Nearest,
    Unary::CountOnes,
    Unary::LeadingZeros,
    Unary::TrailingZeros,
    Unary::InverseEstimate,
    Unary::InverseSqrtEstimate,
];
const COMPARE: [Compare; 14] = [
    Compare::Eq,
    Compare::Ne,
    Compare::Lt,
    Compare::Le,
    Compare::Gt,
    Compare::Ge,
    Compare::LtS,
    Compare::LeS,
    Compare::GtS,
    Compare::GeS,
    Compare::LtU,
    Compare::LeU,
    Compare::GtU,
    Compare::GeU,
];

fn applies(op: Binary, kind: Kind) -> bool {
    match op {
        Binary::Add | Binary::Sub | Binary::Mul => kind != Kind::Bool,
        Binary::And | Binary::Or | Binary::Xor => !kind.is_float(),
        Binary::Div | Binary::Min | Binary::Max => kind.is_float(),
        _ => kind.is_int(),
    }
}

fn applies_one(op: Unary, kind: Kind) -> bool {
    match op {
        Unary::Neg | Unary::Abs => kind != Kind::Bool,
        Unary::Not => !kind.is_float(),
        Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros => kind.is_int(),
        // Estimates are not the machine's own here: nothing to compare with.
        Unary::InverseEstimate | Unary::InverseSqrtEstimate => false,
        _ => kind.is_float(),
    }
}

fn compares(op: Compare, kind: Kind) -> bool {
    match op {
        Compare::Eq | Compare::Ne => kind != Kind::Bool,
        Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => kind.is_float(),
        _ => kind.is_int(),
    }
}

/// Values at which operations go wrong, as bits.
fn special(kind: Kind) -> Vec<u64> {
    let f32s = [
        0.0,
        1.0,
        1.5,
        2.5,
        0.49999997,
        0.5,
        3.9999998,
        8388607.5,
        8388609.0,
        16777217.0,
        2147483520.0,
        2147483648.0,
        4294967040.0,
        4294967296.0,
        9.223372e18,
        1.8446744e19,
        3.4028235e38,
        f32::INFINITY,
        f32::NAN,
        1.1754944e-38,
        1e-45,
        1.1920929e-7,
    ];
    let f64s = [
        0.0,
        1.0,
        1.5,
        2.5,
        0.49999999999999994,
        0.5,
        2147483647.0,
        2147483647.5,
        2147483648.0,
        4294967295.5,
        4294967296.0,
        4503599627370495.5,
        9007199254740993.0,
        9.223372036854775e18,
        9.223372036854776e18,
        1.844674407370955e19,
        1.8446744073709552e19,
        f64::MAX,
        f64::INFINITY,
        f64::NAN,
        1.0000000596046448,
        3.4028235677973366e38,
        1e-40,
        5e-324,
    ];
    let ints: [u64; 22] = [
        0,
        1,
        2,
        3,
        5,
        31,
        32,
        63,
        64,
        100,
        0x7fff,
        0xffff,
        0x10000,
        0x00ff_ff7f,
        0x0100_0001,
        0x7fff_ffff,
        0x8000_0000,
        0x8000_0001,
        0xffff_ffff,
        0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000,
        0x0020_0000_0000_0001,
    ];
    match kind {
        Kind::Bool => vec![0, 1],
        Kind::F32 => f32s.iter().flat_map(|x| [x.to_bits().into(), (-x).to_bits().into()]).collect(),
        Kind::F64 => f64s.iter().flat_map(|x| [x.to_bits(), (-x).to_bits()]).collect(),
        Kind::I32 => ints[..19].iter().flat_map(|&x| [x, u64::from((x as u32).wrapping_neg())]).collect(),
        Kind::I64 => ints.iter().flat_map(|&x| [x, x.wrapping_neg()]).collect(),
    }
}

/// The kind in which a kind lies in memory.
fn stored(kind: Kind) -> Kind {
    if kind == Kind::Bool { Kind::I32 } else { kind }
}

fn memory(kind: Kind, values: &[u64], lanes: u16) -> Memory {
    let padded = values.len().next_multiple_of(lanes.into());
    let size = stored(kind).size() as usize;
    let values = values.iter().chain(std::iter::repeat(&values[0])).take(padded);
    let bytes = values.flat_map(|bits| bits.to_le_bytes()[..size].to_vec()).collect();
    let holds = match kind {
        Kind::F32 => Holds::F32,
        Kind::F64 => Holds::F64,
        _ => Holds::Bits,
    };
    Memory { bytes, holds }
}

/// A function that reads operands of those kinds, each from its own space, and writes a result to the last space.
struct Sketch {
    function: Function,
    body: Vec<Inst>,
}

impl Sketch {
    fn new(lanes: u16, spaces: usize) -> Self {
        let mut function = Function {
            name: "sketch".into(),
            lanes,
            params: vec![],
            values: vec![],
            spaces: vec![],
            labels: 0,
            body: vec![],
        };
        for space in 0..spaces {
            let param = function.value(Type::scalar(Kind::I64));
            function.params.push(param);
            function.spaces.push(Space {
                name: format!("s{space}"),
                constant: false,
                stores: Stores::Cached,
                fleeting: false,
            });
        }
        Self { function, body: vec![] }
    }

    fn ty(&self, kind: Kind) -> Type {
        Type { kind, lanes: self.function.lanes }
    }

    fn let_(&mut self, ty: Type, op: Op) -> Value {
        let result = self.function.value(ty);
        self.body.push(Inst::Let { result, op, mark: Mark(0) });
        result
    }

    fn access(&self, space: usize, offset: i32) -> Access {
        Access {
            base: self.function.params[space],
            index: None,
            scale: 1,
            offset,
            space: SpaceId(space as u32),
            width: Width::Full,
            always: false,
        }
    }

    /// Reads a vector (a scalar where the type is one) from a space.
    fn read(&mut self, ty: Type, space: usize, offset: i32) -> Value {
        let access = self.access(space, offset);
        let value = self.let_(ty.with(stored(ty.kind)), Op::Load(access));
        if ty.kind != Kind::Bool {
            return value;
        }
        let zero = self.let_(ty.with(Kind::I32), Op::Const(0));
        self.let_(ty, Op::Compare(Compare::Ne, value, zero))
    }

    fn write(&mut self, value: Value, space: usize, offset: i32) {
        let ty = self.function.ty(value);
        let mut value = value;
        if ty.kind == Kind::Bool {
            let one = self.let_(ty.with(Kind::I32), Op::Const(1));
            let zero = self.let_(ty.with(Kind::I32), Op::Const(0));
            value = self.let_(ty.with(Kind::I32), Op::Select(value, one, zero));
        }
        let access = self.access(space, offset);
        self.body.push(Inst::Do { effect: Effect::Store(access, value), mark: Mark(0) });
    }

    fn finish(mut self) -> Function {
        self.body.push(Inst::Yield { arguments: vec![] });
        self.function.body = self.body;
        self.function
    }
}

/// An operation on vectors of those values, as many at a time as there are lanes.
fn sweep(lanes: u16, operands: &[(Kind, Vec<u64>)], to: Type, op: impl Fn(&mut Sketch, &[Value]) -> Value) {
    let mut sketch = Sketch::new(lanes, operands.len() + 1);
    let count = operands[0].1.len().next_multiple_of(lanes.into());
    let rounds = count / usize::from(lanes);
    let mut memories: Vec<Memory> =
        operands.iter().map(|(kind, values)| memory(*kind, values, lanes)).collect();
    let bytes = rounds * usize::from(to.lanes) * stored(to.kind).size() as usize;
    memories.push(Memory { bytes: vec![0x11; bytes], ..memory(to.kind, &[0], 1) });
    let values: Vec<Value> = operands
        .iter()
        .enumerate()
        .map(|(space, (kind, _))| {
            let ty = sketch.ty(*kind);
            sketch.read(ty, space, 0)
        })
        .collect();
    let result = op(&mut sketch, &values);
    sketch.write(result, operands.len(), 0);
    let function = sketch.finish();
    let step = |memory: Memory| {
        let step = (memory.bytes.len() / rounds) as u64;
        (memory, step)
    };
    let memories: Vec<(Memory, u64)> = memories.into_iter().map(step).collect();
    check_rounds(&function, &memories, &[], rounds as u64);
}

/// Pairs of special values and some others: all of them for scalars and vectors of eight lanes, else some.
fn pairs(kind: Kind, lanes: u16, op: Option<Binary>) -> (Vec<u64>, Vec<u64>) {
    let values = special(kind);
    let mut random = Random(7);
    let mut all: Vec<(u64, u64)> = values.iter().flat_map(|&a| values.iter().map(move |&b| (a, b))).collect();
    if ![1, 8].contains(&lanes) {
        all = all.into_iter().step_by(13).collect();
    }
    for _ in 0..64 {
        let mask = if stored(kind).size() == 4 { 0xffff_ffff } else { u64::MAX };
        let mask = if kind == Kind::Bool { 1 } else { mask };
        all.push((random.next() & mask, random.next() & mask));
    }
    for (a, b) in &mut all {
        match op {
            Some(Binary::Shl | Binary::ShrS | Binary::ShrU) => *b %= u64::from(kind.size()) * 8,
            Some(Binary::DivU | Binary::RemU) => *b += u64::from(*b == 0),
            Some(Binary::DivS | Binary::RemS) => {
                let (least, minus) = match kind {
                    Kind::I32 => (1 << 31, 0xffff_ffff),
                    _ => (1 << 63, u64::MAX),
                };
                if *b == 0 || (*a == least && *b == minus) {
                    *b = 3;
                }
            }
            _ => {}
        }
    }
    all.into_iter().unzip()
}

#[test]
fn binary_operations() {
    for lanes in WIDTHS {
        for kind in NUMBERS.into_iter().chain([Kind::Bool]) {
            for op in BINARY.into_iter().filter(|&op| applies(op, kind)) {
                let (a, b) = pairs(kind, lanes, Some(op));
                let ty = Type { kind, lanes };
                sweep(lanes, &[(kind, a), (kind, b)], ty, |sketch, values| {
                    sketch.let_(ty, Op::Binary(op, values[0], values[1]))
                });
            }
        }
    }
}

/// Scalars in functions that have vectors are the same as in those that have none.
#[test]
fn broadcasts_and_their_operations() {
    for kind in NUMBERS.into_iter().chain([Kind::Bool]) {
        for op in BINARY.into_iter().filter(|&op| applies(op, kind)) {
            let (a, b) = pairs(kind, 8, Some(op));
            let ty = Type { kind, lanes: 8 };
            for (a, b) in a.iter().zip(&b).step_by(41) {
                // The same in every lane, known only when it runs.
                sweep(8, &[(kind, vec![*a; 8]), (kind, vec![*b; 8])], ty, |sketch, values| {
                    let x = sketch.let_(Type::scalar(kind), Op::Extract(values[0], 3));
                    let y = sketch.let_(Type::scalar(kind), Op::Extract(values[1], 6));
                    let (x, y) = (sketch.let_(ty, Op::Splat(x)), sketch.let_(ty, Op::Splat(y)));
                    let first = sketch.let_(ty, Op::Binary(op, x, y));
                    let second = sketch.let_(ty, Op::Binary(op, values[0], y));
                    let low = sketch.let_(Type::vector(Kind::I32, 8), Op::Lanes((0..8).collect()));
                    let four = sketch.let_(Type::vector(Kind::I32, 8), Op::Const(4));
                    let mask = sketch.let_(Type::vector(Kind::Bool, 8), Op::Compare(Compare::LtS, low, four));
                    sketch.let_(ty, Op::Select(mask, first, second))
                });
            }
        }
    }
}

/// Nothing that the optimiser does with constants may differ, or panic.
#[test]
fn operations_on_constants() {
    for lanes in [1, 2, 8] {
        for kind in NUMBERS {
            for op in BINARY.into_iter().filter(|&op| applies(op, kind)) {
                let (a, b) = pairs(kind, lanes, Some(op));
                let ty = Type { kind, lanes };
                let size = kind.size() * u32::from(lanes);
                let some: Vec<(u64, u64)> = a.into_iter().zip(b).step_by(11).collect();
                let mut sketch = Sketch::new(lanes, 2);
                let mut inputs = vec![];
                for (number, &(a, b)) in some.iter().enumerate() {
                    let offset = number as i32 * size as i32;
                    let x = sketch.read(ty, 0, offset);
                    inputs.extend(std::iter::repeat_n(a, lanes.into()));
                    let (p, q) = (sketch.let_(ty, Op::Const(a)), sketch.let_(ty, Op::Const(b)));
                    let y =
                        if lanes == 1 { q } else { sketch.let_(ty, Op::Lanes(vec![b; lanes.into()].into())) };
                    for (which, (left, right)) in [(x, q), (x, y), (p, q), (p, y)].into_iter().enumerate() {
                        let result = sketch.let_(ty, Op::Binary(op, left, right));
                        sketch.write(result, 1, (offset * 4) + which as i32 * size as i32);
                    }
                }
                let mut output = memory(kind, &[0], 1);
                output.bytes = vec![0; some.len() * size as usize * 4];
                check(&sketch.finish(), &[memory(kind, &inputs, lanes), output], &[]);
            }
            for op in UNARY.into_iter().filter(|&op| applies_one(op, kind)) {
                let ty = Type { kind, lanes };
                let size = kind.size() as i32 * i32::from(lanes);
                let mut sketch = Sketch::new(lanes, 1);
                for (number, &bits) in special(kind).iter().enumerate() {
                    let x = sketch.let_(ty, Op::Const(bits));
                    let y = sketch.let_(ty, Op::Unary(op, x));
                    sketch.write(y, 0, number as i32 * size);
                }
                let mut output = memory(kind, &[0], 1);
                output.bytes = vec![0; special(kind).len() * size as usize];
                check(&sketch.finish(), &[output], &[]);
            }
        }
    }
}

#[test]
fn shifts_by_one_amount() {
    for lanes in [2, 4, 8, 16] {
        for kind in [Kind::I32, Kind::I64] {
            let ty = Type::vector(kind, lanes);
            for op in [Binary::Shl, Binary::ShrS, Binary::ShrU] {
                for amount in (0..kind.size() * 8).step_by(5) {
                    sweep(lanes, &[(kind, special(kind))], ty, |sketch, values| {
                        let amount = sketch.let_(ty, Op::Const(amount.into()));
                        sketch.let_(ty, Op::Binary(op, values[0], amount))
                    });
                }
            }
        }
    }
}

#[test]
fn unary_operations() {
    for lanes in WIDTHS {
        for kind in NUMBERS.into_iter().chain([Kind::Bool]) {
            for op in UNARY.into_iter().filter(|&op| applies_one(op, kind)) {
                let ty = Type { kind, lanes };
                sweep(lanes, &[(kind, special(kind))], ty, |sketch, values| {
                    sketch.let_(ty, Op::Unary(op, values[0]))
                });
            }
        }
    }
}

#[test]
fn comparisons_selections_and_their_masks() {
    for lanes in WIDTHS {
        for kind in NUMBERS {
            for op in COMPARE.into_iter().filter(|&op| compares(op, kind)) {
                let (a, b) = pairs(kind, lanes, None);
                let mask = Type { kind: Kind::Bool, lanes };
                let both = [(kind, a), (kind, b)];
                sweep(lanes, &both, mask, |sketch, values| {
                    sketch.let_(mask, Op::Compare(op, values[0], values[1]))
                });
                if ![1, 2, 8, 64].contains(&lanes) {
                    continue;
                }
                let both = both.map(|(kind, values)| (kind, values.into_iter().step_by(7).collect()));
                for to in NUMBERS {
                    // The mask of one kind chooses among values of another.
                    let ty = Type { kind: to, lanes };
                    sweep(lanes, &both, ty, |sketch, values| {
                        let first = sketch.let_(mask, Op::Compare(op, values[0], values[1]));
                        let other = sketch.let_(mask, Op::Compare(Compare::Eq, values[0], values[1]));
                        let opposite = sketch.let_(mask, Op::Unary(Unary::Not, other));
                        let joined = sketch.let_(mask, Op::Binary(Binary::Xor, first, opposite));
                        let chosen = sketch.let_(mask, Op::Select(first, opposite, joined));
                        let seven = sketch.let_(ty, Op::Const(7));
                        let zero = sketch.let_(ty, Op::Const(0));
                        let nine = sketch.let_(ty, Op::Const(9));
                        let x = sketch.let_(ty, Op::Select(chosen, seven, zero));
                        let y = sketch.let_(ty, Op::Select(joined, zero, nine));
                        sketch.let_(ty, Op::Select(first, x, y))
                    });
                }
            }
        }
    }
}

#[test]
fn conversions() {
    use Convert::*;
    use Kind::*;
    let all = [
        (SignExtend, I32, I64),
        (ZeroExtend, I32, I64),
        (Truncate, I64, I32),
        (FromSigned, I32, F32),
        (FromSigned, I32, F64),
        (FromSigned, I64, F32),
        (FromSigned, I64, F64),
        (FromUnsigned, I32, F32),
        (FromUnsigned, I32, F64),
        (FromUnsigned, I64, F32),
        (FromUnsigned, I64, F64),
        (ToSigned, F32, I32),
        (ToSigned, F64, I32),
        (ToSigned, F32, I64),
        (ToSigned, F64, I64),
        (ToUnsigned, F32, I32),
        (ToUnsigned, F64, I32),
        (ToUnsigned, F32, I64),
        (ToUnsigned, F64, I64),
        (Widen, F32, F64),
        (Narrow, F64, F32),
        (Bitcast, I32, F32),
        (Bitcast, F32, I32),
        (Bitcast, I64, F64),
        (Bitcast, F64, I64),
    ];
    for lanes in WIDTHS {
        for (op, from, to) in all {
            let ty = Type { kind: to, lanes };
            let mut random = Random(3);
            let mut values = special(from);
            let mask = if from.size() == 4 { 0xffff_ffff } else { u64::MAX };
            values.extend((0..256).map(|_| random.next() & mask));
            if to.is_int() && from == F64 {
                values.extend((0..256).map(|_| (random.next() as i64 as f64 / 4294967296.0).to_bits()));
            }
            sweep(lanes, &[(from, values.clone())], ty, |sketch, values| {
                sketch.let_(ty, Op::Convert(op, values[0]))
            });
            if lanes == 8 {
                // Of a scalar in every lane, which the optimiser sees through.
                for bits in values.iter().step_by(9) {
                    sweep(lanes, &[(from, vec![*bits; 8])], ty, |sketch, values| {
                        let x = sketch.let_(Type::scalar(from), Op::Extract(values[0], 5));
                        let x = sketch.let_(Type::vector(from, 8), Op::Splat(x));
                        sketch.let_(ty, Op::Convert(op, x))
                    });
                }
            }
        }
    }
}

#[test]
fn fused_products() {
    let target = warpweft_cranelift::Target::host().unwrap();
    for kind in [Kind::F32, Kind::F64] {
        let ty = Type::vector(kind, 8);
        let op = Op::Fma(Value(0), Value(0), Value(0));
        if !warpweft_vector::Machine::has(&target, &op, ty, ty) {
            eprintln!("this processor has no fused products: not tested");
            return;
        }
        for lanes in WIDTHS {
            let ty = Type { kind, lanes };
            let (a, b) = pairs(kind, lanes, None);
            let c: Vec<u64> = a.iter().rev().copied().collect();
            let three = [(kind, a), (kind, b), (kind, c)];
            sweep(lanes, &three, ty, |sketch, values| {
                sketch.let_(ty, Op::Fma(values[0], values[1], values[2]))
            });
            sweep(lanes, &three, ty, |sketch, values| {
                let x = sketch.let_(ty, Op::Unary(Unary::Neg, values[0]));
                let z = sketch.let_(ty, Op::Unary(Unary::Neg, values[2]));
                sketch.let_(ty, Op::Fma(x, values[1], z))
            });
        }
    }
}

#[test]
fn single_lanes() {
    for lanes in WIDTHS {
        for kind in NUMBERS.into_iter().chain([Kind::Bool]) {
            let scalar = Type::scalar(kind);
            for lane in [0, lanes / 2, lanes - 1] {
                if lanes == 1 {
                    break;
                }
                sweep(lanes, &[(kind, special(kind))], scalar, |sketch, values| {
                    sketch.let_(scalar, Op::Extract(values[0], lane))
                });
                let ty = Type { kind, lanes };
                sweep(lanes, &[(kind, special(kind))], ty, |sketch, values| {
                    let number = sketch.let_(Type::scalar(Kind::I32), Op::Const(lane.into()));
                    let x = sketch.let_(scalar, Op::ExtractAt(values[0], number));
                    sketch.let_(ty, Op::Splat(x))
                });
            }
            if lanes > 1 {
                let mut random = Random(5);
                let numbers: Vec<u64> = (0..256).map(|_| random.next() % u64::from(lanes)).collect();
                let mask = if stored(kind).size() == 4 { 0xffff_ffff } else { u64::MAX };
                let values: Vec<u64> = (0..256).map(|_| random.next() & mask).collect();
                let values = if kind == Kind::Bool { values.iter().map(|x| x & 1).collect() } else { values };
                let ty = Type { kind, lanes };
                sweep(lanes, &[(kind, values), (Kind::I32, numbers)], ty, |sketch, values| {
                    sketch.let_(ty, Op::Permute(values[0], values[1]))
                });
            }
        }
    }
}

#[test]
fn known_permutations() {
    for lanes in &WIDTHS[1..] {
        let lanes = *lanes;
        let n = u64::from(lanes);
        let mut random = Random(17);
        let mut orders: Vec<Vec<u64>> = vec![
            (0..n).collect(),
            (0..n).rev().collect(),
            vec![n - 1; lanes.into()],
            // Even lanes, then odd ones; and back.
            (0..n).map(|lane| (lane * 2) % n + (lane * 2) / n).collect(),
            (0..n).map(|lane| lane / 2 + lane % 2 * (n / 2)).collect(),
            (0..n).map(|lane| lane ^ (n / 2)).collect(),
        ];
        orders.extend((0..4).map(|_| (0..n).map(|_| random.next() % n).collect()));
        for kind in NUMBERS.into_iter().chain([Kind::Bool]) {
            let (ty, numbers) = (Type { kind, lanes }, Type::vector(Kind::I32, lanes));
            let bits = if stored(kind).size() == 4 { 0x7f7f_ffff } else { 0x7fe0_0000_ffff_ffff };
            let bits = if kind == Kind::Bool { 1 } else { bits };
            let values: Vec<u64> = (0..64).map(|_| random.next() & bits).collect();
            for order in &orders {
                sweep(lanes, &[(kind, values.clone())], ty, |sketch, values| {
                    let same = order.iter().all(|number| *number == order[0]);
                    let order = if same { Op::Const(order[0]) } else { Op::Lanes(order.as_slice().into()) };
                    let order = sketch.let_(numbers, order);
                    sketch.let_(ty, Op::Permute(values[0], order))
                });
            }
        }
    }
}

#[test]
fn whole_masks() {
    for lanes in WIDTHS {
        let mut random = Random(11);
        let n = usize::from(lanes);
        // All, none, one, all but one, any.
        let mut patterns: Vec<Vec<u64>> = vec![vec![0; n], vec![1; n]];
        for lane in 0..n {
            patterns.push((0..n).map(|at| u64::from(at == lane)).collect());
            patterns.push((0..n).map(|at| u64::from(at != lane)).collect());
            patterns.push((0..n).map(|_| random.next() & 1).collect());
        }
        let flat: Vec<u64> = patterns.into_iter().flatten().collect();
        let one = [(Kind::Bool, flat.clone())];
        let (scalar, bits) = (Type::scalar(Kind::Bool), Type::scalar(Kind::I64));
        sweep(lanes, &one, scalar, |sketch, values| sketch.let_(scalar, Op::Any(values[0])));
        sweep(lanes, &one, scalar, |sketch, values| sketch.let_(scalar, Op::All(values[0])));
        sweep(lanes, &one, bits, |sketch, values| sketch.let_(bits, Op::Bits(values[0])));
        let mask = Type { kind: Kind::Bool, lanes };
        sweep(lanes, &one, mask, |sketch, values| {
            let all = sketch.let_(bits, Op::Bits(values[0]));
            let opposite = sketch.let_(bits, Op::Unary(Unary::Not, all));
            sketch.let_(mask, Op::Mask(opposite))
        });
        // Masks from 64-bit lanes, and the opposite of a mask.
        for kind in NUMBERS {
            let values: Vec<u64> =
                flat.iter().map(|bit| if *bit == 1 { special(kind)[2] } else { 0 }).collect();
            for not in [false, true] {
                let whole = |sketch: &mut Sketch, values: &[Value]| {
                    let zero = sketch.let_(Type { kind, lanes }, Op::Const(0));
                    let m = sketch.let_(mask, Op::Compare(Compare::Ne, values[0], zero));
                    if not { sketch.let_(mask, Op::Unary(Unary::Not, m)) } else { m }
                };
                let one = [(kind, values.clone())];
                sweep(lanes, &one, scalar, |sketch, values| {
                    let m = whole(sketch, values);
                    sketch.let_(scalar, Op::Any(m))
                });
                sweep(lanes, &one, scalar, |sketch, values| {
                    let m = whole(sketch, values);
                    sketch.let_(scalar, Op::All(m))
                });
                sweep(lanes, &one, bits, |sketch, values| {
                    let m = whole(sketch, values);
                    sketch.let_(bits, Op::Bits(m))
                });
            }
        }
    }
}

#[test]
fn reductions() {
    use Binary::*;
    for lanes in &WIDTHS[1..] {
        let lanes = *lanes;
        for kind in NUMBERS.into_iter().chain([Kind::Bool]) {
            for op in [Add, Mul, And, Or, Xor, MinS, MaxS, MinU, MaxU, Min, Max] {
                if !applies(op, kind) {
                    continue;
                }
                let mut random = Random(13);
                let mask = match kind {
                    Kind::Bool => 1,
                    Kind::I32 => 0xffff_ffff,
                    _ => u64::MAX,
                };
                let mut number = || match kind {
                    Kind::F32 => ((random.next() % 1000) as f32 / 7.0).to_bits().into(),
                    Kind::F64 => ((random.next() % 1000) as f64 / 7.0).to_bits(),
                    _ => random.next() & mask,
                };
                let values: Vec<u64> = (0..256).map(|_| number()).collect();
                let ty = Type::scalar(kind);
                sweep(lanes, &[(kind, values)], ty, |sketch, values| {
                    sketch.let_(ty, Op::Reduce(op, values[0]))
                });
            }
        }
    }
}

#[test]
fn estimates_are_close() {
    for lanes in [1, 8] {
        for op in [Unary::InverseEstimate, Unary::InverseSqrtEstimate] {
            let ty = Type { kind: Kind::F32, lanes };
            let mut sketch = Sketch::new(lanes, 2);
            let x = sketch.read(ty, 0, 0);
            let y = sketch.let_(ty, Op::Unary(op, x));
            sketch.write(y, 1, 0);
            let ready = crate::agreement::Ready::new(&sketch.finish());
            for x in [0.001f32, 0.5, 1.0, 3.0, 12345.0, 1e20] {
                let (input, mut output) = ([x; 8], [0f32; 8]);
                ready.call(0, &[input.as_ptr() as u64, output.as_mut_ptr() as u64]);
                let exact = if op == Unary::InverseEstimate { 1.0 / x } else { 1.0 / x.sqrt() };
                for found in &output[..lanes.into()] {
                    assert!((found / exact - 1.0).abs() < 1.5 / 4096.0, "{op:?} of {x}: {found}");
                }
            }
        }
    }
}
