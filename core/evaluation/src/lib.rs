//! An evaluation of placement policies that cannot flatter.
//!
//! A *policy* decides for every launch of a kernel which device runs it, perhaps after trying slices of it on several. This
//! crate runs policies over sequences of launches on fake machines whose reality differs from what any model says
//! ([`truth`]), and over measured runs ([`replay`]); it charges them everything they do ([`world`]) and compares that with
//! the clairvoyant optimum ([`oracle`]). It does not know Warpweft's planner: whoever implements [`Policy`] can be scored.
//!
//! ```
//! use warpweft_evaluation::{Contestant, Decision, Fleet, Measurement, Policy, Request, Score, Setting};
//!
//! /// Small launches on the CPU, large ones on the first GPU.
//! struct BySize;
//!
//! impl Policy for BySize {
//!     fn decide(&mut self, request: &Request<'_>) -> Decision {
//!         Decision::Run { device: usize::from(request.size > 1 << 18) }
//!     }
//!     fn measured(&mut self, _: &Request<'_>, _: &Measurement) {}
//! }
//!
//! let contestant = Contestant::new("by size", || BySize);
//! let units = Setting::Cold.evaluate(&Fleet::named(1, 42), &contestant).unwrap();
//! let score = Score::of(&units, 0.05).unwrap();
//! assert_eq!((score.units, score.launches), (5 * 3 * 15, 5 * 3 * 15 * 10)); // machines, sizes, kernels, launches
//! assert!(score.geometric_mean < 1.0); // nobody beats the oracle
//! ```
//!
//! Everything is deterministic: a seed gives the same figures on every machine that computes with IEEE 754 doubles and the
//! same mathematical library. Times are seconds on a virtual clock.

pub mod baseline;
pub mod machine;
pub mod oracle;
pub mod policy;
pub mod random;
pub mod replay;
pub mod residency;
pub mod roofline;
pub mod scenario;
pub mod score;
pub mod slices;
pub mod suite;
pub mod table;
pub mod truth;
pub mod world;

pub use baseline::{Contestant, Foresight, Prescribed};
pub use machine::Machine;
pub use policy::{Candidate, Decision, Measurement, Policy, Request};
pub use scenario::{Fleet, Setting};
pub use score::{Judgement, Regret, Score, Unit, regret};
pub use slices::Slices;
pub use table::Table;
pub use truth::Reality;
pub use world::{Refused, World};
