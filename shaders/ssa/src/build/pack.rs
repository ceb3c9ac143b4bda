//! WGSL's packing of small numbers into a `u32`, and the dot products on packed numbers.
//!
//! Normalised numbers are computed in f64, as the interpreter does: the specification's formula, without rounding.

use super::{Builder, Parts};
use crate::ir::{Binary, Compare, Unary, Value};
use naga::MathFunction;
use smallvec::smallvec;
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    /// A packing builtin; `None` where it is no such function.
    pub(super) fn packing(&mut self, fun: MathFunction, operands: &[Parts; 4]) -> Option<Parts> {
        use MathFunction as M;
        let [a, b, ..] = operands;
        let &first = a.first()?;
        Some(match fun {
            M::Pack4x8snorm => self.pack_normal(a, 8, -1.0, 127.0),
            M::Pack4x8unorm => self.pack_normal(a, 8, 0.0, 255.0),
            M::Pack2x16snorm => self.pack_normal(a, 16, -1.0, 32767.0),
            M::Pack2x16unorm => self.pack_normal(a, 16, 0.0, 65535.0),
            M::Pack2x16float => smallvec![self.pack_half(a[0], a[1])],
            M::Pack4xI8 | M::Pack4xU8 => {
                let words: Parts = a.iter().map(|&a| self.bitcast(Scalar::U32, a)).collect();
                smallvec![self.joined(&words, 8)]
            }
            M::Pack4xI8Clamp => {
                let (low, high) = (self.number(Scalar::I32, -128), self.number(Scalar::I32, 127));
                let words: Parts = a
                    .iter()
                    .map(|&a| {
                        let a = self.binary(Binary::Max, a, low);
                        let a = self.binary(Binary::Min, a, high);
                        self.bitcast(Scalar::U32, a)
                    })
                    .collect();
                smallvec![self.joined(&words, 8)]
            }
            M::Pack4xU8Clamp => {
                let high = self.u32(255);
                let words: Parts = a.iter().map(|&a| self.binary(Binary::Min, a, high)).collect();
                smallvec![self.joined(&words, 8)]
            }
            M::Unpack4x8snorm => self.unpack_normal(first, 8, true),
            M::Unpack4x8unorm => self.unpack_normal(first, 8, false),
            M::Unpack2x16snorm => self.unpack_normal(first, 16, true),
            M::Unpack2x16unorm => self.unpack_normal(first, 16, false),
            M::Unpack2x16float => {
                smallvec![self.unpack_half(first, false), self.unpack_half(first, true)]
            }
            M::Unpack4xI8 => self.pieces(first, 8, true),
            M::Unpack4xU8 => self.pieces(first, 8, false),
            M::Dot4I8Packed | M::Dot4U8Packed => {
                let signed = fun == M::Dot4I8Packed;
                let (a, b) = (self.pieces(first, 8, signed), self.pieces(b[0], 8, signed));
                self.product(&a, &b, 1, 4)
            }
            _ => return None,
        })
    }

    /// Words, of which the lowest `bits` count, in one word.
    fn joined(&mut self, words: &[Value], bits: u32) -> Value {
        let mask = self.u32((1 << bits) - 1);
        let mut all = self.u32(0);
        for (n, &word) in words.iter().enumerate() {
            let last = n as u32 * bits + bits == 32;
            let word = if last { word } else { self.binary(Binary::And, word, mask) };
            let amount = self.u32(n as u32 * bits);
            let word = self.binary(Binary::ShiftLeft, word, amount);
            all = self.binary(Binary::Or, word, all);
        }
        all
    }

    /// The runs of `bits` bits of a word, as 32-bit integers.
    fn pieces(&mut self, word: Value, bits: u32, signed: bool) -> Parts {
        let ty = if signed { Scalar::I32 } else { Scalar::U32 };
        let word = self.bitcast(ty, word);
        let down = self.u32(32 - bits);
        (0..32 / bits)
            .map(|n| {
                let up = self.u32(32 - bits - n * bits);
                let high = self.binary(Binary::ShiftLeft, word, up);
                self.binary(Binary::ShiftRight, high, down)
            })
            .collect()
    }

    /// `floor(0.5 + scale * clamp(x, low, 1))` of every part, packed; of NaN, zero.
    fn pack_normal(&mut self, parts: &[Value], bits: u32, low: f64, scale: f64) -> Parts {
        let words: Parts = parts
            .iter()
            .map(|&x| {
                let (low, one) = (self.like(x, low), self.like(x, 1.0));
                let (below, above) =
                    (self.compare(Compare::Less, x, low), self.compare(Compare::Greater, x, one));
                let x = self.select(above, one, x);
                let x = self.select(below, low, x);
                let x = self.convert(Scalar::F64, x);
                let (scale, half) = (self.like(x, scale), self.like(x, 0.5));
                let scaled = self.binary(Binary::Multiply, scale, x);
                let shifted = self.binary(Binary::Add, half, scaled);
                let floor = self.unary(Unary::Floor, shifted);
                let whole = self.convert(Scalar::I32, floor);
                self.bitcast(Scalar::U32, whole)
            })
            .collect();
        smallvec![self.joined(&words, bits)]
    }

    fn unpack_normal(&mut self, word: Value, bits: u32, signed: bool) -> Parts {
        let pieces = self.pieces(word, bits, signed);
        let scale = f64::from((1u32 << (bits - u32::from(signed))) - 1);
        pieces
            .into_iter()
            .map(|piece| {
                let x = self.convert(Scalar::F32, piece);
                let scale = self.float(Scalar::F32, scale);
                let x = self.binary(Binary::Divide, x, scale);
                if !signed {
                    return x;
                }
                let low = self.float(Scalar::F32, -1.0);
                self.binary(Binary::Max, x, low)
            })
            .collect()
    }
}
