//! A function on its way: what its expressions are, where its variables are.
//!
//! A variable is slots, but for the arrays in it that are indexed at run time: those are memory.

use super::draft::Node;
use super::effects::{Effects, Extent, Origin};
use super::pointer::{At, Pointer};
use super::types::{Rules, Ty};
use super::{Builder, MOST_SLOTS, Parts};
use crate::ir::{Mark, Root, Value, Variable};
use crate::unsupported::Unsupported;
use naga::valid::FunctionInfo;
use naga::{AddressSpace, Expression, Function, Handle};
use warpweft_module::Scalar;

/// What is known of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Known {
    /// Not evaluated yet.
    No,
    /// A value: its parts in the pool.
    Parts { first: u32, count: u32 },
    /// A value too large for parts: it lies where this pointer leads, and nobody writes there.
    Stored(u32),
    /// A pointer.
    Pointer(u32),
}

/// A function that is being built or inlined, or the entry point.
pub(super) struct Frame<'a> {
    pub function: &'a Function,
    pub info: &'a FunctionInfo,
    /// Index of naga's function; `usize::MAX` for the entry point.
    pub index: usize,
    /// By the index of naga's expression.
    pub known: Vec<Known>,
    pub arguments: Vec<Known>,
    /// By the index of naga's local variable: index of a local.
    pub locals: Vec<u32>,
    pub returns: Returns,
    /// The targets of `break` and `continue`.
    pub breaks: Vec<usize>,
    pub continues: Vec<usize>,
    /// Where the entry point calls what led here.
    pub outermost_call: Option<Mark>,
}

/// Where a function's result goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Returns {
    /// The kernel ends.
    Kernel,
    /// To the caller, which finds the value behind that pointer.
    Caller { pointer: Option<u32> },
    /// To the end of that target's block, with the value in slots from there on.
    Slots { target: usize, first: u32, count: u32 },
    /// To the end of that target's block, with the value stored behind that pointer.
    Stored { target: usize, pointer: u32 },
}

/// A local or private variable.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub ty: Ty,
    /// Its first slot.
    slot: u32,
    /// The parts of it that are memory, in order.
    pub stored: Vec<StoredPart>,
}

/// Leaves of a variable that are memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredPart {
    pub first: u32,
    pub count: u32,
    /// Bytes before it, were the whole variable memory.
    pub byte: u32,
    pub variable: u32,
}

impl Local {
    /// The memory that holds the leaf.
    pub(super) fn stored(&self, leaf: u32) -> Option<&StoredPart> {
        self.stored.iter().find(|part| leaf >= part.first && leaf - part.first < part.count)
    }

    /// The slot of a leaf that is not memory.
    pub(super) fn slot(&self, leaf: u32) -> usize {
        let before: u32 = self.stored.iter().filter(|part| part.first < leaf).map(|part| part.count).sum();
        (self.slot + leaf - before) as usize
    }
}

impl<'a> Frame<'a> {
    pub(super) fn new(function: &'a Function, info: &'a FunctionInfo, index: usize) -> Frame<'a> {
        Frame {
            function,
            info,
            index,
            known: vec![Known::No; function.expressions.len()],
            arguments: Vec::new(),
            locals: Vec::new(),
            returns: Returns::Kernel,
            breaks: Vec::new(),
            continues: Vec::new(),
            outermost_call: None,
        }
    }
}

impl<'a> Builder<'a> {
    /// A new variable in memory.
    pub(super) fn variable(&mut self, name: &str, bytes: u64, workgroup: bool) -> Result<u32, Unsupported> {
        /// Variables of one invocation may take so much.
        const MOST_BYTES: u64 = 16 << 20;
        let size = bytes.next_multiple_of(4);
        if !workgroup {
            self.private_bytes += size;
        }
        if size > u64::from(u32::MAX) >> 1 || self.private_bytes > MOST_BYTES {
            let what = format!("{} MiB of variables in each invocation", self.private_bytes.max(size) >> 20);
            return Err(self.unsupported(what));
        }
        let plain: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .skip_while(char::is_ascii_digit)
            .collect();
        let plain = if plain.is_empty() { "array".to_string() } else { plain };
        // Inlined functions bring the same names again and again: each name remembers how often.
        let mut unique = plain.clone();
        while !self.names.insert(unique.clone()) {
            let count = self.name_counts.entry(plain.clone()).or_insert(1);
            *count += 1;
            unique = format!("{plain}_{count}");
        }
        self.variables.push(Variable { name: unique, workgroup, size: size as u32, shared: false });
        Ok(self.variables.len() as u32 - 1)
    }

