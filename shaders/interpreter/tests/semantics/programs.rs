//! Random programs: the interpreter in lockstep agrees with a plain evaluator that runs invocation by invocation.
//!
//! The programs have nested loops, branches and switches with every way out of them, values that outlive what they
//! were read from, arrays indexed beyond their end, private variables, and calls with pointers. The evaluator knows
//! the syntax tree only; it shares nothing with the interpreter.

use crate::Test;
use std::fmt::Write;

const LANES: u32 = 24;
const VARIABLES: usize = 4;
/// Elements of the array; indices go up to 5.
const ELEMENTS: u32 = 4;
const PROGRAMS: u64 = 500;

/// A xorshift generator: the same programs on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % sides
    }
}

#[derive(Debug)]
enum Value {
    Lane,
    Variable(usize),
    Private(usize),
    /// `a[e % 6]`.
    Element(Box<Value>),
    Let(usize),
    /// With a constant on the right.
    With(Operator, Box<Value>, u32),
    Binary(Operator, Box<Value>, Box<Value>),
    /// `select(no, yes, a < b)`.
    Select(Box<[Value; 4]>),
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Xor,
    ShiftRight,
}

#[derive(Debug)]
enum Statement {
    Let(usize, Value),
    Assign(usize, Value),
    Increase(usize, Value),
    AssignPrivate(usize, Value),
    /// `a[e % 6] = e`.
    AssignElement(Value, Value),
    /// `v = f(e, &w)`: see [`callee`].
    Call(usize, Value, usize),
    If(Value, Value, Vec<Statement>, Vec<Statement>),
    Switch(Value, [Vec<Statement>; 3]),
    /// A `for` of so many rounds; its counter is that let.
    For(usize, u32, Vec<Statement>),
    /// A loop with a continuing block that ends by `break if` when the variable is large or after so many rounds.
    Loop(usize, u32, Vec<Statement>, Vec<Statement>, usize),
    Break,
    Continue,
    Return(Value),
}

/// Makes programs.
struct Author {
    dice: Dice,
    /// Lets that can be seen, and how many there have been.
    visible: Vec<usize>,
    lets: usize,
    /// How much may still be written.
    budget: i32,
}

/// Where a block stands: what it may end with.
#[derive(Clone, Copy, Default)]
struct Place {
    can_break: bool,
    can_continue: bool,
    /// Not in a continuing block.
    can_return: bool,
}

impl Author {
    fn value(&mut self, depth: u32) -> Value {
        let inner = |this: &mut Self| Box::new(this.value(depth + 1));
        match self.dice.roll(if depth > 2 { 5 } else { 10 }) {
            0 => Value::Lane,
            1 | 2 => Value::Variable(self.dice.roll(VARIABLES as u64) as usize),
            3 => Value::Private(self.dice.roll(2) as usize),
            4 => match self.visible.len() {
                0 => Value::Lane,
                n => Value::Let(self.visible[self.dice.roll(n as u64) as usize]),
            },
            5 => Value::Element(inner(self)),
            6 | 7 => {
                let operator = self.operator();
                let value = inner(self);
                Value::With(operator, value, 1 + self.dice.roll(30) as u32)
            }
            8 => {
                let operator = self.operator();
                Value::Binary(operator, inner(self), inner(self))
            }
            _ => Value::Select(Box::new(std::array::from_fn(|_| self.value(depth + 1)))),
        }
    }

    fn operator(&mut self) -> Operator {
        use Operator::*;
        [Add, Subtract, Multiply, Divide, Remainder, Xor, ShiftRight][self.dice.roll(7) as usize]
    }

    fn new_let(&mut self) -> usize {
        self.lets += 1;
        self.lets - 1
    }

    fn block(&mut self, depth: u32, place: Place) -> Vec<Statement> {
        let seen = self.visible.len();
        let mut block = Vec::new();
        for _ in 0..1 + self.dice.roll(5) {
            self.budget -= 1;
            if self.budget < 0 {
                break;
            }
            block.push(self.statement(depth, place));
        }
        match self.dice.roll(5) {
            0 if place.can_break => block.push(Statement::Break),
            1 if place.can_continue => block.push(Statement::Continue),
            2 if place.can_return => block.push(Statement::Return(self.value(1))),
            _ => {}
        }
        self.visible.truncate(seen);
        block
    }

