//! Registers for virtual registers, by regalloc2; in debug builds its checker proves each allocation.
//!
//! Knows which registers there are and which a callee must keep; nothing of what instructions do.

use regalloc2::{Algorithm, Ctx, MachineEnv, Output, PReg, PRegSet, RegallocOptions};
use std::cell::RefCell;

use crate::Effort;
use crate::level::Level;
use crate::program::{INT, Length, MASK, Program, VEC};

/// The stack pointer is not for values.
const RSP: usize = 4;
/// rbx, rbp and r12 to r15 must be as they were when the function returns.
pub(crate) const KEPT: [usize; 6] = [3, 5, 12, 13, 14, 15];

fn set(registers: impl Iterator<Item = usize>, class: regalloc2::RegClass) -> PRegSet {
    registers.map(|number| PReg::new(number, class)).collect()
}

/// How many vector registers and mask registers there are.
fn registers(level: Level) -> (usize, usize) {
    match level {
        Level::Avx2 => (16, 0),
        Level::Avx512 => (32, 8),
    }
}

/// Of more vector registers than these, longer instructions are needed, where vectors are no longer than 256 bits.
const SHORT: usize = 16;

/// The registers of a level, for a program whose longest vectors are these.
fn environment(level: Level, widest: Option<Length>) -> MachineEnv {
    let free = (0..16).filter(|number| *number != RSP && !KEPT.contains(number));
    let (vectors, masks) = registers(level);
    let short = if widest == Some(Length::Z) { vectors } else { SHORT };
    // k0 cannot be a mask: it means that there is none.
    let masks = set(1..masks, MASK);
    MachineEnv {
        preferred_regs_by_class: [set(free, INT), set(0..short, VEC), masks],
        non_preferred_regs_by_class: [set(KEPT.into_iter(), INT), set(short..vectors, VEC), PRegSet::empty()],
        scratch_by_class: [None; 3],
        fixed_stack_slots: vec![],
    }
}

/// What a function that is called may leave with other contents.
pub(crate) fn lost(level: Level) -> PRegSet {
    let (vectors, masks) = registers(level);
    let free = (0..16).filter(|number| *number != RSP && !KEPT.contains(number));
    let mut lost = set(free, INT);
    lost.union_from(set(0..vectors, VEC));
    lost.union_from(set(0..masks, MASK));
    lost
}

thread_local! {
    /// What the allocator allocates for itself is used again.
    static CONTEXT: RefCell<Ctx> = RefCell::new(Ctx::default());
}

/// Above this the thorough allocator takes tens of milliseconds, the fast one less than one; its code is several times
/// slower, but spends its time on spills either way.
const MOST_CROWDING: u64 = 200_000;

/// The checker's time grows with the square of the program.
#[cfg(debug_assertions)]
const CHECKED: usize = 3000;

/// How many values have no register, summed over all instructions: the thorough allocator takes about 70 ns for each.
fn crowding(program: &Program, environment: &MachineEnv) -> u64 {
    let ranges = program.live_ranges();
    let mut sum = 0;
    for class in [INT, MASK, VEC] {
        let registers = environment.preferred_regs_by_class[class as usize].len()
            + environment.non_preferred_regs_by_class[class as usize].len();
        let mut changes = vec![0i32; program.insts.len() + 1];
        for &(of, from, to) in &ranges {
            if of == class {
                changes[from as usize] += 1;
                changes[to as usize] -= 1;
            }
        }
        let mut live = 0i64;
        for change in changes {
            live += i64::from(change);
            sum += (live - registers as i64).max(0) as u64;
        }
    }
    sum
}

/// Allocates the registers of a program.
///
/// # Errors
/// When the allocator finds the program wanting; in words.
pub(crate) fn allocate(program: &Program, level: Level, effort: Effort) -> Result<Output, String> {
    let environment = environment(level, program.widest);
    let quick = effort == Effort::Low || crowding(program, &environment) > MOST_CROWDING;
    let algorithm = if quick { Algorithm::Fastalloc } else { Algorithm::Ion };
    let options = RegallocOptions { verbose_log: false, validate_ssa: cfg!(debug_assertions), algorithm };
    let output = CONTEXT.with(|context| {
        // Taken out, so that a panic leaves nothing half done behind.
        let mut ctx = context.take();
        regalloc2::run_with_ctx(program, &environment, &options, &mut ctx)
            .map_err(|error| error.to_string())?;
        let output = std::mem::take(&mut ctx.output);
        context.replace(ctx);
        Ok::<_, String>(output)
    })?;
    #[cfg(debug_assertions)]
    if program.insts.len() < CHECKED {
        let mut checker = regalloc2::checker::Checker::new(program, &environment);
        checker.prepare(&output);
        checker.run().map_err(|error| format!("{error:?}"))?;
    }
    Ok(output)
}
