//! Numbers that the frame keeps for code that is rarely run.
//!
//! Such a number would pass through a loop in a register that each round could use. Which numbers these are is said in
//! [`analysis`](crate::analysis); where the frame keeps them is the program's business.

use iced_x86::Code;
use warpweft_vector::ir::{Kind, Value};

use super::{Lower, State};
use crate::analysis::Uses;
use crate::program::{Address, INT, View};

/// Bytes of the frame for such numbers.
const MOST: u32 = 512;

impl Lower<'_> {
    /// Has the frame keep a number that passes through a loop whose rounds rarely use it: it would take a register from
    /// those that each round uses.
    pub(super) fn keep(&mut self, value: Value, uses: Uses) {
        if !uses.passes_by() || self.rare || self.p.kept >= MOST {
            return;
        }
        let ty = self.ty(value);
        let State::Ready(first) = self.states[value.0 as usize] else { return };
        if ty.kind == Kind::Bool || self.shape(ty).class != INT {
            return;
        }
        let register = self.registers[first as usize];
        let place = self.p.kept;
        self.p.kept += 8;
        self.kept[value.0 as usize] = place;
        self.code(Code::Mov_rm64_r64).memory(&Address::kept(place)).uses(register, View::G64).finish();
    }

    /// Where the code at hand finds a value in the frame.
    pub(super) fn kept(&self, value: Value) -> Option<Address> {
        let place = self.kept[value.0 as usize];
        (self.rare && place != u32::MAX).then(|| Address::kept(place))
    }
}
