//! The outside of a kernel, read off naga's module: bindings and their layouts, needs, memory, barriers.
//!
//! Knows naga's IR; sees a module with one entry point, pruned and validated.

use crate::axes;
use crate::cost;
use crate::error::ModuleError;
use crate::interface::{Access, Binding, Interface, Override, Space};
use crate::layout;
use crate::module::Accepted;
use crate::needs;
use crate::types::Scalar;
use naga::proc::Layouter;
use naga::valid::{GlobalUse, ModuleInfo};
use naga::{AddressSpace, Handle, Module, StorageAccess};

/// The interface of the only entry point of `module`.
pub(crate) fn interface(
    accepted: &Accepted,
    module: &Module,
    info: &ModuleInfo,
) -> Result<Interface, ModuleError> {
    let point = &module.entry_points[0];
    let mut layouter = Layouter::default();
    if let Err(error) = layouter.update(module.to_ctx()) {
        return Err(ModuleError::FrontEnd { message: error.to_string() });
    }
    let bindings = bindings(module, info, &layouter)?;
    let needs = needs::of(module, info);
    Ok(Interface {
        entry: point.name.clone(),
        workgroup_size: point.workgroup_size,
        bindings,
        overrides: accepted.overrides.clone(),
        features: needs.features,
        workgroup_memory: workgroup_memory(module, &layouter),
        private_memory: private_memory(module, &layouter),
        loops: needs.loops,
        barriers: needs.barriers,
        storage_atomics: needs.storage_atomics,
        axes: axes::of(module),
        num_workgroups: needs.num_workgroups,
        cost: cost::of(module, info, &layouter),
    })
}

fn bindings(module: &Module, info: &ModuleInfo, layouter: &Layouter) -> Result<Vec<Binding>, ModuleError> {
    let mut found = Vec::new();
    for (handle, global) in module.global_variables.iter() {
        let (Some(place), Some((space, writable))) = (&global.binding, space(global.space)) else {
            continue;
        };
        let uses = info.get_entry_point(0)[handle];
        let access = Access {
            writable,
            reads: uses.intersects(GlobalUse::READ | GlobalUse::ATOMIC),
            writes: uses.intersects(GlobalUse::WRITE | GlobalUse::ATOMIC),
        };
        let ty = layout::ty(module, layouter, global.ty)?;
        let binding = Binding {
            name: global.name.clone().unwrap_or_default(),
            group: place.group,
            binding: place.binding,
            space,
            access,
            min_size: u64::from(ty.size()),
            ty,
        };
        found.push(binding);
    }
    found.sort_by_key(|b: &Binding| (b.group, b.binding));
    Ok(found)
}

fn space(space: AddressSpace) -> Option<(Space, bool)> {
    match space {
        AddressSpace::Uniform => Some((Space::Uniform, false)),
        AddressSpace::Storage { access } => Some((Space::Storage, access.contains(StorageAccess::STORE))),
        _ => None,
    }
}

/// Bytes of workgroup memory, each variable rounded up to 16 bytes as WebGPU counts them.
fn workgroup_memory(module: &Module, layouter: &Layouter) -> u32 {
    let shared = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::WorkGroup);
    let bytes = shared.map(|(_, v)| u64::from(layouter[v.ty].size).next_multiple_of(16)).sum::<u64>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn private_memory(module: &Module, layouter: &Layouter) -> u32 {
    let globals = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::Private);
    let functions = module.functions.iter().map(|(_, f)| f);
    let functions = functions.chain(module.entry_points.iter().map(|point| &point.function));
    let locals = functions.flat_map(|f| f.local_variables.iter().map(|(_, v)| v.ty));
    let types = globals.map(|(_, v)| v.ty).chain(locals);
    u32::try_from(types.map(|ty| u64::from(layouter[ty].size)).sum::<u64>()).unwrap_or(u32::MAX)
}

/// The overrides that a module declares, in source order.
pub(crate) fn overrides(module: &Module) -> Vec<Override> {
    let mut found = module.overrides.iter().collect::<Vec<_>>();
    found.sort_by_key(|(handle, _)| module.overrides.get_span(*handle).to_range().map(|range| range.start));
    let describe = |(_, o): (_, &naga::Override)| {
        Some(Override {
            name: o.name.clone().or_else(|| o.id.map(|id| id.to_string()))?,
            id: o.id,
            scalar: scalar_of(module, o.ty)?,
            has_default: o.init.is_some(),
        })
    };
    found.into_iter().filter_map(describe).collect()
}

/// The scalar type of that handle, if it is one.
pub(crate) fn scalar_of(module: &Module, ty: Handle<naga::Type>) -> Option<Scalar> {
    match module.types[ty].inner {
        naga::TypeInner::Scalar(scalar) => layout::scalar(scalar),
        _ => None,
    }
}
