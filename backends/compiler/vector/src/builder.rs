//! Builds a [`Function`], instruction by instruction, from the outside in.
//!
//! A builder holds a stack of open lists; instructions go to the innermost. What is built is simplified at once
//! (`fold`), and an operation that an open list holds already is not built again; constants stand at the function's
//! top, each once. So a list that was closed belongs into the list that was the innermost open one then.
//!
//! Knows what type each operation gives, and nothing of what the program means as a whole.

use crate::fold;
use crate::ir::*;
use crate::known::Known;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

/// A function under construction.
#[derive(Debug)]
pub struct Builder {
    function: Function,
    open: Vec<List>,
    mark: Mark,
    /// Constants, in front of the function's body.
    top: Vec<Inst>,
    /// How each value is computed, where that is all there is to know of it, or memory that nobody writes is the rest.
    definitions: Vec<Option<Op>>,
    /// The values that open lists hold, but for constants.
    known: Known,
    constants: Known,
}

#[derive(Debug)]
struct List {
    insts: Vec<Inst>,
    /// Where `known` was when it was opened.
    known: usize,
}

impl Builder {
    /// A function for gangs of that many lanes (1 to 64, a power of two), with its body's list open.
    pub fn new(name: &str, lanes: u16) -> Self {
        Self::with_room(name, lanes, 0)
    }

    /// The same, with room for about so many values: tables that grow are copied again and again.
    pub fn with_room(name: &str, lanes: u16, values: usize) -> Self {
        let function = Function {
            name: name.into(),
            lanes,
            params: vec![],
            values: Vec::with_capacity(values),
            spaces: vec![],
            labels: 0,
            body: vec![],
        };
        Self::rebuild(function)
    }

    /// Builds another body for a function: its name, parameters, spaces, values and labels stay, its body is dropped.
    pub fn rebuild(function: Function) -> Self {
        let capacity = function.values.capacity();
        let mut definitions = Vec::with_capacity(capacity);
        definitions.resize(function.values.len(), None);
        Self {
            definitions,
            function: Function { body: vec![], ..function },
            open: vec![List { insts: vec![], known: 0 }],
            mark: Mark::default(),
            top: vec![],
            known: Known::with_capacity(capacity),
            constants: Known::default(),
        }
    }

    /// The function as it stands: its types, parameters and spaces, not yet its body.
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// The next parameter, a scalar.
    pub fn param(&mut self, kind: Kind) -> Value {
        let value = self.value(Type::scalar(kind));
        self.function.params.push(value);
        value
    }

    /// The next space.
    pub fn space(&mut self, name: &str, constant: bool) -> SpaceId {
        self.function.spaces.push(Space {
            name: name.into(),
            constant,
            stores: Stores::Cached,
            fleeting: false,
        });
        SpaceId(self.function.spaces.len() as u32 - 1)
    }

    /// What a round of the outermost loop writes to a space is read in that round or never.
    pub fn fleeting(&mut self, space: SpaceId) {
        self.function.spaces[space.0 as usize].fleeting = true;
    }

    /// How vectors are written to a space from here on.
    pub fn stores(&mut self, space: SpaceId, stores: Stores) {
        self.function.spaces[space.0 as usize].stores = stores;
    }

    /// Where the instructions that follow come from.
    pub fn set_mark(&mut self, mark: Mark) {
        self.mark = mark;
    }

    /// The lanes of a vector.
    pub fn lanes(&self) -> u16 {
        self.function.lanes
    }

    /// The type of a value.
    #[inline]
    pub fn ty(&self, value: Value) -> Type {
        self.function.ty(value)
    }

    /// A vector type of the gang's width (a scalar where that is 1).
    pub fn vector(&self, kind: Kind) -> Type {
        Type { kind, lanes: self.function.lanes }
    }

    /// The function; its body's list must be the only one open, and ended.
    pub fn finish(mut self) -> Function {
        debug_assert_eq!(self.open.len(), 1, "every list was closed");
        self.function.body = self.top;
        self.function.body.append(&mut self.open.pop().map(|list| list.insts).unwrap_or_default());
        self.function
    }

    // --- structure -------------------------------------------------------------------------------------------------

    /// Starts a list; instructions go there until [`close`](Self::close).
    pub fn open(&mut self) {
        self.open.push(List { insts: vec![], known: self.known.here() });
    }

    /// The innermost list will have about so many more instructions.
    pub(crate) fn expect(&mut self, count: usize) {
        if let Some(list) = self.open.last_mut() {
            list.insts.reserve(count);
        }
    }

    /// Ends the innermost list and gives it.
    pub fn close(&mut self) -> Vec<Inst> {
        let Some(list) = self.open.pop() else { return vec![] };
        self.known.back(list.known);
        list.insts
    }

    /// Adds an instruction as it is.
    pub fn push(&mut self, inst: Inst) {
        if let Some(list) = self.open.last_mut() {
            list.insts.push(inst);
        }
    }

