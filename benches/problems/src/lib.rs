//! What CPU paths are measured on: kernels with their inputs, launches, and the results that are right.
//!
//! A [`Problem`] is plain data: WGSL, arrays, values, launches. Whoever runs it, and on what, is not known here; the
//! kernels that the library lacks are in `kernels/`. Inputs are seeded and vary from element to element.

mod compute;
mod counting;
mod dense;
mod expected;
mod problem;
mod random;
mod sparse;
mod streaming;

pub use expected::Expected;
pub use problem::{Limit, Output, Pass, Problem, Words};

/// How large a problem is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// What is recorded: beyond the caches where the kernel streams.
    Full,
    /// Some milliseconds interpreted.
    Quick,
    /// Odd sizes, for tests: no multiple of any workgroup.
    Tiny,
}

impl Scale {
    fn choose<T>(self, full: T, quick: T, tiny: T) -> T {
        match self {
            Scale::Full => full,
            Scale::Quick => quick,
            Scale::Tiny => tiny,
        }
    }
}

/// A problem that can be made at any scale.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name that tables and the command line use.
    pub name: &'static str,
    make: fn(Scale, u64) -> Problem,
}

impl Case {
    /// The problem, its inputs drawn from a seed; takes the time of the scalar reference.
    pub fn problem(&self, scale: Scale, seed: u64) -> Problem {
        (self.make)(scale, seed)
    }

    /// The case of that name.
    pub fn named(name: &str) -> Option<Case> {
        ALL.into_iter().find(|case| case.name == name)
    }
}

/// Every case, in the order of the tables.
pub const ALL: [Case; 15] = [
    Case { name: "triad", make: streaming::triad },
    Case { name: "saxpy", make: streaming::saxpy },
    Case { name: "jacobi2d", make: streaming::jacobi2d },
    Case { name: "reduce_sum", make: streaming::reduce_sum },
    Case { name: "transpose", make: streaming::transpose },
    Case { name: "prefix_scan", make: counting::prefix_scan },
    Case { name: "histogram", make: counting::histogram },
    Case { name: "spmv_poisson", make: sparse::poisson },
    Case { name: "spmv_random", make: sparse::random },
    Case { name: "nbody", make: compute::nbody },
    Case { name: "nbody_tiled", make: compute::nbody_tiled },
    Case { name: "mandelbrot", make: compute::mandelbrot },
    Case { name: "black_scholes", make: compute::black_scholes },
    Case { name: "matmul", make: dense::matmul },
    Case { name: "matmul_tiled", make: dense::matmul_tiled },
];
