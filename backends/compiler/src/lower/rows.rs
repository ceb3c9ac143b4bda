//! Kernels whose invocations do not meet: gangs along x, across workgroups.
//!
//! A range of workgroups is cut into runs that are neighbours along x; each row of invocations of a run is walked gang
//! by gang. A gang that is complete, in which no invocation returns at once and every plain index is in bounds, takes
//! code without masks and tests; any other gang takes the general code.

use std::mem::offset_of;

use super::Gang;
use super::ids::Position;
use super::place::Check;
use super::state::Exec;
use crate::arguments::Arguments;
use warpweft_ssa::ir::{self as ssa, Compare as SsaCompare, Op as SsaOp, Place, Statement};
use warpweft_vector::ir::{Binary, Compare, Convert, Hint, Inst, Kind, Op, Type, Value};

/// Kernels with more statements than this are not emitted twice.
const MOST_DOUBLED: usize = 4000;

/// Index tests that are made in front of a gang's code.
const MOST_TESTS: usize = 24;

impl Gang<'_> {
    /// The whole kernel: every invocation of the workgroups from `begin` to `end`.
    pub(super) fn rows(&mut self, begin: Value, end: Value, aligned: bool) {
        let [sx, sy, sz] = self.ids.size.map(u64::from);
        let grid = self.ids.workgroups.map(|n| self.b.convert(Convert::ZeroExtend, n, Kind::I64));
        let over = [0, 1, 2].map(|axis| {
            let offset = offset_of!(Arguments<'_>, over) + 4 * axis;
            let over = self.memory.argument(&mut self.b, offset);
            self.b.convert(Convert::ZeroExtend, over, Kind::I64)
        });
        self.while_below(begin, end, |gang, current| {
            gang.poll();
            let wx = gang.b.binary(Binary::RemU, current, grid[0]);
            let rest = gang.b.binary(Binary::DivU, current, grid[0]);
            let wy = gang.b.binary(Binary::RemU, rest, grid[1]);
            let wz = gang.b.binary(Binary::DivU, rest, grid[1]);
            // Neighbours along x.
            let to_edge = gang.b.sub(grid[0], wx);
            let to_end = gang.b.sub(end, current);
            let run = gang.b.min_u(to_edge, to_end);
            let bounds = |gang: &mut Self, first: Value, size: u64, count: Option<Value>, over: Value| {
                let size = gang.b.i64(size);
                let start = gang.b.binary(Binary::Mul, first, size);
                let length = match count {
                    Some(count) => gang.b.binary(Binary::Mul, count, size),
                    None => size,
                };
                let stop = gang.b.add(start, length);
                (start, gang.b.min_u(stop, over))
            };
            let (x0, x1) = bounds(gang, wx, sx, Some(run), over[0]);
            let (y0, y1) = bounds(gang, wy, sy, None, over[1]);
            let (z0, z1) = bounds(gang, wz, sz, None, over[2]);
            let workgroup = [wx, wy, wz].map(|w| gang.b.convert(Convert::Truncate, w, Kind::I32));
            gang.up_to(z0, z1, 1, sz == 1, |gang, z| {
                gang.up_to(y0, y1, 1, sy == 1, |gang, y| {
                    let [y, z] = [y, z].map(|at| gang.b.convert(Convert::Truncate, at, Kind::I32));
                    gang.row(x0, x1, [y, z], workgroup, aligned);
                });
            });
            gang.b.add(current, run)
        });
    }

    /// The gangs of one row.
    fn row(&mut self, x0: Value, x1: Value, [y, z]: [Value; 2], workgroup: [Value; 3], aligned: bool) {
        let lanes = u64::from(self.b.lanes());
        self.up_to(x0, x1, lanes, false, |gang, x| {
            let [sx, sy, sz] = gang.ids.size;
            let x32 = gang.b.convert(Convert::Truncate, x, Kind::I32);
            let global = [x32, y, z];
            if aligned || gang.b.lanes() == 1 {
                // All lanes are in one workgroup.
                let wx = gang.divided(x32, sx);
                gang.ids.workgroup = Some([wx, workgroup[1], workgroup[2]]);
                let [lx, ly, lz] = [(sx, x32), (sy, y), (sz, z)].map(|(size, at)| gang.remaining(at, size));
                gang.ids.lanes = Position::Row { global, local: Some([lx, ly, lz]) };
            } else {
                gang.ids.workgroup = None;
                gang.ids.lanes = Position::Row { global, local: None };
            }
            let left = gang.b.sub(x1, x);
            gang.one_gang(left);
        });
    }

    /// One gang of a row, of which so many invocations exist (at least one).
    fn one_gang(&mut self, left: Value) {
        let ssa = self.ssa;
        let body = &ssa.body[..];
        let end = self.b.label();
        self.end = Some(end);
        self.b.open();
        if self.b.lanes() == 1 {
            self.state.exec = Exec::All;
            self.gang_list(body);
        } else if ssa.values.len() > MOST_DOUBLED {
            self.general(body, left);
        } else {
            self.doubled(body, left);
        }
        let list = self.b.close();
        self.b.push(Inst::Block { label: end, body: list, results: vec![] });
        self.end = None;
    }

    /// Code without masks for gangs that allow it, and general code.
    fn doubled(&mut self, body: &[Statement], left: Value) {
        let lanes = self.b.i64(self.b.lanes().into());
        let mut fast = self.b.compare(Compare::GeU, left, lanes);
        let (mut tests, mut decided, mut proven) = (vec![], vec![], vec![]);
        self.guards(body, &mut tests, &mut decided);
        self.plain_indices(body, &mut tests, &mut proven);
        for test in tests {
            fast = self.b.and(fast, test);
        }
        self.b.open();
        (self.decided, self.proven) = (decided, proven);
        self.state.exec = Exec::All;
        self.gang_list(body);
        self.decided.clear();
        self.proven.clear();
        let then = self.b.close();
        self.b.open();
        self.general(body, left);
        let otherwise = self.b.close();
        let arrives = [&then, &otherwise].iter().any(|list| matches!(list.last(), Some(Inst::Yield { .. })));
        self.b.branch_on(fast, then, otherwise, &[], Hint::Likely);
        if arrives {
            self.b.yields(&[]);
        }
    }

    /// Code for the first lanes of a gang, as many as there are.
    fn general(&mut self, body: &[Statement], left: Value) {
        let lanes = self.b.i64(self.b.lanes().into());
        let some = self.b.min_u(left, lanes);
        let some = self.b.convert(Convert::Truncate, some, Kind::I32);
        let some = self.b.splat(some);
        let numbers = self.steps(Kind::I32, 1);
        let mask = self.b.lt_u(numbers, some);
        self.state.exec = Exec::Some { mask, nonempty: true };
        self.gang_list(body);
    }

    /// A gang's code, to its end in the open list.
    pub(super) fn gang_list(&mut self, body: &[Statement]) {
        self.state.registers.clear();
        if self.list(body) != super::End::Gone {
            self.b.yields(&[]);
        }
    }

    /// Early returns at the head of a kernel: lowers what they need, and adds tests that no lane takes them.
    fn guards(&mut self, body: &[Statement], tests: &mut Vec<Value>, decided: &mut Vec<(ssa::Value, bool)>) {
        self.state.exec = Exec::All;
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
                    if !self.follows(*condition, 12) && !returns(then) && !returns(otherwise) && !last {
                        return;
                    }
                    if self.ssa.constant(*condition).is_some() {
                        continue;
                    }
                    let Some(test) = self.everywhere(*condition, goes_on) else { return };
                    tests.push(test);
                    decided.push((*condition, goes_on));
                    if last {
                        let inner = if goes_on { then } else { otherwise };
                        return self.guards(inner, tests, decided);
                    }
                }
                _ => return,
            }
        }
    }

    /// It can be computed in front of the code: it reads constant memory at most, and costs little.
    fn is_plain(&self, value: ssa::Value) -> bool {
        match &self.ssa.definition(value).op {
            SsaOp::Load { place, .. } => self.is_constant_place(place),
            SsaOp::Math(..) | SsaOp::Pow(..) | SsaOp::Atan2(..) => false,
            op => op.is_pure(),
        }
    }

    fn is_constant_place(&self, place: &Place) -> bool {
        match place.root {
            ssa::Root::Binding(binding) => {
                let binding = &self.ssa.bindings[binding as usize];
                place.indices.is_empty()
                    && !binding.written
                    && u64::from(place.offset) + u64::from(place.ty.size()) <= binding.min_size
            }
            ssa::Root::Variable(_) => false,
        }
    }

    /// Whether a condition has one value in all lanes of a complete gang, as a scalar `Bool`; `None` where that cannot be
    /// asked here.
    fn everywhere(&mut self, condition: ssa::Value, wanted: bool) -> Option<Value> {
        if !self.is_ahead(condition, 40) {
            return None;
        }
        if self.is_uniform(condition) {
            self.lower_ahead(condition);
            let value = self.scalar(condition);
            return Some(if wanted { value } else { self.b.not(value) });
        }
        let ssa = self.ssa;
        match ssa.definition(condition).op {
            SsaOp::Unary(ssa::Unary::Not, inner) => return self.everywhere(inner, !wanted),
            SsaOp::Binary(ssa::Binary::And, a, b) if wanted => {
                let (a, b) = (self.everywhere(a, true)?, self.everywhere(b, true)?);
                return Some(self.b.and(a, b));
            }
            SsaOp::Binary(ssa::Binary::Or, a, b) if !wanted => {
                let (a, b) = (self.everywhere(a, false)?, self.everywhere(b, false)?);
                return Some(self.b.and(a, b));
            }
            SsaOp::Compare(op, a, b) => {
                if let Some(test) = self.everywhere_compared(op, a, b, wanted) {
                    return Some(test);
                }
            }
            _ => {}
        }
        self.lower_ahead(condition);
        let vector = self.vector(condition);
        if wanted {
            return Some(self.b.define(Type::scalar(Kind::Bool), Op::All(vector)));
        }
        let any = self.any(vector);
        Some(self.b.not(any))
    }

    /// A value can be computed in front of the code, from what is there.
    fn is_ahead(&self, value: ssa::Value, depth: u32) -> bool {
        let op = &self.ssa.definition(value).op;
        if matches!(op, SsaOp::Constant(_) | SsaOp::Builtin(_) | SsaOp::Length { .. }) {
            return true;
        }
        if depth == 0 || matches!(op, SsaOp::Parameter) || !self.is_plain(value) {
            return false;
        }
        let mut all = true;
        op.operands(|operand| all = all && self.is_ahead(operand, depth - 1));
        all
    }

    /// The same for evenly spaced integers against a uniform one: the ends decide.
    fn everywhere_compared(
        &mut self,
        op: SsaCompare,
        a: ssa::Value,
        b: ssa::Value,
        wanted: bool,
    ) -> Option<Value> {
        use SsaCompare as C;
        let ty = self.ssa.ty(a);
        let signed = match ty {
            warpweft_module::Scalar::I32 => true,
            warpweft_module::Scalar::U32 => false,
            _ => return None,
        };
        let negated = |op| match op {
            C::Equal => C::NotEqual,
            C::NotEqual => C::Equal,
            C::Less => C::GreaterEqual,
            C::LessEqual => C::Greater,
            C::Greater => C::LessEqual,
            C::GreaterEqual => C::Less,
        };
        let mirrored = |op| match op {
            C::Less => C::Greater,
            C::LessEqual => C::GreaterEqual,
            C::Greater => C::Less,
            C::GreaterEqual => C::LessEqual,
            other => other,
        };
        let op = if wanted { op } else { negated(op) };
        let (lanes, limit, op) = match (self.step(a), self.step(b)) {
            (Some(_), None) if self.is_uniform(b) => (a, b, op),
            (None, Some(_)) if self.is_uniform(a) => (b, a, mirrored(op)),
            _ => return None,
        };
        let step = self.step(lanes)?;
        self.lower_ahead(lanes);
        self.lower_ahead(limit);
        let first = self.scalar(lanes);
        let limit = self.scalar(limit);
        let reach = (i64::from(self.b.lanes()) - 1).checked_mul(step)?;
        i32::try_from(reach).ok()?;
        let reach_value = self.b.i32(reach as u32);
        let last = self.b.add(first, reach_value);
        let (low, high) = if step > 0 { (first, last) } else { (last, first) };
        let (less, less_equal) =
            if signed { (Compare::LtS, Compare::LeS) } else { (Compare::LtU, Compare::LeU) };
        // From end to end without running over.
        let sound = self.b.compare(less_equal, low, high);
        let test = match op {
            C::Less => self.b.compare(less, high, limit),
            C::LessEqual => self.b.compare(less_equal, high, limit),
            C::Greater => self.b.compare(less, limit, low),
            C::GreaterEqual => self.b.compare(less_equal, limit, low),
            C::NotEqual => {
                let below = self.b.compare(less, high, limit);
                let above = self.b.compare(less, limit, low);
                self.b.or(below, above)
            }
            C::Equal => return None,
        };
        Some(self.b.and(sound, test))
    }

    /// Tests for the indices that follow from ids and uniforms alone, wherever in the code they are used.
    fn plain_indices(
        &mut self,
        body: &[Statement],
        tests: &mut Vec<Value>,
        proven: &mut Vec<(ssa::Value, ssa::Root, ssa::Limit, u32)>,
    ) {
        for statement in body {
            match statement {
                Statement::Let(value) => {
                    let ssa = self.ssa;
                    match &ssa.definition(*value).op {
                        SsaOp::Load { place, .. } | SsaOp::Atomic(_, place, _) => {
                            self.test_place(place, tests, proven);
                        }
                        _ => {}
                    }
                }
                Statement::Store { place, .. } => self.test_place(place, tests, proven),
                Statement::If { then, otherwise, .. } => {
                    self.plain_indices(then, tests, proven);
                    self.plain_indices(otherwise, tests, proven);
                }
                Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                    self.plain_indices(body, tests, proven);
                }
                _ => {}
            }
        }
    }

    fn test_place(
        &mut self,
        place: &Place,
        tests: &mut Vec<Value>,
        proven: &mut Vec<(ssa::Value, ssa::Root, ssa::Limit, u32)>,
    ) {
        for index in &place.indices {
            let key = (index.value, place.root, index.limit, index.stride);
            if tests.len() >= MOST_TESTS
                || proven.contains(&key)
                || self.is_proven(place, index)
                || !self.is_scalar(index.value)
                || !self.compute_ahead(index.value, 12)
            {
                continue;
            }
            let limit = self.limit(place.root, index);
            let test = self.holds_everywhere(Check { index: index.value, limit });
            tests.push(test);
            proven.push(key);
        }
    }

    /// Lowers a value here, ahead of its place, if it follows from ids and uniforms alone.
    fn compute_ahead(&mut self, value: ssa::Value, depth: u32) -> bool {
        if !self.follows(value, depth) {
            return false;
        }
        self.lower_ahead(value);
        true
    }

    fn follows(&self, value: ssa::Value, depth: u32) -> bool {
        let op = &self.ssa.definition(value).op;
        if matches!(op, SsaOp::Constant(_) | SsaOp::Builtin(_) | SsaOp::Length { .. }) {
            return true;
        }
        if depth == 0 || matches!(op, SsaOp::Parameter) || !self.is_plain(value) || !self.is_scalar(value) {
            return false;
        }
        let mut all = true;
        op.operands(|operand| all = all && self.follows(operand, depth - 1));
        all
    }

    fn lower_ahead(&mut self, value: ssa::Value) {
        let ssa = self.ssa;
        let op = &ssa.definition(value).op;
        let mut operands = vec![];
        op.operands(|operand| operands.push(operand));
        for operand in operands {
            self.lower_ahead(operand);
        }
        self.let_(value);
    }

    // --- counting --------------------------------------------------------------------------------------------------

    /// Runs `body` from `start` on, while below `end`; it gives the next number.
    pub(super) fn while_below(
        &mut self,
        start: Value,
        end: Value,
        body: impl FnOnce(&mut Self, Value) -> Value,
    ) {
        let (out, again) = (self.b.label(), self.b.label());
        let ty = self.b.ty(start);
        let current = self.b.value(ty);
        self.b.open();
        self.b.open();
        let goes_on = self.b.lt_u(current, end);
        self.b.open();
        self.b.yields(&[]);
        let then = self.b.close();
        self.b.open();
        self.b.branch(out, &[]);
        let otherwise = self.b.close();
        self.b.branch_on(goes_on, then, otherwise, &[], Hint::Likely);
        let next = body(self, current);
        self.b.branch(again, &[next]);
        let list = self.b.close();
        self.b.push(Inst::Loop { label: again, params: vec![(current, start)], body: list });
        let list = self.b.close();
        self.b.push(Inst::Block { label: out, body: list, results: vec![] });
    }

    /// Runs `body` for every number from `start` to `end`, by steps; `once`: there is one at most.
    pub(super) fn up_to(
        &mut self,
        start: Value,
        end: Value,
        step: u64,
        once: bool,
        body: impl FnOnce(&mut Self, Value),
    ) {
        if once {
            let exists = self.b.lt_u(start, end);
            return self.when(Some(exists), |gang| body(gang, start));
        }
        self.while_below(start, end, |gang, at| {
            body(gang, at);
            let step = gang.b.i64(step);
            gang.b.add(at, step)
        });
    }
}
