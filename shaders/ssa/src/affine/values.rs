//! From operations to forms.
//!
//! Knows nothing of control flow: it is told who is here.

use super::LaunchFacts;
use super::form::{Form, Variable};
use super::space::{GLOBAL, Info, LOCAL, Piece, Quotient, Space, WORKGROUP};
use crate::ir::{Binary, Builtin, Function, Op, Place, Root, Unary, Value};
use warpweft_module::Scalar;

const WORD: i128 = 1 << 32;
/// How deep expressions of constants are looked through.
const DEPTH: u32 = 8;

/// What is known at a point of the walk.
pub(crate) struct State<'a> {
    pub(crate) function: &'a Function,
    /// The launch; without it, what holds for every one.
    pub(crate) facts: Option<&'a LaunchFacts<'a>>,
    pub(crate) space: Space,
    /// Everybody who begins; [`Piece::origin`] is an index into it.
    pub(crate) origins: Vec<Piece>,
    /// What counts the rounds of the loops around, outermost first.
    pub(crate) rounds: Vec<Variable>,
    /// Of 32-bit integers.
    pub(super) forms: Vec<Option<Form>>,
    /// Of `bool`s that come together behind an `If`: its condition, and both.
    pub(super) choices: Vec<Option<(Value, Value, Value)>>,
    /// Conditions that were looked into for the answer at hand.
    pub(super) asked: u32,
    lengths: Vec<((u32, u32, u32), Variable)>,
    constants: Vec<(Root, u32, Variable)>,
}

/// 32-bit integers, which have forms.
pub(crate) fn is_integer(ty: Scalar) -> bool {
    matches!(ty, Scalar::U32 | Scalar::I32)
}

impl<'a> State<'a> {
    pub(super) fn new(function: &'a Function, facts: Option<&'a LaunchFacts<'a>>) -> Self {
        let mut space = Space::default();
        let size = function.workgroup_size.map(i128::from);
        // Per axis: ids of invocations, of workgroups, and within one. Ids wrap around like everything else.
        let count = |axis: usize| facts.map_or(WORD, |facts| i128::from(facts.workgroups[axis]));
        let range = |hi: i128| Info { lo: 0, hi: (hi - 1).max(0), exact: true, counted: false };
        (0..3).for_each(|axis| {
            let all = count(axis) * size[axis];
            space.add(range(if facts.is_none() { all.min(WORD) } else { all }));
        });
        (0..3).for_each(|axis| {
            space.add(range(count(axis)));
        });
        (0..3).for_each(|axis| {
            space.add(range(size[axis]));
        });
        State {
            function,
            facts,
            space,
            origins: Vec::new(),
            rounds: Vec::new(),
            forms: vec![None; function.values.len()],
            choices: vec![None; function.values.len()],
            asked: 0,
            lengths: Vec::new(),
            constants: Vec::new(),
        }
    }

    /// The form of a 32-bit integer.
    pub(crate) fn form(&mut self, value: Value) -> Form {
        if let Some(form) = &self.forms[value.0 as usize] {
            return form.clone();
        }
        let form = match self.function.constant(value) {
            Some(bits) => Form::constant(i128::from(bits as u32)).wrapped(),
            None => self.unknown(self.function.ty(value)),
        };
        self.forms[value.0 as usize] = Some(form.clone());
        form
    }

    /// The form of a 32-bit integer that the walk came by.
    pub(crate) fn known_form(&self, value: Value) -> Option<&Form> {
        self.forms[value.0 as usize].as_ref()
    }

    fn unknown(&mut self, ty: Scalar) -> Form {
        let (lo, hi) = if ty == Scalar::I32 { (-WORD / 2, WORD / 2 - 1) } else { (0, WORD - 1) };
        Form::variable(self.space.unknown(lo, hi))
    }

    /// Some integer in this range, of this type: anything where the range has numbers that the type has not.
    pub(super) fn between(&mut self, lo: i128, hi: i128, ty: Scalar) -> Form {
        let (least, most) = if ty == Scalar::I32 { (-WORD / 2, WORD / 2 - 1) } else { (0, WORD - 1) };
        if lo < least || hi > most {
            return self.unknown(ty);
        }
        if lo == hi { Form::constant(lo).wrapped() } else { Form::variable(self.space.unknown(lo, hi)) }
    }

