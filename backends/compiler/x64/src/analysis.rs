//! How often each value is used, and whether its operation can wait until it is.
//!
//! An operation whose only use comes later in the same list may be selected there, together with its user. What reads
//! memory may wait only as long as nothing writes any. Knows no machine.

use warpweft_vector::ir::{Binary, Effect, Function, Inst, Op, Value};

/// What is known of a value's uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uses {
    /// How many there are.
    pub(crate) count: u32,
    /// The (last) use is in the list of the definition.
    pub(crate) same_list: bool,
    /// And nothing between them, nested or not, acts on memory.
    pub(crate) same_epoch: bool,
    /// The definition and the (last) use are in the same loop.
    pub(crate) same_loop: bool,
    /// The (last) use is as what a `Select` gives where its condition holds.
    pub(crate) chosen: bool,
    /// The (last) use is in an `And`.
    pub(crate) conjoined: bool,
    home: (u32, u32, u32),
}

/// The uses of every value, and the atomic steps that are there for their effect only.
pub(crate) fn analyse(function: &Function) -> Vec<Uses> {
    let mut uses = vec![Uses::default(); function.values.len()];
    let mut lists = 1;
    let mut loops = 1;
    let mut epoch = 0;
    // Lists to look at: what is left of each, its number and its loop's.
    let mut open: Vec<(&[Inst], u32, u32)> = vec![(&function.body, 0, 0)];
    for &param in &function.params {
        define(&mut uses, param, (0, 0, 0));
    }
    while let Some((rest, list, round)) = open.pop() {
        let Some((inst, rest)) = rest.split_first() else { continue };
        open.push((rest, list, round));
        let here = (list, epoch, round);
        match inst {
            Inst::Let { result, op, .. } => {
                op_operands(op, |value| use_of(&mut uses, value, here));
                match op {
                    Op::Select(_, then, _) => uses[then.0 as usize].chosen = true,
                    Op::Binary(Binary::And, a, b) => {
                        uses[a.0 as usize].conjoined = true;
                        uses[b.0 as usize].conjoined = true;
                    }
                    _ => {}
                }
                if op.has_effect() {
                    epoch += 1;
                }
                define(&mut uses, *result, (list, epoch, round));
            }
            Inst::Do { effect, .. } => {
                effect_operands(effect, |value| use_of(&mut uses, value, here));
                epoch += 1;
            }
            Inst::If { condition, then, otherwise, results, .. } => {
                use_of(&mut uses, *condition, here);
                for &result in results {
                    define(&mut uses, result, (list, epoch, round));
                }
                open.push((otherwise, lists, round));
                open.push((then, lists + 1, round));
                lists += 2;
            }
            Inst::Block { body, results, .. } => {
                for &result in results {
                    define(&mut uses, result, (list, epoch, round));
                }
                open.push((body, lists, round));
                lists += 1;
            }
            Inst::Loop { params, body, .. } => {
                for &(param, first) in params {
                    use_of(&mut uses, first, here);
                    define(&mut uses, param, (lists, epoch + 1, loops));
                }
                epoch += 1;
                open.push((body, lists, loops));
                lists += 1;
                loops += 1;
            }
            Inst::Branch { arguments, .. } | Inst::Yield { arguments } => {
                for &argument in arguments {
                    use_of(&mut uses, argument, here);
                }
            }
        }
    }
    uses
}

fn define(uses: &mut [Uses], value: Value, home: (u32, u32, u32)) {
    uses[value.0 as usize].home = home;
}

fn use_of(uses: &mut [Uses], value: Value, (list, epoch, round): (u32, u32, u32)) {
    let uses = &mut uses[value.0 as usize];
    uses.count += 1;
    (uses.chosen, uses.conjoined) = (false, false);
    uses.same_list = uses.home.0 == list;
    uses.same_epoch = uses.same_list && uses.home.1 == epoch;
    uses.same_loop = uses.home.2 == round;
}

/// `Op::operands` without copying what the operation owns.
pub(crate) fn op_operands(op: &Op, mut f: impl FnMut(Value)) {
    match op {
        Op::Const(_) | Op::Lanes(_) => {}
        _ => op.operands(&mut f),
    }
}

fn effect_operands(effect: &Effect, mut f: impl FnMut(Value)) {
    effect.operands(&mut f);
}
