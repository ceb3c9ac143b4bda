//! What a workgroup does together: barriers in uniform control flow, and what is exchanged between them.
//!
//! Between two barriers every invocation writes only its own element, or takes atomic steps whose order does not
//! matter, and reads others only where nobody writes. Knows no bindings but by the names in scope.

use crate::Profile;
use crate::author::{Author, Exit, Flow};
use crate::place::Place;
use crate::types::{Scalar, Ty};

/// Rounds of all uniform loops around a place, multiplied.
const MOST_ROUNDS: u32 = 16;

/// Memory that a workgroup shares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// Arrays with one element per invocation of the workgroup.
    pub(crate) exchanges: Vec<(String, Ty)>,
    /// Invocations of a workgroup.
    pub(crate) invocations: u32,
    /// Invocations may return before a barrier.
    pub(crate) early: bool,
    /// There is a binding with an element per invocation that the workgroup reads after `storageBarrier`.
    pub(crate) board: bool,
}

/// Where collective statements stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Together {
    pub(crate) depth: u32,
    /// In a uniform loop.
    pub(crate) repeats: bool,
    /// `break` leaves something.
    pub(crate) breaks: bool,
    /// Invocations may return.
    pub(crate) returns: bool,
}

impl Author {
    /// Statements that all invocations reach together.
    pub(crate) fn together(&mut self, at: Together) {
        self.scope(|author| {
            for _ in 0..1 + author.dice.roll(3) + u32::from(at.depth == 0) {
                author.together_once(at);
            }
            if at.breaks && author.dice.chance(10) {
                author.line("break;");
            } else if at.repeats && author.dice.chance(5) {
                author.line("continue;");
            }
        });
    }

    fn together_once(&mut self, at: Together) {
        match self.dice.roll(20) {
            0..=3 => self.apart(at),
            4..=6 => self.exchange(at),
            7 => self.board(at),
            8..=9 => self.tally(),
            10 => self.told(),
            11 => self.uniform_value(),
            12 if at.returns => {
                let condition = self.runtime(Ty::BOOL, 2);
                self.line(format!("if {condition} {{ return; }}"));
            }
            13..=14 if at.depth < 3 => self.uniform_branch(at),
            15..=17 if at.depth < 3 && self.weight < MOST_ROUNDS => self.uniform_loop(at),
            18 if at.repeats => {
                let condition = self.uniformly(|author| author.runtime(Ty::BOOL, 2));
                let word = *self.dice.pick(&["break", "continue"]);
                let word = if at.breaks { word } else { "continue" };
                self.line(format!("if {condition} {{ {word}; }}"));
            }
            _ => self.apart(at),
        }
    }

    /// Statements that invocations execute each on their own.
    pub(crate) fn apart(&mut self, at: Together) {
        let exit = if at.returns { Exit::Kernel } else { Exit::None };
        self.budget += 4;
        for _ in 0..1 + self.dice.roll(4) {
            if self.budget > 0 {
                self.statement(at.depth, Flow { can_break: false, can_continue: false, exit });
            }
        }
    }

    /// Everyone writes an element and reads those of others.
    fn exchange(&mut self, at: Together) {
        if self.shared.exchanges.is_empty() {
            return self.apart(at);
        }
        if self.dice.chance(40) {
            return self.neighbour();
        }
        let (array, ty) = self.dice.pick(&self.shared.exchanges).clone();
        let value = self.runtime(ty, 3);
        let value = self.tamed(ty, value);
        self.line(format!("{array}[lane] = {value};"));
        self.meet();
        if self.dice.chance(30) {
            self.tree(&array, ty);
        }
        for _ in 0..1 + self.dice.roll(2) {
            let place = Place::new(&*array, ty).index(self.shared.invocations, ty);
            let (text, name) = (self.write(&place, 2), self.name("l"));
            self.line(format!("let {name} = {text};"));
            self.places.push(Place::new(name, ty));
        }
        self.line("workgroupBarrier();");
    }

