//! Atomic steps, sequentially consistent.
//!
//! Plain loads are, on this machine; stores are exchanges. What has no instruction is a compare-and-swap loop.

use iced_x86::Code;
use regalloc2::VReg;
use warpweft_vector::ir::{Access, AtomicOp, Kind, Type, Value, Width};

use super::{Lower, Selected, int_view};
use crate::opcodes::V;
use crate::program::{Action, Address, INT, Length, Swap, View};

const RAX: usize = 0;

impl<'f> Lower<'f> {
    fn place(&mut self, access: &Access, ty: Type) -> Selected<Address> {
        if !ty.is_scalar() || access.width != Width::Full || ty.kind == Kind::Bool {
            return self.refuse("an atomic step on more than one 32-bit or 64-bit element");
        }
        self.address(access, 8)
    }

    pub(super) fn atomic(&mut self, op: AtomicOp, access: &Access, a: Value, used: bool) -> Selected<VReg> {
        let ty = self.ty(a);
        let kind = ty.kind;
        let wide = kind.size() == 8;
        let view = int_view(kind);
        let value = self.reg(a, 0)?;
        let place = self.place(access, ty)?;
        let swap = match op {
            AtomicOp::Exchange => return self.exchange(&place, value, kind),
            AtomicOp::Add if kind.is_float() => Swap::FloatAdd,
            AtomicOp::Sub if kind.is_float() => Swap::FloatSub,
            _ if kind.is_float() => return self.refuse(format!("atomic {op:?} of floats")),
            AtomicOp::Add | AtomicOp::Sub | AtomicOp::And | AtomicOp::Or | AtomicOp::Xor if !used => {
                let code = match (op, wide) {
                    (AtomicOp::Add, false) => Code::Add_rm32_r32,
                    (AtomicOp::Add, true) => Code::Add_rm64_r64,
                    (AtomicOp::Sub, false) => Code::Sub_rm32_r32,
                    (AtomicOp::Sub, true) => Code::Sub_rm64_r64,
                    (AtomicOp::And, false) => Code::And_rm32_r32,
                    (AtomicOp::And, true) => Code::And_rm64_r64,
                    (AtomicOp::Or, false) => Code::Or_rm32_r32,
                    (AtomicOp::Or, true) => Code::Or_rm64_r64,
                    (_, false) => Code::Xor_rm32_r32,
                    (_, true) => Code::Xor_rm64_r64,
                };
                self.code(code).memory(&place).uses(value, view).lock().finish();
                // Nobody looks at what was there.
                return Ok(value);
            }
            AtomicOp::Add | AtomicOp::Sub => {
                let value = if op == AtomicOp::Sub {
                    let negative = self.int();
                    let code = if wide { Code::Neg_rm64 } else { Code::Neg_rm32 };
                    self.code(code).tied(negative, value, view).finish();
                    negative
                } else {
                    value
                };
                let register = self.int();
                let code = if wide { Code::Xadd_rm64_r64 } else { Code::Xadd_rm32_r32 };
                self.code(code).memory(&place).tied(register, value, view).lock().finish();
                return Ok(register);
            }
            AtomicOp::And => Swap::And,
            AtomicOp::Or => Swap::Or,
            AtomicOp::Xor => Swap::Xor,
            AtomicOp::MinS => Swap::MinS,
            AtomicOp::MaxS => Swap::MaxS,
            AtomicOp::MinU => Swap::MinU,
            AtomicOp::MaxU => Swap::MaxU,
        };
        let (old, next) = (self.p.register(INT), self.int());
        let float = kind.is_float().then(|| self.vec());
        let mut step = self.p.build(Action::Swap { swap, wide }).fixed_early_def(old, RAX).hidden_temp(next);
        if let Some(float) = float {
            step = step.hidden_temp(float);
        }
        step.hidden_late(value).late_memory(&place).lock().finish();
        Ok(self.as_kind(old, kind))
    }

    /// The bits of an integer register as a value of that kind.
    fn as_kind(&mut self, register: VReg, kind: Kind) -> VReg {
        match kind {
            Kind::F32 => self.v2_views(V::MovDToX, Length::X, View::X, register, View::G32),
            Kind::F64 => self.v2_views(V::MovQToX, Length::X, View::X, register, View::G64),
            _ => register,
        }
    }

    /// The bits of a scalar in an integer register.
    fn as_integer(&mut self, register: VReg, kind: Kind) -> VReg {
        let (v, view) = match kind {
            Kind::F32 => (V::MovDFromX, View::G32),
            Kind::F64 => (V::MovQFromX, View::G64),
            _ => return register,
        };
        let bits = self.int();
        self.p.build(Action::Vector(v, Length::X)).def(bits, view).uses(register, View::X).finish();
        bits
    }

    fn exchange(&mut self, place: &Address, value: VReg, kind: Kind) -> Selected<VReg> {
        let bits = self.as_integer(value, kind);
        let (code, view) = match kind.size() {
            8 => (Code::Xchg_rm64_r64, View::G64),
            _ => (Code::Xchg_rm32_r32, View::G32),
        };
        let register = self.int();
        self.code(code).memory(place).tied(register, bits, view).finish();
        Ok(self.as_kind(register, kind))
    }

    pub(super) fn atomic_store(&mut self, access: &Access, value: Value) -> Selected<()> {
        let ty = self.ty(value);
        let register = self.reg(value, 0)?;
        let place = self.place(access, ty)?;
        self.exchange(&place, register, ty.kind)?;
        Ok(())
    }

    pub(super) fn compare_exchange(
        &mut self,
        access: &Access,
        expected: Value,
        new: Value,
    ) -> Selected<VReg> {
        let ty = self.ty(new);
        let (expected, new) = (self.reg(expected, 0)?, self.reg(new, 0)?);
        let place = self.place(access, ty)?;
        let (expected, new) = (self.as_integer(expected, ty.kind), self.as_integer(new, ty.kind));
        let (code, view) = match ty.kind.size() {
            8 => (Code::Cmpxchg_rm64_r64, View::G64),
            _ => (Code::Cmpxchg_rm32_r32, View::G32),
        };
        let old = self.int();
        self.code(code)
            .memory(&place)
            .uses(new, view)
            .fixed_use(expected, RAX)
            .fixed_def(old, RAX)
            .lock()
            .finish();
        Ok(self.as_kind(old, ty.kind))
    }
}
