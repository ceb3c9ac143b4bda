//! Whether the workgroups of a launch may run apart.
//!
//! Knows nothing of how a launch is cut.

use super::Use;
use super::image::{axes_apart, told_apart};
use crate::affine::{FIXED, Form, LaunchFacts, Piece, State, Variable};
use std::fmt;

/// Why a launch must not be cut into slices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is an atomic step on this binding.
    Atomics {
        /// Its name.
        binding: String,
    },
    /// One workgroup may touch what another may write in this binding.
    Shared {
        /// Its name.
        binding: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Atomics { binding } => write!(f, "atomic operations on `{binding}` see all workgroups"),
            Reason::Shared { binding } => {
                write!(f, "one workgroup may touch what another writes in `{binding}`")
            }
        }
    }
}

/// Judges the uses of all bindings.
pub(super) fn judge(
    state: &State<'_>,
    facts: &LaunchFacts<'_>,
    uses: &[Vec<Use>],
    whole: &[(bool, bool)],
) -> Result<(), Reason> {
    let name = |binding: usize| state.function.bindings[binding].name.clone();
    if let Some(binding) = uses.iter().position(|uses| uses.iter().any(|at| at.access.atomic)) {
        return Err(Reason::Atomics { binding: name(binding) });
    }
    if facts.range.1.saturating_sub(facts.range.0) <= 1 {
        return Ok(());
    }
    for (binding, uses) in uses.iter().enumerate() {
        let writes = whole[binding].1 || uses.iter().any(|at| at.access.writes);
        if writes && (whole[binding] != (false, false) || !apart(state, uses)) {
            return Err(Reason::Shared { binding: name(binding) });
        }
    }
    Ok(())
}

/// No two workgroups touch the same bytes: every use has the same factors for the same ids, which make different bytes of
/// different ids, as digits make different numbers.
fn apart(state: &State<'_>, uses: &[Use]) -> bool {
    let space = &state.space;
    let size = state.function.workgroup_size;
    let mut axes = [false; 3];
    for at in uses {
        let found = axes_apart(space, &state.origins, at);
        axes = std::array::from_fn(|axis| axes[axis] || found[axis]);
    }
    let told: Vec<(Form, Piece, u32)> = uses
        .iter()
        .filter_map(|at| {
            told_apart(space, &state.origins, size, at, axes).map(|(form, piece)| (form, piece, at.size))
        })
        .collect();
    let Some((first, ..)) = told.first() else { return true };
    // Ids are digits where all agree; whatever else there is makes the lowest digit wider.
    let mut digits: Vec<(i128, i128)> = Vec::new();
    let mut shared = Form::default();
    for variable in 0..FIXED as Variable {
        let factor = first.coefficient(variable);
        if told.iter().any(|(form, ..)| form.coefficient(variable) != factor) {
            continue;
        }
        let range = told.iter().map(|(_, piece, _)| space.range(piece, variable));
        let Some((lo, hi)) = range.reduce(|(a, b), (c, d)| (a.min(c), b.max(d))) else { continue };
        let axis = (variable % 3) as usize;
        let is_workgroup = if axes[axis] { variable / 3 == 1 } else { variable / 3 == 0 };
        if factor == 0 && is_workgroup && lo != hi {
            return false;
        }
        if factor != 0 {
            shared = shared.plus(&Form::variable(variable), factor);
            if lo != hi {
                digits.push((factor.abs(), hi - lo + 1));
            }
        }
    }
    let mut extent: Option<(i128, i128)> = None;
    for (form, piece, size) in &told {
        let rest = form.plus(&shared, -1);
        if rest.terms.iter().any(|&(variable, _)| variable < FIXED as Variable) {
            return false;
        }
        let (lo, hi) = space.interval(piece, &rest);
        let (lo, hi) = (lo, hi + i128::from(*size));
        extent = Some(extent.map_or((lo, hi), |(a, b)| (a.min(lo), b.max(hi))));
    }
    let mut width = extent.map_or(0, |(lo, hi)| hi - lo);
    digits.sort_unstable();
    digits.iter().all(|&(distance, count)| {
        let fits = distance >= width;
        width += distance * (count - 1);
        fits
    })
}
