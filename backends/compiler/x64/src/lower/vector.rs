//! Arithmetic in vector registers: of vectors, part by part, and of scalar floats.
//!
//! Knows which instruction does what; values, masks and conversions have files of their own.

use regalloc2::VReg;
use warpweft_vector::ir::{Binary, Kind, Op, Type, Unary, Value};

use super::{Lower, Parts, Selected};
use crate::opcodes::V;
use crate::program::{Action, Length, Rm};

/// The four forms of an instruction on floats.
macro_rules! floats {
    ($scalar:expr, $kind:expr, $ps:ident, $pd:ident, $ss:ident, $sd:ident) => {
        match ($scalar, $kind) {
            (false, Kind::F32) => V::$ps,
            (false, _) => V::$pd,
            (true, Kind::F32) => V::$ss,
            (true, _) => V::$sd,
        }
    };
}

/// The form for 32-bit or 64-bit lanes.
macro_rules! lanes {
    ($kind:expr, $d:ident, $q:ident) => {
        if $kind.size() == 8 { V::$q } else { V::$d }
    };
}

pub(super) use {floats, lanes};

/// What a vector instruction works on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) kind: Kind,
    pub(super) length: Length,
    pub(super) scalar: bool,
}

impl<'f> Lower<'f> {
    pub(super) fn form(&self, ty: Type) -> Form {
        Form { kind: ty.kind, length: self.shape(ty).length, scalar: ty.is_scalar() }
    }

    /// Whether the last operand may be one element for all lanes.
    pub(super) fn broadcasts(&self, ty: Type) -> bool {
        self.wide() && !ty.is_scalar()
    }

    // --- two operands ----------------------------------------------------------------------------------------------

    pub(super) fn binary(&mut self, op: Binary, a: Value, b: Value, ty: Type) -> Selected<Parts> {
        let form = self.form(ty);
        let parts = self.shape(ty).parts;
        let broadcast = self.broadcasts(ty);
        if matches!(op, Binary::Shl | Binary::ShrS | Binary::ShrU)
            && let Some(amount) = self.bits_of(b)
        {
            return (0..parts)
                .map(|part| {
                    let a = self.reg(a, part)?;
                    Ok(self.shift_by(op, form, a, amount))
                })
                .collect();
        }
        // Twice a number: sums are there earlier than products, and need no constant.
        if op == Binary::Mul && (self.is_two(b, ty.kind) || self.is_two(a, ty.kind)) {
            let a = if self.is_two(b, ty.kind) { a } else { b };
            return (0..parts)
                .map(|part| {
                    let a = self.reg(a, part)?;
                    self.combine(Binary::Add, form, a, a.into())
                })
                .collect();
        }
        // and(not a, b)
        if op == Binary::And && form.kind.is_int() {
            let (complement, other) =
                match (self.waiting_unary(a, Unary::Not), self.waiting_unary(b, Unary::Not)) {
                    (Some(inner), _) => (Some(inner), b),
                    (None, Some(inner)) => (Some(inner), a),
                    _ => (None, b),
                };
            if let Some(inner) = complement {
                return (0..parts)
                    .map(|part| {
                        let inner = self.reg(inner, part)?;
                        let other = self.rm(other, part, broadcast)?;
                        Ok(self.v3(lanes!(form.kind, PandnD, PandnQ), form.length, inner, other))
                    })
                    .collect();
            }
        }
        let commutes = matches!(
            op,
            Binary::Add
                | Binary::Mul
                | Binary::And
                | Binary::Or
                | Binary::Xor
                | Binary::MinS
                | Binary::MaxS
                | Binary::MinU
                | Binary::MaxU
        );
        let (a, b) =
            if commutes && self.prefers_memory(a) && !self.prefers_memory(b) { (b, a) } else { (a, b) };
        let folds = !matches!(op, Binary::MulHigh);
        (0..parts)
            .map(|part| {
                let a = self.reg(a, part)?;
                let b = if folds { self.rm(b, part, broadcast)? } else { Rm::Reg(self.reg(b, part)?) };
                self.combine(op, form, a, b)
            })
            .collect()
    }

