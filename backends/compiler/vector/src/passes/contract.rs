//! Makes one operation of a product and a sum or difference: `a * b + c`, `a * b - c`, `c - a * b`.
//!
//! The result is rounded once instead of twice: it differs, mostly for the better. A product is contracted where its only
//! use is such a sum in the same loop, so that it is not computed any more (`dce` removes it). One that several sums use
//! stays: each would wait for a multiplication again, which takes longer than adding what is there.
//! Subtraction becomes the negation of an operand, which machines have as part of the operation.

use super::uses::uses;
use crate::ir::*;

/// Makes one operation, which rounds once, of products and sums of floats; the function must be valid.
/// Gives whether a negation was added, which may be one of a constant.
pub fn contract(function: &mut Function) -> bool {
    let count = function.values.len();
    let mut body = std::mem::take(&mut function.body);
    let uses = uses(&body, count);
    let mut products = Products { uses, factors: vec![None; count], depth: 0, function };
    products.find(&body);
    let values = products.function.values.len();
    products.list(&mut body);
    function.body = body;
    function.values.len() > values
}

struct Products<'a> {
    function: &'a mut Function,
    /// By value: how often it is used.
    uses: Vec<u32>,
    /// By value: the factors of a product of floats that is used once, and how many loops are around it.
    factors: Vec<Option<(Value, Value, u32)>>,
    /// How many loops are around.
    depth: u32,
}

impl Products<'_> {
    fn find(&mut self, insts: &[Inst]) {
        for inst in insts {
            if let Inst::Let { result, op: Op::Binary(Binary::Mul, a, b), .. } = inst
                && self.function.ty(*result).kind.is_float()
                && self.uses[result.0 as usize] == 1
            {
                self.factors[result.0 as usize] = Some((*a, *b, self.depth));
            }
            each_list(inst, |list, in_loop| {
                self.depth += u32::from(in_loop);
                self.find(list);
                self.depth -= u32::from(in_loop);
            });
        }
    }

    /// The product that a sum would be contracted with, and its other operand.
    fn product(&self, op: &Op) -> Option<(Value, Value)> {
        let &Op::Binary(Binary::Add | Binary::Sub, x, y) = op else { return None };
        let good = |value: Value| matches!(self.factors[value.0 as usize], Some((_, _, depth)) if depth == self.depth);
        match (good(x), good(y)) {
            (false, false) => None,
            (true, _) => Some((x, y)),
            (false, true) => Some((y, x)),
        }
    }

    fn list(&mut self, insts: &mut Vec<Inst>) {
        // Negations, and what they belong in front of.
        let mut added: Vec<(usize, Inst)> = vec![];
        for (at, inst) in insts.iter_mut().enumerate() {
            match inst {
                Inst::Let { op, mark, .. } => {
                    if let Some((new, negated)) = self.contracted(op) {
                        *op = new;
                        if let Some((result, value)) = negated {
                            let op = Op::Unary(Unary::Neg, value);
                            added.push((at, Inst::Let { result, op, mark: *mark }));
                        }
                    }
                }
                Inst::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Inst::Block { body, .. } => self.list(body),
                Inst::Loop { body, .. } => {
                    self.depth += 1;
                    self.list(body);
                    self.depth -= 1;
                }
                _ => {}
            }
        }
        if added.is_empty() {
            return;
        }
        let mut all = Vec::with_capacity(insts.len() + added.len());
        let mut added = added.into_iter().peekable();
        for (at, inst) in insts.drain(..).enumerate() {
            if let Some((_, negation)) = added.next_if(|(place, _)| *place == at) {
                all.push(negation);
            }
            all.push(inst);
        }
        *insts = all;
    }

    /// A sum as one operation, and what must be negated for it.
    fn contracted(&mut self, op: &Op) -> Option<(Op, Option<(Value, Value)>)> {
        let (product, other) = self.product(op)?;
        let (a, b, _) = self.factors[product.0 as usize]?;
        let Op::Binary(kind, first, _) = op else { return None };
        if *kind == Binary::Add {
            return Some((Op::Fma(a, b, other), None));
        }
        let value = if *first == product { other } else { a };
        let negative = self.function.value(self.function.ty(value));
        let fma = if *first == product { Op::Fma(a, b, negative) } else { Op::Fma(negative, b, other) };
        Some((fma, Some((negative, value))))
    }
}

/// Calls `f` with each list that an instruction nests, and whether it is a loop's.
fn each_list(inst: &Inst, mut f: impl FnMut(&[Inst], bool)) {
    match inst {
        Inst::If { then, otherwise, .. } => {
            f(then, false);
            f(otherwise, false);
        }
        Inst::Block { body, .. } => f(body, false),
        Inst::Loop { body, .. } => f(body, true),
        _ => {}
    }
}
