//! Walks the structure until nothing changes: which invocations are together where, and what that does to results.
//!
//! Every list is walked with the reach of what lies around it; it reports which labels some of its invocations left for,
//! and how far those that left were together *since the list began*. Knows nothing of arithmetic.

use super::Uniformity;
use super::shapes::{Fact, Ganging, Level};
use super::transfer::Transfer;
use crate::ir::{Barrier, Function, Label, Mark, Op, Place, Root, Statement, Value};
use crate::ranges::Ranges;

/// How far invocations are together, and the choice that keeps them from being together further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) level: Level,
    /// The condition, and its statement's mark.
    pub(crate) cause: Option<(Value, Mark)>,
}

impl Reach {
    const ALL: Reach = Reach { level: Level::Launch, cause: None };

    fn and(self, other: Reach) -> Reach {
        if other.level > self.level { other } else { self }
    }
}

/// A barrier, and who comes to it together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) kind: Barrier,
    pub(crate) mark: Mark,
    pub(crate) reach: Reach,
}

/// Solves a function: the shapes, and every barrier in the order of the text. `trusting`: see [`Transfer`].
pub(crate) fn solve(
    function: &Function,
    ganging: Ganging,
    trusting: bool,
    ranges: Option<&Ranges>,
) -> (Uniformity, Vec<Arrival>) {
    let mut flow = Flow {
        transfer: Transfer { function, ganging, trusting, ranges },
        state: Uniformity {
            facts: vec![Fact::NONE; function.values.len()],
            labels: vec![Level::Launch; function.labels as usize],
            varying_variables: function.variables.iter().map(|variable| variable.shared).collect(),
        },
        left: vec![Reach::ALL; function.labels as usize],
        edges: vec![Vec::new(); function.labels as usize],
        loops_around: vec![0; function.values.len()],
        loops: 0,
        arrivals: Vec::new(),
        changed: true,
    };
    // Each round can only make facts less uniform, so this ends; in practice after as many rounds as loops are deep.
    while std::mem::take(&mut flow.changed) {
        flow.arrivals.clear();
        flow.list(&function.body, Reach::ALL);
    }
    (flow.state, flow.arrivals)
}

/// How invocations left a list other than by its end.
struct Exits {
    /// For which labels, and how far the leavers were together since the list began.
    labels: Vec<(Label, Reach)>,
    /// The same of those that returned, if any do.
    returned: Option<Reach>,
}

impl Exits {
    fn add(&mut self, label: Label, reach: Reach) {
        match self.labels.iter_mut().find(|(known, _)| *known == label) {
            Some((_, known)) => *known = known.and(reach),
            None => self.labels.push((label, reach)),
        }
    }

    fn add_return(&mut self, reach: Reach) {
        self.returned = Some(self.returned.map_or(reach, |known| known.and(reach)));
    }
}

/// What came along the edges to a label, for one result or parameter.
#[derive(Clone, Copy)]
struct Incoming {
    fact: Fact,
    /// The value, while all edges bring the same.
    value: Value,
    same: bool,
}

struct Flow<'a> {
    transfer: Transfer<'a>,
    state: Uniformity,
    /// Of a loop: how far those that leave it are together.
    left: Vec<Reach>,
    /// By label, while what it names is walked.
    edges: Vec<Vec<Incoming>>,
    /// How many loops are around a value's definition.
    loops_around: Vec<u32>,
    /// How many loops are around here.
    loops: u32,
    arrivals: Vec<Arrival>,
    changed: bool,
}

impl<'a> Flow<'a> {
    fn fact(&self, value: Value) -> Fact {
        self.state.facts[value.0 as usize]
    }

    /// Makes a fact less uniform, never more.
    fn set(&mut self, value: Value, fact: Fact) {
        let fact = if self.transfer.ganging.lanes() <= 1 { fact.single_lane() } else { fact };
        let old = self.fact(value);
        let new = old.join(fact, Level::Launch);
        if new != old {
            self.state.facts[value.0 as usize] = new;
            self.changed = true;
        }
        self.loops_around[value.0 as usize] = self.loops;
    }

    /// Makes what is known of a label's edges less uniform, never more.
    fn scatter(&mut self, label: Label, reach: Reach) {
        let known = &mut self.left[label.0 as usize];
        if reach.level > known.level {
            *known = reach;
            self.state.labels[label.0 as usize] = reach.level;
            self.changed = true;
        }
    }

    /// An edge to a label.
    fn arrive(&mut self, label: Label, arguments: &[Value]) {
        let first = self.edges[label.0 as usize].is_empty();
        for (i, &value) in arguments.iter().enumerate() {
            let fact = self.fact(value);
            let edges = &mut self.edges[label.0 as usize];
            if first {
                edges.push(Incoming { fact, value, same: true });
            } else {
                let known = &mut edges[i];
                known.same &= known.value == value;
                known.fact = known.fact.join(fact, Level::Launch);
            }
        }
    }