    fn statement(&mut self, depth: u32, place: Place) -> Statement {
        let variable = self.dice.roll(VARIABLES as u64) as usize;
        match self.dice.roll(if depth > 4 { 8 } else { 14 }) {
            0 | 1 => {
                let value = self.value(1);
                let name = self.new_let();
                self.visible.push(name);
                Statement::Let(name, value)
            }
            2 | 3 => Statement::Assign(variable, self.value(0)),
            4 => Statement::Increase(variable, self.value(1)),
            5 => Statement::AssignPrivate(self.dice.roll(2) as usize, self.value(1)),
            6 => Statement::AssignElement(self.value(1), self.value(1)),
            7 => Statement::Call(variable, self.value(1), self.dice.roll(VARIABLES as u64) as usize),
            8..=10 => {
                let (a, b) = (self.value(1), self.value(1));
                Statement::If(a, b, self.block(depth + 1, place), self.block(depth + 1, place))
            }
            11 => {
                let selector = self.value(1);
                let place = Place { can_break: true, ..place };
                Statement::Switch(selector, std::array::from_fn(|_| self.block(depth + 1, place)))
            }
            12 => {
                let (counter, rounds) = (self.new_let(), 1 + self.dice.roll(5) as u32);
                self.visible.push(counter);
                let place = Place { can_break: true, can_continue: true, ..place };
                let body = self.block(depth + 1, place);
                self.visible.pop();
                Statement::For(counter, rounds, body)
            }
            _ => {
                let (counter, rounds) = (self.new_let(), 1 + self.dice.roll(5) as u32);
                let body = self.block(depth + 1, Place { can_break: true, can_continue: true, ..place });
                let continuing = self.block(depth + 1, Place::default());
                Statement::Loop(counter, rounds, body, continuing, variable)
            }
        }
    }
}

impl Operator {
    fn apply(self, a: u32, b: u32) -> u32 {
        match self {
            Operator::Add => a.wrapping_add(b),
            Operator::Subtract => a.wrapping_sub(b),
            Operator::Multiply => a.wrapping_mul(b),
            Operator::Divide => a.checked_div(b).unwrap_or(a),
            Operator::Remainder => a.checked_rem(b).unwrap_or(0),
            Operator::Xor => a ^ b,
            Operator::ShiftRight => a >> (b % 32),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::Xor => "^",
            Operator::ShiftRight => ">>",
        }
    }
}

/// The function that programs call, in WGSL and in Rust: it returns early, loops, and writes through its pointer and a
/// private variable.
const CALLEE: &str = "
    fn f(n: u32, w: ptr<function, u32>) -> u32 {
        let before = *w;
        if n % 3 == 0 { *w = n; return before; }
        for (var j = 0u; j < n % 5; j++) {
            *w += before + p1;
            if *w % 7 == 3 { return j; }
            p1 ^= j + 1;
        }
        return before + *w;
    }";

fn callee(n: u32, w: &mut u32, p1: &mut u32) -> u32 {
    let before = *w;
    if n.is_multiple_of(3) {
        *w = n;
        return before;
    }
    for j in 0..n % 5 {
        *w = w.wrapping_add(before.wrapping_add(*p1));
        if *w % 7 == 3 {
            return j;
        }
        *p1 ^= j + 1;
    }
    before.wrapping_add(*w)
}

fn wgsl_value(value: &Value) -> String {
    match value {
        Value::Lane => "i".to_string(),
        Value::Variable(n) => format!("v{n}"),
        Value::Private(n) => format!("p{n}"),
        Value::Element(index) => format!("a[{} % 6]", wgsl_value(index)),
        Value::Let(n) => format!("l{n}"),
        Value::With(operator, value, n) => format!("({} {} {n}u)", wgsl_value(value), operator.sign()),
        Value::Binary(Operator::ShiftRight, a, b) => {
            format!("({} >> ({} % 32))", wgsl_value(a), wgsl_value(b))
        }
        Value::Binary(operator, a, b) => format!("({} {} {})", wgsl_value(a), operator.sign(), wgsl_value(b)),
        Value::Select(parts) => {
            let [no, yes, a, b] = parts.each_ref().map(wgsl_value);
            format!("select({no}, {yes}, {a} < {b})")
        }
    }
}

