//! From a kernel's naga IR to a [`Program`]: places for everything, then every function as steps.
//!
//! Columns are laid out once for all: constants, private variables, then one frame per function, a callee's above
//! those of all its callers. Does not execute anything.

mod constants;
mod depth;
mod expression;
mod flow;
mod function;
mod lasting;
mod pointer;
mod statement;

pub(crate) use constants::Constant;

use crate::fault::Unsupported;
use crate::program::Program;
use crate::shape::{self, Shape};
use crate::step::{Address, Initial, Slot, Space};
use constants::Constants;
use naga::valid::ModuleInfo;
use naga::{
    AddressSpace, BuiltIn, EntryPoint, Expression, Function, GlobalVariable, Handle, Module, TypeInner,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use warpweft_module::Kernel;

/// The columns of one workgroup may take so much memory, and its workgroup memory as much.
const MOST_BYTES: u64 = 256 << 20;

/// Far beyond what any device offers.
const MOST_INVOCATIONS: u64 = 1 << 16;

/// A function's name for the tables here; the entry point is `None`.
type Which = Option<Handle<Function>>;

/// Everything that the functions of a kernel share.
struct Decoder<'a> {
    kernel: &'a Kernel,
    module: &'a Module,
    info: &'a ModuleInfo,
    constants: Constants,
    /// Constant expressions of each function.
    known: HashMap<(Which, Handle<Expression>), Slot>,
    globals: HashMap<Handle<GlobalVariable>, Address>,
    /// Where each function's frame starts: above all its callers'.
    frames: HashMap<Handle<Function>, u32>,
    /// Columns in all.
    columns: u32,
}

/// Prepares a kernel for execution.
pub(crate) fn decode(kernel: &Kernel) -> Result<Program, Unsupported> {
    let (module, info) = kernel.naga();
    let mut decoder = Decoder {
        kernel,
        module,
        info,
        constants: Constants::default(),
        known: HashMap::new(),
        globals: HashMap::new(),
        frames: HashMap::new(),
        columns: 0,
    };
    let Some(entry_point) = module.entry_points.first() else {
        return Err(decoder.unsupported("a module without an entry point", naga::Span::UNDEFINED));
    };
    let levels = depth::levels(module, &entry_point.function);
    if levels > depth::MOST_LEVELS {
        let what = format!("blocks and calls nested {levels} deep (the most is {})", depth::MOST_LEVELS);
        return Err(decoder.unsupported(what, naga::Span::UNDEFINED));
    }
    decoder.find_constants(None, &entry_point.function)?;
    for (handle, function) in module.functions.iter() {
        decoder.find_constants(Some(handle), function)?;
    }
    let initial_values = decoder.private_values()?;
    decoder.columns = decoder.constants.columns;
    let (privates, workgroup_words) = decoder.place_globals(&initial_values)?;

    let first_frame = decoder.columns;
    let (entry, builtins) = decoder.entry(entry_point, first_frame)?;
    // Callees come before their callers in naga's arena, so backwards every caller's frame is known first.
    let mut routines = Vec::new();
    for (handle, function) in module.functions.iter().rev() {
        let frame = decoder.frames.get(&handle).copied().unwrap_or(first_frame);
        routines.push(decoder.routine(Some(handle), function, frame)?);
    }
    routines.reverse();

    let lanes = decoder.lanes(entry_point)?;
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Ok(Program {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        kernel: kernel.clone(),
        workgroup_size: entry_point.workgroup_size,
        lanes,
        columns: decoder.columns as usize,
        constants: decoder.constants.list,
        privates,
        workgroup_words: workgroup_words as usize,
        builtins,
        entry,
        routines,
    })
}

impl<'a> Decoder<'a> {
    fn unsupported(&self, what: impl Into<String>, span: naga::Span) -> Unsupported {
        Unsupported { what: what.into(), location: self.kernel.locate(span) }
    }

    fn shape(&self, inner: &TypeInner, span: naga::Span) -> Result<Shape, Unsupported> {
        shape::shape(self.module, inner).map_err(|what| self.unsupported(what, span))
    }

