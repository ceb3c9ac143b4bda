//! Builds a function anew, more simply.
//!
//! * Operations are folded, equal ones merged, constants put to the top: what [`Builder`] does.
//! * Loads of memory that did not change since are merged, stores are passed on to loads (`loads`).
//! * An `If` whose condition is known is its arm, also where it is known from an `If` around it or before it
//!   (`facts`). Cheap arms become selections.
//! * Blocks that nothing branches to dissolve. Results and parameters that are always the same value are that value
//!   (the parameters themselves go when `dce` finds them unused).
//! * Code behind the end of control flow is dropped. Values and labels are numbered anew.
//!
//! Nothing moves to where it would not have been computed, cheap arms apart. Linear in the size of the function.

use super::facts::Facts;
use super::loads::{Loads, Versions};
use super::survey::{Spaces, Survey};
use crate::Builder;
use crate::fold;
use crate::ir::*;

/// The cost of both arms up to which an `If` becomes selections; see [`cost`].
const CHEAP: u32 = 4;

/// Folds and merges operations and loads, decides what conditions are known, and numbers all anew; the function must be valid.
pub fn simplify(function: Function) -> Function {
    let survey = Survey::new(&function);
    let Function { name, lanes, params, values, spaces, labels, body } = function;
    let loads = Loads::new(spaces.len());
    let new = Vec::with_capacity(values.len());
    let shell = Function { name, lanes, params: vec![], values: new, spaces, labels: 0, body: vec![] };
    let mut simplifying = Simplifying {
        b: Builder::rebuild(shell),
        new: vec![Value(u32::MAX); values.len()],
        targets: (0..labels).map(|label| Target::new(Label(label))).collect(),
        old: values,
        survey,
        facts: Facts::default(),
        loads,
    };
    for param in params {
        let kind = simplifying.old[param.0 as usize].kind;
        simplifying.new[param.0 as usize] = simplifying.b.param(kind);
    }
    if let End::Yields(arguments) = simplifying.list(body, None) {
        simplifying.b.yields(&arguments);
    }
    simplifying.b.finish()
}

/// How a list ended.
enum End {
    /// With a `Yield` of these, which was not emitted.
    Yields(Vec<Value>),
    /// Otherwise: its last instruction was emitted.
    Left,
}

/// A block or loop that is being built.
struct Target {
    label: Label,
    branches: u32,
    /// What arrived for each result of a block, as long as it is always the same.
    incoming: Option<Vec<Option<Value>>>,
    /// The versions of memory at the block's end, of those branches that came so far.
    versions: Option<Versions>,
}

impl Target {
    fn new(label: Label) -> Self {
        Self { label, branches: 0, incoming: None, versions: None }
    }
}

struct Simplifying {
    b: Builder,
    /// The types of the old values.
    old: Vec<Type>,
    /// By old value.
    new: Vec<Value>,
    /// By old label.
    targets: Vec<Target>,
    survey: Survey,
    facts: Facts,
    loads: Loads,
}

impl Simplifying {
    /// The new value for an operand; a constant where it is known from conditions.
    fn value(&mut self, old: Value) -> Value {
        let new = self.new[old.0 as usize];
        match self.facts.of(new) {
            Some(holds) => self.b.constant(self.old[old.0 as usize], holds.into()),
            None => new,
        }
    }

    fn all(&mut self, old: &[Value]) -> Vec<Value> {
        old.iter().map(|&value| self.value(value)).collect()
    }

    fn define(&mut self, old: &[Value], new: &[Value]) {
        for (old, new) in old.iter().zip(new) {
            self.new[old.0 as usize] = *new;
        }
    }

    /// Emits a list; `block` is the one whose body it is: branching there from its end is yielding.
    fn list(&mut self, insts: Vec<Inst>, block: Option<Label>) -> End {
        let facts = self.facts.here();
        let end = self.insts(insts, block);
        self.facts.back(facts);
        end
    }

