//! Out of bounds: reads give zero, writes and atomics are dropped.
//!
//! A function is built anew, expression by expression in evaluation order. A scalar or vector is loaded from a
//! clamped place and replaced by zero where the guard does not hold; everything else (stores, atomics, whole arrays
//! and structures) happens under an `if`. Indices that cannot leave their range cost nothing.
//! Knows nothing of grids: the entry point's prelude is built before this begins.

use std::collections::HashMap;

use naga::{
    AddressSpace, BinaryOperator, Expression, Function, Handle, Module, Type, TypeInner, valid::FunctionInfo,
};

use super::builder::Builder;
use super::calls::Flagged;
use super::operands::operands;
use super::places::{Checked, Length, Place, Step, inner, unsigned};
use super::ranges::Ranges;

/// Why a function cannot be rewritten.
pub(super) type Refusal = String;

/// The names of expressions: those of `let` declarations.
pub(super) type Names = Vec<(Handle<Expression>, String)>;

/// A function being rebuilt.
pub(super) struct Rebuild<'a, 'b> {
    pub(super) b: &'a mut Builder<'b>,
    module: &'a Module,
    pub(super) old: &'a Function,
    info: &'a FunctionInfo,
    ranges: Ranges<'a>,
    /// Old expressions by their new counterparts.
    pub(super) map: HashMap<Handle<Expression>, Handle<Expression>>,
    places: HashMap<Handle<Expression>, Place>,
    pub(super) flagged: &'a Flagged,
}

/// Which function is rebuilt.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// The entry point, of that workgroup size.
    Entry([u32; 3]),
    /// One that is called.
    Called(Handle<Function>),
}

impl<'a, 'b> Rebuild<'a, 'b> {
    /// Declares the old function's variables; `arguments` are what replaces its arguments, flags at the end.
    pub(super) fn new(
        b: &'a mut Builder<'b>,
        module: &'a Module,
        flagged: &'a Flagged,
        old: &'a Function,
        info: &'a FunctionInfo,
        which: Which,
        arguments: &[Handle<Expression>],
    ) -> Self {
        let (workgroup_size, parameters) = match which {
            Which::Entry(size) => (Some(size), &[][..]),
            Which::Called(function) => (None, flagged.parameters(Some(function))),
        };
        let ranges = Ranges { module, function: old, info, workgroup_size };
        let (map, places) = (HashMap::new(), HashMap::new());
        let mut new = Self { b, module, old, info, ranges, map, places, flagged };
        for (handle, expression) in old.expressions.iter() {
            if let Expression::FunctionArgument(argument) = *expression {
                let pointer = arguments[argument as usize];
                new.map.insert(handle, pointer);
                if let Ok(flag) = parameters.binary_search(&argument) {
                    let guard = Some(arguments[old.arguments.len() + flag]);
                    new.places.insert(handle, Place { guard, ..Place::root(pointer) });
                }
            }
        }
        let mut locals = HashMap::new();
        for (handle, local) in old.local_variables.iter() {
            let init = local.init.map(|init| new.get(init));
            let local = naga::LocalVariable { init, ..local.clone() };
            locals.insert(handle, new.b.locals.append(local, old.local_variables.get_span(handle)));
        }
        for (handle, expression) in old.expressions.iter() {
            if let Expression::LocalVariable(local) = *expression {
                let pointer = new.b.fixed(Expression::LocalVariable(locals[&local]));
                new.map.insert(handle, pointer);
            }
        }
        new
    }

    /// Rebuilds the body; gives the names of `let` declarations, without which naga's text back ends would write a
    /// chain of them as one expression, as deep as it is long.
    pub(super) fn body(mut self) -> Result<Names, Refusal> {
        self.statements(&self.old.body)?;
        let names = self.old.named_expressions.iter();
        Ok(names.filter_map(|(old, name)| Some((*self.map.get(old)?, name.clone()))).collect())
    }

    /// The new counterpart of an old expression.
    pub(super) fn get(&mut self, old: Handle<Expression>) -> Handle<Expression> {
        if let Some(new) = self.map.get(&old) {
            return *new;
        }
        // Not covered by an `Emit`: fixed, or part of a variable's constant initialiser.
        let mut expression = self.old.expressions[old].clone();
        let new = if expression.needs_pre_emit() {
            self.b.fixed(expression)
        } else {
            operands(&mut expression, |operand| self.get(operand));
            self.b.bare(expression)
        };
        self.map.insert(old, new);
        new
    }

    pub(super) fn place(&mut self, old: Handle<Expression>) -> Place {
        match self.places.get(&old) {
            Some(place) => place.clone(),
            None => Place::root(self.get(old)),
        }
    }

