//! Launches: what is bound and how large, checked once; then planned, ordered and run.
//!
//! `launcher` collects and checks; `bind` and `grid` are the two checks; from `knowledge` of the kernel, `brought`
//! tells what must be there and `work` how much there is to do; `execute` carries a checked launch to a device,
//! `in_flight` is what it is then, and `report` what comes back; `steps` repeats prepared launches.

mod bind;
mod brought;
mod execute;
mod grid;
mod in_flight;
mod knowledge;
mod launcher;
mod report;
mod steps;
mod values;
mod work;

pub use in_flight::Launch;
pub(crate) use knowledge::Knowledge;
pub use launcher::{Launcher, Prepared, Settable};
pub use report::Report;
pub use steps::{Flow, Steps, StepsReport};
pub(crate) use work::Work;
