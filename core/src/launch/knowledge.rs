//! What is known of what a kernel does, whatever the launch; and of a launch, what analysis wants to know.
//!
//! Found once for a kernel, when first asked for. Knows nothing of what is made of it: see `brought` and `work`.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use smallvec::SmallVec;
use warpweft_hal::Grid;
use warpweft_ssa::cost::Cost;
use warpweft_ssa::footprint::{Footprint, LaunchFacts};
use warpweft_ssa::ir::Function;

use super::bind::ResolvedArgument;
use super::brought::{Asked, Brought};
use crate::kernel::KernelInner;

/// What is known of what a kernel does.
#[derive(Default)]
pub(crate) struct Knowledge {
    /// Nothing for kernels that cannot be analysed.
    analysed: OnceLock<Option<Analysed>>,
    /// What the last launch that was asked for had brought: most are like the one before.
    pub(super) last: Mutex<Option<(Asked, Arc<Brought>)>>,
}

/// What analysis found, whatever the launch.
pub(super) struct Analysed {
    pub(super) footprint: Footprint,
    pub(super) cost: Cost,
}

impl Analysed {
    fn new(function: &Function) -> Self {
        Analysed { footprint: Footprint::new(function), cost: Cost::new(function) }
    }
}

impl Knowledge {
    /// Takes in what is known already.
    pub(crate) fn of(function: &Function) -> Self {
        let knowledge = Knowledge::default();
        let _ = knowledge.analysed.set(Some(Analysed::new(function)));
        knowledge
    }
}

impl KernelInner {
    /// What analysis found of the kernel, if it can be analysed.
    pub(super) fn analysed(&self) -> Option<&Analysed> {
        let found = self.knowledge.analysed.get_or_init(|| {
            Function::new(&self.program.kernel).ok().map(|function| Analysed::new(&function))
        });
        found.as_ref()
    }
}

/// Calls `f` with what analysis wants to know of a launch.
pub(super) fn with_facts<T>(
    arguments: &[ResolvedArgument],
    grid: Grid,
    f: impl FnOnce(&LaunchFacts<'_>) -> T,
) -> T {
    // What the device sees are whole words.
    let bytes: SmallVec<[u64; 6]> = arguments
        .iter()
        .map(|argument| match argument {
            ResolvedArgument::Words { words, .. } => (words.end - words.start) * 4,
            ResolvedArgument::Value(bytes) => bytes.len() as u64 / 4 * 4,
        })
        .collect();
    let uniforms: SmallVec<[Option<&[u8]>; 6]> = arguments
        .iter()
        .map(|argument| match argument {
            ResolvedArgument::Words { .. } => None,
            ResolvedArgument::Value(bytes) => Some(&**bytes),
        })
        .collect();
    f(&LaunchFacts::new(grid.workgroups, grid.over, &bytes, &uniforms))
}
