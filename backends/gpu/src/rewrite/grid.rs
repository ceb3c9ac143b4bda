//! The beginning of the entry point: from the physical dispatch to the logical grid.
//!
//! Physically a dispatch is (x, y, z) workgroups of at most 65535 each, and may be a part of the launch. Logically
//! the kernel sees the ids and the size of the whole grid, and, where the launch is `over` an exact number of
//! invocations, only those. What relates the two comes as immediates, laid out as in [`Launch`].
//! Knows nothing of bounds.

use naga::{
    AddressSpace, Arena, BinaryOperator, Binding, BuiltIn, Expression, FunctionArgument, GlobalVariable,
    Handle, RelationalFunction, Scalar, Span, Statement, StructMember, Type, TypeInner, UniqueArena,
    VectorSize,
};

use super::builder::Builder;

/// What every dispatch hands to the kernel, as the immediates' bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub(crate) struct Launch {
    /// The logical workgroup of the physical workgroup (0, 0, 0).
    pub(crate) offset: [u32; 3],
    /// How far a physical y goes along the logical x.
    pub(crate) fold: u32,
    /// Workgroups of the logical grid.
    pub(crate) grid: [u32; 3],
    /// How far a physical y goes along the logical y.
    pub(crate) unfold: u32,
    /// Invocations that take effect.
    pub(crate) over: [u32; 3],
    /// The structure's size in WGSL is a multiple of its alignment.
    pub(crate) padding: u32,
}

const MEMBERS: [(&str, u32); 5] = [("offset", 0), ("fold", 12), ("grid", 16), ("unfold", 28), ("over", 32)];
const OFFSET: u32 = 0;
const FOLD: u32 = 1;
const GRID: u32 = 2;
const UNFOLD: u32 = 3;
const OVER: u32 = 4;

/// Declares the immediates.
pub(super) fn declare(
    types: &mut UniqueArena<Type>,
    globals: &mut Arena<GlobalVariable>,
) -> Handle<GlobalVariable> {
    let mut ty = |inner| types.insert(Type { name: None, inner }, Span::UNDEFINED);
    let word = ty(TypeInner::Scalar(Scalar::U32));
    let triple = ty(TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::U32 });
    let members = MEMBERS.map(|(name, offset)| StructMember {
        name: Some(name.into()),
        ty: if matches!(name, "offset" | "grid" | "over") { triple } else { word },
        binding: None,
        offset,
    });
    let inner = TypeInner::Struct { members: members.into(), span: size_of::<Launch>() as u32 };
    let ty = types.insert(Type { name: Some("WarpweftLaunch".into()), inner }, Span::UNDEFINED);
    globals.append(
        GlobalVariable {
            name: Some("warpweft_launch".into()),
            space: AddressSpace::Immediate,
            binding: None,
            ty,
            init: None,
            memory_decorations: naga::MemoryDecorations::empty(),
        },
        Span::UNDEFINED,
    )
}

/// What the entry point needs to know about itself.
pub(super) struct Entry<'a> {
    pub(super) launch: Handle<GlobalVariable>,
    pub(super) workgroup_size: [u32; 3],
    /// Invocations outside `over` leave at once.
    pub(super) exact: bool,
    /// The arguments as they were.
    pub(super) arguments: &'a [FunctionArgument],
}

/// Builds the prelude; gives the new arguments, and for each old argument the value that replaces it.
pub(super) fn prelude(
    b: &mut Builder<'_>,
    entry: &Entry<'_>,
) -> (Vec<FunctionArgument>, Vec<Handle<Expression>>) {
    let mut inputs = Inputs { arguments: Vec::new() };
    let triple = b.uvec3();
    let launch = b.fixed(Expression::GlobalVariable(entry.launch));
    let physical = inputs.value(b, BuiltIn::WorkGroupId, triple);
    let local = inputs.value(b, BuiltIn::LocalInvocationId, triple);

    let grid = word(b, launch, GRID);
    let [fold, unfold] = [FOLD, UNFOLD].map(|member| word(b, launch, member));
    let offset = word(b, launch, OFFSET);
    let [x, y, z] = [0, 1, 2].map(|axis| b.member(physical, axis));
    let along = b.binary(BinaryOperator::Multiply, fold, y);
    let x = b.binary(BinaryOperator::Add, x, along);
    let y = b.binary(BinaryOperator::Multiply, unfold, y);
    let inner = b.emit(Expression::Compose { ty: triple, components: vec![x, y, z] });
    let workgroup = b.binary(BinaryOperator::Add, offset, inner);

    let size = entry.workgroup_size.map(|n| b.literal(n));
    let size = b.emit(Expression::Compose { ty: triple, components: size.into() });
    let first = b.binary(BinaryOperator::Multiply, workgroup, size);
    let global = b.binary(BinaryOperator::Add, first, local);
    if entry.exact {
        let over = word(b, launch, OVER);
        let beyond = b.binary(BinaryOperator::GreaterEqual, global, over);
        let outside = b.emit(Expression::Relational { fun: RelationalFunction::Any, argument: beyond });
        b.when(outside, |b| b.push(Statement::Return { value: None }));
    }

    let logical = |b: &mut Builder<'_>, inputs: &mut Inputs, binding: &Option<Binding>, ty| match binding {
        Some(Binding::BuiltIn(BuiltIn::GlobalInvocationId)) => global,
        Some(Binding::BuiltIn(BuiltIn::WorkGroupId)) => workgroup,
        Some(Binding::BuiltIn(BuiltIn::NumWorkGroups)) => grid,
        Some(Binding::BuiltIn(other)) => inputs.value(b, *other, ty),
        _ => b.zero(ty),
    };
    let mut values = Vec::new();
    for argument in entry.arguments {
        let members = match &b.types[argument.ty].inner {
            TypeInner::Struct { members, .. } => Some(members.clone()),
            _ => None,
        };
        values.push(match members {
            None => logical(b, &mut inputs, &argument.binding, argument.ty),
            Some(members) => {
                let components: Vec<_> =
                    members.iter().map(|m| logical(b, &mut inputs, &m.binding, m.ty)).collect();
                b.emit(Expression::Compose { ty: argument.ty, components })
            }
        });
    }
    (inputs.arguments, values)
}

/// The built-in inputs that the new entry point takes, each once.
struct Inputs {
    arguments: Vec<FunctionArgument>,
}

impl Inputs {
    fn value(&mut self, b: &mut Builder<'_>, builtin: BuiltIn, ty: Handle<Type>) -> Handle<Expression> {
        let binding = Some(Binding::BuiltIn(builtin));
        let position = self.arguments.iter().position(|a| a.binding == binding).unwrap_or_else(|| {
            self.arguments.push(FunctionArgument { name: None, ty, binding });
            self.arguments.len() - 1
        });
        b.fixed(Expression::FunctionArgument(position as u32))
    }
}

fn word(b: &mut Builder<'_>, launch: Handle<Expression>, member: u32) -> Handle<Expression> {
    let pointer = b.member(launch, member);
    b.load(pointer)
}