    fn insts(&mut self, insts: Vec<Inst>, block: Option<Label>) -> End {
        self.b.expect(insts.len());
        for inst in insts {
            match inst {
                Inst::Let { result, mut op, mark } => {
                    self.b.set_mark(mark);
                    op.operands_mut(|old| *old = self.value(*old));
                    let ty = self.old[result.0 as usize];
                    self.new[result.0 as usize] = self.op(ty, &mut op);
                }
                Inst::Do { effect, mark } => {
                    self.b.set_mark(mark);
                    let effect = effect.map(|old| self.value(old));
                    self.effect(effect);
                }
                Inst::If { condition, then, otherwise, results, hint } => {
                    let condition = self.value(condition);
                    match self.either(condition, [then, otherwise], hint, results.len()) {
                        End::Yields(values) => self.define(&results, &values),
                        End::Left => return End::Left,
                    }
                }
                Inst::Block { label, body, results } => match self.block(label, body, &results) {
                    End::Yields(values) => self.define(&results, &values),
                    End::Left => return End::Left,
                },
                Inst::Loop { label, params, body } => {
                    return self.round(label, &params, body);
                }
                Inst::Branch { label, arguments } => {
                    let values = self.all(&arguments);
                    if block == Some(label) {
                        return End::Yields(values);
                    }
                    self.branch(label, &values);
                    return End::Left;
                }
                Inst::Yield { arguments } => return End::Yields(self.all(&arguments)),
            }
        }
        End::Left
    }

    fn op(&mut self, ty: Type, op: &mut Op) -> Value {
        let changes = op.touches().filter(|space| !self.b.function().spaces[space.0 as usize].constant);
        if changes.is_none() {
            return self.b.define_from(ty, op);
        }
        if op.has_effect() {
            self.loads.write(Spaces::MAX);
            return self.b.define_from(ty, op);
        }
        if let Some(value) = fold::fold(&mut self.b, ty, op) {
            return value;
        }
        if let Some(value) = self.loads.find(&mut self.b, op, ty) {
            return value;
        }
        let load = op.clone();
        let value = self.b.define_from(ty, op);
        self.loads.learn(&load, ty, value);
        value
    }

    fn effect(&mut self, effect: Effect) {
        let Some(effect) = fold::fold_effect(&mut self.b, effect) else { return };
        match effect {
            Effect::AtomicStore(..) => self.loads.write(Spaces::MAX),
            Effect::Store(at, value) if at.width == Width::Full => {
                self.loads.store(&mut self.b, at, value, None);
            }
            Effect::StoreMasked(at, value, mask) if at.width == Width::Full => {
                self.loads.store(&mut self.b, at, value, Some(mask));
            }
            _ => self.loads.write(effect.touches().map_or(Spaces::MAX, super::survey::bit)),
        }
        self.b.act(effect);
    }

    /// A list of its own, under a condition.
    fn arm(&mut self, insts: Vec<Inst>, condition: Value, holds: bool) -> (Vec<Inst>, End) {
        let (facts, loads) = (self.facts.here(), self.loads.here());
        self.b.open();
        self.facts.learn(&self.b, condition, holds);
        let end = self.list(insts, None);
        self.facts.back(facts);
        self.loads.back(loads);
        (self.b.close(), end)
    }

