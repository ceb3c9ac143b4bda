//! Atomic steps on scalars, sequentially consistent.
//!
//! Floats are added in a loop that compares and exchanges their bits. Knows nothing of who else uses the memory.

use cranelift_codegen::cursor::Cursor;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, MemFlagsData, Type, Value, types};
use warpweft_vector::ir::{self, Access, AtomicOp, Kind, Width};

use crate::parts::{Result, Translation, scalar_type};

impl Translation<'_> {
    /// The address, the flags, and the integer type of as many bits as the kind has.
    fn atomic_place(&mut self, access: &Access, ty: ir::Type) -> Result<(Value, MemFlagsData, Type)> {
        let bits = match ty.kind {
            _ if !ty.is_scalar() || access.width == Width::Half => {
                return self.refuse("an atomic step on anything but one whole number");
            }
            Kind::Bool => return self.refuse("an atomic step on a truth value"),
            Kind::I32 | Kind::F32 => types::I32,
            Kind::I64 | Kind::F64 => types::I64,
        };
        let place = self.place(access);
        let address = match place.offset {
            0 => place.base,
            offset => self.at.ins().iadd_imm_s(place.base, i64::from(offset)),
        };
        // Atomic elements lie at multiples of their size.
        Ok((address, self.flags[access.space.0 as usize].with_aligned(), bits))
    }

    pub(crate) fn atomic(
        &mut self,
        result: ir::Value,
        op: AtomicOp,
        access: &Access,
        a: ir::Value,
    ) -> Result<()> {
        let ty = self.ty(a);
        let (address, flags, bits) = self.atomic_place(access, ty)?;
        let a = self.scalar(a);
        let step = match op {
            AtomicOp::Add | AtomicOp::Sub if ty.kind.is_float() => {
                let before = self.add_float(op, ty.kind, flags, bits, address, a);
                self.begin(result);
                self.push(before);
                return Ok(());
            }
            AtomicOp::Exchange => AtomicRmwOp::Xchg,
            AtomicOp::Add => AtomicRmwOp::Add,
            AtomicOp::Sub => AtomicRmwOp::Sub,
            AtomicOp::And => AtomicRmwOp::And,
            AtomicOp::Or => AtomicRmwOp::Or,
            AtomicOp::Xor => AtomicRmwOp::Xor,
            AtomicOp::MinS => AtomicRmwOp::Smin,
            AtomicOp::MaxS => AtomicRmwOp::Smax,
            AtomicOp::MinU => AtomicRmwOp::Umin,
            AtomicOp::MaxU => AtomicRmwOp::Umax,
        };
        if ty.kind.is_float() && op != AtomicOp::Exchange {
            return self.refuse(&format!("an atomic {op:?} of floats"));
        }
        let a = self.cast(bits, a);
        let before = self.at.ins().atomic_rmw(bits, flags, step, address, a);
        let before = self.cast(scalar_type(ty.kind), before);
        self.begin(result);
        self.push(before);
        Ok(())
    }

    /// Adds (or subtracts) until nobody came in between.
    fn add_float(
        &mut self,
        op: AtomicOp,
        kind: Kind,
        flags: MemFlagsData,
        bits: Type,
        address: Value,
        a: Value,
    ) -> Value {
        let (again, done) = (self.block(self.cold), self.block(self.cold));
        let seen = self.at.func.dfg.append_block_param(again, bits);
        let first = self.at.ins().atomic_load(bits, flags, address);
        self.jump(again, &[first]);
        self.at.insert_block(again);
        let before = self.cast(scalar_type(kind), seen);
        let after = match op {
            AtomicOp::Sub => self.at.ins().fsub(before, a),
            _ => self.at.ins().fadd(before, a),
        };
        let after = self.cast(bits, after);
        let found = self.at.ins().atomic_cas(flags, address, seen, after);
        let same = self.at.ins().icmp(IntCC::Equal, found, seen);
        let next = [cranelift_codegen::ir::BlockArg::Value(found)];
        self.at.ins().brif(same, done, &[], again, &next);
        self.at.insert_block(done);
        before
    }

    pub(crate) fn compare_exchange(
        &mut self,
        result: ir::Value,
        access: &Access,
        expected: ir::Value,
        replacement: ir::Value,
    ) -> Result<()> {
        let ty = self.ty(expected);
        let (address, flags, bits) = self.atomic_place(access, ty)?;
        let (expected, replacement) = (self.scalar(expected), self.scalar(replacement));
        let (expected, replacement) = (self.cast(bits, expected), self.cast(bits, replacement));
        let before = self.at.ins().atomic_cas(flags, address, expected, replacement);
        let before = self.cast(scalar_type(ty.kind), before);
        self.begin(result);
        self.push(before);
        Ok(())
    }

    pub(crate) fn atomic_load(&mut self, result: ir::Value, access: &Access) -> Result<()> {
        let ty = self.ty(result);
        let (address, flags, bits) = self.atomic_place(access, ty)?;
        let value = self.at.ins().atomic_load(bits, flags, address);
        let value = self.cast(scalar_type(ty.kind), value);
        self.begin(result);
        self.push(value);
        Ok(())
    }

    pub(crate) fn atomic_store(&mut self, access: &Access, value: ir::Value) -> Result<()> {
        let ty = self.ty(value);
        let (address, flags, bits) = self.atomic_place(access, ty)?;
        let value = self.scalar(value);
        let value = self.cast(bits, value);
        if self.x64() {
            // A store and a fence take several times as long.
            self.at.ins().atomic_rmw(bits, flags, AtomicRmwOp::Xchg, address, value);
        } else {
            self.at.ins().atomic_store(flags, value, address);
        }
        Ok(())
    }
}
