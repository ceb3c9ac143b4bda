//! Kernels that come with Warpweft: each one WGSL file, beside it its scalar reference in Rust.
//!
//! Knows WGSL as text and the arithmetic behind it; nothing of how kernels are read or run. A reference is the plainest
//! loop that is right, in the kernel's own order of operations: what results are checked against, not a rival in speed.

pub mod jacobi2d;
pub mod mandelbrot;
pub mod nbody;
pub mod perona_malik;
pub mod reduce_sum;
pub mod saxpy;
mod shader_file;
pub mod transpose;
pub mod triad;

pub use jacobi2d::JACOBI2D;
pub use mandelbrot::MANDELBROT;
pub use nbody::NBODY;
pub use perona_malik::PERONA_MALIK;
pub use reduce_sum::REDUCE_SUM;
pub use saxpy::SAXPY;
pub use shader_file::ShaderFile;
pub use transpose::TRANSPOSE;
pub use triad::TRIAD;

/// Every kernel, in alphabetical order.
pub const ALL: [&ShaderFile; 8] =
    [&JACOBI2D, &MANDELBROT, &NBODY, &PERONA_MALIK, &REDUCE_SUM, &SAXPY, &TRANSPOSE, &TRIAD];