    /// The integer that a value is for all who are here.
    pub(crate) fn integer(&mut self, value: Value, pieces: &[Piece]) -> Option<Form> {
        let signed = self.function.ty(value) == Scalar::I32;
        let form = self.form(value);
        self.space.resolve(pieces, &form, signed)
    }

    fn interval(&mut self, value: Value, pieces: &[Piece]) -> Option<(i128, i128)> {
        let form = self.integer(value, pieces)?;
        self.space.hull(pieces, &form)
    }

    /// Computes the form of what an operation gives, where it is a 32-bit integer.
    pub(super) fn define(&mut self, value: Value, pieces: &[Piece]) {
        let function = self.function;
        let definition = function.definition(value);
        if !is_integer(definition.ty) || pieces.is_empty() {
            return;
        }
        let ty = definition.ty;
        let form = match definition.op {
            Op::Constant(_) => None,
            Op::Builtin(builtin) => Some(self.builtin(builtin)),
            Op::Length { binding, offset, stride } => Some(self.length(binding, offset, stride)),
            Op::Load { ref place, .. } => self.load(place, ty),
            Op::Convert(a) | Op::Bitcast(a) if is_integer(function.ty(a)) => Some(self.form(a)),
            Op::Convert(a) => match function.ty(a) {
                Scalar::Bool => Some(self.between(0, 1, ty)),
                Scalar::U16 => Some(self.between(0, 0xffff, ty)),
                _ => None,
            },
            Op::Unary(Unary::Negate, a) => Some(self.form(a).times(-1).wrapped()),
            Op::Unary(Unary::Not, a) => Some(self.form(a).times(-1).shifted(-1).wrapped()),
            Op::Unary(Unary::Abs, a) => match self.interval(a, pieces) {
                Some((0.., _)) => Some(self.form(a)),
                Some((lo, hi)) => Some(self.between(0, hi.max(-lo), ty)),
                None => None,
            },
            Op::Unary(Unary::CountOnes, _) => Some(self.between(0, 32, ty)),
            Op::Binary(operator, a, b) => self.binary(operator, a, b, ty, pieces),
            Op::Select(condition, a, b) => match self.decide(condition, pieces) {
                Some(truth) => Some(self.form(if truth { a } else { b })),
                None => self.either(a, b, ty, pieces),
            },
            _ => None,
        };
        let form = match form {
            Some(form) => self.folded(form),
            None => self.form(value),
        };
        self.forms[value.0 as usize] = Some(form);
    }

    /// One of two values.
    fn either(&mut self, a: Value, b: Value, ty: Scalar, pieces: &[Piece]) -> Option<Form> {
        let (x, y) = (self.form(a), self.form(b));
        if x == y {
            return Some(x);
        }
        let ((a, b), (c, d)) = (self.interval(a, pieces)?, self.interval(b, pieces)?);
        Some(self.between(a.min(c), b.max(d), ty))
    }

    fn binary(&mut self, operator: Binary, a: Value, b: Value, ty: Scalar, pieces: &[Piece]) -> Option<Form> {
        let (x, y) = (self.form(a), self.form(b));
        let constant = y.as_constant().map(|n| if ty == Scalar::I32 { n } else { n.rem_euclid(WORD) });
        match operator {
            Binary::Add => Some(x.plus(&y, 1).wrapped()),
            Binary::Subtract => Some(x.plus(&y, -1).wrapped()),
            Binary::Multiply => match (x.as_constant(), y.as_constant()) {
                (_, Some(factor)) => Some(x.times(factor).wrapped()),
                (Some(factor), _) => Some(y.times(factor).wrapped()),
                _ => {
                    let ((a, b), (c, d)) = (self.interval(a, pieces)?, self.interval(b, pieces)?);
                    let products = [a * c, a * d, b * c, b * d];
                    let (lo, hi) = (products.iter().min()?, products.iter().max()?);
                    Some(self.between(*lo, *hi, ty))
                }
            },
            Binary::ShiftLeft => Some(x.times(1 << (y.as_constant()? & 31)).wrapped()),
            Binary::Divide => {
                self.divided(a, constant.filter(|&n| n > 0)?, pieces).map(|(quotient, _)| quotient)
            }
            Binary::Modulo => self.divided(a, constant.filter(|&n| n > 0)?, pieces).map(|(_, rest)| rest),
            Binary::ShiftRight => {
                self.divided(a, 1 << (constant? & 31), pieces).map(|(quotient, _)| quotient)
            }
            Binary::And => {
                let (a, mask) = match (x.as_constant(), constant) {
                    (_, Some(mask)) => (a, mask),
                    (Some(mask), _) => (b, mask),
                    _ => return None,
                };
                let mask = mask.rem_euclid(WORD);
                if (mask + 1).count_ones() == 1
                    && let Some((_, rest)) = self.divided(a, mask + 1, pieces)
                {
                    return Some(rest);
                }
                Some(self.between(0, mask, ty))
            }
            Binary::Min | Binary::Max => {
                let (p, q) = (self.integer(a, pieces), self.integer(b, pieces));
                let (p, q) = (p.unwrap_or_else(|| self.unknown(ty)), q.unwrap_or_else(|| self.unknown(ty)));
                let (lo, hi) = self.space.hull(pieces, &p.plus(&q, -1))?;
                let min = operator == Binary::Min;
                if hi <= 0 || lo >= 0 {
                    return Some(if (hi <= 0) == min { x } else { y });
                }
                let ((a, b), (c, d)) = (self.space.hull(pieces, &p)?, self.space.hull(pieces, &q)?);
                Some(if min {
                    self.between(a.min(c), b.min(d), ty)
                } else {
                    self.between(a.max(c), b.max(d), ty)
                })
            }
            Binary::Or | Binary::Xor => None,
        }
    }

