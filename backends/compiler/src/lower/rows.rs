//! Kernels whose invocations do not meet: gangs along x, across workgroups.
//!
//! A range of workgroups is cut into runs that are neighbours along x; each row of invocations of a run is walked gang
//! by gang. On the inside of a row, where no invocation returns at once and every plain index is in bounds, complete
//! gangs take code without masks and tests; all others take the general code, which is a function of its own where it is
//! long: see [`rest`](super::rest).

use std::mem::offset_of;

use super::Gang;
use super::ids::Position;
use super::inside::{Inside, Proven};
use super::place::Check;
use super::state::Exec;
use crate::arguments::Arguments;
use warpweft_ssa::ir as ssa;
use warpweft_vector::ir::{Binary, Compare, Convert, Hint, Inst, Kind, Type, Value};

/// Kernels with more values than this are not emitted twice.
pub(super) const MOST_DOUBLED: usize = 4000;

/// What is known of the code at hand, in kernels that are walked row by row.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Conditions that are decided.
    pub(super) decided: Vec<(ssa::Value, bool)>,
    /// Indices that are in bounds for the whole gang.
    pub(super) proven: Vec<Proven>,
    /// The gang's x, and the indices that go along with it: on the inside of a row.
    pub(super) lines: Option<(Value, super::inside::Lines)>,
    /// The loop that is emitted twice, and which version is at hand.
    pub(super) version: Option<(ssa::Label, Version)>,
    /// It stands beside code that most gangs take: it need not be quick, but small.
    pub(super) rare: bool,
    /// It is the workgroup's own code, in front of a region in which all invocations may return: no gang is here.
    pub(super) shared: bool,
}

/// A version of a loop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Version {
    /// What its rounds would ask was asked in front of it, and it does not run for long.
    Asked,
    /// It asks for itself.
    Asking,
}

