//! Control flow: blocks and branches, and what the slots hold where paths meet.
//!
//! A block that is only left at its end dissolves into the list around it. Building recurses as deep as blocks nest, so
//! whatever needs room on the stack is elsewhere.

use super::draft::{Edge, Node};
use super::frame::Known;
use super::{Builder, Parts};
use crate::ir::{Label, Op, Value};
use crate::unsupported::Unsupported;
use naga::{Block, Expression, Handle, Span, Statement};
use std::ops::Range;
use warpweft_module::Scalar;

/// A block whose end can be branched to, while it is being built.
pub(super) struct Target {
    pub(super) label: Label,
    /// The slots there were when it was opened: others do not outlive it.
    slots: usize,
    /// What leaves it, with what the slots and the exported expressions held.
    exits: Vec<Exit>,
    /// Expressions of the body that are used behind it.
    exports: Vec<Handle<Expression>>,
    /// The list around it.
    outside: Vec<Node>,
}

struct Exit {
    edge: Edge,
    slots: Vec<Value>,
    exports: Vec<Option<Parts>>,
}

/// One arm of a branch, done.
pub(super) struct Arm {
    nodes: Vec<Node>,
    /// What the slots hold at its end, where that is reached.
    slots: Option<Vec<Value>>,
}

impl<'a> Builder<'a> {
    /// A block's statements, at the end of the present list.
    pub(super) fn block(&mut self, block: &'a Block) -> Result<(), Unsupported> {
        for (statement, &span) in block.span_iter() {
            if !self.live {
                return Ok(());
            }
            self.begin(span)?;
            match *statement {
                Statement::Block(ref block) => self.block(block)?,
                Statement::If { condition, ref accept, ref reject } => {
                    self.branch(condition, accept, reject)?
                }
                Statement::Switch { selector, ref cases } => self.switch(selector, cases)?,
                Statement::Loop { ref body, ref continuing, break_if } => {
                    self.repeat(body, continuing, break_if)?;
                }
                Statement::Call { function, ref arguments, result } => {
                    self.call(function, arguments, result)?
                }
                _ => self.statement(statement)?,
            }
        }
        Ok(())
    }

    fn begin(&mut self, span: Span) -> Result<(), Unsupported> {
        self.at(span);
        self.step()
    }

    fn branch(
        &mut self,
        condition: Handle<Expression>,
        accept: &'a Block,
        reject: &'a Block,
    ) -> Result<(), Unsupported> {
        let condition = self.scalar(condition)?;
        if let Some(known) = self.known(condition) {
            return self.block(if known == 0 { reject } else { accept });
        }
        let mark = self.mark;
        let before = self.slots.clone();
        let then = self.arm(&mut |this| this.block(accept))?;
        self.slots.clone_from(&before);
        let otherwise = self.arm(&mut |this| this.block(reject))?;
        self.mark = mark;
        self.meet(condition, &before, then, otherwise);
        Ok(())
    }

    /// A list of its own.
    pub(super) fn arm(
        &mut self,
        build: &mut dyn FnMut(&mut Self) -> Result<(), Unsupported>,
    ) -> Result<Arm, Unsupported> {
        let outside = self.take_list();
        self.values.open_scope();
        build(self)?;
        self.values.close_scope();
        let nodes = std::mem::replace(&mut self.list, outside);
        let slots = self.live.then(|| std::mem::take(&mut self.slots));
        self.live = true;
        Ok(Arm { nodes, slots })
    }

