//! Expressions of every type: those that a constant evaluator could refuse are never constant.
//!
//! Everything means exactly one value on every device that rounds as WGSL's exact operations do: no operation with a
//! tolerance, no bits of a NaN, and no minimum of zeros of both signs. Knows no statements.

use crate::Profile;
use crate::author::Author;
use crate::place::Place;
use crate::types::{Scalar, Ty};

impl Author {
    /// An expression, perhaps a literal.
    pub(crate) fn expression(&mut self, ty: Ty, depth: u32) -> String {
        if self.dice.chance(12) { self.literal(ty) } else { self.runtime(ty, depth) }
    }

    /// An expression that is not constant.
    pub(crate) fn runtime(&mut self, ty: Ty, depth: u32) -> String {
        if depth == 0 || self.dice.chance(15) {
            return self.leaf(ty);
        }
        if ty.is_vector() && self.dice.chance(15) {
            return self.assembled(ty, depth);
        }
        if self.dice.chance(6) {
            let (a, b) = (self.expression(ty, depth - 1), self.runtime(ty, depth - 1));
            let condition = if self.dice.chance(50) { Ty::BOOL } else { ty.with(Scalar::Bool) };
            let condition = self.runtime(condition, depth - 1);
            return format!("select({a}, {b}, {condition})");
        }
        match ty.scalar {
            Scalar::Bool => self.boolean(ty, depth),
            Scalar::I32 | Scalar::U32 => self.integer(ty, depth),
            Scalar::I64 | Scalar::U64 => self.wide_integer(ty, depth),
            Scalar::F32 if self.profile == Profile::Portable => self.tame_operation(ty, depth),
            Scalar::F32 | Scalar::F16 | Scalar::F64 => self.float(ty, depth),
        }
    }

    /// A literal, splat where the type is a vector.
    pub(crate) fn literal(&mut self, ty: Ty) -> String {
        let one = |author: &mut Self| {
            let suffix = ty.scalar.suffix();
            match ty.scalar {
                Scalar::Bool => (*author.dice.pick(&["true", "false"])).to_owned(),
                Scalar::I32 => match author.dice.roll(8) {
                    0 => "(-2147483647i - 1i)".to_owned(),
                    1 => "2147483647i".to_owned(),
                    2 => format!("{}i", author.dice.word() as u32 & 0x7fff_ffff),
                    _ => format!("{}i", author.dice.roll(41) as i32 - 20),
                },
                Scalar::U32 => match author.dice.roll(8) {
                    0 => "4294967295u".to_owned(),
                    1 => format!("{}u", 1u32 << author.dice.roll(32)),
                    2 => format!("{}u", author.dice.word() as u32),
                    _ => format!("{}u", author.dice.roll(40)),
                },
                Scalar::I64 => format!("{}li", (author.dice.word() >> author.dice.roll(60)) as i64 >> 1),
                Scalar::U64 => format!("{}lu", author.dice.word() >> author.dice.roll(64)),
                Scalar::F32 if author.profile == Profile::Portable => format!("{}f", author.dice.roll(16)),
                Scalar::F32 | Scalar::F16 | Scalar::F64 => {
                    let value = author
                        .dice
                        .pick(&["0.0", "1.0", "-1.0", "0.5", "-2.75", "3.1", "0.1", "1000.0", "-0.001"]);
                    format!("{value}{suffix}")
                }
            }
        };
        if !ty.is_vector() {
            return one(self);
        }
        if self.dice.chance(50) {
            let value = one(self);
            return format!("{}({value})", ty.name());
        }
        let values: Vec<_> = (0..ty.width).map(|_| one(self)).collect();
        format!("{}({})", ty.name(), values.join(", "))
    }

