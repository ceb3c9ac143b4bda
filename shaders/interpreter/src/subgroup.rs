//! Subgroup operations as column functions: lanes see the active lanes of their own subgroup.
//!
//! Subgroups are runs of `subgroup_size` consecutive lanes; the last one may be shorter. What an operation reads from
//! an inactive lane, or from beyond the subgroup, is zero.

use crate::column::{Args, Function, words, words_mut};
use crate::lane::{Integer, Lane, Number};
use crate::operator::{with_integer, with_number};
use naga::{CollectiveOperation, Direction, Expression, GatherMode, Handle, SubgroupOperation};
use warpweft_module::Scalar;

/// The ballot of a predicate, or of being active: one bit per lane in four words.
pub(crate) fn ballot(predicate: bool) -> Function {
    fn count(out: &mut [u32], args: &Args<'_>, votes: impl Fn(usize) -> bool) {
        let lanes = args.mask.len();
        for start in (0..lanes).step_by(args.subgroup_size) {
            let members = start..lanes.min(start + args.subgroup_size);
            let mut ballot = [0u32; 4];
            for lane in members.clone() {
                let bit = lane - start;
                if args.mask[lane] != 0 && bit < 128 && votes(lane) {
                    ballot[bit / 32] |= 1 << (bit % 32);
                }
            }
            for (out, word) in out.chunks_exact_mut(lanes).zip(ballot) {
                out[members.clone()].fill(word);
            }
        }
    }
    if predicate {
        |out, args| count(out, args, |lane| args.operands[0][lane] != 0)
    } else {
        |out, args| count(out, args, |_| true)
    }
}

/// The function that gathers values of type `scalar`, and the expression of its second operand.
pub(crate) fn gather(mode: GatherMode, scalar: Scalar) -> (Function, Option<Handle<Expression>>) {
    /// Chooses between columns of `u32` and of `u64`.
    macro_rules! by_size {
        ($source:expr) => {
            if scalar.size() == 8 {
                |out, args| from_lanes::<u64>(out, args, $source)
            } else {
                |out, args| from_lanes::<u32>(out, args, $source)
            }
        };
    }
    match mode {
        GatherMode::BroadcastFirst => (by_size!(|_, _, first| Some(first)), None),
        GatherMode::Broadcast(index) | GatherMode::Shuffle(index) => {
            (by_size!(|_, index, _| Some(index as usize)), Some(index))
        }
        GatherMode::ShuffleDown(index) => {
            (by_size!(|place, shift, _| place.checked_add(shift as usize)), Some(index))
        }
        GatherMode::ShuffleUp(index) => {
            (by_size!(|place, shift, _| place.checked_sub(shift as usize)), Some(index))
        }
        GatherMode::ShuffleXor(index) => {
            (by_size!(|place, flip, _| Some(place ^ flip as usize)), Some(index))
        }
        GatherMode::QuadBroadcast(index) => {
            (by_size!(|place, index, _| (index < 4).then_some((place & !3) + index as usize)), Some(index))
        }
        GatherMode::QuadSwap(Direction::X) => (by_size!(|place, _, _| Some(place ^ 1)), None),
        GatherMode::QuadSwap(Direction::Y) => (by_size!(|place, _, _| Some(place ^ 2)), None),
        GatherMode::QuadSwap(Direction::Diagonal) => (by_size!(|place, _, _| Some(place ^ 3)), None),
    }
}

/// Every active lane gets the value of the lane at `source(own place, own index, first active place)` of its subgroup.
#[inline(always)]
fn from_lanes<T: Lane<Word = T> + Default>(
    out: &mut [u32],
    args: &Args<'_>,
    source: impl Fn(usize, u32, usize) -> Option<usize>,
) {
    let lanes = args.mask.len();
    let values = words::<T>(args.operands[0]).chunks_exact(lanes);
    for (out, values) in words_mut::<T>(out).chunks_exact_mut(lanes).zip(values) {
        for start in (0..lanes).step_by(args.subgroup_size) {
            let end = lanes.min(start + args.subgroup_size);
            let first = (start..end).find(|&lane| args.mask[lane] != 0).unwrap_or(start) - start;
            for lane in (start..end).filter(|&lane| args.mask[lane] != 0) {
                let index = args.operands[1].get(lane).copied().unwrap_or(0);
                let from =
                    source(lane - start, index, first).map_or(end, |place| place.saturating_add(start));
                out[lane] = if from < end && args.mask[from] != 0 { values[from] } else { T::default() };
            }
        }
    }
}

