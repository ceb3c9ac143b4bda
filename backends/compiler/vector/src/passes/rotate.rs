//! Turns loops that test at their start into guarded loops that test at their end.
//!
//! ```text
//! loop L(i = first) { if i >= n { branch exit } body; branch L(next) }
//!     becomes
//! if first >= n { branch exit }
//! loop L(i = first) { body; if next >= n { branch exit } else { branch L(next) } }
//! ```
//!
//! So a round has one branch, and what the body starts with is certain to run once the loop is entered, which lets
//! `licm` move it. The operations in front of the test must not read memory: they are computed as
//! often as before, but in new places. What of them only the test uses is left for `dce` at the old one.

use crate::ir::*;

/// How many instructions copies of a test may add to a loop.
const MOST_COPIED: usize = 32;

/// Moves tests from loops' starts to their ends; the function must be valid.
/// Gives whether there were any.
pub fn rotate(function: &mut Function) -> bool {
    let mut body = std::mem::take(&mut function.body);
    let new = (0..function.values.len() as u32).map(Value).collect();
    let mut rotation = Rotation { function, new, branches: vec![], rotated: false };
    rotation.branches.resize(rotation.function.labels as usize, 0);
    rotation.list(&mut body);
    let rotated = rotation.rotated;
    function.body = body;
    rotated
}

struct Rotation<'a> {
    function: &'a mut Function,
    /// What copies put in place of a value.
    new: Vec<Value>,
    /// By label, counted when its body has been walked.
    branches: Vec<usize>,
    rotated: bool,
}

/// The start of a loop's body.
struct Test {
    /// Pure.
    before: Vec<Inst>,
    condition: Value,
    /// The loop goes on where the condition is that.
    goes_on: bool,
    /// Pure, but for the branch at its end.
    exit: Vec<Inst>,
    hint: Hint,
}

impl Rotation<'_> {
    fn list(&mut self, insts: &mut Vec<Inst>) {
        for inst in insts.iter_mut() {
            match inst {
                Inst::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Inst::Block { body, .. } | Inst::Loop { body, .. } => self.list(body),
                Inst::Branch { label, .. } => self.branches[label.0 as usize] += 1,
                Inst::Let { .. } | Inst::Do { .. } | Inst::Yield { .. } => {}
            }
        }
        // A loop ends its list.
        match insts.pop() {
            Some(Inst::Loop { label, params, body }) => self.round(label, params, body, insts),
            last => insts.extend(last),
        }
    }

    fn round(&mut self, label: Label, params: Vec<(Value, Value)>, body: Vec<Inst>, kept: &mut Vec<Inst>) {
        let sites = self.branches[label.0 as usize];
        let (test, mut rest) = match split(label, body, sites) {
            Ok(split) => split,
            Err(body) => return kept.push(Inst::Loop { label, params, body }),
        };
        self.rotated = true;
        let names: Vec<Value> = params.iter().map(|(param, _)| *param).collect();
        let first: Vec<Value> = params.iter().map(|(_, first)| *first).collect();
        let go_on = Inst::Yield { arguments: vec![] };
        self.copy(&test, &names, &first, go_on, kept);
        self.close(&mut rest, label, &test, &names);
        let mut body = test.before;
        body.append(&mut rest);
        kept.push(Inst::Loop { label, params, body });
    }

    /// Puts a copy of the test in front of each branch to the loop.
    fn close(&mut self, insts: &mut Vec<Inst>, label: Label, test: &Test, params: &[Value]) {
        for inst in insts.iter_mut() {
            match inst {
                Inst::If { then, otherwise, .. } => {
                    self.close(then, label, test, params);
                    self.close(otherwise, label, test, params);
                }
                Inst::Block { body, .. } | Inst::Loop { body, .. } => self.close(body, label, test, params),
                _ => {}
            }
        }
        if let Some(branch @ Inst::Branch { label: to, arguments }) = insts.last()
            && *to == label
        {
            let (next, branch) = (arguments.clone(), branch.clone());
            insts.pop();
            self.copy(test, params, &next, branch, insts);
        }
    }

    /// Emits the test with other values for the loop's parameters, going on with `go_on`.
    fn copy(&mut self, test: &Test, params: &[Value], values: &[Value], go_on: Inst, to: &mut Vec<Inst>) {
        for (param, value) in params.iter().zip(values) {
            self.new[param.0 as usize] = *value;
        }
        self.copied(&test.before, to);
        let condition = self.new[test.condition.0 as usize];
        let mut exit = vec![];
        self.copied(&test.exit, &mut exit);
        let go_on = vec![go_on];
        let (then, otherwise) = if test.goes_on { (go_on, exit) } else { (exit, go_on) };
        to.push(Inst::If { condition, then, otherwise, results: vec![], hint: test.hint });
        for param in params {
            self.new[param.0 as usize] = *param;
        }
        for inst in test.before.iter().chain(&test.exit) {
            if let Inst::Let { result, .. } = inst {
                self.new[result.0 as usize] = *result;
            }
        }
    }

    fn copied(&mut self, insts: &[Inst], to: &mut Vec<Inst>) {
        for inst in insts {
            match inst {
                Inst::Let { result, op, mark } => {
                    let op = op.clone().map(|value| self.new[value.0 as usize]);
                    let value = self.function.value(self.function.ty(*result));
                    self.new.push(value);
                    self.new[result.0 as usize] = value;
                    to.push(Inst::Let { result: value, op, mark: *mark });
                }
                Inst::Branch { label, arguments } => {
                    let arguments = arguments.iter().map(|value| self.new[value.0 as usize]).collect();
                    to.push(Inst::Branch { label: *label, arguments });
                }
                other => debug_assert!(false, "a test holds no {other:?}"),
            }
        }
    }
}

/// The test at the start of a loop's body and the rest of it, or the body where it has none that can be moved.
fn split(label: Label, mut body: Vec<Inst>, sites: usize) -> Result<(Test, Vec<Inst>), Vec<Inst>> {
    let Some(at) = body.iter().position(|inst| !is_pure(inst)) else { return Err(body) };
    let Inst::If { then, otherwise, results, .. } = &body[at] else { return Err(body) };
    if !results.is_empty() {
        return Err(body);
    }
    let goes_on = match (leaves(then, label), leaves(otherwise, label)) {
        (true, false) => false,
        (false, true) => true,
        _ => return Err(body),
    };
    let (exit, arm) = if goes_on { (otherwise, then) } else { (then, otherwise) };
    let arm_yields = matches!(arm.as_slice(), [Inst::Yield { .. }]);
    let is_last = at + 1 == body.len();
    let rest = if is_last { arm.as_slice() } else { &body[at + 1..] };
    let is_closed = matches!(rest, [Inst::Branch { .. }]);
    if is_closed || is_last == arm_yields || sites * (at + exit.len()) > MOST_COPIED {
        return Err(body);
    }
    let rest = body.split_off(at + 1);
    let Some(Inst::If { condition, then, otherwise, hint, .. }) = body.pop() else { return Err(body) };
    let (exit, arm) = if goes_on { (otherwise, then) } else { (then, otherwise) };
    let test = Test { before: body, condition, goes_on, exit, hint };
    Ok((test, if is_last { arm } else { rest }))
}

fn is_pure(inst: &Inst) -> bool {
    matches!(inst, Inst::Let { op, .. } if op.touches().is_none())
}

/// Whether a list does nothing but leave the loop of that label.
fn leaves(insts: &[Inst], label: Label) -> bool {
    match insts {
        [before @ .., Inst::Branch { label: to, .. }] => *to != label && before.iter().all(is_pure),
        _ => false,
    }
}
