//! Values that are known before any invocation runs: each gets columns of its own, filled once.
//!
//! naga has evaluated constant expressions down to literals, zeros, composites and splats.

use crate::shape::{self, width};
use crate::step::Slot;
use naga::{Arena, Expression, Handle, Literal, Module};
use std::collections::HashMap;
use warpweft_module::Scalar;

/// The bits of one scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bits {
    pub bits: u64,
    /// It takes two columns.
    pub wide: bool,
}

/// A constant scalar and the column that holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constant {
    pub column: u32,
    pub value: Bits,
}

/// The constants of a kernel, equal ones stored once.
#[derive(Default)]
pub(crate) struct Constants {
    pub list: Vec<Constant>,
    pub columns: u32,
    slots: HashMap<Vec<Bits>, Slot>,
}

impl Constants {
    /// The columns that hold this value.
    pub(crate) fn intern(&mut self, value: Vec<Bits>) -> Slot {
        if let Some(&slot) = self.slots.get(&value) {
            return slot;
        }
        let start = self.columns;
        for &value in &value {
            self.list.push(Constant { column: self.columns, value });
            self.columns += if value.wide { 2 } else { 1 };
        }
        let slot = Slot { start, columns: self.columns - start };
        self.slots.insert(value, slot);
        slot
    }
}

/// The value of an expression of `arena`, where it is constant.
pub(crate) fn value(
    module: &Module,
    arena: &Arena<Expression>,
    handle: Handle<Expression>,
) -> Result<Option<Vec<Bits>>, String> {
    Ok(match arena[handle] {
        Expression::Literal(literal) => Some(vec![bits(literal)?]),
        Expression::ZeroValue(ty) => {
            let shape = shape::shape(module, &module.types[ty].inner)?;
            Some(shape.leaves.iter().map(|leaf| Bits { bits: 0, wide: width(leaf.scalar) == 2 }).collect())
        }
        Expression::Constant(constant) => {
            value(module, &module.global_expressions, module.constants[constant].init)?
        }
        Expression::Compose { ref components, .. } => {
            let mut whole = Vec::new();
            for &component in components {
                let Some(part) = value(module, arena, component)? else {
                    return Ok(None);
                };
                whole.extend(part);
            }
            Some(whole)
        }
        Expression::Splat { size, value: component } => {
            value(module, arena, component)?.map(|component| component.repeat(size as usize))
        }
        _ => None,
    })
}

fn bits(literal: Literal) -> Result<Bits, String> {
    let (scalar, bits) = match literal {
        Literal::Bool(v) => (Scalar::Bool, u64::from(v)),
        Literal::I16(v) => (Scalar::I16, u64::from(v as u16)),
        Literal::U16(v) => (Scalar::U16, u64::from(v)),
        Literal::I32(v) => (Scalar::I32, u64::from(v as u32)),
        Literal::U32(v) => (Scalar::U32, u64::from(v)),
        Literal::I64(v) => (Scalar::I64, v as u64),
        Literal::U64(v) => (Scalar::U64, v),
        Literal::F16(v) => (Scalar::F16, u64::from(v.to_bits())),
        Literal::F32(v) => (Scalar::F32, u64::from(v.to_bits())),
        Literal::F64(v) => (Scalar::F64, v.to_bits()),
        Literal::AbstractInt(_) | Literal::AbstractFloat(_) => {
            return Err(format!("the literal {literal:?}"));
        }
    };
    Ok(Bits { bits, wide: width(scalar) == 2 })
}
