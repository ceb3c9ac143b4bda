//! The inside of a row: where no invocation returns at once and every plain index is in bounds.
//!
//! Guards and indices that go evenly along a row hold from one place to another, so a few operations per row do instead
//! of tests for each gang. A row is invocations side by side along x, or the gangs of a workgroup one after the other:
//! what is done with its inside is said in [`rows`](super::rows) and [`gangs`](super::gangs).

use super::Gang;
use super::state::Exec;
use rustc_hash::FxHashMap;
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Compare as SsaCompare, Index, Op as SsaOp, Place, Root, Statement};
use warpweft_vector::ir::{Binary, Compare, Convert, Kind, Value};

/// Guards and indices that are looked at, for one row.
const MOST: usize = 48;

/// How deep operands may nest that are computed ahead.
const DEPTH: u32 = 12;

/// An index, as [`Gang::is_proven`] asks for it.
pub(super) type Proven = (ssa::Value, Root, ssa::Limit, u32);

/// A part of a row, and what is known there.
pub(super) struct Inside {
    /// The first place, and the one behind the last: scalar `I64`s.
    pub(super) low: Value,
    pub(super) high: Value,
    /// Conditions that are decided.
    pub(super) decided: Vec<(ssa::Value, bool)>,
    /// Indices that are in bounds.
    pub(super) proven: Vec<Proven>,
    /// Indices that go evenly from place to place without running over.
    pub(super) lines: Lines,
    /// What each gang has to test: conditions of `decided`, and indices of `proven`.
    pub(super) conditions: Vec<(ssa::Value, bool)>,
    pub(super) indices: Vec<(Index, Root)>,
    /// Spans in which numbers have to lie that the inside is yet to be narrowed to.
    spans: Vec<Span>,
    /// Where the row starts.
    start: Value,
    /// A place is a gang: its lanes are at no places of their own.
    by_gangs: bool,
}

/// A number that goes evenly along a row: `start + slope · place + beyond`, in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) start: Value,
    pub(crate) slope: i64,
    /// How far it is beyond the first such number that was looked at: one start serves all that are constants apart.
    pub(crate) beyond: i64,
    /// The first such number where the row starts.
    first: Value,
}

/// The lines of indices. Long code has many that are constants apart.
#[derive(Debug, Default)]
pub(super) struct Lines {
    known: FxHashMap<ssa::Value, Line>,
    /// By what an index is apart from a constant: that, and the line, of the first such index.
    roots: FxHashMap<ssa::Value, (i64, Line)>,
}

impl Lines {
    pub(super) fn get(&self, index: ssa::Value) -> Option<Line> {
        self.known.get(&index).copied()
    }

    /// The first line that an index gets is its own.
    fn add(&mut self, index: ssa::Value, line: Line) {
        self.known.entry(index).or_insert(line);
    }
}

/// Where numbers have to lie that go evenly along the row, by so much from place to place: from the first to before the
/// second.
#[derive(Clone, Copy)]
struct Span {
    slope: i64,
    from: Value,
    to: Value,
    /// The least and the most of these numbers at the row's start.
    least: Value,
    most: Value,
}

impl Inside {
    /// Nothing is known, so nothing is gained.
    pub(super) fn is_plain(&self) -> bool {
        self.decided.is_empty() && self.proven.is_empty()
    }

    /// Gangs need no tests of their own.
    pub(super) fn is_even(&self) -> bool {
        self.conditions.is_empty() && self.indices.is_empty()
    }

    fn looked_at(&self) -> usize {
        self.decided.len() + self.proven.len()
    }
}

