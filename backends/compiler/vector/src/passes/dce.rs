//! Removes what nobody needs: values, results and parameters, loads, and control flow that only chose between those.
//!
//! Effects are needed, and so is what decides whether they happen: the condition of each `If` around them, and of each
//! that holds a branch past them. A loop that nothing leaves counts as an effect. Everything else is needed only if
//! something needed uses it. A loop with an exit is taken to end.
//!
//! Linear; two walks and a worklist between them. Knows nothing of what operations compute.

use crate::ir::*;

/// Removes what nobody needs: values, loads, results, parameters and control flow; the function must be valid.
pub fn dce(function: &mut Function) {
    let mut marking = Marking {
        needs: vec![Needs::Nothing; function.values.len()],
        needed: vec![false; function.values.len()],
        nodes: vec![],
        node_of: vec![NONE; function.labels as usize],
        operands: vec![],
        values: vec![],
        opened: vec![],
        current: NONE,
    };
    marking.enter(None, vec![]);
    marking.need_node(0);
    marking.list(&function.body);
    marking.propagate();
    let mut removing = Removing { marking, next: 1 };
    removing.list(&mut function.body, 0);
}

const NONE: u32 = u32::MAX;

/// Where to look for what a value needs.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// Operands, a range of the table.
    Operands(u32, u32),
    /// The result or parameter of that node, at that position.
    Joined(u32, u32),
}

/// An `If`, a block or a loop, in the order of their beginnings; the first is the function.
struct Node {
    parent: u32,
    /// The node behind all that are in this one.
    end: u32,
    condition: Option<Value>,
    /// A branch from inside goes out.
    is_left: bool,
    needed: bool,
    /// Results or parameters.
    values: Vec<Value>,
    /// What arrives for each.
    arriving: Vec<Vec<Value>>,
    /// Nodes between this one and branches to it: where this one is needed, they are.
    between: Vec<u32>,
    /// The last node that has this one in its `between`.
    counted: u32,
}

struct Marking {
    needs: Vec<Needs>,
    needed: Vec<bool>,
    nodes: Vec<Node>,
    /// By label.
    node_of: Vec<u32>,
    operands: Vec<Value>,
    /// Needed, but not what they need in turn.
    values: Vec<Value>,
    opened: Vec<u32>,
    current: u32,
}

impl Marking {
    fn list(&mut self, insts: &[Inst]) {
        for inst in insts {
            match inst {
                Inst::Let { result, op, .. } => {
                    let start = self.operands.len() as u32;
                    op.operands(|value| self.operands.push(value));
                    self.needs[result.0 as usize] = Needs::Operands(start, self.operands.len() as u32);
                    if op.has_effect() {
                        self.need(*result);
                        self.need_node(self.current);
                    }
                }
                Inst::Do { effect, .. } => {
                    effect.operands(|value| self.need(value));
                    self.need_node(self.current);
                }
                Inst::If { condition, then, otherwise, results, .. } => {
                    self.enter(Some(*condition), results.clone());
                    self.list(then);
                    self.list(otherwise);
                    self.leave();
                }
                Inst::Block { label, body, results } => {
                    self.node_of[label.0 as usize] = self.enter(None, results.clone());
                    self.list(body);
                    self.leave();
                }
                Inst::Loop { label, params, body } => {
                    let values = params.iter().map(|(param, _)| *param).collect();
                    let node = self.enter(None, values);
                    self.node_of[label.0 as usize] = node;
                    self.arrive(node, params.iter().map(|(_, first)| *first));
                    self.list(body);
                    if !self.nodes[node as usize].is_left {
                        self.need_node(node);
                    }
                    self.leave();
                }
                Inst::Branch { label, arguments } => {
                    let target = self.node_of[label.0 as usize];
                    self.arrive(target, arguments.iter().copied());
                    self.pass(target);
                }
                Inst::Yield { arguments } => self.arrive(self.current, arguments.iter().copied()),
            }
        }
    }

    fn enter(&mut self, condition: Option<Value>, values: Vec<Value>) -> u32 {
        let node = self.nodes.len() as u32;
        for (index, value) in values.iter().enumerate() {
            self.needs[value.0 as usize] = Needs::Joined(node, index as u32);
        }
        let arriving = vec![vec![]; values.len()];
        self.nodes.push(Node {
            parent: self.current,
            end: NONE,
            condition,
            is_left: false,
            needed: false,
            values,
            arriving,
            between: vec![],
            counted: NONE,
        });
        self.current = node;
        node
    }

