//! Overrides: values checked against what the module declares, and fixed in naga's module.
//!
//! Knows nothing of entry points beyond the name that messages need.

use crate::error::{ModuleError, similar};
use crate::explain;
use crate::interface::Override;
use crate::reflect;
use crate::source::{self, Joined, Location};
use crate::types::Scalar;
use naga::back::PipelineConstants;
use naga::back::pipeline_constants::PipelineConstantError;
use naga::{ArraySize, Expression, Literal, TypeInner};
use std::collections::BTreeMap;

/// Checked values by naga's key: the `@id` where there is one, else the name.
pub(crate) type Values = BTreeMap<String, f64>;

/// Matches given constants with the declared overrides.
pub(crate) fn check(overrides: &[Override], given: &[(String, f64)]) -> Result<Values, ModuleError> {
    let mut values = Values::new();
    for (name, value) in given {
        let found =
            overrides.iter().find(|o| o.name == *name || o.id.is_some_and(|id| id.to_string() == *name));
        let Some(target) = found else {
            return Err(ModuleError::UnknownConstant {
                name: name.clone(),
                known: overrides.iter().map(|o| o.name.clone()).collect(),
                similar: similar(name, overrides.iter().map(|o| o.name.as_str())),
            });
        };
        let value = fit(target, *value)?;
        if let Some(first) = values.insert(key(target.id, &target.name), value) {
            return Err(ModuleError::DuplicateConstant { name: target.name.clone(), first, second: value });
        }
    }
    Ok(values)
}

fn key(id: Option<u16>, name: &str) -> String {
    id.map_or_else(|| name.to_string(), |id| id.to_string())
}

/// The value, if the override's type has it.
fn fit(target: &Override, value: f64) -> Result<f64, ModuleError> {
    let (low, high) = range(target.scalar);
    let reason = if !value.is_finite() {
        "it must be finite".to_string()
    } else if value < low || value > high {
        format!("it must lie between {low} and {high}")
    } else if !is_float(target.scalar) && value.fract() != 0.0 {
        "it must be a whole number".to_string()
    } else {
        // An integer has no negative zero; a hash of it would see one.
        return Ok(if is_float(target.scalar) { value } else { value + 0.0 });
    };
    Err(ModuleError::ConstantValue { name: target.name.clone(), scalar: target.scalar, value, reason })
}

fn is_float(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::F16 | Scalar::F32 | Scalar::F64)
}

/// The least and the greatest value of a scalar type that an `f64` can be converted to.
fn range(scalar: Scalar) -> (f64, f64) {
    match scalar {
        Scalar::Bool => (0.0, 1.0),
        Scalar::I16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        Scalar::U16 => (0.0, f64::from(u16::MAX)),
        Scalar::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        Scalar::U32 => (0.0, f64::from(u32::MAX)),
        // The largest f64 below 2⁶³ and 2⁶⁴.
        Scalar::I64 => (i64::MIN as f64, 9_223_372_036_854_774_784.0),
        Scalar::U64 => (0.0, 18_446_744_073_709_549_568.0),
        Scalar::F16 => (-65504.0, 65504.0),
        Scalar::F32 => (f64::from(f32::MIN), f64::from(f32::MAX)),
        Scalar::F64 => (f64::MIN, f64::MAX),
    }
}

/// Checks that every override left in `module` has a value.
pub(crate) fn require(
    joined: &Joined,
    module: &naga::Module,
    kernel: &str,
    values: &Values,
) -> Result<(), ModuleError> {
    for (handle, o) in module.overrides.iter() {
        let name = o.name.clone().unwrap_or_default();
        if o.init.is_none() && !values.contains_key(&key(o.id, &name)) {
            let unknown = || Location { file: String::new(), line: 1, column: 1 };
            return Err(ModuleError::MissingConstant {
                kernel: kernel.to_string(),
                name,
                scalar: reflect::scalar_of(module, o.ty).unwrap_or(Scalar::U32),
                location: joined.locate(module.overrides.get_span(handle)).unwrap_or_else(unknown),
            });
        }
    }
    Ok(())
}

/// The values for the overrides left in `module`, as naga takes them.
pub(crate) fn used(module: &naga::Module, values: &Values) -> PipelineConstants {
    let keys = module.overrides.iter().map(|(_, o)| key(o.id, o.name.as_deref().unwrap_or_default()));
    keys.filter_map(|key| values.get(&key).map(|value| (key.clone(), *value))).collect()
}

/// Gives arrays whose length is an override that length as a constant: whoever reads the module need not know overrides.
pub(crate) fn fix_array_lengths(module: &mut naga::Module) {
    let pending = module.types.iter().filter_map(|(handle, ty)| match ty.inner {
        TypeInner::Array { base, size: ArraySize::Pending(length), stride } => {
            let length = length_of(module, module.overrides[length].init?)?;
            let inner = TypeInner::Array { base, size: ArraySize::Constant(length), stride };
            // The name keeps the type apart from a plain array of that length, which WGSL takes to be another type.
            Some((handle, naga::Type { name: Some(format!("sized {}", handle.index())), inner }))
        }
        _ => None,
    });
    for (handle, ty) in pending.collect::<Vec<_>>() {
        module.types.replace(handle, ty);
    }
}

fn length_of(module: &naga::Module, init: naga::Handle<Expression>) -> Option<std::num::NonZeroU32> {
    let value = match module.global_expressions[init] {
        Expression::Literal(Literal::U32(n)) => n,
        Expression::Literal(Literal::I32(n)) => u32::try_from(n).ok()?,
        Expression::Constant(c) => return length_of(module, module.constants[c].init),
        _ => return None,
    };
    std::num::NonZeroU32::new(value)
}

/// naga's refusal to fix overrides.
pub(crate) fn explain(
    joined: &Joined,
    kernel: &str,
    given: &[(String, f64)],
    error: PipelineConstantError,
) -> ModuleError {
    let constants = given.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>();
    ModuleError::Specialisation {
        kernel: kernel.to_string(),
        constants: if constants.is_empty() { "its defaults".to_string() } else { constants.join(", ") },
        reason: reason(&error),
        location: joined
            .function(kernel)
            .map(|(file, range)| source::locate(&joined.sources[file], range.start)),
    }
}

fn reason(error: &PipelineConstantError) -> String {
    match error {
        PipelineConstantError::NegativeWorkgroupSize => {
            "a workgroup size is not positive: give the override that it comes from another value".to_string()
        }
        PipelineConstantError::ValidationError(error) => {
            format!("{}: give the overrides other values", explain::cause(error.as_inner()))
        }
        other => format!("{other}: give the overrides values for which their expressions exist"),
    }
}
