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
//! What the author of a policy should know:
//!
//! * [`Policy::decide`] is called again after every slice, with what remains, until it answers [`Decision::Run`]. So slices can
//!   double while a budget lasts, and the rest of a launch can run anywhere.
//! * The static estimate is wrong by up to [`Reality::model_error`] (three times either way) per kernel and device, and its
//!   exponent over size by up to 0.05. Measured times have 5 % noise, slices of irregular kernels more.
//! * Compilation is charged at a kernel's first use of a device, and the oracle pays it too: over few launches, trying a
//!   device can cost more than it could ever gain.
//! * A move may pay later or never: [`Request::replaced`] and [`Candidate::delivery`] say what the past knows of that.
//! * Most units of a setting have an obvious device, so that a mean over all of them is easy to raise: look at
//!   [`Score::contested`], the worst case and the sums as well.
//! * Windows that begin late (warm, new size, drift) are compared with the best from the state that the policy got into. A policy
//!   cannot gain by what it did before, nor is it charged again for it.
//!
//! Simplifications, to be kept in mind: one launch at a time; execution takes the roofline's larger part and does not overlap with
//! transfers; halos are neglected; ranges of a launch are equally expensive (irregular ones are only measured less exactly); the
//! hidden factor of a kernel says nothing of another's.
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
