//! The inside of a row: the x for which no invocation returns at once and every plain index is in bounds.
//!
//! Guards and indices that go evenly along a row hold from one x to another, so two divisions per row do instead of
//! tests for each gang. What cannot be answered that way stays a test of each gang. What is done with the inside is said
//! in [`rows`](super::rows).

use super::Gang;
use super::state::Exec;
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Compare as SsaCompare, Index, Op as SsaOp, Place, Root, Statement};
use warpweft_vector::ir::{Binary, Compare, Convert, Kind, Value};

/// Guards and indices that are looked at, for one kernel.
const MOST: usize = 48;

/// How deep operands may nest that are computed ahead.
const DEPTH: u32 = 12;

/// An index, as [`Gang::is_proven`] asks for it.
pub(super) type Proven = (ssa::Value, Root, ssa::Limit, u32);

/// A part of a row, and what is known there.
pub(super) struct Inside {
    /// The first x, and the one behind the last: scalar `I64`s.
    pub(super) low: Value,
    pub(super) high: Value,
    /// Conditions that are decided.
    pub(super) decided: Vec<(ssa::Value, bool)>,
    /// Indices that are in bounds.
    pub(super) proven: Vec<Proven>,
    /// Indices that are `start + slope · x` without running over.
    pub(super) lines: Vec<(ssa::Value, Line)>,
    /// What each gang has to test: conditions of `decided`, and indices of `proven`.
    pub(super) conditions: Vec<(ssa::Value, bool)>,
    pub(super) indices: Vec<(Index, Root)>,
    /// Where the row starts.
    start: Value,
}

