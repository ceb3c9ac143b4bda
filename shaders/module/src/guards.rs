//! Which expressions depend on nothing but position, sizes and uniforms.
//!
//! A branch on one of them most likely keeps the overhang of a launch or an edge out: nearly all invocations go one way.

use crate::walk::visit_block;
use naga::valid::FunctionInfo;
use naga::{AddressSpace, Expression, Function, Handle, LocalVariable, Module, Statement, TypeInner};
use std::collections::HashMap;

/// Of each expression of a function, by its index, whether it is one.
pub(crate) fn guards(module: &Module, info: &FunctionInfo, function: &Function) -> Vec<bool> {
    let stores = stores_to_temporaries(function);
    let mut found: Vec<bool> = Vec::with_capacity(function.expressions.len());
    // Expressions refer to earlier ones only, so one pass in order sees every part before the whole.
    for (_, expression) in function.expressions.iter() {
        let is_guard = |part: &Handle<Expression>| found.get(part.index()) == Some(&true);
        let guard = match expression {
            Expression::Literal(_)
            | Expression::Constant(_)
            | Expression::ZeroValue(_)
            | Expression::FunctionArgument(_)
            | Expression::ArrayLength(_) => true,
            Expression::Load { pointer } => match function.expressions[*pointer] {
                Expression::LocalVariable(local) => {
                    stores.get(&local).is_some_and(|values| values.iter().all(is_guard))
                }
                _ => is_uniform(info[*pointer].ty.inner_with(&module.types)),
            },
            Expression::Unary { expr, .. } | Expression::As { expr, .. } => is_guard(expr),
            Expression::Access { base, index } => is_guard(base) && is_guard(index),
            Expression::AccessIndex { base, .. } => is_guard(base),
            Expression::Swizzle { vector, .. } => is_guard(vector),
            Expression::Splat { value, .. } => is_guard(value),
            Expression::Compose { components, .. } => components.iter().all(is_guard),
            Expression::Binary { left, right, .. } => is_guard(left) && is_guard(right),
            Expression::Relational { argument, .. } => is_guard(argument),
            _ => false,
        };
        found.push(guard);
    }
    found
}

fn is_uniform(pointer: &TypeInner) -> bool {
    match *pointer {
        TypeInner::Pointer { space, .. } | TypeInner::ValuePointer { space, .. } => {
            space == AddressSpace::Uniform
        }
        _ => false,
    }
}

/// What is stored to the variables without a name, which naga makes for the results of `&&` and `||`.
fn stores_to_temporaries(function: &Function) -> HashMap<Handle<LocalVariable>, Vec<Handle<Expression>>> {
    let mut stores: HashMap<_, Vec<_>> = HashMap::new();
    visit_block(&function.body, &mut |statement| {
        if let Statement::Store { pointer, value } = *statement
            && let Expression::LocalVariable(local) = function.expressions[pointer]
            && function.local_variables[local].name.is_none()
        {
            stores.entry(local).or_default().push(value);
        }
    });
    stores
}
