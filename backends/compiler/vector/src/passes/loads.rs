//! Which loads are known already, because memory did not change since.
//!
//! Each space has a version; a store to it makes a new one. A load gives what an earlier one with the same address and
//! version gave, or what was stored there. An atomic step makes new versions of all spaces (it may be what another
//! thread's writes are ordered by), and so does a call. What a loop writes is new at its start; where control flow meets, versions that
//! differ become a new one.
//!
//! Knows no values' meaning: addresses are the same where they are the same values.

use super::contents::Contents;
use super::survey::{Spaces, bit};
use crate::Builder;
use crate::ir::*;
use rustc_hash::FxHashMap;

type Key = (Op, Type);

/// The version of each space.
pub(super) type Versions = Vec<u32>;

/// The loads that visible values hold.
#[derive(Debug)]
pub(super) struct Loads {
    known: FxHashMap<Key, (Value, u32)>,
    /// What to put back when a list ends.
    log: Vec<(Key, Option<(Value, u32)>)>,
    contents: Contents,
    versions: Versions,
    next: u32,
}

/// How much is known at some point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Here {
    log: usize,
    contents: usize,
}

impl Loads {
    pub(super) fn new(spaces: usize) -> Self {
        let versions = vec![0; spaces];
        Self { known: FxHashMap::default(), log: vec![], contents: Contents::default(), versions, next: 1 }
    }

    /// Where to go [back](Self::back) to.
    pub(super) fn here(&self) -> Here {
        Here { log: self.log.len(), contents: self.contents.here() }
    }

    /// Forgets the values that a list defined.
    pub(super) fn back(&mut self, here: Here) {
        self.contents.back(here.contents);
        for (key, before) in self.log.drain(here.log..).rev() {
            match before {
                Some(before) => self.known.insert(key, before),
                None => self.known.remove(&key),
            };
        }
    }

    /// The versions now.
    pub(super) fn versions(&self) -> Versions {
        self.versions.clone()
    }

    /// Goes on from other versions.
    pub(super) fn set(&mut self, versions: Versions) {
        self.versions = versions;
    }

    /// Goes on where control flow with these versions joins.
    pub(super) fn join(&mut self, other: &Versions) {
        for (version, other) in self.versions.iter_mut().zip(other) {
            if version != other {
                *version = self.next;
                self.next += 1;
            }
        }
    }

    /// Those spaces are written.
    pub(super) fn write(&mut self, spaces: Spaces) {
        for (index, version) in self.versions.iter_mut().enumerate() {
            if spaces & bit(SpaceId(index as u32)) != 0 {
                *version = self.next;
                self.next += 1;
            }
        }
    }

    /// The value that a load gives, if one is known, or put together from what was stored.
    pub(super) fn find(&self, b: &mut Builder, op: &Op, ty: Type) -> Option<Value> {
        let version = self.version(op)?;
        match self.known.get(&(plain(op.clone()), ty)) {
            Some(&(value, at)) if at == version => Some(value),
            _ => self.contents.load(b, op, ty, version),
        }
    }

    /// Consecutive elements of full width are written, where the mask holds, if there is one.
    pub(super) fn store(&mut self, b: &mut Builder, at: Access, value: Value, mask: Option<Value>) {
        let space = at.space.0 as usize;
        let before = self.versions[space];
        self.write(bit(at.space));
        self.contents.store(b, (at, value, mask), [before, self.versions[space]]);
        if mask.is_none() {
            self.learn(&Op::Load(at), b.ty(value), value);
        }
    }

    /// A value holds what a load gives.
    pub(super) fn learn(&mut self, op: &Op, ty: Type, value: Value) {
        let Some(version) = self.version(op) else { return };
        let key = (plain(op.clone()), ty);
        let before = self.known.insert(key.clone(), (value, version));
        self.log.push((key, before));
    }

    fn version(&self, op: &Op) -> Option<u32> {
        self.versions.get(op.touches()?.0 as usize).copied()
    }
}

/// Whether an access is always valid does not change what it gives.
fn plain(op: Op) -> Op {
    match op {
        Op::Load(at) => Op::Load(Access { always: false, ..at }),
        Op::LoadMasked(at, mask) => Op::LoadMasked(Access { always: false, ..at }, mask),
        op => op,
    }
}
