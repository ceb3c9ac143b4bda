//! Prints functions.
//!
//! Prints broken ones too, as far as it goes: messages about them need it.

use super::names;
use crate::ir::*;
use std::fmt::{self, Display, Formatter, Write};

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Bool => "bool",
            Kind::I32 => "i32",
            Kind::I64 => "i64",
            Kind::F32 => "f32",
            Kind::F64 => "f64",
        })
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_scalar() { self.kind.fmt(f) } else { write!(f, "{}x{}", self.kind, self.lanes) }
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let params = joined(&self.params, |value, f| typed(self, *value, f));
        writeln!(f, "function {}({params}) lanes {} {{", self.name, self.lanes)?;
        for space in &self.spaces {
            let constant = if space.constant { " constant" } else { "" };
            let stores = match space.stores {
                Stores::Cached => "",
                Stores::Streamed => " streamed",
                Stores::StreamedInPieces => " streamed pieces",
            };
            let fleeting = if space.fleeting { " fleeting" } else { "" };
            writeln!(f, "    space {}{constant}{stores}{fleeting}", space.name)?;
        }
        let mut line = String::new();
        list(self, &self.body, 1, &mut line, f)?;
        f.write_str("}\n")
    }
}

/// The line of an instruction, without what is nested in it.
pub(crate) fn line(function: &Function, inst: &Inst) -> String {
    let mut line = String::new();
    // Writing to a string cannot fail.
    let _ = head(function, inst, &mut line);
    line
}

