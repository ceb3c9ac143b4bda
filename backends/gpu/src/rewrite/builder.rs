//! A function under construction: expressions, their evaluation order, and statements.
//!
//! naga wants expressions in evaluation order, covered by `Emit` statements in contiguous runs, except for those
//! that are evaluated "before execution" (literals, variables, …), which must not be covered. This file keeps that
//! book; it knows nothing of why code is built.

use naga::{
    AddressSpace, Arena, BinaryOperator, Block, Expression, GlobalVariable, Handle, Literal, LocalVariable,
    MathFunction, MemoryDecorations, Scalar, ScalarKind, Span, Statement, Type, TypeInner, UniqueArena,
    VectorSize,
};

/// A function under construction.
pub(super) struct Builder<'a> {
    pub(super) types: &'a mut UniqueArena<Type>,
    globals: &'a mut Arena<GlobalVariable>,
    pub(super) expressions: Arena<Expression>,
    pub(super) locals: Arena<LocalVariable>,
    block: Block,
    /// Where the run of expressions starts that no `Emit` covers yet.
    run: Option<usize>,
    /// Literals and the like made so far: they are valid everywhere, one of each is enough.
    fixed: Vec<(Expression, Handle<Expression>)>,
    /// The source that new code stands for.
    pub(super) span: Span,
}

impl<'a> Builder<'a> {
    pub(super) fn new(types: &'a mut UniqueArena<Type>, globals: &'a mut Arena<GlobalVariable>) -> Self {
        Self {
            types,
            globals,
            expressions: Arena::new(),
            locals: Arena::new(),
            block: Block::new(),
            run: None,
            fixed: Vec::new(),
            span: Span::UNDEFINED,
        }
    }

    /// An expression that is evaluated here.
    pub(super) fn emit(&mut self, expression: Expression) -> Handle<Expression> {
        self.run.get_or_insert(self.expressions.len());
        self.expressions.append(expression, self.span)
    }

    /// An expression that no `Emit` covers: a statement's result, or a part of a constant initialiser.
    pub(super) fn bare(&mut self, expression: Expression) -> Handle<Expression> {
        self.flush();
        self.expressions.append(expression, self.span)
    }

    /// An expression that is evaluated before execution begins; one of each is made.
    pub(super) fn fixed(&mut self, expression: Expression) -> Handle<Expression> {
        debug_assert!(expression.needs_pre_emit());
        if let Some((_, handle)) = self.fixed.iter().find(|(e, _)| *e == expression) {
            return *handle;
        }
        let handle = self.bare(expression.clone());
        self.fixed.push((expression, handle));
        handle
    }

    /// Ends the run of expressions to be evaluated.
    fn flush(&mut self) {
        if let Some(start) = self.run.take() {
            self.block.push(Statement::Emit(self.expressions.range_from(start)), self.span);
        }
    }

    pub(super) fn push(&mut self, statement: Statement) {
        self.flush();
        self.block.push(statement, self.span);
    }

    /// Opens a block; the outer one is to be handed to [`close`](Self::close).
    pub(super) fn open(&mut self) -> Block {
        self.flush();
        std::mem::take(&mut self.block)
    }

    /// Closes a block and goes on with the outer one.
    pub(super) fn close(&mut self, outer: Block) -> Block {
        self.flush();
        std::mem::replace(&mut self.block, outer)
    }

    /// Ends the construction.
    pub(super) fn finish(mut self) -> (Arena<Expression>, Arena<LocalVariable>, Block) {
        self.flush();
        (self.expressions, self.locals, self.block)
    }

    // Types.

    pub(super) fn ty(&mut self, inner: TypeInner) -> Handle<Type> {
        self.types.insert(Type { name: None, inner }, Span::UNDEFINED)
    }

    pub(super) fn uvec3(&mut self) -> Handle<Type> {
        self.ty(TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::U32 })
    }

    // Small expressions.

    pub(super) fn literal(&mut self, value: u32) -> Handle<Expression> {
        self.fixed(Expression::Literal(Literal::U32(value)))
    }

    pub(super) fn zero(&mut self, ty: Handle<Type>) -> Handle<Expression> {
        self.fixed(Expression::ZeroValue(ty))
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOperator,
        left: Handle<Expression>,
        right: Handle<Expression>,
    ) -> Handle<Expression> {
        self.emit(Expression::Binary { op, left, right })
    }

    pub(super) fn min(&mut self, a: Handle<Expression>, b: Handle<Expression>) -> Handle<Expression> {
        self.emit(Expression::Math { fun: MathFunction::Min, arg: a, arg1: Some(b), arg2: None, arg3: None })
    }

    pub(super) fn cast(&mut self, expr: Handle<Expression>, convert: Option<u8>) -> Handle<Expression> {
        self.emit(Expression::As { expr, kind: ScalarKind::Uint, convert })
    }

    pub(super) fn member(&mut self, base: Handle<Expression>, index: u32) -> Handle<Expression> {
        self.emit(Expression::AccessIndex { base, index })
    }

    pub(super) fn load(&mut self, pointer: Handle<Expression>) -> Handle<Expression> {
        self.emit(Expression::Load { pointer })
    }

    pub(super) fn store(&mut self, pointer: Handle<Expression>, value: Handle<Expression>) {
        self.push(Statement::Store { pointer, value });
    }

    /// `if condition { accept }`
    pub(super) fn when(&mut self, condition: Handle<Expression>, accept: impl FnOnce(&mut Self)) {
        let outer = self.open();
        accept(self);
        let accept = self.close(outer);
        self.push(Statement::If { condition, accept, reject: Block::new() });
    }

    /// A new variable of the function: the pointer to it.
    pub(super) fn variable(&mut self, name: &str, ty: Handle<Type>) -> Handle<Expression> {
        let local = LocalVariable { name: Some(name.into()), ty, init: None };
        let local = self.locals.append(local, self.span);
        self.fixed(Expression::LocalVariable(local))
    }

    /// A new private variable of the module: the pointer to it.
    pub(super) fn private(&mut self, name: &str, ty: Handle<Type>) -> Handle<Expression> {
        let global = GlobalVariable {
            name: Some(name.into()),
            space: AddressSpace::Private,
            binding: None,
            ty,
            init: None,
            memory_decorations: MemoryDecorations::empty(),
        };
        let global = self.globals.append(global, self.span);
        self.fixed(Expression::GlobalVariable(global))
    }
}