    /// Quotient and remainder by a positive number, of what is not negative here.
    fn divided(&mut self, a: Value, by: i128, pieces: &[Piece]) -> Option<(Form, Form)> {
        let source = self.integer(a, pieces).unwrap_or_else(|| self.unknown(self.function.ty(a)));
        let (lo, hi) = self.space.hull(pieces, &source)?;
        if lo < 0 {
            return None;
        }
        if lo / by == hi / by {
            return Some((Form::constant(lo / by), source.shifted(-(lo / by) * by).wrapped()));
        }
        if by == 1 {
            return Some((source.wrapped(), Form::constant(0)));
        }
        // What every coefficient and the constant are multiples of divides without remainder.
        if source.constant % by == 0 && source.terms.iter().all(|(_, c)| c % by == 0) {
            let quotient = Form {
                constant: source.constant / by,
                terms: source.terms.iter().map(|&(v, c)| (v, c / by)).collect(),
            };
            return Some((quotient.wrapped(), Form::constant(0)));
        }
        let known = self.space.quotients.iter().find(|q| {
            let range = self.space.info(q.quotient);
            q.source == source && q.by == by && range.lo <= lo / by && hi / by <= range.hi
        });
        let (quotient, remainder) = match known {
            Some(known) => (known.quotient, known.remainder),
            None => {
                let quotient = self.space.unknown(lo / by, hi / by);
                let remainder = self.space.unknown(0, by - 1);
                self.space.quotients.push(Quotient { source, by, quotient, remainder });
                (quotient, remainder)
            }
        };
        Some((Form::variable(quotient), Form::variable(remainder)))
    }

    /// Puts together what belongs together: workgroup and local ids, quotients and remainders.
    fn folded(&self, mut form: Form) -> Form {
        if form.terms.len() < 2 {
            return form;
        }
        let together = |form: Form, outer: Variable, inner: Variable, by: i128, source: &Form| {
            let factor = form.coefficient(inner);
            let parts = Form::variable(inner).plus(&Form::variable(outer), by);
            if factor == 0 || form.plus(&parts, -factor).wrapped().coefficient(outer) != 0 {
                return form;
            }
            form.plus(&parts, -factor).plus(source, factor).wrapped()
        };
        for axis in 0..3 {
            let size = i128::from(self.function.workgroup_size[axis as usize]);
            let id = Form::variable(GLOBAL + axis);
            form = together(form, WORKGROUP + axis, LOCAL + axis, size, &id);
        }
        for q in &self.space.quotients {
            form = together(form, q.quotient, q.remainder, q.by, &q.source);
        }
        form
    }