    /// Memory for a local: what a function that has ended leaves, where it has the right size.
    fn local_memory(&mut self, name: &str, bytes: u64) -> Result<u32, Unsupported> {
        let free = self
            .free
            .iter()
            .rposition(|&n| u64::from(self.variables[n as usize].size) == bytes.next_multiple_of(4));
        match free {
            Some(free) => Ok(self.free.swap_remove(free)),
            None => self.variable(name, bytes, false),
        }
    }

    /// A local of that type; `dynamic` are the leaves that must be memory, unless all of it must.
    fn local(
        &mut self,
        name: &str,
        ty: Ty,
        dynamic: &[(u32, u32)],
        shared: bool,
    ) -> Result<u32, Unsupported> {
        let leaves = self.types.leaves(ty);
        let mut stored = Vec::new();
        if shared || leaves > MOST_SLOTS || self.slots.len() as u64 + leaves > 1 << 14 {
            let count = u32::try_from(leaves).unwrap_or(u32::MAX);
            let variable = self.local_memory(name, self.types.size(ty))?;
            stored.push(StoredPart { first: 0, count, byte: 0, variable });
        } else {
            for &(first, count) in dynamic {
                let Some((part, byte)) = self.part(ty, first, count) else { continue };
                let variable = self.local_memory(name, self.types.size(part))?;
                stored.push(StoredPart { first, count, byte, variable });
            }
        }
        let zeros: u64 = leaves - stored.iter().map(|part| u64::from(part.count)).sum::<u64>().min(leaves);
        let local = Local { ty, slot: self.slots.len() as u32, stored };
        let zero = self.zero(Scalar::U32);
        self.slots.extend(std::iter::repeat_n(zero, zeros as usize));
        self.locals.push(local);
        Ok(self.locals.len() as u32 - 1)
    }

    /// The part of a type that has these leaves, and the bytes before it.
    fn part(&self, ty: Ty, first: u32, count: u32) -> Option<(Ty, u32)> {
        if first == 0
            && self.types.leaves(ty) == u64::from(count)
            && self.types.elements(ty, Rules::Variable).is_some()
        {
            return Some((ty, 0));
        }
        let inside = |n: u32| -> Option<super::types::Child> {
            let child = self.types.child(ty, n, Rules::Variable)?;
            let leaves = self.types.leaves(child.ty);
            (child.leaf <= first && u64::from(first) < u64::from(child.leaf) + leaves).then_some(child)
        };
        let child = match self.types.elements(ty, Rules::Variable) {
            Some(elements) => inside(first / elements.leaves.max(1))?,
            None => (0..self.types.children(ty)?).find_map(inside)?,
        };
        let (part, byte) = self.part(child.ty, first - child.leaf, count)?;
        Some((part, byte + child.byte))
    }

    /// Makes the present function's local variables, with their initial values.
    pub(super) fn make_locals(&mut self, effects: &Effects) -> Result<(), Unsupported> {
        let function = self.frame.function;
        for (handle, variable) in function.local_variables.iter() {
            self.at(function.local_variables.get_span(handle));
            let Some(ty) = self.types.of(variable.ty) else {
                return Err(self.unsupported("a variable of a type that is no value"));
            };
            let dynamic = extents(&effects.dynamic, Origin::Local(handle));
            let name = variable.name.as_deref().unwrap_or("local");
            let shared = effects.shares(Origin::Local(handle));
            let local = self.local(name, ty, &dynamic, shared)?;
            self.frame.locals.push(local);
            let pointer = self.local_pointer(local);
            match variable.init {
                Some(init) => self.store_expression(&pointer, init)?,
                None => self.store_zeros(&pointer)?,
            }
        }
        Ok(())
    }

