//! Which lanes of a value somebody asks for, and shuffles that bring no others.
//!
//! Of what a round of a tree computes, the next one takes half of the lanes; what the others hold is nobody's business. A
//! shuffle leaves those where they are: often all that is left of it is one of its operands.

use crate::ir::*;

/// The lanes of each value that are asked for, as bits: of vectors, lane 0 lowest; scalars are asked for or not.
fn demanded(function: &Function) -> Vec<u64> {
    let mut demand =
        Demand { lanes: vec![0; function.values.len()], masks: vec![None; function.values.len()] };
    for inst in &function.body {
        if let Inst::Let { result, op: Op::Lanes(bits), .. } = inst
            && function.values[result.0 as usize].kind == Kind::Bool
        {
            let bits = bits.iter().rev().fold(0, |all, &bit| all << 1 | u64::from(bit != 0));
            demand.masks[result.0 as usize] = Some(bits);
        }
    }
    demand.list(&function.body);
    demand.lanes
}

struct Demand {
    lanes: Vec<u64>,
    /// Masks that are constants.
    masks: Vec<Option<u64>>,
}

impl Demand {
    /// From the end to the start: whoever uses a value comes behind it.
    fn list(&mut self, insts: &[Inst]) {
        for inst in insts.iter().rev() {
            match inst {
                Inst::Let { result, op, .. } => self.operation(op, self.lanes[result.0 as usize]),
                Inst::Do { effect: Effect::StoreMasked(at, value, mask), .. } => {
                    let lanes = self.masks[mask.0 as usize].unwrap_or(u64::MAX);
                    Op::Load(*at).operands(|operand| self.ask(operand, u64::MAX));
                    self.ask(*mask, u64::MAX);
                    self.ask(*value, lanes);
                }
                Inst::Do { effect, .. } => effect.operands(|operand| self.ask(operand, u64::MAX)),
                Inst::If { condition, then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                    self.ask(*condition, u64::MAX);
                }
                Inst::Block { body, .. } => self.list(body),
                Inst::Loop { params, body, .. } => {
                    self.list(body);
                    params.iter().for_each(|&(_, first)| self.ask(first, u64::MAX));
                }
                Inst::Branch { arguments, .. } | Inst::Yield { arguments } => {
                    arguments.iter().for_each(|&argument| self.ask(argument, u64::MAX));
                }
            }
        }
    }

    fn operation(&mut self, op: &Op, lanes: u64) {
        use Binary::{DivS, DivU, RemS, RemU};
        match op {
            _ if lanes == 0 && !op.has_effect() => {}
            // What no lane may have is nobody's to leave there.
            Op::Binary(DivS | DivU | RemS | RemU, a, b) => {
                self.ask(*a, u64::MAX);
                self.ask(*b, u64::MAX);
            }
            Op::Unary(..)
            | Op::Binary(..)
            | Op::Fma(..)
            | Op::Compare(..)
            | Op::Select(..)
            | Op::Convert(..) => op.operands(|operand| self.ask(operand, lanes)),
            Op::Extract(a, lane) => self.ask(*a, 1 << lane),
            Op::Shuffle(a, b, from) => {
                let width = from.len();
                let asked = from.iter().enumerate().filter(|(lane, _)| lanes >> lane & 1 != 0);
                for (_, &from) in asked {
                    let from = usize::from(from);
                    let (source, lane) = if from < width { (*a, from) } else { (*b, from - width) };
                    self.ask(source, 1 << lane);
                }
            }
            _ => op.operands(|operand| self.ask(operand, u64::MAX)),
        }
    }

    fn ask(&mut self, value: Value, lanes: u64) {
        self.lanes[value.0 as usize] |= lanes;
    }
}

/// Simplifies shuffles by what is asked of them; the function must be valid. Gives whether any was.
pub fn demand(function: &mut Function) -> bool {
    if !has_shuffle(&function.body) {
        return false;
    }
    let lanes = demanded(function);
    let mut simpler =
        Simpler { lanes, instead: (0..function.values.len() as u32).map(Value).collect(), any: false };
    simpler.list(&mut function.body);
    simpler.any
}

struct Simpler {
    lanes: Vec<u64>,
    /// By value.
    instead: Vec<Value>,
    any: bool,
}

impl Simpler {
    fn list(&mut self, insts: &mut [Inst]) {
        for inst in insts {
            let instead = &self.instead;
            let put = |value: &mut Value| *value = instead[value.0 as usize];
            match inst {
                Inst::Let { result, op, .. } => {
                    op.operands_mut(put);
                    if let Op::Shuffle(a, b, from) = op {
                        let asked = self.lanes[result.0 as usize];
                        match simpler(*a, *b, from, asked) {
                            Some(Simple::Is(value)) => self.instead[result.0 as usize] = value,
                            Some(Simple::From(a, numbers)) => *op = Op::Shuffle(a, a, numbers),
                            None => continue,
                        }
                        self.any = true;
                    }
                }
                Inst::Do { effect, .. } => effect.operands_mut(put),
                Inst::If { condition, then, otherwise, .. } => {
                    put(condition);
                    self.list(then);
                    self.list(otherwise);
                }
                Inst::Block { body, .. } => self.list(body),
                Inst::Loop { params, body, .. } => {
                    params.iter_mut().for_each(|(_, first)| put(first));
                    self.list(body);
                }
                Inst::Branch { arguments, .. } | Inst::Yield { arguments } => {
                    arguments.iter_mut().for_each(put);
                }
            }
        }
    }
}

/// What a shuffle may be instead.
enum Simple {
    /// This value.
    Is(Value),
    /// A shuffle of one vector.
    From(Value, Box<[u8]>),
}

fn simpler(a: Value, b: Value, from: &[u8], asked: u64) -> Option<Simple> {
    let width = from.len() as u8;
    let is_asked = |lane: u8| asked >> lane & 1 != 0;
    let lanes = || (0..width).zip(from).filter(|&(lane, _)| is_asked(lane));
    let (_, &first) = lanes().next()?;
    let start = if first < width { 0 } else { width };
    if !lanes().all(|(_, from)| (start..start + width).contains(from)) {
        return None;
    }
    let source = if start == 0 { a } else { b };
    if lanes().all(|(lane, &from)| from - start == lane) {
        return Some(Simple::Is(source));
    }
    let numbers = (0..width).zip(from).map(|(lane, &from)| if is_asked(lane) { from - start } else { lane });
    let numbers: Box<[u8]> = numbers.collect();
    (a != b || *numbers != *from).then_some(Simple::From(source, numbers))
}

fn has_shuffle(insts: &[Inst]) -> bool {
    insts.iter().any(|inst| match inst {
        Inst::Let { op, .. } => matches!(op, Op::Shuffle(..)),
        Inst::If { then, otherwise, .. } => has_shuffle(then) || has_shuffle(otherwise),
        Inst::Block { body, .. } | Inst::Loop { body, .. } => has_shuffle(body),
        _ => false,
    })
}
