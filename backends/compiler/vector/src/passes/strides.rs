//! Turns loads and stores of elements that lie apart into wide ones and shuffles.
//!
//! ```text
//! a = load x[p] apart 2           v = load x[p];  w = load x[p + 16]
//! b = load x[p + 4] apart 2       a = shuffle v, w, [0, 2, 4, 6];  b = shuffle v, w, [1, 3, 5, 7]
//! ```
//!
//! Indices that are the sign extension of a sum with a constant differ by the constants: they do not wrap (see
//! [`Op::LoadStrided`]). Accesses of one list that differ in nothing but their offsets, by less than the distance between lanes, are a group.
//! Its loads share the wide ones, which stand where its first load stood and end with the last element that any of them
//! reads. Its stores are made together where the last one stood, if they leave no element out; others stay as they
//! are. In between, nothing changes the memory (for stores: looks at it either), and nothing can leave the list: so no
//! memory is touched that would not have been.
//!
//! Accesses whose lanes are further apart than there are lanes stay. Which lanes shuffles bring together, `network` knows.

mod network;

use crate::ir::*;
use network::{Parting, Shape, woven};

/// How many groups may be open at once: looking for one's own stays cheap.
const MOST_OPEN: usize = 16;

/// Makes wide loads, wide stores and shuffles of strided ones, for a machine whose vector registers have so many bytes; the
/// function must be valid. Gives whether there were any.
pub fn strides(function: &mut Function, register: u16) -> bool {
    if !any(&function.body) {
        return false;
    }
    let mut body = std::mem::take(&mut function.body);
    let count = function.values.len();
    let mut widening = Widening {
        lanes: function.lanes.into(),
        register: register.into(),
        constants: vec![None; count],
        sums: (0..count as u32).map(|value| (Value(value), 0)).collect(),
        function,
        changed: false,
    };
    widening.list(&mut body);
    let changed = widening.changed;
    function.body = body;
    changed
}

fn any(insts: &[Inst]) -> bool {
    insts.iter().any(|inst| match inst {
        Inst::Let { op, .. } => matches!(op, Op::LoadStrided(..)),
        Inst::Do { effect, .. } => matches!(effect, Effect::StoreStrided(..)),
        Inst::If { then, otherwise, .. } => any(then) || any(otherwise),
        Inst::Block { body, .. } | Inst::Loop { body, .. } => any(body),
        Inst::Branch { .. } | Inst::Yield { .. } => false,
    })
}

struct Widening<'a> {
    function: &'a mut Function,
    lanes: usize,
    register: usize,
    /// By value: the numbers that scalars of 32 bits are.
    constants: Vec<Option<i32>>,
    /// By value: what it is the sum of, or the extension of such a sum; else itself and nothing.
    sums: Vec<(Value, i32)>,
    changed: bool,
}

/// Accesses beside each other.
struct Group {
    /// Of its first member.
    access: Access,
    /// What its index starts from.
    root: Option<Value>,
    /// The first member's offset from there.
    first: i64,
    /// The least offset of all from there.
    least: i64,
    stride: u8,
    kind: Kind,
    stores: bool,
    /// From the least offset to the greatest, in bytes.
    span: i64,
    /// Where they stand in the list, and their offsets from there.
    members: Vec<(usize, i64)>,
    open: bool,
}

impl Group {
    fn size(&self) -> i64 {
        self.kind.size().into()
    }

    /// Where in a period the element at an offset stands.
    fn place(&self, offset: i64) -> usize {
        ((offset - self.least) / self.size()) as usize
    }

    fn is_complete(&self) -> bool {
        self.members.len() == usize::from(self.stride)
    }

    /// Takes an access in, if it is one of these.
    fn takes(&mut self, at: usize, access: &Strided) -> bool {
        let place = |access: &Access| (access.base, access.scale, access.space);
        if !self.open
            || self.stores != access.stores
            || self.stride != access.stride
            || self.kind.size() != access.kind.size()
            || self.root != access.root
            || place(&self.access) != place(&access.access)
            || (access.offset - self.least) % self.size() != 0
        {
            return false;
        }
        let least = self.least.min(access.offset);
        let span = (self.least + self.span).max(access.offset) - least;
        let again = self.members.iter().any(|&(_, offset)| offset == access.offset);
        if span >= i64::from(self.stride) * self.size() || (again && self.stores) {
            return false;
        }
        (self.least, self.span) = (least, span);
        self.members.push((at, access.offset));
        true
    }
}

/// A strided access.
struct Strided {
    access: Access,
    stride: u8,
    kind: Kind,
    stores: bool,
    root: Option<Value>,
    offset: i64,
}

/// What instructions do that others may not be moved across.
#[derive(Default)]
struct Touched {
    /// All memory, or the way itself.
    all: bool,
    reads: Vec<SpaceId>,
    writes: Vec<SpaceId>,
}

