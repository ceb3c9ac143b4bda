//! Leaves in a naga module only what its entry points reach.
//!
//! naga's own compaction keeps every named constant, and every result type of `modf`, `frexp` and compare-exchange, so
//! that an unused `const PI: f64` would make a device without 64-bit floats refuse the kernel. This goes further.

use crate::walk::visit_block;
use naga::compact::{KeepUnused, compact};
use naga::valid::ModuleInfo;
use naga::{Expression, Handle, Module, Statement};
use std::collections::HashSet;

/// Drops what no entry point reaches; spans stay.
pub(crate) fn prune(module: &mut Module) {
    compact(module, KeepUnused::No);
    while forget_names(module) {
        compact(module, KeepUnused::No);
    }
}

/// Whether nothing of `module` but names was dropped to get `pruned`: then handles into one are those into the other.
pub(crate) fn is_whole(pruned: &Module, module: &Module) -> bool {
    let sizes = |module: &Module| {
        let whole = [
            module.types.len(),
            module.special_types.predeclared_types.len(),
            module.constants.len(),
            module.overrides.len(),
            module.global_variables.len(),
            module.global_expressions.len(),
            module.functions.len(),
            module.entry_points.len(),
        ];
        let each = |function: &naga::Function| [function.expressions.len(), function.local_variables.len()];
        (whole, functions(module).map(each).collect::<Vec<_>>())
    };
    sizes(pruned) == sizes(module)
}

/// Takes their names from constants that nobody uses, so that nothing keeps them; whether there were any.
fn forget_names(module: &mut Module) -> bool {
    let used = used_constants(module);
    let mut unused = false;
    for (handle, constant) in module.constants.iter_mut() {
        if constant.name.is_some() && !used.contains(&handle) {
            constant.name = None;
            unused = true;
        }
    }
    unused
}

/// Forgets the predeclared result types that nothing reached from the only entry point has. `info` is that of the
/// module before anything was dropped but entry points, of which this one was number `point`.
pub(crate) fn forget_results(module: &mut Module, info: &ModuleInfo, point: usize) {
    let mut used = HashSet::new();
    let mut reached = HashSet::new();
    let mut pending = vec![(&module.entry_points[0].function, info.get_entry_point(point))];
    while let Some((function, info_of)) = pending.pop() {
        for (handle, expression) in function.expressions.iter() {
            if matches!(expression, Expression::Math { .. } | Expression::AtomicResult { .. }) {
                used.extend(info_of[handle].ty.handle());
            }
        }
        visit_block(&function.body, &mut |statement| {
            if let Statement::Call { function, .. } = *statement
                && reached.insert(function)
            {
                pending.push((&module.functions[function], &info[function]));
            }
        });
    }
    module.special_types.predeclared_types.retain(|_, ty| used.contains(ty));
}

fn functions(module: &Module) -> impl Iterator<Item = &naga::Function> {
    let points = module.entry_points.iter().map(|point| &point.function);
    module.functions.iter().map(|(_, function)| function).chain(points)
}

fn used_constants(module: &Module) -> HashSet<Handle<naga::Constant>> {
    let local = functions(module).flat_map(|function| function.expressions.iter());
    let constant = |(_, expression): (_, &Expression)| match *expression {
        Expression::Constant(handle) => Some(handle),
        _ => None,
    };
    local.chain(module.global_expressions.iter()).filter_map(constant).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Kernel, Module, Source};

    fn twice(rest: &str) -> [Kernel; 2] {
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
             @compute @workgroup_size(1) fn main() {{ x[0] = 1u; }}
             {rest}"
        );
        let module = Module::new(&[Source::new("test.wgsl", wgsl)], &[]).unwrap();
        [0; 2].map(|_| module.kernel(Some("main"), &[]).unwrap())
    }

    #[test]
    fn only_a_kernel_that_is_all_of_its_module_shares_it() {
        for (rest, shares) in [
            ("", true),
            ("fn unused() -> u32 { return 2u; }", false),
            ("const UNUSED: f32 = 2.0;", false),
            ("override UNUSED: u32 = 2u;", false),
            ("var<private> unused: u32;", false),
            ("@compute @workgroup_size(1) fn other() { x[1] = 1u; }", false),
        ] {
            let [one, other] = twice(rest);
            assert_eq!(std::ptr::eq(one.naga().0, other.naga().0), shares, "{rest}");
            let (module, info) = one.naga();
            assert_eq!((module.entry_points.len(), module.functions.len()), (1, 0), "{rest}");
            let expressions = &module.entry_points[0].function.expressions;
            expressions.iter().for_each(|(handle, _)| drop(info.get_entry_point(0)[handle].ty.clone()));
        }
    }
}
