//! Puts what a machine lacks into words that it has.
//!
//! [`legalise`] walks a function once. An operation that [`Machine::has`] stays as it is; any other is expanded by the
//! file of its family into operations that are asked about in turn, down to a base that every machine must have:
//!
//! * vectors: constants, `Splat`, `Extract`, `Select`, `Any`, `All`, `Load`, `Store`; `Add`, `Sub`, `Mul` (of 64-bit
//!   integers no `Mul`), float `Div` and `Sqrt`; `And`, `Or`, `Xor`, `Not`; shifts by a [`Op::Const`] or [`Op::Splat`];
//!   float comparisons, `Eq`, `Ne` and the signed ones; `SignExtend`, `ZeroExtend`, `Truncate`, `FromSigned` of 32-bit
//!   integers, `Widen`, `Narrow`, `Bitcast`;
//! * scalars: everything but `Fma`, the halves, the estimates and the counts of bits.
//!
//! What cannot be put into other words (a base operation that a machine denies) stays, for the code generator to refuse.
//! Every expansion gives the same bits as the operation, NaNs' payloads apart. The exception is `Fma` of `F64`: see
//! `fused.rs`. No product may be contracted into a sum afterwards. Constants that expansions need are defined at the function's top, each once.
//!
//! Knows no machine by name.

use crate::Machine;
use crate::ir::*;
use std::collections::HashMap;

mod bits;
mod compare;
mod division;
mod float;
mod from_integer;
mod fused;
mod half;
mod lanes;
mod memory;
mod multiply;
mod shift;
mod to_integer;
mod words;

#[cfg(test)]
mod tests;

/// Rewrites what the machine lacks into what it has. The function must be valid, and stays so.
pub fn legalise(function: &mut Function, machine: &dyn Machine) {
    if function.body.iter().all(|inst| fits(inst, function, machine)) {
        return;
    }
    let body = std::mem::take(&mut function.body);
    let values = function.values.len();
    let mut rewriting = Rewriting {
        machine,
        replaced: (0..values as u32).map(Value).collect(),
        even: vec![false; values],
        function,
        open: vec![],
        top: vec![],
        constants: HashMap::new(),
        mark: Mark::default(),
    };
    let mut body = rewriting.list(body);
    let mut top = std::mem::take(&mut rewriting.top);
    top.append(&mut body);
    function.body = top;
}

/// Whether an instruction can stay, with all that is in it. (A shift may be asked about once more later.)
fn fits(inst: &Inst, function: &Function, machine: &dyn Machine) -> bool {
    let all = |list: &[Inst]| list.iter().all(|inst| fits(inst, function, machine));
    match inst {
        Inst::Let { result, op, .. } => has(machine, function, op, function.ty(*result)),
        Inst::Do { effect, .. } => does(machine, function, effect),
        Inst::If { then, otherwise, .. } => all(then) && all(otherwise),
        Inst::Block { body, .. } | Inst::Loop { body, .. } => all(body),
        Inst::Branch { .. } | Inst::Yield { .. } => true,
    }
}

fn has(machine: &dyn Machine, function: &Function, op: &Op, ty: Type) -> bool {
    let operand = match op {
        Op::Splat(a)
        | Op::Extract(a, _)
        | Op::ExtractAt(a, _)
        | Op::Unary(_, a)
        | Op::Binary(_, a, _)
        | Op::Fma(a, ..)
        | Op::Compare(_, a, _)
        | Op::Select(a, ..)
        | Op::Convert(_, a)
        | Op::Any(a)
        | Op::All(a)
        | Op::Bits(a)
        | Op::Mask(a)
        | Op::Permute(a, _)
        | Op::Shuffle(a, ..)
        | Op::Reduce(_, a) => function.ty(*a),
        _ => ty,
    };
    machine.has(op, ty, operand)
}

fn does(machine: &dyn Machine, function: &Function, effect: &Effect) -> bool {
    match effect {
        Effect::Store(_, value)
        | Effect::StoreMasked(_, value, _)
        | Effect::StoreStrided(_, _, value)
        | Effect::Scatter(_, value, _)
        | Effect::AtomicStore(_, value) => machine.does(effect, function.ty(*value)),
        // Every machine calls.
        Effect::Call(..) => true,
    }
}

/// A function while it is rewritten.
struct Rewriting<'a> {
    function: &'a mut Function,
    machine: &'a dyn Machine,
    /// What stands for each value of the old function, and each new value for itself.
    replaced: Vec<Value>,
    /// For each value, that it is a constant or a splat.
    even: Vec<bool>,
    /// The lists that are being written, the innermost last.
    open: Vec<Vec<Inst>>,
    /// Constants, for the function's top.
    top: Vec<Inst>,
    constants: HashMap<(Type, Constant), Value>,
    /// Where the instruction at hand comes from.
    mark: Mark,
}

#[derive(PartialEq, Eq, Hash)]
enum Constant {
    Same(u64),
    Lanes(Box<[u64]>),
}

