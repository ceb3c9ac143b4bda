//! The names of operations, in both directions.
//!
//! Knows nothing of their operands.

use crate::ir::{AtomicOp, Binary, Compare, Convert, Unary};

macro_rules! names {
    ($class:ident, $name:ident, $from:ident: $($op:ident $text:literal,)*) => {
        pub(super) fn $name(op: $class) -> &'static str {
            match op { $($class::$op => $text,)* }
        }
        pub(super) fn $from(name: &str) -> Option<$class> {
            match name { $($text => Some($class::$op),)* _ => None }
        }
    };
}

names! { Unary, unary, to_unary:
    Neg "neg", Not "not", Abs "abs", Sqrt "sqrt", Floor "floor", Ceil "ceil", Trunc "trunc", Nearest "nearest",
    CountOnes "count_ones", LeadingZeros "leading_zeros", TrailingZeros "trailing_zeros",
    InverseSqrtEstimate "inverse_sqrt_estimate", InverseEstimate "inverse_estimate",
}
names! { Binary, binary, to_binary:
    Add "add", Sub "sub", Mul "mul", MulHigh "mul_high", Div "div", DivS "div_s", DivU "div_u", RemS "rem_s",
    RemU "rem_u", And "and", Or "or", Xor "xor", Shl "shl", ShrS "shr_s", ShrU "shr_u", MinS "min_s",
    MaxS "max_s", MinU "min_u", MaxU "max_u", Min "min", Max "max", Scale "scale",
}
names! { Compare, compare, to_compare:
    Eq "eq", Ne "ne", Lt "lt", Le "le", Gt "gt", Ge "ge", LtS "lt_s", LeS "le_s", GtS "gt_s", GeS "ge_s",
    LtU "lt_u", LeU "le_u", GtU "gt_u", GeU "ge_u",
}
names! { Convert, convert, to_convert:
    SignExtend "sign_extend", ZeroExtend "zero_extend", Truncate "truncate", FromSigned "from_signed",
    FromUnsigned "from_unsigned", ToSigned "to_signed", ToUnsigned "to_unsigned", Widen "widen",
    Narrow "narrow", FromHalf "from_half", ToHalf "to_half", Bitcast "bitcast",
}
names! { AtomicOp, atomic, to_atomic:
    Add "atomic_add", Sub "atomic_sub", And "atomic_and", Or "atomic_or", Xor "atomic_xor",
    MinS "atomic_min_s", MaxS "atomic_max_s", MinU "atomic_min_u", MaxU "atomic_max_u",
    Exchange "atomic_exchange",
}
