//! Statements that invocations execute each on their own: control flow of every kind, and writes to what is theirs.
//!
//! Every loop has a bound of its own. Knows no barriers.

use crate::Profile;
use crate::author::{Author, Exit, Flow, Parameter};
use crate::place::Place;
use crate::types::{Scalar, Ty};

/// Rounds of all loops around a place, multiplied.
const MOST_ROUNDS: u32 = 48;

impl Author {
    /// A block's statements, and perhaps a way out at its end.
    pub(crate) fn block(&mut self, depth: u32, flow: Flow) {
        self.scope(|author| {
            for _ in 0..1 + author.dice.roll(4) {
                if author.budget <= 0 {
                    break;
                }
                author.statement(depth, flow);
            }
            match author.dice.roll(8) {
                0 | 1 if flow.can_break => author.line("break;"),
                2 if flow.can_continue => author.line("continue;"),
                3 => author.exit(flow),
                _ => {}
            }
        });
    }

    fn exit(&mut self, flow: Flow) {
        match flow.exit {
            Exit::None => {}
            Exit::Kernel => self.line("return;"),
            Exit::Value(ty) => {
                let value = self.runtime(ty, 2);
                self.line(format!("return {value};"));
            }
        }
    }

    pub(crate) fn statement(&mut self, depth: u32, flow: Flow) {
        self.budget -= 1;
        let nests = depth < 5;
        match self.dice.roll(32) {
            0..=3 => self.declare_let(),
            4..=6 => self.declare_variable(),
            7..=11 => self.assign(),
            12..=14 => self.compound(),
            15 => self.increment(),
            16 => self.point(),
            17 => self.atomic(),
            18..=19 => self.call(),
            20..=24 if nests => self.branch(depth, flow),
            25..=26 if nests => self.switch(depth, flow),
            27..=31 if nests && self.weight < MOST_ROUNDS => self.repeat(depth, flow),
            _ => self.assign(),
        }
    }

    fn declare_let(&mut self) {
        let ty = self.ty();
        let value = self.runtime(ty, 3);
        let value = self.tamed(ty, value);
        let name = self.name("l");
        self.line(format!("let {name} = {value};"));
        self.places.push(Place::new(name, ty));
    }

    fn declare_variable(&mut self) {
        let name = self.name("v");
        if self.dice.chance(25) {
            return self.declare_memory(&name);
        }
        let ty = self.ty();
        if self.dice.chance(10) {
            self.line(format!("var {name}: {};", ty.name()));
        } else {
            let value = self.expression(ty, 3);
            let value = self.tamed(ty, value);
            self.line(format!("var {name}: {} = {value};", ty.name()));
        }
        self.places.push(Place::variable(name, ty));
    }

    /// In the portable profile floats stay small whole numbers.
    pub(crate) fn tamed(&mut self, ty: Ty, value: String) -> String {
        if ty.scalar != Scalar::F32 || self.profile != Profile::Portable {
            return value;
        }
        let whole = ty.with(Scalar::I32);
        if ty.is_vector() {
            format!("{}({}({value}) % {}(512i))", ty.name(), whole.name(), whole.name())
        } else {
            format!("f32(i32({value}) % 512i)")
        }
    }

    /// Any place that may be written by this invocation here.
    fn target(&mut self, fits: impl Fn(&Place) -> bool) -> Option<Place> {
        let writable = |place: &Place| place.mutable && !place.uniform && fits(place);
        let prefer = self.dice.chance(30);
        for visible in [prefer, false] {
            let chosen = |place: &&Place| writable(place) && (place.visible || !visible);
            let count = self.places.iter().filter(chosen).count();
            if count > 0 {
                let n = self.dice.roll(count as u32) as usize;
                return self.places.iter().filter(chosen).nth(n).cloned();
            }
        }
        None
    }

    /// A value as it may be seen from outside: any NaN is replaced by a number.
    pub(crate) fn clean(&mut self, ty: Ty, value: String) -> String {
        if !ty.scalar.is_float() {
            return value;
        }
        let name = self.name("l");
        self.line(format!("let {name} = {value};"));
        let plain = format!("77.25{}", ty.scalar.suffix());
        let plain = if ty.is_vector() { format!("{}({plain})", ty.name()) } else { plain };
        format!("select({name}, {plain}, {name} != {name})")
    }

    fn assign(&mut self) {
        let Some(place) = self.target(|_| true) else {
            return self.declare_variable();
        };
        self.assign_to(&place);
    }

    pub(crate) fn assign_to(&mut self, place: &Place) {
        let mut ty = place.ty;
        let mut component = String::new();
        if ty.is_vector() && self.dice.chance(35) {
            let n = self.dice.roll(u32::from(ty.width));
            component = match self.dice.roll(3) {
                0 => format!("[{} % {}u]", self.runtime(Ty::U32, 1), u32::from(ty.width) + n / 3),
                _ => format!(".{}", ["x", "y", "z", "w"][n as usize]),
            };
            ty = Ty::of(ty.scalar);
        }
        let value = self.expression(ty, 4);
        let value = self.tamed(ty, value);
        let value = if place.visible { self.clean(ty, value) } else { value };
        let text = self.write(place, 2);
        self.line(format!("{text}{component} = {value};"));
    }

