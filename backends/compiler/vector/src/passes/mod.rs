//! What makes functions faster without changing what they do.
//!
//! Each pass takes a valid function and leaves a valid one. All but [`contract`] keep results to the bit (NaNs'
//! payloads apart), and none makes a memory access, a division or an atomic step where there was none. Of a machine,
//! passes know no more than how large its registers are: after [`legalise`](crate::legalise::legalise), only [`licm`],
//! [`dce`], [`renumber`] and [`schedule`] have a place, for folding may bring back what a machine lacks.
//!
//! A load that must see what another thread writes while the function runs is an
//! [`AtomicLoad`](crate::ir::Op::AtomicLoad): others are moved out of loops that do not write their space.

mod contents;
mod contract;
mod dce;
mod demand;
mod facts;
mod induce;
mod licm;
mod loads;
mod overwritten;
mod renumber;
mod rotate;
mod schedule;
mod simplify;
mod sink;
mod strides;
mod survey;
mod unread;
mod unroll;
mod uses;

pub use contract::contract;
pub use dce::dce;
pub use demand::demand;
pub use induce::induce;
pub use licm::licm;
pub use overwritten::overwritten;
pub use renumber::renumber;
pub use rotate::rotate;
pub use schedule::{Room, schedule};
pub use simplify::simplify;
pub use sink::sink;
pub use strides::strides;
pub use unread::unread;
pub use unroll::unroll;

use crate::ir::Function;

/// Which passes may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// A product and a sum may become one operation that rounds once.
    pub contract: bool,
    /// Bytes of the machine's vector registers: they decide between ways of bringing lanes together.
    pub register: u16,
    /// How many of them there are.
    pub registers: u16,
}

/// All passes, in their order. The function must be valid, and should be as simple as a [`Builder`](crate::Builder) leaves
/// it: only what was unrolled is simplified before code moves.
pub fn pipeline(mut function: Function, options: Options) -> Function {
    rotate(&mut function);
    function = checked("rotate", function);
    let mut simple = false;
    if unroll(&mut function, options.registers) {
        function = checked("unroll", function);
        rotate(&mut function);
        function = checked("rotate", function);
        function = checked("simplify", simplify(function));
        // What rotation puts in front of loops folds, often to nothing.
        simple = !rotate(&mut function);
        function = checked("rotate", function);
    }
    moved(function, options, if simple { Simplifying::WhatMoved } else { Simplifying::All })
}

/// The passes that are quick for what they bring: for long functions, whose compile time matters more than the rest. The
/// function must be valid, and should be as simple as a [`Builder`](crate::Builder) leaves it.
pub fn short_pipeline(mut function: Function, options: Options) -> Function {
    rotate(&mut function);
    moved(checked("rotate", function), options, Simplifying::Strides)
}

/// When a function is simplified after code has moved.
enum Simplifying {
    All,
    /// Where a pass did anything.
    WhatMoved,
    /// Only what strided accesses became: else a long function gets longer by it, for what is loaded once instead of twice
    /// waits on the stack.
    Strides,
}

/// The passes that move code, and what is to be done after them.
fn moved(mut function: Function, options: Options, simplifying: Simplifying) -> Function {
    let strided = strides(&mut function, options.register);
    function = checked("strides", function);
    dce(&mut function);
    function = checked("dce", function);
    let moved = licm(&mut function);
    function = checked("licm", function);
    let induced = induce(&mut function);
    function = checked("induce", function);
    let negated = options.contract && contract(&mut function);
    function = checked("contract", function);
    let simplifies = match simplifying {
        Simplifying::All => true,
        Simplifying::WhatMoved => strided || moved || induced || negated,
        Simplifying::Strides => strided,
    };
    if simplifies {
        // Equal values that came side by side, and constants that met.
        function = checked("simplify", simplify(function));
    }
    let asked = demand(&mut function);
    function = checked("demand", function);
    let dropped = overwritten(&mut function) | unread(&mut function);
    function = checked("overwritten, unread", function);
    if simplifies || moved || induced || asked || dropped || options.contract {
        dce(&mut function);
    }
    if !function.is_long() {
        // There, too few registers are left in any case.
        sink(&mut function);
        function = checked("sink", function);
    }
    renumber(&mut function);
    checked("the end", function)
}

/// The function, which a pass has left valid.
fn checked(pass: &str, function: Function) -> Function {
    debug_assert_eq!(
        crate::verify(&function).map_err(|error| error.to_string()),
        Ok(()),
        "{pass}: {function}"
    );
    function
}
