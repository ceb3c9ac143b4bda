//! Reads functions from their text form.
//!
//! Any text gives a function or an error with its line; nesting and numbers are bounded, so that no text can exhaust
//! stack or memory. A value that is mentioned but never defined has type `i64`.

use super::names;
use crate::ir::*;
use crate::verify::MOST_LEVELS;
use std::fmt;

/// Why a text is not a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for ParseError {}

/// The highest number of a value or label that a text may use.
const MOST_NUMBERS: u64 = 1 << 20;

impl Function {
    /// The function that a text in the [text form](crate::text) describes; whether it is a valid one is not looked at.
    ///
    /// # Errors
    /// The first line that is none of the form.
    pub fn parse(text: &str) -> Result<Function, ParseError> {
        let function = Function {
            name: String::new(),
            lanes: 1,
            params: vec![],
            values: vec![],
            spaces: vec![],
            labels: 0,
            body: vec![],
        };
        let mut parser = Parser { function, lines: text.lines().enumerate(), line: 0, rest: "" };
        parser.function().map_err(|what| ParseError { line: parser.line, what })?;
        Ok(parser.function)
    }
}

struct Parser<'a> {
    function: Function,
    lines: std::iter::Enumerate<std::str::Lines<'a>>,
    line: usize,
    /// What is left of the current line.
    rest: &'a str,
}

type Parsed<T> = Result<T, String>;

impl<'a> Parser<'a> {
    fn function(&mut self) -> Parsed<()> {
        self.next_line()?;
        self.word("function")?;
        self.function.name = self.identifier()?.to_owned();
        self.expect("(")?;
        self.function.params = self.list(")", Self::typed)?;
        self.word("lanes")?;
        let lanes = self.unsigned()?;
        self.function.lanes = u16::try_from(lanes).map_err(|_| format!("{lanes} lanes are too many"))?;
        self.expect("{")?;
        self.end_of_line()?;
        self.next_line()?;
        while self.take_word("space") {
            let name = self.identifier()?.to_owned();
            let constant = self.take_word("constant");
            let stores = match (self.take_word("streamed"), self.take_word("pieces")) {
                (false, _) => Stores::Cached,
                (true, false) => Stores::Streamed,
                (true, true) => Stores::StreamedInPieces,
            };
            let fleeting = self.take_word("fleeting");
            self.function.spaces.push(Space { name, constant, stores, fleeting });
            self.end_of_line()?;
            self.next_line()?;
        }
        self.function.body = self.body(1)?;
        if self.rest != "}" {
            return Err(format!("`}}` alone ends a function, not `{}`", self.rest));
        }
        match self.next_line() {
            Ok(()) => Err("something behind the end of the function".into()),
            Err(_) => Ok(()),
        }
    }

    /// Instructions from the current line on, up to a line that starts with `}`, which becomes the current one.
    fn body(&mut self, level: usize) -> Parsed<Vec<Inst>> {
        if level > MOST_LEVELS {
            return Err(format!("nested more than {MOST_LEVELS} deep"));
        }
        let mut insts = vec![];
        while !self.rest.starts_with('}') {
            let inst = self.instruction(level)?;
            insts.push(inst);
            self.end_of_line()?;
            self.next_line()?;
        }
        Ok(insts)
    }

    /// What `{` starts: the rest of its line is empty, and the line of its `}` becomes the current one, behind it.
    fn nested(&mut self, level: usize) -> Parsed<Vec<Inst>> {
        self.expect("{")?;
        self.end_of_line()?;
        self.next_line()?;
        let insts = self.body(level + 1)?;
        self.expect("}")?;
        Ok(insts)
    }

    fn instruction(&mut self, level: usize) -> Parsed<Inst> {
        if self.rest.starts_with('%') {
            let mut results = vec![self.typed()?];
            while self.take(",") {
                results.push(self.typed()?);
            }
            self.expect("=")?;
            if self.take_word("if") {
                return self.either(results, level);
            }
            if self.take_word("block") {
                return self.block(results, level);
            }
            let [result] = results[..] else {
                return Err("only `if` and `block` have several results".into());
            };
            let op = self.op(self.function.ty(result))?;
            return Ok(Inst::Let { result, op, mark: self.mark()? });
        }
        let word = self.identifier()?;
        match word {
            "if" => self.either(vec![], level),
            "block" => self.block(vec![], level),
            "loop" => self.round(level),
            "branch" => {
                let label = self.label()?;
                let arguments = if self.take("(") { self.list(")", Self::value)? } else { vec![] };
                Ok(Inst::Branch { label, arguments })
            }
            "yield" => {
                let mut arguments = vec![];
                if self.rest.starts_with('%') {
                    arguments.push(self.value()?);
                    while self.take(",") {
                        arguments.push(self.value()?);
                    }
                }
                Ok(Inst::Yield { arguments })
            }
            "store" | "scatter" | "atomic_store" | "call" => {
                let effect = self.effect(word)?;
                Ok(Inst::Do { effect, mark: self.mark()? })
            }
            _ => Err(format!("`{word}` is no instruction")),
        }
    }