    fn compound(&mut self) {
        let portable = self.profile == Profile::Portable;
        let fits = |place: &Place| match place.ty.scalar {
            Scalar::Bool => false,
            scalar if scalar.is_float() => !place.visible && !portable,
            _ => true,
        };
        let Some(place) = self.target(fits) else {
            return self.assign();
        };
        let ty = place.ty;
        let text = self.write(&place, 1);
        if ty.scalar.is_float() {
            let (operator, value) = (*self.dice.pick(&["+=", "-=", "*=", "/="]), self.runtime(ty, 2));
            return self.line(format!("{text} {operator} {value};"));
        }
        let operator = *self.dice.pick(&["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="]);
        let value = match operator {
            "/=" | "%=" => self.divisor(ty, 2),
            "<<=" | ">>=" => self.amount(ty, 2),
            _ => self.expression(ty, 2),
        };
        self.line(format!("{text} {operator} {value};"));
    }

    fn increment(&mut self) {
        let Some(place) = self.target(|place| matches!(place.ty, Ty::I32 | Ty::U32)) else {
            return self.assign();
        };
        let text = self.write(&place, 1);
        let operator = *self.dice.pick(&["++", "--"]);
        self.line(format!("{text}{operator};"));
    }

    /// A pointer to a place, used from here on.
    fn point(&mut self) {
        let Some(place) = self.target(|place| place.pointable) else {
            return self.assign();
        };
        let (text, name) = (self.write(&place, 1), self.name("q"));
        self.line(format!("let {name} = &{text};"));
        let place = Place { name: format!("(*{name})"), path: Vec::new(), pointable: false, ..place };
        self.assign_to(&place);
        self.places.push(place);
    }

    fn branch(&mut self, depth: u32, flow: Flow) {
        let condition = self.runtime(Ty::BOOL, 3);
        self.line(format!("if {condition} {{"));
        self.block(depth + 1, flow);
        if self.dice.chance(20) {
            let condition = self.runtime(Ty::BOOL, 2);
            self.line(format!("}} else if {condition} {{"));
            self.block(depth + 1, flow);
        }
        if self.dice.chance(50) {
            self.line("} else {");
            self.block(depth + 1, flow);
        }
        self.line("}");
    }

    fn switch(&mut self, depth: u32, flow: Flow) {
        let ty = *self.dice.pick(&[Ty::U32, Ty::I32]);
        let (selector, suffix, cases) = (self.runtime(ty, 2), ty.scalar.suffix(), 1 + self.dice.roll(4));
        self.line(format!("switch ({selector} % {}{suffix}) {{", cases + 2));
        let default = self.dice.roll(cases + 1);
        let mut next = 0;
        let inner = Flow { can_break: true, ..flow };
        for case in 0..=cases {
            let value = next;
            next += 1;
            let mut labels = format!("{value}{suffix}");
            if self.dice.chance(25) {
                labels = format!("{labels}, {next}{suffix}");
                next += 1;
            }
            match case == default {
                true if self.dice.chance(30) => self.line(format!("case {labels}, default {{")),
                true => self.line("default {"),
                false => self.line(format!("case {labels} {{")),
            }
            self.block(depth + 1, inner);
            self.line("}");
        }
        self.line("}");
    }

    fn repeat(&mut self, depth: u32, flow: Flow) {
        let (counter, rounds) = (self.name("c"), 1 + self.dice.roll(6));
        let weight = self.weight;
        self.weight *= rounds;
        let inner = Flow { can_break: true, can_continue: true, ..flow };
        let seen = self.places.len();
        match self.dice.roll(4) {
            0 | 1 => {
                let bound = if self.dice.chance(60) {
                    format!("({} % {}u)", self.runtime(Ty::U32, 2), rounds + 1)
                } else {
                    format!("{rounds}u")
                };
                let step = *self.dice.pick(&["++", " += 1u", " += 2u"]);
                self.line(format!("for (var {counter} = 0u; {counter} < {bound}; {counter}{step}) {{"));
                self.places.push(Place::new(counter, Ty::U32));
                self.block(depth + 1, inner);
                self.line("}");
            }
            2 => {
                self.line(format!("var {counter} = 0u;"));
                let condition = self.runtime(Ty::BOOL, 2);
                self.line(format!("while ({condition} && {counter} < {rounds}u) {{"));
                self.line(format!("{counter} += 1u; // bound"));
                self.places.push(Place::new(counter, Ty::U32));
                self.block(depth + 1, inner);
                self.line("}");
            }
            _ => {
                self.line(format!("var {counter} = 0u;"));
                self.places.push(Place::new(&*counter, Ty::U32));
                self.line("loop {");
                self.line(format!("if {counter} >= {rounds}u {{ break; }} // bound"));
                self.line(format!("{counter} += 1u; // bound"));
                self.block(depth + 1, inner);
                if self.dice.chance(60) {
                    self.line("continuing {");
                    let none = Flow { can_break: false, can_continue: false, exit: Exit::None };
                    self.block(depth + 1, none);
                    if self.dice.chance(70) {
                        let condition = self.runtime(Ty::BOOL, 2);
                        self.line(format!("break if {condition};"));
                    }
                    self.line("}");
                }
                self.line("}");
            }
        }
        self.places.truncate(seen);
        self.weight = weight;
    }

