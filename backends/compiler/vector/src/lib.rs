//! The vector IR of Warpweft's CPU compiler: kernels as programs over lanes.
//!
//! [`ir`] says what a function is and means. A [`Builder`] makes one, simplifying on the way; [`passes`] make it fast;
//! [`legalise`] puts it into the words of a [`Machine`], whose generator gives [`MachineCode`]. To see and trust all that:
//! the [`text`] form, [`verify()`], [`Evaluation`] as the oracle, and [`random`] functions.
//!
//! Knows neither WGSL nor any machine: what comes in was lowered from SSA, what goes out is for a code generator.

pub mod ir;
mod known;
pub mod legalise;
pub mod passes;
pub mod random;
pub mod text;

mod builder;
mod evaluate;
mod fold;
mod link;
mod machine;
mod operands;
mod semantics;
mod verify;

pub use builder::Builder;
pub use evaluate::{Evaluation, EvaluationError, Reason};
pub use link::link;
pub use machine::{CallForm, CallSite, Machine, MachineCode, Refusal};
pub use text::ParseError;
pub use verify::{MOST_LEVELS, VerifyError, verify};
