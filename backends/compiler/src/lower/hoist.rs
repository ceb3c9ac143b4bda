//! Bounds tests in front of loops: where a counter stays in bounds from its start to its limit, rounds do not ask.
//!
//! The innermost loop is emitted twice, without tests and with them; what its indices and conditions are at both ends of
//! the count decides which one runs. Knows how indices go along with a counter, not what they are used for.

use super::Gang;
use super::ahead::MOST_OPERATIONS;
use super::counted::Count;
use super::inside::{Proven, mirrored, negated};
use super::loops::{contains_loop, places};
use super::rows::Version;
use super::state::End;
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Binary as SsaBinary, Index, Op as SsaOp, Place, Root, Statement, Unary};
use warpweft_vector::ir::{Binary, Compare, Convert, Hint, Kind, Value};

/// Statements of a loop that is emitted twice, at most.
const MOST_STATEMENTS: usize = 120;

/// Indices that are looked at, for one loop.
const MOST_INDICES: usize = 8;

/// How deep operands may nest that are computed in front of the loop.
const DEPTH: u32 = 12;

/// Rounds that may pass without asking whether the launch was cancelled: less than a second of any code.
const UNWATCHED: u64 = 1 << 20;

/// A loop that is emitted twice.
pub(super) struct Hoisted {
    /// The tests hold: a scalar `Bool`.
    condition: Value,
    proven: Vec<Proven>,
    decided: Vec<(ssa::Value, bool)>,
}

/// What is asked in front of a loop.
#[derive(Default)]
struct Questions<'s> {
    /// Places in front of the loop's own test, and where it ends the loop: that runs once too often.
    early: Vec<&'s Place>,
    /// Conditions that are asked there, and the test itself.
    asked: Vec<ssa::Value>,
    indices: Vec<(Index, Root)>,
    /// A comparison that shall hold: of a moving number, with a fixed one.
    comparisons: Vec<(ssa::Compare, ssa::Value, ssa::Value)>,
    /// The conditions that follow.
    decided: Vec<(ssa::Value, bool)>,
}

/// How a value goes along with a counter.
#[derive(Clone, Copy, PartialEq)]
enum Course {
    Fixed,
    /// By the same amount each time, modulo 2³².
    Even,
}

/// What a loop defines.
struct Inside {
    counter: ssa::Value,
    defined: Vec<ssa::Value>,
}

impl Inside {
    fn has(&self, value: ssa::Value) -> bool {
        self.defined.binary_search(&value).is_ok()
    }
}

