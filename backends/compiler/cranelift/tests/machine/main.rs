//! Machine code does what the evaluator does. (Random functions need memory at given addresses: Linux only.)

mod agreement;
mod calls;
mod control;
mod memory;
mod operations;
mod random;