impl Gang<'_> {
    /// The inside of the row from `start` to `end`, where the ids are those at its start.
    pub(super) fn inside(&mut self, body: &[Statement], start: Value, end: Value, by_gangs: bool) -> Inside {
        self.state.exec = Exec::All;
        let mut inside = Inside {
            low: start,
            high: end,
            decided: vec![],
            proven: vec![],
            lines: Lines::default(),
            conditions: vec![],
            indices: vec![],
            spans: vec![],
            start,
            by_gangs,
        };
        self.guards(body, &mut inside);
        self.plain_indices(body, &mut inside);
        self.narrow_to_spans(&mut inside);
        inside
    }

    // --- guards ----------------------------------------------------------------------------------------------------

    /// Choices that follow from ids and uniforms: early returns, which no lane takes, and the edges of grids.
    fn guards(&mut self, body: &[Statement], inside: &mut Inside) {
        for statement in body {
            let Statement::If { condition, then, otherwise, .. } = statement else { continue };
            if inside.looked_at() >= MOST {
                return;
            }
            if self.ssa.constant(*condition).is_some() || self.ranges.decided(*condition).is_some() {
                continue;
            }
            let goes_on = self.goes_on(then, otherwise);
            if self.decide(*condition, goes_on, inside) {
                inside.decided.push((*condition, goes_on));
                self.guards(if goes_on { then } else { otherwise }, inside);
            }
        }
    }

    /// The arm that most lanes take, as a rule: not the one that returns, else the one that does more.
    pub(super) fn goes_on(&self, then: &[Statement], otherwise: &[Statement]) -> bool {
        let returns = |list: &[Statement]| matches!(list.last(), Some(Statement::Return));
        match (returns(then), returns(otherwise)) {
            (true, false) => false,
            (false, true) => true,
            _ => self.price(then) >= self.price(otherwise),
        }
    }

    /// Narrows the inside to where a condition is what is wanted, or leaves a test for each gang; `false` where neither
    /// can be.
    fn decide(&mut self, condition: ssa::Value, wanted: bool, inside: &mut Inside) -> bool {
        let ssa = self.ssa;
        if self.slopes.of(condition) == Some(0)
            && self.is_uniform(condition)
            && self.is_ahead(condition, DEPTH)
        {
            self.lower_ahead(condition);
            let holds = self.scalar(condition);
            let holds = if wanted { holds } else { self.b.not(holds) };
            inside.high = self.b.select(holds, inside.high, inside.start);
            return true;
        }
        let narrowed = match ssa.definition(condition).op {
            SsaOp::Unary(ssa::Unary::Not, inner) => return self.decide(inner, !wanted, inside),
            SsaOp::Binary(ssa::Binary::And, a, b) if wanted => {
                return self.decide(a, true, inside) && self.decide(b, true, inside);
            }
            SsaOp::Binary(ssa::Binary::Or, a, b) if !wanted => {
                return self.decide(a, false, inside) && self.decide(b, false, inside);
            }
            SsaOp::Compare(op, a, b) => self.compared(op, a, b, wanted, inside),
            _ => false,
        };
        if !narrowed {
            if self.b.lanes() == 1 || inside.by_gangs || !self.is_ahead(condition, 40) {
                return false;
            }
            inside.conditions.push((condition, wanted));
        }
        true
    }

    /// The same for integers of which one goes evenly along the row and the other is the same all along it.
    fn compared(
        &mut self,
        op: SsaCompare,
        a: ssa::Value,
        b: ssa::Value,
        wanted: bool,
        inside: &mut Inside,
    ) -> bool {
        use SsaCompare as C;
        let signed = match self.ssa.ty(a) {
            Scalar::I32 => true,
            Scalar::U32 => false,
            _ => return false,
        };
        let op = if wanted { op } else { negated(op) };
        let fixed = |gang: &Self, value| gang.slopes.of(value) == Some(0) && gang.is_uniform(value);
        let (moving, limit, op) = match (fixed(self, a), fixed(self, b)) {
            (false, true) => (a, b, op),
            (true, false) => (b, a, mirrored(op)),
            _ => return false,
        };
        let Some(slope) = self.slopes.of(moving) else { return false };
        if !self.is_scalar(moving) || !self.is_ahead(moving, DEPTH) || !self.is_ahead(limit, DEPTH) {
            return false;
        }
        if op == C::Equal || (op == C::NotEqual && (slope.abs() != 1 || inside.by_gangs)) {
            return false;
        }
        self.lower_ahead(moving);
        self.lower_ahead(limit);
        let (start, limit) = (self.scalar(moving), self.scalar(limit));
        if op == C::NotEqual {
            self.narrow_to_spans(inside);
            self.without(start, slope, limit, inside);
            return true;
        }
        let span = self.span(op, limit, signed);
        let start = self.b.convert(Convert::SignExtend, start, Kind::I64);
        let lanes = self.lanes_of(moving, inside);
        self.narrow(start, slope, lanes, span, inside);
        true
    }

    /// The numbers that compare so with a limit: from the first to before the second, in 64 bits.
    pub(super) fn span(&mut self, op: SsaCompare, limit: Value, signed: bool) -> (Value, Value) {
        use SsaCompare as C;
        let (extend, least, most) = if signed {
            (Convert::SignExtend, i64::from(i32::MIN), i64::from(i32::MAX) + 1)
        } else {
            (Convert::ZeroExtend, 0, 1 << 32)
        };
        let limit = self.b.convert(extend, limit, Kind::I64);
        let (least, most) = (self.b.i64(least as u64), self.b.i64(most as u64));
        let one = self.b.i64(1);
        match op {
            C::Less => (least, limit),
            C::LessEqual => (least, self.b.add(limit, one)),
            C::Greater => (self.b.add(limit, one), most),
            _ => (limit, most),
        }
    }

    /// Whether a number lies in a span, as a scalar `Bool`.
    pub(super) fn lies(&mut self, number: Value, (from, to): (Value, Value)) -> Value {
        let above = self.b.compare(Compare::LeS, from, number);
        let below = self.b.compare(Compare::LtS, number, to);
        self.b.and(above, below)
    }

    /// The span in which the first lane's number must lie for all lanes' to lie in another; they are so far apart as the
    /// lowest and the highest are from the first.
    pub(super) fn span_of_first(
        &mut self,
        (from, to): (Value, Value),
        (lowest, highest): (i64, i64),
    ) -> (Value, Value) {
        let (lowest, highest) = (self.b.i64(lowest as u64), self.b.i64(highest as u64));
        (self.b.sub(from, lowest), self.b.sub(to, highest))
    }

    /// How far from the first lane's number the lowest and the highest lane's are, where lanes have no places.
    fn lanes_of(&self, value: ssa::Value, inside: &Inside) -> (i64, i64) {
        if inside.by_gangs { self.reach_of(value) } else { (0, 0) }
    }

    /// How far the lowest and the highest lane's number are from the first's.
    pub(super) fn reach_of(&self, value: ssa::Value) -> (i64, i64) {
        let reach = (i64::from(self.b.lanes()) - 1) * self.step(value).unwrap_or(0);
        (reach.min(0), reach.max(0))
    }

    /// The inside loses its shorter side, up to where a value is the limit.
    fn without(&mut self, start: Value, slope: i64, limit: Value, inside: &mut Inside) {
        // Modulo 2³² there is one such place ahead.
        let distance = if slope > 0 { self.b.sub(limit, start) } else { self.b.sub(start, limit) };
        let distance = self.b.convert(Convert::ZeroExtend, distance, Kind::I64);
        let place = self.b.add(inside.start, distance);
        let one = self.b.i64(1);
        let behind = self.b.add(place, one);
        let left = self.b.sub(place, inside.low);
        let right = self.b.sub(inside.high, place);
        let early = self.b.compare(Compare::LtS, left, right);
        let low = self.max(inside.low, behind);
        let high = self.min(inside.high, place);
        inside.low = self.b.select(early, low, inside.low);
        inside.high = self.b.select(early, inside.high, high);
    }

    // --- indices ---------------------------------------------------------------------------------------------------

    /// The indices that follow from ids and uniforms alone, where the code comes past for certain.
    fn plain_indices(&mut self, body: &[Statement], inside: &mut Inside) {
        let ssa = self.ssa;
        for statement in body {
            match statement {
                Statement::Let(value) => match &ssa.definition(*value).op {
                    SsaOp::Load { place, .. } | SsaOp::Atomic(_, place, _) => {
                        self.plain_place(place, inside);
                    }
                    _ => {}
                },
                Statement::Store { place, .. } => self.plain_place(place, inside),
                Statement::If { condition, then, otherwise, .. } => {
                    match inside.decided.iter().find(|(value, _)| value == condition) {
                        Some((_, true)) => self.plain_indices(then, inside),
                        Some((_, false)) => self.plain_indices(otherwise, inside),
                        // What only some lanes do may contradict what the others do.
                        None if !self.is_uniform(*condition) => {}
                        None => {
                            self.plain_indices(then, inside);
                            self.plain_indices(otherwise, inside);
                        }
                    }
                }
                Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                    self.plain_indices(body, inside);
                }
                _ => {}
            }
        }
    }

    fn plain_place(&mut self, place: &Place, inside: &mut Inside) {
        for index in &place.indices {
            let key = (index.value, place.root, index.limit, index.stride);
            if inside.looked_at() >= MOST || inside.proven.contains(&key) || !self.follows(index.value, DEPTH)
            {
                continue;
            }
            let proven = self.is_proven(place, index);
            match self.slopes.of(index.value) {
                None if proven || self.b.lanes() == 1 || inside.by_gangs => continue,
                None => inside.indices.push((*index, place.root)),
                Some(slope) => {
                    // Any number that is the index modulo 2³²: once in bounds, it is the index.
                    let beside = if proven { None } else { self.beside(index.value, inside) };
                    let start = match beside {
                        Some(Line { first, beyond, .. }) => {
                            let beyond = self.b.i64(beyond as u64);
                            self.b.add(first, beyond)
                        }
                        None => {
                            self.lower_ahead(index.value);
                            let start = self.scalar(index.value);
                            self.b.convert(Convert::SignExtend, start, Kind::I64)
                        }
                    };
                    if !proven {
                        let limit = self.limit(place.root, index);
                        let limit = self.b.convert(Convert::ZeroExtend, limit, Kind::I64);
                        let none = self.b.i64(0);
                        let lanes = self.lanes_of(index.value, inside);
                        self.narrow(start, slope, lanes, (none, limit), inside);
                    } else if slope != 0 && !(inside.by_gangs && is_straight(slope, index.limit)) {
                        // It may still have run over.
                        continue;
                    }
                    match beside {
                        Some(line) => inside.lines.add(index.value, line),
                        None => self.draw(index.value, start, slope, inside),
                    }
                }
            }
            if !proven {
                inside.proven.push(key);
            }
        }
    }

    /// Notes how an index goes along the row.
    fn draw(&mut self, index: ssa::Value, start: Value, slope: i64, inside: &mut Inside) {
        if inside.lines.get(index).is_some() {
            return;
        }
        let factor = self.b.i64(slope as u64);
        let before = self.b.binary(Binary::Mul, inside.start, factor);
        let first = start;
        let start = self.b.sub(start, before);
        let line = Line { start, slope, beyond: 0, first };
        inside.lines.add(index, line);
        let (root, number) = self.root_and_number(index);
        inside.lines.roots.entry(root).or_insert((number, line));
    }

    /// The line of an index that is a constant apart from one that has a line.
    fn beside(&self, index: ssa::Value, inside: &Inside) -> Option<Line> {
        let (root, number) = self.root_and_number(index);
        let &(from, line) = inside.lines.roots.get(&root)?;
        Some(Line { beyond: line.beyond + number - from, ..line })
    }

    /// An integer as another one and a constant.
    fn root_and_number(&self, value: ssa::Value) -> (ssa::Value, i64) {
        use ssa::Binary as B;
        let (mut value, mut sum) = (value, 0);
        for _ in 0..DEPTH {
            let SsaOp::Binary(op @ (B::Add | B::Subtract), a, b) = self.ssa.definition(value).op else {
                break;
            };
            let number = |value| self.ssa.constant(value).map(|bits| i64::from(bits as u32 as i32));
            (value, sum) = match (op, number(a), number(b)) {
                (B::Add, _, Some(number)) => (a, sum + number),
                (B::Subtract, _, Some(number)) => (a, sum - number),
                (B::Add, Some(number), _) => (b, sum + number),
                _ => break,
            };
        }
        (value, sum)
    }

    // --- where ------------------------------------------------------------------------------------------------------

    /// Narrows the inside to where a number, `start` at the row's start, lies in a span with all of its lanes: now, or with
    /// others of its kind later.
    fn narrow(
        &mut self,
        start: Value,
        slope: i64,
        lanes: (i64, i64),
        span: (Value, Value),
        inside: &mut Inside,
    ) {
        let (from, to) = self.span_of_first(span, lanes);
        if slope == 0 {
            let holds = self.lies(start, (from, to));
            inside.high = self.b.select(holds, inside.high, inside.start);
            return;
        }
        // Mostly arrays of different length at the same index, which are asked once.
        let same = |known: &&mut Span| (known.slope, known.least, known.most) == (slope, start, start);
        match inside.spans.iter_mut().find(same) {
            Some(known) => {
                known.from = self.max(known.from, from);
                known.to = self.min(known.to, to);
            }
            None => inside.spans.push(Span { slope, from, to, least: start, most: start }),
        }
    }

    /// Narrows the inside to all spans that were found; it stays within the row.
    fn narrow_to_spans(&mut self, inside: &mut Inside) {
        if inside.spans.is_empty() {
            return;
        }
        // Mostly neighbours in one array.
        let mut spans: Vec<Span> = vec![];
        for span in std::mem::take(&mut inside.spans) {
            let same =
                |known: &&mut Span| (known.slope, known.from, known.to) == (span.slope, span.from, span.to);
            match spans.iter_mut().find(same) {
                Some(known) => {
                    known.least = self.min(known.least, span.least);
                    known.most = self.max(known.most, span.most);
                }
                None => spans.push(span),
            }
        }
        for Span { slope, from, to, least, most } in spans {
            let (low, high) = match slope {
                // Behind the row's start or not: the inside starts there at least, and ends there at least in the end.
                1 => {
                    let [least, most] = [least, most].map(|at| self.b.sub(at, inside.start));
                    (self.b.sub(from, least), self.b.sub(to, most))
                }
                // How many steps of so much it takes to reach, or to pass, a distance.
                2.. => {
                    let (low, high) = (self.b.sub(from, least), self.b.sub(to, most));
                    let low = self.steps_to(low, slope, slope - 1);
                    let high = self.steps_to(high, slope, slope - 1);
                    (self.b.add(inside.start, low), self.b.add(inside.start, high))
                }
                _ => {
                    let one = self.b.i64(1);
                    let (high, low) = (self.b.sub(least, from), self.b.sub(most, to));
                    // Behind the last step that stays, and behind the last that does not reach.
                    let (high, low) = (self.b.add(high, one), self.b.add(low, one));
                    let low = self.steps_to(low, -slope, -slope - 1);
                    let high = self.steps_to(high, -slope, -slope - 1);
                    (self.b.add(inside.start, low), self.b.add(inside.start, high))
                }
            };
            inside.low = self.max(inside.low, low);
            inside.high = self.min(inside.high, high);
        }
        inside.high = self.max(inside.high, inside.start);
    }

    /// `(distance + more) / slope`, of a distance that counts as 0 where it is negative.
    fn steps_to(&mut self, distance: Value, slope: i64, more: i64) -> Value {
        let none = self.b.i64(0);
        let distance = self.max(distance, none);
        if slope == 1 {
            return distance;
        }
        let more = self.b.i64(more as u64);
        let distance = self.b.add(distance, more);
        // Slopes have 31 bits.
        self.divided(distance, slope as u32)
    }

    fn max(&mut self, a: Value, b: Value) -> Value {
        if a == b {
            return a;
        }
        self.b.binary(Binary::MaxS, a, b)
    }

    fn min(&mut self, a: Value, b: Value) -> Value {
        if a == b {
            return a;
        }
        self.b.binary(Binary::MinS, a, b)
    }
}

