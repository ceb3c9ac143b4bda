//! A rough static cost of a kernel: operations and storage bytes of one invocation, without running anything.
//!
//! Knows naga's IR and the shape that naga gives to a `for` loop; knows neither data nor launch sizes. A planner that
//! has measured something has no use for this any more.

use crate::guards::guards;
use crate::interface::Cost;
use crate::trips::{Constants, trips};
use naga::proc::Layouter;
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    AddressSpace, Block, Expression, Function, Handle, MathFunction, Module, Statement, TypeInner, VectorSize,
};

/// Trips of a loop about which nothing is known.
const TRIPS: f64 = 16.0;
/// Operations that a transcendental function counts for.
const TRANSCENDENTAL: f64 = 8.0;

/// The cost of one invocation of the only entry point of `module`.
pub(crate) fn of(module: &Module, info: &ModuleInfo, layouter: &Layouter) -> Cost {
    let mut functions = Vec::with_capacity(module.functions.len());
    // naga keeps callees before their callers.
    for (handle, function) in module.functions.iter() {
        let cost = Body::new(module, &info[handle], layouter, &functions, function).cost();
        functions.push(cost);
    }
    let function = &module.entry_points[0].function;
    Body::new(module, info.get_entry_point(0), layouter, &functions, function).cost()
}

const NOTHING: Cost = Cost { operations: 0.0, bytes_read: 0.0, bytes_written: 0.0, exact: true };

fn operations(operations: f64) -> Cost {
    Cost { operations, ..NOTHING }
}

fn add(a: Cost, b: Cost) -> Cost {
    combine(a, b, |a, b| a + b)
}

fn combine(a: Cost, b: Cost, f: impl Fn(f64, f64) -> f64) -> Cost {
    Cost {
        operations: f(a.operations, b.operations),
        bytes_read: f(a.bytes_read, b.bytes_read),
        bytes_written: f(a.bytes_written, b.bytes_written),
        exact: a.exact && b.exact,
    }
}

fn times(cost: Cost, factor: f64) -> Cost {
    combine(cost, NOTHING, |a, _| a * factor)
}

struct Body<'a> {
    module: &'a Module,
    info: &'a FunctionInfo,
    layouter: &'a Layouter,
    /// Costs of the functions that this one may call.
    functions: &'a [Cost],
    function: &'a Function,
    /// Of each expression, whether a branch on it most likely goes one way.
    guards: Vec<bool>,
}

impl<'a> Body<'a> {
    fn new(
        module: &'a Module,
        info: &'a FunctionInfo,
        layouter: &'a Layouter,
        functions: &'a [Cost],
        function: &'a Function,
    ) -> Self {
        Body { module, info, layouter, functions, function, guards: guards(module, info, function) }
    }

    fn cost(&self) -> Cost {
        self.block(&self.function.body, &mut Constants::new(self.module, self.function))
    }

    fn block(&self, block: &Block, known: &mut Constants<'_>) -> Cost {
        let mut total = NOTHING;
        for statement in block {
            total = add(total, self.statement(statement, known));
            known.after(statement);
        }
        total
    }

    fn statement(&self, statement: &Statement, known: &mut Constants<'_>) -> Cost {
        match *statement {
            Statement::Emit(ref range) => {
                range.clone().map(|handle| self.expression(handle)).fold(NOTHING, add)
            }
            Statement::Block(ref block) => self.block(block, known),
            Statement::If { condition, ref accept, ref reject } => {
                let accept = self.block(accept, &mut known.clone());
                let reject = self.block(reject, &mut known.clone());
                if self.guards[condition.index()] {
                    combine(accept, reject, f64::max)
                } else {
                    times(add(accept, reject), 0.5)
                }
            }
            Statement::Switch { ref cases, .. } => {
                let sum =
                    cases.iter().map(|case| self.block(&case.body, &mut known.clone())).fold(NOTHING, add);
                times(sum, 1.0 / cases.len().max(1) as f64)
            }
            Statement::Loop { ref body, ref continuing, .. } => {
                let found = trips(known, self.function, statement);
                let mut inside = known.clone();
                inside.after(statement);
                let once = add(self.block(body, &mut inside), self.block(continuing, &mut inside));
                let mut total = times(once, found.map_or(TRIPS, |trips| trips.count));
                total.exact &= found.is_some_and(|trips| trips.always);
                total
            }
            Statement::Store { pointer, .. } => {
                Cost { bytes_written: self.storage_bytes(pointer), ..NOTHING }
            }
            Statement::Atomic { pointer, .. } => {
                let bytes = self.storage_bytes(pointer);
                Cost { bytes_read: bytes, bytes_written: bytes, ..operations(1.0) }
            }
            Statement::Call { function, .. } => {
                self.functions.get(function.index()).copied().unwrap_or(NOTHING)
            }
            Statement::SubgroupBallot { .. }
            | Statement::SubgroupGather { .. }
            | Statement::SubgroupCollectiveOperation { .. } => operations(1.0),
            _ => NOTHING,
        }
    }

