//! How many lanes a gang has.
//!
//! Chosen by what the generator's registers hold and what the workgroup's shape lets lie side by side.

use warpweft_ssa::ir::{Function, Op};

use crate::lower::meets;
use crate::options::{Generator, Options};

/// The widest gang there is.
pub(crate) const MOST_LANES: u16 = 64;

/// The lanes of a kernel's gangs.
pub(crate) fn lanes(function: &Function, options: &Options) -> u16 {
    let subgroups =
        function.values.iter().any(|d| matches!(d.op, Op::Ballot(..) | Op::Collective(..) | Op::Gather(..)));
    // WGSL's smallest subgroup has four invocations.
    let least = if subgroups { 4 } else { 1 };
    if let Some(lanes) = options.lanes {
        return lanes.max(least).next_power_of_two().min(MOST_LANES);
    }
    let native = match options.generator {
        // Two registers of 128 bits: less leaves the processor waiting, more spills.
        Generator::Cranelift => 8,
        Generator::Avx2 => 8,
        Generator::Avx512 => 16,
    };
    if !meets(function) {
        return native;
    }
    let [x, y, z] = function.workgroup_size;
    if y == 1 && z == 1 {
        return native.min(x.next_power_of_two().min(MOST_LANES.into()) as u16).max(least);
    }
    // Rows of a workgroup that a gang covers whole lie side by side in memory.
    let mut lanes = native;
    while lanes > 4 && x % u32::from(lanes) != 0 {
        lanes /= 2;
    }
    if x % u32::from(lanes) == 0 { lanes.max(least) } else { native.max(least) }
}
