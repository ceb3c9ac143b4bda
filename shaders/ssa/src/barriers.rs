//! Barriers that not every invocation of a workgroup reaches together, which WGSL forbids and validation does not see.
//!
//! Invocations that returned are not missed: much real code guards with an early `return`. Knows nothing of what is done
//! about a finding.

use crate::ir::{Barrier, Builtin, Function, Mark, Op, Value};
use crate::ranges::Ranges;
use crate::uniformity::{Ganging, Level, solve};

/// A barrier in control flow that may not be the same for a workgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The barrier.
    pub mark: Mark,
    /// Position in the grid decides, whatever the data. Else what lies in writable memory does, which may well be the same
    /// for everyone: only running it can tell.
    pub certain: bool,
    /// What is wrong and how to mend it, with source lines: one paragraph.
    pub why: String,
}

/// Finds those of a kernel, in the order of the text.
///
/// # Panics
/// Where the function breaks a rule of [`ir`](crate::ir).
pub fn check(function: &Function) -> Vec<Divergence> {
    // One lane is enough: the question is about workgroups.
    let ganging = Ganging::Workgroup { lanes: 1 };
    let stray = |trusting: bool, ranges: Option<&Ranges>| {
        let (_, arrivals) = solve(function, ganging, trusting, ranges);
        let whole = |kind| matches!(kind, Barrier::Workgroup | Barrier::Storage);
        arrivals.into_iter().map(move |a| (whole(a.kind) && a.reach.level > Level::Workgroup).then_some(a))
    };
    if stray(false, None).all(|arrival| arrival.is_none()) {
        return Vec::new();
    }
    // Conditions that are the same for everybody, though they are asked of ids, keep nobody away.
    let ranges = Ranges::new(function);
    let [possible, certain] = [false, true].map(|trusting| stray(trusting, Some(&ranges)));
    let mut found = Vec::new();
    for (possible, certain) in possible.zip(certain) {
        let Some(possible) = possible else { continue };
        let cause = certain.unwrap_or(possible).reach.cause;
        let certain = certain.is_some();
        let why = explain(function, possible.mark, cause, certain);
        found.push(Divergence { mark: possible.mark, certain, why });
    }
    found
}

fn explain(function: &Function, barrier: Mark, cause: Option<(Value, Mark)>, certain: bool) -> String {
    let at = |mark| function.location(mark).map_or(String::new(), |location| format!(" at {location}"));
    let condition = cause.map_or(String::new(), |(_, mark)| at(mark));
    let depends = match cause.and_then(|(value, _)| builtin_of(function, value)) {
        Some(name) if certain => format!("depends on {name}"),
        _ if certain => "depends on the position in the grid".into(),
        _ => "depends on memory that the kernel may write".into(),
    };
    let mend = if certain {
        "move the barrier out of the branch or loop, and keep only the work inside it"
    } else {
        "read it with workgroupUniformLoad, or move the barrier out of the branch or loop"
    };
    format!(
        "the barrier{} is not reached by every invocation of a workgroup: whether it is depends on the condition{condition}, \
         which {depends}. WGSL allows barriers only where all invocations of a workgroup arrive together, since those \
         that arrive wait for the others: {mend}",
        at(barrier),
    )
}

/// The first builtin that differs between the invocations of a workgroup, among what a value is computed from.
fn builtin_of(function: &Function, value: Value) -> Option<&'static str> {
    let mut seen = vec![false; function.values.len()];
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if std::mem::replace(&mut seen[value.0 as usize], true) {
            continue;
        }
        let op = &function.definition(value).op;
        match op {
            Op::Builtin(Builtin::GlobalId(_)) => return Some("global_invocation_id"),
            Op::Builtin(Builtin::LocalId(_)) => return Some("local_invocation_id"),
            Op::Builtin(Builtin::LocalIndex) => return Some("local_invocation_index"),
            Op::Builtin(Builtin::SubgroupId) => return Some("subgroup_id"),
            Op::Builtin(Builtin::SubgroupInvocationId) => return Some("subgroup_invocation_id"),
            op => op.operands(|operand| open.push(operand)),
        }
    }
    None
}