/// Where a row is.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) y: Value,
    pub(super) z: Value,
    /// The workgroup's place along y and z.
    pub(super) workgroup: [Value; 2],
    /// Each gang lies in one workgroup.
    pub(super) aligned: bool,
}

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
            let (rest, wx) = gang.quotient(current, grid[0]);
            let (wz, wy) = gang.quotient(rest, grid[1]);
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
            let workgroup = [wy, wz].map(|w| gang.b.convert(Convert::Truncate, w, Kind::I32));
            gang.up_to(z0, z1, 1, sz == 1, |gang, z| {
                gang.up_to(y0, y1, 1, sy == 1, |gang, y| {
                    let [y, z] = [y, z].map(|at| gang.b.convert(Convert::Truncate, at, Kind::I32));
                    gang.row(x0, x1, Row { y, z, workgroup, aligned });
                });
            });
            gang.b.add(current, run)
        });
    }

    /// The gangs of one row.
    fn row(&mut self, x0: Value, x1: Value, row: Row) {
        if self.ssa.values.len() > MOST_DOUBLED {
            return self.up_to(x0, x1, self.b.lanes().into(), false, |gang, x| gang.general(row, x, x1));
        }
        self.place(row, x0);
        let inside = self.inside(&self.ssa.body, x0, x1, false);
        if inside.is_plain() && self.b.lanes() == 1 {
            self.up_to(x0, x1, 1, false, |gang, x| gang.general(row, x, x1));
        } else if inside.is_even() {
            self.stretches(row, x0, x1, inside);
        } else {
            self.by_gangs(row, x0, x1, inside);
        }
    }

    /// Stretches of the inside without a test between gangs, and general gangs around them, or the function that has those.
    fn stretches(&mut self, row: Row, x0: Value, x1: Value, inside: Inside) {
        let apart = self.goes_apart(&inside);
        let Inside { low, high, decided, proven, lines, .. } = inside;
        let width = self.b.lanes();
        let lanes = self.b.i64(width.into());
        // Where the last complete gang may start; negative where there is none.
        let last = self.b.sub(high, lanes);
        self.while_below(x0, x1, |gang, x| {
            let begun = gang.b.compare(Compare::LeS, low, x);
            let whole = gang.b.compare(Compare::LeS, x, last);
            let inside = gang.b.and(begun, whole);
            let before = gang.b.function().values.len();
            gang.b.open();
            let next = gang.stretch(
                row,
                x,
                last,
                Known { decided, proven, lines: Some((x, lines)), ..Known::default() },
            );
            gang.b.yields(&[next]);
            let then = gang.b.close();
            let apart = apart.filter(|_| gang.is_long_since(before));
            gang.b.open();
            let stop = match apart {
                Some(narrow) => {
                    // Where the inside may start: gangs of one workgroup each start at multiples of their width.
                    let unit = if row.aligned { width } else { narrow };
                    let stop = gang.until(x, x1, low, begun, unit);
                    gang.call_rest(row, x, stop);
                    stop
                }
                None => {
                    gang.rarely(|gang| gang.general(row, x, x1));
                    gang.b.add(x, lanes)
                }
            };
            gang.b.yields(&[stop]);
            let otherwise = gang.b.close();
            gang.b.branch_on(inside, then, otherwise, &[Type::scalar(Kind::I64)], Hint::Likely)[0]
        });
    }

    /// Complete gangs from `x` on, as many as start at `last` or before; there is one. Gives where they end.
    fn stretch(&mut self, row: Row, x: Value, last: Value, known: Known) -> Value {
        let lanes = self.b.i64(self.b.lanes().into());
        self.known = known;
        let behind = self.repeated(x, |gang, x| {
            if let Some((place, _)) = &mut gang.known.lines {
                *place = x;
            }
            gang.place(row, x);
            gang.one_gang(Exec::All);
            let next = gang.b.add(x, lanes);
            (next, gang.b.compare(Compare::LeS, next, last))
        });
        self.known = Known::default();
        behind
    }

    /// Gang by gang, with tests that the row could not answer.
    fn by_gangs(&mut self, row: Row, x0: Value, x1: Value, inside: Inside) {
        let lanes = self.b.lanes();
        let apart = self.goes_apart(&inside);
        self.up_to(x0, x1, lanes.into(), false, |gang, x| {
            gang.place(row, x);
            gang.state.exec = Exec::All;
            let width = gang.b.i64(lanes.into());
            let stop = gang.b.add(x, width);
            let begun = gang.b.compare(Compare::GeU, x, inside.low);
            let whole = gang.b.compare(Compare::LeU, stop, inside.high);
            let mut fast = gang.b.and(begun, whole);
            for (condition, wanted) in inside.conditions {
                if let Some(test) = gang.everywhere(condition, wanted) {
                    fast = gang.b.and(fast, test);
                }
            }
            for (index, root) in inside.indices {
                gang.lower_ahead(index.value);
                let limit = gang.limit(root, &index);
                let test = gang.holds_everywhere(Check { index: index.value, limit });
                fast = gang.b.and(fast, test);
            }
            let before = gang.b.function().values.len();
            gang.b.open();
            gang.known = Known {
                decided: inside.decided,
                proven: inside.proven,
                lines: Some((x, inside.lines)),
                ..Known::default()
            };
            gang.one_gang(Exec::All);
            gang.known = Known::default();
            gang.b.yields(&[]);
            let then = gang.b.close();
            gang.b.open();
            if apart.is_some() && gang.is_long_since(before) {
                let stop = gang.b.min_u(stop, x1);
                gang.call_rest(row, x, stop);
            } else {
                gang.rarely(|gang| gang.general(row, x, x1));
            }
            gang.b.yields(&[]);
            let otherwise = gang.b.close();
            gang.b.branch_on(fast, then, otherwise, &[], Hint::Likely);
        });
    }

    /// Code that few gangs take.
    pub(super) fn rarely(&mut self, f: impl FnOnce(&mut Self)) {
        self.known = Known { rare: true, ..Known::default() };
        f(self);
        self.known = Known::default();
    }

    /// A gang at `x` of which the lanes before `x1` exist: at least one.
    pub(super) fn general(&mut self, row: Row, x: Value, x1: Value) {
        self.place(row, x);
        let mut exec = Exec::All;
        if self.b.lanes() > 1 {
            let lanes = self.b.i64(self.b.lanes().into());
            let left = self.b.sub(x1, x);
            let some = self.b.min_u(left, lanes);
            let some = self.b.convert(Convert::Truncate, some, Kind::I32);
            let some = self.b.splat(some);
            let numbers = self.steps(Kind::I32, 1);
            let mask = self.b.lt_u(numbers, some);
            exec = Exec::Some { mask, nonempty: true };
        }
        self.one_gang(exec);
    }

    /// The ids of the gang at `x`.
    fn place(&mut self, row: Row, x: Value) {
        let [sx, sy, sz] = self.ids.size;
        let Row { y, z, workgroup, aligned } = row;
        let x = self.b.convert(Convert::Truncate, x, Kind::I32);
        let global = [x, y, z];
        if aligned || self.b.lanes() == 1 {
            // All lanes are in one workgroup.
            let wx = self.divided(x, sx);
            self.ids.workgroup = Some([wx, workgroup[0], workgroup[1]]);
            let [lx, ly, lz] = [(sx, x), (sy, y), (sz, z)].map(|(size, at)| self.remaining(at, size));
            self.ids.lanes = Position::Row { global, local: Some([lx, ly, lz]) };
        } else {
            self.ids.workgroup = None;
            self.ids.lanes = Position::Row { global, local: None };
        }
    }

    /// The kernel's code for one gang.
    fn one_gang(&mut self, exec: Exec) {
        let end = self.b.label();
        self.end = Some(end);
        self.b.open();
        self.state.exec = exec;
        self.state.registers.clear();
        if self.list(&self.ssa.body) != super::End::Gone {
            self.b.yields(&[]);
        }
        let list = self.b.close();
        self.b.push(Inst::Block { label: end, body: list, results: vec![] });
        self.end = None;
    }

    /// The quotient of unsigned division, and the remainder: a processor divides once.
    pub(super) fn quotient(&mut self, value: Value, by: Value) -> (Value, Value) {
        let quotient = self.b.binary(Binary::DivU, value, by);
        let whole = self.b.binary(Binary::Mul, quotient, by);
        (quotient, self.b.sub(value, whole))
    }

    // --- counting --------------------------------------------------------------------------------------------------

    /// Runs `body` from `start` on, while below `end`; it gives the next number.
    pub(super) fn while_below(
        &mut self,
        start: Value,
        end: Value,
        body: impl FnOnce(&mut Self, Value) -> Value,
    ) {
        self.while_(start, |gang, current| gang.b.lt_u(current, end), body);
    }

    /// Runs `body` from `start` on as long as a condition on the number holds; it gives the next number.
    pub(super) fn while_(
        &mut self,
        start: Value,
        condition: impl FnOnce(&mut Self, Value) -> Value,
        body: impl FnOnce(&mut Self, Value) -> Value,
    ) {
        let (out, again) = (self.b.label(), self.b.label());
        let ty = self.b.ty(start);
        let current = self.b.value(ty);
        self.b.open();
        self.b.open();
        let goes_on = condition(self, current);
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

    /// Runs `body` from `start` on, at least once; it gives the next number, and whether to go on. Gives the last such
    /// number.
    pub(super) fn repeated(
        &mut self,
        start: Value,
        body: impl FnOnce(&mut Self, Value) -> (Value, Value),
    ) -> Value {
        let (out, again) = (self.b.label(), self.b.label());
        let ty = self.b.ty(start);
        let (current, behind) = (self.b.value(ty), self.b.value(ty));
        self.b.open();
        self.b.open();
        let (next, more) = body(self, current);
        self.b.open();
        self.b.branch(again, &[next]);
        let then = self.b.close();
        self.b.open();
        self.b.branch(out, &[next]);
        let otherwise = self.b.close();
        self.b.branch_on(more, then, otherwise, &[], Hint::Likely);
        let list = self.b.close();
        self.b.push(Inst::Loop { label: again, params: vec![(current, start)], body: list });
        let list = self.b.close();
        self.b.push(Inst::Block { label: out, body: list, results: vec![behind] });
        behind
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