fn wgsl_block(block: &[Statement], out: &mut String) {
    for statement in block {
        // Writing to a string cannot fail.
        let _ = match statement {
            Statement::Let(n, value) => writeln!(out, "let l{n} = {};", wgsl_value(value)),
            Statement::Assign(n, value) => writeln!(out, "v{n} = {};", wgsl_value(value)),
            Statement::Increase(n, value) => writeln!(out, "v{n} += {};", wgsl_value(value)),
            Statement::AssignPrivate(n, value) => writeln!(out, "p{n} = {};", wgsl_value(value)),
            Statement::AssignElement(index, value) => {
                writeln!(out, "a[{} % 6] = {};", wgsl_value(index), wgsl_value(value))
            }
            Statement::Call(n, value, w) => writeln!(out, "v{n} = f({}, &v{w});", wgsl_value(value)),
            Statement::If(a, b, accept, reject) => {
                let _ = writeln!(out, "if {} < {} {{", wgsl_value(a), wgsl_value(b));
                wgsl_block(accept, out);
                let _ = writeln!(out, "}} else {{");
                wgsl_block(reject, out);
                writeln!(out, "}}")
            }
            Statement::Switch(selector, cases) => {
                let _ = writeln!(out, "switch {} % 4 {{ case 0 {{", wgsl_value(selector));
                wgsl_block(&cases[0], out);
                let _ = writeln!(out, "}} default {{");
                wgsl_block(&cases[1], out);
                let _ = writeln!(out, "}} case 1, 3 {{");
                wgsl_block(&cases[2], out);
                writeln!(out, "}} }}")
            }
            Statement::For(counter, rounds, body) => {
                let _ = writeln!(out, "for (var c{counter} = 0u; c{counter} < {rounds}; c{counter}++) {{");
                let _ = writeln!(out, "let l{counter} = c{counter};");
                wgsl_block(body, out);
                writeln!(out, "}}")
            }
            Statement::Loop(counter, rounds, body, continuing, watched) => {
                let _ = writeln!(out, "var c{counter} = 0u;\nloop {{");
                wgsl_block(body, out);
                let _ = writeln!(out, "continuing {{");
                wgsl_block(continuing, out);
                let _ = writeln!(out, "c{counter}++;");
                writeln!(out, "break if c{counter} >= {rounds} || v{watched} > 4000000000u; }} }}")
            }
            Statement::Break => writeln!(out, "break;"),
            Statement::Continue => writeln!(out, "continue;"),
            Statement::Return(value) => writeln!(out, "return {};", wgsl_value(value)),
        };
    }
}

/// One invocation of the evaluator.
#[derive(Default)]
struct Invocation {
    lane: u32,
    variables: [u32; VARIABLES],
    elements: [u32; ELEMENTS as usize],
    privates: [u32; 2],
    lets: Vec<u32>,
}

/// Where execution goes on.
enum Flow {
    Next,
    Break,
    Continue,
    Return(u32),
}

impl Invocation {
    fn value(&self, value: &Value) -> u32 {
        match value {
            Value::Lane => self.lane,
            Value::Variable(n) => self.variables[*n],
            Value::Private(n) => self.privates[*n],
            Value::Element(index) => {
                self.elements.get((self.value(index) % 6) as usize).copied().unwrap_or(0)
            }
            Value::Let(n) => self.lets[*n],
            Value::With(operator, value, n) => operator.apply(self.value(value), *n),
            Value::Binary(operator, a, b) => operator.apply(self.value(a), self.value(b)),
            Value::Select(parts) => {
                let [no, yes, a, b] = parts.each_ref().map(|part| self.value(part));
                if a < b { yes } else { no }
            }
        }
    }

