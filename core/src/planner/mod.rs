//! Decides where a launch runs: predicts, for each device that can take it, when it would be done.
//!
//! A prediction is the missing bytes over the device's link, plus the launch latency, plus the execution: measured
//! times of earlier launches of the same kernel where there are any (`history`), else the larger of compute and
//! memory time at the device's rates (`calibration`). `plan` is the decision as data, and its explanation. Knows
//! nothing of buffers: it is told what is missing where.

mod calibration;
mod history;
mod plan;
mod predict;

pub use calibration::{Calibration, LinkRates, Rates};
pub use plan::{Candidate, Exclusion, Plan, Prediction, Source, Verdict};

pub(crate) use plan::Seconds;
pub(crate) use predict::{Demand, Planner};
