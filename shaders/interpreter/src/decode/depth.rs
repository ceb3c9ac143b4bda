//! How deep a kernel nests: blocks within blocks, and calls. Execution recurses that deep on the thread's stack.

use naga::{Block, Function, Handle, Module, Statement};
use std::collections::HashMap;

/// Deeper kernels are refused. A level takes up to 5 KiB in a build without optimisation, of the 2 MiB that threads
/// usually have; and the longest chain of `else if` that the module accepts has 256 levels.
pub(super) const MOST_LEVELS: u32 = 300;

/// The most levels of blocks and calls that are open at once while `entry` runs.
pub(super) fn levels(module: &Module, entry: &Function) -> u32 {
    // A callee comes before its callers in naga's arena.
    let mut known = HashMap::new();
    for (handle, function) in module.functions.iter() {
        let levels = block(&function.body, &known);
        known.insert(handle, levels);
    }
    block(&entry.body, &known)
}

fn block(statements: &Block, known: &HashMap<Handle<Function>, u32>) -> u32 {
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
