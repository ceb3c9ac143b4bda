//! Regions: what lies between barriers, and what crosses them.
//!
//! A value that one region computes and another uses is computed again if that is cheap; else it has a slot in the
//! context, one per gang. A barrier at which nobody has to wait, in the order in which gangs run a region, is passed: the
//! region goes on behind it. This file finds regions; what they are made of is said in [`steps`](super::steps).

use warpweft_ssa::ir::{self as ssa, Barrier, Function, Label, Op, Statement, Value};
use warpweft_ssa::orders::{Order, Orders};
use warpweft_ssa::uniformity::Uniformity;

use super::needs::{CHEAP_DEPTH, Needs, is_cheap, uses};
use super::steps::{Region, Regions, Step};
use crate::options::NotCompiled;

/// Splits a kernel with barriers.
///
/// # Errors
/// Control flow around barriers that is not compiled.
pub(crate) fn split<'a>(
    function: &'a Function,
    shapes: &'a Uniformity,
    orders: &'a Orders,
    lanes: u16,
    living: bool,
) -> Result<(Vec<Step<'a>>, Regions), NotCompiled> {
    let mut splitter = Splitter {
        function,
        shapes,
        orders,
        one_gang: function.workgroup_size.iter().product::<u32>() <= lanes.into(),
        home: vec![u32::MAX; function.values.len()],
        labels: vec![],
        results: vec![],
        exports: vec![],
        passed: vec![],
        next: 1,
        failure: None,
    };
    let mut steps = splitter.list(&function.body);
    if let Some(failure) = splitter.failure {
        return Err(failure);
    }
    let exports = splitter.exports.iter().enumerate().map(|(at, &value)| (value, 8 * at as u32)).collect();
    let Splitter { home, passed, .. } = splitter;
    let mut regions = Regions { home, exports, passed, ..Regions::default() };
    let mut needs = Needs { function, shapes, regions: &mut regions, lanes };
    needs.steps(&mut steps);
    if living {
        regions.living = Some(regions.context);
        regions.context += 8;
    }
    regions.context = regions.context.next_multiple_of(64);
    Ok((steps, regions))
}

struct Splitter<'a> {
    function: &'a Function,
    shapes: &'a Uniformity,
    orders: &'a Orders,
    /// The whole workgroup is one gang, whose lanes come to every barrier together.
    one_gang: bool,
    home: Vec<u32>,
    /// Labels of the workgroup's own code.
    labels: Vec<Label>,
    /// What the ends of the lists around become.
    results: Vec<Vec<Value>>,
    /// What the workgroup's own code takes from regions.
    exports: Vec<Value>,
    /// Barriers inside of regions.
    passed: Vec<*const Statement>,
    next: u32,
    failure: Option<NotCompiled>,
}

