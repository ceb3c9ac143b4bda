//! The words that expansions are written in: each gives one operation, in turn put into other words where the machine
//! lacks it.

use super::{Constant, Rewriting};
use crate::ir::*;

impl Rewriting<'_> {
    pub(super) fn ty(&self, value: Value) -> Type {
        self.function.ty(value)
    }

    /// The vector type of that kind.
    pub(super) fn vector(&self, kind: Kind) -> Type {
        Type { kind, lanes: self.function.lanes }
    }

    pub(super) fn value(&mut self, ty: Type) -> Value {
        let value = self.function.value(ty);
        self.replaced.push(value);
        self.even.push(false);
        value
    }

    pub(super) fn push(&mut self, inst: Inst) {
        if let Some(list) = self.open.last_mut() {
            list.push(inst);
        }
    }

    /// The operation, or its expansion.
    pub(super) fn op(&mut self, ty: Type, op: Op) -> Value {
        if let Some(value) = self.expansion(&op, ty) {
            return value;
        }
        let result = self.value(ty);
        self.even[result.0 as usize] = matches!(op, Op::Splat(_));
        let mark = self.mark;
        self.push(Inst::Let { result, op, mark });
        result
    }

    /// Whether the machine has an elementwise operation on operands and results of those types.
    pub(super) fn has(&self, op: &Op, ty: Type, operand: Type) -> bool {
        self.machine.has(op, ty, operand)
    }

    pub(super) fn act(&mut self, effect: Effect) {
        let mark = self.mark;
        self.push(Inst::Do { effect, mark });
    }

    /// What `body` writes, as a list of its own that yields what it returns.
    pub(super) fn arm(&mut self, body: impl FnOnce(&mut Self) -> Vec<Value>) -> Vec<Inst> {
        self.open.push(vec![]);
        let arguments = body(self);
        self.push(Inst::Yield { arguments });
        self.open.pop().unwrap_or_default()
    }

    /// An `If` with one result, or none.
    pub(super) fn branch(
        &mut self,
        condition: Value,
        then: Vec<Inst>,
        otherwise: Vec<Inst>,
        ty: Option<Type>,
        hint: Hint,
    ) -> Option<Value> {
        let results: Vec<Value> = ty.into_iter().map(|ty| self.value(ty)).collect();
        let result = results.first().copied();
        self.push(Inst::If { condition, then, otherwise, results, hint });
        result
    }

    fn at_top(&mut self, ty: Type, constant: Constant) -> Value {
        let key = (ty, constant);
        if let Some(&value) = self.constants.get(&key) {
            return value;
        }
        let result = self.value(ty);
        let op = match &key.1 {
            Constant::Same(bits) => Op::Const(*bits),
            Constant::Lanes(bits) => Op::Lanes(bits.clone()),
        };
        self.even[result.0 as usize] = matches!(op, Op::Const(_));
        self.top.push(Inst::Let { result, op, mark: Mark::default() });
        self.constants.insert(key, result);
        result
    }

    /// The same bits in every lane.
    pub(super) fn constant(&mut self, ty: Type, bits: u64) -> Value {
        let bits = if matches!(ty.kind, Kind::I32 | Kind::F32) { u64::from(bits as u32) } else { bits };
        self.at_top(ty, Constant::Same(bits))
    }

    /// A number as a constant of the type of `other`.
    pub(super) fn int(&mut self, other: Value, number: i64) -> Value {
        self.constant(self.ty(other), number as u64)
    }

    /// A number as a constant of the type of `other`, a float.
    pub(super) fn float(&mut self, other: Value, number: f64) -> Value {
        let ty = self.ty(other);
        let bits = if ty.kind == Kind::F32 { u64::from((number as f32).to_bits()) } else { number.to_bits() };
        self.constant(ty, bits)
    }

    /// Bits for each lane; for one lane, a scalar.
    pub(super) fn lane_constants(&mut self, kind: Kind, bits: impl Iterator<Item = u64>) -> Value {
        let bits: Box<[u64]> = bits.collect();
        match *bits {
            [one] => self.constant(Type::scalar(kind), one),
            _ => self.at_top(self.vector(kind), Constant::Lanes(bits)),
        }
    }

    pub(super) fn splat(&mut self, scalar: Value) -> Value {
        let ty = self.vector(self.ty(scalar).kind);
        if ty.is_scalar() { scalar } else { self.op(ty, Op::Splat(scalar)) }
    }

    /// One lane of a vector; of a scalar, itself.
    pub(super) fn extract(&mut self, vector: Value, lane: u16) -> Value {
        let ty = self.ty(vector);
        if ty.is_scalar() { vector } else { self.op(Type::scalar(ty.kind), Op::Extract(vector, lane)) }
    }

    /// A vector with another scalar in one lane.
    pub(super) fn insert(&mut self, vector: Value, lane: u16, scalar: Value) -> Value {
        if self.ty(vector).is_scalar() {
            return scalar;
        }
        let lanes = self.function.lanes;
        let mask = self.lane_constants(Kind::Bool, (0..lanes).map(|i| u64::from(i == lane)));
        let splat = self.splat(scalar);
        self.select(mask, splat, vector)
    }

    /// A vector from the scalar of each lane.
    pub(super) fn assemble(&mut self, mut scalar: impl FnMut(&mut Self, u16) -> Value) -> Value {
        let first = scalar(self, 0);
        let mut vector = self.splat(first);
        for lane in 1..self.function.lanes {
            let next = scalar(self, lane);
            vector = self.insert(vector, lane, next);
        }
        vector
    }

    pub(super) fn unary(&mut self, op: Unary, a: Value) -> Value {
        self.op(self.ty(a), Op::Unary(op, a))
    }

    pub(super) fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        self.op(self.ty(a), Op::Binary(op, a, b))
    }

    pub(super) fn compare(&mut self, op: Compare, a: Value, b: Value) -> Value {
        self.op(self.ty(a).with(Kind::Bool), Op::Compare(op, a, b))
    }

    pub(super) fn select(&mut self, condition: Value, a: Value, b: Value) -> Value {
        self.op(self.ty(a), Op::Select(condition, a, b))
    }

    pub(super) fn convert(&mut self, op: Convert, a: Value, kind: Kind) -> Value {
        self.op(self.ty(a).with(kind), Op::Convert(op, a))
    }

    /// The same bits as another kind.
    pub(super) fn cast(&mut self, a: Value, kind: Kind) -> Value {
        self.convert(Convert::Bitcast, a, kind)
    }

    /// Shifted by a known number of bits.
    pub(super) fn shifted(&mut self, op: Binary, a: Value, bits: u32) -> Value {
        let amount = self.int(a, bits.into());
        self.binary(op, a, amount)
    }
}

macro_rules! words {
    ($($name:ident = $method:ident $op:expr;)*) => {
        impl Rewriting<'_> {
            $(pub(super) fn $name(&mut self, a: Value, b: Value) -> Value { self.$method($op, a, b) })*
        }
    };
}

words! {
    add = binary Binary::Add;
    sub = binary Binary::Sub;
    mul = binary Binary::Mul;
    div = binary Binary::Div;
    and = binary Binary::And;
    or = binary Binary::Or;
    xor = binary Binary::Xor;
    eq = compare Compare::Eq;
    ne = compare Compare::Ne;
    lt = compare Compare::Lt;
    gt = compare Compare::Gt;
    lt_s = compare Compare::LtS;
    gt_s = compare Compare::GtS;
}
