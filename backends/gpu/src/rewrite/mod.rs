//! The one rewrite of a kernel for GPUs: slices of huge logical grids, exact `over`, and bounds.
//!
//! From naga module to naga module, without side effects. The pipeline is [`rewrite`]: check what no GPU compiles,
//! declare the immediates, rebuild each function with guards, and the entry point with a prelude before its body.
//! Knows no device and no wgpu.

mod bounds;
mod builder;
mod grid;
mod operands;
mod places;
mod ranges;
mod refuse;
mod statements;
#[cfg(test)]
mod tests;

use naga::valid::ModuleInfo;
use naga::{Expression, Function, Module};

pub(crate) use grid::Launch;

use bounds::Rebuild;
use builder::Builder;

/// Rewrites a module that has exactly one entry point, whose overrides are resolved.
///
/// An `exact` kernel lets invocations outside [`Launch::over`] take no effect: they leave at once, which a kernel with
/// barriers cannot bear.
///
/// # Errors
/// In words, when the kernel needs what GPUs do not compile.
pub(crate) fn rewrite(module: &Module, info: &ModuleInfo, exact: bool) -> Result<Module, String> {
    refuse::refuse(module, info)?;
    let entry = &module.entry_points[0];
    let mut new = module.clone();
    let launch = grid::declare(&mut new.types, &mut new.global_variables);

    for (handle, function) in module.functions.iter() {
        let mut builder = Builder::new(&mut new.types, &mut new.global_variables);
        let arguments: Vec<_> = (0..function.arguments.len())
            .map(|i| builder.fixed(Expression::FunctionArgument(i as u32)))
            .collect();
        Rebuild::new(&mut builder, module, function, &info[handle], None, &arguments)
            .statements(&function.body)?;
        new.functions[handle] = finish(builder, function);
    }

    let function = &entry.function;
    let mut builder = Builder::new(&mut new.types, &mut new.global_variables);
    let start =
        grid::Entry { launch, workgroup_size: entry.workgroup_size, exact, arguments: &function.arguments };
    let (arguments, values) = grid::prelude(&mut builder, &start);
    let info = info.get_entry_point(0);
    Rebuild::new(&mut builder, module, function, info, Some(entry.workgroup_size), &values)
        .statements(&function.body)?;
    let function = finish(builder, function);
    new.entry_points[0].function = Function { arguments, ..function };
    Ok(new)
}

fn finish(builder: Builder<'_>, old: &Function) -> Function {
    let (expressions, local_variables, body) = builder.finish();
    Function {
        name: old.name.clone(),
        arguments: old.arguments.clone(),
        result: old.result.clone(),
        local_variables,
        expressions,
        named_expressions: Default::default(),
        body,
        diagnostic_filter_leaf: old.diagnostic_filter_leaf,
    }
}