impl<'a> Splitter<'a> {
    fn list(&mut self, list: &'a [Statement]) -> Vec<Step<'a>> {
        let mut steps = vec![];
        // The statements of the region at hand.
        let mut pending = Pending { list, range: 0..0, order: None };
        for (at, statement) in list.iter().enumerate() {
            match statement {
                Statement::Let(value) if self.is_shared(*value) => {
                    if matches!(self.function.definition(*value).op, Op::Load { uniform: true, .. }) {
                        self.flush(&mut pending, &mut steps);
                    }
                    self.home[value.0 as usize] = 0;
                    steps.push(Step::Shared(*value));
                }
                Statement::Barrier { kind: Barrier::Workgroup | Barrier::Storage, .. } => {
                    let order = self.passing(&pending, statement, &list[at + 1..]);
                    if pending.range.is_empty() || !self.one_gang && order.is_none() {
                        self.flush(&mut pending, &mut steps);
                    } else {
                        // What comes behind it in the list takes it in.
                        pending.order = order;
                        self.passed.push(statement);
                    }
                }
                Statement::If { condition, then, otherwise, results, mark } if self.is_whole(statement) => {
                    self.flush(&mut pending, &mut steps);
                    if !self.is_common(*condition) {
                        self.refuse("a choice around a barrier that may differ between invocations", *mark);
                    }
                    self.want(*condition);
                    self.homes(results);
                    self.results.push(results.clone());
                    let (then, otherwise) = (self.list(then), self.list(otherwise));
                    self.results.pop();
                    steps.push(Step::If { condition: *condition, then, otherwise, results });
                }
                Statement::Block { label, body, results } if self.is_whole(statement) => {
                    self.flush(&mut pending, &mut steps);
                    let step = self.whole_block(*label, body, results);
                    steps.push(step);
                }
                Statement::Block { label, body, results } if self.branches_out(statement) => {
                    self.flush(&mut pending, &mut steps);
                    self.block_end(*label, body, results, &mut steps);
                }
                Statement::Loop { label, params, body, .. } if self.is_whole(statement) => {
                    let inits: Vec<_> = params.to_vec();
                    self.homes(&params.iter().map(|&(param, _)| param).collect::<Vec<_>>());
                    for &(param, init) in params {
                        if self.home_of(param) == 0 {
                            self.want(init);
                        }
                    }
                    let copies =
                        inits.iter().copied().filter(|&(param, _)| self.home_of(param) != 0).collect();
                    self.flush_with(&mut pending, copies, &mut steps);
                    self.labels.push(*label);
                    let body = self.list(body);
                    self.labels.pop();
                    steps.push(Step::Loop { label: *label, params, body });
                }
                Statement::Branch { label, arguments } if self.labels.contains(label) => {
                    let targets = self.targets(*label);
                    let (shared, copies) = self.parted(&targets, arguments);
                    self.flush_with(&mut pending, copies, &mut steps);
                    steps.push(Step::Branch { label: *label, arguments: shared });
                }
                Statement::Yield { arguments } => {
                    let targets = self.results.last().cloned().unwrap_or_default();
                    let (shared, copies) = self.parted(&targets, arguments);
                    self.flush_with(&mut pending, copies, &mut steps);
                    steps.push(Step::Yield(shared));
                }
                Statement::Return => {
                    self.flush(&mut pending, &mut steps);
                    steps.push(Step::Return);
                }
                other => {
                    self.claim(other);
                    pending.add(at);
                }
            }
        }
        self.flush(&mut pending, &mut steps);
        steps
    }

    /// The order of gangs in which a region goes on behind a barrier.
    fn passing(&self, pending: &Pending<'_>, barrier: &Statement, behind: &[Statement]) -> Option<Order> {
        // What lies before the first of two barriers and behind the second was not compared.
        let order = if pending.order.is_none() { self.orders.of(barrier) } else { None }?;
        let next = behind.iter().position(has_barrier).unwrap_or(behind.len());
        let shared = |value| self.home_of(value) == 0;
        let kept =
            |value| self.home_of(value) == self.next && !is_cheap(self.function, &shared, value, CHEAP_DEPTH);
        let mut crosses = false;
        for statement in &behind[..next] {
            uses(self.function, statement, &mut |value| crosses = crosses || kept(value));
        }
        // Where nothing is kept from one side for the other, the next barrier may be worth more.
        let other = behind.get(next).is_some_and(|statement| self.orders.of(statement).is_some());
        (crosses || !other).then_some(order)
    }

    fn refuse(&mut self, what: &str, mark: ssa::Mark) {
        if self.failure.is_none() {
            let location = self.function.location(mark).cloned();
            self.failure = Some(NotCompiled { what: what.into(), location });
        }
    }

    /// All invocations have the same, and it can be computed once.
    fn is_shared(&self, value: Value) -> bool {
        let definition = self.function.definition(value);
        if matches!(definition.op, Op::Constant(_)) {
            return true;
        }
        if !self.shapes.uniform_at_workgroup(value) {
            return false;
        }
        let kind = match &definition.op {
            Op::Load { uniform: true, .. } => true,
            Op::Load { place, .. } => match place.root {
                ssa::Root::Binding(binding) => !self.function.bindings[binding as usize].written,
                ssa::Root::Variable(_) => false,
            },
            op => op.is_pure(),
        };
        let mut all = kind;
        definition.op.operands(|operand| all = all && self.home_of(operand) == 0);
        all
    }

    /// All invocations have the same, wherever it is computed.
    fn is_common(&self, value: Value) -> bool {
        self.home_of(value) == 0 || self.shapes.uniform_at_workgroup(value)
    }

    /// The workgroup's own code uses a value.
    fn want(&mut self, value: Value) {
        if self.home_of(value) != 0 && !self.exports.contains(&value) {
            self.exports.push(value);
        }
    }

    fn home_of(&self, value: Value) -> u32 {
        if self.function.constant(value).is_some() { 0 } else { self.home[value.0 as usize] }
    }

    /// Parameters and results of the workgroup's own code: shared, or in slots.
    fn homes(&mut self, values: &[Value]) {
        for value in values {
            let shared = self.shapes.uniform_at_workgroup(*value);
            // No region's: whoever uses it loads it.
            self.home[value.0 as usize] = if shared { 0 } else { u32::MAX };
        }
    }

    /// A block that the workgroup goes through together, but perhaps for its end: there, invocations may leave it alone.
    fn whole_block(&mut self, label: Label, body: &'a [Statement], results: &'a [Value]) -> Step<'a> {
        let is_head = |statement: &Statement| has_barrier(statement) || self.branches_out(statement);
        let first = body.iter().rposition(is_head).map_or(0, |last| last + 1);
        let (head, tail) = body.split_at(first);
        let parts = !tail.iter().all(|statement| self.goes_together(statement, label));
        if parts {
            for value in results {
                // Each gang has its own.
                self.home[value.0 as usize] = u32::MAX;
            }
        } else {
            self.homes(results);
        }
        self.labels.push(label);
        self.results.push(results.to_vec());
        let mut steps = self.list(if parts { head } else { body });
        self.results.pop();
        self.labels.pop();
        if parts {
            let number = self.next;
            tail.iter().for_each(|statement| self.claim(statement));
            self.next += 1;
            let block = Some((label, results));
            steps.push(Step::Region(Region { block, ..Region::new(number, tail) }));
            steps.push(Step::Yield(vec![]));
        }
        Step::Block { label, body: steps, results }
    }

