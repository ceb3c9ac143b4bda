//! The operands of an expression, for whoever moves it to another arena. Knows nothing of why.

use naga::{Expression, Handle};

/// Replaces an expression's operands; `false` when it is none of a compute kernel's.
pub(super) fn operands(
    expression: &mut Expression,
    mut new: impl FnMut(Handle<Expression>) -> Handle<Expression>,
) -> bool {
    let mut set = |operand: &mut Handle<Expression>| *operand = new(*operand);
    match expression {
        Expression::Literal(_)
        | Expression::Constant(_)
        | Expression::Override(_)
        | Expression::ZeroValue(_)
        | Expression::FunctionArgument(_)
        | Expression::GlobalVariable(_)
        | Expression::LocalVariable(_)
        | Expression::CallResult(_)
        | Expression::AtomicResult { .. }
        | Expression::WorkGroupUniformLoadResult { .. }
        | Expression::SubgroupBallotResult
        | Expression::SubgroupOperationResult { .. } => {}
        Expression::Compose { components, .. } => components.iter_mut().for_each(set),
        Expression::Access { base, index } => {
            set(base);
            set(index);
        }
        Expression::AccessIndex { base, .. } => set(base),
        Expression::Splat { value, .. } => set(value),
        Expression::Swizzle { vector, .. } => set(vector),
        Expression::Load { pointer } => set(pointer),
        Expression::Unary { expr, .. } | Expression::As { expr, .. } => set(expr),
        Expression::Binary { left, right, .. } => {
            set(left);
            set(right);
        }
        Expression::Select { condition, accept, reject } => {
            set(condition);
            set(accept);
            set(reject);
        }
        Expression::Derivative { expr, .. } => set(expr),
        Expression::Relational { argument, .. } => set(argument),
        Expression::Math { arg, arg1, arg2, arg3, .. } => {
            set(arg);
            for argument in [arg1, arg2, arg3].into_iter().flatten() {
                set(argument);
            }
        }
        Expression::ArrayLength(base) => set(base),
        _ => return false,
    }
    true
}
