//! Types as the builder sees them: scalars of a composite in order (*leaves*), and where each lies in memory.
//!
//! Bindings have WGSL's layout, as naga has computed it. Variables have the same rules, but `bool` takes 4 bytes. Knows
//! nothing of values.

use naga::{ArraySize, Handle, Module, Type, TypeInner};
use warpweft_module::Scalar;

/// A type of values or of memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ty {
    Scalar(Scalar),
    Atomic(Scalar),
    Vector(u32, Scalar),
    /// Columns, rows.
    Matrix(u32, u32, Scalar),
    /// An array or struct.
    Composite(Handle<Type>),
}

/// Whose layout memory has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rules {
    Binding,
    Variable,
}

/// One member, element, column or component.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child {
    pub ty: Ty,
    /// Leaves before it.
    pub leaf: u32,
    /// Bytes before it.
    pub byte: u32,
}

/// What indexing chooses from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements {
    pub ty: Ty,
    /// `None`: the binding's size decides.
    pub count: Option<u32>,
    /// Leaves from one to the next.
    pub leaves: u32,
    /// Bytes from one to the next.
    pub bytes: u32,
}

/// One type of the module, as variables hold it.
struct Layout {
    leaves: u64,
    size: u64,
    align: u32,
    /// Of a struct: leaves and bytes before each member.
    members: Vec<(u32, u32)>,
}

/// The types of a module.
pub(super) struct Types<'a> {
    module: &'a Module,
    layouts: Vec<Layout>,
}