    /// A block without barriers: first what takes the whole workgroup elsewhere, then the rest as a region.
    fn block_end(
        &mut self,
        label: Label,
        body: &'a [Statement],
        results: &'a [Value],
        steps: &mut Vec<Step<'a>>,
    ) {
        let first =
            body.iter().rposition(|statement| self.branches_out(statement)).map_or(0, |last| last + 1);
        let (head, rest) = body.split_at(first);
        if head.iter().any(|statement| branches_to(statement, label)) {
            self.refuse("invocations that leave a block before others reach a barrier", ssa::Mark::default());
        }
        let mut whole = self.list(head);
        steps.append(&mut whole);
        let number = self.next;
        for value in results {
            self.home[value.0 as usize] = number;
        }
        for statement in rest {
            self.claim(statement);
        }
        self.next += 1;
        steps.push(Step::Region(Region { block: Some((label, results)), ..Region::new(number, rest) }));
    }

    /// It has a barrier inside, or takes the whole workgroup elsewhere.
    fn is_whole(&self, statement: &Statement) -> bool {
        if has_barrier(statement) {
            return true;
        }
        match statement {
            Statement::If { condition, .. } => self.is_common(*condition) && self.leaves(statement),
            Statement::Block { label, body, .. } => {
                self.branches_out(statement)
                    && body.iter().all(|statement| self.goes_together(statement, *label))
            }
            _ => false,
        }
    }