    /// The value is the float 2.
    fn is_two(&self, value: Value, kind: Kind) -> bool {
        match kind {
            Kind::F32 => self.bits_of(value) == Some(u64::from(2f32.to_bits())),
            Kind::F64 => self.bits_of(value) == Some(2f64.to_bits()),
            _ => false,
        }
    }

    /// The value could be an operand in memory.
    pub(super) fn prefers_memory(&self, value: Value) -> bool {
        if self.kept(value).is_some() {
            return true;
        }
        match self.waiting(value) {
            Some(Op::Load(_) | Op::Lanes(_)) => true,
            Some(Op::Const(bits)) => *bits != 0,
            Some(Op::Splat(scalar)) => {
                self.wide() && matches!(self.waiting(*scalar), Some(Op::Load(_) | Op::Const(_)))
            }
            _ => false,
        }
    }

    /// `a op b` on one register each.
    pub(super) fn combine(&mut self, op: Binary, form: Form, a: VReg, b: Rm) -> Selected<VReg> {
        let Form { kind, length, scalar } = form;
        if kind.is_float() {
            let v = match op {
                Binary::Add => floats!(scalar, kind, AddPs, AddPd, AddSs, AddSd),
                Binary::Sub => floats!(scalar, kind, SubPs, SubPd, SubSs, SubSd),
                Binary::Mul => floats!(scalar, kind, MulPs, MulPd, MulSs, MulSd),
                Binary::Div => floats!(scalar, kind, DivPs, DivPd, DivSs, DivSd),
                // The instructions give their second operand for NaN and for zeros, as the operations do.
                Binary::Min => floats!(scalar, kind, MinPs, MinPd, MinSs, MinSd),
                Binary::Max => floats!(scalar, kind, MaxPs, MaxPd, MaxSs, MaxSd),
                Binary::Scale if self.wide() => floats!(scalar, kind, ScalefPs, ScalefPd, ScalefSs, ScalefSd),
                _ => return self.refuse(format!("{op:?} of floats")),
            };
            return Ok(self.v3_merged(v, length, a, b));
        }
        let long = kind.size() == 8;
        let v = match op {
            Binary::Add => lanes!(kind, PaddD, PaddQ),
            Binary::Sub => lanes!(kind, PsubD, PsubQ),
            Binary::And => lanes!(kind, PandD, PandQ),
            Binary::Or => lanes!(kind, PorD, PorQ),
            Binary::Xor => lanes!(kind, PxorD, PxorQ),
            Binary::Shl => lanes!(kind, PsllvD, PsllvQ),
            Binary::ShrU => lanes!(kind, PsrlvD, PsrlvQ),
            Binary::ShrS if long && !self.wide() => return Ok(self.shift_signed(length, a, b)),
            Binary::ShrS => lanes!(kind, PsravD, PsravQ),
            Binary::MulHigh if !long => return self.multiply_high(length, a, b),
            Binary::Mul if !long || self.wide() => lanes!(kind, PmullD, PmullQ),
            Binary::MinS if !long || self.wide() => lanes!(kind, PminsD, PminsQ),
            Binary::MaxS if !long || self.wide() => lanes!(kind, PmaxsD, PmaxsQ),
            Binary::MinU if !long || self.wide() => lanes!(kind, PminuD, PminuQ),
            Binary::MaxU if !long || self.wide() => lanes!(kind, PmaxuD, PmaxuQ),
            _ => return self.refuse(format!("{op:?} of vectors of {kind:?}")),
        };
        Ok(self.v3_merged(v, length, a, b))
    }

    /// The operation is one instruction, which can leave lanes as they are (AVX-512).
    pub(super) fn merges(&self, op: &Op, ty: Type) -> bool {
        use Binary::{And, DivS, DivU, MulHigh, RemS, RemU, Shl, ShrS, ShrU};
        match op {
            Op::Binary(And | MulHigh | DivS | DivU | RemS | RemU, ..) => false,
            Op::Binary(Shl | ShrS | ShrU, _, amount) => self.bits_of(*amount).is_none(),
            Op::Binary(..) => ty.kind != Kind::Bool,
            Op::Fma(..) => true,
            _ => false,
        }
    }

