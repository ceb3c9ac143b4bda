//! Workgroup memory that need not be cleared: each invocation writes its part before anybody looks at it.
//!
//! WGSL's workgroup memory starts as zeros. But most kernels begin by filling it, every invocation its own element.

use warpweft_ssa::ir::{Builtin, Function, Limit, Op, Place, Root, Statement, Value};

/// By variable: whether a workgroup overwrites all of it, by statements that every invocation comes to, before it reads
/// from it.
pub(super) fn filled_at_once(function: &Function) -> Vec<bool> {
    let mut filled = vec![0u64; function.variables.len()];
    let mut read = vec![false; function.variables.len()];
    for statement in &function.body {
        if let Statement::Store { place, atomic: false, .. } = statement
            && let Root::Variable(variable) = place.root
            && let Some(words) = words_of_own(function, place)
            && !read[variable as usize]
        {
            filled[variable as usize] |= words;
        }
        if !look(function, statement, &mut read) {
            break;
        }
    }
    let whole = |(variable, &words): (usize, &u64)| {
        let variable = &function.variables[variable];
        let each = variable.size / 4 / invocations(function);
        !variable.shared && (1..64).contains(&each) && words == (1 << each) - 1
    };
    filled.iter().enumerate().map(whole).collect()
}

fn invocations(function: &Function) -> u32 {
    function.workgroup_size.iter().product()
}

/// The words of an invocation's element that a store fills, as bits, where each invocation has an element of its own and
/// the variable no more.
fn words_of_own(function: &Function, place: &Place) -> Option<u64> {
    let Root::Variable(variable) = place.root else { return None };
    let size = function.variables[variable as usize].size;
    let element = size.checked_div(invocations(function))?;
    let word = place.offset / 4;
    if size != element * invocations(function) || place.ty.size() != 4 || place.offset >= element || word > 63
    {
        return None;
    }
    let builtin = |value: Value| match function.definition(value).op {
        Op::Builtin(builtin) => Some(builtin),
        _ => None,
    };
    let [x, y, z] = function.workgroup_size;
    let steps = [element, element * x, element * x * y];
    let mut missing = [x > 1, y > 1, z > 1];
    for index in &place.indices {
        let reach = match builtin(index.value)? {
            Builtin::LocalIndex if index.stride == element => {
                missing = [false; 3];
                invocations(function)
            }
            Builtin::LocalId(axis) if index.stride == steps[usize::from(axis)] => {
                missing[usize::from(axis)] = false;
                function.workgroup_size[usize::from(axis)]
            }
            _ => return None,
        };
        // What lies beyond an array's end is not stored, even if the variable goes on there.
        if !matches!(index.limit, Limit::Fixed(count) if count >= reach) {
            return None;
        }
    }
    (missing == [false; 3]).then_some(1 << word)
}

/// Notes the variables that a statement reads; whether every invocation goes on behind it.
fn look(function: &Function, statement: &Statement, read: &mut [bool]) -> bool {
    let mut all = |list: &[Statement]| list.iter().all(|statement| look(function, statement, read));
    match statement {
        Statement::Let(value) => {
            if let Op::Load { place, .. } | Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) =
                &function.definition(*value).op
                && let Root::Variable(variable) = place.root
            {
                read[variable as usize] = true;
            }
            true
        }
        Statement::If { then, otherwise, .. } => all(then) && all(otherwise),
        Statement::Block { body, .. } | Statement::Loop { body, .. } => all(body),
        Statement::Store { .. }
        | Statement::Barrier { .. }
        | Statement::Branch { .. }
        | Statement::Yield { .. } => true,
        Statement::Call { .. } | Statement::Return => false,
    }
}
