//! Where memory is: base addresses, sizes and array lengths, loaded once before anything else.
//!
//! Knows the layout of [`Arguments`] and of a thread's own memory; what is accessed and how is not its business.

use std::mem::offset_of;

use warpweft_ssa::ir::{self as ssa, Limit, Op as SsaOp, Place, Root, Statement};
use warpweft_ssa::uniformity::Uniformity;
use warpweft_vector::Builder;
use warpweft_vector::ir::{Access, Binary, Compare, Convert, Kind, Op, SpaceId, Stores, Type, Value, Width};

use crate::arguments::{Arguments, Bound};
use crate::options::Options;

/// The memories of a launch, as the code sees them.
#[derive(Debug)]
pub(crate) struct Memory {
    arguments: Value,
    arguments_space: SpaceId,
    cancel: Value,
    cancel_space: SpaceId,
    bindings: Vec<Binding>,
    variables: Vec<Variable>,
    lengths: Vec<((u32, u32, u32), Value)>,
    /// The private memory of the gang at hand.
    pub(crate) private: Value,
    /// Workgroup memory of this thread.
    pub(crate) workgroup: Value,
    /// The memory for values that cross barriers.
    pub(crate) context_space: SpaceId,
    /// Where a gang leaves its lanes' places, in its private memory.
    lane_places: u64,
    pub(crate) layout: Layout,
}

/// One binding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    pub(crate) address: Value,
    pub(crate) bytes: Value,
    pub(crate) space: SpaceId,
}

/// A variable of SSA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) space: SpaceId,
    /// Bytes from the start of the workgroup's, or the gang's, memory.
    pub(crate) offset: u64,
    pub(crate) holder: Holder,
}

/// Who has a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Workgroup,
    /// All lanes the same: one copy for the gang.
    Gang,
    /// Each lane its own, element by element beside each other.
    Lane,
}

/// How much memory of its own a thread needs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// All workgroup variables.
    pub(crate) workgroup: u64,
    /// The private variables of one gang.
    pub(crate) private: u64,
}

/// Everything starts at a multiple of so many bytes.
const ALIGNMENT: u64 = 64;