    /// What may stand to the right of `/` and `%`: no constant zero, not even in one component.
    pub(crate) fn divisor(&mut self, ty: Ty, depth: u32) -> String {
        if self.dice.chance(50) {
            let value = self.runtime(ty, depth);
            let same = self.bound(ty, 1);
            return if ty.is_vector() { format!("({value} - {same})") } else { value };
        }
        let n = 1 + self.dice.roll(20);
        let sign = if ty.scalar.is_signed() && self.dice.chance(30) { "-" } else { "" };
        let value = format!("{sign}{n}{}", ty.scalar.suffix());
        if ty.is_vector() { format!("{}({value})", ty.name()) } else { value }
    }

    /// What a shift may be by: literals below the width, or anything that is not constant.
    pub(crate) fn amount(&mut self, ty: Ty, depth: u32) -> String {
        let amounts = ty.with(Scalar::U32);
        if self.dice.chance(50) {
            return match ty.is_vector() {
                false => self.runtime(amounts, depth),
                true if self.dice.chance(50) => {
                    format!("{}({})", amounts.name(), self.runtime(Ty::U32, depth))
                }
                // One component may be a literal, which must not be too large.
                true => format!("({} & {}(31u))", self.runtime(amounts, depth), amounts.name()),
            };
        }
        let n = self.dice.roll(32);
        if ty.is_vector() { format!("{}({n}u)", amounts.name()) } else { format!("{n}u") }
    }

    /// A place, or what can be made of one.
    fn leaf(&mut self, ty: Ty) -> String {
        let uniform = self.uniform;
        let fits = |place: &Place| {
            let vector = ty.width == 1 && place.ty.is_vector();
            place.ty.scalar == ty.scalar
                && (place.ty.width == ty.width || vector)
                && (place.uniform || !uniform)
        };
        let count = self.places.iter().filter(|place| fits(place)).count();
        if count > 0 && self.dice.chance(85) {
            // What was declared last is used most: values live long, but not all of them.
            let chosen = self.dice.roll(count as u32).max(self.dice.roll(count as u32));
            if let Some(place) = self.places.iter().filter(|place| fits(place)).nth(chosen as usize).cloned()
            {
                let text = self.write(&place, 1);
                if place.ty.width == ty.width {
                    return text;
                }
                let component = self.dice.roll(u32::from(place.ty.width));
                if self.dice.chance(30) {
                    let index = self.leaf(Ty::U32);
                    return format!("{text}[{index} % {}u]", place.ty.width + u8::from(self.dice.chance(20)));
                }
                return format!("{text}.{}", ["x", "y", "z", "w"][component as usize]);
            }
        }
        if ty.is_vector() {
            return self.assembled(ty, 0);
        }
        let anchor = if self.uniform { "params.k".to_owned() } else { self.anchor.clone() };
        match ty.scalar {
            Scalar::U32 => anchor,
            Scalar::Bool => format!("((({anchor} >> {}u) & 1u) == 1u)", self.dice.roll(5)),
            Scalar::F32 if self.profile == Profile::Portable => format!("f32({anchor} & 15u)"),
            scalar => format!("{}({anchor})", scalar.name()),
        }
    }

    /// A vector from its parts, or from parts of another.
    fn assembled(&mut self, ty: Ty, depth: u32) -> String {
        let one = Ty::of(ty.scalar);
        let depth = depth.saturating_sub(1);
        match self.dice.roll(4) {
            0 => format!("{}({})", ty.name(), self.runtime(one, depth)),
            1 if ty.width > 2 => {
                let pair = self.runtime(Ty::new(ty.scalar, 2), depth);
                let rest: Vec<_> = (2..ty.width).map(|_| self.expression(one, depth)).collect();
                format!("{}({pair}, {})", ty.name(), rest.join(", "))
            }
            2 if depth > 0 => {
                let width = 2 + self.dice.roll(3) as u8;
                let vector = self.runtime(Ty::new(ty.scalar, width), depth);
                let swizzle: String = (0..ty.width)
                    .map(|_| ['x', 'y', 'z', 'w'][self.dice.roll(u32::from(width)) as usize])
                    .collect();
                format!("({vector}).{swizzle}")
            }
            _ => {
                let first = self.runtime(one, depth);
                let rest: Vec<_> = (1..ty.width).map(|_| self.expression(one, depth)).collect();
                format!("{}({first}, {})", ty.name(), rest.join(", "))
            }
        }
    }

