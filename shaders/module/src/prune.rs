//! Leaves in a naga module only what its entry points reach.
//!
//! naga's own compaction keeps every named constant, and every result type of `modf`, `frexp` and compare-exchange, so
//! that an unused `const PI: f64` would make a device without 64-bit floats refuse the kernel. This goes further.

use naga::compact::{KeepUnused, compact};
use naga::{Expression, Handle, MathFunction, Module, PredeclaredType};
use std::collections::HashSet;

/// Drops what no entry point reaches; spans stay.
pub(crate) fn prune(module: &mut Module) {
    compact(module, KeepUnused::No);
    drop_unused_results(module);
    loop {
        let used = used_constants(module);
        let mut unused = false;
        for (handle, constant) in module.constants.iter_mut() {
            if constant.name.is_some() && !used.contains(&handle) {
                constant.name = None;
                unused = true;
            }
        }
        compact(module, KeepUnused::No);
        if !unused {
            return;
        }
    }
}

/// Forgets the predeclared result types that no expression has.
fn drop_unused_results(module: &mut Module) {
    let (mut modf, mut frexp, mut exchanged) = (false, false, HashSet::new());
    for (_, expression) in functions(module).flat_map(|function| function.expressions.iter()) {
        match *expression {
            Expression::Math {
                fun: MathFunction::Modf,
                ..
            } => modf = true,
            Expression::Math {
                fun: MathFunction::Frexp,
                ..
            } => frexp = true,
            Expression::AtomicResult { ty, .. } => drop(exchanged.insert(ty)),
            _ => {}
        }
    }
    module
        .special_types
        .predeclared_types
        .retain(|result, ty| match result {
            PredeclaredType::ModfResult { .. } => modf,
            PredeclaredType::FrexpResult { .. } => frexp,
            PredeclaredType::AtomicCompareExchangeWeakResult(_) => exchanged.contains(ty),
        });
}

fn functions(module: &Module) -> impl Iterator<Item = &naga::Function> {
    let points = module.entry_points.iter().map(|point| &point.function);
    module
        .functions
        .iter()
        .map(|(_, function)| function)
        .chain(points)
}

fn used_constants(module: &Module) -> HashSet<Handle<naga::Constant>> {
    let local = functions(module).flat_map(|function| function.expressions.iter());
    let constant = |(_, expression): (_, &Expression)| match *expression {
        Expression::Constant(handle) => Some(handle),
        _ => None,
    };
    local
        .chain(module.global_expressions.iter())
        .filter_map(constant)
        .collect()
}
