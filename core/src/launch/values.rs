//! Values of uniforms, set by name: whole, or member by member.
//!
//! Knows WGSL's layout and nothing of buffers.

use std::ops::Range;

use warpweft_module::{Binding, Type};

use crate::element::ElementType;

/// The bytes of a uniform that are set so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Value {
    bytes: Vec<u8>,
    set: Vec<Range<usize>>,
}

impl Value {
    /// Sets a value, given as its bytes and Rust type, at a dotted path below a binding.
    pub(crate) fn set(
        &mut self,
        binding: &Binding,
        path: &[&str],
        bytes: &[u8],
        given: ElementType,
    ) -> Result<(), String> {
        let (offset, ty) = resolve(binding, path)?;
        let name = name(binding, path);
        match (given.scalar, ty.scalar()) {
            (Some(given), Some(needed)) if given != needed => {
                return Err(format!("`{name}` was set to a value of {given}, the kernel declares `{ty}`"));
            }
            _ => {}
        }
        // A vec3 may be given with or without its padding.
        let fits = given.size == ty.size() || given.size == ty.size().next_multiple_of(ty.align());
        if !fits {
            return Err(format!(
                "`{name}` was set to a {} of {} bytes, the kernel declares `{ty}` of {} bytes",
                given.name,
                given.size,
                ty.size()
            ));
        }
        self.put(binding, offset, &bytes[..bytes.len().min(ty.size() as usize)]);
        Ok(())
    }

    /// Sets raw bytes at a dotted path below a binding.
    pub(crate) fn set_bytes(&mut self, binding: &Binding, path: &[&str], bytes: &[u8]) -> Result<(), String> {
        let (offset, ty) = resolve(binding, path)?;
        if bytes.len() != ty.size() as usize {
            return Err(format!(
                "`{}` was set to {} bytes, the kernel declares `{ty}` of {} bytes",
                name(binding, path),
                bytes.len(),
                ty.size()
            ));
        }
        self.put(binding, offset, bytes);
        Ok(())
    }

    fn put(&mut self, binding: &Binding, offset: usize, bytes: &[u8]) {
        let size = (binding.ty.size().max(binding.min_size as u32) as usize).next_multiple_of(4);
        self.bytes.resize(size, 0);
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
        self.set.push(offset..offset + bytes.len());
    }

    /// The bytes, once every scalar of the binding is set.
    pub(crate) fn finish(&self, binding: &Binding) -> Result<Vec<u8>, String> {
        let mut unset = Vec::new();
        leaves(&binding.ty, 0, &binding.name, &mut |path, range| {
            if !range.clone().all(|byte| self.set.iter().any(|set| set.contains(&byte))) {
                unset.push(format!("`{path}`"));
            }
        });
        match unset.is_empty() {
            true => Ok(self.bytes.clone()),
            false => Err(format!("{} not set", list(&unset))),
        }
    }
}

/// The member of a binding at a path: its offset and type.
pub(crate) fn resolve<'a>(binding: &'a Binding, path: &[&str]) -> Result<(usize, &'a Type), String> {
    let (mut offset, mut ty, mut at) = (0, &binding.ty, binding.name.clone());
    for &step in path {
        let Type::Struct { members, .. } = ty else {
            return Err(format!("`{at}` is a `{ty}` and has no member `{step}`"));
        };
        let Some(member) = members.iter().find(|m| m.name == step) else {
            let names: Vec<String> = members.iter().map(|m| format!("`{}`", m.name)).collect();
            return Err(format!("`{at}` has no member `{step}`; it has {}", names.join(", ")));
        };
        offset += member.offset as usize;
        ty = &member.ty;
        at = format!("{at}.{step}");
    }
    Ok((offset, ty))
}

/// Calls `visit` with the path and byte range of every value that a person would set by itself.
fn leaves(ty: &Type, offset: usize, path: &str, visit: &mut impl FnMut(&str, Range<usize>)) {
    match ty {
        Type::Struct { members, .. } => {
            for member in members {
                leaves(
                    &member.ty,
                    offset + member.offset as usize,
                    &format!("{path}.{}", member.name),
                    visit,
                );
            }
        }
        Type::Array { element, len: Some(len), stride } => {
            for i in 0..*len as usize {
                leaves(element, offset + i * *stride as usize, &format!("{path}[{i}]"), visit);
            }
        }
        // A matrix is set whole, with its padding.
        other => visit(path, offset..offset + other.size() as usize),
    }
}

fn name(binding: &Binding, path: &[&str]) -> String {
    std::iter::once(binding.name.as_str()).chain(path.iter().copied()).collect::<Vec<_>>().join(".")
}

fn list(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        few if few.len() <= 4 => format!("{} are", few.join(", ")),
        many => format!("{} and {} more are", many[..3].join(", "), many.len() - 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warpweft_module::{Access, Member, Scalar, Space};

    fn params() -> Binding {
        let member = |name: &str, offset, ty| Member { name: name.into(), offset, ty };
        let members = vec![
            member("n", 0, Type::Scalar(Scalar::U32)),
            member("gravity", 16, Type::Vector { len: 3, scalar: Scalar::F32 }),
        ];
        Binding {
            name: "params".into(),
            group: 0,
            binding: 0,
            space: Space::Uniform,
            access: Access { writable: false, reads: true, writes: false },
            ty: Type::Struct { name: "Params".into(), members, size: 32, align: 16 },
            min_size: 32,
        }
    }

    impl Value {
        fn put_value<T: bytemuck::Pod>(
            &mut self,
            binding: &Binding,
            path: &[&str],
            value: T,
        ) -> Result<(), String> {
            self.set(binding, path, bytemuck::bytes_of(&value), ElementType::of::<T>())
        }
    }

    #[test]
    fn members_are_placed_by_wgsl_layout() {
        let (binding, mut value) = (params(), Value::default());
        value.put_value(&binding, &["n"], 7u32).unwrap();
        assert_eq!(value.finish(&binding).unwrap_err(), "`params.gravity` is not set");
        value.put_value(&binding, &["gravity"], [1.0f32, 2.0, 3.0]).unwrap();
        let bytes = value.finish(&binding).unwrap();
        assert_eq!(bytes.len(), 32);
        assert_eq!(bytes[0..4], 7u32.to_le_bytes());
        assert_eq!(bytes[24..28], 3.0f32.to_le_bytes());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let (binding, mut value) = (params(), Value::default());
        let error = value.put_value(&binding, &["n"], 1.0f32).unwrap_err();
        assert!(error.contains("`params.n` was set to a value of f32, the kernel declares `u32`"), "{error}");
        let error = value.put_value(&binding, &["m"], 1u32).unwrap_err();
        assert!(error.contains("no member `m`; it has `n`, `gravity`"), "{error}");
        let error = value.put_value(&binding, &["n", "x"], 1u32).unwrap_err();
        assert!(error.contains("`params.n` is a `u32`"), "{error}");
        let error = value.put_value(&binding, &["gravity"], [1.0f32, 2.0]).unwrap_err();
        assert!(error.contains("8 bytes, the kernel declares `vec3<f32>` of 12 bytes"), "{error}");
    }
}
