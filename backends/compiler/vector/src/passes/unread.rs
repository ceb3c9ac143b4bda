//! Drops stores that nobody reads, to memory whose contents end with a round of the outermost loop: a workgroup's.
//!
//! What the last rounds of a tree store, the next ones may have found in registers; then nothing is left that reads it.
//! Knows no places: where anything of a space may be read later, all stores to it stay.

use super::survey::{Spaces, bit};
use crate::ir::*;

/// Drops them; the function must be valid. Gives whether any was dropped.
pub fn unread(function: &mut Function) -> bool {
    let fleeting = function.spaces.iter().zip(0..63).filter(|(space, _)| space.fleeting);
    let fleeting = fleeting.fold(0, |all, (_, index)| all | bit(SpaceId(index)));
    if fleeting == 0 {
        return false;
    }
    let mut walk = Walk { fleeting, at: vec![0; function.labels as usize], depth: 0, dropped: false };
    walk.list(&mut function.body, 0);
    walk.dropped
}

struct Walk {
    fleeting: Spaces,
    /// By label: what may be read where a branch to it arrives.
    at: Vec<Spaces>,
    /// Loops around.
    depth: u32,
    dropped: bool,
}

impl Walk {
    /// From the end to the start: given what may be read behind a list, what may be from its start on.
    fn list(&mut self, insts: &mut Vec<Inst>, end: Spaces) -> Spaces {
        let mut read = end;
        let mut kept = Vec::with_capacity(insts.len());
        for mut inst in std::mem::take(insts).into_iter().rev() {
            match &mut inst {
                Inst::Let { op, .. } => read |= op.touches().map_or(0, bit),
                Inst::Do { effect, .. } => match effect.touches().map(bit) {
                    None => read = Spaces::MAX,
                    Some(space) if space & self.fleeting & !read != 0 => {
                        self.dropped = true;
                        continue;
                    }
                    Some(_) => {}
                },
                Inst::If { then, otherwise, .. } => {
                    read = self.list(then, read) | self.list(otherwise, read);
                }
                Inst::Block { label, body, .. } => {
                    self.at[label.0 as usize] = read;
                    read = self.list(body, read);
                }
                Inst::Loop { label, body, .. } => {
                    // A new round of the outermost loop finds nothing of the last one's.
                    let again = if self.depth == 0 { 0 } else { self.all(body) };
                    self.at[label.0 as usize] = again;
                    self.depth += 1;
                    read = self.list(body, again);
                    self.depth -= 1;
                }
                Inst::Branch { label, .. } => read = self.at[label.0 as usize],
                Inst::Yield { .. } => {}
            }
            kept.push(inst);
        }
        kept.reverse();
        *insts = kept;
        read
    }

    /// What may be read in a list, and where branches lead out of it.
    fn all(&self, insts: &[Inst]) -> Spaces {
        let of = |inst: &Inst| match inst {
            Inst::Let { op, .. } => op.touches().map_or(0, bit),
            Inst::Do { effect, .. } => effect.touches().map_or(Spaces::MAX, |_| 0),
            Inst::If { then, otherwise, .. } => self.all(then) | self.all(otherwise),
            Inst::Block { body, .. } | Inst::Loop { body, .. } => self.all(body),
            Inst::Branch { label, .. } => self.at[label.0 as usize],
            Inst::Yield { .. } => 0,
        };
        insts.iter().fold(0, |all, inst| all | of(inst))
    }
}
