//! All series of a machine: which kernel took how long on which device.
//!
//! Holds a bounded number of series; the least recently used goes. Knows nothing of files.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::forgotten::Forgotten;
use crate::series::{Learnt, Series};
use crate::{Moment, Prediction, Refused};

/// Series kept unless told otherwise.
pub const SERIES: usize = 512;

/// A series that is only asked counts as changed when it was used so much later than is kept.
const USE_IS_KEPT: Duration = Duration::from_secs(3600);

/// A kernel with its constants: a hash of both.
pub type KernelHash = [u8; 32];

/// A device and a way to execute on it, numbered by [`History::place`]. The number holds for one history only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u32);

/// What a series belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What is executed.
    pub kernel: KernelHash,
    /// Where and how.
    pub place: Place,
}

/// All series of a machine.
#[derive(Debug)]
pub struct History {
    /// Device and path of each place.
    places: Vec<(Box<str>, Box<str>)>,
    entries: FxHashMap<Key, Held>,
    forgotten: Forgotten,
    capacity: usize,
}

/// A series and what surrounds it.
#[derive(Debug)]
struct Held {
    name: Box<str>,
    series: Series,
    /// When it was last asked or told, in microseconds.
    used: AtomicU64,
    /// There is more than what was last taken for keeping.
    changed: bool,
    /// When it had been used at that time.
    kept: Moment,
}

/// One series, for showing what was learnt.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The kernel's name, as last told.
    pub name: &'a str,
    /// The kernel's hash with its constants.
    pub kernel: &'a KernelHash,
    /// The device's fingerprint.
    pub device: &'a str,
    /// How the kernel is executed there.
    pub path: &'a str,
    /// When it was last asked or told.
    pub used: Moment,
    /// What was learnt.
    pub series: &'a Series,
}

impl Default for History {
    fn default() -> Self {
        Self::with_capacity(SERIES)
    }
}

impl History {
    /// Holds up to [`SERIES`] series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Holds up to so many series, at least one.
    pub fn with_capacity(series: usize) -> Self {
        Self {
            places: Vec::new(),
            entries: FxHashMap::default(),
            forgotten: Forgotten::default(),
            capacity: series.max(1),
        }
    }

    /// The number of a device, given by its fingerprint, and a path ("compiled", "native").
    ///
    /// Meant to be asked once per device and path: launches then look series up by number.
    pub fn place(&mut self, device: &str, path: &str) -> Place {
        let at = self.places.iter().position(|(d, p)| **d == *device && **p == *path);
        let at = at.unwrap_or_else(|| {
            self.places.push((device.into(), path.into()));
            self.places.len() - 1
        });
        Place(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// Learns that a launch took so many seconds; see [`Series::observe`].
    ///
    /// # Errors
    /// When the size, the time or the place cannot be: nothing is learnt then.
    pub fn observe(
        &mut self,
        key: Key,
        name: &str,
        size: f64,
        seconds: f64,
        now: Moment,
    ) -> Result<Learnt, Refused> {
        if self.places.len() <= key.place.0 as usize {
            return Err(Refused::Place);
        }
        // What was forgotten up to now does not include this.
        let now = now.max(self.forgotten.resumes(name));
        if let Some(held) = self.entries.get_mut(&key) {
            let learnt = held.series.observe(size, seconds, now)?;
            if *held.name != *name {
                held.name = name.into();
            }
            held.used.fetch_max(now.micros(), Ordering::Relaxed);
            held.changed = true;
            return Ok(learnt);
        }
        let mut series = Series::new();
        let learnt = series.observe(size, seconds, now)?;
        self.make_room();
        let used = AtomicU64::new(now.micros());
        self.entries.insert(key, Held { name: name.into(), series, used, changed: true, kept: now });
        Ok(learnt)
    }

    /// The time that a launch should take; `None` when nothing is known of it. See [`Series::predict`].
    pub fn predict(&self, key: &Key, size: f64, now: Moment) -> Option<Prediction> {
        let held = self.entries.get(key)?;
        held.used.fetch_max(now.micros(), Ordering::Relaxed);
        held.series.predict(size)
    }

    /// What was learnt under a key.
    pub fn series(&self, key: &Key) -> Option<&Series> {
        Some(&self.entries.get(key)?.series)
    }

    /// The number of series.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What was learnt, by kernel name, device and path.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries: Vec<_> = self.entries.iter().map(|(key, held)| self.entry(key, held)).collect();
        entries
            .sort_by(|a, b| (a.name, a.kernel, a.device, a.path).cmp(&(b.name, b.kernel, b.device, b.path)));
        entries
    }

    /// Forgets what was learnt up to now of kernels of a name, or of all (`None`). How many series lost something.
    ///
    /// Processes that share a file with this one forget it as well, when they next read it.
    pub fn forget(&mut self, name: Option<&str>, now: Moment) -> usize {
        // Clocks go backwards and simulations stand still: what is known now is never of later than now.
        let concerned = |held: &&mut Held| name.is_none_or(|n| n == &*held.name);
        let latest = self.entries.values_mut().filter(concerned).map(|h| h.series.last()).max();
        self.forgotten.add(name, now.max(latest.unwrap_or_default()));
        self.apply_forgotten()
    }

    fn entry<'a>(&'a self, key: &'a Key, held: &'a Held) -> Entry<'a> {
        let (device, path) = &self.places[key.place.0 as usize];
        let used = Moment::from_micros(held.used.load(Ordering::Relaxed));
        Entry { name: &held.name, kernel: &key.kernel, device, path, used, series: &held.series }
    }

    /// Drops what was forgotten.
    fn apply_forgotten(&mut self) -> usize {
        let mut count = 0;
        let forgotten = &self.forgotten;
        self.entries.retain(|_, held| {
            count += usize::from(held.series.forget(forgotten.until(&held.name)));
            !held.series.is_empty()
        });
        count
    }

    /// Drops the least recently used series until there is room for one more.
    fn make_room(&mut self) {
        while self.entries.len() >= self.capacity {
            let used = |held: &Held| held.used.load(Ordering::Relaxed);
            // Equally old ones go in an order that does not depend on the map's.
            match self.entries.iter().min_by_key(|(key, held)| (used(held), **key)).map(|(key, _)| *key) {
                Some(key) => self.entries.remove(&key),
                None => return,
            };
        }
    }
}