    fn block(&mut self, block: &[Statement]) -> Flow {
        for statement in block {
            let flow = self.statement(statement);
            if !matches!(flow, Flow::Next) {
                return flow;
            }
        }
        Flow::Next
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Let(n, value) => self.lets[*n] = self.value(value),
            Statement::Assign(n, value) => self.variables[*n] = self.value(value),
            Statement::Increase(n, value) => {
                self.variables[*n] = self.variables[*n].wrapping_add(self.value(value));
            }
            Statement::AssignPrivate(n, value) => self.privates[*n] = self.value(value),
            Statement::AssignElement(index, value) => {
                let (index, value) = (self.value(index) % 6, self.value(value));
                if let Some(element) = self.elements.get_mut(index as usize) {
                    *element = value;
                }
            }
            Statement::Call(n, value, w) => {
                let value = self.value(value);
                self.variables[*n] = callee(value, &mut self.variables[*w], &mut self.privates[1]);
            }
            Statement::If(a, b, accept, reject) => {
                let block = if self.value(a) < self.value(b) { accept } else { reject };
                return self.block(block);
            }
            Statement::Switch(selector, cases) => {
                let flow = self.block(match self.value(selector) % 4 {
                    0 => &cases[0],
                    2 => &cases[1],
                    _ => &cases[2],
                });
                return if matches!(flow, Flow::Break) { Flow::Next } else { flow };
            }
            Statement::For(counter, rounds, body) => {
                for round in 0..*rounds {
                    self.lets[*counter] = round;
                    match self.block(body) {
                        Flow::Break => break,
                        Flow::Return(value) => return Flow::Return(value),
                        Flow::Next | Flow::Continue => {}
                    }
                }
            }
            Statement::Loop(_, rounds, body, continuing, watched) => {
                for _ in 0..*rounds {
                    match self.block(body) {
                        Flow::Break => break,
                        Flow::Return(value) => return Flow::Return(value),
                        Flow::Next | Flow::Continue => {}
                    }
                    self.block(continuing);
                    if self.variables[*watched] > 4_000_000_000 {
                        break;
                    }
                }
            }
            Statement::Break => return Flow::Break,
            Statement::Continue => return Flow::Continue,
            Statement::Return(value) => return Flow::Return(self.value(value)),
        }
        Flow::Next
    }
}

#[test]
fn lockstep_agrees_with_one_by_one() {
    for seed in 1..=PROGRAMS {
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut author = Author { dice, visible: Vec::new(), lets: 0, budget: 60 };
        let place = Place { can_return: true, ..Place::default() };
        let mut program = Vec::new();
        while author.budget > 0 {
            program.push(author.statement(0, place));
            author.budget -= 1;
        }
        let mut body = String::new();
        wgsl_block(&program, &mut body);
        let wgsl = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
             var<private> p0 = 5u;
             var<private> p1: u32;
             {CALLEE}
             fn run(i: u32) -> u32 {{
                 var v0 = i; var v1 = 7u; var v2 = i * i; var v3: u32;
                 var a: array<u32, {ELEMENTS}>;
                 {body}
                 return v0 ^ (v1 * 3) ^ (v2 * 5) ^ (v3 * 7) ^ a[0] ^ (a[1] * 11) ^ (a[2] * 13) ^ (a[3] * 17);
             }}
             @compute @workgroup_size({LANES})
             fn main(@builtin(local_invocation_index) i: u32) {{ x[i] = run(i) ^ (p0 * 19) ^ (p1 * 23); }}"
        );
        let expected: Vec<u32> = (0..LANES)
            .map(|lane| {
                let mut invocation = Invocation { lane, lets: vec![0; author.lets], ..Invocation::default() };
                invocation.variables = [lane, 7, lane * lane, 0];
                invocation.privates = [5, 0];
                let flow = invocation.block(&program);
                let sum = |values: &[u32], factors: &[u32]| {
                    values.iter().zip(factors).fold(0, |sum, (&v, &factor)| sum ^ v.wrapping_mul(factor))
                };
                let value = match flow {
                    Flow::Return(value) => value,
                    _ => {
                        sum(&invocation.variables, &[1, 3, 5, 7])
                            ^ sum(&invocation.elements, &[1, 11, 13, 17])
                    }
                };
                value ^ sum(&invocation.privates, &[19, 23])
            })
            .collect();
        let test = Test::new(&wgsl).bind("x", &vec![0u32; LANES as usize]);
        if let Err(fault) = test.run() {
            panic!("seed {seed}: {fault}\n{wgsl}");
        }
        assert_eq!(test.read::<u32>("x"), expected, "seed {seed}\n{wgsl}");
    }
}
