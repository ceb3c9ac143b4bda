//! What Warpweft's planner learns of kernels' times, and keeps.
//!
//! A planner that chooses where a launch runs needs its time on each device, for any size. Static models are wrong by
//! factors; this crate measures. It is told how long launches took, and says how long the next one will take, how sure
//! that is, and what it rests on. It touches no device, no buffer and no clock: times come in as arguments, so that the
//! same code runs in the runtime, in simulations and in tests.
//!
//! * A [`Series`] is what is known of one kernel on one device in one way of executing it: robust medians at the sizes
//!   that were measured, a law *a·n^b + c* over them for the others, and a watch for devices that change their speed.
//! * A [`History`] holds the series of a machine, up to a number; the least recently used goes.
//! * A [`Store`] shares a history among threads and, through a file, among processes and their successors.
//!
//! # Example
//!
//! ```
//! use warpweft_planner::{FILE_NAME, Key, Moment, Saved, Source, Store};
//!
//! # let folder = std::env::temp_dir().join(format!("warpweft-planner-example-{}", std::process::id()));
//! let store = Store::open(folder.join(FILE_NAME));
//! // Once per device and path: launches then look up by number.
//! let gpu = store.place("gpu | Imagined 9000 | driver 1.2", "compiled");
//! let saxpy = Key { kernel: [7; 32], place: gpu };
//!
//! // Nothing is known: the planner falls back on its static model.
//! assert!(store.predict(&saxpy, 1e6, Moment::from_micros(0)).is_none());
//!
//! // The first launch is slow, as first launches are. It counts only until there are others.
//! for (launch, seconds) in [0.250, 0.0101, 0.0100, 0.0102].into_iter().enumerate() {
//!     let now = Moment::from_micros(1_000_000 * launch as u64);
//!     store.observe(saxpy, "saxpy", 1e6, seconds, now)?;
//! }
//! let now = Moment::from_micros(5_000_000);
//! let known = store.predict(&saxpy, 1e6, now).unwrap();
//! assert_eq!((known.source, known.samples), (Source::Measured, 3));
//! assert!((known.seconds - 0.0101).abs() < 1e-6);
//! assert!(known.low < known.seconds && known.seconds < known.high);
//!
//! // Another size is scaled, and said to be less certain.
//! let scaled = store.predict(&saxpy, 4e6, now).unwrap();
//! assert_eq!(scaled.source, Source::Scaled);
//! assert!(scaled.high / scaled.low > known.high / known.low);
//!
//! // From time to time, on a thread that may wait for the disk:
//! assert_eq!(store.save(), Saved::Kept);
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), warpweft_planner::Refused>(())
//! ```
//!
//! # How sure
//!
//! A [`Prediction`] says where the typical time lies in four cases of five (`low..high`), and how much single launches
//! scatter around it ([`Prediction::next_launch`]). The former shrinks as samples come in; two devices whose intervals
//! overlap are worth exploring. Beyond the measured sizes the interval widens with the distance.
//!
//! # What is believed
//!
//! Times are medians of the latest 7 samples at each of 12 sizes. One spike among three samples moves nothing. When three
//! launches in succession (or four of five) agree with each other and not with what was known, the device has changed its
//! speed: older samples are forgotten, those of other sizes scaled by the change and marked ([`Source::Rescaled`]) until
//! they are measured anew. Only sizes at or between measured ones count as evidence for that; beyond them, the kernel may
//! be what is different.
//!
//! # On disk
//!
//! One JSON file per machine, readable by humans, replaced whole under an advisory lock. Processes that save join their
//! samples; what one forgets, the others forget. A file that cannot be read is set aside, never deleted, and learning
//! starts anew; where nothing can be written, learning goes on in memory. Either is told once through `tracing`.

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