    fn boolean(&mut self, ty: Ty, depth: u32) -> String {
        let d = depth - 1;
        match self.dice.roll(12) {
            0 => format!("(!{})", self.runtime(ty, d)),
            1 => {
                let (a, b) = (self.runtime(ty, d), self.expression(ty, d));
                let scalar = ["&&", "||", "==", "!=", "&", "|"];
                let operator = if ty.is_vector() {
                    *self.dice.pick(&["&", "|", "==", "!="])
                } else {
                    *self.dice.pick(&scalar)
                };
                format!("({a} {operator} {b})")
            }
            2 if !ty.is_vector() => {
                let vector = Ty::new(Scalar::Bool, 2 + self.dice.roll(3) as u8);
                let join = *self.dice.pick(&["all", "any"]);
                format!("{join}({})", self.runtime(vector, d))
            }
            3 if self.subgroups && !self.uniform && !ty.is_vector() => {
                let operation = *self.dice.pick(&["subgroupAll", "subgroupAny"]);
                format!("{operation}({})", self.runtime(Ty::BOOL, d))
            }
            4..=6 => {
                // Every pattern of lanes: bits of ids and of data.
                let of = ty.with(Scalar::U32);
                let (value, bit) = (self.runtime(of, d), 1u32 << self.dice.roll(6));
                let (bit, zero) = if ty.is_vector() {
                    (format!("{}({bit}u)", of.name()), format!("{}(0u)", of.name()))
                } else {
                    (format!("{bit}u"), "0u".to_owned())
                };
                format!("(({value} & {bit}) {} {zero})", self.dice.pick(&["==", "!="]))
            }
            _ => {
                let mut scalar = self.scalar();
                if scalar == Scalar::Bool {
                    scalar = Scalar::U32;
                }
                let (a, b) = (self.runtime(ty.with(scalar), d), self.expression(ty.with(scalar), d));
                let operator = *self.dice.pick(&["<", "<=", ">", ">=", "==", "!="]);
                format!("({a} {operator} {b})")
            }
        }
    }

    fn arithmetic(&mut self, ty: Ty, operators: &[&str], depth: u32) -> String {
        let operator = *self.dice.pick(operators);
        let (a, b) = (self.runtime(ty, depth), self.expression(ty, depth));
        format!("({a} {operator} {b})")
    }

