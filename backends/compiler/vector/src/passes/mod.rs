//! What makes functions faster without changing what they do.
//!
//! Each pass takes a valid function and leaves a valid one. All but [`contract`] keep results to the bit (NaNs'
//! payloads apart), and none makes a memory access, a division or an atomic step where there was none. Passes know of
//! no machine.

mod contract;
mod dce;
mod facts;
mod induce;
mod licm;
mod loads;
mod renumber;
mod rotate;
mod simplify;
mod survey;

pub use contract::contract;
pub use dce::dce;
pub use induce::induce;
pub use licm::licm;
pub use renumber::renumber;
pub use rotate::rotate;
pub use simplify::simplify;

use crate::ir::Function;

/// Which passes may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// A product and a sum may become one operation that rounds once.
    pub contract: bool,
}

/// All passes, in their order. The function must be valid.
pub fn pipeline(mut function: Function, options: Options) -> Function {
    function = checked("simplify", simplify(function));
    rotate(&mut function);
    function = checked("rotate", function);
    // What rotation put in front of loops is folded, and loads become what is certain there.
    function = checked("simplify", simplify(function));
    dce(&mut function);
    function = checked("dce", function);
    licm(&mut function);
    function = checked("licm", function);
    induce(&mut function);
    function = checked("induce", function);
    if options.contract {
        contract(&mut function);
        function = checked("contract", function);
    }
    // Equal values that hoisting brought side by side.
    function = checked("simplify", simplify(function));
    dce(&mut function);
    renumber(&mut function);
    checked("dce", function)
}

/// The function, which a pass has left valid.
fn checked(pass: &str, function: Function) -> Function {
    debug_assert_eq!(crate::verify(&function).map_err(|error| error.to_string()), Ok(()), "{pass}: {function}");
    function
}
