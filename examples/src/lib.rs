//! What the examples share beside Warpweft itself: their arguments, pictures and .npy files.
//!
//! The examples are the numbered files of this folder; nothing here knows a kernel or a device.

mod arguments;
mod npy;
mod picture;

pub use arguments::Arguments;
pub use npy::{Field, read_npy, write_npy};
pub use picture::{glow, gray, write_png};
