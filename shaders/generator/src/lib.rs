//! Random valid kernels in WGSL.
