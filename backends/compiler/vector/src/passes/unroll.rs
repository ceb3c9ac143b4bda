//! Makes straight code of short loops that run a known number of rounds.
//!
//! A counter starts with a constant, grows by a constant, and is compared with one where the loop is left: so many
//! copies of the body follow each other, each in the place of the branch that would have started its round. What is
//! known of the counter folds in the `simplify` that follows: elements of arrays get fixed places, and accesses that differed
//! by the round become neighbours.
//!
//! Only loops with one branch back and no loop inside, of few instructions in all, and not in arms that are not expected
//! to run; a function grows by a bounded number.

use crate::ir::*;
use crate::semantics;

/// How many rounds a loop may have.
const MOST_ROUNDS: usize = 16;

/// How many instructions a loop may become; and how many one that does not count gangs may, where registers can hold what
/// its rounds load.
const MOST_OF_LOOP: usize = 160;
const MOST_OF_LARGE: usize = 256;

/// So many vector registers are many.
const MANY: u16 = 32;

/// How many instructions a loop over gangs may become that only copies: nothing folds, and it does not run for long.
const MOST_OF_COPY: usize = 32;

/// How many instructions all loops of a function may become.
const MOST_IN_ALL: usize = 800;

/// Puts copies of their bodies in the place of short loops; the function must be valid, and constants be right operands,
/// as a builder leaves them; `registers` is how many vector registers the machine has. Gives whether there were any.
pub fn unroll(function: &mut Function, registers: u16) -> bool {
    let mut body = std::mem::take(&mut function.body);
    let count = function.values.len();
    let mut unrolling = Unrolling {
        constants: vec![None; count],
        defined: vec![Defined::Otherwise; count],
        new: (0..count as u32).map(Value).collect(),
        labels: (0..function.labels).map(Label).collect(),
        left: MOST_IN_ALL,
        most: if registers < MANY { MOST_OF_LOOP } else { MOST_OF_LARGE },
        rare: false,
        unrolled: false,
        function,
    };
    unrolling.list(&mut body);
    let unrolled = unrolling.unrolled;
    function.body = body;
    unrolled
}

/// How a scalar is computed, as far as counting goes.
#[derive(Clone, Copy)]
enum Defined {
    Sum(Value, u64),
    Test(Compare, Value, u64),
    Otherwise,
}

struct Unrolling<'a> {
    function: &'a mut Function,
    /// By value: the bits of scalar integer constants.
    constants: Vec<Option<u64>>,
    /// By value.
    defined: Vec<Defined>,
    /// What the copy at hand has in place of a value.
    new: Vec<Value>,
    /// And of a label.
    labels: Vec<Label>,
    left: usize,
    /// How many instructions a loop may become.
    most: usize,
    /// Inside of an arm that is not expected to run.
    rare: bool,
    unrolled: bool,
}

/// A loop that can be unrolled.
struct Rounds {
    label: Label,
    params: Vec<Value>,
    body: Vec<Inst>,
    /// The condition on which the loop is left, and what it is as long as it is not.
    condition: Value,
    goes_on: bool,
    /// How often that is.
    count: usize,
}

