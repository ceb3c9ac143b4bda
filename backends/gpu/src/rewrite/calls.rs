//! Who calls whom with what, and which pointers so handed on may lead nowhere.
//!
//! A function cannot see whether a pointer parameter leads to an element, so where it may not, it gets a flag that
//! says so. Knows nothing of how a pointer is checked.

use naga::{Block, Expression, Function, Handle, Module, Statement, TypeInner};

/// Calls `f` with the function and the arguments of every call in a block.
pub(super) fn visit(block: &Block, f: &mut impl FnMut(Handle<Function>, &[Handle<Expression>])) {
    for statement in block {
        match statement {
            Statement::Call { function, arguments, .. } => f(*function, arguments),
            Statement::Block(block) => visit(block, f),
            Statement::If { accept: a, reject: b, .. } | Statement::Loop { body: a, continuing: b, .. } => {
                visit(a, f);
                visit(b, f);
            }
            Statement::Switch { cases, .. } => cases.iter().for_each(|case| visit(&case.body, f)),
            _ => {}
        }
    }
}

/// The parameters that some call gives a pointer that may lead nowhere.
pub(super) struct Flagged {
    /// By function, in ascending order.
    parameters: Vec<Vec<u32>>,
}

impl Flagged {
    pub(super) fn of(module: &Module) -> Self {
        let mut new = Self { parameters: vec![Vec::new(); module.functions.len()] };
        new.look(module, &module.entry_points[0].function, None);
        // naga keeps callees before their callers, so all calls of a function were seen when its turn comes.
        for (handle, function) in module.functions.iter().rev() {
            new.look(module, function, Some(handle));
        }
        new
    }

    /// The flagged parameters of a function; an entry point has none.
    pub(super) fn parameters(&self, function: Option<Handle<Function>>) -> &[u32] {
        function.map_or(&[], |function| &self.parameters[function.index()])
    }

    fn look(&mut self, module: &Module, function: &Function, handle: Option<Handle<Function>>) {
        let own = self.parameters(handle).to_vec();
        visit(&function.body, &mut |callee, arguments| {
            for (position, (argument, parameter)) in
                arguments.iter().zip(&module.functions[callee].arguments).enumerate()
            {
                let inner = &module.types[parameter.ty].inner;
                let pointer = matches!(inner, TypeInner::Pointer { .. } | TypeInner::ValuePointer { .. });
                if pointer && may_lead_nowhere(function, *argument, &own) {
                    let flagged = &mut self.parameters[callee.index()];
                    if let Err(at) = flagged.binary_search(&(position as u32)) {
                        flagged.insert(at, position as u32);
                    }
                }
            }
        });
    }
}

/// Some step on the way to what a pointer leads to is a dynamic index; `own` are the function's flagged parameters.
fn may_lead_nowhere(function: &Function, mut pointer: Handle<Expression>, own: &[u32]) -> bool {
    loop {
        match function.expressions[pointer] {
            Expression::Access { .. } => return true,
            Expression::AccessIndex { base, .. } => pointer = base,
            Expression::FunctionArgument(parameter) => return own.contains(&parameter),
            _ => return false,
        }
    }
}