impl Touched {
    fn note(&mut self, inst: &Inst) {
        match inst {
            Inst::Let { op, .. } if op.has_effect() => self.all = true,
            Inst::Let { op, .. } => self.reads.extend(op.touches()),
            Inst::Do { effect: Effect::AtomicStore(..), .. } => self.all = true,
            Inst::Do { effect, .. } => match effect.touches() {
                Some(space) => self.writes.push(space),
                None => self.all = true,
            },
            // Arms with nothing nested; a branch in one may leave the list.
            Inst::If { then, otherwise, .. } => {
                for inst in then.iter().chain(otherwise) {
                    match inst {
                        Inst::Let { .. } | Inst::Do { .. } => self.note(inst),
                        Inst::Yield { .. } => {}
                        _ => self.all = true,
                    }
                }
            }
            Inst::Yield { .. } => {}
            Inst::Block { .. } | Inst::Loop { .. } | Inst::Branch { .. } => self.all = true,
        }
    }

    /// Ends the groups that cannot go on across this.
    fn end(&self, groups: &mut [Group], open: &mut Vec<usize>) {
        open.retain(|&index| {
            let group = &mut groups[index];
            let space = group.access.space;
            let ends = self.all
                || self.writes.contains(&space)
                || (group.stores && self.reads.contains(&space))
                || !group.open;
            group.open = !ends;
            !ends
        });
    }
}

impl Widening<'_> {
    fn list(&mut self, insts: &mut Vec<Inst>) {
        let mut any = false;
        for inst in insts.iter_mut() {
            match inst {
                Inst::Let { result, op, .. } => {
                    any |= matches!(op, Op::LoadStrided(..));
                    self.learn(*result, op);
                }
                Inst::Do { effect, .. } => any |= matches!(effect, Effect::StoreStrided(..)),
                Inst::If { then, otherwise, .. } => {
                    self.list(then);
                    self.list(otherwise);
                }
                Inst::Block { body, .. } | Inst::Loop { body, .. } => self.list(body),
                Inst::Branch { .. } | Inst::Yield { .. } => {}
            }
        }
        if any {
            let groups = self.groups(insts);
            self.rewrite(insts, groups);
        }
    }

    fn learn(&mut self, result: Value, op: &Op) {
        let index = result.0 as usize;
        match *op {
            Op::Const(bits) if self.function.ty(result) == Type::scalar(Kind::I32) => {
                self.constants[index] = Some(bits as u32 as i32);
            }
            Op::Binary(Binary::Add, x, y) => {
                if let Some(by) = self.constants[y.0 as usize] {
                    let (root, before) = self.sums[x.0 as usize];
                    self.sums[index] = (root, before.wrapping_add(by));
                }
            }
            Op::Convert(Convert::SignExtend, x) => self.sums[index] = self.sums[x.0 as usize],
            _ => {}
        }
    }

    /// The strided access that an instruction is.
    fn strided(&self, inst: &Inst) -> Option<Strided> {
        let (access, stride, kind, stores) = match inst {
            Inst::Let { result, op: Op::LoadStrided(access, stride), .. } => {
                (*access, *stride, self.function.ty(*result).kind, false)
            }
            Inst::Do { effect: Effect::StoreStrided(access, stride, value), .. } => {
                (*access, *stride, self.function.ty(*value).kind, true)
            }
            _ => return None,
        };
        let (root, by) = match access.index.map(|index| self.sums[index.0 as usize]) {
            Some((root, by)) => (Some(root), by),
            None => (None, 0),
        };
        let offset = i64::from(access.offset) + i64::from(by) * i64::from(access.scale);
        Some(Strided { access, stride, kind, stores, root, offset })
    }

    /// The groups of a list.
    fn groups(&self, insts: &[Inst]) -> Vec<Group> {
        let mut groups: Vec<Group> = vec![];
        let mut open: Vec<usize> = vec![];
        for (at, inst) in insts.iter().enumerate() {
            let Some(strided) = self.strided(inst) else {
                if !open.is_empty() {
                    let mut touched = Touched::default();
                    touched.note(inst);
                    touched.end(&mut groups, &mut open);
                }
                continue;
            };
            let own = open.iter().copied().find(|&index| groups[index].takes(at, &strided));
            let mut touched = Touched::default();
            touched.note(inst);
            if strided.stores
                && let Some(own) = own
            {
                // Its own earlier stores do not mind.
                open.retain(|&index| index != own);
                touched.end(&mut groups, &mut open);
                open.push(own);
                groups[own].open = !groups[own].is_complete();
                continue;
            }
            touched.end(&mut groups, &mut open);
            let Strided { access, stride, kind, stores, root, offset } = strided;
            if own.is_none() && self.fits(&access, stride, kind) {
                if open.len() == MOST_OPEN {
                    groups[open.remove(0)].open = false;
                }
                open.push(groups.len());
                let (first, least) = (offset, offset);
                let members = vec![(at, offset)];
                groups.push(Group {
                    access,
                    root,
                    first,
                    least,
                    stride,
                    kind,
                    stores,
                    span: 0,
                    members,
                    open: true,
                });
            }
        }
        groups.retain(|group| !group.stores || group.is_complete());
        groups
    }

    /// Wide accesses have as many elements as lanes are apart or more, and offsets that fit.
    fn fits(&self, access: &Access, stride: u8, kind: Kind) -> bool {
        let reach = (self.lanes * usize::from(stride) * kind.size() as usize) as i32;
        usize::from(stride) <= self.lanes
            && access.offset.checked_add(2 * reach).is_some()
            && access.offset.checked_sub(reach).is_some()
    }

    fn rewrite(&mut self, insts: &mut Vec<Inst>, groups: Vec<Group>) {
        if groups.is_empty() {
            return;
        }
        self.changed = true;
        let mut group_of: Vec<Option<(usize, i64)>> = vec![None; insts.len()];
        for (index, group) in groups.iter().enumerate() {
            group.members.iter().for_each(|&(at, offset)| group_of[at] = Some((index, offset)));
        }
        let mut made: Vec<Made> = groups.iter().map(|_| Made::default()).collect();
        let old = std::mem::take(insts);
        insts.reserve(old.len() + groups.len() * 16);
        for (inst, group) in old.into_iter().zip(group_of) {
            let Some((index, offset)) = group else {
                insts.push(inst);
                continue;
            };
            let (group, made) = (&groups[index], &mut made[index]);
            let shape = self.shape(group);
            match inst {
                Inst::Let { result, op: Op::LoadStrided(..), mark } => {
                    let mut out = Out { function: self.function, insts, mark, shape };
                    out.load(group, made, result, offset);
                }
                Inst::Do { effect: Effect::StoreStrided(_, _, value), mark } => {
                    made.stored.push((offset, value));
                    if made.stored.len() == group.members.len() {
                        made.stored.sort_unstable_by_key(|&(offset, _)| offset);
                        let values = made.stored.iter().map(|&(_, value)| value).collect();
                        let mut out = Out { function: self.function, insts, mark, shape };
                        out.store(group, values);
                    }
                }
                inst => insts.push(inst),
            }
        }
    }

    fn shape(&self, group: &Group) -> Shape {
        let (stride, size) = (group.stride.into(), group.kind.size() as usize);
        Shape { lanes: self.lanes, stride, size, register: self.register }
    }
}

