//! Which bytes of each binding a launch may read, may write and must write.
//!
//! *May* is never too little, *must* is never too much: what cannot be told is the whole binding, and nothing. What must
//! be written is written by every launch that ends without an error, whatever the data, so what was there before does
//! not matter unless it may be read.
//!
//! Knows nothing of buffers and devices.

mod divided;
mod image;
mod set;
mod slicing;

pub use crate::affine::LaunchFacts;
pub use set::ByteSet;
pub use slicing::Reason;

use crate::affine::{Access, Form, Piece, State, Visitor, walk};
use crate::ir::{Callee, Function, Limit, Op, Place, Root, Statement, Value};
use std::mem;

/// Places in the text times pieces, per binding, beyond which a binding counts as a whole.
const USES: usize = 4096;

/// What can be known about the memory that a kernel touches.
#[derive(Clone, Debug)]
pub struct Footprint {
    /// The kernel without what memory accesses do not depend on, and without its functions.
    function: Function,
    /// What those do to each binding: anywhere, as far as can be told.
    called: Vec<Access>,
}

/// The bytes of one binding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Its old or new content may be looked at.
    pub may_read: ByteSet,
    /// It may change.
    pub may_write: ByteSet,
    /// It is written, whatever the data.
    pub must_write: ByteSet,
}

/// What a launch touches.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// By binding.
    pub bindings: Vec<Touched>,
    slicing: Result<(), Reason>,
}

impl Evaluation {
    /// Whether workgroups may run apart, on several devices or one after another: none touches what another may write,
    /// and there are no atomics on storage.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn sliceable(&self) -> Result<(), Reason> {
        self.slicing.clone()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    May,
    Must,
}

/// One place in the text, for one piece of who comes there.
struct Use {
    /// The byte offset.
    form: Form,
    piece: Piece,
    /// Bytes.
    size: u32,
    access: Access,
}

impl Footprint {
    /// Prepares a kernel. Time and memory are linear in its size.
    pub fn new(function: &Function) -> Self {
        let mut needed = vec![false; function.values.len()];
        let mut open = Vec::new();
        seeds(function, &function.body, &mut open);
        while let Some(value) = open.pop() {
            if !mem::replace(&mut needed[value.0 as usize], true) {
                function.definition(value).op.operands(|operand| open.push(operand));
            }
        }
        let body = stripped(function, &function.body, &needed);
        let mut called = vec![NOTHING; function.bindings.len()];
        for callee in &function.functions {
            touches(callee, &callee.body, &mut called);
        }
        let shell = Function { body: Vec::new(), functions: Vec::new(), ..function.clone() };
        Footprint { function: Function { body, ..shell }, called }
    }

    /// Evaluates it for a launch.
    ///
    /// # Panics
    /// When `facts.bytes` does not have as many elements as the kernel has bindings.
    pub fn evaluate(&self, facts: &LaunchFacts<'_>) -> Evaluation {
        let function = &self.function;
        assert_eq!(facts.bytes.len(), function.bindings.len(), "one size per binding");
        let mut collector = Collector { uses: Vec::new(), whole: Vec::new() };
        collector.uses.resize_with(function.bindings.len(), Vec::new);
        collector.whole.extend(self.called.iter().map(|access| (access.reads, access.writes)));
        let state = walk(function, Some(facts), &mut collector);
        let (space, origins, size) = (&state.space, &state.origins[..], function.workgroup_size);
        let mut bindings = Vec::with_capacity(function.bindings.len());
        for (binding, uses) in collector.uses.iter().enumerate() {
            let bytes = facts.bytes[binding];
            let patterns = |filter: fn(&Access) -> bool| {
                let mut budget = image::ALL_PARTS;
                let of = move |at: &Use| image::patterns(space, origins, size, at, &mut budget);
                uses.iter().filter(move |at| filter(&at.access)).flat_map(of)
            };
            let (reads, writes) = collector.whole[binding];
            let all = || ByteSet::range(0..bytes);
            bindings.push(Touched {
                may_read: match reads {
                    true => all(),
                    false => image::union(patterns(|a| a.reads), bytes, Mode::May),
                },
                may_write: match writes {
                    true => all(),
                    false => image::union(patterns(|a| a.writes), bytes, Mode::May),
                },
                // What an atomic step writes depends on what was there: it is read anyway.
                must_write: image::union(patterns(|a| a.writes && !a.reads), bytes, Mode::Must),
            });
        }
        let slicing = match self.called.iter().position(|access| access.atomic) {
            Some(binding) => Err(Reason::Atomics { binding: function.bindings[binding].name.clone() }),
            None => slicing::judge(&state, facts, &collector.uses, &collector.whole),
        };
        Evaluation { bindings, slicing }
    }
}

/// Gathers the uses of bindings.
struct Collector {
    uses: Vec<Vec<Use>>,
    /// Bindings that count as a whole: read, written.
    whole: Vec<(bool, bool)>,
}

