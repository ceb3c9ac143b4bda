//! What the next round of an outermost loop reads: far enough ahead to be asked for, and too far for hardware to guess.
//!
//! Workgroups with barriers read, compute and write in turns, one workgroup a round; while one computes, memory could
//! already bring what the next one reads. A distance is a hint: where it is wrong, a line comes that nobody wants.
//! Knows scalars; who reads how much is said elsewhere.

use warpweft_vector::ir::{Access, Binary, Convert, Function, Inst, Label, Op, Type, Value};

/// Bytes between two rounds' reads: at least a line, at most what caches keep until it is read.
const DISTANCES: std::ops::RangeInclusive<u64> = 64..=(1 << 20);

/// By how much scalars grow from one round of their outermost loop to the next; `None` where that is not known.
pub(crate) struct Ahead(Vec<Option<i64>>);

/// What there is to know of a function before values are looked at in order.
struct Defined<'f> {
    function: &'f Function,
    ops: Vec<Option<&'f Op>>,
    /// What some branch to a label brings.
    brought: Vec<Option<&'f [Value]>>,
}

impl Ahead {
    pub(crate) fn new(function: &Function) -> Self {
        let defined = Defined::new(function);
        // What is defined outside of loops, and what is never looked at, stays as it is.
        let mut ahead = Ahead(vec![Some(0); function.values.len()]);
        walk(&function.body, &mut |inst, inside| ahead.look(&defined, inst, inside));
        ahead
    }

    /// How many bytes further on the next round makes an access.
    pub(crate) fn distance(&self, access: &Access) -> Option<i32> {
        let index = access.index.map_or(Some(0), |index| self.of(index))?;
        let distance = self.of(access.base)?.checked_add(index.checked_mul(access.scale.into())?)?;
        DISTANCES.contains(&distance.unsigned_abs()).then_some(distance as i32)
    }

    fn of(&self, value: Value) -> Option<i64> {
        self.0[value.0 as usize]
    }

    fn look(&mut self, defined: &Defined<'_>, inst: &Inst, inside: bool) {
        match inst {
            Inst::Let { result, op, .. } if inside => {
                self.0[result.0 as usize] = self.of_operation(defined, op);
            }
            Inst::If { results, .. } | Inst::Block { results, .. } if inside => {
                results.iter().for_each(|result| self.0[result.0 as usize] = None);
            }
            Inst::Loop { label, params, .. } => {
                for (at, &(param, first)) in params.iter().enumerate() {
                    let step = || defined.step(*label, at, param);
                    self.0[param.0 as usize] = if inside { self.of(first) } else { step() };
                }
            }
            _ => {}
        }
    }

    fn of_operation(&self, defined: &Defined<'_>, op: &Op) -> Option<i64> {
        let mut level = true;
        op.operands(|operand| level = level && self.of(operand) == Some(0));
        if level {
            let kept = op.touches().is_none_or(|space| defined.function.spaces[space.0 as usize].constant);
            return kept.then_some(0);
        }
        match *op {
            Op::Binary(Binary::Add, a, b) => self.of(a)?.checked_add(self.of(b)?),
            Op::Binary(Binary::Sub, a, b) => self.of(a)?.checked_sub(self.of(b)?),
            Op::Binary(Binary::Mul, a, b) => match (defined.constant(a), defined.constant(b)) {
                (_, Some(factor)) => self.of(a)?.checked_mul(factor),
                (Some(factor), _) => self.of(b)?.checked_mul(factor),
                _ => None,
            },
            Op::Binary(Binary::Shl, a, b) => {
                let factor = 1i64.checked_shl(u32::try_from(defined.constant(b)?).ok()?)?;
                self.of(a)?.checked_mul(factor)
            }
            // Most rounds stay in their row.
            Op::Binary(Binary::RemU, a, b) => self.of(a).filter(|_| self.of(b) == Some(0)),
            Op::Binary(Binary::DivU, a, b) => self.of(a).and(self.of(b)).filter(|&by| by == 0),
            Op::Convert(Convert::SignExtend | Convert::ZeroExtend | Convert::Truncate, a) => self.of(a),
            _ => None,
        }
    }
}