    /// Everyone reads the element of one that is so far to one side, after or before writing their own.
    fn neighbour(&mut self) {
        let (array, ty) = self.dice.pick(&self.shared.exchanges).clone();
        let (count, far) = (self.shared.invocations, self.uniformly(|author| author.runtime(Ty::U32, 1)));
        let (far, by, name) = (format!("({far}) % {count}u"), self.name("k"), self.name("l"));
        self.line(format!("let {by} = {far};"));
        let (there, index) = match self.dice.chance(50) {
            true => (format!("lane >= {by}"), format!("lane - {by}")),
            false => (format!("lane + {by} < {count}u"), format!("lane + {by}")),
        };
        let written_first = self.dice.chance(50);
        for reads in [!written_first, written_first] {
            if reads {
                self.line(format!("var {name} = {array}[lane];"));
                self.line(format!("if {there} {{"));
                self.line(format!("{name} = {array}[{index}];"));
                self.line("}");
                self.places.push(Place::new(name.clone(), ty));
            } else {
                let value = self.runtime(ty, 2);
                let value = self.tamed(ty, value);
                self.line(format!("{array}[lane] = {value};"));
            }
            self.meet();
        }
    }

    /// Rounds in which some take in the elements of others, who do not write.
    fn tree(&mut self, array: &str, ty: Ty) {
        let (count, far) = (self.shared.invocations, self.name("h"));
        let (top, counted) = (1 << self.dice.roll(8), 1 + self.dice.roll(6));
        let within = format!("lane + {far} < {count}u");
        let (rounds, takes_part) = match self.dice.roll(10) {
            0..=5 => (format!("var {far} = {top}u; {far} > 0u; {far} /= 2u"), format!("lane < {far}")),
            6..=7 => {
                let rounds = format!("var {far} = 1u; {far} <= {top}u; {far} *= 2u");
                (rounds, format!("lane % (2u * {far}) == 0u && {within}"))
            }
            _ => {
                (format!("var {far} = {counted}u; {far} > 0u; {far}--"), format!("lane < {far} && {within}"))
            }
        };
        self.line(format!("for ({rounds}) {{"));
        let inside = 2 * top <= count || takes_part.contains("&&");
        self.line(format!("if {takes_part} {{"));
        if !inside {
            self.line(format!("if {within} {{"));
        }
        let operator = if ty.scalar == Scalar::Bool { "!=" } else { *self.dice.pick(&["+", "-", "*"]) };
        let value = self.tamed(ty, format!("({array}[lane] {operator} {array}[lane + {far}])"));
        self.line(format!("{array}[lane] = {value};"));
        if !inside {
            self.line("}");
        }
        self.line("}");
        self.meet();
        self.line("}");
    }

    /// What follows is for one invocation, mostly the first.
    fn one_only(&mut self) {
        let one = if self.dice.chance(70) { 0 } else { self.dice.roll(self.shared.invocations) };
        self.line(format!("if lane == {one}u {{"));
    }

    /// A barrier of the workgroup, perhaps behind one of subgroups that stops nobody else.
    fn meet(&mut self) {
        if self.profile == Profile::Subgroups && self.dice.chance(20) {
            self.line("subgroupBarrier();");
        }
        self.line("workgroupBarrier();");
    }

    /// The same through a binding.
    fn board(&mut self, at: Together) {
        if !self.shared.board {
            return self.exchange(at);
        }
        let (value, count) = (self.runtime(Ty::U32, 3), self.shared.invocations);
        self.line(format!("board[first + lane] = {value};"));
        self.line("storageBarrier();");
        let (index, name) = (self.runtime(Ty::U32, 2), self.name("l"));
        self.line(format!("let {name} = board[first + ({index} % {count}u)];"));
        self.places.push(Place::new(name, Ty::U32));
        self.line("storageBarrier();");
    }

    /// Atomic steps on workgroup memory, looked at between barriers.
    fn tally(&mut self) {
        let (operation, ty) = *self.dice.pick(&[
            ("atomicAdd(&tally", Ty::U32),
            ("atomicXor(&tally", Ty::U32),
            ("atomicOr(&tally", Ty::U32),
            ("atomicMax(&tally", Ty::U32),
            ("atomicMin(&least", Ty::I32),
            ("atomicAdd(&least", Ty::I32),
        ]);
        let array = &operation[operation.len() - 5..];
        self.one_only();
        let (slot, value) = (self.dice.roll(3), self.literal(ty));
        self.line(format!("atomicStore(&{array}[{slot}], {value});"));
        self.line("}");
        self.line("workgroupBarrier();");
        let (index, value) = (self.runtime(Ty::U32, 1), self.runtime(ty, 2));
        if self.dice.chance(50) {
            let condition = self.runtime(Ty::BOOL, 2);
            self.line(format!("if {condition} {{"));
            self.line(format!("{operation}[{index} % 3u], {value});"));
            self.line("}");
        } else {
            self.line(format!("{operation}[{index} % 4u], {value});"));
        }
        self.line("workgroupBarrier();");
        let (index, name) = (self.runtime(Ty::U32, 1), self.name("l"));
        self.line(format!("let {name} = atomicLoad(&{array}[{index} % 3u]);"));
        self.places.push(Place::new(name, ty));
        self.line("workgroupBarrier();");
    }

