//! From shapes and wishes to a grid.

use warpweft_hal::Grid;

use super::bind::ResolvedArgument;
use crate::kernel::KernelInner;
use crate::{Error, Result};

/// What the user asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Extent {
    /// The shape of what the kernel writes.
    #[default]
    Inferred,
    /// Exactly these invocations.
    Over([u64; 3]),
    /// These workgroups.
    Workgroups([u64; 3]),
}

/// The largest number of workgroups of one launch.
const MOST: u64 = u32::MAX as u64;

/// The grid of a launch.
pub(crate) fn resolve(kernel: &KernelInner, arguments: &[ResolvedArgument], extent: Extent) -> Result<Grid> {
    let size = kernel.interface().workgroup_size;
    let (workgroups, over) = match extent {
        Extent::Workgroups(workgroups) => (workgroups, None),
        Extent::Over(over) => (groups(over, size), Some(over)),
        Extent::Inferred => {
            let over = infer(kernel, arguments)?;
            (groups(over, size), Some(over))
        }
    };
    // Without invocations along one axis there is no work, however long the others are.
    let (workgroups, over) = match workgroups.contains(&0) {
        true => ([0; 3], None),
        false => (workgroups, over),
    };
    let total = workgroups.iter().fold(1u64, |total, &n| total.saturating_mul(n));
    if total > MOST || over.unwrap_or_default().iter().chain(&workgroups).any(|&n| n > MOST) {
        return Err(kernel.grid_error(format!(
            "a grid of {workgroups:?} workgroups is larger than {MOST}: give each invocation more work"
        )));
    }
    let exact = over.filter(|over| (0..3).any(|axis| over[axis] != workgroups[axis] * u64::from(size[axis])));
    if let (Some(over), true) = (exact, kernel.interface().barriers && total > 0) {
        return Err(kernel.grid_error(format!(
            "it has barriers, so its grid must be whole workgroups, and {over:?} invocations are no multiple of the \
             workgroup size {size:?}: say .workgroups({workgroups:?}) and let the kernel guard its accesses"
        )));
    }
    let narrow = |n: [u64; 3]| n.map(|n| n as u32);
    Ok(Grid { workgroups: narrow(workgroups), over: exact.map(narrow) })
}

fn groups(over: [u64; 3], size: [u32; 3]) -> [u64; 3] {
    std::array::from_fn(|axis| over[axis].div_ceil(u64::from(size[axis])))
}

/// The invocations of a grid over a numpy shape: the last axis is x; axes beyond three are folded into z.
pub(crate) fn over_shape(shape: &[usize]) -> [u64; 3] {
    let mut axes = shape.iter().rev().map(|&n| n as u64);
    let x = axes.next().unwrap_or(1);
    let y = axes.next().unwrap_or(1);
    // A shape without elements may have other axes of any length.
    [x, y, axes.fold(1, u64::saturating_mul)]
}

/// The shape of what the kernel writes, as invocations.
fn infer(kernel: &KernelInner, arguments: &[ResolvedArgument]) -> Result<[u64; 3]> {
    let interface = kernel.interface();
    let mut found: Option<(&str, [u64; 3])> = None;
    for (binding, argument) in interface.bindings.iter().zip(arguments) {
        let ResolvedArgument::Words { part, writes: true, .. } = argument else {
            continue;
        };
        // Elements of WGSL's type: trailing axes that make one up are not the grid's.
        let Some((0, _, stride)) = binding.ty.runtime_array() else {
            continue;
        };
        let mut shape = &part.shape[..];
        let mut bytes = u64::from(part.element.size);
        while let [rest @ .., last] = shape {
            if bytes >= u64::from(stride) {
                break;
            }
            bytes = bytes.saturating_mul(*last as u64);
            shape = rest;
        }
        let elements = part.bytes / u64::from(stride);
        let known = bytes == u64::from(stride);
        let over = match interface.axes {
            // A kernel that looks along x only covers the elements one after another, whatever their shape.
            Some(1) => [elements, 1, 1],
            Some(axes) if !known || shape.len() as u32 != axes => {
                return Err(ask(
                    kernel,
                    format!(
                        "it looks along {axes} axes of the grid, and `{}` has the shape {:?}",
                        binding.name, part.shape
                    ),
                ));
            }
            _ if known => over_shape(shape),
            _ => [elements, 1, 1],
        };
        match found {
            Some((name, other)) if other != over => {
                return Err(ask(kernel, format!("`{name}` and `{}` have different shapes", binding.name)));
            }
            _ => found = Some((&binding.name, over)),
        }
    }
    found.map(|(_, over)| over).ok_or_else(|| {
        ask(
            kernel,
            "it writes no binding that is an array of run-time size, whose shape could be the grid".into(),
        )
    })
}

fn ask(kernel: &KernelInner, reason: String) -> Error {
    kernel.grid_error(format!(
        "{reason}: say which grid with .over([nx, ny, nz]), .over_shape(&buffer) or .workgroups([x, y, z])"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_axis_is_x() {
        assert_eq!(over_shape(&[5]), [5, 1, 1]);
        assert_eq!(over_shape(&[3, 4]), [4, 3, 1]);
        assert_eq!(over_shape(&[2, 3, 4]), [4, 3, 2]);
        assert_eq!(over_shape(&[7, 2, 3, 4]), [4, 3, 14]);
        assert_eq!(over_shape(&[]), [1, 1, 1]);
    }
}
