//! Drops stores of constants that are overwritten before anybody reads them: variables that start with zeroes.
//!
//! Such a store waits until something may read its place, and is dropped where a store to the same place comes first. In
//! front of a choice of which one arm overwrites it, it goes into both arms. Others may not watch: spaces are one thread's
//! between two atomic steps, so a store may come later than the program says.
//!
//! Knows no values' meaning: places are the same where their base and index are the same values.

use crate::ir::*;

/// So many stores wait at most: each is looked at again and again.
const MOST: usize = 32;

/// Drops them; the function must be valid.
/// Gives whether any was dropped.
pub fn overwritten(function: &mut Function) -> bool {
    let mut constants = vec![false; function.values.len()];
    if !stores_constants(&function.body, &mut constants) {
        return false;
    }
    let body = std::mem::take(&mut function.body);
    let mut walk = Walk { function, constants, dropped: false };
    let body = walk.list(body, vec![]);
    let dropped = walk.dropped;
    function.body = body;
    dropped
}

/// Whether there are stores of constants; notes which values are constants.
fn stores_constants(insts: &[Inst], constants: &mut [bool]) -> bool {
    let mut found = false;
    for inst in insts {
        match inst {
            Inst::Let { result, op: Op::Const(_), .. } => constants[result.0 as usize] = true,
            Inst::Let { result, op: Op::Splat(of), .. } => {
                constants[result.0 as usize] = constants[of.0 as usize];
            }
            Inst::Do { effect: Effect::Store(_, value), .. } => found |= constants[value.0 as usize],
            Inst::If { then, otherwise, .. } => {
                found |= stores_constants(then, constants);
                found |= stores_constants(otherwise, constants);
            }
            Inst::Block { body, .. } | Inst::Loop { body, .. } => found |= stores_constants(body, constants),
            _ => {}
        }
    }
    found
}

/// A store that nobody has read yet.
#[derive(Clone)]
struct Waiting {
    access: Access,
    value: Value,
    /// So many bytes from the access on.
    bytes: i64,
    mark: Mark,
}

impl Waiting {
    fn inst(self) -> Inst {
        Inst::Do { effect: Effect::Store(self.access, self.value), mark: self.mark }
    }

    /// Whether another access starts so many bytes further on, where that is known.
    fn distance(&self, other: &Access) -> Option<i64> {
        let same = |a: &Access, b: &Access| (a.base, a.index, a.scale) == (b.base, b.index, b.scale);
        same(&self.access, other).then(|| i64::from(other.offset) - i64::from(self.access.offset))
    }

    /// Nothing of it is left when so many bytes are written.
    fn is_covered(&self, by: &Access, bytes: i64) -> bool {
        self.access.space == by.space
            && self.distance(by).is_some_and(|distance| distance <= 0 && distance + bytes >= self.bytes)
    }

    /// None of it is in those bytes for certain.
    fn is_apart(&self, from: &Access, bytes: i64) -> bool {
        self.access.space != from.space
            || self.distance(from).is_some_and(|distance| distance >= self.bytes || distance + bytes <= 0)
    }
}

struct Walk<'a> {
    function: &'a Function,
    /// By value: it is a constant, or one in all lanes.
    constants: Vec<bool>,
    dropped: bool,
}

impl Walk<'_> {
    /// A list, in front of which those stores wait.
    fn list(&mut self, insts: Vec<Inst>, mut waiting: Vec<Waiting>) -> Vec<Inst> {
        let mut kept = Vec::with_capacity(insts.len());
        for inst in insts {
            match inst {
                Inst::Let { ref op, result, .. } => {
                    match op {
                        Op::Load(access) => {
                            let bytes = self.bytes(access, result);
                            release(&mut waiting, &mut kept, |store| !store.is_apart(access, bytes));
                        }
                        _ if op.has_effect() => release(&mut waiting, &mut kept, |_| true),
                        _ => {
                            if let Some(space) = op.touches() {
                                release(&mut waiting, &mut kept, |store| store.access.space == space);
                            }
                        }
                    }
                    kept.push(inst);
                }
                Inst::Do { effect: Effect::Store(access, value), mark } => {
                    let bytes = self.bytes(&access, value);
                    let before = waiting.len();
                    waiting.retain(|store| !store.is_covered(&access, bytes));
                    self.dropped |= waiting.len() < before;
                    release(&mut waiting, &mut kept, |store| !store.is_apart(&access, bytes));
                    let store = Waiting { access, value, bytes, mark };
                    if self.constants[value.0 as usize] && waiting.len() < MOST {
                        waiting.push(store);
                    } else {
                        kept.push(store.inst());
                    }
                }
                Inst::Do { ref effect, .. } => {
                    match effect.touches() {
                        Some(space) if !matches!(effect, Effect::AtomicStore(..)) => {
                            release(&mut waiting, &mut kept, |store| store.access.space == space);
                        }
                        _ => release(&mut waiting, &mut kept, |_| true),
                    }
                    kept.push(inst);
                }
                Inst::If { condition, then, otherwise, results, hint } => {
                    release(&mut waiting, &mut kept, |store| {
                        !self.overwrites(&then, store) && !self.overwrites(&otherwise, store)
                    });
                    let then = self.list(then, waiting.clone());
                    let otherwise = self.list(otherwise, std::mem::take(&mut waiting));
                    kept.push(Inst::If { condition, then, otherwise, results, hint });
                }
                Inst::Block { label, body, results } => {
                    let body = self.list(body, std::mem::take(&mut waiting));
                    kept.push(Inst::Block { label, body, results });
                }
                Inst::Loop { label, params, body } => {
                    release(&mut waiting, &mut kept, |_| true);
                    let body = self.list(body, vec![]);
                    kept.push(Inst::Loop { label, params, body });
                }
                Inst::Branch { .. } | Inst::Yield { .. } => {
                    release(&mut waiting, &mut kept, |_| true);
                    kept.push(inst);
                }
            }
        }
        kept
    }

    /// Whether a list's own stores overwrite one that waits; what else it does is not looked at.
    fn overwrites(&self, insts: &[Inst], store: &Waiting) -> bool {
        insts.iter().any(|inst| match inst {
            Inst::Do { effect: Effect::Store(access, value), .. } => {
                store.is_covered(access, self.bytes(access, *value))
            }
            _ => false,
        })
    }

    /// How many bytes an access to consecutive elements touches.
    fn bytes(&self, access: &Access, value: Value) -> i64 {
        let ty = self.function.ty(value);
        let each = match access.width {
            Width::Full => ty.kind.size(),
            Width::Half => 2,
        };
        i64::from(each) * i64::from(ty.lanes)
    }
}

/// Those of the stores that wait come now.
fn release(waiting: &mut Vec<Waiting>, to: &mut Vec<Inst>, which: impl Fn(&Waiting) -> bool) {
    waiting.retain(|store| {
        let comes = which(store);
        if comes {
            to.push(store.clone().inst());
        }
        !comes
    });
}
