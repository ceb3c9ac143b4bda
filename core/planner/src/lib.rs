//! What the planner learns of kernels' times.
mod curve;
mod drift;
mod file;
mod fit;
mod forgotten;
mod history;
mod merge;
mod moment;
mod prediction;
mod sample;
mod series;
mod size;
mod store;
mod text;

pub use history::{Entry, History, KernelHash, Key, Place, SERIES};
pub use moment::Moment;
pub use prediction::{Prediction, Source};
pub use sample::Refused;
pub use series::{Known, Learnt, Series};
pub use store::{FILE_NAME, Saved, Store};
