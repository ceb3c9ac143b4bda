//! The tree while it grows: as the finished one, but what leaves a list lies in a table, to be filled in later.
//!
//! What flows along an edge is known only when all edges to its end are. Knows no WGSL.

use crate::ir::{Barrier, Label, Mark, Place, Value};

/// Something that leaves a list, or the entry of a loop: an index into the table of what flows along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge(pub u32);

/// Where edges meet: an index into the table of joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JoinId(pub u32);

/// What comes out where edges meet.
#[derive(Clone, Debug, Default)]
pub(super) struct Join {
    pub params: Vec<Value>,
    /// Of a loop, the first is the entry.
    pub edges: Vec<Edge>,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Node {
    Let(Value),
    Store { place: Place, value: Value, atomic: bool, mark: Mark },
    Barrier { kind: Barrier, mark: Mark },
    Call { function: u32, mark: Mark },
    If { condition: Value, then: Vec<Node>, otherwise: Vec<Node>, join: JoinId, mark: Mark },
    Block { label: Label, body: Vec<Node>, join: JoinId },
    Loop { label: Label, body: Vec<Node>, join: JoinId, mark: Mark },
    Branch { label: Label, edge: Edge },
    Yield { edge: Edge },
    Return,
}
