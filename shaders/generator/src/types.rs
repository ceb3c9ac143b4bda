//! The scalar and vector types that random values have, and how they are written.
//!
//! Knows no expressions.

/// A scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Bool,
    I32,
    U32,
    F32,
    F16,
    F64,
    I64,
    U64,
}

use Scalar::{Bool, F16, F32, F64, I32, I64, U32, U64};

impl Scalar {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Bool => "bool",
            I32 => "i32",
            U32 => "u32",
            F32 => "f32",
            F16 => "f16",
            F64 => "f64",
            I64 => "i64",
            U64 => "u64",
        }
    }

    pub(crate) fn is_float(self) -> bool {
        matches!(self, F16 | F32 | F64)
    }

    pub(crate) fn is_signed(self) -> bool {
        matches!(self, I32 | I64)
    }

    /// What a literal of the type ends with.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Bool => "",
            I32 => "i",
            U32 => "u",
            F32 => "f",
            F16 => "h",
            F64 => "lf",
            I64 => "li",
            U64 => "lu",
        }
    }
}

/// A scalar, or a vector of 2 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ty {
    pub(crate) scalar: Scalar,
    pub(crate) width: u8,
}

impl Ty {
    pub(crate) const U32: Ty = Ty { scalar: U32, width: 1 };
    pub(crate) const I32: Ty = Ty { scalar: I32, width: 1 };
    pub(crate) const BOOL: Ty = Ty { scalar: Bool, width: 1 };

    pub(crate) fn new(scalar: Scalar, width: u8) -> Self {
        Self { scalar, width }
    }

    pub(crate) fn of(scalar: Scalar) -> Self {
        Self { scalar, width: 1 }
    }

    /// The same width, of another scalar.
    pub(crate) fn with(self, scalar: Scalar) -> Self {
        Self { scalar, ..self }
    }

    pub(crate) fn is_vector(self) -> bool {
        self.width > 1
    }

    pub(crate) fn name(self) -> String {
        match self.width {
            1 => self.scalar.name().to_owned(),
            n => format!("vec{n}<{}>", self.scalar.name()),
        }
    }
}
