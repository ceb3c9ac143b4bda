//! One location's copy of a store: which words are valid there, and which of them are still on their way.

use std::ops::Range;
use std::sync::Arc;

use super::intervals::Intervals;
use crate::graph::{Dependencies, Event};

/// What is valid in one location.
///
/// A word that a transfer brings counts as valid from the moment at which the transfer was made; whoever uses it
/// waits for the transfer. If the transfer fails, the word was never valid.
#[derive(Default)]
pub(crate) struct Copy {
    valid: Intervals,
    arrivals: Vec<Arrival>,
}

struct Arrival {
    /// What the transfer writes.
    words: Range<u64>,
    /// The part of it that is valid because of it, and not by something later.
    counts: Intervals,
    event: Arc<Event>,
}

impl Copy {
    /// A copy with these words valid.
    pub(crate) fn of(words: Range<u64>) -> Self {
        let mut copy = Self::default();
        copy.valid.insert(words);
        copy
    }

    /// The valid words, those on their way included.
    pub(crate) fn valid(&self) -> &Intervals {
        &self.valid
    }

    /// Forgets transfers that are over; what failed ones were to bring is not valid.
    pub(crate) fn settle(&mut self) {
        let valid = &mut self.valid;
        self.arrivals.retain(|arrival| {
            if arrival.event.failure().is_some() {
                arrival.counts.iter().for_each(|words| valid.remove(words));
            }
            !arrival.event.is_known_done()
        });
    }

    /// The words are valid as they are.
    pub(crate) fn insert(&mut self, words: Range<u64>) {
        self.arrivals.iter_mut().for_each(|arrival| arrival.counts.remove(words.clone()));
        self.valid.insert(words);
    }

    /// The words are not valid any more.
    pub(crate) fn remove(&mut self, words: Range<u64>) {
        self.arrivals.iter_mut().for_each(|arrival| arrival.counts.remove(words.clone()));
        self.valid.remove(words);
    }

    /// The words are valid once the event is over.
    pub(crate) fn arrive(&mut self, words: Range<u64>, event: &Arc<Event>) {
        let mut counts = Intervals::new();
        counts.insert(words.clone());
        self.insert(words.clone());
        self.arrivals.push(Arrival { words, counts, event: event.clone() });
    }

    /// Adds the transfers into these words that may be in flight: needed where they count, else only ordered before.
    pub(crate) fn await_arrivals(&self, words: &Range<u64>, dependencies: &mut Dependencies) {
        for arrival in &self.arrivals {
            if arrival.words.start < words.end && words.start < arrival.words.end {
                match arrival.counts.within(words.clone()).is_empty() {
                    true => dependencies.follow(&arrival.event),
                    false => dependencies.need(&arrival.event),
                }
            }
        }
    }
}
