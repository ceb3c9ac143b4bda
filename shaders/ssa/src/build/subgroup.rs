//! Subgroup operations, component by component. What lanes are is not known here.

use super::{Builder, Parts};
use crate::ir::{Collective, Lane, Op, Scan};
use crate::unsupported::Unsupported;
use naga::{CollectiveOperation, Direction, Expression, GatherMode, Handle, SubgroupOperation};
use warpweft_module::Scalar;

impl<'a> Builder<'a> {
    pub(super) fn ballot(
        &mut self,
        result: Handle<Expression>,
        predicate: Option<Handle<Expression>>,
    ) -> Result<(), Unsupported> {
        let predicate = match predicate {
            Some(predicate) => self.scalar(predicate)?,
            None => self.bool(true),
        };
        let words: Parts = (0..4).map(|n| self.define(Scalar::U32, Op::Ballot(predicate, n))).collect();
        self.set(result, &words);
        Ok(())
    }

    pub(super) fn gather(
        &mut self,
        mode: GatherMode,
        argument: Handle<Expression>,
        result: Handle<Expression>,
    ) -> Result<(), Unsupported> {
        let (lane, index) = match mode {
            GatherMode::BroadcastFirst => (Lane::BroadcastFirst, None),
            GatherMode::Broadcast(index) => (Lane::Broadcast, Some(index)),
            GatherMode::Shuffle(index) => (Lane::Shuffle, Some(index)),
            GatherMode::ShuffleDown(index) => (Lane::ShuffleDown, Some(index)),
            GatherMode::ShuffleUp(index) => (Lane::ShuffleUp, Some(index)),
            GatherMode::ShuffleXor(index) => (Lane::ShuffleXor, Some(index)),
            GatherMode::QuadBroadcast(index) => (Lane::QuadBroadcast, Some(index)),
            GatherMode::QuadSwap(Direction::X) => (Lane::QuadSwapX, None),
            GatherMode::QuadSwap(Direction::Y) => (Lane::QuadSwapY, None),
            GatherMode::QuadSwap(Direction::Diagonal) => (Lane::QuadSwapDiagonal, None),
        };
        let index = index.map(|index| self.index(index)).transpose()?;
        let parts = self.parts(argument)?;
        let parts: Parts =
            parts.into_iter().map(|part| self.define(self.ty(part), Op::Gather(lane, part, index))).collect();
        self.set(result, &parts);
        Ok(())
    }

    pub(super) fn collective(
        &mut self,
        op: SubgroupOperation,
        how: CollectiveOperation,
        argument: Handle<Expression>,
        result: Handle<Expression>,
    ) -> Result<(), Unsupported> {
        use SubgroupOperation as S;
        let scan = match how {
            CollectiveOperation::Reduce => Scan::Reduce,
            CollectiveOperation::InclusiveScan => Scan::Inclusive,
            CollectiveOperation::ExclusiveScan => Scan::Exclusive,
        };
        let op = match op {
            S::All => Collective::All,
            S::Any => Collective::Any,
            S::Add => Collective::Add,
            S::Mul => Collective::Multiply,
            S::Min => Collective::Min,
            S::Max => Collective::Max,
            S::And => Collective::And,
            S::Or => Collective::Or,
            S::Xor => Collective::Xor,
        };
        if scan != Scan::Reduce && !matches!(op, Collective::Add | Collective::Multiply) {
            return Err(self.unsupported(format!("the subgroup operation {how:?} {op:?}")));
        }
        let parts = self.parts(argument)?;
        let parts: Parts = parts
            .into_iter()
            .map(|part| self.define(self.ty(part), Op::Collective(op, scan, part)))
            .collect();
        self.set(result, &parts);
        Ok(())
    }
}
