//! What is bound to a kernel, checked against its interface.
//!
//! Knows nothing of devices: whatever passes here can be given to any of them.

use std::ops::Range;
use std::sync::Arc;

use warpweft_module::{Binding, Space};

use super::values::Value;
use crate::Result;
use crate::buffer::Part;
use crate::kernel::KernelInner;

/// What was given for one binding.
#[derive(Clone)]
pub(crate) enum Given {
    Part(Part),
    Value(Value),
}

/// What a launch passes for one binding.
#[derive(Clone)]
pub(crate) enum ResolvedArgument {
    /// Words of a store.
    Words {
        part: Part,
        words: Range<u64>,
        /// Some code of the kernel writes it.
        writes: bool,
    },
    /// A uniform's bytes.
    Value(Arc<[u8]>),
}

/// Finds a binding by its name, or says which names there are.
pub(crate) fn position(kernel: &KernelInner, name: &str) -> Result<usize> {
    let interface = kernel.interface();
    interface.position(name).ok_or_else(|| {
        let bindings = &interface.bindings;
        if bindings.is_empty() {
            return kernel.binding_error(format!("there is no binding `{name}`: the kernel uses none"));
        }
        let names: Vec<String> = bindings.iter().map(|b| format!("`{}`", b.name)).collect();
        let near = bindings
            .iter()
            .map(|b| (strsim::damerau_levenshtein(&b.name, name), &b.name))
            .min()
            .filter(|(distance, near)| {
                *distance <= name.len().max(3) / 3 && *distance < near.len().max(name.len())
            })
            .map(|(_, near)| format!(" Did you mean `{near}`?"));
        kernel.binding_error(format!(
            "there is no binding `{name}`; the kernel uses {}.{}",
            names.join(", "),
            near.unwrap_or_default()
        ))
    })
}

/// Checks all arguments of a launch and gives them in the order of the interface.
pub(crate) fn resolve(kernel: &KernelInner, given: &[Option<Given>]) -> Result<Vec<ResolvedArgument>> {
    let bindings = &kernel.interface().bindings;
    let missing: Vec<String> = bindings
        .iter()
        .zip(given)
        .filter(|(_, given)| given.is_none())
        .map(|(binding, _)| match binding.space {
            Space::Uniform => format!("uniform `{}` (of `{}`) has no value", binding.name, binding.ty),
            Space::Storage => format!("binding `{}` (of `{}`) has no buffer", binding.name, binding.ty),
        })
        .collect();
    if !missing.is_empty() {
        return Err(kernel.binding_error(missing.join("; ")));
    }
    let mut arguments = Vec::with_capacity(bindings.len());
    for (binding, given) in bindings.iter().zip(given.iter().flatten()) {
        arguments.push(match given {
            Given::Value(value) => ResolvedArgument::Value(
                value.finish(binding).map_err(|reason| kernel.binding_error(reason))?.into(),
            ),
            Given::Part(part) => {
                if let Some(reason) = part.element.mismatch(&binding.ty, part.bytes) {
                    let reason = format!("what is bound to `{}` {reason}", binding.name);
                    return Err(kernel.binding_error(reason));
                }
                let writes = binding.access.writes;
                ResolvedArgument::Words { part: part.clone(), words: part.words(), writes }
            }
        });
    }
    for argument in &arguments {
        if let ResolvedArgument::Words { part, .. } = argument
            && !Arc::ptr_eq(&part.handle.runtime, &kernel.runtime)
        {
            return Err(kernel.binding_error("a buffer of another runtime was bound"));
        }
    }
    check_aliases(bindings, &arguments).map_err(|reason| kernel.binding_error(reason))?;
    Ok(arguments)
}

/// Refuses parts that are smaller than the kernel needs; an empty grid touches nothing and needs no such check.
pub(crate) fn check_sizes(kernel: &KernelInner, arguments: &[ResolvedArgument]) -> Result<()> {
    for (binding, argument) in kernel.interface().bindings.iter().zip(arguments) {
        let ResolvedArgument::Words { part, .. } = argument else {
            continue;
        };
        if part.bytes < binding.min_size {
            return Err(kernel.binding_error(format!(
                "what is bound to `{}` has {} bytes, the kernel's `{}` needs at least {}",
                binding.name, part.bytes, binding.ty, binding.min_size
            )));
        }
    }
    Ok(())
}

/// No word may be bound twice where one of the bindings can be written.
fn check_aliases(bindings: &[Binding], arguments: &[ResolvedArgument]) -> Result<(), String> {
    for (i, first) in arguments.iter().enumerate() {
        for (j, second) in arguments.iter().enumerate().skip(i + 1) {
            let (
                ResolvedArgument::Words { part: a, words: x, .. },
                ResolvedArgument::Words { part: b, words: y, .. },
            ) = (first, second)
            else {
                continue;
            };
            let writable = |at: usize| bindings[at].access.writable;
            if a.handle.key == b.handle.key
                && x.start < y.end
                && y.start < x.end
                && (writable(i) || writable(j))
            {
                let (w, r) = if writable(i) { (i, j) } else { (j, i) };
                return Err(format!(
                    "`{}` and `{}` are bound to overlapping parts of one buffer, and `{}` is read_write: bind parts \
                     that do not overlap, or two buffers",
                    bindings[w].name, bindings[r].name, bindings[w].name
                ));
            }
        }
    }
    Ok(())
}
