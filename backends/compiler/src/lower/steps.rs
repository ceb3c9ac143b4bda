//! What a workgroup does, step by step: the form that kernels with barriers take before they are lowered.
//!
//! A kernel with barriers becomes a tree of [`Step`]s for the whole workgroup: scalar code for what all invocations
//! share, and regions, each of which is run for every gang in turn. [`region`](super::region) finds them,
//! [`workgroup`](super::workgroup) emits them; here is only what they are made of.

use std::collections::HashMap;

use warpweft_ssa::ir::{Label, Statement, Value};
use warpweft_ssa::orders::Order;

/// What a workgroup does, one after the other.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A value that all invocations share.
    Shared(Value),
    /// Something that every gang does.
    Region(Region<'a>),
    /// A choice of the whole workgroup.
    If {
        condition: Value,
        then: Vec<Step<'a>>,
        otherwise: Vec<Step<'a>>,
        results: &'a [Value],
    },
    Block {
        label: Label,
        body: Vec<Step<'a>>,
        results: &'a [Value],
    },
    Loop {
        label: Label,
        params: &'a [(Value, Value)],
        body: Vec<Step<'a>>,
    },
    /// Everyone leaves for a label, with what becomes its shared results or parameters.
    Branch {
        label: Label,
        arguments: Vec<Value>,
    },
    /// The end of an arm or block, with what becomes its shared results.
    Yield(Vec<Value>),
    Return,
}

/// Code without barriers, or such at which nobody has to wait in the order in which gangs run it.
#[derive(Debug)]
pub(crate) struct Region<'a> {
    /// From 1.
    pub(crate) number: u32,
    /// Which gang is the first.
    pub(crate) order: Order,
    /// The statements, among them some that the workgroup's own code has done.
    pub(crate) list: &'a [Statement],
    /// The statements are the end of a block of that name, with those results.
    pub(crate) block: Option<(Label, &'a [Value])>,
    /// Values that become parameters or results: `(what, from)`.
    pub(crate) copies: Vec<(Value, Value)>,
    /// What comes from other regions, operands before those that need them.
    pub(crate) needs: Vec<Value>,
}

impl<'a> Region<'a> {
    pub(super) fn new(number: u32, list: &'a [Statement]) -> Self {
        Self { number, order: Order::Ascending, list, block: None, copies: vec![], needs: vec![] }
    }
}

/// Where the values of a kernel with barriers are.
#[derive(Debug, Default)]
pub(crate) struct Regions {
    /// The region that defines a value; 0 is the workgroup's own code.
    pub(crate) home: Vec<u32>,
    /// The slot of a value that crosses barriers.
    pub(super) slots: HashMap<Value, u32>,
    /// Values that regions compute and the workgroup's own code uses, and where in their memory they are.
    pub(super) exports: HashMap<Value, u32>,
    /// Where in a gang's context each slot starts, and its end.
    pub(crate) context: u32,
    /// The slot with the gang's living lanes.
    pub(crate) living: Option<u32>,
    /// Barriers inside of regions, by where the statements are.
    pub(super) passed: Vec<*const Statement>,
}

impl Regions {
    /// The context bytes of a value, if it crosses barriers.
    pub(crate) fn slot(&self, value: Value) -> Option<u32> {
        self.slots.get(&value).copied()
    }

    /// A barrier inside of a region: nobody has to wait.
    pub(crate) fn passes(&self, barrier: &Statement) -> bool {
        self.passed.iter().any(|known| std::ptr::eq(*known, barrier))
    }

    pub(crate) fn home(&self, value: Value) -> u32 {
        self.home[value.0 as usize]
    }

    /// Where the workgroup's own code finds a value of a region.
    pub(crate) fn export(&self, value: Value) -> Option<u32> {
        self.exports.get(&value).copied()
    }

    /// Bytes of all exports.
    pub(crate) fn export_bytes(&self) -> u64 {
        8 * self.exports.len() as u64
    }
}
