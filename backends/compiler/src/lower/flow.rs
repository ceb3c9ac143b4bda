//! Which branches of a kernel lanes take together, and which they take alone.
//!
//! A branch is *real* when all lanes that can still come to its label take it at once: it becomes a jump. Otherwise it
//! is *masked*: its lanes wait at the label, and the others go on. This is decided once, before lowering, because what a
//! loop carries depends on what its body will do. Knows nothing of values.

use std::collections::HashSet;
use std::ptr;

use warpweft_ssa::ir::{Label, Statement, Value};

use crate::options::NotCompiled;

/// What is known of the control flow of one kernel.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    labels: Vec<LabelFacts>,
    masked: HashSet<*const Statement>,
    /// Invocations return somewhere in the middle.
    pub(crate) returns: bool,
}

/// What is known of one label.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelFacts {
    /// A block: lanes wait here. A loop: lanes leave it at different rounds.
    pub(crate) divergent: bool,
    /// Some branch to it is a jump.
    pub(crate) real: bool,
    /// The labels further out at which lanes from inside wait.
    pub(crate) leaves: Vec<Label>,
    /// Lanes return from inside while others go on.
    pub(crate) returns: bool,
}

impl LabelFacts {
    /// Lanes that came in may be missing behind it.
    pub(crate) fn loses_lanes(&self) -> bool {
        self.returns || !self.leaves.is_empty()
    }
}

/// What encloses the statement at hand.
enum Frame {
    /// An arm that only some lanes take.
    Arm,
    Block {
        label: Label,
        /// Lanes may be waiting at its end already.
        waiting: bool,
    },
    Loop {
        label: Label,
    },
}

struct Walk<'a> {
    flow: Flow,
    frames: Vec<Frame>,
    divergent: &'a dyn Fn(Value) -> bool,
    unusual: bool,
    /// By loop: the blocks around at whose ends lanes wait when a round ends, and so when the next one starts.
    waiting: Vec<Vec<Label>>,
    /// More of them were found.
    more: bool,
}

impl Flow {
    /// Looks at a kernel's code; `divergent` says of a condition whether lanes may differ in it.
    ///
    /// # Errors
    /// A shape of loop that the SSA builder does not make.
    pub(crate) fn new(
        body: &[Statement],
        labels: u32,
        divergent: &dyn Fn(Value) -> bool,
    ) -> Result<Flow, NotCompiled> {
        let flow = Flow { labels: vec![LabelFacts::default(); labels as usize], ..Flow::default() };
        let waiting = vec![vec![]; labels as usize];
        let mut walk = Walk { flow, frames: vec![], divergent, unusual: false, waiting, more: true };
        // All loops at once: to look at each twice wherever it is met would take a time for each way through a nest.
        while std::mem::take(&mut walk.more) {
            walk.list(body);
        }
        if walk.unusual {
            let what = "a loop whose next round starts in the middle of its body".into();
            return Err(NotCompiled { what, location: None });
        }
        Ok(walk.flow)
    }

    /// Lanes take this branch or return alone.
    pub(crate) fn is_masked(&self, statement: &Statement) -> bool {
        self.masked.contains(&ptr::from_ref(statement))
    }

    /// What is known of a label.
    pub(crate) fn label(&self, label: Label) -> &LabelFacts {
        &self.labels[label.0 as usize]
    }
}

impl Walk<'_> {
    fn list(&mut self, list: &[Statement]) {
        for statement in list {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::If { condition, then, otherwise, .. } => {
                let divergent = (self.divergent)(*condition);
                if divergent {
                    self.frames.push(Frame::Arm);
                }
                self.list(then);
                self.list(otherwise);
                if divergent {
                    self.frames.pop();
                }
            }
            Statement::Block { label, body, .. } => {
                self.frames.push(Frame::Block { label: *label, waiting: false });
                self.list(body);
                self.frames.pop();
            }
            Statement::Loop { label, body, .. } => {
                self.frames.push(Frame::Loop { label: *label });
                self.start_waiting(*label);
                self.list(body);
                self.note_waiting(*label);
                self.frames.pop();
            }
            Statement::Branch { label, .. } => self.branch(statement, Some(*label)),
            Statement::Return => self.branch(statement, None),
            Statement::Let(_)
            | Statement::Store { .. }
            | Statement::Barrier { .. }
            | Statement::Call { .. }
            | Statement::Yield { .. } => {}
        }
    }

    /// Lanes that began to wait late in a round are still waiting early in the next.
    fn start_waiting(&mut self, round: Label) {
        let known = &self.waiting[round.0 as usize];
        for frame in &mut self.frames {
            if let Frame::Block { label, waiting } = frame {
                *waiting |= known.contains(label);
            }
        }
    }

    /// The end of a loop's body: whoever waits further out waits in the next round too.
    fn note_waiting(&mut self, round: Label) {
        let known = &mut self.waiting[round.0 as usize];
        for frame in &self.frames {
            if let Frame::Block { label, waiting: true } = frame
                && !known.contains(label)
            {
                known.push(*label);
                self.more = true;
            }
        }
    }

    /// A branch to a label, or a return.
    fn branch(&mut self, statement: &Statement, target: Option<Label>) {
        let mut alone = false;
        let mut waiting_inside = false;
        let mut depth = 0;
        let mut back = false;
        for (at, frame) in self.frames.iter().enumerate().rev() {
            match frame {
                Frame::Arm => alone = true,
                Frame::Block { label, .. } if Some(*label) == target => {
                    depth = at + 1;
                    break;
                }
                Frame::Loop { label } if Some(*label) == target => {
                    depth = at + 1;
                    back = true;
                    break;
                }
                Frame::Block { waiting, .. } => waiting_inside |= *waiting,
                Frame::Loop { .. } => {}
            }
        }
        let inner: Vec<Label> = self.frames[depth..]
            .iter()
            .filter_map(|frame| match frame {
                Frame::Block { label, .. } | Frame::Loop { label } => Some(*label),
                Frame::Arm => None,
            })
            .collect();
        if back {
            // The next round: of those lanes that are here. Others may have left the loop, but not wait inside it.
            self.unusual |= waiting_inside || (alone && !inner.is_empty());
            if let (true, Some(label)) = (alone, target) {
                self.flow.labels[label.0 as usize].divergent = true;
            }
            return;
        }
        self.flow.returns |= target.is_none();
        if !alone && !waiting_inside {
            if let Some(label) = target {
                self.flow.labels[label.0 as usize].real = true;
            }
            return;
        }
        self.flow.masked.insert(ptr::from_ref(statement));
        for label in inner {
            let is_loop = self.frames.iter().any(|f| matches!(f, Frame::Loop { label: l } if *l == label));
            let facts = &mut self.flow.labels[label.0 as usize];
            // Lanes leave a loop at different rounds.
            facts.divergent |= is_loop;
            match target {
                Some(target) if !facts.leaves.contains(&target) => facts.leaves.push(target),
                Some(_) => {}
                None => facts.returns = true,
            }
        }
        let Some(label) = target else { return };
        self.flow.labels[label.0 as usize].divergent = true;
        for frame in &mut self.frames {
            if let Frame::Block { label: l, waiting } = frame
                && *l == label
            {
                *waiting = true;
            }
        }
    }
}
