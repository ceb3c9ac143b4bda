//! What compiled code is called with.
//!
//! The layout is the code's own business: whoever fills the fields in need not know it.

use std::marker::PhantomData;
use std::sync::atomic::AtomicU32;

/// The arguments of one thread's share of a launch.
#[repr(C)]
#[derive(Debug)]
pub struct Arguments<'a> {
    /// Not zero: stop soon.
    pub cancel: &'a AtomicU32,
    /// Workgroup memory of this thread.
    pub workgroup: *mut u8,
    /// Private memory of this thread.
    pub private: *mut u8,
    /// Workgroups along each axis.
    pub workgroups: [u32; 3],
    /// Invocations along each axis that take effect: the grid's, or what `over` says.
    pub over: [u32; 3],
    /// The bindings.
    pub bindings: *const Bound,
    /// Bindings are borrowed.
    pub borrowed: PhantomData<&'a [Bound]>,
}

/// The memory of one binding.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Its first byte, aligned to 4.
    pub address: *mut u8,
    /// How many there are.
    pub bytes: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All workgroups are done.
    Done,
    /// `cancel` was seen: some are not.
    Cancelled,
}
