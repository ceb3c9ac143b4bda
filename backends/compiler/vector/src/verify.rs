//! Holds a function against every rule of [`ir`](crate::ir).
//!
//! * Structure: each list ends as it must and nowhere before; branches go outwards to an open block or loop, with
//!   arguments of its types; nesting is at most [`MOST_LEVELS`] deep, so that passes may recurse.
//! * Names: each value is defined once and used where it is visible; labels are given once; spaces have their own names.
//! * Types: of every operand and result; lanes are 1 or the function's; constants fit their kind.
//! * Memory: spaces exist, scales are 1, 2, 4 or 8, `always` stands on loads only, 16-bit elements are `I32`s, and
//!   nothing writes a constant space.
//!
//! Knows nothing of what a function computes.

use crate::ir::*;
use crate::{semantics, text};
use std::collections::HashSet;
use std::fmt;

/// How deep lists may be nested in each other.
pub const MOST_LEVELS: usize = 1000;

/// A rule that a function breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// The line of the instruction, as printed; empty where the function as a whole is wrong.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// Where the instruction comes from.
    pub mark: Mark,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            f.write_str(&self.what)
        } else {
            write!(f, "{}\nin `{}`", self.what, self.at)
        }
    }
}

impl std::error::Error for VerifyError {}

/// Looks for the first broken rule.
///
/// # Errors
/// That rule, and the instruction which breaks it.
pub fn verify(function: &Function) -> Result<(), VerifyError> {
    let whole = |what: String| VerifyError { at: String::new(), what, mark: Mark(0) };
    let lanes = function.lanes;
    if !(1..=64).contains(&lanes) || !lanes.is_power_of_two() {
        return Err(whole(format!("{lanes} lanes: a gang has 1 to 64, a power of two")));
    }
    if !is_identifier(&function.name) {
        return Err(whole(format!("the function's name `{}` is no identifier", function.name)));
    }
    let mut names = HashSet::new();
    for space in &function.spaces {
        if !is_identifier(&space.name) {
            return Err(whole(format!("the space's name `{}` is no identifier", space.name)));
        }
        if !names.insert(space.name.as_str()) {
            return Err(whole(format!("two spaces are called `{}`", space.name)));
        }
    }
    let mut verifier = Verifier {
        function,
        states: vec![State::Undefined; function.values.len()],
        visible: Vec::with_capacity(function.values.len()),
        labels: vec![false; function.labels as usize],
        targets: vec![],
        level: 0,
    };
    for &param in &function.params {
        verifier.define(param).map_err(&whole)?;
        if !function.ty(param).is_scalar() {
            return Err(whole(format!("the parameter {param:?} is no scalar")));
        }
    }
    verifier.targets.push(Target { label: None, types: vec![], yields: true });
    verifier.list(&function.body)?;
    Ok(())
}

fn is_identifier(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Undefined,
    Visible,
    Gone,
}

/// What a `Yield` or `Branch` may go to.
struct Target {
    /// `None`: an arm, or the function.
    label: Option<Label>,
    types: Vec<Type>,
    /// A loop's body does not yield.
    yields: bool,
}

struct Verifier<'a> {
    function: &'a Function,
    states: Vec<State>,
    visible: Vec<Value>,
    labels: Vec<bool>,
    targets: Vec<Target>,
    level: usize,
}

type Checked<T = ()> = Result<T, String>;

