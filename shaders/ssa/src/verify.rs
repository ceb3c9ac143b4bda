//! What holds in every [`Function`]: a check for tests, and after building in debug builds.
//!
//! Rules: values are defined once and visible where used; operands have the types that operations want; lists end as
//! `ir` says; branches lead to what is around them, with as many arguments as are expected, of the same types; places
//! have known roots, and indices are `u32`; functions call those before them, which need nothing of the kernel as a whole,
//! and share their variables with it.

use crate::arithmetic::{is_float, is_integer};
use crate::ir::{
    Barrier, Binary, Collective, Function, Label, Limit, Op, Place, Root, Statement, Unary, Value,
};
use std::ops::Range;
use warpweft_module::Scalar;

/// Whether a function keeps the rules; `Err` says which one it breaks, and where.
pub fn verify(function: &Function) -> Result<(), String> {
    for number in 0..function.functions.len() as u32 {
        let callee = function.callee(number);
        one(&callee, 0..number, true).map_err(|what| format!("{what}, in function {number}"))?;
    }
    one(function, 0..function.functions.len() as u32, false)
}

/// One function, which may call those.
fn one(function: &Function, callees: Range<u32>, called: bool) -> Result<(), String> {
    let mut verifier = Verifier {
        function,
        callees,
        called,
        visible: vec![false; function.values.len()],
        defined: vec![false; function.values.len()],
        labels: vec![false; function.labels as usize],
        around: Vec::new(),
    };
    verifier.list(&function.body, Some(&[]))
}

/// What a label stands for, inside it.
struct Around {
    label: Label,
    expects: Vec<Scalar>,
}

struct Verifier<'f> {
    function: &'f Function,
    /// What it may call.
    callees: Range<u32>,
    /// It is called itself.
    called: bool,
    visible: Vec<bool>,
    defined: Vec<bool>,
    labels: Vec<bool>,
    around: Vec<Around>,
}

