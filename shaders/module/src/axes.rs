//! Along how many axes of the grid a kernel looks.
//!
//! A kernel that uses nothing but `global_invocation_id.x` means the elements of an array one after another, whatever
//! shape the array has; one that uses `.y` means rows and columns.

use naga::{Binding, BuiltIn, Expression, Function, Handle, Module, Statement, TypeInner};

use crate::walk::visit_block;

/// 1, 2 or 3: the highest axis of the invocation's or workgroup's id that the entry point uses, and of its workgroup
/// size that is above one. `None` where an id is used as a whole.
pub(crate) fn of(module: &Module) -> Option<u32> {
    let point = &module.entry_points[0];
    let sized = (1..3).filter(|&axis| point.workgroup_size[axis] > 1).max().unwrap_or(0) as u32 + 1;
    let function = &point.function;
    ids(module, function).into_iter().try_fold(sized, |axes, id| Some(axes.max(used(function, id)?)))
}

/// The expressions that are an id of the grid, whole.
fn ids(module: &Module, function: &Function) -> Vec<Handle<Expression>> {
    let is_id = |binding: &Option<Binding>| {
        matches!(binding, Some(Binding::BuiltIn(BuiltIn::GlobalInvocationId | BuiltIn::WorkGroupId)))
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

/// The highest axis of an id that is used; `None` where it is used as a whole.
fn used(function: &Function, id: Handle<Expression>) -> Option<u32> {
    let mut axes = 1;
    let mut whole = false;
    for (_, expression) in function.expressions.iter() {
        match *expression {
            Expression::AccessIndex { base, index } if base == id => axes = axes.max(index + 1),
            Expression::Swizzle { size, vector, pattern } if vector == id => {
                axes = pattern[..size as usize].iter().fold(axes, |axes, c| axes.max(*c as u32 + 1));
            }
            Expression::Access { base, .. } => whole |= base == id,
            Expression::Binary { left, right, .. } => whole |= left == id || right == id,
            Expression::Unary { expr, .. } | Expression::As { expr, .. } => whole |= expr == id,
            Expression::Math { arg, arg1, arg2, .. } => {
                whole |= arg == id || arg1 == Some(id) || arg2 == Some(id);
            }
            Expression::Select { accept, reject, .. } => whole |= accept == id || reject == id,
            Expression::Compose { ref components, .. } => whole |= components.contains(&id),
            _ => {}
        }
    }
    visit_block(&function.body, &mut |statement| match statement {
        Statement::Store { value, .. } => whole |= *value == id,
        Statement::Call { arguments, .. } => whole |= arguments.contains(&id),
        _ => {}
    });
    (!whole).then_some(axes)
}

#[cfg(test)]
mod tests {
    use crate::{Module, Source};

    fn check(size: &str, body: &str, expected: Option<u32>) {
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> y: array<u32>;
             fn index(id: vec3<u32>) -> u32 {{ return id.x; }}
             @compute @workgroup_size({size}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ {body} }}"
        );
        let module = Module::new(&[Source::new("axes.wgsl", text)], &[]).unwrap();
        assert_eq!(module.kernel(None, &[]).unwrap().interface().axes, expected, "{size}: {body}");
    }

    #[test]
    fn the_highest_axis_in_use_counts() {
        check("64", "y[id.x] = 1u;", Some(1));
        check("64", "y[id.y] = 1u;", Some(2));
        check("64", "y[id.z * 3u + id.x] = 1u;", Some(3));
        check("8, 8", "y[id.x] = 1u;", Some(2));
        check("64", "let p = id.xy; y[p.x] = 1u;", Some(2));
        check("64", "y[index(id)] = 1u;", None);
        check("64", "let p = id * 2u; y[p.x] = 1u;", None);
    }
}