impl Memory {
    /// Loads what is needed from the arguments, into the builder's open list.
    pub(crate) fn new(
        b: &mut Builder,
        function: &ssa::Function,
        shapes: &Uniformity,
        arguments: Value,
        options: &Options,
    ) -> Memory {
        let meets = super::meets(function);
        let arguments_space = b.space("arguments", true);
        let cancel_space = b.space("cancelled", false);
        let context_space = b.space("context", false);
        let mut names = vec!["arguments".to_string(), "cancelled".into(), "context".into()];
        let word = |b: &mut Builder, base: Value, offset: usize| {
            let access = Access {
                base,
                index: None,
                scale: 1,
                offset: offset as i32,
                space: arguments_space,
                width: Width::Full,
                always: true,
            };
            b.define(Type::scalar(Kind::I64), Op::Load(access))
        };
        let cancel = word(b, arguments, offset_of!(Arguments<'_>, cancel));
        let workgroup = word(b, arguments, offset_of!(Arguments<'_>, workgroup));
        let private = word(b, arguments, offset_of!(Arguments<'_>, private));
        let table = word(b, arguments, offset_of!(Arguments<'_>, bindings));
        let bindings = (0..function.bindings.len())
            .map(|at| {
                let entry = at * size_of::<Bound>();
                let known = &function.bindings[at];
                let space = b.space(&unique(&mut names, &known.name), !known.written);
                if options.streaming && known.written && !known.read {
                    // Where workgroups have phases, a row's gangs do not follow each other at once.
                    b.stores(space, if meets { Stores::Streamed } else { Stores::StreamedInPieces });
                }
                Binding {
                    address: word(b, table, entry + offset_of!(Bound, address)),
                    bytes: word(b, table, entry + offset_of!(Bound, bytes)),
                    space,
                }
            })
            .collect();
        let lanes = u64::from(b.lanes());
        let mut layout = Layout::default();
        let variables = function
            .variables
            .iter()
            .enumerate()
            .map(|(at, variable)| {
                let space = b.space(&unique(&mut names, &variable.name), false);
                let holder = if variable.workgroup {
                    Holder::Workgroup
                } else if lanes == 1 || shapes.uniform_variable(at as u32) {
                    Holder::Gang
                } else {
                    Holder::Lane
                };
                let (end, copies) = match holder {
                    Holder::Workgroup => (&mut layout.workgroup, 1),
                    Holder::Gang => (&mut layout.private, 1),
                    Holder::Lane => (&mut layout.private, lanes),
                };
                let offset = *end;
                *end = (offset + u64::from(variable.size) * copies).next_multiple_of(ALIGNMENT);
                Variable { space, offset, holder }
            })
            .collect();
        let is_atomic = |op: &SsaOp| matches!(op, SsaOp::Atomic(..) | SsaOp::CompareExchange(..));
        let lane_places = layout.private;
        // What is called leaves them there, too.
        let called = function.functions.iter().flat_map(|callee| &callee.values);
        if function.values.iter().chain(called).any(|definition| is_atomic(&definition.op)) {
            layout.private += (4 * lanes).next_multiple_of(ALIGNMENT);
        }
        let mut memory = Memory {
            arguments,
            arguments_space,
            cancel,
            cancel_space,
            bindings,
            variables,
            lengths: vec![],
            private,
            workgroup,
            context_space,
            lane_places,
            layout,
        };
        memory.find_lengths(b, function);
        memory
    }

    /// Room for an `I32` of each lane of the gang at hand.
    pub(crate) fn lane_places(&self, b: &mut Builder) -> Access {
        let offset = b.i64(self.lane_places);
        Access {
            base: b.add(self.private, offset),
            index: None,
            scale: 1,
            offset: 0,
            space: self.context_space,
            width: Width::Full,
            always: false,
        }
    }

    /// A `u32` of the arguments, as a scalar `I32`.
    pub(crate) fn argument(&self, b: &mut Builder, offset: usize) -> Value {
        let access = Access {
            base: self.arguments,
            index: None,
            scale: 1,
            offset: offset as i32,
            space: self.arguments_space,
            width: Width::Full,
            always: true,
        };
        b.define(Type::scalar(Kind::I32), Op::Load(access))
    }

    /// Whether the launch was cancelled, as a scalar `Bool`.
    pub(crate) fn cancelled(&self, b: &mut Builder) -> Value {
        let access = Access {
            base: self.cancel,
            index: None,
            scale: 1,
            offset: 0,
            space: self.cancel_space,
            width: Width::Full,
            always: false,
        };
        let flag = b.define(Type::scalar(Kind::I32), Op::AtomicLoad(access));
        let zero = b.i32(0);
        b.ne(flag, zero)
    }

    /// The address of the [`Arguments`].
    pub(crate) fn arguments(&self) -> Value {
        self.arguments
    }

    pub(crate) fn binding(&self, binding: u32) -> Binding {
        self.bindings[binding as usize]
    }

    pub(crate) fn variable(&self, variable: u32) -> Variable {
        self.variables[variable as usize]
    }

    /// The elements of a runtime-sized array, as a scalar `I32`.
    ///
    /// # Panics
    /// When the kernel has no such array.
    pub(crate) fn length(&self, binding: u32, offset: u32, stride: u32) -> Value {
        let wanted = (binding, offset, stride);
        match self.lengths.iter().find(|(key, _)| *key == wanted) {
            Some(&(_, value)) => value,
            None => unreachable!("every length was found before"),
        }
    }

    /// Computes the lengths of all runtime-sized arrays that the code knows.
    fn find_lengths(&mut self, b: &mut Builder, function: &ssa::Function) {
        let mut keys = vec![];
        let mut note = |key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
        };
        let in_place = |place: &Place, note: &mut dyn FnMut((u32, u32, u32))| {
            for index in &place.indices {
                if let (Root::Binding(binding), Limit::Runtime { offset }) = (place.root, index.limit) {
                    note((binding, offset, index.stride));
                }
            }
        };
        for definition in &function.values {
            match &definition.op {
                SsaOp::Length { binding, offset, stride } => note((*binding, *offset, *stride)),
                SsaOp::Load { place, .. }
                | SsaOp::Atomic(_, place, _)
                | SsaOp::CompareExchange(place, ..) => {
                    in_place(place, &mut note);
                }
                _ => {}
            }
        }
        stores(&function.body, &mut |place| in_place(place, &mut note));
        for (binding, offset, stride) in keys {
            let length = self.count(b, binding, offset, stride);
            self.lengths.push(((binding, offset, stride), length));
        }
    }

    fn count(&self, b: &mut Builder, binding: u32, offset: u32, stride: u32) -> Value {
        let bytes = self.binding(binding).bytes;
        let stride = stride.max(1);
        let mut rest = bytes;
        if offset > 0 {
            let start = b.i64(offset.into());
            let beyond = b.sub(bytes, start);
            let none = b.i64(0);
            let short = b.compare(Compare::LtU, bytes, start);
            rest = b.select(short, none, beyond);
        }
        let count = if stride.is_power_of_two() {
            let amount = b.i64(stride.trailing_zeros().into());
            b.shr_u(rest, amount)
        } else {
            let by = b.i64(stride.into());
            b.binary(Binary::DivU, rest, by)
        };
        b.convert(Convert::Truncate, count, Kind::I32)
    }
}

/// Calls `f` with the place of every store.
fn stores(list: &[Statement], f: &mut dyn FnMut(&Place)) {
    for statement in list {
        match statement {
            Statement::Store { place, .. } => f(place),
            Statement::If { then, otherwise, .. } => {
                stores(then, f);
                stores(otherwise, f);
            }
            Statement::Block { body, .. } | Statement::Loop { body, .. } => stores(body, f),
            _ => {}
        }
    }
}

/// A name that no other space has.
fn unique(names: &mut Vec<String>, name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let mut candidate =
        if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain } else { format!("v{plain}") };
    while names.contains(&candidate) {
        candidate.push('_');
    }
    names.push(candidate.clone());
    candidate
}
