//! Places: how the lanes of a gang lie in memory, and what must hold for them to be in bounds.

use super::inside::Line;
use super::memory::Holder;
use super::state::Exec;
use super::{Gang, kind};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{self as ssa, Index, Limit, Place, Root};
use warpweft_vector::ir::{Access, Binary, Convert, Kind, STRIDES, Scattered, SpaceId, Value, Width};

/// Where the lanes of an access are.
#[derive(Clone, Debug)]
pub(super) enum Location {
    /// All in one place.
    Single(Access),
    /// One after the other.
    Run(Access),
    /// A few elements apart, so many; not under a mask.
    Strided(Access, u8),
    /// Wherever.
    Spread(Scattered),
}

impl Location {
    /// Only loads may be moved.
    pub(super) fn for_stores(self) -> Self {
        match self {
            Location::Single(access) => Location::Single(Access { always: false, ..access }),
            Location::Run(access) => Location::Run(Access { always: false, ..access }),
            Location::Strided(..) | Location::Spread(_) => self,
        }
    }
}

/// An index that has to be below a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) index: ssa::Value,
    /// A scalar `I32`.
    pub(super) limit: Value,
}

/// How a type lies in memory: the kind that is loaded, and its width there.
pub(super) fn stored(ty: Scalar) -> (Kind, Width) {
    match ty {
        Scalar::Bool => (Kind::I32, Width::Full),
        Scalar::F16 | Scalar::I16 | Scalar::U16 => (Kind::I32, Width::Half),
        _ => (kind(ty), Width::Full),
    }
}

/// A base address, the memory, and the factor that lanes beside each other bring to every offset.
#[derive(Clone, Copy)]
struct Origin {
    base: Value,
    space: SpaceId,
    spread: u64,
    holder: Option<Holder>,
}

