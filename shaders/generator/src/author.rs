//! The text of one kernel while it is written, and what can be seen at the place where it is written.
//!
//! Knows no statement and no expression; those are in files of their own.

use crate::Profile;
use crate::collective::Shared;
use crate::dice::Dice;
use crate::memory::Struct;
use crate::place::{Part, Place};
use crate::types::{Scalar, Ty};

/// What a block may end with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) can_break: bool,
    pub(crate) can_continue: bool,
    pub(crate) exit: Exit,
}

/// What `return` does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is not allowed.
    None,
    /// Ends the invocation.
    Kernel,
    /// Gives a value.
    Value(Ty),
}

/// A function that was written already.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) result: Ty,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter {
    Value(Ty),
    /// To a variable of the calling function.
    Pointer(Ty),
}

/// Makes one kernel.
pub(crate) struct Author {
    pub(crate) dice: Dice,
    pub(crate) profile: Profile,
    text: String,
    indent: usize,
    names: u32,
    /// What is in scope, innermost last.
    pub(crate) places: Vec<Place>,
    pub(crate) functions: Vec<Signature>,
    pub(crate) structures: Vec<Struct>,
    pub(crate) shared: Shared,
    /// Atomics: used by statements of their own.
    pub(crate) special: Vec<Place>,
    /// Elements of `out` that belong to an invocation.
    pub(crate) each: u32,
    /// A `u32` that differs from invocation to invocation (in a function: may), always in scope.
    pub(crate) anchor: String,
    /// Only what is the same for the whole workgroup may be used.
    pub(crate) uniform: bool,
    /// Subgroup operations may be used.
    pub(crate) subgroups: bool,
    /// How often the current place runs at most, in an invocation.
    pub(crate) weight: u32,
    /// Statements that may still be written.
    pub(crate) budget: i32,
}

impl Author {
    pub(crate) fn new(seed: u64, profile: Profile) -> Self {
        Self {
            dice: Dice::new(seed.wrapping_mul(8).wrapping_add(profile as u64)),
            profile,
            text: String::new(),
            indent: 0,
            names: 0,
            places: Vec::new(),
            functions: Vec::new(),
            structures: Vec::new(),
            shared: Shared::default(),
            special: Vec::new(),
            each: 1,
            anchor: String::new(),
            uniform: false,
            subgroups: false,
            weight: 1,
            budget: 0,
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref();
        if line.starts_with('}') {
            self.indent = self.indent.saturating_sub(1);
        }
        self.text.extend(std::iter::repeat_n("    ", self.indent));
        self.text.push_str(line);
        self.text.push('\n');
        if line.ends_with('{') {
            self.indent += 1;
        }
    }

    /// A new name.
    pub(crate) fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// A scalar that the profile has values of, `bool` among them.
    pub(crate) fn scalar(&mut self) -> Scalar {
        match self.dice.roll(20) {
            0..=6 => Scalar::U32,
            7..=11 => Scalar::I32,
            12 => Scalar::Bool,
            _ => self.float_or_wide(),
        }
    }

    fn float_or_wide(&mut self) -> Scalar {
        if self.profile == Profile::Wide {
            *self.dice.pick(&[Scalar::F32, Scalar::F16, Scalar::F64, Scalar::I64, Scalar::U64])
        } else {
            Scalar::F32
        }
    }

    /// A type, mostly scalar.
    pub(crate) fn ty(&mut self) -> Ty {
        let width = if self.dice.chance(70) { 1 } else { 2 + self.dice.roll(3) as u8 };
        Ty::new(self.scalar(), width)
    }

    /// A type that bindings may have.
    pub(crate) fn shared_ty(&mut self) -> Ty {
        match self.ty() {
            Ty { scalar: Scalar::Bool, width } => Ty::new(Scalar::U32, width),
            ty => ty,
        }
    }

    /// Runs `f` with everything that it declares going out of scope again.
    pub(crate) fn scope<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let seen = self.places.len();
        let result = f(self);
        self.places.truncate(seen);
        result
    }

    /// Runs `f` with values that are the same for the whole workgroup only.
    pub(crate) fn uniformly<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.uniform, true);
        let result = f(self);
        self.uniform = before;
        result
    }

    /// The text of a place, with indices of that depth.
    pub(crate) fn write(&mut self, place: &Place, depth: u32) -> String {
        let mut text = place.name.clone();
        for part in &place.path {
            match part {
                Part::Member(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Part::Index(count) => {
                    let index = self.index(*count, depth);
                    text.push_str(&format!("[{index}]"));
                }
                Part::Own { before, count, after } => {
                    let index = if *count == 1 {
                        "0u".to_owned()
                    } else if self.dice.chance(60) {
                        format!("{}u", self.dice.roll(*count))
                    } else {
                        let index = self.runtime(Ty::U32, depth.min(1));
                        format!("({index} % {count}u)")
                    };
                    text.push_str(&format!("[{before}{index}{after}]"));
                }
            }
        }
        text
    }

    /// An index into so many elements; now and then beyond them.
    fn index(&mut self, count: u32, depth: u32) -> String {
        let depth = depth.min(2).saturating_sub(1);
        match self.dice.roll(20) {
            0..=3 => format!("{}", self.dice.roll(count.max(1))),
            4..=10 => format!("({} % {}u)", self.runtime(Ty::U32, depth), count.max(1)),
            11..=13 => {
                format!("({} & {}u)", self.runtime(Ty::U32, depth), count.max(1).next_power_of_two() - 1)
            }
            14..=15 => format!("({} % {}u)", self.runtime(Ty::U32, depth), count + 2),
            16..=17 => format!("({} % {}i)", self.runtime(Ty::I32, depth), count + 1),
            18 => self.runtime(Ty::U32, depth),
            _ => self.runtime(Ty::I32, depth),
        }
    }
}
