//! Elementary functions, built as vector IR: for `F32` and `F64`, for vectors and scalars.
//!
//! Each function appends straight-line code to a [`Builder`](warpweft_vector::Builder); what is rare (the angles of huge
//! numbers, inverse square roots of denormal ones) is behind one `If`. Zeros, infinities, NaN and denormal numbers,
//! as arguments and as results, are right.
//!
//! What must be rounded apart stays apart: the passes of `warpweft_vector`, contraction included, do no harm. Errors are
//! in the README beside this crate.
//!
//! Knows no machine, and nothing of WGSL but how accurate it wants to be.

mod coefficients;
mod exponential;
mod hyperbolic;
mod inverse_hyperbolic;
mod inverse_trigonometric;
mod logarithm;
mod power;
mod quadrant;
mod root;
mod trigonometric;
mod words;

pub use exponential::{exp, exp2};
pub use hyperbolic::{cosh, sinh, tanh};
pub use inverse_hyperbolic::{acosh, asinh, atanh};
pub use inverse_trigonometric::{acos, asin, atan, atan2};
pub use logarithm::{log, log2};
pub use power::pow;
pub use root::{divide, inverse_sqrt};
pub use trigonometric::{cos, sin, sin_cos, tan};