impl Visitor for Collector {
    fn access(&mut self, state: &mut State<'_>, place: &Place, access: Access, pieces: &[Piece]) {
        let Root::Binding(binding) = place.root else { return };
        let whole = &mut self.whole[binding as usize];
        for piece in pieces {
            if self.uses[binding as usize].len() >= USES {
                whole.0 |= access.reads;
                whole.1 |= access.writes;
                return;
            }
            let mut piece = Some(piece.clone());
            let mut form = Form::constant(place.offset.into());
            for index in &place.indices {
                let Some(here) = &piece else { break };
                let limit = match index.limit {
                    Limit::Fixed(limit) => i128::from(limit),
                    Limit::Runtime { offset } => state
                        .length(binding, offset, index.stride)
                        .as_constant()
                        .unwrap_or(0)
                        .rem_euclid(1 << 32),
                };
                let value = state.form(index.value);
                let exact = state.space.resolve(std::slice::from_ref(here), &value, false);
                let value = exact.unwrap_or_else(|| Form::variable(state.space.unknown(0, (1 << 32) - 1)));
                // Beyond the limit nothing is read, and writes are dropped.
                piece = state.space.cut_source(here, &value, 0, limit - 1);
                form = form.plus(&value, index.stride.into());
            }
            if let Some(piece) = piece {
                let size = place.ty.size();
                self.uses[binding as usize].push(Use { form, piece, size, access });
            }
        }
    }
}

const NOTHING: Access = Access { reads: false, writes: false, atomic: false };

/// What a function's statements do to bindings.
fn touches(callee: &Callee, list: &[Statement], found: &mut [Access]) {
    for statement in list {
        let (place, reads, writes, atomic) = match statement {
            Statement::Let(value) => match &callee.values[value.0 as usize].op {
                Op::Load { place, atomic, .. } => (place, true, false, *atomic),
                Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) => (place, true, true, true),
                _ => continue,
            },
            Statement::Store { place, atomic, .. } => (place, false, true, *atomic),
            Statement::If { then, otherwise, .. } => {
                touches(callee, then, found);
                touches(callee, otherwise, found);
                continue;
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => {
                touches(callee, body, found);
                continue;
            }
            _ => continue,
        };
        if let Root::Binding(binding) = place.root {
            let known = &mut found[binding as usize];
            known.reads |= reads;
            known.writes |= writes;
            known.atomic |= atomic;
        }
    }
}

/// The values that decide who comes where and which places are touched.
fn seeds(function: &Function, list: &[Statement], open: &mut Vec<Value>) {
    let scalar = |value: &&Value| {
        use warpweft_module::Scalar::{Bool, I32, U32};
        matches!(function.ty(**value), Bool | I32 | U32)
    };
    for statement in list {
        match statement {
            Statement::Let(value) => match &function.definition(*value).op {
                Op::Load { place, .. } | Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) => {
                    open.extend(place.indices.iter().map(|index| index.value));
                }
                _ => {}
            },
            Statement::Store { place, .. } => open.extend(place.indices.iter().map(|index| index.value)),
            Statement::If { condition, then, otherwise, .. } => {
                open.push(*condition);
                seeds(function, then, open);
                seeds(function, otherwise, open);
            }
            Statement::Block { body, .. } => seeds(function, body, open),
            Statement::Loop { params, body, .. } => {
                open.extend(params.iter().map(|(_, initial)| initial).filter(scalar));
                seeds(function, body, open);
            }
            Statement::Branch { arguments, .. } | Statement::Yield { arguments } => {
                open.extend(arguments.iter().filter(scalar));
            }
            Statement::Barrier { .. } | Statement::Call { .. } | Statement::Return => {}
        }
    }
}

/// The statements without values that are not needed, and without what touches no binding.
fn stripped(function: &Function, list: &[Statement], needed: &[bool]) -> Vec<Statement> {
    let binding = |place: &Place| matches!(place.root, Root::Binding(_));
    let keep = |statement: &&Statement| match statement {
        Statement::Let(value) => {
            needed[value.0 as usize]
                || match &function.definition(*value).op {
                    Op::Load { place, .. } | Op::Atomic(_, place, _) | Op::CompareExchange(place, ..) => {
                        binding(place)
                    }
                    _ => false,
                }
        }
        Statement::Store { place, .. } => binding(place),
        Statement::Barrier { .. } | Statement::Call { .. } => false,
        _ => true,
    };
    let strip = |list: &[Statement]| stripped(function, list, needed);
    let copy = |statement: &Statement| match statement {
        Statement::If { condition, then, otherwise, results, mark } => Statement::If {
            condition: *condition,
            then: strip(then),
            otherwise: strip(otherwise),
            results: results.clone(),
            mark: *mark,
        },
        Statement::Block { label, body, results } => {
            Statement::Block { label: *label, body: strip(body), results: results.clone() }
        }
        Statement::Loop { label, params, body, mark } => {
            Statement::Loop { label: *label, params: params.clone(), body: strip(body), mark: *mark }
        }
        other => other.clone(),
    };
    list.iter().filter(keep).map(copy).collect()
}
