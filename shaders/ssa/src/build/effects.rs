//! What a function does to variables, found before it is built: which arrays an index chooses from at run time, and
//! what statements may write.
//!
//! Extents are runs of leaves, callees' among them. Knows no values and no control flow.

use super::types::{Rules, Ty, Types};
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    AddressSpace, Block, Expression, Function, GlobalVariable, Handle, LocalVariable, Module, Statement,
    TypeInner,
};

/// Whose leaves an extent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    Local(Handle<LocalVariable>),
    Private(Handle<GlobalVariable>),
    /// What that argument points to.
    Argument(u32),
}

/// A run of leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extent {
    pub origin: Origin,
    pub first: u32,
    pub count: u32,
}

/// What a function does.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    /// Arrays with indices that are not constant.
    pub dynamic: Vec<Extent>,
    /// What is handed on to functions that are not inlined.
    shared: Vec<Extent>,
    /// What it may write that is not its own.
    writes: Vec<Extent>,
}

impl Effects {
    /// Something of it is handed on to functions that are not inlined.
    pub(super) fn shares(&self, origin: Origin) -> bool {
        self.shared.iter().any(|extent| extent.origin == origin)
    }
}

/// Those of every function.
pub(super) struct AllEffects<'a> {
    module: &'a Module,
    info: &'a ModuleInfo,
    functions: Vec<Effects>,
    /// The functions that are not inlined.
    outlined: &'a [bool],
}

impl<'a> AllEffects<'a> {
    pub(super) fn new(
        module: &'a Module,
        info: &'a ModuleInfo,
        types: &Types<'_>,
        outlined: &'a [bool],
    ) -> AllEffects<'a> {
        let functions = Vec::with_capacity(module.functions.len());
        let mut all = AllEffects { module, info, functions, outlined };
        // A callee comes before its callers.
        for (handle, function) in module.functions.iter() {
            let effects = all.of(types, function, &all.info[handle]);
            all.functions.push(effects);
        }
        all
    }

    /// Those of one function.
    pub(super) fn of(&self, types: &Types<'_>, function: &Function, info: &FunctionInfo) -> Effects {
        let walk = Walk { all: self, types, function, info };
        let mut effects = Effects::default();
        for (_, expression) in function.expressions.iter() {
            if let Expression::Access { base, .. } = *expression
                && let Some((extent, fixed)) = walk.extent(base)
                && fixed
                && let Some(ty @ Ty::Composite(_)) = walk.pointee(base)
                && types.elements(ty, Rules::Variable).is_some()
            {
                effects.dynamic.push(extent);
            }
        }
        walk.block(&function.body, &mut |statement| {
            if let Statement::Call { function: callee, arguments, .. } = statement {
                walk.callee(&self.functions[callee.index()].dynamic, arguments, &mut effects.dynamic);
                if self.outlined.get(callee.index()).is_some_and(|&outlined| outlined) {
                    effects
                        .shared
                        .extend(arguments.iter().filter_map(|&argument| Some(walk.extent(argument)?.0)));
                } else {
                    walk.callee(&self.functions[callee.index()].shared, arguments, &mut effects.shared);
                }
            }
        });
        walk.writes(&function.body, &mut effects.writes);
        effects.writes.retain(|extent| !matches!(extent.origin, Origin::Local(_)));
        tidy(&mut effects.dynamic);
        tidy(&mut effects.shared);
        tidy(&mut effects.writes);
        effects
    }

    /// What a part of a function may write.
    pub(super) fn writes(
        &self,
        types: &Types<'_>,
        function: &Function,
        info: &FunctionInfo,
        blocks: &[&Block],
    ) -> Vec<Extent> {
        let walk = Walk { all: self, types, function, info };
        let mut found = Vec::new();
        blocks.iter().for_each(|block| walk.writes(block, &mut found));
        tidy(&mut found);
        found
    }

    /// Those of a function that is called.
    pub(super) fn of_function(&self, handle: Handle<Function>) -> &Effects {
        &self.functions[handle.index()]
    }
}

/// Sorts, and drops what lies inside another extent.
fn tidy(extents: &mut Vec<Extent>) {
    // Longer ones first where they start together.
    extents.sort_unstable_by_key(|e| (e.origin, e.first, std::cmp::Reverse(e.count)));
    let mut last: Option<Extent> = None;
    extents.retain(|extent| {
        let inside = last.is_some_and(|last| {
            last.origin == extent.origin
                && last.first.saturating_add(last.count) >= extent.first.saturating_add(extent.count)
        });
        if !inside {
            last = Some(*extent);
        }
        !inside
    });
}

