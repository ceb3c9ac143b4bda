//! Random operations: all with results, and none that makes an integer of a NaN.

use super::{Generator, KINDS};
use crate::ir::*;

impl Generator {
    /// Something between lanes or kinds.
    pub(super) fn across(&mut self) {
        let lanes = self.function.lanes;
        let kind = self.random.of(&KINDS);
        let (scalar, vector) = (Type::scalar(kind), Type { kind, lanes });
        let (bit, mask) = (Type::scalar(Kind::Bool), Type { kind: Kind::Bool, lanes });
        match self.random.below(10) {
            0 => {
                let from = self.value(mask);
                self.define(bit, Op::Any(from));
            }
            1 => {
                let from = self.value(mask);
                self.define(bit, Op::All(from));
            }
            2 => {
                let from = self.value(mask);
                self.define(Type::scalar(Kind::I64), Op::Bits(from));
            }
            3 => {
                let from = self.value(Type::scalar(Kind::I64));
                self.define(mask, Op::Mask(from));
            }
            _ if lanes == 1 => {}
            4 => {
                let from = self.value(vector);
                let lane = self.random.below(lanes.into()) as u16;
                self.define(scalar, Op::Extract(from, lane));
            }
            5 => {
                let from = self.value(vector);
                let lane = self.limited(Type::scalar(Kind::I32), u64::from(lanes) - 1, 0);
                self.define(scalar, Op::ExtractAt(from, lane));
            }
            6 => {
                let from = self.value(vector);
                let lane = self.limited(vector.with(Kind::I32), u64::from(lanes) - 1, 0);
                self.define(vector, Op::Permute(from, lane));
            }
            7 => {
                use Binary::*;
                let op = if kind.is_float() {
                    self.random.of(&[Add, Mul, Min, Max])
                } else {
                    self.random.of(&[Add, Mul, And, Or, Xor, MinS, MaxS, MinU, MaxU])
                };
                let from = self.value(vector);
                self.define(scalar, Op::Reduce(op, from));
            }
            8 => {
                let (x, y) = (self.value(vector), self.value(vector));
                let from = self.numbers(lanes);
                self.define(vector, Op::Shuffle(x, y, from));
            }
            _ => {
                let from = self.value(scalar);
                self.define(vector, Op::Splat(from));
            }
        }
    }

    /// Lanes of two vectors: evenly spaced ones, those of both in turn, or any.
    fn numbers(&mut self, lanes: u16) -> Box<[u8]> {
        let (form, start) = (self.random.below(3), self.random.below(2) as u16);
        (0..lanes)
            .map(|lane| match form {
                0 => lane * 2 + start,
                1 => lane / 2 + start * lanes / 2 + lane % 2 * lanes,
                _ => self.random.below(2 * usize::from(lanes)) as u16,
            })
            .map(|lane| lane as u8)
            .collect()
    }

    pub(super) fn compute(&mut self) {
        let ty = self.ty();
        let kind = ty.kind;
        match self.random.below(8) {
            0 => self.convert(ty),
            1 => {
                let [c, x, y] = [ty.with(Kind::Bool), ty, ty].map(|ty| self.value(ty));
                self.define(ty, Op::Select(c, x, y));
            }
            2 => {
                use Compare::*;
                let of = self.random.of(&KINDS);
                let op = if of.is_float() {
                    self.random.of(&[Eq, Ne, Lt, Le, Gt, Ge])
                } else {
                    self.random.of(&[Eq, Ne, LtS, LeS, GtS, GeS, LtU, LeU, GtU, GeU])
                };
                let (x, y) = (self.value(ty.with(of)), self.value(ty.with(of)));
                self.define(ty.with(Kind::Bool), Op::Compare(op, x, y));
            }
            3 => self.unary(ty),
            4 if kind.is_float() && self.random.one_in(2) => {
                let [x, y, z] = [ty; 3].map(|ty| self.value(ty));
                self.define(ty, Op::Fma(x, y, z));
            }
            _ => self.binary(ty),
        }
    }

    fn unary(&mut self, ty: Type) {
        use Unary::*;
        let op = match ty.kind {
            Kind::Bool => Not,
            Kind::I32 | Kind::I64 => self.random.of(&[Neg, Not, Abs, CountOnes, LeadingZeros, TrailingZeros]),
            Kind::F32 | Kind::F64 => self.random.of(&[Neg, Neg, Abs, Sqrt, Floor, Ceil, Trunc, Nearest]),
        };
        let x = self.value(ty);
        self.define(ty, Op::Unary(op, x));
    }

    fn binary(&mut self, ty: Type) {
        use Binary::*;
        let op = match ty.kind {
            Kind::Bool => self.random.of(&[And, Or, Xor]),
            Kind::F32 | Kind::F64 => self.random.of(&[Add, Sub, Mul, Mul, Div, Min, Max]),
            _ => self.random.of(&[
                Add, Add, Sub, Sub, Mul, Mul, MulHigh, DivS, DivU, RemS, RemU, And, Or, Xor, Shl, Shl, ShrS,
                ShrU, MinS, MaxS, MinU, MaxU,
            ]),
        };
        let x = self.value(ty);
        let y = match op {
            Shl | ShrS | ShrU => self.limited(ty, u64::from(ty.kind.size()) * 8 - 1, 0),
            DivS | RemS | DivU | RemU => self.divisor(ty),
            _ => self.value(ty),
        };
        self.define(ty, Op::Binary(op, x, y));
    }

    /// Neither 0 nor -1; sometimes a constant.
    fn divisor(&mut self, ty: Type) -> Value {
        let constant = self.random.bits() % 1000 + 1;
        if self.random.one_in(2) { self.constant(ty, constant) } else { self.limited(ty, 0xffff, 1) }
    }

    /// A conversion to a type; the bits of floats stay floats.
    fn convert(&mut self, ty: Type) {
        use Convert::*;
        let (op, from) = match ty.kind {
            Kind::Bool => return,
            Kind::I32 => self.random.of(&[
                (Truncate, Kind::I64),
                (ToSigned, Kind::F32),
                (ToSigned, Kind::F64),
                (ToUnsigned, Kind::F32),
                (ToUnsigned, Kind::F64),
                (ToHalf, Kind::F32),
            ]),
            Kind::I64 => self.random.of(&[
                (SignExtend, Kind::I32),
                (ZeroExtend, Kind::I32),
                (ToSigned, Kind::F32),
                (ToUnsigned, Kind::F64),
            ]),
            Kind::F32 => self.random.of(&[
                (FromSigned, Kind::I32),
                (FromSigned, Kind::I64),
                (FromUnsigned, Kind::I32),
                (FromUnsigned, Kind::I64),
                (Narrow, Kind::F64),
                (FromHalf, Kind::I32),
            ]),
            Kind::F64 => self.random.of(&[
                (FromSigned, Kind::I32),
                (FromSigned, Kind::I64),
                (FromUnsigned, Kind::I32),
                (FromUnsigned, Kind::I64),
                (Widen, Kind::F32),
            ]),
        };
        let mut x = self.value(ty.with(from));
        if op == ToHalf {
            // The bits of a NaN are not for integers.
            let zero = self.constant(ty.with(from), 0);
            let is_number = self.define(ty.with(Kind::Bool), Op::Compare(Compare::Eq, x, x));
            x = self.define(ty.with(from), Op::Select(is_number, x, zero));
        }
        self.define(ty, Op::Convert(op, x));
    }
}
