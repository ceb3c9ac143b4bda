//! Making values: folded where operands are known, and only once where the same one is visible already.
//!
//! Constants and what an invocation is given stand at the start of the kernel. Knows operations, not WGSL.

use super::Builder;
use super::draft::Node;
use crate::arithmetic::{self, is_float, is_integer};
use crate::ir::{Binary, Builtin, Compare, Definition, Mark, Math, Op, Place, Root, Unary, Value};
use rustc_hash::FxHashMap;
use warpweft_module::Scalar;

/// A pure operation, packed for the table of known ones.
pub(super) type Key = (u64, u64);

/// The values so far, and which of them are visible.
#[derive(Default)]
pub(super) struct Values {
    pub definitions: Vec<Definition>,
    /// The scope that each is defined in.
    pub scope_of: Vec<u32>,
    constants: FxHashMap<(u8, u64), Value>,
    known: FxHashMap<Key, Value>,
    /// Loads of memory that nobody writes.
    loads: FxHashMap<Place, Value>,
    /// What scopes have added to `known` and `loads`: to be taken out again.
    added: Vec<Added>,
    /// Per scope: open, the scope that it was merged into, and one more than the last scope inside it.
    open: Vec<bool>,
    merged: Vec<u32>,
    end: Vec<u32>,
    /// The open scopes, and how long `added` was when each was opened.
    stack: Vec<(u32, usize)>,
}

enum Added {
    Pure(Key),
    Load(Place),
}

impl Values {
    /// None yet, with room for about so many.
    pub(super) fn with_room(count: usize) -> Self {
        Values {
            definitions: Vec::with_capacity(count),
            scope_of: Vec::with_capacity(count),
            known: FxHashMap::with_capacity_and_hasher(count / 2, Default::default()),
            ..Values::default()
        }
    }

    /// Opens a scope inside the present one.
    pub(super) fn open_scope(&mut self) {
        let scope = self.open.len() as u32;
        self.open.push(true);
        self.merged.push(scope);
        self.end.push(scope + 1);
        self.stack.push((scope, self.added.len()));
    }

    /// Closes the present scope: its values are no longer visible.
    pub(super) fn close_scope(&mut self) {
        let Some((scope, added)) = self.stack.pop() else { return };
        self.open[scope as usize] = false;
        self.end[scope as usize] = self.open.len() as u32;
        for added in self.added.drain(added..) {
            match added {
                Added::Pure(key) => drop(self.known.remove(&key)),
                Added::Load(place) => drop(self.loads.remove(&place)),
            }
        }
    }

    /// Ends the present scope: its values are those of the one around it.
    pub(super) fn merge_scope(&mut self) {
        let Some((scope, _)) = self.stack.pop() else { return };
        if let Some(&(outer, _)) = self.stack.last() {
            self.merged[scope as usize] = outer;
        }
    }

    fn scope(&self, value: Value) -> u32 {
        let mut scope = self.scope_of[value.0 as usize];
        while self.merged[scope as usize] != scope {
            scope = self.merged[scope as usize];
        }
        scope
    }

    /// The value is defined in an open scope.
    pub(super) fn visible(&self, value: Value) -> bool {
        self.open[self.scope(value) as usize]
    }

    /// `value`, which is defined before `other`, is visible where that one is defined.
    pub(super) fn reaches(&self, value: Value, other: Value) -> bool {
        let (outer, inner) = (self.scope(value), self.scope(other));
        outer <= inner && (self.open[outer as usize] || inner < self.end[outer as usize])
    }
}

