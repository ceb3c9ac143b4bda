//! How often each value is used, and whether its operation can wait until it is.
//!
//! An operation whose only use comes later in the same list may be selected there, together with its user. What reads
//! memory may wait only as long as nothing writes any. And whether a value passes through a loop on behalf of code there
//! that is rarely run. Knows no machine.

use warpweft_vector::ir::{Binary, Effect, Function, Hint, Inst, Op, Value};

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
    home: Place,
    /// The deepest nest of loops in which code uses it that is often run.
    often: u32,
    /// The deepest nest of loops in which code uses it that is rarely run.
    rarely: u32,
}

impl Uses {
    /// It passes through a loop whose rounds rarely use it.
    pub(crate) fn passes_by(&self) -> bool {
        !self.home.rare && self.rarely > self.often.max(self.home.depth)
    }
}

/// Where something stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    list: u32,
    epoch: u32,
    round: u32,
    /// Of how many nested loops.
    depth: u32,
    /// In code that is rarely run, which lies in so many loops as the depth says.
    rare: bool,
}

/// The uses of every value, and the atomic steps that are there for their effect only.
pub(crate) fn analyse(function: &Function) -> Vec<Uses> {
    let mut uses = vec![Uses::default(); function.values.len()];
    let mut lists = 1;
    let mut loops = 1;
    let mut epoch = 0;
    // Lists to look at: what is left of each, and where it stands.
    let mut open: Vec<(&[Inst], Place)> = vec![(&function.body, Place::default())];
    for &param in &function.params {
        define(&mut uses, param, Place::default());
    }
    while let Some((rest, place)) = open.pop() {
        let Some((inst, rest)) = rest.split_first() else { continue };
        open.push((rest, place));
        let here = Place { epoch, ..place };
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
                define(&mut uses, *result, Place { epoch, ..here });
            }
            Inst::Do { effect, .. } => {
                effect_operands(effect, |value| use_of(&mut uses, value, here));
                epoch += 1;
            }
            Inst::If { condition, then, otherwise, results, hint } => {
                use_of(&mut uses, *condition, here);
                for &result in results {
                    define(&mut uses, result, here);
                }
                let rare = |hinted: Hint| place.rare || *hint == hinted;
                open.push((otherwise, Place { list: lists, rare: rare(Hint::Likely), ..place }));
                open.push((then, Place { list: lists + 1, rare: rare(Hint::Unlikely), ..place }));
                lists += 2;
            }
            Inst::Block { body, results, .. } => {
                for &result in results {
                    define(&mut uses, result, here);
                }
                open.push((body, Place { list: lists, ..place }));
                lists += 1;
            }
            Inst::Loop { params, body, .. } => {
                let depth = if place.rare { place.depth } else { place.depth + 1 };
                let inside = Place { list: lists, round: loops, depth, ..place };
                for &(param, first) in params {
                    use_of(&mut uses, first, here);
                    define(&mut uses, param, Place { epoch: epoch + 1, ..inside });
                }
                epoch += 1;
                open.push((body, inside));
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

fn define(uses: &mut [Uses], value: Value, home: Place) {
    uses[value.0 as usize].home = home;
}

fn use_of(uses: &mut [Uses], value: Value, here: Place) {
    let uses = &mut uses[value.0 as usize];
    uses.count += 1;
    (uses.chosen, uses.conjoined) = (false, false);
    uses.same_list = uses.home.list == here.list;
    uses.same_epoch = uses.same_list && uses.home.epoch == here.epoch;
    uses.same_loop = uses.home.round == here.round;
    let deepest = if here.rare { &mut uses.rarely } else { &mut uses.often };
    *deepest = (*deepest).max(here.depth);
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