    fn builtin(&mut self, builtin: Builtin) -> Form {
        let size = self.function.workgroup_size.map(i128::from);
        let local = |axis: usize| match size[axis] {
            1 => Form::constant(0),
            _ => Form::variable(LOCAL + axis as u32),
        };
        match builtin {
            Builtin::GlobalId(axis) => Form::variable(GLOBAL + u32::from(axis)),
            Builtin::WorkgroupId(axis) if size[usize::from(axis)] == 1 => {
                Form::variable(GLOBAL + u32::from(axis))
            }
            Builtin::WorkgroupId(axis) => Form::variable(WORKGROUP + u32::from(axis)),
            Builtin::LocalId(axis) => local(axis.into()),
            Builtin::LocalIndex => local(0).plus(&local(1), size[0]).plus(&local(2), size[0] * size[1]),
            Builtin::NumWorkgroups(axis) => match self.facts {
                Some(facts) => Form::constant(facts.workgroups[usize::from(axis)].into()).wrapped(),
                None => Form::variable(self.space.unknown(1, WORD - 1)),
            },
            Builtin::SubgroupSize => self.between(1, 128, Scalar::U32),
            Builtin::NumSubgroups | Builtin::SubgroupId | Builtin::SubgroupInvocationId => {
                self.between(0, size.iter().product::<i128>().max(128), Scalar::U32)
            }
        }
    }

    /// The elements of a runtime-sized array.
    pub(crate) fn length(&mut self, binding: u32, offset: u32, stride: u32) -> Form {
        if let Some(facts) = self.facts {
            let bytes = facts.bytes.get(binding as usize).copied().unwrap_or(0);
            let elements = bytes.saturating_sub(offset.into()) / u64::from(stride.max(1));
            return Form::constant(elements.min(u32::MAX.into()).into()).wrapped();
        }
        let key = (binding, offset, stride);
        if let Some((_, known)) = self.lengths.iter().find(|(k, _)| *k == key) {
            return Form::variable(*known);
        }
        let variable = self.space.unknown(0, (WORD - 1) / i128::from(stride.max(1)));
        self.lengths.push((key, variable));
        Form::variable(variable)
    }

    fn load(&mut self, place: &Place, ty: Scalar) -> Option<Form> {
        let Root::Binding(binding) = place.root else { return None };
        let known = &self.function.bindings[binding as usize];
        if !place.indices.is_empty() || known.written {
            return None;
        }
        if known.uniform
            && let Some(bytes) = self.facts.and_then(|facts| *facts.uniforms.get(binding as usize)?)
        {
            let at = place.offset as usize;
            let word = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
            return Some(Form::constant(word.into()).wrapped());
        }
        // What never changes is the same wherever it is read.
        let same =
            |(root, offset, _): &&(Root, u32, Variable)| (*root, *offset) == (place.root, place.offset);
        if let Some((.., variable)) = self.constants.iter().find(same) {
            return Some(Form::variable(*variable));
        }
        let form = self.unknown(ty);
        let variable = form.terms[0].0;
        self.constants.push((place.root, place.offset, variable));
        Some(form)
    }

    /// It is the same for everybody, at all times.
    pub(crate) fn is_fixed(&self, variable: Variable) -> bool {
        self.fixed().any(|known| known == variable)
    }

    /// The variables that are the same for everybody, at all times.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = Variable> {
        let lengths = self.lengths.iter().map(|&(_, known)| known);
        lengths.chain(self.constants.iter().map(|&(.., known)| known))
    }

    /// The number that a value is before anything around it was looked at.
    pub(super) fn constant(&mut self, value: Value, depth: u32) -> Option<i128> {
        let function = self.function;
        let definition = function.definition(value);
        if let Some(form) = &self.forms[value.0 as usize] {
            return form.as_constant();
        }
        if !is_integer(definition.ty) || depth > DEPTH {
            return None;
        }
        match definition.op {
            Op::Constant(bits) => Some(Form::constant((bits as u32).into()).wrapped().constant),
            Op::Builtin(Builtin::NumWorkgroups(axis)) => {
                Some(self.facts?.workgroups[usize::from(axis)].into())
            }
            Op::Length { binding, offset, stride } => self.length(binding, offset, stride).as_constant(),
            Op::Load { ref place, .. } => self.load(place, definition.ty)?.as_constant(),
            Op::Convert(a) | Op::Bitcast(a) => self.constant(a, depth + 1),
            Op::Binary(operator @ (Binary::Add | Binary::Subtract | Binary::Multiply), a, b) => {
                let (a, b) = (self.constant(a, depth + 1)?, self.constant(b, depth + 1)?);
                let exact = match operator {
                    Binary::Add => a + b,
                    Binary::Subtract => a - b,
                    _ => a * b,
                };
                Some(Form::constant(exact).wrapped().constant)
            }
            _ => None,
        }
    }
}
