//! The walk: who comes to which statement, and what the values are there.
//!
//! Every list is walked once, with the pieces of those who begin it. Knows nothing of what visitors make of it.

use super::LaunchFacts;
use super::boxes;
use super::conditions::{PIECES, perhaps};
use super::form::{Form, Variable, window};
use super::rounds::{Governor, survey};
use super::space::{FIXED, GLOBAL, LOCAL, Piece, WORKGROUP};
use super::values::{State, is_integer};
use crate::ir::{Compare, Function, Label, Op, Place, Statement, Unary, Value};
use smallvec::SmallVec;
use warpweft_module::Scalar;

/// Rounds of a loop of which nothing is known: how many there may be.
const MANY: i128 = (1 << 32) - 1;

/// What is done to a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    pub(crate) atomic: bool,
}

/// Is told what the walk comes by.
pub(crate) trait Visitor {
    /// Those who are here changed.
    fn here(&mut self, _state: &mut State<'_>, _pieces: &[Piece]) {}
    /// A value is computed. Its form is known after this.
    fn value(&mut self, _state: &mut State<'_>, _value: Value, _pieces: &[Piece]) {}
    /// Memory is touched.
    fn access(&mut self, _state: &mut State<'_>, _place: &Place, _access: Access, _pieces: &[Piece]) {}
    /// A barrier is passed.
    fn barrier(&mut self, _state: &mut State<'_>, _barrier: &Statement) {}
    /// A function is called; what it does is not walked.
    fn call(&mut self, _function: u32) {}
    /// A condition is asked.
    fn condition(&mut self, _state: &mut State<'_>, _condition: Value, _pieces: &[Piece]) {}
}

/// Two who are told the same, the first one first.
impl<A: Visitor, B: Visitor> Visitor for (A, B) {
    fn here(&mut self, state: &mut State<'_>, pieces: &[Piece]) {
        self.0.here(state, pieces);
        self.1.here(state, pieces);
    }

    fn value(&mut self, state: &mut State<'_>, value: Value, pieces: &[Piece]) {
        self.0.value(state, value, pieces);
        self.1.value(state, value, pieces);
    }

    fn access(&mut self, state: &mut State<'_>, place: &Place, access: Access, pieces: &[Piece]) {
        self.0.access(state, place, access, pieces);
        self.1.access(state, place, access, pieces);
    }

    fn barrier(&mut self, state: &mut State<'_>, barrier: &Statement) {
        self.0.barrier(state, barrier);
        self.1.barrier(state, barrier);
    }

    fn call(&mut self, function: u32) {
        self.0.call(function);
        self.1.call(function);
    }

    fn condition(&mut self, state: &mut State<'_>, condition: Value, pieces: &[Piece]) {
        self.0.condition(state, condition, pieces);
        self.1.condition(state, condition, pieces);
    }
}

/// Walks a kernel: for a launch, or without one for all.
pub(crate) fn walk<'a>(
    function: &'a Function,
    facts: Option<&'a LaunchFacts<'a>>,
    visitor: &mut dyn Visitor,
) -> State<'a> {
    let mut state = State::new(function, facts);
    let pieces = beginning(&state);
    state.origins.clone_from(&pieces);
    let edges = (0..function.labels).map(|_| Edges::default()).collect();
    let mut walk = Walk { state, visitor, edges, exits: 0, governors: Vec::new(), depth: 0 };
    if !pieces.is_empty() {
        walk.list(&function.body, pieces);
    }
    walk.state
}

/// Everybody who begins.
fn beginning(state: &State<'_>) -> Vec<Piece> {
    let whole =
        Piece { ranges: SmallVec::new(), linear: SmallVec::new(), exact: true, origin: 0, share: 1.0 };
    let Some(facts) = state.facts else { return vec![whole] };
    let size = state.function.workgroup_size.map(u64::from);
    let mut pieces = Vec::new();
    for workgroups in boxes(facts.workgroups, facts.range) {
        let mut piece = Piece { origin: pieces.len() as u32, ..whole.clone() };
        let mut empty = false;
        for axis in 0..3 {
            let (first, count) = workgroups[axis];
            let end =
                ((first + count) * size[axis]).min(facts.over.map_or(u64::MAX, |over| over[axis].into()));
            empty |= end <= first * size[axis];
            let axis_variable = axis as Variable;
            let mut set = |variable, lo: u64, hi: u64| piece.ranges.push((variable, lo as i64, hi as i64));
            set(GLOBAL + axis_variable, first * size[axis], end.saturating_sub(1));
            set(WORKGROUP + axis_variable, first, first + count - 1);
            set(LOCAL + axis_variable, 0, size[axis] - 1);
        }
        debug_assert_eq!(piece.ranges.len(), FIXED);
        if !empty {
            pieces.push(piece);
        }
    }
    pieces
}

/// Who came to a label's end, and with what.
#[derive(Default)]
struct Edges {
    count: usize,
    pieces: Vec<Piece>,
    arguments: Vec<Vec<Brought>>,
}

/// A value that comes along an edge.
#[derive(Clone)]
struct Brought {
    value: Value,
    form: Option<Form>,
    range: Option<(i128, i128)>,
    depth: u32,
}

/// A loop that is being walked, up to what decides whether it goes on.
struct Governed<'a> {
    governor: Governor<'a>,
    round: Variable,
    /// Those who began the loop.
    began: Vec<Piece>,
}

struct Walk<'a, 'v> {
    state: State<'a>,
    visitor: &'v mut dyn Visitor,
    edges: Vec<Edges>,
    /// How many edges go from what was walked to labels around it, or to the end of the kernel.
    exits: usize,
    governors: Vec<Governed<'a>>,
    /// How many loops are around.
    depth: u32,
}

/// Those who come to a list's end, and what they yield.
type End<'a> = Option<(Vec<Piece>, &'a [Value])>;

impl<'a> Walk<'a, '_> {
    fn list(&mut self, statements: &'a [Statement], mut here: Vec<Piece>) -> End<'a> {
        self.visitor.here(&mut self.state, &here);
        for statement in statements {
            if here.is_empty() {
                return None;
            }
            match statement {
                Statement::Let(value) => self.define(*value, &here),
                Statement::Store { place, atomic, .. } => {
                    let access = Access { reads: false, writes: true, atomic: *atomic };
                    self.visitor.access(&mut self.state, place, access, &here);
                }
                Statement::Barrier { .. } => self.visitor.barrier(&mut self.state, statement),
                Statement::Call { function, .. } => self.visitor.call(*function),
                Statement::If { condition, then, otherwise, results, .. } => {
                    let governs = self
                        .governors
                        .last()
                        .is_some_and(|governed| std::ptr::eq(governed.governor.statement, statement));
                    if governs {
                        here = self.governed(here);
                    }
                    self.visitor.condition(&mut self.state, *condition, &here);
                    let exits = self.exits;
                    let mut taken = self.state.assume(&here, *condition, true);
                    let mut passed = self.state.assume(&here, *condition, false);
                    if governs {
                        // How often it goes round is guessed as a whole, not round by round.
                        let share = here.iter().map(|piece| piece.share).fold(0.0, f32::max);
                        taken.iter_mut().chain(&mut passed).for_each(|piece| piece.share = share);
                    }
                    let left = self.arm(then, taken);
                    let right = self.arm(otherwise, passed);
                    self.join(*condition, &left, &right, results);
                    if self.exits != exits {
                        let (left, right) = (left.map(|(p, _)| p), right.map(|(p, _)| p));
                        here = together(&here, left.into_iter().chain(right).flatten().collect());
                    }
                    self.visitor.here(&mut self.state, &here);
                }
                Statement::Block { label, body, results } => {
                    let exits = self.exits;
                    let outside = self.state.space.variables.len() as Variable;
                    self.edges[label.0 as usize] = Edges::default();
                    let end = self.list(body, here.clone());
                    let mut edges = std::mem::take(&mut self.edges[label.0 as usize]);
                    self.exits -= edges.count;
                    if let Some((pieces, values)) = end {
                        let brought = self.brought(values, &pieces);
                        edges.arguments.push(brought);
                        edges.pieces.extend(pieces);
                    }
                    for (i, &result) in results.iter().enumerate() {
                        let brought = edges.arguments.iter().filter_map(|arguments| arguments.get(i));
                        self.merge(result, brought, outside);
                    }
                    if self.exits != exits {
                        here = together(&here, edges.pieces);
                    }
                    self.visitor.here(&mut self.state, &here);
                }
                Statement::Loop { label, params, body, .. } => {
                    self.rounds(*label, params, body, here);
                    return None;
                }
                Statement::Branch { label, arguments } => {
                    let brought = self.brought(arguments, &here);
                    let edges = &mut self.edges[label.0 as usize];
                    edges.count += 1;
                    edges.arguments.push(brought);
                    if edges.pieces.len() <= PIECES {
                        edges.pieces.extend(here);
                    }
                    self.exits += 1;
                    return None;
                }
                Statement::Yield { arguments } => return Some((here, arguments)),
                Statement::Return => {
                    self.exits += 1;
                    return None;
                }
            }
        }
        None
    }

    fn arm(&mut self, list: &'a [Statement], pieces: Vec<Piece>) -> End<'a> {
        if pieces.is_empty() { None } else { self.list(list, pieces) }
    }

    fn define(&mut self, value: Value, here: &[Piece]) {
        let function = self.state.function;
        let atomic = Access { reads: true, writes: true, atomic: true };
        let (place, access) = match &function.definition(value).op {
            Op::Load { place, atomic, .. } => {
                (Some(place), Access { reads: true, writes: false, atomic: *atomic })
            }
            Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) => (Some(place), atomic),
            _ => (None, atomic),
        };
        if let Some(place) = place {
            self.visitor.access(&mut self.state, place, access, here);
        }
        self.state.define(value, here);
        self.visitor.value(&mut self.state, value, here);
    }

    fn brought(&mut self, values: &[Value], here: &[Piece]) -> Vec<Brought> {
        let mut found = Vec::with_capacity(values.len());
        for &value in values {
            let ty = self.state.function.ty(value);
            let (form, range) = if is_integer(ty) {
                let integer = self.state.integer(value, here);
                (Some(self.state.form(value)), integer.and_then(|form| self.state.space.hull(here, &form)))
            } else {
                (None, None)
            };
            found.push(Brought { value, form, range, depth: self.depth });
        }
        found
    }

    /// What comes together behind an `If`.
    fn join(&mut self, condition: Value, left: &End<'a>, right: &End<'a>, results: &[Value]) {
        for (i, &result) in results.iter().enumerate() {
            let one = left.as_ref().map(|(pieces, values)| (pieces, values[i]));
            let other = right.as_ref().map(|(pieces, values)| (pieces, values[i]));
            if self.state.function.ty(result) == Scalar::Bool {
                self.state.choices[result.0 as usize] = match (one, other) {
                    (Some((_, a)), Some((_, b))) => Some((condition, a, b)),
                    (Some((_, a)), None) | (None, Some((_, a))) => Some((condition, a, a)),
                    (None, None) => None,
                };
                continue;
            }
            if !is_integer(self.state.function.ty(result)) {
                continue;
            }
            let mut brought = Vec::new();
            for (pieces, value) in one.into_iter().chain(other) {
                brought.extend(self.brought(&[value], pieces));
            }
            self.merge(result, brought.iter(), 0);
        }
    }

    /// One of several values, by who came. Variables below `outside` are the same wherever they come from.
    fn merge<'b>(
        &mut self,
        result: Value,
        mut brought: impl Iterator<Item = &'b Brought>,
        outside: Variable,
    ) {
        let ty = self.state.function.ty(result);
        let Some(first) = brought.next().cloned() else { return };
        let (mut same, mut range, mut depth) = (true, first.range, first.depth);
        let mut alone = true;
        for other in brought {
            alone &= other.value == first.value;
            same &= other.form == first.form;
            range = range.zip(other.range).map(|((a, b), (c, d))| (a.min(c), b.max(d)));
            depth = depth.max(other.depth);
        }
        // A value of a loop that was left is that of another round for each.
        let inner = depth > self.depth;
        if ty == Scalar::Bool && alone && !inner {
            self.state.choices[result.0 as usize] = Some((first.value, first.value, first.value));
        }
        if !is_integer(ty) {
            return;
        }
        let form = match first.form {
            Some(form) if same && (!inner || form.terms.iter().all(|&(variable, _)| variable < outside)) => {
                form
            }
            _ => match range {
                Some((lo, hi)) => self.state.between(lo, hi, ty),
                None => return,
            },
        };
        self.state.forms[result.0 as usize] = Some(form);
    }

