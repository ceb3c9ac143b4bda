//! One function: its frame, and where its expressions' values are.
//!
//! A frame holds arguments, result, variables, and then values like a stack: those of a block go when it ends.

use super::lasting::lasting_loads;
use super::{Builtins, Decoder, Which};
use crate::fault::Unsupported;
use crate::shape::{self, Shape};
use crate::step::{Address, Exits, Initial, Routine, Slot, Space};
use naga::valid::FunctionInfo;
use naga::{
    Binding, Block, EntryPoint, Expression, Function, Handle, LocalVariable, Span, Statement, TypeInner,
};
use std::collections::{HashMap, HashSet};
use warpweft_module::Scalar;

/// The columns of local variables.
type Places = HashMap<Handle<LocalVariable>, Slot>;

/// A function being decoded.
pub(super) struct FunctionDecoder<'d, 'a> {
    pub decoder: &'d mut Decoder<'a>,
    pub function: &'a Function,
    info: &'a FunctionInfo,
    /// Where the values of expressions are.
    pub slots: HashMap<Handle<Expression>, Slot>,
    /// What pointers are.
    pub addresses: HashMap<Handle<Expression>, Address>,
    /// Loads that need no copy.
    pub lasting: HashSet<Handle<Expression>>,
    /// Where the function's result goes.
    pub returns: Option<Slot>,
    /// The first free column, and the highest there was.
    pub top: u32,
    highest: u32,
    /// The ways out of the statement being decoded.
    pub exits: Exits,
}

impl<'a> Decoder<'a> {
    /// The entry point's routine and what its arguments are filled with.
    pub(super) fn entry(
        &mut self,
        entry: &'a EntryPoint,
        frame: u32,
    ) -> Result<(Routine, Builtins), Unsupported> {
        let routine = self.routine(None, &entry.function, frame)?;
        let mut builtins = Vec::new();
        for (argument, &slot) in entry.function.arguments.iter().zip(&routine.arguments) {
            match (&argument.binding, &self.module.types[argument.ty].inner) {
                (Some(Binding::BuiltIn(builtin)), _) => builtins.push((slot, *builtin)),
                (None, TypeInner::Struct { members, .. }) => {
                    let mut first = 0;
                    for member in members {
                        let columns =
                            self.shape(&self.module.types[member.ty].inner, Span::UNDEFINED)?.columns;
                        let Some(Binding::BuiltIn(builtin)) = member.binding else {
                            return Err(self.unsupported("an input that is not built in", Span::UNDEFINED));
                        };
                        builtins.push((slot.part(first, columns), builtin));
                        first += columns;
                    }
                }
                _ => return Err(self.unsupported("an input that is not built in", Span::UNDEFINED)),
            }
        }
        Ok((routine, builtins))
    }

    /// A function's routine, its frame starting at that column.
    pub(super) fn routine(
        &mut self,
        which: Which,
        function: &'a Function,
        frame: u32,
    ) -> Result<Routine, Unsupported> {
        let info = match which {
            Some(handle) => &self.info[handle],
            None => self.info.get_entry_point(0),
        };
        let mut this = FunctionDecoder {
            function,
            info,
            slots: HashMap::new(),
            addresses: HashMap::new(),
            lasting: lasting_loads(self.module, function),
            decoder: self,
            returns: None,
            top: frame,
            highest: frame,
            exits: Exits::default(),
        };
        let arguments = this.arguments()?;
        let result = match &function.result {
            Some(result) => {
                let shape = this.type_shape(result.ty)?;
                Some(this.push(shape.columns, Span::UNDEFINED)?)
            }
            None => None,
        };
        this.returns = result;
        let (variables, places) = this.variables(which)?;
        this.before_anything_runs(which, &arguments, &places)?;
        let body = this.block(&function.body)?;

        let end = this.highest;
        self.columns = self.columns.max(end);
        let mut callees = Vec::new();
        called(&function.body, &mut callees);
        for callee in callees {
            let start = self.frames.entry(callee).or_insert(end);
            *start = end.max(*start);
        }
        Ok(Routine { arguments, result, variables, body })
    }
}

