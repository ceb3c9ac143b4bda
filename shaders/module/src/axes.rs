//! Along how many axes of the grid a kernel looks.
//!
//! A kernel that uses nothing but `global_invocation_id.x` means the elements of an array one after another, whatever
//! shape the array has; one that uses `.y` means rows and columns.

use naga::{Binding, BuiltIn, Expression, Function, Handle, Module, Statement, TypeInner};

use crate::walk::visit_block;

/// 1, 2 or 3: the highest axis of the invocation's or workgroup's id that the entry point uses, and of its workgroup
/// size that is above one.
pub(crate) fn of(module: &Module) -> u32 {
    let point = &module.entry_points[0];
    let sized = (1..3)
        .filter(|&axis| point.workgroup_size[axis] > 1)
        .max()
        .unwrap_or(0) as u32
        + 1;
    let function = &point.function;
    ids(module, function)
        .into_iter()
        .map(|id| used(function, id))
        .fold(sized, u32::max)
}

/// The expressions that are an id of the grid, whole.
fn ids(module: &Module, function: &Function) -> Vec<Handle<Expression>> {
    let is_id = |binding: &Option<Binding>| {
        matches!(
            binding,
            Some(Binding::BuiltIn(
                BuiltIn::GlobalInvocationId | BuiltIn::WorkGroupId
            ))
        )
    };
    let argument_of = |handle: Handle<Expression>| match function.expressions[handle] {
        Expression::FunctionArgument(index) => function.arguments.get(index as usize),
        _ => None,
    };
    let mut found = Vec::new();
    for (handle, expression) in function.expressions.iter() {
        let id = match *expression {
            Expression::FunctionArgument(_) => argument_of(handle).is_some_and(|a| is_id(&a.binding)),
            Expression::AccessIndex { base, index } => {
                argument_of(base).is_some_and(|argument| match &module.types[argument.ty].inner {
                    TypeInner::Struct { members, .. } => is_id(&members[index as usize].binding),
                    _ => false,
                })
            }
            _ => false,
        };
        if id {
            found.push(handle);
        }
    }
    found
}

/// The highest axis of an id that is used.
fn used(function: &Function, id: Handle<Expression>) -> u32 {
    let mut axes = 1;
    for (_, expression) in function.expressions.iter() {
        axes = axes.max(match *expression {
            Expression::AccessIndex { base, index } if base == id => index + 1,
            Expression::Swizzle {
                size,
                vector,
                pattern,
            } if vector == id => pattern[..size as usize]
                .iter()
                .map(|c| *c as u32 + 1)
                .max()
                .unwrap_or(1),
            Expression::Access { base, .. } if base == id => 3,
            Expression::Binary { left, right, .. } if left == id || right == id => 3,
            Expression::Unary { expr, .. } | Expression::As { expr, .. } if expr == id => 3,
            Expression::Math { arg, arg1, arg2, .. } if arg == id || arg1 == Some(id) || arg2 == Some(id) => {
                3
            }
            Expression::Select { accept, reject, .. } if accept == id || reject == id => 3,
            Expression::Compose { ref components, .. } if components.contains(&id) => 3,
            _ => 1,
        });
    }
    visit_block(&function.body, &mut |statement| match statement {
        Statement::Store { value, .. } if *value == id => axes = 3,
        Statement::Call { arguments, .. } if arguments.contains(&id) => axes = 3,
        _ => {}
    });
    axes
}

#[cfg(test)]
mod tests {
    use crate::{Module, Source};

    fn check(size: &str, body: &str, expected: u32) {
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
             fn index(id: vec3<u32>) -> u32 {{ return id.x; }}
             @compute @workgroup_size({size}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ {body} }}"
        );
        let module = Module::new(&[Source::new("axes.wgsl", text)], &[]).unwrap();
        assert_eq!(
            module.kernel(None, &[]).unwrap().interface().axes,
            expected,
            "{size}: {body}"
        );
    }

    #[test]
    fn the_highest_axis_in_use_counts() {
        check("64", "y[id.x] = 1u;", 1);
        check("64", "y[id.y] = 1u;", 2);
        check("64", "y[id.z * 3u + id.x] = 1u;", 3);
        check("8, 8", "y[id.x] = 1u;", 2);
        check("64", "let p = id.xy; y[p.x] = 1u;", 2);
        check("64", "y[index(id)] = 1u;", 3);
        check("64", "let p = id * 2u; y[p.x] = 1u;", 3);
    }
}
