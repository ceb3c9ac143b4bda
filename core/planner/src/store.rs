//! A history that is shared by threads and, through a file, by processes and their successors.
//!
//! Launches learn and ask in memory, behind a lock that is held for microseconds. Saving is for a thread that may wait
//! for the disk: it joins what others saved since, and what they learnt becomes known here. Whatever happens to the
//! file, learning goes on.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::file::{Found, HistoryFile, Lock};
use crate::history::{History, Key, Place};
use crate::text::Unreadable;
use crate::{Learnt, Moment, Prediction, Refused};

/// What a history's file should be called: programs that write another version leave each other's alone.
pub const FILE_NAME: &str = "history-1.json";

/// A history that is shared by threads and processes.
#[derive(Debug)]
pub struct Store {
    history: Mutex<History>,
    file: Option<HistoryFile>,
    /// Held while saving.
    saving: Mutex<()>,
    /// What [`unsaved`](Store::unsaved) says.
    unsaved: AtomicUsize,
    /// It was said that nothing can be kept.
    complained: AtomicBool,
}

/// What became of an attempt to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// All that was learnt is on disk.
    Kept,
    /// There was nothing to save.
    Nothing,
    /// Others are saving: try again later.
    Busy,
    /// The file cannot be written (a warning said why, once): what was learnt is known in this process only.
    Impossible,
}

impl Store {
    /// Reads what was learnt before, or starts anew.
    ///
    /// A file that cannot be read is set aside, as `FILE.broken-N` or, when it is of another version, `FILE.old-N`, with
    /// one warning. The folder need not exist yet.
    pub fn open(path: impl AsRef<Path>) -> Self {
        let file = HistoryFile::new(path.as_ref());
        let store = Self { file: Some(file), ..Self::in_memory() };
        if let Some(file) = &store.file {
            match file.read() {
                Ok(Found::Nothing) => {}
                Ok(Found::History(history)) => store.learn_from(&history),
                // Another process may have set it aside, or written a better one, by the time that we have the lock.
                Ok(Found::Unreadable(_)) => match file.lock() {
                    Ok(Some(lock)) => match store.read_or_set_aside(file, &lock) {
                        Ok(history) => history.iter().for_each(|h| store.learn_from(h)),
                        Err(error) => store.complain(file, &error),
                    },
                    // Saving will look at it again.
                    Ok(None) => {}
                    Err(error) => store.complain(file, &error),
                },
                Err(error) => store.complain(file, &error),
            }
        }
        store
    }

    /// Keeps nothing on disk.
    pub fn in_memory() -> Self {
        Self {
            history: Mutex::default(),
            file: None,
            saving: Mutex::default(),
            unsaved: AtomicUsize::new(0),
            complained: AtomicBool::new(false),
        }
    }

    /// The file that this is kept in.
    pub fn path(&self) -> Option<&Path> {
        Some(self.file.as_ref()?.path())
    }

    /// See [`History::place`].
    pub fn place(&self, device: &str, path: &str) -> Place {
        self.history.lock().place(device, path)
    }

    /// See [`History::observe`]. Writes nothing to disk.
    ///
    /// # Errors
    /// When the size, the time or the place cannot be: nothing is learnt then.
    pub fn observe(
        &self,
        key: Key,
        name: &str,
        size: f64,
        seconds: f64,
        now: Moment,
    ) -> Result<Learnt, Refused> {
        let learnt = self.history.lock().observe(key, name, size, seconds, now)?;
        self.unsaved.fetch_add(1, Ordering::Relaxed);
        Ok(learnt)
    }

    /// See [`History::predict`].
    pub fn predict(&self, key: &Key, size: f64, now: Moment) -> Option<Prediction> {
        self.history.lock().predict(key, size, now)
    }

    /// See [`History::forget`]. The file forgets when it is next saved.
    pub fn forget(&self, name: Option<&str>, now: Moment) -> usize {
        let count = self.history.lock().forget(name, now);
        self.unsaved.fetch_add(1, Ordering::Relaxed);
        count
    }

    /// Looks at all that is known. Launches wait meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.history.lock())
    }

    /// How many observations are not on disk yet.
    pub fn unsaved(&self) -> usize {
        self.unsaved.load(Ordering::Relaxed)
    }

    /// Saves what was learnt since it was last saved, and learns what other processes saved.
    ///
    /// Waits for the disk, and for other processes up to a tenth of a second, but holds up no launch meanwhile.
    pub fn save(&self) -> Saved {
        let Some(file) = &self.file else { return Saved::Nothing };
        let Some(_saving) = self.saving.try_lock() else { return Saved::Busy };
        let unsaved = self.unsaved();
        if unsaved == 0 {
            return Saved::Nothing;
        }
        let changed = self.history.lock().take(false);
        let result = self.join(file, &changed);
        match &result {
            Ok(true) => {
                self.unsaved.fetch_sub(unsaved, Ordering::Relaxed);
                self.complained.store(false, Ordering::Relaxed);
                return Saved::Kept;
            }
            Ok(false) => {}
            Err(error) => self.complain(file, error),
        }
        self.history.lock().give_back(&changed);
        if result.is_ok() { Saved::Busy } else { Saved::Impossible }
    }

    /// Joins what changed to the file; false when others hold it.
    fn join(&self, file: &HistoryFile, changed: &History) -> io::Result<bool> {
        let Some(lock) = file.lock()? else { return Ok(false) };
        let mut kept = match self.read_or_set_aside(file, &lock)? {
            Some(kept) => {
                self.learn_from(&kept);
                kept
            }
            // All that is known was lost, not only what changed.
            None => self.history.lock().take(true),
        };
        kept.forget_also(changed.forgotten());
        for entry in changed.entries() {
            kept.absorb(&entry);
        }
        file.replace(&lock, &kept)?;
        Ok(true)
    }

    /// What the file holds; `None` when there is none any more.
    fn read_or_set_aside(&self, file: &HistoryFile, lock: &Lock) -> io::Result<Option<History>> {
        Ok(match file.read()? {
            Found::Nothing => None,
            Found::History(history) => Some(history),
            Found::Unreadable(why) => {
                let aside = file.set_aside(lock, &why)?;
                warn_of_unreadable(file, &why, &aside);
                None
            }
        })
    }

    /// Learns what another knows, series by series, so that launches come in between.
    fn learn_from(&self, kept: &History) {
        self.history.lock().forget_also(kept.forgotten());
        for entry in kept.entries() {
            self.history.lock().absorb(&entry);
        }
    }

    fn complain(&self, file: &HistoryFile, error: &io::Error) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            let path = file.path().display();
            tracing::warn!(%error, file = %path, "what the planner learns cannot be kept: it will be forgotten at exit");
        }
    }
}

fn warn_of_unreadable(file: &HistoryFile, why: &Unreadable, aside: &Path) {
    tracing::warn!(
        file = %file.path().display(),
        aside = %aside.display(),
        %why,
        "what the planner had learnt cannot be read: the file was set aside, and learning starts anew"
    );
}
