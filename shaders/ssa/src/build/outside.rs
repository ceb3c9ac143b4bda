//! Functions that stay functions: one for each way in which its pointers lead somewhere.
//!
//! What goes in and out lies in memory of each invocation, at places of the function's own: a function never runs twice
//! at once, since WGSL has no recursion. Indices inside of pointers are arguments; where a pointer leads otherwise is part
//! of which function it is. Knows nothing of which functions are chosen.

use super::draft::{Join, Node};
use super::flow::Target;
use super::frame::{Frame, Known, Local, Returns};
use super::memory::Access;
use super::pointer::{At, Pointer};
use super::types::{Rules, Ty};
use super::values::Values;
use super::{Builder, MOST_LEAVES};
use crate::ir::{Callee, Limit, Mark, Root, Value};
use crate::unsupported::Unsupported;
use naga::{Expression, Function, Handle};
use rustc_hash::FxHashMap;
use std::mem::swap;
use warpweft_module::Scalar;

/// Where a pointer leads, but for the values of its indices.
#[derive(Clone, Debug, PartialEq)]
struct Way {
    ty: Ty,
    root: Root,
    rules: Rules,
    offset: u32,
    indices: Vec<(u32, Limit)>,
}

/// A function that is called.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// Its number among the kernel's functions.
    number: u32,
    ways: Vec<Way>,
    /// Where each argument that is no pointer goes, and the indices of those that are.
    arguments: Vec<Pointer>,
    /// Where its result is.
    result: Option<Pointer>,
}

/// What belongs to the function that is being built, and not to the kernel.
pub(super) struct Code<'a> {
    values: Values,
    edges: Vec<Vec<Value>>,
    joins: Vec<Join>,
    labels: u32,
    prologue: Vec<Node>,
    list: Vec<Node>,
    live: bool,
    slots: Vec<Value>,
    locals: Vec<Local>,
    pointers: Vec<Pointer>,
    pool: Vec<Value>,
    tables: FxHashMap<(usize, usize), u32>,
    targets: Vec<Target>,
    free: Vec<u32>,
    frame: Frame<'a>,
    mark: Mark,
}

impl<'a> Code<'a> {
    fn new(frame: Frame<'a>, mark: Mark) -> Code<'a> {
        Code {
            values: Values::default(),
            edges: Vec::new(),
            joins: Vec::new(),
            labels: 0,
            prologue: Vec::new(),
            list: Vec::new(),
            live: true,
            slots: Vec::new(),
            locals: Vec::new(),
            pointers: Vec::new(),
            pool: Vec::new(),
            tables: FxHashMap::default(),
            targets: Vec::new(),
            free: Vec::new(),
            frame,
            mark,
        }
    }
}

impl<'a> Builder<'a> {
    /// Goes on with another function's code, and leaves this one's there.
    fn exchange(&mut self, code: &mut Code<'a>) {
        swap(&mut self.values, &mut code.values);
        swap(&mut self.edges, &mut code.edges);
        swap(&mut self.joins, &mut code.joins);
        swap(&mut self.labels, &mut code.labels);
        swap(&mut self.prologue, &mut code.prologue);
        swap(&mut self.list, &mut code.list);
        swap(&mut self.live, &mut code.live);
        swap(&mut self.slots, &mut code.slots);
        swap(&mut self.locals, &mut code.locals);
        swap(&mut self.pointers, &mut code.pointers);
        swap(&mut self.pool, &mut code.pool);
        swap(&mut self.tables, &mut code.tables);
        swap(&mut self.targets, &mut code.targets);
        swap(&mut self.free, &mut code.free);
        swap(&mut self.frame, &mut code.frame);
        swap(&mut self.mark, &mut code.mark);
    }

    /// Calls a function that stays one.
    pub(super) fn call_outside(
        &mut self,
        handle: Handle<Function>,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) -> Result<(), Unsupported> {
        let (mark, mut ways, mut given) = (self.mark, Vec::new(), Vec::new());
        for &argument in arguments {
            if !self.is_pointer(argument) {
                given.push(Given::Value(argument));
                continue;
            }
            let pointer = self.pointer(argument)?;
            given.extend(pointer.values().map(Given::Index));
            ways.push(self.way(&pointer)?);
        }
        let instance = self.instance(handle, ways)?;
        self.mark = mark;
        for (given, to) in given.into_iter().zip(&instance.arguments) {
            match given {
                Given::Value(value) => self.store_expression(to, value)?,
                Given::Index(value) => self.store_parts(to, &[value])?,
            }
        }
        self.list.push(Node::Call { function: instance.number, mark });
        let (Some(result), Some(from)) = (result, instance.result) else { return Ok(()) };
        if self.types.leaves(from.ty) > MOST_LEAVES {
            // The next call writes there again.
            let own = self.temporary("result", from.ty)?;
            self.copy(&from, &own, Access::Plain)?;
            self.set_stored(result, own);
        } else {
            let parts = self.load_parts(&from, Access::Plain)?;
            self.set(result, &parts);
        }
        Ok(())
    }

