//! Numbers values and labels by their order in the text, without gaps.
//!
//! So tables by value are as short as can be, and a text form does not depend on how a function came about.

use crate::ir::*;

/// Numbers values and labels without gaps; the function must be valid.
pub fn renumber(function: &mut Function) {
    let old = std::mem::take(&mut function.values);
    let mut numbering = Numbering {
        new: vec![Value(u32::MAX); old.len()],
        labels: vec![Label(u32::MAX); function.labels as usize],
        types: Vec::with_capacity(old.len()),
        old,
        next: 0,
    };
    for param in &mut function.params {
        numbering.define(param);
    }
    numbering.list(&mut function.body);
    function.values = numbering.types;
    function.labels = numbering.next;
}

struct Numbering {
    old: Vec<Type>,
    new: Vec<Value>,
    types: Vec<Type>,
    labels: Vec<Label>,
    /// The next label.
    next: u32,
}

impl Numbering {
    fn define(&mut self, value: &mut Value) {
        let new = Value(self.types.len() as u32);
        self.types.push(self.old[value.0 as usize]);
        self.new[value.0 as usize] = new;
        *value = new;
    }

    fn label(&mut self, label: &mut Label) {
        let new = Label(self.next);
        self.next += 1;
        self.labels[label.0 as usize] = new;
        *label = new;
    }

    fn all(&self, values: &mut [Value]) {
        values.iter_mut().for_each(|value| *value = self.new[value.0 as usize]);
    }

    fn list(&mut self, insts: &mut [Inst]) {
        for inst in insts {
            match inst {
                Inst::Let { result, op, .. } => {
                    op.operands_mut(|value| *value = self.new[value.0 as usize]);
                    self.define(result);
                }
                Inst::Do { effect, .. } => {
                    *effect = effect.clone().map(|value| self.new[value.0 as usize]);
                }
                Inst::If { condition, then, otherwise, results, .. } => {
                    *condition = self.new[condition.0 as usize];
                    self.list(then);
                    self.list(otherwise);
                    results.iter_mut().for_each(|result| self.define(result));
                }
                Inst::Block { label, body, results } => {
                    self.label(label);
                    self.list(body);
                    results.iter_mut().for_each(|result| self.define(result));
                }
                Inst::Loop { label, params, body } => {
                    self.label(label);
                    for (param, first) in params {
                        *first = self.new[first.0 as usize];
                        self.define(param);
                    }
                    self.list(body);
                }
                Inst::Branch { label, arguments } => {
                    *label = self.labels[label.0 as usize];
                    self.all(arguments);
                }
                Inst::Yield { arguments } => self.all(arguments),
            }
        }
    }
}
