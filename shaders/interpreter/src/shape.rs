//! How values of a WGSL type lie in columns and in memory: one leaf per scalar.
//!
//! In columns (values, function and private variables) and in workgroup memory a type is its scalars one after the
//! other, 64-bit ones taking two columns or words. In bindings it has WGSL's memory layout.

use naga::{ArraySize, Handle, Module, Type, TypeInner, VectorSize};
use std::sync::Arc;
use warpweft_module::Scalar;

/// One scalar of a type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leaf {
    /// Columns (or words of workgroup memory) before it.
    pub column: u32,
    /// Bytes before it in a binding.
    pub byte: u32,
    pub scalar: Scalar,
}

/// The leaves of a type, in order.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Columns in all.
    pub columns: u32,
    pub leaves: Arc<[Leaf]>,
}

/// What indexing into a composite type does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements {
    /// How many there are; `None` where the binding's size decides.
    pub count: Option<u32>,
    /// Columns from one to the next.
    pub columns: u32,
    /// Bytes from one to the next.
    pub bytes: u32,
}

/// The scalar type of naga's; abstract types never get here.
pub(crate) fn scalar(scalar: naga::Scalar) -> Option<Scalar> {
    use naga::ScalarKind as K;
    Some(match (scalar.kind, scalar.width) {
        (K::Bool, _) => Scalar::Bool,
        (K::Sint, 2) => Scalar::I16,
        (K::Sint, 4) => Scalar::I32,
        (K::Sint, 8) => Scalar::I64,
        (K::Uint, 2) => Scalar::U16,
        (K::Uint, 4) => Scalar::U32,
        (K::Uint, 8) => Scalar::U64,
        (K::Float, 2) => Scalar::F16,
        (K::Float, 4) => Scalar::F32,
        (K::Float, 8) => Scalar::F64,
        _ => return None,
    })
}

/// Columns of one scalar.
pub(crate) fn width(scalar: Scalar) -> u32 {
    if scalar.size() == 8 { 2 } else { 1 }
}

/// Bytes from one column of a matrix to the next.
fn matrix_stride(rows: VectorSize, width: u8) -> u32 {
    let components = if rows == VectorSize::Bi { 2 } else { 4 };
    components * u32::from(width)
}

/// Types with more scalars than this are refused: their leaves would fill memory.
pub(crate) const MOST_LEAVES: u64 = 1 << 20;

/// The scalars in a type; a runtime-sized array counts as none.
fn leaf_count(module: &Module, inner: &TypeInner) -> u64 {
    match *inner {
        TypeInner::Scalar(_) | TypeInner::Atomic(_) => 1,
        TypeInner::Vector { size, .. } => size as u64,
        TypeInner::Matrix { columns, rows, .. } => columns as u64 * rows as u64,
        TypeInner::Array { base, size: ArraySize::Constant(n), .. } => {
            u64::from(n.get()).saturating_mul(leaf_count(module, &module.types[base].inner))
        }
        TypeInner::Struct { ref members, .. } => {
            members.iter().fold(0, |sum, m| sum.saturating_add(leaf_count(module, &module.types[m.ty].inner)))
        }
        _ => 0,
    }
}

/// The shape of a type of values, or what is wrong with it.
pub(crate) fn shape(module: &Module, inner: &TypeInner) -> Result<Shape, String> {
    let count = leaf_count(module, inner);
    if count > MOST_LEAVES {
        return Err(format!("a value of {count} scalars (the most is {MOST_LEAVES})"));
    }
    let mut builder = Builder { module, leaves: Vec::with_capacity(count as usize), columns: 0 };
    builder.append(inner, 0)?;
    Ok(Shape { columns: builder.columns, leaves: builder.leaves.into() })
}

struct Builder<'a> {
    module: &'a Module,
    leaves: Vec<Leaf>,
    columns: u32,
}

impl Builder<'_> {
    fn leaf(&mut self, kind: naga::Scalar, byte: u32) -> Result<(), String> {
        let scalar = scalar(kind).ok_or_else(|| format!("a scalar of kind {kind:?}"))?;
        self.leaves.push(Leaf { column: self.columns, byte, scalar });
        self.columns += width(scalar);
        Ok(())
    }

    fn append(&mut self, inner: &TypeInner, byte: u32) -> Result<(), String> {
        match *inner {
            TypeInner::Scalar(kind) | TypeInner::Atomic(kind) => self.leaf(kind, byte),
            TypeInner::Vector { size, scalar } => {
                (0..size as u32).try_for_each(|n| self.leaf(scalar, byte + n * u32::from(scalar.width)))
            }
            TypeInner::Matrix { columns, rows, scalar } => {
                let column = TypeInner::Vector { size: rows, scalar };
                let stride = matrix_stride(rows, scalar.width);
                (0..columns as u32).try_for_each(|n| self.append(&column, byte + n * stride))
            }
            TypeInner::Array { base, size: ArraySize::Constant(count), stride } => {
                let element = &self.module.types[base].inner;
                (0..count.get()).try_for_each(|n| self.append(element, byte + n * stride))
            }
            // Behind a pointer only; the elements are reached one by one.
            TypeInner::Array { .. } => Ok(()),
            TypeInner::Struct { ref members, .. } => {
                members.iter().try_for_each(|m| self.append(&self.module.types[m.ty].inner, byte + m.offset))
            }
            ref other => Err(format!("a value of type {other:?}")),
        }
    }
}

/// The elements of a composite type: of an array, the columns of a matrix, the components of a vector.
pub(crate) fn elements(module: &Module, inner: &TypeInner) -> Option<Elements> {
    Some(match *inner {
        TypeInner::Vector { size, scalar: kind } => {
            Elements { count: Some(size as u32), columns: width(scalar(kind)?), bytes: u32::from(kind.width) }
        }
        TypeInner::Matrix { columns, rows, scalar: kind } => Elements {
            count: Some(columns as u32),
            columns: rows as u32 * width(scalar(kind)?),
            bytes: matrix_stride(rows, kind.width),
        },
        TypeInner::Array { base, size, stride } => Elements {
            count: match size {
                ArraySize::Constant(count) => Some(count.get()),
                _ => None,
            },
            columns: columns(module, base),
            bytes: stride,
        },
        _ => return None,
    })
}

/// Columns before member `n` of a struct, and its bytes in memory.
pub(crate) fn member(module: &Module, inner: &TypeInner, n: u32) -> Option<(u32, u32)> {
    let TypeInner::Struct { ref members, .. } = *inner else {
        return None;
    };
    let member = members.get(n as usize)?;
    Some((members[..n as usize].iter().map(|m| columns(module, m.ty)).sum(), member.offset))
}

/// Columns of a type; a runtime-sized array has none. Saturates: whoever needs the columns checks the shape first.
fn columns(module: &Module, ty: Handle<Type>) -> u32 {
    match module.types[ty].inner {
        TypeInner::Scalar(kind) | TypeInner::Atomic(kind) => scalar(kind).map_or(0, width),
        TypeInner::Struct { ref members, .. } => {
            members.iter().fold(0, |sum, m| sum.saturating_add(columns(module, m.ty)))
        }
        ref inner => elements(module, inner)
            .map_or(0, |elements| elements.columns.saturating_mul(elements.count.unwrap_or(0))),
    }
}
