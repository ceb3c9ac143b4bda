//! Functions as text: one statement a line, for the eye and for tests.
//!
//! Constants stand where they are used. `// file:line` ends a line whose source is another than the line's before.

use crate::ir::{
    Builtin, Callee, Definition, Function, Label, Limit, Mark, Op, Place, Root, Scan, Statement, Value,
};
use half::f16;
use std::fmt::{self, Debug, Display, Formatter};
use warpweft_module::Scalar;

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.workgroup_size;
        writeln!(f, "kernel {} ({x}, {y}, {z})", self.name)?;
        for binding in &self.bindings {
            let space = if binding.uniform { "uniform" } else { "storage" };
            let access = if binding.written { ", written" } else { "" };
            writeln!(f, "{space} {}: {} bytes{access}", binding.name, binding.min_size)?;
        }
        for variable in &self.variables {
            let space = match (variable.workgroup, variable.shared) {
                (true, _) => "workgroup",
                (false, true) => "private, shared",
                (false, false) => "private",
            };
            writeln!(f, "{space} {}: {} bytes", variable.name, variable.size)?;
        }
        let mut printer = Printer { function: self, names: &self.functions, mark: Mark::default() };
        printer.list(f, &self.body, 1)?;
        for (number, callee) in self.functions.iter().enumerate() {
            writeln!(f, "function {number} {}", callee.name)?;
            let function = self.callee(number as u32);
            let mut printer = Printer { function: &function, names: &self.functions, mark: Mark::default() };
            printer.list(f, &function.body, 1)?;
        }
        Ok(())
    }
}

struct Printer<'f> {
    function: &'f Function,
    /// What is called.
    names: &'f [Callee],
    /// Of the line before.
    mark: Mark,
}

/// `%3`, or a constant.
struct Shown<'f>(&'f Function, Value);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Shown(function, value) = *self;
        // Functions that break the rules are printed too, to be looked at.
        let Some(&Definition { ty, op: Op::Constant(bits), .. }) = function.values.get(value.0 as usize)
        else {
            return write!(f, "{value:?}");
        };
        match ty {
            Scalar::Bool => write!(f, "{}", bits != 0),
            Scalar::I16 => write!(f, "{}is", bits as u16 as i16),
            Scalar::U16 => write!(f, "{bits}us"),
            Scalar::I32 => write!(f, "{}i", bits as u32 as i32),
            Scalar::U32 => write!(f, "{bits}u"),
            Scalar::I64 => write!(f, "{}li", bits as i64),
            Scalar::U64 => write!(f, "{bits}lu"),
            Scalar::F16 => write!(f, "{}h", f16::from_bits(bits as u16)),
            Scalar::F32 => write!(f, "{:?}f", f32::from_bits(bits as u32)),
            Scalar::F64 => write!(f, "{:?}lf", f64::from_bits(bits)),
        }
    }
}

/// Values with commas between them.
struct List<'f>(&'f Function, &'f [Value]);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, &value) in self.1.iter().enumerate() {
            write!(f, "{}{}", if n == 0 { "" } else { ", " }, Shown(self.0, value))?;
        }
        Ok(())
    }
}

/// `x[%3 * 4 (< 10) + 16 : f32]`
struct At<'f>(&'f Function, &'f Place);

impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let At(function, place) = *self;
        let name = match place.root {
            Root::Binding(n) => function.bindings.get(n as usize).map(|binding| &binding.name),
            Root::Variable(n) => function.variables.get(n as usize).map(|variable| &variable.name),
        };
        write!(f, "{}[", name.map_or("?", |name| name))?;
        for index in &place.indices {
            write!(f, "{} * {} ", Shown(function, index.value), index.stride)?;
            match index.limit {
                Limit::Fixed(count) => write!(f, "(< {count}) + ")?,
                Limit::Runtime { offset: 0 } => write!(f, "(< length) + ")?,
                Limit::Runtime { offset } => write!(f, "(< length from {offset}) + ")?,
            }
        }
        write!(f, "{} : {}]", place.offset, place.ty)
    }
}

