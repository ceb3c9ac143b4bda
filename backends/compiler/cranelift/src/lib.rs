//! Vector IR to machine code through Cranelift: vectors of 128 bits, on x86-64 and aarch64.
//!
//! A vector of the gang's width becomes as many 128-bit *parts* as it needs; a mask has one 32-bit lane, all ones or
//! all zeros, per lane. What Cranelift has no instruction for is done lane after lane, or refused
//! by [`Target`]'s [`Machine::has`](warpweft_vector::Machine::has) so that it is put into other words beforehand.
//!
//! Knows neither WGSL nor who calls the code.

mod arithmetic;
mod atomic;
mod call;
mod convert;
mod function;
mod lanes;
mod memory;
mod parts;
mod target;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir as clif;
use cranelift_codegen::isa::TargetIsa;
use warpweft_vector::ir::{Function, Mark};
use warpweft_vector::{MachineCode, Refusal};

pub use target::Target;
use target::{Generator, generator, refusal};

/// Machine code for the processor that this program runs on.
///
/// # Errors
/// When the processor is not served, or Cranelift cannot generate the function.
pub fn compile(function: &Function) -> Result<MachineCode, Refusal> {
    generate(function, generator()?, false).map(|(code, _)| code)
}

/// The machine code as Cranelift writes it, for people.
///
/// # Errors
/// As [`compile`].
pub fn listing(function: &Function) -> Result<String, Refusal> {
    generate(function, generator()?, true).map(|(_, text)| text)
}

/// As [`listing`], but for aarch64 on any machine.
///
/// # Errors
/// When Cranelift cannot generate the function.
#[cfg(feature = "cross")]
pub fn listing_arm64(function: &Function) -> Result<String, Refusal> {
    generate(function, target::arm64()?, true).map(|(_, text)| text)
}

/// As [`compile`], but for the oldest processors that are served: x86-64 with SSE4.2, without AVX.
///
/// # Errors
/// As [`compile`].
#[cfg(all(feature = "cross", target_arch = "x86_64"))]
pub fn compile_oldest(function: &Function) -> Result<MachineCode, Refusal> {
    generate(function, target::oldest()?, false).map(|(code, _)| code)
}

thread_local! {
    /// Kept for its allocations.
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

fn generate(
    function: &Function,
    generator: &Generator,
    list: bool,
) -> Result<(MachineCode, String), Refusal> {
    let mut context = CONTEXT.take().unwrap_or_else(Context::new);
    context.clear();
    // Cranelift says by panicking what it cannot do, and has been seen to do so in its optimiser.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        function::translate(function, generator.target, &mut context.func)?;
        let isa = if function.is_long() { &generator.isa_for_long } else { &generator.isa };
        finish(&mut context, &**isa, list)
    }));
    match outcome {
        Ok(outcome) => {
            CONTEXT.set(Some(context));
            outcome
        }
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(refusal(format!("Cranelift gave up: {}", words.unwrap_or("no reason given"))))
        }
    }
}

fn finish(context: &mut Context, isa: &dyn TargetIsa, list: bool) -> Result<(MachineCode, String), Refusal> {
    context.set_disasm(list);
    context
        .compile(isa, &mut ControlPlane::default())
        .map_err(|error| refusal(format!("Cranelift refuses the function: {:?}", error.inner)))?;
    let Some(compiled) = context.compiled_code() else {
        return Err(refusal("Cranelift gave no code".into()));
    };
    let buffer = &compiled.buffer;
    let mut calls = Vec::with_capacity(buffer.relocs().len());
    for relocation in buffer.relocs() {
        match call::site(relocation, &context.func) {
            Some(call) => calls.push(call),
            None => return Err(refusal(format!("the code would need {:?}", relocation.target))),
        }
    }
    // The frame, and the frame pointer and the return address above it.
    let stack = buffer.frame_layout().map_or(0, |layout| layout.frame_to_fp_offset) + 16;
    let bytes = buffer.data().to_vec();
    // Behind the last instruction that has a place lie at most the traps, of four bytes or fewer, then constants.
    let places = buffer.get_srclocs_sorted();
    let last = places.last().map_or(0, |place| place.end);
    let traps = buffer.traps().iter().map(|trap| trap.offset + 4).max().unwrap_or(0);
    let code = (last.max(traps) as usize).min(bytes.len());
    let mut marks: Vec<(u32, Mark)> = vec![];
    for place in places {
        let mark = if place.loc.is_default() { Mark::default() } else { Mark(place.loc.bits()) };
        if marks.last().is_none_or(|&(_, before)| before != mark) {
            marks.push((place.start, mark));
        }
    }
    let text = compiled.vcode.clone().unwrap_or_default();
    Ok((MachineCode { bytes, code, marks, calls, stack }, text))
}

fn source(mark: Mark) -> clif::SourceLoc {
    if mark == Mark::default() { clif::SourceLoc::default() } else { clif::SourceLoc::new(mark.0) }
}