impl Rewriting<'_> {
    fn list(&mut self, old: Vec<Inst>) -> Vec<Inst> {
        self.open.push(Vec::with_capacity(old.len()));
        for inst in old {
            self.inst(inst);
        }
        self.open.pop().unwrap_or_default()
    }

    fn inst(&mut self, inst: Inst) {
        let new = |replaced: &[Value], value: Value| replaced[value.0 as usize];
        match inst {
            Inst::Let { result, op, mark } => {
                self.mark = mark;
                let op = op.map(|value| new(&self.replaced, value));
                match self.expansion(&op, self.function.ty(result)) {
                    Some(value) => self.replaced[result.0 as usize] = value,
                    None => {
                        self.even[result.0 as usize] = matches!(op, Op::Const(_) | Op::Splat(_));
                        self.push(Inst::Let { result, op, mark });
                    }
                }
            }
            Inst::Do { effect, mark } => {
                self.mark = mark;
                let effect = effect.map(|value| new(&self.replaced, value));
                if does(self.machine, self.function, &effect) {
                    self.push(Inst::Do { effect, mark });
                } else {
                    memory::effect(self, effect);
                }
            }
            Inst::If { condition, then, otherwise, results, hint } => {
                let condition = new(&self.replaced, condition);
                let (then, otherwise) = (self.list(then), self.list(otherwise));
                self.push(Inst::If { condition, then, otherwise, results, hint });
            }
            Inst::Block { label, body, results } => {
                let body = self.list(body);
                self.push(Inst::Block { label, body, results });
            }
            Inst::Loop { label, mut params, body } => {
                params.iter_mut().for_each(|(_, first)| *first = new(&self.replaced, *first));
                let body = self.list(body);
                self.push(Inst::Loop { label, params, body });
            }
            Inst::Branch { label, mut arguments } => {
                arguments.iter_mut().for_each(|value| *value = new(&self.replaced, *value));
                self.push(Inst::Branch { label, arguments });
            }
            Inst::Yield { mut arguments } => {
                arguments.iter_mut().for_each(|value| *value = new(&self.replaced, *value));
                self.push(Inst::Yield { arguments });
            }
        }
    }

    /// The operation in other words, or `None` where it can, or must, stay.
    fn expansion(&mut self, op: &Op, ty: Type) -> Option<Value> {
        if has(self.machine, self.function, op, ty) {
            return None;
        }
        let vector = !ty.is_scalar();
        let float = ty.kind.is_float();
        Some(match *op {
            Op::Shuffle(a, b, ref from) => lanes::shuffle(self, a, b, from),
            Op::LoadStrided(access, stride) => memory::load_strided(self, access, stride, ty),
            Op::Unary(Unary::Neg, a) if float => float::negate(self, a),
            Op::Unary(Unary::Neg, a) => compare::negate(self, a),
            Op::Unary(Unary::Abs, a) if float => float::absolute(self, a),
            Op::Unary(Unary::Abs, a) => compare::absolute(self, a),
            Op::Unary(Unary::Floor, a) => float::floor(self, a),
            Op::Unary(Unary::Ceil, a) => float::ceil(self, a),
            Op::Unary(Unary::Trunc, a) => float::trunc(self, a),
            Op::Unary(Unary::Nearest, a) => float::nearest(self, a),
            Op::Unary(Unary::CountOnes, a) => bits::count_ones(self, a),
            Op::Unary(Unary::LeadingZeros, a) => bits::leading_zeros(self, a),
            Op::Unary(Unary::TrailingZeros, a) => bits::trailing_zeros(self, a),
            Op::Unary(Unary::InverseSqrtEstimate, a) => float::inverse_sqrt(self, a),
            Op::Unary(Unary::InverseEstimate, a) => float::inverse(self, a),
            Op::Binary(Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU, ..) if vector => {
                division::divide(self, op, ty)
            }
            Op::Binary(Binary::Mul, a, b) if vector && ty.kind == Kind::I64 => multiply::low_64(self, a, b),
            Op::Binary(Binary::Scale, a, b) => float::scale(self, a, b),
            Op::Binary(Binary::MulHigh, a, b) if vector => multiply::high(self, a, b),
            Op::Binary(which @ (Binary::Shl | Binary::ShrS | Binary::ShrU), a, amount) if vector => {
                if self.even[amount.0 as usize] {
                    return None;
                }
                shift::by_lane(self, which, a, amount)
            }
            Op::Binary(which, a, b) if compare::of_extremum(which).is_some() => {
                compare::extremum(self, which, a, b)
            }
            Op::Fma(a, b, c) => fused::multiply_add(self, a, b, c),
            Op::Compare(which, a, b) if compare::signed(which).is_some() => {
                compare::unsigned(self, which, a, b)
            }
            Op::Convert(Convert::FromSigned, a) => from_integer::signed(self, a, ty.kind)?,
            Op::Convert(Convert::FromUnsigned, a) => from_integer::unsigned(self, a, ty.kind),
            Op::Convert(Convert::ToSigned, a) => to_integer::signed(self, a, ty.kind),
            Op::Convert(Convert::ToUnsigned, a) => to_integer::unsigned(self, a, ty.kind),
            Op::Convert(Convert::FromHalf, a) => half::widen(self, a),
            Op::Convert(Convert::ToHalf, a) => half::narrow(self, a),
            Op::ExtractAt(a, lane) => lanes::extract_at(self, a, lane),
            Op::Bits(a) if !self.ty(a).is_scalar() => lanes::bits(self, a),
            Op::Mask(a) if vector => lanes::mask(self, a, ty),
            Op::Permute(a, from) if vector => lanes::permute(self, a, from),
            Op::Reduce(which, a) if !self.ty(a).is_scalar() => lanes::reduce(self, which, a),
            Op::LoadMasked(access, mask) => memory::load_masked(self, access, mask, ty),
            Op::Gather(scattered, mask) => memory::gather(self, scattered, mask, ty),
            _ => return None,
        })
    }
}