    fn either(&mut self, results: Vec<Value>, level: usize) -> Parsed<Inst> {
        let condition = self.value()?;
        let hint = if self.take_word("likely") {
            Hint::Likely
        } else if self.take_word("unlikely") {
            Hint::Unlikely
        } else {
            Hint::None
        };
        let then = self.nested(level)?;
        let otherwise = if self.take_word("else") {
            self.nested(level)?
        } else {
            vec![Inst::Yield { arguments: vec![] }]
        };
        Ok(Inst::If { condition, then, otherwise, results, hint })
    }

    fn block(&mut self, results: Vec<Value>, level: usize) -> Parsed<Inst> {
        let label = self.label()?;
        let body = self.nested(level)?;
        Ok(Inst::Block { label, body, results })
    }

    fn round(&mut self, level: usize) -> Parsed<Inst> {
        let label = self.label()?;
        self.expect("(")?;
        let params = self.list(")", |parser| {
            let param = parser.typed()?;
            parser.expect("=")?;
            Ok((param, parser.value()?))
        })?;
        let body = self.nested(level)?;
        Ok(Inst::Loop { label, params, body })
    }

    fn op(&mut self, ty: Type) -> Parsed<Op> {
        if self.take("[") {
            let lanes = self.list("]", |parser| parser.number(ty.kind))?;
            return Ok(Op::Lanes(lanes.into()));
        }
        let start = self.rest;
        if start.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Ok(Op::Const(self.number(ty.kind)?));
        }
        let word = self.identifier()?;
        if matches!(word, "true" | "false" | "inf" | "nan") {
            self.rest = start;
            return Ok(Op::Const(self.number(ty.kind)?));
        }
        if let Some(op) = names::to_unary(word) {
            return Ok(Op::Unary(op, self.value()?));
        }
        if let Some(op) = names::to_binary(word) {
            return Ok(Op::Binary(op, self.value()?, self.then()?));
        }
        if let Some(op) = names::to_compare(word) {
            return Ok(Op::Compare(op, self.value()?, self.then()?));
        }
        if let Some(op) = names::to_convert(word) {
            return Ok(Op::Convert(op, self.value()?));
        }
        if let Some(op) = names::to_atomic(word) {
            return Ok(Op::Atomic(op, self.access()?, self.then()?));
        }
        Ok(match word {
            "splat" => Op::Splat(self.value()?),
            "extract" => {
                let from = self.value()?;
                self.expect(",")?;
                if self.rest.starts_with('%') {
                    return Ok(Op::ExtractAt(from, self.value()?));
                }
                let lane = self.unsigned()?;
                Op::Extract(from, u16::try_from(lane).map_err(|_| format!("there is no lane {lane}"))?)
            }
            "fma" => Op::Fma(self.value()?, self.then()?, self.then()?),
            "select" => Op::Select(self.value()?, self.then()?, self.then()?),
            "any" => Op::Any(self.value()?),
            "all" => Op::All(self.value()?),
            "bits" => Op::Bits(self.value()?),
            "mask" => Op::Mask(self.value()?),
            "permute" => Op::Permute(self.value()?, self.then()?),
            "shuffle" => {
                let (a, b) = (self.value()?, self.then()?);
                self.expect(",")?;
                self.expect("[")?;
                let from = self.list("]", |parser| parser.byte())?;
                Op::Shuffle(a, b, from.into())
            }
            "reduce" => {
                let name = self.identifier()?;
                let op = names::to_binary(name).ok_or_else(|| format!("`{name}` joins no lanes"))?;
                Op::Reduce(op, self.then()?)
            }
            "load" => {
                let access = self.access()?;
                if self.take_word("where") {
                    Op::LoadMasked(access, self.value()?)
                } else if self.take_word("apart") {
                    Op::LoadStrided(access, self.byte()?)
                } else {
                    Op::Load(access)
                }
            }
            "gather" => {
                let at = self.scattered()?;
                self.word("where")?;
                Op::Gather(at, self.value()?)
            }
            "compare_exchange" => Op::CompareExchange(self.access()?, self.then()?, self.then()?),
            "atomic_load" => Op::AtomicLoad(self.access()?),
            _ => return Err(format!("`{word}` is no operation")),
        })
    }

    fn effect(&mut self, word: &str) -> Parsed<Effect> {
        if word == "scatter" {
            let at = self.scattered()?;
            self.expect("=")?;
            let value = self.value()?;
            self.word("where")?;
            return Ok(Effect::Scatter(at, value, self.value()?));
        }
        if word == "call" {
            let callee = self.unsigned()?;
            let callee = u32::try_from(callee).map_err(|_| format!("there is no function {callee}"))?;
            self.expect("(")?;
            return Ok(Effect::Call(callee, self.list(")", Self::value)?.into()));
        }
        let at = self.access()?;
        if word == "store" && self.take_word("apart") {
            let stride = self.byte()?;
            self.expect("=")?;
            return Ok(Effect::StoreStrided(at, stride, self.value()?));
        }
        self.expect("=")?;
        let value = self.value()?;
        Ok(match word {
            "store" if self.take_word("where") => Effect::StoreMasked(at, value, self.value()?),
            "store" => Effect::Store(at, value),
            _ => Effect::AtomicStore(at, value),
        })
    }

    fn byte(&mut self) -> Parsed<u8> {
        let number = self.unsigned()?;
        u8::try_from(number).map_err(|_| format!("{number} is more than a byte"))
    }

    fn access(&mut self) -> Parsed<Access> {
        let (mut width, mut always) = (Width::Full, false);
        while self.take(".") {
            match self.identifier()? {
                "half" => width = Width::Half,
                "always" => always = true,
                other => return Err(format!("`.{other}` says nothing of an access")),
            }
        }
        let name = self.identifier()?;
        let space = self.function.spaces.iter().position(|space| space.name == name);
        let space = SpaceId(space.ok_or_else(|| format!("there is no space `{name}`"))? as u32);
        self.expect("[")?;
        let base = self.value()?;
        let mut access = Access { base, index: None, scale: 1, offset: 0, space, width, always };
        loop {
            let negative = match () {
                () if self.take("+") => false,
                () if self.take("-") => true,
                () => break,
            };
            if self.rest.starts_with('%') && access.index.is_none() && !negative {
                access.index = Some(self.value()?);
                if self.take("*") {
                    let scale = self.unsigned()?;
                    access.scale = u8::try_from(scale).map_err(|_| format!("{scale} is no scale"))?;
                }
            } else {
                let number = self.unsigned()?;
                let signed = i64::try_from(number).ok().map(|n| if negative { -n } else { n });
                access.offset = signed
                    .and_then(|n| i32::try_from(n).ok())
                    .ok_or_else(|| format!("the offset {number} has no place in 32 bits"))?;
                break;
            }
        }
        self.expect("]")?;
        Ok(access)
    }

    fn scattered(&mut self) -> Parsed<Scattered> {
        let Access { base, index, scale, offset, space, width, always } = self.access()?;
        if always {
            return Err("`.always` is for loads from one place".into());
        }
        let index = index.ok_or("places need an index")?;
        Ok(Scattered { base, index, scale, offset, space, width })
    }

    // --- words -----------------------------------------------------------------------------------------------------

    fn next_line(&mut self) -> Parsed<()> {
        for (index, line) in self.lines.by_ref() {
            let line = line.split(';').next().unwrap_or_default().trim();
            self.line = index + 1;
            if !line.is_empty() {
                self.rest = line;
                return Ok(());
            }
        }
        Err("the text ends before the function does".into())
    }

    fn end_of_line(&mut self) -> Parsed<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("`{}` is too much", self.rest)) }
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest.trim_start();
        taken
    }

    fn take(&mut self, text: &str) -> bool {
        let there = self.rest.starts_with(text);
        if there {
            self.advance(text.len());
        }
        there
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.take(text) { Ok(()) } else { Err(format!("`{text}` expected, found `{}`", self.rest)) }
    }

    fn word_length(&self) -> usize {
        self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len())
    }

    fn take_word(&mut self, word: &str) -> bool {
        let there = &self.rest[..self.word_length()] == word;
        if there {
            self.advance(word.len());
        }
        there
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { Err(format!("`{word}` expected, found `{}`", self.rest)) }
    }

    fn identifier(&mut self) -> Parsed<&'a str> {
        let length = self.word_length();
        if length == 0 || self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("a name expected, found `{}`", self.rest));
        }
        Ok(self.advance(length))
    }

    fn unsigned(&mut self) -> Parsed<u64> {
        let length = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let digits = self.advance(length);
        digits.parse().map_err(|_| format!("a number expected, found `{digits}{}`", self.rest))
    }

    fn list<T>(&mut self, end: &str, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![];
        if self.take(end) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.take(end) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn small(&mut self) -> Parsed<u32> {
        let number = self.unsigned()?;
        if number >= MOST_NUMBERS {
            Err(format!("the number {number} is too high"))
        } else {
            Ok(number as u32)
        }
    }

    fn value(&mut self) -> Parsed<Value> {
        self.expect("%")?;
        let number = self.small()?;
        if self.function.values.len() <= number as usize {
            self.function.values.resize(number as usize + 1, Type::scalar(Kind::I64));
        }
        Ok(Value(number))
    }

    fn then(&mut self) -> Parsed<Value> {
        self.expect(",")?;
        self.value()
    }

    fn typed(&mut self) -> Parsed<Value> {
        let value = self.value()?;
        self.expect(":")?;
        let ty = self.ty()?;
        self.function.values[value.0 as usize] = ty;
        Ok(value)
    }

    fn ty(&mut self) -> Parsed<Type> {
        let word = self.identifier()?;
        let (kind, lanes) = word.split_once('x').unwrap_or((word, "1"));
        let kind = match kind {
            "bool" => Kind::Bool,
            "i32" => Kind::I32,
            "i64" => Kind::I64,
            "f32" => Kind::F32,
            "f64" => Kind::F64,
            _ => return Err(format!("`{word}` is no type")),
        };
        let lanes = lanes.parse().map_err(|_| format!("`{word}` is no type"))?;
        Ok(Type { kind, lanes })
    }

    fn label(&mut self) -> Parsed<Label> {
        if !self.rest.starts_with('L') {
            return Err(format!("a label expected, found `{}`", self.rest));
        }
        self.rest = &self.rest[1..];
        let label = self.small()?;
        self.function.labels = self.function.labels.max(label + 1);
        Ok(Label(label))
    }

    fn mark(&mut self) -> Parsed<Mark> {
        if !self.take("@") {
            return Ok(Mark(0));
        }
        let number = self.unsigned()?;
        u32::try_from(number).map(Mark).map_err(|_| format!("the mark {number} is too high"))
    }

    /// The bits of a number of that kind; `0x…` are the bits themselves.
    fn number(&mut self, kind: Kind) -> Parsed<u64> {
        let end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'));
        let length = self.rest.find(end).unwrap_or(self.rest.len());
        let text = self.advance(length);
        let wrong = || format!("`{text}` is no {kind}");
        if let Some(digits) = text.strip_prefix("0x") {
            return u64::from_str_radix(digits, 16).map_err(|_| wrong());
        }
        match kind {
            Kind::Bool => match text {
                "true" => Ok(1),
                "false" => Ok(0),
                _ => Err(wrong()),
            },
            Kind::I32 => {
                let number: i64 = text.parse().map_err(|_| wrong())?;
                let fits = (i64::from(i32::MIN)..=u32::MAX.into()).contains(&number);
                if fits { Ok(u64::from(number as u32)) } else { Err(wrong()) }
            }
            Kind::I64 => match text.parse::<i64>() {
                Ok(number) => Ok(number as u64),
                Err(_) => text.parse().map_err(|_| wrong()),
            },
            Kind::F32 if text == "nan" => Ok(f32::NAN.to_bits().into()),
            Kind::F64 if text == "nan" => Ok(f64::NAN.to_bits()),
            Kind::F32 => text.parse::<f32>().map(|x| x.to_bits().into()).map_err(|_| wrong()),
            Kind::F64 => text.parse::<f64>().map(f64::to_bits).map_err(|_| wrong()),
        }
    }
}