/// For keeping and sharing.
impl History {
    pub(crate) fn forgotten(&self) -> &Forgotten {
        &self.forgotten
    }

    pub(crate) fn forget_until(&mut self, name: Option<&str>, until: Moment) {
        if self.forgotten.add(name, until) {
            self.apply_forgotten();
        }
    }

    pub(crate) fn forget_also(&mut self, forgotten: &Forgotten) {
        if self.forgotten.merge(forgotten) {
            self.apply_forgotten();
        }
    }

    /// Adds what another has learnt under its own places' numbers. Whether anything was new.
    pub(crate) fn absorb(&mut self, entry: &Entry) -> bool {
        let mut theirs = entry.series.clone();
        theirs.forget(self.forgotten.until(entry.name));
        if theirs.is_empty() {
            return false;
        }
        let key = Key { kernel: *entry.kernel, place: self.place(entry.device, entry.path) };
        if let Some(held) = self.entries.get_mut(&key) {
            held.used.fetch_max(entry.used.micros(), Ordering::Relaxed);
            return held.series.merge(&theirs);
        }
        if self.entries.len() >= self.capacity {
            // Others' series are of interest only where they are newer than ours.
            let oldest = self.entries.values().map(|h| h.used.load(Ordering::Relaxed)).min();
            if oldest.is_some_and(|oldest| oldest >= entry.used.micros()) {
                return false;
            }
            self.make_room();
        }
        let used = AtomicU64::new(entry.used.micros());
        self.entries.insert(
            key,
            Held { name: entry.name.into(), series: theirs, used, changed: false, kept: entry.used },
        );
        true
    }

    /// A copy of what changed since it was last taken, or of all.
    pub(crate) fn take(&mut self, all: bool) -> Self {
        let mut taken = Self::with_capacity(self.capacity);
        taken.forgotten = self.forgotten.clone();
        taken.places = self.places.clone();
        for (key, held) in &mut self.entries {
            let used = Moment::from_micros(held.used.load(Ordering::Relaxed));
            if all || held.changed || used.since(held.kept) > USE_IS_KEPT {
                (held.changed, held.kept) = (false, used);
                let (name, series) = (held.name.clone(), held.series.clone());
                let used = AtomicU64::new(used.micros());
                taken.entries.insert(*key, Held { name, series, used, changed: false, kept: held.kept });
            }
        }
        taken
    }

    /// What was taken could not be kept after all.
    pub(crate) fn give_back(&mut self, taken: &Self) {
        for key in taken.entries.keys() {
            if let Some(held) = self.entries.get_mut(key) {
                held.changed = true;
            }
        }
    }
}
