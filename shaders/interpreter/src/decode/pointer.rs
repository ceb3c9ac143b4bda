//! Pointers: addresses worked out as far as they are known, and steps for the indices that are not.
//!
//! Knows places, not values: what is loaded or stored there is the caller's business.

use super::function::FunctionDecoder;
use crate::column::{Function, map1};
use crate::fault::Unsupported;
use crate::operator::convert;
use crate::shape::{self, Elements};
use crate::step::{Address, Index, Limit, Slot, Space, Step};
use naga::{Expression, Handle, Span, TypeInner};
use warpweft_module::Scalar;

impl FunctionDecoder<'_, '_> {
    /// What a pointer expression points to.
    pub(super) fn pointee(&self, pointer: Handle<Expression>) -> Result<TypeInner, Unsupported> {
        Ok(match *self.inner(pointer) {
            TypeInner::Pointer { base, .. } => self.decoder.module.types[base].inner.clone(),
            TypeInner::ValuePointer { size: Some(size), scalar, .. } => TypeInner::Vector { size, scalar },
            TypeInner::ValuePointer { size: None, scalar, .. } => TypeInner::Scalar(scalar),
            ref other => return Err(self.unsupported(format!("a pointer of type {other:?}"), pointer)),
        })
    }

    /// Member or element `index` behind a pointer.
    pub(super) fn access_fixed(
        &mut self,
        handle: Handle<Expression>,
        base: Handle<Expression>,
        index: u32,
        steps: &mut Vec<Step>,
    ) -> Result<Address, Unsupported> {
        let mut address = self.address(base)?;
        let pointee = self.pointee(base)?;
        let module = self.decoder.module;
        if let Some((columns, bytes)) = shape::member(module, &pointee, index) {
            address.fixed += if matches!(address.space, Space::Binding(_)) { bytes } else { columns };
            return Ok(address);
        }
        let Some(elements) = shape::elements(module, &pointee) else {
            return Err(self.unsupported(format!("indexing into {pointee:?}"), handle));
        };
        let stride = stride(elements, address.space);
        let offset = index.checked_mul(stride).and_then(|offset| offset.checked_add(address.fixed));
        // The end of a runtime-sized array is also the end of its binding, which loads and stores look at; but only
        // for elements without padding, and whole.
        let whole = elements.count.is_some() || is_one_leaf(module, &pointee, stride);
        match offset {
            Some(offset) if whole => Ok(Address { fixed: offset, ..address }),
            _ => self.element(address, elements, Index::Fixed(index), false, steps, self.span(handle)),
        }
    }

    /// Element `index` behind a pointer, the index being known only when it runs.
    pub(super) fn access_varying(
        &mut self,
        handle: Handle<Expression>,
        base: Handle<Expression>,
        index: Handle<Expression>,
        steps: &mut Vec<Step>,
    ) -> Result<Address, Unsupported> {
        let address = self.address(base)?;
        let pointee = self.pointee(base)?;
        let Some(elements) = shape::elements(self.decoder.module, &pointee) else {
            return Err(self.unsupported(format!("indexing into {pointee:?}"), handle));
        };
        let (index, signed) = self.index(index, steps)?;
        self.element(address, elements, Index::Varying(index), signed, steps, self.span(handle))
    }

    fn element(
        &mut self,
        address: Address,
        elements: Elements,
        index: Index,
        signed: bool,
        steps: &mut Vec<Step>,
        span: Span,
    ) -> Result<Address, Unsupported> {
        let stride = stride(elements, address.space);
        let limit = match (elements.count, address.space) {
            (Some(count), _) => Limit::Fixed(count),
            // Only structs lie between a binding's start and its runtime-sized array, so the offset is fixed.
            (None, Space::Binding(binding)) => Limit::Runtime { binding, offset: address.fixed, stride },
            (None, _) => {
                return Err(self.decoder.unsupported("a runtime-sized array outside of bindings", span));
            }
        };
        let out = self.push(1, span)?;
        steps.push(Step::ElementAddress { out, base: address.varying, index, signed, limit, stride });
        Ok(Address { varying: Some(out), ..address })
    }

    /// An index as a column of 32-bit integers, and whether it is signed.
    pub(super) fn index(
        &mut self,
        index: Handle<Expression>,
        steps: &mut Vec<Step>,
    ) -> Result<(Slot, bool), Unsupported> {
        /// What no array has.
        const BEYOND: u32 = u32::MAX;
        let scalar = self.scalar(index)?;
        let narrow: Option<Function> = match scalar {
            Scalar::I64 => Some(|out, args| map1(out, args, |i: i64| u32::try_from(i).unwrap_or(BEYOND))),
            Scalar::U64 => Some(|out, args| map1(out, args, |i: u64| u32::try_from(i).unwrap_or(BEYOND))),
            Scalar::I16 => convert(Scalar::I16, Scalar::I32),
            _ => None,
        };
        let mut slot = self.slot(index)?;
        if let Some(function) = narrow {
            let out = self.push(1, self.span(index))?;
            steps.push(Step::Map { function, out, operands: operands([slot]), dims: [0; 3] });
            slot = out;
        }
        Ok((slot, matches!(scalar, Scalar::I16 | Scalar::I32)))
    }

    /// The address that an expression stands for.
    pub(super) fn address(&self, pointer: Handle<Expression>) -> Result<Address, Unsupported> {
        self.addresses
            .get(&pointer)
            .copied()
            .ok_or_else(|| self.unsupported("a pointer that is not made of variables and indices", pointer))
    }
}

/// Pads a list of operands.
pub(super) fn operands<const N: usize>(list: [Slot; N]) -> [Slot; 4] {
    std::array::from_fn(|n| list.get(n).copied().unwrap_or_default())
}

fn stride(elements: Elements, space: Space) -> u32 {
    if matches!(space, Space::Binding(_)) { elements.bytes } else { elements.columns }
}

/// Whether the elements of an array are scalars, back to back.
fn is_one_leaf(module: &naga::Module, array: &TypeInner, stride: u32) -> bool {
    let TypeInner::Array { base, .. } = *array else {
        return false;
    };
    match module.types[base].inner {
        TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => u32::from(scalar.width) == stride,
        _ => false,
    }
}