impl<'f> Defined<'f> {
    fn new(function: &'f Function) -> Self {
        let mut ops = vec![None; function.values.len()];
        let mut brought = vec![None; function.labels as usize];
        walk(&function.body, &mut |inst: &'f Inst, _| match inst {
            Inst::Let { result, op, .. } => ops[result.0 as usize] = Some(op),
            Inst::Branch { label, arguments } => brought[label.0 as usize] = Some(&arguments[..]),
            _ => {}
        });
        Self { function, ops, brought }
    }

    /// By how much a loop's parameter grows each round.
    fn step(&self, label: Label, at: usize, param: Value) -> Option<i64> {
        let next = *self.brought[label.0 as usize]?.get(at)?;
        match *self.ops[next.0 as usize]? {
            Op::Binary(Binary::Add, a, b) if a == param => self.constant(b),
            Op::Binary(Binary::Add, a, b) if b == param => self.constant(a),
            _ => None,
        }
    }

    /// A scalar constant, signed.
    fn constant(&self, value: Value) -> Option<i64> {
        let Some(&Op::Const(bits)) = self.ops[value.0 as usize] else { return None };
        match self.function.values[value.0 as usize] {
            Type { lanes: 1, kind } if kind.size() == 8 => Some(bits as i64),
            Type { lanes: 1, .. } => Some(i64::from(bits as u32 as i32)),
            _ => None,
        }
    }
}

/// Every instruction, in order, and whether it is in a loop.
fn walk<'f>(body: &'f [Inst], f: &mut impl FnMut(&'f Inst, bool)) {
    let mut open = vec![(body, false)];
    while let Some((rest, inside)) = open.pop() {
        let Some((inst, rest)) = rest.split_first() else { continue };
        open.push((rest, inside));
        f(inst, inside);
        match inst {
            Inst::If { then, otherwise, .. } => open.extend([(&otherwise[..], inside), (&then[..], inside)]),
            Inst::Block { body, .. } => open.push((body, inside)),
            Inst::Loop { body, .. } => open.push((body, true)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances of the loads of `x`, in order.
    fn distances(body: &str) -> Vec<Option<i32>> {
        let text = format!(
            "function f(%0: i64, %1: i64, %2: i64) lanes 16 {{
                space x constant
                %3: i64 = 1
                %4: i64 = 11
                %5: i64 = 0
                {body}
                yield
            }}"
        );
        let function = Function::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let ahead = Ahead::new(&function);
        let mut found = vec![];
        walk(&function.body, &mut |inst, _| {
            if let Inst::Let { op: Op::Load(access), .. } = inst {
                found.push(ahead.distance(access));
            }
        });
        found
    }

    #[test]
    fn rounds_read_one_block_after_the_other() {
        let found = distances(
            "block L0 {
                loop L1(%6: i64 = %1) {
                    %7: i64 = rem_u %6, %2
                    %8: i32 = truncate %7
                    %9: i64 = zero_extend %8
                    %10: i64 = shl %9, %4
                    block L3 {
                    loop L2(%11: i64 = %5) {
                        %12: i64 = add %10, %11
                        %13: f32x16 = load x[%0 + %12 * 4 + 64]
                        %14: f32x16 = load x[%0 + %11 * 4]
                        %15: i64 = sub %11, %10
                        %16: f32x16 = load x[%0 + %15 * 4]
                        %17: i64 = mul %12, %12
                        %18: f32x16 = load x[%0 + %17 * 4]
                        %19: i64 = add %11, %3
                        %20: bool = lt_u %19, %2
                        if %20 {
                            branch L2(%19)
                        } else {
                            branch L3
                        }
                    }
                    }
                    %21: i64 = div_u %6, %2
                    %22: i64 = shl %21, %4
                    %23: f32x16 = load x[%0 + %22 * 4]
                    %24: i64 = add %6, %3
                    %25: bool = lt_u %24, %2
                    if %25 {
                        branch L1(%24)
                    } else {
                        branch L0
                    }
                }
            }",
        );
        assert_eq!(found, [Some(8192), None, Some(-8192), None, None]);
    }

    #[test]
    fn rounds_of_unknown_steps_are_not_guessed() {
        let found = distances(
            "%6: f32x16 = load x[%0 + %1 * 4]
             block L0 {
                loop L1(%7: i64 = %1) {
                    %8: f32x16 = load x[%0 + %7 * 4]
                    %9: i64 = add %7, %2
                    %10: bool = lt_u %9, %2
                    if %10 {
                        branch L1(%9)
                    } else {
                        branch L0
                    }
                }
            }",
        );
        assert_eq!(found, [None, None]);
    }
}