    /// Walks a list; `around` is how far those that begin it are together, all told. Returns who left, and what it yields.
    fn list(&mut self, statements: &'a [Statement], around: Reach) -> (Exits, Option<&'a [Value]>) {
        let mut exits = Exits { labels: Vec::new(), returned: None };
        // How far those that are here are together, since the list began.
        let mut here = Reach::ALL;
        for statement in statements {
            match statement {
                Statement::Let(value) => self.define(*value, around.and(here)),
                Statement::Store { place, value, .. } => self.store(place, *value, around.and(here)),
                Statement::Barrier { kind, mark } => {
                    self.arrivals.push(Arrival { kind: *kind, mark: *mark, reach: around.and(here) });
                }
                // What it leaves in memory is not known anyway.
                Statement::Call { .. } => {}
                Statement::If { condition, then, otherwise, results, mark } => {
                    let level = self.transfer.choice(*condition, self.fact(*condition));
                    let choice = Reach { level, cause: Some((*condition, *mark)) };
                    let inside = around.and(here).and(choice);
                    let (left, yielded) = self.list(then, inside);
                    let (right, other) = self.list(otherwise, inside);
                    for arm in [left, right] {
                        arm.returned
                            .into_iter()
                            .for_each(|reach| exits.add_return(here.and(choice).and(reach)));
                        for (label, reach) in arm.labels {
                            exits.add(label, here.and(choice).and(reach));
                        }
                    }
                    for &(_, reach) in &exits.labels {
                        here = here.and(reach);
                    }
                    for (i, &result) in results.iter().enumerate() {
                        let fact = match (yielded, other) {
                            (Some(a), Some(b)) if a[i] == b[i] => self.fact(a[i]),
                            (Some(a), Some(b)) => self.fact(a[i]).join(self.fact(b[i]), choice.level),
                            (Some(one), None) | (None, Some(one)) => self.fact(one[i]),
                            (None, None) => Fact::NONE,
                        };
                        self.set(result, fact);
                    }
                }
                Statement::Block { label, body, results } => {
                    self.edges[label.0 as usize].clear();
                    let (inner, yielded) = self.list(body, around.and(here));
                    inner.returned.into_iter().for_each(|reach| exits.add_return(here.and(reach)));
                    let mut choice = Reach::ALL;
                    for (target, reach) in inner.labels {
                        if target == *label {
                            choice = choice.and(reach);
                        } else {
                            exits.add(target, here.and(reach));
                        }
                    }
                    for &(_, reach) in &exits.labels {
                        here = here.and(reach);
                    }
                    if let Some(values) = yielded {
                        self.arrive(*label, values);
                    }
                    self.scatter(*label, choice);
                    self.block_results(*label, results, choice.level);
                }
                Statement::Loop { label, params, body, .. } => {
                    let (inner, leave) = self.rounds(*label, params, body, around.and(here));
                    inner.returned.into_iter().for_each(|reach| exits.add_return(here.and(reach)));
                    for (target, _) in inner.labels {
                        if target != *label {
                            exits.add(target, here.and(leave));
                        }
                    }
                }
                Statement::Branch { label, arguments } => {
                    self.arrive(*label, arguments);
                    exits.add(*label, here);
                }
                Statement::Yield { arguments } => return (exits, Some(arguments)),
                Statement::Return => exits.add_return(here),
            }
        }
        (exits, None)
    }

    fn block_results(&mut self, label: Label, results: &[Value], choice: Level) {
        for (i, &result) in results.iter().enumerate() {
            let fact = match self.edges[label.0 as usize].get(i) {
                None => Fact::NONE,
                // One and the same value, unless it is that of different rounds of a loop that was left.
                Some(edge) if edge.same && self.loops_around[edge.value.0 as usize] <= self.loops => {
                    edge.fact
                }
                Some(edge) => edge.fact.at_most(choice),
            };
            self.set(result, fact);
        }
    }

    /// Walks a loop. Returns the exits of its body, and how far those that leave it are together since it began.
    fn rounds(
        &mut self,
        label: Label,
        params: &[(Value, Value)],
        body: &'a [Statement],
        around: Reach,
    ) -> (Exits, Reach) {
        self.edges[label.0 as usize].clear();
        self.loops += 1;
        for &(param, initial) in params {
            self.set(param, self.fact(initial));
        }
        // Later rounds are run by those that did not leave.
        let barriers = self.arrivals.len();
        let (inner, _) = self.list(body, around.and(self.left[label.0 as usize]));
        let mut leave = Reach::ALL;
        let mut again = Reach::ALL;
        for &(target, reach) in &inner.labels {
            if target == label {
                again = again.and(reach);
            } else {
                // Each exit only sees whom the others did not take in this round or an earlier one.
                leave = leave.and(reach);
            }
        }
        self.scatter(label, leave);
        let leave = self.left[label.0 as usize];
        // Barriers keep the gangs in one round, those apart that returned.
        let returned = inner.returned.filter(|_| self.arrivals.len() == barriers).unwrap_or(Reach::ALL);
        let rounds = leave.level.max(again.level).max(returned.level).min(Level::Gang);
        for (i, &(param, _)) in params.iter().enumerate() {
            let fact = match self.edges[label.0 as usize].get(i) {
                None => Fact::NONE,
                Some(edge) if edge.same && edge.value == param => edge.fact,
                // Gangs may be in different rounds; the lanes of one are in the same.
                Some(edge) if edge.same => edge.fact.at_most(rounds),
                Some(edge) => edge.fact.at_most(again.level.max(rounds)),
            };
            self.set(param, fact);
        }
        self.loops -= 1;
        (inner, leave)
    }

    fn define(&mut self, value: Value, around: Reach) {
        let definition = self.transfer.function.definition(value);
        match &definition.op {
            Op::Atomic(_, place, operand) => self.store(place, *operand, around),
            Op::CompareExchange(place, _, operand) => self.store(place, *operand, around),
            _ => {}
        }
        let fact = self.transfer.of(definition, &self.state.facts, &self.state.varying_variables);
        self.set(value, fact);
    }

    /// A private variable stays uniform while all lanes together write one value to one place.
    fn store(&mut self, place: &Place, value: Value, around: Reach) {
        let Root::Variable(variable) = place.root else { return };
        let divergent = |value: Value| self.fact(value).choice() == Level::Divergent;
        let together = around.level < Level::Divergent
            && !divergent(value)
            && !place.indices.iter().any(|index| divergent(index.value));
        if !together && !std::mem::replace(&mut self.state.varying_variables[variable as usize], true) {
            self.changed = true;
        }
    }
}
