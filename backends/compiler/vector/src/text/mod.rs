//! The text form of functions: what `Display` prints, [`Function::parse`](crate::ir::Function::parse) reads.
//!
//! ```text
//! function saxpy(%0: i64, %1: i64, %2: i64) lanes 16 {
//!     space x constant
//!     space y
//!     %3: f32x16 = 2.5
//!     %4: f32x16 = load x[%0 + %2 * 4]            @7
//!     %5: f32x16 = load y[%1 + %2 * 4]            @7
//!     %6: f32x16 = fma %3, %4, %5                 @7
//!     store y[%1 + %2 * 4] = %6                   @7
//!     yield
//! }
//! ```
//!
//! One instruction a line; `;` starts a comment; `@7` is the mark. A mask follows `where`; accesses that are valid
//! whenever the function runs are `load.always`, 16-bit elements `load.half`; `apart 3` says how many elements lanes are
//! apart; without an index the scale reads as 1.
//! Structure:
//!
//! ```text
//! %7: f32, %8: i32x16 = if %6 likely {        ; `else { yield }` may be left out
//!     yield %1, %2
//! } else {
//!     branch L0(%3)
//! }
//! %9: i64 = block L0 {
//!     loop L1(%10: i64 = %0, %11: f32x16 = %3) {
//!         branch L1(%12, %13)
//!     }
//! }
//! ```
//!
//! Floats are written so that they read back to the same bits; a NaN other than the usual one by its bits (`0x…`).
//! Knows no rules of the IR: whether what was read makes sense is [`verify`](crate::verify)'s to say.

mod names;
mod parse;
pub(crate) mod print;

pub use parse::ParseError;
