//! How deep a kernel nests: blocks within blocks, and calls. Everything that walks a function recurses that deep.

use crate::unsupported::Unsupported;
use naga::{Block, Function, Handle, Module, Statement};
use rustc_hash::FxHashMap;

/// Deeper kernels are refused, here as by the interpreter; the longest chain of `else if` that the module accepts has 256
/// levels.
const MOST_LEVELS: u32 = 300;

/// Refuses kernels that nest too deep.
pub(super) fn check(module: &Module, entry: &Function) -> Result<(), Unsupported> {
    // A callee comes before its callers in naga's arena.
    let mut known = FxHashMap::default();
    for (handle, function) in module.functions.iter() {
        let levels = block(&function.body, &known);
        known.insert(handle, levels);
    }
    let levels = block(&entry.body, &known);
    if levels <= MOST_LEVELS {
        return Ok(());
    }
    let what = format!("blocks and calls nested {levels} deep (the most is {MOST_LEVELS})");
    Err(Unsupported { what, location: None })
}

fn block(statements: &Block, known: &FxHashMap<Handle<Function>, u32>) -> u32 {
    let inner = |statement: &Statement| match statement {
        Statement::Block(inner) => block(inner, known),
        Statement::If { accept, reject, .. } => block(accept, known).max(block(reject, known)),
        Statement::Switch { cases, .. } => {
            cases.iter().map(|case| block(&case.body, known)).max().unwrap_or(0)
        }
        Statement::Loop { body, continuing, .. } => block(body, known).max(block(continuing, known)),
        Statement::Call { function, .. } => known.get(function).copied().unwrap_or(0),
        _ => 0,
    };
    1 + statements.iter().map(inner).max().unwrap_or(0)
}
