//! Which tasks touched which words of a buffer last: what a new task must wait for, and what is poisoned.
//!
//! Knows nothing of locations: two tasks conflict when they touch a common word and one of them writes it. A writer
//! that failed stays in the list until its words are written anew, so that whoever reads them learns why.

use std::ops::Range;
use std::sync::Arc;

use crate::Error;
use crate::graph::{Dependencies, Event};

/// Entries beyond which finished ones are looked for and dropped.
const PRUNE_ABOVE: usize = 12;

/// The latest tasks over a buffer's words, in order of their creation.
#[derive(Default)]
pub(crate) struct Accesses {
    entries: Vec<Entry>,
}

struct Entry {
    words: Range<u64>,
    writes: bool,
    event: Arc<Event>,
}

impl Accesses {
    /// Adds to `dependencies` what a task over these words must wait for.
    pub(crate) fn conflicts(&self, words: &Range<u64>, writes: bool, dependencies: &mut Dependencies) {
        for entry in &self.entries {
            if overlap(&entry.words, words) && (entry.writes || writes) {
                depend(dependencies, &entry.event);
            }
        }
    }

    /// Adds the tasks that write these words in host memory, which a reader on the host must wait for.
    pub(crate) fn host_writers(
        &self,
        words: &Range<u64>,
        is_host: impl Fn(usize) -> bool,
        dependencies: &mut Dependencies,
    ) {
        for entry in &self.entries {
            if overlap(&entry.words, words) && entry.writes && is_host(entry.event.device()) {
                depend(dependencies, &entry.event);
            }
        }
    }

    /// Records a task that was created after all that are in the list and depends on those it conflicts with.
    pub(crate) fn record(&mut self, words: Range<u64>, writes: bool, event: &Arc<Event>) {
        // What lies within is covered: whoever conflicts with the old entry conflicts with the new one, which waits
        // for the old. Readers cover only readers of their own device, which end in order.
        self.entries.retain(|e| {
            let covered = words.start <= e.words.start && e.words.end <= words.end;
            let ordered =
                writes || (!e.writes && e.event.device() == event.device() && e.event.is_known_done());
            !(covered && (ordered || Arc::ptr_eq(&e.event, event) && !e.writes))
        });
        if self.entries.len() > PRUNE_ABOVE {
            self.entries
                .retain(|e| !e.event.is_done() || e.event.failure().is_some());
        }
        self.entries.push(Entry {
            words,
            writes,
            event: event.clone(),
        });
    }

    /// Forgets what was to be written to these words: they are overwritten from outside.
    pub(crate) fn overwrite(&mut self, words: &Range<u64>) {
        let mut kept = Vec::with_capacity(self.entries.len() + 1);
        for entry in self.entries.drain(..) {
            for rest in [
                entry.words.start..entry.words.end.min(words.start),
                entry.words.start.max(words.end)..entry.words.end,
            ] {
                if !rest.is_empty() {
                    kept.push(Entry {
                        words: rest,
                        writes: entry.writes,
                        event: entry.event.clone(),
                    });
                }
            }
        }
        self.entries = kept;
    }

    /// Forgets failures over these words: nobody wants what should have been there.
    pub(crate) fn forgive(&mut self, words: &Range<u64>) {
        self.entries.retain(|e| {
            let within = words.start <= e.words.start && e.words.end <= words.end;
            !(within && e.event.failure().is_some())
        });
    }

    /// Why these words cannot be read, if a task that should have written them is known to have failed.
    pub(crate) fn poison(&self, words: &Range<u64>) -> Option<Error> {
        self.entries
            .iter()
            .filter(|e| e.writes && overlap(&e.words, words))
            .find_map(|e| e.event.failure().map(|cause| e.event.poison(cause)))
    }
}

/// Adds an event once.
pub(crate) fn depend(dependencies: &mut Dependencies, event: &Arc<Event>) {
    let over = event.is_known_done() && event.failure().is_none();
    if !over && !dependencies.iter().any(|d| Arc::ptr_eq(d, event)) {
        dependencies.push(event.clone());
    }
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}