impl Builder<'_> {
    /// A new value in the present scope; no statement yet.
    pub(super) fn new_value(&mut self, ty: Scalar, op: Op) -> Value {
        let value = Value(self.values.definitions.len() as u32);
        let scope = self.values.stack.last().map_or(0, |&(scope, _)| scope);
        self.values.definitions.push(Definition { ty, op, mark: self.mark });
        self.values.scope_of.push(scope);
        value
    }

    /// A new value, computed here.
    pub(super) fn define(&mut self, ty: Scalar, op: Op) -> Value {
        let value = self.new_value(ty, op);
        self.list.push(Node::Let(value));
        value
    }

    /// A new value, computed at the start of the kernel.
    fn define_first(&mut self, ty: Scalar, op: Op) -> Value {
        let value = self.new_value(ty, op);
        self.values.scope_of[value.0 as usize] = 0;
        self.values.definitions[value.0 as usize].mark = Mark::default();
        self.prologue.push(Node::Let(value));
        value
    }

    pub(super) fn ty(&self, value: Value) -> Scalar {
        self.values.definitions[value.0 as usize].ty
    }

    fn op(&self, value: Value) -> &Op {
        &self.values.definitions[value.0 as usize].op
    }

    /// The bits of a constant.
    pub(super) fn known(&self, value: Value) -> Option<u64> {
        match self.op(value) {
            Op::Constant(bits) => Some(*bits),
            _ => None,
        }
    }

    pub(super) fn constant(&mut self, ty: Scalar, bits: u64) -> Value {
        if let Some(&value) = self.values.constants.get(&(ty as u8, bits)) {
            return value;
        }
        let value = self.define_first(ty, Op::Constant(bits));
        self.values.constants.insert((ty as u8, bits), value);
        value
    }

    pub(super) fn zero(&mut self, ty: Scalar) -> Value {
        self.constant(ty, 0)
    }

    pub(super) fn u32(&mut self, n: u32) -> Value {
        self.constant(Scalar::U32, n.into())
    }

    pub(super) fn bool(&mut self, v: bool) -> Value {
        self.constant(Scalar::Bool, v.into())
    }

    /// A small number of any numeric type.
    pub(super) fn number(&mut self, ty: Scalar, n: i64) -> Value {
        let bits = if is_float(ty) { arithmetic::float(ty, n as f64) } else { arithmetic::integer(ty, n) };
        self.constant(ty, bits)
    }

    pub(super) fn float(&mut self, ty: Scalar, v: f64) -> Value {
        self.constant(ty, arithmetic::float(ty, v))
    }

    pub(super) fn builtin(&mut self, builtin: Builtin) -> Value {
        let key = key(Scalar::U32, &Op::Builtin(builtin));
        self.first(key, Scalar::U32, Op::Builtin(builtin))
    }

    /// The elements of a runtime-sized array.
    pub(super) fn length(&mut self, binding: u32, offset: u32, stride: u32) -> Value {
        let op = Op::Length { binding, offset, stride: stride.max(1) };
        self.first(key(Scalar::U32, &op), Scalar::U32, op)
    }

    /// A value that is the same wherever it is computed.
    fn first(&mut self, key: Option<Key>, ty: Scalar, op: Op) -> Value {
        if let Some(key) = key
            && let Some(&value) = self.values.known.get(&key)
        {
            return value;
        }
        let value = self.define_first(ty, op);
        if let Some(key) = key {
            self.values.known.insert(key, value);
        }
        value
    }

    /// The value of a pure operation on visible values.
    fn pure(&mut self, ty: Scalar, op: Op) -> Value {
        let Some(key) = key(ty, &op) else {
            return self.define(ty, op);
        };
        if let Some(&value) = self.values.known.get(&key) {
            return value;
        }
        let value = self.define(ty, op);
        self.values.known.insert(key, value);
        self.values.added.push(Added::Pure(key));
        value
    }

    /// What lies at a place of memory, read without an atomic step.
    pub(super) fn load(&mut self, place: Place) -> Value {
        let constant = match place.root {
            Root::Binding(n) => !self.bindings[n as usize].written,
            Root::Variable(_) => false,
        };
        if !constant {
            return self.define(place.ty, Op::Load { place, atomic: false, uniform: false });
        }
        if let Some(&value) = self.values.loads.get(&place) {
            return value;
        }
        self.values.added.push(Added::Load(place.clone()));
        let op = Op::Load { place: place.clone(), atomic: false, uniform: false };
        let value = self.define(place.ty, op);
        self.values.loads.insert(place, value);
        value
    }

    /// It may be computed where it is not asked for, and costs little: no elementary functions, and of memory only what
    /// is always there.
    pub(super) fn is_cheap(&self, value: Value) -> bool {
        match self.op(value) {
            Op::Load { place, atomic: false, uniform: false } => {
                let constant = matches!(place.root, Root::Binding(n) if !self.bindings[n as usize].written);
                constant && place.indices.is_empty()
            }
            Op::Math(..) | Op::Atan2(..) | Op::Pow(..) => false,
            op => op.is_pure(),
        }
    }

    /// Computes a value of a scope that was closed here instead.
    pub(super) fn adopt(&mut self, value: Value) {
        self.values.scope_of[value.0 as usize] = self.values.stack.last().map_or(0, |&(scope, _)| scope);
        self.list.push(Node::Let(value));
        let definition = &self.values.definitions[value.0 as usize];
        if let Op::Load { place, .. } = &definition.op {
            if !self.values.loads.contains_key(place) {
                self.values.added.push(Added::Load(place.clone()));
                self.values.loads.insert(place.clone(), value);
            }
        } else if let Some(key) = key(definition.ty, &definition.op)
            && !self.values.known.contains_key(&key)
        {
            self.values.known.insert(key, value);
            self.values.added.push(Added::Pure(key));
        }
    }

    pub(super) fn unary(&mut self, op: Unary, a: Value) -> Value {
        let ty = self.ty(a);
        if op == Unary::Abs && matches!(ty, Scalar::U16 | Scalar::U32 | Scalar::U64) {
            return a;
        }
        if let Some(bits) = self.known(a).and_then(|a| arithmetic::unary(op, ty, a)) {
            return self.constant(ty, bits);
        }
        match (op, self.op(a)) {
            (Unary::Not | Unary::Negate, &Op::Unary(inner, b)) if inner == op => return b,
            // The opposite comparison, where there is no NaN to fail both.
            (Unary::Not, &Op::Compare(compare, x, y)) => {
                let opposite = match compare {
                    Compare::Equal => Some(Compare::NotEqual),
                    Compare::NotEqual => Some(Compare::Equal),
                    _ if is_float(self.ty(x)) => None,
                    Compare::Less => Some(Compare::GreaterEqual),
                    Compare::LessEqual => Some(Compare::Greater),
                    Compare::Greater => Some(Compare::LessEqual),
                    Compare::GreaterEqual => Some(Compare::Less),
                };
                if let Some(opposite) = opposite {
                    return self.compare(opposite, x, y);
                }
            }
            _ => {}
        }
        self.pure(ty, Op::Unary(op, a))
    }

    pub(super) fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        let ty = self.ty(a);
        let (mut a, mut b) = (a, b);
        if let (Some(x), Some(y)) = (self.known(a), self.known(b))
            && let Some(bits) = arithmetic::binary(op, ty, x, y)
        {
            return self.constant(ty, bits);
        }
        use Binary::{Add, And, Multiply, Or, Xor};
        if matches!(op, Add | Multiply | And | Or | Xor) && self.known(a).is_some() {
            std::mem::swap(&mut a, &mut b);
        }
        if let Some(value) = self.identity(op, ty, a, b) {
            return value;
        }
        // (x + c) + d = x + (c + d): keeps indices in the form that is recognised.
        if matches!(op, Add | Binary::Subtract)
            && is_integer(ty)
            && let Some(mut second) = self.known(b)
        {
            if op == Binary::Subtract {
                second = arithmetic::unary(Unary::Negate, ty, second).unwrap_or(second);
                b = self.constant(ty, second);
            }
            if let &Op::Binary(Add, x, c) = self.op(a)
                && let Some(first) = self.known(c)
            {
                let sum = arithmetic::binary(Add, ty, first, second).unwrap_or(0);
                let sum = self.constant(ty, sum);
                return self.binary(Add, x, sum);
            }
            return self.pure(ty, Op::Binary(Add, a, b));
        }
        self.pure(ty, Op::Binary(op, a, b))
    }

    /// What an operation with a neutral or absorbing operand gives, to the bit. Constants are on the right where the
    /// operation is commutative.
    fn identity(&mut self, op: Binary, ty: Scalar, a: Value, b: Value) -> Option<Value> {
        let known = self.known(b);
        let ones = arithmetic::ones(ty);
        if is_float(ty) {
            let one = arithmetic::float(ty, 1.0);
            let negative_zero = arithmetic::float(ty, -0.0);
            return match op {
                Binary::Multiply | Binary::Divide if known == Some(one) => Some(a),
                Binary::Add if known == Some(negative_zero) => Some(a),
                Binary::Subtract if known == Some(0) => Some(a),
                _ => None,
            };
        }
        match op {
            Binary::Add | Binary::Or | Binary::Xor | Binary::ShiftLeft | Binary::ShiftRight
                if known == Some(0) =>
            {
                Some(a)
            }
            Binary::Subtract if known == Some(0) => Some(a),
            Binary::Multiply | Binary::Divide if known == Some(1) && ty != Scalar::Bool => Some(a),
            Binary::Multiply | Binary::And if known == Some(0) => Some(b),
            Binary::And if known == Some(ones) => Some(a),
            Binary::Or if known == Some(ones) => Some(b),
            Binary::Modulo if known == Some(1) => Some(self.zero(ty)),
            Binary::Xor if known == Some(1) && ty == Scalar::Bool => Some(self.unary(Unary::Not, a)),
            Binary::And | Binary::Or | Binary::Min | Binary::Max if a == b => Some(a),
            Binary::Subtract | Binary::Xor if a == b => Some(self.zero(ty)),
            _ => None,
        }
    }

    pub(super) fn compare(&mut self, op: Compare, a: Value, b: Value) -> Value {
        let ty = self.ty(a);
        let (mut op, mut a, mut b) = (op, a, b);
        if self.known(a).is_some() && self.known(b).is_none() {
            std::mem::swap(&mut a, &mut b);
            op = match op {
                Compare::Less => Compare::Greater,
                Compare::LessEqual => Compare::GreaterEqual,
                Compare::Greater => Compare::Less,
                Compare::GreaterEqual => Compare::LessEqual,
                same => same,
            };
        }
        if let (Some(x), Some(y)) = (self.known(a), self.known(b)) {
            let holds = arithmetic::compare(op, ty, x, y);
            return self.bool(holds);
        }
        if a == b && !is_float(ty) {
            return self.bool(matches!(op, Compare::Equal | Compare::LessEqual | Compare::GreaterEqual));
        }
        if ty == Scalar::Bool
            && let Some(known) = self.known(b)
        {
            let same = (op == Compare::Equal) == (known == 1);
            return if same { a } else { self.unary(Unary::Not, a) };
        }
        self.pure(Scalar::Bool, Op::Compare(op, a, b))
    }

    pub(super) fn select(&mut self, condition: Value, accept: Value, reject: Value) -> Value {
        match self.known(condition) {
            Some(0) => return reject,
            Some(_) => return accept,
            None if accept == reject => return accept,
            None => {}
        }
        let ty = self.ty(accept);
        if ty == Scalar::Bool {
            match (self.known(accept), self.known(reject)) {
                (Some(1), Some(0)) => return condition,
                (Some(0), Some(1)) => return self.unary(Unary::Not, condition),
                (_, Some(0)) => return self.binary(Binary::And, condition, accept),
                (Some(1), _) => return self.binary(Binary::Or, condition, reject),
                (_, Some(1)) => {
                    let not = self.unary(Unary::Not, condition);
                    return self.binary(Binary::Or, not, accept);
                }
                (Some(0), _) => {
                    let not = self.unary(Unary::Not, condition);
                    return self.binary(Binary::And, not, reject);
                }
                _ => {}
            }
        }
        self.pure(ty, Op::Select(condition, accept, reject))
    }

    pub(super) fn convert(&mut self, to: Scalar, a: Value) -> Value {
        let from = self.ty(a);
        if from == to {
            return a;
        }
        if let Some(bits) = self.known(a) {
            return self.constant(to, arithmetic::convert(from, to, bits));
        }
        if is_integer(from) && is_integer(to) && from.size() == to.size() {
            return self.bitcast(to, a);
        }
        self.pure(to, Op::Convert(a))
    }

    /// The same bits as another type of the same size.
    pub(super) fn bitcast(&mut self, to: Scalar, a: Value) -> Value {
        if self.ty(a) == to {
            return a;
        }
        if let Some(bits) = self.known(a) {
            return self.constant(to, bits);
        }
        if let &Op::Bitcast(inner) = self.op(a) {
            return self.bitcast(to, inner);
        }
        self.pure(to, Op::Bitcast(a))
    }

    pub(super) fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        let ty = self.ty(a);
        self.pure(ty, Op::Fma(a, b, c))
    }

    pub(super) fn quantize(&mut self, a: Value) -> Value {
        match self.known(a) {
            Some(bits) => self.constant(Scalar::F32, arithmetic::quantize(bits)),
            None => self.pure(Scalar::F32, Op::Quantize(a)),
        }
    }

    pub(super) fn pack_half(&mut self, low: Value, high: Value) -> Value {
        match (self.known(low), self.known(high)) {
            (Some(low), Some(high)) => self.constant(Scalar::U32, arithmetic::pack_half(low, high)),
            _ => self.pure(Scalar::U32, Op::PackHalf(low, high)),
        }
    }

    pub(super) fn unpack_half(&mut self, word: Value, upper: bool) -> Value {
        match self.known(word) {
            Some(word) => self.constant(Scalar::F32, arithmetic::unpack_half(word, upper)),
            None => self.pure(Scalar::F32, Op::UnpackHalf(word, upper)),
        }
    }

    pub(super) fn elementary(&mut self, op: Math, a: Value) -> Value {
        let ty = self.ty(a);
        self.pure(ty, Op::Math(op, a))
    }

    pub(super) fn atan2(&mut self, y: Value, x: Value) -> Value {
        let ty = self.ty(y);
        self.pure(ty, Op::Atan2(y, x))
    }

    pub(super) fn pow(&mut self, x: Value, y: Value) -> Value {
        let ty = self.ty(x);
        self.pure(ty, Op::Pow(x, y))
    }
}