/// What there is of a group already.
#[derive(Default)]
struct Made {
    /// Its wide loads, and what was made of them.
    loaded: Option<Parting<Value>>,
    /// The stores so far.
    stored: Vec<(i64, Value)>,
}

/// Where new instructions go.
struct Out<'a> {
    function: &'a mut Function,
    insts: &'a mut Vec<Inst>,
    mark: Mark,
    shape: Shape,
}

impl Out<'_> {
    /// A new value, or that of this name.
    fn define(&mut self, kind: Kind, name: Option<Value>, op: Op) -> Value {
        let ty = Type::vector(kind, self.shape.lanes as u16);
        let result = name.unwrap_or_else(|| self.function.value(ty));
        self.insts.push(Inst::Let { result, op, mark: self.mark });
        result
    }

    /// The place of the `vector`th wide access of a group, less so many elements.
    fn place(&self, group: &Group, vector: usize, less: usize) -> Access {
        let further = (vector * self.shape.lanes) as i64 - less as i64;
        let offset = group.least - group.first + further * group.size();
        Access { offset: group.access.offset + offset as i32, ..group.access }
    }

    fn load(&mut self, group: &Group, made: &mut Made, result: Value, offset: i64) {
        let kind = group.kind;
        let ty = self.function.ty(result);
        let parting = made.loaded.get_or_insert_with(|| {
            let stride = self.shape.stride;
            // The last vector ends with the last element that some member reads.
            let less = stride - 1 - (group.span / group.size()) as usize;
            let vectors = (0..stride).map(|vector| {
                let less = if vector + 1 == stride { less } else { 0 };
                let access = self.place(group, vector, less);
                self.define(kind, None, Op::Load(access))
            });
            let vectors = vectors.collect();
            let places: Vec<usize> = group.members.iter().map(|&(_, offset)| group.place(offset)).collect();
            Parting::new(self.shape, vectors, less, &places)
        });
        let name = (ty.kind == kind).then_some(result);
        let value = parting.member(group.place(offset), &mut |[a, b], from, last| {
            self.define(kind, name.filter(|_| last), Op::Shuffle(a, b, from))
        });
        if value == result {
            return;
        }
        let op = if ty.kind == kind {
            // Read twice.
            Op::Shuffle(value, value, (0..self.shape.lanes as u8).collect())
        } else {
            Op::Convert(Convert::Bitcast, value)
        };
        self.define(ty.kind, Some(result), op);
    }

    /// All elements of a period for each lane, in ascending order.
    fn store(&mut self, group: &Group, mut values: Vec<Value>) {
        let kind = group.kind;
        for value in &mut values {
            if self.function.ty(*value).kind != kind {
                *value = self.define(kind, None, Op::Convert(Convert::Bitcast, *value));
            }
        }
        let vectors = woven(self.shape, &values, &mut |[a, b], from, _| {
            self.define(kind, None, Op::Shuffle(a, b, from))
        });
        for (vector, value) in vectors.into_iter().enumerate() {
            let access = self.place(group, vector, 0);
            self.insts.push(Inst::Do { effect: Effect::Store(access, value), mark: self.mark });
        }
    }
}