/// A number that goes evenly along a row: `start + slope · x`, in 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) start: Value,
    pub(crate) slope: i64,
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
    /// The inside of the row from `x0` to `x1`, where the ids are those of `x0`.
    pub(super) fn inside(&mut self, body: &[Statement], x0: Value, x1: Value) -> Inside {
        self.state.exec = Exec::All;
        let mut inside = Inside {
            low: x0,
            high: x1,
            decided: vec![],
            proven: vec![],
            lines: vec![],
            conditions: vec![],
            indices: vec![],
            start: x0,
        };
        self.guards(body, &mut inside);
        self.plain_indices(body, &mut inside);
        inside
    }

    // --- guards ----------------------------------------------------------------------------------------------------

    /// Early returns at the head of a kernel: no lane takes them.
    fn guards(&mut self, body: &[Statement], inside: &mut Inside) {
        for (at, statement) in body.iter().enumerate() {
            match statement {
                // Computed where a test wants it, so that code without masks does not pay for masks.
                Statement::Let(value) if self.is_plain(*value) => {}
                Statement::If { condition, then, otherwise, results, .. } if results.is_empty() => {
                    let last =
                        matches!(body.get(at + 1), None | Some(Statement::Yield { .. } | Statement::Return));
                    // An arm that is known not to be taken may do anything, as long as nobody comes back from it.
                    let returns = |list: &[Statement]| matches!(list.last(), Some(Statement::Return));
                    let nothing = |list: &[Statement]| matches!(list, [Statement::Yield { .. }]);
                    // The arm that goes on.
                    let goes_on = if returns(then) && nothing(otherwise) {
                        false
                    } else if (returns(otherwise) && nothing(then)) || (last && nothing(otherwise)) {
                        true
                    } else if last && nothing(then) {
                        false
                    } else if last {
                        // The inside of a stencil, as a rule.
                        self.price(then) >= self.price(otherwise)
                    } else {
                        return;
                    };
                    if self.ssa.constant(*condition).is_some() {
                        continue;
                    }
                    if inside.looked_at() >= MOST || !self.decide(*condition, goes_on, inside) {
                        return;
                    }
                    inside.decided.push((*condition, goes_on));
                    if last {
                        let inner = if goes_on { then } else { otherwise };
                        return self.guards(inner, inside);
                    }
                }
                _ => return,
            }
        }
    }

    /// Narrows the inside to where a condition is what is wanted, or leaves a test for each gang; `false` where neither
    /// can be.
    fn decide(&mut self, condition: ssa::Value, wanted: bool, inside: &mut Inside) -> bool {
        let ssa = self.ssa;
        if self.slopes.of(condition) == Some(0)
            && self.is_scalar(condition)
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
            if self.b.lanes() == 1 || !self.is_ahead(condition, 40) {
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
        let (moving, fixed, op) = match (self.slopes.of(a), self.slopes.of(b)) {
            (Some(_), Some(0)) => (a, b, op),
            (Some(0), Some(_)) => (b, a, mirrored(op)),
            _ => return false,
        };
        let Some(slope) = self.slopes.of(moving) else { return false };
        if !self.is_ahead(moving, DEPTH) || !self.is_ahead(fixed, DEPTH) || !self.is_scalar(fixed) {
            return false;
        }
        if op == C::Equal || (op == C::NotEqual && slope.abs() != 1) {
            return false;
        }
        let Some(start) = self.ahead(moving) else { return false };
        self.lower_ahead(fixed);
        let limit = self.scalar(fixed);
        if op == C::NotEqual {
            self.without(start, slope, limit, inside);
            return true;
        }
        let (extend, least, most) = if signed {
            (Convert::SignExtend, i64::from(i32::MIN), i64::from(i32::MAX) + 1)
        } else {
            (Convert::ZeroExtend, 0, 1 << 32)
        };
        let limit = self.b.convert(extend, limit, Kind::I64);
        let (least, most) = (self.b.i64(least as u64), self.b.i64(most as u64));
        let one = self.b.i64(1);
        let (from, to) = match op {
            C::Less => (least, limit),
            C::LessEqual => (least, self.b.add(limit, one)),
            C::Greater => (self.b.add(limit, one), most),
            _ => (limit, most),
        };
        let start = self.b.convert(Convert::SignExtend, start, Kind::I64);
        self.narrow(start, slope, from, to, inside);
        true
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
                None if proven || self.b.lanes() == 1 => continue,
                None => inside.indices.push((*index, place.root)),
                Some(slope) => {
                    let Some(start) = self.ahead(index.value) else { continue };
                    let start = self.b.convert(Convert::SignExtend, start, Kind::I64);
                    if !proven {
                        let limit = self.limit(place.root, index);
                        let limit = self.b.convert(Convert::ZeroExtend, limit, Kind::I64);
                        let none = self.b.i64(0);
                        self.narrow(start, slope, none, limit, inside);
                    } else if slope != 0 {
                        // It may still have run over.
                        continue;
                    }
                    self.draw(index.value, start, slope, inside);
                }
            }
            if !proven {
                inside.proven.push(key);
            }
        }
    }

    /// Notes how an index goes along the row.
    fn draw(&mut self, index: ssa::Value, start: Value, slope: i64, inside: &mut Inside) {
        if inside.lines.iter().any(|&(known, _)| known == index) {
            return;
        }
        let factor = self.b.i64(slope as u64);
        let before = self.b.binary(Binary::Mul, inside.start, factor);
        let start = self.b.sub(start, before);
        inside.lines.push((index, Line { start, slope }));
    }

    /// What an integer is at the start of the row, as a scalar `I32`.
    fn ahead(&mut self, value: ssa::Value) -> Option<Value> {
        self.lower_ahead(value);
        self.is_scalar(value).then(|| self.scalar(value))
    }

    // --- where ------------------------------------------------------------------------------------------------------

    /// Narrows the inside to where `from <= start + slope · (x - x0) < to`.
    fn narrow(&mut self, start: Value, slope: i64, from: Value, to: Value, inside: &mut Inside) {
        if slope == 0 {
            let above = self.b.compare(Compare::LeS, from, start);
            let below = self.b.compare(Compare::LtS, start, to);
            let holds = self.b.and(above, below);
            inside.high = self.b.select(holds, inside.high, inside.start);
            return;
        }
        // How many steps of so much it takes to reach, or to pass, a distance.
        let (to_low, to_high) = if slope > 0 {
            let (low, high) = (self.b.sub(from, start), self.b.sub(to, start));
            (self.steps_to(low, slope, slope - 1), self.steps_to(high, slope, slope - 1))
        } else {
            let one = self.b.i64(1);
            let (high, low) = (self.b.sub(start, from), self.b.sub(start, to));
            // Behind the last step that stays, and behind the last that does not reach.
            let (high, low) = (self.b.add(high, one), self.b.add(low, one));
            (self.steps_to(low, -slope, -slope - 1), self.steps_to(high, -slope, -slope - 1))
        };
        let low = self.b.add(inside.start, to_low);
        let high = self.b.add(inside.start, to_high);
        inside.low = self.max(inside.low, low);
        inside.high = self.min(inside.high, high);
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
        self.b.binary(Binary::MaxS, a, b)
    }

    fn min(&mut self, a: Value, b: Value) -> Value {
        self.b.binary(Binary::MinS, a, b)
    }
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
