//! Machine code does what the evaluator does.

mod agreement;
mod control;
mod memory;
mod operations;
mod random;