impl Gang<'_> {
    /// The lanes of a place, and the indices that are not known to be in bounds.
    pub(super) fn location(&mut self, place: &Place) -> (Location, Vec<Check>) {
        let checks = self.checks(place);
        let origin = self.origin(place.root);
        let size = i64::from(place.ty.size());
        let own = origin.holder == Some(Holder::Lane);
        let varies = place.indices.iter().any(|index| !self.is_scalar(index.value));
        let step: i64 = place
            .indices
            .iter()
            .filter_map(|index| Some(self.step(index.value)?.wrapping_mul(i64::from(index.stride))))
            .fold(0, i64::wrapping_add);
        let affine = place.indices.iter().any(|index| self.step(index.value).is_some());
        let location = match (varies, affine) {
            (false, false) if own => Location::Run(self.access(place, origin)),
            (false, false) => Location::Single(self.access(place, origin)),
            (false, true) if !own && step == size && self.one_affine(place) => {
                Location::Run(self.access(place, origin))
            }
            (false, true)
                if !own
                    && let Some(stride) = self.stride(place, step)
                    && self.one_affine(place) =>
            {
                Location::Strided(self.access(place, origin), stride)
            }
            _ => Location::Spread(self.scattered(place, origin)),
        };
        (location, checks)
    }

    /// The lanes of a place one by one, whatever they have in common.
    pub(super) fn spread(&mut self, place: &Place) -> (Scattered, Vec<Check>) {
        let checks = self.checks(place);
        let origin = self.origin(place.root);
        (self.scattered(place, origin), checks)
    }

    /// How many elements the lanes of a place are apart, where that is worth knowing.
    fn stride(&self, place: &Place, step: i64) -> Option<u8> {
        let size = i64::from(place.ty.size());
        let (kind, width) = stored(place.ty);
        let stride = u8::try_from(step / size).ok().filter(|stride| STRIDES.contains(stride))?;
        let active = match self.state.exec {
            Exec::All => true,
            _ => matches!(place.root, Root::Variable(_)) && self.is_always_below(place),
        };
        let full = width == Width::Full && i64::from(kind.size()) == size;
        (active && full && step % size == 0 && u16::from(stride) <= self.b.lanes()).then_some(stride)
    }

    fn one_affine(&self, place: &Place) -> bool {
        place.indices.iter().filter(|index| self.step(index.value).is_some()).count() == 1
    }

    fn origin(&mut self, root: Root) -> Origin {
        match root {
            Root::Binding(binding) => {
                let binding = self.memory.binding(binding);
                Origin { base: binding.address, space: binding.space, spread: 1, holder: None }
            }
            Root::Variable(variable) => {
                let variable = self.memory.variable(variable);
                let (start, spread) = match variable.holder {
                    Holder::Workgroup => (self.memory.workgroup, 1),
                    Holder::Gang => (self.memory.private, 1),
                    Holder::Lane => (self.memory.private, u64::from(self.b.lanes())),
                };
                let offset = self.b.i64(variable.offset);
                let base = self.b.add(start, offset);
                Origin { base, space: variable.space, spread, holder: Some(variable.holder) }
            }
        }
    }

    /// The first lane's place.
    fn access(&mut self, place: &Place, origin: Origin) -> Access {
        let (_, width) = stored(place.ty);
        let mut base = origin.base;
        let mut index = None;
        let mut scale = 1;
        let mut offset = i64::from(place.offset) * origin.spread as i64;
        for part in &place.indices {
            let bytes = u64::from(part.stride) * origin.spread;
            if let Some((x, line)) = self.line(part.value) {
                offset = offset.wrapping_add(line.beyond.wrapping_mul(bytes as i64));
                let unit = self.b.i64(bytes);
                let start = self.b.binary(Binary::Mul, line.start, unit);
                base = self.b.add(base, start);
                match bytes as i64 * line.slope {
                    0 => {}
                    along @ (1 | 2 | 4 | 8) if index.is_none() => {
                        index = Some(x);
                        scale = along as u8;
                    }
                    along => {
                        let along = self.b.i64(along as u64);
                        let offset = self.b.binary(Binary::Mul, x, along);
                        base = self.b.add(base, offset);
                    }
                }
                continue;
            }
            let narrow = self.scalar(part.value);
            // Evenly spaced lanes may run through zero: the first is then a negative number.
            let extend =
                if self.step(part.value).is_some() { Convert::SignExtend } else { Convert::ZeroExtend };
            let wide = self.b.convert(extend, narrow, Kind::I64);
            if index.is_none() && matches!(bytes, 1 | 2 | 4 | 8) {
                index = Some(wide);
                scale = bytes as u8;
            } else {
                let bytes = self.b.i64(bytes);
                let offset = self.b.binary(Binary::Mul, wide, bytes);
                base = self.b.add(base, offset);
            }
        }
        if offset.unsigned_abs() > i32::MAX as u64 / 2 {
            let far = self.b.i64(offset as u64);
            base = self.b.add(base, far);
            offset = 0;
        }
        let always = place.indices.is_empty() && self.always(place);
        Access { base, index, scale, offset: offset as i32, space: origin.space, width, always }
    }

    /// How an index goes along the row at hand.
    fn line(&self, index: ssa::Value) -> Option<(Value, Line)> {
        let (x, lines) = self.known.lines.as_ref()?;
        Some((*x, lines.get(index)?))
    }

    /// A fixed place that every launch has.
    fn always(&self, place: &Place) -> bool {
        match place.root {
            Root::Binding(binding) => {
                let end = u64::from(place.offset) + u64::from(place.ty.size());
                end <= self.ssa.bindings[binding as usize].min_size
            }
            Root::Variable(_) => true,
        }
    }

    /// Every lane's place.
    fn scattered(&mut self, place: &Place, origin: Origin) -> Scattered {
        let (_, width) = stored(place.ty);
        let size = place.ty.size();
        let strides = place.indices.iter().map(|index| index.stride);
        // Indices in units that fit an addressing mode and 31 bits.
        let unit = if strides.clone().all(|stride| stride % size == 0) {
            size
        } else if strides.clone().all(|stride| stride % 4 == 0) {
            4
        } else {
            2
        };
        let mut sum = None;
        for part in &place.indices {
            let factor = u64::from(part.stride / unit) * origin.spread;
            let mut index = self.vector(part.value);
            if factor != 1 {
                let factor = self.b.bits_like(index, factor & 0xffff_ffff);
                index = self.b.binary(Binary::Mul, index, factor);
            }
            sum = Some(match sum {
                Some(sum) => self.b.add(sum, index),
                None => index,
            });
        }
        let mut index = match sum {
            Some(sum) => sum,
            None => {
                let ty = self.b.vector(Kind::I32);
                self.b.constant(ty, 0)
            }
        };
        if origin.holder == Some(Holder::Lane) {
            let lanes = self.steps(Kind::I32, i64::from(size / unit));
            index = self.b.add(index, lanes);
        }
        let mut base = origin.base;
        let mut offset = u64::from(place.offset) * origin.spread;
        if offset > i32::MAX as u64 / 2 {
            let far = self.b.i64(offset);
            base = self.b.add(base, far);
            offset = 0;
        }
        Scattered { base, index, scale: unit as u8, offset: offset as i32, space: origin.space, width }
    }

    // --- bounds ----------------------------------------------------------------------------------------------------

    /// The indices of a place that are not known to be in bounds.
    fn checks(&mut self, place: &Place) -> Vec<Check> {
        let mut checks = vec![];
        for index in &place.indices {
            if self.is_proven(place, index) {
                continue;
            }
            let limit = self.limit(place.root, index);
            checks.push(Check { index: index.value, limit });
        }
        checks
    }

    pub(super) fn is_proven(&self, place: &Place, index: &Index) -> bool {
        if let (Limit::Fixed(count), Some(constant)) = (index.limit, self.ssa.constant(index.value)) {
            return constant < u64::from(count);
        }
        // Where nobody may have come this way, what somebody knows there says nothing.
        self.is_below(place.root, index) || !self.known.shared && self.ranges.proves(index)
    }

    /// All indices of a place that are not asked about are in bounds in lanes that are not active too. Proofs by ranges
    /// rest on the way to a place, which such lanes have not gone.
    pub(super) fn is_proven_without_lanes(&self, place: &Place) -> bool {
        place.indices.iter().all(|index| !self.is_proven(place, index) || self.is_below(place.root, index))
    }

    /// All indices of a place are in bounds in lanes that are not active too.
    pub(super) fn is_always_below(&self, place: &Place) -> bool {
        place.indices.iter().all(|index| self.is_below(place.root, index))
    }

    /// An index is in bounds in lanes that are not active too: by what it is made of, or by what is known of the whole
    /// gang.
    fn is_below(&self, root: Root, index: &Index) -> bool {
        let key = (index.value, root, index.limit, index.stride);
        let count = match index.limit {
            Limit::Fixed(count) => u64::from(count),
            Limit::Runtime { .. } => 0,
        };
        self.known.proven.contains(&key) || count > 0 && self.most(index.value, 6) < count
    }

    /// A bound on an integer, taken as unsigned, from its own operands alone.
    fn most(&self, value: ssa::Value, depth: u32) -> u64 {
        use ssa::{Binary as B, Builtin, Op};
        let definition = self.ssa.definition(value);
        let any = u64::from(u32::MAX);
        let unsigned = definition.ty == Scalar::U32;
        if let Some(constant) = self.ssa.constant(value) {
            return if definition.ty.size() == 4 { u64::from(constant as u32) } else { any };
        }
        if depth == 0 || !matches!(definition.ty, Scalar::U32 | Scalar::I32) {
            return any;
        }
        let most = |value| self.most(value, depth - 1);
        let [sx, sy, sz] = self.ids.size.map(u64::from);
        // Lanes beyond a workgroup's last invocation go on counting.
        let last = (sx * sy * sz).next_multiple_of(self.b.lanes().into()) - 1;
        let found = match definition.op {
            Op::Builtin(Builtin::LocalIndex) => last,
            Op::Builtin(Builtin::LocalId(0)) if sy * sz == 1 => last,
            Op::Builtin(Builtin::LocalId(0)) => sx - 1,
            Op::Builtin(Builtin::LocalId(1)) => sy - 1,
            Op::Builtin(Builtin::LocalId(_)) => last / (sx * sy),
            Op::Bitcast(of) if self.ssa.ty(of).size() == 4 => most(of),
            Op::Binary(B::And, a, b) => most(a).min(most(b)),
            Op::Binary(B::Modulo, _, b) if unsigned && most(b) > 0 && self.ssa.constant(b).is_some() => {
                most(b) - 1
            }
            Op::Binary(B::Min, a, b) if unsigned => most(a).min(most(b)),
            Op::Binary(B::Add, a, b) => most(a) + most(b),
            Op::Binary(B::Multiply, a, b) => most(a) * most(b),
            Op::Binary(B::ShiftRight, a, b) if unsigned => match self.ssa.constant(b) {
                Some(by) => most(a) >> (by & 31),
                None => any,
            },
            Op::Select(_, a, b) => most(a).max(most(b)),
            _ => any,
        };
        found.min(any)
    }

    /// How many elements an index chooses from, as a scalar `I32`.
    pub(super) fn limit(&mut self, root: Root, index: &Index) -> Value {
        match (index.limit, root) {
            (Limit::Fixed(count), _) => self.b.i32(count),
            (Limit::Runtime { offset }, Root::Binding(binding)) => {
                self.memory.length(binding, offset, index.stride)
            }
            (Limit::Runtime { .. }, Root::Variable(_)) => self.b.i32(0),
        }
    }

    /// Whether an index is in bounds in every lane of the gang, as a scalar `Bool`. Not for varying ones.
    pub(super) fn holds_everywhere(&mut self, check: Check) -> Value {
        let first = self.scalar(check.index);
        let Some(step) = self.step(check.index) else {
            return self.b.lt_u(first, check.limit);
        };
        // No array has 2³¹ elements: it is enough to look at both ends, and one comparison does for both.
        let reach = (i64::from(self.b.lanes()) - 1).saturating_mul(step.saturating_abs()).min(1 << 31) as u32;
        let reach = self.b.i32(reach);
        let first = if step < 0 { self.b.sub(first, reach) } else { first };
        let room = self.b.sub(check.limit, reach);
        let none = self.b.i32(0);
        let short = self.b.lt_u(check.limit, reach);
        let room = self.b.select(short, none, room);
        self.b.lt_u(first, room)
    }

    /// All checks at once, as a scalar `Bool`; `None` where there are none.
    pub(super) fn all_hold(&mut self, checks: &[Check]) -> Option<Value> {
        let mut all = None;
        for &check in checks {
            let holds = self.holds_everywhere(check);
            all = Some(match all {
                Some(all) => self.b.and(all, holds),
                None => holds,
            });
        }
        all
    }

    /// The active lanes in which all checks hold.
    pub(super) fn lanes_in_bounds(&mut self, checks: &[Check]) -> Value {
        let mut mask = self.exec_mask();
        for check in checks {
            let index = self.vector(check.index);
            let limit = self.b.splat(check.limit);
            let holds = self.b.lt_u(index, limit);
            mask = self.b.and(mask, holds);
        }
        mask
    }
}
