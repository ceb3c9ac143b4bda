//! Random accesses: all inside of the memories that a run maps.

use super::{Generator, SPACES};
use crate::ir::*;

impl Generator {
    fn access(&mut self, space: usize, kind: Kind) -> Access {
        let ty = Type::scalar(Kind::I64);
        let index = (!self.random.one_in(4)).then(|| self.limited(ty, 63, 0));
        let size = kind.size() as u8;
        let offset = i32::from(size) * self.random.below(4) as i32;
        let mut base = Value(space as u32);
        if self.random.one_in(4) {
            let by = self.constant(ty, 8);
            base = self.define(ty, Op::Binary(Binary::Add, base, by));
        }
        let width = Width::Full;
        let scale = if index.is_some() { size } else { 1 };
        Access { base, index, scale, offset, space: SpaceId(space as u32), width, always: false }
    }

    fn scattered(&mut self, space: usize, kind: Kind) -> Scattered {
        let vector = Type { kind: Kind::I32, lanes: self.function.lanes };
        let index = self.limited(vector, 63, 0);
        let scale = kind.size() as u8;
        Scattered {
            base: Value(space as u32),
            index,
            scale,
            offset: 0,
            space: SpaceId(space as u32),
            width: Width::Full,
        }
    }

    fn stride(&mut self) -> u8 {
        2 + self.random.below(7) as u8
    }

    /// Some of the accesses that a period holds, in any order; often all.
    fn beside(&mut self, access: Access, kind: Kind, stride: u8) -> Vec<Access> {
        let count = if self.random.one_in(2) { stride.into() } else { 1 + self.random.below(stride.into()) };
        let (start, all) = (self.random.below(stride.into()), self.random.one_in(3));
        (0..count)
            .map(|at| {
                let at = if all { (start + at) % usize::from(stride) } else { at };
                Access { offset: access.offset + (at * kind.size() as usize) as i32, ..access }
            })
            .collect()
    }

    fn has_vectors(&self) -> bool {
        self.function.lanes > 1
    }

    pub(super) fn load(&mut self) {
        let space = self.random.below(SPACES.len());
        let kind = SPACES[space].1;
        let vector = Type { kind, lanes: self.function.lanes };
        let mut access = self.access(space, kind);
        let form = self.random.below(8);
        if form < 4 || !self.has_vectors() {
            let ty = self.lanes_of(kind);
            access.always = self.random.one_in(3);
            if kind == Kind::I32 && self.random.one_in(4) {
                access.width = Width::Half;
            }
            self.define(ty, Op::Load(access));
        } else if form < 6 {
            let mask = self.value(vector.with(Kind::Bool));
            self.define(vector, Op::LoadMasked(access, mask));
        } else if self.random.one_in(2) {
            let stride = self.stride();
            for access in self.beside(access, kind, stride) {
                self.define(vector, Op::LoadStrided(access, stride));
            }
        } else {
            let at = self.scattered(space, kind);
            let mask = self.value(vector.with(Kind::Bool));
            self.define(vector, Op::Gather(at, mask));
        }
    }

    /// Stores and loads of vectors that overlap, some with masks that are constants.
    fn overlapping(&mut self, space: usize, access: Access) {
        let kind = SPACES[space].1;
        let lanes = usize::from(self.function.lanes);
        let vector = Type { kind, lanes: self.function.lanes };
        let ty = vector.with(Kind::Bool);
        for _ in 0..2 + self.random.below(5) {
            let lanes_on = [0, lanes / 4, lanes / 2, lanes][self.random.below(4)];
            let at = Access { offset: access.offset + (lanes_on * kind.size() as usize) as i32, ..access };
            let below = self.random.below(lanes + 1);
            let mask = (0..lanes).map(|lane| u64::from(lane < below)).collect();
            let mask = self.define(ty, Op::Lanes(mask));
            match self.random.below(4) {
                0 => _ = self.define(vector, Op::Load(at)),
                1 => _ = self.define(vector, Op::LoadMasked(at, mask)),
                2 => {
                    let value = self.value(vector);
                    self.act(Effect::Store(at, value));
                }
                _ => {
                    let value = self.value(vector);
                    self.act(Effect::StoreMasked(at, value, mask));
                }
            }
        }
    }

    pub(super) fn store(&mut self) {
        let space = self.random.below(SPACES.len() - 1);
        let kind = SPACES[space].1;
        let vector = Type { kind, lanes: self.function.lanes };
        let mut access = self.access(space, kind);
        match self.random.below(10) {
            0 if kind.is_int() => {
                use AtomicOp::*;
                let op = self.random.of(&[Add, Sub, And, Or, Xor, MinS, MaxS, MinU, MaxU, Exchange]);
                let value = self.value(Type::scalar(kind));
                self.define(Type::scalar(kind), Op::Atomic(op, access, value));
            }
            1 if kind.is_int() => {
                let (old, new) = (self.value(Type::scalar(kind)), self.value(Type::scalar(kind)));
                self.define(Type::scalar(kind), Op::CompareExchange(access, old, new));
            }
            2 if kind.is_int() => {
                let value = self.value(Type::scalar(kind));
                self.act(Effect::AtomicStore(access, value));
                self.define(Type::scalar(kind), Op::AtomicLoad(access));
            }
            3..=4 if self.has_vectors() => {
                let (value, mask) = (self.value(vector), self.value(vector.with(Kind::Bool)));
                self.act(Effect::StoreMasked(access, value, mask));
            }
            5 if self.has_vectors() && self.random.one_in(2) => {
                let stride = self.stride();
                for access in self.beside(access, kind, stride) {
                    let value = self.value(vector);
                    self.act(Effect::StoreStrided(access, stride, value));
                    if self.random.one_in(20) {
                        self.load();
                    }
                }
            }
            6 if self.has_vectors() => self.overlapping(space, access),
            5 if self.has_vectors() => {
                let at = self.scattered(space, kind);
                let (value, mask) = (self.value(vector), self.value(vector.with(Kind::Bool)));
                self.act(Effect::Scatter(at, value, mask));
            }
            _ => {
                let ty = self.lanes_of(kind);
                let value = self.value(ty);
                if kind == Kind::I32 && self.random.one_in(4) {
                    access.width = Width::Half;
                }
                self.act(Effect::Store(access, value));
            }
        }
    }
}