impl Printer<'_> {
    fn list(&mut self, f: &mut Formatter<'_>, list: &[Statement], depth: usize) -> fmt::Result {
        list.iter().try_for_each(|statement| self.statement(f, statement, depth))
    }

    /// One line; constants have none.
    fn line(&mut self, f: &mut Formatter<'_>, depth: usize, mark: Mark, text: &dyn Display) -> fmt::Result {
        write!(f, "{:1$}{text}", "", depth * 2)?;
        if mark != self.mark
            && let Some(location) = self.function.location(mark)
        {
            write!(f, " // {}:{}", location.file, location.line)?;
            self.mark = mark;
        }
        writeln!(f)
    }

    /// A line that opens or closes a list.
    fn plain(&mut self, f: &mut Formatter<'_>, depth: usize, text: &dyn Display) -> fmt::Result {
        self.line(f, depth, Mark::default(), text)
    }

    fn statement(&mut self, f: &mut Formatter<'_>, statement: &Statement, depth: usize) -> fmt::Result {
        let function = self.function;
        match statement {
            &Statement::Let(value) => {
                if function.constant(value).is_some() {
                    return Ok(());
                }
                let definition = function.definition(value);
                let text = format!("{value:?}: {} = {}", definition.ty, Operation(function, &definition.op));
                self.line(f, depth, definition.mark, &text)
            }
            Statement::Store { place, value, atomic, mark } => {
                let name = if *atomic { "atomic store" } else { "store" };
                let text = format!("{name} {} = {}", At(function, place), Shown(function, *value));
                self.line(f, depth, *mark, &text)
            }
            Statement::Barrier { kind, mark } => self.line(f, depth, *mark, &format!("barrier {kind:?}")),
            Statement::Call { function, mark } => {
                let name = self.names.get(*function as usize).map_or("?", |callee| &callee.name);
                self.line(f, depth, *mark, &format!("call {function} {name}"))
            }
            Statement::If { condition, then, otherwise, results, mark } => {
                let text = format!("{}if {} {{", self.defined(results), Shown(function, *condition));
                self.line(f, depth, *mark, &text)?;
                self.list(f, then, depth + 1)?;
                if !matches!(&otherwise[..], [Statement::Yield { arguments }] if arguments.is_empty()) {
                    self.plain(f, depth, &"} else {")?;
                    self.list(f, otherwise, depth + 1)?;
                }
                self.plain(f, depth, &"}")
            }
            Statement::Block { label, body, results } => {
                self.plain(f, depth, &format!("{}block {label:?} {{", self.defined(results)))?;
                self.list(f, body, depth + 1)?;
                self.plain(f, depth, &"}")
            }
            Statement::Loop { label, params, body, mark } => {
                let params: Vec<String> = params
                    .iter()
                    .map(|&(param, start)| {
                        format!("{param:?}: {} = {}", function.ty(param), Shown(function, start))
                    })
                    .collect();
                self.line(f, depth, *mark, &format!("loop {label:?} ({}) {{", params.join(", ")))?;
                self.list(f, body, depth + 1)?;
                self.plain(f, depth, &"}")
            }
            Statement::Branch { label, arguments } => {
                self.plain(f, depth, &branch(function, *label, arguments))
            }
            Statement::Yield { arguments } if arguments.is_empty() => Ok(()),
            Statement::Yield { arguments } => {
                self.plain(f, depth, &format!("yield {}", List(function, arguments)))
            }
            Statement::Return => self.plain(f, depth, &"return"),
        }
    }

    /// `%1: f32, %2: u32 = `, or nothing.
    fn defined(&self, results: &[Value]) -> String {
        if results.is_empty() {
            return String::new();
        }
        let list: Vec<String> =
            results.iter().map(|&result| format!("{result:?}: {}", self.function.ty(result))).collect();
        format!("{} = ", list.join(", "))
    }
}

fn branch(function: &Function, label: Label, arguments: &[Value]) -> String {
    if arguments.is_empty() {
        format!("branch {label:?}")
    } else {
        format!("branch {label:?} ({})", List(function, arguments))
    }
}