    /// Invocations of a workgroup, where they and their columns have room.
    fn lanes(&self, entry_point: &EntryPoint) -> Result<usize, Unsupported> {
        let lanes = entry_point.workgroup_size.iter().fold(1u64, |lanes, &n| lanes.saturating_mul(n.into()));
        if !(1..=MOST_INVOCATIONS).contains(&lanes) {
            let what = format!("a workgroup of {lanes} invocations (the most is {MOST_INVOCATIONS})");
            return Err(self.unsupported(what, naga::Span::UNDEFINED));
        }
        let bytes = lanes.saturating_mul(4 * u64::from(self.columns));
        if bytes > MOST_BYTES {
            let what = format!(
                "{} MiB of variables and values for the {lanes} invocations of a workgroup (the most is {} MiB; use \
                 smaller private arrays or a smaller workgroup)",
                bytes >> 20,
                MOST_BYTES >> 20
            );
            return Err(self.unsupported(what, naga::Span::UNDEFINED));
        }
        Ok(lanes as usize)
    }

    fn find_constants(&mut self, which: Which, function: &Function) -> Result<(), Unsupported> {
        for (handle, _) in function.expressions.iter() {
            let value = constants::value(self.module, &function.expressions, handle)
                .map_err(|what| self.unsupported(what, function.expressions.get_span(handle)))?;
            if let Some(value) = value {
                let slot = self.constants.intern(value);
                self.known.insert((which, handle), slot);
            }
        }
        Ok(())
    }

    /// The initial values of private variables that have one.
    fn private_values(&mut self) -> Result<HashMap<Handle<GlobalVariable>, Slot>, Unsupported> {
        let mut slots = HashMap::new();
        for (handle, variable) in self.module.global_variables.iter() {
            let Some(init) = variable.init else { continue };
            let span = self.module.global_variables.get_span(handle);
            let value = constants::value(self.module, &self.module.global_expressions, init)
                .map_err(|what| self.unsupported(what, span))?
                .ok_or_else(|| self.unsupported("an initial value that is no constant", span))?;
            slots.insert(handle, self.constants.intern(value));
        }
        Ok(slots)
    }

    /// Gives every global variable its place; returns the private ones and the words of workgroup memory.
    fn place_globals(
        &mut self,
        initial_values: &HashMap<Handle<GlobalVariable>, Slot>,
    ) -> Result<(Vec<Initial>, u32), Unsupported> {
        let (mut privates, mut words) = (Vec::new(), 0u32);
        for (handle, variable) in self.module.global_variables.iter() {
            let span = self.module.global_variables.get_span(handle);
            let inner = &self.module.types[variable.ty].inner;
            let (space, fixed) = match variable.space {
                AddressSpace::Private => {
                    let columns = self.shape(inner, span)?.columns;
                    let slot = self.allot(columns, span)?;
                    privates.push(Initial { variable: slot, value: initial_values.get(&handle).copied() });
                    (Space::Columns, slot.start)
                }
                AddressSpace::WorkGroup => {
                    let start = words;
                    words = self
                        .shape(inner, span)?
                        .columns
                        .checked_add(start)
                        .filter(|&end| u64::from(end) * 4 <= MOST_BYTES)
                        .ok_or_else(|| self.unsupported("workgroup memory beyond the interpreter's", span))?;
                    (Space::Workgroup, start)
                }
                AddressSpace::Storage { .. } | AddressSpace::Uniform => {
                    let bindings = &self.kernel.interface().bindings;
                    let position = variable.binding.and_then(|at| {
                        bindings.iter().position(|b| (b.group, b.binding) == (at.group, at.binding))
                    });
                    let Some(position) = position else {
                        return Err(self.unsupported("a binding that the interface lacks", span));
                    };
                    (Space::Binding(position), 0)
                }
                other => {
                    return Err(self.unsupported(format!("a variable in the {other:?} address space"), span));
                }
            };
            self.globals.insert(handle, Address { space, fixed, varying: None });
        }
        Ok((privates, words))
    }

    /// New columns at the end of all.
    fn allot(&mut self, columns: u32, span: naga::Span) -> Result<Slot, Unsupported> {
        let start = self.columns;
        self.columns = start
            .checked_add(columns)
            .filter(|&end| u64::from(end) * 4 <= MOST_BYTES)
            .ok_or_else(|| self.unsupported("variables beyond the interpreter's memory", span))?;
        Ok(Slot { start, columns })
    }
}

/// What an entry point's argument, or a member of it, is filled with.
pub(crate) type Builtins = Vec<(Slot, BuiltIn)>;
