//! What is to go wrong, and when.
//!
//! Counts events down; knows nothing of what they are.

use std::collections::{BTreeMap, BTreeSet};

use warpweft_hal::Error;

/// Faults by the number of the allocation or submission that they strike.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) allocations: BTreeSet<u64>,
    pub(crate) submissions: BTreeMap<u64, Strike>,
}

/// What strikes a submission.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Strike {
    /// `submit` refuses it, perhaps because the device is lost.
    Refuse(Error),
    /// It is executed, but its end is an error.
    Fail(Error),
    /// It never ends.
    Hang,
}

impl Faults {
    /// Whether the allocation of that number is to fail.
    pub(crate) fn allocation(&mut self, number: u64) -> bool {
        self.allocations.remove(&number)
    }

    /// What strikes the submission of that number.
    pub(crate) fn submission(&mut self, number: u64) -> Option<Strike> {
        self.submissions.remove(&number)
    }
}
