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
    effect: Effect,
    event: Arc<Event>,
}

/// What a task does to the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It reads them.
    Reads,
    /// It writes them; if it fails they are poisoned.
    Writes,
    /// It writes them, but nobody will read what it wrote: they were discarded, or are scratch.
    Scribbles,
}

impl Accesses {
    /// Adds to `dependencies` what a task over these words must wait for.
    pub(crate) fn conflicts(&self, words: &Range<u64>, writes: bool, dependencies: &mut Dependencies) {
        for entry in self.over(words) {
            match entry.effect {
                Effect::Writes => dependencies.need(&entry.event),
                Effect::Scribbles => dependencies.follow(&entry.event),
                Effect::Reads if writes => dependencies.follow(&entry.event),
                Effect::Reads => {}
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
        for entry in self.over(words).filter(|e| is_host(e.event.device())) {
            match entry.effect {
                Effect::Writes => dependencies.need(&entry.event),
                Effect::Scribbles => dependencies.follow(&entry.event),
                Effect::Reads => {}
            }
        }
    }

    /// Records a task that was created after all that are in the list and waits for those it conflicts with.
    ///
    /// `in_order`: its device executes tasks in the order of their creation.
    pub(crate) fn record(&mut self, words: Range<u64>, effect: Effect, event: &Arc<Event>, in_order: bool) {
        // What lies within is covered: whoever must wait for the old entry must wait for the new one, which is over
        // later. A reader is over later than another only by its device's order.
        self.entries.retain(|e| {
            let within = words.start <= e.words.start && e.words.end <= words.end;
            let over_later = effect != Effect::Reads
                || (e.effect == Effect::Reads
                    && e.event.device() == event.device()
                    && (in_order || e.event.is_known_done()));
            !(within && over_later)
        });
        if self.entries.len() > PRUNE_ABOVE {
            self.entries.retain(|e| {
                !e.event.is_done() || (e.effect == Effect::Writes && e.event.failure().is_some())
            });
        }
        self.entries.push(Entry { words, effect, event: event.clone() });
    }

    /// Forgets the tasks over these words, all of which are over or can do no harm: they are overwritten.
    pub(crate) fn overwrite(&mut self, words: &Range<u64>) {
        let mut kept = Vec::with_capacity(self.entries.len() + 1);
        for entry in self.entries.drain(..) {
            for rest in [
                entry.words.start..entry.words.end.min(words.start),
                entry.words.start.max(words.end)..entry.words.end,
            ] {
                if !rest.is_empty() {
                    kept.push(Entry { words: rest, effect: entry.effect, event: entry.event.clone() });
                }
            }
        }
        self.entries = kept;
    }

    /// Nobody wants what was to be written to these words: failures there poison nothing, known or to come.
    pub(crate) fn forgive(&mut self, words: &Range<u64>) {
        for entry in &mut self.entries {
            let within = words.start <= entry.words.start && entry.words.end <= words.end;
            if within && entry.effect == Effect::Writes {
                entry.effect = Effect::Scribbles;
            }
        }
    }

    /// Why these words cannot be read, if a task that should have written them is known to have failed.
    pub(crate) fn poison(&self, words: &Range<u64>) -> Option<Error> {
        self.over(words)
            .filter(|e| e.effect == Effect::Writes)
            .find_map(|e| e.event.failure().map(|cause| e.event.poison(cause)))
    }

    fn over<'a>(&'a self, words: &'a Range<u64>) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(|e| e.words.start < words.end && words.start < e.words.end)
    }
}