fn list(
    function: &Function,
    insts: &[Inst],
    depth: usize,
    line: &mut String,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    let indent = depth * 4;
    for inst in insts {
        line.clear();
        head(function, inst, line)?;
        match inst {
            Inst::Let { mark, .. } | Inst::Do { mark, .. } if mark.0 != 0 => {
                writeln!(
                    f,
                    "{:indent$}{line:width$} @{}",
                    "",
                    mark.0,
                    width = 72usize.saturating_sub(indent)
                )?;
            }
            _ => writeln!(f, "{:indent$}{line}", "")?,
        }
        match inst {
            Inst::If { then, otherwise, .. } => {
                list(function, then, depth + 1, line, f)?;
                if !matches!(otherwise.as_slice(), [Inst::Yield { arguments }] if arguments.is_empty()) {
                    writeln!(f, "{:indent$}}} else {{", "")?;
                    list(function, otherwise, depth + 1, line, f)?;
                }
                writeln!(f, "{:indent$}}}", "")?;
            }
            Inst::Block { body, .. } | Inst::Loop { body, .. } => {
                list(function, body, depth + 1, line, f)?;
                writeln!(f, "{:indent$}}}", "")?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn head(function: &Function, inst: &Inst, f: &mut String) -> fmt::Result {
    match inst {
        Inst::Let { result, op, .. } => {
            let ty = function.values.get(result.0 as usize).copied();
            match ty {
                Some(ty) => write!(f, "{result:?}: {ty} = ")?,
                None => write!(f, "{result:?}: ? = ")?,
            }
            operation(function, op, ty.map_or(Kind::I64, |ty| ty.kind), f)
        }
        Inst::Do { effect, .. } => act(function, effect, f),
        Inst::If { condition, results, hint, .. } => {
            defines(function, results, f)?;
            let hint = match hint {
                Hint::None => "",
                Hint::Likely => " likely",
                Hint::Unlikely => " unlikely",
            };
            write!(f, "if {condition:?}{hint} {{")
        }
        Inst::Block { label, results, .. } => {
            defines(function, results, f)?;
            write!(f, "block {label:?} {{")
        }
        Inst::Loop { label, params, .. } => {
            let params = joined(params, |(param, first), f| {
                typed(function, *param, f)?;
                write!(f, " = {first:?}")
            });
            write!(f, "loop {label:?}({params}) {{")
        }
        Inst::Branch { label, arguments } => {
            if arguments.is_empty() {
                return write!(f, "branch {label:?}");
            }
            write!(f, "branch {label:?}({})", values(arguments))
        }
        Inst::Yield { arguments } if arguments.is_empty() => f.write_str("yield"),
        Inst::Yield { arguments } => write!(f, "yield {}", values(arguments)),
    }
}

fn defines(function: &Function, results: &[Value], f: &mut String) -> fmt::Result {
    if results.is_empty() {
        return Ok(());
    }
    write!(f, "{} = ", joined(results, |value, f| typed(function, *value, f)))
}

fn typed(function: &Function, value: Value, f: &mut Formatter<'_>) -> fmt::Result {
    match function.values.get(value.0 as usize) {
        Some(ty) => write!(f, "{value:?}: {ty}"),
        None => write!(f, "{value:?}: ?"),
    }
}

struct Joined<'a, T, F>(&'a [T], F);

fn joined<T, F: Fn(&T, &mut Formatter<'_>) -> fmt::Result>(items: &[T], print: F) -> Joined<'_, T, F> {
    Joined(items, print)
}

impl<T, F: Fn(&T, &mut Formatter<'_>) -> fmt::Result> Display for Joined<'_, T, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            self.1(item, f)?;
        }
        Ok(())
    }
}

fn values(list: &[Value]) -> impl Display {
    joined(list, |value: &Value, f: &mut Formatter<'_>| write!(f, "{value:?}"))
}

/// Bits of a kind, so that they read back the same.
pub(super) fn number(bits: u64, kind: Kind) -> impl Display {
    fmt::from_fn(move |f| {
        let wide = matches!(kind, Kind::I64 | Kind::F64);
        if !wide && bits > u64::from(u32::MAX) {
            return write!(f, "{bits:#x}");
        }
        match kind {
            Kind::Bool if bits <= 1 => write!(f, "{}", bits == 1),
            Kind::Bool => write!(f, "{bits:#x}"),
            Kind::I32 => write!(f, "{}", bits as i32),
            Kind::I64 => write!(f, "{}", bits as i64),
            Kind::F32 if bits == f32::NAN.to_bits().into() => f.write_str("nan"),
            Kind::F64 if bits == f64::NAN.to_bits() => f.write_str("nan"),
            Kind::F32 if f32::from_bits(bits as u32).is_nan() => write!(f, "{bits:#x}"),
            Kind::F64 if f64::from_bits(bits).is_nan() => write!(f, "{bits:#x}"),
            Kind::F32 => write!(f, "{:?}", f32::from_bits(bits as u32)),
            Kind::F64 => write!(f, "{:?}", f64::from_bits(bits)),
        }
    })
}

fn operation(function: &Function, op: &Op, kind: Kind, f: &mut String) -> fmt::Result {
    match op {
        Op::Const(bits) => write!(f, "{}", number(*bits, kind)),
        Op::Lanes(lanes) => write!(f, "[{}]", joined(lanes, |bits, f| number(*bits, kind).fmt(f))),
        Op::Splat(a) => write!(f, "splat {a:?}"),
        Op::Extract(a, lane) => write!(f, "extract {a:?}, {lane}"),
        Op::ExtractAt(a, lane) => write!(f, "extract {a:?}, {lane:?}"),
        Op::Unary(op, a) => write!(f, "{} {a:?}", names::unary(*op)),
        Op::Binary(op, a, b) => write!(f, "{} {a:?}, {b:?}", names::binary(*op)),
        Op::Fma(a, b, c) => write!(f, "fma {a:?}, {b:?}, {c:?}"),
        Op::Compare(op, a, b) => write!(f, "{} {a:?}, {b:?}", names::compare(*op)),
        Op::Select(c, a, b) => write!(f, "select {c:?}, {a:?}, {b:?}"),
        Op::Convert(op, a) => write!(f, "{} {a:?}", names::convert(*op)),
        Op::Any(a) => write!(f, "any {a:?}"),
        Op::All(a) => write!(f, "all {a:?}"),
        Op::Bits(a) => write!(f, "bits {a:?}"),
        Op::Mask(a) => write!(f, "mask {a:?}"),
        Op::Permute(a, b) => write!(f, "permute {a:?}, {b:?}"),
        Op::Shuffle(a, b, from) => {
            write!(f, "shuffle {a:?}, {b:?}, [")?;
            for (place, from) in from.iter().enumerate() {
                write!(f, "{}{from}", if place == 0 { "" } else { ", " })?;
            }
            f.write_str("]")
        }
        Op::Reduce(op, a) => write!(f, "reduce {}, {a:?}", names::binary(*op)),
        Op::Load(at) => write!(f, "load{}", place(function, at)),
        Op::LoadMasked(at, mask) => write!(f, "load{} where {mask:?}", place(function, at)),
        Op::LoadStrided(at, stride) => write!(f, "load{} apart {stride}", place(function, at)),
        Op::Gather(at, mask) => write!(f, "gather{} where {mask:?}", places(function, at)),
        Op::Atomic(op, at, a) => write!(f, "{}{}, {a:?}", names::atomic(*op), place(function, at)),
        Op::CompareExchange(at, a, b) => write!(f, "compare_exchange{}, {a:?}, {b:?}", place(function, at)),
        Op::AtomicLoad(at) => write!(f, "atomic_load{}", place(function, at)),
    }
}

fn act(function: &Function, effect: &Effect, f: &mut String) -> fmt::Result {
    match effect {
        Effect::Store(at, a) => write!(f, "store{} = {a:?}", place(function, at)),
        Effect::StoreMasked(at, a, mask) => write!(f, "store{} = {a:?} where {mask:?}", place(function, at)),
        Effect::StoreStrided(at, stride, a) => {
            write!(f, "store{} apart {stride} = {a:?}", place(function, at))
        }
        Effect::Scatter(at, a, mask) => write!(f, "scatter{} = {a:?} where {mask:?}", places(function, at)),
        Effect::AtomicStore(at, a) => write!(f, "atomic_store{} = {a:?}", place(function, at)),
        Effect::Call(callee, arguments) => {
            write!(f, "call {callee} (")?;
            for (at, argument) in arguments.iter().enumerate() {
                write!(f, "{}{argument:?}", if at > 0 { ", " } else { "" })?;
            }
            f.write_str(")")
        }
    }
}

fn place(function: &Function, at: &Access) -> impl Display {
    address(function, at.base, at.index, at.scale, at.offset, at.space, at.width, at.always)
}

fn places(function: &Function, at: &Scattered) -> impl Display {
    address(function, at.base, Some(at.index), at.scale, at.offset, at.space, at.width, false)
}

#[allow(clippy::too_many_arguments)] // the fields of two structures that have no other type in common
fn address(
    function: &Function,
    base: Value,
    index: Option<Value>,
    scale: u8,
    offset: i32,
    space: SpaceId,
    width: Width,
    always: bool,
) -> impl Display {
    fmt::from_fn(move |f| {
        if width == Width::Half {
            f.write_str(".half")?;
        }
        if always {
            f.write_str(".always")?;
        }
        match function.spaces.get(space.0 as usize) {
            Some(space) => write!(f, " {}[{base:?}", space.name)?,
            None => write!(f, " {space:?}?[{base:?}")?,
        }
        if let Some(index) = index {
            write!(f, " + {index:?}")?;
            if scale != 1 {
                write!(f, " * {scale}")?;
            }
        }
        match offset {
            0 => {}
            1.. => write!(f, " + {offset}")?,
            _ => write!(f, " - {}", offset.unsigned_abs())?,
        }
        f.write_str("]")
    })
}