    fn leave(&mut self) {
        let end = self.nodes.len() as u32;
        let node = &mut self.nodes[self.current as usize];
        node.end = end;
        self.current = node.parent;
    }

    fn arrive(&mut self, node: u32, values: impl Iterator<Item = Value>) {
        for (arriving, value) in self.nodes[node as usize].arriving.iter_mut().zip(values) {
            arriving.push(value);
        }
    }

    /// Notes a branch from here to a node around.
    fn pass(&mut self, target: u32) {
        let mut at = self.current;
        while at != target {
            let node = &mut self.nodes[at as usize];
            if node.counted == target {
                // Then those around it are, too.
                return;
            }
            node.counted = target;
            node.is_left = true;
            let parent = node.parent;
            self.nodes[target as usize].between.push(at);
            at = parent;
        }
    }

    fn need(&mut self, value: Value) {
        if !std::mem::replace(&mut self.needed[value.0 as usize], true) {
            self.values.push(value);
        }
    }

    /// A node is needed, and all around it.
    fn need_node(&mut self, mut node: u32) {
        while node != NONE && !std::mem::replace(&mut self.nodes[node as usize].needed, true) {
            self.opened.push(node);
            node = self.nodes[node as usize].parent;
        }
    }

    fn propagate(&mut self) {
        loop {
            if let Some(value) = self.values.pop() {
                match self.needs[value.0 as usize] {
                    Needs::Nothing => {}
                    Needs::Operands(start, end) => {
                        (start..end).for_each(|at| self.need(self.operands[at as usize]));
                    }
                    Needs::Joined(node, index) => {
                        self.need_node(node);
                        let arriving =
                            std::mem::take(&mut self.nodes[node as usize].arriving[index as usize]);
                        arriving.into_iter().for_each(|value| self.need(value));
                    }
                }
            } else if let Some(node) = self.opened.pop() {
                let node = &mut self.nodes[node as usize];
                let (condition, between) = (node.condition, std::mem::take(&mut node.between));
                condition.into_iter().for_each(|value| self.need(value));
                between.into_iter().for_each(|node| self.need_node(node));
            } else {
                return;
            }
        }
    }
}

struct Removing {
    marking: Marking,
    /// The number of the next node.
    next: u32,
}

impl Removing {
    fn list(&mut self, insts: &mut Vec<Inst>, node: u32) {
        insts.retain_mut(|inst| self.stays(inst, node));
    }

    /// Whether an instruction of a node stays, less what nobody needs of it.
    fn stays(&mut self, inst: &mut Inst, node: u32) -> bool {
        match inst {
            Inst::Let { result, .. } => return self.marking.needed[result.0 as usize],
            Inst::Do { .. } => {}
            Inst::If { then, otherwise, results, .. } => {
                let Some(node) = self.node() else { return false };
                self.choose(results, node);
                self.list(then, node);
                self.list(otherwise, node);
            }
            Inst::Block { body, results, .. } => {
                let Some(node) = self.node() else { return false };
                self.choose(results, node);
                self.list(body, node);
            }
            Inst::Loop { params, body, .. } => {
                let Some(node) = self.node() else { return false };
                self.choose(params, node);
                self.list(body, node);
            }
            Inst::Branch { label, arguments } => {
                self.choose(arguments, self.marking.node_of[label.0 as usize]);
            }
            Inst::Yield { arguments } => self.choose(arguments, node),
        }
        true
    }

    /// The next node if it is needed; otherwise it is skipped with all in it.
    fn node(&mut self) -> Option<u32> {
        let (number, node) = (self.next, &self.marking.nodes[self.next as usize]);
        self.next = if node.needed { number + 1 } else { node.end };
        node.needed.then_some(number)
    }

    /// Leaves, of what stands for the results or parameters of a node, that for the needed ones.
    fn choose<T>(&self, items: &mut Vec<T>, node: u32) {
        let mut values = self.marking.nodes[node as usize].values.iter();
        items.retain(|_| values.next().is_some_and(|value| self.marking.needed[value.0 as usize]));
    }
}
