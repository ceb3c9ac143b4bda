//! How often each value is used.
//!
//! Knows nothing of who uses it for what.

use crate::ir::*;

/// By value: its uses in a function's body.
pub(super) fn uses(body: &[Inst], values: usize) -> Vec<u32> {
    let mut uses = vec![0; values];
    count(body, &mut uses);
    uses
}

fn count(insts: &[Inst], uses: &mut [u32]) {
    let mut using = |value: Value| uses[value.0 as usize] += 1;
    for inst in insts {
        match inst {
            Inst::Let { op, .. } => op.operands(&mut using),
            Inst::Do { effect, .. } => effect.operands(&mut using),
            Inst::If { condition, .. } => using(*condition),
            Inst::Block { .. } => {}
            Inst::Loop { params, .. } => params.iter().for_each(|(_, first)| using(*first)),
            Inst::Branch { arguments, .. } | Inst::Yield { arguments } => {
                arguments.iter().for_each(|&value| using(value));
            }
        }
    }
    for inst in insts {
        match inst {
            Inst::If { then, otherwise, .. } => {
                count(then, uses);
                count(otherwise, uses);
            }
            Inst::Block { body, .. } | Inst::Loop { body, .. } => count(body, uses),
            _ => {}
        }
    }
}
