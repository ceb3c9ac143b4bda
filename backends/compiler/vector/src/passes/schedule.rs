//! Puts operations of one list that do not wait for each other side by side.
//!
//! A processor looks a hundred or two operations ahead: where one long chain stands behind the other (two elementary
//! functions of different numbers), it runs them one after the other. Within stretches of operations without effect, what
//! the longest chain hangs on comes first, as long as not more values wait for their users than registers hold; then the
//! old order is kept until some are free.
//!
//! Knows how long operations take on processors of some years only roughly; nothing of any machine.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::uses::uses;
use crate::ir::*;

/// Values of one kind of register that may wait for their users at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Vectors of numbers.
    pub vectors: u32,
    /// Masks, where they have registers of their own; else they count as vectors.
    pub masks: Option<u32>,
    /// Registers that a vector of 32-bit lanes fills.
    pub parts: u32,
}

/// Stretches with fewer operations on vectors are left alone: processors look ahead that far.
const SHORT: usize = 24;

/// Operations that start per unit of time, of which a cycle has as many.
const CYCLE: u32 = 3;

/// Orders the operations of long stretches by the chains that hang on them; the function must be valid.
pub fn schedule(function: &mut Function, room: Room) {
    let count = function.values.len();
    let mut body = std::mem::take(&mut function.body);
    let mut scheduling =
        Scheduling { function, room, uses: vec![], place: vec![], nodes: vec![], edges: vec![] };
    if scheduling.has_long(&body) {
        scheduling.uses = uses(&body, count);
        scheduling.place = vec![NOWHERE; count];
        scheduling.list(&mut body);
    }
    function.body = body;
}

const NOWHERE: u32 = u32::MAX;

struct Scheduling<'a> {
    function: &'a Function,
    room: Room,
    /// By value: how often it is used.
    uses: Vec<u32>,
    /// By value: its operation's place in the stretch at hand.
    place: Vec<u32>,
    /// The stretch at hand.
    nodes: Vec<Node>,
    /// Who uses whom: the operations that wait for each, one after the other.
    edges: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Node {
    /// Where its users start in `edges`.
    users: u32,
    /// Operands that are not computed yet.
    waits: u32,
    /// Uses that are not computed yet, of any kind.
    left: u32,
    /// Time from its start to the end of the longest chain that hangs on it.
    height: u32,
    /// When its operands are there.
    from: u32,
    holds: Holds,
    done: bool,
}

/// The kind of register that a value waits in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Vector,
    Mask,
    Other,
}

