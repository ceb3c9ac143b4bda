//! Random valid kernels in WGSL, to hold every way of running one against the interpreter.
//!
//! A [`kernel`] is the same on every machine. It ends, it has no data race, and it leaves one answer only, to the last
//! bit: nothing in it has a tolerance or an order that matters. [`shrink`] makes a kernel that fails smaller. Knows no
//! device and no compiler: whoever runs the kernel compares.
//!
//! ```
//! use warpweft_generator::{Profile, kernel};
//! let random = kernel(7, Profile::Small);
//! assert!(random.wgsl.contains("fn main("));
//! assert_eq!(random.wgsl, kernel(7, Profile::Small).wgsl);
//! ```

mod author;
mod collective;
mod dice;
mod expression;
mod kernel;
mod memory;
mod place;
mod shrink;
mod statement;
mod types;

pub use shrink::shrink;

/// What kernels may have in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A few statements of everything that `Full` has.
    Small = 0,
    /// Everything that 32-bit types can do: also NaN, infinities and denormals, and invocations that return before a
    /// barrier.
    Full = 1,
    /// What every device agrees on: floats are small whole numbers, and nobody returns before a barrier.
    Portable = 2,
    /// `Full` with f16, f64 and 64-bit integers.
    Wide = 3,
    /// `Full` with subgroup operations: the answer depends on the size of subgroups.
    Subgroups = 4,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 5] =
        [Profile::Small, Profile::Full, Profile::Portable, Profile::Wide, Profile::Subgroups];
}

/// A kernel and what to run it on.
#[derive(Clone, Debug)]
pub struct Random {
    /// Where it came from.
    pub seed: u64,
    /// Where it came from.
    pub profile: Profile,
    /// Its source; the entry point is `main`.
    pub wgsl: String,
    /// The words of `@group(0) @binding(n)`, by `n`. The kernel need not use all of them.
    pub inputs: Vec<Vec<u32>>,
    /// Workgroups along each axis.
    pub workgroups: [u32; 3],
    /// The exact number of invocations along each axis, for kernels without barriers.
    pub over: Option<[u32; 3]>,
    /// It uses subgroup operations: only runs with subgroups of the same size can be compared.
    pub subgroups: bool,
}

/// The kernel of that seed.
pub fn kernel(seed: u64, profile: Profile) -> Random {
    kernel::kernel(seed, profile)
}