/// The scalar type of naga's; abstract types never get here.
pub(super) fn scalar(scalar: naga::Scalar) -> Option<Scalar> {
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

/// Vectors of three take the room of four between columns.
fn vector_stride(len: u32, scalar: Scalar) -> u32 {
    (if len == 2 { 2 } else { 4 }) * scalar.size()
}

impl Ty {
    /// The scalar type of a scalar, vector or matrix.
    pub(super) fn scalar(self) -> Option<Scalar> {
        match self {
            Ty::Scalar(s) | Ty::Atomic(s) | Ty::Vector(_, s) | Ty::Matrix(_, _, s) => Some(s),
            Ty::Composite(_) => None,
        }
    }
}

impl<'a> Types<'a> {
    pub(super) fn new(module: &'a Module) -> Types<'a> {
        let mut types = Types { module, layouts: Vec::with_capacity(module.types.len()) };
        // A type comes after those that it is made of.
        for (handle, ty) in module.types.iter() {
            let layout = types.layout(handle, &ty.inner);
            types.layouts.push(layout);
        }
        types
    }

    fn layout(&self, handle: Handle<Type>, inner: &TypeInner) -> Layout {
        let mut members = Vec::new();
        let (leaves, size, align) = match *inner {
            TypeInner::Array { base, size, .. } => {
                let count = match size {
                    ArraySize::Constant(count) => u64::from(count.get()),
                    _ => 0,
                };
                let element = self.of(base);
                let (leaves, stride) =
                    element.map_or((0, 0), |ty| (self.leaves(ty), u64::from(self.stride(ty))));
                let align = element.map_or(4, |ty| self.align(ty));
                (leaves.saturating_mul(count), stride.saturating_mul(count), align)
            }
            TypeInner::Struct { members: ref list, .. } => {
                let (mut leaves, mut size, mut align) = (0u64, 0u64, 4u32);
                for member in list {
                    let Some(ty) = self.of(member.ty) else { continue };
                    align = align.max(self.align(ty));
                    size = size.next_multiple_of(u64::from(self.align(ty)));
                    members.push((clamped(leaves), clamped(size)));
                    leaves = leaves.saturating_add(self.leaves(ty));
                    size = size.saturating_add(self.size(ty)).min(1 << 40);
                }
                (leaves, size.next_multiple_of(u64::from(align)), align)
            }
            _ => match self.of(handle) {
                Some(ty) if !matches!(ty, Ty::Composite(_)) => {
                    (self.leaves(ty), self.size(ty), self.align(ty))
                }
                _ => (0, 0, 4),
            },
        };
        Layout { leaves, size: size.min(1 << 40), align, members }
    }

    /// The type of that handle; `None` for textures and the like.
    pub(super) fn of(&self, handle: Handle<Type>) -> Option<Ty> {
        match self.module.types[handle].inner {
            TypeInner::Array { .. } | TypeInner::Struct { .. } => Some(Ty::Composite(handle)),
            ref inner => self.plain(inner),
        }
    }

    /// A type that is no array or struct.
    pub(super) fn plain(&self, inner: &TypeInner) -> Option<Ty> {
        Some(match *inner {
            TypeInner::Scalar(s) => Ty::Scalar(scalar(s)?),
            TypeInner::Atomic(s) => Ty::Atomic(scalar(s)?),
            TypeInner::Vector { size, scalar: s } => Ty::Vector(size as u32, scalar(s)?),
            TypeInner::Matrix { columns, rows, scalar: s } => {
                Ty::Matrix(columns as u32, rows as u32, scalar(s)?)
            }
            _ => return None,
        })
    }

    /// Scalars in a type; a runtime-sized array has none.
    pub(super) fn leaves(&self, ty: Ty) -> u64 {
        match ty {
            Ty::Scalar(_) | Ty::Atomic(_) => 1,
            Ty::Vector(n, _) => n.into(),
            Ty::Matrix(c, r, _) => u64::from(c * r),
            Ty::Composite(handle) => self.layouts[handle.index()].leaves,
        }
    }

    /// Bytes of a type in a variable.
    pub(super) fn size(&self, ty: Ty) -> u64 {
        match ty {
            Ty::Scalar(s) | Ty::Atomic(s) => s.size().into(),
            Ty::Vector(n, s) => u64::from(n * s.size()),
            Ty::Matrix(c, r, s) => u64::from(c * vector_stride(r, s)),
            Ty::Composite(handle) => self.layouts[handle.index()].size,
        }
    }

    fn align(&self, ty: Ty) -> u32 {
        match ty {
            Ty::Scalar(s) | Ty::Atomic(s) => s.size(),
            Ty::Vector(n, s) | Ty::Matrix(_, n, s) => vector_stride(n, s),
            Ty::Composite(handle) => self.layouts[handle.index()].align,
        }
    }

    /// Bytes between elements of an array in a variable.
    fn stride(&self, element: Ty) -> u32 {
        clamped(self.size(element).next_multiple_of(u64::from(self.align(element))))
    }

    /// What indexing into the type chooses from.
    pub(super) fn elements(&self, ty: Ty, rules: Rules) -> Option<Elements> {
        Some(match ty {
            Ty::Vector(n, s) => Elements { ty: Ty::Scalar(s), count: Some(n), leaves: 1, bytes: s.size() },
            Ty::Matrix(c, r, s) => {
                Elements { ty: Ty::Vector(r, s), count: Some(c), leaves: r, bytes: vector_stride(r, s) }
            }
            Ty::Composite(handle) => {
                let TypeInner::Array { base, size, stride } = self.module.types[handle].inner else {
                    return None;
                };
                let ty = self.of(base)?;
                Elements {
                    ty,
                    count: match size {
                        ArraySize::Constant(count) => Some(count.get()),
                        _ => None,
                    },
                    leaves: clamped(self.leaves(ty)),
                    bytes: if rules == Rules::Binding { stride } else { self.stride(ty) },
                }
            }
            _ => return None,
        })
    }

    /// Member, element, column or component `n`.
    pub(super) fn child(&self, ty: Ty, n: u32, rules: Rules) -> Option<Child> {
        if let Ty::Composite(handle) = ty
            && let TypeInner::Struct { ref members, .. } = self.module.types[handle].inner
        {
            let member = members.get(n as usize)?;
            let (leaf, byte) = *self.layouts[handle.index()].members.get(n as usize)?;
            let byte = if rules == Rules::Binding { member.offset } else { byte };
            return Some(Child { ty: self.of(member.ty)?, leaf, byte });
        }
        let elements = self.elements(ty, rules)?;
        if elements.count.is_some_and(|count| n >= count) {
            return None;
        }
        let (leaf, byte) = (n.saturating_mul(elements.leaves), n.saturating_mul(elements.bytes));
        Some(Child { ty: elements.ty, leaf, byte })
    }

    /// How many children there are; `None` for a runtime-sized array.
    pub(super) fn children(&self, ty: Ty) -> Option<u32> {
        match ty {
            Ty::Scalar(_) | Ty::Atomic(_) => Some(0),
            Ty::Vector(n, _) | Ty::Matrix(n, _, _) => Some(n),
            Ty::Composite(handle) => match self.module.types[handle].inner {
                TypeInner::Struct { ref members, .. } => Some(members.len() as u32),
                TypeInner::Array { size: ArraySize::Constant(count), .. } => Some(count.get()),
                _ => None,
            },
        }
    }

    /// The leaves of a type: bytes before each, and its type.
    pub(super) fn flatten(&self, ty: Ty, rules: Rules, byte: u32, out: &mut Vec<(u32, Scalar)>) {
        match ty {
            Ty::Scalar(s) | Ty::Atomic(s) => out.push((byte, s)),
            Ty::Vector(n, s) => out.extend((0..n).map(|c| (byte + c * s.size(), s))),
            _ => {
                for n in 0..self.children(ty).unwrap_or(0) {
                    if let Some(child) = self.child(ty, n, rules) {
                        self.flatten(child.ty, rules, byte + child.byte, out);
                    }
                }
            }
        }
    }
}

fn clamped(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