    /// Calls a function that was written before; its pointers are to different variables.
    fn call(&mut self) {
        if self.functions.is_empty() || self.weight > 8 {
            return self.assign();
        }
        let n = self.dice.roll(self.functions.len() as u32) as usize;
        let signature = self.functions[n].clone();
        let mut taken: Vec<String> = Vec::new();
        let mut arguments = Vec::new();
        for parameter in &signature.parameters {
            match *parameter {
                Parameter::Value(ty) => {
                    let value = self.runtime(ty, 2);
                    arguments.push(self.tamed(ty, value));
                }
                Parameter::Pointer(ty) => {
                    // Not every device takes pointers to parts of variables.
                    let whole = self.profile == Profile::Portable;
                    let fits = |place: &Place| {
                        place.pointable
                            && (place.is_whole() || !whole)
                            && place.ty == ty
                            && !taken.contains(&place.name)
                    };
                    let (text, name) = match self.target(fits) {
                        Some(place) => (self.write(&place, 1), place.name),
                        None => {
                            let (name, value) = (self.name("v"), self.runtime(ty, 1));
                            let value = self.tamed(ty, value);
                            self.line(format!("var {name}: {} = {value};", ty.name()));
                            self.places.push(Place::variable(&*name, ty));
                            (name.clone(), name)
                        }
                    };
                    arguments.push(format!("&{text}"));
                    taken.push(name);
                }
            }
        }
        let name = self.name("l");
        self.line(format!("let {name} = {}({});", signature.name, arguments.join(", ")));
        self.places.push(Place::new(name, signature.result));
    }

    /// A step on shared memory whose result is not used: in whatever order, the sum is the same.
    fn atomic(&mut self) {
        let Some(place) = self.special.iter().find(|place| place.name == "counters").cloned() else {
            return self.assign();
        };
        if self.dice.chance(25) {
            return self.own_atomic();
        }
        let (member, operation, ty) = *self.dice.pick(&[
            ("sum", "atomicAdd", Ty::U32),
            ("sum", "atomicSub", Ty::U32),
            ("least", "atomicMin", Ty::I32),
            ("most", "atomicMax", Ty::I32),
            ("highest", "atomicMax", Ty::U32),
            ("all", "atomicAnd", Ty::U32),
            ("any", "atomicOr", Ty::U32),
            ("odd", "atomicXor", Ty::U32),
        ]);
        let place = Place { path: Vec::new(), ..place }.member(member, ty).index(4, ty);
        let (text, value) = (self.write(&place, 2), self.runtime(ty, 2));
        self.line(format!("{operation}(&{text}, {value});"));
    }

    /// A step on an atomic that belongs to the invocation, whose result is used.
    fn own_atomic(&mut self) {
        let Some(place) = self.special.iter().find(|place| place.name == "slots").cloned() else {
            return self.assign();
        };
        let (text, value, name) = (self.write(&place, 1), self.runtime(Ty::U32, 2), self.name("l"));
        match self.dice.roll(4) {
            0 => {
                let operation =
                    *self.dice.pick(&["Add", "Sub", "Min", "Max", "And", "Or", "Xor", "Exchange"]);
                self.line(format!("let {name} = atomic{operation}(&{text}, {value});"));
            }
            1 => self.line(format!("let {name} = atomicLoad(&{text});")),
            2 => {
                let old = self.name("l");
                self.line(format!("let {old} = atomicLoad(&{text});"));
                let expected = format!("select({old}, {}, {})", self.leaf_u32(), self.runtime(Ty::BOOL, 1));
                let whole = self.name("l");
                self.line(format!("let {whole} = atomicCompareExchangeWeak(&{text}, {expected}, {value});"));
                self.line(format!("let {name} = {whole}.old_value + u32({whole}.exchanged);"));
            }
            _ => {
                self.line(format!("atomicStore(&{text}, {value});"));
                return;
            }
        }
        self.places.push(Place::new(name, Ty::U32));
    }

    fn leaf_u32(&mut self) -> String {
        self.runtime(Ty::U32, 0)
    }
}
