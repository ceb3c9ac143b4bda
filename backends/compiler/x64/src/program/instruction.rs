//! The parts of machine instructions: registers' classes and views, memory operands, conditions, actions.
//!
//! Knows what there is, not how it is put together.

use iced_x86::Code;
use regalloc2::{RegClass, VReg};

use crate::opcodes::V;
use crate::pool::Constant;

/// General registers.
pub(crate) const INT: RegClass = RegClass::Int;
/// Vector registers, which also hold scalar floats.
pub(crate) const VEC: RegClass = RegClass::Float;
/// Mask registers k1 to k7.
pub(crate) const MASK: RegClass = RegClass::Vector;

/// The width of a vector operation: 128, 256 or 512 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    X,
    Y,
    Z,
}

impl Length {
    pub(crate) fn bytes(self) -> u32 {
        16 << self as u32
    }

    /// The narrowest that holds so many bytes.
    pub(crate) fn of(bytes: u32) -> Self {
        match bytes {
            0..=16 => Length::X,
            17..=32 => Length::Y,
            _ => Length::Z,
        }
    }

    /// Half as wide; never below 128 bits.
    pub(crate) fn half(self) -> Self {
        match self {
            Length::X | Length::Y => Length::X,
            Length::Z => Length::Y,
        }
    }

    pub(crate) fn view(self) -> View {
        match self {
            Length::X => View::X,
            Length::Y => View::Y,
            Length::Z => View::Z,
        }
    }
}

/// How an instruction sees an operand: what part of a register, memory, or a number of some size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    None,
    G8,
    G16,
    G32,
    G64,
    K,
    X,
    Y,
    Z,
    Memory,
    I8,
    I8to32,
    I8to64,
    I32,
    I32to64,
    I64,
}

/// One explicit operand of an instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arg {
    pub(crate) view: View,
    /// Which of the instruction's allocations, for registers.
    pub(crate) operand: u8,
}

pub(crate) const NO_ARG: Arg = Arg { view: View::None, operand: 0 };
/// No mask, no memory, no index.
pub(crate) const NONE: u8 = u8::MAX;

/// Condition codes, numbered as in opcodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cc {
    Below = 2,
    AboveEqual = 3,
    Equal = 4,
    NotEqual = 5,
    BelowEqual = 6,
    Above = 7,
    Parity = 10,
    NoParity = 11,
    Less = 12,
    GreaterEqual = 13,
    LessEqual = 14,
    Greater = 15,
}

impl Cc {
    const ALL: [Cc; 12] = [
        Cc::Below,
        Cc::AboveEqual,
        Cc::Equal,
        Cc::NotEqual,
        Cc::BelowEqual,
        Cc::Above,
        Cc::Parity,
        Cc::NoParity,
        Cc::Less,
        Cc::GreaterEqual,
        Cc::LessEqual,
        Cc::Greater,
    ];

    /// The opposite: codes come in pairs that differ in the lowest bit.
    pub(crate) fn not(self) -> Self {
        let wanted = self as u8 ^ 1;
        Self::ALL.into_iter().find(|&cc| cc as u8 == wanted).unwrap_or(self)
    }
}

/// What the flags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    One(Cc),
    /// Ordered and equal.
    EqualOrdered,
    /// Different or unordered.
    NotEqualUnordered,
}

impl Condition {
    pub(crate) fn not(self) -> Self {
        match self {
            Condition::One(cc) => Condition::One(cc.not()),
            Condition::EqualOrdered => Condition::NotEqualUnordered,
            Condition::NotEqualUnordered => Condition::EqualOrdered,
        }
    }
}

/// A read-modify-write step that takes a compare-and-swap loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swap {
    And,
    Or,
    Xor,
    MinS,
    MaxS,
    MinU,
    MaxU,
    FloatAdd,
    FloatSub,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// That instruction.
    Code(Code),
    /// One of a family, by width and by what its operands need.
    Vector(V, Length),
    /// `a + b` of 32 or 64 bits into a third register: `add` where one of them is it, else `lea`.
    Sum {
        wide: bool,
    },
    /// The program's arguments appear.
    Entry,
    Return,
    /// Of that function; its arguments are in their registers.
    Call(u32),
    /// To the block's successor.
    Jump,
    /// To the first successor where the condition holds, else to the second.
    Branch(Condition),
    /// Stores a vector past the caches where the memory's base is aligned to its length, or, in pieces, to 16 bytes; and
    /// otherwise as usual. Operands: memory's base (it has no index, and its displacement is a multiple of the length),
    /// the vector, and for pieces a temporary.
    Stream {
        length: Length,
        pieces: bool,
    },
    /// Operands: what was there (in rax), a temporary, for floats a vector temporary, the value, then memory's.
    Swap {
        swap: Swap,
        wide: bool,
    },
}

/// What a memory operand is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// One of the instruction's allocations.
    Operand(u8),
    /// A constant behind the code.
    Pool(Constant),
    /// The frame's scratch area.
    Frame,
    /// What the frame keeps, behind that.
    Kept,
}

/// A memory operand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) base: Base,
    /// One of the instruction's allocations, or [`NONE`].
    pub(crate) index: u8,
    /// How the index is seen: a general register, or a vector of indices.
    pub(crate) index_view: View,
    pub(crate) scale: u8,
    pub(crate) displacement: i32,
    pub(crate) broadcast: bool,
}

/// Where a memory operand lies, before it belongs to an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) base: Place,
    pub(crate) index: Option<(VReg, View)>,
    pub(crate) scale: u8,
    pub(crate) displacement: i32,
    /// One element, in every lane (AVX-512).
    pub(crate) broadcast: bool,
}

/// What an [`Address`] is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Register(VReg),
    Pool(Constant),
    Frame,
    Kept,
}

impl Address {
    pub(crate) fn pool(constant: Constant, broadcast: bool) -> Self {
        Self { base: Place::Pool(constant), index: None, scale: 1, displacement: 0, broadcast }
    }

    pub(crate) fn frame(displacement: i32) -> Self {
        Self { base: Place::Frame, index: None, scale: 1, displacement, broadcast: false }
    }

    /// What the frame keeps there.
    pub(crate) fn kept(displacement: u32) -> Self {
        Self { base: Place::Kept, ..Self::frame(displacement as i32) }
    }

    /// So many bytes further on. The caller has seen to it that the sum fits.
    pub(crate) fn plus(self, bytes: u32) -> Self {
        Self { displacement: self.displacement + bytes as i32, ..self }
    }
}

/// A register or memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rm {
    Reg(VReg),
    Mem(Address),
}

impl From<VReg> for Rm {
    fn from(register: VReg) -> Self {
        Rm::Reg(register)
    }
}

/// One machine instruction, or one short fixed sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inst {
    pub(crate) action: Action,
    pub(crate) args: [Arg; 4],
    /// The mask's allocation, or [`NONE`].
    pub(crate) mask: u8,
    /// Lanes outside the mask become zero.
    pub(crate) zeroing: bool,
    pub(crate) lock: bool,
    /// Index into [`Program::memories`]; `u32::MAX` where there is none.
    pub(crate) memory: u32,
    pub(crate) immediate: i64,
    pub(super) first: u32,
    pub(crate) count: u8,
}
