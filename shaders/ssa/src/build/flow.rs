//! Control flow: blocks, branches, switches and loops, and what the slots hold where paths meet.
//!
//! A block that is only left at its end dissolves into the list around it. Building recurses as deep as blocks nest, so
//! whatever needs room on the stack is elsewhere.

use super::draft::{Edge, Node};
use super::frame::Known;
use super::{Builder, Parts};
use crate::ir::{Binary, Compare, Label, Op, Value};
use crate::unsupported::Unsupported;
use naga::{Block, Expression, Handle, Span, Statement, SwitchCase, SwitchValue};
use rustc_hash::FxHashSet;
use warpweft_module::Scalar;

/// Switches of more cases are no chain of `else`, but compare one case after the other.
const MOST_NESTED_CASES: usize = 16;

/// A block whose end can be branched to, while it is being built.
pub(super) struct Target {
    label: Label,
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
struct Arm {
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
    fn arm(
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
    fn meet(&mut self, condition: Value, before: &[Value], mut then: Arm, mut otherwise: Arm) {
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
            self.merge(&sides, before.len(), &edges, &mut params);
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
    /// parameters.
    fn merge(&mut self, sides: &[Vec<Value>], count: usize, edges: &[Edge], params: &mut Vec<Value>) {
        let Some((one, others)) = sides.split_first() else { return };
        for n in 0..count {
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

    fn exit(&mut self, target: usize) -> Edge {
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
                self.merge(&sides, target.slots, &edges, &mut params);
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

    fn switch(&mut self, selector: Handle<Expression>, cases: &'a [SwitchCase]) -> Result<(), Unsupported> {
        let selector = self.scalar(selector)?;
        let target = self.open_block(Vec::new());
        self.frame.breaks.push(target);
        let groups = groups(cases);
        if let Some(known) = self.known(selector) {
            let chosen = groups.iter().find(|group| group.values.contains(&(known as u32)));
            if let Some(group) = chosen.or_else(|| groups.iter().find(|group| group.default)) {
                self.bodies(group.bodies)?;
            }
        } else {
            self.cases(selector, &groups, target)?;
        }
        self.frame.breaks.pop();
        self.close_block();
        Ok(())
    }

    fn bodies(&mut self, cases: &'a [SwitchCase]) -> Result<(), Unsupported> {
        cases.iter().try_for_each(|case| self.block(&case.body))
    }

    /// Compares with one group of cases after the other; the default comes last.
    fn cases(&mut self, selector: Value, groups: &[Group<'a>], target: usize) -> Result<(), Unsupported> {
        let count = groups.iter().filter(|group| !group.default).count();
        if count > MOST_NESTED_CASES {
            for group in groups.iter().filter(|group| !group.default) {
                let condition = self.one_of(selector, &group.values);
                let before = self.slots.clone();
                let then = self.arm(&mut |this| {
                    this.bodies(group.bodies)?;
                    if this.live {
                        this.branch_to(target);
                    }
                    Ok(())
                })?;
                self.slots.clone_from(&before);
                let otherwise = self.arm(&mut |_| Ok(()))?;
                self.meet(condition, &before, then, otherwise);
            }
            return match groups.iter().find(|group| group.default) {
                Some(group) => self.bodies(group.bodies),
                None => Ok(()),
            };
        }
        let mut chain: Vec<&Group<'a>> = groups.iter().filter(|group| !group.default).collect();
        chain.reverse();
        let default = groups.iter().find(|group| group.default);
        self.chain(selector, &mut chain, default)
    }

    /// A chain of `else`; the cases are taken from the end of the list.
    fn chain(
        &mut self,
        selector: Value,
        rest: &mut Vec<&Group<'a>>,
        default: Option<&Group<'a>>,
    ) -> Result<(), Unsupported> {
        let Some(group) = rest.pop() else {
            return match default {
                Some(group) => self.bodies(group.bodies),
                None => Ok(()),
            };
        };
        let mark = self.mark;
        let condition = self.one_of(selector, &group.values);
        let before = self.slots.clone();
        let then = self.arm(&mut |this| this.bodies(group.bodies))?;
        self.slots.clone_from(&before);
        let otherwise = self.arm(&mut |this| this.chain(selector, rest, default))?;
        self.mark = mark;
        self.meet(condition, &before, then, otherwise);
        Ok(())
    }

    fn one_of(&mut self, selector: Value, values: &[u32]) -> Value {
        let ty = self.ty(selector);
        let mut any = self.bool(false);
        for &value in values {
            let value = self.constant(ty, value.into());
            let here = self.compare(Compare::Equal, selector, value);
            any = self.binary(Binary::Or, any, here);
        }
        any
    }

    fn repeat(
        &mut self,
        body: &'a Block,
        continuing: &'a Block,
        break_if: Option<Handle<Expression>>,
    ) -> Result<(), Unsupported> {
        let mark = self.mark;
        let exit = self.open_block(Vec::new());
        let head = self.label();
        let (carried, enter, params) = self.enter_loop(body, continuing);
        let outside = self.take_list();
        self.values.open_scope();
        let mut edges = vec![enter];
        let params = self.loop_params(&carried, params);

        self.frame.breaks.push(exit);
        let continues = contains_continue(body);
        if continues {
            let exports = self.used_behind(continuing, break_if);
            let target = self.open_block(exports);
            self.frame.continues.push(target);
            self.block(body)?;
            self.frame.continues.pop();
            self.close_block();
        } else {
            // A `continue` that is not there needs no target, and must not reach an outer loop's.
            self.frame.continues.push(usize::MAX);
            self.block(body)?;
            self.frame.continues.pop();
        }
        if self.live {
            self.block(continuing)?;
        }
        self.frame.breaks.pop();
        if self.live {
            self.go_round(head, exit, break_if, &carried, &mut edges)?;
        }

        self.values.close_scope();
        let inside = std::mem::replace(&mut self.list, outside);
        let join = self.join(params, edges);
        self.list.push(Node::Loop { label: head, body: inside, join, mark });
        self.live = false;
        self.close_block();
        Ok(())
    }

    /// The slots that a loop may change, the edge into it with what they hold, and their types.
    #[inline(never)]
    fn enter_loop(&mut self, body: &Block, continuing: &Block) -> (Vec<u32>, Edge, Vec<Scalar>) {
        let written =
            self.effects.writes(&self.types, self.frame.function, self.frame.info, &[body, continuing]);
        let mut carried = Vec::new();
        written.into_iter().for_each(|extent| self.slots_of(extent, &mut carried));
        carried.sort_unstable();
        carried.dedup();
        let held: Vec<Value> = carried.iter().map(|&slot| self.slots[slot as usize]).collect();
        let types = held.iter().map(|&value| self.ty(value)).collect();
        let enter = self.edge();
        self.edges[enter.0 as usize] = held;
        (carried, enter, types)
    }

    fn loop_params(&mut self, carried: &[u32], types: Vec<Scalar>) -> Vec<Value> {
        let mut params = Vec::with_capacity(carried.len());
        for (&slot, ty) in carried.iter().zip(types) {
            let param = self.new_value(ty, Op::Parameter);
            self.slots[slot as usize] = param;
            params.push(param);
        }
        params
    }

    /// The end of a round: back to the loop's head, or out.
    #[inline(never)]
    fn go_round(
        &mut self,
        head: Label,
        exit: usize,
        break_if: Option<Handle<Expression>>,
        carried: &[u32],
        edges: &mut Vec<Edge>,
    ) -> Result<(), Unsupported> {
        let condition = break_if.map(|condition| self.scalar(condition)).transpose()?;
        let known = condition.map(|condition| self.known(condition));
        if known == Some(Some(1)) {
            self.branch_to(exit);
            return Ok(());
        }
        let again = self.edge();
        self.edges[again.0 as usize] = carried.iter().map(|&slot| self.slots[slot as usize]).collect();
        edges.push(again);
        let back = Node::Branch { label: head, edge: again };
        match condition {
            Some(condition) if known == Some(None) => {
                let leave = self.exit(exit);
                let label = self.targets[exit].label;
                let join = self.join(Vec::new(), Vec::new());
                self.list.push(Node::If {
                    condition,
                    then: vec![Node::Branch { label, edge: leave }],
                    otherwise: vec![back],
                    join,
                    mark: self.mark,
                });
            }
            _ => self.list.push(back),
        }
        self.live = false;
        Ok(())
    }

    /// Expressions that a loop's end uses and that its body is still to evaluate.
    #[inline(never)]
    fn used_behind(
        &self,
        continuing: &Block,
        break_if: Option<Handle<Expression>>,
    ) -> Vec<Handle<Expression>> {
        let function = self.frame.function;
        let (mut used, mut own) = (FxHashSet::default(), FxHashSet::default());
        used.extend(break_if);
        uses(function, continuing, &mut used, &mut own);
        let mut found: Vec<_> = used
            .into_iter()
            .filter(|&handle| {
                let evaluated = !matches!(
                    function.expressions[handle],
                    Expression::Literal(_)
                        | Expression::Constant(_)
                        | Expression::Override(_)
                        | Expression::ZeroValue(_)
                        | Expression::FunctionArgument(_)
                        | Expression::GlobalVariable(_)
                        | Expression::LocalVariable(_)
                );
                evaluated && !own.contains(&handle) && self.frame.known[handle.index()] == Known::No
            })
            .collect();
        found.sort_unstable();
        found
    }
}

/// Cases that run the same statements.
struct Group<'a> {
    values: Vec<u32>,
    default: bool,
    /// The bodies to run, one after the other.
    bodies: &'a [SwitchCase],
}

fn groups(cases: &[SwitchCase]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut fresh = true;
    for (n, case) in cases.iter().enumerate() {
        if fresh {
            let length =
                cases[n..].iter().position(|case| !case.fall_through).map_or(cases.len() - n, |end| end + 1);
            groups.push(Group { values: Vec::new(), default: false, bodies: &cases[n..n + length] });
        }
        if let Some(group) = groups.last_mut() {
            match case.value {
                SwitchValue::I32(value) => group.values.push(value as u32),
                SwitchValue::U32(value) => group.values.push(value),
                SwitchValue::Default => group.default = true,
            }
        }
        // A case with statements that falls through shares only what follows.
        fresh = !case.fall_through || !case.body.is_empty();
    }
    groups
}

fn contains_continue(block: &Block) -> bool {
    block.iter().any(|statement| match statement {
        Statement::Continue => true,
        Statement::Block(inner) => contains_continue(inner),
        Statement::If { accept, reject, .. } => contains_continue(accept) || contains_continue(reject),
        Statement::Switch { cases, .. } => cases.iter().any(|case| contains_continue(&case.body)),
        _ => false,
    })
}

type Handles = FxHashSet<Handle<Expression>>;

/// The expressions that a block uses, and those that it evaluates itself.
fn uses(function: &naga::Function, block: &Block, used: &mut Handles, own: &mut Handles) {
    use naga::{AtomicFunction, GatherMode};
    for statement in block.iter() {
        match *statement {
            Statement::Emit(ref range) => {
                for handle in range.clone() {
                    own.insert(handle);
                    operands(&function.expressions[handle], used);
                }
            }
            Statement::Block(ref inner) => uses(function, inner, used, own),
            Statement::If { condition, ref accept, ref reject } => {
                used.insert(condition);
                uses(function, accept, used, own);
                uses(function, reject, used, own);
            }
            Statement::Switch { selector, ref cases } => {
                used.insert(selector);
                cases.iter().for_each(|case| uses(function, &case.body, used, own));
            }
            Statement::Loop { ref body, ref continuing, break_if } => {
                uses(function, body, used, own);
                uses(function, continuing, used, own);
                used.extend(break_if);
            }
            Statement::Store { pointer, value } => used.extend([pointer, value]),
            Statement::Atomic { pointer, ref fun, value, result } => {
                used.extend([pointer, value]);
                if let AtomicFunction::Exchange { compare: Some(compare) } = *fun {
                    used.insert(compare);
                }
                own.extend(result);
            }
            Statement::WorkGroupUniformLoad { pointer, result } => {
                used.insert(pointer);
                own.insert(result);
            }
            Statement::Call { ref arguments, result, .. } => {
                used.extend(arguments.iter().copied());
                own.extend(result);
            }
            Statement::Return { value } => used.extend(value),
            Statement::SubgroupBallot { result, predicate } => {
                used.extend(predicate);
                own.insert(result);
            }
            Statement::SubgroupCollectiveOperation { argument, result, .. } => {
                used.insert(argument);
                own.insert(result);
            }
            Statement::SubgroupGather { mode, argument, result } => {
                used.insert(argument);
                own.insert(result);
                match mode {
                    GatherMode::BroadcastFirst | GatherMode::QuadSwap(_) => {}
                    GatherMode::Broadcast(index)
                    | GatherMode::Shuffle(index)
                    | GatherMode::ShuffleDown(index)
                    | GatherMode::ShuffleUp(index)
                    | GatherMode::ShuffleXor(index)
                    | GatherMode::QuadBroadcast(index) => {
                        used.insert(index);
                    }
                }
            }
            // The others use nothing, or are refused.
            _ => {}
        }
    }
}

fn operands(expression: &Expression, used: &mut Handles) {
    match *expression {
        Expression::Compose { ref components, .. } => used.extend(components.iter().copied()),
        Expression::Access { base, index } => used.extend([base, index]),
        Expression::AccessIndex { base: one, .. }
        | Expression::Splat { value: one, .. }
        | Expression::Swizzle { vector: one, .. }
        | Expression::Unary { expr: one, .. }
        | Expression::Relational { argument: one, .. }
        | Expression::Load { pointer: one }
        | Expression::ArrayLength(one)
        | Expression::As { expr: one, .. } => {
            used.insert(one);
        }
        Expression::Binary { left, right, .. } => used.extend([left, right]),
        Expression::Select { condition, accept, reject } => used.extend([condition, accept, reject]),
        Expression::Math { arg, arg1, arg2, arg3, .. } => {
            used.extend([Some(arg), arg1, arg2, arg3].into_iter().flatten());
        }
        _ => {}
    }
}
