//! Barriers that need nobody to wait where a workgroup's invocations run in the right order.
//!
//! Whoever runs invocations in groups, one group after the other and the invocations of a group side by side, can run
//! what stands before a barrier and what stands behind it in one go, if nobody meets there what should have come to
//! pass before, or has not come to pass yet. That is so where invocations only look at what others write that come
//! later in the order:
//!
//! ```text
//! before = partial[lane - step];      what invocation `lane - step` writes behind the barrier;
//! workgroupBarrier();                 in descending order that invocation has not been there yet
//! partial[lane] += before;
//! ```
//!
//! Knows nothing of what groups are.

use crate::affine::{Access, FIXED, Form, LOCAL, Piece, State, Visitor, WORKGROUP};
use crate::ir::{Barrier, Index, Limit, Place, Root, Statement, Value};
use crate::uniformity::Uniformity;

/// In which order a workgroup's invocations are to run, by their local index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The lowest first.
    Ascending,
    /// The highest first.
    Descending,
}

/// The barriers of a function at which nobody has to wait, in an order.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// By where the statement is.
    found: Vec<(*const Statement, Order)>,
}

impl Orders {
    /// The order in which nobody has to wait at a barrier of the function that was analysed (not of a copy of it), if what is
    /// run in one go lies between the barriers before and behind it in the text.
    pub fn of(&self, barrier: &Statement) -> Option<Order> {
        self.found.iter().find(|(known, _)| std::ptr::eq(*known, barrier)).map(|&(_, order)| order)
    }
}

/// Accesses between two barriers beyond which they are not compared any more.
const MOST: usize = 16;

/// Takes down what lies between barriers.
#[derive(Default)]
pub(crate) struct Phases {
    barriers: Vec<Meeting>,
    /// What lies before each of the barriers, and behind the last one.
    accesses: Vec<Touch>,
    /// A function is called, since the last barrier.
    called: bool,
}

struct Meeting {
    statement: *const Statement,
    /// How many loops are around.
    depth: usize,
    /// How many accesses stand before it.
    before: usize,
    /// A function is called between the barrier before it and this one.
    called: bool,
}

/// Memory that others may touch too is touched.
struct Touch {
    root: Root,
    access: Access,
    /// How many loops are around.
    depth: usize,
    /// Bytes before the array, bytes from element to element, and bytes of what is touched.
    place: (u32, u32, u32),
    /// The index as an integer, and who comes here; nothing where it is not known.
    index: Option<(Form, Vec<Piece>)>,
}

impl Visitor for Phases {
    fn access(&mut self, state: &mut State<'_>, place: &Place, access: Access, pieces: &[Piece]) {
        let shared = match place.root {
            Root::Variable(variable) => state.function.variables[variable as usize].workgroup,
            Root::Binding(binding) => state.function.bindings[binding as usize].written,
        };
        if !shared {
            return;
        }
        let (stride, index) = match place.indices[..] {
            [Index { value, stride, limit: Limit::Fixed(_) }] => {
                let form = state.form(value);
                let whole = state.space.resolve(pieces, &form, false);
                (stride, whole.map(|form| (form, pieces.to_vec())))
            }
            _ => (0, None),
        };
        let place_of = (place.offset, stride, place.ty.size());
        let depth = state.rounds.len();
        self.accesses.push(Touch { root: place.root, access, depth, place: place_of, index });
    }

    fn barrier(&mut self, state: &mut State<'_>, statement: &Statement) {
        // At those of a subgroup the workgroup does not meet: what stands before them is still to be compared.
        if let Statement::Barrier { kind: Barrier::Subgroup, .. } = statement {
            return;
        }
        let called = std::mem::take(&mut self.called);
        let (depth, before) = (state.rounds.len(), self.accesses.len());
        self.barriers.push(Meeting { statement, depth, before, called });
    }

    fn call(&mut self, _: u32) {
        self.called = true;
    }
}

impl Phases {
    /// Judges all barriers, once the walk is over.
    pub(crate) fn orders(&self, state: &State<'_>, uniformity: &Uniformity) -> Orders {
        let mut orders = Orders::default();
        let shared = if self.barriers.is_empty() { vec![] } else { shared(state, uniformity) };
        for (at, barrier) in self.barriers.iter().enumerate() {
            let first = at.checked_sub(1).map_or(0, |before| self.barriers[before].before);
            let next = self.barriers.get(at + 1);
            let end = next.map_or(self.accesses.len(), |next| next.before);
            let called = barrier.called || next.map_or(self.called, |next| next.called);
            let (before, behind) =
                (&self.accesses[first..barrier.before], &self.accesses[barrier.before..end]);
            if !called && let Some(order) = judge(state, &shared, barrier.depth, before, behind) {
                orders.found.push((barrier.statement, order));
            }
        }
        orders
    }
}

/// The order in which what stands before a barrier and what stands behind it keep out of each other's way.
fn judge(
    state: &State<'_>,
    shared: &[bool],
    depth: usize,
    before: &[Touch],
    behind: &[Touch],
) -> Option<Order> {
    if before.len().max(behind.len()) > MOST {
        return None;
    }
    let (mut ascending, mut descending) = (true, true);
    for a in before {
        for b in behind.iter().filter(|b| a.root == b.root && (a.access.writes || b.access.writes)) {
            let (least, most) = apart(state, shared, depth, a, b)?;
            ascending &= most <= 0;
            descending &= least >= 0;
            if !ascending && !descending {
                return None;
            }
        }
    }
    match (ascending, descending) {
        (true, _) => Some(Order::Ascending),
        (_, true) => Some(Order::Descending),
        _ => None,
    }
}

/// By how much the invocation that comes to `a` is beyond the one that comes to the same memory at `b`, at least and at most,
/// in elements.
fn apart(state: &State<'_>, shared: &[bool], depth: usize, a: &Touch, b: &Touch) -> Option<(i128, i128)> {
    let [_, 1, 1] = state.function.workgroup_size else { return None };
    let whole =
        |touch: &Touch| touch.depth == depth && !touch.access.atomic && touch.place.2 <= touch.place.1;
    if !whole(a) || !whole(b) || a.place != b.place {
        return None;
    }
    let ((of_a, here_a), (of_b, here_b)) = (a.index.as_ref()?, b.index.as_ref()?);
    if of_a.coefficient(LOCAL) != of_b.coefficient(LOCAL) || of_a.coefficient(LOCAL) <= 0 {
        return None;
    }
    // l · i + u = l · j + v: i − j has the sign of v − u, which are the same for the whole workgroup.
    let goes_evenly =
        |form: &Form| form.terms.iter().all(|&(variable, _)| variable == LOCAL || shared[variable as usize]);
    if !goes_evenly(of_a) || !goes_evenly(of_b) {
        return None;
    }
    let difference = of_b.plus(of_a, -1);
    let (least, most) = state.space.hull(here_a, &difference)?;
    let (lower, upper) = state.space.hull(here_b, &difference)?;
    Some((least.max(lower), most.min(upper)))
}

/// Of each variable, whether every invocation of a workgroup has the same.
fn shared(state: &State<'_>, uniformity: &Uniformity) -> Vec<bool> {
    let mut shared = vec![false; state.space.variables.len()];
    for variable in (WORKGROUP..LOCAL).chain(state.fixed()) {
        shared[variable as usize] = true;
    }
    for value in (0..state.function.values.len() as u32).map(Value) {
        if let Some(form) = state.known_form(value)
            && let [(variable, 1)] = form.terms[..]
            && variable as usize >= FIXED
            && uniformity.uniform_at_workgroup(value)
        {
            shared[variable as usize] = true;
        }
    }
    shared
}
