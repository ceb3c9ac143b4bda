//! What must be over before a task may start.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Event;
use crate::Error;

/// Events that must be over before a task may start.
#[derive(Default)]
pub(crate) struct Dependencies {
    /// The task uses what these made: if one fails, so does the task.
    needed: SmallVec<[Arc<Event>; 4]>,
    /// These only come first, whatever becomes of them.
    before: SmallVec<[Arc<Event>; 4]>,
}

impl Dependencies {
    /// The task uses what the event's task made.
    pub(crate) fn need(&mut self, event: &Arc<Event>) {
        let right = event.is_known_done() && event.failure().is_none();
        if !right && !self.needed.iter().any(|e| Arc::ptr_eq(e, event)) {
            self.needed.push(event.clone());
        }
    }

    /// The task only comes after.
    pub(crate) fn follow(&mut self, event: &Arc<Event>) {
        if !event.is_known_done() && !self.before.iter().any(|e| Arc::ptr_eq(e, event)) {
            self.before.push(event.clone());
        }
    }

    pub(crate) fn needed(&self) -> &[Arc<Event>] {
        &self.needed
    }

    pub(crate) fn before(&self) -> &[Arc<Event>] {
        &self.before
    }

    /// All events, needed or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.needed.iter().chain(&self.before)
    }

    /// What is not over, only to come first; asks the devices.
    pub(crate) fn unfinished(self) -> Option<Self> {
        let before: SmallVec<_> =
            self.needed.into_iter().chain(self.before).filter(|e| !e.is_done()).collect();
        (!before.is_empty()).then(|| Self { needed: SmallVec::new(), before })
    }

    /// Waits until all are over.
    ///
    /// # Errors
    /// When a needed one failed.
    pub(crate) fn wait(&self) -> Result<(), Error> {
        for event in &self.before {
            let _ = event.wait();
        }
        for event in &self.needed {
            event.wait().map_err(|cause| event.poison(cause))?;
        }
        Ok(())
    }
}
