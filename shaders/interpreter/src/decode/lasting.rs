//! Loads of variables that need no copy: nothing writes the variable between the load and the last use of its value.
//!
//! Positions count statements in the order of the text. A use inside a loop of a value from before it counts as one at
//! the loop's end, because it comes again in the next round. Knows nothing of columns.
//!
//! PERF: 1.2× on `mandelbrot` in `examples/throughput.rs`.

use naga::{
    AddressSpace, AtomicFunction, Block, Expression, Function, GatherMode, GlobalVariable, Handle,
    LocalVariable, Module, Statement,
};
use std::collections::{HashMap, HashSet};

/// What a pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Root {
    Local(Handle<LocalVariable>),
    Private(Handle<GlobalVariable>),
    /// Through an argument: private variables, or those of a caller.
    Argument,
    /// Memory that loads always copy from.
    Other,
}

/// The loads of a function whose value may be read from the variable itself.
pub(super) fn lasting_loads(module: &Module, function: &Function) -> HashSet<Handle<Expression>> {
    let mut walk = Walk {
        module,
        function,
        position: 0,
        defined: HashMap::new(),
        last_use: HashMap::new(),
        writes: HashMap::new(),
        all_private: Vec::new(),
        loops: Vec::new(),
    };
    walk.block(&function.body);
    // Parts of a value may be the value's own columns: their uses are uses of the whole.
    for (handle, expression) in function.expressions.iter().rev() {
        let (Expression::AccessIndex { base: whole, .. }
        | Expression::Swizzle { vector: whole, .. }
        | Expression::As { expr: whole, .. }) = *expression
        else {
            continue;
        };
        if let Some(&part) = walk.last_use.get(&handle) {
            let last = walk.last_use.entry(whole).or_default();
            *last = part.max(*last);
        }
    }
    let loads = function.expressions.iter().filter(|&(handle, expression)| match *expression {
        Expression::Load { pointer } => walk.lasts(handle, pointer),
        _ => false,
    });
    loads.map(|(handle, _)| handle).collect()
}

/// A loop being walked through.
struct Loop {
    start: u32,
    /// Values from before it that it uses.
    uses: Vec<Handle<Expression>>,
}

struct Walk<'a> {
    module: &'a Module,
    function: &'a Function,
    position: u32,
    defined: HashMap<Handle<Expression>, u32>,
    last_use: HashMap<Handle<Expression>, u32>,
    /// Positions of writes, ascending.
    writes: HashMap<Root, Vec<u32>>,
    /// Where any private variable may be written.
    all_private: Vec<u32>,
    loops: Vec<Loop>,
}

impl Walk<'_> {
    fn lasts(&self, load: Handle<Expression>, pointer: Handle<Expression>) -> bool {
        let Some(&defined) = self.defined.get(&load) else {
            return false;
        };
        let last = self.last_use.get(&load).copied().unwrap_or(defined);
        let root = self.root(pointer);
        // A store that is itself the last use reads before it writes.
        let written = |list: &[u32]| {
            let next = list.partition_point(|&at| at <= defined);
            list.get(next).is_some_and(|&at| at < last)
        };
        match root {
            Root::Local(_) | Root::Private(_) if self.writes.get(&root).is_some_and(|list| written(list)) => {
                false
            }
            Root::Local(_) => true,
            Root::Private(_) => !written(&self.all_private),
            Root::Argument | Root::Other => false,
        }
    }

    fn root(&self, pointer: Handle<Expression>) -> Root {
        match self.function.expressions[pointer] {
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => self.root(base),
            Expression::LocalVariable(variable) => Root::Local(variable),
            Expression::GlobalVariable(variable)
                if self.module.global_variables[variable].space == AddressSpace::Private =>
            {
                Root::Private(variable)
            }
            Expression::FunctionArgument(_) => Root::Argument,
            _ => Root::Other,
        }
    }

    fn uses(&mut self, handle: Handle<Expression>) {
        let defined = self.defined.get(&handle).copied().unwrap_or(0);
        self.last_use.insert(handle, self.position);
        if let Some(outermost) = self.loops.iter_mut().find(|around| around.start >= defined) {
            outermost.uses.push(handle);
        }
    }

    fn writes(&mut self, pointer: Handle<Expression>) {
        match self.root(pointer) {
            Root::Argument => self.all_private.push(self.position),
            root => self.writes.entry(root).or_default().push(self.position),
        }
    }

    fn block(&mut self, block: &Block) {
        for statement in block.iter() {
            self.position += 1;
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match *statement {
            Statement::Emit(ref range) => {
                for handle in range.clone() {
                    self.defined.insert(handle, self.position);
                    let function = self.function;
                    for operand in operands(&function.expressions[handle]) {
                        self.uses(operand);
                    }
                }
            }
            Statement::Block(ref block) => self.block(block),
            Statement::If { condition, ref accept, ref reject } => {
                self.uses(condition);
                self.block(accept);
                self.block(reject);
            }
            Statement::Switch { selector, ref cases } => {
                for case in cases {
                    self.block(&case.body);
                }
                // Every case looks at it.
                self.position += 1;
                self.uses(selector);
            }
            Statement::Loop { ref body, ref continuing, break_if } => {
                self.loops.push(Loop { start: self.position, uses: Vec::new() });
                self.block(body);
                self.block(continuing);
                self.position += 1;
                if let Some(condition) = break_if {
                    self.uses(condition);
                }
                if let Some(done) = self.loops.pop() {
                    for handle in done.uses {
                        self.last_use.insert(handle, self.position);
                    }
                }
            }
            Statement::Store { pointer, value } => {
                self.uses(value);
                self.writes(pointer);
            }
            Statement::Call { ref arguments, .. } => {
                self.all_private.push(self.position);
                for &argument in arguments {
                    self.uses(argument);
                    self.writes(argument);
                }
            }
            Statement::Return { value: Some(value) } => self.uses(value),
            Statement::Atomic { ref fun, value, .. } => {
                self.uses(value);
                if let AtomicFunction::Exchange { compare: Some(compare) } = *fun {
                    self.uses(compare);
                }
            }
            Statement::SubgroupBallot { predicate: Some(predicate), .. } => self.uses(predicate),
            Statement::SubgroupCollectiveOperation { argument, .. } => self.uses(argument),
            Statement::SubgroupGather { mode, argument, .. } => {
                self.uses(argument);
                match mode {
                    GatherMode::BroadcastFirst | GatherMode::QuadSwap(_) => {}
                    GatherMode::Broadcast(index)
                    | GatherMode::Shuffle(index)
                    | GatherMode::ShuffleDown(index)
                    | GatherMode::ShuffleUp(index)
                    | GatherMode::ShuffleXor(index)
                    | GatherMode::QuadBroadcast(index) => self.uses(index),
                }
            }
            // The others read no values, or are refused.
            _ => {}
        }
    }
}

/// The values that an expression is computed from.
fn operands(expression: &Expression) -> Vec<Handle<Expression>> {
    match *expression {
        Expression::Compose { ref components, .. } => components.clone(),
        Expression::Access { base, index } => vec![base, index],
        Expression::AccessIndex { base: one, .. }
        | Expression::Splat { value: one, .. }
        | Expression::Swizzle { vector: one, .. }
        | Expression::Unary { expr: one, .. }
        | Expression::Relational { argument: one, .. }
        | Expression::As { expr: one, .. } => vec![one],
        Expression::Binary { left, right, .. } => vec![left, right],
        Expression::Select { condition, accept, reject } => vec![condition, accept, reject],
        Expression::Math { arg, arg1, arg2, arg3, .. } => {
            [Some(arg), arg1, arg2, arg3].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}