    /// It contains a return, or a branch to a label of the workgroup's own code.
    fn leaves(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Return => true,
            Statement::Branch { label, .. } => self.labels.contains(label),
            Statement::If { then, otherwise, .. } => {
                then.iter().chain(otherwise).any(|statement| self.leaves(statement))
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                body.iter().any(|statement| self.leaves(statement))
            }
            _ => false,
        }
    }

    /// The whole workgroup takes each branch to that label, or none of it does.
    fn goes_together(&self, statement: &Statement, label: Label) -> bool {
        match statement {
            Statement::If { condition, then, otherwise, .. } => {
                let together = self.is_common(*condition) || !branches_to(statement, label);
                together && then.iter().chain(otherwise).all(|statement| self.goes_together(statement, label))
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                body.iter().all(|statement| self.goes_together(statement, label))
            }
            _ => true,
        }
    }

    /// A statement goes into the next region, with all that it defines.
    fn claim(&mut self, statement: &Statement) {
        let region = self.next;
        match statement {
            Statement::Let(value) => self.home[value.0 as usize] = region,
            Statement::If { then, otherwise, results, mark, .. } => {
                for value in results {
                    self.home[value.0 as usize] = region;
                }
                if self.branches_out(statement) {
                    self.refuse(
                        "invocations that leave a function before others reach a barrier in it",
                        *mark,
                    );
                }
                then.iter().chain(otherwise).for_each(|statement| self.claim(statement));
            }
            Statement::Block { body, results, .. } => {
                for value in results {
                    self.home[value.0 as usize] = region;
                }
                body.iter().for_each(|statement| self.claim(statement));
            }
            Statement::Loop { params, body, .. } => {
                for (value, _) in params {
                    self.home[value.0 as usize] = region;
                }
                body.iter().for_each(|statement| self.claim(statement));
            }
            _ => {}
        }
    }

    /// It branches to a label of the workgroup's own code.
    fn branches_out(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Branch { label, .. } => self.labels.contains(label),
            Statement::If { then, otherwise, .. } => {
                then.iter().chain(otherwise).any(|statement| self.branches_out(statement))
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                body.iter().any(|statement| self.branches_out(statement))
            }
            _ => false,
        }
    }

    /// The results or parameters of a label.
    fn targets(&self, label: Label) -> Vec<Value> {
        find(&self.function.body, label).unwrap_or_default()
    }

    /// What becomes shared values, and what is copied gang by gang.
    fn parted(&mut self, targets: &[Value], arguments: &[Value]) -> (Vec<Value>, Vec<(Value, Value)>) {
        let (mut shared, mut copies) = (vec![], vec![]);
        for (&to, &from) in targets.iter().zip(arguments) {
            if self.home_of(to) == 0 {
                self.want(from);
                shared.push(from);
            } else {
                copies.push((to, from));
            }
        }
        (shared, copies)
    }

    fn flush(&mut self, pending: &mut Pending<'a>, steps: &mut Vec<Step<'a>>) {
        self.flush_with(pending, vec![], steps);
    }

    fn flush_with(
        &mut self,
        pending: &mut Pending<'a>,
        copies: Vec<(Value, Value)>,
        steps: &mut Vec<Step<'a>>,
    ) {
        let (list, order) = pending.take();
        if list.is_empty() && copies.is_empty() {
            return;
        }
        let region = Region { order, copies, ..Region::new(self.next, list) };
        self.next += 1;
        steps.push(Step::Region(region));
    }
}

/// It contains a branch to that label.
fn branches_to(statement: &Statement, wanted: Label) -> bool {
    match statement {
        Statement::Branch { label, .. } => *label == wanted,
        Statement::If { then, otherwise, .. } => then.iter().chain(otherwise).any(|s| branches_to(s, wanted)),
        Statement::Block { body, .. } | Statement::Loop { body, .. } => {
            body.iter().any(|s| branches_to(s, wanted))
        }
        _ => false,
    }
}

/// A part of a list.
struct Pending<'a> {
    list: &'a [Statement],
    range: std::ops::Range<usize>,
    /// The order that a barrier in it asks for.
    order: Option<Order>,
}

impl<'a> Pending<'a> {
    fn add(&mut self, at: usize) {
        if self.range.is_empty() {
            self.range.start = at;
        }
        self.range.end = at + 1;
    }

    fn take(&mut self) -> (&'a [Statement], Order) {
        let order = self.order.take().unwrap_or(Order::Ascending);
        (&self.list[std::mem::take(&mut self.range)], order)
    }
}

/// The results of the block, or the parameters of the loop, of that name.
fn find(list: &[Statement], wanted: Label) -> Option<Vec<Value>> {
    list.iter().find_map(|statement| match statement {
        Statement::Block { label, results, .. } if *label == wanted => Some(results.clone()),
        Statement::Loop { label, params, .. } if *label == wanted => {
            Some(params.iter().map(|&(param, _)| param).collect())
        }
        Statement::Block { body, .. } | Statement::Loop { body, .. } => find(body, wanted),
        Statement::If { then, otherwise, .. } => find(then, wanted).or_else(|| find(otherwise, wanted)),
        _ => None,
    })
}

/// There is a barrier of the whole workgroup inside.
pub(crate) fn has_barrier(statement: &Statement) -> bool {
    match statement {
        Statement::Barrier { kind, .. } => *kind != Barrier::Subgroup,
        Statement::If { then, otherwise, .. } => then.iter().chain(otherwise).any(has_barrier),
        Statement::Block { body, .. } | Statement::Loop { body, .. } => body.iter().any(has_barrier),
        _ => false,
    }
}
