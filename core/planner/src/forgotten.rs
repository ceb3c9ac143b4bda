//! What shall not be known any more, and up to when: kept, so that other processes do not bring it back.

use std::collections::BTreeMap;

use crate::Moment;

/// Names kept; beyond, the oldest are no longer guarded.
const NAMES: usize = 64;

/// Until when the kernels of each name, and all, are forgotten.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Forgotten {
    all: Moment,
    names: BTreeMap<Box<str>, Moment>,
}

impl Forgotten {
    pub(crate) fn add(&mut self, name: Option<&str>, until: Moment) -> bool {
        let kept = match name {
            None => &mut self.all,
            Some(name) => self.names.entry(name.into()).or_default(),
        };
        let later = until > *kept;
        *kept = until.max(*kept);
        let all = self.all;
        self.names.retain(|_, until| *until > all);
        while self.names.len() > NAMES {
            let oldest = self.names.iter().min_by_key(|(_, until)| **until).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.names.remove(&name));
        }
        later
    }

    /// Adds what another has forgotten. Whether anything was new.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        let mut new = false;
        for (name, until) in other.iter() {
            if until > name.map_or(self.all, |n| self.until(n)) {
                new |= self.add(name, until);
            }
        }
        new
    }

    /// Until when the kernels of this name are forgotten.
    pub(crate) fn until(&self, name: &str) -> Moment {
        self.names.get(name).copied().unwrap_or_default().max(self.all)
    }

    /// From when on the kernels of this name may be known again.
    pub(crate) fn resumes(&self, name: &str) -> Moment {
        match self.until(name) {
            Moment::START => Moment::START,
            until => until.next(),
        }
    }

    /// All that is forgotten; `None` stands for every name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<&str>, Moment)> {
        let all = (self.all > Moment::START).then_some((None, self.all));
        all.into_iter().chain(self.names.iter().map(|(name, until)| (Some(&**name), *until)))
    }
}
