//! Loops: what the slots carry from round to round, and what a loop's end uses of its body.
//!
//! Knows nothing of what is computed in between.

use super::Builder;
use super::draft::{Edge, Node};
use super::frame::Known;
use crate::ir::{Label, Op, Value};
use crate::unsupported::Unsupported;
use naga::{Block, Expression, Handle, Statement};
use rustc_hash::FxHashSet;
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    pub(super) fn repeat(
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
