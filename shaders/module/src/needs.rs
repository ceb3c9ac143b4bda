//! What a kernel needs of a device and of its launch: abilities, barriers, atomics on storage.
//!
//! Derived from the code that the entry point reaches, not from `enable` directives.

use crate::interface::Features;
use crate::walk::visit_block;
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    AddressSpace, AtomicFunction, Barrier, Binding, BuiltIn, Expression, Function, Handle, Module, Scalar,
    ScalarKind, Statement, TypeInner,
};

/// The findings.
#[derive(Debug)]
pub(crate) struct Needs {
    pub(crate) features: Features,
    pub(crate) barriers: bool,
    pub(crate) loops: bool,
    pub(crate) storage_atomics: bool,
    pub(crate) num_workgroups: bool,
}

/// Looks at everything in `module`, whose only entry point reaches all of it.
pub(crate) fn of(module: &Module, info: &ModuleInfo) -> Needs {
    let needs = Needs {
        features: Features::empty(),
        barriers: false,
        loops: false,
        storage_atomics: false,
        num_workgroups: false,
    };
    let mut walk = Walk { module, needs };
    for (_, ty) in module.types.iter() {
        walk.ty(&ty.inner);
    }
    for (handle, function) in module.functions.iter() {
        walk.function(function, &info[handle]);
    }
    walk.function(&module.entry_points[0].function, info.get_entry_point(0));
    walk.needs
}

struct Walk<'a> {
    module: &'a Module,
    needs: Needs,
}

impl Walk<'_> {
    fn function(&mut self, function: &Function, info: &FunctionInfo) {
        for argument in &function.arguments {
            self.binding(argument.binding.as_ref());
            if let TypeInner::Struct { members, .. } = &self.module.types[argument.ty].inner {
                members.iter().for_each(|member| self.binding(member.binding.as_ref()));
            }
        }
        for (handle, expression) in function.expressions.iter() {
            self.ty(info[handle].ty.inner_with(&self.module.types));
            if let Expression::Load { pointer } = *expression {
                self.atomic_access(pointer, info);
            }
        }
        visit_block(&function.body, &mut |statement| self.statement(statement, info));
    }

    fn ty(&mut self, ty: &TypeInner) {
        match *ty {
            TypeInner::Scalar(scalar)
            | TypeInner::Atomic(scalar)
            | TypeInner::Vector { scalar, .. }
            | TypeInner::Matrix { scalar, .. }
            | TypeInner::ValuePointer { scalar, .. } => self.scalar(scalar),
            _ => {}
        }
    }

    fn scalar(&mut self, scalar: Scalar) {
        self.needs.features |= match (scalar.kind, scalar.width) {
            (ScalarKind::Float, 2) => Features::F16,
            (ScalarKind::Float, 8) => Features::F64,
            (ScalarKind::Sint | ScalarKind::Uint, 2) => Features::I16,
            (ScalarKind::Sint | ScalarKind::Uint, 8) => Features::I64,
            _ => Features::empty(),
        };
    }

    fn binding(&mut self, binding: Option<&Binding>) {
        match binding {
            Some(Binding::BuiltIn(BuiltIn::NumWorkGroups)) => self.needs.num_workgroups = true,
            Some(Binding::BuiltIn(
                BuiltIn::NumSubgroups
                | BuiltIn::SubgroupId
                | BuiltIn::SubgroupSize
                | BuiltIn::SubgroupInvocationId,
            )) => self.needs.features |= Features::SUBGROUPS,
            _ => {}
        }
    }

    fn statement(&mut self, statement: &Statement, info: &FunctionInfo) {
        match statement {
            Statement::ControlBarrier(barrier) | Statement::MemoryBarrier(barrier) => {
                self.needs.barriers = true;
                if barrier.contains(Barrier::SUB_GROUP) {
                    self.needs.features |= Features::SUBGROUPS | Features::SUBGROUP_BARRIER;
                }
            }
            Statement::Loop { .. } => self.needs.loops = true,
            Statement::WorkGroupUniformLoad { .. } => self.needs.barriers = true,
            Statement::SubgroupBallot { .. }
            | Statement::SubgroupGather { .. }
            | Statement::SubgroupCollectiveOperation { .. } => self.needs.features |= Features::SUBGROUPS,
            Statement::Store { pointer, .. } => self.atomic_access(*pointer, info),
            Statement::Atomic { pointer, fun, result, .. } => {
                self.atomic(*pointer, fun, result.is_some(), info)
            }
            _ => {}
        }
    }

    /// A load or store, which is atomic where the pointer is one to an atomic.
    fn atomic_access(&mut self, pointer: Handle<Expression>, info: &FunctionInfo) {
        let Some((scalar, space)) = self.atomic_pointer(pointer, info) else {
            return;
        };
        self.needs.storage_atomics |= matches!(space, AddressSpace::Storage { .. });
        self.needs.features |= match (scalar.kind, scalar.width) {
            (ScalarKind::Float, 4) => Features::ATOMIC_F32,
            (_, 8) => Features::ATOMIC_I64,
            _ => Features::empty(),
        };
    }

    fn atomic(
        &mut self,
        pointer: Handle<Expression>,
        fun: &AtomicFunction,
        result: bool,
        info: &FunctionInfo,
    ) {
        let Some((scalar, space)) = self.atomic_pointer(pointer, info) else {
            return;
        };
        let storage = matches!(space, AddressSpace::Storage { .. });
        let simple = matches!(fun, AtomicFunction::Min | AtomicFunction::Max) && storage && !result;
        self.needs.storage_atomics |= storage;
        self.needs.features |= match (scalar.kind, scalar.width) {
            (ScalarKind::Float, 4) => Features::ATOMIC_F32,
            (_, 8) if simple => Features::ATOMIC_I64_MIN_MAX,
            (_, 8) => Features::ATOMIC_I64,
            _ => Features::empty(),
        };
    }

    fn atomic_pointer(
        &self,
        pointer: Handle<Expression>,
        info: &FunctionInfo,
    ) -> Option<(Scalar, AddressSpace)> {
        let types = &self.module.types;
        match *info[pointer].ty.inner_with(types) {
            TypeInner::Pointer { base, space } => match types[base].inner {
                TypeInner::Atomic(scalar) => Some((scalar, space)),
                _ => None,
            },
            _ => None,
        }
    }
}