    /// `mask ? op : otherwise` as one instruction for each part, where that can be. Not for scalars.
    pub(super) fn merged(
        &mut self,
        op: &'f Op,
        ty: Type,
        mask: Value,
        otherwise: Value,
    ) -> Selected<Option<Parts>> {
        let size = ty.kind.size();
        let zero = self.bits_of(otherwise) == Some(0);
        match *op {
            Op::Binary(op, a, b) => {
                let mut merges = vec![];
                for part in 0..self.shape(ty).parts {
                    let mask = self.mask_for(mask, size, part)?;
                    let old = if zero { None } else { Some(self.reg(otherwise, part)?) };
                    merges.push((mask, old));
                }
                merges.reverse();
                self.merges = merges;
                let result = self.binary(op, a, b, ty);
                debug_assert!(self.merges.is_empty(), "every part was merged");
                self.merges.clear();
                result.map(Some)
            }
            // Only where what stays is the addend, which the result replaces.
            Op::Fma(a, b, c) if c == otherwise && self.waiting(c).is_none() => {
                let (negative, a, b) = self.factors(a, b);
                let form = self.form(ty);
                let broadcast = self.broadcasts(ty);
                let (a, b) = if self.prefers_memory(a) { (b, a) } else { (a, b) };
                let mut parts = Parts::new();
                for part in 0..self.shape(ty).parts {
                    let mask = self.mask_for(mask, size, part)?;
                    let (a, c) = (self.reg(a, part)?, self.reg(c, part)?);
                    let b = self.rm(b, part, broadcast)?;
                    parts.push(self.fused(2, negative, false, form, c, a, b, Some(mask)));
                }
                Ok(Some(parts))
            }
            _ => Ok(None),
        }
    }

    /// `op dst, a, b`, merged into what was asked for.
    fn v3_merged(&mut self, v: V, length: Length, a: VReg, b: Rm) -> VReg {
        let Some((mask, old)) = self.merges.pop() else { return self.v3(v, length, a, b) };
        let register = self.vec();
        let view = length.view();
        let action = Action::Vector(v, length);
        match old {
            Some(old) => {
                self.p
                    .build(action)
                    .tied(register, old, view)
                    .uses(a, view)
                    .rm(b, view)
                    .masked(mask, false)
                    .finish();
            }
            None => {
                self.p.build(action).def(register, view).uses(a, view).rm(b, view).masked(mask, true).finish()
            }
        }
        register
    }

    /// A shift by a number.
    pub(super) fn shift_by(&mut self, op: Binary, form: Form, a: VReg, amount: u64) -> VReg {
        let Form { kind, length, .. } = form;
        let bits = u64::from(kind.size()) * 8;
        let amount = (amount % bits) as u8;
        let v = match op {
            Binary::Shl => lanes!(kind, PsllD, PsllQ),
            Binary::ShrU => lanes!(kind, PsrlD, PsrlQ),
            _ if kind.size() == 8 && !self.wide() => {
                // (a >> n) ^ m - m with the sign bit's new place as m
                let sign = self.every_reg(1 << (63 - amount), 8, length);
                let shifted = self.v2i(V::PsrlQ, length, a, amount);
                let flipped = self.v3(V::PxorQ, length, shifted, sign);
                return self.v3(V::PsubQ, length, flipped, sign);
            }
            _ => lanes!(kind, PsraD, PsraQ),
        };
        self.v2i(v, length, a, amount)
    }

    /// 64-bit lanes by amounts of their own, which AVX2 lacks.
    fn shift_signed(&mut self, length: Length, a: VReg, b: Rm) -> VReg {
        let amount = match b {
            Rm::Reg(register) => register,
            Rm::Mem(_) => self.v2(V::MovuPs, length, b),
        };
        let top = self.every_reg(1 << 63, 8, length);
        let sign = self.v3(V::PsrlvQ, length, top, amount);
        let shifted = self.v3(V::PsrlvQ, length, a, amount);
        let flipped = self.v3(V::PxorQ, length, shifted, sign);
        self.v3(V::PsubQ, length, flipped, sign)
    }