    fn either(
        &mut self,
        mut condition: Value,
        mut arms: [Vec<Inst>; 2],
        mut hint: Hint,
        results: usize,
    ) -> End {
        while let Some(&Op::Unary(Unary::Not, x)) = self.b.definition(condition) {
            condition = x;
            arms.swap(0, 1);
            hint = match hint {
                Hint::None => Hint::None,
                Hint::Likely => Hint::Unlikely,
                Hint::Unlikely => Hint::Likely,
            };
        }
        let known = match self.b.definition(condition) {
            Some(&Op::Const(bit)) => Some(bit != 0),
            _ => self.facts.of(condition),
        };
        let [then, otherwise] = arms;
        match known {
            Some(true) => return self.insts(then, None),
            Some(false) => return self.insts(otherwise, None),
            None => {}
        }
        let outside = self.b.function().values.len();
        let before = self.loads.versions();
        let (mut then, left) = self.arm(then, condition, true);
        let after = self.loads.versions();
        self.loads.set(before);
        let (mut otherwise, right) = self.arm(otherwise, condition, false);
        match (left, right) {
            (End::Left, End::Left) => {
                self.b.push(Inst::If { condition, then, otherwise, results: vec![], hint });
                End::Left
            }
            (End::Yields(values), End::Left) => {
                self.loads.set(after);
                let kept = self.kept(&values, &values, outside);
                then.push(Inst::Yield { arguments: chosen(&values, &kept) });
                let values = self.joined(condition, [then, otherwise], values, &kept, hint);
                self.facts.learn(&self.b, condition, true);
                End::Yields(values)
            }
            (End::Left, End::Yields(values)) => {
                let kept = self.kept(&values, &values, outside);
                otherwise.push(Inst::Yield { arguments: chosen(&values, &kept) });
                let values = self.joined(condition, [then, otherwise], values, &kept, hint);
                self.facts.learn(&self.b, condition, false);
                End::Yields(values)
            }
            (End::Yields(left), End::Yields(right)) => {
                debug_assert_eq!(left.len(), results);
                self.loads.join(&after);
                if self.cheap([&then, &otherwise], &left, hint) {
                    then.into_iter().chain(otherwise).for_each(|inst| self.b.push(inst));
                    let selected = left.iter().zip(&right).map(|(&left, &right)| {
                        let vector = !self.b.ty(left).is_scalar();
                        let condition = if vector { self.b.splat(condition) } else { condition };
                        self.b.select(condition, left, right)
                    });
                    return End::Yields(selected.collect());
                }
                let kept = self.kept(&left, &right, outside);
                if then.is_empty() && otherwise.is_empty() && !kept.contains(&true) {
                    return End::Yields(left);
                }
                then.push(Inst::Yield { arguments: chosen(&left, &kept) });
                otherwise.push(Inst::Yield { arguments: chosen(&right, &kept) });
                End::Yields(self.joined(condition, [then, otherwise], left, &kept, hint))
            }
        }
    }

    /// Which results of an `If` are needed: not those that are one value from outside of both arms.
    fn kept(&self, left: &[Value], right: &[Value], outside: usize) -> Vec<bool> {
        left.iter().zip(right).map(|(&left, &right)| left != right || !self.visible(left, outside)).collect()
    }

    /// Whether a value was there before the function had more than so many, or is a constant.
    fn visible(&self, value: Value, outside: usize) -> bool {
        (value.0 as usize) < outside || matches!(self.b.definition(value), Some(Op::Const(_) | Op::Lanes(_)))
    }

    /// Emits an `If` and gives what its results are: new ones where kept, else those of the left arm.
    fn joined(
        &mut self,
        condition: Value,
        [then, otherwise]: [Vec<Inst>; 2],
        mut values: Vec<Value>,
        kept: &[bool],
        hint: Hint,
    ) -> Vec<Value> {
        let types: Vec<Type> = chosen(&values, kept).iter().map(|&value| self.b.ty(value)).collect();
        let results = self.b.branch_on(condition, then, otherwise, &types, hint);
        let places = values.iter_mut().zip(kept).filter(|(_, kept)| **kept);
        for ((place, _), result) in places.zip(results) {
            *place = result;
        }
        values
    }

    /// Whether both arms may as well run: they are cheap, cannot fault, and choosing between vectors costs little.
    fn cheap(&self, arms: [&[Inst]; 2], results: &[Value], hint: Hint) -> bool {
        let vectors = results.iter().filter(|&&value| !self.b.ty(value).is_scalar()).count();
        let empty = arms.iter().all(|arm| arm.is_empty());
        if results.is_empty() || results.len() > 4 || vectors > 2 {
            return false;
        }
        if empty {
            return true;
        }
        let cost = arms.iter().flat_map(|arm| arm.iter()).try_fold(0u32, |sum, inst| Some(sum + cost(inst)?));
        hint == Hint::None && vectors == 0 && cost.is_some_and(|cost| cost <= CHEAP)
    }