impl Gang<'_> {
    /// Lowers a loop, twice if that saves tests.
    pub(super) fn loop_with_tests_in_front(&mut self, statement: &Statement) -> End {
        let Statement::Loop { label, params, body, .. } = statement else {
            return End::Yield(vec![]);
        };
        let is_version = self.known.version.is_some_and(|(known, _)| known == *label);
        let hoisted = if self.known.rare || is_version { None } else { self.hoisted(*label, params, body) };
        let Some(Hoisted { condition, proven, decided }) = hoisted else {
            return self.loop_(*label, params, body);
        };
        let list = std::slice::from_ref(statement);
        let exec = self.state.exec;
        let before = (self.known.proven.len(), self.known.decided.len());
        self.known.proven.extend(proven);
        self.known.decided.extend(decided);
        self.known.version = Some((*label, Version::Asked));
        let free = self.arm(exec, list, &[], None);
        self.known.proven.truncate(before.0);
        self.known.decided.truncate(before.1);
        self.known.version = Some((*label, Version::Asking));
        let tested = self.arm(exec, list, &[], None);
        // Loops that are emitted twice have none inside, so there is no other version around.
        self.known.version = None;
        self.join(condition, [free, tested], &[], Hint::Likely).into()
    }

    fn hoisted(
        &mut self,
        label: ssa::Label,
        params: &[(ssa::Value, ssa::Value)],
        body: &[Statement],
    ) -> Option<Hoisted> {
        if contains_loop(body) || size(body) > MOST_STATEMENTS {
            return None;
        }
        let (count, head) = self.count(label, params, body)?;
        let mut defined: Vec<ssa::Value> = params.iter().map(|&(param, _)| param).collect();
        definitions(body, &mut defined);
        defined.sort_unstable();
        let inside = Inside { counter: count.counter, defined };
        let same = self.is_uniform(count.counter) && self.is_uniform(count.limit);
        if !same || !head.jumps || self.course(count.limit, &inside, DEPTH) != Some(Course::Fixed) {
            return None;
        }
        let mut questions = Questions::default();
        questions.asked.push(head.condition);
        for list in &head.early {
            places(self.ssa, list, false, &mut |place, _| questions.early.push(place));
            conditions(self.ssa, list, &mut questions.asked);
        }
        head.behind.iter().for_each(|list| self.ask(list, &inside, &mut questions));
        if questions.indices.is_empty() && questions.decided.is_empty() {
            return None;
        }
        // The loop that is not asked leaves the question to the one around it.
        if !self.is_short(label, params, body) {
            self.poll();
        }
        let condition = self.stays_inside(count, &inside, &questions);
        let Questions { indices, decided, .. } = questions;
        let proven = indices.iter().map(|&(index, root)| (index.value, root, index.limit, index.stride));
        Some(Hoisted { condition, proven: proven.collect(), decided })
    }

    /// Collects what could be asked in front of a loop of a list that each round comes to, behind the loop's own test.
    fn ask<'s>(&self, list: &'s [Statement], inside: &Inside, questions: &mut Questions<'s>) {
        for statement in list {
            match statement {
                Statement::Let(value) => match &self.ssa.definition(*value).op {
                    SsaOp::Load { place, .. }
                    | SsaOp::Atomic(_, place, _)
                    | SsaOp::CompareExchange(place, ..) => self.ask_place(place, inside, questions),
                    _ => {}
                },
                Statement::Store { place, .. } => self.ask_place(place, inside, questions),
                Statement::If { condition, then, otherwise, .. } => {
                    if let Some(known) = self.known_condition(*condition) {
                        self.ask(if known { then } else { otherwise }, inside, questions);
                        continue;
                    }
                    let goes_on = self.goes_on(then, otherwise);
                    let before = questions.comparisons.len();
                    if before < MOST_INDICES
                        && !questions.asked.contains(condition)
                        && self.ask_condition(*condition, goes_on, inside, questions)
                    {
                        questions.decided.push((*condition, goes_on));
                        self.ask(if goes_on { then } else { otherwise }, inside, questions);
                        continue;
                    }
                    questions.comparisons.truncate(before);
                    if self.is_uniform(*condition) {
                        self.ask(then, inside, questions);
                        self.ask(otherwise, inside, questions);
                    }
                }
                Statement::Block { body, .. } => self.ask(body, inside, questions),
                _ => {}
            }
        }
    }

    fn ask_place(&self, place: &Place, inside: &Inside, questions: &mut Questions<'_>) {
        for index in &place.indices {
            if questions.indices.len() < MOST_INDICES
                && !self.is_proven(place, index)
                && self.is_scalar(index.value)
                && inside.has(index.value)
                && !questions.early.iter().any(|place| place.indices.contains(index))
                && !questions.indices.contains(&(*index, place.root))
                && self.course(index.value, inside, DEPTH).is_some()
            {
                questions.indices.push((*index, place.root));
            }
        }
    }

    /// Adds the comparisons that make a condition what is wanted; `false` where they are not all plain.
    fn ask_condition(
        &self,
        condition: ssa::Value,
        wanted: bool,
        inside: &Inside,
        questions: &mut Questions<'_>,
    ) -> bool {
        use ssa::Compare as C;
        match self.ssa.definition(condition).op {
            SsaOp::Unary(Unary::Not, inner) => self.ask_condition(inner, !wanted, inside, questions),
            SsaOp::Binary(SsaBinary::And, a, b) if wanted => {
                self.ask_condition(a, true, inside, questions)
                    && self.ask_condition(b, true, inside, questions)
            }
            SsaOp::Binary(SsaBinary::Or, a, b) if !wanted => {
                self.ask_condition(a, false, inside, questions)
                    && self.ask_condition(b, false, inside, questions)
            }
            SsaOp::Compare(op, a, b) => {
                let op = if wanted { op } else { negated(op) };
                if matches!(op, C::Equal | C::NotEqual)
                    || !matches!(self.ssa.ty(a), Scalar::I32 | Scalar::U32)
                    || !(self.is_scalar(a) && self.is_scalar(b))
                {
                    return false;
                }
                let fixed = |value| {
                    self.is_uniform(value) && self.course(value, inside, DEPTH) == Some(Course::Fixed)
                };
                let (moving, limit, op) = match (fixed(a), fixed(b)) {
                    (_, true) => (a, b, op),
                    (true, false) => (b, a, mirrored(op)),
                    _ => return false,
                };
                if self.course(moving, inside, DEPTH).is_none() {
                    return false;
                }
                questions.comparisons.push((op, moving, limit));
                true
            }
            _ => false,
        }
    }

    /// Whether all rounds of a loop answer the questions, and are not too many, as a scalar `Bool`.
    fn stays_inside(&mut self, count: Count, inside: &Inside, questions: &Questions<'_>) -> Value {
        let signed = self.ssa.ty(count.counter) == Scalar::I32;
        let start32 = self.scalar(count.start);
        let limit = self.in_front(count.limit, inside, start32);
        let extend = if signed { Convert::SignExtend } else { Convert::ZeroExtend };
        let start = self.b.convert(extend, start32, Kind::I64);
        let mut end = self.b.convert(extend, limit, Kind::I64);
        if count.inclusive {
            let one = self.b.i64(1);
            end = self.b.add(end, one);
        }
        // The counter does not run over on its way.
        let mut room = self.b.i64((1 << 31) - u64::from(count.step));
        let rounds = self.b.sub(end, start);
        let few = self.b.i64(UNWATCHED * u64::from(count.step));
        let none = self.b.i64(0);
        let mut asked = vec![];
        if signed {
            asked.push(self.b.compare(Compare::LeS, none, start));
        }
        let mut spans = vec![];
        for &(index, root) in &questions.indices {
            let limit = self.limit(root, &index);
            let limit = self.b.convert(Convert::ZeroExtend, limit, Kind::I64);
            if index.value == count.counter {
                room = self.b.binary(Binary::MinS, room, limit);
            } else {
                spans.push((index.value, (none, limit)));
            }
        }
        for &(op, moving, limit) in &questions.comparisons {
            let limit = self.in_front(limit, inside, start32);
            let signed = self.ssa.ty(moving) == Scalar::I32;
            let span = self.span(op, limit, signed);
            spans.push((moving, span));
        }
        for (moving, span) in spans {
            let one = self.b.i32(1);
            let first = self.in_front(moving, inside, start32);
            let second = self.b.add(start32, one);
            let second = self.in_front(moving, inside, second);
            let growth = self.b.sub(second, first);
            let growth = self.b.convert(Convert::SignExtend, growth, Kind::I64);
            let first = self.b.convert(Convert::SignExtend, first, Kind::I64);
            let one = self.b.i64(1);
            let last = self.b.sub(rounds, one);
            let last = self.b.binary(Binary::Mul, last, growth);
            let last = self.b.add(last, first);
            let span = self.span_of_first(span, self.reach_of(moving));
            for end in [first, last] {
                asked.push(self.lies(end, span));
            }
        }
        // One comparison for all fixed numbers that the counter's end must stay below.
        let fits = self.b.compare(Compare::LeS, end, room);
        let soon = self.b.compare(Compare::LeS, rounds, few);
        let holds = self.b.and(fits, soon);
        asked.into_iter().fold(holds, |holds, asked| self.b.and(holds, asked))
    }

    /// A value of a loop, computed in front of it for a value of its counter.
    fn in_front(&mut self, value: ssa::Value, inside: &Inside, counter: Value) -> Value {
        if value == inside.counter {
            return counter;
        }
        if inside.has(value) {
            self.compute(value, inside, counter);
        }
        self.scalar(value)
    }

    fn compute(&mut self, value: ssa::Value, inside: &Inside, counter: Value) {
        if value == inside.counter {
            self.values[value.0 as usize] = Some(counter);
            return;
        }
        if !inside.has(value) {
            return;
        }
        let definition = self.ssa.definition(value);
        if matches!(definition.op, SsaOp::Constant(_)) {
            return;
        }
        let mut operands = vec![];
        definition.op.operands(|operand| operands.push(operand));
        for operand in operands {
            self.compute(operand, inside, counter);
        }
        let form = self.operation(value, definition);
        self.values[value.0 as usize] = Some(form);
    }

    /// How a value goes along with a counter; `None` where that is not plain, or it cannot be computed in front.
    fn course(&self, value: ssa::Value, inside: &Inside, depth: u32) -> Option<Course> {
        self.course_within(value, inside, depth, &mut { MOST_OPERATIONS })
    }

    fn course_within(
        &self,
        value: ssa::Value,
        inside: &Inside,
        depth: u32,
        left: &mut u32,
    ) -> Option<Course> {
        use Course::{Even, Fixed};
        if value == inside.counter {
            return Some(Even);
        }
        let definition = self.ssa.definition(value);
        if matches!(definition.op, SsaOp::Constant(_)) {
            return Some(Fixed);
        }
        if !inside.has(value) {
            return self.is_here(value).then_some(Fixed);
        }
        if matches!(definition.op, SsaOp::Length { .. }) {
            return Some(Fixed);
        }
        if depth == 0 || *left == 0 || matches!(definition.op, SsaOp::Parameter) || !self.is_plain(value) {
            return None;
        }
        *left -= 1;
        let mut courses = vec![];
        definition.op.operands(|operand| courses.push(self.course_within(operand, inside, depth - 1, left)));
        let courses: Vec<Course> = courses.into_iter().collect::<Option<_>>()?;
        if courses.iter().all(|&course| course == Fixed) {
            return Some(Fixed);
        }
        if !matches!(definition.ty, Scalar::I32 | Scalar::U32) {
            return None;
        }
        match definition.op {
            SsaOp::Binary(SsaBinary::Add | SsaBinary::Subtract, ..) | SsaOp::Unary(Unary::Negate, _) => {
                Some(Even)
            }
            SsaOp::Bitcast(of) if matches!(self.ssa.ty(of), Scalar::I32 | Scalar::U32) => Some(Even),
            SsaOp::Binary(SsaBinary::Multiply, ..) => courses.contains(&Fixed).then_some(Even),
            SsaOp::Binary(SsaBinary::ShiftLeft, ..) => (courses[1] == Fixed).then_some(Even),
            _ => None,
        }
    }

    /// A value from outside of a loop can be used in front of it. Where regions are, a condition may come from another
    /// one while what it was made of did not: that is still another gang's.
    fn is_here(&self, value: ssa::Value) -> bool {
        let home = self.home(value);
        self.regions.is_none() || home == 0 || home == self.region.0 || self.region.1.contains(&value)
    }
}

