//! What code generators have in common: what they give, and how they refuse.

use crate::ir::{Effect, Mark, Op, Type};

/// The machine code of one [`Function`](crate::ir::Function), to be called with its parameters in the integer registers
/// of the System V convention (`extern "sysv64"` on x86-64, `extern "C"` on aarch64). It depends on no address; what it
/// calls is to be filled in by [`link`](crate::link()).
#[derive(Clone, Debug, Default)]
pub struct MachineCode {
    /// Code and constants; it is entered at its first byte, and wants to lie at a multiple of 64.
    pub bytes: Vec<u8>,
    /// How much of `bytes` is code; constants follow.
    pub code: usize,
    /// From each offset on, where the code comes from; ascending.
    pub marks: Vec<(u32, Mark)>,
    /// The calls in it.
    pub calls: Vec<CallSite>,
    /// Bytes of stack that it takes, apart from what it calls.
    pub stack: u32,
}

/// A call in machine code whose destination is not filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite {
    /// Where in the code the instruction's field starts.
    pub at: u32,
    /// Which function it calls, as [`Effect::Call`] numbers them.
    pub function: u32,
    /// How the instruction says where to.
    pub form: CallForm,
}

/// How an instruction says where it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallForm {
    /// x86-64: 32 bits, the distance from behind them.
    Distance,
    /// aarch64's `bl`: the distance from the instruction, in instructions, in its low 26 bits.
    Instructions,
}

/// Why a function cannot be turned into machine code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is not possible, in words for the user.
    pub what: String,
    /// Where it comes from.
    pub mark: Mark,
}

/// What a machine can do by itself: everything else is put into other words by
/// [`legalise`](crate::legalise::legalise) before its code generator sees it.
pub trait Machine {
    /// The operation can be generated as it is: `ty` is its result's type, `operand` its first operand's (of loads and
    /// constants: the result's again).
    ///
    /// Asked about a vector shift, it means one by amounts that differ by lane: by a [`Op::Const`] or [`Op::Splat`] every
    /// machine shifts, whatever it says here.
    fn has(&self, op: &Op, ty: Type, operand: Type) -> bool;

    /// The effect can be generated as it is: `stored` is the type of what it writes. Unless a machine says otherwise, it
    /// can store where it can load: masked, or at each lane's own place.
    fn does(&self, effect: &Effect, stored: Type) -> bool {
        match effect {
            Effect::Store(..) | Effect::AtomicStore(..) | Effect::Call(..) => true,
            &Effect::StoreStrided(access, stride, _) => {
                self.has(&Op::LoadStrided(access, stride), stored, stored)
            }
            &Effect::StoreMasked(access, _, mask) => self.has(&Op::LoadMasked(access, mask), stored, stored),
            &Effect::Scatter(scattered, _, mask) => self.has(&Op::Gather(scattered, mask), stored, stored),
        }
    }
}
