//! Moves what is the same in every round of a loop in front of it, as far out as it can go.
//!
//! Operations that cannot fault move from wherever they stand in the loop. Others (divisions, loads that are not
//! `always` valid, masked ones) move only if each round computes them before anything can leave the loop. A load moves
//! only out of loops that do not write its space; an atomic step in a loop keeps all loads of written spaces in it.
//!
//! A loop's body runs at least once, so a loop whose test stands at its start profits from `rotate`
//! first. One walk, in place; knows nothing of what operations compute.

use super::survey::{Spaces, Survey, bit};
use crate::ir::*;

/// Moves what is the same in every round in front of the loop; the function must be valid. Gives whether anything moved.
pub fn licm(function: &mut Function) -> bool {
    let survey = Survey::new(function);
    let mut body = std::mem::take(&mut function.body);
    let mut hoisting = Hoisting {
        constant: function.spaces.iter().map(|space| space.constant).collect(),
        depth_of: vec![0; function.values.len()],
        loops: vec![],
        nodes: vec![None; function.labels as usize],
        node: 0,
        certain: 0,
        left: u32::MAX,
        moved: false,
        survey,
    };
    hoisting.list(&mut body);
    function.body = body;
    hoisting.moved
}

struct Hoisting {
    survey: Survey,
    /// By space.
    constant: Vec<bool>,
    /// By value: how many loops are around its definition.
    depth_of: Vec<u32>,
    /// The loops around, from the outermost.
    loops: Vec<Around>,
    /// By label: how many blocks and loops are around that one.
    nodes: Vec<Option<u32>>,
    /// How many blocks and loops are around.
    node: u32,
    /// The first round of the loops deeper than that comes here for certain.
    certain: u32,
    /// The outermost block or loop that a branch seen since its start goes to, by number.
    left: u32,
    moved: bool,
}

struct Around {
    writes: Spaces,
    /// What goes in front of it.
    before: Vec<Inst>,
}

impl Hoisting {
    fn depth(&self) -> u32 {
        self.loops.len() as u32
    }

    fn list(&mut self, insts: &mut Vec<Inst>) {
        let mut before = vec![];
        insts.retain_mut(|inst| self.stays(inst, &mut before));
        if !before.is_empty() {
            // A loop ends its list.
            let last = insts.pop();
            insts.append(&mut before);
            insts.extend(last);
        }
    }

    /// Whether an instruction stays in its list; `before` is for what goes in front of it, where it is a loop.
    fn stays(&mut self, inst: &mut Inst, before: &mut Vec<Inst>) -> bool {
        match inst {
            Inst::Let { result, op, .. } => {
                let to = self.place(op);
                self.depth_of[result.0 as usize] = to;
                let Some(around) = self.loops.get_mut(to as usize) else { return true };
                self.moved = true;
                around.before.push(std::mem::replace(inst, Inst::Yield { arguments: vec![] }));
                return false;
            }
            Inst::If { then, otherwise, results, .. } => {
                let certain = self.certain;
                self.certain = self.depth();
                self.list(then);
                self.certain = self.depth();
                self.list(otherwise);
                // A branch out of an arm that may have run leaves nothing certain, up to the end of where it goes.
                self.certain = if self.left == u32::MAX { certain } else { self.depth() };
                self.define(results);
            }
            Inst::Block { label, body, results } => {
                let certain = self.certain;
                let left = std::mem::replace(&mut self.left, u32::MAX);
                self.nested(*label, body);
                if self.left >= self.node {
                    self.left = u32::MAX;
                    self.certain = certain;
                }
                self.left = self.left.min(left);
                self.define(results);
            }
            Inst::Loop { label, params, body } => {
                let writes = self.survey.labels[label.0 as usize].writes;
                self.loops.push(Around { writes, before: vec![] });
                for (param, _) in params {
                    self.depth_of[param.0 as usize] = self.depth();
                }
                let left = std::mem::replace(&mut self.left, u32::MAX);
                self.certain = self.certain.min(self.depth() - 1);
                self.nested(*label, body);
                self.left = self.left.min(left);
                if let Some(around) = self.loops.pop() {
                    *before = around.before;
                }
            }
            Inst::Branch { label, .. } => {
                self.left = self.left.min(self.nodes[label.0 as usize].unwrap_or(0));
            }
            Inst::Do { .. } | Inst::Yield { .. } => {}
        }
        true
    }

    fn nested(&mut self, label: Label, body: &mut Vec<Inst>) {
        self.nodes[label.0 as usize] = Some(self.node);
        self.node += 1;
        self.list(body);
        self.node -= 1;
    }

    fn define(&mut self, results: &[Value]) {
        for result in results {
            self.depth_of[result.0 as usize] = self.depth();
        }
    }

    /// The number of loops that can stay around an operation.
    fn place(&self, op: &Op) -> u32 {
        let depth = self.depth();
        if depth == 0 || op.has_effect() {
            return depth;
        }
        let mut least = if op.speculatable() { 0 } else { self.certain };
        op.operands(|value| least = least.max(self.depth_of[value.0 as usize]));
        if let Some(space) = op.touches()
            && !self.constant[space.0 as usize]
        {
            let writing = self.loops.iter().rposition(|around| around.writes & bit(space) != 0);
            least = least.max(writing.map_or(0, |index| index as u32 + 1));
        }
        least.min(depth)
    }
}