impl Scheduling<'_> {
    fn is_vector(&self, inst: &Inst) -> bool {
        matches!(inst, Inst::Let { result, .. } if !self.function.ty(*result).is_scalar())
    }

    /// The end of the stretch that starts at a place, and how many operations on vectors it has.
    fn stretch(&self, insts: &[Inst], from: usize) -> (usize, usize) {
        let mut vectors = 0;
        for (at, inst) in insts.iter().enumerate().skip(from) {
            match inst {
                Inst::Let { op, .. } if !op.has_effect() => vectors += usize::from(self.is_vector(inst)),
                _ => return (at, vectors),
            }
        }
        (insts.len(), vectors)
    }

    fn has_long(&self, insts: &[Inst]) -> bool {
        let mut at = 0;
        while at < insts.len() {
            let (end, vectors) = self.stretch(insts, at);
            if vectors >= SHORT {
                return true;
            }
            at = end + 1;
        }
        insts.iter().any(|inst| match inst {
            Inst::If { then, otherwise, .. } => self.has_long(then) || self.has_long(otherwise),
            Inst::Block { body, .. } | Inst::Loop { body, .. } => self.has_long(body),
            _ => false,
        })
    }

    fn list(&mut self, insts: &mut Vec<Inst>) {
        let mut at = 0;
        while at < insts.len() {
            let (end, vectors) = self.stretch(insts, at);
            if vectors >= SHORT {
                self.reorder(insts, at, end);
            }
            at = end + 1;
        }
        for inst in insts {
            match inst {
                Inst::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Inst::Block { body, .. } | Inst::Loop { body, .. } => self.list(body),
                _ => {}
            }
        }
    }

    fn reorder(&mut self, insts: &mut Vec<Inst>, start: usize, end: usize) {
        self.connect(&insts[start..end]);
        let order = self.order(&insts[start..end]);
        for inst in &insts[start..end] {
            if let Inst::Let { result, .. } = inst {
                self.place[result.0 as usize] = NOWHERE;
            }
        }
        let mut old: Vec<Option<Inst>> = insts.drain(start..end).map(Some).collect();
        let new: Vec<Inst> = order.iter().filter_map(|&at| old[at as usize].take()).collect();
        debug_assert_eq!(new.len(), end - start);
        insts.splice(start..start, new);
    }

    /// Fills in what waits for what.
    fn connect(&mut self, insts: &[Inst]) {
        self.nodes.clear();
        for (at, inst) in insts.iter().enumerate() {
            let Inst::Let { result, op, .. } = inst else { continue };
            self.place[result.0 as usize] = at as u32;
            let (mut waits, place, nodes) = (0, &self.place, &mut self.nodes);
            op.operands(|operand| {
                if let Some(node) = nodes.get_mut(place[operand.0 as usize] as usize) {
                    node.users += 1;
                    waits += 1;
                }
            });
            let (left, holds) = (self.uses[result.0 as usize], self.holds(*result, op));
            self.nodes.push(Node { users: 0, waits, left, height: 0, from: 0, holds, done: false });
        }
        // From how many users there are to the end of their list; filling it in leads back to its start.
        let mut sum = 0;
        for node in &mut self.nodes {
            sum += node.users;
            node.users = sum;
        }
        self.edges.clear();
        self.edges.resize(sum as usize, 0);
        for (at, inst) in insts.iter().enumerate() {
            let Inst::Let { op, .. } = inst else { continue };
            let (place, nodes, edges) = (&self.place, &mut self.nodes, &mut self.edges);
            op.operands(|operand| {
                if let Some(node) = nodes.get_mut(place[operand.0 as usize] as usize) {
                    node.users -= 1;
                    edges[node.users as usize] = at as u32;
                }
            });
        }
        for at in (0..insts.len()).rev() {
            let Inst::Let { result, op, .. } = &insts[at] else { continue };
            let after =
                self.users(at).iter().map(|&user| self.nodes[user as usize].height).max().unwrap_or(0);
            self.nodes[at].height = after + latency(op, self.function.ty(*result)) * CYCLE;
        }
    }

    fn users(&self, at: usize) -> &[u32] {
        let end = self.nodes.get(at + 1).map_or(self.edges.len(), |next| next.users as usize);
        &self.edges[self.nodes[at].users as usize..end]
    }

    fn holds(&self, result: Value, op: &Op) -> Holds {
        let ty = self.function.ty(result);
        if ty.is_scalar() || matches!(op, Op::Const(_) | Op::Lanes(_) | Op::Splat(_)) {
            return Holds::Other;
        }
        if ty.kind == Kind::Bool && self.room.masks.is_some() { Holds::Mask } else { Holds::Vector }
    }

    /// The new order.
    fn order(&mut self, insts: &[Inst]) -> Vec<u32> {
        let mut order = Vec::with_capacity(insts.len());
        // Whose operands are computed: those that are there, the most urgent first; those under way, by time; all, in
        // the old order.
        let mut there: BinaryHeap<(u32, Reverse<u32>)> = BinaryHeap::new();
        let mut under_way: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
        let mut oldest: BinaryHeap<Reverse<u32>> = BinaryHeap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if node.waits == 0 {
                there.push((node.height, Reverse(at as u32)));
                oldest.push(Reverse(at as u32));
            }
        }
        let (mut vectors, mut masks, mut time) = (0, 0, 0);
        while order.len() < insts.len() {
            while let Some(&Reverse((from, at))) = under_way.peek()
                && from <= time
            {
                under_way.pop();
                there.push((self.nodes[at as usize].height, Reverse(at)));
            }
            let crowded = vectors >= self.room.vectors || self.room.masks.is_some_and(|most| masks >= most);
            let next = if crowded {
                oldest.pop().map(|Reverse(at)| at)
            } else {
                there.pop().map(|(_, Reverse(at))| at).or_else(|| under_way.pop().map(|Reverse((_, at))| at))
            };
            let Some(at) = next else { break };
            if std::mem::replace(&mut self.nodes[at as usize].done, true) {
                continue;
            }
            order.push(at);
            let node = self.nodes[at as usize];
            let Inst::Let { result, op, .. } = &insts[at as usize] else { continue };
            let ty = self.function.ty(*result);
            match node.holds {
                Holds::Vector => vectors += 1,
                Holds::Mask => masks += 1,
                Holds::Other => {}
            }
            time = time.max(node.from);
            let ready = time + latency(op, ty) * CYCLE;
            time += if ty.is_scalar() { 1 } else { self.room.parts };
            let (place, nodes) = (&self.place, &mut self.nodes);
            op.operands(|operand| {
                if let Some(node) = nodes.get_mut(place[operand.0 as usize] as usize) {
                    node.left -= 1;
                    if node.left == 0 {
                        match node.holds {
                            Holds::Vector => vectors -= 1,
                            Holds::Mask => masks -= 1,
                            Holds::Other => {}
                        }
                    }
                }
            });
            for user in 0..self.users(at as usize).len() {
                let user = self.users(at as usize)[user];
                let node = &mut self.nodes[user as usize];
                node.from = node.from.max(ready);
                node.waits -= 1;
                if node.waits == 0 {
                    under_way.push(Reverse((node.from, user)));
                    oldest.push(Reverse(user));
                }
            }
        }
        order
    }
}

/// Cycles until the result is there.
fn latency(op: &Op, ty: Type) -> u32 {
    let float = ty.kind.is_float();
    match op {
        Op::Const(_) | Op::Lanes(_) => 0,
        Op::Splat(_) | Op::Select(..) | Op::Unary(Unary::Neg | Unary::Abs | Unary::Not, _) => 2,
        Op::Unary(Unary::Sqrt, _) => 15,
        Op::Unary(..) => 4,
        Op::Binary(Binary::Div, ..) => 11,
        Op::Binary(Binary::Mul, ..) | Op::Fma(..) => 4,
        Op::Binary(Binary::DivS | Binary::DivU | Binary::RemS | Binary::RemU, ..) => 15,
        Op::Binary(..) if float => 3,
        Op::Binary(..) if ty.is_scalar() => 1,
        Op::Binary(..) => 2,
        Op::Load(_) | Op::LoadMasked(..) => 6,
        Op::Gather(..) | Op::Reduce(..) => 20,
        _ => 4,
    }
}
