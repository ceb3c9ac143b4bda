//! From a kernel's naga IR to a [`Function`]: one walk over the statements, calls inlined, composites taken apart.
//!
//! Local and private variables are *slots*, one per scalar, whose present values are carried along; where control flow
//! meets, slots that differ become parameters. `finish` then takes out what nobody needs. Arithmetic is written out
//! in the interpreter's formulas, in their order.

mod bits;
mod call;
mod depth;
mod draft;
mod effects;
mod element;
mod expression;
mod finish;
mod flow;
mod frame;
mod linear;
mod math;
mod memory;
mod outline;
mod outside;
mod pack;
mod pointer;
mod repeat;
mod scale;
mod statement;
mod subgroup;
mod switch;
mod types;
mod values;

use crate::ir::{Binding, Callee, Function, Label, Mark, Value, Variable};
use crate::unsupported::Unsupported;
use draft::{Edge, Join, JoinId, Node};
use effects::AllEffects;
use frame::{Frame, Local};
use naga::valid::ModuleInfo;
use naga::{GlobalVariable, Handle, Module, Span};
use outside::Instance;
use pointer::Pointer;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use types::Types;
use values::Values;
use warpweft_module::{Kernel, Space};

/// How large a kernel may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// With more operations, calls stay calls where they can.
    pub inlined: usize,
    /// With more operations, all functions together, it is refused.
    pub operations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { inlined: 200_000, operations: 200_000 }
    }
}

/// Where a kernel is too large with all calls inlined, functions of more than this part of that are called: calls of these
/// cost next to nothing.
const CALLED: usize = 256;

/// Kernels that weigh so many times more than what may be inlined are not tried: not that much folds away.
const HOPELESS: u64 = 4;

/// Where that is not enough, all functions are that have more statements and expressions than this: a call is several.
const TINY: usize = 16;

/// So many statements and expressions may be looked at, inlined ones each time.
const MOST_WORK: u32 = 2_000_000;

/// Composites of more scalars stay in memory.
const MOST_LEAVES: u64 = 64;

/// Variables of more scalars stay in memory even if all indices are constant.
const MOST_SLOTS: u64 = 256;

/// The scalars of a value.
type Parts = SmallVec<[Value; 4]>;

/// A function being built.
struct Builder<'a> {
    kernel: &'a Kernel,
    module: &'a Module,
    info: &'a ModuleInfo,
    types: Types<'a>,
    effects: AllEffects<'a>,
    bindings: Vec<Binding>,
    variables: Vec<Variable>,
    /// Bytes of all private variables.
    private_bytes: u64,
    /// Variables of functions that have ended: memory for the next one's.
    free: Vec<u32>,
    /// Names of bindings and variables, and how often a name was given out with a number.
    names: FxHashSet<String>,
    name_counts: FxHashMap<String, u32>,
    values: Values,
    edges: Vec<Vec<Value>>,
    joins: Vec<Join>,
    labels: u32,
    /// What stands before everything else.
    prologue: Vec<Node>,
    /// The list that grows, and whether its end is reached.
    list: Vec<Node>,
    live: bool,
    /// What the slots hold.
    slots: Vec<Value>,
    locals: Vec<Local>,
    pointers: Vec<Pointer>,
    /// The parts of expressions' values.
    pool: Vec<Value>,
    globals: FxHashMap<Handle<GlobalVariable>, Pointer>,
    /// Constant arrays in memory, by naga's constant expression.
    tables: FxHashMap<(usize, usize), u32>,
    targets: Vec<flow::Target>,
    frame: Frame<'a>,
    /// Calls around the present statement.
    calls: u32,
    mark: Mark,
    work: u32,
    /// The functions that are not inlined, by naga's index.
    outlined: &'a [bool],
    functions: Vec<Callee>,
    instances: FxHashMap<Handle<naga::Function>, Vec<Instance>>,
    /// Operations of other functions than the one being built.
    elsewhere: usize,
    /// There may be so many.
    most: usize,
    /// There were more.
    exceeded: bool,
}

impl Function {
    /// The SSA form of a kernel.
    ///
    /// # Errors
    ///
    /// Names what is not translated, and where it stands: images, functions that grow beyond bounds and cannot be called,
    /// enormous variables, blocks nested too deep.
    pub fn new(kernel: &Kernel) -> Result<Function, Unsupported> {
        Function::within(kernel, &Limits::default())
    }

