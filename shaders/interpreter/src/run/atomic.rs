//! Atomic operations: one active lane after the other, in ascending order.
//!
//! In bindings they are atomic towards all workgroups; workgroup memory has only one thread.

use super::Run;
use super::store::{entry, set_entry};
use crate::lane::{Integer, Lane, Number};
use crate::mask::Mask;
use crate::shape::{Leaf, width};
use crate::step::{Address, Atomic, OUTSIDE, Slot, Space};
use warpweft_module::Scalar;

impl Run<'_> {
    /// Read-modify-write; `out` gets the old values and, for a compare-exchange, whether it was exchanged.
    #[inline(never)]
    pub(super) fn atomic(
        &mut self,
        out: Option<Slot>,
        address: Address,
        value: Slot,
        leaf: Leaf,
        function: Atomic,
        mask: &Mask,
    ) {
        let (size, words) = (leaf.scalar.size(), width(leaf.scalar) as usize);
        for lane in mask.iter() {
            let at = address.varying.map_or(0, |slot| self.column(slot)[lane]);
            let operand = entry(self.column(value), size, lane);
            let compare = match function {
                Atomic::CompareExchange(compare) => entry(self.column(compare), size, lane),
                _ => 0,
            };
            let new = |old: u64| apply(function, leaf.scalar, old, operand, compare);
            let old = match address.space {
                _ if at == OUTSIDE => None,
                Space::Binding(binding) => {
                    let memory = &self.launch.bindings[binding];
                    let byte = u64::from(address.fixed) + u64::from(at);
                    let there = memory.words_at(byte, u64::from(size)).is_some();
                    there.then(|| memory.atomic_update(byte, size, new))
                }
                // WGSL has no atomics in other spaces.
                Space::Workgroup | Space::Columns => {
                    let place = &mut self.words[(address.fixed + at) as usize..][..words];
                    let old = entry(place, size, 0);
                    set_entry(place, size, 0, new(old));
                    Some(old)
                }
            };
            if let Some(out) = out {
                let range = self.range(out);
                let (olds, exchanged) = self.columns[range].split_at_mut(words * self.height);
                set_entry(olds, size, lane, old.unwrap_or(0));
                if matches!(function, Atomic::CompareExchange(_)) {
                    exchanged[lane] = u32::from(old == Some(compare));
                }
            }
        }
    }
}

fn apply(function: Atomic, scalar: Scalar, old: u64, operand: u64, compare: u64) -> u64 {
    match (function, scalar) {
        (Atomic::Exchange, _) => operand,
        (Atomic::CompareExchange(_), _) => {
            if old == compare {
                operand
            } else {
                old
            }
        }
        (_, Scalar::I32) => integer(function, old as u32 as i32, operand as u32 as i32).put().into(),
        (_, Scalar::I64) => integer(function, old as i64, operand as i64).put(),
        (_, Scalar::U64) => integer(function, old, operand),
        (_, Scalar::F32) => number(function, f32::get(old as u32), f32::get(operand as u32)).put().into(),
        _ => integer(function, old as u32, operand as u32).into(),
    }
}

fn number<T: Number>(function: Atomic, old: T, operand: T) -> T {
    match function {
        Atomic::Add => old.add(operand),
        Atomic::Subtract => old.sub(operand),
        Atomic::Min => old.min(operand),
        Atomic::Max => old.max(operand),
        _ => operand,
    }
}

fn integer<T: Integer>(function: Atomic, old: T, operand: T) -> T {
    match function {
        Atomic::And => old.and(operand),
        Atomic::InclusiveOr => old.or(operand),
        Atomic::ExclusiveOr => old.xor(operand),
        _ => number(function, old, operand),
    }
}