    fn rounds(&mut self, label: Label, params: &[(Value, Value)], body: &'a [Statement], here: Vec<Piece>) {
        let survey = survey(label, body);
        let round = self.state.space.round(MANY);
        for (i, &(param, initial)) in params.iter().enumerate() {
            if !is_integer(self.state.function.ty(param)) {
                continue;
            }
            let form = match self.state.step(param, i, &survey.again) {
                Some(step) => Some(self.state.form(initial).plus(&Form::variable(round), step).wrapped()),
                None => None,
            };
            self.state.forms[param.0 as usize] = form;
            self.state.form(param);
        }
        let governed = survey.governor.is_some();
        let mut maybe = here.clone();
        maybe.iter_mut().for_each(|piece| piece.exact = false);
        if let Some(governor) = survey.governor {
            self.governors.push(Governed { governor, round, began: here });
        }
        self.edges[label.0 as usize] = Edges::default();
        self.depth += 1;
        self.state.rounds.push(round);
        // Where nothing is known to end it, all rounds are perhaps.
        self.list(body, maybe);
        self.depth -= 1;
        self.state.rounds.pop();
        if governed {
            self.governors.pop();
        }
        self.exits -= std::mem::take(&mut self.edges[label.0 as usize]).count;
    }

    /// Those who come to what decides over a loop: in all rounds that there are.
    fn governed(&mut self, here: Vec<Piece>) -> Vec<Piece> {
        let Some(governed) = self.governors.last() else { return here };
        let (governor, round, began) = (governed.governor, governed.round, governed.began.clone());
        let Some(rounds) = self.most_rounds(governor.condition, governor.stays, round, &began) else {
            return here;
        };
        // The last one only comes to see that it is over.
        let info = &mut self.state.space.variables[round as usize];
        (info.hi, info.counted) = (rounds.most, rounds.counted);
        let mut here = if governor.alone { began } else { here };
        for piece in &mut here {
            // Ids and rounds that are not found together could make it wrap around; it does not.
            let (lo, hi) = self.state.space.interval(piece, &rounds.counter);
            if window(lo, hi, rounds.signed).is_none()
                && let Some(cut) = self.state.space.cut(piece, &rounds.counter, rounds.lo, rounds.hi)
            {
                *piece = Piece { exact: piece.exact, ..cut };
            }
        }
        here
    }

