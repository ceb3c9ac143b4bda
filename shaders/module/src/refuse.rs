//! Says no, clearly, to what valid WGSL may ask for and no compute device of Warpweft offers.
//!
//! Looks at one pruned entry point: what other entry points need is none of its business.

use crate::error::ModuleError;
use crate::explain;
use crate::source::Joined;
use naga::{AddressSpace, Module, TypeInner};

/// An error if the kernel needs textures, samplers, ray tracing, immediates or the like.
pub(crate) fn unsupported(joined: &Joined, module: &Module, kernel: &str) -> Result<(), ModuleError> {
    for (handle, global) in module.global_variables.iter() {
        let Some((what, advice)) = reason(module, global) else {
            continue;
        };
        let name = global.name.as_deref().unwrap_or("a variable");
        let message = format!("kernel `{kernel}` uses `{name}`, {what}, which is not supported");
        let label = (module.global_variables.get_span(handle), "declared here".to_string());
        let diagnostic = explain::diagnostic(joined, message, &[label], vec![advice.to_string()]);
        return Err(ModuleError::Unsupported(diagnostic));
    }
    for (handle, ty) in module.types.iter() {
        let what = match ty.inner {
            TypeInner::RayQuery { .. } => "ray queries",
            TypeInner::CooperativeMatrix { .. } => "cooperative matrices",
            _ => continue,
        };
        let message = format!("kernel `{kernel}` uses {what}, which are not supported");
        let label = (module.types.get_span(handle), "here".to_string());
        let note = "write the computation with scalars, vectors and buffers".to_string();
        return Err(ModuleError::Unsupported(explain::diagnostic(joined, message, &[label], vec![note])));
    }
    Ok(())
}

const BUFFERS: &str =
    "Warpweft's kernels work on buffers: use `var<storage>` with `array<…>` and compute the index";

fn reason(module: &Module, global: &naga::GlobalVariable) -> Option<(&'static str, &'static str)> {
    if global.space == AddressSpace::Immediate {
        return Some(("an immediate", "pass the value in a `var<uniform>`"));
    }
    if !global.memory_decorations.is_empty() {
        return Some((
            "a `@coherent` or `@volatile` buffer",
            "use `atomic<…>` elements, which WGSL itself defines",
        ));
    }
    match module.types[global.ty].inner {
        TypeInner::Image { .. } => Some(("a texture", BUFFERS)),
        TypeInner::Sampler { .. } => Some(("a sampler", BUFFERS)),
        TypeInner::AccelerationStructure { .. } => {
            Some(("an acceleration structure for ray tracing", BUFFERS))
        }
        TypeInner::BindingArray { .. } => Some((
            "an array of bindings",
            "declare each binding on its own, or put the arrays into one buffer",
        )),
        _ => None,
    }
}
