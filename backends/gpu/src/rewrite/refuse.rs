//! What valid WGSL no GPU compiler takes: said clearly here, rather than as an invalid module there.
//!
//! Knows nothing of any one device; what a device lacks is the interface's matter.

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{AddressSpace, Arena, Expression, Function, MathFunction, Module, ScalarKind, TypeInner};

use super::calls::visit;

/// Says why the module cannot be compiled for a GPU, if it cannot.
pub(super) fn refuse(module: &Module, info: &ModuleInfo) -> Result<(), String> {
    if module.entry_points.len() != 1 {
        return Err(format!("{} entry points where one was expected", module.entry_points.len()));
    }
    if module.global_variables.iter().any(|(_, global)| global.space == AddressSpace::Immediate) {
        return Err("`var<immediate>` is the runtime's own; make it a `var<uniform>`".into());
    }
    calls(module)?;
    for (handle, function) in module.functions.iter() {
        doubles(module, function, &info[handle])?;
    }
    doubles(module, &module.entry_points[0].function, info.get_entry_point(0))
}

/// Operations of a kernel whose calls are written out: a GPU's compiler does that, and takes seconds for these.
const OPERATIONS: u64 = 1 << 20;

/// Functions that call others twice, which call others twice…: small in WGSL, endless to a compiler that inlines.
fn calls(module: &Module) -> Result<(), String> {
    // naga keeps callees before their callers.
    let mut known: Vec<u64> = Vec::with_capacity(module.functions.len());
    let functions = module.functions.iter().map(|(_, function)| function);
    for function in functions.chain([&module.entry_points[0].function]) {
        let mut operations = function.expressions.len() as u64;
        visit(&function.body, &mut |callee, _| {
            operations = operations.saturating_add(known.get(callee.index()).copied().unwrap_or(0));
        });
        known.push(operations);
    }
    match known.last() {
        Some(&all) if all > OPERATIONS => Err(format!(
            "with its calls written out, as compilers for GPUs do, it has {all} operations, and {OPERATIONS} are the \
             most: call functions in a loop, or place the kernel on the CPU"
        )),
        _ => Ok(()),
    }
}

/// GLSL.std.450, HLSL and MSL have these functions for 16 and 32-bit floats only (Khronos, "SPIR-V Extended
/// Instructions for GLSL"): naga would emit an invalid module.
fn doubles(module: &Module, function: &Function, info: &FunctionInfo) -> Result<(), String> {
    let expressions: &Arena<Expression> = &function.expressions;
    for (_, expression) in expressions.iter() {
        let Expression::Math { fun, arg, .. } = *expression else {
            continue;
        };
        let scalar = match *info[arg].ty.inner_with(&module.types) {
            TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } => scalar,
            _ => continue,
        };
        if scalar.kind == ScalarKind::Float
            && scalar.width == 8
            && let Some(name) = single_only(fun)
        {
            return Err(format!(
                "GPUs have no `{name}` of f64: compute it from f32, or place the kernel on the CPU"
            ));
        }
    }
    Ok(())
}

/// The WGSL name of a function that GPUs lack for f64.
fn single_only(fun: MathFunction) -> Option<&'static str> {
    use MathFunction as F;
    Some(match fun {
        F::Cos => "cos",
        F::Cosh => "cosh",
        F::Sin => "sin",
        F::Sinh => "sinh",
        F::Tan => "tan",
        F::Tanh => "tanh",
        F::Acos => "acos",
        F::Asin => "asin",
        F::Atan => "atan",
        F::Atan2 => "atan2",
        F::Asinh => "asinh",
        F::Acosh => "acosh",
        F::Atanh => "atanh",
        F::Radians => "radians",
        F::Degrees => "degrees",
        F::Exp => "exp",
        F::Exp2 => "exp2",
        F::Log => "log",
        F::Log2 => "log2",
        F::Pow => "pow",
        _ => return None,
    })
}
