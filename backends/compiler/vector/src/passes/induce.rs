//! Replaces products with a loop's counter by sums that go along with it.
//!
//! A parameter that grows by the same amount in every round is a counter. Where each round multiplies it by a value
//! from outside of the loop, or shifts it, a new parameter starts with that product and grows by the product of the
//! amount: modulo 2ⁿ this is the same. Only products that each round computes count, and a few per loop: each takes a
//! register. A round that ends with a choice between the next and the way out computes the sums in front of it, so that
//! going on is one jump.
//!
//! Knows nothing of how wide an address is: sums and extensions of counters stay as they are.

use crate::ir::*;

/// How many parameters a loop may get.
const MOST_PER_LOOP: usize = 3;

/// Replaces products with loops' counters by sums; the function must be valid.
/// Gives whether there were any.
pub fn induce(function: &mut Function) -> bool {
    let count = function.values.len();
    let mut body = std::mem::take(&mut function.body);
    let mut looking = Looking {
        depth_of: vec![0; count],
        sums: vec![None; count],
        counter_of: vec![None; count],
        loops: (0..function.labels).map(|_| None).collect(),
        around: vec![],
        arms: 0,
    };
    looking.list(&body, function);
    let is_useful = looking.loops.iter().flatten().any(Counting::is_useful);
    if is_useful {
        let mut replacing =
            Replacing { function, loops: looking.loops, new: vec![None; count], around: vec![] };
        replacing.list(&mut body);
    }
    function.body = body;
    is_useful
}

/// What is known of a loop.
struct Counting {
    /// How many loops are around its inside.
    depth: u32,
    /// How many arms are around its inside.
    arms: u32,
    counters: Vec<Counter>,
}

struct Counter {
    param: Value,
    step: Step,
    /// What each round makes of it with values from outside.
    products: Vec<(Value, Factor)>,
    /// The new parameter for each factor.
    replaced: Vec<(Factor, Replaced)>,
}

/// What a counter is multiplied by: `Mul` with a value, or `Shl` by one.
type Factor = (Binary, Value);

#[derive(Clone, Copy, PartialEq)]
enum Step {
    /// No branch was seen yet.
    Open,
    /// All branches so far add this.
    By(Value),
    /// It is no counter.
    None,
}

/// A parameter that goes along with a counter, and what each round adds.
#[derive(Clone, Copy)]
struct Replaced {
    param: Value,
    by: Value,
}

impl Counting {
    fn is_useful(&self) -> bool {
        self.counters
            .iter()
            .any(|counter| matches!(counter.step, Step::By(_)) && !counter.products.is_empty())
    }
}

struct Looking {
    depth_of: Vec<u32>,
    /// By value: the operands of scalar sums.
    sums: Vec<Option<(Value, Value)>>,
    /// By value: the loop whose parameter it is, and which.
    counter_of: Vec<Option<(Label, usize)>>,
    loops: Vec<Option<Counting>>,
    around: Vec<Label>,
    arms: u32,
}

impl Looking {
    fn list(&mut self, insts: &[Inst], function: &Function) {
        for inst in insts {
            match inst {
                Inst::Let { result, op, .. } => {
                    self.depth_of[result.0 as usize] = self.around.len() as u32;
                    let ty = function.ty(*result);
                    match *op {
                        Op::Binary(Binary::Add, x, y) if ty.is_scalar() && ty.kind.is_int() => {
                            self.sums[result.0 as usize] = Some((x, y));
                        }
                        Op::Binary(Binary::Mul, x, y) if ty.is_scalar() && ty.kind.is_int() => {
                            self.product(*result, x, (Binary::Mul, y));
                            self.product(*result, y, (Binary::Mul, x));
                        }
                        Op::Binary(Binary::Shl, x, y) if ty.is_scalar() => {
                            self.product(*result, x, (Binary::Shl, y));
                        }
                        _ => {}
                    }
                }
                Inst::If { then, otherwise, results, .. } => {
                    self.arms += 1;
                    self.list(then, function);
                    self.list(otherwise, function);
                    self.arms -= 1;
                    self.define(results);
                }
                Inst::Block { body, results, .. } => {
                    self.list(body, function);
                    self.define(results);
                }
                Inst::Loop { label, params, body } => {
                    self.around.push(*label);
                    let depth = self.around.len() as u32;
                    let mut counters = vec![];
                    for (index, &(param, _)) in params.iter().enumerate() {
                        self.depth_of[param.0 as usize] = depth;
                        self.counter_of[param.0 as usize] = Some((*label, index));
                        counters.push(Counter {
                            param,
                            step: Step::Open,
                            products: vec![],
                            replaced: vec![],
                        });
                    }
                    self.loops[label.0 as usize] = Some(Counting { depth, arms: self.arms, counters });
                    self.list(body, function);
                    self.around.pop();
                }
                Inst::Branch { label, arguments } => self.branch(*label, arguments),
                Inst::Do { .. } | Inst::Yield { .. } => {}
            }
        }
    }

    fn define(&mut self, results: &[Value]) {
        for result in results {
            self.depth_of[result.0 as usize] = self.around.len() as u32;
        }
    }