struct Walk<'w, 'a> {
    all: &'w AllEffects<'a>,
    types: &'w Types<'w>,
    function: &'w Function,
    info: &'w FunctionInfo,
}

impl Walk<'_, '_> {
    /// Calls `f` with every statement.
    fn block(&self, block: &Block, f: &mut dyn FnMut(&Statement)) {
        for statement in block.iter() {
            f(statement);
            match statement {
                Statement::Block(inner) => self.block(inner, f),
                Statement::If { accept, reject, .. } => {
                    self.block(accept, f);
                    self.block(reject, f);
                }
                Statement::Switch { cases, .. } => cases.iter().for_each(|case| self.block(&case.body, f)),
                Statement::Loop { body, continuing, .. } => {
                    self.block(body, f);
                    self.block(continuing, f);
                }
                _ => {}
            }
        }
    }

    fn writes(&self, block: &Block, found: &mut Vec<Extent>) {
        self.block(block, &mut |statement| match statement {
            Statement::Store { pointer, .. } => found.extend(self.extent(*pointer).map(|(extent, _)| extent)),
            Statement::Call { function, arguments, .. } => {
                self.callee(&self.all.functions[function.index()].writes, arguments, found);
            }
            _ => {}
        });
    }

    /// A callee's extents as the caller's.
    fn callee(&self, extents: &[Extent], arguments: &[Handle<Expression>], found: &mut Vec<Extent>) {
        for &extent in extents {
            match extent.origin {
                Origin::Local(_) => {}
                Origin::Private(_) => found.push(extent),
                Origin::Argument(n) => {
                    let Some((whole, fixed)) = arguments.get(n as usize).and_then(|&a| self.extent(a)) else {
                        continue;
                    };
                    found.push(if fixed {
                        Extent {
                            origin: whole.origin,
                            first: whole.first.saturating_add(extent.first),
                            count: extent.count,
                        }
                    } else {
                        whole
                    });
                }
            }
        }
    }

    /// What a pointer expression points to.
    fn pointee(&self, pointer: Handle<Expression>) -> Option<Ty> {
        pointee(self.types, self.info[pointer].ty.inner_with(&self.all.module.types))
    }

    /// The leaves that a pointer may lead to, and whether they are exactly these.
    fn extent(&self, pointer: Handle<Expression>) -> Option<(Extent, bool)> {
        let whole = |origin, ty: Ty| {
            let count = u32::try_from(self.types.leaves(ty)).unwrap_or(u32::MAX);
            Some((Extent { origin, first: 0, count }, true))
        };
        match self.function.expressions[pointer] {
            Expression::LocalVariable(variable) => {
                let ty = self.types.of(self.function.local_variables[variable].ty)?;
                whole(Origin::Local(variable), ty)
            }
            Expression::GlobalVariable(variable) => {
                let global = &self.all.module.global_variables[variable];
                if global.space != AddressSpace::Private {
                    return None;
                }
                whole(Origin::Private(variable), self.types.of(global.ty)?)
            }
            Expression::FunctionArgument(n) => whole(Origin::Argument(n), self.pointee(pointer)?),
            Expression::Access { base, .. } => self.extent(base).map(|(extent, _)| (extent, false)),
            Expression::AccessIndex { base, index } => {
                let (extent, fixed) = self.extent(base)?;
                if !fixed {
                    return Some((extent, false));
                }
                let child = self.types.child(self.pointee(base)?, index, Rules::Variable)?;
                let count = u32::try_from(self.types.leaves(child.ty)).unwrap_or(u32::MAX);
                let first = extent.first.saturating_add(child.leaf);
                Some((Extent { first, count, ..extent }, true))
            }
            _ => None,
        }
    }
}

/// What a pointer of that type points to.
pub(super) fn pointee(types: &Types<'_>, inner: &TypeInner) -> Option<Ty> {
    match *inner {
        TypeInner::Pointer { base, .. } => types.of(base),
        TypeInner::ValuePointer { size: Some(size), scalar, .. } => {
            types.plain(&TypeInner::Vector { size, scalar })
        }
        TypeInner::ValuePointer { size: None, scalar, .. } => types.plain(&TypeInner::Scalar(scalar)),
        _ => None,
    }
}
