//! Which instructions may be used: levels of x86-64, what a processor offers, and what selection makes of it.
//!
//! Knows features and operations, no encoding.

use warpweft_vector::Machine;
use warpweft_vector::ir::{Binary, Convert, Effect, Kind, Op, Type, Unary, Width};

/// A set of instructions that processors have together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// 256-bit vectors: AVX2, FMA, F16C, BMI1, BMI2, LZCNT and POPCNT.
    Avx2,
    /// 512-bit vectors and mask registers: also AVX-512 F, BW, DQ, VL and CD.
    Avx512,
}

impl Level {
    /// The levels that this processor offers, the narrowest first.
    pub fn detect() -> Vec<Level> {
        let mut levels = vec![];
        #[cfg(target_arch = "x86_64")]
        {
            let narrow = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("f16c")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512cd");
            if narrow {
                levels.push(Level::Avx2);
            }
            if narrow && wide {
                levels.push(Level::Avx512);
            }
        }
        levels
    }

    /// Bytes of the widest vector register.
    pub fn native(self) -> u32 {
        match self {
            Level::Avx2 => 32,
            Level::Avx512 => 64,
        }
    }
}

/// A level as a machine that functions can be legalised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target(pub Level);

impl Machine for Target {
    fn has(&self, op: &Op, ty: Type, operand: Type) -> bool {
        let wide = self.0 == Level::Avx512;
        let scalar = ty.is_scalar() && operand.is_scalar();
        let long = ty.kind.size() == 8 || operand.kind.size() == 8;
        if matches!(op, Op::Binary(Binary::Scale, ..)) {
            return wide;
        }
        if scalar {
            return true;
        }
        match op {
            Op::Unary(op, _) => match op {
                Unary::CountOnes => wide && counts_ones(),
                Unary::LeadingZeros | Unary::TrailingZeros => wide,
                Unary::Abs => ty.kind.is_float() || wide || !long,
                _ => true,
            },
            Op::Binary(op, ..) => match op {
                Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU => false,
                Binary::MulHigh => !long,
                Binary::Mul => ty.kind.is_float() || wide || !long,
                Binary::MinS | Binary::MaxS | Binary::MinU | Binary::MaxU => wide || !long,
                _ => true,
            },
            Op::Convert(op, _) => match op {
                Convert::ToSigned | Convert::ToUnsigned => wide || !long,
                Convert::FromSigned => wide || operand.kind == Kind::I32,
                Convert::FromUnsigned => wide,
                _ => true,
            },
            // Elements of 16 bits have no gather, and masks for their loads only AVX-512 has.
            Op::LoadMasked(access, _) => wide || access.width == Width::Full,
            Op::LoadStrided(..) => false,
            Op::Gather(scattered, _) => scattered.width == Width::Full,
            Op::Permute(..) => {
                let bytes = u32::from(ty.lanes) * ty.kind.size();
                ty.kind != Kind::Bool
                    && if wide { bytes <= 64 || (bytes <= 128 && !long) } else { bytes <= 32 && !long }
            }
            Op::Reduce(op, _) => {
                ty.kind == Kind::Bool || self.has(&Op::Binary(*op, dummy(), dummy()), operand, operand)
            }
            _ => true,
        }
    }

    fn does(&self, effect: &Effect, stored: Type) -> bool {
        let wide = self.0 == Level::Avx512;
        match effect {
            Effect::Store(..) | Effect::AtomicStore(..) | Effect::Call(..) => true,
            Effect::StoreStrided(..) => false,
            Effect::StoreMasked(access, ..) => stored.is_scalar() || wide || access.width == Width::Full,
            Effect::Scatter(scattered, ..) => wide && scattered.width == Width::Full,
        }
    }
}

/// An operand for a question that looks at none.
fn dummy() -> warpweft_vector::ir::Value {
    warpweft_vector::ir::Value(0)
}

/// Vectors can be counted in: not every AVX-512 can.
fn counts_ones() -> bool {
    #[cfg(target_arch = "x86_64")]
    let found = is_x86_feature_detected!("avx512vpopcntdq");
    #[cfg(not(target_arch = "x86_64"))]
    let found = false;
    found
}