impl Unrolling<'_> {
    fn list(&mut self, insts: &mut Vec<Inst>) {
        for inst in insts.iter_mut() {
            match inst {
                Inst::Let { result, op, .. } => self.learn(*result, op),
                Inst::If { then, otherwise, hint, .. } => {
                    let rare = self.rare;
                    self.rare = rare || *hint == Hint::Unlikely;
                    self.list(then);
                    self.rare = rare || *hint == Hint::Likely;
                    self.list(otherwise);
                    self.rare = rare;
                }
                Inst::Block { body, .. } | Inst::Loop { body, .. } => self.list(body),
                _ => {}
            }
        }
        if self.rare {
            return;
        }
        let Some(Inst::Loop { label, params, body }) = insts.last_mut() else { return };
        let Some(rounds) = self.rounds(*label, params, body) else { return };
        let first: Vec<Value> = params.iter().map(|&(_, first)| first).collect();
        insts.pop();
        self.unrolled = true;
        self.round(&rounds, 0, &first, insts);
    }

    fn learn(&mut self, result: Value, op: &Op) {
        let number = |value: Value| self.constants[value.0 as usize];
        let defined = match *op {
            Op::Const(bits) => {
                let ty = self.function.ty(result);
                if ty.is_scalar() && ty.kind.is_int() {
                    self.constants[result.0 as usize] = Some(bits);
                }
                return;
            }
            Op::Binary(Binary::Add, x, y) => number(y).map(|y| Defined::Sum(x, y)),
            Op::Compare(op, x, y) => number(y).map(|y| Defined::Test(op, x, y)),
            _ => None,
        };
        if let Some(defined) = defined {
            self.defined[result.0 as usize] = defined;
        }
    }

    /// How often a loop runs, where that is known and little; takes its body if so.
    fn rounds(&mut self, label: Label, params: &[(Value, Value)], body: &mut Vec<Inst>) -> Option<Rounds> {
        let mut shape = Shape::default();
        if !shape.see(label, body, self.most) || shape.back != 1 {
            return None;
        }
        let back = back(label, body)?;
        for (&(param, first), &next) in params.iter().zip(back) {
            let Some(first) = self.constants[first.0 as usize] else { continue };
            let Defined::Sum(from, step) = self.defined[next.0 as usize] else { continue };
            if from != param {
                continue;
            }
            for inst in body.iter() {
                let Inst::If { condition, then, otherwise, .. } = inst else { continue };
                let Defined::Test(op, tested, limit) = self.defined[condition.0 as usize] else { continue };
                let goes_on = match (leaves(label, then), leaves(label, otherwise)) {
                    (true, false) => false,
                    (false, true) => true,
                    _ => continue,
                };
                if tested != param && tested != next {
                    continue;
                }
                let kind = self.function.ty(param).kind;
                let (test, sum) = (semantics::compare(op, kind)?, semantics::binary(Binary::Add, kind)?);
                let mut counter = if tested == next { sum(first, step) } else { first };
                // Gangs are counted in 64 bits.
                let most = match kind {
                    Kind::I64 if self.copies(body) => MOST_OF_COPY,
                    Kind::I64 => MOST_OF_LOOP,
                    _ => self.most,
                };
                let most = MOST_ROUNDS.min(self.left.min(most) / shape.size.max(1));
                let mut count = 0;
                while count <= most && test(counter, limit) == goes_on {
                    counter = sum(counter, step);
                    count += 1;
                }
                if count > most {
                    return None;
                }
                self.left -= (count + 1) * shape.size.min(self.left / (count + 1));
                let (params, condition) = (params.iter().map(|&(param, _)| param).collect(), *condition);
                let body = std::mem::take(body);
                return Some(Rounds { label, params, body, condition, goes_on, count });
            }
        }
        None
    }

    /// Whether nothing is computed but places in memory.
    fn copies(&self, insts: &[Inst]) -> bool {
        insts.iter().all(|inst| match inst {
            Inst::Let { result, op, .. } => {
                matches!(op, Op::Load(_)) || self.function.ty(*result).is_scalar()
            }
            Inst::If { then, otherwise, .. } => self.copies(then) && self.copies(otherwise),
            Inst::Block { body, .. } => self.copies(body),
            _ => true,
        })
    }

    // --- copies ----------------------------------------------------------------------------------------------------

    /// The round of that number, and all behind it.
    fn round(&mut self, rounds: &Rounds, number: usize, first: &[Value], to: &mut Vec<Inst>) {
        for (param, &first) in rounds.params.iter().zip(first) {
            self.new[param.0 as usize] = first;
        }
        self.copy(rounds, number, &rounds.body, to);
    }

    fn copy(&mut self, rounds: &Rounds, number: usize, insts: &[Inst], to: &mut Vec<Inst>) {
        for inst in insts {
            match inst {
                Inst::Let { result, op, mark } => {
                    let op = op.clone().map(|value| self.new[value.0 as usize]);
                    let result = self.define(*result);
                    self.learn(result, &op);
                    to.push(Inst::Let { result, op, mark: *mark });
                }
                Inst::Do { effect, mark } => {
                    let effect = effect.clone().map(|value| self.new[value.0 as usize]);
                    to.push(Inst::Do { effect, mark: *mark });
                }
                Inst::If { condition, then, otherwise, results, .. } if *condition == rounds.condition => {
                    let goes_on = (number < rounds.count) == rounds.goes_on;
                    let arm = if goes_on { then } else { otherwise };
                    let Some((Inst::Yield { arguments }, before)) = arm.split_last() else {
                        return self.copy(rounds, number, arm, to);
                    };
                    self.copy(rounds, number, before, to);
                    for (result, argument) in results.iter().zip(arguments) {
                        self.new[result.0 as usize] = self.new[argument.0 as usize];
                    }
                }
                Inst::If { condition, then, otherwise, results, hint } => {
                    let condition = self.new[condition.0 as usize];
                    let [then, otherwise] = [then, otherwise].map(|arm| {
                        let mut list = Vec::with_capacity(arm.len());
                        self.copy(rounds, number, arm, &mut list);
                        list
                    });
                    let results = results.iter().map(|&result| self.define(result)).collect();
                    to.push(Inst::If { condition, then, otherwise, results, hint: *hint });
                }
                Inst::Block { label, body, results } => {
                    let own = self.function.label();
                    self.labels.push(own);
                    self.labels[label.0 as usize] = own;
                    let mut list = Vec::with_capacity(body.len());
                    self.copy(rounds, number, body, &mut list);
                    let results = results.iter().map(|&result| self.define(result)).collect();
                    to.push(Inst::Block { label: own, body: list, results });
                }
                Inst::Branch { label, arguments } => {
                    let arguments: Vec<Value> =
                        arguments.iter().map(|&value| self.new[value.0 as usize]).collect();
                    if *label == rounds.label {
                        // What is left of this round, in other arms and behind blocks, means this round's values.
                        let (new, labels) = (self.new.clone(), self.labels.clone());
                        self.round(rounds, number + 1, &arguments, to);
                        self.new[..new.len()].copy_from_slice(&new);
                        self.labels[..labels.len()].copy_from_slice(&labels);
                        return;
                    }
                    to.push(Inst::Branch { label: self.labels[label.0 as usize], arguments });
                }
                Inst::Yield { arguments } => {
                    let arguments = arguments.iter().map(|&value| self.new[value.0 as usize]).collect();
                    to.push(Inst::Yield { arguments });
                }
                Inst::Loop { .. } => debug_assert!(false, "a loop inside"),
            }
        }
    }

    /// A value of its own for this copy.
    fn define(&mut self, old: Value) -> Value {
        let value = self.function.value(self.function.ty(old));
        self.new.push(value);
        self.constants.push(None);
        self.defined.push(Defined::Otherwise);
        self.new[old.0 as usize] = value;
        value
    }
}