impl Verifier<'_> {
    fn ty(&self, value: Value) -> Scalar {
        self.function.values[value.0 as usize].ty
    }

    fn define(&mut self, value: Value) -> Result<(), String> {
        match self.defined.get_mut(value.0 as usize) {
            None => return Err(format!("{value:?} does not exist")),
            Some(true) => return Err(format!("{value:?} is defined twice")),
            Some(defined) => *defined = true,
        }
        self.visible[value.0 as usize] = true;
        Ok(())
    }

    fn parameter(&mut self, value: Value) -> Result<(), String> {
        self.define(value)?;
        match self.function.values[value.0 as usize].op {
            Op::Parameter => Ok(()),
            ref op => Err(format!("{value:?} is {op:?} and not a parameter")),
        }
    }

    fn uses(&self, value: Value, by: &dyn std::fmt::Debug) -> Result<(), String> {
        match self.visible.get(value.0 as usize) {
            Some(true) => Ok(()),
            _ => Err(format!("{value:?} is not visible in {by:?}")),
        }
    }

    fn expect(&self, value: Value, ty: Scalar, by: &dyn std::fmt::Debug) -> Result<(), String> {
        self.uses(value, by)?;
        let found = self.ty(value);
        if found == ty { Ok(()) } else { Err(format!("{value:?} is {found}, not {ty}, in {by:?}")) }
    }

    fn arguments(&self, arguments: &[Value], expects: &[Scalar], what: &str) -> Result<(), String> {
        if arguments.len() != expects.len() {
            return Err(format!("{} arguments for {} parameters of {what}", arguments.len(), expects.len()));
        }
        arguments.iter().zip(expects).try_for_each(|(&value, &ty)| self.expect(value, ty, &what))
    }

    fn label(&mut self, label: Label) -> Result<(), String> {
        match self.labels.get_mut(label.0 as usize) {
            Some(true) => Err(format!("{label:?} is given out twice")),
            Some(used) => {
                *used = true;
                Ok(())
            }
            None => Err(format!("{label:?} does not exist")),
        }
    }

    /// A list, what its `Yield` gives (`None`: it must not yield).
    fn list(&mut self, list: &[Statement], expects: Option<&[Scalar]>) -> Result<(), String> {
        let mut mine = Vec::new();
        for (n, statement) in list.iter().enumerate() {
            let ends = self.statement(statement, expects, &mut mine)?;
            let last = n + 1 == list.len();
            if ends != last {
                return Err(format!(
                    "{} in a list",
                    if ends { "a statement behind the end" } else { "no end" }
                ));
            }
        }
        if list.is_empty() {
            return Err("an empty list".to_string());
        }
        for value in mine {
            self.visible[value.0 as usize] = false;
        }
        Ok(())
    }

    /// One statement; whether it ends its list.
    fn statement(
        &mut self,
        statement: &Statement,
        expects: Option<&[Scalar]>,
        mine: &mut Vec<Value>,
    ) -> Result<bool, String> {
        match statement {
            &Statement::Let(value) => {
                let Some(definition) = self.function.values.get(value.0 as usize) else {
                    return Err(format!("{value:?} does not exist"));
                };
                self.op(&definition.op, definition.ty)?;
                self.define(value)?;
                mine.push(value);
                Ok(false)
            }
            Statement::Store { place, value, .. } => {
                self.place(place)?;
                self.expect(*value, place.ty, statement)?;
                Ok(false)
            }
            Statement::Barrier { .. } if self.called => Err("a barrier in a function".to_string()),
            Statement::Barrier {
                kind: Barrier::Workgroup | Barrier::Storage | Barrier::Subgroup, ..
            } => Ok(false),
            Statement::Call { function, .. } => {
                let known = self.callees.contains(function);
                if known { Ok(false) } else { Err(format!("a call of function {function} from here")) }
            }
            Statement::If { condition, then, otherwise, results, .. } => {
                self.expect(*condition, Scalar::Bool, &"if")?;
                let types: Vec<Scalar> = results.iter().map(|&result| self.ty(result)).collect();
                self.list(then, Some(&types))?;
                self.list(otherwise, Some(&types))?;
                for &result in results {
                    self.parameter(result)?;
                    mine.push(result);
                }
                let goes_on = yields(then) || yields(otherwise);
                if !goes_on && !results.is_empty() {
                    return Err("an `if` with results that nobody gives".to_string());
                }
                Ok(!goes_on)
            }
            Statement::Block { label, body, results } => {
                self.label(*label)?;
                let types: Vec<Scalar> = results.iter().map(|&result| self.ty(result)).collect();
                self.around.push(Around { label: *label, expects: types.clone() });
                self.list(body, Some(&types))?;
                self.around.pop();
                for &result in results {
                    self.parameter(result)?;
                    mine.push(result);
                }
                Ok(false)
            }
            Statement::Loop { label, params, body, .. } => {
                self.label(*label)?;
                for &(param, start) in params {
                    self.expect(start, self.ty(param), &"the start of a loop")?;
                }
                let mut inside = Vec::new();
                for &(param, _) in params {
                    self.parameter(param)?;
                    inside.push(param);
                }
                let expects = params.iter().map(|&(param, _)| self.ty(param)).collect();
                self.around.push(Around { label: *label, expects });
                self.list(body, None)?;
                self.around.pop();
                inside.into_iter().for_each(|param| self.visible[param.0 as usize] = false);
                Ok(true)
            }
            Statement::Branch { label, arguments } => {
                let Some(around) = self.around.iter().rev().find(|around| around.label == *label) else {
                    return Err(format!("a branch to {label:?} from outside of it"));
                };
                self.arguments(arguments, &around.expects, &format!("{label:?}"))?;
                Ok(true)
            }
            Statement::Yield { arguments } => {
                let Some(expects) = expects else {
                    return Err("a loop that yields".to_string());
                };
                self.arguments(arguments, expects, "a yield")?;
                Ok(true)
            }
            Statement::Return => Ok(true),
        }
    }

    fn place(&self, place: &Place) -> Result<(), String> {
        let size = match place.root {
            Root::Binding(n) => self.function.bindings.get(n as usize).map(|binding| binding.min_size),
            Root::Variable(n) => self.function.variables.get(n as usize).map(|variable| variable.size.into()),
        };
        let Some(size) = size else {
            return Err(format!("{place:?} has no root"));
        };
        if let Root::Variable(n) = place.root {
            let variable = &self.function.variables[n as usize];
            let several = self.called || !self.callees.is_empty();
            if several && !variable.workgroup && !variable.shared {
                return Err(format!("{place:?} is not said to be shared"));
            }
        }
        let mut reach = u64::from(place.offset) + u64::from(place.ty.size());
        let mut runtime = false;
        for index in &place.indices {
            self.expect(index.value, Scalar::U32, place)?;
            match index.limit {
                Limit::Fixed(count) => {
                    reach += u64::from(count.saturating_sub(1)) * u64::from(index.stride);
                }
                Limit::Runtime { .. } if matches!(place.root, Root::Variable(_)) => {
                    return Err(format!("{place:?} has a limit at run time"));
                }
                Limit::Runtime { .. } => runtime = true,
            }
        }
        if !runtime && reach > size {
            return Err(format!("{place:?} reaches beyond {size} bytes"));
        }
        Ok(())
    }

    fn op(&self, op: &Op, ty: Scalar) -> Result<(), String> {
        let mut fine = Ok(());
        op.operands(|operand| {
            if fine.is_ok() {
                fine = self.uses(operand, op);
            }
        });
        fine?;
        if let Some(place) = op.place() {
            self.place(place)?;
            if place.ty != ty {
                return Err(format!("{op:?} gives {ty}"));
            }
        }
        let whole = matches!(
            op,
            Op::Builtin(_)
                | Op::Ballot(..)
                | Op::Collective(..)
                | Op::Gather(..)
                | Op::Load { uniform: true, .. }
        );
        if self.called && whole {
            return Err(format!("{op:?} in a function"));
        }
        let wrong = || Err(format!("{op:?} gives {ty}"));
        match *op {
            Op::Constant(bits) => {
                if bits & !crate::arithmetic::ones(ty) != 0 {
                    return wrong();
                }
            }
            Op::Parameter => return Err("a parameter in a `Let`".to_string()),
            Op::Builtin(_) | Op::Length { .. } | Op::Ballot(..) if ty != Scalar::U32 => return wrong(),
            Op::Builtin(_) | Op::Length { .. } => {}
            Op::Ballot(a, n) => {
                self.expect(a, Scalar::Bool, op)?;
                if n > 3 {
                    return wrong();
                }
            }
            Op::Unary(unary, a) => {
                self.expect(a, ty, op)?;
                let fine = match unary {
                    Unary::Negate | Unary::Abs => ty != Scalar::Bool,
                    Unary::Not => !is_float(ty),
                    Unary::Sqrt | Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::Round => is_float(ty),
                    _ => is_integer(ty),
                };
                if !fine {
                    return wrong();
                }
            }
            Op::Binary(binary, a, b) => {
                self.expect(a, ty, op)?;
                let shift = matches!(binary, Binary::ShiftLeft | Binary::ShiftRight);
                self.expect(b, if shift { Scalar::U32 } else { ty }, op)?;
                let fine = match binary {
                    Binary::And | Binary::Or | Binary::Xor => !is_float(ty),
                    Binary::ShiftLeft | Binary::ShiftRight => is_integer(ty),
                    _ => ty != Scalar::Bool,
                };
                if !fine {
                    return wrong();
                }
            }
            Op::Fma(a, b, c) => {
                [a, b, c].into_iter().try_for_each(|value| self.expect(value, ty, op))?;
                if !is_float(ty) {
                    return wrong();
                }
            }
            Op::Compare(_, a, b) => {
                self.expect(b, self.ty(a), op)?;
                if ty != Scalar::Bool {
                    return wrong();
                }
            }
            Op::Select(condition, a, b) => {
                self.expect(condition, Scalar::Bool, op)?;
                self.expect(a, ty, op)?;
                self.expect(b, ty, op)?;
            }
            Op::Convert(a) if self.ty(a) == ty => return wrong(),
            Op::Convert(_) => {}
            Op::Bitcast(a) if self.ty(a).size() != ty.size() => return wrong(),
            Op::Bitcast(_) => {}
            Op::Quantize(a) => self.expect(a, Scalar::F32, op)?,
            Op::PackHalf(a, b) => {
                self.expect(a, Scalar::F32, op)?;
                self.expect(b, Scalar::F32, op)?;
            }
            Op::UnpackHalf(a, _) => self.expect(a, Scalar::U32, op)?,
            Op::Math(_, a) => {
                self.expect(a, ty, op)?;
                if !is_float(ty) {
                    return wrong();
                }
            }
            Op::Atan2(a, b) | Op::Pow(a, b) => {
                self.expect(a, ty, op)?;
                self.expect(b, ty, op)?;
            }
            Op::Load { .. } => {}
            Op::Atomic(_, _, a) => self.expect(a, ty, op)?,
            Op::CompareExchange(_, a, b) => {
                self.expect(a, ty, op)?;
                self.expect(b, ty, op)?;
            }
            Op::Collective(collective, _, a) => {
                self.expect(a, ty, op)?;
                if matches!(collective, Collective::All | Collective::Any) != (ty == Scalar::Bool) {
                    return wrong();
                }
            }
            Op::Gather(_, a, index) => {
                self.expect(a, ty, op)?;
                index.into_iter().try_for_each(|index| self.expect(index, Scalar::U32, op))?;
            }
        }
        Ok(())
    }
}

fn yields(list: &[Statement]) -> bool {
    matches!(list.last(), Some(Statement::Yield { .. }))
}
