//! What passes must know of a function before they walk it: who branches where, what loops write.
//!
//! One linear look at the whole tree; knows nothing of values but which parameters never change.

use crate::ir::*;

/// A set of spaces, by bit; spaces from the 64th on share the last bit.
pub(super) type Spaces = u64;

/// The bit of a space.
pub(super) fn bit(space: SpaceId) -> Spaces {
    1 << space.0.min(63)
}

/// What is known of the function's labels.
#[derive(Debug)]
pub(super) struct Survey {
    /// By label.
    pub(super) labels: Vec<About>,
}

/// What is known of a block or loop.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    /// How many branches go there.
    pub(super) branches: u32,
    /// The spaces that are written inside; all that are not constant where an atomic step or a
    /// call is.
    pub(super) writes: Spaces,
    /// The parameters of a loop that each round passes on as they are, by position.
    pub(super) steady: Vec<bool>,
    params: Vec<Value>,
}

impl Survey {
    /// Looks at the whole function.
    pub(super) fn new(function: &Function) -> Self {
        let mut survey = Self { labels: vec![About::default(); function.labels as usize] };
        survey.list(&function.body);
        survey
    }

    fn list(&mut self, insts: &[Inst]) -> Spaces {
        let mut writes = 0;
        for inst in insts {
            match inst {
                Inst::Let { op, .. } if op.has_effect() => writes = Spaces::MAX,
                Inst::Let { .. } | Inst::Yield { .. } => {}
                Inst::Do { effect: Effect::AtomicStore(..), .. } => writes = Spaces::MAX,
                Inst::Do { effect, .. } => writes |= effect.touches().map_or(Spaces::MAX, bit),
                Inst::If { then, otherwise, .. } => writes |= self.list(then) | self.list(otherwise),
                Inst::Block { label, body, .. } => {
                    let inside = self.list(body);
                    self.labels[label.0 as usize].writes = inside;
                    writes |= inside;
                }
                Inst::Loop { label, params, body } => {
                    let about = &mut self.labels[label.0 as usize];
                    about.params = params.iter().map(|(param, _)| *param).collect();
                    about.steady = vec![true; params.len()];
                    let inside = self.list(body);
                    self.labels[label.0 as usize].writes = inside;
                    writes |= inside;
                }
                Inst::Branch { label, arguments } => {
                    let about = &mut self.labels[label.0 as usize];
                    about.branches += 1;
                    let passed = arguments.iter().zip(&about.params);
                    for ((argument, param), steady) in passed.zip(&mut about.steady) {
                        *steady &= argument == param;
                    }
                }
            }
        }
        writes
    }
}