/// What there is in a loop's body.
#[derive(Default)]
struct Shape {
    size: usize,
    /// Branches back to its start.
    back: usize,
}

impl Shape {
    /// Counts; gives whether the loop is small enough, and has none inside.
    fn see(&mut self, label: Label, insts: &[Inst], most: usize) -> bool {
        self.size += insts.len();
        self.size <= most
            && insts.iter().all(|inst| match inst {
                Inst::If { then, otherwise, .. } => {
                    self.see(label, then, most) && self.see(label, otherwise, most)
                }
                Inst::Block { body, .. } => self.see(label, body, most),
                Inst::Loop { .. } => false,
                Inst::Branch { label: to, .. } => {
                    self.back += usize::from(*to == label);
                    true
                }
                _ => true,
            })
    }
}

/// What the branch to the loop brings.
fn back(label: Label, insts: &[Inst]) -> Option<&[Value]> {
    insts.iter().rev().find_map(|inst| match inst {
        Inst::Branch { label: to, arguments } if *to == label => Some(&arguments[..]),
        Inst::If { then, otherwise, .. } => back(label, then).or_else(|| back(label, otherwise)),
        Inst::Block { body, .. } => back(label, body),
        _ => None,
    })
}

/// A list that leaves the loop, without anything nested.
fn leaves(label: Label, insts: &[Inst]) -> bool {
    match insts {
        [before @ .., Inst::Branch { label: to, .. }] => {
            *to != label && before.iter().all(|inst| matches!(inst, Inst::Let { .. } | Inst::Do { .. }))
        }
        _ => false,
    }
}
