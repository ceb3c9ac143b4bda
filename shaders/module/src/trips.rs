//! How often a loop goes round, where its bounds are plain constants.
//!
//! Knows the shape that naga gives to `for (var i = C0; i < C1; i += C2)`, also where `i` is doubled or halved, and which
//! local variables hold constants.

use crate::walk::visit;
use naga::{BinaryOperator, Block, Expression, Function, Handle, Literal, LocalVariable, Module, Statement};
use std::rc::Rc;

/// The trips of a loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trips {
    /// How many, if nothing leaves the loop early.
    pub(crate) count: f64,
    /// Nothing does.
    pub(crate) always: bool,
}

/// What a round does to the variable that is counted.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Adds this.
    Add(i128),
    /// Multiplies it.
    Times(i128),
    /// Divides it.
    Over(i128),
}

/// Rounds of a variable that is multiplied or divided: one of 64 bits has no more.
const MOST_ROUNDS: i128 = 64;

/// The local variables that hold a known integer at some point of a function.
#[derive(Clone)]
pub(crate) struct Constants<'a> {
    module: &'a Module,
    function: &'a Function,
    /// By the variable's index. Shared between the sides of a branch until one of them changes it.
    values: Rc<Vec<Option<i128>>>,
}

impl<'a> Constants<'a> {
    /// What is known where the function begins.
    pub(crate) fn new(module: &'a Module, function: &'a Function) -> Self {
        let mut constants = Constants { module, function, values: Rc::default() };
        let start = |local: &LocalVariable| local.init.and_then(|init| constants.value(init));
        constants.values = Rc::new(function.local_variables.iter().map(|(_, local)| start(local)).collect());
        constants
    }

    /// Takes in what `statement` does to local variables.
    pub(crate) fn after(&mut self, statement: &Statement) {
        if let Statement::Store { pointer, value } = *statement
            && let Expression::LocalVariable(local) = self.function.expressions[pointer]
            && let Some(value) = self.value(value)
        {
            Rc::make_mut(&mut self.values)[local.index()] = Some(value);
            return;
        }
        let function = self.function;
        visit(statement, &mut |inner| {
            for &pointer in touched(inner) {
                if let Some(local) = root(function, pointer)
                    && self.values[local.index()].is_some()
                {
                    Rc::make_mut(&mut self.values)[local.index()] = None;
                }
            }
        });
    }

