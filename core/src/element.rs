//! What is known of a Rust element type, and whether it fits what WGSL expects.
//!
//! Knows nothing of buffers: it compares a Rust type's size and scalar with a WGSL type's layout.

use std::any::TypeId;
use std::fmt::Write;

use bytemuck::Pod;
use half::f16;
use warpweft_module::{Scalar, Type};

/// A Rust element type as far as the runtime knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementType {
    /// The Rust name, for messages.
    pub name: &'static str,
    /// Bytes of one element.
    pub size: u32,
    /// The scalar that the element is made of, where that is known.
    pub scalar: Option<Scalar>,
}

impl ElementType {
    /// What is known of `T`: scalars and arrays of scalars are known exactly, other types by their size.
    pub fn of<T: Pod>() -> Self {
        Self { name: std::any::type_name::<T>(), size: size_of::<T>() as u32, scalar: scalar_of::<T>() }
    }

    /// Why elements of this type cannot be bound as memory that WGSL describes as `ty`; `bytes` are bound in all.
    pub(crate) fn mismatch(&self, ty: &Type, bytes: u64) -> Option<String> {
        let element = innermost(ty);
        if let (Some(given), Some(needed)) = (self.scalar, ty.scalar())
            && given != needed
        {
            return Some(format!("holds {given}, the kernel declares `{ty}` (of {needed})"));
        }
        let whole_elements =
            bytes.is_multiple_of(u64::from(stride(element))) || ty.runtime_array().is_none_or(|a| a.0 > 0);
        let fits = match element {
            // A structure is matched whole, or comes as raw 4-byte words or bytes, padding included.
            Type::Struct { .. } if self.scalar.is_some_and(|s| s.size() == 4) || self.size == 1 => {
                whole_elements
            }
            // Values laid out without gaps may come in any shape; a type with padding must be matched whole.
            other if dense(other) && !matches!(other, Type::Struct { .. }) => whole_elements,
            other => self.size == stride(other),
        };
        (!fits).then(|| {
            format!(
                "has elements of type {} ({} bytes), the kernel declares `{ty}`, whose elements take {} bytes{}",
                self.name,
                self.size,
                stride(element),
                layout(element)
            )
        })
    }
}

/// The scalar type of a Rust type that is one scalar or nested arrays of it.
fn scalar_of<T: 'static>() -> Option<Scalar> {
    macro_rules! known {
        ($($rust:ty => $scalar:ident),*) => {{
            let id = TypeId::of::<T>();
            $(if [
                TypeId::of::<$rust>(),
                TypeId::of::<[$rust; 2]>(),
                TypeId::of::<[$rust; 3]>(),
                TypeId::of::<[$rust; 4]>(),
                TypeId::of::<[$rust; 8]>(),
                TypeId::of::<[$rust; 16]>(),
                TypeId::of::<[[$rust; 2]; 2]>(),
                TypeId::of::<[[$rust; 4]; 2]>(),
                TypeId::of::<[[$rust; 4]; 3]>(),
                TypeId::of::<[[$rust; 4]; 4]>(),
            ].contains(&id) { return Some(Scalar::$scalar); })*
            None
        }};
    }
    known!(f32 => F32, u32 => U32, i32 => I32, f64 => F64, f16 => F16, u64 => U64, i64 => I64, u16 => U16, i16 => I16)
}

/// The element of (nested) arrays, or the type itself.
fn innermost(ty: &Type) -> &Type {
    match ty {
        Type::Array { element, .. } => innermost(element),
        other => other,
    }
}

/// Bytes from one such value to the next in an array.
fn stride(ty: &Type) -> u32 {
    ty.size().next_multiple_of(ty.align().max(1))
}

/// The type has no padding, so that its bytes are its scalars in order.
fn dense(ty: &Type) -> bool {
    match ty {
        Type::Scalar(_) | Type::Atomic(_) => true,
        Type::Vector { len, .. } => *len != 3,
        Type::Matrix { rows, .. } => *rows != 3,
        Type::Array { element, stride, .. } => dense(element) && *stride == element.size(),
        Type::Struct { members, size, .. } => {
            members.iter().all(|m| dense(&m.ty)) && members.iter().map(|m| m.ty.size()).sum::<u32>() == *size
        }
    }
}