    fn integer(&mut self, ty: Ty, depth: u32) -> String {
        let d = depth - 1;
        let signed = ty.scalar.is_signed();
        match self.dice.roll(24) {
            0..=5 => self.arithmetic(ty, &["+", "-", "*"], d),
            6..=7 => self.division(ty, d),
            8..=10 => self.arithmetic(ty, &["&", "|", "^"], d),
            11..=12 => {
                let (a, b) = (self.runtime(ty, d), self.amount(ty, d));
                format!("({a} {} {b})", self.dice.pick(&["<<", ">>"]))
            }
            13 => {
                let sign = if signed && self.dice.chance(50) { "-" } else { "~" };
                format!("({sign}({}))", self.runtime(ty, d))
            }
            14 => {
                let (a, b) = (self.runtime(ty, d), self.expression(ty, d));
                format!("{}({a}, {b})", self.dice.pick(&["min", "max"]))
            }
            15 => {
                let functions: &[&str] = if signed { &["abs", "sign"] } else { &["abs"] };
                let bits = [
                    "countOneBits",
                    "countLeadingZeros",
                    "countTrailingZeros",
                    "reverseBits",
                    "firstLeadingBit",
                    "firstTrailingBit",
                ];
                let function =
                    if self.dice.chance(30) { *self.dice.pick(functions) } else { *self.dice.pick(&bits) };
                format!("{function}({})", self.runtime(ty, d))
            }
            16 => {
                let (e, offset, count) =
                    (self.runtime(ty, d), self.runtime(Ty::U32, d.min(1)), self.runtime(Ty::U32, d.min(1)));
                match self.dice.roll(4) {
                    0 => format!("extractBits({e}, {}u, {}u)", self.dice.roll(16), self.dice.roll(17)),
                    1 => format!("extractBits({e}, {offset} & 31u, {count} & 31u)"),
                    2 => format!("extractBits({e}, {offset}, {count})"),
                    _ => {
                        let new = self.runtime(ty, d);
                        format!("insertBits({e}, {new}, {offset} & 31u, {count} & 15u)")
                    }
                }
            }
            17 if !ty.is_vector() => {
                let vector = Ty::new(ty.scalar, 2 + self.dice.roll(3) as u8);
                format!("dot({}, {})", self.runtime(vector, d), self.runtime(vector, d))
            }
            18 if !ty.is_vector() => self.packed(ty, d),
            19 if self.subgroups && !self.uniform && !ty.is_vector() => self.collective_value(ty, d),
            20 => format!("clamp({}, {}, {})", self.runtime(ty, d), self.bound(ty, 3), self.bound(ty, 40)),
            21 if ty == Ty::U32 => format!("bits({})", self.runtime(Ty::of(Scalar::F32), d)),
            _ => self.converted(ty, d),
        }
    }

    fn wide_integer(&mut self, ty: Ty, depth: u32) -> String {
        let d = depth - 1;
        match self.dice.roll(12) {
            0..=3 => self.arithmetic(ty, &["+", "-", "*"], d),
            4 => self.division(ty, d),
            5..=6 => self.arithmetic(ty, &["&", "|", "^"], d),
            7 => {
                let (a, b) = (self.runtime(ty, d), self.amount(ty, d));
                format!("({a} {} {b})", self.dice.pick(&["<<", ">>"]))
            }
            8 => {
                let (a, b) = (self.runtime(ty, d), self.expression(ty, d));
                format!("{}({a}, {b})", self.dice.pick(&["min", "max"]))
            }
            9 => {
                let signs: &[&str] = if ty.scalar.is_signed() { &["-", "~"] } else { &["~"] };
                format!("({}({}))", self.dice.pick(signs), self.runtime(ty, d))
            }
            _ => self.converted(ty, d),
        }
    }

    fn bound(&mut self, ty: Ty, n: u32) -> String {
        let value = format!("{n}{}", ty.scalar.suffix());
        if ty.is_vector() { format!("{}({value})", ty.name()) } else { value }
    }

    fn division(&mut self, ty: Ty, depth: u32) -> String {
        let a = self.runtime(ty, depth);
        let b = self.divisor(ty, depth);
        format!("({a} {} {b})", self.dice.pick(&["/", "%"]))
    }

    /// Four bytes in a word.
    fn packed(&mut self, ty: Ty, depth: u32) -> String {
        let word = self.runtime(Ty::U32, depth);
        if ty.scalar == Scalar::I32 {
            return match self.dice.roll(2) {
                0 => format!("dot4I8Packed({word}, {})", self.runtime(Ty::U32, depth)),
                _ => format!("unpack4xI8({word}).{}", self.dice.pick(&["x", "y", "z", "w"])),
            };
        }
        match self.dice.roll(4) {
            0 => format!("dot4U8Packed({word}, {})", self.runtime(Ty::U32, depth)),
            1 => format!("unpack4xU8({word}).{}", self.dice.pick(&["x", "y", "z", "w"])),
            2 => format!("pack4xU8({})", self.runtime(Ty::new(Scalar::U32, 4), depth)),
            _ => format!("pack4xI8({})", self.runtime(Ty::new(Scalar::I32, 4), depth)),
        }
    }