    fn block(&mut self, label: Label, body: Vec<Inst>, results: &[Value]) -> End {
        if self.survey.labels[label.0 as usize].branches == 0 {
            return self.insts(body, Some(label));
        }
        let outside = self.b.function().values.len();
        let new = self.b.label();
        self.targets[label.0 as usize] = Target::new(new);
        let loads = self.loads.here();
        self.b.open();
        let end = self.list(body, Some(label));
        self.loads.back(loads);
        if let End::Yields(values) = &end {
            self.arrive(label, values);
        }
        let mut list = self.b.close();
        let target = std::mem::replace(&mut self.targets[label.0 as usize], Target::new(new));
        if let Some(versions) = target.versions {
            self.loads.set(versions);
        }
        if target.branches == 0 {
            list.into_iter().for_each(|inst| self.b.push(inst));
            return end;
        }
        if let End::Yields(values) = end {
            list.push(Inst::Yield { arguments: values });
        }
        let types: Vec<Type> = results.iter().map(|result| self.old[result.0 as usize]).collect();
        let new_results: Vec<Value> = types.iter().map(|&ty| self.b.value(ty)).collect();
        self.b.push(Inst::Block { label: new, body: list, results: new_results.clone() });
        let incoming = target.incoming.unwrap_or_default();
        let values = new_results.iter().zip(incoming).map(|(&result, same)| match same {
            Some(value) if self.visible(value, outside) => value,
            _ => result,
        });
        End::Yields(values.collect())
    }

    /// Control flow comes to the end of a block.
    fn arrive(&mut self, label: Label, values: &[Value]) {
        let versions = self.loads.versions();
        let target = &mut self.targets[label.0 as usize];
        match &mut target.incoming {
            Some(incoming) => {
                for (same, value) in incoming.iter_mut().zip(values) {
                    *same = same.filter(|same| same == value);
                }
            }
            none => *none = Some(values.iter().map(|&value| Some(value)).collect()),
        }
        match target.versions.take() {
            None => target.versions = Some(versions),
            Some(others) => {
                self.loads.join(&others);
                target.versions = Some(self.loads.versions());
                self.loads.set(versions);
            }
        }
    }

    fn branch(&mut self, label: Label, values: &[Value]) {
        let steady = &self.survey.labels[label.0 as usize].steady;
        let target = &mut self.targets[label.0 as usize];
        target.branches += 1;
        let new = target.label;
        if steady.is_empty() {
            // A block, or a loop without parameters, for which it does no harm.
            self.arrive(label, values);
            return self.b.branch(new, values);
        }
        let changing: Vec<Value> =
            values.iter().zip(steady).filter(|(_, steady)| !**steady).map(|(&value, _)| value).collect();
        self.b.branch(new, &changing);
    }

    fn round(&mut self, label: Label, params: &[(Value, Value)], body: Vec<Inst>) -> End {
        if self.survey.labels[label.0 as usize].branches == 0 {
            for &(param, first) in params {
                self.new[param.0 as usize] = self.value(first);
            }
            return self.insts(body, None);
        }
        let new = self.b.label();
        self.targets[label.0 as usize] = Target::new(new);
        let mut new_params = vec![];
        for (index, &(param, first)) in params.iter().enumerate() {
            let first = self.value(first);
            if self.survey.labels[label.0 as usize].steady[index] {
                self.new[param.0 as usize] = first;
            } else {
                let value = self.b.value(self.old[param.0 as usize]);
                self.new[param.0 as usize] = value;
                new_params.push((value, first));
            }
        }
        let loads = self.loads.here();
        self.loads.write(self.survey.labels[label.0 as usize].writes);
        self.b.open();
        let _ = self.list(body, None);
        self.loads.back(loads);
        let body = self.b.close();
        self.b.push(Inst::Loop { label: new, params: new_params, body });
        End::Left
    }
}

fn chosen(values: &[Value], kept: &[bool]) -> Vec<Value> {
    values.iter().zip(kept).filter(|(_, kept)| **kept).map(|(&value, _)| value).collect()
}

/// What an instruction costs that may run for nothing; `None` for those that must not.
fn cost(inst: &Inst) -> Option<u32> {
    let Inst::Let { op, .. } = inst else { return None };
    if !op.speculatable() || op.touches().is_some() {
        return None;
    }
    Some(match op {
        Op::Binary(Binary::Div, ..) | Op::Unary(Unary::Sqrt, _) => 4,
        Op::Permute(..) | Op::Shuffle(..) | Op::Reduce(..) | Op::Gather(..) => 3,
        _ => 1,
    })
}