/// WGSL's layout of a structure or padded vector, for a message.
fn layout(ty: &Type) -> String {
    match ty {
        Type::Struct { name, members, size, align } => {
            let mut text = format!(". `{name}` is laid out as");
            for member in members {
                let _ = write!(text, " {}: {} at {},", member.name, member.ty, member.offset);
            }
            let _ = write!(
                text,
                " {size} bytes aligned to {align}: lay the Rust struct out with #[repr(C)] and the same padding"
            );
            text
        }
        Type::Vector { len: 3, scalar } => {
            format!(": vec3 is padded to four {scalar}; use [{scalar}; 4] elements")
        }
        Type::Matrix { columns, rows: 3, scalar } => {
            format!(": columns are padded to four {scalar}; use [[{scalar}; 4]; {columns}] elements")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warpweft_module::Member;

    fn array(element: Type) -> Type {
        let stride = stride(&element);
        Type::Array { element: Box::new(element), len: None, stride }
    }

    fn check<T: Pod>(ty: &Type, bytes: u64, expected: Option<&str>) {
        let found = ElementType::of::<T>().mismatch(ty, bytes);
        match (found, expected) {
            (None, None) => {}
            (Some(found), Some(part)) => assert!(found.contains(part), "{found:?} does not say {part:?}"),
            (found, expected) => panic!("{ty}: found {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn scalars_and_dense_types_fit_in_any_shape() {
        let f32s = array(Type::Scalar(Scalar::F32));
        let vec4s = array(Type::Vector { len: 4, scalar: Scalar::F32 });
        check::<f32>(&f32s, 12, None);
        check::<[f32; 4]>(&f32s, 32, None);
        check::<f32>(&vec4s, 32, None);
        check::<f32>(&vec4s, 20, Some("elements take 16 bytes"));
        check::<u32>(&array(Type::Atomic(Scalar::U32)), 8, None);
        check::<i32>(&f32s, 8, Some("holds i32"));
        check::<f64>(&f32s, 8, Some("holds f64"));
    }

    #[test]
    fn padded_types_must_be_matched_whole() {
        let vec3s = array(Type::Vector { len: 3, scalar: Scalar::F32 });
        check::<[f32; 4]>(&vec3s, 32, None);
        check::<[f32; 3]>(&vec3s, 48, Some("use [f32; 4]"));
        check::<f32>(&vec3s, 48, Some("padded to four"));
    }

    #[test]
    fn structures_are_compared_by_size_and_shown() {
        #[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
        #[repr(C)]
        struct Particle {
            position: [f32; 3],
            id: u32,
        }
        let vec3 = Type::Vector { len: 3, scalar: Scalar::F32 };
        let members = vec![
            Member { name: "position".into(), offset: 0, ty: vec3 },
            Member { name: "id".into(), offset: 12, ty: Type::Scalar(Scalar::U32) },
        ];
        let good =
            array(Type::Struct { name: "Particle".into(), members: members.clone(), size: 16, align: 16 });
        check::<Particle>(&good, 32, None);
        check::<[f64; 2]>(&good, 32, None);
        check::<f64>(&good, 32, Some("elements take 16 bytes"));
        check::<u32>(&good, 32, None);
        // Raw words fit structures of one scalar type too, padding included.
        let vec3 = Type::Vector { len: 3, scalar: Scalar::F32 };
        let all_f32 = members.iter().map(|m| Member { ty: vec3.clone(), ..m.clone() }).collect();
        let uniform = array(Type::Struct { name: "P".into(), members: all_f32, size: 32, align: 16 });
        check::<f32>(&uniform, 64, None);
        check::<f32>(&uniform, 60, Some("elements take 32 bytes"));
        let bad = array(Type::Struct { name: "Particle".into(), members, size: 32, align: 16 });
        check::<Particle>(&bad, 32, Some("position: vec3<f32> at 0, id: u32 at 12"));
    }
}