    /// The SSA form of a kernel that is inlined and refused within other limits than the usual ones.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn within(kernel: &Kernel, limits: &Limits) -> Result<Function, Unsupported> {
        let (module, _) = kernel.naga();
        let Some(entry) = module.entry_points.first() else {
            return Err(Unsupported { what: "a module without an entry point".to_string(), location: None });
        };
        depth::check(module, &entry.function)?;
        let heavy = limits.inlined / CALLED;
        let choose = |heaviest: usize| outline::choose(module, &entry.function, heaviest as u64);
        let all = choose(heavy.min(TINY)).outlined;
        // From calling nothing to calling all that can be called; where nothing can, only the last is left.
        if all.contains(&true) {
            let inlined = limits.inlined.min(limits.operations);
            let none = choose(usize::MAX);
            if none.weight <= HOPELESS * inlined as u64 {
                let (result, exceeded) = Function::attempt(kernel, inlined, &none.outlined);
                if !exceeded {
                    return result;
                }
            }
            let large = choose(heavy).outlined;
            if large.contains(&true) && large != all {
                let (result, exceeded) = Function::attempt(kernel, limits.operations, &large);
                if !exceeded {
                    return result;
                }
            }
        }
        Function::attempt(kernel, limits.operations, &all).0
    }

    /// Builds a kernel of at most so many operations, in which some functions are called; whether it has more.
    fn attempt(kernel: &Kernel, most: usize, outlined: &[bool]) -> (Result<Function, Unsupported>, bool) {
        let (module, info) = kernel.naga();
        let entry = &module.entry_points[0];
        let types = Types::new(module);
        let effects = AllEffects::new(module, info, &types, outlined);
        let own = effects.of(&types, &entry.function, info.get_entry_point(0));
        let mut builder = Builder {
            kernel,
            module,
            info,
            types,
            effects,
            bindings: bindings(kernel),
            variables: Vec::new(),
            private_bytes: 0,
            free: Vec::new(),
            names: kernel.interface().bindings.iter().map(|binding| binding.name.clone()).collect(),
            name_counts: FxHashMap::default(),
            values: Values::with_room(entry.function.expressions.len()),
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
            globals: FxHashMap::default(),
            tables: FxHashMap::default(),
            targets: Vec::new(),
            frame: Frame::new(&entry.function, info.get_entry_point(0), usize::MAX),
            calls: 0,
            mark: Mark::default(),
            work: 0,
            outlined,
            functions: Vec::new(),
            instances: FxHashMap::default(),
            elsewhere: 0,
            most,
            exceeded: false,
        };
        builder.values.open_scope();
        if let Err(why) = builder.entry(entry, &own) {
            return (Err(why), builder.exceeded);
        }
        let function = builder.finish(entry);
        debug_assert_eq!(crate::verify(&function), Ok(()), "{function}");
        (Ok(function), false)
    }
}

fn bindings(kernel: &Kernel) -> Vec<Binding> {
    let of = |binding: &warpweft_module::Binding| Binding {
        name: binding.name.clone(),
        uniform: binding.space == Space::Uniform,
        read: binding.access.reads,
        written: binding.access.writes,
        min_size: binding.min_size,
    };
    kernel.interface().bindings.iter().map(of).collect()
}

impl<'a> Builder<'a> {
    fn unsupported(&self, what: impl Into<String>) -> Unsupported {
        let start = self.mark.0.saturating_sub(1);
        let location = if self.mark.0 == 0 { None } else { self.kernel.locate(Span::new(start, start + 1)) };
        Unsupported { what: what.into(), location }
    }

    /// Where in the source the next values come from. Until `finish`, marks are byte offsets.
    fn at(&mut self, span: Span) {
        if let Some(range) = span.to_range()
            && range.end > range.start
        {
            self.mark = Mark(range.start as u32 + 1);
        }
    }

    /// One more statement or expression; refuses what grows beyond bounds.
    fn step(&mut self) -> Result<(), Unsupported> {
        self.work += 1;
        if self.elsewhere + self.values.definitions.len() <= self.most && self.work <= MOST_WORK {
            return Ok(());
        }
        self.exceeded = true;
        if let Some(call) = self.frame.outermost_call {
            self.mark = call;
        }
        let calls = if self.outlined.contains(&true) { "" } else { ", with its calls inlined" };
        Err(self.unsupported(format!("a kernel of more than {} operations{calls}", self.most)))
    }

    fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    fn edge(&mut self) -> Edge {
        self.edges.push(Vec::new());
        Edge(self.edges.len() as u32 - 1)
    }

    fn join(&mut self, params: Vec<Value>, edges: Vec<Edge>) -> JoinId {
        self.joins.push(Join { params, edges });
        JoinId(self.joins.len() as u32 - 1)
    }
}