/// The table's name for a pure operation.
fn key(ty: Scalar, op: &Op) -> Option<Key> {
    let pack = |tag: u8, sub: u8, a: Value, b: u32, c: u32| {
        let head = u64::from(tag) << 56 | u64::from(sub) << 48 | u64::from(ty as u8) << 40;
        Some((head | u64::from(a.0), u64::from(b) << 32 | u64::from(c)))
    };
    let none = Value(0);
    match *op {
        Op::Unary(op, a) => pack(1, op as u8, a, 0, 0),
        Op::Binary(op, a, b) => pack(2, op as u8, a, b.0, 0),
        Op::Compare(op, a, b) => pack(3, op as u8, a, b.0, 0),
        Op::Select(a, b, c) => pack(4, 0, a, b.0, c.0),
        Op::Fma(a, b, c) => pack(5, 0, a, b.0, c.0),
        Op::Convert(a) => pack(6, 0, a, 0, 0),
        Op::Bitcast(a) => pack(7, 0, a, 0, 0),
        Op::Quantize(a) => pack(8, 0, a, 0, 0),
        Op::PackHalf(a, b) => pack(9, 0, a, b.0, 0),
        Op::UnpackHalf(a, upper) => pack(10, upper.into(), a, 0, 0),
        Op::Math(op, a) => pack(11, op as u8, a, 0, 0),
        Op::Atan2(a, b) => pack(12, 0, a, b.0, 0),
        Op::Pow(a, b) => pack(13, 0, a, b.0, 0),
        Op::Length { binding, offset, stride } => pack(14, 0, Value(binding), offset, stride),
        Op::Builtin(builtin) => {
            let (which, axis) = match builtin {
                Builtin::GlobalId(axis) => (0, axis),
                Builtin::LocalId(axis) => (1, axis),
                Builtin::WorkgroupId(axis) => (2, axis),
                Builtin::NumWorkgroups(axis) => (3, axis),
                Builtin::LocalIndex => (4, 0),
                Builtin::SubgroupSize => (5, 0),
                Builtin::NumSubgroups => (6, 0),
                Builtin::SubgroupId => (7, 0),
                Builtin::SubgroupInvocationId => (8, 0),
            };
            pack(15, which, none, axis.into(), 0)
        }
        _ => None,
    }
}