    /// Upper halves of products of 32-bit lanes: the even ones and the odd ones apart.
    fn multiply_high(&mut self, length: Length, a: VReg, b: Rm) -> Selected<VReg> {
        let Rm::Reg(b) = b else { return self.refuse("a factor in memory") };
        let even = self.v3(V::Pmuludq, length, a, b);
        let a = self.v2i(V::PsrlQ, length, a, 32);
        let b = self.v2i(V::PsrlQ, length, b, 32);
        let odd = self.v3(V::Pmuludq, length, a, b);
        let even = self.v2i(V::PsrlQ, length, even, 32);
        Ok(if self.wide() {
            let upper = self.every(0xffff_ffff_0000_0000, 8, length, true);
            // even | (odd & upper)
            self.ternary(0xf8, length, even, odd, upper)
        } else {
            self.v3i(V::Pblendd, length, even, odd, 0xaa)
        })
    }

    /// Any function of three vectors' bits.
    pub(super) fn ternary(&mut self, table: u8, length: Length, a: VReg, b: VReg, c: Rm) -> VReg {
        let register = self.vec();
        let view = length.view();
        let action = Action::Vector(V::PternlogQ, length);
        self.p.build(action).tied(register, a, view).uses(b, view).rm(c, view).byte(table).finish();
        register
    }

    // --- one operand -----------------------------------------------------------------------------------------------

    pub(super) fn unary(&mut self, op: Unary, a: Value, ty: Type) -> Selected<Parts> {
        let form = self.form(ty);
        let broadcast = self.broadcasts(ty);
        let folds = !ty.is_scalar()
            && matches!(op, Unary::Sqrt | Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::Nearest);
        (0..self.shape(ty).parts)
            .map(|part| {
                let a = if folds { self.rm(a, part, broadcast)? } else { Rm::Reg(self.reg(a, part)?) };
                self.transform(op, form, a)
            })
            .collect()
    }