    /// Ends a branch whose arms are done: slots that differ become results.
    #[inline(never)]
    pub(super) fn meet(&mut self, condition: Value, before: &[Value], mut then: Arm, mut otherwise: Arm) {
        let (mut params, mut edges) = (Vec::new(), Vec::new());
        let mut sides = Vec::new();
        for arm in [&mut then, &mut otherwise] {
            if let Some(slots) = arm.slots.take() {
                let edge = self.edge();
                arm.nodes.push(Node::Yield { edge });
                edges.push(edge);
                sides.push(slots);
            }
        }
        self.slots.clear();
        self.slots.extend_from_slice(before);
        if let [accepted, rejected] = &sides[..]
            && self.is_short_circuit(&then, &otherwise, accepted, rejected)
        {
            for node in then.nodes.into_iter().chain(otherwise.nodes) {
                if let Node::Let(value) = node {
                    self.adopt(value);
                }
            }
            for n in 0..before.len() {
                self.slots[n] = self.select(condition, accepted[n], rejected[n]);
            }
            return;
        }
        self.live = !sides.is_empty();
        if self.live {
            self.merge(&sides, before.len(), Some(before), &edges, &mut params);
        }
        let join = self.join(params, edges);
        let (then, otherwise) = (then.nodes, otherwise.nodes);
        self.list.push(Node::If { condition, then, otherwise, join, mark: self.mark });
    }

    /// A branch that only chooses between truth values, at a small price for computing both: `&&` and `||`.
    fn is_short_circuit(&self, then: &Arm, otherwise: &Arm, accepted: &[Value], rejected: &[Value]) -> bool {
        /// More values are not computed in vain.
        const MOST_VALUES: usize = 8;
        if then.nodes.len() + otherwise.nodes.len() > MOST_VALUES + 2 {
            return false;
        }
        let cheap = |arm: &Arm| {
            arm.nodes.iter().all(|node| match node {
                Node::Let(value) => self.is_cheap(*value),
                Node::Yield { .. } => true,
                _ => false,
            })
        };
        let truth = |&value: &Value| self.ty(value) == Scalar::Bool;
        accepted.iter().zip(rejected).all(|(a, b)| a == b || truth(a) && truth(b))
            && cheap(then)
            && cheap(otherwise)
    }

    /// What the first `count` slots hold where several paths meet; those that differ, or are not visible here, become
    /// parameters. `before` is what the slots hold now, if that is what they held where the paths parted.
    fn merge(
        &mut self,
        sides: &[Vec<Value>],
        count: usize,
        before: Option<&[Value]>,
        edges: &[Edge],
        params: &mut Vec<Value>,
    ) {
        /// So many slots are compared at once: most paths change few of many.
        const AT_ONCE: usize = 16;
        for start in (0..count).step_by(AT_ONCE) {
            let slots = start..count.min(start + AT_ONCE);
            let untouched =
                |before: &[Value]| sides.iter().all(|side| side[slots.clone()] == before[slots.clone()]);
            if !before.is_some_and(untouched) {
                self.merge_slots(sides, slots, edges, params);
            }
        }
    }

    /// The same of some slots.
    fn merge_slots(
        &mut self,
        sides: &[Vec<Value>],
        range: Range<usize>,
        edges: &[Edge],
        params: &mut Vec<Value>,
    ) {
        let Some((one, others)) = sides.split_first() else { return };
        for n in range {
            let first = one[n];
            let same = others.iter().all(|slots| slots[n] == first);
            if same && self.values.visible(first) {
                self.slots[n] = first;
                continue;
            }
            let ty = self.ty(first);
            // Slots that are still unused may have another type on a path.
            if !same && others.iter().any(|slots| self.ty(slots[n]) != ty) {
                self.slots[n] = first;
                continue;
            }
            let param = self.new_value(ty, Op::Parameter);
            params.push(param);
            for (edge, slots) in edges.iter().zip(sides) {
                self.edges[edge.0 as usize].push(slots[n]);
            }
            self.slots[n] = param;
        }
    }

    /// Opens a block that can be left early. Gives its number for [`branch_to`](Self::branch_to).
    pub(super) fn open_block(&mut self, exports: Vec<Handle<Expression>>) -> usize {
        let label = self.label();
        let outside = self.take_list();
        self.values.open_scope();
        self.targets.push(Target { label, slots: self.slots.len(), exits: Vec::new(), exports, outside });
        self.targets.len() - 1
    }