    /// The integer that an expression is, if it is a constant.
    fn value(&self, handle: Handle<Expression>) -> Option<i128> {
        match self.function.expressions[handle] {
            Expression::Literal(literal) => integer(literal),
            Expression::ZeroValue(_) => Some(0),
            Expression::Constant(constant) => {
                match self.module.global_expressions[self.module.constants[constant].init] {
                    Expression::Literal(literal) => integer(literal),
                    Expression::ZeroValue(_) => Some(0),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The trips of the loop `statement`, entered with `known`.
pub(crate) fn trips(known: &Constants<'_>, function: &Function, statement: &Statement) -> Option<Trips> {
    let Statement::Loop { body, continuing, break_if: None } = statement else {
        return None;
    };
    let head = body.iter().position(|s| !matches!(s, Statement::Emit(_)))?;
    let Statement::If { condition, accept, reject } = &body[head] else {
        return None;
    };
    if !accept.is_empty() || !matches!(&reject[..], [Statement::Break]) {
        return None;
    }
    let (local, op, bound) = comparison(known, function, *condition)?;
    let step = step(known, function, continuing, local)?;
    let start = known.values[local.index()]?;
    let rest = &body[head + 1..];
    if rest.iter().any(|s| stores_to(function, s, local)) {
        return None;
    }
    let count = rounds(start, op, bound, step)?;
    Some(Trips { count: count as f64, always: !rest.iter().any(|s| leaves(s, 0)) })
}

/// `i < C`, or `C > i`, as variable, operator and constant.
fn comparison(
    known: &Constants<'_>,
    function: &Function,
    condition: Handle<Expression>,
) -> Option<(Handle<LocalVariable>, BinaryOperator, i128)> {
    let Expression::Binary { op, left, right } = function.expressions[condition] else {
        return None;
    };
    if let (Some(local), Some(bound)) = (loaded(function, left), known.value(right)) {
        return Some((local, op, bound));
    }
    let mirrored = match op {
        BinaryOperator::Less => BinaryOperator::Greater,
        BinaryOperator::LessEqual => BinaryOperator::GreaterEqual,
        BinaryOperator::Greater => BinaryOperator::Less,
        BinaryOperator::GreaterEqual => BinaryOperator::LessEqual,
        other => other,
    };
    Some((loaded(function, right)?, mirrored, known.value(left)?))
}

/// How the loop's `continuing` changes `local`, by a constant, if that is all it does to it.
fn step(
    known: &Constants<'_>,
    function: &Function,
    continuing: &Block,
    local: Handle<LocalVariable>,
) -> Option<Step> {
    let mut stores = continuing.iter().filter(|s| stores_to(function, s, local));
    let Statement::Store { value, .. } = stores.next()? else {
        return None;
    };
    let Expression::Binary { op, left, right } = function.expressions[*value] else {
        return None;
    };
    if stores.next().is_some() {
        return None;
    }
    let on_left = loaded(function, left) == Some(local);
    let on_right = loaded(function, right) == Some(local);
    let power = |by: i128| (0..MOST_ROUNDS).contains(&by).then(|| 1 << by);
    match op {
        BinaryOperator::Add if on_left => known.value(right).map(Step::Add),
        BinaryOperator::Add if on_right => known.value(left).map(Step::Add),
        BinaryOperator::Subtract if on_left => known.value(right).map(|step| Step::Add(-step)),
        BinaryOperator::Multiply if on_left => known.value(right).map(Step::Times),
        BinaryOperator::Multiply if on_right => known.value(left).map(Step::Times),
        BinaryOperator::Divide if on_left => known.value(right).map(Step::Over),
        BinaryOperator::ShiftLeft if on_left => known.value(right).and_then(power).map(Step::Times),
        BinaryOperator::ShiftRight if on_left => known.value(right).and_then(power).map(Step::Over),
        _ => None,
    }
}

fn rounds(start: i128, op: BinaryOperator, bound: i128, step: Step) -> Option<i128> {
    match step {
        Step::Add(step) => rounds_of_sum(start, op, bound, step),
        // A shift to the right rounds negative numbers down, a division towards zero.
        _ if start < 0 => None,
        Step::Times(factor) => rounds_one_by_one(start, op, bound, |value| value.checked_mul(factor)),
        Step::Over(divisor) => rounds_one_by_one(start, op, bound, |value| value.checked_div(divisor)),
    }
}

/// The rounds until a variable that starts above zero has left its bound, if it stays within 31
/// bits: no type of 32 bits or more wraps there.
fn rounds_one_by_one(
    start: i128,
    op: BinaryOperator,
    bound: i128,
    next: impl Fn(i128) -> Option<i128>,
) -> Option<i128> {
    let mut value = start;
    for count in 0..=MOST_ROUNDS {
        let goes_on = match op {
            BinaryOperator::Less => value < bound,
            BinaryOperator::LessEqual => value <= bound,
            BinaryOperator::Greater => value > bound,
            BinaryOperator::GreaterEqual => value >= bound,
            BinaryOperator::NotEqual => value != bound,
            _ => return None,
        };
        if !goes_on {
            return Some(count);
        }
        value = next(value).filter(|value| (0..=i128::from(i32::MAX)).contains(value))?;
    }
    None
}

fn rounds_of_sum(start: i128, op: BinaryOperator, bound: i128, step: i128) -> Option<i128> {
    let distance = match op {
        BinaryOperator::Less if step > 0 => bound - start,
        BinaryOperator::LessEqual if step > 0 => bound - start + 1,
        BinaryOperator::Greater if step < 0 => start - bound,
        BinaryOperator::GreaterEqual if step < 0 => start - bound + 1,
        BinaryOperator::NotEqual
            if step != 0 && (bound - start) % step == 0 && (bound - start) / step >= 0 =>
        {
            (bound - start).abs()
        }
        _ => return None,
    };
    let size = step.abs();
    Some((distance.max(0) + size - 1) / size)
}

fn integer(literal: Literal) -> Option<i128> {
    match literal {
        Literal::I16(n) => Some(n.into()),
        Literal::U16(n) => Some(n.into()),
        Literal::I32(n) => Some(n.into()),
        Literal::U32(n) => Some(n.into()),
        Literal::I64(n) => Some(n.into()),
        Literal::U64(n) => Some(n.into()),
        _ => None,
    }
}

fn loaded(function: &Function, handle: Handle<Expression>) -> Option<Handle<LocalVariable>> {
    let Expression::Load { pointer } = function.expressions[handle] else {
        return None;
    };
    match function.expressions[pointer] {
        Expression::LocalVariable(local) => Some(local),
        _ => None,
    }
}

/// The local variable that a pointer points into.
fn root(function: &Function, pointer: Handle<Expression>) -> Option<Handle<LocalVariable>> {
    match function.expressions[pointer] {
        Expression::LocalVariable(local) => Some(local),
        Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => root(function, base),
        _ => None,
    }
}

/// The expressions through which a single statement may change memory.
fn touched(statement: &Statement) -> &[Handle<Expression>] {
    match statement {
        Statement::Store { pointer, .. } | Statement::Atomic { pointer, .. } => std::slice::from_ref(pointer),
        Statement::Call { arguments, .. } => arguments,
        _ => &[],
    }
}

fn stores_to(function: &Function, statement: &Statement, local: Handle<LocalVariable>) -> bool {
    let mut found = false;
    visit(statement, &mut |inner| {
        found |= touched(inner).iter().any(|&pointer| root(function, pointer) == Some(local));
    });
    found
}

/// Whether a statement may leave the loop that it stands in, `inner` loops or switches further in.
fn leaves(statement: &Statement, inner: u32) -> bool {
    let any = |block: &Block, inner| block.iter().any(|s| leaves(s, inner));
    match statement {
        Statement::Break => inner == 0,
        Statement::Return { .. } | Statement::Kill => true,
        Statement::Block(block) => any(block, inner),
        Statement::If { accept, reject, .. } => any(accept, inner) || any(reject, inner),
        Statement::Switch { cases, .. } => cases.iter().any(|case| any(&case.body, inner + 1)),
        Statement::Loop { body, continuing, .. } => any(body, inner + 1) || any(continuing, inner + 1),
        _ => false,
    }
}