/// How many statements there are.
fn size(list: &[Statement]) -> usize {
    let of = |statement: &Statement| match statement {
        Statement::If { then, otherwise, .. } => 1 + size(then) + size(otherwise),
        Statement::Block { body, .. } | Statement::Loop { body, .. } => 1 + size(body),
        _ => 1,
    };
    list.iter().map(of).sum()
}

/// Everything that a list defines.
fn definitions(list: &[Statement], defined: &mut Vec<ssa::Value>) {
    for statement in list {
        match statement {
            Statement::Let(value) => defined.push(*value),
            Statement::If { then, otherwise, results, .. } => {
                defined.extend(results);
                definitions(then, defined);
                definitions(otherwise, defined);
            }
            Statement::Block { body, results, .. } => {
                defined.extend(results);
                definitions(body, defined);
            }
            Statement::Loop { params, body, .. } => {
                defined.extend(params.iter().map(|&(param, _)| param));
                definitions(body, defined);
            }
            _ => {}
        }
    }
}

/// Every condition that a list asks.
fn conditions(function: &ssa::Function, list: &[Statement], found: &mut Vec<ssa::Value>) {
    for statement in list {
        match statement {
            Statement::Let(value) => {
                if let SsaOp::Select(condition, ..) = function.definition(*value).op {
                    found.push(condition);
                }
            }
            Statement::If { condition, then, otherwise, .. } => {
                found.push(*condition);
                conditions(function, then, found);
                conditions(function, otherwise, found);
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                conditions(function, body, found);
            }
            _ => {}
        }
    }
}