    /// Places for the module's variables; private ones with their initial values.
    pub(super) fn make_globals(&mut self, entry: &Effects) -> Result<(), Unsupported> {
        let module = self.module;
        for (handle, global) in module.global_variables.iter() {
            self.at(module.global_variables.get_span(handle));
            let name = global.name.as_deref().unwrap_or("global");
            let ty = self.types.of(global.ty);
            let (rules, root) = match global.space {
                AddressSpace::Private => {
                    let Some(ty) = ty else {
                        return Err(self.unsupported("a variable of a type that is no value"));
                    };
                    let dynamic = extents(&entry.dynamic, Origin::Private(handle));
                    // Whoever is called may use it.
                    let shared = self.outlined.contains(&true);
                    let local = self.local(name, ty, &dynamic, shared)?;
                    let pointer = self.local_pointer(local);
                    match global.init {
                        Some(init) => {
                            let parts = self.global_constant(init)?;
                            self.store_parts(&pointer, &parts)?;
                        }
                        None => self.store_zeros(&pointer)?,
                    }
                    self.globals.insert(handle, pointer);
                    continue;
                }
                AddressSpace::WorkGroup => {
                    let Some(ty) = ty else {
                        return Err(self.unsupported("a variable of a type that is no value"));
                    };
                    let variable = self.variable(name, self.types.size(ty), true)?;
                    (Rules::Variable, Root::Variable(variable))
                }
                AddressSpace::Storage { .. } | AddressSpace::Uniform => {
                    let bindings = &self.kernel.interface().bindings;
                    let position = global.binding.and_then(|at| {
                        bindings.iter().position(|b| (b.group, b.binding) == (at.group, at.binding))
                    });
                    let Some(position) = position else {
                        return Err(self.unsupported("a binding that the interface lacks"));
                    };
                    (Rules::Binding, Root::Binding(position as u32))
                }
                other => {
                    return Err(self.unsupported(format!("a variable in the {other:?} address space")));
                }
            };
            let Some(ty) = ty else {
                return Err(self.unsupported("a binding of a type that is no value"));
            };
            let at = At::Memory { root, rules, offset: 0, indices: Vec::new() };
            self.globals.insert(handle, Pointer { ty, at });
        }
        Ok(())
    }

    /// A pointer to a whole local.
    pub(super) fn local_pointer(&self, local: u32) -> Pointer {
        let ty = self.locals[local as usize].ty;
        self.settled(Pointer { ty, at: At::Local { local, leaf: 0, byte: 0, picks: Vec::new() } })
    }

    /// The slots that an extent of the present function stands for.
    pub(super) fn slots_of(&self, extent: Extent, out: &mut Vec<u32>) {
        let pointer = match extent.origin {
            Origin::Local(handle) => {
                let local = self.frame.locals[handle.index()];
                At::Local { local, leaf: 0, byte: 0, picks: Vec::new() }
            }
            Origin::Private(handle) => match self.globals.get(&handle) {
                Some(pointer) => pointer.at.clone(),
                None => return,
            },
            Origin::Argument(n) => match self.frame.arguments.get(n as usize) {
                Some(&Known::Pointer(pointer)) => self.pointers[pointer as usize].at.clone(),
                _ => return,
            },
        };
        let At::Local { local, leaf, picks, .. } = pointer else { return };
        let (first, count) = match picks.first() {
            Some(pick) => (leaf, pick.count * pick.stride),
            None => (leaf + extent.first, extent.count),
        };
        let local = &self.locals[local as usize];
        let leaves = u32::try_from(self.types.leaves(local.ty)).unwrap_or(u32::MAX);
        if local.stored.first().is_some_and(|part| part.count == leaves) {
            return;
        }
        for leaf in first..first.saturating_add(count).min(leaves) {
            if local.stored(leaf).is_none() {
                out.push(local.slot(leaf) as u32);
            }
        }
    }

    /// The parts of a constant expression of the module.
    fn global_constant(&mut self, handle: Handle<Expression>) -> Result<Parts, Unsupported> {
        let mut parts = Parts::new();
        let module = self.module;
        self.append_constant(&module.global_expressions, handle, &mut parts)?;
        Ok(parts)
    }

    /// Drops what the function that ends had: slots and locals from there on.
    pub(super) fn forget(&mut self, slots: usize, locals: usize) {
        self.slots.truncate(slots);
        for local in self.locals.drain(locals..) {
            self.free.extend(local.stored.iter().map(|part| part.variable));
        }
    }

    /// The list so far, in exchange for an empty one.
    pub(super) fn take_list(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.list)
    }

    /// Remembers an expression's parts.
    pub(super) fn set(&mut self, handle: Handle<Expression>, parts: &[Value]) {
        let first = self.pool.len() as u32;
        self.pool.extend_from_slice(parts);
        self.frame.known[handle.index()] = Known::Parts { first, count: parts.len() as u32 };
    }

    /// Remembers what an expression points to.
    pub(super) fn set_pointer(&mut self, handle: Handle<Expression>, pointer: Pointer) {
        self.pointers.push(pointer);
        self.frame.known[handle.index()] = Known::Pointer(self.pointers.len() as u32 - 1);
    }

    /// Remembers where an expression's large value lies.
    pub(super) fn set_stored(&mut self, handle: Handle<Expression>, pointer: Pointer) {
        self.pointers.push(pointer);
        self.frame.known[handle.index()] = Known::Stored(self.pointers.len() as u32 - 1);
    }
}

/// The extents of one variable.
fn extents(all: &[Extent], origin: Origin) -> Vec<(u32, u32)> {
    all.iter().filter(|extent| extent.origin == origin).map(|extent| (extent.first, extent.count)).collect()
}