    fn transform(&mut self, op: Unary, form: Form, a: Rm) -> Selected<VReg> {
        let Form { kind, length, scalar } = form;
        let register = match a {
            Rm::Reg(register) => Some(register),
            Rm::Mem(_) => None,
        };
        if kind.is_float() {
            let sign = if kind == Kind::F32 { 1 << 31 } else { 1 << 63 };
            let size = kind.size() as usize;
            return Ok(match (op, register) {
                (Unary::Neg, Some(a)) => {
                    let sign = self.every(sign, size, length, true);
                    self.v3(floats!(false, kind, XorPs, XorPd, XorPs, XorPd), length, a, sign)
                }
                (Unary::Abs, Some(a)) => {
                    let rest = self.every(sign - 1, size, length, true);
                    self.v3(floats!(false, kind, AndPs, AndPd, AndPs, AndPd), length, a, rest)
                }
                (Unary::Sqrt, Some(a)) if scalar => {
                    self.v3(floats!(true, kind, SqrtPs, SqrtPd, SqrtSs, SqrtSd), length, a, a)
                }
                (Unary::Sqrt, _) => self.v2(floats!(false, kind, SqrtPs, SqrtPd, SqrtSs, SqrtSd), length, a),
                (Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::Nearest, _) => {
                    let mode = match op {
                        Unary::Nearest => 8,
                        Unary::Floor => 9,
                        Unary::Ceil => 10,
                        _ => 11,
                    };
                    match (scalar, register) {
                        (true, Some(a)) => {
                            self.v3i(floats!(true, kind, RndPs, RndPd, RndSs, RndSd), length, a, a, mode)
                        }
                        _ => self.v2i(floats!(false, kind, RndPs, RndPd, RndSs, RndSd), length, a, mode),
                    }
                }
                (Unary::InverseSqrtEstimate, Some(a)) if kind == Kind::F32 => match (scalar, self.wide()) {
                    // AVX-512's are good for 14 bits, at every length.
                    (false, true) => self.v2(V::Rsqrt14ps, length, a),
                    (false, false) => self.v2(V::Rsqrtps, length, a),
                    (true, true) => self.v3(V::Rsqrt14ss, length, a, a),
                    (true, false) => self.v3(V::Rsqrtss, length, a, a),
                },
                (Unary::InverseEstimate, Some(a)) if kind == Kind::F32 => match (scalar, self.wide()) {
                    (false, _) => self.v2(V::Rcpps, length, a),
                    (true, true) => self.v3(V::Rcp14ss, length, a, a),
                    (true, false) => self.v3(V::Rcpss, length, a, a),
                },
                _ => return self.refuse(format!("{op:?} of {kind:?}")),
            });
        }
        let Some(a) = register else { return self.refuse("an operand in memory") };
        Ok(match op {
            Unary::Neg => {
                let zero = self.zero();
                self.v3(lanes!(kind, PsubD, PsubQ), length, zero, a)
            }
            Unary::Not if self.wide() => {
                let result = self.vec();
                let view = length.view();
                let action = Action::Vector(V::PternlogD, length);
                self.p.build(action).tied(result, a, view).uses(a, view).uses(a, view).byte(0x55).finish();
                result
            }
            Unary::Not => {
                let ones = self.ones(length);
                self.v3(V::PxorD, length, a, ones)
            }
            Unary::Abs if kind == Kind::I32 || self.wide() => self.v2(lanes!(kind, PabsD, PabsQ), length, a),
            Unary::CountOnes if self.wide() => self.v2(lanes!(kind, PopcntD, PopcntQ), length, a),
            Unary::LeadingZeros if self.wide() => self.v2(lanes!(kind, PlzcntD, PlzcntQ), length, a),
            Unary::TrailingZeros if self.wide() => {
                // bits - leading_zeros(!a & (a - 1))
                let ones = self.ones(length);
                let less = self.v3(lanes!(kind, PaddD, PaddQ), length, a, ones);
                let below = self.v3(lanes!(kind, PandnD, PandnQ), length, a, less);
                let above = self.v2(lanes!(kind, PlzcntD, PlzcntQ), length, below);
                let size = kind.size() as usize;
                let bits = self.every_reg(size as u64 * 8, size, length);
                self.v3(lanes!(kind, PsubD, PsubQ), length, bits, above)
            }
            _ => return self.refuse(format!("{op:?} of vectors of {kind:?}")),
        })
    }

    // --- multiply and add ------------------------------------------------------------------------------------------

    pub(super) fn fma(&mut self, a: Value, b: Value, c: Value, ty: Type) -> Selected<Parts> {
        let (negative, a, b) = self.factors(a, b);
        let (c, minus) = match self.waiting_unary(c, Unary::Neg) {
            Some(inner) => (inner, true),
            None => (c, false),
        };
        let form = self.form(ty);
        let broadcast = self.broadcasts(ty);
        // The last factor is the one that may lie in memory.
        let (a, b) = if self.prefers_memory(a) { (b, a) } else { (a, b) };
        let addend_in_memory = self.prefers_memory(c) && !self.prefers_memory(b);
        let (dies_a, dies_b, dies_c) = (self.dies(a), self.dies(b), self.dies(c));
        (0..self.shape(ty).parts)
            .map(|part| {
                if addend_in_memory {
                    // a = a * b + c
                    let (a, b) = if dies_b && !dies_a { (b, a) } else { (a, b) };
                    let (a, b) = (self.reg(a, part)?, self.reg(b, part)?);
                    let c = self.rm(c, part, broadcast)?;
                    return Ok(self.fused(1, negative, minus, form, a, b, c, None));
                }
                let a_ = self.reg(a, part)?;
                let b_ = self.rm(b, part, broadcast)?;
                // The sum of a product and a constant takes the place of the constant, which is loaded for that: as quick
                // as a copy.
                let replaces = matches!(b_, Rm::Mem(_)) && !dies_a && self.waiting(c).is_some();
                let c = match if replaces { self.fresh(c) } else { None } {
                    Some(fresh) => fresh,
                    None => self.reg(c, part)?,
                };
                Ok(match b_ {
                    // c = a * b + c
                    _ if dies_c => self.fused(2, negative, minus, form, c, a_, b_, None),
                    // a = a * b + c
                    Rm::Mem(_) if dies_a => self.fused(0, negative, minus, form, a_, c, b_, None),
                    Rm::Mem(_) => self.fused(2, negative, minus, form, c, a_, b_, None),
                    Rm::Reg(b_) if dies_b && !dies_a => {
                        self.fused(1, negative, minus, form, b_, a_, c.into(), None)
                    }
                    Rm::Reg(b_) if dies_a => self.fused(1, negative, minus, form, a_, b_, c.into(), None),
                    _ => self.fused(2, negative, minus, form, c, a_, b_, None),
                })
            })
            .collect()
    }

