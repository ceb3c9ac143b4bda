//! Scalar integers of 32 bits have zeros above them in their registers, whatever made them: an address takes them as they are.

mod common;

use common::{Memory, at, check};
use warpweft_vector::Builder;
use warpweft_vector::ir::*;

#[test]
fn integers_of_32_bits_have_zeros_above() {
    let (x32, x64) = (Type::scalar(Kind::I32), Type::scalar(Kind::I64));
    let mut b = Builder::new("above", 8);
    let bases = [(); 4].map(|()| b.param(Kind::I64));
    let [ints, longs, doubles, results] =
        ["ints", "longs", "doubles", "results"].map(|name| b.space(name, false));
    let mut found = vec![];
    for number in 0..4 {
        let int = b.define(x32, Op::Load(at(bases[0], number * 4, ints)));
        let other = b.define(x32, Op::Load(at(bases[0], 16 - number * 4, ints)));
        let long = b.define(x64, Op::Load(at(bases[1], number * 8, longs)));
        let double = b.define(Type::scalar(Kind::F64), Op::Load(at(bases[2], number * 8, doubles)));
        let float = b.convert(Convert::Narrow, double, Kind::F32);
        found.extend([int, b.convert(Convert::Truncate, long, Kind::I32)]);
        for convert in [Convert::ToSigned, Convert::ToUnsigned] {
            found.extend([double, float].map(|value| b.convert(convert, value, Kind::I32)));
        }
        found.push(b.convert(Convert::Bitcast, float, Kind::I32));
        for unary in [Unary::Neg, Unary::Not, Unary::Abs, Unary::LeadingZeros] {
            found.push(b.define(x32, Op::Unary(unary, int)));
        }
        use Binary::{Add, MaxS, MinS, Mul, MulHigh, Or, ShrS, Sub, Xor};
        for binary in [Add, Sub, Mul, MulHigh, Or, Xor, MinS, MaxS] {
            found.push(b.binary(binary, int, other));
        }
        let three = b.i32(3);
        found.push(b.binary(ShrS, int, three));
        let less = b.compare(Compare::LtS, int, other);
        found.push(b.select(less, int, other));
        found.push(b.define(x32, Op::Atomic(AtomicOp::Add, at(bases[0], 20, ints), int)));
        found.push(b.define(x32, Op::CompareExchange(at(bases[0], 20, ints), other, int)));
        found.push(b.define(x32, Op::AtomicLoad(at(bases[0], 20, ints))));
    }
    let ty = b.vector(Kind::I32);
    let lanes = b.define(ty, Op::Load(at(bases[0], 0, ints)));
    found.extend([0, 1, 5].map(|lane| b.define(x32, Op::Extract(lanes, lane))));
    found.push(b.define(x32, Op::Reduce(Binary::Add, lanes)));
    for (place, &value) in found.iter().enumerate() {
        let wide = b.convert(Convert::ZeroExtend, value, Kind::I64);
        b.act(Effect::Store(at(bases[3], place as i32 * 8, results), wide));
    }
    let many = found.len();
    b.yields(&[]);
    let doubles = [-3.5, -2147483648.0, 4294967295.0, f64::NAN].map(f64::to_bits);
    let memories = [
        Memory::of(Kind::I32, &[0xffff_fff0, 7, 0x8000_0000, 0xdead_beef, 3, u64::from(u32::MAX), 1, 2]),
        Memory::of(Kind::I64, &[u64::MAX, 1 << 63, 0x1234_5678_9abc_def0, 5]),
        Memory::of(Kind::F64, &doubles),
        Memory::zeros(Kind::I64, many),
    ];
    check(&b.finish(), &memories, &[vec![]]);
}