    fn branch(&mut self, label: Label, arguments: &[Value]) {
        let Some(counting) = &mut self.loops[label.0 as usize] else { return };
        for (counter, argument) in counting.counters.iter_mut().zip(arguments) {
            let by = self.sums[argument.0 as usize].and_then(|(x, y)| match counter.param {
                param if param == x => Some(y),
                param if param == y => Some(x),
                _ => None,
            });
            let by = by.filter(|by| self.depth_of[by.0 as usize] < counting.depth);
            counter.step = match (counter.step, by) {
                (Step::Open, Some(by)) => Step::By(by),
                (Step::By(before), Some(by)) if before == by => Step::By(by),
                _ => Step::None,
            };
        }
    }

    fn product(&mut self, product: Value, param: Value, factor: Factor) {
        let Some((label, index)) = self.counter_of[param.0 as usize] else { return };
        let Some(counting) = &mut self.loops[label.0 as usize] else { return };
        let each_round = self.around.last() == Some(&label) && self.arms == counting.arms;
        if each_round && self.depth_of[factor.1.0 as usize] < counting.depth {
            counting.counters[index].products.push((product, factor));
        }
    }
}

struct Replacing<'a> {
    function: &'a mut Function,
    loops: Vec<Option<Counting>>,
    /// By old value.
    new: Vec<Option<Value>>,
    around: Vec<Label>,
}

impl Replacing<'_> {
    fn value(&self, value: Value) -> Value {
        self.new.get(value.0 as usize).copied().flatten().unwrap_or(value)
    }

    fn list(&mut self, insts: &mut Vec<Inst>) {
        let mut kept = Vec::with_capacity(insts.len());
        for mut inst in insts.drain(..) {
            match &mut inst {
                Inst::Let { result, op, .. } => {
                    if self.new.get(result.0 as usize).copied().flatten().is_some() {
                        continue;
                    }
                    op.operands_mut(|value| *value = self.value(*value));
                }
                Inst::Do { effect, .. } => *effect = effect.clone().map(|value| self.value(value)),
                Inst::If { condition, then, otherwise, .. } => {
                    *condition = self.value(*condition);
                    for arm in [then, otherwise] {
                        let goes_on = self.goes_on(arm);
                        self.list(arm);
                        if goes_on {
                            kept.extend(arm.drain(..arm.len() - 1));
                        }
                    }
                }
                Inst::Block { body, .. } => self.list(body),
                Inst::Loop { label, params, body } => {
                    params.iter_mut().for_each(|(_, first)| *first = self.value(*first));
                    self.enter(*label, params, &mut kept);
                    self.around.push(*label);
                    self.list(body);
                    self.around.pop();
                }
                Inst::Branch { label, arguments } => {
                    arguments.iter_mut().for_each(|value| *value = self.value(*value));
                    self.next(*label, arguments, &mut kept);
                }
                Inst::Yield { arguments } => {
                    arguments.iter_mut().for_each(|value| *value = self.value(*value));
                }
            }
            kept.push(inst);
        }
        *insts = kept;
    }

    /// Whether an arm does nothing but begin the next round of the loop that it is in.
    fn goes_on(&self, arm: &[Inst]) -> bool {
        matches!(arm, [Inst::Branch { label, .. }] if self.around.last() == Some(label))
    }

    /// Adds parameters to a loop, and what they start with and grow by in front of it.
    fn enter(&mut self, label: Label, params: &mut Vec<(Value, Value)>, before: &mut Vec<Inst>) {
        let Some(mut counting) = self.loops[label.0 as usize].take() else { return };
        let mut left = MOST_PER_LOOP;
        for (index, counter) in counting.counters.iter_mut().enumerate() {
            let Step::By(step) = counter.step else { continue };
            for (product, factor) in std::mem::take(&mut counter.products) {
                let known = counter.replaced.iter().find(|(known, _)| *known == factor);
                let replaced = match known {
                    Some((_, replaced)) => *replaced,
                    None if left == 0 => continue,
                    None => {
                        left -= 1;
                        let (op, by) = (factor.0, self.value(factor.1));
                        let (first, step) = (params[index].1, self.value(step));
                        let mut times = |x: Value| {
                            let result = self.function.value(self.function.ty(x));
                            let op = Op::Binary(op, x, by);
                            before.push(Inst::Let { result, op, mark: Mark(0) });
                            result
                        };
                        let (first, by) = (times(first), times(step));
                        let param = self.function.value(self.function.ty(product));
                        params.push((param, first));
                        counter.replaced.push((factor, Replaced { param, by }));
                        Replaced { param, by }
                    }
                };
                self.new[product.0 as usize] = Some(replaced.param);
            }
        }
        self.loops[label.0 as usize] = Some(counting);
    }

    /// Adds the new parameters' next values to a branch.
    fn next(&mut self, label: Label, arguments: &mut Vec<Value>, before: &mut Vec<Inst>) {
        let Some(counting) = &self.loops[label.0 as usize] else { return };
        for (_, replaced) in counting.counters.iter().flat_map(|counter| &counter.replaced) {
            let result = self.function.value(self.function.ty(replaced.param));
            let op = Op::Binary(Binary::Add, replaced.param, replaced.by);
            before.push(Inst::Let { result, op, mark: Mark(0) });
            arguments.push(result);
        }
    }
}
