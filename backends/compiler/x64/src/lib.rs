//! Vector programs as machine code for x86-64 with AVX2 or AVX-512.
//!
//! [`compile`] is the pipeline: select instructions over virtual registers, allocate registers (regalloc2), encode
//! (iced-x86) and lay out. Code follows the System V convention on every system, changes no control registers, calls
//! only functions that were made alike and unwinds through nothing.
//!
//! Knows the vector IR and the processor. Knows no WGSL, no threads, and does not run what it makes.

mod ahead;
mod allocate;
mod analysis;
mod assemble;
mod encode;
mod level;
mod listing;
mod lower;
mod opcodes;
mod pool;
mod program;
mod spill;

use std::panic::{AssertUnwindSafe, catch_unwind};

use warpweft_vector::ir::{Function, Mark};
use warpweft_vector::{MachineCode, Refusal};

pub use level::{Level, Target};
pub use listing::listing;

/// What is worth more: that code is quick, or that it is soon there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effort {
    /// Registers are chosen in a fifth of the time, block by block: for code without loops that rarely runs.
    Low,
    /// Registers are chosen with care.
    High,
}

/// The machine code of a function for that level, made with care.
///
/// What [`Target`] does not have should have been [legalised](warpweft_vector::legalise::legalise) away. The processor
/// that runs the code must offer the level: see [`Level::detect`].
///
/// # Errors
/// When an operation has no instructions at that level, when the function is not valid, or when it needs more stack than
/// is good. Never panics.
pub fn compile(function: &Function, level: Level) -> Result<MachineCode, Refusal> {
    compile_with(function, level, Effort::High)
}

/// The same with as much care as is said.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(function: &Function, level: Level, effort: Effort) -> Result<MachineCode, Refusal> {
    let compiled = catch_unwind(AssertUnwindSafe(|| {
        let mut program = lower::lower(function, level)?;
        program.lost = allocate::lost(level);
        let refuse = |what: String| Refusal { what, mark: Mark::default() };
        let output = allocate::allocate(&program, level, effort).map_err(refuse)?;
        assemble::assemble(&program, &output).map_err(refuse)
    }));
    compiled.unwrap_or_else(|panic| {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Err(Refusal { what: format!("the code generator failed: {what}"), mark: Mark::default() })
    })
}