    fn expression(&self, handle: Handle<Expression>) -> Cost {
        let own = self.components(handle);
        operations(match self.function.expressions[handle] {
            Expression::Load { pointer } => {
                return Cost { bytes_read: self.storage_bytes(pointer), ..NOTHING };
            }
            Expression::Unary { .. }
            | Expression::Select { .. }
            | Expression::As { convert: Some(_), .. } => own,
            Expression::Binary { op: naga::BinaryOperator::Multiply, left, right } => {
                self.product(left, right, own)
            }
            // A comparison has as many results as its operands have components.
            Expression::Binary { .. } => own,
            Expression::Relational { argument, .. } => self.components(argument),
            Expression::Math { fun, arg, .. } => self.math(fun, self.components(arg), own),
            _ => 0.0,
        })
    }

    /// Multiplications and additions of a product, which may be one of linear algebra.
    fn product(&self, left: Handle<Expression>, right: Handle<Expression>, own: f64) -> f64 {
        let shared = match (self.ty(left), self.ty(right)) {
            (TypeInner::Matrix { columns, .. }, TypeInner::Vector { .. } | TypeInner::Matrix { .. }) => {
                *columns
            }
            (TypeInner::Vector { size, .. }, TypeInner::Matrix { .. }) => *size,
            _ => return own,
        };
        own * (2.0 * count(shared) - 1.0)
    }

    fn math(&self, fun: MathFunction, arguments: f64, own: f64) -> f64 {
        use MathFunction as M;
        match fun {
            M::Dot => 2.0 * arguments - 1.0,
            M::Length | M::Distance => 2.0 * arguments + 1.0,
            M::Normalize => 3.0 * arguments + 1.0,
            M::Cross => 9.0,
            M::Reflect | M::FaceForward | M::Refract => 4.0 * arguments,
            M::Fma | M::Clamp => 2.0 * own,
            M::Mix => 3.0 * own,
            M::SmoothStep => 7.0 * own,
            M::Determinant | M::Inverse => 2.0 * arguments,
            M::Transpose => 0.0,
            M::Cos
            | M::Cosh
            | M::Sin
            | M::Sinh
            | M::Tan
            | M::Tanh
            | M::Acos
            | M::Asin
            | M::Atan
            | M::Atan2
            | M::Asinh
            | M::Acosh
            | M::Atanh
            | M::Exp
            | M::Exp2
            | M::Log
            | M::Log2
            | M::Pow => TRANSCENDENTAL * own,
            _ => own.max(1.0),
        }
    }

    /// The bytes behind a pointer into storage; none elsewhere.
    fn storage_bytes(&self, pointer: Handle<Expression>) -> f64 {
        match *self.ty(pointer) {
            TypeInner::Pointer { base, space: AddressSpace::Storage { .. } } => {
                f64::from(self.layouter[base].size)
            }
            TypeInner::ValuePointer { size, scalar, space: AddressSpace::Storage { .. } } => {
                size.map_or(1.0, count) * f64::from(scalar.width)
            }
            _ => 0.0,
        }
    }

    fn ty(&self, handle: Handle<Expression>) -> &TypeInner {
        self.info[handle].ty.inner_with(&self.module.types)
    }

    fn components(&self, handle: Handle<Expression>) -> f64 {
        match *self.ty(handle) {
            TypeInner::Scalar(_) => 1.0,
            TypeInner::Vector { size, .. } => count(size),
            TypeInner::Matrix { columns, rows, .. } => count(columns) * count(rows),
            _ => 0.0,
        }
    }
}

fn count(size: VectorSize) -> f64 {
    f64::from(u8::from(size))
}