    pub(super) fn exit(&mut self, target: usize) -> Edge {
        let edge = self.edge();
        let block = &self.targets[target];
        let exports = block.exports.iter().map(|&handle| self.exported(handle)).collect();
        let exit = Exit { edge, slots: self.slots[..block.slots].to_vec(), exports };
        self.targets[target].exits.push(exit);
        edge
    }

    /// Leaves for the end of an open block.
    pub(super) fn branch_to(&mut self, target: usize) {
        let edge = self.exit(target);
        let label = self.targets[target].label;
        self.list.push(Node::Branch { label, edge });
        self.live = false;
    }

    /// The values that an expression consists of, where it has been evaluated.
    fn exported(&self, handle: Handle<Expression>) -> Option<Parts> {
        match self.frame.known[handle.index()] {
            Known::No => None,
            Known::Parts { first, count } => {
                Some(Parts::from_slice(&self.pool[first as usize..(first + count) as usize]))
            }
            Known::Stored(pointer) | Known::Pointer(pointer) => {
                Some(self.pointers[pointer as usize].values().collect())
            }
        }
    }

    /// Ends the block that was opened last: control goes on behind it where anything leaves it.
    pub(super) fn close_block(&mut self) {
        let last = self.targets.len() - 1;
        if self.live {
            let edge = self.exit(last);
            self.list.push(Node::Yield { edge });
        } else if let Some(&Node::Branch { label, edge }) = self.list.last()
            && label == self.targets[last].label
        {
            self.list.pop();
            self.list.push(Node::Yield { edge });
        }
        let Some(target) = self.targets.pop() else { return };
        let mut body = std::mem::replace(&mut self.list, target.outside);
        let at_end = |edge: Edge| matches!(body.last(), Some(&Node::Yield { edge: last }) if last == edge);
        self.live = !target.exits.is_empty();
        match &target.exits[..] {
            [] => {
                self.values.merge_scope();
                self.slots.truncate(target.slots);
                self.list.append(&mut body);
            }
            [only] if at_end(only.edge) => {
                self.values.merge_scope();
                self.slots.clear();
                self.slots.extend_from_slice(&only.slots);
                body.pop();
                self.list.append(&mut body);
            }
            _ => {
                self.values.close_scope();
                self.slots.resize(target.slots, Value(0));
                let mut params = Vec::new();
                let (mut edges, mut sides, mut exports) = (Vec::new(), Vec::new(), Vec::new());
                for exit in target.exits {
                    edges.push(exit.edge);
                    sides.push(exit.slots);
                    exports.push(exit.exports);
                }
                self.merge(&sides, target.slots, None, &edges, &mut params);
                for (n, &handle) in target.exports.iter().enumerate() {
                    self.merge_export(handle, n, &exports, &edges, &mut params);
                }
                let join = self.join(params, edges);
                self.list.push(Node::Block { label: target.label, body, join });
            }
        }
    }

    /// Makes an expression of a block known behind it.
    fn merge_export(
        &mut self,
        handle: Handle<Expression>,
        n: usize,
        exports: &[Vec<Option<Parts>>],
        edges: &[Edge],
        params: &mut Vec<Value>,
    ) {
        let Some(model) = exports.iter().find_map(|exit| exit[n].clone()) else { return };
        let mut merged = Parts::new();
        for (part, &like) in model.iter().enumerate() {
            let param = self.new_value(self.ty(like), Op::Parameter);
            for (edge, exit) in edges.iter().zip(exports) {
                // Paths on which it was not evaluated do not lead to where it is used.
                let value = match &exit[n] {
                    Some(parts) => parts[part],
                    None => self.zero(self.ty(like)),
                };
                self.edges[edge.0 as usize].push(value);
            }
            params.push(param);
            merged.push(param);
        }
        match self.frame.known[handle.index()] {
            Known::Stored(old) => {
                let pointer = self.pointers[old as usize].with_values(&merged);
                self.set_stored(handle, pointer);
            }
            Known::Pointer(old) => {
                let pointer = self.pointers[old as usize].with_values(&merged);
                self.set_pointer(handle, pointer);
            }
            _ => self.set(handle, &merged),
        }
    }
}
