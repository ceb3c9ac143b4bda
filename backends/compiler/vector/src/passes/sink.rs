//! Moves what is quickly had again to where it is used: into outer loops, in front of its first use.
//!
//! What a launch is given (addresses, extents) is loaded in front of everything, and used here and there in loops around
//! loops. Kept in registers all that time, it would take them from others, and to find out that there are too few of them
//! takes most of the time of compiling. So it goes into loops, but only into those with at least two levels of loops
//! inside: further in, it would be loaded more often than anything is read from the stack. Knows nothing of machines.

use crate::ir::*;

/// A loop is entered that has so many levels of loops inside.
const LEAST_INSIDE: u32 = 2;

/// Moves loads of what never changes, and what is converted from them, into outer loops; the function must be valid.
pub fn sink(function: &mut Function) {
    let mut sinking = Sinking {
        constant: function.spaces.iter().map(|space| space.constant).collect(),
        lists: vec![],
        candidates: vec![],
        may_move: vec![false; function.values.len()],
        used: vec![None; function.values.len()],
        target: vec![],
        moving: vec![],
        frames: vec![],
        next: 0,
    };
    sinking.look(&function.body, None);
    if sinking.decide(function.values.len()) {
        sinking.moving = vec![None; function.values.len()];
        let body = std::mem::take(&mut function.body);
        function.body = sinking.moved(body);
    }
}

/// A list of instructions.
struct List {
    parent: Option<u32>,
    /// How many lists are around.
    depth: u32,
    /// Where it is a loop's body: how many levels of loops are inside.
    inside: Option<u32>,
    /// Something leaves it, or comes into it.
    changes: bool,
}

struct Sinking {
    /// By space.
    constant: Vec<bool>,
    /// By the order of their starts.
    lists: Vec<List>,
    /// What may move, what it takes, and the list where it is.
    candidates: Vec<(Value, [Option<Value>; 2], u32)>,
    /// By value: it is a candidate. Nothing else is asked where it is used.
    may_move: Vec<bool>,
    /// By value: the innermost list with all of its uses inside.
    used: Vec<Option<u32>>,
    /// By value: the list where it goes.
    target: Vec<Option<u32>>,
    /// By value: what is on its way.
    moving: Vec<Option<Inst>>,
    /// The lists around, as far as they are rebuilt.
    frames: Vec<Vec<Inst>>,
    /// The number of the next list.
    next: u32,
}

impl Sinking {
    // --- where to ----------------------------------------------------------------------------------------------------

    /// Looks at a list, and gives its number and how many levels of loops are in it.
    fn look(&mut self, insts: &[Inst], parent: Option<u32>) -> (u32, u32) {
        let number = self.lists.len() as u32;
        let depth = parent.map_or(0, |parent| self.lists[parent as usize].depth + 1);
        self.lists.push(List { parent, depth, inside: None, changes: false });
        let mut inside = 0;
        for inst in insts {
            match inst {
                Inst::Let { result, op, .. } => match self.taken(op) {
                    Some(operands) => {
                        self.candidates.push((*result, operands, number));
                        self.may_move[result.0 as usize] = true;
                    }
                    None => op.operands(|value| self.uses(value, number)),
                },
                Inst::Do { effect, .. } => effect.operands(|value| self.uses(value, number)),
                Inst::If { condition, then, otherwise, .. } => {
                    self.uses(*condition, number);
                    for arm in [then, otherwise] {
                        inside = inside.max(self.look(arm, Some(number)).1);
                    }
                }
                Inst::Block { body, .. } => inside = inside.max(self.look(body, Some(number)).1),
                Inst::Loop { params, body, .. } => {
                    params.iter().for_each(|&(_, first)| self.uses(first, number));
                    let (list, levels) = self.look(body, Some(number));
                    self.lists[list as usize].inside = Some(levels);
                    inside = inside.max(levels + 1);
                }
                Inst::Branch { arguments, .. } | Inst::Yield { arguments } => {
                    arguments.iter().for_each(|&value| self.uses(value, number));
                }
            }
        }
        (number, inside)
    }