/// Whether an index that is in bounds goes evenly from gang to gang in 64 bits too. A workgroup has few gangs, so that from
/// the first one, wherever in 32 bits it starts, less than 2³⁰ lie between; a second number below the limit that is the
/// same modulo 2³² is out of reach then.
fn is_straight(slope: i64, limit: ssa::Limit) -> bool {
    const STEEPEST: u64 = 1 << 20;
    const MOST_ELEMENTS: u32 = 1 << 29;
    slope.unsigned_abs() < STEEPEST && matches!(limit, ssa::Limit::Fixed(count) if count <= MOST_ELEMENTS)
}

/// The comparison that holds where this does not.
pub(super) fn negated(op: SsaCompare) -> SsaCompare {
    use SsaCompare as C;
    match op {
        C::Equal => C::NotEqual,
        C::NotEqual => C::Equal,
        C::Less => C::GreaterEqual,
        C::LessEqual => C::Greater,
        C::Greater => C::LessEqual,
        C::GreaterEqual => C::Less,
    }
}

/// The comparison with its operands the other way round.
pub(super) fn mirrored(op: SsaCompare) -> SsaCompare {
    use SsaCompare as C;
    match op {
        C::Less => C::Greater,
        C::LessEqual => C::GreaterEqual,
        C::Greater => C::Less,
        C::GreaterEqual => C::LessEqual,
        other => other,
    }
}