    /// How a value is computed, where it is an operation that reads no memory.
    #[inline]
    pub fn definition(&self, value: Value) -> Option<&Op> {
        self.definitions.get(value.0 as usize)?.as_ref().filter(|op| op.touches().is_none())
    }

    /// A new label.
    pub fn label(&mut self) -> Label {
        self.function.label()
    }

    /// A new value of that type, which the caller defines: a parameter of a loop, a result of a block or an `If`.
    pub fn value(&mut self, ty: Type) -> Value {
        self.definitions.push(None);
        self.function.value(ty)
    }

    /// `Yield`.
    pub fn yields(&mut self, arguments: &[Value]) {
        self.push(Inst::Yield { arguments: arguments.to_vec() });
    }

    /// `Branch`.
    pub fn branch(&mut self, label: Label, arguments: &[Value]) {
        self.push(Inst::Branch { label, arguments: arguments.to_vec() });
    }

    /// An `If` from two lists, with results of those types.
    pub fn branch_on(
        &mut self,
        condition: Value,
        then: Vec<Inst>,
        otherwise: Vec<Inst>,
        types: &[Type],
        hint: Hint,
    ) -> Vec<Value> {
        let results: Vec<Value> = types.iter().map(|&ty| self.value(ty)).collect();
        self.push(Inst::If { condition, then, otherwise, results: results.clone(), hint });
        results
    }

    /// An `If` whose arms both yield what their closures return; the closures' values must agree in type.
    pub fn either(
        &mut self,
        condition: Value,
        then: impl FnOnce(&mut Self) -> Vec<Value>,
        otherwise: impl FnOnce(&mut Self) -> Vec<Value>,
    ) -> Vec<Value> {
        self.open();
        let left = then(self);
        self.yields(&left);
        let then = self.close();
        self.open();
        let right = otherwise(self);
        self.yields(&right);
        let otherwise = self.close();
        let types: Vec<Type> = left.iter().map(|&value| self.ty(value)).collect();
        self.branch_on(condition, then, otherwise, &types, Hint::None)
    }

    // --- values ----------------------------------------------------------------------------------------------------

    /// A value of that type, computed so or more simply.
    pub fn define(&mut self, ty: Type, mut op: Op) -> Value {
        self.define_from(ty, &mut op)
    }

    /// As [`define`](Self::define); of the operation nothing is left. (To move one that was just written is slow.)
    pub(crate) fn define_from(&mut self, ty: Type, op: &mut Op) -> Value {
        if !matches!(op, Op::Const(_))
            && let Some(value) = fold::fold(self, ty, op)
        {
            return value;
        }
        let is_value = match op.touches() {
            None => true,
            Some(space) => self.function.spaces.get(space.0 as usize).is_some_and(|space| space.constant),
        };
        if !is_value {
            let result = self.value(ty);
            self.compute(result, op);
            return result;
        }
        let hash = hash(op, ty);
        let is = |value: Value| {
            self.function.ty(value) == ty && self.definitions[value.0 as usize].as_ref() == Some(&*op)
        };
        let constant = matches!(op, Op::Const(_) | Op::Lanes(_));
        let known = if constant { &self.constants } else { &self.known };
        if let Some(value) = known.find(hash, is) {
            return value;
        }
        let result = self.function.value(ty);
        self.definitions.push(Some(op.clone()));
        if constant {
            self.constants.insert(hash, result);
            self.top.push(Inst::Let { result, op: std::mem::replace(op, Op::Const(0)), mark: Mark(0) });
        } else {
            self.known.insert(hash, result);
            self.compute(result, op);
        }
        result
    }

    /// Computes a value so and here.
    #[inline]
    fn compute(&mut self, result: Value, op: &mut Op) {
        let op = std::mem::replace(op, Op::Const(0));
        if let Some(list) = self.open.last_mut() {
            list.insts.push(Inst::Let { result, op, mark: self.mark });
        }
    }

    /// An effect.
    pub fn act(&mut self, effect: Effect) {
        let mark = self.mark;
        if let Some(effect) = fold::fold_effect(self, effect) {
            self.push(Inst::Do { effect, mark });
        }
    }

    /// The same bits in every lane.
    pub fn constant(&mut self, ty: Type, bits: u64) -> Value {
        self.define(ty, Op::Const(bits))
    }

    /// A constant of the type of another value: for integers the number wrapped to its size, for floats the nearest.
    pub fn like(&mut self, other: Value, number: f64) -> Value {
        let ty = self.ty(other);
        let bits = match ty.kind {
            Kind::Bool => u64::from(number != 0.0),
            Kind::I32 => u64::from(number as i64 as u32),
            Kind::I64 => number as i64 as u64,
            Kind::F32 => u64::from((number as f32).to_bits()),
            Kind::F64 => number.to_bits(),
        };
        self.constant(ty, bits)
    }

    /// A constant of the type of another value, from its bits.
    pub fn bits_like(&mut self, other: Value, bits: u64) -> Value {
        let ty = self.ty(other);
        self.constant(ty, bits)
    }

