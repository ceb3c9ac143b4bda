//! Regions: each is run for every gang of the workgroup in turn, the inside of them without masks and tests.
//!
//! Knows how gangs are walked; what a region is, and what it needs from others, is said in [`steps`](super::steps).

use super::Gang;
use super::inside::Inside;
use super::rounds;
use super::rows::{Known, MOST_DOUBLED};
use super::state::{End, Exec};
use super::steps::{Region, Step};
use super::workgroup::Workgroup;
use crate::price::ROUNDS;
use warpweft_ssa::ir as ssa;
use warpweft_ssa::orders::Order;
use warpweft_vector::ir::{Compare, Convert, Effect, Hint, Inst, Kind, Op, Type, Value};

/// A region that does less than this part of a workgroup's work gains nothing by a version without masks and tests.
const SMALL: f64 = 1.0 / 64.0;

/// So many statements of a region, those of all gangs together, are written out gang by gang.
const WRITTEN_OUT: u64 = 64;

impl Gang<'_> {
    /// The regions that do next to nothing of what a workgroup does, by number: what stands beside loops.
    pub(super) fn small_regions(&self, steps: &[Step<'_>]) -> Vec<u32> {
        let mut regions = vec![];
        self.work_of_steps(steps, 1.0, &mut regions);
        let all: f64 = regions.iter().map(|(_, work)| work).sum();
        regions.into_iter().filter(|&(_, work)| work < SMALL * all).map(|(number, _)| number).collect()
    }

    fn work_of_steps(&self, steps: &[Step<'_>], rounds: f64, regions: &mut Vec<(u32, f64)>) {
        for step in steps {
            match step {
                Step::Region(region) => regions.push((region.number, rounds * self.work(region.list))),
                Step::If { then, otherwise, .. } => {
                    self.work_of_steps(then, rounds, regions);
                    self.work_of_steps(otherwise, rounds, regions);
                }
                Step::Block { body, .. } => self.work_of_steps(body, rounds, regions),
                Step::Loop { body, .. } => self.work_of_steps(body, ROUNDS * rounds, regions),
                Step::Shared(_) | Step::Branch { .. } | Step::Yield(_) | Step::Return => {}
            }
        }
    }

    fn work(&self, list: &[ssa::Statement]) -> f64 {
        let work = |statement: &ssa::Statement| match statement {
            ssa::Statement::Loop { body, .. } => ROUNDS * self.work(body),
            ssa::Statement::Block { body, .. } => self.work(body),
            ssa::Statement::If { then, otherwise, .. } => self.work(then) + self.work(otherwise),
            other => f64::from(self.price(std::slice::from_ref(other))),
        };
        list.iter().map(work).sum()
    }

    /// Runs a region for every gang.
    pub(super) fn region(&mut self, region: &Region<'_>, scope: &mut Workgroup) {
        let (start, end) = (self.b.i64(0), self.b.i64(scope.gangs.into()));
        let before = (self.ids.lanes, self.memory.private);
        if scope.gangs == 1 {
            self.gang_region(region, scope, start);
        } else {
            let mut gangs = (start, end);
            if let Some((first, reach)) = self.reach(region) {
                gangs = (first, self.b.min_u(reach, end));
                if let Some(few) = self.few(region, gangs) {
                    few.into_iter().for_each(|number| self.gang_region(region, scope, number));
                    (self.ids.lanes, self.memory.private) = before;
                    return;
                }
            }
            let (start, end) = gangs;
            match self.inside_region(region, scope, start, end) {
                Some(inside) if !inside.is_plain() => {
                    self.stretches_of_gangs(region, scope, [start, end], inside)
                }
                plain => self.all_gangs(region.order, [start, end], |gang, number| {
                    gang.known.lines = plain.map(|inside| (number, inside.lines));
                    gang.gang_region(region, scope, number);
                    gang.known = Known::default();
                    gang.next_gang(region.order, number)
                }),
            }
        }
        (self.ids.lanes, self.memory.private) = before;
    }

    /// The gangs of a region, where they are known and so few that each has code of its own.
    fn few(&mut self, region: &Region<'_>, (start, end): (Value, Value)) -> Option<Vec<Value>> {
        let number = |value| match self.b.definition(value) {
            Some(&Op::Const(number)) => Some(number),
            _ => None,
        };
        let gangs = number(start)?..number(end)?;
        let count = gangs.end.saturating_sub(gangs.start);
        let few = count <= 1 || count.saturating_mul(rounds::count(region.list) as u64) <= WRITTEN_OUT;
        few.then(|| gangs.map(|number| self.b.i64(number)).collect())
    }

    /// The gangs whose lanes all exist and go the same way through a region; `None` where there is no telling.
    fn inside_region(
        &mut self,
        region: &Region<'_>,
        scope: &Workgroup,
        start: Value,
        end: Value,
    ) -> Option<Inside> {
        if self.b.lanes() == 1
            || self.living_slot().is_some()
            || scope.over.is_some()
            || scope.small.contains(&region.number)
            || self.ssa.values.len() > MOST_DOUBLED
        {
            return None;
        }
        self.place_gang(scope, start);
        let whole = self.b.i64(u64::from(scope.gangs) - u64::from(scope.rest != 0));
        let end = self.b.min_u(end, whole);
        Some(self.inside(region.list, start, end, true))
    }

    /// Stretches of gangs on the inside of a region without tests, and other gangs around them.
    fn stretches_of_gangs(
        &mut self,
        region: &Region<'_>,
        scope: &Workgroup,
        [start, end]: [Value; 2],
        inside: Inside,
    ) {
        let Inside { low, high, decided, proven, lines, .. } = inside;
        self.all_gangs(region.order, [start, end], |gang, number| {
            let begun = gang.b.compare(Compare::GeU, number, low);
            let left = gang.b.lt_u(number, high);
            let inside = gang.b.and(begun, left);
            gang.b.open();
            gang.known = Known { decided, proven, lines: Some((number, lines)), ..Known::default() };
            let next = gang.repeated(number, |gang, number| {
                if let Some((place, _)) = &mut gang.known.lines {
                    *place = number;
                }
                gang.place_gang(scope, number);
                gang.state.registers.clear();
                gang.state.exec = Exec::All;
                gang.region_code(region);
                let next = gang.next_gang(region.order, number);
                (next, gang.is_before(region.order, next, [low, high]))
            });
            gang.known = Known::default();
            gang.b.yields(&[next]);
            let then = gang.b.close();
            gang.b.open();
            gang.rarely(|gang| gang.gang_region(region, scope, number));
            let next = gang.next_gang(region.order, number);
            gang.b.yields(&[next]);
            let otherwise = gang.b.close();
            gang.b.branch_on(inside, then, otherwise, &[Type::scalar(Kind::I64)], Hint::Likely)[0]
        });
    }

    /// Runs `body` for the gangs from the first number to before the second, or the other way round; it gives the next one.
    fn all_gangs(
        &mut self,
        order: Order,
        [start, end]: [Value; 2],
        body: impl FnOnce(&mut Self, Value) -> Value,
    ) {
        let first = match order {
            Order::Ascending => start,
            Order::Descending => self.next_gang(order, end),
        };
        self.while_(first, |gang, number| gang.is_before(order, number, [start, end]), body);
    }

    /// The number of the gang behind one: −1 behind the very first.
    fn next_gang(&mut self, order: Order, number: Value) -> Value {
        let step = match order {
            Order::Ascending => 1,
            Order::Descending => -1i64,
        };
        let step = self.b.i64(step as u64);
        self.b.add(number, step)
    }

    /// Whether the end of a stretch has not been passed: of gangs from the first number to before the second.
    fn is_before(&mut self, order: Order, number: Value, [start, end]: [Value; 2]) -> Value {
        match order {
            Order::Ascending => self.b.lt_u(number, end),
            Order::Descending => self.b.compare(Compare::LeS, start, number),
        }
    }

    /// Where a region is for the first invocations of the workgroup alone, whose local index is below a number that all
    /// share, or for the one whose index it is: whether it is the one, and the number.
    pub(super) fn first_of(&self, region: &Region<'_>) -> Option<(bool, ssa::Value)> {
        let [_, 1, 1] = self.ids.size else { return None };
        if region.block.is_some() || !region.copies.is_empty() {
            return None;
        }
        let (last, before) = region.list.split_last()?;
        let pure = |statement: &ssa::Statement| match statement {
            ssa::Statement::Let(value) => self.ssa.definition(*value).op.is_pure(),
            _ => false,
        };
        let ssa::Statement::If { condition, otherwise, results, .. } = last else { return None };
        let nothing = matches!(otherwise[..], [ssa::Statement::Yield { .. }]) && results.is_empty();
        if !nothing || !before.iter().all(pure) {
            return None;
        }
        // Nothing that is defined here may be used elsewhere: gangs that are left out would not have it.
        let kept = |statement: &ssa::Statement| match statement {
            ssa::Statement::Let(value) => {
                self.regions.as_ref().is_some_and(|r| r.slot(*value).is_some() || r.export(*value).is_some())
            }
            _ => true,
        };
        if before.iter().any(kept) {
            return None;
        }
        let is_index = |value| {
            let op = &self.ssa.definition(value).op;
            matches!(op, ssa::Op::Builtin(ssa::Builtin::LocalIndex | ssa::Builtin::LocalId(0)))
        };
        let (equal, number) = match self.ssa.definition(*condition).op {
            ssa::Op::Compare(ssa::Compare::Less, index, limit) if is_index(index) => (false, limit),
            ssa::Op::Compare(ssa::Compare::Equal, index, number) if is_index(index) => (true, number),
            ssa::Op::Compare(ssa::Compare::Equal, number, index) if is_index(index) => (true, number),
            _ => return None,
        };
        if self.ssa.constant(number).is_none() && self.home(number) != 0 {
            return None;
        }
        Some((equal, number))
    }

    /// The gangs of [`first_of`](Self::first_of): the first, and the one behind the last.
    fn reach(&mut self, region: &Region<'_>) -> Option<(Value, Value)> {
        let (equal, number) = self.first_of(region)?;
        let number = self.scalar(number);
        let number = self.b.convert(Convert::ZeroExtend, number, Kind::I64);
        let lanes = u32::from(self.b.lanes());
        let (one, more) = (self.b.i64(1), self.b.i64(u64::from(lanes) - 1));
        Some(if equal {
            let first = self.divided(number, lanes);
            (first, self.b.add(first, one))
        } else {
            let limit = self.b.add(number, more);
            (self.b.i64(0), self.divided(limit, lanes))
        })
    }

    fn gang_region(&mut self, region: &Region<'_>, scope: &Workgroup, number: Value) {
        self.place_gang(scope, number);
        self.state.registers.clear();
        self.state.exec = self.living(scope, number);
        let Exec::Some { mask, .. } = self.state.exec else {
            return self.region_code(region);
        };
        // A gang without lanes has nothing to do.
        let some = self.any(mask);
        self.state.exec = Exec::Some { mask, nonempty: true };
        self.when(Some(some), |gang| gang.region_code(region));
    }

    fn region_code(&mut self, region: &Region<'_>) {
        self.region = (region.number, region.needs.clone());
        for &value in &region.needs {
            self.bring(value);
        }
        let before = self.exec_mask();
        let end = self.b.label();
        self.end = Some(end);
        self.b.open();
        self.outgoing = region.copies.iter().map(|&(_, from)| from).collect();
        let ended = match region.block {
            Some((label, results)) => self.block(label, region.list, results).into(),
            None => self.list(region.list),
        };
        if ended != End::Gone {
            let mask = match ended {
                End::Left => self.mask_of(Exec::None),
                _ => self.exec_mask(),
            };
            // Where no lane arrives, there may be nothing to copy, and nobody reads it.
            if !region.copies.is_empty() && ended != End::Left {
                let values: Vec<Value> =
                    region.copies.iter().map(|&(to, from)| self.formed(from, to)).collect();
                for (&(to, _), value) in region.copies.iter().zip(values) {
                    self.save(to, value);
                }
            }
            self.b.yields(&[mask]);
        }
        let list = self.b.close();
        let ty = self.mask_type();
        let after = self.b.value(ty);
        self.b.push(Inst::Block { label: end, body: list, results: vec![after] });
        self.end = None;
        if let Some(slot) = self.living_slot()
            && self.flow.returns
            && after != before
        {
            let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(after));
            let access = self.context(slot);
            self.b.act(Effect::Store(access, bits));
        }
    }
}
