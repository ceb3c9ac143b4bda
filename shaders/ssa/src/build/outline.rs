//! Which functions are called rather than inlined, where inlining all of them would make a kernel too large.
//!
//! Only looks at sizes, and at what must not be in a function of its own; makes no code.

use naga::{Block, Function, Module, Statement};

/// What a call of a function costs where it is called, and that once more for each argument.
const CALL: u64 = 4;

/// Which functions are called.
pub(super) struct Choice {
    /// By naga's index.
    pub outlined: Vec<bool>,
    /// Statements and expressions of the entry point, with what is inlined into it.
    pub weight: u64,
}

/// Those that are heavier than that, with what is inlined into them, are called.
pub(super) fn choose(module: &Module, entry: &Function, heaviest: u64) -> Choice {
    let mut outlined = Vec::with_capacity(module.functions.len());
    // What a call of each adds to its caller, and whether it can be a function of its own.
    let mut known: Vec<(u64, bool)> = Vec::with_capacity(module.functions.len());
    // A callee comes before its callers.
    for (_, function) in module.functions.iter() {
        let mut weight = function.expressions.len() as u64;
        let alone = scan(&function.body, &known, &mut weight);
        let called = alone && weight > heaviest;
        known.push((if called { CALL * (1 + function.arguments.len() as u64) } else { weight }, alone));
        outlined.push(called);
    }
    let mut weight = entry.expressions.len() as u64;
    scan(&entry.body, &known, &mut weight);
    Choice { outlined, weight }
}

/// Adds up what statements weigh; whether nothing among them must see the whole kernel.
fn scan(block: &Block, known: &[(u64, bool)], weight: &mut u64) -> bool {
    let mut alone = true;
    for statement in block.iter() {
        *weight = weight.saturating_add(1);
        alone &= match statement {
            Statement::Block(inner) => scan(inner, known, weight),
            Statement::If { accept, reject, .. } => {
                // Both, whatever the first one says: they are weighed too.
                scan(accept, known, weight) & scan(reject, known, weight)
            }
            Statement::Switch { cases, .. } => {
                cases.iter().fold(true, |alone, case| scan(&case.body, known, weight) & alone)
            }
            Statement::Loop { body, continuing, .. } => {
                scan(body, known, weight) & scan(continuing, known, weight)
            }
            Statement::Call { function, .. } => {
                let (more, alone) = known.get(function.index()).copied().unwrap_or((0, false));
                *weight = weight.saturating_add(more);
                alone
            }
            // Invocations meet there: who runs it is decided for the kernel as a whole.
            Statement::ControlBarrier(_)
            | Statement::MemoryBarrier(_)
            | Statement::WorkGroupUniformLoad { .. }
            | Statement::SubgroupBallot { .. }
            | Statement::SubgroupGather { .. }
            | Statement::SubgroupCollectiveOperation { .. } => false,
            _ => true,
        };
    }
    alone
}
