//! The types that WGSL gives to memory, with WGSL's layout: what a binding holds, byte by byte.
//!
//! Knows nothing of naga: these types are what the layers above see.

use std::fmt;

/// A WGSL scalar type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Scalar {
    Bool,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

impl Scalar {
    /// Bytes of one value in memory (`bool` is not host-shareable; it takes 4 bytes where it is stored).
    pub const fn size(self) -> u32 {
        match self {
            Scalar::I16 | Scalar::U16 | Scalar::F16 => 2,
            Scalar::Bool | Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    /// The name in WGSL.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I16 => "i16",
            Scalar::U16 => "u16",
            Scalar::I32 => "i32",
            Scalar::U32 => "u32",
            Scalar::I64 => "i64",
            Scalar::U64 => "u64",
            Scalar::F16 => "f16",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }

    /// The scalar of that WGSL name.
    pub fn from_name(name: &str) -> Option<Self> {
        use Scalar::*;
        [Bool, I16, U16, I32, U32, I64, U64, F16, F32, F64].into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A WGSL type with its memory layout.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// One scalar.
    Scalar(Scalar),
    /// One scalar that is accessed atomically.
    Atomic(Scalar),
    /// `vecN<scalar>`.
    Vector {
        /// 2, 3 or 4.
        len: u32,
        /// The component type.
        scalar: Scalar,
    },
    /// `matCxR<scalar>`: columns of vectors.
    Matrix {
        /// Columns.
        columns: u32,
        /// Rows.
        rows: u32,
        /// The component type.
        scalar: Scalar,
    },
    /// `array<element, len>`; a runtime-sized array has no `len`.
    Array {
        /// The element type.
        element: Box<Type>,
        /// Elements, or `None` where the binding's size decides.
        len: Option<u32>,
        /// Bytes from one element to the next.
        stride: u32,
    },
    /// A structure.
    Struct {
        /// Its name in WGSL.
        name: String,
        /// The members in order.
        members: Vec<Member>,
        /// Bytes in all, a runtime-sized last member counted as one element.
        size: u32,
        /// Alignment in bytes.
        align: u32,
    },
}

/// A member of a [`Type::Struct`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its name in WGSL.
    pub name: String,
    /// Bytes from the start of the structure.
    pub offset: u32,
    /// Its type.
    pub ty: Type,
}

impl Type {
    /// Bytes of one value; a runtime-sized array is counted as one element.
    pub fn size(&self) -> u32 {
        match *self {
            Type::Scalar(s) | Type::Atomic(s) => s.size(),
            Type::Vector { len, scalar } => len * scalar.size(),
            Type::Matrix { columns, rows, scalar } => columns * vector_align(rows, scalar),
            Type::Array { len, stride, .. } => len.unwrap_or(1) * stride,
            Type::Struct { size, .. } => size,
        }
    }

    /// Alignment in bytes.
    pub fn align(&self) -> u32 {
        match *self {
            Type::Scalar(s) | Type::Atomic(s) => s.size(),
            Type::Vector { len, scalar } => vector_align(len, scalar),
            Type::Matrix { rows, scalar, .. } => vector_align(rows, scalar),
            Type::Array { ref element, .. } => element.align(),
            Type::Struct { align, .. } => align,
        }
    }

    /// The runtime-sized array in this type: its byte offset, element and stride.
    pub fn runtime_array(&self) -> Option<(u32, &Type, u32)> {
        match self {
            Type::Array { element, len: None, stride } => Some((0, element, *stride)),
            Type::Struct { members, .. } => {
                let last = members.last()?;
                let (offset, element, stride) = last.ty.runtime_array()?;
                Some((last.offset + offset, element, stride))
            }
            _ => None,
        }
    }

    /// The one scalar type that this type is made of, if it is only one.
    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Type::Scalar(s) | Type::Atomic(s) => Some(*s),
            Type::Vector { scalar, .. } | Type::Matrix { scalar, .. } => Some(*scalar),
            Type::Array { element, .. } => element.scalar(),
            Type::Struct { members, .. } => {
                let mut scalars = members.iter().map(|m| m.ty.scalar());
                let first = scalars.next()??;
                scalars.all(|s| s == Some(first)).then_some(first)
            }
        }
    }
}

fn vector_align(len: u32, scalar: Scalar) -> u32 {
    if len == 2 { 2 * scalar.size() } else { 4 * scalar.size() }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Scalar(s) => write!(f, "{s}"),
            Type::Atomic(s) => write!(f, "atomic<{s}>"),
            Type::Vector { len, scalar } => write!(f, "vec{len}<{scalar}>"),
            Type::Matrix { columns, rows, scalar } => write!(f, "mat{columns}x{rows}<{scalar}>"),
            Type::Array { element, len: Some(n), .. } => write!(f, "array<{element}, {n}>"),
            Type::Array { element, len: None, .. } => write!(f, "array<{element}>"),
            Type::Struct { name, .. } => f.write_str(name),
        }
    }
}