    /// Factors without the signs that wait, which become part of the operation.
    fn factors(&self, a: Value, b: Value) -> (bool, Value, Value) {
        let mut negative = false;
        let mut strip = |value: Value| match self.waiting_unary(value, Unary::Neg) {
            Some(inner) => {
                negative = !negative;
                inner
            }
            None => value,
        };
        let (a, b) = (strip(a), strip(b));
        (negative, a, b)
    }

    /// Nobody uses the value behind its user here, as far as can be told.
    pub(super) fn dies(&self, value: Value) -> bool {
        let uses = self.uses[value.0 as usize];
        uses.count == 1 && uses.same_loop
    }

    /// One instruction; `order`: 0 is `a * c + b`, 1 is `b * a + c`, 2 is `b * c + a`; the result replaces `a`.
    #[allow(clippy::too_many_arguments, reason = "the parts of one instruction")]
    fn fused(
        &mut self,
        order: usize,
        negative: bool,
        minus: bool,
        form: Form,
        a: VReg,
        b: VReg,
        c: Rm,
        mask: Option<VReg>,
    ) -> VReg {
        let Form { kind, length, scalar } = form;
        macro_rules! orders {
            ($(($a:ident, $b:ident, $c:ident, $d:ident)),*) => {
                [$(floats!(scalar, kind, $a, $b, $c, $d)),*][order]
            };
        }
        let v = match (negative, minus) {
            (false, false) => orders!(
                (Fmadd132Ps, Fmadd132Pd, Fmadd132Ss, Fmadd132Sd),
                (Fmadd213Ps, Fmadd213Pd, Fmadd213Ss, Fmadd213Sd),
                (Fmadd231Ps, Fmadd231Pd, Fmadd231Ss, Fmadd231Sd)
            ),
            (false, true) => orders!(
                (Fmsub132Ps, Fmsub132Pd, Fmsub132Ss, Fmsub132Sd),
                (Fmsub213Ps, Fmsub213Pd, Fmsub213Ss, Fmsub213Sd),
                (Fmsub231Ps, Fmsub231Pd, Fmsub231Ss, Fmsub231Sd)
            ),
            (true, false) => orders!(
                (Fnmadd132Ps, Fnmadd132Pd, Fnmadd132Ss, Fnmadd132Sd),
                (Fnmadd213Ps, Fnmadd213Pd, Fnmadd213Ss, Fnmadd213Sd),
                (Fnmadd231Ps, Fnmadd231Pd, Fnmadd231Ss, Fnmadd231Sd)
            ),
            (true, true) => orders!(
                (Fnmsub132Ps, Fnmsub132Pd, Fnmsub132Ss, Fnmsub132Sd),
                (Fnmsub213Ps, Fnmsub213Pd, Fnmsub213Ss, Fnmsub213Sd),
                (Fnmsub231Ps, Fnmsub231Pd, Fnmsub231Ss, Fnmsub231Sd)
            ),
        };
        let register = self.vec();
        let view = length.view();
        let fused = self.p.build(Action::Vector(v, length)).tied(register, a, view).uses(b, view).rm(c, view);
        match mask {
            Some(mask) => fused.masked(mask, false).finish(),
            None => fused.finish(),
        }
        register
    }
}