    /// How often a loop goes round at most. Nothing where the counter could wrap around before it stops.
    fn most_rounds(
        &mut self,
        condition: Value,
        stays: bool,
        round: Variable,
        began: &[Piece],
    ) -> Option<Rounds> {
        let function = self.state.function;
        let (compare, a, b) = match function.definition(condition).op {
            Op::Unary(Unary::Not, inner) => return self.most_rounds(inner, !stays, round, began),
            Op::Compare(compare, a, b) if is_integer(function.ty(a)) => (compare, a, b),
            _ => return None,
        };
        let signed = function.ty(a) == Scalar::I32;
        let (x, y) = (self.state.form(a), self.state.form(b));
        let (counter, bound, swapped) = match (x.coefficient(round), y.coefficient(round)) {
            (0, 0) => return None,
            (_, 0) => (x, y, false),
            (0, _) => (y, x, true),
            _ => return None,
        };
        // Nothing else that changes from round to round.
        let fixed = |form: &Form| {
            form.terms.iter().all(|&(variable, _)| variable < round || self.state.is_fixed(variable))
        };
        let step = counter.coefficient(round);
        let first = counter.plus(&Form::variable(round), -step);
        if !fixed(&first) || !fixed(&bound) {
            return None;
        }
        let first = self.state.space.resolve(began, &first, signed)?;
        let bound = self.state.space.resolve(began, &bound, signed)?;
        // Goes on while counter - bound is at most `most`, or at least.
        let (most, least) = match (compare, stays, swapped) {
            (Compare::Less, true, false)
            | (Compare::GreaterEqual, false, false)
            | (Compare::Greater, true, true)
            | (Compare::LessEqual, false, true) => (Some(-1), None),
            (Compare::LessEqual, true, false)
            | (Compare::Greater, false, false)
            | (Compare::GreaterEqual, true, true)
            | (Compare::Less, false, true) => (Some(0), None),
            (Compare::Greater, true, false)
            | (Compare::LessEqual, false, false)
            | (Compare::Less, true, true)
            | (Compare::GreaterEqual, false, true) => (None, Some(1)),
            (Compare::GreaterEqual, true, false)
            | (Compare::Less, false, false)
            | (Compare::LessEqual, true, true)
            | (Compare::Greater, false, true) => (None, Some(0)),
            _ => return None,
        };
        let counted = self.state.space.is_exact(&first) && self.state.space.is_exact(&bound);
        let (start_lo, start_hi) = self.state.space.hull(began, &first)?;
        let (bound_lo, bound_hi) = self.state.space.hull(began, &bound)?;
        let (smallest, largest) = if signed { (-(1i128 << 31), (1i128 << 31) - 1) } else { (0, MANY) };
        let counter = first.plus(&Form::variable(round), step);
        let (most, lo, hi) = match (most, least) {
            (Some(most), _) if step > 0 && bound_hi + most + step <= largest => {
                let last = bound_hi + most;
                ((last - start_lo).div_euclid(step) + 1, start_lo, start_hi.max(last + step))
            }
            (_, Some(least)) if step < 0 && bound_lo + least + step >= smallest => {
                let last = bound_lo + least;
                ((start_hi - last).div_euclid(-step) + 1, start_lo.min(last + step), start_hi)
            }
            _ => return None,
        };
        Some(Rounds { most: most.max(0), counted, counter, signed, lo, hi })
    }
}

/// What is known of a loop that counts.
struct Rounds {
    /// The largest number of rounds that go on.
    most: i128,
    /// That hangs on nothing unknown.
    counted: bool,
    /// The counter, as an integer from `lo` to `hi` in every round.
    counter: Form,
    signed: bool,
    lo: i128,
    hi: i128,
}

/// Those pieces, or if they are too many, perhaps all that they were cut from.
fn together(whole: &[Piece], pieces: Vec<Piece>) -> Vec<Piece> {
    if pieces.len() <= PIECES { pieces } else { perhaps(whole) }
}