/// What a value is.
struct Operation<'f>(&'f Function, &'f Op);

/// A variant's name in small letters, with `_` between words.
struct Small<T>(T);

impl<T: Debug> Display for Small<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, c) in format!("{:?}", self.0).chars().enumerate() {
            if c.is_ascii_uppercase() && n > 0 {
                write!(f, "_")?;
            }
            write!(f, "{}", c.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

impl Display for Operation<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Operation(function, op) = *self;
        let v = |value: Value| Shown(function, value);
        match op {
            Op::Constant(_) | Op::Parameter => write!(f, "{op:?}"),
            Op::Builtin(builtin) => {
                let axis = |axis: u8| ["x", "y", "z"].get(usize::from(axis)).copied().unwrap_or("?");
                match *builtin {
                    Builtin::GlobalId(a) => write!(f, "global_id.{}", axis(a)),
                    Builtin::LocalId(a) => write!(f, "local_id.{}", axis(a)),
                    Builtin::WorkgroupId(a) => write!(f, "workgroup_id.{}", axis(a)),
                    Builtin::NumWorkgroups(a) => write!(f, "num_workgroups.{}", axis(a)),
                    other => write!(f, "{}", Small(other)),
                }
            }
            Op::Unary(op, a) => write!(f, "{} {}", Small(op), v(*a)),
            Op::Binary(op, a, b) => write!(f, "{} {}, {}", Small(op), v(*a), v(*b)),
            Op::Fma(a, b, c) => write!(f, "fma {}, {}, {}", v(*a), v(*b), v(*c)),
            Op::Compare(op, a, b) => {
                write!(f, "{} {} {}, {}", Small(op), function.ty(*a), v(*a), v(*b))
            }
            Op::Select(c, a, b) => write!(f, "select {}, {}, {}", v(*c), v(*a), v(*b)),
            Op::Convert(a) => write!(f, "convert {} {}", function.ty(*a), v(*a)),
            Op::Bitcast(a) => write!(f, "bitcast {} {}", function.ty(*a), v(*a)),
            Op::Quantize(a) => write!(f, "quantize {}", v(*a)),
            Op::PackHalf(a, b) => write!(f, "pack_half {}, {}", v(*a), v(*b)),
            Op::UnpackHalf(a, upper) => {
                write!(f, "unpack_half {} {}", if *upper { "upper" } else { "lower" }, v(*a))
            }
            Op::Math(op, a) => write!(f, "{} {}", Small(op), v(*a)),
            Op::Atan2(a, b) => write!(f, "atan2 {}, {}", v(*a), v(*b)),
            Op::Pow(a, b) => write!(f, "pow {}, {}", v(*a), v(*b)),
            Op::Length { binding, offset, stride } => {
                let name = function.bindings.get(*binding as usize).map_or("?", |binding| &binding.name);
                write!(f, "length {name} from {offset} by {stride}")
            }
            Op::Load { place, atomic, uniform } => {
                let (atomic, uniform) =
                    (if *atomic { "atomic " } else { "" }, if *uniform { "uniform " } else { "" });
                write!(f, "{atomic}{uniform}load {}", At(function, place))
            }
            Op::Atomic(op, place, a) => write!(f, "atomic {} {}, {}", Small(op), At(function, place), v(*a)),
            Op::CompareExchange(place, a, b) => {
                write!(f, "compare_exchange {}, {}, {}", At(function, place), v(*a), v(*b))
            }
            Op::Ballot(a, word) => write!(f, "ballot {}, word {word}", v(*a)),
            Op::Collective(op, Scan::Reduce, a) => write!(f, "subgroup {} {}", Small(op), v(*a)),
            Op::Collective(op, scan, a) => write!(f, "subgroup {} {} {}", Small(scan), Small(op), v(*a)),
            Op::Gather(lane, a, None) => write!(f, "subgroup {} {}", Small(lane), v(*a)),
            Op::Gather(lane, a, Some(index)) => {
                write!(f, "subgroup {} {}, {}", Small(lane), v(*a), v(*index))
            }
        }
    }
}