    /// Of all active invocations of the subgroup.
    fn collective_value(&mut self, ty: Ty, depth: u32) -> String {
        let value = self.runtime(ty, depth);
        let operations = [
            "subgroupAdd",
            "subgroupMin",
            "subgroupMax",
            "subgroupAnd",
            "subgroupOr",
            "subgroupXor",
            "subgroupInclusiveAdd",
            "subgroupExclusiveAdd",
            "subgroupBroadcastFirst",
        ];
        if ty == Ty::U32 && self.dice.chance(20) {
            let condition = self.runtime(Ty::BOOL, depth);
            return format!("subgroupBallot({condition}).{}", self.dice.pick(&["x", "y"]));
        }
        format!("{}({value})", self.dice.pick(&operations))
    }

    /// A value of another type, or its bits.
    fn converted(&mut self, ty: Ty, depth: u32) -> String {
        let other = match ty.scalar {
            Scalar::U32 if self.dice.chance(60) => Scalar::I32,
            Scalar::I32 if self.dice.chance(60) => Scalar::U32,
            _ => self.scalar(),
        };
        if other == ty.scalar {
            return self.leaf(ty);
        }
        let value = self.runtime(ty.with(other), depth);
        let pair = matches!((ty.scalar, other), (Scalar::U32, Scalar::I32) | (Scalar::I32, Scalar::U32));
        if pair && self.dice.chance(50) {
            return format!("bitcast<{}>({value})", ty.name());
        }
        format!("{}({value})", ty.name())
    }

    /// Floats of every kind: infinities, denormals, NaN.
    fn float(&mut self, ty: Ty, depth: u32) -> String {
        let d = depth - 1;
        let narrow = ty.scalar == Scalar::F32;
        match self.dice.roll(22) {
            0..=7 => self.arithmetic(ty, &["+", "-", "*", "/", "+", "*"], d),
            8 => format!("(-({}))", self.runtime(ty, d)),
            9 => {
                // A zero of either sign becomes the positive one: which of two zeros is less is not said.
                let (a, b, zero) = (self.runtime(ty, d), self.runtime(ty, d), self.zero(ty));
                format!("{}({a} + {zero}, {b} + {zero})", self.dice.pick(&["min", "max"]))
            }
            10..=11 => {
                let functions = ["abs", "floor", "ceil", "trunc", "round", "fract", "sign", "sqrt"];
                format!("{}({})", self.dice.pick(&functions), self.runtime(ty, d))
            }
            12 => {
                let (a, zero) = (self.runtime(ty, d), self.zero(ty));
                format!("clamp({a} + {zero}, {}, {})", self.bound(ty, 1), self.bound(ty, 9))
            }
            13 => format!("step({}, {})", self.runtime(ty, d), self.runtime(ty, d)),
            14 if narrow => {
                let word = self.runtime(ty.with(Scalar::U32), d);
                format!("bitcast<{}>({word})", ty.name())
            }
            15..=18 if narrow => self.tame_operation(ty, depth),
            _ => self.converted(ty, d),
        }
    }

    fn zero(&self, ty: Ty) -> String {
        let zero = format!("0.0{}", ty.scalar.suffix());
        if ty.is_vector() { format!("{}({zero})", ty.name()) } else { zero }
    }

    /// A small whole number, perhaps a literal.
    fn tame_or_literal(&mut self, ty: Ty, depth: u32) -> String {
        if self.dice.chance(25) {
            return format!("{}({}.0f)", ty.name(), self.dice.roll(16));
        }
        self.tame(ty, depth)
    }