    /// What an operation takes that may move.
    fn taken(&self, op: &Op) -> Option<[Option<Value>; 2]> {
        match op {
            Op::Load(access) if access.always && self.constant[access.space.0 as usize] => {
                Some([Some(access.base), access.index])
            }
            Op::Convert(Convert::ZeroExtend | Convert::SignExtend | Convert::Truncate, value) => {
                Some([Some(*value), None])
            }
            _ => None,
        }
    }

    fn uses(&mut self, value: Value, mut list: u32) {
        if !self.may_move[value.0 as usize] {
            return;
        }
        let used = &mut self.used[value.0 as usize];
        let Some(mut other) = *used else {
            *used = Some(list);
            return;
        };
        while list != other {
            let (a, b) = (&self.lists[list as usize], &self.lists[other as usize]);
            let deeper = if a.depth >= b.depth { &mut list } else { &mut other };
            *deeper = self.lists[*deeper as usize].parent.unwrap_or(0);
        }
        *used = Some(list);
    }

    /// Says where each candidate goes; whether any moves.
    fn decide(&mut self, values: usize) -> bool {
        self.target = vec![None; values];
        let mut some = false;
        // Users before what they use.
        for (value, operands, home) in std::mem::take(&mut self.candidates).into_iter().rev() {
            let mut target = self.used[value.0 as usize].unwrap_or(home);
            let mut list = target;
            while list != home {
                let List { parent, inside, .. } = self.lists[list as usize];
                list = parent.unwrap_or(home);
                if inside.is_some_and(|levels| levels < LEAST_INSIDE) {
                    target = list;
                }
            }
            if target != home {
                self.target[value.0 as usize] = Some(target);
                self.lists[home as usize].changes = true;
                self.lists[target as usize].changes = true;
                some = true;
            }
            operands.into_iter().flatten().for_each(|operand| self.uses(operand, target));
        }
        some
    }

    // --- moving ------------------------------------------------------------------------------------------------------

    /// A list with what has moved into it and without what has left.
    fn moved(&mut self, mut insts: Vec<Inst>) -> Vec<Inst> {
        let number = self.next;
        self.next += 1;
        if !self.lists[number as usize].changes {
            self.frames.push(vec![]);
            insts.iter_mut().for_each(|inst| self.inside(inst));
            self.frames.pop();
            return insts;
        }
        self.frames.push(Vec::with_capacity(insts.len() + 8));
        for mut inst in insts {
            if let Inst::Let { result, .. } = inst
                && self.target[result.0 as usize].is_some()
            {
                self.moving[result.0 as usize] = Some(inst);
                continue;
            }
            self.inside(&mut inst);
            if let Some(frame) = self.frames.last_mut() {
                frame.push(inst);
            }
        }
        self.frames.pop().unwrap_or_default()
    }

    /// What an instruction uses arrives in front of it, or in the lists inside of it.
    fn inside(&mut self, inst: &mut Inst) {
        match inst {
            Inst::Let { op, .. } => op.operands(|value| self.arrive(value)),
            Inst::Do { effect, .. } => effect.operands(|value| self.arrive(value)),
            Inst::If { condition, then, otherwise, .. } => {
                self.arrive(*condition);
                for arm in [then, otherwise] {
                    *arm = self.moved(std::mem::take(arm));
                }
            }
            Inst::Block { body, .. } => *body = self.moved(std::mem::take(body)),
            Inst::Loop { params, body, .. } => {
                params.iter().for_each(|&(_, first)| self.arrive(first));
                *body = self.moved(std::mem::take(body));
            }
            Inst::Branch { arguments, .. } | Inst::Yield { arguments } => {
                arguments.iter().for_each(|&value| self.arrive(value));
            }
        }
    }

    /// A value is about to be used: if it is on its way, it goes where it belongs.
    fn arrive(&mut self, value: Value) {
        let Some(inst) = self.moving[value.0 as usize].take() else { return };
        if let Inst::Let { op, .. } = &inst {
            op.operands(|operand| self.arrive(operand));
        }
        if let Some(target) = self.target[value.0 as usize] {
            let depth = self.lists[target as usize].depth;
            self.frames[depth as usize].push(inst);
        }
    }
}
