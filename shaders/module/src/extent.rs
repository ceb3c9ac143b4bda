//! How much a type holds: what nests deeply or doubles from level to level is refused before anything walks it.
//!
//! WGSL's own limits (15 levels of nesting, 1023 members of a structure) still allow types that no memory holds.
//! Knows types only.

use crate::error::ModuleError;
use crate::explain;
use crate::source::Joined;
use naga::{Module, TypeInner};

/// Types within types.
const DEPTH: usize = 127;
/// Members, members of members and so on; the elements of an array count as one.
const PARTS: usize = 16_384;

/// An error if a type of `module` is too much for whoever walks it.
pub(crate) fn check(joined: &Joined, module: &Module) -> Result<(), ModuleError> {
    // Depth and parts by type; naga keeps types before those that contain them.
    let mut known: Vec<(usize, usize)> = Vec::with_capacity(module.types.len());
    for (handle, ty) in module.types.iter() {
        let of = |inner: naga::Handle<naga::Type>| known.get(inner.index()).copied().unwrap_or_default();
        let (depth, parts) = match &ty.inner {
            TypeInner::Array { base, .. } | TypeInner::BindingArray { base, .. } => of(*base),
            TypeInner::Struct { members, .. } => {
                members.iter().map(|m| of(m.ty)).fold((0, 0), |a, b| (a.0.max(b.0), a.1 + b.1))
            }
            _ => (0, 0),
        };
        let (depth, parts) = (depth + 1, parts + 1);
        let (message, note) = if depth > DEPTH {
            (
                format!("a type nests deeper than {DEPTH} levels"),
                "use fewer levels: an array of arrays can be one long array".to_string(),
            )
        } else if parts > PARTS {
            let name =
                ty.name.as_deref().map_or_else(|| "a type".to_string(), |name| format!("type `{name}`"));
            (
                format!("{name} has {parts} parts, members of members counted; {PARTS} are the most"),
                "use arrays where members are alike".to_string(),
            )
        } else {
            known.push((depth, parts));
            continue;
        };
        let label = (module.types.get_span(handle), "declared here".to_string());
        return Err(ModuleError::Unsupported(explain::diagnostic(joined, message, &[label], vec![note])));
    }
    Ok(())
}