    /// A small whole number that is not constant: sums of products of a few of them are exact.
    fn tame(&mut self, ty: Ty, depth: u32) -> String {
        if self.profile == Profile::Portable && self.dice.chance(50) {
            return self.leaf(ty);
        }
        let depth = depth.saturating_sub(1);
        if self.dice.chance(50) {
            let (value, mask) =
                (self.runtime(ty.with(Scalar::U32), depth), self.bound(ty.with(Scalar::U32), 15));
            format!("{}({value} & {mask})", ty.name())
        } else {
            let (value, limit) =
                (self.runtime(ty.with(Scalar::I32), depth), self.bound(ty.with(Scalar::I32), 16));
            format!("{}({value} % {limit})", ty.name())
        }
    }

    /// An operation on small whole numbers, whose result is exact however it is computed.
    fn tame_operation(&mut self, ty: Ty, depth: u32) -> String {
        let zero = self.zero(ty);
        match self.dice.roll(9) {
            0 => {
                let (a, b) = (self.tame(ty, depth), self.tame_or_literal(ty, depth));
                let c = self.tame_or_literal(ty, depth);
                format!("fma({a}, {b}, {c})")
            }
            1 => {
                // The sign of a zero depends on how the remainder is computed.
                let (a, b) = (self.tame(ty, depth), self.dice.roll(20) + 1);
                let b = self.bound(ty, b);
                format!("(({a} % {b}) + {zero})")
            }
            2 if !ty.is_vector() => {
                let vector = Ty::new(Scalar::F32, 2 + self.dice.roll(3) as u8);
                format!("(dot({}, {}) + {zero})", self.tame(vector, depth), self.tame(vector, depth))
            }
            2 if ty.width == 3 => {
                format!("(cross({}, {}) + {zero})", self.tame(ty, depth), self.tame(ty, depth))
            }
            3 if !ty.is_vector() => {
                let n = 2 + self.dice.roll(3) as u8;
                format!("(determinant({}) + {zero})", self.matrix(n, n, depth.min(1)))
            }
            2..=4 if ty.is_vector() => {
                let n = 2 + self.dice.roll(3) as u8;
                let product = match self.dice.roll(4) {
                    0 => {
                        let vector = self.tame(Ty::new(Scalar::F32, n), depth);
                        format!("({} * {vector})", self.matrix(n, ty.width, depth.min(1)))
                    }
                    1 => {
                        let vector = self.tame(Ty::new(Scalar::F32, n), depth);
                        format!("({vector} * {})", self.matrix(ty.width, n, depth.min(1)))
                    }
                    2 => {
                        let (a, b) = (self.matrix(n, ty.width, 1), self.matrix(2, n, 1));
                        format!("({a} * {b})[{} & 1u]", self.leaf(Ty::U32))
                    }
                    _ => format!(
                        "transpose({})[{}]",
                        self.matrix(ty.width, n, 1),
                        self.dice.roll(u32::from(n))
                    ),
                };
                format!("({product} + {zero})")
            }
            _ => {
                let (a, b) = (self.tame(ty, depth), self.tame_or_literal(ty, depth));
                match self.dice.roll(5) {
                    0 => format!("{}({a} + {zero}, {b} + {zero})", self.dice.pick(&["min", "max"])),
                    1 => format!("(abs({a}) + {b})"),
                    _ => format!("({a} {} {b})", self.dice.pick(&["+", "-", "*"])),
                }
            }
        }
    }

    /// So many columns of so many small whole numbers.
    fn matrix(&mut self, columns: u8, rows: u8, depth: u32) -> String {
        let column = Ty::new(Scalar::F32, rows);
        let columns_text: Vec<_> = (0..columns)
            .map(|n| {
                let value = format!("{}({}f)", column.name(), self.dice.roll(9));
                if n > 0 && self.dice.chance(40) { value } else { self.small_column(column, depth) }
            })
            .collect();
        format!("mat{columns}x{rows}<f32>({})", columns_text.join(", "))
    }

    fn small_column(&mut self, column: Ty, depth: u32) -> String {
        let (value, mask) =
            (self.runtime(column.with(Scalar::U32), depth), self.bound(column.with(Scalar::U32), 7));
        format!("{}({value} & {mask})", column.name())
    }
}
