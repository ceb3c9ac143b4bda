//! The one rewrite of a kernel for GPUs: slices of huge logical grids, exact `over`, and bounds.
//!
//! From naga module to naga module, without side effects. The pipeline is [`rewrite`]: check what no GPU compiles,
//! declare the immediates, rebuild each function with guards, and the entry point with a prelude before its body.
//! Knows no device and no wgpu.

mod bounds;
mod builder;
mod calls;
mod grid;
mod operands;
mod places;
mod ranges;
mod refuse;
mod statements;
#[cfg(test)]
mod tests;

use naga::valid::ModuleInfo;
use naga::{Expression, Function, FunctionArgument, Module, Scalar, TypeInner};

pub(crate) use grid::Launch;

use bounds::{Names, Rebuild, Which};
use builder::Builder;
use calls::Flagged;

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

    let flagged = Flagged::of(module);
    for (handle, function) in module.functions.iter() {
        let mut builder = Builder::new(&mut new.types, &mut new.global_variables);
        let flags = flagged.parameters(Some(handle)).len();
        let arguments: Vec<_> = (0..function.arguments.len() + flags)
            .map(|i| builder.fixed(Expression::FunctionArgument(i as u32)))
            .collect();
        let which = Which::Called(handle);
        let names = Rebuild::new(&mut builder, module, &flagged, function, &info[handle], which, &arguments)
            .body()?;
        let boolean = builder.ty(TypeInner::Scalar(Scalar::BOOL));
        let mut function = finish(builder, function, names);
        for _ in 0..flags {
            let name = Some("leads".into());
            function.arguments.push(FunctionArgument { name, ty: boolean, binding: None });
        }
        new.functions[handle] = function;
    }

    let function = &entry.function;
    let mut builder = Builder::new(&mut new.types, &mut new.global_variables);
    let start =
        grid::Entry { launch, workgroup_size: entry.workgroup_size, exact, arguments: &function.arguments };
    let (arguments, values) = grid::prelude(&mut builder, &start);
    let info = info.get_entry_point(0);
    let which = Which::Entry(entry.workgroup_size);
    let names = Rebuild::new(&mut builder, module, &flagged, function, info, which, &values).body()?;
    let function = finish(builder, function, names);
    new.entry_points[0].function = Function { arguments, ..function };
    Ok(new)
}

fn finish(builder: Builder<'_>, old: &Function, names: Names) -> Function {
    let (expressions, local_variables, body) = builder.finish();
    Function {
        name: old.name.clone(),
        arguments: old.arguments.clone(),
        result: old.result.clone(),
        local_variables,
        expressions,
        named_expressions: names.into_iter().collect(),
        body,
        diagnostic_filter_leaf: old.diagnostic_filter_leaf,
    }
}