    fn way(&self, pointer: &Pointer) -> Result<Way, Unsupported> {
        let At::Memory { root, rules, offset, ref indices } = pointer.at else {
            return Err(self.unsupported("a pointer to something that is no memory"));
        };
        let indices = indices.iter().map(|index| (index.stride, index.limit)).collect();
        Ok(Way { ty: pointer.ty, root, rules, offset, indices })
    }

    /// The function whose pointers lead there, which is built where there is none yet.
    fn instance(&mut self, handle: Handle<Function>, ways: Vec<Way>) -> Result<Instance, Unsupported> {
        let known = self.instances.get(&handle).and_then(|all| all.iter().find(|one| one.ways == ways));
        if let Some(instance) = known {
            return Ok(instance.clone());
        }
        let function = &self.module.functions[handle];
        let mut frame = Frame::new(function, &self.info[handle], handle.index());
        frame.outermost_call = Some(self.frame.outermost_call.unwrap_or(self.mark));
        let mut code = Code::new(frame, self.mark);
        self.elsewhere += self.values.definitions.len();
        self.exchange(&mut code);
        self.values.open_scope();
        let (arguments, result) = self.outside(handle, function, &ways)?;
        let rebuilt = self.rebuild();
        self.exchange(&mut code);
        self.elsewhere -= self.values.definitions.len();
        self.elsewhere += rebuilt.values.len();
        let name = function.name.clone().unwrap_or_else(|| "function".to_string());
        let number = self.functions.len() as u32;
        self.functions.push(Callee {
            name,
            values: rebuilt.values,
            labels: rebuilt.labels,
            body: rebuilt.body,
        });
        let instance = Instance { number, ways, arguments, result };
        self.instances.entry(handle).or_default().push(instance.clone());
        Ok(instance)
    }

    /// The code of such a function: gives where its arguments and its result lie.
    fn outside(
        &mut self,
        handle: Handle<Function>,
        function: &'a Function,
        ways: &[Way],
    ) -> Result<(Vec<Pointer>, Option<Pointer>), Unsupported> {
        let mut places = Vec::new();
        let mut ways = ways.iter();
        for argument in &function.arguments {
            let name = argument.name.as_deref().unwrap_or("argument");
            let pointer = self.module.types[argument.ty].inner.pointer_space().is_some();
            let known = if pointer {
                let Some(way) = ways.next() else {
                    return Err(self.unsupported("a pointer that is not made of variables and indices"));
                };
                let pointer = self.pointer_along(way, name, &mut places)?;
                self.pointers.push(pointer);
                Known::Pointer(self.pointers.len() as u32 - 1)
            } else {
                let Some(ty) = self.types.of(argument.ty) else {
                    return Err(self.unsupported("an argument of a type that is no value"));
                };
                let place = self.temporary(name, ty)?;
                places.push(place.clone());
                if self.types.leaves(ty) > MOST_LEAVES {
                    self.pointers.push(place);
                    Known::Stored(self.pointers.len() as u32 - 1)
                } else {
                    let parts = self.load_parts(&place, Access::Plain)?;
                    let first = self.pool.len() as u32;
                    self.pool.extend_from_slice(&parts);
                    Known::Parts { first, count: parts.len() as u32 }
                }
            };
            self.frame.arguments.push(known);
        }
        let result = match &function.result {
            Some(result) => {
                let Some(ty) = self.types.of(result.ty) else {
                    return Err(self.unsupported("a result of a type that is no value"));
                };
                Some(self.temporary("result", ty)?)
            }
            None => None,
        };
        let pointer = result.as_ref().map(|pointer| {
            self.pointers.push(pointer.clone());
            self.pointers.len() as u32 - 1
        });
        self.frame.returns = Returns::Caller { pointer };
        let effects = self.effects.of_function(handle).clone();
        self.make_locals(&effects)?;
        self.block(&function.body)?;
        Ok((places, result))
    }

    /// A pointer that leads that way, with indices that are given as arguments.
    fn pointer_along(
        &mut self,
        way: &Way,
        name: &str,
        places: &mut Vec<Pointer>,
    ) -> Result<Pointer, Unsupported> {
        let mut indices = Vec::with_capacity(way.indices.len());
        for &(stride, limit) in &way.indices {
            let place = self.temporary(name, Ty::Scalar(Scalar::U32))?;
            let parts = self.load_parts(&place, Access::Plain)?;
            places.push(place);
            indices.extend(parts.iter().map(|&value| crate::ir::Index { value, stride, limit }));
        }
        let at = At::Memory { root: way.root, rules: way.rules, offset: way.offset, indices };
        Ok(Pointer { ty: way.ty, at })
    }
}

/// What goes into a function.
enum Given {
    Value(Handle<Expression>),
    /// An index inside of a pointer.
    Index(Value),
}