impl Verifier<'_> {
    /// Gives whether the list yields.
    fn list(&mut self, insts: &[Inst]) -> Result<bool, VerifyError> {
        let start = self.visible.len();
        self.level += 1;
        let whole = |what: String| VerifyError { at: String::new(), what, mark: Mark(0) };
        if self.level > MOST_LEVELS {
            return Err(whole(format!("lists are nested more than {MOST_LEVELS} deep")));
        }
        let mut end = None;
        for inst in insts {
            if end.is_some() {
                return Err(self.error(inst, "it stands behind the end of its list".into()));
            }
            end = self.inst(inst)?;
        }
        for value in self.visible.drain(start..) {
            self.states[value.0 as usize] = State::Gone;
        }
        self.level -= 1;
        end.ok_or_else(|| match insts.last() {
            Some(last) => self.error(last, "a list must not end with this".into()),
            None => whole("a list is empty: it has no end".into()),
        })
    }

    #[cold]
    fn error(&self, inst: &Inst, what: String) -> VerifyError {
        let mark = match inst {
            Inst::Let { mark, .. } | Inst::Do { mark, .. } => *mark,
            _ => Mark(0),
        };
        VerifyError { at: text::print::line(self.function, inst), what, mark }
    }

    /// Gives whether the list yields here, if it ends here.
    fn inst(&mut self, inst: &Inst) -> Result<Option<bool>, VerifyError> {
        self.head(inst).map_err(|what| self.error(inst, what))?;
        match inst {
            Inst::Let { result, .. } => {
                self.define(*result).map_err(|what| self.error(inst, what))?;
                Ok(None)
            }
            Inst::Do { .. } => Ok(None),
            Inst::Branch { .. } => Ok(Some(false)),
            Inst::Yield { .. } => Ok(Some(true)),
            Inst::If { then, otherwise, results, .. } => {
                self.enter(None, self.types(results), true);
                let yields = self.list(then)? | self.list(otherwise)?;
                self.targets.pop();
                self.results(inst, results)?;
                Ok(if yields { None } else { Some(false) })
            }
            Inst::Block { label, body, results } => {
                self.enter(Some(*label), self.types(results), true);
                self.list(body)?;
                self.targets.pop();
                self.results(inst, results)?;
                Ok(None)
            }
            Inst::Loop { label, params, body } => {
                let types = params.iter().map(|(param, _)| self.function.ty(*param)).collect();
                let start = self.visible.len();
                for (param, _) in params {
                    self.define(*param).map_err(|what| self.error(inst, what))?;
                }
                self.enter(Some(*label), types, false);
                self.list(body)?;
                self.targets.pop();
                for value in self.visible.drain(start..) {
                    self.states[value.0 as usize] = State::Gone;
                }
                Ok(Some(false))
            }
        }
    }

    fn enter(&mut self, label: Option<Label>, types: Vec<Type>, yields: bool) {
        self.targets.push(Target { label, types, yields });
    }

    fn types(&self, values: &[Value]) -> Vec<Type> {
        values.iter().map(|&value| self.function.ty(value)).collect()
    }

    fn results(&mut self, inst: &Inst, results: &[Value]) -> Result<(), VerifyError> {
        for &result in results {
            self.define(result).map_err(|what| self.error(inst, what))?;
        }
        Ok(())
    }

    fn define(&mut self, value: Value) -> Checked {
        let Some(state) = self.states.get_mut(value.0 as usize) else {
            return Err(format!("the function has no value {value:?}"));
        };
        if *state != State::Undefined {
            return Err(format!("{value:?} is defined twice"));
        }
        *state = State::Visible;
        self.visible.push(value);
        let lanes = self.function.ty(value).lanes;
        if lanes != 1 && lanes != self.function.lanes {
            return Err(format!("{value:?} has {lanes} lanes, the function {}", self.function.lanes));
        }
        Ok(())
    }

    /// The type of a value, which must be visible here.
    fn ty(&self, value: Value) -> Checked<Type> {
        match self.states.get(value.0 as usize) {
            None => Err(format!("the function has no value {value:?}")),
            Some(State::Undefined) => Err(format!("{value:?} is used before its definition")),
            Some(State::Gone) => Err(format!("{value:?} is not visible here")),
            Some(State::Visible) => Ok(self.function.ty(value)),
        }
    }

    fn is(&self, value: Value, ty: Type) -> Checked {
        let found = self.ty(value)?;
        if found == ty { Ok(()) } else { Err(format!("{value:?} is {found}, not {ty}")) }
    }

    fn are(&self, values: &[Value], types: &[Type]) -> Checked {
        if values.len() != types.len() {
            return Err(format!("{} values where {} are due", values.len(), types.len()));
        }
        values.iter().zip(types).try_for_each(|(&value, &ty)| self.is(value, ty))
    }

    /// What an instruction says itself, without what it nests and defines.
    fn head(&mut self, inst: &Inst) -> Checked {
        let known = |value: Value| {
            if (value.0 as usize) < self.function.values.len() {
                Ok(())
            } else {
                Err(format!("the function has no value {value:?}"))
            }
        };
        match inst {
            Inst::Let { result, op, .. } => {
                known(*result)?;
                self.op(op, self.function.ty(*result))
            }
            Inst::Do { effect, .. } => self.effect(effect),
            Inst::If { condition, results, .. } => {
                results.iter().try_for_each(|&value| known(value))?;
                self.is(*condition, Type::scalar(Kind::Bool))
            }
            Inst::Block { label, results, .. } => {
                results.iter().try_for_each(|&value| known(value))?;
                self.label(*label)
            }
            Inst::Loop { label, params, .. } => {
                for &(param, first) in params {
                    known(param)?;
                    self.is(first, self.function.ty(param))?;
                }
                self.label(*label)
            }
            Inst::Branch { label, arguments } => {
                let target = self.targets.iter().rev().find(|target| target.label == Some(*label));
                let target = target.ok_or_else(|| format!("{label:?} is not around this"))?;
                self.are(arguments, &target.types)
            }
            Inst::Yield { arguments } => match self.targets.last() {
                Some(target) if target.yields => self.are(arguments, &target.types),
                _ => Err("a loop's body does not yield: it branches".into()),
            },
        }
    }

    fn label(&mut self, label: Label) -> Checked {
        match self.labels.get_mut(label.0 as usize) {
            None => Err(format!("the function has no label {label:?}")),
            Some(true) => Err(format!("{label:?} is given twice")),
            Some(given) => {
                *given = true;
                Ok(())
            }
        }
    }

    fn fits(&self, bits: u64, kind: Kind) -> Checked {
        let most = match kind {
            Kind::Bool => 1,
            Kind::I32 | Kind::F32 => u32::MAX.into(),
            Kind::I64 | Kind::F64 => u64::MAX,
        };
        if bits <= most { Ok(()) } else { Err(format!("{bits:#x} is no {kind}")) }
    }

    fn op(&self, op: &Op, ty: Type) -> Checked {
        let no = |kind: Kind| format!("there is no such operation on {kind}");
        let mask = ty.with(Kind::Bool);
        match op {
            Op::Const(bits) => self.fits(*bits, ty.kind),
            Op::Lanes(bits) => {
                if ty.is_scalar() || bits.len() != ty.lanes.into() {
                    return Err(format!("{} lanes for {ty}", bits.len()));
                }
                bits.iter().try_for_each(|&bits| self.fits(bits, ty.kind))
            }
            Op::Splat(a) => {
                self.vector(ty)?;
                self.is(*a, Type::scalar(ty.kind))
            }
            Op::Extract(a, lane) => {
                self.scalar(ty)?;
                self.is(*a, Type { kind: ty.kind, lanes: self.function.lanes })?;
                self.vector(self.ty(*a)?)?;
                if *lane < self.function.lanes { Ok(()) } else { Err(format!("there is no lane {lane}")) }
            }
            Op::ExtractAt(a, lane) => {
                self.scalar(ty)?;
                self.is(*a, Type { kind: ty.kind, lanes: self.function.lanes })?;
                self.vector(self.ty(*a)?)?;
                self.is(*lane, Type::scalar(Kind::I32))
            }
            Op::Unary(op, a) => {
                self.is(*a, ty)?;
                semantics::unary(*op, ty.kind).map(drop).ok_or_else(|| no(ty.kind))
            }
            Op::Binary(op, a, b) => {
                self.is(*a, ty)?;
                self.is(*b, ty)?;
                semantics::binary(*op, ty.kind).map(drop).ok_or_else(|| no(ty.kind))
            }
            Op::Fma(a, b, c) => {
                self.is(*a, ty)?;
                self.is(*b, ty)?;
                self.is(*c, ty)?;
                semantics::fma(ty.kind).map(drop).ok_or_else(|| no(ty.kind))
            }
            Op::Compare(op, a, b) => {
                let of = self.ty(*a)?;
                self.is(*b, of)?;
                if ty != of.with(Kind::Bool) {
                    return Err(format!("comparing {of} gives no {ty}"));
                }
                semantics::compare(*op, of.kind).map(drop).ok_or_else(|| no(of.kind))
            }
            Op::Select(c, a, b) => {
                self.is(*c, mask)?;
                self.is(*a, ty)?;
                self.is(*b, ty)
            }
            Op::Convert(op, a) => {
                let from = self.ty(*a)?;
                self.is(*a, ty.with(from.kind))?;
                let exists = semantics::convert(*op, from.kind, ty.kind).is_some();
                if exists { Ok(()) } else { Err(format!("no such conversion from {from} to {ty}")) }
            }
            Op::Any(a) | Op::All(a) => {
                self.is_type(ty, Type::scalar(Kind::Bool))?;
                self.is(*a, self.ty(*a)?.with(Kind::Bool))
            }
            Op::Bits(a) => {
                self.is_type(ty, Type::scalar(Kind::I64))?;
                self.is(*a, self.ty(*a)?.with(Kind::Bool))
            }
            Op::Mask(a) => {
                self.is_type(ty, mask)?;
                self.is(*a, Type::scalar(Kind::I64))
            }
            Op::Permute(a, b) => {
                self.vector(ty)?;
                self.is(*a, ty)?;
                self.is(*b, ty.with(Kind::I32))
            }
            Op::Shuffle(a, b, from) => {
                self.vector(ty)?;
                self.is(*a, ty)?;
                self.is(*b, ty)?;
                if ty.kind == Kind::Bool {
                    return Err(no(ty.kind));
                }
                if from.len() != ty.lanes.into() {
                    return Err(format!("{} lanes for {ty}", from.len()));
                }
                match from.iter().find(|&&lane| u16::from(lane) >= 2 * ty.lanes) {
                    Some(lane) => Err(format!("there is no lane {lane} in two vectors")),
                    None => Ok(()),
                }
            }
            Op::Reduce(op, a) => {
                self.scalar(ty)?;
                self.is(*a, Type { kind: ty.kind, lanes: self.function.lanes })?;
                self.vector(self.ty(*a)?)?;
                if !semantics::reduces(*op) {
                    return Err("this operation joins no lanes".into());
                }
                semantics::binary(*op, ty.kind).map(drop).ok_or_else(|| no(ty.kind))
            }
            Op::Load(access) => self.access(access, ty, true),
            Op::LoadMasked(access, with) => {
                self.vector(ty)?;
                self.access(access, ty, true)?;
                self.is(*with, mask)
            }
            Op::LoadStrided(access, stride) => self.strided(access, *stride, ty),
            Op::Gather(at, with) => {
                self.scattered(at, ty)?;
                self.is(*with, mask)
            }
            Op::Atomic(op, access, a) => {
                self.atomic(access, ty)?;
                self.is(*a, ty)?;
                semantics::atomic(*op, ty.kind).map(drop).ok_or_else(|| no(ty.kind))
            }
            Op::CompareExchange(access, a, b) => {
                self.atomic(access, ty)?;
                self.is(*a, ty)?;
                self.is(*b, ty)?;
                if ty.kind.is_int() { Ok(()) } else { Err(no(ty.kind)) }
            }
            Op::AtomicLoad(access) => {
                self.scalar(ty)?;
                self.access(access, ty, false)?;
                self.full(access.width)
            }
        }
    }

    fn effect(&self, effect: &Effect) -> Checked {
        match effect {
            Effect::Store(access, a) => self.access(access, self.ty(*a)?, false)?,
            Effect::StoreMasked(access, a, with) => {
                let ty = self.ty(*a)?;
                self.vector(ty)?;
                self.access(access, ty, false)?;
                self.is(*with, ty.with(Kind::Bool))?;
            }
            Effect::StoreStrided(access, stride, a) => self.strided(access, *stride, self.ty(*a)?)?,
            Effect::Scatter(at, a, with) => {
                let ty = self.ty(*a)?;
                self.scattered(at, ty)?;
                self.is(*with, ty.with(Kind::Bool))?;
            }
            Effect::AtomicStore(access, a) => self.atomic(access, self.ty(*a)?)?,
            Effect::Call(_, arguments) if arguments.len() > MOST_ARGUMENTS => {
                return Err(format!("more than {MOST_ARGUMENTS} arguments"));
            }
            Effect::Call(_, arguments) => {
                arguments.iter().try_for_each(|&argument| self.is(argument, Type::scalar(Kind::I64)))?;
            }
        }
        effect.touches().map_or(Ok(()), |space| self.written(space))
    }

    fn vector(&self, ty: Type) -> Checked {
        if ty.is_scalar() { Err("this is for vectors".into()) } else { Ok(()) }
    }

    fn scalar(&self, ty: Type) -> Checked {
        if ty.is_scalar() { Ok(()) } else { Err("this is for scalars".into()) }
    }

    fn is_type(&self, found: Type, ty: Type) -> Checked {
        if found == ty { Ok(()) } else { Err(format!("the result is {ty}, not {found}")) }
    }

    fn full(&self, width: Width) -> Checked {
        if width == Width::Full { Ok(()) } else { Err("atomic steps are on full elements".into()) }
    }

    fn written(&self, space: SpaceId) -> Checked {
        match self.function.spaces.get(space.0 as usize) {
            Some(space) if space.constant => Err(format!("the space `{}` is constant", space.name)),
            _ => Ok(()),
        }
    }

    fn atomic(&self, access: &Access, ty: Type) -> Checked {
        self.scalar(ty)?;
        self.access(access, ty, false)?;
        self.full(access.width)?;
        self.written(access.space)
    }

    fn access(&self, access: &Access, ty: Type, may_be_always: bool) -> Checked {
        if let Some(index) = access.index {
            self.is(index, Type::scalar(Kind::I64))?;
        }
        if access.always && !may_be_always {
            return Err("`always` is for loads".into());
        }
        self.memory(access.base, access.scale, access.space, access.width, ty)
    }

    fn strided(&self, access: &Access, stride: u8, ty: Type) -> Checked {
        self.vector(ty)?;
        self.access(access, ty, false)?;
        if access.width != Width::Full {
            return Err("elements that lie apart are full ones".into());
        }
        if STRIDES.contains(&stride) { Ok(()) } else { Err(format!("lanes are 2 to 8 apart, not {stride}")) }
    }

    fn scattered(&self, at: &Scattered, ty: Type) -> Checked {
        self.vector(ty)?;
        self.is(at.index, ty.with(Kind::I32))?;
        self.memory(at.base, at.scale, at.space, at.width, ty)
    }

    fn memory(&self, base: Value, scale: u8, space: SpaceId, width: Width, ty: Type) -> Checked {
        self.is(base, Type::scalar(Kind::I64))?;
        if self.function.spaces.get(space.0 as usize).is_none() {
            return Err(format!("the function has no {space:?}"));
        }
        if !matches!(scale, 1 | 2 | 4 | 8) {
            return Err(format!("the scale {scale} is not 1, 2, 4 or 8"));
        }
        if ty.kind == Kind::Bool {
            return Err("a bool has no form in memory".into());
        }
        if width == Width::Half && ty.kind != Kind::I32 {
            return Err(format!("16-bit elements are i32 outside of memory, not {}", ty.kind));
        }
        Ok(())
    }
}