    pub(super) fn type_of(&self, old: Handle<Expression>) -> &'a TypeInner {
        inner(&self.info[old].ty, &self.module.types)
    }

    pub(super) fn type_handle(&mut self, old: Handle<Expression>) -> Handle<Type> {
        match self.info[old].ty.handle() {
            Some(ty) => ty,
            None => {
                let inner = self.type_of(old).clone();
                self.b.ty(inner)
            }
        }
    }

    /// Runs `body` where the guard holds.
    pub(super) fn guarded(&mut self, guard: Option<Handle<Expression>>, body: impl FnOnce(&mut Builder<'b>)) {
        match guard {
            None => body(self.b),
            Some(guard) => self.b.when(guard, body),
        }
    }

    /// A value that `body` computes where the guard holds, and zero elsewhere.
    pub(super) fn guarded_value(
        &mut self,
        guard: Handle<Expression>,
        ty: Handle<Type>,
        body: impl FnOnce(&mut Builder<'b>) -> Handle<Expression>,
    ) -> Handle<Expression> {
        let variable = self.b.variable("guarded", ty);
        let zero = self.b.zero(ty);
        self.b.store(variable, zero);
        self.guarded(Some(guard), |b| {
            let value = body(b);
            b.store(variable, value);
        });
        self.b.load(variable)
    }

    /// The value where the guard holds, and zero elsewhere.
    pub(super) fn zero_unless(
        &mut self,
        guard: Handle<Expression>,
        ty: Handle<Type>,
        value: Handle<Expression>,
    ) -> Handle<Expression> {
        if selectable(&self.b.types[ty].inner) {
            let zero = self.b.zero(ty);
            self.b.emit(Expression::Select { condition: guard, accept: value, reject: zero })
        } else {
            self.guarded_value(guard, ty, |_| value)
        }
    }

    /// An expression that is evaluated here.
    pub(super) fn expression(&mut self, old: Handle<Expression>) -> Result<Handle<Expression>, Refusal> {
        let expression = &self.old.expressions[old];
        match *expression {
            Expression::Access { base, index } => {
                let length = Length::of(self.type_of(base), &self.module.types)
                    .ok_or("it indexes something that is no array, vector or matrix")?;
                if is_pointer(self.type_of(base)) {
                    let place = self.place(base);
                    let (step, guard) = self.index(place.raw, index, length);
                    return Ok(self.point(old, place, step, guard));
                }
                let base = self.get(base);
                let (step, guard) = self.index(base, index, length);
                let index = match step {
                    Step::Checked(Checked { index, last }) => self.b.min(index, last),
                    Step::Index(index) => index,
                    Step::Member(index) => return Ok(self.b.member(base, index)),
                };
                let value = self.b.emit(Expression::Access { base, index });
                Ok(match guard {
                    None => value,
                    Some(guard) => {
                        let ty = self.type_handle(old);
                        self.zero_unless(guard, ty, value)
                    }
                })
            }
            Expression::AccessIndex { base, index } if is_pointer(self.type_of(base)) => {
                let place = self.place(base);
                let (step, guard) = match Length::of(self.type_of(base), &self.module.types) {
                    Some(length @ Length::Runtime) if index > 0 => {
                        let index = self.b.literal(index);
                        let (checked, guard) = self.check(place.raw, index, length);
                        (Step::Checked(checked), Some(guard))
                    }
                    _ => (Step::Member(index), None),
                };
                Ok(self.point(old, place, step, guard))
            }
            Expression::Load { pointer } => {
                let place = self.place(pointer);
                let Some(guard) = place.guard else {
                    return Ok(self.b.load(place.raw));
                };
                let ty = self.type_handle(old);
                if selectable(self.type_of(old)) {
                    let pointer = place.clamped(self.b);
                    let value = self.b.load(pointer);
                    Ok(self.zero_unless(guard, ty, value))
                } else {
                    Ok(self.guarded_value(guard, ty, |b| b.load(place.raw)))
                }
            }
            _ => {
                let mut expression = expression.clone();
                if !operands(&mut expression, |operand| self.get(operand)) {
                    return Err("it uses textures, ray queries or cooperative matrices".into());
                }
                Ok(self.b.emit(expression))
            }
        }
    }

    fn point(
        &mut self,
        old: Handle<Expression>,
        place: Place,
        step: Step,
        guard: Option<Handle<Expression>>,
    ) -> Handle<Expression> {
        let place = place.step(self.b, step, guard);
        let raw = place.raw;
        self.places.insert(old, place);
        raw
    }

    /// A dynamic index into `base`: the step, and what must hold.
    fn index(
        &mut self,
        base: Handle<Expression>,
        old: Handle<Expression>,
        length: Length,
    ) -> (Step, Option<Handle<Expression>>) {
        let below = self.ranges.below(old);
        let least = match length {
            Length::Fixed(n) => n,
            Length::Runtime => 1,
        };
        if below.is_some_and(|n| n <= least.into()) {
            return (Step::Index(self.get(old)), None);
        }
        let scalar = match *self.type_of(old) {
            TypeInner::Scalar(scalar) => scalar,
            _ => naga::Scalar::U32,
        };
        let index = self.get(old);
        let index = unsigned(self.b, index, scalar);
        let (checked, guard) = self.check(base, index, length);
        (Step::Checked(checked), Some(guard))
    }

    fn check(
        &mut self,
        base: Handle<Expression>,
        index: Handle<Expression>,
        length: Length,
    ) -> (Checked, Handle<Expression>) {
        let (length, last) = match length {
            Length::Fixed(n) => (self.b.literal(n), self.b.literal(n - 1)),
            Length::Runtime => {
                let length = self.b.emit(Expression::ArrayLength(base));
                let one = self.b.literal(1);
                (length, self.b.binary(BinaryOperator::Subtract, length, one))
            }
        };
        let guard = self.b.binary(BinaryOperator::Less, index, length);
        (Checked { index, last }, guard)
    }
}

fn is_pointer(inner: &TypeInner) -> bool {
    matches!(inner, TypeInner::Pointer { space, .. } | TypeInner::ValuePointer { space, .. } if *space != AddressSpace::Handle)
}

/// `select` takes it.
fn selectable(inner: &TypeInner) -> bool {
    matches!(inner, TypeInner::Scalar(_) | TypeInner::Vector { .. })
}
