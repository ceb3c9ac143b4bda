//! Stores: masked, never moved onto another element; dropped where an index is out of bounds.

use super::Gang;
use super::place::Location;
use super::state::Exec;
use warpweft_ssa::ir::{self as ssa, Place, Root};
use warpweft_vector::ir::{Access, Convert, Effect, Hint, Kind, Op, Type, Unary, Value};

impl Gang<'_> {
    pub(super) fn store(&mut self, place: &Place, value: ssa::Value, atomic: bool) {
        let (location, checks) = self.location(place);
        match location.for_stores() {
            Location::Single(access) => {
                let holds = self.all_hold(&checks);
                self.store_single(place, access, value, atomic, holds);
            }
            Location::Run(access) => {
                let value = self.vector(value);
                let value = self.storable(place.ty, value);
                match (self.state.exec, self.all_hold(&checks)) {
                    (Exec::All, None) => self.b.act(Effect::Store(access, value)),
                    (Exec::All, Some(holds)) => {
                        self.b.open();
                        self.b.act(Effect::Store(access, value));
                        self.b.yields(&[]);
                        let then = self.b.close();
                        self.b.open();
                        let mask = self.lanes_in_bounds(&checks);
                        self.b.act(Effect::StoreMasked(access, value, mask));
                        self.b.yields(&[]);
                        let otherwise = self.b.close();
                        self.b.branch_on(holds, then, otherwise, &[], Hint::Likely);
                    }
                    _ => {
                        let mask = self.lanes_in_bounds(&checks);
                        self.b.act(Effect::StoreMasked(access, value, mask));
                    }
                }
            }
            // A mask is not everywhere, and its other lanes must not be stored to.
            Location::Strided(access, stride) if matches!(self.state.exec, Exec::All) => {
                let value = self.vector(value);
                let value = self.storable(place.ty, value);
                let whole = Effect::StoreStrided(access, stride, value);
                let Some(holds) = self.all_hold(&checks) else {
                    return self.b.act(whole);
                };
                self.b.open();
                self.b.act(whole);
                self.b.yields(&[]);
                let then = self.b.close();
                self.b.open();
                let (scattered, checks) = self.spread(place);
                let mask = self.lanes_in_bounds(&checks);
                self.b.act(Effect::Scatter(scattered, value, mask));
                self.b.yields(&[]);
                let otherwise = self.b.close();
                self.b.branch_on(holds, then, otherwise, &[], Hint::Likely);
            }
            Location::Strided(..) => {
                let value = self.vector(value);
                let value = self.storable(place.ty, value);
                let (scattered, checks) = self.spread(place);
                let mask = self.lanes_in_bounds(&checks);
                self.b.act(Effect::Scatter(scattered, value, mask));
            }
            Location::Spread(scattered) => {
                let value = self.vector(value);
                let value = self.storable(place.ty, value);
                let mask = self.lanes_in_bounds(&checks);
                self.b.act(Effect::Scatter(scattered, value, mask));
            }
        }
    }

    /// All lanes store to one place: the last active one's value stays.
    fn store_single(
        &mut self,
        place: &Place,
        access: Access,
        value: ssa::Value,
        atomic: bool,
        holds: Option<Value>,
    ) {
        let mut condition = holds;
        if let Exec::Some { mask, nonempty: false } = self.state.exec {
            let some = self.any(mask);
            condition = Some(match condition {
                Some(holds) => self.b.and(holds, some),
                None => some,
            });
        }
        self.when(condition, |gang| {
            let value = gang.last_active(value);
            let value = gang.storable(place.ty, value);
            let shared = matches!(place.root, Root::Binding(_));
            gang.b.act(if atomic && shared {
                Effect::AtomicStore(access, value)
            } else {
                Effect::Store(access, value)
            });
        });
    }

    /// What `f` does, where a condition holds.
    pub(super) fn when(&mut self, condition: Option<Value>, f: impl FnOnce(&mut Self)) {
        let Some(condition) = condition else {
            return f(self);
        };
        self.b.open();
        f(self);
        self.b.yields(&[]);
        let then = self.b.close();
        self.b.open();
        self.b.yields(&[]);
        let otherwise = self.b.close();
        self.b.branch_on(condition, then, otherwise, &[], Hint::None);
    }

    /// The value of the last active lane, as a scalar; there must be one.
    fn last_active(&mut self, value: ssa::Value) -> Value {
        let form = self.primary(value);
        if self.is_uniform(value) {
            return form;
        }
        let vector = self.vector(value);
        let scalar = Type::scalar(self.b.ty(vector).kind);
        let last = self.b.lanes() - 1;
        let mask = match self.state.exec {
            Exec::Some { mask, .. } => mask,
            _ => {
                return self.extracted(vector, |gang, v| {
                    gang.b.define(scalar.with(gang.b.ty(v).kind), Op::Extract(v, last))
                });
            }
        };
        let bits = self.b.define(Type::scalar(Kind::I64), Op::Bits(mask));
        let above = self.b.unary(Unary::LeadingZeros, bits);
        let top = self.b.i64(63);
        let lane = self.b.sub(top, above);
        let lane = self.b.convert(Convert::Truncate, lane, Kind::I32);
        self.extract_at(vector, lane)
    }

    /// One lane of a vector, of masks too.
    pub(super) fn extract_at(&mut self, vector: Value, lane: Value) -> Value {
        self.extracted(vector, |gang, v| {
            let ty = Type::scalar(gang.b.ty(v).kind);
            gang.b.define(ty, Op::ExtractAt(v, lane))
        })
    }

    /// Takes something from a vector; a mask goes through numbers.
    fn extracted(&mut self, vector: Value, f: impl FnOnce(&mut Self, Value) -> Value) -> Value {
        if self.b.ty(vector).kind != Kind::Bool {
            return f(self, vector);
        }
        let ty = self.b.vector(Kind::I32);
        let (one, zero) = (self.b.constant(ty, 1), self.b.constant(ty, 0));
        let numbers = self.b.select(vector, one, zero);
        let number = f(self, numbers);
        let none = self.b.i32(0);
        self.b.ne(number, none)
    }
}
