//! naga's types as [`Type`]s, with the layout that WGSL gives them in memory.
//!
//! Knows types only: not which variable has them.

use crate::error::ModuleError;
use crate::types::{Member, Scalar, Type};
use naga::proc::Layouter;
use naga::{ArraySize, Handle, Module, ScalarKind, TypeInner};

/// The type of that handle.
pub(crate) fn ty(
    module: &Module,
    layouter: &Layouter,
    handle: Handle<naga::Type>,
) -> Result<Type, ModuleError> {
    let source = &module.types[handle];
    let unknown = || ModuleError::FrontEnd { message: format!("{:?} in a binding", source.inner) };
    let known = |s: naga::Scalar| scalar(s).ok_or_else(unknown);
    Ok(match source.inner {
        TypeInner::Scalar(s) => Type::Scalar(known(s)?),
        TypeInner::Atomic(s) => Type::Atomic(known(s)?),
        TypeInner::Vector { size, scalar } => Type::Vector { len: size.into(), scalar: known(scalar)? },
        TypeInner::Matrix { columns, rows, scalar } => {
            Type::Matrix { columns: columns.into(), rows: rows.into(), scalar: known(scalar)? }
        }
        TypeInner::Array { base, size, stride } => Type::Array {
            element: Box::new(ty(module, layouter, base)?),
            len: match size {
                ArraySize::Constant(len) => Some(len.get()),
                ArraySize::Dynamic => None,
                ArraySize::Pending(_) => return Err(unknown()),
            },
            stride,
        },
        TypeInner::Struct { ref members, span } => Type::Struct {
            name: source.name.clone().unwrap_or_default(),
            members: members.iter().map(|m| member(module, layouter, m)).collect::<Result<_, _>>()?,
            size: span,
            // One byte, rounded up to the alignment: naga keeps the number itself private.
            align: layouter[handle].alignment.round_up(1),
        },
        _ => return Err(unknown()),
    })
}

fn member(module: &Module, layouter: &Layouter, member: &naga::StructMember) -> Result<Member, ModuleError> {
    Ok(Member {
        name: member.name.clone().unwrap_or_default(),
        offset: member.offset,
        ty: ty(module, layouter, member.ty)?,
    })
}

/// naga's scalar, unless it is an abstract one.
pub(crate) fn scalar(scalar: naga::Scalar) -> Option<Scalar> {
    Some(match (scalar.kind, scalar.width) {
        (ScalarKind::Bool, _) => Scalar::Bool,
        (ScalarKind::Sint, 2) => Scalar::I16,
        (ScalarKind::Uint, 2) => Scalar::U16,
        (ScalarKind::Sint, 4) => Scalar::I32,
        (ScalarKind::Uint, 4) => Scalar::U32,
        (ScalarKind::Sint, 8) => Scalar::I64,
        (ScalarKind::Uint, 8) => Scalar::U64,
        (ScalarKind::Float, 2) => Scalar::F16,
        (ScalarKind::Float, 4) => Scalar::F32,
        (ScalarKind::Float, 8) => Scalar::F64,
        _ => return None,
    })
}
