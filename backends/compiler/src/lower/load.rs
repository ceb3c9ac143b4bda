//! Loads: one for the gang, a run of elements, or a gather; zero where an index is out of bounds.

use super::place::{Location, stored};
use super::state::Exec;
use super::{Gang, kind};
use warpweft_module::Scalar;
use warpweft_ssa::ir::{Place, Root};
use warpweft_vector::ir::{Access, Convert, Hint, Op, Type, Value};

impl Gang<'_> {
    /// What lies at a place, as a scalar or a vector.
    pub(super) fn load(&mut self, place: &Place, atomic: bool, scalar: bool) -> Value {
        let (location, checks) = self.location(place);
        let (raw, _) = stored(place.ty);
        let vector = self.b.vector(raw);
        let value = match location {
            Location::Single(access) => {
                let mut holds = self.all_hold(&checks);
                if let Exec::Some { mask, nonempty: false } = self.state.exec
                    && !self.is_proven_without_lanes(place)
                {
                    // What is known of an index, a lane must be there to know it.
                    let some = self.any(mask);
                    holds = Some(holds.map_or(some, |holds| self.b.and(holds, some)));
                }
                let value = self.load_single(access, Type::scalar(raw), atomic, holds);
                let value = self.loaded(place.ty, value);
                return if scalar { value } else { self.b.splat(value) };
            }
            Location::Run(access) => {
                let own = matches!(place.root, Root::Variable(_)) && self.is_always_below(place);
                match self.state.exec {
                    _ if own => self.b.define(vector, Op::Load(access)),
                    Exec::All => match self.all_hold(&checks) {
                        None => self.b.define(vector, Op::Load(access)),
                        Some(holds) => self.one_of(
                            holds,
                            vector,
                            |gang| gang.b.define(vector, Op::Load(access)),
                            |gang| {
                                let mask = gang.lanes_in_bounds(&checks);
                                gang.b.define(vector, Op::LoadMasked(access, mask))
                            },
                        ),
                    },
                    _ => {
                        let mask = self.lanes_in_bounds(&checks);
                        self.b.define(vector, Op::LoadMasked(access, mask))
                    }
                }
            }
            Location::Strided(access, stride) => {
                let whole = Op::LoadStrided(access, stride);
                match self.all_hold(&checks) {
                    None => self.b.define(vector, whole),
                    Some(holds) => self.one_of(
                        holds,
                        vector,
                        |gang| gang.b.define(vector, whole),
                        |gang| {
                            let (scattered, checks) = gang.spread(place);
                            let mask = gang.lanes_in_bounds(&checks);
                            gang.b.define(vector, Op::Gather(scattered, mask))
                        },
                    ),
                }
            }
            Location::Spread(scattered) => {
                let mask = self.lanes_in_bounds(&checks);
                self.b.define(vector, Op::Gather(scattered, mask))
            }
        };
        self.loaded(place.ty, value)
    }

    /// A value that is computed in one of two ways, the first as a rule.
    fn one_of(
        &mut self,
        condition: Value,
        ty: Type,
        likely: impl FnOnce(&mut Self) -> Value,
        otherwise: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        self.b.open();
        let value = likely(self);
        self.b.yields(&[value]);
        let then = self.b.close();
        self.b.open();
        let value = otherwise(self);
        self.b.yields(&[value]);
        let otherwise = self.b.close();
        self.b.branch_on(condition, then, otherwise, &[ty], Hint::Likely)[0]
    }

    fn load_single(&mut self, access: Access, ty: Type, atomic: bool, holds: Option<Value>) -> Value {
        let op = if atomic { Op::AtomicLoad(Access { always: false, ..access }) } else { Op::Load(access) };
        let Some(holds) = holds else {
            return self.b.define(ty, op);
        };
        self.one_of(holds, ty, |gang| gang.b.define(ty, op), |gang| gang.b.constant(ty, 0))
    }

    /// What memory holds as a value of its type.
    pub(super) fn loaded(&mut self, ty: Scalar, raw: Value) -> Value {
        match ty {
            Scalar::Bool => {
                let zero = self.b.like(raw, 0.0);
                self.b.ne(raw, zero)
            }
            Scalar::F16 => self.b.convert(Convert::FromHalf, raw, kind(ty)),
            Scalar::I16 => self.narrowed(ty, raw),
            _ => raw,
        }
    }

    /// A value as memory holds it.
    pub(super) fn storable(&mut self, ty: Scalar, value: Value) -> Value {
        let (raw, _) = stored(ty);
        match ty {
            Scalar::Bool => {
                let ty = self.b.ty(value).with(raw);
                let zero = self.b.constant(ty, 0);
                let one = self.b.constant(ty, 1);
                self.b.select(value, one, zero)
            }
            Scalar::F16 => self.b.convert(Convert::ToHalf, value, raw),
            _ => value,
        }
    }
}