/// The function of a reduction or scan over values of type `scalar`.
pub(crate) fn collective(
    op: SubgroupOperation,
    how: CollectiveOperation,
    scalar: Scalar,
) -> Option<Function> {
    use SubgroupOperation as S;
    match op {
        S::All => Some(|out, args| reduce(out, args, true, |a, b| a & b)),
        S::Any => Some(|out, args| reduce(out, args, false, |a, b| a | b)),
        S::Add | S::Mul | S::Min | S::Max => with_number!(scalar, number(op, how)),
        S::And | S::Or | S::Xor => with_integer!(scalar, bits(op)),
    }
}

fn number<T: Number>(op: SubgroupOperation, how: CollectiveOperation) -> Option<Function> {
    use {CollectiveOperation as C, SubgroupOperation as S};
    Some(match (how, op) {
        (C::Reduce, S::Add) => |out, args| reduce(out, args, T::ZERO, T::add),
        (C::Reduce, S::Mul) => |out, args| reduce(out, args, T::ONE, T::mul),
        (C::Reduce, S::Min) => |out, args| reduce(out, args, T::HIGHEST, T::min),
        (C::Reduce, S::Max) => |out, args| reduce(out, args, T::LOWEST, T::max),
        (C::InclusiveScan, S::Add) => |out, args| scan(out, args, true, T::ZERO, T::add),
        (C::InclusiveScan, S::Mul) => |out, args| scan(out, args, true, T::ONE, T::mul),
        (C::ExclusiveScan, S::Add) => |out, args| scan(out, args, false, T::ZERO, T::add),
        (C::ExclusiveScan, S::Mul) => |out, args| scan(out, args, false, T::ONE, T::mul),
        _ => return None,
    })
}

fn bits<T: Integer>(op: SubgroupOperation) -> Option<Function> {
    use SubgroupOperation as S;
    Some(match op {
        S::And => |out, args| reduce(out, args, T::ZERO.not(), T::and),
        S::Or => |out, args| reduce(out, args, T::ZERO, T::or),
        S::Xor => |out, args| reduce(out, args, T::ZERO, T::xor),
        _ => return None,
    })
}

/// Every lane gets the combination of its subgroup's active lanes, taken in ascending order.
fn reduce<T: Lane>(out: &mut [u32], args: &Args<'_>, identity: T, combine: impl Fn(T, T) -> T) {
    let lanes = args.mask.len();
    let values = words::<T>(args.operands[0]).chunks_exact(lanes);
    for (out, values) in words_mut::<T>(out).chunks_exact_mut(lanes).zip(values) {
        let groups = out.chunks_mut(args.subgroup_size);
        let groups = groups.zip(values.chunks(args.subgroup_size)).zip(args.mask.chunks(args.subgroup_size));
        for ((out, values), mask) in groups {
            let active = values.iter().zip(mask).filter(|&(_, &mask)| mask != 0);
            let total = active.fold(identity, |total, (&value, _)| combine(total, T::get(value)));
            out.fill(total.put());
        }
    }
}

/// Every active lane gets the combination of the active lanes before it, with or without its own.
fn scan<T: Lane>(
    out: &mut [u32],
    args: &Args<'_>,
    inclusive: bool,
    identity: T,
    combine: impl Fn(T, T) -> T,
) {
    let lanes = args.mask.len();
    let values = words::<T>(args.operands[0]).chunks_exact(lanes);
    for (out, values) in words_mut::<T>(out).chunks_exact_mut(lanes).zip(values) {
        let mut total = identity;
        for lane in 0..lanes {
            if lane % args.subgroup_size == 0 {
                total = identity;
            }
            if args.mask[lane] != 0 {
                let after = combine(total, T::get(values[lane]));
                out[lane] = if inclusive { after } else { total }.put();
                total = after;
            }
        }
    }
}
