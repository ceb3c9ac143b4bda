//! A walk over the statements of naga's IR, whatever they are nested in.
//!
//! Knows which statements hold others; nothing of what they mean.

use naga::{Block, Statement};

/// Calls `f` with every statement of a block, each before those inside it.
pub(crate) fn visit_block(block: &Block, f: &mut impl FnMut(&Statement)) {
    block.iter().for_each(|statement| visit(statement, f));
}

/// Calls `f` with a statement, then with all those inside it.
pub(crate) fn visit(statement: &Statement, f: &mut impl FnMut(&Statement)) {
    f(statement);
    match statement {
        Statement::Block(block) => visit_block(block, f),
        Statement::If { accept, reject, .. } => {
            visit_block(accept, f);
            visit_block(reject, f);
        }
        Statement::Switch { cases, .. } => cases.iter().for_each(|case| visit_block(&case.body, f)),
        Statement::Loop { body, continuing, .. } => {
            visit_block(body, f);
            visit_block(continuing, f);
        }
        _ => {}
    }
}