    /// A scalar `I32`.
    pub fn i32(&mut self, number: u32) -> Value {
        self.constant(Type::scalar(Kind::I32), number.into())
    }

    /// A scalar `I64`.
    pub fn i64(&mut self, number: u64) -> Value {
        self.constant(Type::scalar(Kind::I64), number)
    }

    /// Its own bits for each lane; as many as the gang has.
    pub fn lane_constants(&mut self, kind: Kind, bits: &[u64]) -> Value {
        let ty = self.vector(kind);
        match bits {
            [one] => self.constant(ty, *one),
            _ => self.define(ty, Op::Lanes(bits.into())),
        }
    }

    /// A scalar in every lane; where the gang has one lane, the scalar.
    pub fn splat(&mut self, scalar: Value) -> Value {
        let ty = self.vector(self.ty(scalar).kind);
        if ty.is_scalar() || !self.ty(scalar).is_scalar() {
            return scalar;
        }
        self.define(ty, Op::Splat(scalar))
    }

    /// See [`Unary`].
    pub fn unary(&mut self, op: Unary, a: Value) -> Value {
        self.define(self.ty(a), Op::Unary(op, a))
    }

    /// See [`Binary`].
    pub fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        self.define(self.ty(a), Op::Binary(op, a, b))
    }

    /// `a * b + c`, rounded once.
    pub fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        self.define(self.ty(a), Op::Fma(a, b, c))
    }

    /// See [`Compare`].
    pub fn compare(&mut self, op: Compare, a: Value, b: Value) -> Value {
        self.define(self.ty(a).with(Kind::Bool), Op::Compare(op, a, b))
    }

    /// `condition ? a : b`, lane by lane.
    pub fn select(&mut self, condition: Value, a: Value, b: Value) -> Value {
        self.define(self.ty(a), Op::Select(condition, a, b))
    }

    /// See [`Convert`].
    pub fn convert(&mut self, op: Convert, a: Value, kind: Kind) -> Value {
        self.define(self.ty(a).with(kind), Op::Convert(op, a))
    }

    /// The same bits as another kind.
    pub fn bitcast(&mut self, a: Value, kind: Kind) -> Value {
        if self.ty(a).kind == kind { a } else { self.convert(Convert::Bitcast, a, kind) }
    }
}

fn hash(op: &Op, ty: Type) -> u32 {
    let mut hasher = FxHasher::default();
    (op, ty).hash(&mut hasher);
    hasher.finish() as u32
}

macro_rules! shorthands {
    ($($(#[$doc:meta])* $name:ident = $method:ident $class:ident::$op:ident ( $($arg:ident),* );)*) => {
        /// Shorthands for single operations.
        impl Builder {
            $($(#[$doc])* pub fn $name(&mut self, $($arg: Value),*) -> Value { self.$method($class::$op, $($arg),*) })*
        }
    };
}

shorthands! {
    /// [`Binary::Add`]
    add = binary Binary::Add(a, b);
    /// [`Binary::Sub`]
    sub = binary Binary::Sub(a, b);
    /// [`Binary::Mul`]
    mul = binary Binary::Mul(a, b);
    /// [`Binary::Div`]
    div = binary Binary::Div(a, b);
    /// [`Binary::And`]
    and = binary Binary::And(a, b);
    /// [`Binary::Or`]
    or = binary Binary::Or(a, b);
    /// [`Binary::Xor`]
    xor = binary Binary::Xor(a, b);
    /// [`Binary::Shl`]
    shl = binary Binary::Shl(a, b);
    /// [`Binary::ShrS`]
    shr_s = binary Binary::ShrS(a, b);
    /// [`Binary::ShrU`]
    shr_u = binary Binary::ShrU(a, b);
    /// [`Binary::Min`]
    min = binary Binary::Min(a, b);
    /// [`Binary::Max`]
    max = binary Binary::Max(a, b);
    /// [`Binary::Scale`]
    scale = binary Binary::Scale(a, b);
    /// [`Binary::MinU`]
    min_u = binary Binary::MinU(a, b);
    /// [`Unary::Neg`]
    neg = unary Unary::Neg(a);
    /// [`Unary::Not`]
    not = unary Unary::Not(a);
    /// [`Unary::Abs`]
    abs = unary Unary::Abs(a);
    /// [`Compare::Eq`]
    eq = compare Compare::Eq(a, b);
    /// [`Compare::Ne`]
    ne = compare Compare::Ne(a, b);
    /// [`Compare::Lt`]
    lt = compare Compare::Lt(a, b);
    /// [`Compare::Le`]
    le = compare Compare::Le(a, b);
    /// [`Compare::Gt`]
    gt = compare Compare::Gt(a, b);
    /// [`Compare::Ge`]
    ge = compare Compare::Ge(a, b);
    /// [`Compare::LtS`]
    lt_s = compare Compare::LtS(a, b);
    /// [`Compare::LtU`]
    lt_u = compare Compare::LtU(a, b);
}