impl<'a> FunctionDecoder<'_, 'a> {
    pub(super) fn unsupported(&self, what: impl Into<String>, at: Handle<Expression>) -> Unsupported {
        self.decoder.unsupported(what, self.span(at))
    }

    pub(super) fn span(&self, at: Handle<Expression>) -> Span {
        self.function.expressions.get_span(at)
    }

    /// The type of an expression.
    pub(super) fn inner(&self, handle: Handle<Expression>) -> &'a TypeInner {
        let info: &'a FunctionInfo = self.info;
        info[handle].ty.inner_with(&self.decoder.module.types)
    }

    /// The scalar type that an expression's value is made of.
    pub(super) fn scalar(&self, handle: Handle<Expression>) -> Result<Scalar, Unsupported> {
        let inner = self.inner(handle);
        inner
            .scalar()
            .and_then(shape::scalar)
            .ok_or_else(|| self.unsupported(format!("arithmetic on {inner:?}"), handle))
    }

    /// The shape of an expression's value.
    pub(super) fn shape(&self, handle: Handle<Expression>) -> Result<Shape, Unsupported> {
        self.decoder.shape(self.inner(handle), self.span(handle))
    }

    fn type_shape(&self, ty: Handle<naga::Type>) -> Result<Shape, Unsupported> {
        self.decoder.shape(&self.decoder.module.types[ty].inner, Span::UNDEFINED)
    }

    /// New columns on top of the frame.
    pub(super) fn push(&mut self, columns: u32, span: Span) -> Result<Slot, Unsupported> {
        let start = self.top;
        self.top = start
            .checked_add(columns)
            .filter(|&end| u64::from(end) * 4 <= super::MOST_BYTES)
            .ok_or_else(|| self.decoder.unsupported("values beyond the interpreter's memory", span))?;
        self.highest = self.highest.max(self.top);
        Ok(Slot { start, columns })
    }

    /// New columns for an expression's value.
    pub(super) fn result(&mut self, handle: Handle<Expression>) -> Result<Slot, Unsupported> {
        let columns = self.shape(handle)?.columns;
        let slot = self.push(columns, self.span(handle))?;
        self.slots.insert(handle, slot);
        Ok(slot)
    }

    /// Where an expression's value is.
    pub(super) fn slot(&self, handle: Handle<Expression>) -> Result<Slot, Unsupported> {
        self.slots
            .get(&handle)
            .copied()
            .ok_or_else(|| self.unsupported("an expression used before its evaluation", handle))
    }

    /// Pointers as arguments take one column: an address in columns.
    fn arguments(&mut self) -> Result<Vec<Slot>, Unsupported> {
        let mut slots = Vec::new();
        for argument in &self.function.arguments {
            let pointer = self.decoder.module.types[argument.ty].inner.pointer_space().is_some();
            let columns = if pointer { 1 } else { self.type_shape(argument.ty)?.columns };
            slots.push(self.push(columns, Span::UNDEFINED)?);
        }
        Ok(slots)
    }

    /// Places for the local variables, and what they start with.
    fn variables(&mut self, which: Which) -> Result<(Vec<Initial>, Places), Unsupported> {
        let (mut initials, mut places) = (Vec::new(), HashMap::new());
        for (handle, variable) in self.function.local_variables.iter() {
            let shape = self.type_shape(variable.ty)?;
            let slot = self.push(shape.columns, self.function.local_variables.get_span(handle))?;
            let value = match variable.init {
                Some(init) => match self.decoder.known.get(&(which, init)) {
                    Some(&value) => Some(value),
                    None => return Err(self.unsupported("an initial value that is no constant", init)),
                },
                None => None,
            };
            initials.push(Initial { variable: slot, value });
            places.insert(handle, slot);
        }
        Ok((initials, places))
    }

    /// Places for the expressions that no statement emits.
    fn before_anything_runs(
        &mut self,
        which: Which,
        arguments: &[Slot],
        variables: &Places,
    ) -> Result<(), Unsupported> {
        let function = self.function;
        for (handle, expression) in function.expressions.iter() {
            if let Some(&slot) = self.decoder.known.get(&(which, handle)) {
                self.slots.insert(handle, slot);
                continue;
            }
            match *expression {
                Expression::FunctionArgument(n) => {
                    let slot = arguments[n as usize];
                    self.slots.insert(handle, slot);
                    if self.inner(handle).pointer_space().is_some() {
                        let address = Address { space: Space::Columns, fixed: 0, varying: Some(slot) };
                        self.addresses.insert(handle, address);
                    }
                }
                Expression::LocalVariable(variable) => {
                    let fixed = variables[&variable].start;
                    self.addresses.insert(handle, Address { space: Space::Columns, fixed, varying: None });
                }
                Expression::GlobalVariable(variable) => {
                    if let Some(&address) = self.decoder.globals.get(&variable) {
                        self.addresses.insert(handle, address);
                    }
                }
                Expression::Override(_) => {
                    return Err(self.unsupported("an override without a value", handle));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The functions that a block calls.
fn called(block: &Block, found: &mut Vec<Handle<Function>>) {
    for statement in block.iter() {
        match statement {
            Statement::Call { function, .. } => found.push(*function),
            Statement::Block(block) => called(block, found),
            Statement::If { accept, reject, .. } => {
                called(accept, found);
                called(reject, found);
            }
            Statement::Switch { cases, .. } => cases.iter().for_each(|case| called(&case.body, found)),
            Statement::Loop { body, continuing, .. } => {
                called(body, found);
                called(continuing, found);
            }
            _ => {}
        }
    }
}