    /// One invocation decides, all know.
    fn told(&mut self) {
        let value = self.runtime(Ty::U32, 2);
        self.one_only();
        self.line(format!("word = {value};"));
        self.line("}");
        let name = self.name("k");
        self.line(format!("let {name} = workgroupUniformLoad(&word);"));
        self.places.push(Place { uniform: true, ..Place::new(name, Ty::U32) });
    }

    fn uniform_value(&mut self) {
        let ty = Ty::of(*self.dice.pick(&[Scalar::U32, Scalar::I32, Scalar::Bool, Scalar::F32]));
        let value = self.uniformly(|author| author.runtime(ty, 3));
        let value = self.tamed(ty, value);
        let variables: Vec<Place> =
            self.places.iter().filter(|p| p.uniform && p.mutable && p.ty == ty).cloned().collect();
        if !variables.is_empty() && self.dice.chance(60) {
            let variable = self.dice.pick(&variables).clone();
            return self.line(format!("{} = {value};", variable.name));
        }
        let name = self.name("k");
        let mutable = self.dice.chance(60);
        self.line(format!("{} {name} = {value};", if mutable { "var" } else { "let" }));
        self.places.push(Place { uniform: true, mutable, ..Place::new(name, ty) });
    }

    fn uniform_branch(&mut self, at: Together) {
        let inner = Together { depth: at.depth + 1, ..at };
        if self.dice.chance(25) {
            let selector = self.uniformly(|author| author.runtime(Ty::U32, 2));
            self.line(format!("switch ({selector} % 3u) {{"));
            for label in ["case 0u, 1u {", "default {"] {
                self.line(label);
                self.together(Together { breaks: true, ..inner });
                self.line("}");
            }
            return self.line("}");
        }
        let condition = self.uniformly(|author| author.runtime(Ty::BOOL, 3));
        self.line(format!("if {condition} {{"));
        self.together(inner);
        if self.dice.chance(50) {
            self.line("} else {");
            self.together(inner);
        }
        self.line("}");
    }

    fn uniform_loop(&mut self, at: Together) {
        let (counter, rounds) = (self.name("c"), 1 + self.dice.roll(4));
        let weight = self.weight;
        self.weight *= rounds;
        let inner = Together { depth: at.depth + 1, repeats: true, breaks: true, ..at };
        let place = Place { uniform: true, ..Place::new(&*counter, Ty::U32) };
        let seen = self.places.len();
        if self.dice.chance(65) {
            let bound = if self.dice.chance(60) {
                let bound = self.uniformly(|author| author.runtime(Ty::U32, 2));
                format!("({bound} % {}u)", rounds + 1)
            } else {
                format!("{rounds}u")
            };
            self.line(format!("for (var {counter} = 0u; {counter} < {bound}; {counter}++) {{"));
            self.places.push(place);
            self.together(inner);
            self.line("}");
        } else {
            self.line(format!("var {counter} = 0u;"));
            self.line("loop {");
            self.line(format!("if {counter} >= {rounds}u {{ break; }} // bound"));
            self.line(format!("{counter} += 1u; // bound"));
            self.places.push(place);
            self.together(inner);
            if self.dice.chance(60) {
                self.line("continuing {");
                self.together(Together { breaks: false, repeats: false, returns: false, ..inner });
                if self.dice.chance(60) {
                    let condition = self.uniformly(|author| author.runtime(Ty::BOOL, 2));
                    self.line(format!("break if {condition};"));
                }
                self.line("}");
            }
            self.line("}");
        }
        self.places.truncate(seen);
        self.weight = weight;
    }

    /// The profile has barriers.
    pub(crate) fn meets(&mut self) -> bool {
        let percent = if self.profile == Profile::Small { 35 } else { 55 };
        self.dice.chance(percent)
    }
}
