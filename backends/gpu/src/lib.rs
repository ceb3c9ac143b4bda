//! GPUs as devices, through wgpu.

mod rewrite;
