//! Which words of what is bound must be there when a launch begins: all, but those that it surely overwrites without
//! looking at them.
//!
//! Knows nothing of devices; what a kernel touches is found by `warpweft-ssa`.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;
use warpweft_hal::Grid;
use warpweft_ssa::footprint::{Footprint, LaunchFacts};

use super::bind::ResolvedArgument;
use super::knowledge::with_facts;
use crate::kernel::KernelInner;

/// Where a launch leaves more gaps than this in a binding, all of it is brought: one transfer is quicker than many.
const GAPS: usize = 8;

/// The words of a buffer, or a value.
type Given = (Range<u64>, Option<Arc<[u8]>>);

/// Everything that the answer depends on.
#[derive(PartialEq)]
pub(super) struct Asked {
    grid: Grid,
    /// Per binding.
    arguments: SmallVec<[Given; 6]>,
}

/// By argument, the words that must be there. Arguments of which all must be there have no entry.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Brought {
    partly: Vec<(usize, Vec<Range<u64>>)>,
}

impl Brought {
    /// Those of an argument, of its words.
    pub(crate) fn of<'a>(&'a self, at: usize, words: &'a Range<u64>) -> &'a [Range<u64>] {
        match self.partly.iter().find(|(known, _)| *known == at) {
            Some((_, brought)) => brought,
            None => std::slice::from_ref(words),
        }
    }
}

impl KernelInner {
    /// What a launch must have brought.
    pub(crate) fn brought(&self, arguments: &[ResolvedArgument], grid: Grid) -> Arc<Brought> {
        // Where all memory is the host's, nothing ever moves.
        let moves = self.runtime.devices.iter().any(|slot| !slot.host_memory());
        let written =
            |argument: &ResolvedArgument| matches!(argument, ResolvedArgument::Words { writes: true, .. });
        if !moves || grid.is_empty() || !arguments.iter().any(written) {
            return Arc::default();
        }
        let Some(analysed) = self.analysed() else { return Arc::default() };
        let asked = Asked {
            grid,
            arguments: arguments
                .iter()
                .map(|argument| match argument {
                    ResolvedArgument::Words { words, .. } => (words.clone(), None),
                    ResolvedArgument::Value(bytes) => (0..bytes.len() as u64 / 4, Some(bytes.clone())),
                })
                .collect(),
        };
        let mut last = self.knowledge.last.lock();
        if let Some((known, brought)) = &*last
            && *known == asked
        {
            return brought.clone();
        }
        let brought = Arc::new(evaluate(&analysed.footprint, arguments, &asked));
        *last = Some((asked, brought.clone()));
        brought
    }
}

fn evaluate(footprint: &Footprint, arguments: &[ResolvedArgument], asked: &Asked) -> Brought {
    with_facts(arguments, asked.grid, |facts| keep(footprint, arguments, facts))
}

fn keep(footprint: &Footprint, arguments: &[ResolvedArgument], facts: &LaunchFacts<'_>) -> Brought {
    let touched = footprint.evaluate(facts).bindings;
    let mut partly = Vec::new();
    for (at, (argument, touched)) in arguments.iter().zip(&touched).enumerate() {
        let ResolvedArgument::Words { words, writes: true, .. } = argument else { continue };
        let fresh = touched.must_write.without(&touched.may_read).whole_words();
        if fresh.is_empty() || fresh.ranges().len() > GAPS {
            continue;
        }
        let mut brought = Vec::new();
        let mut start = words.start;
        for range in fresh.ranges() {
            let (from, to) = (words.start + range.start / 4, words.start + range.end / 4);
            if start < from {
                brought.push(start..from);
            }
            start = to;
        }
        if start < words.end {
            brought.push(start..words.end);
        }
        partly.push((at, brought));
    }
    Brought { partly }
}
