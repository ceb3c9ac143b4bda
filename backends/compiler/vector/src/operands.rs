//! What operations and effects use: each operand in its place, to be looked at or to be replaced.
//!
//! Knows nothing of what is computed.

use crate::ir::{Access, Effect, Op, Scattered, Value};

/// Calls `$f` with a reference to every operand of an operation: shared, or with `mut`.
macro_rules! of_operation {
    ($op:expr, $f:ident $(, $mut:tt)?) => {
        match $op {
            Op::Const(_) | Op::Lanes(_) => {}
            Op::Splat(a)
            | Op::Extract(a, _)
            | Op::Unary(_, a)
            | Op::Convert(_, a)
            | Op::Any(a)
            | Op::All(a)
            | Op::Bits(a)
            | Op::Mask(a)
            | Op::Reduce(_, a) => $f(a),
            Op::ExtractAt(a, b)
            | Op::Binary(_, a, b)
            | Op::Compare(_, a, b)
            | Op::Permute(a, b)
            | Op::Shuffle(a, b, _) => {
                $f(a);
                $f(b);
            }
            Op::Fma(a, b, c) | Op::Select(a, b, c) => {
                $f(a);
                $f(b);
                $f(c);
            }
            Op::Load(at) | Op::LoadStrided(at, _) | Op::AtomicLoad(at) => of_access!(at, $f $(, $mut)?),
            Op::LoadMasked(at, a) | Op::Atomic(_, at, a) => {
                of_access!(at, $f $(, $mut)?);
                $f(a);
            }
            Op::Gather(at, mask) => {
                of_scattered!(at, $f $(, $mut)?);
                $f(mask);
            }
            Op::CompareExchange(at, a, b) => {
                of_access!(at, $f $(, $mut)?);
                $f(a);
                $f(b);
            }
        }
    };
}

/// The same of an effect.
macro_rules! of_effect {
    ($effect:expr, $f:ident $(, $mut:tt)?) => {
        match $effect {
            Effect::Store(at, a) | Effect::StoreStrided(at, _, a) | Effect::AtomicStore(at, a) => {
                of_access!(at, $f $(, $mut)?);
                $f(a);
            }
            Effect::StoreMasked(at, a, mask) => {
                of_access!(at, $f $(, $mut)?);
                $f(a);
                $f(mask);
            }
            Effect::Scatter(at, a, mask) => {
                of_scattered!(at, $f $(, $mut)?);
                $f(a);
                $f(mask);
            }
            Effect::Call(_, arguments) => {
                for argument in arguments {
                    $f(argument);
                }
            }
        }
    };
}

/// The same of a place.
macro_rules! of_access {
    ($at:expr, $f:ident $(, $mut:tt)?) => {{
        $f(& $($mut)? $at.base);
        if let Some(index) = & $($mut)? $at.index {
            $f(index);
        }
    }};
}

/// The same of scattered places.
macro_rules! of_scattered {
    ($at:expr, $f:ident $(, $mut:tt)?) => {{
        $f(& $($mut)? $at.base);
        $f(& $($mut)? $at.index);
    }};
}

/// The three ways to visit a type's operands.
macro_rules! visits {
    ($ty:ty, $of:ident) => {
        impl $ty {
            /// Calls `f` with every operand, in order.
            pub fn operands(&self, mut f: impl FnMut(Value)) {
                let mut f = |value: &Value| f(*value);
                $of!(self, f)
            }

            /// Calls `f` with every operand, in order, to be replaced.
            pub fn operands_mut(&mut self, mut f: impl FnMut(&mut Value)) {
                $of!(self, f, mut)
            }

            /// The same on other operands.
            pub fn map(mut self, mut f: impl FnMut(Value) -> Value) -> Self {
                self.operands_mut(|value| *value = f(*value));
                self
            }
        }
    };
}

visits!(Op, of_operation);
visits!(Effect, of_effect);
visits!(Access, of_access);
visits!(Scattered, of_scattered);
